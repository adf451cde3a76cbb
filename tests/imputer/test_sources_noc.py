"""The National Occupational Classification: counts of the real files, known misprints, and what stops a run."""

from __future__ import annotations

import shutil
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from imputer.errors import SourceMalformed
from imputer.sample import SAMPLE
from imputer.sources.noc import read_noc_classes, read_noc_example_titles

if TYPE_CHECKING:
    from pathlib import Path

    from imputer.sources.reading import Reading

EN, FR = "noc_structure_en.csv", "noc_structure_fr.csv"
ELEMENTS_FR = (
    "Niveau,Code dela CNP 2021 v1.0,Titres de classes,Nom du type d'élément Français,Description d'élément Français"
)


def classes(folder: Path) -> Reading:
    return read_noc_classes(folder / EN, folder / FR, "noc_structure_en", "noc_structure_fr")


@pytest.fixture
def noc(tmp_path: Path) -> Path:
    shutil.copytree(SAMPLE / "noc", tmp_path / "noc")
    return tmp_path / "noc"


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_bytes().decode()
    assert before in text
    path.write_bytes(text.replace(before, after, 1).encode())


def test_levels_of_the_real_structure(shared_data: Path) -> None:
    table = classes(shared_data / "noc").table
    assert Counter(table["level"].to_pylist()) == {1: 10, 2: 45, 3: 89, 4: 162, 5: 516}
    rows = table.to_pylist()
    codes = {row["code"] for row in rows}
    assert all(row["parent_code"] in codes for row in rows if row["level"] > 1)
    assert all(row["title_fr"] and row["definition_fr"] and row["title_en"] for row in rows)
    assert {"00010", "00015"} <= codes
    legislators = next(row for row in rows if row["code"] == "00010")
    assert legislators["title_fr"] == "Membres des corps législatifs"
    assert legislators["source_row"] == 5


def test_known_misprints_of_the_real_structure_are_logged(shared_data: Path) -> None:
    issues = classes(shared_data / "noc").issues
    assert Counter(issue.rule for issue in issues) == {"whitespace": 9, "header-misprint": 1}
    misprint = next(issue for issue in issues if issue.rule == "header-misprint")
    assert (misprint.file, misprint.before) == (FR, "Code dela CNP 2021 v1.0")


@pytest.mark.parametrize(("language", "count"), [("en", 27_935), ("fr", 29_767)])
def test_example_titles_of_the_real_files(shared_data: Path, language: str, count: int) -> None:
    groups = {code for code in classes(shared_data / "noc").table["code"].to_pylist() if len(code) == 5}
    path = shared_data / "noc" / f"example_titles_{language}.csv"
    table = read_noc_example_titles(path, "titles", language, groups).table
    assert table.num_rows == count
    assert set(table["unit_group"].to_pylist()) == groups
    assert set(table["language"].to_pylist()) == {language}


def test_every_printed_form_of_the_french_code_header_passes(noc: Path) -> None:
    edit(noc / FR, "Code dela CNP 2021 v1.0", "Code de la CNP v1.0")
    assert "header-misprint" in {issue.rule for issue in classes(noc).issues}
    edit(noc / FR, "Code de la CNP v1.0", "Code de la CNP 2021 v1.0")
    assert classes(noc).issues == ()


@pytest.mark.parametrize(
    ("file", "before", "after", "told"),
    [
        (EN, "5,Unit Group,12100", "5,Unit Group,1210", "expected a code of 5 digits; found '1210'"),
        (EN, "5,Unit Group,00010", "5,Unit Group,10", "expected a code of 5 digits; found '10'"),
        (EN, "5,Unit Group,12100", "6,Unit Group,12100", "expected a level from 1 to 5; found '6'"),
        (EN, "5,Unit Group,12100", "5,Minor Group,12100", "expected 'Unit Group'; found 'Minor Group'"),
        (EN, "5,Unit Group,12100", "5,Unit Group,12999", "expected its parent 1299"),
        (EN, "5,Unit Group,12100", "5,Unit Group,13110", "expected each value once"),
        (FR, "5,Groupe de base,12100", "5,Groupe de base,12101", "the same classes as"),
        (EN, "Executive assistants", "", "expected text; found a blank cell"),
        (FR, "Titres de classes", "Titre", "expected the header 'Titres de classes'"),
    ],
)
def test_unknown_anomaly_stops(noc: Path, file: str, before: str, after: str, told: str) -> None:
    edit(noc / file, before, after)
    with pytest.raises(SourceMalformed, match=told):
        classes(noc)


def test_example_title_of_an_unknown_unit_group_stops(noc: Path) -> None:
    with pytest.raises(SourceMalformed, match="a unit group of the NOC structure"):
        read_noc_example_titles(noc / "example_titles_en.csv", "titles", "en", {"00010"})


@pytest.mark.parametrize(
    ("language", "header", "kind"),
    [
        (
            "en",
            "Level,Code - NOC 2021 V1.0,Class title,Element Type Label English,Element Description English",
            "All examples",
        ),
        (
            "fr",
            ELEMENTS_FR,
            "Tous les exemples",
        ),
    ],
)
def test_example_titles_out_of_the_published_elements(tmp_path: Path, language: str, header: str, kind: str) -> None:
    path = tmp_path / "elements.csv"
    records = [f"5,12100,x,{kind}, one ", "5,12100,x,Main duties,no", f"5,00010,x,{kind},two"]
    path.write_text("\n".join([header, *records]) + "\n", encoding="utf-8-sig")
    reading = read_noc_example_titles(path, "titles", language, {"12100", "00010"})
    assert reading.table.to_pylist() == [
        {"unit_group": "12100", "title": "one", "language": language, "source_row": 1},
        {"unit_group": "00010", "title": "two", "language": language, "source_row": 3},
    ]
    with pytest.raises(SourceMalformed, match="row 3"):
        read_noc_example_titles(path, "titles", language, {"12100"})
