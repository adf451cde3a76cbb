"""The repairs that the readers made, as the published table ``data_issues``."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING

import pyarrow as pa

from schemas import arrow_schema, load_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imputer.sources.reading import DataIssue


def issue_table(issues: Iterable[DataIssue]) -> pa.Table:
    """``data_issues``, sorted by source, row and column; equal issues of one record get keys of their own."""
    ordered = sorted(issues, key=_order)
    met: Counter[DataIssue] = Counter()
    rows = []
    for issue in ordered:
        met[issue] += 1
        rows.append({"data_issue_id": _key(issue, met[issue]), **asdict(issue)})
    return pa.Table.from_pylist(rows, schema=arrow_schema(load_table("wiq", "data_issues")))


def _order(issue: DataIssue) -> tuple[str, str, int, str, str, str, str]:
    texts = (text or "" for text in (issue.column, issue.rule, issue.before, issue.after))
    return issue.source_id, issue.file, issue.row or 0, *texts  # type: ignore[return-value]


def _key(issue: DataIssue, count: int) -> str:
    parts = (issue.source_id, issue.file, issue.row, issue.column, issue.rule, issue.before, issue.after, count)
    text = "\x1f".join("" if part is None else str(part) for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
