"""The output and the error file of a batch: every line answered, or wrong in the way that it gets."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from imputer.standin.openai_answers import Answer, answer_to
from imputer.standin.openai_lines import lines_of
from imputer.standin.openai_questions import Refusal, model_problem
from imputer.standin.openai_values import Unanswerable

if TYPE_CHECKING:
    from collections.abc import Callable

HTTP_OK = 200
_REFUSED = Refusal("The stand-in was told to refuse this request.", "model", "invalid_value")
BUSY = Refusal("Rate limit reached for requests.", None, "rate_limit_exceeded", 429, "requests")
"""What is answered where there are too many requests."""
ERROR_FAULTS = {"line_refused": _REFUSED, "line_busy": BUSY}
"""Line faults that are an HTTP error of their own."""
_NOT_DONE = {
    "batch_expired": "This request could not be executed before the completion window expired.",
    "batch_cancelled": "This request was not executed: the batch was cancelled.",
    "batch_failed": "This request was not executed: the batch failed.",
}


@dataclass(slots=True)
class Results:
    """Lines of the two files, in the order of the input, and what they count and cost."""

    output: list[bytes] = field(default_factory=list)
    errors: list[bytes] = field(default_factory=list)
    completed: int = 0
    failed: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Work:
    """How a batch is to be done. Only the first ``done`` lines are; ``not_done`` is the code of the others."""

    batch_id: str
    endpoint: str
    model: str
    at: int
    done: int
    not_done: str | None = None
    unlisted: bool = False
    all_failed: bool = False
    in_order: bool = False
    unknown: int = 0


def results_of(content: bytes, work: Work, fault_for: Callable[[bytes], str | None]) -> Results:
    """Do the lines of an input file that has been checked."""
    results = Results()
    for place, (number, text) in enumerate(lines_of(content)):
        line = orjson.loads(text)
        if place >= work.done:
            if work.not_done and not work.unlisted:
                error = {"code": work.not_done, "message": _NOT_DONE[work.not_done]}
                _add_error(results, _line(work, number, line["custom_id"], None, error))
            continue
        fault = "line_refused" if work.all_failed else fault_for(text)
        if fault != "missing":
            _do(results, work, number, line, fault)
    for extra in range(work.unknown):
        seed = hashlib.sha256(f"{work.batch_id}{extra}".encode()).hexdigest()
        body = {"model": work.model, "messages": "?", "input": "?"}
        answered = answer_to(work.endpoint, body, work.model, at=work.at).body
        results.output.append(_line(work, -extra - 1, f"unknown-{seed[:24]}", _http(HTTP_OK, answered, seed), None))
    if not work.in_order:
        random.Random(work.batch_id).shuffle(results.output)  # noqa: S311 (no secret)
    return results


def _do(results: Results, work: Work, number: int, line: dict[str, Any], fault: str | None) -> None:
    custom_id, body = line["custom_id"], line["body"]
    mark = hashlib.sha256(f"{work.batch_id}{number}".encode()).hexdigest()
    refused = ERROR_FAULTS.get(fault or "") or model_problem(work.endpoint, body)
    if refused is not None:
        return _add_error(results, _line(work, number, custom_id, _http(refused.status, refused.body, mark), None))
    if fault == "line_error":
        error = {"code": "server_error", "message": "The stand-in was told to fail this request."}
        return _add_error(results, _line(work, number, custom_id, None, error))
    if fault == "line_zero":
        empty = {"status_code": 0, "request_id": "", "body": {}}
        return _add_error(results, _line(work, number, custom_id, empty, None))
    try:
        answer = answer_to(work.endpoint, body, work.model, at=work.at, fault=fault)
    except Unanswerable as unanswerable:
        refused = Refusal(str(unanswerable), None, "stand_in_cannot")
        return _add_error(results, _line(work, number, custom_id, _http(refused.status, refused.body, mark), None))
    answered = _line(work, number, custom_id, _http(HTTP_OK, answer.body, mark), None)
    if fault in ("line_malformed", "line_garbled"):
        middle = len(answered) // 2
        return _add_error(results, answered[:middle] if fault == "line_malformed" else answered[middle:])
    results.completed += 1
    _add_answer(results, answered[: len(answered) // 2] if fault == "answer_malformed" else answered, answer)
    if fault == "duplicates":
        _add_answer(results, answered, answer)
    if fault == "conflicting":
        other = answer_to(work.endpoint, body, work.model, at=work.at, again=1)
        _add_answer(results, _line(work, number, custom_id, _http(HTTP_OK, other.body, mark), None), other)
    if fault == "in_both_files":
        error = {"code": "server_error", "message": "The stand-in was told to fail what it has answered."}
        results.errors.append(_line(work, number, custom_id, None, error))
    return None


def _add_error(results: Results, line: bytes) -> None:
    results.errors.append(line)
    results.failed += 1


def _add_answer(results: Results, line: bytes, answer: Answer) -> None:
    results.output.append(line)
    results.input_tokens += answer.input_tokens
    results.output_tokens += answer.output_tokens
    results.reasoning_tokens += answer.reasoning_tokens


def _http(status: int, body: dict[str, Any], mark: str) -> dict[str, Any]:
    return {"status_code": status, "request_id": f"req_{mark[:32]}", "body": body}


def _line(work: Work, number: int, custom_id: str, response: dict[str, Any] | None, error: object) -> bytes:
    mark = hashlib.sha256(f"{work.batch_id}/{number}".encode()).hexdigest()
    line = {"id": f"batch_req_{mark[:32]}", "custom_id": custom_id, "response": response, "error": error}
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode()
