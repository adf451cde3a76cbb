"""What the settings of the O*NET tier rest on: the levels of skills held against OaSIS skills of the same name."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc
import pytest
from scipy.stats import spearmanr

from imputer.onet.rules import OnetRules
from imputer.onet.values import unit_group_values
from imputer.sources.crosswalk import read_crosswalk, read_weighted_crosswalk
from imputer.sources.onet_database import read_onet_database

if TYPE_CHECKING:
    from pathlib import Path

Errors = dict[str, np.ndarray]
# Skills that go by two names.
SYNONYMS = {
    "decisionmaking": "2.B.4.e",
    "learningandteachingstrategies": "2.A.2.c",
    "problemsolving": "2.B.2.i",
    "numeracy": "2.A.1.e",
    "settingup": "2.B.3.d",
}


@pytest.fixture(scope="module")
def errors(shared_data: Path) -> dict[str, Errors]:
    """Per crosswalk setting: the absolute error of every value once a line is fitted per skill, with its evidence."""
    crosswalk = read_crosswalk(shared_data / "crosswalk" / "noc2021_onet26.csv", "crosswalk").table
    path = shared_data / "crosswalk" / "bcgov_onet_to_noc2021_mapping_3.0.0.csv"
    weighted = read_weighted_crosswalk(path, "crosswalk_weighted").table
    database = read_onet_database(shared_data / "onet_29_3")
    catalogue = database.attributes.to_pylist()
    named = {_plain(record["name_en"].partition(" (")[0]): record["element_id"] for record in catalogue}
    oasis = _oasis(shared_data / "oasis" / "skills_oasis_2023_v1.0.csv", named | SYNONYMS)
    found = {}
    for setting in ("mean", "base_weight", "both"):
        values = unit_group_values(database, crosswalk, weighted, OnetRules(crosswalk=setting))
        levels = values.filter(pc.equal(values["scale"], "LV")).to_pylist()
        kept = defaultdict(list)
        for record in levels:
            element = record["attribute_id"].removeprefix("onet.").removesuffix(".LV")
            if record["unit_group"] in oasis.get(element, {}):
                kept[element].append((record, oasis[element][record["unit_group"]]))
        found[setting] = _errors(kept)
    return found


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalpha())


def _oasis(path: Path, named: dict[str, str]) -> dict[str, dict[str, float]]:
    """Element to unit group to the mean over its profiles."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    columns = {place: named[_plain(name)] for place, name in enumerate(header) if _plain(name) in named}
    ratings: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        for place, element in columns.items():
            ratings[element][row[0][:5]].append(float(row[place]))
    return {
        element: {group: float(np.mean(some)) for group, some in groups.items()} for element, groups in ratings.items()
    }


def _errors(kept: dict[str, list[tuple[dict, float]]]) -> Errors:
    columns = defaultdict(list)
    for pairs in kept.values():
        ours = np.array([record["value_number"] for record, _ in pairs])
        theirs = np.array([rating for _, rating in pairs])
        line = np.polyfit(ours, theirs, 1)
        columns["error"] += list(np.abs(np.polyval(line, ours) - theirs))
        for record, _ in pairs:
            either = json.loads(record["evidence"])["crosswalks"]
            columns["confidence"].append(record["confidence"])
            columns["apart"].append(abs(either[0] - either[1]) if either else np.nan)
            columns["spread"].append(record["spread"] if record["n_rated"] > 1 else np.nan)
    return {name: np.array(column) for name, column in columns.items()}


def test_errors_of_the_three_settings(errors: dict[str, Errors]) -> None:
    found = {setting: float(of["error"].mean()) for setting, of in errors.items()}
    assert found == pytest.approx({"mean": 0.505, "base_weight": 0.476, "both": 0.468}, abs=0.005)
    assert len(errors["mean"]["error"]) > 9000


def test_confidence_goes_with_the_error(errors: dict[str, Errors]) -> None:
    for of in errors.values():
        bounds = np.quantile(of["confidence"], np.linspace(0, 1, 6))
        fifths = np.clip(np.searchsorted(bounds, of["confidence"], side="right") - 1, 0, 4)
        means = [of["error"][fifths == fifth].mean() for fifth in range(5)]
        assert all(better <= worse + 0.02 for worse, better in pairwise(means))
        assert means[0] > 1.5 * means[4]


def test_the_signals_that_confidence_rests_on(errors: dict[str, Errors]) -> None:
    of = errors["mean"]
    for signal in ("apart", "spread"):
        told = ~np.isnan(of[signal])
        assert spearmanr(of[signal][told], of["error"][told])[0] > 0.15
    far = of["error"][of["apart"] > 0.9].mean()
    near = of["error"][of["apart"] <= 0.2].mean()
    assert far > 2 * near
