"""Any page as sections, data tables and links.

Every piece of text in ``main`` belongs to exactly one section, heading or table: nothing is lost, nothing
is told twice.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wiq_crawl.addresses import resolve
from wiq_crawl.pages.blocks import Block, list_blocks, paragraph, render, term_blocks
from wiq_crawl.pages.data_tables import read_grid
from wiq_crawl.pages.text import HEADINGS, LISTS, Run, flow, holds_blocks, letters, text_of

if TYPE_CHECKING:
    from lxml import etree

    from wiq_crawl.items import Record
    from wiq_crawl.pages.data_tables import Grid
    from wiq_crawl.pages.page import Page

# Elements that end the headings opened in them: https://html.spec.whatwg.org/multipage/sections.html
_SCOPES = frozenset({"details", "section", "article", "aside"})
_NOTE_CLASSES = frozenset({"well", "note", "wb-fnote", "alert", "fn-rtn"})


@dataclass(slots=True)
class _Section:
    element: etree._Element
    level: int
    heading: str | None
    path: tuple[str, ...]
    anchors: list[str] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    identifier: str = ""

    def is_summary(self) -> bool:
        """Whether a summary has just opened the section."""
        return self.element.tag == "summary" and not self.blocks


@dataclass(slots=True)
class Outline:
    """What ``read_outline`` finds, as records of the tables sections, data_tables and links."""

    sections: list[Record]
    data_tables: list[Record]
    links: list[Record]


def read_outline(page: Page) -> Outline:
    """Walk ``main`` once and return its sections, tables and links in page order."""
    return _Walk(page).outline()


class _Walk:
    def __init__(self, page: Page) -> None:
        self.page = page
        self.current = _Section(page.main, 0, None, ())
        self.open: list[_Section] = []  # the headed sections around the current place, outermost first
        self.sections = [self.current]
        self.tables: list[tuple[etree._Element, _Section]] = []
        self.links: list[tuple[etree._Element, _Section]] = []
        self.pending: list[str] = []  # ids met between blocks, before the heading they announce
        self.in_note = 0
        self.headings: list[str] = []

    def outline(self) -> Outline:
        self.container(self.page.main)
        self.current.anchors += self.pending
        kept = [section for section in self.sections if section.heading or section.blocks or section.anchors]
        self.identify(kept)
        grids = [read_grid(table) for table, _ in self.tables]
        self.check_complete(grids)
        return Outline(
            [self.section_record(section, number) for number, section in enumerate(kept, 1)],
            [
                self.table_record(table, grid, section, number)
                for number, ((table, section), grid) in enumerate(zip(self.tables, grids, strict=True), 1)
            ],
            [self.link_record(link, section, number) for number, (link, section) in enumerate(self.links, 1)],
        )

    def check_complete(self, grids: list[Grid]) -> None:
        """Raise where the sections and tables do not hold every character of the page once."""
        told = [*self.headings, *(block["text"] for section in self.sections for block in section.blocks)]
        expected, found = letters(self.page.text), letters("".join(told))
        whole = len(grids) == sum(1 for _ in self.page.main.iter("table"))
        for (table, _), grid in zip(self.tables, grids, strict=True):
            if next(table.iterancestors("table"), None) is None:
                found += grid.letters
            else:  # a nested table: its text stands in a cell of the outer one too
                whole = whole and grid.letters == letters(text_of(table))
        if expected != found or not whole:
            raise self.page.drift(
                "text is lost or told twice",
                f"{expected} characters in headings, sections and table cells",
                str(found),
                selector="//main",
                next_step="look for text in a table but in no cell, or in an element where none belongs",
            )

    # --- the walk ---------------------------------------------------------------------------------------------

    def container(self, element: etree._Element) -> None:
        """Children in order; runs of inline text between blocks become paragraphs."""
        for piece in flow(element):
            if not isinstance(piece, Run):
                self.block(piece)
                continue
            if piece.text:
                self.add([paragraph(piece.text, "note" if self.in_note else "paragraph")])
            for part in piece.inline:
                self.note_links_and_anchors(part)

    def block(self, element: etree._Element) -> None:
        tag = str(element.tag)
        if tag in HEADINGS:
            self.start(element, int(tag[1]))
        elif tag == "summary":
            around = self.open[-1].level if self.open else 1
            self.start(element, min(around + 1, 6))
        elif tag in LISTS:
            self.consume(element, list_blocks(element))
        elif tag == "table":
            self.table(element)
        elif tag in ("p", "pre") and holds_blocks(element):
            self.grouping(element)
        elif tag == "p":
            note = self.in_note or _NOTE_CLASSES & set(element.get("class", "").split())
            self.consume(element, [paragraph(text_of(element), "note" if note else "paragraph")])
        elif tag == "pre":
            self.consume(element, [paragraph(text_of(element), "preformatted")])
        elif tag == "dl":
            self.consume(element, list(term_blocks(element)))
        else:
            self.grouping(element)

    def grouping(self, element: etree._Element) -> None:
        note = element.tag == "aside" or bool(_NOTE_CLASSES & set(element.get("class", "").split()))
        self.in_note += note
        anchor = element.get("id")
        if anchor and next(element.iter(*HEADINGS, "summary"), None) is None:
            before = self.current
            self.settle_pending()
            self.current = _Section(element, 0, None, before.path, [anchor])
            self.sections.append(self.current)
            self.container(element)
            self.settle_pending()
            # What follows belongs to the section around; a part of its own keeps the page order.
            self.current = before
        else:
            if anchor:
                self.pending.append(anchor)
            self.scoped(element) if element.tag in _SCOPES else self.container(element)
        self.in_note -= note

    def scoped(self, element: etree._Element) -> None:
        """A sectioning element: its headings end with it, and what follows belongs to the section around."""
        before, around = self.current, list(self.open)
        self.container(element)
        self.settle_pending()
        self.open = around
        self.current = before

    def start(self, element: etree._Element, level: int) -> None:
        """Open the section of a heading."""
        heading = text_of(element)
        self.headings.append(heading)
        anchors = self.pending + [anchor for part in element.iter() if (anchor := part.get("id"))]
        self.pending = []
        if self.current.is_summary() and self.current.heading == heading:
            self.current.anchors += anchors  # a summary and the hidden heading that repeats it are one section
            self.collect_links(element)
            return
        inside = next((outer for outer in reversed(self.open) if _is_within(element, outer)), None)
        while self.open and self.open[-1] is not inside and self.open[-1].level >= level:
            self.open.pop()
        path = (*(outer.heading or "" for outer in self.open), heading)
        self.current = _Section(element, level, heading or None, path, anchors)
        self.sections.append(self.current)
        self.open.append(self.current)
        self.collect_links(element)

    def table(self, element: etree._Element) -> None:
        self.settle_pending()
        self.tables.append((element, self.current))
        self.note_links_and_anchors(element)
        self.tables += [(nested, self.current) for nested in element.iterdescendants("table")]

    def consume(self, element: etree._Element, blocks: list[Block]) -> None:
        self.add([block for block in blocks if block["text"]])
        self.note_links_and_anchors(element)
        self.tables += [(nested, self.current) for nested in element.iterdescendants("table")]

    def add(self, blocks: list[Block]) -> None:
        self.settle_pending()
        self.current.blocks += blocks

    def settle_pending(self) -> None:
        if self.pending:
            self.current.anchors += self.pending
            self.pending = []

    def note_links_and_anchors(self, element: etree._Element) -> None:
        for part in element.iter() if len(element) else (element,):
            if part.tag == "a" and part.get("href") is not None:
                self.links.append((part, self.current))
            anchor = part.get("id") if isinstance(part.tag, str) else None
            if anchor:
                (self.pending if _is_empty(element) else self.current.anchors).append(anchor)

    def collect_links(self, element: etree._Element) -> None:
        self.links += [(part, self.current) for part in element.iter("a") if part.get("href") is not None]

    # --- the records ------------------------------------------------------------------------------------------

    def identify(self, sections: list[_Section]) -> None:
        """Keys that survive small changes of the page: the anchor, or else the headings; doubles are numbered."""
        seen: Counter[str] = Counter()
        for section in sections:
            name = section.anchors[0] if section.anchors else ":~:" + " > ".join(section.path)
            seen[name] += 1
            suffix = f" ({seen[name]})" if seen[name] > 1 else ""
            section.identifier = f"{self.page.url}#{name}{suffix}"

    def section_record(self, section: _Section, position: int) -> Record:
        return {
            "section_id": section.identifier,
            "language": self.page.language,
            "position": position,
            "anchors": list(dict.fromkeys(section.anchors)),
            "level": section.level,
            "heading": section.heading,
            "path": list(section.path),
            "text": render(section.blocks),
            "blocks": section.blocks,
            **self.page.provenance_of(section.element, section.anchors[0] if section.anchors else None),
        }

    def table_record(self, table: etree._Element, grid: Grid, section: _Section, position: int) -> Record:
        return {
            "table_id": f"{self.page.url}#table-{position}",
            "language": self.page.language,
            "position": position,
            "section_id": section.identifier or None,
            "caption": grid.caption,
            "header_rows": grid.header_rows,
            "row_count": len(grid.cells),
            "column_count": len(grid.cells[0]) if grid.cells else 0,
            "grid": grid.cells,
            "footnotes": grid.footnotes,
            **self.page.provenance_of(table, table.get("id") or None),
        }

    def link_record(self, link: etree._Element, section: _Section, position: int) -> Record:
        href = link.get("href", "")
        target, url, fragment = resolve(href, self.page.url)
        return {
            "link_id": f"{self.page.url}#link-{position}",
            "language": self.page.language,
            "position": position,
            "section_id": section.identifier or None,
            "text": text_of(link),
            "href": href,
            "url": url,
            "target_fragment": fragment,
            "target": target,
            "table_column": None,
            "document_url": self.page.url,
            "selector": self.page.path_of(link),
            "content_sha256": self.page.content_sha256,
            "document_modified": self.page.modified,
        }


def _is_within(element: etree._Element, section: _Section) -> bool:
    """Whether the section was opened by a summary whose details the element stands in."""
    details = section.element.getparent() if section.element.tag == "summary" else None
    return details is not None and details in element.iterancestors("details")


def _is_empty(element: etree._Element) -> bool:
    return element.text is None and len(element) == 0
