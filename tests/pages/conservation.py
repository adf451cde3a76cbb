"""What any successful reading of a page must hold: nothing lost, nothing told twice, nothing moved elsewhere.

Read from the page with lxml alone; texts are compared as counts of their characters but white space.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from lxml import etree, html

from schemas import load_tables
from wiq_crawl.pages.occupational_groups import LINK_COLUMNS, NAME_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wiq_crawl.items import PageRecords, Record

    Element = html.HtmlElement

UNSEEN = "script", "style", "template", "noscript"
# Columns that hold where and when something was read rather than what was read.
WHERE = {"selector", "provenance", "content_sha256", "document_modified", "document_url", "content_characters"}
WHEN = {"fetched_at", "warc_record_id"}


def content(page: PageRecords) -> dict[str, list[Record]]:
    """The records of all tables without the columns of provenance."""
    dropped = WHERE | WHEN
    return {
        name: [{column: value for column, value in record.items() if column not in dropped} for record in records]
        for name, records in page.tables.items()
    }


def opened(page: str) -> Element:
    """Main as a reader sees it: no scripts, no page details."""
    root = html.fromstring(page.encode(), parser=html.HTMLParser(encoding="utf-8", huge_tree=True))
    etree.strip_elements(root, *UNSEEN, etree.Comment, with_tail=False)
    (main,) = root.iter("main")
    for details in main.xpath(".//section[contains(concat(' ', normalize-space(@class), ' '), ' pagedetails ')]"):
        details.drop_tree()
    return main


def characters(*texts: str | None) -> Counter[str]:
    """How often each character but white space stands in the texts."""
    return Counter("".join("".join((text or "").split()) for text in texts))


def of(elements: Iterable[Element]) -> Counter[str]:
    return characters(*(element.text_content() for element in elements))


def broken(page: str, records: PageRecords) -> list[str]:
    """The laws of conservation that a reading breaks."""
    main = opened(page)
    found = [*_broken_outline(main, records)]
    if records.kind == "definitions":
        found += _broken_definitions(main, records.tables["definitions"])
    if records.kind == "occupational_groups":
        found += _broken_rows(main, records.tables["occupational_groups"])
    for name, rows in records.tables.items():
        keys = [tuple(row[column] for column in load_tables("tbs")[name].primary_key) for row in rows]
        if len(set(keys)) != len(keys):
            found.append(f"the keys of {name} are not unique")
    return found


def _broken_outline(main: Element, records: PageRecords) -> Iterable[str]:
    tables = records.tables
    outer = [table for table in main.iter("table") if next(table.iterancestors("table"), None) is None]
    told = characters(*(section["heading"] for section in tables["sections"]))
    told += characters(*(block["text"] for section in tables["sections"] for block in section["blocks"]))
    if told + _twice(main) != of([main]) - of(outer):
        yield f"text of the sections: {_difference(told + _twice(main), of([main]) - of(outer))}"
    cells = {text for table in tables["data_tables"] for row in table["grid"] for text in row}
    notes = characters(*(note for table in tables["data_tables"] for note in table["footnotes"]))
    notes += characters(*(table["caption"] for table in tables["data_tables"]))
    squeezed = {"".join(text.split()) for text in cells}
    for cell in main.iter("td", "th", "caption"):
        if next((around.tag for around in cell.iterancestors("table", "td", "th")), None) != "table":
            continue
        text = "".join(cell.text_content().split())
        if text not in squeezed and characters(text) - notes:
            yield f"text of the cell «{text}»"
    hrefs = Counter(link["href"] for link in tables["links"])
    if hrefs != Counter(link.get("href") for link in main.iter("a") if link.get("href") is not None):
        yield "links"
    anchors = {anchor for section in tables["sections"] for anchor in section["anchors"]}
    if missing := {element.get("id") for element in main.xpath(".//*[string(@id)]")} - anchors:
        yield f"anchors {missing}"


def _twice(main: Element) -> Counter[str]:
    """Headings that say again what the summary just before them says: one section has both."""
    repeated: Counter[str] = Counter()
    for summary in main.iter("summary"):
        after = summary.xpath("following::*[self::h1 or self::h2 or self::h3 or self::h4 or self::h5 or self::h6][1]")
        if after and after[0].text_content().split() == summary.text_content().split():
            repeated += of(after)
    return repeated


def _broken_definitions(main: Element, entries: list[Record]) -> Iterable[str]:
    anchored = [
        element for element in main.xpath(".//*[starts-with(@id, 'def-')]") if element.get("id") != "def-elements"
    ]
    if [entry["anchor"] for entry in entries] != [element.get("id") for element in anchored]:
        yield "anchors of the entries"
    texts = characters(*(entry["text"] for entry in entries))
    texts += characters(*(entry["heading"] for entry in entries if not entry["text"].startswith(entry["heading"])))
    summaries = list(main.iter("summary"))
    if texts + of(summaries) + _twice(main) != of(main.iter("details")):
        yield f"text of the entries: {_difference(texts + of(summaries) + _twice(main), of(main.iter('details')))}"
    for entry in entries:
        told = characters(entry["heading"] if entry["text"].startswith(entry["heading"]) else "", entry["legal_notice"])
        for part in ("definition", "inclusion", "exclusion"):
            told += characters(*(block["text"] for block in entry[f"{part}_blocks"]))
        told += characters(*(link["text"] for link in entry["related_information"]))
        told += characters(*(part["heading"] + part["text"] for part in entry["other_parts"]))
        rest = characters(entry["text"])
        rest.subtract(told)
        # What is left are the headings of the named parts, which the columns’ names stand for.
        if any(count < 0 for count in rest.values()) or rest.total() > 60:
            yield f"parts of {entry['anchor']}: {rest}"


def _broken_rows(main: Element, rows: list[Record]) -> Iterable[str]:
    found = main.xpath(".//table[thead]//tr[not(parent::thead)]")
    if len(found) != len(rows):
        yield f"{len(found)} rows in the page, {len(rows)} read"
    for number, (element, row) in enumerate(zip(found, rows, strict=False), 1):
        told = characters(row["abbreviation"], row["code"])
        empty = []
        for column in NAME_COLUMNS:
            name, code = row[f"{column}_name"], row[f"{column}_code"]
            told += characters(name, code and f"({code})")
            empty.append(name is None)
        for column in LINK_COLUMNS:
            told += characters(row[f"{column}_label"], row[f"{column}_note"])
            empty.append(row[f"{column}_label"] is None)
        written = of([element])
        written.subtract(told)
        if sum(count for count in written.values() if count) > len("N/A ") * sum(empty) or any(
            count < 0 for count in written.values()
        ):
            yield f"cells of row {number}: {written}"
        if len(element.xpath(".//a")) != sum(row[f"{column}_label"] is not None for column in LINK_COLUMNS):
            yield f"links of row {number}"


def _difference(first: Counter[str], second: Counter[str]) -> str:
    return f"too many {dict(first - second)}, too few {dict(second - first)}"
