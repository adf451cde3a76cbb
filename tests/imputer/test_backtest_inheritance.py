"""What titles inherit, compared with what their true profiles hold: on values small enough to count by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from imputer.evaluate.inheritance import HeldOut, evaluate_inheritance, outcomes, probabilities, profile_values

if TYPE_CHECKING:
    from imputer.evaluate.inheritance import Outcomes, ProfileValues

PROFILES = ("10000.01", "10000.02", "10000.03", "20000.00")
SKILLS = {"10000.01": (1, 4), "10000.02": (5, 4), "10000.03": (3, 4), "20000.00": (2, 2)}


def table(rows: list[tuple[object, ...]], *names: str) -> pa.Table:
    return pa.table({name: [row[place] for row in rows] for place, name in enumerate(names)})


@pytest.fixture(scope="module")
def values() -> ProfileValues:
    ratings = [
        (profile, f"oasis.skills.{name}", float(rating))
        for profile, pair in SKILLS.items()
        for name, rating in zip(("writing", "speaking"), pair, strict=True)
    ]
    texts = [(profile, "oasis.main_duties", 1, f"duty of {profile[:8]}") for profile in PROFILES]
    texts += [(profile, "oasis.interests.first", 1, "R") for profile in PROFILES]
    texts += [("10000.01", "oasis.main_duties", 2, "another")]
    attributes = [
        ("oasis.skills.writing", "skills", 1.0),
        ("oasis.skills.speaking", "skills", 1.0),
        ("oasis.main_duties", "main_duties", None),
        ("oasis.interests.first", "interests", None),
    ]
    return profile_values(
        table(ratings, "profile", "attribute_id", "value"),
        table(texts, "profile", "attribute_id", "position", "text"),
        table([(profile, profile[:5]) for profile in PROFILES], "profile", "unit_group"),
        table(attributes, "attribute_id", "domain", "tolerance"),
    )


def counts(found: Outcomes, domain: str) -> list[tuple[float, float]]:
    place = found.domains.index(domain)
    return list(zip(found.right[:, place], found.n[:, place], strict=True))


def test_a_title_inherits_its_profiles_values_and_no_others(values: ProfileValues) -> None:
    right = HeldOut("10000", "10000.01", "10000.01", "LABEL_IMPUTATION")
    wrong = HeldOut("10000", "10000.01", "10000.02", "LABEL_IMPUTATION")
    near = HeldOut("10000", "10000.02", "10000.03", "LABEL_IMPUTATION")
    found = outcomes([right, wrong, near], values)
    assert counts(found, "skills") == [(2, 2), (1, 2), (1, 2)]
    assert counts(found, "main_duties") == [(1, 1), (0, 1), (0, 1)]
    assert counts(found, "interests") == [(1, 1), (1, 1), (1, 1)]


def test_resolved_to_the_unit_group_only_it_inherits_the_mean_and_no_text(values: ProfileValues) -> None:
    titles = [HeldOut("10000", profile, profile, "UG_IMPUTATION") for profile in PROFILES[:3]]
    found = outcomes(titles, values)
    assert counts(found, "skills") == [(1, 2), (1, 2), (2, 2)]
    assert counts(found, "main_duties") == [(0, 0)] * 3


def test_differing_looks_at_ratings_on_which_profiles_part(values: ProfileValues) -> None:
    titles = [HeldOut("10000", "10000.01", "10000.02", "LABEL_IMPUTATION")]
    assert counts(outcomes(titles, values, differing=True), "skills") == [(0, 1)]


def test_probabilities_are_shares_by_method_and_domain_drawn_towards_the_methods_own(values: ProfileValues) -> None:
    titles = [HeldOut("10000", "10000.01", "10000.01", "LABEL_IMPUTATION")] * 300
    titles += [HeldOut("10000", "10000.01", "10000.02", "LABEL_IMPUTATION")] * 100
    found = probabilities(titles, outcomes(titles, values))
    assert set(found) == {("LABEL_IMPUTATION", domain) for domain in ("skills", "main_duties", "interests")}
    assert found["LABEL_IMPUTATION", "skills"] == (pytest.approx(7 / 8, abs=0.01), 800)
    assert 0.75 < found["LABEL_IMPUTATION", "main_duties"][0] < 0.8
    assert found["LABEL_IMPUTATION", "interests"][0] < 1


def test_a_backtest_keeps_every_method_and_is_the_same_for_the_same_seed(values: ProfileValues) -> None:
    generator = np.random.default_rng(3)
    held = [
        HeldOut("10000", PROFILES[true], PROFILES[given], method)
        for true, given in generator.integers(0, 3, size=(60, 2)).tolist()
        for method in ("LABEL_IMPUTATION", "UG_IMPUTATION")
    ]
    settled = [HeldOut("20000", "20000.00", "20000.00", "UG_DOMINANT")] * 40
    found, again = evaluate_inheritance(held, settled, values, 4), evaluate_inheritance(held, settled, values, 4)
    assert found.probabilities == again.probabilities
    assert [figure.as_record() for figure in found.figures] == [figure.as_record() for figure in again.figures]
    kept = {(record["method"], record["domain"]): record for record in found.probabilities}
    assert kept["UG_DOMINANT", "skills"]["probability"] > 0.98
    assert ("UG_IMPUTATION", "main_duties") not in kept
    assert 0 < kept["UG_IMPUTATION", "skills"]["probability"] < 1
    names = [figure.name for figure in found.figures]
    assert names[0] == "ratings within tolerance of the true profile's"
    assert names[-1] == "calibration error"
