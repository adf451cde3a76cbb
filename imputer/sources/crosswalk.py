"""The two crosswalks from NOC 2021 unit groups to O*NET-SOC codes: the Dais, and British Columbia's weighted one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa

from imputer.sources.codes import OCCUPATION, UNIT_GROUP, UNIT_GROUP_SHAPE
from imputer.sources.csv_text import read_sheet
from imputer.sources.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from imputer.sources.csv_text import Sheet

CROSSWALK = ("noc", "noc_title", "onet", "onet_title")
WEIGHTS = ("equal_weight", "path_weight", "base_weight", "down_weight")
WEIGHTED_CROSSWALK = ("onet_soc_code", "onet_plus_title", "noc_2021", "noc_plus_title", *WEIGHTS)
OCCUPATION_SHAPE = "an O*NET-SOC code: NN-NNNN.NN"

# Every unit group that begins with a zero begins with three: a spreadsheet leaves two digits of it.
_ZEROS_LOST = re.compile(r"\d\d")
# Statistics publishes the five unit groups of senior managers under one code that NOC 2021 does not have.
SENIOR_MANAGERS = "00018"
SENIOR_MANAGER_GROUPS = ("00011", "00012", "00013", "00014", "00015")


def read_crosswalk(path: Path, source_id: str, unit_groups: Collection[str] | None = None) -> Reading:
    """``crosswalk``: unit_group, soc, source_rows; each pair once, sorted, with every record that states it.

    Logged repairs: ``leading-zeros-lost`` (10 is 00010), ``duplicate-pair`` (the later records of a pair; detail
    codes of an older taxonomy collapsed onto one code), ``unit-group-absent`` (of ``unit_groups``, where given) and
    ``no-final-newline``. Titles are left to the sources that own them. Raises SourceMalformed for any other code.
    """
    sheet = read_sheet(path, source_id, CROSSWALK)
    groups = _unit_groups(sheet, "noc", unit_groups)
    occupations = sheet.codes("onet", OCCUPATION, OCCUPATION_SHAPE)
    rows: dict[tuple[str, str], list[int]] = {}
    for row, pair in enumerate(zip(groups, occupations, strict=True), 1):
        stated = rows.setdefault(pair, [])
        if stated:
            sheet.note(row, "onet", "duplicate-pair", " ".join(pair), None)
        stated.append(row)
    _note_absent(sheet, "noc", {group for group, _ in rows}, unit_groups)
    if not path.read_bytes().endswith(b"\n"):
        sheet.note(None, None, "no-final-newline", None, None)
    pairs = sorted(rows)
    table = pa.table(
        {
            "unit_group": pa.array([group for group, _ in pairs], pa.string()),
            "soc": pa.array([soc for _, soc in pairs], pa.string()),
            "source_rows": pa.array([rows[pair] for pair in pairs], pa.list_(pa.int32())),
        }
    )
    return Reading(table, tuple(sheet.issues))


def read_weighted_crosswalk(path: Path, source_id: str, unit_groups: Collection[str] | None = None) -> Reading:
    """``weighted_crosswalk``: unit_group, soc, four weights, source_row; sorted by unit group and occupation.

    ``equal_weight``, ``base_weight`` and ``down_weight`` add up to 1 over the occupations of a unit group,
    ``path_weight`` over the unit groups of an occupation, as published. Logged repairs: ``senior-managers-expanded``
    (00018 stands for 00011 to 00015, each of which gets its records with their weights) and ``unit-group-absent``.
    Raises SourceMalformed for a doubled pair, an unknown code or a weight outside of 0 to 1.
    """
    sheet = read_sheet(path, source_id, WEIGHTED_CROSSWALK)
    occupations = sheet.codes("onet_soc_code", OCCUPATION, OCCUPATION_SHAPE)
    groups = sheet.codes("noc_2021", UNIT_GROUP, UNIT_GROUP_SHAPE)
    sheet.unique("onet_soc_code, noc_2021", [f"{soc} {group}" for soc, group in zip(occupations, groups, strict=True)])
    weights = [_weights(sheet, name) for name in WEIGHTS]
    made = []
    for row, (group, soc, *stated) in enumerate(zip(groups, occupations, *weights, strict=True), 1):
        expanded = SENIOR_MANAGER_GROUPS if group == SENIOR_MANAGERS else (group,)
        if group == SENIOR_MANAGERS:
            sheet.note(row, "noc_2021", "senior-managers-expanded", group, " ".join(expanded))
        elif unit_groups is not None and group not in unit_groups:
            raise sheet.malformed(row, "noc_2021", "a unit group of the NOC structure, or 00018", repr(group))
        made += [(one, soc, *stated, row) for one in expanded]
    _note_absent(sheet, "noc_2021", {record[0] for record in made}, unit_groups)
    columns = list(zip(*sorted(made), strict=True))
    types = [pa.string(), pa.string(), *[pa.float64()] * len(WEIGHTS), pa.int32()]
    names = ["unit_group", "soc", *WEIGHTS, "source_row"]
    table = pa.table([pa.array(column, kind) for column, kind in zip(columns, types, strict=True)], names)
    return Reading(table, tuple(sheet.issues))


def _unit_groups(sheet: Sheet, name: str, unit_groups: Collection[str] | None) -> list[str]:
    cells = sheet.column(name)
    for place, cell in enumerate(cells):
        repaired = cell.zfill(5) if _ZEROS_LOST.fullmatch(cell) else cell
        if not UNIT_GROUP.fullmatch(repaired) or (unit_groups is not None and repaired not in unit_groups):
            raise sheet.malformed(place + 1, name, f"{UNIT_GROUP_SHAPE}, of the NOC structure", repr(cell))
        if repaired != cell:
            sheet.note(place + 1, name, "leading-zeros-lost", cell, repaired)
            cells[place] = repaired
    return cells


def _weights(sheet: Sheet, name: str) -> list[float]:
    weights = []
    for row, cell in enumerate(sheet.column(name), 1):
        try:
            weight = float(cell)
        except ValueError:
            weight = 0.0
        if not 0.0 < weight <= 1.0:
            raise sheet.malformed(row, name, "a weight above 0, at most 1", repr(cell))
        weights.append(weight)
    return weights


def _note_absent(sheet: Sheet, name: str, present: set[str], unit_groups: Collection[str] | None) -> None:
    for group in sorted(set(unit_groups or ()) - present):
        sheet.note(None, name, "unit-group-absent", group, None)
