"""The facts a replica is built from: rows, anchors, list entries and documents.

``load_facts`` reads the small selection committed beside this module; ``facts_from_recorded`` reads
the full scale from a folder of recorded data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urldefrag

from wiq_crawl.replica.fixed_facts import LANGUAGES
from wiq_crawl.replica.recorded_facts import recorded_document
from wiq_crawl.replica.shapes import list_items, parse_shape

SMALL: Final = Path(__file__).with_name("small_facts.json")
"""The committed facts: few rows that show every peculiarity of the pages."""

COLUMNS: Final = (
    "definition",
    "standard",
    "qualification",
    "bargaining",
    "agreement",
    "rates_represented",
    "rates_unrepresented",
)
"""Link columns of the main table, from left to right."""

Bilingual = Mapping[str, str]


@dataclass(frozen=True)
class Row:
    """One row of the main table; names are ``None`` where the cell says not applicable."""

    abbreviation: str
    code: Bilingual
    group: Bilingual
    classification: Bilingual | None
    subgroup: Bilingual | None
    cell_id: str | None
    first_of_group: bool
    first_of_classification: bool
    order: Mapping[str, int]
    links: Mapping[str, Bilingual]
    qualification_label: str
    notes: Mapping[str, tuple[str, ...]]

    def fragment(self, column: str) -> str:
        """Return the English fragment linked in a column, or an empty text."""
        link = self.links.get(column)
        return urldefrag(link["en"]).fragment if link else ""


@dataclass(frozen=True)
class NoticeDate:
    """A date of a legal notice: the datetime attribute, if any, and the day printed."""

    attribute: str | None
    shown: str


@dataclass(frozen=True)
class Related:
    """A link under related information: both addresses, both titles, and its date if any."""

    path: Bilingual
    title: Bilingual
    date: str | None


@dataclass(frozen=True)
class Anchor:
    """One entry of the definitions page."""

    identifier: str
    element: str
    heading: Bilingual
    excerpt_of: tuple[str, ...]
    shape: str
    dates: tuple[NoticeDate, ...]
    summary_id: str | None
    summary: Bilingual | None
    related: tuple[Related, ...]

    def item_count(self, section: str) -> int:
        """Return the items under ``inclusions`` or ``exclusions``; 0 no section, -1 no list."""
        return list_items(self.shape, {"inclusions": "Ii", "exclusions": "Ee"}[section])

    def paragraphs(self) -> int:
        """Return how many paragraphs the entry has of its own, sections aside."""
        return sum(part.kind in {"notice", "paragraph"} for part in parse_shape(self.shape))


@dataclass(frozen=True)
class Qualification:
    """One entry of the qualification standards page."""

    fragment: str
    name: Bilingual


@dataclass(frozen=True)
class Document:
    """One page: what kind it is, where it is, what its heading says, and its code if it has one."""

    kind: str
    path: Bilingual
    title: Bilingual
    code: str = ""
    date: str | None = None
    list_name: Bilingual | None = None


@dataclass(frozen=True)
class Counts:
    """Numbers that a crawl of the pages must find again."""

    rows: int
    links: Mapping[str, int]
    distinct_links: int
    anchors: int
    details: int
    qualifications: int
    linked_documents: Mapping[str, int]
    default_documents: Mapping[str, int]
    second_documents: Mapping[str, int]


@dataclass(frozen=True)
class Facts:
    """All facts of one scale."""

    rows: tuple[Row, ...]
    anchors: tuple[Anchor, ...]
    qualifications: tuple[Qualification, ...]
    documents: tuple[Document, ...]

    def of_kind(self, kind: str) -> tuple[Document, ...]:
        """Return the documents of one kind in their recorded order."""
        return tuple(document for document in self.documents if document.kind == kind)

    def only(self, kind: str) -> Document:
        """Return the one document of a kind."""
        (document,) = self.of_kind(kind)
        return document

    def rows_in_order(self, language: str) -> list[Row]:
        """Return the rows as the page of a language lists them."""
        return sorted(self.rows, key=lambda row: row.order[language])

    def linked(self, language: str, columns: tuple[str, ...] = COLUMNS) -> list[str]:
        """Return every link of some columns, row by row."""
        return [
            row.links[column][language]
            for row in self.rows_in_order(language)
            for column in columns
            if column in row.links
        ]

    @property
    def counts(self) -> Counts:
        """The numbers of rows, links, anchors and documents."""
        linked = {language: {urldefrag(href).url for href in self.linked(language)} for language in LANGUAGES}
        near = {
            language: {urldefrag(href).url for href in self.linked(language, COLUMNS[:3])} for language in LANGUAGES
        }
        known = {language: {document.path[language] for document in self.documents} for language in LANGUAGES}
        main = self.only("main").path
        return Counts(
            rows=len(self.rows),
            links={column: sum(column in row.links for row in self.rows) for column in COLUMNS},
            distinct_links=len(set(self.linked("en"))),
            anchors=len(self.anchors),
            details=sum(anchor.summary_id is not None for anchor in self.anchors),
            qualifications=len(self.qualifications),
            linked_documents={language: len(linked[language]) for language in LANGUAGES},
            default_documents={language: len(near[language]) for language in LANGUAGES},
            second_documents={
                language: len(known[language] - near[language] - {main[language]}) for language in LANGUAGES
            },
        )


def load_facts(path: Path = SMALL) -> Facts:
    """Return the facts of a JSON file such as the committed one."""
    return _facts(json.loads(path.read_text(encoding="utf-8")))


def facts_from_recorded(folder: Path) -> Facts:
    """Return the facts of a folder of recorded data: the full scale of 217 rows."""
    return _facts(recorded_document(folder))


def _facts(document: Mapping[str, Any]) -> Facts:
    return Facts(
        rows=tuple(_row(row) for row in document["rows"]),
        anchors=tuple(_anchor(anchor) for anchor in document["anchors"]),
        qualifications=tuple(Qualification(**entry) for entry in document["qualifications"]),
        documents=tuple(Document(**entry) for entry in document["documents"]),
    )


def _row(row: Mapping[str, Any]) -> Row:
    return Row(**{**row, "notes": {column: tuple(lines) for column, lines in row["notes"].items()}})


def _anchor(anchor: Mapping[str, Any]) -> Anchor:
    return Anchor(
        **{
            **anchor,
            "excerpt_of": tuple(anchor["excerpt_of"]),
            "dates": tuple(NoticeDate(**date) for date in anchor["dates"]),
            "related": tuple(Related(**link) for link in anchor["related"]),
        },
    )
