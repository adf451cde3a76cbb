"""OpenAI's own schemas, where their folder is at hand: what a request must be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema_rs

if TYPE_CHECKING:
    from pathlib import Path

RESPONSES, CHAT = "/v1/responses", "/v1/chat/completions"
ENDPOINTS = (RESPONSES, CHAT)
_REQUESTS = {RESPONSES: "CreateResponse", CHAT: "CreateChatCompletionRequest"}
_LONGEST = 300


class OpenAISchemas:
    """Checks against the schemas of a folder: ``<name>.schema.json`` and ``openai-batch-subset.json``."""

    def __init__(self, folder: Path | None) -> None:
        self._bodies: dict[str, jsonschema_rs.Draft202012Validator] = {}
        self._api: dict[str, Any] | None = None
        if folder is not None:
            for endpoint, name in _REQUESTS.items():
                schema = json.loads((folder / f"{name}.schema.json").read_text(encoding="utf-8"))
                self._bodies[endpoint] = validator_of(schema)
            self._api = json.loads((folder / "openai-batch-subset.json").read_text(encoding="utf-8"))["components"]

    def body_problem(self, endpoint: str, body: object) -> str | None:
        """Where a request's body breaks its schema; None where it holds, or where no schemas are at hand."""
        return _first(self._bodies[endpoint], body) if endpoint in self._bodies else None

    def object_problem(self, name: str, value: object) -> str | None:
        """Where an object of the files and batches endpoints breaks its schema; None likewise."""
        if self._api is None:
            return None
        schema = {"$ref": f"#/components/schemas/{name}", "components": self._api}
        return _first(jsonschema_rs.Draft202012Validator(schema), value)


def validator_of(schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """A validator of one of OpenAI's schemas, without the keyword of an older draft that some of them carry."""
    return jsonschema_rs.Draft202012Validator(_without(schema, "$recursiveAnchor"))


def _without(value: Any, key: str) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {name: _without(part, key) for name, part in value.items() if name != key}
    return [_without(part, key) for part in value] if isinstance(value, list) else value


def _first(validator: jsonschema_rs.Draft202012Validator, value: object) -> str | None:
    for error in validator.iter_errors(value):
        where = "/".join(map(str, error.instance_path)) or "the whole"
        return f"{where}: {error.message[:_LONGEST]}"
    return None
