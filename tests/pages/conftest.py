"""The real captures, read once, and the replica's pages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from wiq_crawl.addresses import BASE_URL, START_PATHS
from wiq_crawl.expectations import load_expectations
from wiq_crawl.pages import Known, read_page

if TYPE_CHECKING:
    from pathlib import Path

    from wiq_crawl.items import PageRecords

MAIN_URL = BASE_URL + START_PATHS["en"]
DEFINITIONS_URL = MAIN_URL.replace("occupational-groups.html", "occupational-groups/definitions.html")


@pytest.fixture(scope="session")
def known() -> Known:
    expected = load_expectations()
    return Known(expected.twins, expected.missing_fragments)


@pytest.fixture(scope="session")
def main_capture(recorded_tbs: Path) -> str:
    return (recorded_tbs / "captures" / "occupational-groups.en.html").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def definitions_capture(recorded_tbs: Path) -> str:
    return (recorded_tbs / "captures" / "definitions.en.html").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def main_page(main_capture: str, known: Known) -> PageRecords:
    return read_page(main_capture, MAIN_URL, language="en", known=known)


@pytest.fixture(scope="session")
def definitions_page(definitions_capture: str, main_page: PageRecords, known: Known) -> PageRecords:
    fragments = {row["definition_anchor"] for row in main_page.tables["occupational_groups"]} - {None}
    return read_page(definitions_capture, DEFINITIONS_URL, language="en", depth=1, fragments=fragments, known=known)


@pytest.fixture(scope="session")
def recorded_rows(recorded_tbs: Path) -> list[dict[str, Any]]:
    """The facts of the main table's rows, English and French."""
    rows: list[dict[str, Any]] = json.loads((recorded_tbs / "main_table_bilingual.json").read_text(encoding="utf-8"))
    return rows


@pytest.fixture(scope="session")
def recorded_entries(recorded_tbs: Path) -> list[dict[str, Any]]:
    """The facts of the definitions page's entries, English."""
    entries: list[dict[str, Any]] = json.loads(
        (recorded_tbs / "definitions_en_anchors.json").read_text(encoding="utf-8")
    )
    return entries
