"""What a run holds about one cell: winner, losers, withdrawn statements, changes of winner, source, resolution."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from imputer.explain.finding import find_attribute, find_entity
from imputer.precedence import ORDER_SQL

if TYPE_CHECKING:
    from imputer.batch.told import Told
    from imputer.finished import FinishedRun

_STATEMENTS = f"""
WITH last AS (
    SELECT statement_id, arg_max(action, (created_at, run_id)) AS action, max(created_at) AS changed_at,
        arg_max(run_id, (created_at, run_id)) AS changed_run_id
    FROM withdrawals GROUP BY statement_id
)
SELECT s.*, coalesce(action, '') <> 'WITHDRAWN' AS standing, action, changed_at, changed_run_id
FROM statements s LEFT JOIN last USING (statement_id)
WHERE entity_id = $entity AND attribute_id = $attribute
ORDER BY language, standing DESC, {ORDER_SQL}
"""
_EVENTS = """
SELECT e.*, o.value_number AS old_number, o.value_text AS old_text, o.statement_id IS NOT NULL AS old_known,
    n.value_number AS new_number, n.value_text AS new_text, n.statement_id IS NOT NULL AS new_known
FROM override_events e
LEFT JOIN statements o ON o.statement_id = old_statement_id LEFT JOIN statements n ON n.statement_id = new_statement_id
WHERE e.entity_id = $entity AND e.attribute_id = $attribute
ORDER BY e.language, e.created_at, e.run_id
"""
# The pattern of each kind of code, and where its names are.
_CODES = (
    (re.compile(r"\b\d{5}\.\d{2}\b"), "SELECT profile AS code, label_en AS en, label_fr AS fr FROM dim_oasis_profile"),
    (re.compile(r"(?<![\w.])\d{5}(?![\w.])"), "SELECT code, title_en AS en, title_fr AS fr FROM dim_noc"),
    (re.compile(r"\b\d{2}-\d{4}\.\d{2}\b"), "SELECT soc AS code, title_en AS en, NULL AS fr FROM dim_onet_occupation"),
    # With its key: a job title may have any id, that of a unit group too.
    (
        re.compile(r'"job_title_id":"[^"]+"'),
        'SELECT format(\'"job_title_id":"{}"\', entity_id) AS code, name_en AS en, name_fr AS fr FROM dim_entity',
    ),
)
_CELLS = {"entity": "entity_id", "attribute": "attribute_id"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: a thing, an attribute and a language of value (en, fr, zxx).

    ``gold`` is its row of ``attribute_values``, ``gap`` that of ``gaps``. ``winner``, ``losers`` (best first) and
    ``withdrawn`` are statements with their evidence read, ``standing`` and the last withdrawal; ``events`` are its
    changes of winner, oldest first, with the values.
    """

    language: str
    gold: dict[str, Any] | None
    gap: dict[str, Any] | None
    winner: dict[str, Any] | None
    losers: list[dict[str, Any]]
    withdrawn: list[dict[str, Any]]
    events: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Chain:
    """Everything about one thing and one attribute.

    ``sources`` and ``runs`` hold those that the cells name; ``names`` those of the profiles, unit groups and O*NET
    occupations in the evidence, by code and language; ``questions`` what a model was told, by ``custom_id``.
    """

    run_id: str
    entity: dict[str, Any]
    attribute: dict[str, Any]
    namesakes: list[str]
    resolution: dict[str, Any] | None
    cells: list[Cell]
    names: dict[str, dict[str, str]] = field(default_factory=dict)
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    questions: dict[str, Told] = field(default_factory=dict)

    def as_record(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def trace(run: FinishedRun, entity: str, attribute: str, language: str = "en") -> Chain:
    """The chain of a cell; ``language`` is that of the errors. Raises WrongUsage as ``finding`` does."""
    thing = find_entity(run, entity, language)
    about, namesakes = find_attribute(run, attribute, language)
    cell = {"entity": thing["entity_id"], "attribute": about["attribute_id"]}
    statements = run.rows(_STATEMENTS, cell)
    names = _names(run, " ".join(statement["evidence"] for statement in statements))
    for statement in statements:
        statement["evidence"] = _parsed(statement["evidence"])
    events = run.rows(_EVENTS, cell)
    where = " AND ".join(f"{column} = ${name}" for name, column in _CELLS.items())
    gold = {row["language"]: row for row in run.rows(f"SELECT * FROM attribute_values WHERE {where}", cell)}
    gaps = {row["language"]: row for row in run.rows(f"SELECT * FROM gaps WHERE {where}", cell)}
    told = {*gold, *gaps, *(row["language"] for row in (*statements, *events))}
    languages = sorted(told) or about["languages"]
    return Chain(
        run_id=run.folder.name,
        entity=thing,
        attribute=about,
        namesakes=[one["attribute_id"] for one in namesakes],
        resolution=_resolution(run, thing["entity_id"]),
        cells=[_cell(one, gold.get(one), gaps.get(one), statements, events) for one in languages],
        names=names,
        sources=_named(run, "dim_source", "source_id", {row["source_id"] for row in statements}),
        runs=_named(
            run,
            "dim_run",
            "run_id",
            {row["run_id"] for row in (*statements, *events)}
            | {row["changed_run_id"] for row in statements if row["changed_run_id"]},
        ),
    )


def _cell(
    language: str,
    gold: dict[str, Any] | None,
    gap: dict[str, Any] | None,
    statements: list[dict[str, Any]],
    events: list[dict[str, Any]],
) -> Cell:
    own = [row for row in statements if row["language"] == language]
    winner = next((row for row in own if gold and row["statement_id"] == gold["statement_id"]), None)
    return Cell(
        language=language,
        gold=gold,
        gap=gap,
        winner=winner,
        losers=[row for row in own if row["standing"] and row is not winner],
        withdrawn=[row for row in own if not row["standing"]],
        events=[row for row in events if row["language"] == language],
    )


def _resolution(run: FinishedRun, entity_id: str) -> dict[str, Any] | None:
    if "job_title_noc" not in run.tables:
        return None
    found = run.first("SELECT * FROM job_title_noc WHERE job_title_id = $entity", {"entity": entity_id})
    if found is None:
        return None
    coded = run.first("SELECT coded_unit_group FROM dim_job_title WHERE job_title_id = $entity", {"entity": entity_id})
    suspected = None
    if "suspected_miscodings" in run.tables:
        suspected = run.first("SELECT * FROM suspected_miscodings WHERE job_title_id = $entity", {"entity": entity_id})
    alone = run.first(
        "SELECT count(*) = 1 AS alone FROM dim_oasis_profile WHERE unit_group = $unit_group",
        {"unit_group": found.get("unit_group")},
    )
    codes = [found.get(name) for name in ("unit_group", "profile", "runner_up")]
    codes += [suspected and suspected["suggested_unit_group"]]
    codes += [*(found.get("tied") or []), *(one["unit_group"] for one in found.get("candidates") or [])]
    return found | {
        "coded_unit_group": coded and coded["coded_unit_group"],
        "only_profile": bool(found.get("profile") and alone and alone["alone"]),
        "suspected": suspected,
        "names": _names(run, " ".join(code for code in codes if code)),
    }


def _names(run: FinishedRun, evidence: str) -> dict[str, dict[str, str]]:
    names = {}
    for pattern, query in _CODES:
        codes = sorted(set(pattern.findall(evidence)))
        if codes:
            for row in run.rows(f"SELECT * FROM ({query}) WHERE list_contains($codes, code)", {"codes": codes}):
                names[row["code"]] = {"en": row["en"], "fr": row["fr"] or row["en"]}
    return names


def _named(run: FinishedRun, table: str, key: str, wanted: set[str]) -> dict[str, dict[str, Any]]:
    rows = run.rows(
        f"SELECT * FROM {table} WHERE list_contains($wanted, {key}) ORDER BY {key}", {"wanted": sorted(wanted)}
    )
    return {row[key]: row for row in rows}


def _parsed(evidence: str) -> Any:  # noqa: ANN401 (whatever JSON holds)
    """Evidence as read; text that is no JSON stays text."""
    try:
        return json.loads(evidence)
    except ValueError:
        return evidence
