"""What is guessed for hidden cells without any model: means of the NOC's classes, and the jobs most alike by title.

All know what a model is told and no more: the values of titles that are not hidden. The mean of a class also knows the
unit group, even of titles for which a model is not told it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imputer.evaluate.cells import Guesses, no_guesses
from imputer.evaluate.masking import MASKED, TRUE_VALUES
from imputer.neighbours import Neighbours
from imputer.similar_titles import NEIGHBOURS_AVERAGED, NEIGHBOURS_LOOKED_AT, estimate_cells, register_neighbours

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from imputer.evaluate.cells import Cells
    from imputer.evaluate.masking import Masked
    from imputer.finished import FinishedRun

GLOBAL_MEAN = "global_mean"
CLASS_MEAN = "class_mean"
NEIGHBOURS = "neighbours"

_DEEPEST = 5  # digits of a unit group

# Each profile, or for O*NET each unit group, counts once, however many titles have its values.
_HELD = f"""
SELECT attribute_id, v.language, w.unit_group, CASE WHEN method = 'CROSSWALK' THEN w.unit_group ELSE w.profile END
    AS holder, any_value(value_number) AS value_number, any_value(value_text) AS value_text
FROM attribute_values v JOIN job_titles_wide w ON v.entity_id = w.job_title_id
WHERE {TRUE_VALUES} AND NOT list_contains($hidden, v.entity_id)
    AND attribute_id IN (SELECT attribute_id FROM {MASKED})
GROUP BY ALL ORDER BY ALL
"""
_CANDIDATES = """
SELECT e.entity_id, name_en, unit_group FROM dim_entity e
LEFT JOIN job_titles_wide w ON w.job_title_id = e.entity_id
WHERE entity_type = 'job_title' AND (list_contains($hidden, e.entity_id) OR unit_group IS NOT NULL)
ORDER BY e.entity_id
"""
_KNOWN_VALUES = """
CREATE OR REPLACE TEMP TABLE baseline_values AS
SELECT entity_id, attribute_id, language, value_number, value_text FROM attribute_values
WHERE source_type IN ('AUTHORITATIVE', 'ONET') AND NOT list_contains($hidden, entity_id)
    AND attribute_id IN (SELECT attribute_id FROM masked_cells)
"""
_WANTED = f"""(
    SELECT entity_id, attribute_id, maximum - minimum AS width FROM {MASKED} JOIN dim_attribute USING (attribute_id)
    WHERE value_type = 'number'
)"""
# The choice that weighs most among the nearest that have one; equal ones in order of the alphabet.
_CHOSEN = f"""
WITH near AS (
    SELECT c.entity_id, c.attribute_id, c.language, likeness, value_text
    FROM {MASKED} c JOIN baseline_neighbours n ON n.entity_id = c.entity_id
    JOIN baseline_values v ON v.entity_id = n.other AND v.attribute_id = c.attribute_id AND v.language = c.language
    WHERE value_text IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY c.entity_id, c.attribute_id, c.language ORDER BY place) <= $most
), weighed AS (
    SELECT entity_id, attribute_id, language, value_text, sum(round(likeness, 4)::DECIMAL(9, 4)) AS weight FROM near
    GROUP BY ALL
)
SELECT entity_id, attribute_id, language, value_text FROM weighed
QUALIFY row_number() OVER (PARTITION BY entity_id, attribute_id, language ORDER BY weight DESC, value_text) = 1
"""


def baselines(run: FinishedRun, masked: Masked) -> dict[str, Guesses]:
    """The guesses of each baseline for the hidden cells, in their order."""
    return class_guesses(run, masked) | {NEIGHBOURS: neighbour_guesses(run, masked)}


def class_guesses(run: FinishedRun, masked: Masked) -> dict[str, Guesses]:
    """The mean of all other unit groups, and that of the smallest NOC class with another holder of a value.

    The class is the unit group where another profile of it is known, else the minor, sub-major or major group, else the
    broad category. Of a closed list the commonest choice is guessed.
    """
    cells = masked.cells
    made = {GLOBAL_MEAN: no_guesses(len(cells)), CLASS_MEAN: no_guesses(len(cells))}
    held: dict[tuple[str, str], list[tuple[str, str, float | None, str | None]]] = {}
    for row in run.rows(_HELD, {"hidden": sorted(masked.hidden)}):
        found = (row["unit_group"], row["holder"], row["value_number"], row["value_text"])
        held.setdefault((row["attribute_id"], row["language"]), []).append(found)
    rows_of: dict[tuple[str, str], list[int]] = {}
    for place, (_, attribute, language) in enumerate(cells.keys):
        rows_of.setdefault((attribute, language), []).append(place)
    for key, places in rows_of.items():
        if key not in held:
            continue
        groups, holders, numbers, texts = (np.array(column) for column in zip(*held[key], strict=True))
        rows = np.array(places)
        near = _common(cells.unit_groups[rows], groups)
        near[cells.holders[rows][:, None] == holders[None, :]] = 0
        best = near.max(axis=1, keepdims=True)
        elsewhere = cells.unit_groups[rows][:, None] != groups[None, :]
        for name, among in ((GLOBAL_MEAN, elsewhere), (CLASS_MEAN, (near == best) & (best > 0))):
            if cells.numeric[rows[0]]:
                made[name].values[rows] = _means(among, numbers.astype(float))
            else:
                made[name].choices[rows] = _commonest(among, texts.astype(str))
    return made


def neighbour_guesses(run: FinishedRun, masked: Masked) -> Guesses:
    """The likeness-weighted mean of the most similar titles, as runs state it with --neighbours; its confidence too."""
    hidden = {"hidden": sorted(masked.hidden)}
    titles = run.rows(_CANDIDATES, hidden)
    names = {row["entity_id"]: row["name_en"] for row in titles}
    groups = {row["entity_id"]: row["unit_group"] for row in titles}
    known = [name for name in names if name not in masked.hidden]
    nearest = Neighbours(names, known, groups)
    likened = nearest.likened(sorted(masked.hidden), NEIGHBOURS_LOOKED_AT)
    register_neighbours(run.connection, likened, "baseline_neighbours")
    run.connection.execute(_KNOWN_VALUES, hidden)
    estimate_cells(
        run.connection,
        cells=_WANTED,
        neighbours="baseline_neighbours",
        values="(SELECT entity_id, attribute_id, value_number FROM baseline_values)",
        made="baseline_estimates",
    )
    numbers = {
        (row["entity_id"], row["attribute_id"]): (row["value_number"], row["confidence"])
        for row in run.rows("SELECT entity_id, attribute_id, value_number, confidence FROM baseline_estimates")
    }
    chosen = {
        (row["entity_id"], row["attribute_id"], row["language"]): row["value_text"]
        for row in run.rows(_CHOSEN, {"most": NEIGHBOURS_AVERAGED})
    }
    return _gathered(masked.cells, numbers, chosen)


def _gathered(
    cells: Cells, numbers: Mapping[tuple[str, str], tuple[float, float]], chosen: Mapping[tuple[str, str, str], str]
) -> Guesses:
    made = no_guesses(len(cells))
    numeric = cells.numeric
    for place, key in enumerate(cells.keys):
        if numeric[place]:
            made.values[place], made.confidence[place] = numbers.get(key[:2], (np.nan, np.nan))
        else:
            made.choices[place] = chosen.get(key, "")
    return made


def _common(codes: NDArray[np.str_], others: NDArray[np.str_]) -> NDArray[np.int64]:
    """How many leading digits two unit groups have in common: rows ``codes``, columns ``others``."""
    depth = np.zeros((len(codes), len(others)), dtype=np.int64)
    for digits in range(1, _DEEPEST + 1):
        depth += codes.astype(f"U{digits}")[:, None] == others.astype(f"U{digits}")[None, :]
    return depth


def _means(among: NDArray[np.bool_], values: NDArray[np.float64]) -> NDArray[np.float64]:
    counts = among.sum(axis=1)
    means = np.divide(among @ values, counts, out=np.full(len(counts), np.nan), where=counts > 0)
    return np.asarray(means, dtype=float)


def _commonest(among: NDArray[np.bool_], choices: NDArray[np.str_]) -> NDArray[np.str_]:
    """The commonest choice of each row, of equal ones the first of the alphabet; empty where there is none."""
    names: Sequence[str] = sorted(set(choices.tolist()))
    counts = np.stack([(among & (choices == name)).sum(axis=1) for name in names], axis=1)
    return np.where(counts.sum(axis=1) > 0, np.array(names)[counts.argmax(axis=1)], "")
