"""Pages filled by script: a plain crawl says what helps, a browser reads them, and the archive does without it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from processes import SMALL_EXPECTATIONS, Ended, assert_whole, crawl_of, run_scrapy, state
from warcio.archiveiterator import ArchiveIterator

from wiq_crawl.replica.page_edits import PATHS
from wiq_crawl.replica.server import ReplicaServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wiq_crawl.replica.site import Site

GIVEN = {"WIQ_EXPECTATIONS": str(SMALL_EXPECTATIONS)}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
# Addresses and what follows from where a table stands: another server, another port, a script beside the table.
MOVING = ("document_url", "provenance", "selector", "content_sha256")

browser = [
    pytest.mark.browser,
    pytest.mark.skipif(not any(map(shutil.which, BROWSERS)), reason="no Chromium on PATH: " + ", ".join(BROWSERS)),
]


def _main_table(ended: Ended, base_url: str) -> list[dict[str, object]]:
    rows = ended.rows("occupational_groups_en")
    return [
        {name: str(value).replace(base_url, "") for name, value in row.items() if name not in MOVING} for row in rows
    ]


def _types(archive: Path, path: str) -> list[str]:
    """Types of the records of a page, in their order."""
    with archive.open("rb") as file:
        return [
            record.rec_type
            for record in ArchiveIterator(file)
            if str(record.rec_headers.get_header("WARC-Target-URI")).endswith(path)
        ]


def test_table_filled_by_script_fails_with_a_hint(
    published: Path, small_site: Site, crawl: Callable[..., Ended]
) -> None:
    before = state(published)
    with ReplicaServer(small_site, fault="table_by_script") as server:
        ended = crawl(server.base_url, "-a", "languages=en")
    failure = ended.failed("structure_drift")
    assert (failure["message"], failure["found"]) == ("the main table has no rows", "none")
    assert "-s WIQ_RENDER=auto" in failure["next_step"]
    assert "-s WIQ_RENDER=auto" in ended.output
    assert ended.manifest()["settings"]["WIQ_RENDER"] == "never"
    assert state(published) == before


@pytest.fixture(scope="module")
def rendered(small_site: Site, tmp_path_factory: pytest.TempPathFactory) -> tuple[Ended, ReplicaServer]:
    """A crawl that asks the browser where the main table came without rows."""
    output = tmp_path_factory.mktemp("rendered") / "output"
    with ReplicaServer(small_site, fault="table_by_script") as server:
        return run_scrapy(output, *crawl_of(server.base_url), "-s", "WIQ_RENDER=auto", given=GIVEN), server


class TestAuto:
    pytestmark = browser

    def test_browser_is_asked_for_the_empty_table_only(self, rendered: tuple[Ended, ReplicaServer]) -> None:
        ended, server = rendered
        assert (ended.status, ended.errors) == (0, ""), ended.output + ended.errors
        assert_whole(ended.latest)
        documents = ended.rows("documents_en") + ended.rows("documents_fr")
        assert [row["kind"] for row in documents if row["rendered"]] == ["occupational_groups"]
        asked = [path for path, _ in server.requests]
        assert asked.count(PATHS["main"]["en"]) == 2  # plainly, then by the browser
        assert asked.count(PATHS["main"]["fr"]) == 1
        archive = ended.latest / "pages.warc.gz"
        assert _types(archive, PATHS["main"]["en"]) == ["response", "conversion"]
        assert _types(archive, PATHS["definitions"]["en"]) == ["response"]
        log = (ended.latest / "crawl.log").read_text(encoding="utf-8")
        assert " WARNING " not in log
        assert " ERROR " not in log

    def test_rows_are_those_of_the_undamaged_site(
        self, rendered: tuple[Ended, ReplicaServer], small_site: Site, crawl: Callable[..., Ended]
    ) -> None:
        with ReplicaServer(small_site) as server:
            plain = crawl(server.base_url, "-a", "languages=en", expect=0)
        ended, damaged = rendered
        rows = _main_table(ended, damaged.base_url)
        assert len(rows) == 20
        assert rows == _main_table(plain, server.base_url)

    def test_archive_is_read_back_without_a_browser(
        self, rendered: tuple[Ended, ReplicaServer], scrapy: Callable[..., Ended]
    ) -> None:
        first, _ = rendered
        archive = first.latest / "pages.warc.gz"
        variables = GIVEN | {"WIQ_RENDER": "auto", "WIQ_CHROMIUM": "/nowhere/chromium"}
        ended = scrapy("crawl", "tbs", "-a", f"archive={archive}", environment=variables)
        assert (ended.status, ended.errors) == (0, ""), ended.output + ended.errors
        tables = [path.name for path in first.latest.glob("*.parquet")] + [
            path.name for path in first.latest.glob("*_??.jsonl")
        ]
        assert len(tables) == 30
        for name in tables:
            assert (ended.latest / name).read_bytes() == (first.latest / name).read_bytes()


class TestAlways:
    pytestmark = browser

    @pytest.mark.parametrize("fault", [None, "table_by_script"])
    def test_every_page_is_rendered(self, fault: str | None, small_site: Site, crawl: Callable[..., Ended]) -> None:
        narrow = ("-a", "languages=en", "-a", "depth=0", "-s", "WIQ_RENDER=always")
        with ReplicaServer(small_site, fault=fault) as server:
            ended = crawl(server.base_url, *narrow, expect=0)
            assert [path for path, _ in server.requests if path.endswith(".html")] == [PATHS["main"]["en"]]
        assert ended.errors == ""
        assert [row["rendered"] for row in ended.rows("documents_en")] == [True]
        assert len(ended.rows("occupational_groups_en")) == 20
        assert ended.manifest()["settings"]["WIQ_RENDER"] == "always"

    def test_browser_that_cannot_start_is_a_failure(
        self, published: Path, small_site: Site, crawl: Callable[..., Ended]
    ) -> None:
        before = state(published)
        narrow = ("-a", "languages=en", "-a", "depth=0", "-s", "WIQ_RENDER=always")
        with ReplicaServer(small_site) as server:
            ended = crawl(server.base_url, *narrow, environment={"WIQ_CHROMIUM": "/nowhere/chromium"})
        failure = ended.failed("unreachable")
        assert "/nowhere/chromium" in failure["found"]
        assert state(published) == before
