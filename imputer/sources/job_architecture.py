"""The Government of Canada Job Architecture, which the user supplies: every column kept, codes as text."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pyarrow as pa

from imputer.sources.codes import UNIT_GROUP, UNIT_GROUP_SHAPE
from imputer.sources.csv_text import read_sheet
from imputer.sources.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from imputer.sources.csv_text import Sheet

# Published header → column of ``job_titles``. One published column has no header: it holds remarks.
COLUMNS = {
    "JT_ID": "job_title_id",
    "Job_Title": "title_en",
    "Titre_de_poste": "title_fr",
    "Job_Function": "job_function_en",
    "Fonction_professionnelle": "job_function_fr",
    "Job_Family": "job_family_en",
    "Famille_d'emplois": "job_family_fr",
    "Managerial_Level": "managerial_level_en",
    "Niveau_de_gestion": "managerial_level_fr",
    "2016_NOC_UID": "noc_2016_code",
    "2016_NOC_Title": "noc_2016_title_en",
    "2016_CNP_Titre": "noc_2016_title_fr",
    "2021_NOC_UID": "unit_group",
    "2021_NOC_Title": "unit_group_title_en",
    "2021_CNP_Titre": "unit_group_title_fr",
    "Match_Key": "match_key",
    "PSES_Subset_Mapping": "pses_subset_mapping",
    "Job_Bank_GC": "job_bank_gc",
    "NOC match": "noc_match",
    'Change to "title" / "NOC"': "change_to_title_or_noc",
    "GEDS_adv search - title/contains (where JobBank=n)": "geds_search",
    "": "remark",
    "Other consideration": "other_consideration",
    "Alternate option_Job Title / Consideration": "alternate_option",
    "Alt op_JT secondary": "alternate_option_secondary",
}
HEADERS = tuple(COLUMNS)

JOB_TITLES = pa.schema([*((name, pa.string()) for name in COLUMNS.values()), ("source_row", pa.int32())])

_BILINGUAL = (
    ("Job_Function", "Fonction_professionnelle"),
    ("Job_Family", "Famille_d'emplois"),
    ("Managerial_Level", "Niveau_de_gestion"),
)


def read_job_architecture(path: Path, source_id: str, names: Mapping[str, tuple[str, str]]) -> Reading:
    """``job_titles``: one row per title, in the order of the file, blank cells as null.

    ``names`` maps each unit group of the NOC structure to its English and French name. A title without a unit
    group, or without function and family, is logged and kept so; so is a unit group name that the file prints
    otherwise than the structure. A function, family or level with two French names gets the more frequent one.
    Raises SourceMalformed for a missing title, an id that is doubled or no number, and an unknown unit group.
    """
    sheet = read_sheet(path, source_id, HEADERS)
    columns: dict[str, list[str | None]] = {header: sheet.optional(header) for header in HEADERS}
    _check_ids(sheet)
    for header in HEADERS[:3]:
        sheet.required(header)
    for english, french in _BILINGUAL:
        _one_french_name(sheet, columns, english, french)
    _check_codes(sheet, columns, names)
    _note_printed_names(sheet, columns, names)
    arrays = [pa.array(columns[header], pa.string()) for header in HEADERS]
    rows = pa.array(range(1, len(sheet.records) + 1), pa.int32())
    return Reading(pa.table([*arrays, rows], schema=JOB_TITLES), tuple(sheet.issues))


def _check_ids(sheet: Sheet) -> None:
    ids = sheet.codes("JT_ID", re.compile(r"[1-9]\d*"), "a number without leading zeros")
    sheet.unique("JT_ID", ids)


def _one_french_name(sheet: Sheet, columns: dict[str, list[str | None]], english: str, french: str) -> None:
    """Give each English name one French name: the more frequent, or else the longer one."""
    pairs = Counter(zip(columns[english], columns[french], strict=True))
    names: dict[str | None, str | None] = {}
    for (name, other), _ in sorted(pairs.items(), key=lambda item: (item[1], len(item[0][1] or ""), item[0][1] or "")):
        names[name] = other
    for row, (name, other) in enumerate(zip(columns[english], columns[french], strict=True), 1):
        if (name is None) != (other is None):
            raise sheet.malformed(row, french, f"a name where {english!r} has one", repr(other))
        if name is None:
            sheet.note(row, english, "not-classified", None, None)
        elif other != names[name]:
            sheet.note(row, french, "two-french-names", other, names[name])
            columns[french][row - 1] = names[name]


def _check_codes(sheet: Sheet, columns: dict[str, list[str | None]], names: Mapping[str, tuple[str, str]]) -> None:
    for row, (code, former) in enumerate(zip(columns["2021_NOC_UID"], columns["2016_NOC_UID"], strict=True), 1):
        if code is None:
            sheet.note(row, "2021_NOC_UID", "no-unit-group", None, None)
        elif not UNIT_GROUP.fullmatch(code):
            raise sheet.malformed(row, "2021_NOC_UID", UNIT_GROUP_SHAPE, repr(code))
        elif code not in names:
            raise sheet.malformed(row, "2021_NOC_UID", "a unit group of the NOC structure", repr(code))
        if former is not None and not re.fullmatch(r"\d{4}", former):
            expected = "a unit group of NOC 2016: four digits, leading zeros kept"
            raise sheet.malformed(row, "2016_NOC_UID", expected, repr(former))


def _note_printed_names(
    sheet: Sheet, columns: dict[str, list[str | None]], names: Mapping[str, tuple[str, str]]
) -> None:
    """Log where the printed name of a unit group differs from the structure by more than spaces and punctuation."""
    for language, header in enumerate(("2021_NOC_Title", "2021_CNP_Titre")):
        for row, (code, printed) in enumerate(zip(columns["2021_NOC_UID"], columns[header], strict=True), 1):
            if code is None:
                continue
            official = names[code][language]
            if printed is None or _letters(printed) != _letters(official):
                sheet.note(row, header, "unit-group-named-otherwise", printed, official)


def _letters(name: str) -> str:
    return re.sub(r"\W", "", name).casefold()
