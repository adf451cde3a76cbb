"""The definitions page: for each anchor its own text only, in named parts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from schemas import load_table
from wiq_crawl.addresses import resolve
from wiq_crawl.errors import DuplicateContent
from wiq_crawl.labels import label
from wiq_crawl.loaders import StrictLoader
from wiq_crawl.pages.contract import check_not_cut, is_suspect
from wiq_crawl.pages.dates import find_dates
from wiq_crawl.pages.issues import issue
from wiq_crawl.pages.page import content_hash
from wiq_crawl.pages.text import HEADINGS, LISTS, Block, elements, list_blocks, paragraph, render, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

    from wiq_crawl.items import Record
    from wiq_crawl.pages.page import Page

_CODE = re.compile(r"\(([A-Z]{2,3}(?:-[A-Z]{2,3})?(?:\([A-Za-z-]+\))?)\)")
_PARTS = ("inclusions", "exclusions", "related_information")
_CONTAINER = "def-elements"


def read_definitions(page: Page, *, twins: frozenset[frozenset[str]]) -> tuple[list[Record], list[Record]]:
    """The page's entries and the issues of the source, in page order.

    ``twins`` are the pairs of anchors known to share one text. Raises StructureDrift, TruncatedText or
    DuplicateContent.
    """
    anchored = elements(page.main, f".//*[starts-with(@id, 'def-')][@id != '{_CONTAINER}']")
    if not anchored:
        raise page.drift(
            "the definitions page has no entries",
            "elements with an id that begins with def-",
            "none",
            selector="//main",
        )
    _check_ids(page, anchored)
    entries = [_Entry(page, element, position) for position, element in enumerate(anchored, 1)]
    by_section = {entry.section: entry for entry in entries}
    records, issues = [], []
    for entry in entries:
        entry.parent = _parent(entry, by_section, {other.anchor: other for other in entries})
        records.append(entry.record())
        issues += list(entry.issues(records[-1]))
    _check_distinct(page, records, twins)
    return records, issues


@dataclass(slots=True)
class _Entry:
    """One anchored definition: the section that holds the anchor, from the anchor on, without nested entries."""

    page: Page
    element: etree._Element
    position: int
    parent: str | None = None
    anchor: str = ""
    kind: str = ""
    section: etree._Element = field(init=False)
    own: list[etree._Element] = field(init=False)

    def __post_init__(self) -> None:
        self.anchor = self.element.get("id", "")
        section = next(self.element.iterancestors("section"), None)
        if section is None:
            raise self.page.drift(
                f"entry {self.anchor}",
                "inside a section",
                "no section around it",
                selector=self.page.path_of(self.element),
            )
        self.section = section
        children = [child for child in section if isinstance(child.tag, str)]
        holder = next(child for child in children if child is self.element or self.element in child.iterdescendants())
        self.own = [child for child in children[children.index(holder) :] if not _holds_entry(child)]
        self.kind = self._kind()

    def _kind(self) -> str:
        if self.heading().tag != "h3":
            return "subgroup"
        details = next(self.element.iterancestors("details"), None)
        summary = details.find("summary") if details is not None else None
        prefix = (summary.get("id") or "").partition("-")[0] if summary is not None else ""
        kinds = {"grp": "group", "occ": "classification"}
        if prefix not in kinds:
            raise self.page.drift(
                f"entry {self.anchor}",
                "in details whose summary id begins with grp- or occ-",
                f"{prefix!r}",
                selector=self.page.path_of(self.element),
            )
        return kinds[prefix]

    def heading(self) -> etree._Element:
        """The entry's heading: the anchored element, or the heading just before it."""
        if self.element.tag in HEADINGS:
            return self.element
        found = next((child for child in self.section if child.tag in HEADINGS), None)
        if found is None:
            raise self.page.drift(
                f"entry {self.anchor}", "a heading in its section", "none", selector=self.page.path_of(self.section)
            )
        return found

    def excerpt_of(self) -> list[str]:
        return [
            str(link.get("href"))[1:] for link in self.heading().iter("a") if (link.get("href") or "").startswith("#")
        ]

    def record(self) -> Record:
        page, heading = self.page, self.heading()
        loader = StrictLoader(page, self.section)
        parts, notice = self._parts()
        loader.load_attribute("anchor", self.element, "id")
        loader.load_text("heading", heading)
        loader.load_text("code", heading, _code)
        for column, value in {
            "position": self.position,
            "kind": self.kind,
            "parent_anchor": self.parent,
            "excerpt_of": self.excerpt_of(),
            "related_information": [],
            "other_parts": [],
            "definition_blocks": [],
            "inclusion_blocks": [],
            "exclusion_blocks": [],
        }.items():
            loader.set(column, value)
        self._load_notice(loader, notice)
        loader.set("definition_blocks", parts.pop("definition"))
        loader.set("definition", render(loader.get_output_value("definition_blocks")) or None)
        for column, singular in (("inclusions", "inclusion"), ("exclusions", "exclusion")):
            if (section := self._section_of(column)) is not None:
                rendered = render(parts[column]) or None
                loader.load_text(column, section, lambda _, rendered=rendered: rendered)  # type: ignore[misc]
                loader.set(f"{singular}_blocks", parts[column])
        if (section := self._section_of("related_information")) is not None:
            loader.set("related_information", [_link(page, item) for item in section.iter("li")])
        loader.set(
            "other_parts",
            [
                {"heading": text_of(_heading_of(section)), "text": render(_blocks(section))}
                for section in self._other_sections()
            ],
        )
        text = "\n".join(found for child in self.own if (found := text_of(child)))
        loader.set("text", text)
        loader.set("text_characters", len(text))
        loader.set("text_sha256", content_hash(text))
        record = loader.load_record(load_table("tbs", "definitions"), fragment=self.anchor)
        self._check(record)
        return record

    def issues(self, record: Record) -> Iterator[Record]:
        """The source's own errors in the entry, kept as published."""
        if is_suspect(record["text"]):
            yield issue(
                self.page,
                "truncation_suspected",
                self.anchor,
                "a text that ends as sentences do",
                f"{record['text_characters']} characters",
                record,
            )
        notice = self._notice()
        if notice is None:
            return
        if record["effective_date"] is None:
            yield issue(
                self.page,
                "effective_date_absent",
                self.anchor,
                "an effective date in the legal notice",
                record["legal_notice"],
                record,
            )
        for time in notice.iter("time"):
            written = find_dates(text_of(time), self.page.language)
            attribute = time.get("datetime")
            if written and attribute and written[0].value.isoformat() != attribute:
                yield issue(
                    self.page, "date_attribute_differs", self.anchor, written[0].value.isoformat(), attribute, record
                )

    # --- the parts --------------------------------------------------------------------------------------------

    def _sections(self) -> list[etree._Element]:
        return [child for child in self.own if child.tag == "section"]

    def _section_of(self, part: str) -> etree._Element | None:
        wanted = label(f"definitions.{part}", self.page.language)
        found = [section for section in self._sections() if wanted.matches(text_of(_heading_of(section)))]
        if len(found) > 1:
            raise self.page.drift(
                f"entry {self.anchor}",
                f"one part headed {wanted}",
                str(len(found)),
                selector=self.page.path_of(self.section),
            )
        return found[0] if found else None

    def _other_sections(self) -> list[etree._Element]:
        named = [self._section_of(part) for part in _PARTS]
        return [section for section in self._sections() if section not in named]

    def _notice(self) -> etree._Element | None:
        return next(
            (child for child in self.own if child.tag == "p" and "well" in child.get("class", "").split()), None
        )

    def _parts(self) -> tuple[dict[str, list[Block]], etree._Element | None]:
        notice = self._notice()
        heading = self.heading()
        own = [child for child in self.own if child.tag != "section" and child is not heading and child is not notice]
        parts: dict[str, list[Block]] = {"definition": [block for child in own for block in _block(child)]}
        for part in ("inclusions", "exclusions"):
            section = self._section_of(part)
            parts[part] = _blocks(section) if section is not None else []
        return parts, notice

    def _load_notice(self, loader: StrictLoader, notice: etree._Element | None) -> None:
        if notice is None:
            loader.set("effective_date_reason", "no_legal_notice")
            return
        text = text_of(notice)
        date, reason = effective_date(text, self.page.language)
        loader.load_text("legal_notice", notice)
        if date:
            loader.load_text("effective_date", notice, lambda _: date)
        loader.set("effective_date_reason", reason)

    def _check(self, record: Record) -> None:
        page, path = self.page, record["selector"]
        if record["definition"] is None and not record["inclusions"] and not record["other_parts"]:
            raise page.drift(f"entry {self.anchor}", "a definition text", "none", selector=path)
        if self.kind != "subgroup":
            for part in ("inclusions", "exclusions"):
                if record[part] is None:
                    wanted = label(f"definitions.{part}", page.language)
                    shown = ", ".join(f"«{text_of(_heading_of(section))}»" for section in self._sections()) or "none"
                    raise page.drift(
                        f"entry {self.anchor}",
                        f"a part headed {wanted} with text",
                        f"parts {shown}",
                        selector=path,
                        next_step=wanted.next_step,
                    )
        blocks = record["definition_blocks"] + record["inclusion_blocks"] + record["exclusion_blocks"]
        paragraphs = [(block["text"], path) for block in blocks if block["kind"] == "paragraph"]
        check_not_cut(page, [(record["text"], path), *paragraphs])


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


def _parent(entry: _Entry, by_section: dict[etree._Element, _Entry], by_anchor: dict[str, _Entry]) -> str | None:
    if entry.kind == "subgroup":
        around = (by_section[section] for section in entry.section.iterancestors("section") if section in by_section)
        found = next(around, None)
        if found is None:
            raise entry.page.drift(
                f"entry {entry.anchor}",
                "inside the entry of its group",
                "alone",
                selector=entry.page.path_of(entry.section),
            )
        return found.anchor
    cited = entry.excerpt_of()
    missing = [anchor for anchor in cited if anchor not in by_anchor]
    if missing:
        raise entry.page.drift(
            f"entry {entry.anchor}",
            "an excerpt of entries of this page",
            ", ".join(missing),
            selector=entry.page.path_of(entry.heading()),
        )
    if len(cited) == 1:
        return cited[0]
    # Cited several (SG: SP-SCI and SP-PEB): the entry they share stands above them all.
    parents = {_parent(by_anchor[anchor], by_section, by_anchor) for anchor in cited}
    return parents.pop() if len(parents) == 1 else None


def _check_ids(page: Page, anchored: list[etree._Element]) -> None:
    seen: dict[str, etree._Element] = {}
    for element in anchored:
        first = seen.setdefault(element.get("id", ""), element)
        if first is not element:
            raise page.drift(
                f"id {element.get('id')}",
                "once in the page",
                f"also at {page.path_of(first)}",
                selector=page.path_of(element),
            )


def _check_distinct(page: Page, records: list[Record], twins: frozenset[frozenset[str]]) -> None:
    by_text: dict[str, str] = {}
    for record in records:
        first = by_text.setdefault(record["text_sha256"], record["anchor"])
        if first != record["anchor"] and frozenset((first, record["anchor"])) not in twins:
            raise DuplicateContent(
                "two entries have the same text",
                "distinct texts, but for the known twins",
                f"{first} and {record['anchor']}",
                page.url,
                record["selector"],
            )


def _holds_entry(child: etree._Element) -> bool:
    return child.tag == "section" and any(
        (inner.get("id") or "").startswith("def-") for inner in child if isinstance(inner.tag, str)
    )


def _heading_of(section: etree._Element) -> etree._Element:
    return next((child for child in section if child.tag in HEADINGS), section)


def _blocks(section: etree._Element) -> list[Block]:
    heading = _heading_of(section)
    own = (child for child in section.iterchildren("*") if child is not heading)
    return [block for child in own for block in _block(child)]


def _block(element: etree._Element) -> list[Block]:
    if element.tag in LISTS:
        return list_blocks(element)
    text = text_of(element)
    return [paragraph(text)] if text else []


def _code(heading: str) -> str | None:
    found = _CODE.findall(heading)
    return str(found[-1]) if found else None


def _link(page: Page, item: etree._Element) -> dict[str, str | None]:
    link = item.find(".//a")
    if link is None:
        return {"text": text_of(item), "url": None}
    found = resolve(link.get("href", ""), page.url)
    return {"text": text_of(item), "url": f"{found.url}#{found.fragment}" if found.fragment else found.url}
