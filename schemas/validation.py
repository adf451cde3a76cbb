"""Compiled validators (jsonschema-rs: https://github.com/Stranger6667/jsonschema)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from schemas.table import FOLDER, Table

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Violation:
    """One way in which a record breaks its schema."""

    path: str
    rule: str
    message: str


@cache
def _validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(json.loads(schema), validate_formats=True)


class TableValidator:
    """Validates records of one table; compiled once."""

    def __init__(self, table: Table) -> None:
        self._compiled = _validator(json.dumps(table.schema))

    def is_valid(self, record: Mapping[str, Any]) -> bool:
        """Whether the record obeys the schema."""
        return self._compiled.is_valid(record)

    def violations(self, record: Mapping[str, Any]) -> list[Violation]:
        """Every violation of the record, in document order."""
        return _collect(self._compiled, record)


def violations(table: Table, record: Mapping[str, Any]) -> list[Violation]:
    """Every way in which ``record`` breaks the schema of ``table``."""
    return TableValidator(table).violations(record)


def document_validator(name: str) -> jsonschema_rs.Draft202012Validator:
    """The validator of a schema file that describes one document, such as ``run``."""
    return _validator((FOLDER / f"{name}.schema.json").read_text(encoding="utf-8"))


def _collect(compiled: jsonschema_rs.Draft202012Validator, record: object) -> list[Violation]:
    return [
        Violation(
            path="/".join(str(part) for part in error.instance_path) or "(record)",
            rule=str(error.schema_path[-1]) if error.schema_path else "schema",
            message=error.message,
        )
        for error in compiled.iter_errors(record)
    ]
