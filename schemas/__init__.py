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

from schemas.arrow import arrow_schema
from schemas.table import Column, ForeignKey, SchemaError, Table, load_table, load_tables, paired_table
from schemas.validation import Violation, document_validator, violations

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
