"""What asking has cost and brought, and what may still be paid: sums over the jobs of a purpose."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imputer.batch.jobs import IN_FLIGHT, UNSENT, spent
from imputer.batch.ledger import Ledger
from imputer.batch.ledger_file import FOLDER, NAME

if TYPE_CHECKING:
    from pathlib import Path

    from imputer.batch.jobs import Job

_GIVEN_UP = """
SELECT coalesce(r.reason, 'no reason'), count(*) FROM request_states r JOIN jobs USING (job_id)
WHERE state = 'FAILED' AND ($purpose IS NULL OR purpose = $purpose) GROUP BY 1
"""
# Nothing of the file was answered, and it was the provider's doing: its end, or every line of the job.
_LOST = """
SELECT shard_id FROM shards JOIN jobs USING (job_id) JOIN requests r USING (shard_id)
WHERE shards.state = 'COLLECTED' AND answered = 0 AND ($purpose IS NULL OR purpose = $purpose) GROUP BY shard_id, job_id
HAVING count(*) = sum(r.state = 'FAILED') AND (
    count(*) = sum(r.reason = 'missing' OR r.reason LIKE 'batch_%')
    OR (SELECT sum(answered) FROM shards s WHERE s.job_id = jobs.job_id) = 0
)
"""
_UNSENT_TOPICS = f"""
SELECT r.entity_id, json_extract(content, '$.topic')
FROM requests r JOIN contracts USING (contract_id) JOIN shards s USING (shard_id) JOIN jobs USING (job_id)
WHERE (r.state = 'RETRY' OR (r.state = 'ASKED' AND s.state IN {UNSENT})) AND purpose = $purpose
"""


@dataclass(frozen=True, slots=True)
class OpenJob:
    """What waits of a job: requests not sent yet, requests with the provider, and the most that both may cost, in USD.

    ``spent`` is what its answers have cost so far.
    """

    job: Job
    unsent: int
    unsent_cost: float
    sent: int
    sent_cost: float
    spent: float


@dataclass(frozen=True, slots=True)
class Balance:
    """Paid so far (USD, tokens), requests given up by reason, and shards (by id) of which nothing was answered."""

    cost: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    given_up: Counter[str] = field(default_factory=Counter)
    lost: frozenset[int] = frozenset()

    def since(self, before: Balance) -> Balance:
        """What was added."""
        return Balance(
            self.cost - before.cost,
            self.input_tokens - before.input_tokens,
            self.output_tokens - before.output_tokens,
            self.given_up - before.given_up,
            self.lost - before.lost,
        )


def balance(ledger: Ledger, purpose: str | None = None) -> Balance:
    """How things stand with the jobs of a purpose, or with all."""
    jobs = {job.job_id: job for job in ledger.jobs()}
    shards = ledger.shards(purpose=purpose)
    return Balance(
        sum(jobs[shard.job_id].cost(shard.used_input, shard.used_output) for shard in shards),
        sum(shard.used_input for shard in shards),
        sum(shard.used_output for shard in shards),
        Counter(dict(ledger.connection.execute(_GIVEN_UP, {"purpose": purpose}).fetchall())),
        frozenset(row[0] for row in ledger.connection.execute(_LOST, {"purpose": purpose})),
    )


def unsent_topics(ledger: Ledger, purpose: str) -> set[tuple[str, str]]:
    """(entity, topic) of the questions that are planned and not with the provider."""
    return set(ledger.connection.execute(_UNSENT_TOPICS, {"purpose": purpose}).fetchall())


def open_jobs(ledger: Ledger, purpose: str | None = None) -> list[OpenJob]:
    """Jobs that wait or are under way, in the order of their names; what is to be sent again counts as not sent."""
    found = []
    for job in ledger.jobs():
        if purpose not in (None, job.purpose):
            continue
        shards = ledger.shards(job_id=job.job_id)
        unsent = [shard for shard in shards if shard.state in UNSENT]
        sent = [shard for shard in shards if shard.state in IN_FLIGHT]
        again = list(ledger.to_retry(job.job_id).values())
        one = OpenJob(
            job,
            sum(shard.requests for shard in unsent) + len(again),
            sum(job.cost(shard.input_tokens, shard.output_tokens) for shard in unsent)
            + sum(job.cost(shard.input_tokens, shard.output_tokens) / shard.requests for shard in again),
            sum(shard.requests for shard in sent),
            sum(job.cost(shard.input_tokens, shard.output_tokens) for shard in sent),
            spent(job, shards),
        )
        if one.unsent or one.sent:
            found.append(one)
    return found


def under_way(root: Path, purpose: str) -> int:
    """How many shards of a purpose below ``root`` (``output/wiq``) are with the provider, or may be."""
    if not (root / FOLDER / NAME).is_file():
        return 0
    with Ledger(root, exclusive=False) as ledger:
        return len(ledger.shards(*IN_FLIGHT, purpose=purpose))
