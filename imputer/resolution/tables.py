"""Resolutions of whole tables: what the tiers spread over job titles, and what gold publishes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from imputer.resolution.answer import Request
from schemas.arrow import arrow_schema
from schemas.table import load_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imputer.resolution.answer import Resolution
    from imputer.resolution.resolver import Resolver

CANDIDATE_LIST = pa.list_(pa.struct([("unit_group", pa.string()), ("score", pa.float64())]))
RESOLUTIONS = pa.schema(
    [
        ("row", pa.int64()),
        ("title", pa.string()),
        ("unit_group", pa.string()),
        ("profile", pa.string()),
        ("method", pa.string()),
        ("confidence", pa.float64()),
        ("confidence_calibrated", pa.float64()),
        ("matched_text", pa.string()),
        ("runner_up", pa.string()),
        ("margin", pa.float64()),
        ("candidates", CANDIDATE_LIST),
        ("rationale", pa.string()),
    ]
)
JOB_TITLE_NOC = arrow_schema(load_table("wiq", "job_title_noc"))
#: Columns of a table of titles that are made use of, beside the title; where one is absent, nothing is known.
OPTIONAL = ("unit_group", "language", "title_fr", "job_function", "job_family", "managerial_level")


def requests_of(table: pa.Table, title: str = "title", language: str | None = None) -> list[Request]:
    """One request per row; blank cells count as absent."""
    present = [name for name in OPTIONAL if name in table.column_names]
    columns = {name: [_blank_to_none(value) for value in table[name].to_pylist()] for name in present}
    if "language" not in columns:
        columns["language"] = [language] * table.num_rows
    columns["language"] = [value or language for value in columns["language"]]
    titles = [_blank_to_none(value) or "" for value in table[title].to_pylist()]
    return [
        Request(one, **dict(zip(columns, values, strict=True)))
        for one, *values in zip(titles, *columns.values(), strict=True)
    ]


def _blank_to_none(value: object) -> str | None:
    text = "" if value is None else str(value).strip()
    return text or None


def resolution_table(found: Sequence[Resolution], first_row: int = 1) -> pa.Table:
    """Resolutions as RESOLUTIONS; ``row`` counts from ``first_row``."""
    return pa.Table.from_pylist([_record(first_row + at, one) for at, one in enumerate(found)], schema=RESOLUTIONS)


def resolve_table(
    resolver: Resolver, table: pa.Table, title: str = "title", language: str | None = None, first_row: int = 1
) -> pa.Table:
    """One row of RESOLUTIONS per row of ``table``, in order. Raises WrongUsage as the resolver does."""
    return resolution_table(resolver.resolve_many(requests_of(table, title, language)), first_row)


def job_title_requests(job_titles: pa.Table) -> list[Request]:
    """The requests of ``job_titles``: both languages, the coded unit group, the context in English."""
    return [
        Request(
            title=row["title_en"] or row["title_fr"],
            unit_group=row["unit_group"],
            language="en" if row["title_en"] else "fr",
            title_fr=row["title_fr"],
            job_function=row["job_function_en"],
            job_family=row["job_family_en"],
            managerial_level=row["managerial_level_en"],
        )
        for row in job_titles.to_pylist()
    ]


def job_title_noc(job_titles: pa.Table, found: Sequence[Resolution]) -> pa.Table:
    """The published table ``job_title_noc``: one row per job title, ordered by job_title_id."""
    records = [
        {name: value for name, value in _record(0, resolution).items() if name not in {"row", "title"}}
        | {
            "job_title_id": row["job_title_id"],
            "coded_unit_group": row["unit_group"],
            "inferred_unit_group": None if row["unit_group"] else resolution.unit_group,
            "tied": list(resolution.tied),
        }
        for row, resolution in zip(job_titles.to_pylist(), found, strict=True)
    ]
    return pa.Table.from_pylist(sorted(records, key=lambda one: str(one["job_title_id"])), schema=JOB_TITLE_NOC)


def _record(row: int, one: Resolution) -> dict[str, Any]:
    return {
        "row": row,
        "title": one.title,
        "unit_group": one.unit_group,
        "profile": one.profile,
        "method": one.method,
        "confidence": one.confidence,
        "confidence_calibrated": one.confidence_calibrated,
        "matched_text": one.matched_text,
        "runner_up": one.runner_up,
        "margin": one.margin,
        "candidates": [{"unit_group": each.unit_group, "score": each.score} for each in one.candidates],
        "rationale": one.rationale,
    }
