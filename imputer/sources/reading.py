"""What a reader gives back: one table, and every repair that it made on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class DataIssue:
    """One known anomaly of an input file and what a named rule made of it; a row of ``data_issues``.

    ``row`` is the 1-based number of the record in the file, the header not counted (None: the header or the whole
    file); ``column`` the header as normalised; ``before`` and ``after`` the cell's text (None: no such cell or row).
    """

    source_id: str
    file: str
    row: int | None
    column: str | None
    rule: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Reading:
    """One input file as a table, with the repairs in the order of the file."""

    table: pa.Table
    issues: tuple[DataIssue, ...] = ()
