"""The National Occupational Classification 2021: its structure in both languages, and its example titles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from imputer.sources.codes import UNIT_GROUP, UNIT_GROUP_SHAPE
from imputer.sources.csv_text import Sheet, read_sheet
from imputer.sources.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

STRUCTURE_EN = ("Level", "Hierarchical structure", "Code - NOC 2021 V1.0", "Class title", "Class definition")
STRUCTURE_FR = (
    "Niveau",
    "Structure hiérarchique",
    "Code de la CNP 2021 v1.0",
    "Titres de classes",
    "Définitions de la classe",
)
# Printed so in the published French files.
STRUCTURE_FR_MISPRINTS = {
    "Code dela CNP 2021 v1.0": "Code de la CNP 2021 v1.0",
    "Code de la CNP v1.0": "Code de la CNP 2021 v1.0",
}
LEVELS_EN = ("Broad Category", "Major Group", "Sub-major Group", "Minor Group", "Unit Group")
LEVELS_FR = ("Grande catégorie", "Grand groupe", "Sous-grand groupe", "Sous-groupe", "Groupe de base")
EXAMPLE_TITLES = ("noc_2021_code", "title")
# The published files that the example titles are taken from: all elements of all classes, by type.
ELEMENTS = {
    "en": (*STRUCTURE_EN[:1], *STRUCTURE_EN[2:4], "Element Type Label English", "Element Description English"),
    "fr": (*STRUCTURE_FR[:1], *STRUCTURE_FR[2:4], "Nom du type d'élément Français", "Description d'élément Français"),
}
ALL_EXAMPLES = {"en": "All examples", "fr": "Tous les exemples"}


def read_noc_classes(path_en: Path, path_fr: Path, source_id_en: str, source_id_fr: str) -> Reading:
    """``noc_classes``: every class of levels 1 to 5 with both languages side by side, in the order of the EN file.

    ``source_row`` and ``source_row_fr`` are the record numbers in either file. Raises SourceMalformed where a code
    does not have as many digits as its level, a parent is missing, or the two files do not hold the same classes.
    """
    english = read_sheet(path_en, source_id_en, STRUCTURE_EN)
    french = read_sheet(path_fr, source_id_fr, STRUCTURE_FR, variants=STRUCTURE_FR_MISPRINTS)
    codes = _class_codes(english, STRUCTURE_EN[:3], LEVELS_EN)
    codes_fr = _class_codes(french, STRUCTURE_FR[:3], LEVELS_FR)
    _same_classes(english, codes, french, codes_fr)
    place = {code: number for number, code in enumerate(codes_fr)}
    order = [place[code] for code in codes]
    columns_fr = [french.required(name) for name in (STRUCTURE_FR[1], *STRUCTURE_FR[3:])]
    structure_fr, title_fr, definition_fr = ([column[number] for number in order] for column in columns_fr)
    table = pa.table(
        {
            "code": codes,
            "level": pa.array([len(code) for code in codes], pa.int64()),
            "parent_code": [code[:-1] or None for code in codes],
            "structure_en": english.required(STRUCTURE_EN[1]),
            "structure_fr": structure_fr,
            "title_en": english.required(STRUCTURE_EN[3]),
            "title_fr": title_fr,
            "definition_en": english.required(STRUCTURE_EN[4]),
            "definition_fr": definition_fr,
            "source_row": pa.array(range(1, len(codes) + 1), pa.int32()),
            "source_row_fr": pa.array([number + 1 for number in order], pa.int32()),
        }
    )
    return Reading(table, (*english.issues, *french.issues))


def read_noc_example_titles(path: Path, source_id: str, language: str, unit_groups: Collection[str]) -> Reading:
    """``noc_example_titles`` of one language, from the titles alone or from the published file of all elements.

    Of the elements, those of the type «All examples» are taken. Raises SourceMalformed for a code that is no unit
    group.
    """
    sheet = read_sheet(path, source_id, EXAMPLE_TITLES) if _titles_alone(path) else _elements(path, source_id, language)
    codes = sheet.codes("noc_2021_code", UNIT_GROUP, UNIT_GROUP_SHAPE)
    sheet.among("noc_2021_code", codes, unit_groups, "a unit group of the NOC structure")
    table = pa.table(
        {
            "unit_group": codes,
            "title": sheet.required("title"),
            "language": pa.repeat(language, len(codes)),
            "source_row": pa.array(sheet.rows or range(1, len(codes) + 1), pa.int32()),
        }
    )
    return Reading(table, tuple(sheet.issues))


def _titles_alone(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(13) == b"noc_2021_code"


def _elements(path: Path, source_id: str, language: str) -> Sheet:
    sheet = read_sheet(path, source_id, ELEMENTS[language], variants=STRUCTURE_FR_MISPRINTS)
    kinds = sheet.text(ELEMENTS[language][3])
    examples = [place for place, kind in enumerate(kinds) if kind == ALL_EXAMPLES[language]]
    if not examples:
        raise sheet.malformed(None, ELEMENTS[language][3], repr(ALL_EXAMPLES[language]), "none")
    records = [[sheet.records[place][1], sheet.records[place][4]] for place in examples]
    return Sheet(source_id, sheet.file, EXAMPLE_TITLES, records, sheet.issues, [place + 1 for place in examples])


def _class_codes(sheet: Sheet, columns: tuple[str, ...], names: tuple[str, ...]) -> list[str]:
    """The codes of a structure file, each checked against its level, its level's name and its parent."""
    levels, structures, codes = (sheet.column(name) for name in columns)
    known = set(codes)
    for row, (level, structure, code) in enumerate(zip(levels, structures, codes, strict=True), 1):
        if level not in {"1", "2", "3", "4", "5"}:
            raise sheet.malformed(row, columns[0], "a level from 1 to 5", repr(level))
        if not (code.isascii() and code.isdigit() and len(code) == int(level)):
            raise sheet.malformed(row, columns[2], f"a code of {level} digits", repr(code))
        if structure != names[int(level) - 1]:
            raise sheet.malformed(row, columns[1], repr(names[int(level) - 1]), repr(structure))
        if len(code) > 1 and code[:-1] not in known:
            raise sheet.malformed(row, columns[2], f"its parent {code[:-1]} in the same file", "none")
    sheet.unique(columns[2], codes)
    return codes


def _same_classes(english: Sheet, codes: list[str], french: Sheet, codes_fr: list[str]) -> None:
    apart = sorted(set(codes) ^ set(codes_fr))
    if apart:
        holder = english if apart[0] in set(codes) else french
        other = french if holder is english else english
        raise holder.malformed(None, None, f"the same classes as {other.file}", f"{apart[0]} in one of them only")
