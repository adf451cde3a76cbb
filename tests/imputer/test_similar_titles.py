"""The mean of similar job titles as an estimate of its own: whose values count, and what holds of any."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imputer.neighbours import Neighbours
from imputer.similar_titles import NEIGHBOURS_AVERAGED, estimate_cells, register_neighbours

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Sequence

WIDTH = 4.0
CELLS = [("asked", "writing", WIDTH)]
LIKENESS = st.integers(1, 10_000).map(lambda parts: parts / 10_000)
VALUES = st.floats(0, 7).map(lambda value: round(value, 4))
NEAR = st.lists(st.tuples(LIKENESS, VALUES), min_size=1, max_size=8)
CONNECTION = duckdb.connect(config={"threads": 1})
COLUMNS = {
    "cells": {"entity_id": pa.string(), "attribute_id": pa.string(), "width": pa.float64()},
    "near": {"entity_id": pa.string(), "other": pa.string(), "place": pa.int32(), "likeness": pa.float64()},
    "held": {"entity_id": pa.string(), "attribute_id": pa.string(), "value_number": pa.float64()},
}


def estimate(cells: Iterable[Any], near: Iterable[Any], held: Iterable[Any]) -> list[dict[str, Any]]:
    for (name, columns), rows in zip(COLUMNS.items(), (cells, near, held), strict=True):
        records = [dict(zip(columns, row, strict=True)) for row in rows]
        table = pa.Table.from_pylist(records, schema=pa.schema(list(columns.items())))
        CONNECTION.register("_given", table)
        CONNECTION.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM _given")
        CONNECTION.unregister("_given")
    estimate_cells(CONNECTION, cells="cells", neighbours="near", values="held")
    made: list[dict[str, Any]] = CONNECTION.sql("FROM estimated ORDER BY ALL").to_arrow_table().to_pylist()
    return made


def one_cell(near: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """The estimate of one cell from likeness and value of each neighbour, nearest first."""
    rows = list(enumerate(near))
    (made,) = estimate(
        CELLS,
        [("asked", f"n{place}", place, likeness) for place, (likeness, _) in rows],
        [(f"n{place}", "writing", value) for place, (_, value) in rows],
    )
    return made


def test_nearer_titles_weigh_more() -> None:
    made = one_cell([(0.9, 5.0), (0.3, 1.0)])
    assert made["value_number"] == pytest.approx(4.0)
    assert (made["n"], made["lowest"], made["highest"]) == (2, 1.0, 5.0)
    assert made["likeness"] == pytest.approx(0.6)
    assert made["spread"] == pytest.approx(math.sqrt(0.75 * 1 + 0.25 * 9))
    assert made["confidence"] == pytest.approx(0.6 / (1 + 3.0))
    assert made["neighbours"] == [
        {"other": "n0", "likeness": 0.9, "value_number": 5.0},
        {"other": "n1", "likeness": 0.3, "value_number": 1.0},
    ]


def test_the_first_that_have_a_value_count_however_far_down_they_are() -> None:
    near = [("asked", f"n{place}", place, 0.5) for place in range(10)]
    held = [(f"n{place}", "writing", float(place)) for place in range(10) if place not in (0, 2)]
    (made,) = estimate(CELLS, near, [*held, ("n0", "numeracy", 9.0), ("n2", "writing", None)])
    assert [one["other"] for one in made["neighbours"]] == ["n1", "n3", "n4", "n5", "n6"]
    assert made["n"] == NEIGHBOURS_AVERAGED


def test_a_cell_of_which_no_neighbour_has_a_value_gets_none() -> None:
    near = [("asked", "n0", 1, 0.5), ("asked", "n1", 2, 0.0)]
    assert (
        estimate([*CELLS, ("alone", "writing", WIDTH)], near, [("n0", "numeracy", 3.0), ("n1", "writing", 3.0)]) == []
    )


@given(NEAR)
@settings(deadline=None, max_examples=40)
def test_the_mean_is_among_the_values_and_made_again_from_the_evidence(near: list[tuple[float, float]]) -> None:
    made = one_cell(near)
    used = near[:NEIGHBOURS_AVERAGED]
    assert min(value for _, value in used) <= made["value_number"] <= max(value for _, value in used)
    weight = sum(one["likeness"] for one in made["neighbours"])
    again = sum(one["likeness"] * one["value_number"] for one in made["neighbours"]) / weight
    assert made["value_number"] == pytest.approx(again)
    assert 0 < made["confidence"] <= made["likeness"] <= 1
    assert made["spread"] <= made["highest"] - made["lowest"] + 1e-9


@given(st.lists(NEAR, min_size=1, max_size=4), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=25)
def test_the_order_of_rows_changes_nothing(groups: list[list[tuple[float, float]]], chance: random.Random) -> None:
    tables: list[list[tuple[Any, ...]]] = [
        [(f"asked{number}", "writing", WIDTH) for number in range(len(groups))],
        [
            (f"asked{number}", f"n{number}_{place}", place, likeness)
            for number, near in enumerate(groups)
            for place, (likeness, _) in enumerate(near)
        ],
        [
            (f"n{number}_{place}", "writing", value)
            for number, near in enumerate(groups)
            for place, (_, value) in enumerate(near)
        ],
    ]
    plain = estimate(*tables)
    for table in tables:
        chance.shuffle(table)
    assert estimate(*tables) == plain


@given(NEAR, st.floats(1, 5))
@settings(deadline=None, max_examples=40)
def test_more_spread_is_never_more_confidence(near: list[tuple[float, float]], stretch: float) -> None:
    plain = one_cell(near)
    middle = plain["value_number"]
    wider = one_cell([(likeness, middle + stretch * (value - middle)) for likeness, value in near])
    assert wider["spread"] >= plain["spread"] - 1e-9
    assert wider["confidence"] <= plain["confidence"] + 1e-9


# --- who is a neighbour ---------------------------------------------------------------------------------------------

TITLES = {
    "1": "Policy Analyst",
    "2": "Policy Analyst, Senior",
    "3": "Policy Analyst, Junior",
    "4": "Policy Adviser",
    "5": "Budget Analyst",
    "6": "Xylophonist",
}
GROUPS = {"1": "41400", "2": "41400", "3": "41401", "4": "41401", "5": None, "6": "51122"}


def test_no_neighbour_is_of_the_same_unit_group_nor_two_of_one() -> None:
    found = Neighbours(TITLES, list(TITLES), GROUPS).of(["1", "3", "5"], 5)
    assert found == {"1": ["3", "5", "6"], "3": ["2", "5", "6"], "5": ["1", "3", "6"]}


def test_without_unit_groups_only_the_job_itself_is_left_out() -> None:
    found = Neighbours(TITLES, list(TITLES), dict.fromkeys(TITLES)).of(["1"], 5)["1"]
    assert set(found) == set(TITLES) - {"1"}


def test_likeness_falls_and_is_kept_to_four_digits() -> None:
    likened = Neighbours(TITLES, list(TITLES), GROUPS).likened(["1"], 5)
    register_neighbours(CONNECTION, likened, "near_titles")
    rows = CONNECTION.sql("FROM near_titles ORDER BY place").fetchall()
    assert [(key, other, place) for key, other, place, _ in rows] == [("1", "3", 1), ("1", "5", 2), ("1", "6", 3)]
    likeness = [row[3] for row in rows]
    assert likeness == sorted(likeness, reverse=True)
    assert all(0 < one < 1 and one == round(one, 4) for one in likeness)


def test_nobody_known_nobody_near() -> None:
    assert Neighbours(TITLES, [], GROUPS).of(["1"], 3) == {"1": []}
