"""A contract: what a model is told about some attributes, and the only answers that are taken.

The schema keeps to the strict subset of Structured Outputs: every property required, nothing additional, bounds per
attribute. Keys are answered in the schema's order: rationale, then value, then confidence.
"""

from __future__ import annotations

import hashlib
import math
import re
import tomllib
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import orjson

from imputer.wording import word

if TYPE_CHECKING:
    from collections.abc import Callable

#: Most phrases of a list.
LONGEST_LIST = 20
_PROMPTS = Path(__file__).with_name("prompts.toml")
_NUMBERS = (int, float)
_KEYS = 3  # rationale, value, confidence
_DIGITS = 32  # of a contract's key

ValueType = Literal["number", "text", "list"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One attribute of a contract: ``name`` in the schema, what it means, and the bounds of its value.

    ``language`` is that of the statement: en, fr, or zxx where the value is no text. ``choices`` is the closed list of
    a text, empty where it has none.
    """

    name: str
    attribute_id: str
    language: str
    label: str
    value_type: ValueType
    scale: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    tolerance: float | None = None
    zero_meaning: str | None = None
    choices: tuple[str, ...] = ()

    def value_schema(self) -> dict[str, Any]:
        """The JSON Schema of a value."""
        if self.value_type == "number":
            bounds = {"minimum": self.lowest, "maximum": self.maximum}
            return {"type": "number"} | {key: bound for key, bound in bounds.items() if bound is not None}
        if self.value_type == "list":
            return {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": LONGEST_LIST}
        return {"type": "string", "enum": list(self.choices)} if self.choices else {"type": "string"}

    @property
    def lowest(self) -> float | None:
        """The least value: 0 where it stands below the scale with a meaning of its own."""
        return 0.0 if self.zero_meaning and self.minimum is not None else self.minimum


@dataclass(frozen=True)
class Contract:
    """Instructions and cells that many questions share; ``topic`` is system and domain, such as ``OaSIS/skills``."""

    topic: str
    instructions: str
    cells: tuple[Cell, ...]

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The strict JSON Schema of an answer: one property per cell, equal bounds defined once."""
        definitions: dict[str, dict[str, Any]] = {}
        named: dict[bytes, str] = {}
        properties = {}
        for cell in self.cells:
            value = cell.value_schema()
            key = orjson.dumps(value)
            if key not in named:
                named[key] = f"answer_{len(named) + 1}"
                definitions[named[key]] = _closed(
                    {
                        "rationale": {"type": "string"},
                        "value": value,
                        "confidence": {"type": "number", "minimum": 0.0, "maximum": 1.0},
                    }
                )
            properties[cell.name] = {"$ref": f"#/$defs/{named[key]}"}
        return _closed(properties) | {"$defs": definitions}

    @cached_property
    def prompt_sha256(self) -> str:
        """Digest of what the model is told and may answer."""
        return hashlib.sha256(self.instructions.encode() + b"\x1f" + orjson.dumps(self.schema)).hexdigest()

    @cached_property
    def key(self) -> str:
        """Digest of the whole contract."""
        return hashlib.sha256(self.as_json()).hexdigest()[:_DIGITS]

    def as_json(self) -> bytes:
        """For the ledger."""
        record = {"topic": self.topic, "instructions": self.instructions, "cells": [asdict(c) for c in self.cells]}
        return orjson.dumps(record, option=orjson.OPT_SORT_KEYS)

    @classmethod
    def from_json(cls, text: bytes | str) -> Contract:
        """From the ledger."""
        record = orjson.loads(text)
        cells = tuple(Cell(**(cell | {"choices": tuple(cell["choices"])})) for cell in record["cells"])
        return cls(record["topic"], record["instructions"], cells)


def attribute_contract(attributes: list[dict[str, Any]], purpose: str = "impute") -> Contract:
    """The contract for some rows of ``dim_attribute`` of one domain, in the order of their keys.

    ``purpose`` is the section of prompts.toml that holds the instructions.
    """
    cells = tuple(_cell(row) for row in sorted(attributes, key=lambda row: str(row["attribute_id"])))
    names = [cell.name for cell in cells]
    assert len(set(names)) == len(names), names
    told = "\n".join(describe(cell) for cell in cells)
    instructions = prompts()[purpose]["instructions"].strip().format(attributes=told)
    return Contract(f"{attributes[0]['system']}/{attributes[0]['domain']}", instructions, cells)


def judge_of(cell: Cell) -> Callable[[Any], bool]:
    """What says whether an answer for a cell obeys its schema: the same verdict in a tenth of a validator's time."""
    value_holds = _judge_of_value(cell)

    def holds(answer: Any) -> bool:  # noqa: ANN401 (whatever a model answered)
        if type(answer) is not dict or len(answer) != _KEYS or type(answer.get("rationale")) is not str:
            return False
        sure: Any = answer.get("confidence")
        return type(sure) in _NUMBERS and 0 <= sure <= 1 and "value" in answer and value_holds(answer["value"])

    return holds


def _judge_of_value(cell: Cell) -> Callable[[Any], bool]:
    if cell.value_type == "number":
        lowest = -math.inf if cell.lowest is None else cell.lowest
        highest = math.inf if cell.maximum is None else cell.maximum
        return lambda value: type(value) in _NUMBERS and lowest <= value <= highest
    if cell.value_type == "list":
        return lambda value: (
            type(value) is list and 1 <= len(value) <= LONGEST_LIST and all(type(one) is str for one in value)
        )
    choices = frozenset(cell.choices)
    return lambda value: type(value) is str and (not choices or value in choices)


def describe(cell: Cell) -> str:
    """The line that tells a model what a cell means and when its value is right."""
    words = prompts()["cell"]
    language = prompts()["language"].get(cell.language, "English")
    common = {"name": cell.name, "label": cell.label, "language": language}
    if own := words.get(cell.attribute_id):
        return str(own.format(**common))
    if cell.value_type == "number":
        zero = words["zero"].format(meaning=cell.zero_meaning) if cell.zero_meaning else ""
        bounds = {"minimum": _shown(cell.minimum), "maximum": _shown(cell.maximum), "tolerance": _shown(cell.tolerance)}
        told: str = words["number"].format(scale=word("scale", cell.scale, "en"), zero=zero, **bounds, **common)
        return told
    if cell.choices:
        return str(words["choice"].format(choices=", ".join(cell.choices), **common))
    return str(words[cell.value_type].format(longest=LONGEST_LIST, **common))


@cache
def prompts() -> dict[str, dict[str, Any]]:
    """What models are told (prompts.toml)."""
    return tomllib.loads(_PROMPTS.read_text(encoding="utf-8"))


def _cell(row: dict[str, Any]) -> Cell:
    tail = re.sub(r"^(oasis|onet|wiq)\.", "", row["attribute_id"]).removeprefix(f"{row['domain']}.")
    if len(row.get("languages") or ()) > 1:
        tail += f"_{row['language']}"
    return Cell(
        name=re.sub(r"[^A-Za-z0-9_]", "_", tail),
        attribute_id=row["attribute_id"],
        language=row.get("language") or ("zxx" if row["value_type"] == "number" else "en"),
        label=row["name_en"],
        value_type=row["value_type"],
        scale=row["scale_id"],
        minimum=row["minimum"],
        maximum=row["maximum"],
        tolerance=row["tolerance"],
        zero_meaning=row["zero_meaning_en"],
        choices=tuple(prompts()["choices"].get(row["scale_id"], ())),
    )


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _shown(value: float | None) -> str:
    return "any number" if value is None else f"{value:g}"
