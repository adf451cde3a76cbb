"""The web archive: read back without network it gives the same tables; damaged, it is refused."""

from __future__ import annotations

import gzip
import io
import json
import shutil
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from parsel import Selector
from processes import SMALL_EXPECTATIONS, Ended, assert_whole, crawl_of, manifest_of, run_scrapy, state
from warcio.archiveiterator import ArchiveIterator
from warcio.warcwriter import WARCWriter

from schemas import load_tables
from wiq_crawl.replica.page_edits import PATHS
from wiq_crawl.replica.server import ReplicaServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wiq_crawl.replica.site import Site

GIVEN = {"WIQ_EXPECTATIONS": str(SMALL_EXPECTATIONS)}
ARCHIVE = "pages.warc.gz"


@pytest.fixture(scope="module")
def archived(small_site: Site, tmp_path_factory: pytest.TempPathFactory) -> tuple[Ended, int]:
    """A crawl whose server has gone, and the port it had."""
    with ReplicaServer(small_site) as server:
        output = tmp_path_factory.mktemp("archived") / "output"
        ended = run_scrapy(output, *crawl_of(server.base_url), given=GIVEN, expect=0)
        return ended, int(server.base_url.rpartition(":")[2])


def _replay(archive: Path, scrapy: Callable[..., Ended], *arguments: str) -> Ended:
    return scrapy("crawl", "tbs", "-a", f"archive={archive}", *arguments, environment=GIVEN)


def _tables(run: Path) -> dict[str, bytes]:
    """The published tables, byte for byte."""
    found = {path.name: path.read_bytes() for path in run.iterdir() if path.suffix in (".jsonl", ".parquet")}
    del found["changes.jsonl"]
    return found


def test_replay_gives_byte_identical_tables_without_network(
    archived: tuple[Ended, int], small_site: Site, scrapy: Callable[..., Ended]
) -> None:
    first, port = archived
    with ReplicaServer(small_site, port=port) as server:  # at the very address that was crawled
        ended = _replay(first.latest / ARCHIVE, scrapy)
        assert server.requests == []
    assert (ended.status, ended.errors) == (0, ""), ended.output
    assert _tables(ended.latest) == _tables(first.latest)
    assert len(_tables(ended.latest)) == 30
    assert (ended.latest / ARCHIVE).read_bytes() == (first.latest / ARCHIVE).read_bytes()
    assert_whole(ended.latest)
    stated = ended.manifest()
    assert stated["fetched_at"] == first.manifest()["fetched_at"]
    assert stated["arguments"]["archive"] == str(first.latest / ARCHIVE)
    assert stated["arguments"]["base_url"] == first.manifest()["arguments"]["base_url"]


def test_replay_into_the_same_output_changes_nothing(
    archived: tuple[Ended, int], tmp_path: Path, scrapy: Callable[..., Ended]
) -> None:
    shutil.copytree(archived[0].folder.parent, tmp_path / "output", symlinks=True)
    ended = _replay(tmp_path / "output" / "tbs" / "latest" / ARCHIVE, scrapy)
    manifest = ended.manifest()
    assert (manifest["promoted"], manifest["previous"]) == (True, archived[0].manifest()["run_id"])
    assert {count for counts in manifest["changes"].values() for count in counts.values()} == {0}
    assert (ended.latest / "changes.jsonl").read_bytes() == b""


def test_part_of_an_archive_that_is_not_compressed(
    archived: tuple[Ended, int], tmp_path: Path, scrapy: Callable[..., Ended]
) -> None:
    plain = tmp_path / "pages.warc"
    plain.write_bytes(gzip.decompress((archived[0].latest / ARCHIVE).read_bytes()))
    ended = _replay(plain, scrapy, "-a", "languages=fr", "-a", "depth=1")
    assert ended.status == 0, ended.output
    assert ended.manifest()["counts"]["documents"] == {"fr": 8}
    assert ended.manifest()["arguments"]["columns"] == archived[0].manifest()["arguments"]["columns"]


def _flipped(archive: bytes) -> bytes:
    place = len(archive) // 2
    return archive[:place] + bytes([archive[place] ^ 0xFF]) + archive[place + 1 :]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "one byte flipped": _flipped,
    "cut inside a record": lambda archive: archive[: len(archive) // 2],
    "cut by one byte": lambda archive: archive[:-1],
    "cut inside the first record": lambda archive: archive[:60],
    "not compressed and cut": lambda archive: gzip.decompress(archive)[:-300],
    "rubbish at the end": lambda archive: archive + b"rubbish",
    "empty": lambda _: b"",
    "a text": lambda _: b"this is no archive\n" * 100,
    "a web page": lambda _: b"<!DOCTYPE html><html><body>no archive</body></html>",
    "a compressed text": lambda _: gzip.compress(b"this is no archive\n" * 100),
    "an empty compressed file": lambda _: gzip.compress(b""),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_archive_is_refused_in_one_line(
    damage: str, archived: tuple[Ended, int], published: Path, tmp_path: Path, scrapy: Callable[..., Ended]
) -> None:
    before, runs = state(published), list((published / "runs").iterdir())
    damaged = tmp_path / "damaged.warc.gz"
    damaged.write_bytes(DAMAGES[damage]((archived[0].latest / ARCHIVE).read_bytes()))
    _replay(damaged, scrapy).refused("archive_unreadable", str(damaged), status=1)
    assert state(published) == before
    assert list((published / "runs").iterdir()) == runs


@pytest.mark.parametrize("place", ["nowhere.warc.gz", "."], ids=["missing", "a folder"])
def test_archive_that_cannot_be_opened(place: str, tmp_path: Path, scrapy: Callable[..., Ended]) -> None:
    ended = _replay(tmp_path / place, scrapy)
    ended.refused("archive_unreadable", "cannot be opened", str(tmp_path / place), status=1)


def test_page_missing_from_the_archive(
    archived: tuple[Ended, int], published: Path, tmp_path: Path, scrapy: Callable[..., Ended]
) -> None:
    before = state(published)
    missing = archived[0].manifest()["arguments"]["base_url"] + PATHS["definitions"]["en"]
    shortened = tmp_path / "shortened.warc.gz"
    with (archived[0].latest / ARCHIVE).open("rb") as source, shortened.open("wb") as target:
        writer = WARCWriter(target, gzip=True)
        for record in ArchiveIterator(source):
            if record.rec_headers.get_header("WARC-Target-URI") != missing:
                writer.write_record(record)
    failure = _replay(shortened, scrapy).failed("archive_unreadable")
    assert (failure["message"], failure["url"]) == ("the archive lacks a page", missing)
    assert str(shortened) in failure["found"]
    assert state(published) == before


def test_archive_is_readable_on_its_own(archived: tuple[Ended, int]) -> None:
    """With warcio alone: valid digests, one gzip member per record, the pages as sent and those alone."""
    archive = archived[0].latest / ARCHIVE
    offsets, addresses = [], []
    with archive.open("rb") as file:
        iterator = ArchiveIterator(file, check_digests="raise")
        for record in iterator:
            assert record.rec_headers.protocol == "WARC/1.1"
            payload = record.content_stream().read()
            offsets.append(iterator.get_record_offset())
            if record.rec_type == "warcinfo":
                assert json.dumps(archived[0].manifest()["arguments"]["languages"]).encode() in payload
                continue
            assert record.rec_headers.get_header("WARC-Payload-Digest")
            assert (record.rec_type, record.http_headers.get_statuscode()) == ("response", "200")
            addresses.append(urlsplit(record.rec_headers.get_header("WARC-Target-URI")).path)
    assert len(addresses) == len(set(addresses)) == 34 + 1
    whole = archive.read_bytes()
    for begin, end in zip(offsets, [*offsets[1:], len(whole)], strict=True):
        with gzip.GzipFile(fileobj=io.BytesIO(whole[begin:end])) as member:
            assert member.read().startswith(b"WARC/1.1\r\n")


def _collapsed(text: str) -> str:
    return " ".join(text.split())


def test_every_recorded_selector_finds_the_recorded_text(archived: tuple[Ended, int]) -> None:
    """Evaluated on the archived page by parsel alone: the raw text, or the value itself where none was kept."""
    pages: dict[str, Selector] = {}
    with (archived[0].latest / ARCHIVE).open("rb") as file:
        for record in ArchiveIterator(file):
            if record.rec_type == "response":
                body = record.content_stream().read().decode("utf-8")
                pages[record.rec_headers.get_header("WARC-Target-URI")] = Selector(body, type="html")

    @cache
    def found(url: str, selector: str) -> list[str]:
        return [one.get() if "/@" in selector else one.xpath("string()").get("") for one in pages[url].xpath(selector)]

    checked, misread = 0, []
    for table in load_tables("tbs"):
        for language in ("en", "fr"):
            for row in archived[0].rows(f"{table}_{language}"):
                if "selector" not in row:
                    continue
                assert len(found(row["document_url"], row["selector"])) == 1, row["selector"]
                for source in row.get("provenance", []):
                    value: Any = row[source["column"]] if source["raw"] is None else source["raw"]
                    texts = found(row["document_url"], source["selector"])
                    checked += 1
                    if [_collapsed(text) for text in texts] != [_collapsed(str(value))]:
                        misread.append((source, texts, value))
    assert misread == []
    assert checked > 500
    assert manifest_of(archived[0].latest)["counts"]["occupational_groups"] == {"en": 20, "fr": 20}


def test_tables_do_not_depend_on_the_order_of_answers(
    small_site: Site, tmp_path: Path, scrapy: Callable[..., Ended]
) -> None:
    """A page that one page links to at depth 2 and the main table at depth 1 stands at depth 1, whoever is first."""
    with ReplicaServer(small_site) as server:
        wide = ("-a", "columns=all", "-s", "CONCURRENT_ITEMS=100")
        first = run_scrapy(tmp_path / "first", *crawl_of(server.base_url), *wide, given=GIVEN, expect=0)
    again = _replay(first.latest / ARCHIVE, scrapy, "-s", "CONCURRENT_ITEMS=1", "-s", "CONCURRENT_REQUESTS=1")
    assert again.status == 0, again.output
    assert _tables(again.latest) == _tables(first.latest)
