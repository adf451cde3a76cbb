"""Build all pages of both languages and write them as files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from wiq_crawl.replica.definitions import definitions_page
from wiq_crawl.replica.fixed_facts import LANGUAGES
from wiq_crawl.replica.main_table import main_page
from wiq_crawl.replica.notices import (
    ROBOTS,
    ROBOTS_PATH,
    SITEMAP_PATH,
    STYLE,
    STYLE_PATH,
    plain_page,
    sitemap,
)
from wiq_crawl.replica.pay import agreement_page, bargaining_page, rates_index_page, rates_page
from wiq_crawl.replica.qualifications import qualifications_page
from wiq_crawl.replica.standard_list import standard_list_page
from wiq_crawl.replica.standards import standard_page
from wiq_crawl.replica.template import Page, render

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from wiq_crawl.replica.facts import Document, Facts

HTML_HEADERS: Final[Mapping[str, str]] = {"Content-Type": "text/html;charset=utf-8"}
"""Headers of a page, as the real site sends them."""

DEFAULT_SEED: Final = 2021
"""The seed of the committed bundle."""


_WHOLE_PAGES: Final[dict[str, Callable[[Facts, str, int], Page]]] = {
    "definitions": definitions_page,
    "standard_list": standard_list_page,
    "qualifications": qualifications_page,
    "bargaining": bargaining_page,
    "rates_index": rates_index_page,
}
_PAGES_OF_DOCUMENTS: Final[dict[str, Callable[[Document, Facts, str, int], Page]]] = {
    "standard": standard_page,
    "agreement": agreement_page,
}


@dataclass(frozen=True)
class Resource:
    """What the server answers for one path.

    ``delay`` seconds pass before the answer; ``once`` is answered to the first request instead;
    ``cut`` is the number of bytes after which the connection ends.
    """

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: dict(HTML_HEADERS))
    delay: float = 0.0
    once: Resource | None = None
    cut: int | None = None


Site = dict[str, Resource]


def build_site(facts: Facts, *, seed: int = DEFAULT_SEED) -> Site:
    """Return every page of both languages by its URL path; the same bytes every time."""
    site: Site = {
        ROBOTS_PATH: Resource(ROBOTS.encode(), headers={"Content-Type": "text/plain;charset=utf-8"}),
        SITEMAP_PATH: Resource(sitemap(facts), headers={"Content-Type": "text/xml;charset=utf-8"}),
        STYLE_PATH: Resource(STYLE.encode(), headers={"Content-Type": "text/css;charset=utf-8"}),
    }
    for language in LANGUAGES:
        for document in facts.documents:
            page = _page(document, facts, language, seed)
            site[page.path[language]] = Resource(render(page))
    return site


def write_site(site: Site, folder: Path) -> None:
    """Write the body of every resource below a folder, one file per path."""
    for path, resource in site.items():
        target = folder / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(resource.body)


def _page(document: Document, facts: Facts, language: str, seed: int) -> Page:
    if document.kind == "main":
        return main_page(facts, language)
    if document.kind in _WHOLE_PAGES:
        return _WHOLE_PAGES[document.kind](facts, language, seed)
    if document.kind in _PAGES_OF_DOCUMENTS:
        return _PAGES_OF_DOCUMENTS[document.kind](document, facts, language, seed)
    if document.kind == "rates":
        return rates_page(document, language, seed)
    return plain_page(document, facts, language, seed)
