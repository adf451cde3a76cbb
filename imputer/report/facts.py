"""What the tables of a run hold, counted for the report. Shares and confidences are from 0 to 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from imputer.precedence import CHANGE_SQL, RANK_SQL

if TYPE_CHECKING:
    from pathlib import Path

    from imputer.finished import FinishedRun

BINS = 20
# What ``imputer backtest --tier llm`` leaves in ``details``, as far as it is shown.
_MODEL_BACKTEST = frozenset(
    "run_id seed domain titles titles_untold cells model methods all situations domains categories attributes "
    "reliability".split()
)


def _binned(column: str) -> str:
    """SQL of a list: how many values lie in each of the equal bins from 0 to 1, the last one closed."""
    place = f"least(floor({column} * {BINS}), {BINS - 1})"
    counts = (f"count(*) FILTER ({column} IS NOT NULL AND {place} = {number})" for number in range(BINS))
    return f"[{', '.join(counts)}]"


_SUMMARY = f"""
SELECT (SELECT count(*) FROM dim_job_title) AS titles, (SELECT count(*) FROM dim_attribute) AS attributes,
    (SELECT count(*) FROM attribute_values) AS values, (SELECT count(*) FROM gaps) AS gaps,
    (SELECT count(*) FROM statements) AS statements,
    (SELECT count(*) FROM override_events WHERE {CHANGE_SQL}) AS events,
    (SELECT count(*) FROM (
        SELECT statement_id FROM withdrawals GROUP BY statement_id
        HAVING arg_max(action, (created_at, run_id)) = 'WITHDRAWN'
    )) AS withdrawn
"""
_COVERAGE = """
SELECT system, domain, count(*) FILTER (source_type = 'AUTHORITATIVE') AS AUTHORITATIVE,
    count(*) FILTER (source_type = 'ONET') AS ONET, count(*) FILTER (source_type = 'LLM') AS LLM,
    count(*) FILTER (source_type = 'NEIGHBOURS') AS NEIGHBOURS,
    count(*) FILTER (source_type IS NULL) AS missing, count(*) AS cells
FROM (
    SELECT attribute_id, source_type FROM attribute_values
    UNION ALL SELECT attribute_id, NULL FROM gaps
) JOIN dim_attribute USING (attribute_id)
GROUP BY system, domain
ORDER BY CASE system WHEN 'OaSIS' THEN 0 WHEN 'COPS' THEN 1 WHEN 'WiQ' THEN 2 ELSE 3 END, cells DESC, domain
"""
_CONFIDENCE = f"""
SELECT source_type, method, count(*) AS n, quantile_disc(confidence, 0.1) AS low, median(confidence) AS median,
    round(avg(confidence), 9) AS mean, count(confidence_calibrated) AS measured,
    round(avg(confidence_calibrated), 9) AS calibrated_mean,
    {_binned("confidence")} AS stated_counts, {_binned("confidence_calibrated")} AS calibrated_counts
FROM attribute_values GROUP BY source_type, method
ORDER BY {RANK_SQL}, n DESC, method
"""
_RESOLUTION = """
SELECT method, count(*) AS n, round(avg(confidence), 9) AS confidence,
    round(avg(confidence_calibrated), 9) AS calibrated
FROM job_title_noc GROUP BY method ORDER BY n DESC, method
"""
_GAPS = """
SELECT reason, any_value(reason_en) AS en, any_value(reason_fr) AS fr, count(*) AS n
FROM gaps GROUP BY reason ORDER BY n DESC, reason
"""
_CROSSWALK = """
SELECT unit_group_cardinality AS cardinality, count(DISTINCT unit_group) AS unit_groups,
    count(DISTINCT soc) AS occupations, count(*) AS pairs
FROM crosswalk_cardinality GROUP BY ALL ORDER BY cardinality
"""
_CALIBRATION = """
SELECT c.*, coalesce(a.name_en, c.attribute_id) AS en, coalesce(a.name_fr, a.name_en, c.attribute_id) AS fr, a.domain
FROM descriptor_calibration c LEFT JOIN dim_attribute a USING (attribute_id)
WHERE mae IS NOT NULL ORDER BY mae, attribute_id
"""
_SOURCES = """
SELECT s.*, coalesce(n, 0) AS values FROM dim_source s
LEFT JOIN (
    SELECT source_id, count(*) AS n FROM attribute_values JOIN statements USING (statement_id) GROUP BY source_id
) USING (source_id)
ORDER BY source_version IS NULL, source_id
"""
# A run in which no value changed leaves the report as it was.
_RUNS = """
SELECT * FROM dim_run WHERE statements_added + statements_withdrawn + override_events > 0 ORDER BY run_id DESC LIMIT 24
"""
_ISSUES = "SELECT file, rule, count(*) AS n FROM data_issues GROUP BY file, rule ORDER BY n DESC, file, rule"
_QUERIES = {
    "coverage": _COVERAGE,
    "confidence": _CONFIDENCE,
    "gaps": _GAPS,
    "sources": _SOURCES,
    "runs": _RUNS,
}
# Asked only of runs that have the table.
_QUERIES_OF = {
    "resolution": ("job_title_noc", _RESOLUTION),
    "crosswalk": ("crosswalk_cardinality", _CROSSWALK),
    "calibration": ("descriptor_calibration", _CALIBRATION),
    "issues": ("data_issues", _ISSUES),
}


def gather(run: FinishedRun) -> dict[str, list[dict[str, Any]]]:
    """Every count of the report, by section; ``summary`` is one record."""
    facts = {name: run.rows(query) for name, query in _QUERIES.items()}
    for name, (table, query) in _QUERIES_OF.items():
        facts[name] = run.rows(query) if table in run.tables else []
    summary = run.rows(_SUMMARY)[0]
    summary["issues"] = sum(row["n"] for row in facts["issues"])
    if "suspected_miscodings" in run.tables:
        summary["miscodings"] = run.rows("SELECT count(*) AS n FROM suspected_miscodings")[0]["n"]
    return facts | {"summary": [summary]}


def read_backtest(path: Path) -> list[dict[str, Any]]:
    """The figures that ``imputer backtest --json`` wrote, one record each; none where there is no such file.

    Takes a list of figures, ``{"figures": [...]}`` or figures under the name of their part.
    """
    try:
        content = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return []
    return [figure for figure in _figures(content, None) if isinstance(figure.get("value"), int | float)]


def read_model_backtest(path: Path) -> dict[str, Any] | None:
    """What the same file tells of the model tier; None where it was not measured, or by another version."""
    try:
        told: object = orjson.loads(path.read_bytes())["details"]["llm"]
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError):
        return None
    return told if isinstance(told, dict) and told.keys() >= _MODEL_BACKTEST else None


def _figures(content: Any, tier: str | None) -> list[dict[str, Any]]:  # noqa: ANN401 (whatever JSON holds)
    if isinstance(content, list):
        return [figure for one in content for figure in _figures(one, tier)]
    if not isinstance(content, dict):
        return []
    if "figures" in content:
        return _figures(content["figures"], tier)
    if "name" in content and "value" in content:
        return [{"tier": tier or "", **content}]
    return [figure for name, one in content.items() for figure in _figures(one, str(name))]
