"""O*NET's scales: bounds, what counts as close, and which do not measure an amount.

Bounds are those of the Scales Reference, for folders without one; a release's own reference counts where it is there.
"""

from __future__ import annotations

# Nominal: the value is the number of an interest or work value, not an amount; averaging it would mean nothing.
HIGH_POINTS = {"IH": "1.B.1", "VH": "1.B.2"}
# Shares of answers per category: a list of categories is the value.
LISTS = {
    "RL": "onet.education",
    "RW": "onet.related_work_experience",
    "PT": "onet.on_site_training",
    "OJ": "onet.on_the_job_training",
}

_BOUNDS = {
    (1.0, 5.0): "AO CF CN CX FM IJ IM IP LC PX RE SR TI",
    (1.0, 3.0): "CT HW WS",
    (1.0, 7.0): "EX OI",
    (0.0, 7.0): "LV",
    (0.0, 6.0): "IH",
    (1.0, 6.0): "VH",
    (0.0, 100.0): "CTP CXP FT OJ PT RL RT RW",
    (-3.0, 3.0): "WI",
    (0.0, 10.0): "DR",
}
_BY_SCALE = {scale: bounds for bounds, scales in _BOUNDS.items() for scale in scales.split()}
_TOLERANCE = {"LV": 1.5, "CT": 0.5, "HW": 0.5, "WS": 0.5}


def bounds(scale: str) -> tuple[float, float] | None:
    """Lowest and highest value of a scale; None for one that is not known."""
    return _BY_SCALE.get(scale)


def tolerance(scale: str) -> float:
    """The distance up to which two values on a scale count as close, in its points."""
    return _TOLERANCE.get(scale, 1.0)
