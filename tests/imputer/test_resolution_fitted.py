"""The weights and curves that runs use: kept whole, made from the registered inputs, reaching their bars."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from imputer.calibration import read_calibration
from imputer.errors import SourceMalformed
from imputer.resolution.answer import STATED
from imputer.resolution.choice import fit_weights, probabilities, utilities
from imputer.resolution.fitted import CALIBRATION, read_fitted
from imputer.sources import load_registry

if TYPE_CHECKING:
    from pathlib import Path


def test_the_kept_calibration_covers_every_method_and_setting() -> None:
    fitted = read_fitted()
    assert set(fitted.profile_curves) == set(STATED)
    settings = {f"{language} {mode}" for language in ("en", "fr", "both") for mode in ("title", "context")}
    assert set(fitted.unit_group_curves) == set(fitted.thresholds) == settings
    assert fitted.as_record() == {
        name: value for name, value in read_calibration(CALIBRATION).items() if name not in {"made_with", "figures"}
    }


def test_the_kept_calibration_was_made_from_the_registered_files() -> None:
    made_with = read_calibration(CALIBRATION)["made_with"]
    files = load_registry().files
    assert made_with["seed"] == 2026
    for source_id, digest in made_with["inputs"].items():
        assert files[source_id].sha256 in {None, digest}, source_id


def test_the_kept_figures_reach_their_bars() -> None:
    figures = [figure for figure in read_calibration(CALIBRATION)["figures"] if figure["bar"] is not None]
    assert {figure["bar"] for figure in figures} == {0.88, 0.60, 0.85, 0.50, 0.05}
    assert [figure["name"] for figure in figures if not figure["reached"]] == []


@pytest.mark.parametrize("change", ["drop", "rename", "shorten"])
def test_a_calibration_that_does_not_fit_the_code_is_refused(change: str, tmp_path: Path) -> None:
    record = read_calibration(CALIBRATION)
    if change == "drop":
        del record["profiles"]
    elif change == "rename":
        record["profiles"]["another"] = record["profiles"].pop("label_words")
    else:
        record["unit_groups"]["en"]["title"]["about"] = [1.0]
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(SourceMalformed, match="write-calibration"):
        read_fitted(path)


def test_fitted_weights_find_what_decides() -> None:
    generator = np.random.default_rng(5)
    features = generator.normal(size=(400, 6, 3))
    there = np.ones((400, 6), dtype=bool)
    there[:, 5] = generator.random(400) < 0.5
    right = utilities(features, there, np.array([2.0, -1.0, 0.0])).argmax(axis=1)
    weights = fit_weights(features, there, right, 0.001)
    assert weights[0] > 0 > weights[1]
    assert abs(weights[2]) < 0.1 * weights[0]
    found = probabilities(utilities(features, there, weights))
    assert np.allclose(found.sum(axis=1), 1)
    assert (found[~there] == 0).all()
    assert (found.argmax(axis=1) == right).mean() > 0.95
