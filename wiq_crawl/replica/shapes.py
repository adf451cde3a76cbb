"""The order of paragraphs, lists and sections under each anchor of the definitions page.

A shape is a short text such as ``w p I[p ol*3;1>*6;3=5 p] E[p] + R[ul*1]``: ``w`` is the legal
notice, ``p`` a paragraph, ``ol*3`` a list of three items, ``@5`` the number it starts at, ``;1>*6`` a
nested list of six in its first item, ``;3=5`` a third item numbered 5, a capital with brackets a
section and ``+`` the place of the subgroups.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SHAPES_FILE: Final = Path(__file__).with_name("definition_shapes.json")

_TOKEN = re.compile(r"[IiEeTR]\[[^\]]*\]|[^\s\[\]]+")
_LIST = re.compile(r"(?P<tag>ol|ul)(?:@(?P<start>\d+))?\*(?P<count>\d+)(?P<marks>.*)")
_NESTED = re.compile(r"(?P<item>\d+)>(?:@(?P<start>\d+))?\*(?P<count>\d+)(?P<values>.*)")


@dataclass(frozen=True)
class ListShape:
    """A list: element name, first number, number of items, numbered items and nested lists."""

    tag: str
    count: int
    start: int | None = None
    values: tuple[tuple[int, int], ...] = ()
    nested: tuple[tuple[int, ListShape], ...] = ()


@dataclass(frozen=True)
class Part:
    """One child of an entry: kind ``notice``, ``paragraph``, ``list``, ``section`` or ``subgroups``."""

    kind: str
    label: str = ""
    list_shape: ListShape | None = None
    parts: tuple[Part, ...] = ()


def load_shapes() -> dict[str, str]:
    """Return the shape text of every known anchor."""
    shapes: dict[str, str] = json.loads(SHAPES_FILE.read_text(encoding="utf-8"))
    return shapes


def parse_shape(text: str) -> tuple[Part, ...]:
    """Return the parts which a shape text names."""
    return tuple(_parse_token(token) for token in _TOKEN.findall(text))


def list_items(text: str, labels: str) -> int:
    """Return how many items the lists of a section hold: 0 without section, -1 without list."""
    sections = [part for part in parse_shape(text) if part.label and part.label in labels]
    if not sections:
        return 0
    lists = [part.list_shape for section in sections for part in section.parts if part.list_shape]
    return sum(shape.count for shape in lists) if lists else -1


def _parse_token(mark: str) -> Part:
    if mark == "w":
        return Part("notice")
    if mark == "p":
        return Part("paragraph")
    if mark == "+":
        return Part("subgroups")
    if mark.endswith("]"):
        return Part("section", label=mark[0], parts=parse_shape(mark[2:-1]))
    return Part("list", list_shape=_parse_list(mark))


def _parse_list(token: str) -> ListShape:
    match = _LIST.fullmatch(token)
    if match is None:
        message = f"not a list shape: {token}"
        raise ValueError(message)
    values: list[tuple[int, int]] = []
    nested: list[tuple[int, ListShape]] = []
    for mark in match["marks"].split(";")[1:]:
        inner = _NESTED.fullmatch(mark)
        if inner is None:
            values.append(_pair(mark))
            continue
        inner_values = tuple(_pair(value) for value in inner["values"].split("!")[1:])
        shape = ListShape("ol", int(inner["count"]), _number(inner["start"]), inner_values)
        nested.append((int(inner["item"]), shape))
    return ListShape(match["tag"], int(match["count"]), _number(match["start"]), tuple(values), tuple(nested))


def _pair(text: str) -> tuple[int, int]:
    item, value = text.split("=")
    return int(item), int(value)


def _number(text: str | None) -> int | None:
    return int(text) if text else None
