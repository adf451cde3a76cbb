"""Pages read by a process beside the crawl's own: the same tables, no silence where it dies, and never an orphan."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from processes import SMALL_EXPECTATIONS, Ended, crawl_of, run_scrapy, start_scrapy, state, wait_until

from wiq_crawl.replica.page_edits import PATHS
from wiq_crawl.replica.server import ReplicaServer

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from wiq_crawl.replica.site import Site

GIVEN = {"WIQ_EXPECTATIONS": str(SMALL_EXPECTATIONS)}
SLOW = ("-s", "DOWNLOAD_DELAY=0.2")

linux = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="finds processes in /proc")


def _tables(run: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in run.iterdir() if path.suffix in (".jsonl", ".parquet")}


def _helper_of(process: subprocess.Popen[str]) -> int | None:
    """The process id of a crawl's helper, as soon as it runs."""
    for children in Path(f"/proc/{process.pid}/task").glob("*/children"):
        for child in children.read_text(encoding="ascii").split():
            if b"wiq_crawl.helper_process" in Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)
    return None


def _started(output: Path, server: ReplicaServer) -> tuple[subprocess.Popen[str], int]:
    """A slow crawl that has fetched some pages, and its helper."""
    process = start_scrapy(output, *crawl_of(server.base_url, *SLOW), given=GIVEN)
    wait_until(lambda: len(server.requests) > 4, process)
    helper = _helper_of(process)
    assert helper is not None
    return process, helper


def _is_gone(helper: int) -> bool:
    """Whether a process has ended; one that nobody has asked after since counts as ended."""
    try:
        return Path(f"/proc/{helper}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_tables_are_the_same_wherever_pages_are_read(good_output: Path, tmp_path: Path) -> None:
    archive = good_output / "tbs" / "latest" / "pages.warc.gz"
    found = {}
    for readers in ("0", "1", "3"):
        variables = GIVEN | {"WIQ_READERS": readers}
        ended = run_scrapy(tmp_path / readers, "crawl", "tbs", "-a", f"archive={archive}", given=variables, expect=0)
        found[readers] = _tables(ended.latest), ended.manifest()["counts"], ended.manifest()["expectations"]
    assert found["0"] == found["1"] == found["3"]
    assert list(found["0"][1]) == list(found["1"][1])


@linux
def test_killed_helper_fails_the_crawl_loudly(published: Path, small_site: Site) -> None:
    before = state(published)
    with ReplicaServer(small_site) as server:
        process, helper = _started(published.parent, server)
        os.kill(helper, signal.SIGKILL)
        output, errors = process.communicate(timeout=60)
    failure = Ended(process.returncode, output, errors, published).failed("internal_error")
    assert failure["message"] == "the process that reads pages has ended"
    assert failure["found"] == "SIGKILL"
    assert "WIQ_READERS=0" in failure["next_step"]
    assert state(published) == before


@linux
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_helper_ends_with_the_crawl(end: signal.Signals, small_site: Site, tmp_path: Path) -> None:
    with ReplicaServer(small_site) as server:
        process, helper = _started(tmp_path, server)
        process.send_signal(end)
        process.communicate(timeout=60)
    patience = time.monotonic() + 10
    while not _is_gone(helper):
        assert time.monotonic() < patience
        time.sleep(0.01)


@linux
def test_there_is_no_helper_where_none_is_wanted(small_site: Site, tmp_path: Path) -> None:
    with ReplicaServer(small_site) as server:
        process = start_scrapy(tmp_path, *crawl_of(server.base_url, *SLOW), given=GIVEN | {"WIQ_READERS": "0"})
        wait_until(lambda: len(server.requests) > 4, process)
        assert _helper_of(process) is None
        process.kill()
        process.communicate()


@pytest.mark.parametrize("given", ["-1", "many", "", "65", "1.5"])
def test_number_of_readers_is_checked_first(given: str, scrapy: Callable[..., Ended]) -> None:
    ended = scrapy("crawl", "tbs", "-s", f"WIQ_READERS={given}")
    ended.refused("bad_argument", "WIQ_READERS", "a number from 0 to 64", given)


@pytest.mark.parametrize("readers", ["0", "1"])
def test_drift_is_told_alike_wherever_the_page_is_read(
    readers: str, small_site: Site, crawl: Callable[..., Ended]
) -> None:
    path = PATHS["standard"]["en"]
    body = small_site[path].body.replace(b'id="wb-cont"', b"")
    changed = {**small_site, path: replace(small_site[path], body=body)}
    with ReplicaServer(changed) as server:
        ended = crawl(server.base_url, environment={"WIQ_READERS": readers})
        failure = ended.failed("structure_drift")
        assert failure["url"] == server.base_url + path
    assert (failure["message"], failure["expected"]) == ("main heading", "exactly one h1#wb-cont with text")
    assert failure["found"].startswith("<h1 id=None>")
    assert Path(failure["saved_page"]).is_file()
