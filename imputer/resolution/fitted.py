"""What backtests fitted and runs use: weights of features, calibration curves, thresholds of abstention."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from imputer.calibration import Curve, curve_from_record, read_calibration
from imputer.errors import SourceMalformed
from imputer.resolution import evidence, profiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

#: What ``imputer backtest --write-calibration`` leaves of resolution.
CALIBRATION: Final = Path(__file__).parent / "calibration.json"
#: Features are widened fourfold before they are weighed (see choice.widened).
WIDTH: Final = 4


@dataclass(frozen=True, slots=True)
class Fitted:
    """``unit_groups`` holds weights by language (en, fr) and mode (title, context).

    ``profile_curves`` are by method; ``unit_group_curves`` and ``thresholds`` (probability below which resolution
    abstains) by «language mode», language en, fr or both.
    """

    profiles: Floats
    unit_groups: dict[str, dict[str, Floats]]
    profile_curves: dict[str, Curve] = field(default_factory=dict)
    unit_group_curves: dict[str, Curve] = field(default_factory=dict)
    thresholds: dict[str, float] = field(default_factory=dict)

    def as_record(self) -> dict[str, Any]:
        """As it is kept in a file."""
        return {
            "profiles": _named(profiles.FEATURES, self.profiles),
            "unit_groups": {
                language: {mode: _named(evidence.FEATURES, weights) for mode, weights in modes.items()}
                for language, modes in self.unit_groups.items()
            },
            "profile_curves": {name: curve.as_record() for name, curve in self.profile_curves.items()},
            "unit_group_curves": {name: curve.as_record() for name, curve in self.unit_group_curves.items()},
            "thresholds": self.thresholds,
        }


def read_fitted(path: Path = CALIBRATION) -> Fitted:
    """The kept calibration; raises SourceMalformed where it is broken or knows other features than the code."""
    record = read_calibration(path)
    try:
        return Fitted(
            _weights(profiles.FEATURES, record["profiles"], path),
            {
                language: {mode: _weights(evidence.FEATURES, named, path) for mode, named in modes.items()}
                for language, modes in record["unit_groups"].items()
            },
            {name: curve_from_record(curve, str(path)) for name, curve in record["profile_curves"].items()},
            {name: curve_from_record(curve, str(path)) for name, curve in record["unit_group_curves"].items()},
            {name: float(threshold) for name, threshold in record["thresholds"].items()},
        )
    except KeyError as error:
        raise _malformed(path, "every part of a calibration of resolution", f"no {error}") from error


def _named(features: tuple[str, ...], weights: Floats) -> dict[str, list[float]]:
    """The four weights of each feature: plain, steep share, share, square."""
    table = weights.reshape(WIDTH, len(features)).T
    return {name: [round(float(value), 5) for value in row] for name, row in zip(features, table, strict=True)}


def _weights(features: tuple[str, ...], named: dict[str, list[float]], path: Path) -> Floats:
    if set(named) != set(features) or any(len(values) != WIDTH for values in named.values()):
        other = sorted(set(named) ^ set(features))
        raise _malformed(path, f"{WIDTH} weights for each of {len(features)} features", f"other features: {other}")
    return np.array([named[name] for name in features], dtype=float).T.ravel()


def _malformed(path: Path, expected: str, found: str) -> SourceMalformed:
    return SourceMalformed(
        "the calibration of resolution is broken",
        expected,
        found,
        str(path),
        next_step="make it anew: `imputer backtest --tier resolution --write-calibration`",
    )
