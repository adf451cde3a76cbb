"""The definitions page: for each anchor its own text only, and no text outside the entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wiq_crawl.errors import DuplicateContent
from wiq_crawl.pages.definition_entries import Entry
from wiq_crawl.pages.text import elements, letters, text_of

if TYPE_CHECKING:
    from lxml import etree

    from wiq_crawl.items import Record
    from wiq_crawl.pages.page import Page

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
    sections = _sections(page, anchored)
    entries = {section: Entry(page, element, section, sections) for section, element in sections.items()}
    _check_details(page, entries)
    records, issues = [], []
    for position, entry in enumerate(entries.values(), 1):
        records.append(entry.record(position, _parent(entry, entries)))
        issues += list(entry.issues(records[-1]))
    _check_distinct(page, records, twins)
    return records, issues


def _sections(page: Page, anchored: list[etree._Element]) -> dict[etree._Element, etree._Element]:
    """The section of each anchored element, in page order; none serves two."""
    sections: dict[etree._Element, etree._Element] = {}
    for element in anchored:
        section = next(element.iterancestors("section"), None)
        if section is None or section in sections:
            found = "no section around it" if section is None else f"in the section of {sections[section].get('id')}"
            raise page.drift(
                f"entry {element.get('id')}", "in a section of its own", found, selector=page.path_of(element)
            )
        sections[section] = element
    return sections


def _parent(entry: Entry, entries: dict[etree._Element, Entry]) -> str | None:
    """The entry around a subgroup; for a classification the entry it is an excerpt of."""
    cited = entry.excerpt_of()
    if entry.kind == "subgroup":
        return next(entries[around].anchor for around in entry.section.iterancestors("section") if around in entries)
    if not cited:
        return None
    by_anchor = {other.anchor: other for other in entries.values()}
    full = [by_anchor[anchor] for anchor in cited if anchor in by_anchor]
    if len(full) != len(cited) or any(other.kind == "classification" for other in full):
        raise entry.drift("an excerpt of groups or subgroups of this page", ", ".join(cited), entry.heading)
    if len(full) == 1:
        return full[0].anchor
    # Cited several (SG: SP-SCI and SP-PEB): the entry they share stands above them all.
    parents = {_parent(other, entries) for other in full}
    if len(parents) != 1 or None in parents:
        raise entry.drift("an excerpt of subgroups of one group", ", ".join(cited), entry.heading)
    return parents.pop()


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


def _check_details(page: Page, entries: dict[etree._Element, Entry]) -> None:
    """Each details holds one group or classification, and no text but its summary and its entries."""
    inside: dict[etree._Element, list[Entry]] = {details: [] for details in page.main.iter("details")}
    for entry in entries.values():
        inside[next(entry.section.iterancestors("details"))].append(entry)
    for details, held in inside.items():
        selector = page.path_of(details)
        first = next(details.iterchildren("*"), details)
        name = text_of(first) if first.tag == "summary" else ""
        if not name or len(elements(details, ".//summary")) != 1:
            raise page.drift("details", "one summary with text at its beginning", f"«{name}»", selector=selector)
        heads = [entry.anchor for entry in held if entry.kind != "subgroup"]
        if len(heads) != 1:
            found = ", ".join(heads) or "none"
            raise page.drift(f"details «{name}»", "one group or classification", found, selector=selector)
        repeated = [name for heading in details.iter("h2") if text_of(heading) == name]
        expected = letters(text_of(details))
        told = sum(map(letters, [name, *repeated])) + sum(entry.letters for entry in held)
        if expected != told:
            raise page.drift(
                f"details «{name}»",
                f"{expected} characters in its summary and its entries",
                f"{told}: text stands outside the entries or in two of them",
                selector=selector,
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
