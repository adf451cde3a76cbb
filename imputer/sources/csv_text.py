"""CSV opened strictly: UTF-8 with or without a byte order mark, CRLF or LF, the expected header, as wide as its header.

Every cell is text; nothing is guessed, converted or filled. What is repaired (padding of headers and cells) is
noted as an issue; what no rule knows raises SourceMalformed.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imputer.errors import SourceMalformed, SourceMissing
from imputer.sources.reading import DataIssue

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

# What no text file of these publishers holds: control characters, a second byte order mark, lost characters.
_IMPOSSIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff\ufffd]")


@dataclass(slots=True)
class Sheet:
    """A file's records as published, and the repairs made so far.

    ``records[n - 1]`` is the record with source row n; ``header`` holds the normalised column names, or the names
    that ``variants`` gave them. Where only some records of the file are held, ``rows`` gives the source row of each.
    """

    source_id: str
    file: str
    header: tuple[str, ...]
    records: list[list[str]]
    issues: list[DataIssue] = field(default_factory=list)
    rows: list[int] | None = None

    def column(self, name: str) -> list[str]:
        """The cells of one column as published."""
        place = self.header.index(name)
        return [record[place] for record in self.records]

    def note(self, row: int | None, column: str | None, rule: str, before: str | None, after: str | None) -> None:
        """Log what a named rule made of one cell; ``row`` counts the records held."""
        self.issues.append(DataIssue(self.source_id, self.file, self._source_row(row), column, rule, before, after))

    def malformed(self, row: int | None, column: str | None, expected: str, found: str) -> SourceMalformed:
        """The error for an anomaly that no rule knows."""
        return malformed(self.file, self._source_row(row), column, expected, found)

    def _source_row(self, row: int | None) -> int | None:
        return self.rows[row - 1] if self.rows and row else row

    def text(self, name: str, rule: str = "whitespace") -> list[str]:
        """The cells of one column on one line each, without padding; repairs are logged under ``rule``."""
        return self._repaired(name, one_line, rule)

    def paragraphs(self, name: str, rule: str = "whitespace") -> list[str]:
        """As ``text``, but blank lines between paragraphs stay."""
        return self._repaired(name, _paragraphs, rule)

    def _repaired(self, name: str, repair: Callable[[str], str], rule: str) -> list[str]:
        cells = self.column(name)
        for place, cell in enumerate(cells):
            clean = repair(cell)
            if clean != cell:
                self.note(place + 1, name, rule, cell, clean)
                cells[place] = clean
        return cells

    def required(self, name: str) -> list[str]:
        """As ``text``; raises SourceMalformed where a cell is blank."""
        cells = self.text(name)
        self._none_blank(name, cells)
        return cells

    def required_paragraphs(self, name: str) -> list[str]:
        """As ``paragraphs``; raises SourceMalformed where a cell is blank."""
        cells = self.paragraphs(name)
        self._none_blank(name, cells)
        return cells

    def _none_blank(self, name: str, cells: Sequence[str]) -> None:
        if "" in cells:
            raise self.malformed(cells.index("") + 1, name, "text", "a blank cell")

    def optional(self, name: str) -> list[str | None]:
        """As ``text``, with None for a blank cell."""
        return [cell or None for cell in self.text(name)]

    def codes(self, name: str, pattern: re.Pattern[str], expected: str) -> list[str]:
        """The cells of a column of codes as published; raises SourceMalformed where one has another shape."""
        cells = self.column(name)
        for row, cell in enumerate(cells, 1):
            if not pattern.fullmatch(cell):
                raise self.malformed(row, name, expected, repr(cell))
        return cells

    def among(self, name: str, cells: Sequence[str], known: Collection[str], expected: str) -> None:
        """Raise SourceMalformed at the first cell that is not one of the known."""
        for row, cell in enumerate(cells, 1):
            if cell not in known:
                raise self.malformed(row, name, expected, repr(cell))

    def unique(self, name: str, cells: Sequence[str]) -> None:
        """Raise SourceMalformed at the first cell that repeats an earlier one."""
        if len(set(cells)) == len(cells):
            return
        seen: dict[str, int] = {}
        for row, cell in enumerate(cells, 1):
            if cell in seen:
                raise self.malformed(row, name, "each value once", f"{cell!r}, as in row {seen[cell]}")
            seen[cell] = row


def malformed(file: str, row: int | None, column: str | None, expected: str, found: str) -> SourceMalformed:
    """The error for an anomaly that no rule knows, with its place and what to do."""
    return SourceMalformed(
        "an input file holds what no rule knows",
        expected,
        found,
        url=file,
        row=row,
        selector=f"column {column!r}" if column else None,
        next_step="compare it with the published file: `imputer sources verify`",
    )


def read_sheet(
    path: Path,
    source_id: str,
    header: Sequence[str],
    *,
    variants: Mapping[str, str] | None = None,
    legacy_encoding: str | None = None,
) -> Sheet:
    """Open a CSV file whose header must be ``header`` once spaces and non-breaking spaces are normalised.

    ``variants`` maps headers that are known misprints to the expected ones; ``legacy_encoding`` is what the publisher
    also serves the file in. Raises SourceMissing and SourceMalformed.
    """
    sheet = Sheet(source_id, path.name, tuple(header), [])
    text = _text(path, sheet, legacy_encoding)
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        _check_header(sheet, next(rows, []), header, variants or {})
        sheet.records = list(rows)
    except csv.Error as error:
        expected = "quoted text that ends, one record after the other"
        raise malformed(path.name, None, None, expected, f"{error} in line {rows.line_num}") from error
    for row, record in enumerate(sheet.records, 1):
        if len(record) != len(header):
            raise malformed(path.name, row, None, f"{len(header)} cells", f"{len(record)} cells")
    if not sheet.records:
        raise malformed(path.name, None, None, "records below the header", "none")
    return sheet


def one_line(text: str) -> str:
    """Text without padding, every run of white space (line breaks and non-breaking spaces too) one space."""
    return " ".join(text.split())


def _paragraphs(text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "\n\n".join(filter(None, map(one_line, re.split(r"\n[ \t]*\n", lines))))


def _text(path: Path, sheet: Sheet, legacy_encoding: str | None) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise SourceMissing(
            "an input file is not there", url=str(path), next_step="get it with `imputer sources fetch`"
        ) from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if legacy_encoding is None:
            line = content.count(b"\n", 0, error.start) + 1
            found = f"byte 0x{content[error.start]:02x} in line {line}"
            raise malformed(path.name, None, None, "UTF-8 text", found) from error
        text = content.decode(legacy_encoding)
        sheet.note(None, None, "legacy-encoding", legacy_encoding, "utf-8")
    impossible = _IMPOSSIBLE.search(text)
    if impossible:
        line = text.count("\n", 0, impossible.start()) + 1
        raise malformed(path.name, None, None, "printable text", f"{impossible.group()!r} in line {line}")
    return text


def _check_header(sheet: Sheet, found: Sequence[str], expected: Sequence[str], variants: Mapping[str, str]) -> None:
    if len(found) != len(expected):
        raise malformed(sheet.file, None, None, f"{len(expected)} columns", f"{len(found)}: {', '.join(found)[:200]!r}")
    for name, wanted in zip(found, expected, strict=True):
        clean = one_line(name)
        if clean != name:
            sheet.note(None, wanted, "header-whitespace", name, clean)
        if clean == wanted:
            continue
        if variants.get(clean) != wanted:
            raise malformed(sheet.file, None, None, f"the header {wanted!r}", repr(name))
        sheet.note(None, wanted, "header-misprint", clean, wanted)
