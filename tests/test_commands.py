"""The commands beside the crawl: extract, replica, changes, demo, and what they say of themselves."""

from __future__ import annotations

import json
import signal
import urllib.request
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from processes import SMALL_EXPECTATIONS, Ended, assert_whole, start_scrapy

from schemas import load_tables, violations
from wiq_crawl.replica.faults import FAULTS
from wiq_crawl.replica.page_edits import PATHS, edited, substituted
from wiq_crawl.replica.server import ReplicaServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wiq_crawl.replica.site import Site

GIVEN = {"WIQ_EXPECTATIONS": str(SMALL_EXPECTATIONS)}
SITE = "https://www.canada.ca"
GENERAL = {"documents", "sections", "data_tables", "links"}


@pytest.fixture
def saved(small_site: Site, tmp_path: Path) -> Callable[[str], Path]:
    """A page of the replica saved as a file."""

    def save(path: str) -> Path:
        file = tmp_path / "page.html"
        file.write_bytes(small_site[path].body)
        return file

    return save


# --- extract ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "tables"),
    [
        (PATHS["main"]["en"], {"occupational_groups": 20}),
        (PATHS["main"]["fr"], {"occupational_groups": 20}),
        (PATHS["definitions"]["fr"], {"definitions": 30}),
        (PATHS["standard"]["en"], {}),
        (PATHS["qualifications"]["en"], {}),
    ],
)
def test_extract_prints_valid_records_with_their_table(
    path: str, tables: dict[str, int], saved: Callable[[str], Path], scrapy: Callable[..., Ended]
) -> None:
    ended = scrapy("extract", str(saved(path)), "--url", SITE + path, environment=GIVEN, expect=0)
    assert ended.errors == ""
    counts = Counter[str]()
    for line in ended.output.splitlines():
        record = json.loads(line)
        table = record.pop("table")
        assert violations(load_tables("tbs")[table], record) == []
        assert (record.get("document_url") or record["url"]) == SITE + path
        counts[table] += 1
    assert counts["documents"] == 1
    assert {table: counts[table] for table in tables} == tables
    # A page of no special kind gives the general tables alone.
    assert set(counts) - {"issues"} <= GENERAL | set(tables)
    assert counts["sections"] > 0 < counts["links"]
    assert not (ended.folder).exists()


def test_extract_of_one_kind_at_an_address_of_another(
    saved: Callable[[str], Path], scrapy: Callable[..., Ended]
) -> None:
    """--kind and --language stand where the address says nothing."""
    options = ("--url", "https://elsewhere.example/page", "--kind", "definitions", "--language", "en")
    ended = scrapy("extract", str(saved(PATHS["definitions"]["en"])), *options, environment=GIVEN, expect=0)
    tables = Counter(json.loads(line)["table"] for line in ended.output.splitlines())
    assert tables["definitions"] == 30


def test_extract_reports_a_drift(saved: Callable[[str], Path], scrapy: Callable[..., Ended]) -> None:
    page = saved(PATHS["main"]["fr"])
    page.write_text(page.read_text(encoding="utf-8").replace(">Définition</th>", ">Sens</th>"), encoding="utf-8")
    ended = scrapy("extract", str(page), "--url", SITE + PATHS["main"]["fr"], environment=GIVEN)
    ended.refused("structure_drift", "expected «Définition»", "found «Sens»", SITE + PATHS["main"]["fr"], status=1)


@pytest.mark.parametrize("fragment", ["def-cr", "def-nowhere"])
def test_extract_follows_fragments(fragment: str, saved: Callable[[str], Path], scrapy: Callable[..., Ended]) -> None:
    url = SITE + PATHS["definitions"]["en"]
    ended = scrapy(
        "extract", str(saved(PATHS["definitions"]["en"])), "--url", url, "--fragment", fragment, environment=GIVEN
    )
    assert ended.status == (fragment == "def-nowhere")
    assert ("fragment #def-nowhere, which the main table points at" in ended.errors) == (fragment == "def-nowhere")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "name one file and its address"),
        (["page.html"], "name one file and its address"),
        (["page.html", "--url", SITE + "/en/treasury-board-secretariat/a.html"], "the saved page cannot be read"),
        (
            ["page.html", "--url", "https://elsewhere.example/a.html"],
            "an address under /en/treasury-board-secretariat/",
        ),
        (["page.html", "--url", SITE, "--kind", "nonsense"], "invalid choice: 'nonsense'"),
        (["page.html", "--url", SITE, "--language", "de"], "invalid choice: 'de'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_extract_wrongly_used(arguments: list[str], word: str, scrapy: Callable[..., Ended]) -> None:
    ended = scrapy("extract", *arguments)
    assert ended.status == 2
    assert word in ended.output + ended.errors
    assert "Traceback" not in ended.errors


# --- replica ------------------------------------------------------------------------------------------------------


def test_replica_lists_its_faults(scrapy: Callable[..., Ended]) -> None:
    lines = scrapy("replica", "--faults", expect=0).output.splitlines()
    assert [line.split()[0] for line in lines] == list(FAULTS)
    for line, fault in zip(lines, FAULTS.values(), strict=True):
        assert (fault.expect or "(must succeed)") in line
        assert fault.description in line


def test_replica_writes_its_pages(small_site: Site, tmp_path: Path, scrapy: Callable[..., Ended]) -> None:
    ended = scrapy("replica", "--write", str(tmp_path / "site"), expect=0)
    assert ended.output == f"{len(small_site)} files: {tmp_path / 'site'}\n"
    written = {f"/{path.relative_to(tmp_path / 'site')}" for path in (tmp_path / "site").rglob("*") if path.is_file()}
    assert written == set(small_site)


def test_replica_serves_until_interrupted(tmp_path: Path) -> None:
    process = start_scrapy(tmp_path, "replica", "--fault", "header_renamed")
    assert process.stdout
    address = process.stdout.readline().split()[0]
    with urllib.request.urlopen(address + PATHS["main"]["en"]) as response:
        assert b">Meaning</th>" in response.read()
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, output, errors) == (0, "1 requests answered\n", "")


def test_replica_of_an_unknown_fault(scrapy: Callable[..., Ended]) -> None:
    scrapy("replica", "--fault", "nonsense").refused("bad_argument", "unknown fault 'nonsense'", "--faults")


# --- changes, demo, help ------------------------------------------------------------------------------------------


def test_changes_between_two_crawls(
    small_site: Site, scrapy: Callable[..., Ended], crawl: Callable[..., Ended]
) -> None:
    assert "is not a folder" in scrapy("changes").errors
    narrow = ("-a", "columns=definition", "-a", "depth=1")
    with ReplicaServer(small_site) as server:
        port = int(server.base_url.rpartition(":")[2])
        crawl(server.base_url, *narrow, expect=0)
    only_one = scrapy("changes", expect=0).output
    assert "Nothing to compare yet" in only_one
    renamed = edited(small_site, PATHS["main"]["en"], substituted(r"Comptrollership", "Controllership"))
    with ReplicaServer(renamed, port=port) as server:
        ended = crawl(server.base_url, *narrow, expect=0)
    assert ended.manifest()["changes"]["occupational_groups_en"]["MOD"] > 0
    assert ended.manifest()["changes"]["occupational_groups_fr"] == {"ADD": 0, "MOD": 0, "DEL": 0}
    report = scrapy("changes", "--language", "en", expect=0).output
    assert "Controllership" in report
    assert report.strip() == (ended.latest / "changes_en.md").read_text(encoding="utf-8").strip()
    assert len(scrapy("changes", expect=0).output) > len(report)
    changes = [json.loads(line) for line in (ended.folder / "history.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {change["run_id"] for change in changes} == {ended.manifest()["run_id"]}


def test_demo_shows_one_definition_in_both_languages(scrapy: Callable[..., Ended]) -> None:
    ended = scrapy("demo", expect=0)
    assert "The replica (real structure, made-up prose) answers at http://127.0.0.1:" in ended.output
    assert "is good and published" in ended.output
    for words in ("  Definition\n", "  Définition\n", "  In effect since\n", "  En vigueur depuis\n"):
        assert words in ended.output
    assert_whole(ended.latest)
    assert ended.errors == ""


@pytest.mark.parametrize("command", ["crawl", "extract", "replica", "changes", "demo"])
def test_help_has_an_example(command: str, scrapy: Callable[..., Ended]) -> None:
    shown = " ".join(scrapy(command, "--help", expect=0).output.split())
    assert "Example" in shown
    assert f"scrapy {command}" in shown.partition("Example")[2]
