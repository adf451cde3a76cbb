"""What the body of a request asks for, in either shape, and whether it may be asked."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from imputer.standin.openai_schemas import RESPONSES
from imputer.standin.openai_strict import strict_problem

if TYPE_CHECKING:
    from imputer.standin.openai_schemas import OpenAISchemas

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_REASONS = re.compile(r"(ft:)?(gpt-[56]|o\d)")
_CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is answered with HTTP 4xx: OpenAI's error object."""

    message: str
    param: str | None = None
    code: str | None = None
    status: int = 400
    kind: str = "invalid_request_error"

    @property
    def body(self) -> dict[str, Any]:
        """``{"error": …}`` as it is sent."""
        return {"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}}


class Refused(Exception):
    """Raised where a request is not taken: carries what is answered."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def answer_format(endpoint: str, body: dict[str, Any]) -> dict[str, Any] | None:
    """``{name, strict, schema}`` of a body that asks for JSON of a schema; None where it asks for text."""
    if endpoint == RESPONSES:
        asked = _inside(_inside(body, "text"), "format")
        return asked if asked.get("type") == "json_schema" else None
    asked = _inside(body, "response_format")
    return _inside(asked, "json_schema") if asked.get("type") == "json_schema" else None


def _inside(value: dict[str, Any], name: str) -> dict[str, Any]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def most_tokens(endpoint: str, body: dict[str, Any]) -> int | None:
    """The output tokens that a body allows; None without a limit."""
    names = ("max_output_tokens",) if endpoint == RESPONSES else ("max_completion_tokens", "max_tokens")
    return next((int(body[name]) for name in names if isinstance(body.get(name), int)), None)


def input_tokens(endpoint: str, body: dict[str, Any]) -> int:
    """Tokens of a request, at four characters each: messages or input, instructions, and the answer's schema."""
    asked = [body.get("instructions"), body.get("input" if endpoint == RESPONSES else "messages")]
    texts = [part for part in asked if part is not None] + [answer_format(endpoint, body) or ""]
    return tokens_of("".join(text if isinstance(text, str) else json.dumps(text, ensure_ascii=False) for text in texts))


def tokens_of(text: str) -> int:
    """Tokens of a text, at four characters each; at least 1."""
    return max(1, -(-len(text) // _CHARACTERS_PER_TOKEN))


class Judge:
    """Says whether a body may be asked; remembers the answer schemas that it has seen."""

    def __init__(self, schemas: OpenAISchemas) -> None:
        self._schemas = schemas
        self._seen: dict[str, str | None] = {}

    def problem(self, endpoint: str, body: dict[str, Any]) -> Refusal | None:
        """Why a body is malformed: a missing part, OpenAI's own schema, the strict subset."""
        for name in ("model", "input" if endpoint == RESPONSES else "messages"):
            if not body.get(name):
                return Refusal(f"Missing required parameter: '{name}'.", name, "missing_required_parameter")
        if not isinstance(body["model"], str):
            return Refusal("Invalid type for 'model': expected a string.", "model", "invalid_type")
        found = self._schemas.body_problem(endpoint, body)
        if found:
            return Refusal(f"Invalid request body: {found}", found.split(":", 1)[0])
        asked = answer_format(endpoint, body)
        return None if asked is None else self._format_problem(endpoint, asked)

    def _format_problem(self, endpoint: str, asked: dict[str, Any]) -> Refusal | None:
        where = "text.format" if endpoint == RESPONSES else "response_format"
        name = asked.get("name")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            return Refusal(f"Invalid '{where}.name': {name!r} does not match {_NAME.pattern}.", f"{where}.name")
        if asked.get("strict") is not True:
            return Refusal(f"'{where}.strict' is not true: the stand-in takes strict schemas only.", f"{where}.strict")
        key = json.dumps(asked.get("schema"))
        if key not in self._seen:
            self._seen[key] = strict_problem(asked.get("schema"))
        found = self._seen[key]
        message = f"Invalid schema for response_format '{name}': {found}"
        return Refusal(message, f"{where}.schema", "invalid_json_schema") if found else None


def model_problem(endpoint: str, body: dict[str, Any]) -> Refusal | None:
    """Why a model refuses a well-formed body: parameters that reasoning models do not take, streaming."""
    if body.get("stream"):
        return Refusal("The stand-in does not stream.", "stream", "unsupported_value")
    if not _REASONS.match(body["model"]):
        return None
    if endpoint != RESPONSES and body.get("max_tokens") is not None:
        message = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens'."
        return Refusal(message, "max_tokens", "unsupported_parameter")
    if body.get("temperature") not in (None, 1):
        message = "Unsupported value: 'temperature' does not support this value with this model. Only 1 is supported."
        return Refusal(message, "temperature", "unsupported_value")
    return None
