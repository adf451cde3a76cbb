"""Small batch jobs for tests: contracts, questions, a ledger of the test's own, and what must hold at the end."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from imputer.batch.accepted import accepted_answers
from imputer.batch.contracts import Cell, Contract
from imputer.batch.engine import Worked, work
from imputer.batch.ledger import Ledger
from imputer.batch.lines import Question
from imputer.batch.options import BatchOptions
from imputer.batch.prices import Price
from imputer.batch.service import Access, Service
from imputer.batch.shards import Planned, write_job

if TYPE_CHECKING:
    from pathlib import Path

    from imputer.standin.openai import OpenAIStandIn

PRICE = Price("stand-in", 1.0, 4.0, "2026-01-01")
FAST = BatchOptions(model="stand-in", poll=0.02, settle=0.2, enqueued_tokens=10**9, max_cost=1_000.0)

NUMBER = Cell("writing", "oasis.skills.writing", "zxx", "Writing", "number", "level_1_5", 1.0, 5.0, 1.0)
CHOICE = Cell("first", "oasis.interests.first", "en", "First interest", "text", choices=("R", "I", "A"))
TEXT = Cell("lead", "oasis.lead_statement", "en", "Lead statement", "text")
LIST = Cell("duties", "oasis.main_duties", "en", "Main duties", "list")


def contract(*cells: Cell, topic: str = "OaSIS/skills") -> Contract:
    return Contract(topic, "Answer for each attribute.", cells or (NUMBER,))


def questions(count: int, agreed: Contract | None = None, text: str = "Job title: Analyst") -> list[Question]:
    agreed = agreed or contract()
    return [Question(agreed, "job_title", str(number), f"{text} {number}.") for number in range(count)]


def plan(root: Path, count: int = 6, options: BatchOptions = FAST, **given: Any) -> Planned:
    """Write a job of so many requests, each of one cell unless a contract is given."""
    agreed = given.pop("agreed", None)
    with Ledger(root) as ledger:
        return write_job(ledger, questions(count, agreed), options, given.pop("price", PRICE), **given)


def run(root: Path, service: OpenAIStandIn, options: BatchOptions = FAST, **given: Any) -> Worked:
    """Work on the ledger against a stand-in."""
    access = Access(service.key, service.base_url, backoff=0.01, attempts=given.pop("attempts", 6))
    with Ledger(root) as ledger, Service(access) as client:
        return work(ledger, client, options, **given)


def states(root: Path) -> dict[str, int]:
    """How many requests are in which state, for which reason, over all jobs."""
    with Ledger(root, exclusive=False) as ledger:
        query = "SELECT state || coalesce(': ' || reason, ''), count(*) FROM request_states GROUP BY 1"
        return dict(ledger.connection.execute(query).fetchall())


def assert_whole(root: Path, service: OpenAIStandIn, answered: int, cells_each: int = 1) -> None:
    """Nothing lost, nothing doubled: every shard submitted once, every answer there once, all sums equal."""
    with Ledger(root, exclusive=False) as ledger:
        shards = ledger.shards()
        jobs = {job.job_id for job in ledger.jobs()}
    for shard in shards:
        assert shard.state == "COLLECTED", shard
        assert shard.answered + shard.failed + shard.missing == shard.requests
    worked = [
        (batch["metadata"]["job"], batch["metadata"]["shard"])
        for batch in service.batches
        if (batch.get("metadata") or {}).get("job") in jobs
        and batch["status"] not in ("failed", "cancelled", "cancelling")
    ]
    assert len(worked) == len(set(worked)), "a shard was submitted twice"
    rows = accepted_answers(root).to_pylist()
    cells = [(row["custom_id"], row["attribute_id"], row["language"]) for row in rows]
    assert len(cells) == len(set(cells)), "an answer is there twice"
    assert len(cells) == answered * cells_each


def small_shards(requests: int) -> BatchOptions:
    """Options with at most so many requests a shard."""
    return replace(FAST, most_requests=requests)
