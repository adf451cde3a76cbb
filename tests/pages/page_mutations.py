"""Changed pages: one small change each, and what of the page it touched."""

from __future__ import annotations

import random
from collections import defaultdict
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree, html

if TYPE_CHECKING:
    from collections.abc import Iterator

    from page_changes import Mutation

    Element = html.HtmlElement

# Changes that reach beyond the element's parent or its own content.
MOVES = frozenset({"swap with the next sibling", "move into the next sibling", "move out of its parent"})
CONTAINERS = ("section", "div", "details", "main")
WITHIN = ("ul", "ol", "table")


@dataclass(frozen=True)
class Mutant:
    """A changed page, and what the change touched.

    ``text_before`` and ``text_after`` are the text, without white space, of the element that holds every trace of
    the change; ``links_before`` and ``links_after`` its addresses. ``touched`` numbers the entries or rows of the
    original page (from 1) that hold the element, stand in it, or stand in what it was moved to; ``tables`` counts
    the tables.
    """

    mutation: Mutation
    xpath: str
    html: str
    text_before: str
    text_after: str
    links_before: list[str]
    links_after: list[str]
    touched: frozenset[int]
    tables: int

    def __str__(self) -> str:
        return f"{self.mutation.name} at {self.xpath}"


def parse(text: str) -> Element:
    return html.fromstring(text.encode(), parser=html.HTMLParser(encoding="utf-8", huge_tree=True))


def serialise(root: Element) -> str:
    return etree.tostring(root, method="html", encoding="unicode", doctype="<!doctype html>")


class Page:
    """A page to be changed, its elements by kind: tag, class, parent’s tag and beginning of the id."""

    def __init__(self, text: str) -> None:
        self.root = parse(text)
        tree = self.root.getroottree()
        self.kinds: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for element in self.root.iterfind(".//main//*"):
            if isinstance(element.tag, str) and not _in_page_details(element):
                self.kinds[_kind(element)].append(tree.getpath(element))
        anchored = self.root.xpath("//main//*[starts-with(@id, 'def-')][@id != 'def-elements']")
        self.anchors = {next(element.iterancestors("section")): element for element in anchored}
        self.units = list(self.anchors) or self.root.xpath("//main//table[thead]/tbody/tr")

    def mutants(self, mutation: Mutation, seed: int, wanted: int) -> Iterator[Mutant]:
        """Mutants spread over the different kinds of elements in main."""
        chance = random.Random(f"{mutation.name} {seed}")
        kinds = sorted(self.kinds)
        chance.shuffle(kinds)
        made = 0
        for kind in (kinds * wanted)[: wanted * 4]:
            mutant = self.mutant(mutation, chance.choice(self.kinds[kind]), chance)
            if mutant is not None:
                yield mutant
                made += 1
            if made == wanted:
                return

    def mutant(self, mutation: Mutation, xpath: str, chance: random.Random) -> Mutant | None:
        """The page with one element changed; None where the change does not apply to it."""
        changed = deepcopy(self.root)
        (element,), (original,) = changed.xpath(xpath), self.root.xpath(xpath)
        moved = mutation.name in MOVES
        before, after = _region(original), _region(element)
        if moved and before.tag != "main":
            before, after = _region(before), _region(after)
        if not mutation.change(element, chance):
            return None
        following = original.getnext() if moved else None
        parts = [original] if following is None else [original, following]
        tables = sum(1 for part in parts for _ in part.iter("table")) + sum(1 for _ in original.iterancestors("table"))
        return Mutant(
            mutation,
            xpath,
            serialise(changed),
            text_before=_text(before),
            text_after=_text(after),
            links_before=_hrefs(before),
            links_after=_hrefs(after),
            touched=self._touched(parts, [original, original.getparent()] if moved else [original]),
            tables=tables,
        )

    def _touched(self, parts: list[Element], held: list[Element]) -> frozenset[int]:
        inside = {element for part in parts for element in part.iter()}
        touched = {unit for unit in self.units if unit in inside or self.anchors.get(unit) in inside}
        # An entry with another anchor is another parent, and another excerpt’s original.
        touched |= self._dependants(touched)
        touched |= {next((around for around in one.iterancestors() if around in self.units), None) for one in held}
        return frozenset(number for number, unit in enumerate(self.units, 1) if unit in touched)

    def _dependants(self, units: set[Element]) -> set[Element]:
        below = {unit for unit in self.units if units.intersection(unit.iterancestors("section"))}
        names = {f"#{self.anchors[unit].get('id')}" for unit in units | below if unit in self.anchors}
        citing = {unit for unit, anchor in self.anchors.items() if names.intersection(anchor.xpath(".//a/@href"))}
        return below | citing


def _region(element: Element) -> Element:
    """The nearest container around an element, outside all lists and tables it stands in."""
    return next(
        around for around in element.iterancestors(*CONTAINERS) if next(around.iterancestors(*WITHIN), None) is None
    )


def _text(element: Element) -> str:
    return "".join(str(element.xpath("string()")).split())


def _hrefs(element: Element) -> list[str]:
    return [str(link.get("href")) for link in element.iter("a") if link.get("href") is not None]


def _kind(element: Element) -> tuple[str, ...]:
    parent = element.getparent()
    around = "" if parent is None else str(parent.tag)
    return (str(element.tag), element.get("class", ""), around, (element.get("id") or "").partition("-")[0])


def _in_page_details(element: Element) -> bool:
    return any("pagedetails" in around.get("class", "") for around in (element, *element.iterancestors()))
