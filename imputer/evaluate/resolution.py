"""Backtest of resolution, and the weights, curves and thresholds that runs use, fitted here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from imputer.evaluate.resolution_baselines import baseline_figures
from imputer.evaluate.resolution_blind import BlindBacktest, evaluate_blind
from imputer.evaluate.resolution_within import WithinBacktest, evaluate_within
from imputer.resolution.coded import coded_titles
from imputer.resolution.corpus import LANGUAGES, build_corpora
from imputer.resolution.evidence import FEATURES as UNIT_GROUP_FEATURES
from imputer.resolution.evidence import Evidence
from imputer.resolution.fitted import CALIBRATION, WIDTH, Fitted
from imputer.resolution.profiles import Profiles
from imputer.resolution.unit_groups import MODES

if TYPE_CHECKING:
    from collections.abc import Callable

    from imputer.evaluate.figures import Figure
    from imputer.evaluate.inheritance import HeldOut
    from imputer.sources import Inputs

__all__ = ["CALIBRATION", "ResolutionBacktest", "evaluate_resolution"]


@dataclass(frozen=True, slots=True)
class ResolutionBacktest:
    """``figures``; ``details`` (curves, risk and coverage); ``calibration`` to keep in CALIBRATION.

    ``held`` are the held-out titles of unit groups with several profiles, ``settled`` those with one.
    """

    figures: tuple[Figure, ...]
    details: dict[str, Any]
    calibration: dict[str, Any]
    held: tuple[HeldOut, ...]
    settled: tuple[HeldOut, ...]


def evaluate_resolution(inputs: Inputs, seed: int, told: Callable[[str], None]) -> ResolutionBacktest:
    """Measure resolution inside the unit group and without one; the blind part needs coded job titles."""
    corpora = build_corpora(
        inputs.noc_classes,
        inputs.noc_example_titles,
        inputs.oasis_profiles,
        inputs.oasis_example_titles,
        inputs.oasis_texts,
    )
    nothing = coded_titles(None, corpora["en"].unit_groups)
    likeness = Evidence(corpora["en"], nothing).likeness
    profiles = Profiles(inputs.oasis_profiles, inputs.oasis_example_titles, inputs.oasis_texts, likeness)
    told("resolving example titles within their unit groups, their own text removed")
    within = evaluate_within(profiles, corpora, inputs.oasis_example_titles, seed)
    told("inferring unit groups of coded job titles, their own rows removed")
    blind = evaluate_blind(corpora, inputs.job_titles, seed)
    told("comparing with fuzzy and TF-IDF baselines")
    baselines = baseline_figures(corpora, inputs.job_titles, seed)
    fitted = _fitted(within, blind)
    return ResolutionBacktest(
        figures=(*within.figures, *blind.figures, *baselines),
        details={"within": within.details, "blind": blind.details},
        calibration=fitted.as_record(),
        held=within.held,
        settled=within.settled,
    )


def _fitted(within: WithinBacktest, blind: BlindBacktest) -> Fitted:
    fitted = within.fitted
    if blind.fitted is None:
        nothing = np.zeros(len(UNIT_GROUP_FEATURES) * WIDTH)
        return replace(fitted, unit_groups={one: dict.fromkeys(MODES, nothing) for one in LANGUAGES})
    return replace(
        fitted,
        unit_groups=blind.fitted.unit_groups,
        unit_group_curves=blind.fitted.unit_group_curves,
        thresholds=blind.fitted.thresholds,
    )
