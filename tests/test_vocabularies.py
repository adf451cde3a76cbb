"""Closed lists say the same in schemas, labels and code: failure kinds, issue rules, page kinds, columns."""

from __future__ import annotations

import ast
import json
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

import imputer.errors  # noqa: F401 (its failure kinds count)
from imputer.batch.accepted import RETENTION_CLASS
from imputer.sources.registry import load_registry
from imputer.wording import labels as imputer_labels
from schemas import document_validator, load_tables
from schemas.errors import failure_kinds
from schemas.table import FOLDER
from wiq_crawl.addresses import kind_of
from wiq_crawl.errors import CrawlError
from wiq_crawl.labels import FILE as LABELS
from wiq_crawl.labels import LANGUAGES, label, labels, main_table_columns, unconfirmed
from wiq_crawl.pages import issues
from wiq_crawl.replica.facts import SMALL, load_facts
from wiq_crawl.replica.site import build_site

if TYPE_CHECKING:
    from pathlib import Path

TABLES = load_tables("tbs")


def read(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def test_run_json_knows_every_failure_kind() -> None:
    failure = read(FOLDER / "run.schema.json")["properties"]["failures"]["items"]
    assert failure["properties"]["kind"]["enum"] == failure_kinds()
    run = {"failures": [CrawlError("message").as_record()]}
    assert set(failure["required"]) == set(run["failures"][0])
    assert not document_validator("run").is_valid(run)


def test_every_issue_rule_has_its_sentence_in_both_languages() -> None:
    rules = next(column for column in TABLES["issues"].columns if column.name == "rule").schema["enum"]
    place = {"document_url": "d", "selector": "s", "content_sha256": "c", "document_modified": None}
    for rule in rules:
        record = issues.source_issue("en", rule, "subject", "expected", "found", place)
        assert record["message_en"].endswith(".")
        assert record["message_fr"].endswith(".")
        assert record["message_en"] != record["message_fr"]
    with pytest.raises(KeyError):
        issues.source_issue("en", "no_such_rule", "subject", "expected", "found", place)


def test_every_retention_class_of_the_program_has_its_name_and_its_rule() -> None:
    schedule = FOLDER.parent / "imputer" / "retention" / "schedule.example.toml"
    example = tomllib.loads(schedule.read_text(encoding="utf-8"))
    used = {file.retention for file in load_registry().files.values()} | {RETENTION_CLASS}
    assert used == set(imputer_labels()["retention_class"]) == set(example["class"])


def test_every_issue_rule_is_raised_somewhere() -> None:
    rules = next(column for column in TABLES["issues"].columns if column.name == "rule").schema["enum"]
    named = {
        constant.value
        for path in sorted((FOLDER.parent / "wiq_crawl").rglob("*.py"))
        if path.name != "issues.py"
        for constant in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(constant, ast.Constant)
    }
    assert set(rules) <= named


def test_kinds_and_columns_are_those_of_the_code() -> None:
    kinds = next(column for column in TABLES["documents"].columns if column.name == "kind").schema["enum"]
    assert {kind_of(path) for path in build_site(load_facts(SMALL))} <= set(kinds)
    assert {key.removeprefix("h1.") for key in labels("en") if key.startswith("h1.")} <= set(kinds)
    columns = next(column for column in TABLES["links"].columns if column.name == "table_column").schema["enum"]
    assert columns == [*main_table_columns()[5:], None]
    names = {column.name for column in TABLES["occupational_groups"].columns}
    for column in main_table_columns()[5:]:
        assert {f"{column}_label", f"{column}_url", f"{column}_note"} <= names


def test_labels_are_well_formed_in_both_languages() -> None:
    loaded = tomllib.loads(LABELS.read_text(encoding="utf-8"))
    for key, entry in loaded.items():
        assert set(entry) == set(LANGUAGES), key
        for language in LANGUAGES:
            assert set(entry[language]) == {"texts", "match", "confirmed"}, key
            assert entry[language]["match"] in ("equals", "contains", "pattern")
            assert entry[language]["texts"]
            found = label(key, language)
            if found.match != "pattern":
                assert all(found.matches(text) and found.matches(text.upper()) for text in found.texts)
            assert not found.matches("")
            assert key in found.next_step
    assert list(labels("en")) == list(labels("fr")) == list(loaded)
    assert len(main_table_columns()) == 12
    assert all(not found.confirmed for found in unconfirmed())
    with pytest.raises(KeyError):
        label("no.such.label", "en")
