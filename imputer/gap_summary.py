"""What is missing and why: gaps counted by domain or by attribute, beside what is filled."""

from __future__ import annotations

import csv
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from imputer.wording import text, word
from schemas.runs import output_unwritable

if TYPE_CHECKING:
    from pathlib import Path

    from imputer.finished import FinishedRun

_ROWS_AT_A_TIME = 10_000

_COUNTS = """
WITH chosen AS (
    SELECT * FROM dim_attribute WHERE imputable AND ($domain IS NULL OR domain = $domain)
),
filled AS (
    SELECT attribute_id, count(*) AS filled FROM attribute_values GROUP BY attribute_id
),
missing AS (
    SELECT attribute_id, reason, count(*) AS missing FROM gaps GROUP BY attribute_id, reason
),
cells AS (
    SELECT c.system, c.domain, c.attribute_id, c.name_en, c.name_fr, coalesce(f.filled, 0) AS filled,
        coalesce((SELECT sum(missing) FROM missing m WHERE m.attribute_id = c.attribute_id), 0)::BIGINT AS missing
    FROM chosen c LEFT JOIN filled f USING (attribute_id)
)
"""
_BY_DOMAIN = f"""{_COUNTS}
SELECT system, domain, NULL AS attribute_id, NULL AS name_en, NULL AS name_fr,
    sum(filled + missing)::BIGINT AS cells, sum(filled)::BIGINT AS filled, sum(missing)::BIGINT AS missing
FROM cells GROUP BY system, domain ORDER BY missing DESC, system, domain
"""
_BY_ATTRIBUTE = f"""{_COUNTS}
SELECT system, domain, attribute_id, name_en, name_fr, filled + missing AS cells, filled, missing
FROM cells ORDER BY missing DESC, attribute_id
"""
_REASONS = """
SELECT system, g.domain, g.attribute_id, reason, count(*) AS missing
FROM gaps g JOIN dim_attribute USING (attribute_id)
WHERE ($domain IS NULL OR g.domain = $domain) AND ($reason IS NULL OR reason = $reason)
GROUP BY ALL ORDER BY ALL
"""
_DETAILS = """
SELECT g.entity_id AS csv_entity_id, coalesce(e.name_{language}, e.name_en) AS csv_name,
    g.attribute_id AS csv_attribute_id, coalesce(a.name_{language}, a.name_en) AS csv_attribute,
    g.language AS csv_language, g.domain AS csv_domain, g.reason AS csv_reason,
    g.reason_{language} AS csv_reason_words, g.model_reason AS csv_model_reason
FROM gaps g JOIN dim_entity e USING (entity_id) JOIN dim_attribute a USING (attribute_id)
WHERE ($domain IS NULL OR g.domain = $domain) AND ($reason IS NULL OR reason = $reason)
ORDER BY g.entity_id, g.attribute_id, g.language
"""


@dataclass(frozen=True, slots=True)
class GapLine:
    """One domain of a system, or one attribute of it; counts are of cells (thing, attribute and language).

    ``cells`` are those to fill, ``filled`` have a value, ``missing`` have none; ``by_reason`` counts the missing
    ones that were asked for.
    """

    system: str
    domain: str
    attribute_id: str | None
    names: dict[str, str]
    cells: int
    filled: int
    missing: int
    by_reason: dict[str, int]

    @property
    def share(self) -> float:
        """Missing cells as a share of those to fill, 0 to 1."""
        return self.missing / self.cells if self.cells else 0.0


@dataclass(frozen=True, slots=True)
class GapSummary:
    """Gaps of a run. ``titles`` counts the job titles with at least one, ``all_titles`` those that could have one.

    ``reasons`` and ``model_reasons`` hold their sentences by language; ``asked_in_vain`` counts the missing cells
    that a model left empty, by model reason.
    """

    lines: list[GapLine]
    reasons: dict[str, dict[str, str]]
    model_reasons: dict[str, dict[str, str]]
    asked_in_vain: dict[str, int]
    titles: int
    all_titles: int

    def total(self, name: str) -> int:
        """A count over all lines: cells, filled or missing."""
        return sum(getattr(line, name) for line in self.lines)

    def by_reason(self, reason: str) -> int:
        """Missing cells of that reason over all lines."""
        return sum(line.by_reason.get(reason, 0) for line in self.lines)


def summarise(run: FinishedRun, domain: str | None = None, reason: str | None = None) -> GapSummary:
    """Count the gaps: by domain, or by attribute where one ``domain`` is asked for; of one ``reason`` or of all.

    With ``reason``, ``missing`` counts the cells of that reason only, and lines without any are left out.
    """
    rows = run.rows(_BY_DOMAIN if domain is None else _BY_ATTRIBUTE, {"domain": domain})
    counted: dict[tuple[str, str, str | None], dict[str, int]] = {}
    for row in run.rows(_REASONS, {"domain": domain, "reason": reason}):
        key = (row["system"], row["domain"], row["attribute_id"] if domain else None)
        reasons = counted.setdefault(key, {})
        reasons[row["reason"]] = reasons.get(row["reason"], 0) + row["missing"]
    lines = [_line(row, counted.get((row["system"], row["domain"], row["attribute_id"]), {}), reason) for row in rows]
    if reason:
        lines = sorted((line for line in lines if line.missing), key=lambda line: -line.missing)
    asked = {"domain": domain, "reason": reason}
    where = "($domain IS NULL OR domain = $domain) AND ($reason IS NULL OR reason = $reason)"
    with_gaps = run.first(
        f"SELECT count(DISTINCT entity_id) AS n FROM gaps WHERE entity_type = 'job_title' AND {where}", asked
    )
    everyone = run.first("SELECT count(*) AS n FROM dim_job_title")
    return GapSummary(
        lines=lines,
        reasons=_sentences(run, "reason"),
        model_reasons=_sentences(run, "model_reason"),
        asked_in_vain={
            row["model_reason"]: row["n"]
            for row in run.rows(
                "SELECT model_reason, count(*) AS n FROM gaps "
                f"WHERE model_reason IS NOT NULL AND {where} GROUP BY ALL ORDER BY n DESC, model_reason",
                asked,
            )
        },
        titles=with_gaps["n"] if with_gaps else 0,
        all_titles=everyone["n"] if everyone else 0,
    )


def _sentences(run: FinishedRun, column: str) -> dict[str, dict[str, str]]:
    rows = run.rows(f"SELECT DISTINCT {column} AS code, {column}_en AS en, {column}_fr AS fr FROM gaps ORDER BY code")
    return {row["code"]: {"en": row["en"], "fr": row["fr"]} for row in rows if row["code"]}


def write_details(run: FinishedRun, path: Path, language: str, domain: str | None, reason: str | None) -> int:
    """Write every missing cell as CSV (UTF-8 with BOM, as spreadsheets expect), in one step; returns how many.

    Raises OutputUnwritable.
    """
    asked = {"domain": domain, "reason": reason}
    answer = run.connection.execute(_DETAILS.format(language=language), asked)
    temporary = path.with_name(f".{path.name}.tmp")
    count = 0
    try:
        with temporary.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(text(column[0], language) for column in answer.description or ())
            while batch := answer.fetchmany(_ROWS_AT_A_TIME):
                writer.writerows(batch)
                count += len(batch)
        temporary.replace(path)
    except OSError as error:
        raise output_unwritable(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    return count


def name_of_line(line: GapLine, language: str) -> str:
    """What a line is about, in a language: the attribute, or system and domain."""
    if line.attribute_id:
        return f"{line.names[language]} ({line.attribute_id})"
    return f"{word('system', line.system, language)}, {word('domain', line.domain, language)}"


def _line(row: dict[str, Any], by_reason: dict[str, int], reason: str | None) -> GapLine:
    return GapLine(
        system=row["system"],
        domain=row["domain"],
        attribute_id=row["attribute_id"],
        names={"en": row["name_en"] or "", "fr": row["name_fr"] or row["name_en"] or ""},
        cells=row["cells"],
        filled=row["filled"],
        missing=by_reason.get(reason, 0) if reason else row["missing"],
        by_reason=by_reason,
    )
