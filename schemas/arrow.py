"""Arrow schemas from JSON Schemas.

``format: date`` becomes date32, ``date-time`` timestamp[ms, UTC], arrays lists and objects structs;
descriptions travel as column metadata, which Parquet keeps.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from schemas.table import LANGUAGES, Column, SchemaError, Table

_SCALARS = {"integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_()}
_FORMATS = {"date": pa.date32(), "date-time": pa.timestamp("ms", tz="UTC")}


def arrow_schema(table: Table) -> pa.Schema:
    """The table's Arrow schema, with titles and descriptions in both languages as metadata."""
    metadata = {f"title_{language}": table.title[language] for language in LANGUAGES}
    metadata |= {f"description_{language}": table.description[language] for language in LANGUAGES}
    metadata["primary_key"] = ",".join(table.primary_key)
    return pa.schema([_field(column) for column in table.columns], metadata=metadata)


def _field(column: Column) -> pa.Field:
    metadata = {f"description_{language}": text for language, text in column.description.items()}
    if column.unit:
        metadata["unit"] = column.unit
    return pa.field(column.name, arrow_type(column.schema), nullable=_nullable(column.schema), metadata=metadata)


def _nullable(schema: dict[str, Any]) -> bool:
    return "null" in schema["type"]


def arrow_type(schema: dict[str, Any]) -> pa.DataType:
    """The Arrow type of one JSON Schema; raises SchemaError for a type it does not know."""
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    kinds = [kind for kind in types if kind != "null"]
    if len(kinds) != 1:
        message = f"expected one type beside null, found {types}"
        raise SchemaError(message)
    kind = kinds[0]
    if kind == "array":
        return pa.list_(arrow_type(schema["items"]))
    if kind == "object":
        return pa.struct([(name, arrow_type(field)) for name, field in schema["properties"].items()])
    if kind == "string":
        return _FORMATS.get(schema.get("format", ""), pa.string())
    if kind not in _SCALARS:
        message = f"no Arrow type for JSON Schema type {kind!r}"
        raise SchemaError(message)
    return _SCALARS[kind]
