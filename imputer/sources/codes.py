"""The shapes of codes, and the one repair that OaSIS profile codes need. Codes are text, always."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from imputer.sources.csv_text import Sheet

UNIT_GROUP = re.compile(r"\d{5}")
PROFILE = re.compile(r"\d{5}\.\d\d")
OCCUPATION = re.compile(r"\d\d-\d{4}\.\d\d")

UNIT_GROUP_SHAPE = "a unit group: five digits, leading zeros kept"
PROFILE_SHAPE = "an OaSIS profile: NNNNN.NN"


def profile_column(sheet: Sheet, name: str, profiles: Collection[str]) -> list[str]:
    """A column of profile codes, each one in the list of profiles.

    Two malformations are known, both left by a spreadsheet that took codes for numbers: the suffix «.00» lost
    («10010»), and its final zero lost («31100.1»). Each is repaired only where the result is a listed profile.
    A third, «14404.01» in the interests file, is the first of a unit group that the list has as «14404.00» only.
    Raises SourceMalformed for any other code, and for one that the list does not hold.
    """
    cells = sheet.column(name)
    for place, cell in enumerate(cells):
        if cell in profiles:
            continue
        rule, repaired = _repaired(cell, profiles)
        if repaired not in profiles:
            raise sheet.malformed(place + 1, name, f"{PROFILE_SHAPE}, in the list of profiles", repr(cell))
        sheet.note(place + 1, name, rule, cell, repaired)
        cells[place] = repaired
    return cells


def _repaired(cell: str, profiles: Collection[str]) -> tuple[str, str]:
    if UNIT_GROUP.fullmatch(cell):
        return "profile-suffix-lost", f"{cell}.00"
    if re.fullmatch(r"\d{5}\.\d", cell):
        return "profile-final-zero-lost", f"{cell}0"
    only = f"{cell[:5]}.00"
    siblings = [profile for profile in profiles if profile.startswith(cell[:5])]
    return ("profile-numbered-alone", only) if cell == f"{cell[:5]}.01" and siblings == [only] else ("", "")
