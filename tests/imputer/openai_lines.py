"""Requests that tests send to the OpenAI stand-in: bodies, lines, files."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Literal

import openai

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openai.types import Batch

    from imputer.standin.openai import OpenAIStandIn

RESPONSES: Literal["/v1/responses"] = "/v1/responses"
CHAT: Literal["/v1/chat/completions"] = "/v1/chat/completions"
ENDED = ("completed", "failed", "expired", "cancelled")
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "rationale": {"type": "string"},
        "value": {"type": "number", "minimum": 1, "maximum": 5, "multipleOf": 0.5},
        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
    },
    "required": ["rationale", "value", "confidence"],
    "additionalProperties": False,
}


def body_of(question: str, endpoint: str = RESPONSES, schema: Any = SCHEMA, **changes: Any) -> dict[str, Any]:
    """A body with a strict schema, in the shape of the endpoint."""
    named = {"name": "rating", "strict": True, "schema": schema}
    if endpoint == RESPONSES:
        asked: dict[str, Any] = {
            "input": question,
            "instructions": "Rate.",
            "text": {"format": {"type": "json_schema", **named}},
        }
    else:
        messages = [{"role": "system", "content": "Rate."}, {"role": "user", "content": question}]
        asked = {"messages": messages, "response_format": {"type": "json_schema", "json_schema": named}}
    return {"model": "gpt-6-luna", **asked, **changes}


def line_of(custom_id: str, endpoint: str = RESPONSES, **changes: Any) -> dict[str, Any]:
    """A line of an input file; ``changes`` to its body."""
    body = body_of(f"Question {custom_id}", endpoint, **changes)
    return {"custom_id": custom_id, "method": "POST", "url": endpoint, "body": body}


def lines_of(count: int, endpoint: str = RESPONSES, **changes: Any) -> list[dict[str, Any]]:
    """So many lines, with ids ``c0`` …"""
    return [line_of(f"c{number}", endpoint, **changes) for number in range(count)]


def jsonl(lines: Iterable[Any]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def client(service: OpenAIStandIn, **changes: Any) -> openai.OpenAI:
    """The real client, without retries unless told otherwise."""
    return openai.OpenAI(api_key=service.key, base_url=service.base_url, **{"max_retries": 0, "timeout": 20, **changes})


def submitted(service: OpenAIStandIn, content: bytes, endpoint: Any = RESPONSES, **changes: Any) -> Batch:
    """A batch that was created of a file."""
    with client(service) as asking:
        kept = asking.files.create(file=("shard.jsonl", content), purpose="batch")
        return asking.batches.create(
            input_file_id=kept.id, endpoint=endpoint, completion_window="24h", metadata={"job": "j1"}, **changes
        )


def ended(service: OpenAIStandIn, batch: Batch) -> Batch:
    """The batch when nothing changes any more."""
    with client(service) as asking:
        deadline = time.monotonic() + 30
        while batch.status not in ENDED:
            assert time.monotonic() < deadline, batch.status
            time.sleep(0.01)
            batch = asking.batches.retrieve(batch.id)
        return batch


def run(service: OpenAIStandIn, lines: Iterable[Any], endpoint: str = RESPONSES) -> Batch:
    """A batch of lines, ended."""
    return ended(service, submitted(service, jsonl(lines), endpoint))


def results(service: OpenAIStandIn, file_id: str | None) -> list[dict[str, Any]]:
    """The lines of an output or error file; none without one."""
    return [] if file_id is None else [json.loads(line) for line in service.content(file_id).splitlines()]


def said(line: dict[str, Any]) -> str:
    """The text of an answer, of whatever shape."""
    body = line["response"]["body"]
    if "choices" in body:
        return str(body["choices"][0]["message"]["content"])
    return "".join(part["text"] for item in body["output"] for part in item.get("content", []) if "text" in part)
