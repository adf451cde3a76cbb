"""The main page: the table of concordance, one row per group, classification or subgroup."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from schemas import load_table
from wiq_crawl.addresses import resolve
from wiq_crawl.labels import label, main_table_columns
from wiq_crawl.loaders import StrictLoader
from wiq_crawl.pages.issues import issue
from wiq_crawl.pages.text import attributes, collapse, elements, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

    from wiq_crawl.errors import StructureDrift
    from wiq_crawl.items import Record
    from wiq_crawl.pages.page import Page

NAME_COLUMNS = ("occupational_group", "group", "subgroup")
LINK_COLUMNS = main_table_columns()[5:]

# «Air Traffic Control (AI)», «Printing Operations (Supervisory) (PR(S))»: the code is the last parenthesis.
_NAME_AND_CODE = re.compile(r"^(?P<name>.+?)(?P<gap>\s*)\((?P<code>[A-Z]{2,3}(?:-[A-Z]{2,3})?(?:\([A-Za-z-]+\))?)\)$")
_ABBREVIATION = re.compile(r"^[A-Z]{2,3}(-[A-Z]{3})?$")
_CODE = re.compile(r"^$|^\d{3,5}(/\d{3})?$")
# Fragment of the note on standards that are not published (JES in English, NEE in French).
_NOT_PUBLISHED = "jes-nee"


class NameAndCode(NamedTuple):
    """A name cell taken apart; ``spaced`` is False where the source lost the space before the code."""

    name: str | None
    code: str | None
    spaced: bool


def split_name(text: str, not_applicable: bool) -> NameAndCode:  # noqa: FBT001
    """Separate name and code: «Air Traffic Control (AI)» gives «Air Traffic Control» and «AI»."""
    if not_applicable:
        return NameAndCode(None, None, spaced=True)
    match = _NAME_AND_CODE.match(text)
    if match is None:
        return NameAndCode(text, None, spaced=True)
    return NameAndCode(match["name"], match["code"], spaced=bool(match["gap"]))


def row_key(abbreviation: str, anchor: str | None, subgroup_code: str | None, group_code: str | None) -> str:
    """The key that is unique in each language and the same in both: abbreviation/anchor/subgroup/group."""
    return "/".join((abbreviation, anchor or "-", subgroup_code or "-", group_code or "-"))


def read_occupational_groups(page: Page) -> tuple[list[Record], list[Record]]:
    """The table's records and the issues of the source, in page order.

    Raises StructureDrift for any difference in header, row shape, spans, abbreviations, codes or links.
    """
    table = _table(page)
    _check_header(page, table)
    rows = [_Row(page, row, number) for number, row in enumerate(_body_rows(page, table), 1)]
    records = [row.record() for row in rows]
    _check_unique(page, records)
    _check_links(page, table, rows)
    return records, [found for record in records for found in _issues(page, record)]


def _table(page: Page) -> etree._Element:
    tables = elements(page.main, ".//table[thead]")
    if len(tables) != 1:
        raise page.drift(
            "the main table", "exactly one table with a thead in main", str(len(tables)), selector=".//table[thead]"
        )
    table = tables[0]
    for span in ("rowspan", "colspan"):
        spanned = elements(table, f".//*[@{span}]")
        if spanned:
            raise page.drift(
                "a cell spans several rows or columns",
                f"no {span}",
                f"{span}={spanned[0].get(span)!r}",
                selector=page.path_of(spanned[0]),
            )
    return table


def _check_header(page: Page, table: etree._Element) -> None:
    cells = elements(table, "./thead/tr/*")
    wanted = [label(f"header.{column}", page.language) for column in main_table_columns()]
    found = [text_of(cell) for cell in cells]
    for position, (expected, text) in enumerate(zip(wanted, found, strict=False), 1):
        if not expected.matches(text):
            raise page.drift(
                f"header of column {position}",
                str(expected),
                f"«{text}»",
                selector=page.path_of(cells[position - 1]),
                next_step=expected.next_step,
            )
    if len(found) != len(wanted):
        shown = ", ".join(f"«{text}»" for text in found)
        raise page.drift(
            "number of columns", str(len(wanted)), f"{len(found)}: {shown}", selector=page.path_of(table) + "/thead/tr"
        )


def _body_rows(page: Page, table: etree._Element) -> list[etree._Element]:
    rows = elements(table, "./tbody/tr | ./tr")
    if not rows:
        raise page.drift(
            "the main table has no rows",
            "rows in tbody",
            "none",
            selector=page.path_of(table),
            next_step="if the table is filled by script, run with -s WIQ_RENDER=auto",
        )
    known = {*rows, *elements(table, "./thead/tr")}
    for row in table.iter("tr"):
        if row not in known:
            raise page.drift(
                "a row of the main table", "in thead or tbody", "elsewhere in the table", selector=page.path_of(row)
            )
    return rows


class _Row:
    """One body row, cell by cell."""

    def __init__(self, page: Page, row: etree._Element, number: int) -> None:
        self.page = page
        self.number = number
        self.loader = StrictLoader(page, row, row=number)
        columns = main_table_columns()
        cells = [cell for cell in row if isinstance(cell.tag, str)]
        if len(cells) != len(columns) or any(cell.tag != "td" for cell in cells):
            shown = f"{len(cells)}: " + " | ".join(f"<{cell.tag}> {text_of(cell)}" for cell in cells)
            raise page.drift("cells of a row", f"{len(columns)} td", shown, selector=page.path_of(row), row=number)
        self.cells = dict(zip(columns, cells, strict=True))
        self.codes: dict[str, str | None] = {}
        self.anchor: str | None = None
        self.links: list[etree._Element] = []

    def record(self) -> Record:
        loader = self.loader
        loader.set("row_number", self.number)
        abbreviation = self.matching("abbreviation", _ABBREVIATION, "an abbreviation such as AI or SR-CPS")
        loader.load_text("abbreviation", self.cells["abbreviation"])
        if self.matching("code", _CODE, "a code such as 402 or 602/652, or nothing"):
            loader.load_text("code", self.cells["code"])
        for column in NAME_COLUMNS:
            self.name(column)
        for column in LINK_COLUMNS:
            self.link(column)
        key = row_key(abbreviation, self.anchor, self.codes["subgroup"], self.codes["occupational_group"])
        loader.set("row_key", key)
        ids = attributes(loader.element, "descendant-or-self::*/@id")
        return loader.load_record(load_table("tbs", "occupational_groups"), fragment=ids[0] if ids else None)

    def matching(self, column: str, pattern: re.Pattern[str], expected: str) -> str:
        text = text_of(self.cells[column])
        if not pattern.match(text):
            raise self.drift(column, expected, text)
        return text

    def name(self, column: str) -> None:
        cell = self.cells[column]
        text = text_of(cell)
        absent = self.is_not_applicable(text)
        if not text or (absent and column == "occupational_group"):
            raise self.drift(column, "a name", text)
        name, code, _ = split_name(text, absent)
        self.codes[column] = code
        self.loader.load_text(f"{column}_name", cell, lambda _: name)
        self.loader.load_text(f"{column}_code", cell, lambda _: code)

    def link(self, column: str) -> None:
        cell = self.cells[column]
        links = elements(cell, ".//a")
        self.links += links
        if not links:
            if not self.is_not_applicable(text_of(cell)):
                raise self.drift(
                    column, f"one link or {label('cell.not_applicable', self.page.language)}", text_of(cell)
                )
            return
        if len(links) > 1:
            raise self.drift(column, "one link", f"{len(links)} links")
        link = links[0]
        text, href = text_of(link), link.get("href", "").strip()
        if not href:
            raise self.drift(column, "a link with an address", text)
        if not label("cell.link", self.page.language).matches(text):
            raise self.drift(
                column,
                str(label("cell.link", self.page.language)),
                text,
                label("cell.link", self.page.language).next_step,
            )
        found = resolve(href, self.page.url)
        self.loader.load_text(f"{column}_label", link)
        self.loader.load_attribute(f"{column}_url", link, "href", lambda _: _with_fragment(found.url, found.fragment))
        if text_of(cell) != text:
            note = collapse(" ".join(attributes(cell, ".//text()[not(ancestor::a)]")))
            self.loader.load_text(f"{column}_note", cell, lambda _: note)
        if column == "definition":
            self.anchor = found.fragment
            if not (found.fragment or "").startswith("def-"):
                raise self.drift(column, "a link to a #def- fragment", href)
            self.loader.load_attribute("definition_anchor", link, "href", lambda _: found.fragment)
        if column == "job_evaluation_standard":
            self.loader.load_attribute(
                "job_evaluation_standard_published", link, "href", lambda _: found.fragment != _NOT_PUBLISHED
            )

    def is_not_applicable(self, text: str) -> bool:
        return label("cell.not_applicable", self.page.language).matches(text)

    def drift(self, column: str, expected: str, found: str, next_step: str | None = None) -> StructureDrift:
        return self.page.drift(
            f"cell of column {column}",
            expected,
            f"«{found}»",
            selector=self.page.path_of(self.cells[column]),
            row=self.number,
            next_step=next_step,
        )


def _with_fragment(url: str | None, fragment: str | None) -> str | None:
    return f"{url}#{fragment}" if url and fragment else url


def _check_unique(page: Page, records: list[Record]) -> None:
    seen: dict[str, Record] = {}
    for record in records:
        first = seen.setdefault(record["row_key"], record)
        if first is not record:
            raise page.drift(
                "two rows have one key",
                "unique row keys",
                f"{record['row_key']} in rows {first['row_number']} and {record['row_number']}",
                selector=record["selector"],
                row=record["row_number"],
            )


def _check_links(page: Page, table: etree._Element, rows: list[_Row]) -> None:
    read = {link for row in rows for link in row.links}
    for link in elements(table, ".//a[@href]"):
        if link not in read:
            raise page.drift(
                "a link of the main table",
                "in a cell of a link column",
                f"«{text_of(link)}»",
                selector=page.path_of(link),
            )


def _issues(page: Page, record: Record) -> Iterator[Record]:
    """The source's own errors in a row, kept as published."""
    key = record["row_key"]
    abbreviation, code = record["abbreviation"], record["occupational_group_code"]
    if code is None:
        yield issue(
            page,
            "code_absent",
            f"{key}#occupational_group_code",
            "a code in parentheses after the name",
            record["occupational_group_name"],
            record,
        )
    elif not code.startswith(abbreviation):
        yield issue(
            page, "abbreviation_differs", key, f"an abbreviation that begins the code {code}", abbreviation, record
        )
    if record["code"] is None:
        yield issue(page, "code_absent", f"{key}#code", "a code of three to five digits", "", record)
    raw = {value["column"]: value["raw"] for value in record["provenance"]}
    for column in NAME_COLUMNS:
        name, code, written = record[f"{column}_name"], record[f"{column}_code"], raw.get(f"{column}_code")
        if not name or not code or written is None:
            continue
        if name.endswith(f"({code})"):
            yield issue(page, "code_doubled", f"{key}#{column}", "the code once", written, record)
        if not split_name(written, not_applicable=False).spaced:
            yield issue(
                page, "space_missing_before_code", f"{key}#{column}", "a space before the code", written, record
            )
    for column in LINK_COLUMNS:
        label_text, url = record[f"{column}_label"], record[f"{column}_url"]
        if label_text and (url is None or resolve(url, page.url).target == "malformed"):
            found = url or raw[f"{column}_url"] or ""
            yield issue(page, "malformed_link", f"{key}#{column}", "an address that ends in .html", found, record)
