"""Estimates never rest on the unit group's own ratings, and the quick forms equal the slow ones."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from imputer.descriptors.estimator import NOISE, folded, folded_fit, isotonic_fit, left_out, linear_fit
from imputer.descriptors.likeness import likeness, place_likeness, ratings_likeness
from imputer.descriptors.matrices import Matrix, onet_quantities, pivot, unit_group_ratings
from imputer.descriptors.scores import mean_of_others, rank_correlation, score, stretched

GENERATOR = np.random.default_rng(5)
UNIT_GROUPS = tuple(sorted(f"{code:05d}" for code in GENERATOR.choice(100_000, 40, replace=False)))
FEATURES = Matrix(UNIT_GROUPS, tuple("abcdef"), GENERATOR.normal(size=(40, 6)))
TRUTH = np.clip(FEATURES.values[:, :3] + GENERATOR.normal(scale=0.3, size=(40, 3)) + 3, 0, 5)
GAPS = np.where(GENERATOR.random((40, 3)) < 0.15, np.nan, TRUTH)


def test_the_closed_form_equals_fitting_again_without_each_unit_group() -> None:
    kernel = likeness(FEATURES)
    quick = left_out(kernel, GAPS)
    slow = folded(kernel, GAPS, np.arange(40))
    np.testing.assert_allclose(quick.values, slow.values, atol=1e-9)
    np.testing.assert_allclose(quick.variance, slow.variance, atol=1e-9)
    assert np.isfinite(quick.values).all()


@given(st.integers(0, 39), st.floats(0, 5))
def test_an_estimate_does_not_change_with_the_unit_groups_own_rating(place: int, rating: float) -> None:
    changed = TRUTH.copy()
    changed[place] = rating
    kernel = likeness(FEATURES)
    before, after = left_out(kernel, TRUTH), left_out(kernel, changed)
    np.testing.assert_allclose(after.values[place], before.values[place], atol=1e-8)
    np.testing.assert_allclose(after.variance, before.variance)


def test_a_curve_of_one_rating_is_fitted_on_the_other_folds_only() -> None:
    x, y = FEATURES.values[:, 0], TRUTH[:, 0].copy()
    folds = np.arange(40) % 4
    for fit in (linear_fit, isotonic_fit):
        before = folded_fit(fit, x, y, folds)
        changed = np.where(folds == 2, 0.0, y)
        np.testing.assert_array_equal(folded_fit(fit, x, changed, folds)[folds == 2], before[folds == 2])
    assert np.isnan(folded_fit(linear_fit, np.full(40, np.nan), y, folds)).all()


def test_the_straight_line_and_the_rising_curve_are_the_best_of_their_kind() -> None:
    x, y = FEATURES.values[:, 0], TRUTH[:, 0]
    slope, intercept = np.polyfit(x, y, 1)
    np.testing.assert_allclose(linear_fit(x, y)(x), slope * x + intercept)
    assert linear_fit(np.ones(3), np.array([1.0, 2, 6]))(np.array([7.0]))[0] == 3
    order = np.argsort(x)
    rising = isotonic_fit(x, y)(x[order])
    assert (np.diff(rising) >= -1e-12).all()
    assert ((rising - y[order]) ** 2).sum() <= ((linear_fit(x, y)(x[order]) - y[order]) ** 2).sum()


def test_a_unit_group_among_its_like_is_surer_than_one_that_stands_alone() -> None:
    features = Matrix(("11100", "11101", "11102", "95100"), ("a",), np.array([[1.0], [1.0], [1.0], [-3.0]]))
    variance = left_out(likeness(features), np.ones((4, 1))).variance[:, 0]
    assert variance[:3].max() < variance[3]
    assert variance.min() >= NOISE


def test_likeness_is_symmetric_bounded_and_blind_to_units() -> None:
    ratings = ratings_likeness(FEATURES)
    np.testing.assert_allclose(ratings, ratings.T)
    assert ratings.min() >= 0
    np.testing.assert_allclose(np.diag(ratings), 1)
    rescaled = Matrix(UNIT_GROUPS, FEATURES.columns, FEATURES.values * 7 - 3)
    np.testing.assert_allclose(ratings_likeness(rescaled), ratings, atol=1e-9)
    assert np.linalg.eigvalsh(likeness(FEATURES)).min() > -1e-9
    place = place_likeness(("11100", "11109", "11200", "21100", "95000"))
    assert place[0, 1] > place[0, 2] > place[0, 3] > place[0, 4]


def test_ratings_that_say_nothing_do_not_count() -> None:
    same = Matrix(UNIT_GROUPS, ("a", "b"), np.column_stack([np.ones(40), np.full(40, np.nan)]))
    np.testing.assert_array_equal(ratings_likeness(same), np.ones((40, 40)))
    rare = np.full((40, 1), np.nan)
    rare[:3] = 9
    wider = Matrix(UNIT_GROUPS, (*FEATURES.columns, "g"), np.hstack([FEATURES.values, rare]))
    np.testing.assert_allclose(ratings_likeness(wider), ratings_likeness(FEATURES))
    assert ratings_likeness(Matrix((), (), np.empty((0, 0)))).shape == (0, 0)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=40))
def test_rank_correlation_agrees_with_scipy(pairs: list[tuple[int, int]]) -> None:
    x, y = (np.array(values, dtype=float) for values in zip(*pairs, strict=True))
    ours = rank_correlation(x, y)
    if len(set(x)) == 1 or len(set(y)) == 1:
        assert np.isnan(ours)
    else:
        assert ours == pytest.approx(spearmanr(x, y).statistic)


def test_means_of_others_leave_the_row_out_and_fall_back_on_all() -> None:
    truth = np.array([[1.0], [3.0], [8.0], [np.nan]])
    np.testing.assert_allclose(mean_of_others(truth, ["a", "a", "b", "a"])[:, 0], [3, 1, 2, 2])
    np.testing.assert_allclose(mean_of_others(truth, [""] * 4)[:, 0], [5.5, 4.5, 2, 4])


def test_scores_count_known_pairs_only() -> None:
    scored = score(np.array([1.0, 2.0, 3.0, np.nan]), np.array([1.5, 2.0, 5.0, 1.0]))
    assert (scored.n, scored.within_half, scored.within_one) == (3, pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert scored.mae == pytest.approx(2.5 / 3)
    assert scored.spearman == 1
    assert score(np.array([np.nan]), np.array([1.0])).n == 0
    assert stretched(np.array([7.0]), 7, 5)[0] == 5


def test_long_tables_become_matrices() -> None:
    table = pa.table({"u": ["b", "a", "a"], "k": ["x", "x", "x"], "v": [1.0, 2.0, 4.0]})
    matrix = pivot(table, "u", "k", "v")
    assert (matrix.rows, matrix.columns, matrix.values.tolist()) == (("a", "b"), ("x",), [[3.0], [1.0]])
    assert matrix.at_rows(["b", "c"]).values[0, 0] == 1
    assert np.isnan(matrix.at_rows(["b", "c"]).values[1, 0])


def test_zero_counts_as_zero_in_a_unit_groups_mean() -> None:
    ratings = pa.table({"profile": ["10000.01", "10000.02"], "attribute_id": ["s", "s"], "value": [0.0, 3.0]})
    profiles = pa.table({"profile": ["10000.01", "10000.02"], "unit_group": ["10000", "10000"]})
    assert unit_group_ratings(ratings, profiles).values.tolist() == [[1.5]]


def test_high_points_are_no_quantities() -> None:
    names = ["onet.1.B.1.g.IH", "onet.1.B.1.a.OI", "onet.job_zone", "onet.tasks"]
    values = pa.table(
        {"unit_group": ["1"] * 4, "attribute_id": names, "value_number": pa.array([1.0, 2.0, 3.0, None], pa.float64())}
    )
    assert onet_quantities(values).columns == ("onet.1.B.1.a.OI", "onet.job_zone")
