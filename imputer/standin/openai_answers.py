"""Answers in the shapes of Responses and Chat Completions: made up, and wrong in the ways ordered."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from imputer.standin.openai_questions import answer_format, input_tokens, most_tokens, tokens_of
from imputer.standin.openai_schemas import RESPONSES
from imputer.standin.openai_values import made_up

_REASONING_TOKENS = 64
_REFUSAL = "The stand-in was told to refuse this request."


@dataclass(frozen=True, slots=True)
class Answer:
    """The body of an answer, and the tokens that it cost."""

    body: dict[str, Any]
    input_tokens: int
    output_tokens: int
    reasoning_tokens: int


@dataclass(frozen=True, slots=True)
class _Text:
    """What the answer says. ``cut``: max_output_tokens or content_filter."""

    text: str
    refusal: bool = False
    cut: str | None = None


def answer_to(
    endpoint: str, body: dict[str, Any], model: str, *, at: int, fault: str | None = None, again: int = 0
) -> Answer:
    """The answer to a request: the same for the same request, except ``at`` (unix seconds).

    ``again`` makes another answer to the same request. Raises Unanswerable for a schema that the stand-in cannot fill.
    """
    seed = hashlib.sha256(json.dumps([endpoint, body, again], sort_keys=True).encode()).hexdigest()
    said = _said(endpoint, body, seed, fault)
    reasoning = _REASONING_TOKENS if int(seed[:2], 16) % 2 else 0
    limit = most_tokens(endpoint, body)
    if said.cut is None and not said.refusal and limit is not None and tokens_of(said.text) + reasoning > limit:
        said = _Text(said.text[: 4 * max(0, limit - reasoning)], cut="max_output_tokens")
        reasoning = min(reasoning, limit)
    read, written = input_tokens(endpoint, body), tokens_of(said.text) + reasoning
    shape = _response if endpoint == RESPONSES else _completion
    return Answer(shape(body, said, model, seed, at, (read, written, reasoning)), read, written, reasoning)


def _said(endpoint: str, body: dict[str, Any], seed: str, fault: str | None) -> _Text:
    if fault == "refusals":
        return _Text(_REFUSAL, refusal=True)
    asked = answer_format(endpoint, body)
    if asked is None or fault == "not_json":
        return _Text(f"Made up by the stand-in ({seed[:4]}): no model was asked.")
    value = made_up(asked["schema"], seed)
    if fault in ("out_of_range", "wrong_type"):
        value = _spoilt(value, fault)
    if fault == "lost_field":
        value = dict(list(value.items())[:-1])
    text = json.dumps(value, ensure_ascii=False)
    if fault == "length_cuts":
        return _Text(text[: len(text) // 2], cut="max_output_tokens")
    if fault == "content_filtered":
        return _Text(text[: len(text) // 3], cut="content_filter")
    return _Text(text)


def _spoilt(value: Any, fault: str) -> Any:  # noqa: ANN401
    """The value with every number beyond 1,000,000 or as a word."""
    if isinstance(value, dict):
        return {key: _spoilt(part, fault) for key, part in value.items()}
    if isinstance(value, list):
        return [_spoilt(part, fault) for part in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return "high" if fault == "wrong_type" else 1_000_000 + value


def _response(
    body: dict[str, Any], said: _Text, model: str, seed: str, at: int, tokens: tuple[int, int, int]
) -> dict[str, Any]:
    status = "incomplete" if said.cut else "completed"
    content: dict[str, Any] = (
        {"type": "refusal", "refusal": said.text}
        if said.refusal
        else {"type": "output_text", "text": said.text, "annotations": [], "logprobs": []}
    )
    message: dict[str, Any] = {
        "id": f"msg_{seed[:32]}",
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": [content],
    }
    read, written, reasoning = tokens
    thought = [{"id": f"rs_{seed[:32]}", "type": "reasoning", "summary": []}] if reasoning else []
    return {
        "id": f"resp_{seed[:32]}",
        "object": "response",
        "created_at": at,
        "status": status,
        "background": False,
        "completed_at": None if said.cut else at,
        "error": None,
        "incomplete_details": {"reason": said.cut} if said.cut else None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "model": model,
        "output": [*thought, message],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": body.get("reasoning") or {"effort": None, "summary": None},
        "service_tier": "default",
        "store": body.get("store", True),
        "temperature": body.get("temperature", 1.0),
        "text": body.get("text") or {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": body.get("top_p", 1.0),
        "truncation": "disabled",
        "usage": {
            "input_tokens": read,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": written,
            "output_tokens_details": {"reasoning_tokens": reasoning},
            "total_tokens": read + written,
        },
        "metadata": body.get("metadata") or {},
    }


def _completion(
    _body: dict[str, Any], said: _Text, model: str, seed: str, at: int, tokens: tuple[int, int, int]
) -> dict[str, Any]:
    finish = {"max_output_tokens": "length", "content_filter": "content_filter"}.get(said.cut or "", "stop")
    read, written, reasoning = tokens
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None if said.refusal else said.text,
        "refusal": said.text if said.refusal else None,
        "annotations": [],
    }
    return {
        "id": f"chatcmpl-{seed[:29]}",
        "object": "chat.completion",
        "created": at,
        "model": model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}],
        "usage": {
            "prompt_tokens": read,
            "completion_tokens": written,
            "total_tokens": read + written,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": reasoning,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        },
        "service_tier": "default",
        "system_fingerprint": "fp_stand_in",
    }
