"""Answer lines of every shape, cut anywhere: each is read, the sums hold, only what is within bounds is accepted."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson
import pytest
from batch_jobs import CHOICE, FAST, LIST, NUMBER, TEXT, contract, plan
from hypothesis import given, settings
from hypothesis import strategies as st

from imputer.batch.accepted import accepted_answers
from imputer.batch.answers import Answer, read_line
from imputer.batch.contracts import Cell, judge_of
from imputer.batch.given_up import given_up_cells, model_reason
from imputer.batch.ledger import Ledger
from imputer.batch.reading import Read, read_shard
from imputer.statements import STATED_COLUMNS

KEY = "wiq-" + "0123456789" * 4


def line(key: str, body: dict[str, Any]) -> dict[str, Any]:
    reply = {"status_code": 200, "request_id": "r", "body": body}
    return {"id": "b", "custom_id": key, "response": reply, "error": None}


def chat(content: str | None, key: str = KEY, **message: Any) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": message.pop("finish", "stop"), "message": {"content": content} | message}
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    body = {"model": "stand-in", "choices": [choice], "usage": usage}
    return {
        "id": "b",
        "custom_id": key,
        "response": {"status_code": 200, "request_id": "r", "body": body},
        "error": None,
    }


def response(content: list[dict[str, Any]], key: str = KEY, **body: Any) -> dict[str, Any]:
    usage = {"input_tokens": 7, "output_tokens": 3}
    items = [{"type": "reasoning", "summary": []}, {"type": "message", "content": content}]
    made = {"model": "stand-in", "status": "completed", "output": items, "usage": usage} | body
    return {
        "id": "b",
        "custom_id": key,
        "response": {"status_code": 200, "request_id": "r", "body": made},
        "error": None,
    }


def failed(reply: object, error: object = None) -> dict[str, Any]:
    return {"id": "b", "custom_id": KEY, "response": reply, "error": error}


TEXT_PART = {"type": "output_text", "text": "{}"}
SHAPES = {
    "no response": (failed(None, {"code": "batch_expired", "message": "m"}), "batch_expired"),
    "no response and no code": (failed(None), "no_response"),
    "HTTP 400 with its reason": (failed({"status_code": 400, "body": {"error": {"message": "m"}}}), "http_400"),
    "HTTP 429": (failed({"status_code": 429, "body": {}}), "http_429"),
    "status 0": (failed({"status_code": 0, "request_id": "", "body": {}}), "status_0"),
    "body of no kind": (failed({"status_code": 500, "body": "oops"}), "http_500"),
    "refusal, chat": (chat(None, refusal="no"), "refusal"),
    "cut short, chat": (chat("{", finish="length"), "length"),
    "filtered, chat": (chat("", finish="content_filter"), "content_filter"),
    "nothing, chat": (chat(None), "no_content"),
    "refusal, responses": (response([{"type": "refusal", "refusal": "no"}]), "refusal"),
    "cut short, responses": (
        response([TEXT_PART], status="incomplete", incomplete_details={"reason": "max_output_tokens"}),
        "length",
    ),
    "filtered, responses": (
        response([], status="incomplete", incomplete_details={"reason": "content_filter"}),
        "content_filter",
    ),
    "failed, responses": (
        response([], status="failed", error={"code": "server_error", "message": "m"}),
        "server_error",
    ),
    "nothing, responses": (response([]), "no_content"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_without_an_answer(name: str) -> None:
    record, reason = SHAPES[name]
    answer = read_line(orjson.dumps(record))
    assert (answer.key, answer.content, answer.reason) == (KEY, None, reason)


def test_whole_answers() -> None:
    expected = Answer(KEY, "{}", None, "", "r", "stand-in", 7, 3)
    assert read_line(orjson.dumps(chat("{}"))) == expected
    assert read_line(orjson.dumps(response([TEXT_PART]))) == expected


@pytest.mark.parametrize("given", [b"null", b"[]", b"{}", b'{"custom_id": 3, "response": null}', b"\xff\xfe", b"1"])
def test_lines_that_tell_nothing(given: bytes) -> None:
    assert read_line(given) == Answer(None, reason="malformed_line")


@given(st.integers(1, 400))
def test_a_line_cut_anywhere_is_read(cut: int) -> None:
    line = orjson.dumps(chat("{}"))[:cut]
    answer = read_line(line)
    whole = cut >= len(orjson.dumps(chat("{}")))
    assert answer.content == ("{}" if whole else None)
    assert answer.key in (KEY, None)
    assert (answer.key == KEY) == (KEY.encode() + b'"' in line)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 600) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "response error body choices message content status_code output type usage refusal text".split()
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=300)
@given(_JSON | st.fixed_dictionaries({"custom_id": st.just(KEY), "response": _JSON, "error": _JSON}))
def test_no_line_stops_the_reading(record: object) -> None:
    answer = read_line(orjson.dumps(record))
    assert answer.content is None or isinstance(answer.content, str)
    assert isinstance(answer.input_tokens + answer.output_tokens, int)
    assert answer.key is None or isinstance(answer.key, str)


# --- one cell -------------------------------------------------------------------------------------------------------

LEVEL = replace(NUMBER, name="level", zero_meaning="not applicable")
FREE = replace(NUMBER, name="free", minimum=None, maximum=None)
_VALUES = st.one_of(
    st.integers(-1, 8),
    st.floats(-1, 8),
    st.sampled_from([True, None, "", "R", "r", "Writes.", [], ["a"], ["a", 1], ["a"] * 20, ["a"] * 21, {}, "3"]),
)
_ANSWERS = st.one_of(
    _VALUES,
    st.fixed_dictionaries(
        {},
        optional={
            "rationale": st.sampled_from(["", "Because.", 1, None]),
            "value": _VALUES,
            "confidence": st.one_of(st.floats(-0.5, 1.5), st.sampled_from([0, 1, 2, True, "1", None])),
            "extra": st.just(1),
        },
    ),
    st.fixed_dictionaries({"rationale": st.text(max_size=3), "value": _VALUES, "confidence": st.floats(0, 1)}),
)


@settings(max_examples=600)
@given(st.sampled_from([NUMBER, LEVEL, FREE, CHOICE, TEXT, LIST]), _ANSWERS)
def test_the_verdict_on_a_cell_is_that_of_its_schema(cell: Cell, answer: object) -> None:
    schema = contract(cell).schema
    expected = jsonschema_rs.is_valid(schema, {cell.name: answer})
    assert judge_of(cell)(answer) == expected


# --- a shard's lines together ---------------------------------------------------------------------------------------


def one(value: object, confidence: object = 0.5, rationale: object = "Because.") -> dict[str, object]:
    return {"rationale": rationale, "value": value, "confidence": confidence}


def read(root: Path, lines: list[bytes], **given: Any) -> Read | None:
    path = root / "answers.jsonl"
    path.write_bytes(b"\n".join(lines) + b"\n")
    with Ledger(root) as ledger:
        return read_shard(ledger, ledger.shards()[0], [path], "batch_1", FAST, **given)


def keys(root: Path) -> list[str]:
    with Ledger(root) as ledger:
        return sorted(ledger.asked(1), key=lambda key: ledger.asked(1)[key][3])


def test_accepted_cells_have_every_column_of_a_statement(tmp_path: Path) -> None:
    plan(tmp_path, 1, agreed=contract(NUMBER, CHOICE, TEXT, LIST))
    content = {
        "writing": one(2.5, 0.25),
        "first": one("I", 1),
        "lead": one(" Writes. "),
        "duties": one(["Write", " ", "Read"]),
    }
    assert read(tmp_path, [orjson.dumps(chat(orjson.dumps(content).decode(), key)) for key in keys(tmp_path)])
    table = accepted_answers(tmp_path)
    assert tuple(table.column_names) == STATED_COLUMNS
    rows = {row["attribute_id"]: row for row in table.to_pylist()}
    assert rows[NUMBER.attribute_id] | {"evidence": ""} == {
        "entity_type": "job_title",
        "entity_id": "0",
        "attribute_id": NUMBER.attribute_id,
        "language": "zxx",
        "value_number": 2.5,
        "value_text": None,
        "scale": "level_1_5",
        "source_type": "LLM",
        "method": "LLM_BATCH",
        "confidence": 0.25,
        "confidence_calibrated": None,
        "rationale": "Because.",
        "source_id": "llm_batch",
        "source_version": None,
        "locator": "batch batch_1",
        "evidence": "",
        "model": "stand-in",
        "prompt_sha256": contract(NUMBER, CHOICE, TEXT, LIST).prompt_sha256,
        "custom_id": keys(tmp_path)[0],
        "batch_id": "batch_1",
        "request_id": "r",
        "attempt": 1,
        "tokens": 10,
        "retention_class": "derived",
        "interval_low": None,
        "interval_high": None,
    }
    assert rows[CHOICE.attribute_id]["confidence"] == 1.0
    assert rows[TEXT.attribute_id]["value_text"] == "Writes."
    assert rows[LIST.attribute_id]["value_text"] == '["Write","Read"]'


# Answers for a number and a text, and what of them is accepted.
BAD = {
    "out of range": ({"writing": one(6), "lead": one("Writes.")}, {"writing": "out_of_bounds"}),
    "wrong type": ({"writing": one("4"), "lead": one("Writes.")}, {"writing": "out_of_bounds"}),
    "surer than sure": ({"writing": one(4, 1.5), "lead": one("Writes.")}, {"writing": "out_of_bounds"}),
    "no confidence": ({"writing": {"rationale": "", "value": 4}, "lead": one("W.")}, {"writing": "out_of_bounds"}),
    "missing": ({"lead": one("Writes.")}, {"writing": "missing"}),
    "blank": ({"writing": one(4), "lead": one(" \n")}, {"lead": "blank"}),
    "more than asked": ({"writing": one(4), "lead": one("W."), "extra": 1}, {}),
}


@pytest.mark.parametrize("name", BAD)
def test_of_an_answer_the_cells_that_hold_are_accepted(name: str, tmp_path: Path) -> None:
    content, expected = BAD[name]
    plan(tmp_path, 1, agreed=contract(NUMBER, TEXT))
    found = read(tmp_path, [orjson.dumps(chat(orjson.dumps(content).decode(), keys(tmp_path)[0]))])
    assert found
    assert (found.answered, found.failed, found.missing) == (1, {}, 0)
    assert accepted_answers(tmp_path).num_rows == 2 - len(expected)
    with Ledger(tmp_path) as ledger:
        assert dict(ledger.connection.execute("SELECT cell, reason FROM refused_cells").fetchall()) == expected
    told = given_up_cells(tmp_path).column("model_reason").to_pylist()
    assert told == [model_reason(reason) for reason in expected.values()]


@pytest.mark.parametrize("content", ["", "prose", "[]", "null", "{}", '{"writing": {"value": 99}}'])
def test_an_answer_of_which_nothing_holds_is_sent_again(content: str, tmp_path: Path) -> None:
    plan(tmp_path, 1)
    found = read(tmp_path, [orjson.dumps(chat(content, keys(tmp_path)[0]))])
    assert found
    assert (found.answered, set(found.failed.values())) == (0, {"invalid_answer"})


_OUTCOMES = st.lists(
    st.tuples(st.integers(0, 6), st.sampled_from(["good", "bad", "expired", "status_0", "cut", "unknown", "nonsense"])),
    max_size=24,
)


@settings(max_examples=60, deadline=None)
@given(_OUTCOMES)
def test_answered_failed_and_missing_are_what_was_sent(outcomes: list[tuple[int, str]]) -> None:
    good = orjson.dumps({"writing": one(4)}).decode()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        plan(root, 7)
        sent = keys(root)
        made = {
            "good": lambda key: orjson.dumps(chat(good, key)),
            "bad": lambda key: orjson.dumps(chat("prose", key)),
            "expired": lambda key: orjson.dumps(failed(None, {"code": "batch_expired"}) | {"custom_id": key}),
            "status_0": lambda key: orjson.dumps(failed({"status_code": 0, "body": {}}) | {"custom_id": key}),
            "cut": lambda key: orjson.dumps(chat(good, key))[:90],
            "unknown": lambda _: orjson.dumps(chat(good)),
            "nonsense": lambda _: b"{",
        }
        found = read(root, [made[kind](sent[place]) for place, kind in outcomes])
        assert found
        answered = {place for place, kind in outcomes if kind == "good"}
        told = {place for place, kind in outcomes if kind in ("bad", "expired", "status_0", "cut")}
        assert (found.answered, len(found.failed)) == (len(answered), len(told - answered))
        assert found.answered + len(found.failed) + found.missing == len(sent)
        assert {row["entity_id"] for row in accepted_answers(root).to_pylist()} == {str(place) for place in answered}
        assert accepted_answers(root).num_rows == len(answered)


def test_lines_that_lack_are_not_believed_before_the_last_look(tmp_path: Path) -> None:
    plan(tmp_path, 2)
    line = orjson.dumps(chat(orjson.dumps({"writing": one(4)}).decode(), keys(tmp_path)[0]))
    assert read(tmp_path, [line], last=False) is None
    assert accepted_answers(tmp_path).num_rows == 0
    found = read(tmp_path, [line])
    assert found
    assert (found.answered, found.missing) == (1, 1)


def without_usage(record: dict[str, Any]) -> dict[str, Any]:
    record["response"]["body"].pop("usage")
    return record


# Lines of a request that are no answer, and whether the model may have worked for them without saying how much.
UNMETERED = {
    "prose": (without_usage(chat("prose")), True),
    "refusal": (without_usage(chat(None, refusal="no")), True),
    "cut short": (without_usage(response([TEXT_PART], status="incomplete")), True),
    "prose with its tokens": (chat("prose"), False),
    "refused by the provider": (failed({"status_code": 400, "request_id": "r", "body": {}}), False),
    "status 0": (failed({"status_code": 0, "request_id": "", "body": {}}), False),
    "not run": (failed(None, {"code": "batch_expired"}), False),
}


@pytest.mark.parametrize("name", UNMETERED)
def test_what_may_be_paid_and_says_no_tokens_counts_at_its_most(name: str, tmp_path: Path) -> None:
    record, unmetered = UNMETERED[name]
    plan(tmp_path, 2)
    good, bad = keys(tmp_path)
    answer = chat(orjson.dumps({"writing": one(4)}).decode(), good)
    found = read(tmp_path, [orjson.dumps(answer), orjson.dumps(record | {"custom_id": bad})])
    assert found
    assert (found.answered, len(found.failed), found.unmetered) == (1, 1, unmetered)
    with Ledger(tmp_path) as ledger:
        shard = ledger.shards()[0]
    most = (-(-shard.input_tokens // 2), shard.output_tokens // 2)
    own = most if unmetered else (found.used_input - 7, found.used_output - 3)
    assert (shard.used_input, shard.used_output) == (7 + own[0], 3 + own[1])
    assert own[0] >= 7 * (record["response"] is not None and "usage" in record["response"]["body"])


@pytest.mark.parametrize("cut", [20, 120])
def test_a_line_cut_short_counts_at_its_most(cut: int, tmp_path: Path) -> None:
    plan(tmp_path, 1)
    line = orjson.dumps(chat(orjson.dumps({"writing": one(4)}).decode(), keys(tmp_path)[0]))
    found = read(tmp_path, [line[:cut]])
    assert found
    with Ledger(tmp_path) as ledger:
        shard = ledger.shards()[0]
    assert (shard.used_input, shard.used_output) == (shard.input_tokens, shard.output_tokens)
