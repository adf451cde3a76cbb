"""Pages: HTML in, records out. No engine, no network.

Floors, imports run downward only::

    __init__                                      read_page: any page as the records of its kind
    probe                                         labels compared with a page, label by label
    occupational_groups · definitions · standards    one page kind each
    definition_entries                            one entry of the definitions page
    contract · sections                           what every page obeys; any page as sections, tables and links
    issues · data_tables · dates
    page                                          an opened page
    blocks                                        text as paragraphs and list items
    text                                          text out of markup

``wiq_crawl.loaders`` stands on ``page``, below the page kinds.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from wiq_crawl.addresses import kind_of, same_path
from wiq_crawl.items import PageRecords, Record
from wiq_crawl.pages.contract import alternate_url, is_suspect, open_page
from wiq_crawl.pages.issues import issue
from wiq_crawl.pages.page import Page, metadata
from wiq_crawl.pages.sections import read_outline
from wiq_crawl.pages.standards import standard_issues
from wiq_crawl.pages.text import attributes, collapse, text_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from wiq_crawl.errors import StructureDrift
    from wiq_crawl.pages.sections import Outline

__all__ = ["Fetched", "Known", "open_page", "read_page"]


@dataclass(frozen=True, slots=True)
class Fetched:
    """How a page came: when, under which archive record, and whether a browser rendered it."""

    at: str = field(default_factory=lambda: datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    record_id: str = "file"
    rendered: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the source beforehand: pairs of entries with one text, fragments that are missing."""

    twins: frozenset[frozenset[str]] = frozenset()
    missing_fragments: frozenset[tuple[str, str]] = frozenset()


def read_page(
    html: str,
    url: str,
    *,
    language: str,
    kind: str | None = None,
    depth: int = 0,
    fragments: Collection[str] = (),
    known: Known = Known(),
    fetched: Fetched | None = None,
) -> PageRecords:
    """Every record of a page.

    ``fragments`` are those the main table points at: each must lead to something here. Raises the
    drifts of ``wiq_crawl.errors``.
    """
    kind = kind or kind_of(url)
    page = open_page(html, url, language=language, kind=kind, depth=depth)
    outline = read_outline(page)
    found = PageRecords(url, language, kind, depth)
    anchors = Counter(attributes(page.main, ".//@id"))
    anchor_issues = list(_anchor_issues(page, anchors, fragments, known))
    issues: list[Record] = []
    # Item loaders bring all of Scrapy along: only who reads one of the two pages that use them pays for it.
    if kind == "occupational_groups":
        from wiq_crawl.pages.occupational_groups import read_occupational_groups  # noqa: PLC0415 (see above)

        found.tables["occupational_groups"], issues = read_occupational_groups(page)
        _name_columns(outline.links, found.tables["occupational_groups"])
    elif kind == "definitions":
        from wiq_crawl.pages.definitions import read_definitions  # noqa: PLC0415 (see above)

        found.tables["definitions"], issues = read_definitions(page, twins=known.twins)
    elif kind == "job_evaluation_standard":
        issues = list(standard_issues(page, outline))
    _check_fragments(page, anchors, outline, fragments)
    issues += anchor_issues
    issues += _text_issues(page, outline)
    found.tables |= {
        "documents": [_document(page, fragments, fetched or Fetched())],
        "sections": outline.sections,
        "data_tables": outline.data_tables,
        "links": outline.links,
        "issues": issues,
    }
    return found


def _document(page: Page, fragments: Collection[str], fetched: Fetched) -> Record:
    title = page.root.find("head/title")
    return {
        "url": page.url,
        "language": page.language,
        "kind": page.kind,
        "depth": page.depth,
        "title": text_of(title) if title is not None else "",
        "heading": page.heading,
        "description": metadata(page.root, "description"),
        "creator": metadata(page.root, "dcterms.creator"),
        "issued": metadata(page.root, "dcterms.issued"),
        "modified": page.modified,
        "modified_source": page.modified_source,
        "alternate_url": collapse(alternate_url(page)) or None,
        "archived": page.archived,
        "referenced_fragments": sorted(fragments),
        "content_sha256": page.content_sha256,
        "content_characters": len(page.text),
        "rendered": fetched.rendered,
        "fetched_at": fetched.at,
        "warc_record_id": fetched.record_id,
    }


def _name_columns(links: list[Record], rows: list[Record]) -> None:
    """Say which column of the main table a link stands in: the rows know where they read their addresses."""
    columns = {
        value["selector"]: value["column"].removesuffix("_url")
        for row in rows
        for value in row["provenance"]
        if value["column"].endswith("_url")
    }
    for link in links:
        link["table_column"] = columns.get(f"{link['selector']}/@href")


def _anchor_issues(page: Page, counts: Counter[str], fragments: Collection[str], known: Known) -> Iterator[Record]:
    """Each fragment the main table points at stands in the page, and no id stands in it twice."""
    place = page.provenance_of(page.main, None)
    for fragment in sorted(fragments):
        if counts[fragment]:
            continue
        if any(same_path(path, page.url) and fragment == name for path, name in known.missing_fragments):
            address = f"{page.url}#{fragment}"
            yield issue(page, "fragment_missing_known", address, f"an element with id {fragment}", "none", place)
            continue
        raise _fragment_drift(
            page,
            fragment,
            "exactly one element with this id",
            "0",
            "if the source lacks it for good, list it under known.missing_fragment in expectations.toml",
        )
    for anchor, count in counts.items():
        if count > 1:
            yield issue(page, "duplicate_anchor", f"{page.url}#{anchor}", "once", f"{count} times", place)


def _check_fragments(page: Page, counts: Counter[str], outline: Outline, fragments: Collection[str]) -> None:
    """Each fragment the main table points at leads to one place, with text or a table."""
    filled = _anchors_with_content(outline) if fragments else frozenset()
    for fragment in sorted(fragments):
        if counts[fragment] > 1:
            raise _fragment_drift(page, fragment, "exactly one element with this id", str(counts[fragment]))
        if counts[fragment] and fragment not in filled:
            raise _fragment_drift(page, fragment, "text or a table under it", "nothing")


def _fragment_drift(
    page: Page, fragment: str, expected: str, found: str, next_step: str | None = None
) -> StructureDrift:
    return page.drift(
        f"fragment #{fragment}, which the main table points at",
        expected,
        found,
        selector=f"//*[@id='{fragment}']",
        next_step=next_step,
    )


def _anchors_with_content(outline: Outline) -> frozenset[str]:
    """Anchors whose section, or a section below it, has text or a table."""
    with_table = {table["section_id"] for table in outline.data_tables}
    filled: set[str] = set()
    for number, section in enumerate(outline.sections):
        below = [section]
        for other in outline.sections[number + 1 :]:
            if other["path"][: len(section["path"])] != section["path"]:
                break
            below.append(other)
        if any(other["text"] or other["section_id"] in with_table for other in below):
            filled.update(section["anchors"])
    return frozenset(filled)


def _text_issues(page: Page, outline: Outline) -> Iterator[Record]:
    for word in dict.fromkeys(page.glued_words):
        yield issue(page, "glued_word", f"{page.url}#{word}", "two words", word, page.provenance_of(page.main, None))
    for section in outline.sections:
        if is_suspect(section["text"]):
            yield issue(
                page,
                "truncation_suspected",
                section["section_id"],
                "a text that ends as sentences do",
                f"{len(section['text'])} characters",
                section,
            )
