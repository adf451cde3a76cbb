from __future__ import annotations

import json
import re
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai_lines import SCHEMA

from imputer.standin.openai_patterns import UnknownPattern, text_for_pattern
from imputer.standin.openai_strict import strict_problem
from imputer.standin.openai_values import Unanswerable, made_up


def holding(**properties: Any) -> dict[str, Any]:
    """An object schema of the strict subset."""
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def deep(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = holding(value={"type": "number"})
    for _ in range(levels - 1):
        schema = holding(inner=schema)
    return schema


NUMBERS = st.builds(
    lambda low, width, kind, step: {
        "type": kind,
        "minimum": low,
        "maximum": low + width,
        **({} if step is None else {"multipleOf": step}),
    },
    st.integers(-50, 50),
    st.integers(1, 100),
    st.sampled_from(["number", "integer"]),
    st.sampled_from([None, 1]),
)
LEAVES = (
    NUMBERS
    | st.builds(lambda tenths: {"type": "number", "exclusiveMinimum": 0, "maximum": tenths / 10}, st.integers(1, 30))
    | st.sampled_from(
        [
            {"type": "string"},
            {"type": ["string", "null"]},
            {"type": "boolean"},
            {"type": "null"},
            {"type": "number"},
            {"type": "number", "minimum": 0, "maximum": 5, "multipleOf": 0.1},
            {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
            {"type": "integer", "minimum": 7},
            {"type": "string", "pattern": r"^[0-9]{5}(\.[0-9]{2})?$"},
            {"type": "string", "format": "date-time"},
            {"type": "string", "enum": ["a", "b"]},
            {"const": 3},
        ]
    )
)
NAMES = st.sampled_from(["value", "confidence", "rationale", "text_fr", "x"])
SCHEMAS = st.dictionaries(
    NAMES,
    st.recursive(
        LEAVES,
        lambda inner: (
            st.builds(lambda item, least: {"type": "array", "items": item, "minItems": least}, inner, st.integers(0, 3))
            | st.builds(lambda item: {"anyOf": [item, {"type": "null"}]}, inner)
            | st.dictionaries(NAMES, inner, max_size=3).map(lambda properties: holding(**properties))
        ),
        max_leaves=6,
    ),
    min_size=1,
).map(lambda properties: holding(**properties))


@given(SCHEMAS, st.text(max_size=8))
def test_made_up_values_are_valid_and_lasting(schema: dict[str, Any], seed: str) -> None:
    assert strict_problem(schema) is None
    value = made_up(schema, seed)
    assert jsonschema_rs.Draft202012Validator(schema, validate_formats=True).is_valid(value), value
    assert json.dumps(value) == json.dumps(made_up(schema, seed))


def test_values_say_that_they_are_made_up() -> None:
    value = made_up(holding(rationale={"type": "string"}, text_en={"type": "string"}, text_fr={"type": "string"}), "s")
    assert all("made up by the stand-in" in value[name].lower() for name in ("rationale", "text_en"))
    assert "inventé" in value["text_fr"]


def test_values_use_the_whole_range() -> None:
    schema = holding(value={"type": "number", "minimum": 1, "maximum": 5, "multipleOf": 0.5})
    found = {made_up(schema, str(seed))["value"] for seed in range(300)}
    assert found == {1 + half / 2 for half in range(9)}


def test_recursion_ends() -> None:
    schema = holding(tree={"$ref": "#/$defs/tree"})
    schema["$defs"] = {
        "tree": holding(leaf={"type": "string"}, next={"anyOf": [{"$ref": "#/$defs/tree"}, {"type": "null"}]})
    }
    assert strict_problem(schema) is None
    assert jsonschema_rs.is_valid(schema, made_up(schema, "s"))
    endless = holding(self={"$ref": "#"})
    with pytest.raises(Unanswerable, match="recurses"):
        made_up(endless, "s")


@pytest.mark.parametrize(
    "pattern", [r"^\d{2}-\d{4}\.00$", r"[A-C]+x?", r"^(cat|dog)s*$", r"^[^a-y]$", r".\w\s", r"^a{2,4}?$", "[^z]b"]
)
def test_patterns_are_followed(pattern: str) -> None:
    found = {text_for_pattern(pattern, seed) for seed in range(20)}
    assert all(re.search(pattern, text) for text in found)


@pytest.mark.parametrize("pattern", ["(", r"(?=a)b", r"(a)\1\2"])
def test_strange_patterns_are_refused(pattern: str) -> None:
    with pytest.raises(UnknownPattern, match="pattern"):
        text_for_pattern(pattern, 1)


def test_unfulfillable_numbers_are_refused() -> None:
    with pytest.raises(Unanswerable, match="no number"):
        made_up(holding(value={"type": "integer", "minimum": 1.2, "maximum": 1.8}), "s")


@pytest.mark.parametrize(
    "schema",
    [
        SCHEMA,
        deep(10),
        holding(value={"type": ["number", "null"], "minimum": 1}),
        holding(value={"enum": ["a", 1, None]}),
        holding(value={"anyOf": [{"type": "string"}, {"type": "null"}], "description": "What it is."}),
        holding(value={"type": "string", "enum": [f"{number:060}" for number in range(250)]}),
        holding(**{f"p{number}": {"type": "null"} for number in range(4999)}, last={"type": "null"}),
    ],
    ids=["usual", "deep", "null", "enum", "anyOf", "long enum", "many"],
)
def test_the_subset_is_taken(schema: dict[str, Any]) -> None:
    assert strict_problem(schema) is None


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (None, "got none"),
        ({"type": "array", "items": {"type": "string"}}, 'got \'type: "array"'),
        ({**SCHEMA, "anyOf": [SCHEMA]}, "must be a JSON Schema"),
        ({**SCHEMA, "additionalProperties": True}, "additionalProperties"),
        ({key: part for key, part in SCHEMA.items() if key != "additionalProperties"}, "additionalProperties"),
        ({**SCHEMA, "required": ["value"]}, "required"),
        ({**SCHEMA, "allOf": [{}]}, "'allOf' is not permitted"),
        (holding(value={"not": {}}), "'not' is not permitted"),
        (holding(value={"type": "string", "default": "x"}), "'default' is not permitted"),
        (holding(value={"type": "string", "minLength": 1}), "'minLength' is not permitted"),
        (holding(value={"type": "string", "minimum": 1}), "'minimum' is not permitted for type"),
        (holding(value={"type": "string", "format": "colour"}), "format"),
        (holding(value={"type": "text"}), "not a JSON Schema"),
        (holding(value={"type": "string", "enum": 3}), "not a JSON Schema"),
        ({"type": "object", "properties": []}, "not a JSON Schema"),
        (holding(value={}), "'type' key"),
        (holding(value=True), "expected a schema"),
        (holding(value={"type": "array"}), "missing items"),
        (holding(value={"type": "array", "items": {"type": "object"}}), "additionalProperties"),
        (holding(value={"$ref": "#/$defs/none"}), "leads nowhere"),
        (holding(value={"anyOf": [{"type": "string", "oneOf": [{}]}]}), "'oneOf' is not permitted"),
        ({**SCHEMA, "$defs": {"x": {"type": "string", "if": {}}}}, "'if' is not permitted"),
        (holding(value={"type": "string", "enum": []}), "must have values"),
        (deep(11), "10 levels"),
        (holding(**{f"p{number}": {"type": "null"} for number in range(5001)}), "5001 properties"),
        (holding(**{f"{number:0200}": {"type": "null"} for number in range(601)}), "characters"),
        (holding(value={"type": "integer", "enum": list(range(1001))}), "1001 enum values"),
        (holding(value={"type": "string", "enum": [f"{number:060}" for number in range(251)]}), "15060 characters"),
    ],
)
def test_what_is_outside_the_subset_is_refused(schema: Any, message: str) -> None:
    assert message in str(strict_problem(schema))
