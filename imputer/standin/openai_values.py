"""Values made up for a JSON schema: the same question always gets the same answer, within every bound."""

from __future__ import annotations

import hashlib
import math
from fractions import Fraction
from typing import Any

from imputer.standin.openai_patterns import UnknownPattern, text_for_pattern

_DEEP = 8
_FORMATS = {
    "date": "2000-01-01",
    "date-time": "2000-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "duration": "P1D",
    "email": "stand-in@example.org",
    "hostname": "example.org",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


class Unanswerable(ValueError):
    """Raised for a schema that the stand-in cannot answer: says where and why."""


def made_up(schema: dict[str, Any], seed: str) -> Any:  # noqa: ANN401
    """A value that is valid against a schema of the strict subset; confidence is spread over its range.

    Raises Unanswerable for a pattern or a recursion that the stand-in cannot fulfil.
    """
    return _Maker(schema, seed).value(schema, "", 0)


class _Maker:
    def __init__(self, root: dict[str, Any], seed: str) -> None:
        self._root = root
        self._seed = seed

    def value(self, schema: dict[str, Any], path: str, depth: int) -> Any:  # noqa: ANN401, PLR0911
        schema = self._resolved(schema)
        if depth > 4 * _DEEP:
            raise Unanswerable(f"{path}: the schema recurses without end")
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][self._draw(path) % len(schema["enum"])]
        if "anyOf" in schema:
            return self.value(self._branch(schema["anyOf"], path, depth), path, depth + 1)
        kind = _kind(schema, depth)
        if kind == "object":
            return {
                name: self.value(part, f"{path}/{name}", depth + 1)
                for name, part in schema.get("properties", {}).items()
            }
        if kind == "array":
            return self._array(schema, path, depth)
        if kind in ("number", "integer"):
            return self._number(schema, path, whole=kind == "integer")
        if kind == "boolean":
            return self._draw(path) % 2 == 0
        return None if kind == "null" else self._text(schema, path)

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in schema:
            found: Any = self._root
            for step in schema["$ref"].removeprefix("#").strip("/").split("/"):
                found = found[step.replace("~1", "/").replace("~0", "~")] if step else found
            schema = found
        return schema

    def _branch(self, branches: list[dict[str, Any]], path: str, depth: int) -> dict[str, Any]:
        """A branch with a value, or the null one where recursion must end."""
        resolved = [self._resolved(branch) for branch in branches]
        nulls = [branch for branch in resolved if branch.get("type") == "null"]
        others = [branch for branch in resolved if branch.get("type") != "null"]
        if nulls and (depth > _DEEP or not others):
            return nulls[0]
        return others[self._draw(path) % len(others)]

    def _draw(self, path: str) -> int:
        return int.from_bytes(hashlib.sha256(f"{self._seed}{path}".encode()).digest()[:8])

    def _array(self, schema: dict[str, Any], path: str, depth: int) -> list[Any]:
        least = schema.get("minItems", 0)
        most = schema.get("maxItems", max(least, 3))
        wanted = least if depth > _DEEP else max(least, min(most, max(1, least)) + self._draw(path) % 2)
        return [self.value(schema["items"], f"{path}/{place}", depth + 1) for place in range(min(wanted, most))]

    def _number(self, schema: dict[str, Any], path: str, *, whole: bool) -> int | float:
        name = path.rpartition("/")[2]
        low, high = _bounds(schema, 1 if name in ("confidence", "probability") else 100)
        step = Fraction(str(schema.get("multipleOf", 1 if whole else 0)))
        if whole and step:
            step = Fraction(step.numerator)
        share = Fraction(self._draw(path) % 10_001, 10_000)
        step = step or Fraction(1, 100) * _scale(high - low)
        first, last = math.ceil(low / step), math.floor(high / step)
        first += step * first in _excluded(schema)
        last -= step * last in _excluded(schema)
        if first > last:
            raise Unanswerable(f"{path}: no number from {float(low)} to {float(high)} in steps of {float(step)}")
        found = step * (first + round(share * (last - first)))
        return int(found) if whole else float(found)

    def _text(self, schema: dict[str, Any], path: str) -> str:
        if "pattern" in schema:
            try:
                return text_for_pattern(schema["pattern"], self._draw(path))
            except UnknownPattern as error:
                raise Unanswerable(f"{path}: {error}") from error
        if "format" in schema:
            return _FORMATS.get(schema["format"], _FORMATS["date"])
        name = path.rpartition("/")[2]
        mark = f"{self._draw(path) % 0x10000:04x}"
        if name.endswith("_fr"):
            return (
                f"Texte inventé par le serveur d’essai pour «\u00a0{name}\u00a0» ({mark}) : aucun modèle n’a répondu."
            )
        if name in ("rationale", "reasoning", "reason", "explanation"):
            return f"Made up by the stand-in ({mark}): no model was asked, and no source says so."
        return f"Text made up by the stand-in for {name or 'this question'} ({mark}): no model answered."


def _kind(schema: dict[str, Any], depth: int) -> str:
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    others = [kind for kind in kinds if kind != "null"]
    return str(others[0]) if others and (depth <= _DEEP or "null" not in kinds) else "null"


def _bounds(schema: dict[str, Any], width: int) -> tuple[Fraction, Fraction]:
    lows = [Fraction(str(schema[key])) for key in ("minimum", "exclusiveMinimum") if key in schema]
    highs = [Fraction(str(schema[key])) for key in ("maximum", "exclusiveMaximum") if key in schema]
    if lows and not highs:
        return max(lows), max(lows) + width
    high = min(highs) if highs else Fraction(width)
    return (max(lows) if lows else min(Fraction(0), high - width)), high


def _excluded(schema: dict[str, Any]) -> set[Fraction]:
    return {Fraction(str(schema[key])) for key in ("exclusiveMinimum", "exclusiveMaximum") if key in schema}


def _scale(width: Fraction) -> Fraction:
    """1, and smaller powers of ten for ranges narrower than 1: a hundredth of it is the step."""
    scale = Fraction(1)
    while 0 < width < scale:
        scale /= 10
    return scale
