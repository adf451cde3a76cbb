"""Good crawls: everything asked for once, all of it in the files, and the files say the same."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow.parquet as pq
import pytest
from processes import ROBOTS, SMALL_EXPECTATIONS, Ended, assert_whole, crawl_of, run_scrapy

from schemas import document_validator, load_tables, paired_table
from wiq_crawl.addresses import START_PATHS
from wiq_crawl.replica.page_edits import PATHS
from wiq_crawl.replica.server import ReplicaServer
from wiq_crawl.replica.site import Resource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wiq_crawl.replica.site import Site

TABLES = load_tables("tbs")
BOTH = [(table, language) for table in TABLES for language in ("en", "fr")]


@pytest.fixture(scope="module")
def small(small_site: Site, tmp_path_factory: pytest.TempPathFactory) -> tuple[Ended, ReplicaServer]:
    """One crawl of the small replica in both languages, and the server that answered it."""
    variables = {"WIQ_EXPECTATIONS": str(SMALL_EXPECTATIONS)}
    with ReplicaServer(small_site) as server:
        return run_scrapy(tmp_path_factory.mktemp("small"), *crawl_of(server.base_url), given=variables), server


def _asked_once(server: ReplicaServer, ended: Ended) -> None:
    """robots.txt, then exactly one request per document, and no document without one."""
    paths = Counter(path for path, _ in server.requests)
    assert {path for path, count in paths.items() if count > 1} == set()
    documents = [row["url"] for name in ("en", "fr") for row in _rows_if_any(ended, f"documents_{name}")]
    assert sorted(server.base_url + path for path in paths if path != ROBOTS) == sorted(documents)
    assert server.requests[0] == (ROBOTS, 200)
    assert ended.manifest()["requests"] == {
        "documents": len(documents),
        "sent": len(documents) + 1,
        "retried": 0,
        "received": len(documents) + 1,
    }


def _rows_if_any(ended: Ended, name: str) -> list[dict[str, Any]]:
    return ended.rows(name) if (ended.latest / f"{name}.jsonl").exists() else []


def test_small_replica_is_published(small: tuple[Ended, ReplicaServer]) -> None:
    ended, server = small
    assert (ended.status, ended.errors) == (0, "")
    manifest = ended.manifest()
    document_validator("run").validate(manifest)
    assert (manifest["verdict"], manifest["promoted"], manifest["withheld"]) == ("good", True, None)
    assert (manifest["failures"], manifest["warnings"], manifest["previous"]) == ([], [], None)
    assert manifest["arguments"]["base_url"] == server.base_url
    assert ended.latest.readlink().as_posix() == f"runs/{manifest['run_id']}"
    assert f"Run {manifest['run_id']} is good and published. Files: {ended.latest}" in ended.output
    assert "First good run" in ended.output
    _asked_once(server, ended)


def test_every_artifact_is_listed_with_its_digest(small: tuple[Ended, ReplicaServer]) -> None:
    assert_whole(small[0].latest)
    listed = {artifact["path"] for artifact in small[0].manifest()["artifacts"]}
    tables = {f"{table}_{language}.{suffix}" for table, language in BOTH for suffix in ("jsonl", "parquet")}
    assert listed == tables | {
        "changes.jsonl",
        "crawl.log",
        "definitions.parquet",
        "occupational_groups.parquet",
        "pages.warc.gz",
    }


def test_counts_in_the_manifest_are_those_of_the_files(small: tuple[Ended, ReplicaServer]) -> None:
    ended, _ = small
    counts = {
        table: {language: len(ended.rows(f"{table}_{language}")) for language in ("en", "fr")} for table in TABLES
    }
    assert ended.manifest()["counts"] == counts
    assert all(counts[table]["en"] == counts[table]["fr"] > 0 for table in counts if table != "issues")


def _as_json(value: object) -> object:
    """A Parquet value as JSONL writes it."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    if isinstance(value, dict):
        return {name: _as_json(item) for name, item in value.items()}
    return value


@pytest.mark.parametrize(("table", "language"), BOTH)
def test_jsonl_and_parquet_hold_the_same_rows(small: tuple[Ended, ReplicaServer], table: str, language: str) -> None:
    ended, _ = small
    name = f"{table}_{language}"
    parquet = pq.read_table(ended.latest / f"{name}.parquet").to_pylist()
    assert [_as_json(row) for row in parquet] == ended.rows(name)
    keys = [tuple(row[column] for column in TABLES[table].primary_key) for row in parquet]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("table", [name for name, table in TABLES.items() if table.pairing_key])
def test_bilingual_file_has_both_languages_of_every_row(small: tuple[Ended, ReplicaServer], table: str) -> None:
    ended, _ = small
    key = str(TABLES[table].pairing_key)
    singles = {one: {row[key]: row for row in ended.rows(f"{table}_{one}")} for one in ("en", "fr")}
    paired = pq.read_table(ended.latest / f"{table}.parquet")
    assert paired.column_names == [column.name for column in paired_table("tbs", table).columns]
    rows = [_as_json(row) for row in paired.to_pylist()]
    assert [row[key] for row in rows] == list(singles["en"])
    assert set(singles["en"]) == set(singles["fr"])
    for row in rows:
        for language, records in singles.items():
            for column in TABLES[table].columns:
                name = column.name if column.shared else f"{column.name}_{language}"
                if column.name != "language":
                    assert row[name] == records[row[key]][column.name]


def test_published_foreign_keys_join_without_orphans(small: tuple[Ended, ReplicaServer]) -> None:
    ended, _ = small
    joined = Counter[str]()
    with duckdb.connect() as connection:
        for table, language in BOTH:
            for foreign in TABLES[table].foreign_keys:
                (column,), (reference,) = foreign.columns, foreign.references
                files = [ended.latest / f"{name}_{language}.parquet" for name in (table, foreign.table)]
                sql = (
                    f"SELECT count(*), count(r.{reference}) FROM '{files[0]}' AS f"
                    f" LEFT JOIN '{files[1]}' AS r ON f.{column} = r.{reference} WHERE f.{column} IS NOT NULL"
                )
                rows, found = connection.sql(sql).fetchall()[0]
                assert rows == found, f"{table}_{language}.{column}"
                joined[f"{table}.{column}"] += rows
    assert len(joined) == sum(len(table.foreign_keys) for table in TABLES.values())
    assert min(joined.values()) > 0


@pytest.mark.parametrize(
    ("arguments", "pages"),
    [
        (["languages=fr"], (0, 17)),
        (["languages=fr", "depth=0"], (0, 1)),
        (["depth=0"], (1, 1)),
        (["languages=en", "depth=1"], (8, 0)),
        (["languages=en", "columns=definition", "depth=1"], (2, 0)),
        (["languages=en", "columns=qualification_standard,definition", "depth=1"], (3, 0)),
        (["languages=en", "columns=all", "depth=1"], (26, 0)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_arguments_choose_what_is_read(
    arguments: list[str], pages: tuple[int, int], small_site: Site, crawl: Callable[..., Ended]
) -> None:
    given = [word for argument in arguments for word in ("-a", argument)]
    with ReplicaServer(small_site) as server:
        ended = crawl(server.base_url, *given, expect=0)
        _asked_once(server, ended)
    documents = [row for one in ("en", "fr") for row in _rows_if_any(ended, f"documents_{one}")]
    assert tuple(sum(row["language"] == one for row in documents) for one in ("en", "fr")) == pages
    stated = ended.manifest()["arguments"]
    wanted = dict(argument.split("=") for argument in arguments)
    assert max(row["depth"] for row in documents) <= stated["depth"] == int(wanted.get("depth", 2))
    assert (ended.latest / "documents_en.jsonl").exists() == (pages[0] > 0)
    assert (ended.latest / "definitions.parquet").exists() == (min(pages) > 0)


def test_full_scale_replica(full_site: Site, crawl: Callable[..., Ended]) -> None:
    """The counts of the real site, held against its own expectations."""
    with ReplicaServer(full_site) as server:
        ended = crawl(server.base_url, small=False, expect=0)
        _asked_once(server, ended)
    counts = ended.manifest()["counts"]
    assert counts["occupational_groups"] == {"en": 217, "fr": 217}
    assert counts["definitions"] == {"en": 215, "fr": 215}
    assert counts["documents"] == {"en": 36, "fr": 36}
    assert pq.read_metadata(ended.latest / "occupational_groups.parquet").num_rows == 217
    for language in ("en", "fr"):
        assert Counter(row["depth"] for row in ended.rows(f"documents_{language}")) == {0: 1, 1: 18, 2: 17}
        assert len({row["text_sha256"] for row in ended.rows(f"definitions_{language}")}) == 201
    in_table = [row for row in ended.rows("links_en") if row["table_column"]]
    assert len(in_table) == 1288
    outcomes = {one["name"]: one["outcome"] for one in ended.manifest()["expectations"]}
    assert set(outcomes.values()) == {"met"}
    assert len(outcomes) == 1 + 2 * 12


def test_full_scale_replica_at_depth_1(full_site: Site, crawl: Callable[..., Ended]) -> None:
    with ReplicaServer(full_site) as server:
        ended = crawl(server.base_url, "-a", "depth=1", small=False, expect=0)
        _asked_once(server, ended)
    for language in ("en", "fr"):
        assert Counter(row["depth"] for row in ended.rows(f"documents_{language}")) == {0: 1, 1: 18}


def test_real_captures_at_their_real_paths(recorded_tbs: Path, small_site: Site, crawl: Callable[..., Ended]) -> None:
    captures = {
        START_PATHS["en"]: recorded_tbs / "captures" / "occupational-groups.en.html",
        PATHS["definitions"]["en"]: recorded_tbs / "captures" / "definitions.en.html",
    }
    site = {path: Resource(capture.read_bytes()) for path, capture in captures.items()} | {ROBOTS: small_site[ROBOTS]}
    arguments = ("-a", "languages=en", "-a", "columns=definition", "-a", "depth=1")
    with ReplicaServer(site) as server:
        ended = crawl(server.base_url, *arguments, small=False, expect=0)
        assert server.requests == [(ROBOTS, 200), *((path, 200) for path in captures)]
    assert ended.errors == ""
    assert_whole(ended.latest)
    counts = ended.manifest()["counts"]
    assert (counts["occupational_groups"], counts["definitions"]) == ({"en": 217}, {"en": 215})
    assert counts["documents"] == {"en": 2}
    for name in ("occupational_groups_en", "definitions_en"):
        assert pq.read_metadata(ended.latest / f"{name}.parquet").num_rows == len(ended.rows(name))
