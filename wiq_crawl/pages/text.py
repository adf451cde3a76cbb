"""Text out of markup: never glued, white space collapsed, lists with their markers."""

from __future__ import annotations

import re
import string
from typing import TYPE_CHECKING, Any, cast

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Iterable

Block = dict[str, Any]

HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
LISTS = frozenset({"ul", "ol"})
CONTAINERS = frozenset(
    "address article aside blockquote body center details dialog div fieldset figcaption figure footer form header "
    "hgroup main nav section".split()
)
BLOCKS = (
    HEADINGS
    | LISTS
    | CONTAINERS
    | frozenset("caption dd dl dt hr li option p pre summary table tbody td tfoot th thead tr".split())
)
UNSEEN = ("script", "style", "template", "noscript")

# A raised number after a word is a footnote mark; after one or two letters it is an exponent («km²»).
_MARK = re.compile(r"\s*\(?\d{1,2}\)?\s*")
_UNIT = re.compile(r"(?:^|[\W\d])[^\W\d_]{1,2}$")
_string = etree.XPath("string()", smart_strings=False)
# A lower-case letter directly before a capital or a digit, and the whole word around such a place.
# The rarer character first: that is where the search stops.
_JOINT = re.compile(r"[A-ZÀ-ÖØ-ÞŒ0-9](?<=[a-zß-öø-ÿœ].)")
_GLUED_WORD = re.compile(r"[^\W\d_A-ZÀ-ÖØ-ÞŒ]{2,}(?:[A-ZÀ-ÖØ-ÞŒ][^\W\d_A-ZÀ-ÖØ-ÞŒ]+|\d\w*)")


def separate_blocks(root: etree._Element) -> None:
    """Put white space around every block element and line break, so that no later reading glues two words.

    Footnote marks count too: «deadlines<sup><a>1</a></sup>» is not «deadlines1». Changes only white space;
    scripts and styles lose their text.
    """
    for element in root.iter("br", *BLOCKS):
        if element.tag != "br":
            element.text = f"\n{element.text}" if element.text else "\n"
        element.tail = f"\n{element.tail}" if element.tail else "\n"
    for element in root.iter("sup"):
        if _is_footnote_mark(element):
            element.text = f" {element.text or ''}"
    for element in root.iter(*UNSEEN):
        tail = element.tail
        element.clear()
        element.tail = tail


def _is_footnote_mark(element: etree._Element) -> bool:
    if element.find(".//a") is not None:
        return True
    previous, parent = element.getprevious(), element.getparent()
    before = previous.tail if previous is not None else parent.text if parent is not None else None
    return bool(_MARK.fullmatch(raw_text(element))) and not _UNIT.search(before or "")


def elements(root: etree._Element, xpath: str) -> list[etree._Element]:
    """The elements at an XPath, in document order."""
    return cast("list[etree._Element]", root.xpath(xpath))  # noqa: SLF001


def attributes(root: etree._Element, xpath: str) -> list[str]:
    """The attribute values or texts at an XPath, in document order."""
    return [str(value) for value in cast("list[str]", root.xpath(xpath))]


def text_of(element: etree._Element) -> str:
    """The element's text with white space (NBSP included) collapsed; comments left out."""
    return " ".join((raw_text(element) if len(element) else element.text or "").split())


def raw_text(element: etree._Element) -> str:
    """The element's text as it stands, white space kept; comments left out."""
    return str(_string(element))


def collapse(text: str | None) -> str:
    """The text with white space (NBSP included) collapsed."""
    return " ".join(text.split()) if text else ""


def glued_words(text: str) -> list[str]:
    """Words with a capital or a digit inside, such as «effectiveMarch» or «du18»: the mark of a lost space."""
    return [word for joint in _JOINT.finditer(text) if (word := _glued_word(text, joint.start() - 1))]


def _glued_word(text: str, joint: int) -> str | None:
    """The word around a joint, where it is glued: two letters before the joint at least, nothing but letters."""
    start = joint
    while start and (text[start - 1].isalnum() or text[start - 1] == "_"):
        start -= 1
    match = _GLUED_WORD.match(text, start)
    return match.group() if match else None


def paragraph(text: str, kind: str = "paragraph") -> Block:
    """One block outside lists."""
    return {"kind": kind, "depth": 0, "marker": None, "text": text}


def list_blocks(element: etree._Element, depth: int = 1) -> list[Block]:
    """The items of a list as blocks, nested lists one depth further down, each with its marker.

    Markers follow HTML: ``start``, ``value``, ``reversed``, ``type``, and the canada.ca list classes.
    """
    items = list(element.iterchildren("*"))
    number = _start(element, len(items))
    step = -1 if element.get("reversed") is not None else 1
    blocks: list[Block] = []
    for item in items:
        number = _integer(item.get("value"), number)
        marker = _marker(element, number)
        if item.tag in LISTS:  # a list directly in a list: invalid, and common
            blocks += list_blocks(item, depth + 1)
            continue
        number += step
        blocks += _item_blocks(item, depth, marker)
    return blocks


def _item_blocks(item: etree._Element, depth: int, marker: str) -> list[Block]:
    """The item's own text as one block, then whatever is nested in it; text after a nested list stays an item part."""
    blocks: list[Block] = []
    parts: list[str] = [item.text or ""]

    def flush() -> None:
        text = collapse("".join(parts))
        if text:
            first = not any(block["depth"] == depth for block in blocks)
            blocks.append({"kind": "list_item", "depth": depth, "marker": marker if first else None, "text": text})
        parts.clear()

    def visit(element: etree._Element) -> None:
        for child in element:
            if child.tag in LISTS:
                flush()
                blocks.extend(list_blocks(child, depth + 1))
            elif isinstance(child.tag, str) and child.tag != "table":  # comments; tables have records of their own
                if next(child.iter(*LISTS, "table"), None) is None:
                    parts.append(raw_text(child))
                else:
                    parts.append(child.text or "")
                    visit(child)
            parts.append(child.tail or "")

    visit(item)
    flush()
    return blocks


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
