"""The subset of JSON Schema that strict Structured Outputs takes, and its limits (OpenAI's guide, February 2026)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jsonschema_rs

DEEPEST, MOST_PROPERTIES, MOST_CHARACTERS = 10, 5_000, 120_000
MOST_ENUM_VALUES, LONG_ENUM, LONG_ENUM_CHARACTERS = 1_000, 250, 15_000
_EVERYWHERE = {
    *("$schema", "$id", "$ref", "$defs", "definitions", "title", "description", "type", "enum", "const", "anyOf")
}
_BY_TYPE = {
    "object": {"properties", "required", "additionalProperties"},
    "array": {"items", "minItems", "maxItems"},
    "string": {"pattern", "format"},
    "number": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
    "boolean": set(),
    "null": set(),
}
_BY_TYPE["integer"] = _BY_TYPE["number"]
_KEYWORDS = _EVERYWHERE.union(*_BY_TYPE.values())
_FORMATS = {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}
_META = jsonschema_rs.Draft202012Validator({"$ref": "https://json-schema.org/draft/2020-12/schema"})
_DEFINITIONS = ("$defs", "definitions")

_Path = tuple[str, ...]


class _OutsideSubset(Exception):
    """Raised at the first rule that a schema breaks."""


@dataclass(slots=True)
class _Count:
    root: dict[str, Any]
    properties: int = 0
    characters: int = 0
    enum_values: int = 0


def strict_problem(schema: object) -> str | None:
    """Why strict Structured Outputs refuses a schema; None where it takes it. Words as in OpenAI's own answers."""
    if not isinstance(schema, dict):
        return "schema must be a JSON Schema of 'type: \"object\"', got none."
    if schema.get("type") != "object" or "anyOf" in schema:
        return f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{schema.get('type')}\"'."
    malformed = next(iter(_META.iter_errors(schema)), None)
    if malformed is not None:
        return f"schema is not a JSON Schema: {malformed.message[:200]} in {list(malformed.instance_path)}."
    count = _Count(schema)
    try:
        _walk(schema, (), 1, count)
        for key in _DEFINITIONS:
            for name, part in schema.get(key, {}).items():
                count.characters += len(name)
                _walk(part, (key, name), 1, count)
    except _OutsideSubset as outside:
        return str(outside)
    totals = {
        "properties": (count.properties, MOST_PROPERTIES),
        "characters in names and values": (count.characters, MOST_CHARACTERS),
        "enum values": (count.enum_values, MOST_ENUM_VALUES),
    }
    return next((f"schema has {n} {what}, at most {most}." for what, (n, most) in totals.items() if n > most), None)


def _walk(schema: Any, path: _Path, depth: int, count: _Count) -> None:  # noqa: ANN401
    if not isinstance(schema, dict):
        raise _OutsideSubset(f"In context={path}, expected a schema, found {schema!r}.")
    strange = sorted(set(schema) - _KEYWORDS)
    if strange:
        raise _OutsideSubset(f"In context={path}, '{strange[0]}' is not permitted.")
    if "$ref" in schema:
        if not _leads_somewhere(schema["$ref"], count.root):
            raise _OutsideSubset(f"In context={path}, reference '{schema['$ref']}' leads nowhere.")
    elif "anyOf" in schema:
        for place, part in enumerate(schema["anyOf"]):
            _walk(part, (*path, "anyOf", str(place)), depth, count)
    else:
        _values(schema, path, count)
        _types(schema, path, depth, count)


def _types(schema: dict[str, Any], path: _Path, depth: int, count: _Count) -> None:
    kinds = schema.get("type", [])
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if not kinds and not {"enum", "const"} & set(schema):
        raise _OutsideSubset(f"In context={path}, schema must have a 'type' key.")
    strange = sorted(set(schema) - _EVERYWHERE.union(*(_BY_TYPE[kind] for kind in kinds)))
    if strange:
        raise _OutsideSubset(f"In context={path}, '{strange[0]}' is not permitted for type {kinds}.")
    if schema.get("format", "date") not in _FORMATS:
        raise _OutsideSubset(f"In context={path}, format '{schema['format']}' is not supported.")
    if depth > DEEPEST and {"object", "array"} & set(kinds):
        raise _OutsideSubset(f"In context={path}, the schema is nested more than {DEEPEST} levels deep.")
    if "object" in kinds:
        _object(schema, path, depth, count)
    if "array" in kinds:
        if "items" not in schema:
            raise _OutsideSubset(f"In context={path}, array schema missing items.")
        _walk(schema["items"], (*path, "items"), depth + 1, count)


def _object(schema: dict[str, Any], path: _Path, depth: int, count: _Count) -> None:
    properties = schema.get("properties", {})
    if schema.get("additionalProperties") is not False:
        raise _OutsideSubset(f"In context={path}, 'additionalProperties' is required to be supplied and to be false.")
    missing = sorted(set(properties) ^ set(schema.get("required", [])))
    if missing:
        raise _OutsideSubset(
            f"In context={path}, 'required' is required to be supplied and to be an array including every key in "
            f"properties. Missing or extra: {missing}."
        )
    count.properties += len(properties)
    count.characters += sum(map(len, properties))
    for name, part in properties.items():
        _walk(part, (*path, "properties", name), depth + 1, count)


def _values(schema: dict[str, Any], path: _Path, count: _Count) -> None:
    values = schema.get("enum", [])
    characters = sum(len(value) for value in values if isinstance(value, str))
    count.enum_values += len(values)
    count.characters += characters + (len(schema["const"]) if isinstance(schema.get("const"), str) else 0)
    if "enum" in schema and not values:
        raise _OutsideSubset(f"In context={path}, enum must have values.")
    if len(values) > LONG_ENUM and characters > LONG_ENUM_CHARACTERS:
        raise _OutsideSubset(f"In context={path}, enum has {characters} characters, at most {LONG_ENUM_CHARACTERS}.")


def _leads_somewhere(reference: str, root: dict[str, Any]) -> bool:
    found: Any = root
    for step in reference.removeprefix("#").strip("/").split("/"):
        if step and not (isinstance(found, dict) and step in found):
            return False
        found = found[step] if step else found
    return reference.startswith("#")
