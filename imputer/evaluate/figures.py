"""A measured figure beside the bar that it is held to."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imputer.evaluate.intervals import Interval


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a backtest: ``value`` with its 95 % bootstrap interval over ``n`` values.

    ``bar`` is what it is held to, None for figures given for comparison; ``at_least`` says on which side of the bar
    the good values lie. ``percent``: a share from 0 to 1, shown in percent. ``note`` says how it was measured. A name
    that begins with «…» goes on with the figure before it.
    """

    tier: str
    name: str
    name_fr: str
    value: float
    low: float
    high: float
    n: int
    bar: float | None = None
    at_least: bool = True
    percent: bool = False
    note: str = ""
    note_fr: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the value is on the good side of its bar; None without a bar."""
        if self.bar is None or math.isnan(self.value):
            return None
        return self.value >= self.bar if self.at_least else self.value <= self.bar

    def as_record(self) -> dict[str, Any]:
        """For a JSON file; NaN becomes null."""
        record = asdict(self) | {"reached": self.reached}
        return {
            name: None if isinstance(value, float) and math.isnan(value) else value for name, value in record.items()
        }


def figure(
    tier: str,
    name: tuple[str, str],
    interval: Interval,
    *,
    bar: float | None = None,
    at_least: bool = True,
    percent: bool = False,
    note: tuple[str, str] = ("", ""),
) -> Figure:
    """A figure of an interval; ``name`` and ``note`` in English and French."""
    value, low, high, n = interval.value, interval.low, interval.high, interval.n
    return Figure(tier, *name, value, low, high, n, bar, at_least, percent, *note)
