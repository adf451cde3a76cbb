"""HTML tables as rectangular grids (the table model of https://html.spec.whatwg.org/multipage/tables.html)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from wiq_crawl.pages.blocks import piece_blocks, pieces
from wiq_crawl.pages.text import letters, text_of

if TYPE_CHECKING:
    from lxml import etree

# The specification's own limits.
MAXIMUM_COLUMN_SPAN = 1000
MAXIMUM_ROW_SPAN = 65534

_ROW_GROUPS = ("thead", "tbody", "tfoot")
_PARTS = frozenset({"table", "caption", "tr", "td", "th", *_ROW_GROUPS})


class Grid(NamedTuple):
    """A table after span expansion; every row of ``cells`` has the same length.

    ``letters`` counts the characters but white space that were read, each cell once.
    """

    caption: str | None
    header_rows: int
    cells: list[list[str]]
    footnotes: list[str]
    letters: int


class _Cell(NamedTuple):
    element: etree._Element
    text: str


def read_grid(table: etree._Element) -> Grid:
    """Read a table: spans repeated in each slot they cover, short rows filled with empty text.

    A ``tfoot`` row of a single cell is a footnote; with more cells it is data. Nested tables are not
    entered: their text stands in the outer cell, and they have a grid of their own.
    """
    captions = [text for part in _parts(table) if part.tag == "caption" and (text := text_of(part))]
    read = list(captions)
    footnotes: list[str] = []
    body: list[list[list[_Cell]]] = []
    header_rows = 0
    counting = True
    for tag, rows in _row_groups(table):
        kept = []
        for row in rows:
            cells = [_Cell(part, text_of(part)) for part in _parts(row) if part.tag in ("td", "th")]
            read += [cell.text for cell in cells]
            if tag == "tfoot" and len(cells) == 1:
                footnotes += [block["text"] for piece in pieces(cells[0].element) for block in piece_blocks(piece)]
                continue
            kept.append(cells)
            if counting and (tag == "thead" or (cells and all(cell.element.tag == "th" for cell in cells))):
                header_rows += 1
            else:
                counting = False
        body.append(kept)
    return Grid("\n".join(captions) or None, header_rows, _expand(body), footnotes, letters("".join(read)))


def _parts(element: etree._Element) -> list[etree._Element]:
    """The parts of a table right below an element, whatever else wraps them."""
    found: list[etree._Element] = []
    for child in element:
        if child.tag in _PARTS:
            found.append(child)
        elif len(child) > 0:
            found += _parts(child)
    return found


def _row_groups(table: etree._Element) -> list[tuple[str, list[etree._Element]]]:
    """Rows by row group in display order: ``tfoot`` comes last wherever it is written."""
    groups: list[tuple[str, list[etree._Element]]] = []
    last: list[tuple[str, list[etree._Element]]] = []
    loose: list[etree._Element] = []
    for part in _parts(table):
        if part.tag == "tr":
            loose.append(part)
        elif part.tag in _ROW_GROUPS:
            if loose:
                groups.append(("tbody", loose))
                loose = []
            rows = [row for row in _parts(part) if row.tag == "tr"]
            (last if part.tag == "tfoot" else groups).append((str(part.tag), rows))
    if loose:
        groups.append(("tbody", loose))
    return groups + last


def _expand(groups: list[list[list[_Cell]]]) -> list[list[str]]:
    grid: list[list[str]] = []
    for rows in groups:
        if not any(_spans(cell.element) for cells in rows for cell in cells):  # nearly every table
            grid += [[cell.text for cell in cells] for cells in rows]
            continue
        slots: list[dict[int, str]] = [{} for _ in rows]  # a row span never leaves its row group
        for index, cells in enumerate(rows):
            column = 0
            for cell in cells:
                while column in slots[index]:
                    column += 1
                width = min(max(_span(cell.element, "colspan"), 1), MAXIMUM_COLUMN_SPAN)
                height = min(_span(cell.element, "rowspan"), MAXIMUM_ROW_SPAN) or len(rows)
                for row in slots[index : index + height]:
                    for slot in range(column, column + width):
                        row.setdefault(slot, cell.text)
                column += width
        grid += [[row.get(slot, "") for slot in range(max(row, default=-1) + 1)] for row in slots]
    width = max((len(row) for row in grid), default=0)
    return [row + [""] * (width - len(row)) for row in grid]


def _spans(cell: etree._Element) -> bool:
    return cell.get("colspan") is not None or cell.get("rowspan") is not None


def _span(cell: etree._Element, name: str) -> int:
    value = cell.get(name)
    if value is None:
        return 1
    value = value.strip()
    return int(value) if value.isascii() and value.isdigit() else 1
