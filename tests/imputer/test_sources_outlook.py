"""The employment outlook: numbers, «N/A» as null, aggregates by name, and what stops a run."""

from __future__ import annotations

import shutil
from collections import Counter
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from imputer.errors import SourceMalformed
from imputer.sample import SAMPLE
from imputer.sources.noc import read_noc_classes
from imputer.sources.outlook import outlook_attributes, read_outlook

if TYPE_CHECKING:
    from pathlib import Path

    from imputer.sources.reading import Reading

FILE = "employment_emploi_2024_2033_noc2021.csv"


def read(folder: Path) -> Reading:
    noc = folder / "noc"
    classes = read_noc_classes(noc / "noc_structure_en.csv", noc / "noc_structure_fr.csv", "en", "fr").table
    names = {row["code"]: (row["title_en"], row["title_fr"]) for row in classes.to_pylist() if row["level"] == 5}
    return read_outlook(folder / "cops" / FILE, "cops_employment", names)


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    shutil.copytree(SAMPLE, tmp_path / "sample")
    return tmp_path / "sample"


def edit(folder: Path, before: str, after: str) -> None:
    path = folder / "cops" / FILE
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


def test_every_unit_group_and_year_of_the_real_file(shared_data: Path) -> None:
    table = read(shared_data).table
    assert table.num_rows == 516 * 11
    assert table.schema.field("value").type == pa.float64()
    assert len(set(table["unit_group"].to_pylist())) == 516
    years = {attribute.rpartition(".")[2] for attribute in table["attribute_id"].to_pylist()}
    assert years == {str(year) for year in range(2023, 2034)}
    assert years == {row["attribute_id"].rpartition(".")[2] for row in outlook_attributes().to_pylist()}
    legislators = table.slice(0, 2).to_pylist()
    assert [(row["unit_group"], row["value"], row["source_row"]) for row in legislators] == [
        ("00010", 4_700.0, 18),
        ("00010", 4_900.0, 18),
    ]


def test_not_available_is_null_and_logged(shared_data: Path) -> None:
    reading = read(shared_data)
    assert reading.table["value"].null_count == 341 == 31 * 11
    found = Counter(issue.rule for issue in reading.issues)
    assert found == {"not-available": 341, "aggregate-left-out": 17, "unit-group-named-otherwise": 4}


def test_aggregates_are_left_out_by_name(shared_data: Path) -> None:
    left_out = [issue.before for issue in read(shared_data).issues if issue.rule == "aggregate-left-out"]
    assert left_out == ["00000", *(f"TEER_{n}" for n in range(6)), *(f"NOC1_{n}" for n in range(10))]


def test_sum_of_the_senior_managers_is_an_aggregate(sample: Path) -> None:
    edit(sample, "TEER_1,", "00018,")
    assert "00018" not in read(sample).table["unit_group"].to_pylist()


def test_file_as_the_publisher_encodes_it_reads_the_same(sample: Path) -> None:
    before = read(sample)
    path = sample / "cops" / FILE
    path.write_bytes(path.read_text(encoding="utf-8").encode("cp1252"))
    after = read(sample)
    assert after.table == before.table
    assert {issue.rule for issue in after.issues} - {issue.rule for issue in before.issues} == {"legacy-encoding"}


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("\n12100,", "\n12999,", "or a known aggregate; found '12999'"),
        ("\n12100,", "\nNOC2_1,", "or a known aggregate; found 'NOC2_1'"),
        ("\n12100,", "\n13110,", "each value once"),
        (",2023,", ",2022,", "expected the header '2023'"),
    ],
)
def test_unknown_anomaly_stops(sample: Path, before: str, after: str, told: str) -> None:
    edit(sample, before, after)
    with pytest.raises(SourceMalformed, match=told):
        read(sample)


@pytest.mark.parametrize("cell", ["", "n/a", "1.5", "-3", "1 000", "1e3"])
def test_cell_that_is_no_count_stops(sample: Path, cell: str) -> None:
    edit(sample, "Membres des corps législatifs,4700", f"Membres des corps législatifs,{cell}")
    with pytest.raises(SourceMalformed, match="column '2023'"):
        read(sample)
