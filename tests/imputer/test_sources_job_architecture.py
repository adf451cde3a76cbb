"""The Job Architecture: every row and column of the real extract, its known anomalies, and what stops a run."""

from __future__ import annotations

import csv
import io
import shutil
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from imputer.errors import SourceMalformed
from imputer.sample import SAMPLE
from imputer.sources.job_architecture import COLUMNS, read_job_architecture
from imputer.sources.noc import read_noc_classes

if TYPE_CHECKING:
    from pathlib import Path

    from imputer.sources.reading import Reading

REVIEW = (
    "match_key pses_subset_mapping job_bank_gc noc_match change_to_title_or_noc geds_search remark other_consideration "
    "alternate_option alternate_option_secondary"
).split()


def read(folder: Path) -> Reading:
    noc = folder / "noc"
    classes = read_noc_classes(noc / "noc_structure_en.csv", noc / "noc_structure_fr.csv", "en", "fr").table
    names = {row["code"]: (row["title_en"], row["title_fr"]) for row in classes.to_pylist() if row["level"] == 5}
    return read_job_architecture(folder / "job_architecture" / "job_architecture.csv", "job_architecture", names)


@pytest.fixture(scope="module")
def real(shared_data: Path) -> Reading:
    return read(shared_data)


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    shutil.copytree(SAMPLE, tmp_path / "sample")
    return tmp_path / "sample"


def change(folder: Path, row: int, column: str, cell: str) -> None:
    """Write one cell of the sample's Job Architecture; row 0 is the header."""
    path = folder / "job_architecture" / "job_architecture.csv"
    records = list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))
    records[row][records[0].index(column)] = cell
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\r\n").writerows(records)
    path.write_bytes(stream.getvalue().encode("utf-8-sig"))


def test_the_extract_row_by_row(real: Reading) -> None:
    table = real.table
    assert table.num_rows == 1_616
    assert len(set(table["job_title_id"].to_pylist())) == 1_616
    assert table["source_row"].to_pylist() == list(range(1, 1_617))
    assert len(set(table["job_function_en"].to_pylist()) - {None}) == 22
    assert len(set(table["job_family_en"].to_pylist()) - {None}) == 209


def test_codes_are_text_with_their_leading_zeros(real: Reading) -> None:
    codes = [code for code in real.table["unit_group"].to_pylist() if code]
    assert {len(code) for code in codes} == {5}
    assert sum(code.startswith("000") for code in codes) == 204
    assert {len(code) for code in real.table["noc_2016_code"].to_pylist() if code} == {4}
    assert real.table["noc_2016_code"][0].as_py() == "0012"


def test_68_titles_without_unit_group(real: Reading) -> None:
    rows = [row for row in real.table.to_pylist() if row["unit_group"] is None]
    assert len(rows) == 68
    assert (rows[0]["job_title_id"], rows[-1]["job_title_id"]) == ("1934", "2003")
    assert {row["job_function_en"] for row in rows} == {"Artificial Intelligence (AI)"}
    assert Counter(issue.rule for issue in real.issues)["no-unit-group"] == 68


def test_title_1933_has_neither_function_nor_family(real: Reading) -> None:
    bare = [row for row in real.table.to_pylist() if row["job_function_en"] is None or row["job_family_en"] is None]
    assert [row["job_title_id"] for row in bare] == ["1933"]
    assert (bare[0]["job_function_fr"], bare[0]["job_family_fr"], bare[0]["unit_group"]) == (None, None, "22114")
    logged = [issue for issue in real.issues if issue.rule == "not-classified"]
    assert [(issue.row, issue.column) for issue in logged] == [(1_547, "Job_Function"), (1_547, "Job_Family")]


def test_review_columns_former_codes_and_french_are_kept(real: Reading, shared_data: Path) -> None:
    path = shared_data / "job_architecture" / "job_architecture.csv"
    records = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))
    for place, column in enumerate(COLUMNS.values()):
        published = [" ".join(record[place].split()) or None for record in records[1:]]
        if column != "job_family_fr":
            assert real.table[column].to_pylist() == published, column
    assert all(real.table[column].null_count < 1_616 for column in REVIEW)
    assert real.table["remark"].null_count == 1_422


def test_one_family_has_two_french_names_in_the_file_and_one_in_the_table(real: Reading) -> None:
    names: dict[str, set[str]] = {}
    for row in real.table.to_pylist():
        names.setdefault(row["job_family_en"], set()).add(row["job_family_fr"])
    assert all(len(french) == 1 for french in names.values())
    changed = [issue for issue in real.issues if issue.rule == "two-french-names"]
    assert [(issue.row, issue.after) for issue in changed] == [(1_255, "Autres programmes de RH")]


def test_names_of_unit_groups_printed_otherwise_are_logged_and_stay_as_printed(real: Reading) -> None:
    logged = [issue for issue in real.issues if issue.rule == "unit-group-named-otherwise"]
    assert Counter(issue.column for issue in logged) == {"2021_CNP_Titre": 47, "2021_NOC_Title": 3}
    assert {issue.before for issue in logged if issue.column == "2021_NOC_Title"} == {"Business system specialists"}
    rows = real.table.to_pylist()
    assert all(rows[issue.row - 1]["unit_group_title_fr"] == issue.before for issue in logged if issue.column[5] == "C")


@pytest.mark.parametrize(
    ("column", "cell", "told"),
    [
        ("2021_NOC_UID", "1210", "expected a unit group: five digits, leading zeros kept; found '1210'"),
        ("2021_NOC_UID", "12100.0", "five digits"),
        ("2021_NOC_UID", "12999", "a unit group of the NOC structure; found '12999'"),
        ("2016_NOC_UID", "12", "four digits"),
        ("JT_ID", "1", "each value once"),
        ("JT_ID", "x", "a number without leading zeros"),
        ("Job_Title", "", "a blank cell"),
        ("Titre_de_poste", " ", "a blank cell"),
        ("Fonction_professionnelle", "", "a name where 'Job_Function' has one"),
    ],
)
def test_unknown_anomaly_stops(sample: Path, column: str, cell: str, told: str) -> None:
    change(sample, 7, column, cell)
    with pytest.raises(SourceMalformed, match=told) as stopped:
        read(sample)
    assert stopped.value.row == 7


def test_unknown_column_stops(sample: Path) -> None:
    change(sample, 0, "Job_Bank_GC", "Job_Bank")
    with pytest.raises(SourceMalformed, match="expected the header 'Job_Bank_GC'; found 'Job_Bank'"):
        read(sample)
