"""The employment outlook (COPS): employment by unit group and year."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa

from imputer.sources.attributes import Attribute, attribute_table
from imputer.sources.csv_text import read_sheet
from imputer.sources.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FIRST = ("Code", "Occupation Name", "Nom de la profession")
YEARS = tuple(str(year) for year in range(2023, 2034))
NOT_AVAILABLE = "N/A"

# Rows that sum up unit groups: all occupations, one TEER category, one broad category, and the sum of the senior
# managers 00011 to 00015, which ESDC publishes under a code of its own.
AGGREGATE = re.compile(r"00000|00018|TEER_[0-5]|NOC1_\d")
_COUNT = re.compile(r"\d+")


def read_outlook(path: Path, source_id: str, names: Mapping[str, tuple[str, str]]) -> Reading:
    """``outlook``: persons employed, one row per unit group and year; null where the file has «N/A».

    The first year is an estimate, the others are projected. Aggregate rows are left out and logged; so are names
    that differ from the NOC structure's (``names``: code to English and French), whose codes count. The publisher
    serves the file in Windows-1252 too. Raises SourceMalformed for an unknown code or a cell that is no count.
    """
    sheet = read_sheet(path, source_id, (*FIRST, *YEARS), legacy_encoding="cp1252")
    codes = sheet.column("Code")
    sheet.unique("Code", codes)
    made: list[tuple[str, str, float | None, int, str]] = []
    for row, (code, record) in enumerate(zip(codes, sheet.records, strict=True), 1):
        if AGGREGATE.fullmatch(code):
            sheet.note(row, "Code", "aggregate-left-out", code, None)
            continue
        if code not in names:
            raise sheet.malformed(row, "Code", "a unit group of the NOC structure, or a known aggregate", repr(code))
        for name, printed, official in zip(FIRST[1:], record[1:3], names[code], strict=True):
            if re.sub(r"\W", "", printed).casefold() != re.sub(r"\W", "", official).casefold():
                sheet.note(row, name, "unit-group-named-otherwise", printed, official)
        for year, cell in zip(YEARS, record[3:], strict=True):
            if cell == NOT_AVAILABLE:
                sheet.note(row, year, "not-available", cell, None)
            elif not _COUNT.fullmatch(cell):
                raise sheet.malformed(row, year, f"a count of persons or {NOT_AVAILABLE}", repr(cell))
            value = None if cell == NOT_AVAILABLE else float(cell)
            made.append((code, f"cops.employment.{year}", value, row, year))
    groups, attributes, values, rows, columns = zip(*made, strict=True)
    table = pa.table(
        {
            "unit_group": pa.array(groups),
            "attribute_id": pa.array(attributes),
            "value": pa.array(values, pa.float64()),
            "source_id": pa.repeat(source_id, len(made)),
            "source_row": pa.array(rows, pa.int32()),
            "source_column": pa.array(columns),
        }
    )
    return Reading(table, tuple(sheet.issues))


def outlook_attributes() -> pa.Table:
    """The catalogue rows of the outlook: employment in each year. Counts of persons are never imputed."""
    return attribute_table(
        Attribute(
            attribute_id=f"cops.employment.{year}",
            system="COPS",
            domain="employment",
            element_id=None,
            name_en=f"Employment, {year}",
            name_fr=f"Emploi, {year}",
            scale_id="persons",
            minimum=0.0,
            imputable=False,
        )
        for year in YEARS
    )
