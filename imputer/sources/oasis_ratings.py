"""The six OaSIS rating files, melted into one row per profile and descriptor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from imputer.sources.codes import profile_column
from imputer.sources.csv_text import read_sheet
from imputer.sources.oasis_guide import rating_columns
from imputer.sources.oasis_profiles import check_labels, once_each
from imputer.sources.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from imputer.sources.csv_text import Sheet

FIRST = ("OaSIS Code - Final", "OaSIS Label - Final")


def read_oasis_ratings(
    path: Path, source_id: str, domain: str, labels: Mapping[str, str], maximums: Mapping[str, float]
) -> Reading:
    """``oasis_ratings`` of one domain, profile by profile in the order of the file.

    ``labels`` is the list of profiles; ``maximums`` the upper end of each attribute's scale. Values are points of
    that scale, from 1, with 0 for «not applicable». Raises SourceMalformed for any other cell, a blank one too.
    """
    columns = rating_columns()[domain]
    sheet = read_sheet(path, source_id, (*FIRST, *(column.header for column in columns)))
    for column in columns:
        if column.second:
            sheet.note(None, column.header, "header-second-scale", column.header, column.attribute_id)
    profiles = profile_column(sheet, FIRST[0], labels)
    once_each(sheet, FIRST[0], profiles, labels)
    check_labels(sheet, FIRST[1], profiles, labels)
    values = _values(sheet, [maximums[column.attribute_id] for column in columns])
    rows, width = values.shape
    row_of, column_of = np.repeat(np.arange(rows), width), np.tile(np.arange(width), rows)
    table = pa.table(
        {
            "profile": pa.array(profiles).take(row_of),
            "attribute_id": pa.array([column.attribute_id for column in columns]).take(column_of),
            "value": values.ravel(),
            "source_id": pa.repeat(source_id, values.size),
            "source_row": pa.array(row_of + 1, pa.int32()),
            "source_column": pa.array([column.header for column in columns]).take(column_of),
        }
    )
    return Reading(table, tuple(sheet.issues))


def _values(sheet: Sheet, maximums: Sequence[float]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    number = {str(point): float(point) for point in range(10)}
    values = np.array([[number.get(cell, np.nan) for cell in record[2:]] for record in sheet.records])
    wrong = np.argwhere(~(values <= np.array(maximums)))
    if len(wrong):
        row, place = (int(index) for index in wrong[0])
        expected = f"a whole number from 0 to {maximums[place]:.0f}"
        raise sheet.malformed(row + 1, sheet.header[place + 2], expected, repr(sheet.records[row][place + 2]))
    return values
