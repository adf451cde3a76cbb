"""HTML tables as rectangular grids (the table model of https://html.spec.whatwg.org/multipage/tables.html)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from wiq_crawl.pages.text import text_of

if TYPE_CHECKING:
    from lxml import etree

# The specification's own limits.
MAXIMUM_COLUMN_SPAN = 1000
MAXIMUM_ROW_SPAN = 65534


class Grid(NamedTuple):
    """A table after span expansion; every row of ``cells`` has the same length."""

    caption: str | None
    header_rows: int
    cells: list[list[str]]
    footnotes: list[str]


def read_grid(table: etree._Element) -> Grid:
    """Read a table: spans repeated in each slot they cover, short rows filled with empty text.

    A ``tfoot`` row of a single cell is a footnote; with more cells it is data. Nested tables are not
    entered: their text stands in the outer cell, and they have a grid of their own.
    """
    caption = next((text_of(child) for child in table if child.tag == "caption"), "")
    groups = _row_groups(table)
    footnotes: list[str] = []
    body: list[list[list[etree._Element]]] = []
    header_rows = 0
    counting = True
    for tag, rows in groups:
        kept = []
        for row in rows:
            cells = [cell for cell in row if cell.tag in ("td", "th")]
            if tag == "tfoot" and len(cells) == 1:
                footnotes += _footnotes(cells[0])
                continue
            kept.append(cells)
            if counting and (tag == "thead" or (cells and all(cell.tag == "th" for cell in cells))):
                header_rows += 1
            else:
                counting = False
        body.append(kept)
    return Grid(caption or None, header_rows, _expand(body), footnotes)


def _row_groups(table: etree._Element) -> list[tuple[str, list[etree._Element]]]:
    """Rows by row group in display order: ``tfoot`` comes last wherever it is written."""
    groups: list[tuple[str, list[etree._Element]]] = []
    last: list[tuple[str, list[etree._Element]]] = []
    loose: list[etree._Element] = []
    for child in table:
        if child.tag == "tr":
            loose.append(child)
        elif child.tag in ("thead", "tbody", "tfoot"):
            if loose:
                groups.append(("tbody", loose))
                loose = []
            rows = [row for row in child if row.tag == "tr"]
            (last if child.tag == "tfoot" else groups).append((str(child.tag), rows))
    if loose:
        groups.append(("tbody", loose))
    return groups + last


def _expand(groups: list[list[list[etree._Element]]]) -> list[list[str]]:
    grid: list[list[str]] = []
    for rows in groups:
        slots: list[dict[int, str]] = [{} for _ in rows]  # a row span never leaves its row group
        for index, cells in enumerate(rows):
            column = 0
            for cell in cells:
                while column in slots[index]:
                    column += 1
                text = text_of(cell)
                if "colspan" not in cell.attrib and "rowspan" not in cell.attrib:  # nearly every cell
                    slots[index][column] = text
                    column += 1
                    continue
                width = min(max(_span(cell, "colspan"), 1), MAXIMUM_COLUMN_SPAN)
                height = min(_span(cell, "rowspan"), MAXIMUM_ROW_SPAN) or len(rows)
                for row in slots[index : index + height]:
                    for slot in range(column, column + width):
                        row.setdefault(slot, text)
                column += width
        grid += [[row.get(slot, "") for slot in range(max(row, default=-1) + 1)] for row in slots]
    width = max((len(row) for row in grid), default=0)
    return [row + [""] * (width - len(row)) for row in grid]


def _span(cell: etree._Element, name: str) -> int:
    value = cell.get(name)
    if value is None:
        return 1
    value = value.strip()
    return int(value) if value.isascii() and value.isdigit() else 1


def _footnotes(cell: etree._Element) -> list[str]:
    parts = [text_of(part) for part in cell.iter("p", "li")]
    return [part for part in parts if part] or [text for text in [text_of(cell)] if text]
