"""One entry of the definitions page: its own text, in named parts, every character once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, TypeGuard

from schemas import load_table
from wiq_crawl.addresses import resolve
from wiq_crawl.labels import label
from wiq_crawl.loaders import StrictLoader
from wiq_crawl.pages.blocks import Block, piece_blocks, pieces, render
from wiq_crawl.pages.contract import check_not_cut, is_suspect
from wiq_crawl.pages.dates import find_dates
from wiq_crawl.pages.issues import issue
from wiq_crawl.pages.page import content_hash
from wiq_crawl.pages.text import HEADINGS, Run, elements, letters, text_of

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Sequence

    from lxml import etree

    from wiq_crawl.errors import StructureDrift
    from wiq_crawl.items import Record
    from wiq_crawl.pages.page import Page

PARTS = ("inclusions", "exclusions", "related_information", "skilled_trades")
_CODE = re.compile(r"\(([A-Z]{2,3}(?:-[A-Z]{2,3})?(?:\([A-Za-z-]+\))?)\)")
# What the id of a details’ summary begins with, by the kind of the entry in it.
_KINDS = {"grp": "group", "occ": "classification"}
_HEADING_TAGS = {"group": "h3", "classification": "h3", "subgroup": "h4"}


class _Part(NamedTuple):
    """A headed part of an entry, such as its inclusions."""

    element: etree._Element
    heading: str
    blocks: list[Block]


class Entry:
    """One anchored definition: the section that holds the anchor, from the anchor on, without nested entries.

    ``sections`` are the sections of all entries of the page.
    """

    def __init__(
        self, page: Page, element: etree._Element, section: etree._Element, sections: Container[etree._Element]
    ) -> None:
        self.page = page
        self.element = element
        self.anchor = element.get("id", "")
        self.section = section
        content = [piece for piece in pieces(section) if piece not in sections]
        begin = next((number for number, piece in enumerate(content) if _holds(piece, element)), None)
        if begin is None:
            raise self.drift("the anchor on a heading or a paragraph", f"on <{element.tag}>", element)
        self.own = content[begin:]
        self.heading = self._heading(content, begin)
        self.kind = self._kind(sections)
        self.parts: dict[str, _Part] = {}
        self.notices: list[etree._Element] = []
        self.definition: list[etree._Element | Run] = []
        for piece in self.own:
            self._sort(piece)
        self._check()

    @property
    def letters(self) -> int:
        """Characters but white space of the entry, its heading included where that stands before the anchor."""
        before = [] if self.heading in self.own else [self.heading]
        return sum(letters(_text(piece)) for piece in before + self.own)

    def excerpt_of(self) -> list[str]:
        """Anchors of the full definitions that the heading links to."""
        cited = [link.get("href", "") for link in self.heading.iter("a")]
        if any(not href.startswith("#def-") for href in cited) or bool(cited) != (self.kind == "classification"):
            raise self.drift(
                "links to full definitions in the heading of a classification, in no other",
                f"{self.kind} with links {cited}",
                self.heading,
            )
        return [href[1:] for href in cited]

    def record(self, position: int, parent: str | None) -> Record:
        """The entry as a record of the table definitions."""
        loader = StrictLoader(self.page, self.section)
        loader.load_attribute("anchor", self.element, "id")
        loader.load_text("heading", self.heading)
        loader.load_text("code", self.heading, _code)
        loader.set("position", position)
        loader.set("kind", self.kind)
        loader.set("parent_anchor", parent)
        loader.set("excerpt_of", self.excerpt_of())
        self._load_notice(loader)
        definition = _blocks(self.definition)
        loader.set("definition_blocks", definition)
        loader.set("definition", render(definition) or None)
        for column, singular in (("inclusions", "inclusion"), ("exclusions", "exclusion")):
            part = self.parts.get(column)
            blocks = part.blocks if part else []
            loader.set(f"{singular}_blocks", blocks)
            if part:
                rendered = render(blocks)
                loader.load_text(column, part.element, lambda _, rendered=rendered: rendered)  # type: ignore[misc]
        related, other = self.parts.get("related_information"), self.parts.get("skilled_trades")
        loader.set("related_information", [self._link(item) for item in related.element.iter("li")] if related else [])
        loader.set("other_parts", [{"heading": other.heading, "text": render(other.blocks)}] if other else [])
        text = "\n".join(found for piece in self.own if (found := _text(piece)))
        loader.set("text", text)
        loader.set("text_characters", len(text))
        loader.set("text_sha256", content_hash(text))
        record = loader.load_record(load_table("tbs", "definitions"), fragment=self.anchor)
        self._check_record(record)
        return record

    def issues(self, record: Record) -> Iterator[Record]:
        """The source's own errors in the entry, kept as published."""
        if is_suspect(record["text"]):
            expected, found = "a text that ends as sentences do", f"{record['text_characters']} characters"
            yield issue(self.page, "truncation_suspected", self.anchor, expected, found, record)
        for notice in self.notices:
            if record["effective_date"] is None:
                expected, found = "an effective date in the legal notice", record["legal_notice"]
                yield issue(self.page, "effective_date_absent", self.anchor, expected, found, record)
            for time in notice.iter("time"):
                written = find_dates(text_of(time), self.page.language)
                attribute = time.get("datetime")
                if written and attribute and written[0].value.isoformat() != attribute:
                    expected, found = written[0].value.isoformat(), attribute
                    yield issue(self.page, "date_attribute_differs", self.anchor, expected, found, record)

    def drift(
        self, expected: str, found: str, element: etree._Element | None = None, next_step: str | None = None
    ) -> StructureDrift:
        """A structure drift located in the entry."""
        selector = self.page.path_of(self.section if element is None else element)
        return self.page.drift(f"entry {self.anchor}", expected, found, selector=selector, next_step=next_step)

    # --- taking the section apart -----------------------------------------------------------------------------

    def _heading(self, content: Sequence[etree._Element | Run], begin: int) -> etree._Element:
        """The anchored heading, which nothing precedes, or the one heading just before the anchored paragraph."""
        before, first = content[:begin], content[begin]
        if not _is_heading(first) and len(before) == 1:
            before, first = [], before[0]
        if before or isinstance(first, Run) or not _is_heading(first) or not text_of(first):
            raise self.drift("a heading with text at the beginning of its section", f"«{_text(content[0])[:60]}»")
        return first

    def _kind(self, sections: Container[etree._Element]) -> str:
        if any(around in sections for around in self.section.iterancestors("section")):
            kind = "subgroup"
        else:
            details = next(self.section.iterancestors("details"), None)
            summary = details.find("summary") if details is not None else None
            prefix = (summary.get("id") or "").partition("-")[0] if summary is not None else ""
            if prefix not in _KINDS:
                raise self.drift("in details whose summary id begins with grp- or occ-", f"{prefix!r}")
            kind = _KINDS[prefix]
        if self.heading.tag != _HEADING_TAGS[kind]:
            raise self.drift(f"an {_HEADING_TAGS[kind]} as heading of a {kind}", str(self.heading.tag), self.heading)
        return kind

    def _sort(self, piece: etree._Element | Run) -> None:
        if isinstance(piece, Run):
            self.definition.append(piece)
        elif piece.tag == "section":
            self._sort_part(piece)
        elif piece.tag == "p" and "well" in piece.get("class", "").split():
            self.notices.append(piece)
        elif piece is not self.heading:
            if piece.tag in HEADINGS:
                raise self.drift("its parts in sections of their own", f"the heading «{text_of(piece)}»", piece)
            self.definition.append(piece)

    def _sort_part(self, section: etree._Element) -> None:
        content = list(pieces(section))
        heading = _text(content[0]) if content and _is_heading(content[0]) else ""
        wanted = {part: label(f"definitions.{part}", self.page.language) for part in PARTS}
        part = next((part for part in PARTS if wanted[part].matches(heading)), None)
        if part is None or part in self.parts:
            raise self.drift(
                "parts headed " + ", ".join(map(str, wanted.values())) + ", each once",
                f"«{heading}»",
                section,
                wanted[part or "skilled_trades"].next_step,
            )
        if len(content) == 1 or any(_is_heading(piece) for piece in content[1:]):
            raise self.drift(f"text under the heading «{heading}», and no further heading", text_of(section), section)
        self.parts[part] = _Part(section, heading, _blocks(content[1:]))

    def _load_notice(self, loader: StrictLoader) -> None:
        if not self.notices:
            loader.set("effective_date_reason", "no_legal_notice")
            return
        notice = self.notices[0]
        date, reason = effective_date(text_of(notice), self.page.language)
        loader.load_text("legal_notice", notice)
        if date:
            loader.load_text("effective_date", notice, lambda _: date)
        loader.set("effective_date_reason", reason)

    def _link(self, item: etree._Element) -> dict[str, str | None]:
        links = elements(item, ".//a")
        if len(links) > 1:
            raise self.drift("one link in an item of related information", str(len(links)), item)
        found = resolve(links[0].get("href", ""), self.page.url) if links else None
        url = f"{found.url}#{found.fragment}" if found and found.fragment else found and found.url
        return {"text": text_of(item), "url": url}

    # --- checks -----------------------------------------------------------------------------------------------

    def _check(self) -> None:
        groups = self.kind == "group"
        if len(self.notices) > 1 or (groups and not self.notices):
            raise self.drift("one legal notice (p.well) in a group, at most one elsewhere", str(len(self.notices)))
        for piece in self.definition:
            if not isinstance(piece, Run) and next(piece.iter("time"), None) is not None:
                raise self.drift("dates in the legal notice (p.well) only", f"«{text_of(piece)[:60]}»", piece)
        if not any(map(_text, self.definition)) and not self.parts:
            raise self.drift("a definition text", "none")
        for part in PARTS[:2]:
            if self.kind != "subgroup" and part not in self.parts:
                wanted = label(f"definitions.{part}", self.page.language)
                shown = ", ".join(f"«{found.heading}»" for found in self.parts.values()) or "none"
                raise self.drift(f"a part headed {wanted} with text", f"parts {shown}", next_step=wanted.next_step)

    def _check_record(self, record: Record) -> None:
        """Every character of the entry stands once in its columns, and no text is cut."""
        path = record["selector"]
        blocks = record["definition_blocks"] + record["inclusion_blocks"] + record["exclusion_blocks"]
        related, other = record["related_information"], self.parts.get("skilled_trades")
        told = [record["legal_notice"] or "", *(part.heading for part in self.parts.values())]
        told += [item["text"] for item in [*blocks, *related, *(other.blocks if other else [])]]
        expected = letters(record["text"]) - (letters(record["heading"]) if self.heading in self.own else 0)
        if (found := sum(map(letters, told))) != expected:
            raise self.drift(f"{expected} characters in its parts", f"{found}: text is lost or told twice")
        paragraphs = [(block["text"], path) for block in blocks if block["kind"] == "paragraph"]
        check_not_cut(self.page, [(record["text"], path), *paragraphs])


def effective_date(notice: str, language: str) -> tuple[str | None, str | None]:
    """The date a legal notice puts its definition into effect, or the reason there is none.

    Of several dates it is the last whose own clause speaks of effect: «the definition …, effective
    March 18, 1999, as published … on March 27, 1999, is replaced by the following …, effective
    February 1, 2006» gives 2006-02-01. The written date counts, not the ``datetime`` attribute.
    """
    in_effect = label("definitions.in_effect", language)
    dates = find_dates(notice, language)
    if not dates:
        return None, "notice_without_date"
    starts = [0, *(found.end for found in dates)]
    effective = [
        found for start, found in zip(starts, dates, strict=False) if in_effect.matches(notice[start : found.start])
    ]
    return (effective[-1].value.isoformat(), None) if effective else (None, "notice_without_effective_date")


def _blocks(content: Iterable[etree._Element | Run]) -> list[Block]:
    return [block for piece in content for block in piece_blocks(piece)]


def _holds(piece: etree._Element | Run, element: etree._Element) -> bool:
    if isinstance(piece, Run):
        return any(_holds(part, element) for part in piece.inline)
    return piece is element or piece in element.iterancestors()


def _is_heading(piece: etree._Element | Run) -> TypeGuard[etree._Element]:
    return not isinstance(piece, Run) and piece.tag in HEADINGS


def _text(piece: etree._Element | Run) -> str:
    return piece.text if isinstance(piece, Run) else text_of(piece)


def _code(heading: str) -> str | None:
    found = _CODE.findall(heading)
    return str(found[-1]) if found else None
