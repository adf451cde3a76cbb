"""Text as blocks: paragraphs, and list items with depth and marker."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any

from wiq_crawl.pages.text import HEADINGS, LISTS, Run, collapse, flow, raw_text, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lxml import etree

Block = dict[str, Any]

# Blocks that say what their text is; the others (div, custom elements) only group.
_MEANINGFUL = HEADINGS | LISTS | frozenset("aside blockquote details dl figure hr nav p pre section table".split())


def paragraph(text: str, kind: str = "paragraph") -> Block:
    """One block outside lists."""
    return {"kind": kind, "depth": 0, "marker": None, "text": text}


def pieces(element: etree._Element) -> Iterator[etree._Element | Run]:
    """The element's content in order, seen through wrappers that mean nothing: blocks with text, and runs of text."""
    for piece in flow(element):
        if not isinstance(piece, Run):
            if piece.tag in _MEANINGFUL:
                yield piece
            else:
                yield from pieces(piece)
        elif piece.text:
            yield piece


def piece_blocks(piece: etree._Element | Run) -> list[Block]:
    """One piece as blocks: a list as its items, anything else as a paragraph."""
    if isinstance(piece, Run):
        return [paragraph(piece.text)]
    if piece.tag in LISTS:
        return list_blocks(piece)
    text = text_of(piece)
    return [paragraph(text)] if text else []


def list_blocks(element: etree._Element, depth: int = 1) -> list[Block]:
    """The items of a list as blocks, nested lists one depth further down, each with its marker.

    Markers follow HTML: ``start``, ``value``, ``reversed``, ``type``, and the canada.ca list classes. Text that
    stands in the list but in no item is a block without marker.
    """
    members = list(_members(element))
    number = _start(element, sum(not isinstance(member, str) and member.tag == "li" for member in members))
    step = -1 if element.get("reversed") is not None else 1
    blocks: list[Block] = []
    for member in members:
        if isinstance(member, str):
            blocks.append(_list_item(member, depth, None))
        elif member.tag in LISTS:  # a list directly in a list: invalid, and common
            blocks += list_blocks(member, depth + 1)
        else:
            number = _integer(member.get("value"), number)
            blocks += item_blocks(member, depth, _marker(element, number))
            number += step
    return blocks


def item_blocks(item: etree._Element, depth: int = 1, marker: str | None = None) -> list[Block]:
    """The item's own text as one block, then whatever is nested in it; text after a nested list stays an item part."""
    if next(item.iterdescendants("li", "table", *LISTS), None) is None:  # nearly every item
        text = text_of(item)
        return [_list_item(text, depth, marker)] if text else []
    blocks: list[Block] = []
    for member in _members(item):
        if isinstance(member, str):
            first = not any(block["depth"] == depth for block in blocks)
            blocks.append(_list_item(member, depth, marker if first else None))
        else:
            blocks += list_blocks(member, depth + 1) if member.tag in LISTS else item_blocks(member, depth + 1)
    return blocks


def _list_item(text: str, depth: int, marker: str | None) -> Block:
    return {"kind": "list_item", "depth": depth, "marker": marker, "text": text}


def _members(element: etree._Element) -> Iterator[etree._Element | str]:
    """What a list or an item holds: items and lists as they stand, whatever wraps them, and the texts between.

    Tables are left out: they have records of their own.
    """
    run: list[str] = []

    def visit(around: etree._Element) -> Iterator[etree._Element | str]:
        run.append(around.text or "")
        for child in around:
            if child.tag == "li" or child.tag in LISTS:
                if text := collapse("".join(run)):
                    yield text
                run.clear()
                yield child
            elif isinstance(child.tag, str) and child.tag != "table":
                if len(child) and next(child.iter("li", "table", *LISTS), None) is not None:
                    yield from visit(child)
                else:
                    run.append(raw_text(child))
            run.append(child.tail or "")

    yield from visit(element)
    if text := collapse("".join(run)):
        yield text


def term_blocks(element: etree._Element) -> Iterator[Block]:
    """A ``dl`` as blocks: terms as paragraphs, their descriptions as list items without marker."""
    for piece in flow(element):
        if isinstance(piece, Run):
            yield paragraph(piece.text)
        elif piece.tag == "dt":
            yield paragraph(text_of(piece))
        elif piece.tag == "div":
            yield from term_blocks(piece)
        else:
            yield from item_blocks(piece)


def render(blocks: Iterable[Block]) -> str:
    """Blocks as plain text: one line a block, list items indented and led by their marker."""
    lines = []
    for block in blocks:
        indent = "  " * max(0, block["depth"] - 1)
        marker = f"{block['marker']} " if block["marker"] else ""
        lines.append(f"{indent}{marker}{block['text']}")
    return "\n".join(lines)


def _start(element: etree._Element, items: int) -> int:
    if element.get("reversed") is not None:
        return _integer(element.get("start"), items)
    return _integer(element.get("start"), 1)


def _integer(text: str | None, default: int) -> int:
    try:
        return int(text) if text else default
    except ValueError:
        return default


def _marker(element: etree._Element, number: int) -> str:
    if element.tag == "ul":
        return "•"
    classes = element.get("class", "").split()
    style = element.get("type", "1")
    if style == "a" or "lst-lwr-alph" in classes:
        return f"{_letters(number)}."
    if style == "A" or "lst-upr-alph" in classes:
        return f"{_letters(number).upper()}."
    if style == "i" or "lst-lwr-rmn" in classes:
        return f"{_roman(number)}."
    if style == "I" or "lst-upr-rmn" in classes:
        return f"{_roman(number).upper()}."
    return f"{number}."


def _letters(number: int) -> str:
    """1 is a, 26 is z, 27 is aa; numbers below 1 stay digits, as browsers show them."""
    if number < 1:
        return str(number)
    letters = ""
    while number:
        number, digit = divmod(number - 1, 26)
        letters = string.ascii_lowercase[digit] + letters
    return letters


_ROMAN = (
    (1000, "m"),
    (900, "cm"),
    (500, "d"),
    (400, "cd"),
    (100, "c"),
    (90, "xc"),
    (50, "l"),
    (40, "xl"),
    (10, "x"),
    (9, "ix"),
    (5, "v"),
    (4, "iv"),
    (1, "i"),
)
_ROMAN_LIMIT = 4000


def _roman(number: int) -> str:
    if not 0 < number < _ROMAN_LIMIT:
        return str(number)
    text = ""
    for value, digits in _ROMAN:
        count, number = divmod(number, value)
        text += digits * count
    return text
