"""Published tables as their schema files describe them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas import load_table
from schemas.arrow import arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa


def conform(table: pa.Table, name: str) -> pa.Table:
    """A table with the columns, order and types of ``schemas/wiq/<name>.schema.json``, its descriptions as metadata."""
    schema = arrow_schema(load_table("wiq", name))
    return table.select(schema.names).cast(schema).combine_chunks()
