"""How sure an O*NET value is of its unit group: a score of the mapping's strength, not a probability.

The prior of O*NET values is the ceiling; what is known of the mapping takes from it, factor by factor, and every
factor is published in evidence:

- class: cardinality of the unit group (`rules.OnetRules.by_class`)
- coverage: share of its occupations that are rated
- dispersion: 1 / (1 + (spread / population deviation)²); of one occupation alone, an assumed one times the same of its
  standard error. Measured against OaSIS the error grows from 0.47 to 0.95 with the standard error, too
- agreement: the same of the difference between what either crosswalk gives (1 where only one gives a value). Of all
  signals it tells most of the error against OaSIS: 0.44 where both agree, 1.04 where they lie 0.9 points apart
- quality: ratings whose suppression is recommended, and old ones
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from imputer.onet.queries import answer

if TYPE_CHECKING:
    import duckdb

    from imputer.onet.rules import OnetRules

_COMPONENTS = """
select *, round(prior * class_factor * coverage_factor * dispersion_factor * agreement_factor * quality_factor, 4)
    as confidence
from (
    select f.*, c.cardinality, c.n_occupations, round(f.n_rated / c.n_occupations, 4) as coverage,
        $prior::double as prior, k.factor as class_factor,
        round(greatest(f.n_rated / c.n_occupations, $least_coverage), 4) as coverage_factor,
        round(f.dispersion, 4) as dispersion_factor,
        round(coalesce(f.agreement, 1.0), 4) as agreement_factor,
        round((1 - $suppressed * f.n_suppressed / f.n_rated)
            * case when f.newest < $old_before then $old else 1.0 end, 4) as quality_factor
    from findings f
    join classes c using (unit_group)
    join class_factors k using (cardinality)
)
"""


def of_one_occupation(rules: OnetRules) -> dict[str, float]:
    """The components for what is no rating, of a unit group and an occupation that stand for each other (1:1).

    Both crosswalks agree on them, and the occupation, being alone, has no spread to tell of.
    """
    return {
        "agreement": 1.0,
        "class": rules.by_class["1:1"],
        "coverage": 1.0,
        "dispersion": rules.assumed_dispersion,
        "prior": rules.prior,
    }


def with_confidence(
    connection: duckdb.DuckDBPyConnection, findings: pa.Table, classes: pa.Table, rules: OnetRules, newest: str | None
) -> pa.Table:
    """The findings with their components and ``confidence``, 0 to the prior, rounded to four digits.

    ``classes``: the cardinality of every unit group; ``newest``: the month of the release's newest rating.
    """
    connection.register("findings", findings)
    connection.register("classes", classes)
    factors = sorted(rules.by_class.items())
    connection.register(
        "class_factors",
        pa.table({"cardinality": [name for name, _ in factors], "factor": [factor for _, factor in factors]}),
    )
    given = {
        "prior": rules.prior,
        "least_coverage": rules.least_coverage,
        "suppressed": rules.suppressed,
        "old": rules.old,
        "old_before": f"{int(newest[:4]) - rules.old_years}{newest[4:]}" if newest else "",
    }
    return answer(connection, _COMPONENTS, given)
