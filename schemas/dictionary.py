"""The data dictionaries, English and French, as Markdown generated from the schema files.

``python -m schemas.dictionary`` writes ``schemas/DICTIONARY.md``, ``schemas/DICTIONNAIRE.md`` and the overview
between the markers of ``README.md``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.table import FOLDER, Column, Table, load_tables

if TYPE_CHECKING:
    from collections.abc import Iterator

README = FOLDER.parent / "README.md"
PROGRAMS = ("tbs", "wiq")
MARKERS = ("<!-- {} tables: begin -->", "<!-- {} tables: end -->")
FILES = {"en": FOLDER / "DICTIONARY.md", "fr": FOLDER / "DICTIONNAIRE.md"}
_WORDS = {
    "en": {
        "title": "Data dictionary",
        "note": "Generated from the schema files by `make dictionary`.",
        "tbs": "The crawl: output/tbs/latest",
        "tbs_note": "Every table comes as `<table>_en` and `<table>_fr`, each as JSONL and Parquet.",
        "wiq": "The imputer: output/wiq/latest",
        "wiq_note": "Every table comes as `<table>.jsonl` and `<table>.parquet`.",
        "key": "Key",
        "joins": "Joins",
        "paired": "Also paired, one row for both languages, as",
        "paired_rule": "columns marked ◆ stand once, every other one as `<column>_en` and `<column>_fr`.",
        "header": "| column | type | description |",
        "unit": "unit",
        "values": "one of",
        "null": "or null",
        "colon": ":",
    },
    "fr": {
        "title": "Dictionnaire de données",
        "note": "Généré à partir des fichiers de schéma par `make dictionary`.",
        "tbs": "La collecte : output/tbs/latest",
        "tbs_note": "Chaque table est fournie sous les noms `<table>_en` et `<table>_fr`, en JSONL et en Parquet.",
        "wiq": "L’imputation : output/wiq/latest",
        "wiq_note": "Chaque table est fournie sous les noms `<table>.jsonl` et `<table>.parquet`.",
        "key": "Clé",
        "joins": "Jointures",
        "paired": "Aussi jumelée, une ligne pour les deux langues, dans",
        "paired_rule": "les colonnes marquées ◆ y figurent une fois, les autres sous `<colonne>_en` et `<colonne>_fr`.",
        "header": "| colonne | type | description |",
        "unit": "unité",
        "values": "une de",
        "null": "ou nul",
        "colon": " :",
    },
}
_TYPES = {
    "en": {"string": "text", "integer": "integer", "number": "number", "boolean": "true/false", "array": "list of {}",
           "object": "record ({})", "date": "date", "date-time": "time (UTC)", "uri": "address"},
    "fr": {"string": "texte", "integer": "entier", "number": "nombre", "boolean": "vrai/faux", "array": "liste de {}",
           "object": "enregistrement ({})", "date": "date", "date-time": "moment (UTC)", "uri": "adresse"},
}  # fmt: skip


def dictionary(language: str) -> str:
    """The whole dictionary in one language, program by program."""
    words = _WORDS[language]
    parts = [f"# {words['title']}", words["note"]]
    for program in PROGRAMS:
        parts += [f"## {words[program]}", words[f"{program}_note"]]
        for table in load_tables(program).values():
            parts += list(_table_parts(table, language))
    return "\n\n".join(parts) + "\n"


def overview(program: str) -> str:
    """One line per table of a program for the README."""
    lines = ["| table | one row per | key | rows join |", "|---|---|---|---|"]
    lines += [
        f"| [`{table.name}`](schemas/DICTIONARY.md#{table.name}) | {_one_row_per(table)} "
        f"| {_code(table.primary_key)} | {_joins(table)} |"
        for table in load_tables(program).values()
    ]
    return "\n".join(lines)


def readme_with_overview(text: str) -> str:
    """The README with its table overview brought up to date."""
    for program in PROGRAMS:
        begin, end = MARKERS[0].format(program), MARKERS[1].format(program)
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}\n{overview(program)}\n{end}{after}"
    return text


def _table_parts(table: Table, language: str) -> Iterator[str]:
    words = _WORDS[language]
    yield f"### {table.name}"
    yield f"**{table.title[language]}.** {table.description[language]}"
    colon = words["colon"]
    lines = [f"{words['key']}{colon} {_code(table.primary_key)}"]
    if table.foreign_keys:
        lines.append(f"{words['joins']}{colon} {_joins(table)}")
    if table.pairing_key:
        lines.append(f"{words['paired']} `{table.name}.parquet`{colon} {words['paired_rule']}")
    yield "  \n".join(lines)
    yield "\n".join(
        [words["header"], "|---|---|---|", *(_column_line(column, table, language) for column in table.columns)]
    )


def _column_line(column: Column, table: Table, language: str) -> str:
    words = _WORDS[language]
    mark = " ◆" if table.pairing_key and column.shared else ""
    description = column.description[language]
    if column.unit:
        description += f" ({words['unit']}{words['colon']} {column.unit})"
    values = [value for value in column.schema.get("enum", []) if value is not None]
    if values:
        listed = ", ".join(f"`{value}`" for value in values)
        description += f" {words['values'].capitalize()}{words['colon']} {listed}."
    null = f", {words['null']}" if "null" in column.schema["type"] else ""
    return f"| `{column.name}`{mark} | {_type(column.schema, language)}{null} | {description} |"


def _type(schema: dict[str, Any], language: str) -> str:
    names = _TYPES[language]
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    kind = next(kind for kind in kinds if kind != "null")
    if kind == "array":
        return names["array"].format(_type(schema["items"], language))
    if kind == "object":
        return names["object"].format(", ".join(f"`{name}`" for name in schema["properties"]))
    return names.get(schema.get("format", ""), names[kind])


def _one_row_per(table: Table) -> str:
    return table.description["en"].removeprefix("One row per ").rstrip(".")


def _joins(table: Table) -> str:
    return (
        ", ".join(f"{_code(key.columns)} → `{key.table}`.{_code(key.references)}" for key in table.foreign_keys) or "–"
    )


def _code(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def write() -> list[Path]:
    """Write the dictionaries and the README's overview; returns the files."""
    for language, path in FILES.items():
        path.write_text(dictionary(language), encoding="utf-8")
    README.write_text(readme_with_overview(README.read_text(encoding="utf-8")), encoding="utf-8")
    return [*FILES.values(), README]


if __name__ == "__main__":
    for written in write():
        print(written.relative_to(Path.cwd()) if written.is_relative_to(Path.cwd()) else written)  # noqa: T201
