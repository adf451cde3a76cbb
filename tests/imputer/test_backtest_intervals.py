"""Bootstrap intervals, calibration error and rising curves: what holds for any values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imputer.calibration import Curve, curve_from_record, inherited_probabilities, read_calibration, write_calibration
from imputer.errors import SourceMalformed
from imputer.evaluate.intervals import (
    calibration_error,
    calibration_error_interval,
    cross_fitted,
    fit_curve,
    mean_interval,
    reliability,
    stratified_folds,
)

if TYPE_CHECKING:
    from pathlib import Path

shares = st.floats(0, 1)
pairs = st.lists(st.tuples(shares, st.booleans()), min_size=1, max_size=200)


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=60), st.integers(0, 5))
def test_an_interval_is_seeded_and_lies_within_the_values(values: list[float], seed: int) -> None:
    first, again = mean_interval(values, seed, resamples=50), mean_interval(values, seed, resamples=50)
    assert first == again
    assert first.n == len(values)
    assert min(values) - 1e-9 <= first.low <= first.high <= max(values) + 1e-9


def test_an_interval_covers_the_true_mean_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(1)
    covered = sum(
        interval.low <= 0.3 <= interval.high
        for interval in (mean_interval(generator.random(200) < 0.3, 7, resamples=300) for _ in range(200))
    )
    assert 0.9 <= covered / 200 <= 0.99


def test_values_of_one_cluster_count_as_little_more_than_one_value() -> None:
    values = np.repeat(np.random.default_rng(2).random(20), 50)
    clusters = [str(place) for place in np.repeat(np.arange(20), 50)]
    alone, together = mean_interval(values, 3), mean_interval(values, 3, clusters)
    assert together.high - together.low > 4 * (alone.high - alone.low)


def test_missing_values_are_left_out_of_an_interval() -> None:
    assert mean_interval([float("nan"), 1, 3], 0).n == 2
    assert np.isnan(mean_interval([float("nan")], 0).value)


@given(pairs)
def test_the_calibration_error_is_between_zero_and_one(values: list[tuple[float, bool]]) -> None:
    confidence, right = zip(*values, strict=True)
    error = calibration_error(confidence, right)
    assert 0 <= error <= 1
    assert sum(part.n for part in reliability(confidence, right)) == len(values)
    interval = calibration_error_interval(confidence, right, 0, resamples=20)
    assert interval.value == error
    assert interval == calibration_error_interval(confidence, right, 0, resamples=20)


def test_the_calibration_error_is_the_distance_of_confidence_from_what_was_right() -> None:
    right = np.arange(1000) % 10 < 7
    assert calibration_error(np.full(1000, 0.7), right) == pytest.approx(0, abs=1e-9)
    assert calibration_error(np.full(1000, 0.9), right) == pytest.approx(0.2)
    assert calibration_error([1.0, 0.0], [True, False]) == 0


@given(pairs, st.integers(1, 40))
def test_a_fitted_curve_rises_stays_in_bounds_and_survives_a_file(values: list[tuple[float, bool]], least: int) -> None:
    scores, right = zip(*values, strict=True)
    curve = fit_curve(scores, right, least)
    probabilities = curve.apply(sorted(scores))
    assert all(0 < probability < 1 for probability in probabilities)
    assert all(np.diff(probabilities) >= 0)
    assert curve_from_record(curve.as_record(), "here") == curve
    if len(values) < 2 * least:
        assert len(curve.scores) == 1


@given(pairs)
def test_what_a_curve_says_of_the_values_it_was_fitted_on_is_right_on_average(values: list[tuple[float, bool]]) -> None:
    scores, right = zip(*values, strict=True)
    fitted = fit_curve(scores, right, 10).apply(scores)
    assert abs(fitted.mean() - np.mean(right)) <= 1 / (min(len(values), 10) + 2) + 1e-4


def test_a_curve_needs_a_value() -> None:
    with pytest.raises(ValueError, match="at least one"):
        fit_curve([], [])


def test_calibrated_confidence_of_a_fold_comes_from_the_other_folds() -> None:
    scores, folds = np.linspace(0, 1, 400), np.arange(400) % 2
    right = folds == 0
    made = cross_fitted(scores, right, folds)
    assert made[folds == 0].max() < 0.05
    assert made[folds == 1].min() > 0.95


@given(st.lists(st.integers(10000, 10060), min_size=1, max_size=200), st.integers(0, 3))
def test_folds_are_seeded_split_no_cluster_and_spread_each_stratum(codes: list[int], seed: int) -> None:
    clusters = [str(code) for code in codes]
    strata = [cluster[3] for cluster in clusters]
    folds = stratified_folds(clusters, strata, seed, 5)
    assert (folds == stratified_folds(clusters, strata, seed, 5)).all()
    assert all(len(set(folds[np.array(clusters) == cluster])) == 1 for cluster in clusters)
    for stratum in strata:
        members = {cluster: fold for cluster, fold in zip(clusters, folds, strict=True) if cluster[3] == stratum}
        counts = np.bincount(list(members.values()), minlength=5)
        assert counts.max() - counts.min() <= 1


def test_a_curve_below_its_first_score_and_at_no_score() -> None:
    curve = Curve((0.5, 0.8), (0.6, 0.9), 100)
    assert curve.apply([0.1, 0.5, 0.79, 0.8, 2.0]).tolist() == [0.6, 0.6, 0.6, 0.9, 0.9]
    assert np.isnan(curve.apply([float("nan")])).all()


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"scores": [], "probabilities": [], "n": 0},
        {"scores": [0.1, 0.2], "probabilities": [0.9, 0.8], "n": 9},
        {"scores": [0.2, 0.1], "probabilities": [0.8, 0.9], "n": 9},
        {"scores": [0.1], "probabilities": [1.1], "n": 9},
        {"scores": [0.1], "probabilities": [0.1, 0.2], "n": 9},
    ],
)
def test_a_broken_curve_is_refused_by_name(record: dict[str, object]) -> None:
    with pytest.raises(SourceMalformed, match=r"calibration\.json, curve"):
        curve_from_record(record, "calibration.json, curve")


def test_a_calibration_file_is_written_the_same_twice_and_a_broken_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    content = {"made_with": {"seed": 1}, "b": 1, "a": {"d": 1, "c": 2}}
    write_calibration(path, content)
    before = path.read_bytes()
    write_calibration(path, read_calibration(path))
    assert path.read_bytes() == before
    for text in ("{", "[]", "{}"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(SourceMalformed, match="backtest --write-calibration"):
            read_calibration(path)


def test_probabilities_of_inheritance_are_read_and_broken_ones_refused(tmp_path: Path) -> None:
    path = tmp_path / "inheritance.json"
    assert inherited_probabilities(path) == []
    record = {"method": "LABEL_IMPUTATION", "domain": "skills", "probability": 0.9, "n": 10}
    write_calibration(path, {"made_with": {}, "probabilities": [record]})
    assert inherited_probabilities(path) == [record]
    for broken in (record | {"probability": 1.2}, {"method": "LABEL_IMPUTATION"}):
        write_calibration(path, {"made_with": {}, "probabilities": [broken]})
        with pytest.raises(SourceMalformed, match="probability of inheritance"):
            inherited_probabilities(path)
