"""What users get wrong, and what the machine refuses: one clear line, and nothing lost."""

from __future__ import annotations

import os
import resource
import shutil
import socket
import subprocess
from functools import partial
from typing import TYPE_CHECKING

import pytest
from processes import SMALL_EXPECTATIONS, Ended, assert_whole, crawl_of, run_scrapy, state

from wiq_crawl.addresses import START_PATHS
from wiq_crawl.replica.server import ReplicaServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from wiq_crawl.replica.site import Site

GIVEN = {"WIQ_EXPECTATIONS": str(SMALL_EXPECTATIONS)}
REFUSED = [
    (["-a", "language=en"], "unknown argument -a language", "one of languages, columns", "did you mean languages?"),
    (["-a", "nonsense=1"], "unknown argument -a nonsense", "one of languages, columns", "found nonsense"),
    (["-a", "archived_arguments=x"], "unknown argument", "expected one of", "found archived_arguments"),
    (["-a", "languages=de"], "-a languages", "all, or some of en,fr", "found de"),
    (["-a", "languages="], "-a languages", "all, or some of en,fr", "found nothing"),
    (["-a", "columns=definitions"], "-a columns", "some of definition,job_evaluation_standard", "found definitions"),
    (["-a", "depth=3"], "-a depth", "0 (main page), 1 (linked documents)", "found 3"),
    (["-a", "depth=-1"], "-a depth", "0 (main page)", "found -1"),
    (["-a", "base_url=www.canada.ca"], "-a base_url", "a scheme and a host", "found www.canada.ca"),
    (["-a", "base_url=https://www.canada.ca/en"], "-a base_url", "such as https://www.canada.ca", "/en"),
    (["-a", "base_url=ftp://host"], "-a base_url", "a scheme and a host", "found ftp://host"),
    (["-a", "probe=yes"], "-a probe", "expected 0 or 1", "found yes"),
    (["-o", "out.jsonl"], "-o and -O", "WIQ_OUTPUT", "another output file"),
    (["-O", "out.jsonl"], "-o and -O", "WIQ_OUTPUT", "another output file"),
    (["-s", "WIQ_RENDER=sometimes"], "WIQ_RENDER", "auto, always or never", "found sometimes"),
    (
        ["-s", "WIQ_EXPECTATIONS=/nowhere/e.toml"],
        "expectations file cannot be read",
        "/nowhere/e.toml",
        "expected a file",
    ),
]


@pytest.mark.parametrize(("arguments", "what", "expected", "found"), REFUSED, ids=[" ".join(one[0]) for one in REFUSED])
def test_bad_argument_is_refused_before_anything_is_made(
    arguments: list[str], what: str, expected: str, found: str, tmp_path: Path, scrapy: Callable[..., Ended]
) -> None:
    scrapy("crawl", "tbs", *arguments).refused("bad_argument", what, expected, found)
    assert not (tmp_path / "output").exists()


def test_unknown_spider(tmp_path: Path, scrapy: Callable[..., Ended]) -> None:
    scrapy("crawl", "tbsx").refused("bad_argument", "unknown spider", "expected tbs", "found tbsx")
    assert not (tmp_path / "output").exists()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "known"),
        ("[known", "end of document"),
        ("[known]\ntwins = 3\n", "int"),
        ("[[count]]\nname = 1\n[known]\n", "minimum"),
    ],
)
def test_unreadable_expectations(text: str, word: str, tmp_path: Path, scrapy: Callable[..., Ended]) -> None:
    file = tmp_path / "expectations.toml"
    file.write_text(text, encoding="utf-8")
    ended = scrapy("crawl", "tbs", environment={"WIQ_EXPECTATIONS": str(file)})
    ended.refused("bad_argument", "the expectations file cannot be read", str(file), word)


def test_expectations_that_are_not_text(tmp_path: Path, scrapy: Callable[..., Ended]) -> None:
    file = tmp_path / "expectations.toml"
    file.write_bytes(b"\xff\xfe\x00known")
    ended = scrapy("crawl", "tbs", environment={"WIQ_EXPECTATIONS": str(file)})
    ended.refused("bad_argument", "the expectations file cannot be read", str(file))


def test_base_url_that_answers_nothing(published: Path) -> None:
    """A listener that never accepts: the crawl gives up after its time-out."""
    before = state(published)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        base_url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        quick = ("-s", "DOWNLOAD_TIMEOUT=0.5", "-s", "RETRY_TIMES=0", "-a", "languages=en")
        ended = run_scrapy(published.parent, *crawl_of(base_url, *quick), given=GIVEN)
    assert ended.failed("unreachable")["message"] == "the site gives no answer"
    found = {failure["url"]: failure["found"] for failure in ended.manifest()["failures"]}
    assert "Timeout" in found[base_url + START_PATHS["en"]]
    assert state(published) == before


@pytest.mark.parametrize("place", ["output", "output/tbs", "output/tbs/runs", "output/tbs/.lock"])
def test_output_folder_that_cannot_be_written(place: str, tmp_path: Path, scrapy: Callable[..., Ended]) -> None:
    """A file where a folder must be, or a folder where a file must be: even root cannot write there."""
    in_the_way = tmp_path / place
    in_the_way.parent.mkdir(parents=True, exist_ok=True)
    if place.endswith(".lock"):
        in_the_way.mkdir()
    else:
        in_the_way.write_text("mine", encoding="utf-8")
    ended = scrapy("crawl", "tbs", "-a", "base_url=http://127.0.0.1:1")
    ended.refused("output_unwritable", "cannot write", str(tmp_path / "output"), status=1)
    assert in_the_way.is_dir() or in_the_way.read_text(encoding="utf-8") == "mine"


def test_latest_that_is_not_a_link_is_left_alone(published: Path, scrapy: Callable[..., Ended]) -> None:
    target = (published / "latest").resolve()
    (published / "latest").unlink()
    shutil.copytree(target, published / "latest")
    ended = scrapy("crawl", "tbs", "-a", "base_url=http://127.0.0.1:1")
    ended.refused("output_unwritable", "latest is not a link", "move it away", status=1)
    assert (published / "latest" / "run.json").is_file()


# --- no space -----------------------------------------------------------------------------------------------------


@pytest.fixture
def server(small_site: Site) -> Iterator[ReplicaServer]:
    with ReplicaServer(small_site) as server:
        yield server


def _told_in_clear_lines(ended: Ended) -> None:
    """Whatever could still be written: the kind and the place, no traceback."""
    said = ended.output + ended.errors
    assert ended.status == 1, said
    assert "output_unwritable" in said
    assert "free" in said
    assert "Traceback" not in said
    assert "Logging error" not in said


@pytest.mark.parametrize("limit", [0, 40, 300, 100_000, 400_000, 1_000_000])
def test_file_that_may_not_grow(limit: int, published: Path, server: ReplicaServer) -> None:
    """From the lock's own note over log, archive and spool files to changes.jsonl."""
    before = state(published)
    narrow = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (limit, limit))
    ended = run_scrapy(published.parent, *crawl_of(server.base_url), given=GIVEN, before=narrow)
    _told_in_clear_lines(ended)
    if limit >= 100_000:
        refused = {100_000: "the web archive", 400_000: "the tables", 1_000_000: "changes.jsonl"}[limit]
        ended.failed("output_unwritable")
        assert any(refused in failure["message"] for failure in ended.manifest()["failures"])
    assert state(published) == before


@pytest.fixture
def medium(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """A file system of as many bytes as asked for."""
    made: list[Path] = []

    def mount(size: int) -> Path:
        place = tmp_path / "medium"
        place.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
        if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("needs the right to mount a file system of limited size")
        made.append(place)
        return place

    yield mount
    for place in made:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("room", [20, 1_000, 4_500])
def test_full_disk(room: int, good_output: Path, medium: Callable[[int], Path], server: ReplicaServer) -> None:
    """Kilobytes left beside the last good run: archive, spool and publication each meet the end."""
    used = sum(4096 * -(-path.stat().st_size // 4096) for path in good_output.rglob("*") if path.is_file())
    output = medium(used + room * 1024) / "output"
    shutil.copytree(good_output, output, symlinks=True)
    before = state(output / "tbs")
    ended = run_scrapy(output, *crawl_of(server.base_url), given=GIVEN)
    _told_in_clear_lines(ended)
    if room >= 1_000:  # the tables are deleted, which leaves room for run.json
        assert "No space left" in ended.failed("output_unwritable")["found"]
        assert {path.name for path in ended.newest.iterdir()} == {"crawl.log", "pages.warc.gz", "run.json"}
    assert state(output / "tbs") == before
    assert_whole(output / "tbs" / "latest")
