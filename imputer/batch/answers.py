"""One line of an answer file: what it says, whatever its shape.

A line may hold an answer, a refusal, an answer cut short, an error of the request in one of four shapes (no response;
an HTTP status with the reason in its body; status 0 with nothing), or be no JSON at all. The counts that a provider
states are not read anywhere.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import orjson

from imputer.batch.lines import KEY_PREFIX

#: The reason of a line with nothing on it, which is nobody's and no fault.
BLANK = "blank_line"
_OK = 200
_KEY = re.compile(rb'"custom_id"\s*:\s*"(' + KEY_PREFIX.encode() + rb'[0-9a-f]{40})"')

#: Reasons for which sending a request again is of no use: it would be paid twice for the same.
FINAL = frozenset({"refusal", "content_filter", "http_400", "http_404", "http_413", "http_422"})


class Answer(NamedTuple):
    """``content`` is the text that must be the JSON asked for; without one, ``reason`` says why.

    ``key`` is None where a line does not even tell that. ``detail`` is the provider's word, if any. Tokens are 0 where
    the line does not state them.
    """

    key: str | None
    content: str | None = None
    reason: str | None = None
    detail: str = ""
    request_id: str = ""
    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0


_quickly = tuple.__new__  # an Answer of all its fields, for what is made a million times


def read_line(line: bytes) -> Answer:
    """Read a line of an output file or an error file."""
    try:
        record = orjson.loads(line)
        try:
            # The common case, with as few looks as it can be told by: a whole answer of Chat Completions.
            response = record["response"]
            body = response["body"]
            choice, usage = body["choices"][0], body["usage"]
            message = choice["message"]
            key, content = record["custom_id"], message["content"]
            request_id, model = response["request_id"], body["model"]
            taken, given = usage["prompt_tokens"], usage["completion_tokens"]
            whole = choice["finish_reason"] == "stop" and response["status_code"] == _OK and not message.get("refusal")
            texts = type(key) is type(content) is type(request_id) is type(model) is str
            if whole and texts and type(taken) is type(given) is int:
                return _quickly(Answer, (key, content, None, "", request_id, model, taken, given))
        except (KeyError, TypeError, IndexError):
            pass
        key = record["custom_id"]
        return _any(key, record) if isinstance(key, str) else Answer(None, reason="malformed_line")
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        # Cut short or not JSON: its key may still be there, so that the reason is known.
        if not line.strip():
            return Answer(None, reason=BLANK)
        found = _KEY.search(line)
        return Answer(found[1].decode() if found else None, reason="malformed_line")


def _any(key: str, record: dict[str, Any]) -> Answer:
    response, error = record.get("response"), record.get("error")
    if response is None:
        return Answer(key, reason=_text(error, "code") or "no_response", detail=_text(error, "message"))
    request_id = str(response.get("request_id") or record.get("id") or "")
    status, body = response.get("status_code"), response.get("body") or {}
    if status != _OK:
        told = body.get("error") if isinstance(body, dict) else None
        reason = f"http_{status}" if status else "status_0"
        return Answer(key, reason=reason, detail=_text(told, "message"), request_id=request_id)
    return (_chat if "choices" in body else _response_answer)(key, request_id, body)


def _chat(key: str, request_id: str, body: dict[str, Any]) -> Answer:
    usage = body.get("usage") or {}
    model = str(body.get("model") or "")
    tokens = (_count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens")))
    choice = body["choices"][0]
    message, finish = choice["message"], choice.get("finish_reason")
    if message.get("refusal"):
        return Answer(key, None, "refusal", str(message["refusal"]), request_id, model, *tokens)
    if finish == "length" or finish == "content_filter":  # noqa: PLR1714 (twice as fast)
        return Answer(key, None, finish, "", request_id, model, *tokens)
    content = message.get("content")
    reason = None if isinstance(content, str) else "no_content"
    return Answer(key, content if reason is None else None, reason, "", request_id, model, *tokens)


def _response_answer(key: str, request_id: str, body: dict[str, Any]) -> Answer:
    usage = body.get("usage") or {}
    tokens = (_count(usage.get("input_tokens")), _count(usage.get("output_tokens")))
    content, reason, detail = _response(body)
    return Answer(key, content, reason, detail, request_id, str(body.get("model") or ""), *tokens)


def _response(body: dict[str, Any]) -> tuple[str | None, str | None, str]:
    status = body.get("status")
    if status == "incomplete":
        why = _text(body.get("incomplete_details"), "reason")
        return None, "length" if why == "max_output_tokens" else why or "incomplete", ""
    if status not in ("completed", None):
        return None, _text(body.get("error"), "code") or f"response_{status}", _text(body.get("error"), "message")
    parts = [part for item in body["output"] if item.get("type") == "message" for part in item["content"]]
    for part in parts:
        if part["type"] == "refusal":
            return None, "refusal", str(part["refusal"])
    texts = [part["text"] for part in parts if part["type"] == "output_text"]
    return ("".join(texts), None, "") if texts else (None, "no_content", "")


def _count(stated: object) -> int:
    return stated if isinstance(stated, int) and stated > 0 else 0


def _text(record: object, name: str) -> str:
    return str(record.get(name) or "") if isinstance(record, dict) else ""
