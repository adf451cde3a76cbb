"""What OaSIS says of a profile in words: statements, duties, requirements, workplaces, exclusions, interests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from imputer.sources.codes import profile_column
from imputer.sources.csv_text import read_sheet
from imputer.sources.oasis_profiles import check_labels, once_each
from imputer.sources.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from imputer.sources.csv_text import Sheet

CODE = "OaSIS profile code"
LEAD_STATEMENT = (CODE, "Lead statement")
MAIN_DUTIES = (CODE, "Main duties")
REQUIREMENTS = (CODE, "Employment requirement")
ADDITIONAL = (CODE, "Additional information (EN)")
WORKPLACES = (CODE, "Workplace/employer name", "Profile name")
EXCLUSIONS = (CODE, "Excluded code", "Job title")
INTERESTS = ("OaSIS Code", "OaSIS Label", "Holland Codes - 1", "Holland Codes - 2", "Holland Codes - 3")
# Realistic, investigative, artistic, social, enterprising, conventional.
HOLLAND = frozenset("RIASEC")

_HEADERS = {
    "main_duties": MAIN_DUTIES,
    "employment_requirements": REQUIREMENTS,
    "additional_information": ADDITIONAL,
    "workplaces_employers": WORKPLACES,
}


def read_oasis_lead_statements(path: Path, source_id: str, labels: Mapping[str, str]) -> Reading:
    """``oasis_texts`` of the lead statements: one for each profile."""
    sheet = read_sheet(path, source_id, LEAD_STATEMENT)
    profiles = profile_column(sheet, CODE, labels)
    once_each(sheet, CODE, profiles, labels)
    texts = sheet.required_paragraphs(LEAD_STATEMENT[1])
    return _reading(sheet, profiles, "oasis.lead_statement", texts)


def read_oasis_lists(path: Path, source_id: str, domain: str, labels: Mapping[str, str]) -> Reading:
    """``oasis_texts`` of main duties, employment requirements, additional information, or workplaces and employers.

    ``position`` counts the texts of a profile from 1, in the order of the file.
    """
    header = _HEADERS[domain]
    sheet = read_sheet(path, source_id, header)
    profiles = profile_column(sheet, CODE, labels)
    if header is WORKPLACES:
        check_labels(sheet, "Profile name", profiles, labels)
    return _reading(sheet, profiles, f"oasis.{domain}", sheet.required_paragraphs(header[1]))


def read_oasis_exclusions(
    path: Path, source_id: str, labels: Mapping[str, str], unit_groups: Collection[str]
) -> Reading:
    """``oasis_texts`` of the exclusions: the code that a profile is not, and the job title where one is given.

    Raises SourceMalformed for a code that is neither a profile nor a unit group.
    """
    sheet = read_sheet(path, source_id, EXCLUSIONS)
    profiles = profile_column(sheet, CODE, labels)
    excluded = sheet.column("Excluded code")
    for row, code in enumerate(excluded, 1):
        if code not in labels and code not in unit_groups:
            raise sheet.malformed(row, "Excluded code", "a known profile or unit group", repr(code))
    texts = [f"{code} {title}".strip() for code, title in zip(excluded, sheet.text("Job title"), strict=True)]
    return _reading(sheet, profiles, "oasis.exclusions", texts)


def read_oasis_interests(path: Path, source_id: str, labels: Mapping[str, str]) -> Reading:
    """``oasis_texts`` of the interests: up to three ranked Holland letters, upper case.

    Lower-case letters are raised and blank ones left out, both logged. Raises SourceMalformed for another letter, a
    letter given twice, and a blank before a letter.
    """
    sheet = read_sheet(path, source_id, INTERESTS)
    profiles = profile_column(sheet, INTERESTS[0], labels)
    once_each(sheet, INTERESTS[0], profiles, labels)
    check_labels(sheet, INTERESTS[1], profiles, labels)
    made: list[tuple[str, str, str, int]] = []
    for row, (profile, record) in enumerate(zip(profiles, sheet.records, strict=True), 1):
        letters = [_letter(sheet, row, name, cell) for name, cell in zip(INTERESTS[2:], record[2:], strict=True)]
        given = [letter for letter in letters if letter]
        if not given or letters[: len(given)] != given or len(set(given)) < len(given):
            raise sheet.malformed(row, INTERESTS[2], "different letters, the blank ones last", repr(record[2:]))
        ranked = zip(("first", "second", "third"), given, strict=False)
        made += [(profile, f"oasis.interests.{rank}", letter, row) for rank, letter in ranked]
    return Reading(_table(source_id, ((p, a, 1, t, row) for p, a, t, row in made)), tuple(sheet.issues))


def _letter(sheet: Sheet, row: int, name: str, cell: str) -> str:
    letter = cell.strip().upper()
    if letter and letter not in HOLLAND:
        raise sheet.malformed(row, name, f"one of {', '.join('RIASEC')}", repr(cell))
    if not letter:
        sheet.note(row, name, "interest-blank", cell, None)
    elif letter != cell:
        sheet.note(row, name, "interest-lower-case", cell, letter)
    return letter


def _reading(sheet: Sheet, profiles: Sequence[str], attribute_id: str, texts: Sequence[str]) -> Reading:
    count: dict[str, int] = {}
    rows: list[tuple[str, str, int, str, int]] = []
    for row, (profile, text) in enumerate(zip(profiles, texts, strict=True), 1):
        count[profile] = count.get(profile, 0) + 1
        rows.append((profile, attribute_id, count[profile], text, row))
    return Reading(_table(sheet.source_id, rows), tuple(sheet.issues))


def _table(source_id: str, rows: Iterable[tuple[str, str, int, str, int]]) -> pa.Table:
    profiles, attributes, positions, texts, places = zip(*rows, strict=True)
    return pa.table(
        {
            "profile": pa.array(profiles),
            "attribute_id": pa.array(attributes),
            "position": pa.array(positions, pa.int32()),
            "text": pa.array(texts),
            "source_id": pa.repeat(source_id, len(profiles)),
            "source_row": pa.array(places, pa.int32()),
        }
    )
