"""Titles as they are compared: number, gender, case, accents, punctuation and inversions do not count."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imputer.resolution.normalise import forms, normalise

LETTERS = "abcdefghijklmnopqrstuvwxyzàâçéèêëîïôùûüABCDEFGHIJKLMNOPQRSTUVWXYZÀÂÇÉÈÊËÎÏÔÙÛÜ0123456789 '’-–—,/()&."
titles = st.text(LETTERS, max_size=40)
languages = st.sampled_from(["en", "fr"])
STEMS = ("inspec", "opéra", "agricul", "forma", "administra")


@given(titles, languages)
def test_a_key_is_its_own_key(title: str, language: str) -> None:
    assert normalise(normalise(title, language), language) == normalise(title, language)


@given(titles, languages)
def test_case_does_not_count(title: str, language: str) -> None:
    assert normalise(title.upper(), language) == normalise(title.lower(), language)


@given(st.text("abcdefghijklmnopqrstuvwxyz ", max_size=40), languages)
def test_accents_do_not_count(title: str, language: str) -> None:
    accented = title.translate(str.maketrans("aeiou", "âéîôû"))
    assert normalise(accented, language) == normalise(title, language)


@given(st.sampled_from(STEMS), st.sampled_from(["de forêts", "", "principal/principale"]))
def test_french_gender_forms_have_one_key(stem: str, rest: str) -> None:
    masculine, feminine = f"{stem}teur", f"{stem}trice"
    spelled = [masculine, feminine, f"{masculine}/{feminine}", f"{masculine} / {feminine}", f"{stem}teur(rice)"]
    assert len({normalise(f"{one} {rest}", "fr") for one in spelled}) == 1


@pytest.mark.parametrize(
    "spelled",
    [
        ("Adjoint(e) administratif(ive)", "Adjoint administratif/adjointe administrative", "ADJOINTE ADMINISTRATIVE"),
        ("Technicien(ne) dentaire", "Technicien/technicienne dentaire", "techniciennes dentaires"),
        ("Contremaître(resse) d’installation", "Contremaître/contremaîtresse d'installation"),
        ("Abatteur-tronçonneur/abatteuse-tronçonneuse de feuillus", "abatteuse-tronçonneuse de feuillus"),
    ],
)
def test_french_double_forms(spelled: tuple[str, ...]) -> None:
    assert len({normalise(one, "fr") for one in spelled}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Graphic Designer", "Graphic designers"),
        ("Foreman/woman", "foremen"),
        ("Waiter/waitress", "Waitresses"),
        ("Salespeople", "salesperson"),
        ("Health & safety officer", "Health and Safety Officers"),
    ],
)
def test_english_number_and_gender(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


def test_inversions_are_turned_round() -> None:
    assert forms("Manager, Sales") & forms("Sales manager")
    assert forms("Supervisor - Painting") & forms("Painting supervisors")
    assert forms("Member of Parliament (MP)") & forms("Member of Parliament")
    assert not forms("Manager, Sales") & forms("Sales clerk")


@given(titles, languages)
def test_no_form_is_empty(title: str, language: str) -> None:
    assert "" not in forms(title, language)
