"""Which known cells are hidden from a method that is measured: titles drawn by seed, spread over the NOC.

One title of a unit group is drawn, and unit groups in proportion to their number in each broad category, at least one
of each. What is drawn depends on the seed and the keys alone: with the same run and seed the same cells are hidden.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from imputer.batch.contracts import prompts
from imputer.descriptors.values import DEFAULT_TOLERANCE
from imputer.evaluate.cells import Cells

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from imputer.finished import FinishedRun

#: Titles that are hidden, unless told otherwise.
SAMPLE = 120
#: The table that ``mask`` makes in the run's connection, in the form that questions are asked by.
MASKED = "masked_cells"

#: Values that count as the truth: published for the very profile, or O*NET's own; no mean over several profiles and no
#: estimate of one scale by another.
TRUE_VALUES = "method IN ('INHERITED_PROFILE', 'CROSSWALK')"
#: The closed lists are by scale; other texts have no right or wrong that a program could tell.
JUDGED = "imputable AND current AND (value_type = 'number' OR list_contains($choices, scale_id))"

_ELIGIBLE = """
SELECT DISTINCT job_title_id, unit_group FROM job_titles_wide w JOIN attribute_values v ON v.entity_id = w.job_title_id
WHERE unit_group IS NOT NULL AND profile IS NOT NULL AND v.method = 'INHERITED_PROFILE'
ORDER BY ALL
"""
_CELLS = f"""
SELECT v.entity_type, v.entity_id, attribute_id, v.language, a.system || '/' || a.domain AS topic, w.unit_group,
    CASE WHEN v.method = 'CROSSWALK' THEN w.unit_group ELSE w.profile END AS holder, value_number, value_text, scale_id,
    tolerance, minimum, maximum, zero_meaning_en
FROM attribute_values v JOIN dim_attribute a USING (attribute_id) JOIN job_titles_wide w ON v.entity_id = w.job_title_id
WHERE list_contains($titles, v.entity_id) AND {TRUE_VALUES} AND {JUDGED} AND ($domain IS NULL OR a.domain = $domain)
ORDER BY v.entity_id, attribute_id, v.language
"""


@dataclass(frozen=True, slots=True)
class Masked:
    """The hidden cells. ``hidden`` are all titles that were drawn, ``untold`` those whose unit group is not told."""

    cells: Cells
    hidden: frozenset[str]
    untold: frozenset[str]


def mask(run: FinishedRun, seed: int, sample: int = SAMPLE, domain: str | None = None) -> Masked:
    """Draw ``sample`` titles (fewer where there are not as many unit groups) and make MASKED of their known cells.

    Half of them, by seed, are to be asked about as titles whose unit group is not settled. ``domain`` None hides the
    cells of all domains.
    """
    titles: dict[str, list[str]] = {}
    for row in run.rows(_ELIGIBLE):
        titles.setdefault(row["unit_group"], []).append(row["job_title_id"])
    drawn = draw(titles, seed, sample)
    untold = frozenset(title for place, title in enumerate(drawn) if place % 2)
    choices = prompts()["choices"]
    given = {"titles": sorted(drawn), "choices": sorted(choices), "domain": domain}
    rows = [
        row
        for row in run.rows(_CELLS, given)
        if row["value_number"] is not None or row["value_text"] in choices.get(row["scale_id"], ())
    ]
    run.connection.execute(
        f"CREATE OR REPLACE TABLE {MASKED} (entity_type VARCHAR, entity_id VARCHAR, attribute_id VARCHAR, "
        "language VARCHAR)"
    )
    wanted = sorted({(row["entity_id"], row["attribute_id"], row["language"]) for row in rows})
    if wanted:
        run.connection.execute(
            f"INSERT INTO {MASKED} SELECT 'job_title', unnest($entities), unnest($attributes), unnest($languages)",
            dict(zip(("entities", "attributes", "languages"), map(list, zip(*wanted, strict=True)), strict=True)),
        )
    return Masked(_cells(rows, untold), frozenset(drawn), untold)


def draw(titles: Mapping[str, Sequence[str]], seed: int, sample: int) -> list[str]:
    """One title each of up to ``sample`` unit groups of ``titles``, the broad categories one after the other.

    Within a broad category they come in the order of a digest of seed and key, so a larger sample contains a smaller
    one's unit groups of the category, and a new title elsewhere changes nothing.
    """
    strata: dict[str, list[str]] = {}
    for unit_group in sorted(titles):
        strata.setdefault(unit_group[0], []).append(unit_group)
    wanted = shares({name: len(members) for name, members in strata.items()}, sample)
    return [
        min(titles[unit_group], key=lambda title: _digest(seed, title))
        for name, members in sorted(strata.items())
        for unit_group in sorted(members, key=lambda code: _digest(seed, code))[: wanted[name]]
    ]


def shares(sizes: Mapping[str, int], sample: int) -> dict[str, int]:
    """How many of each stratum: in proportion to its size, at least one as far as the sample reaches, never too many.

    The sum is ``sample``, or all there are.
    """
    taken = dict.fromkeys(sorted(sizes), 0)
    total = sum(sizes.values())
    for _ in range(min(sample, total)):
        # The stratum that lies furthest behind its share; an empty one is furthest behind.
        open_ = [name for name in taken if taken[name] < sizes[name]]
        behind = max(open_, key=lambda name: (taken[name] == 0, sizes[name] / total * sample - taken[name]))
        taken[behind] += 1
    return taken


def _digest(seed: int, key: str) -> str:
    return hashlib.sha256(f"{seed}\x1f{key}".encode()).hexdigest()


def _cells(rows: list[dict[str, Any]], untold: frozenset[str]) -> Cells:
    def texts(name: str) -> NDArray[np.str_]:
        return np.array([row[name] or "" for row in rows], dtype=str)

    def numbers(values: Iterable[float | None]) -> NDArray[np.float64]:
        return np.array([np.nan if value is None else value for value in values], dtype=float)

    lowest = numbers(0.0 if row["zero_meaning_en"] and row["minimum"] is not None else row["minimum"] for row in rows)
    minimum, maximum = numbers(row["minimum"] for row in rows), numbers(row["maximum"] for row in rows)
    truths = numbers(row["value_number"] for row in rows)
    return Cells(
        entities=texts("entity_id"),
        attributes=texts("attribute_id"),
        languages=texts("language"),
        topics=texts("topic"),
        unit_groups=texts("unit_group"),
        holders=texts("holder"),
        told=np.array([row["entity_id"] not in untold for row in rows], dtype=bool),
        truths=truths,
        choices=np.where(np.isfinite(truths), "", texts("value_text")).astype(str),
        widths=maximum - minimum,
        tolerances=numbers(row["tolerance"] or DEFAULT_TOLERANCE for row in rows),
        lowest=np.where(np.isfinite(lowest), lowest, -np.inf),
        highest=np.where(np.isfinite(maximum), maximum, np.inf),
    )
