"""The contracts themselves: well-formed, closed, described in both languages, and in step with the code."""

from __future__ import annotations

import json
from copy import deepcopy
from functools import cache
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from schemas import (
    SchemaError,
    arrow_schema,
    load_table,
    load_tables,
    paired_table,
    violations,
)
from schemas.table import FOLDER
from schemas.validation import TableValidator
from wiq_crawl.addresses import BASE_URL, kind_of, language_of
from wiq_crawl.labels import LANGUAGES
from wiq_crawl.pages import Known, read_page
from wiq_crawl.replica.facts import SMALL, load_facts
from wiq_crawl.replica.site import build_site
from wiq_crawl.table_files import write_parquet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wiq_crawl.items import Record

FILES = sorted(FOLDER.rglob("*.schema.json"))
TABLES = load_tables("tbs")
PAIRED = [name for name, table in TABLES.items() if table.pairing_key]
by_table = pytest.mark.parametrize("name", TABLES)
PROGRAMS = {program: load_tables(program) for program in ("tbs", "wiq")}
of_every_program = pytest.mark.parametrize(
    ("program", "name"), [(program, name) for program, tables in PROGRAMS.items() for name in tables]
)


def read(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def objects(schema: object, where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object schema in a schema, however deep."""
    if isinstance(schema, dict):
        if "properties" in schema or schema.get("type") == "object":
            yield where, schema
        for key, value in schema.items():
            if key != "x-wiq":
                yield from objects(value, f"{where}/{key}")


@cache
def independent(name: str) -> Draft202012Validator:
    """The ``jsonschema`` package’s validator of a table’s file as it stands, references unresolved."""
    registry: Registry[Any] = Registry().with_resources(
        (path.name, Resource.from_contents(read(path))) for path in (FOLDER / "tbs").glob("*.schema.json")
    )
    return Draft202012Validator(
        registry.contents(f"{name}.schema.json"),
        registry=registry,
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )


@cache
def good_records() -> dict[str, list[Record]]:
    """Records of every table, read from the small replica in both languages."""
    found: dict[str, list[Record]] = {name: [] for name in TABLES}
    twins = frozenset({frozenset({"def-sre-bob", "def-srw-bob"})})
    for path, resource in build_site(load_facts(SMALL)).items():
        language = language_of(path)
        if language is None or kind_of(path) in ("collective_agreement", "rates_unrepresented", "other"):
            continue
        page = read_page(resource.body.decode(), BASE_URL + path, language=language, known=Known(twins))
        for name, records in page.tables.items():
            found[name] += records
    return found


# --- the files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_schema_file_is_valid_2020_12_and_closed(path: Path) -> None:
    schema = read(path)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == path.name
    Draft202012Validator.check_schema(schema)
    free = {"arguments", "settings"}  # of run.json: whatever was given
    for where, part in objects(schema):
        if where.rpartition("/")[2] in free:
            continue
        closed = part.get("additionalProperties")
        assert closed is False or isinstance(closed, dict), where
        if closed is False:
            assert set(part["required"]) == set(part["properties"]), where


@of_every_program
def test_a_table_and_its_columns_are_described_in_both_languages(program: str, name: str) -> None:
    table = PROGRAMS[program][name]
    described = [table.title, table.description, *(column.description for column in table.columns)]
    for text in described:
        assert set(text) == set(LANGUAGES)
        assert all(len(text[language]) > 3 for language in LANGUAGES)
    assert all(column.description["en"] != column.description["fr"] for column in table.columns)
    assert len({column.name for column in table.columns}) == len(table.columns)


@of_every_program
def test_keys_lead_to_columns_that_exist(program: str, name: str) -> None:
    table = PROGRAMS[program][name]
    columns = {column.name: column for column in table.columns}
    assert table.primary_key
    for key in table.primary_key:
        assert "null" not in columns[key].schema["type"]
    for foreign in table.foreign_keys:
        there = {column.name: column for column in PROGRAMS[program][foreign.table].columns}
        assert len(foreign.columns) == len(foreign.references)
        for here, reference in zip(foreign.columns, foreign.references, strict=True):
            kinds = [
                {*[column.schema["type"]]} if isinstance(column.schema["type"], str) else {*column.schema["type"]}
                for column in (columns[here], there[reference])
            ]
            assert kinds[0] - {"null"} == kinds[1] - {"null"}
    if table.pairing_key:
        assert columns[table.pairing_key].shared
        assert "language" in columns


def test_every_reference_is_used_and_resolves() -> None:
    used = {reference for path in FILES for reference in references(read(path))}
    stated = {f"common.schema.json#/$defs/{name}" for name in read(FOLDER / "tbs" / "common.schema.json")["$defs"]}
    assert used == stated


def references(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield schema["$ref"]
        for value in schema.values():
            yield from references(value)


ANNOTATED = (
    '"additionalProperties": false, "x-wiq": {"title": {}, "description": {}, "primary_key": [], "foreign_keys": []}'
)
UNDESCRIBED = '"properties": {"a": {"type": "string", "x-wiq": {"en": "A."}}}, "required": ["a"]'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "schema file"),
        ('{"properties": {}, "required": [], "x-wiq": {}}', "additionalProperties false"),
        (f"{{{UNDESCRIBED}, {ANNOTATED}}}", "column a: expected a description in English and French"),
    ],
)
def test_a_malformed_schema_file_is_refused(
    content: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thing.schema.json").write_text(content, encoding="utf-8")
    monkeypatch.setattr("schemas.table.FOLDER", tmp_path)
    with pytest.raises(SchemaError, match=message):
        load_table.__wrapped__("other", "thing")


# --- what is derived from them --------------------------------------------------------------------------------------


@by_table
def test_good_records_become_an_arrow_table_and_a_described_parquet_file(name: str, tmp_path: Path) -> None:
    table, records = TABLES[name], good_records()[name]
    assert records
    schema = arrow_schema(table)
    assert schema.names == [column.name for column in table.columns]
    lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in records]
    (tmp_path / "table.jsonl").write_text("".join(lines), encoding="utf-8")
    write_parquet(tmp_path / "table.jsonl", tmp_path / "table.parquet", table, longest=len(max(lines, key=len)) * 4)
    kept = pq.read_schema(tmp_path / "table.parquet")
    assert kept.metadata[b"description_fr"].decode() == table.description["fr"]
    assert kept.metadata[b"primary_key"].decode() == ",".join(table.primary_key)
    for column in table.columns:
        field = kept.field(column.name)
        kind = {"date": pa.date32(), "date-time": pa.timestamp("ms", tz="UTC")}.get(column.schema.get("format", ""))
        assert kind is None or field.type == kind
        assert field.nullable == ("null" in column.schema["type"])
        for language in LANGUAGES:
            assert field.metadata[f"description_{language}".encode()].decode() == column.description[language]
        assert (field.metadata.get(b"unit") or b"").decode() == (column.unit or "")
    counted = duckdb.sql(f"select count(*) from '{tmp_path / 'table.parquet'}'").fetchall()
    assert counted == [(len(records),)]


@pytest.mark.parametrize("name", PAIRED)
def test_a_paired_table_states_shared_columns_once_and_others_twice(name: str) -> None:
    single, paired = TABLES[name], paired_table("tbs", name)
    expected = []
    for column in single.columns:
        if column.name != "language":
            expected += [column.name] if column.shared else [f"{column.name}_en", f"{column.name}_fr"]
    assert [column.name for column in paired.columns] == expected
    assert paired.primary_key == (single.pairing_key,)
    assert arrow_schema(paired).names == expected
    Draft202012Validator.check_schema(paired.schema)
    assert paired.schema["additionalProperties"] is False


def test_a_table_without_pairing_key_has_no_paired_form() -> None:
    with pytest.raises(SchemaError, match="no pairing_key"):
        paired_table("tbs", "links")


# --- two validators -------------------------------------------------------------------------------------------------


@by_table
def test_both_validators_accept_every_good_record(name: str) -> None:
    validator = TableValidator(TABLES[name])
    for record in good_records()[name]:
        assert validator.violations(record) == []
        assert independent(name).is_valid(record)


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 3),
    st.floats(allow_nan=False),
    st.sampled_from(["", "x", "en", "2026-02-30", "2026-02-28", "2026-01-01T00:00:00Z", "def-x", "not a uri", "AI"]),
    st.lists(st.sampled_from(["", "x", None, 1]), max_size=2),
    st.just({}),
    st.just({"text": "", "url": None}),
)


@by_table
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_both_validators_agree_on_changed_records(name: str, data: st.DataObject) -> None:
    records = good_records()[name]
    record = deepcopy(records[data.draw(st.integers(0, min(20, len(records) - 1)), label="record")])
    column = data.draw(st.sampled_from(sorted(record)), label="column")
    change = data.draw(st.sampled_from(["set", "drop", "add"]), label="change")
    if change == "drop":
        del record[column]
    else:
        record[column if change == "set" else "another_column"] = data.draw(VALUES, label="value")
    found = violations(TABLES[name], record)
    assert (found == []) == independent(name).is_valid(record)
    assert change == "set" or found
