from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onet_folders import write_crosswalk

from imputer.onet.cardinality import unit_group_cardinality
from imputer.onet.rules import OnetRules
from imputer.onet.values import unit_group_values
from imputer.onet.web_services import importance
from imputer.sources.crosswalk import read_crosswalk
from imputer.sources.onet_database import OnetDatabase, onet_database
from imputer.sources.onet_layout import raw_table

if TYPE_CHECKING:
    from pathlib import Path

SOCS = [f"11-10{number}.00" for number in range(11, 21)]
GROUPS = ["10010", "10011", "20010", "20011"]
FEW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

pairs = st.lists(st.tuples(st.sampled_from(GROUPS), st.sampled_from(SOCS)), min_size=1, max_size=25)
ratings = st.dictionaries(st.sampled_from(SOCS), st.integers(100, 500), max_size=len(SOCS))


def database_of(given_ratings: dict[str, int], order: list[str] | None = None) -> OnetDatabase:
    occupations = [{"onetsoc_code": soc, "title": soc, "description": soc} for soc in SOCS]
    rows = [
        {
            "onetsoc_code": soc,
            "element_id": "2.A.1.a",
            "element_name": "Reading",
            "scale_id": "IM",
            "data_value": given_ratings[soc] / 100,
            "standard_error": 0.2,
            "recommend_suppress": "Y" if given_ratings[soc] % 7 == 0 else "N",
            "date": "08/2023",
        }
        for soc in order or sorted(given_ratings)
    ]
    columns = {"onetsoc_code": "", "element_id": "", "element_name": "", "scale_id": "", "data_value": ""}
    skills = raw_table("skills", "Skills.txt", "0" * 64, rows or [columns])
    tables = {"occupation_data": [raw_table("occupation_data", "Occupation Data.txt", "1" * 64, occupations)]}
    return onet_database(tables | ({"skills": [skills]} if rows else {}), "29.3")


def links(some: list[tuple[str, str]]) -> pa.Table:
    distinct = sorted(set(some))
    return pa.table(
        {
            "unit_group": pa.array([group for group, _ in distinct], pa.string()),
            "soc": pa.array([soc for _, soc in distinct], pa.string()),
            "source_rows": pa.array([[number] for number, _ in enumerate(distinct, 1)], pa.list_(pa.int32())),
        }
    )


def by_group(values: pa.Table) -> dict[str, dict[str, Any]]:
    return {record["unit_group"]: record for record in values.to_pylist()}


@FEW
@given(pairs, ratings)
def test_a_value_lies_within_its_occupations_and_exists_where_one_is_rated(
    some: list[tuple[str, str]], rated: dict[str, int]
) -> None:
    found = by_group(unit_group_values(database_of(rated), links(some)))
    for group in {group for group, _ in some}:
        own = [rated[soc] / 100 for soc in {soc for owner, soc in some if owner == group} if soc in rated]
        assert (group in found) == bool(own)
        if own:
            record = found[group]
            assert min(own) - 1e-6 <= record["value_number"] <= max(own) + 1e-6
            assert record["value_number"] == pytest.approx(sum(own) / len(own), abs=1e-6)
            assert (record["n_rated"], record["n_occupations"]) == (len(own), len(dict(_of(some, group))))
            assert 0.0 < record["confidence"] <= 0.5
            assert sorted(json.loads(record["evidence"])["occupations"].values()) == sorted(own)


def _of(some: list[tuple[str, str]], group: str) -> list[tuple[str, str]]:
    return [(soc, owner) for owner, soc in some if owner == group]


@FEW
@given(pairs, ratings, st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_matters(
    tmp_path: Path, some: list[tuple[str, str]], rated: dict[str, int], random: Any
) -> None:
    expected = unit_group_values(database_of(rated), links(some))
    shuffled = [*some, *random.sample(some, len(some) // 2)]
    random.shuffle(shuffled)
    order = list(rated)
    random.shuffle(order)
    crosswalk = read_crosswalk(write_crosswalk(tmp_path / "crosswalk.csv", shuffled), "crosswalk").table
    found = unit_group_values(database_of(rated, order), crosswalk)
    assert found.drop_columns("locator").equals(expected.drop_columns("locator"))


@FEW
@given(pairs)
def test_every_pair_is_counted_on_both_sides(some: list[tuple[str, str]]) -> None:
    found = by_group(unit_group_cardinality(links(some)))
    distinct = set(some)
    for group, record in found.items():
        own = {soc for owner, soc in distinct if owner == group}
        most = max(len({owner for owner, soc in distinct if soc == one}) for one in own)
        expected = ("1" if most == 1 else "N") + ":" + ("1" if len(own) == 1 else "N" if most == 1 else "M")
        assert record["cardinality"] == expected


@FEW
@given(pairs, ratings)
def test_agreeing_occupations_are_trusted_more(some: list[tuple[str, str]], rated: dict[str, int]) -> None:
    alike = dict.fromkeys(rated, 350)
    rules = OnetRules(suppressed=0.0)
    apart = by_group(unit_group_values(database_of(rated), links(some), rules=rules))
    together = by_group(unit_group_values(database_of(alike), links(some), rules=rules))
    for group, record in together.items():
        if record["n_rated"] > 1:
            assert record["spread"] == 0.0
            assert record["confidence"] >= apart[group]["confidence"]


@given(st.integers(100, 500))
def test_importance_is_rounded_half_up(hundredths: int) -> None:
    exact = (hundredths - 100) / 4
    assert abs(importance(hundredths / 100) - exact) <= 0.5
    if exact % 1 == 0.5:
        assert importance(hundredths / 100) == exact + 0.5


def test_importance_as_the_service_gives_it() -> None:
    assert [importance(rating) for rating in (3.88, 4.12, 4.84, 4.86)] == [72, 78, 96, 97]
