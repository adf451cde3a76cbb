"""A published table as its schema file describes it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
LANGUAGES = ("en", "fr")


class SchemaError(Exception):
    """A schema file is missing, malformed or uses what the loaders do not know."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its JSON Schema, its description per language and how it pairs between languages.

    ``shared`` columns hold the same value in English and French; ``compared`` ones count as content
    when two runs are compared (addresses, selectors and fetch times do not).
    """

    name: str
    schema: dict[str, Any]
    description: dict[str, str]
    unit: str | None
    shared: bool
    compared: bool


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """Columns that join another table's columns."""

    columns: tuple[str, ...]
    table: str
    references: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """One published table."""

    name: str
    title: dict[str, str]
    description: dict[str, str]
    primary_key: tuple[str, ...]
    foreign_keys: tuple[ForeignKey, ...]
    pairing_key: str | None
    columns: tuple[Column, ...]
    schema: dict[str, Any]

    @property
    def compared_columns(self) -> tuple[str, ...]:
        """Names of the columns that count as content when two runs are compared."""
        return tuple(column.name for column in self.columns if column.compared)


@cache
def load_table(program: str, name: str) -> Table:
    """Load ``schemas/<program>/<name>.schema.json`` with its references resolved.

    Raises SchemaError where the file is missing or malformed.
    """
    schema = _read(FOLDER / program / f"{name}.schema.json")
    schema["properties"] = {key: _resolve(value, FOLDER / program) for key, value in schema["properties"].items()}
    annotation = schema["x-wiq"]
    if schema.get("additionalProperties") is not False or set(schema["required"]) != set(schema["properties"]):
        message = f"schema {name}: expected additionalProperties false and every column required"
        raise SchemaError(message)
    return Table(
        name=name,
        title=annotation["title"],
        description=annotation["description"],
        primary_key=tuple(annotation["primary_key"]),
        foreign_keys=tuple(
            ForeignKey(tuple(key["columns"]), key["table"], tuple(key["references"]))
            for key in annotation["foreign_keys"]
        ),
        pairing_key=annotation.get("pairing_key"),
        columns=tuple(_column(key, value) for key, value in schema["properties"].items()),
        schema=schema,
    )


@cache
def load_tables(program: str) -> dict[str, Table]:
    """All tables of a program, by name, in the alphabetical order of their files."""
    names = sorted(path.name.removesuffix(".schema.json") for path in (FOLDER / program).glob("*.schema.json"))
    return {name: load_table(program, name) for name in names if name != "common"}


@cache
def paired_table(program: str, name: str) -> Table:
    """The bilingual form of a table: shared columns once, every other one as ``<column>_en`` and ``_fr``.

    Derived from the table's own schema file, so that its columns are stated once.
    """
    single = load_table(program, name)
    if single.pairing_key is None:
        message = f"schema {name}: no pairing_key, so it has no bilingual form"
        raise SchemaError(message)
    columns: list[Column] = []
    for column in single.columns:
        if column.name == "language":
            continue
        if column.shared:
            columns.append(column)
            continue
        columns += [
            Column(f"{column.name}_{language}", column.schema, column.description, column.unit, False, column.compared)  # noqa: FBT003
            for language in LANGUAGES
        ]
    names = [column.name for column in columns]
    return Table(
        name=name,
        title=single.title,
        description=single.description,
        primary_key=(single.pairing_key,),
        foreign_keys=(),
        pairing_key=None,
        columns=tuple(columns),
        schema={
            "type": "object",
            "additionalProperties": False,
            "required": names,
            "properties": {column.name: column.schema for column in columns},
        },
    )


def _column(name: str, schema: dict[str, Any]) -> Column:
    annotation = schema.get("x-wiq") or {}
    if not annotation.get("en") or not annotation.get("fr"):
        message = f"column {name}: expected a description in English and French"
        raise SchemaError(message)
    return Column(
        name=name,
        schema=schema,
        description={language: annotation[language] for language in LANGUAGES},
        unit=annotation.get("unit"),
        shared=annotation.get("pairing") == "shared",
        compared=annotation.get("compared", True),
    )


def _resolve(schema: dict[str, Any], folder: Path) -> dict[str, Any]:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    file, _, pointer = reference.partition("#/$defs/")
    definitions: dict[str, dict[str, Any]] = _read(folder / file)["$defs"]
    if pointer not in definitions:
        message = f"{reference}: no such definition"
        raise SchemaError(message)
    return definitions[pointer]


def _read(path: Path) -> dict[str, Any]:
    try:
        loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"schema file {path}: {error}"
        raise SchemaError(message) from error
    return loaded
