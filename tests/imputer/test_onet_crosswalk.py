from __future__ import annotations

import csv
from collections import Counter
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from onet_folders import write_crosswalk

from imputer.errors import SourceMalformed, SourceMissing
from imputer.onet.cardinality import crosswalk_cardinality, pair_cardinality, unit_group_cardinality
from imputer.sources.crosswalk import SENIOR_MANAGER_GROUPS, WEIGHTS, read_crosswalk, read_weighted_crosswalk
from schemas import load_table
from schemas.validation import TableValidator

if TYPE_CHECKING:
    from pathlib import Path

    from imputer.sources.reading import Reading

WEIGHTED_HEADER = (
    "onet_soc_code,onet_plus_title,noc_2021,noc_plus_title,equal_weight,path_weight,base_weight,down_weight"
)


@pytest.fixture(scope="module")
def unit_groups(shared_data: Path) -> set[str]:
    with (shared_data / "noc" / "noc_structure_en.csv").open(encoding="utf-8-sig", newline="") as file:
        return {row[2] for row in csv.reader(file) if len(row[2]) == 5 and row[2].isdigit()}


@pytest.fixture(scope="module")
def reading(shared_data: Path, unit_groups: set[str]) -> Reading:
    return read_crosswalk(shared_data / "crosswalk" / "noc2021_onet26.csv", "crosswalk", unit_groups)


@pytest.fixture(scope="module")
def weighted(shared_data: Path, unit_groups: set[str]) -> Reading:
    path = shared_data / "crosswalk" / "bcgov_onet_to_noc2021_mapping_3.0.0.csv"
    return read_weighted_crosswalk(path, "crosswalk_weighted", unit_groups)


# --- the published file ---------------------------------------------------------------------------------------------


def test_the_published_crosswalk_has_its_counts(reading: Reading) -> None:
    table = reading.table
    assert sum(len(rows) for rows in table["source_rows"].to_pylist()) == 1467
    assert table.num_rows == 1389
    assert len(set(table["unit_group"].to_pylist())) == 515
    assert len(set(table["soc"].to_pylist())) == 995


def test_every_repair_is_an_issue(reading: Reading) -> None:
    rules = Counter(issue.rule for issue in reading.issues)
    assert rules == {"leading-zeros-lost": 19, "duplicate-pair": 78, "unit-group-absent": 1, "no-final-newline": 1}
    absent = [issue.before for issue in reading.issues if issue.rule == "unit-group-absent"]
    assert absent == ["64409"]
    zeros = [issue for issue in reading.issues if issue.rule == "leading-zeros-lost"]
    assert {(issue.before, issue.after) for issue in zeros} == {(str(n), f"000{n}") for n in range(10, 16)}
    assert (zeros[0].row, zeros[0].column) == (1, "noc")


def test_all_senior_management_unit_groups_are_mapped(reading: Reading) -> None:
    assert {"00010", *SENIOR_MANAGER_GROUPS} <= set(reading.table["unit_group"].to_pylist())


def test_doubled_pairs_stand_once(reading: Reading) -> None:
    links = [record for record in reading.table.to_pylist() if record["unit_group"] == "22310"]
    assert len({link["soc"] for link in links}) == len(links)
    assert len(next(link for link in links if link["soc"] == "17-3023.00")["source_rows"]) == 5
    doubled = [rows for rows in reading.table["source_rows"].to_pylist() if len(rows) > 1]
    assert len(doubled) == 44
    assert sum(map(len, doubled)) - len(doubled) == 78


def test_cardinality_of_the_published_crosswalk(reading: Reading) -> None:
    groups = unit_group_cardinality(reading.table)
    assert Counter(groups["cardinality"].to_pylist()) == {"1:1": 122, "1:N": 72, "N:1": 119, "N:M": 202}
    fan_out = {record["unit_group"]: record["n_occupations"] for record in groups.to_pylist()}
    assert fan_out["41210"] == max(fan_out.values()) == 37
    assert max(pair_cardinality(reading.table)["n_unit_groups"].to_pylist()) == 15
    assert Counter(fan_out.values())[1] == 241


def test_the_cardinality_table_is_as_its_schema_says(reading: Reading) -> None:
    table = crosswalk_cardinality(reading.table)
    validator = TableValidator(load_table("wiq", "crosswalk_cardinality"))
    assert table.num_rows == 1389
    assert all(validator.is_valid(record) for record in table.to_pylist())
    assert table.schema.metadata[b"title_fr"]


# --- the weighted crosswalk -----------------------------------------------------------------------------------------


def test_senior_managers_are_expanded_by_a_named_rule(weighted: Reading) -> None:
    assert weighted.table.num_rows == 1702 - 4 + 20
    assert Counter(issue.rule for issue in weighted.issues)["senior-managers-expanded"] == 4
    groups = set(weighted.table["unit_group"].to_pylist())
    assert groups >= set(SENIOR_MANAGER_GROUPS)
    assert "00018" not in groups
    assert "64409" in groups  # which the first crosswalk lacks


def test_weights_add_up_to_one_over_the_occupations_of_a_unit_group(weighted: Reading) -> None:
    for weight in WEIGHTS:
        sums = weighted.table.group_by("unit_group").aggregate([(weight, "sum")])[f"{weight}_sum"].to_pylist()
        assert (min(sums), max(sums)) == (pytest.approx(1.0), pytest.approx(1.0)) or weight == "path_weight"


def test_unit_groups_absent_from_the_weighted_crosswalk_are_told(weighted: Reading) -> None:
    absent = {issue.before for issue in weighted.issues if issue.rule == "unit-group-absent"}
    assert absent == {"00010", "11101", "22312", "42102", "43204", "44200", "65229", "85120"}


# --- anomalies that no rule knows -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("noc", "soc", "column"),
    [
        ("1", "11-1011.00", "noc"),
        ("123", "11-1011.00", "noc"),
        ("1234A", "11-1011.00", "noc"),
        ("99999", "11-1011.00", "noc"),
        ("16", "11-1011.00", "noc"),
        ("21231", "11-1011", "onet"),
        ("21231", "", "onet"),
        ("21231", "11-1011.00 ", "onet"),
    ],
)
def test_an_unknown_code_stops_the_reader(tmp_path: Path, noc: str, soc: str, column: str) -> None:
    path = write_crosswalk(tmp_path / "crosswalk.csv", [("21231", "15-1252.00"), (noc, soc)])
    with pytest.raises(SourceMalformed) as raised:
        read_crosswalk(path, "crosswalk", {"21231", "00010"})
    assert raised.value.row == 2
    assert column in str(raised.value)


def test_a_missing_crosswalk_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceMissing, match=r"gone\.csv"):
        read_crosswalk(tmp_path / "gone.csv", "crosswalk")


@pytest.mark.parametrize("weight", ["0", "1.5", "-0.1", "nan", "", "much"])
def test_a_weight_that_is_none_stops_the_reader(tmp_path: Path, weight: str) -> None:
    path = tmp_path / "weighted.csv"
    record = f"11-1011.00,11-1011.00: A,21231,21231: B,0.5,{weight},1,1"
    path.write_text(f"{WEIGHTED_HEADER}\n{record}\n", encoding="utf-8")
    with pytest.raises(SourceMalformed, match="weight"):
        read_weighted_crosswalk(path, "crosswalk_weighted")


def test_a_doubled_weighted_pair_stops_the_reader(tmp_path: Path) -> None:
    path = tmp_path / "weighted.csv"
    record = "11-1011.00,11-1011.00: A,21231,21231: B,0.5,1,1,1"
    path.write_text(f"{WEIGHTED_HEADER}\n{record}\n{record}\n", encoding="utf-8")
    with pytest.raises(SourceMalformed, match="as in row 1"):
        read_weighted_crosswalk(path, "crosswalk_weighted")


@pytest.mark.parametrize(
    ("pairs", "cardinality"),
    [
        ([("a", "1")], {"a": "1:1"}),
        ([("a", "1"), ("a", "2")], {"a": "1:N"}),
        ([("a", "1"), ("b", "1")], {"a": "N:1", "b": "N:1"}),
        ([("a", "1"), ("a", "2"), ("b", "1")], {"a": "N:M", "b": "N:1"}),
    ],
)
def test_classes(pairs: list[tuple[str, str]], cardinality: dict[str, str]) -> None:
    crosswalk = pa.table({"unit_group": [noc for noc, _ in pairs], "soc": [soc for _, soc in pairs]})
    found = unit_group_cardinality(crosswalk)
    assert dict(zip(found["unit_group"].to_pylist(), found["cardinality"].to_pylist(), strict=True)) == cardinality
