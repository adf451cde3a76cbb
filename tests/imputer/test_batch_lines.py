"""Request lines and shards: valid by OpenAI's own schemas, within every limit, known by their content, priced above."""

from __future__ import annotations

import sqlite3
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from batch_jobs import CHOICE, FAST, LIST, NUMBER, PRICE, TEXT, contract, plan, questions
from hypothesis import given, settings
from hypothesis import strategies as st

from imputer.batch.balance import open_jobs
from imputer.batch.contracts import Cell, Contract
from imputer.batch.engine import stop
from imputer.batch.ledger import Ledger
from imputer.batch.lines import LineMaker, Question, key_of_line
from imputer.batch.options import DEFAULT_MODEL, BatchOptions, read_options
from imputer.batch.prices import read_price, tokens_of
from imputer.batch.service import read_access
from imputer.batch.shards import write_job
from imputer.errors import WrongUsage
from imputer.standin.openai_schemas import OpenAISchemas
from imputer.standin.openai_strict import strict_problem

if TYPE_CHECKING:
    from imputer.batch.jobs import Shard

ALL = contract(NUMBER, CHOICE, TEXT, LIST, replace(NUMBER, name="level", zero_meaning="not applicable"))


def line_of(text: str = "Job title: Analyst", options: BatchOptions = FAST, agreed: Contract = ALL) -> dict[str, Any]:
    question = Question(agreed, "job_title", "1", text)
    return orjson.loads(LineMaker(agreed, options, "impute").line(question)[1])


def written(root: Path) -> tuple[list[Shard], list[bytes]]:
    with Ledger(root, exclusive=False) as ledger:
        shards = ledger.shards()
        lines = [line for one in shards for line in (ledger.folder / one.path).read_bytes().splitlines(keepends=True)]
    return shards, lines


@pytest.mark.parametrize("effort", [None, "low"])
@pytest.mark.parametrize("endpoint", ["responses", "chat"])
def test_bodies_obey_the_schemas_of_the_provider(endpoint: Any, effort: str | None, shared_data: Path) -> None:
    line = line_of(options=replace(FAST, endpoint=endpoint, effort=effort))
    assert OpenAISchemas(shared_data / "openai").body_problem(line["url"], line["body"]) is None
    assert list(line) == ["custom_id", "method", "url", "body"]
    assert line["method"] == "POST"
    assert len(line["custom_id"]) <= 64


def test_the_schema_is_strict_and_the_rationale_comes_first() -> None:
    schema = line_of()["body"]["text"]["format"]
    assert (schema["type"], schema["strict"]) == ("json_schema", True)
    assert strict_problem(schema["schema"]) is None
    assert list(schema["schema"]["properties"]) == [cell.name for cell in ALL.cells]
    for definition in schema["schema"]["$defs"].values():
        assert definition["required"] == list(definition["properties"]) == ["rationale", "value", "confidence"]
        assert definition["properties"]["confidence"] == {"type": "number", "minimum": 0.0, "maximum": 1.0}
    values = [definition["properties"]["value"] for definition in schema["schema"]["$defs"].values()]
    assert values[0] == {"type": "number", "minimum": 1.0, "maximum": 5.0}
    assert values[-1] == {"type": "number", "minimum": 0.0, "maximum": 5.0}  # 0 has a meaning of its own
    assert values[1]["enum"] == ["R", "I", "A"]


def test_a_contract_is_the_same_from_the_ledger() -> None:
    again = Contract.from_json(ALL.as_json())
    assert (again, again.key, again.prompt_sha256, again.schema) == (ALL, ALL.key, ALL.prompt_sha256, ALL.schema)


@given(st.text(), st.text(max_size=5))
def test_the_key_is_that_of_the_content(text: str, other: str) -> None:
    first, again = line_of(text), line_of(text)
    assert first == again
    assert first["body"]["input"] == text
    if other:
        assert line_of(text + other)["custom_id"] != first["custom_id"]


def test_whatever_changes_the_question_changes_the_key() -> None:
    plain = LineMaker(ALL, FAST, "impute")
    question = Question(ALL, "job_title", "1", "Job title: Analyst")
    keys = {
        plain.line(question)[0],
        plain.line(question._replace(entity_id="2"))[0],
        LineMaker(ALL, FAST, "backtest").line(question)[0],
        LineMaker(ALL, replace(FAST, model="another"), "impute").line(question)[0],
        LineMaker(ALL, replace(FAST, effort="low"), "impute").line(question)[0],
        LineMaker(ALL, replace(FAST, endpoint="chat"), "impute").line(question)[0],
        LineMaker(replace(ALL, instructions="Other."), FAST, "impute").line(question)[0],
        LineMaker(contract(replace(NUMBER, maximum=7.0)), FAST, "impute").line(question)[0],
    }
    assert len(keys) == 8
    assert key_of_line(plain.line(question)[1]) in keys


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 300), max_size=40),
    requests=st.integers(1, 12),
    size=st.integers(2_500, 9_000),
    tokens=st.integers(1_500, 6_000),
    cost=st.floats(0.008, 0.05),
)
def test_no_shard_breaks_a_limit_and_no_question_is_lost(
    sizes: list[int], requests: int, size: int, tokens: int, cost: float
) -> None:
    options = replace(FAST, most_requests=requests, most_bytes=size, enqueued_tokens=tokens, max_cost=cost)
    agreed = contract()
    asked = [Question(agreed, "job_title", str(n), "x" * length) for n, length in enumerate(sizes)]
    with tempfile.TemporaryDirectory() as folder, Ledger(Path(folder)) as ledger:
        planned = write_job(ledger, asked, options, PRICE)
        lines = []
        for shard in ledger.shards():
            own = (ledger.folder / shard.path).read_bytes()
            lines += own.splitlines(keepends=True)
            assert shard.bytes == len(own) <= size
            assert shard.requests == own.count(b"\n") <= requests
            assert shard.input_tokens <= tokens
            assert PRICE.cost(shard.input_tokens, shard.output_tokens) <= cost + 1e-9
            assert set(ledger.asked(shard.shard_id)) == {key_of_line(line) for line in own.splitlines()}
        assert planned.requests == len(lines) == len(asked) == len({key_of_line(line) for line in lines})
        assert [orjson.loads(line)["body"]["input"] for line in lines] == ["x" * length for length in sizes]


@pytest.mark.parametrize(
    ("limit", "raised"),
    [
        ({"enqueued_tokens": 10}, "WIQ_ENQUEUED_TOKENS"),
        ({"max_cost": 1e-6}, "--max-cost"),
        ({"most_bytes": 10}, "file"),
    ],
)
def test_a_question_that_alone_is_above_a_limit_is_refused_and_leaves_nothing(
    limit: dict[str, Any], raised: str, tmp_path: Path
) -> None:
    with pytest.raises(WrongUsage) as refused:
        plan(tmp_path, 3, replace(FAST, **limit))
    # The limit that was broken is named, and no other.
    told = str(refused.value)
    assert [name for name in ("WIQ_ENQUEUED_TOKENS", "--max-cost", "file") if name in told] == [raised]
    assert written(tmp_path) == ([], [])
    assert not list((tmp_path / "batch").rglob("*.jsonl"))


def test_the_same_question_twice_in_one_plan_is_refused(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger, pytest.raises(sqlite3.IntegrityError):
        write_job(ledger, [*questions(2), *questions(1)], FAST, PRICE)
    assert written(tmp_path) == ([], [])


def test_a_dry_run_counts_the_same_and_writes_nothing(tmp_path: Path) -> None:
    dry = plan(tmp_path, 5, dry_run=True)
    assert written(tmp_path) == ([], [])
    wet = plan(tmp_path, 5)
    assert (dry.requests, dry.bytes, dry.ceiling, dry.cost) == (wet.requests, wet.bytes, wet.ceiling, wet.cost)
    assert (dry.job_id, dry.shards, wet.shards) == (None, 1, 1)
    _, lines = written(tmp_path)
    assert wet.bytes == sum(map(len, lines))
    assert wet.input_tokens == sum(tokens_of(len(orjson.dumps(orjson.loads(line)["body"]))) for line in lines)


def test_a_topic_under_way_is_not_asked_in_other_words(tmp_path: Path) -> None:
    plan(tmp_path, 3)
    with Ledger(tmp_path) as ledger:
        planned = write_job(ledger, questions(4, text="Changed"), FAST, PRICE)
        assert (planned.requests, planned.unsent, planned.waiting) == (1, 3, 0)
        ledger.change(ledger.shards()[0], state="SUBMITTED", batch_id="b")
        planned = write_job(ledger, questions(5, text="Changed again"), FAST, PRICE)
        assert (planned.requests, planned.unsent, planned.waiting) == (1, 1, 3)


def test_what_was_cancelled_is_asked_again_only_on_request(tmp_path: Path) -> None:
    plan(tmp_path, 3)
    with Ledger(tmp_path) as ledger:
        assert stop(ledger, None, None, FAST) == 1
    planned = plan(tmp_path, 4)
    assert (planned.requests, planned.cancelled) == (1, 3)
    # Another model is another question.
    assert plan(tmp_path, 3, replace(FAST, model="another"), dry_run=True).requests == 3
    assert plan(tmp_path, 4, again=True).requests == 3


def test_what_is_open_is_known_with_its_job_and_the_most_it_may_cost(tmp_path: Path) -> None:
    first = plan(tmp_path, 3)
    plan(tmp_path, 2, purpose="backtest")
    plan(tmp_path, 5)
    with Ledger(tmp_path) as ledger:
        ledger.change(ledger.shards()[0], state="SUBMITTED", batch_id="b")
        found = open_jobs(ledger, "impute")
        found.sort(key=lambda one: one.unsent)
        assert [(one.unsent, one.sent) for one in found] == [(0, 3), (2, 0)]
        assert (found[0].job.job_id, found[0].job.model) == (first.job_id, "stand-in")
        assert found[0].sent_cost == pytest.approx(first.ceiling)
        assert sorted(one.job.purpose for one in open_jobs(ledger)) == ["backtest", "impute", "impute"]
        stop(ledger, None, None, FAST)
        assert [(one.unsent, one.sent) for one in open_jobs(ledger)] == [(0, 3)]


# --- prices and settings --------------------------------------------------------------------------------------------


def test_the_default_model_has_a_price_and_is_not_about_to_end() -> None:
    price = read_price(DEFAULT_MODEL)
    assert 0 < price.input < price.output
    assert not DEFAULT_MODEL.startswith(("gpt-4", "gpt-3", "o4"))
    assert price.cost(1_000_000, 1_000_000) == price.input + price.output


def test_an_unknown_model_is_not_priced_at_nothing(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="price of the model is not known"):
        read_price("gpt-unheard-of")
    own = tmp_path / "prices.toml"
    own.write_text('as_of = "2026-01-01"\n[models]\n"gpt-unheard-of" = { input = 1, output = 2 }\n')
    assert read_price("gpt-unheard-of", own).output == 2.0
    own.write_text("nonsense")
    with pytest.raises(WrongUsage, match="cannot be read"):
        read_price("gpt-unheard-of", own)


@pytest.mark.parametrize(
    ("name", "value"),
    [("WIQ_ENDPOINT", "images"), ("WIQ_ENQUEUED_TOKENS", "0"), ("WIQ_MAX_COST", "-1"), ("WIQ_POLL", "soon")],
)
def test_a_wrong_setting(name: str, value: str) -> None:
    with pytest.raises(WrongUsage, match=name):
        read_options({name: value})


@pytest.mark.parametrize("cost", [float("nan"), float("inf"), -1.0])
def test_a_cap_that_is_no_number_is_refused(cost: float) -> None:
    with pytest.raises(WrongUsage, match="--max-cost"):
        BatchOptions(max_cost=cost)


@pytest.mark.parametrize("value", ["abc", "-1", "nan"])
def test_a_wrong_backoff(value: str) -> None:
    with pytest.raises(WrongUsage, match="WIQ_BACKOFF"):
        read_access({"OPENAI_API_KEY": "sk-1", "WIQ_BACKOFF": value})


def test_settings_come_from_the_environment() -> None:
    options = read_options({"WIQ_MODEL": "m", "WIQ_ENDPOINT": "chat", "WIQ_MAX_COST": "0", "WIQ_ATTEMPTS": "2"})
    assert (options.model, options.endpoint, options.max_cost, options.attempts) == ("m", "chat", 0.0, 2)
    assert read_options({}) == BatchOptions()
    assert isinstance(ALL.cells[0], Cell)
