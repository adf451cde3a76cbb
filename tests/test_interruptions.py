"""Crawls killed, interrupted or started twice: ``latest`` is the old run or the new one, never a part of one."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from typing import TYPE_CHECKING

import pytest
from processes import (
    SMALL_EXPECTATIONS,
    Ended,
    assert_whole,
    crawl_of,
    manifest_of,
    newest_run,
    start_scrapy,
    state,
    wait_until,
)

from schemas.runs import good_runs
from wiq_crawl.replica.server import ReplicaServer

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from wiq_crawl.replica.site import Site

    Mark = Callable[[Path, ReplicaServer], object]

GIVEN = {"WIQ_EXPECTATIONS": str(SMALL_EXPECTATIONS)}
SLOW = ("-s", "DOWNLOAD_DELAY=0.2")


@pytest.fixture
def server(small_site: Site) -> Iterator[ReplicaServer]:
    with ReplicaServer(small_site) as server:
        yield server


def _start(folder: Path, server: ReplicaServer, *arguments: str) -> subprocess.Popen[str]:
    return start_scrapy(folder.parent, *crawl_of(server.base_url, *arguments), given=GIVEN)


def _end(process: subprocess.Popen[str], folder: Path) -> Ended:
    output, errors = process.communicate(timeout=60)
    return Ended(process.returncode, output, errors, folder)


def _old_or_new(folder: Path, before: dict[str, str]) -> bool:
    """Whether ``latest`` is the run of before, byte for byte; if not, it is the new one, whole."""
    if state(folder) == before:
        return True
    assert_whole(folder / "latest")
    assert manifest_of(folder / "latest")["previous"] == before["latest"].removeprefix("runs/")
    return False


def _history_is_sane(folder: Path) -> None:
    """Whole lines, of promoted runs only, oldest first, each once."""
    promoted = [run.name for run in good_runs(folder)][::-1]
    lines = [json.loads(line) for line in (folder / "history.jsonl").read_text(encoding="utf-8").splitlines()]
    told = list(dict.fromkeys(line["run_id"] for line in lines))
    assert told == [name for name in promoted if name in told]
    assert len({(line["run_id"], line["table"], line["language"], line["key"]) for line in lines}) == len(lines)


def _runs(folder: Path) -> int:
    return sum(1 for _ in (folder / "runs").iterdir())


def _has(name: str) -> Mark:
    """A file of that name lies in the newest run."""
    return lambda folder, _: _runs(folder) > 1 and (newest_run(folder) / name).exists()


MARKS: dict[str, Mark] = {
    "the run folder is made": lambda folder, _: _runs(folder) > 1,
    "the first page is fetched": lambda _, server: len(server.requests) > 1,
    "half of the pages are fetched": lambda _, server: len(server.requests) > 17,
    "the first table is published": _has("data_tables_en.jsonl"),
    "the last table is published": _has("occupational_groups.parquet"),
    "the changes are begun": _has(".changes.jsonl.tmp"),
    "the changes are written": _has("changes.jsonl"),
    "run.json is written": _has("run.json"),
    "latest is moved": lambda folder, _: (folder / "latest").readlink().name == newest_run(folder).name,
}


@pytest.mark.parametrize("mark", MARKS)
def test_killed_at_a_mark_leaves_latest_whole(
    mark: str, published: Path, server: ReplicaServer, crawl: Callable[..., Ended]
) -> None:
    before = state(published)
    process = _start(published, server)
    wait_until(lambda: MARKS[mark](published, server), process)
    process.kill()
    killed = _end(process, published)
    assert killed.status in (-signal.SIGKILL, 0)
    old = _old_or_new(published, before)
    assert old or mark in ("run.json is written", "latest is moved")
    if mark != "latest is moved":
        assert killed.status == -signal.SIGKILL
    after = crawl(server.base_url, expect=0)
    assert after.manifest()["promoted"]
    assert_whole(published / "latest")
    _history_is_sane(published)
    assert list(published.rglob(".*.tmp")) == []


def test_killed_at_many_moments_leaves_latest_whole(
    published: Path, server: ReplicaServer, crawl: Callable[..., Ended]
) -> None:
    """Not only where we thought of it: at moments by chance, one crawl after the other in the same folder."""
    chance = random.Random(20261121)
    killed = 0
    for _ in range(8):
        before = state(published)
        process = _start(published, server)
        time.sleep(chance.uniform(0.3, 2.5))
        process.kill()
        killed += _end(process, published).status == -signal.SIGKILL
        _old_or_new(published, before)
    assert killed >= 4
    assert crawl(server.base_url, expect=0).manifest()["promoted"]
    assert_whole(published / "latest")
    _history_is_sane(published)


@pytest.mark.parametrize("interrupt", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_interrupted_crawl_is_bad_and_publishes_nothing(
    interrupt: signal.Signals, published: Path, server: ReplicaServer
) -> None:
    before = state(published)
    process = _start(published, server, *SLOW)
    wait_until(lambda: len(server.requests) > 4, process)
    process.send_signal(interrupt)
    failure = _end(process, published).failed("cut_short")
    assert (failure["message"], failure["found"]) == ("the crawl ended before it was done", "«shutdown»")
    assert state(published) == before
    assert len(server.requests) < 30


def test_second_ctrl_c_ends_it_at_once(published: Path, server: ReplicaServer) -> None:
    before = state(published)
    process = _start(published, server, *SLOW)
    wait_until(lambda: len(server.requests) > 4, process)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    ended = _end(process, published)
    assert ended.status == 1
    assert ended.manifest()["verdict"] == "bad"
    assert "Traceback" not in ended.errors
    assert state(published) == before


def test_second_crawl_at_once_is_refused(published: Path, server: ReplicaServer, crawl: Callable[..., Ended]) -> None:
    before = state(published)
    first = _start(published, server, *SLOW)
    wait_until(lambda: len(server.requests) > 2, first)
    running = newest_run(published).name
    refused = crawl(server.base_url)
    refused.refused(
        "run_in_progress", f"another run holds {published}", f"process {first.pid}, run {running}", status=1
    )
    assert "wait for it to end" in refused.errors
    assert newest_run(published).name == running
    assert state(published) == before
    os.kill(first.pid, signal.SIGKILL)
    assert _end(first, published).status == -signal.SIGKILL
    assert crawl(server.base_url, expect=0).manifest()["promoted"]  # the lock went with its process
