"""The OaSIS guide: descriptors with their codes and scales, and the attributes made from them."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from imputer.sources.attributes import Attribute, attribute_table, slug
from imputer.sources.csv_text import one_line, read_sheet
from imputer.sources.reading import Reading

if TYPE_CHECKING:
    from imputer.sources.csv_text import Sheet

GUIDE = ("Code", "Name", "Structure type", "Category", "Description")
LEVELS = {1: "Category", 3: "Sub-Category", 4: "Similarity Group", 6: "Descriptor"}
COLUMNS = Path(__file__).with_name("oasis_columns.toml")

_CODE = re.compile(r"[A-Z](?:\d\d(?:[a-z](?:\d\d)?)?)?")
_SCALE = re.compile(r"(?:[Mm]easured by|and in|and) ([a-z ,]+?) on a scale of (\d)-(\d)")
_DOUBLED = re.compile(r"\b(\w+) \1\b")

# The scale of a descriptor for which the guide states none; three rated ones are so (all work context).
UNSTATED = ("unstated", 1, 5)


@dataclass(frozen=True, slots=True)
class RatingColumn:
    """One column of a rating file: its header (normalised), attribute and guide code.

    ``second`` says that it is the second scale of its descriptor, which the published header shows by a digit only.
    """

    header: str
    attribute_id: str
    element_id: str
    second: bool


@cache
def rating_columns() -> dict[str, tuple[RatingColumn, ...]]:
    """The rating columns by domain, in the order of the files (oasis_columns.toml)."""
    stated: dict[str, dict[str, str]] = tomllib.loads(COLUMNS.read_text(encoding="utf-8"))
    columns: dict[str, tuple[RatingColumn, ...]] = {}
    for domain, headers in stated.items():
        met: set[str] = set()
        made = []
        for header, code in headers.items():
            made.append(RatingColumn(header, f"oasis.{domain}.{slug(header)}", code, code in met))
            met.add(code)
        columns[domain] = tuple(made)
    return columns


def read_oasis_attributes(path: Path, source_id: str) -> Reading:
    """``attributes`` of OaSIS: the rated descriptors with the scales that the guide states, the interests, the texts.

    A rated descriptor for which the guide states no scale is read as 1 to 5, as its neighbours are, and logged.
    Raises SourceMalformed for a code of another shape, a structure type that does not fit its code, a scale that is
    worded differently, and where a rating column's code is not in the guide.
    """
    sheet = read_sheet(path, source_id, GUIDE)
    descriptors = _descriptors(sheet)
    made: list[Attribute] = []
    for domain, columns in rating_columns().items():
        for column in columns:
            if column.element_id not in descriptors:
                raise sheet.malformed(None, "Code", f"the descriptor {column.element_id} {column.header!r}", "none")
            row, scales = descriptors[column.element_id]
            if not scales:
                sheet.note(row, "Description", "guide-scale-unstated", None, "1-5")
                scales = [UNSTATED]
            if len(scales) <= column.second:
                expected = f"a second scale of {column.element_id} for {column.header!r}"
                raise sheet.malformed(row, "Description", expected, "one scale")
            measure, low, high = scales[column.second]
            made.append(_rated(domain, column, measure, (low, high), several=len(scales) > 1))
    return Reading(attribute_table([*made, *_LETTERS, *_TEXTS]), tuple(sheet.issues))


def _descriptors(sheet: Sheet) -> dict[str, tuple[int, list[tuple[str, int, int]]]]:
    """Row and scales of each descriptor of the guide, by code."""
    codes = sheet.codes("Code", _CODE, "a guide code such as A, A01, A01a or A01a01")
    sheet.unique("Code", codes)
    sheet.required("Name")
    structures, texts = sheet.required("Structure type"), sheet.column("Description")
    descriptors: dict[str, tuple[int, list[tuple[str, int, int]]]] = {}
    for row, (code, structure, text) in enumerate(zip(codes, structures, texts, strict=True), 1):
        if LEVELS[len(code)] != structure:
            raise sheet.malformed(row, "Structure type", LEVELS[len(code)], repr(structure))
        if structure == "Descriptor":
            descriptors[code] = row, _scales(sheet, row, one_line(text))
    return descriptors


def _scales(sheet: Sheet, row: int, text: str) -> list[tuple[str, int, int]]:
    sentence = text[max(text.lower().find("measured by"), 0) :] if "on a scale of" in text else ""
    once = _DOUBLED.sub(r"\1", sentence)
    if once != sentence:
        sheet.note(row, "Description", "guide-word-doubled", sentence, once)
    scales = [(measure.strip(), int(low), int(high)) for measure, low, high in _SCALE.findall(once)]
    if len(scales) != once.count("on a scale of") or any(
        (low, high) not in {(1, 3), (1, 5)} for _, low, high in scales
    ):
        expected = "'measured by … on a scale of 1-5', or 1-3"
        raise sheet.malformed(row, "Description", expected, repr(sentence))
    return scales


def _rated(domain: str, column: RatingColumn, measure: str, bounds: tuple[int, int], *, several: bool) -> Attribute:
    name = re.sub(r" ?\d+$", "", one_line(column.header))
    low, high = bounds
    return Attribute(
        attribute_id=column.attribute_id,
        system="OaSIS",
        domain=domain,
        element_id=column.element_id,
        name_en=f"{name} ({measure})" if several else name,
        value_type="number",
        scale_id=f"oasis_{slug(measure)}_{low}_{high}",
        minimum=float(low),
        maximum=float(high),
        zero_meaning_en="not applicable",
        zero_meaning_fr="sans objet",
        tolerance=1.0 if high == 5 else 0.5,  # noqa: PLR2004
        imputable=True,
    )


def _text(domain: str, name_en: str, name_fr: str, value_type: str, *, imputable: bool) -> Attribute:
    return Attribute(f"oasis.{domain}", "OaSIS", domain, None, name_en, name_fr, value_type, imputable=imputable)


_LETTERS = tuple(
    Attribute(
        attribute_id=f"oasis.interests.{place}",
        system="OaSIS",
        domain="interests",
        element_id="C01a",
        name_en=name_en,
        name_fr=name_fr,
        value_type="text",
        scale_id="oasis_holland_code",
        imputable=True,
    )
    for place, name_en, name_fr in (
        ("first", "First interest (Holland code)", "Premier intérêt (code de Holland)"),
        ("second", "Second interest (Holland code)", "Deuxième intérêt (code de Holland)"),
        ("third", "Third interest (Holland code)", "Troisième intérêt (code de Holland)"),
    )
)
_TEXTS = (
    _text("lead_statement", "Lead statement", "Énoncé principal", "text", imputable=True),
    _text("main_duties", "Main duties", "Fonctions principales", "list", imputable=True),
    _text(
        "employment_requirements",
        "Employment requirements",
        "Conditions d’accès à la profession",
        "list",
        imputable=True,
    ),
    _text("workplaces_employers", "Workplaces and employers", "Lieux de travail et employeurs", "list", imputable=True),
    _text(
        "additional_information", "Additional information", "Renseignements supplémentaires", "list", imputable=False
    ),
    _text("exclusions", "Exclusions", "Exclusions", "list", imputable=False),
)
