"""The lines of a batch's input file: what fails a whole batch before it starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from imputer.standin.openai_questions import input_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imputer.standin.openai_questions import Judge

MOST_LINES, MOST_BYTES = 50_000, 200 * 1000 * 1000
MOST_ERRORS = 100
_PARTS = ("custom_id", "method", "url", "body")


class _BadLine(Exception):
    """Raised for a line that fails its batch: carries the entry of ``errors.data``."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"])
        self.error = error


@dataclass(frozen=True, slots=True)
class Checked:
    """What an input file holds. ``errors`` as in a batch's ``errors.data``; tokens of the whole file."""

    errors: tuple[dict[str, Any], ...]
    lines: int
    model: str | None
    tokens: int


def batch_error(code: str, message: str, param: str | None = None, line: int | None = None) -> dict[str, Any]:
    """One entry of a batch's ``errors.data``; ``line`` is 1-based."""
    return {"code": code, "message": message, "param": param, "line": line}


def lines_of(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that are not blank, with their 1-based numbers."""
    start, number = 0, 0
    while start < len(content):
        end = content.find(b"\n", start)
        end = len(content) if end < 0 else end
        number += 1
        line = content[start:end].strip()
        if line:
            yield number, line
        start = end + 1


def check_lines(content: bytes, endpoint: str, judge: Judge) -> Checked:
    """Check every line of an input file as OpenAI does while a batch is validating, and by the schemas."""
    errors: list[dict[str, Any]] = []
    custom_ids: set[str] = set()
    model: str | None = None
    lines = tokens = 0
    if len(content) > MOST_BYTES:
        message = f"The file has {len(content)} bytes, at most {MOST_BYTES}."
        return Checked((batch_error("invalid_request", message),), 0, None, 0)
    for number, text in lines_of(content):
        lines += 1
        if lines > MOST_LINES:
            errors.append(batch_error("too_many_tasks", f"The file has more than {MOST_LINES} requests."))
            break
        try:
            line = _checked(text, number, endpoint, judge)
            model = model or line["body"]["model"]
            _check_among(line, number, custom_ids, model)
        except _BadLine as bad:
            errors.append(bad.error)
            continue
        tokens += input_tokens(endpoint, line["body"])
    if not lines:
        errors.append(batch_error("empty_file", "The input file is empty."))
    return Checked(tuple(errors[:MOST_ERRORS]), lines, model, tokens)


def _check_among(line: dict[str, Any], number: int, custom_ids: set[str], model: str) -> None:
    custom_id, asked = line["custom_id"], line["body"]["model"]
    if custom_id in custom_ids:
        message = f"The custom_id for this request ({custom_id}) is a duplicate of another request."
        raise _BadLine(batch_error("duplicate_custom_id", message, "custom_id", number))
    custom_ids.add(custom_id)
    if asked != model:
        message = f"The model {asked} of this request is not that of the others, {model}."
        raise _BadLine(batch_error("model_mismatch", message, "body.model", number))


def _checked(text: bytes, number: int, endpoint: str, judge: Judge) -> dict[str, Any]:
    """The line as an object. Raises _BadLine."""
    try:
        line = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        message = "This line is not parseable as valid JSON."
        raise _BadLine(batch_error("invalid_json_line", message, None, number)) from error
    if not isinstance(line, dict):
        raise _BadLine(batch_error("invalid_json_line", "This line is not a JSON object.", None, number))
    for name in _PARTS:
        if name not in line:
            message = f"Missing required parameter: '{name}'."
            raise _BadLine(batch_error("missing_required_parameter", message, name, number))
    strange = sorted(set(line) - set(_PARTS))
    if strange:
        raise _BadLine(batch_error("unknown_parameter", f"Unknown parameter: '{strange[0]}'.", strange[0], number))
    _check_parts(line, number, endpoint)
    refused = judge.problem(endpoint, line["body"])
    if refused is not None:
        param = f"body.{refused.param}" if refused.param else "body"
        raise _BadLine(batch_error(refused.code or "invalid_request", refused.message, param, number))
    return line


def _check_parts(line: dict[str, Any], number: int, endpoint: str) -> None:
    if not isinstance(line["custom_id"], str) or not line["custom_id"]:
        raise _BadLine(batch_error("invalid_type", "custom_id must be a text.", "custom_id", number))
    if line["method"] != "POST":
        message = f"Method {line['method']!r}, expected 'POST'."
        raise _BadLine(batch_error("invalid_method", message, "method", number))
    if line["url"] != endpoint:
        message = f"The URL provided for this request ({line['url']}) does not match the batch endpoint, {endpoint}."
        raise _BadLine(batch_error("url_mismatch", message, "url", number))
    if not isinstance(line["body"], dict):
        raise _BadLine(batch_error("invalid_type", "body must be an object.", "body", number))
