"""Good runs that must not replace ``latest``, and those that may."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
from processes import Ended, assert_whole, manifest_of, state

from schemas import document_validator
from wiq_crawl.replica.server import ReplicaServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from wiq_crawl.replica.site import Site


@pytest.fixture
def server(small_site: Site) -> Iterator[ReplicaServer]:
    with ReplicaServer(small_site) as server:
        yield server


def _withheld(ended: Ended, reason: str) -> None:
    """Good, whole, told so, and with no word on changes: it has nothing in common with ``latest``."""
    manifest = ended.manifest()
    document_validator("run").validate(manifest)
    assert (ended.status, ended.errors) == (0, ""), ended.output
    assert (manifest["verdict"], manifest["promoted"], manifest["withheld"]) == ("good", False, reason)
    assert_whole(ended.newest)
    assert manifest["changes"] == {}
    assert f"is good and was not published: {reason}. Files: {ended.newest}" in ended.output


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["languages=en"], "it leaves out languages that latest has: fr"),
        (["languages=fr", "depth=0"], "it leaves out languages that latest has: en"),
        (
            ["columns=definition"],
            "it leaves out columns that latest has: job_evaluation_standard, qualification_standard",
        ),
        (["depth=1"], "its depth 1 is below that of latest, 2"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_narrower_run_does_not_replace_latest(
    arguments: list[str], reason: str, published: Path, server: ReplicaServer, crawl: Callable[..., Ended]
) -> None:
    before = state(published)
    ended = crawl(server.base_url, *(word for argument in arguments for word in ("-a", argument)))
    _withheld(ended, reason)
    assert state(published) == before


def test_run_of_another_site_does_not_replace_the_real_one(
    published: Path, server: ReplicaServer, crawl: Callable[..., Ended]
) -> None:
    path = published / "latest" / "run.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["arguments"]["base_url"] = "https://www.canada.ca"
    path.write_text(json.dumps(manifest), encoding="utf-8")
    before = state(published)
    _withheld(crawl(server.base_url), f"it is of {server.base_url}, latest of https://www.canada.ca")
    assert state(published) == before


def test_older_archive_does_not_replace_a_newer_latest(
    published: Path, tmp_path: Path, server: ReplicaServer, crawl: Callable[..., Ended], scrapy: Callable[..., Ended]
) -> None:
    old = shutil.copyfile(published / "latest" / "pages.warc.gz", tmp_path / "old.warc.gz")
    fetched = manifest_of(published / "latest")["fetched_at"]
    newer = crawl(server.base_url, expect=0).manifest()["fetched_at"]
    assert newer > fetched
    before = state(published)
    asked = server.requests
    variables = {"WIQ_EXPECTATIONS": "wiq_crawl/replica/expectations.toml"}
    ended = scrapy("crawl", "tbs", "-a", f"archive={old}", environment=variables)
    _withheld(ended, f"its archive ends at {fetched}, latest was fetched until {newer}")
    assert state(published) == before
    assert server.requests == asked


def test_wider_run_replaces_latest_and_says_what_changed(server: ReplicaServer, crawl: Callable[..., Ended]) -> None:
    first = crawl(server.base_url, "-a", "languages=en", "-a", "depth=0", expect=0).manifest()
    ended = crawl(server.base_url, "-a", "languages=en", "-a", "depth=1", expect=0)
    manifest = ended.manifest()
    assert (manifest["promoted"], manifest["previous"]) == (True, first["run_id"])
    assert manifest["changes"]["documents_en"] == {"ADD": 7, "MOD": 0, "DEL": 0}
    assert manifest["changes"]["occupational_groups_en"] == {"ADD": 0, "MOD": 0, "DEL": 0}
    assert "7 ADD (en)" in ended.output
    assert f"What changed since {first['run_id']}: {ended.latest}/changes_en.md and changes_fr.md" in ended.output
    both = crawl(server.base_url, "-a", "depth=1", expect=0)
    assert both.manifest()["promoted"]
    assert sorted(path.name for path in both.latest.glob("documents_*.jsonl")) == [
        "documents_en.jsonl",
        "documents_fr.jsonl",
    ]
    assert_whole(both.latest)
    history = [json.loads(line) for line in (both.folder / "history.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {line["run_id"] for line in history} == {manifest["run_id"]}
