"""The contracts: one JSON Schema (2020-12) per published table, and what is derived from it.

Floors, imports run downward only::

    dictionary     the data dictionary as Markdown, English and French
    runs           run folders, promotion and the last good run
    validation     compiled validators
    arrow          Arrow schemas and Parquet column descriptions
    table          a table's schema file, loaded
    errors · version    what every error tells; the version of the project

Nothing here imports ``wiq_crawl`` or ``imputer``; both import this.
"""

from typing import TYPE_CHECKING

from schemas.table import Column, ForeignKey, SchemaError, Table, load_table, load_tables, paired_table
from schemas.validation import Violation, document_validator, violations

if TYPE_CHECKING:
    from schemas.arrow import arrow_schema

__all__ = [
    "Column",
    "ForeignKey",
    "SchemaError",
    "Table",
    "Violation",
    "arrow_schema",
    "document_validator",
    "load_table",
    "load_tables",
    "paired_table",
    "violations",
]


def __getattr__(name: str) -> object:
    """Load Arrow where somebody asks for it: a process that only reads pages does not, and stays small."""
    if name == "arrow_schema":
        from schemas.arrow import arrow_schema  # noqa: PLC0415

        return arrow_schema
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
