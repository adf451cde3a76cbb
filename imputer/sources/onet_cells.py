"""The cells of O*NET tables: each column as its type, or SourceMalformed at the first cell that no rule knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Mapping

    from imputer.sources.onet_layout import RawTable

SOURCE_IDS = {
    "occupation_data": "onet_occupations",
    "scales_reference": "onet_scales",
    "task_statements": "onet_tasks",
    "education_training_and_experience": "onet_education",
    "education_training_experience": "onet_education",
    "education_training_and_experience_categories": "onet_education_categories",
    "ete_categories": "onet_education_categories",
}


def source_id(table: str) -> str:
    """The registry's id of an O*NET table."""
    return SOURCE_IDS.get(table, f"onet_{table}")


def columns(raw: RawTable, expected: Mapping[str, bool]) -> dict[str, pa.ChunkedArray]:
    """The table's columns, null where an optional one is not there (``expected``: name to whether required).

    Raises SourceMalformed where a required one is missing or one is unknown.
    """
    found = set(raw.cells.column_names)
    missing = [name for name, required in expected.items() if required and name not in found]
    unknown = sorted(found - set(expected))
    if missing or unknown:
        wrong = [f"without {', '.join(missing)}"] if missing else []
        wrong += [f"with {', '.join(unknown)}"] if unknown else []
        raise raw.malformed(None, None, f"the columns {', '.join(expected)}", " and ".join(wrong))
    nothing = pa.chunked_array([pa.nulls(raw.cells.num_rows, pa.string())])
    return {name: raw.cells[name] if name in found else nothing for name in expected}


def rows_of(raw: RawTable) -> pa.Array:
    """Record numbers from 1."""
    return pa.array(range(1, raw.cells.num_rows + 1), pa.int32())


def check_occupations(raw: RawTable, codes: pa.ChunkedArray, known: pa.Array) -> None:
    """Raise SourceMalformed at the first code that is not among the known."""
    refuse(raw, "onetsoc_code", pc.invert(pc.is_in(codes, known)), codes, "an occupation of Occupation Data")


def numbers(raw: RawTable, name: str, cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text as numbers; null stays null."""
    wrong = pc.invert(pc.fill_null(pc.match_substring_regex(cells, r"^-?\d+(\.\d+)?([eE]-?\d+)?$"), True))  # noqa: FBT003
    refuse(raw, name, wrong, cells, "a number")
    return pc.cast(cells, pa.float64())


def integers(raw: RawTable, name: str, cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text as whole numbers; null stays null."""
    wrong = pc.invert(pc.fill_null(pc.match_substring_regex(cells, r"^\d{1,9}$"), True))  # noqa: FBT003
    refuse(raw, name, wrong, cells, "a whole number")
    return pc.cast(cells, pa.int32())


def flags(raw: RawTable, name: str, cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Y and N as booleans; null stays null."""
    wrong = pc.invert(pc.fill_null(pc.is_in(cells, pa.array(["Y", "N", None])), False))  # noqa: FBT003
    refuse(raw, name, wrong, cells, "Y or N")
    return pc.equal(cells, "Y")


def months(raw: RawTable, cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """MM/YYYY or YYYY-MM-DD as YYYY-MM."""
    wrong = pc.invert(pc.fill_null(pc.match_substring_regex(cells, r"^(\d\d/\d{4}|\d{4}-\d\d(-\d\d.*)?)$"), True))  # noqa: FBT003
    refuse(raw, "date", wrong, cells, "a date MM/YYYY or YYYY-MM-DD")
    turned = pc.replace_substring_regex(cells, r"^(\d\d)/(\d{4})$", r"\2-\1")
    return pc.utf8_slice_codeunits(turned, 0, 7)


def refuse(raw: RawTable, name: str, wrong: pa.ChunkedArray, cells: pa.ChunkedArray, expected: str) -> None:
    """Raise SourceMalformed at the first cell that is wrong."""
    row = pc.index(wrong, value=True).as_py()
    if row >= 0:
        raise raw.malformed(row + 1, name, expected, repr(cells[row].as_py()))
