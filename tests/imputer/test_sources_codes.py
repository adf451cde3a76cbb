"""Codes are repaired only by a named rule, only into the list of profiles, and never silently."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imputer.errors import SourceMalformed
from imputer.sources.codes import profile_column
from imputer.sources.csv_text import Sheet

CODES = st.from_regex(r"[0-9]{4,6}(\.[0-9]{0,3})?", fullmatch=True)
PROFILES = st.sets(st.from_regex(r"[0-3]{5}\.[0-2][0-2]", fullmatch=True), min_size=1, max_size=6)
RULES = {"profile-suffix-lost", "profile-final-zero-lost", "profile-numbered-alone"}


def sheet_of(*cells: str) -> Sheet:
    return Sheet("oasis", "file.csv", ("Code",), [[cell] for cell in cells])


@given(PROFILES, st.data())
def test_a_code_of_the_list_is_left_alone(profiles: set[str], data: st.DataObject) -> None:
    code = data.draw(st.sampled_from(sorted(profiles)))
    sheet = sheet_of(code)
    assert profile_column(sheet, "Code", profiles) == [code]
    assert sheet.issues == []


@given(PROFILES, CODES)
def test_any_other_code_leads_to_the_list_and_is_logged_or_stops(profiles: set[str], code: str) -> None:
    sheet = sheet_of(code)
    try:
        found = profile_column(sheet, "Code", profiles)[0]
    except SourceMalformed:
        found = ""
    if not found:
        assert code not in profiles
        return
    assert found in profiles
    assert found[:5] == code[:5]
    repairs = [] if found == code else [(True, code, found)]
    assert [(issue.rule in RULES, issue.before, issue.after) for issue in sheet.issues] == repairs


@given(PROFILES, st.data())
def test_what_a_spreadsheet_makes_of_a_code_is_made_good(profiles: set[str], data: st.DataObject) -> None:
    code = data.draw(st.sampled_from(sorted(profiles)))
    whole, _, part = code.partition(".")
    shown = f"{whole}.{part.rstrip('0')}".rstrip(".")
    assert profile_column(sheet_of(shown), "Code", profiles) == [code]


def test_the_first_of_an_only_profile_is_that_profile() -> None:
    sheet = sheet_of("14404.01")
    assert profile_column(sheet, "Code", {"14404.00", "14405.01"}) == ["14404.00"]
    assert sheet.issues[0].rule == "profile-numbered-alone"


@pytest.mark.parametrize("profiles", [{"14404.00", "14404.02"}, {"14404.02"}, {"14405.00"}])
def test_a_numbered_profile_is_not_guessed_among_several(profiles: set[str]) -> None:
    with pytest.raises(SourceMalformed):
        profile_column(sheet_of("14404.01"), "Code", profiles)
