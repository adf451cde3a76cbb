"""What the O*NET tier goes by, in one place: each figure with its reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imputer.errors import WrongUsage

if TYPE_CHECKING:
    from collections.abc import Mapping

# The weights of the second crosswalk that add up to 1 over the occupations of a unit group.
WEIGHTS = ("equal_weight", "base_weight", "down_weight")
DEFAULT_CROSSWALK = "mean"
BOTH = "both"
CLASSES = ("1:1", "1:N", "N:1", "N:M")


@dataclass(frozen=True, slots=True)
class OnetRules:
    """Settings of the O*NET tier.

    - ``crosswalk``: ``mean`` takes the plain mean over the first crosswalk's distinct occupations, which did as well
      as any weighting of them when measured against OaSIS; the name of a weight takes the second crosswalk with that
      weight; ``both`` gives each crosswalk half of the weight (the second one's by ``base_weight``), which comes
      closest to OaSIS: calibrated error 0.468 on the name-matched skills, 0.505 by ``mean``, 0.476 by ``base_weight``
    - ``prior``: the confidence of an O*NET value before anything is known of its mapping, and so the ceiling: every
      component lies between 0 and 1
    - ``by_class``: factor by cardinality. Only its order rests on measurements (error 0.48, 0.51, 0.51, 0.54)
    - ``least_coverage``: floor of the share of occupations that are rated
    - ``assumed_dispersion``: what one occupation alone starts from, for it has no spread to tell of. Measured against
      OaSIS such values err (0.48) like those of several that lie 0.38 population deviations apart: 1 / (1 + 0.38²)
    - ``suppressed``: what a value loses where O*NET recommends suppressing all its ratings for low precision; in
      proportion where some. They stay in the mean: most are levels of knowledge that hardly matters (mean level 0.5,
      others 2.6), so leaving them out would raise the rest
    - ``old``: factor where every rating is older than ``old_years`` at the release's newest rating
    - ``listed``: how many tasks or technologies a list holds at most; evidence tells the total
    """

    crosswalk: str = DEFAULT_CROSSWALK
    prior: float = 0.5
    by_class: Mapping[str, float] = field(
        default_factory=lambda: {"1:1": 1.0, "1:N": 0.941, "N:1": 0.941, "N:M": 0.882}  # .85, .80, .80, .75 over .85
    )
    least_coverage: float = 0.6
    assumed_dispersion: float = 0.87
    suppressed: float = 0.3
    old: float = 0.9
    old_years: int = 10
    listed: int = 50

    def __post_init__(self) -> None:
        """Raise WrongUsage for a setting that means nothing."""
        known = (DEFAULT_CROSSWALK, BOTH, *WEIGHTS)
        if self.crosswalk not in known:
            raise WrongUsage("unknown crosswalk setting", " or ".join(known), repr(self.crosswalk))
        if not 0.0 < self.prior <= 1.0:
            raise WrongUsage("the prior confidence of O*NET values", "above 0, at most 1", f"{self.prior:g}")
        if self.listed < 1:
            raise WrongUsage("how many items a list holds", "1 or more", str(self.listed))
