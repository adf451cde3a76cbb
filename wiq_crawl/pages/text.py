"""Text out of markup: never glued, white space collapsed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, cast

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Iterator

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


class Run(NamedTuple):
    """Text between two blocks, and the inline elements it was read from."""

    text: str
    inline: tuple[etree._Element, ...]


def flow(element: etree._Element) -> Iterator[etree._Element | Run]:
    """The element's content in order: its block children, and the runs of text between them."""
    run: list[str] = [element.text or ""]
    inline: list[etree._Element] = []
    for child in element:
        if isinstance(child.tag, str) and child.tag not in UNSEEN:
            if child.tag in BLOCKS or "-" in child.tag or holds_blocks(child):
                yield from _run(run, inline)
                run.clear()
                inline.clear()
                yield child
            else:
                run.append(raw_text(child))
                inline.append(child)
        run.append(child.tail or "")
    yield from _run(run, inline)


def _run(texts: list[str], inline: list[etree._Element]) -> Iterator[Run]:
    text = collapse("".join(texts))
    if text or inline:
        yield Run(text, tuple(inline))


def holds_blocks(element: etree._Element) -> bool:
    """Whether a block element stands anywhere in the element."""
    return len(element) > 0 and next(element.iterdescendants(*BLOCKS), None) is not None


def letters(text: str) -> int:
    """Characters of a collapsed text but white space: what stays the same however a text is taken apart."""
    return len(text) - text.count(" ") - text.count("\n")
