"""OaSIS profiles, their labels and their example titles."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa

from imputer.sources.codes import PROFILE, PROFILE_SHAPE, profile_column
from imputer.sources.csv_text import one_line, read_sheet
from imputer.sources.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from imputer.sources.csv_text import Sheet

LABELS = ("OaSIS profile code", "Label")
EXAMPLE_TITLES = ("OaSIS profile code", "Concordance number", "Job title type", "Job title text")
KINDS = ("Index", "Example", "Inclusion")


def read_oasis_profiles(path: Path, source_id: str, unit_groups: Collection[str]) -> Reading:
    """``oasis_profiles``: the list of profiles that every other OaSIS file is held against.

    Raises SourceMalformed for a code of another shape, listed twice, or of a unit group that NOC does not have.
    """
    sheet = read_sheet(path, source_id, LABELS)
    profiles = sheet.codes("OaSIS profile code", PROFILE, PROFILE_SHAPE)
    sheet.unique("OaSIS profile code", profiles)
    groups = [profile[:5] for profile in profiles]
    sheet.among("OaSIS profile code", groups, unit_groups, "a profile of a unit group of the NOC structure")
    table = pa.table(
        {
            "profile": profiles,
            "unit_group": groups,
            "label": sheet.required("Label"),
            "source_row": pa.array(range(1, len(profiles) + 1), pa.int32()),
        }
    )
    return Reading(table, tuple(sheet.issues))


def read_oasis_example_titles(path: Path, source_id: str, profiles: Collection[str]) -> Reading:
    """``oasis_example_titles``, every record kept, with one more column: ``repeats_row``.

    A title that its profile has already, under another concordance number, is logged and kept: ``repeats_row`` is
    the source row of the first (null elsewhere), so that profile and title are unique where it is null. Raises
    SourceMalformed for an unknown profile or type, and for a title in two profiles.
    """
    sheet = read_sheet(path, source_id, EXAMPLE_TITLES)
    codes = profile_column(sheet, "OaSIS profile code", profiles)
    titles, kinds = sheet.required("Job title text"), sheet.column("Job title type")
    sheet.codes("Concordance number", re.compile(r"[1-9]\d*"), "a number")
    sheet.among("Job title type", kinds, KINDS, " or ".join(KINDS))
    first: dict[str, tuple[int, str]] = {}
    repeats: list[int | None] = []
    for row, (profile, title) in enumerate(zip(codes, titles, strict=True), 1):
        earlier, owner = first.setdefault(title.casefold(), (row, profile))
        if owner != profile:
            raise sheet.malformed(row, "Job title text", "a title of one profile", f"{title!r}, as of {owner}")
        repeats.append(earlier if earlier != row else None)
        if earlier != row:
            sheet.note(row, "Job title text", "example-title-repeated", title, f"row {earlier}")
    table = pa.table(
        {
            "profile": codes,
            "unit_group": [profile[:5] for profile in codes],
            "title": titles,
            "kind": kinds,
            "repeats_row": pa.array(repeats, pa.int32()),
            "source_row": pa.array(range(1, len(codes) + 1), pa.int32()),
        }
    )
    return Reading(table, tuple(sheet.issues))


def check_labels(sheet: Sheet, name: str, codes: Sequence[str], labels: Mapping[str, str]) -> None:
    """Hold the labels printed beside the codes against the list of profiles; the list's wording counts.

    Another wording is logged, and so is a label of another profile that its own profile carries too, in the same
    file (92023.00 has that of 92024.00). A label that its own profile does not carry shows shifted rows:
    SourceMalformed.
    """
    printed = [one_line(cell) for cell in sheet.column(name)]
    owners = {_letters(label): code for code, label in labels.items()}
    carried = {(code, _letters(label)) for code, label in zip(codes, printed, strict=True)}
    for row, (code, label) in enumerate(zip(codes, printed, strict=True), 1):
        if label == labels[code]:
            continue
        letters = _letters(label)
        owner = owners.get(letters, code)
        if letters == _letters(labels[code]) or owner == code:
            sheet.note(row, name, "label-worded-otherwise", label, labels[code])
        elif (owner, letters) in carried:
            sheet.note(row, name, "label-of-another-profile", label, labels[code])
        else:
            raise sheet.malformed(row, name, f"{labels[code]!r} beside {code}", f"{label!r}, the label of {owner}")


def once_each(sheet: Sheet, name: str, codes: Sequence[str], profiles: Collection[str]) -> None:
    """Raise SourceMalformed where a profile has two records; log each profile that has none."""
    sheet.unique(name, codes)
    for profile in sorted(set(profiles) - set(codes)):
        sheet.note(None, name, "profile-without-record", None, profile)


def _letters(label: str) -> str:
    return re.sub(r"\W", "", label).casefold()
