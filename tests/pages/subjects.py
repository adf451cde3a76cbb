"""The pages that tests change: the small replica’s, and the real captures where they are at hand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from page_mutations import Page

from wiq_crawl.addresses import BASE_URL, kind_of
from wiq_crawl.errors import StructureDrift
from wiq_crawl.expectations import load_expectations
from wiq_crawl.pages import Known, read_page
from wiq_crawl.replica.facts import SMALL, load_facts
from wiq_crawl.replica.page_edits import PATHS
from wiq_crawl.replica.site import build_site

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wiq_crawl.items import PageRecords

CAPTURES = Path(__file__).parents[3] / "shared" / "data" / "tbs" / "captures"
RECORDED = {"main real": "occupational-groups.en.html", "definitions real": "definitions.en.html"}


@dataclass(frozen=True)
class Subject:
    """A page that is changed, and how it is read."""

    url: str
    text: str
    page: Page
    arguments: Mapping[str, Any]
    records: PageRecords

    def read(self, text: str, **other: object) -> PageRecords:
        arguments: dict[str, Any] = {**self.arguments, **other}
        return read_page(text, self.url, **arguments)

    def attempt(self, text: str) -> PageRecords | StructureDrift:
        try:
            return self.read(text)
        except StructureDrift as drift:
            return drift


@cache
def subject(name: str) -> Subject:
    kind, _, edition = name.partition(" ")
    language = "fr" if edition == "fr" else "en"
    url = BASE_URL + PATHS[kind][language]
    text = served(kind, edition, language)
    expected = load_expectations()
    arguments = {
        "language": language,
        "kind": kind_of(url),
        "depth": 1,
        "fragments": fragments(url, edition, language),
        "known": Known(expected.twins, expected.missing_fragments),
    }
    return Subject(url, text, Page(text), arguments, read_page(text, url, **arguments))


def served(kind: str, edition: str, language: str) -> str:
    if edition == "real":
        return (CAPTURES / RECORDED[f"{kind} real"]).read_text(encoding="utf-8")
    return build_site(load_facts(SMALL))[PATHS[kind][language]].body.decode()


def fragments(url: str, edition: str, language: str) -> list[str]:
    """What the main table points at in the page."""
    start = BASE_URL + PATHS["main"][language]
    links = read_page(served("main", edition, language), start, language=language).tables["links"]
    return sorted({link["target_fragment"] for link in links if link["url"] == url != start} - {None})
