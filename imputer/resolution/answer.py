"""What resolution is asked, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DIRECT_MATCH: Final = "DIRECT_MATCH"
EXAMPLE_MATCH: Final = "EXAMPLE_MATCH"
UG_DOMINANT: Final = "UG_DOMINANT"
LABEL_IMPUTATION: Final = "LABEL_IMPUTATION"
UG_IMPUTATION: Final = "UG_IMPUTATION"
INFERRED: Final = "INFERRED"
ABSTAINED: Final = "ABSTAINED"

#: Stated confidence of the five tiers of a title whose unit group is given.
STATED: Final = {
    DIRECT_MATCH: 1.00,
    EXAMPLE_MATCH: 0.95,
    UG_DOMINANT: 0.85,
    LABEL_IMPUTATION: 0.60,
    UG_IMPUTATION: 0.40,
}
#: Methods whose profile is certain enough to inherit from.
SETTLED: Final = frozenset({DIRECT_MATCH, EXAMPLE_MATCH, UG_DOMINANT, LABEL_IMPUTATION})
CANDIDATES: Final = 5


@dataclass(frozen=True, slots=True)
class Request:
    """One title to resolve; ``language`` (en, fr) is that of ``title``, and ``title_fr`` the same title in French.

    Function, family and managerial level of the Job Architecture, in either language, help where the unit group is
    not given.
    """

    title: str
    unit_group: str | None = None
    language: str | None = None
    title_fr: str | None = None
    job_function: str | None = None
    job_family: str | None = None
    managerial_level: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A unit group and the calibrated probability (0 to 1) that it is the title's."""

    unit_group: str
    score: float


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a title was resolved to, and why.

    ``unit_group`` is the one given, or the one inferred, or None where resolution abstains. ``profile`` is the best
    one of the unit group; with method UG_IMPUTATION it is a candidate only, unless there is no other. ``confidence`` is
    as stated for the method, ``confidence_calibrated`` the share that backtests found right (None where none could
    measure it). With a unit group given both are about the profile; with an inferred one, about both together.
    ``runner_up`` and ``margin`` (difference of probability) are of the profile, or of the unit group where that was
    inferred. ``tied`` names the profiles that are as good as the one chosen.
    """

    title: str
    unit_group: str | None
    profile: str | None
    method: str
    confidence: float
    confidence_calibrated: float | None
    matched_text: str | None
    runner_up: str | None
    margin: float | None
    tied: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    rationale: str
