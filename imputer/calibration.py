"""Calibrated confidence: from a score of the method to the share of such values that backtests found to be right."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imputer.errors import SourceMalformed
from schemas.runs import write_atomically

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

#: What ``imputer backtest --write-calibration`` leaves of inheritance: ``probabilities`` by method and domain.
INHERITANCE = Path(__file__).parent / "tiers" / "inheritance_calibration.json"


@dataclass(frozen=True, slots=True)
class Curve:
    """A rising step function: from ``scores[i]`` up to the next score the probability is ``probabilities[i]``.

    Below the first score the first probability holds. Scores ascend; probabilities (0 to 1) do not fall. ``n`` is
    the number of backtested values behind it.
    """

    scores: tuple[float, ...]
    probabilities: tuple[float, ...]
    n: int

    def apply(self, scores: ArrayLike) -> NDArray[np.float64]:
        """The probability of each score; NaN for NaN."""
        given = np.asarray(scores, dtype=float)
        steps = np.clip(np.searchsorted(self.scores, given, side="right") - 1, 0, len(self.scores) - 1)
        return np.where(np.isnan(given), np.nan, np.asarray(self.probabilities)[steps])

    def as_record(self) -> dict[str, Any]:
        """As it is kept in a file."""
        return {"scores": list(self.scores), "probabilities": list(self.probabilities), "n": self.n}


def curve_from_record(record: dict[str, Any], where: str) -> Curve:
    """The curve kept as ``record``; raises SourceMalformed unless it rises from 0 to 1 at most. ``where`` names it."""
    expected = "rising scores, and as many probabilities from 0 to 1 that do not fall"
    try:
        curve = Curve(tuple(record["scores"]), tuple(record["probabilities"]), int(record["n"]))
    except (KeyError, TypeError, ValueError) as error:
        raise malformed("a calibration curve is broken", expected, str(record), where) from error
    rising = all(a < b for a, b in zip(curve.scores, curve.scores[1:], strict=False))
    monotone = list(curve.probabilities) == sorted(curve.probabilities)
    bounded = all(0 <= probability <= 1 for probability in curve.probabilities)
    if not curve.scores or len(curve.scores) != len(curve.probabilities) or not (rising and monotone and bounded):
        raise malformed("a calibration curve is broken", expected, str(record), where)
    return curve


def read_calibration(path: Path) -> dict[str, Any]:
    """A calibration file: ``made_with`` (seed, inputs' sha256) and what it holds.

    Raises SourceMalformed where the file is no JSON object with ``made_with``.
    """
    try:
        content: object = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise malformed("a calibration file is broken", "JSON", str(error), str(path)) from error
    if not isinstance(content, dict) or "made_with" not in content:
        raise malformed("a calibration file is broken", "an object with made_with", str(content)[:80], str(path))
    return content


def inherited_probabilities(path: Path = INHERITANCE) -> list[dict[str, Any]]:
    """Records of ``method`` (of resolution), ``domain``, ``probability`` that an inherited value is right, and ``n``.

    Empty where backtests have left none. Raises SourceMalformed for a probability outside 0 to 1.
    """
    if not path.exists():
        return []
    records: list[dict[str, Any]] = read_calibration(path).get("probabilities", [])
    for record in records:
        if set(record) != {"method", "domain", "probability", "n"} or not 0 <= record["probability"] <= 1:
            expected = "method, domain, n and a probability from 0 to 1"
            raise malformed("a probability of inheritance is broken", expected, str(record), str(path))
    return records


def malformed(message: str, expected: str, found: str, where: str) -> SourceMalformed:
    """The error for a calibration that cannot be used; says how to make it anew."""
    again = "delete it and make it anew: `imputer backtest --write-calibration`, of a model with --tier llm"
    return SourceMalformed(message, expected, found, where, next_step=again)


def write_calibration(path: Path, content: dict[str, Any]) -> None:
    """Write a calibration file in one step: sorted keys, one line per level, so that two runs can be compared.

    Raises OutputUnwritable.
    """
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    write_atomically(path, [text.encode()])
