"""All backtests on one set of inputs, and what they leave for runs to state calibrated confidence by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from imputer.calibration import INHERITANCE, write_calibration
from imputer.descriptors.values import CALIBRATION
from imputer.evaluate.descriptors import TIER as ONET
from imputer.evaluate.descriptors import evaluate_descriptors
from imputer.evaluate.inheritance import TIER as HIERARCHICAL
from imputer.evaluate.inheritance import evaluate_inheritance, profile_values
from imputer.evaluate.resolution import CALIBRATION as RESOLUTION_CALIBRATION
from imputer.evaluate.resolution import evaluate_resolution
from imputer.evaluate.resolution_within import evaluate_within
from imputer.onet.values import unit_group_values
from imputer.resolution.coded import coded_titles
from imputer.resolution.corpus import build_corpora
from imputer.resolution.evidence import Evidence
from imputer.resolution.profiles import Profiles
from imputer.sources import read_inputs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from imputer.evaluate.figures import Figure
    from imputer.evaluate.inheritance import HeldOut
    from imputer.onet.rules import OnetRules
    from imputer.sources import Inputs

    #: Told what is being measured.
    Told = Callable[[str], None]

RESOLUTION = "resolution"
TIERS = (RESOLUTION, HIERARCHICAL, ONET)


@dataclass(frozen=True, slots=True)
class Backtests:
    """Figures in the order of the tiers; per tier further tables (``details``) and what to keep (``calibrations``)."""

    seed: int
    figures: tuple[Figure, ...]
    details: dict[str, Any] = field(default_factory=dict)
    calibrations: dict[Path, dict[str, Any]] = field(default_factory=dict)

    @property
    def missed(self) -> tuple[Figure, ...]:
        """The figures that do not reach their bar."""
        return tuple(figure for figure in self.figures if figure.reached is False)

    def as_record(self) -> dict[str, Any]:
        """For a JSON file."""
        return {
            "seed": self.seed,
            "figures": [figure.as_record() for figure in self.figures],
            "details": self.details,
        }


def run_backtests(folder: Path, tiers: tuple[str, ...], seed: int, told: Told, rules: OnetRules) -> Backtests:
    """Read the sources in ``folder`` and measure the tiers named, with one seed; ``told`` hears what is going on.

    ``rules`` are those that runs combine O*NET occupations by.
    """
    told("reading the sources")
    inputs = read_inputs(folder, onet=ONET in tiers)
    parts = []
    held: tuple[HeldOut, ...] | None = None
    settled: tuple[HeldOut, ...] = ()
    if RESOLUTION in tiers:
        found = evaluate_resolution(inputs, seed, told)
        held, settled = found.held, found.settled
        kept = {"made_with": made_with(inputs, seed, ("noc_", "oasis_", "job_architecture")), **found.calibration}
        kept["figures"] = [figure.as_record() for figure in found.figures]
        details = {"resolution": found.details}
        parts.append(Backtests(seed, found.figures, details, {RESOLUTION_CALIBRATION: kept}))
    if HIERARCHICAL in tiers:
        if held is None:
            told("resolving example titles within their unit groups, their own text removed")
            held, settled = held_out_titles(inputs, seed)
        told("comparing inherited values with those of the true profiles")
        parts.append(hierarchical_backtest(inputs, held, settled, seed))
    if ONET in tiers:
        parts.append(onet_backtest(inputs, rules, seed, told))
    return together(parts, seed)


def held_out_titles(inputs: Inputs, seed: int) -> tuple[tuple[HeldOut, ...], tuple[HeldOut, ...]]:
    """Example titles resolved without their own text: of unit groups with several profiles, and with one."""
    corpora = build_corpora(
        inputs.noc_classes,
        inputs.noc_example_titles,
        inputs.oasis_profiles,
        inputs.oasis_example_titles,
        inputs.oasis_texts,
    )
    likeness = Evidence(corpora["en"], coded_titles(None, corpora["en"].unit_groups)).likeness
    profiles = Profiles(inputs.oasis_profiles, inputs.oasis_example_titles, inputs.oasis_texts, likeness)
    found = evaluate_within(profiles, corpora, inputs.oasis_example_titles, seed)
    return found.held, found.settled


def hierarchical_backtest(
    inputs: Inputs, held: tuple[HeldOut, ...], settled: tuple[HeldOut, ...], seed: int
) -> Backtests:
    """What held-out titles inherit, against what their true profiles hold."""
    values = profile_values(inputs.oasis_ratings, inputs.oasis_texts, inputs.oasis_profiles, inputs.attributes)
    found = evaluate_inheritance(held, settled, values, seed)
    kept = {
        "made_with": made_with(inputs, seed, ("oasis_", "noc_")),
        "figures": [figure.as_record() for figure in found.figures],
        "probabilities": list(found.probabilities),
    }
    return Backtests(seed, found.figures, {"inheritance": list(found.probabilities)}, {INHERITANCE: kept})


def onet_backtest(inputs: Inputs, rules: OnetRules, seed: int, told: Told) -> Backtests:
    """O*NET → OaSIS, as runs estimate it."""
    assert inputs.onet is not None, "read without O*NET"
    told("combining O*NET occupations")
    values = unit_group_values(inputs.onet, inputs.crosswalk, inputs.weighted_crosswalk, rules)
    told("estimating OaSIS ratings of unit groups left out")
    found = evaluate_descriptors(values, inputs.oasis_ratings, inputs.oasis_profiles, inputs.attributes, seed)
    kept = {
        "made_with": made_with(inputs, seed, ("oasis_", "onet_", "crosswalk")) | {"crosswalk": rules.crosswalk},
        "figures": [figure.as_record() for figure in found.figures],
        **found.calibration,
    }
    details = {"descriptors": found.descriptors.to_pylist(), "onet_reliability": list(found.reliability)}
    return Backtests(seed, found.figures, details, {CALIBRATION: kept})


def made_with(inputs: Inputs, seed: int, prefixes: tuple[str, ...]) -> dict[str, Any]:
    """What a calibration was fitted on: the seed, and the sha256 of each source whose id starts so."""
    versions = {source: digest for source, digest in inputs.versions.items() if source.startswith(prefixes)}
    return {"seed": seed, "inputs": versions}


def together(parts: list[Backtests], seed: int) -> Backtests:
    """Several backtests as one."""
    figures = tuple(figure for part in parts for figure in part.figures)
    details = {name: value for part in parts for name, value in part.details.items()}
    calibrations = {path: content for part in parts for path, content in part.calibrations.items()}
    return Backtests(seed, figures, details, calibrations)


def keep(backtests: Backtests) -> tuple[Path, ...]:
    """Write the calibration files that runs read; returns their paths."""
    for path, content in backtests.calibrations.items():
        write_calibration(path, content)
    return tuple(backtests.calibrations)
