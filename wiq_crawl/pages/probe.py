"""Labels compared with a page, one by one: what to confirm or correct in ``labels.toml``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wiq_crawl.addresses import resolve
from wiq_crawl.labels import Label, labels, main_table_columns
from wiq_crawl.pages.page import parse_html
from wiq_crawl.pages.text import elements, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from lxml import etree

_FIRST_LINK_CELL = 6


@dataclass(frozen=True, slots=True)
class Observation:
    """One label and what the page says in its place; ``found`` is empty where the place itself is missing."""

    label: Label
    url: str
    found: tuple[str, ...]
    matches: bool

    @property
    def shown(self) -> tuple[str, ...]:
        """What to show a person: the texts that match, or all of them where none does."""
        return tuple(text for text in self.found if self.label.matches(text)) or self.found

    @property
    def verdict(self) -> str:
        """What it means for the labels file."""
        if self.matches:
            return "as expected" if self.label.confirmed else "matches: set confirmed = true"
        return "differs" if self.found else "not found"


def observe(html: str, url: str, *, language: str, kind: str) -> list[Observation]:
    """Compare the labels of a page kind with a page; never raises for a page that differs."""
    root = parse_html(html)
    main = next(iter(root.iter("main")), root)
    wanted = labels(language)
    seen: list[Observation] = []

    def compare(key: str, found: list[str], *, every: bool = False) -> None:
        if key in wanted:
            texts = tuple(dict.fromkeys(text for text in found if text))
            judged = [wanted[key].matches(text) for text in texts]
            seen.append(Observation(wanted[key], url, texts, bool(judged) and (all(judged) if every else any(judged))))

    compare(f"h1.{kind}", [text_of(heading) for heading in main.iter("h1")])
    if kind == "occupational_groups":
        _observe_table(main, compare)
    elif kind == "definitions":
        headings = [text_of(heading) for heading in elements(main, ".//section/*[self::h4 or self::h5][not(@id)]")]
        for part in ("inclusions", "exclusions", "related_information", "skilled_trades"):
            compare(f"definitions.{part}", headings)
        compare(
            "definitions.in_effect", [text_of(notice) for notice in elements(main, ".//p[contains(@class, 'well')]")]
        )
    elif kind == "job_evaluation_standard":
        compare("standards.amendments", [text_of(heading) for heading in elements(main, ".//h2 | .//h3 | .//summary")])
        compare("standards.in_effect", [text_of(paragraph) for paragraph in main.iter("p")])
    return seen


def linked_documents(html: str, url: str, columns: Collection[str]) -> dict[str, set[str]]:
    """Documents that the main table's link cells lead to, by the position of the column alone."""
    names = main_table_columns()
    documents: dict[str, set[str]] = {}
    for link in elements(parse_html(html), "//main//table//tr/td//a[@href]"):
        cell = next(link.iterancestors("td"))
        position = len(list(cell.itersiblings("td", preceding=True)))
        found = resolve(link.get("href", ""), url)
        if position < len(names) and names[position] in columns and found.url and found.target == "tbs_document":
            documents.setdefault(found.url, set())
    return documents


def _observe_table(main: etree._Element, compare: Callable[..., None]) -> None:
    headers = [text_of(cell) for cell in elements(main, ".//table/thead/tr/*")]
    for position, column in enumerate(main_table_columns()):
        compare(f"header.{column}", headers[position : position + 1])
    cells = elements(main, f".//table/tbody/tr/td[position() >= {_FIRST_LINK_CELL}]")
    compare("cell.link", [text_of(link) for cell in cells for link in cell.iter("a")], every=True)
    compare("cell.not_applicable", [text_of(cell) for cell in cells if cell.find(".//a") is None], every=True)
