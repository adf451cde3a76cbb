"""Killed at any moment (SIGKILL), the work goes on where it was: no shard is sent twice, no answer lost or doubled."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from batch_jobs import FAST, assert_whole, plan, run, small_shards, states

from imputer.standin.openai import OpenAIFaults, OpenAIStandIn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KILLER = Path(__file__).with_name("batch_killer.py")
# The processes use this folder's modules, too.
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[2])])}
COUNT = 4
# More than the work on two shards takes.
MOST_STATEMENTS = 80


@contextmanager
def killer(service: OpenAIStandIn) -> Iterator[Callable[[Path, int], tuple[bool, int]]]:
    command = [sys.executable, str(KILLER), service.base_url, service.key]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as process:
        assert process.stdin
        assert process.stdout

        def kill(folder: Path, number: int) -> tuple[bool, int]:
            assert process.stdin
            assert process.stdout
            process.stdin.write(f"{folder} {number}\n")
            process.stdin.flush()
            killed, ended = process.stdout.readline().split()
            return killed == "1", int(ended)

        yield kill
        process.stdin.close()


def test_killed_before_every_statement_of_the_ledger(tmp_path: Path) -> None:
    kills = 0
    with OpenAIStandIn(seconds=0.02) as service, killer(service) as kill:
        for number in range(1, MOST_STATEMENTS):
            folder = tmp_path / str(number)
            plan(folder, COUNT, small_shards(2))
            killed, ended = kill(folder, number)
            assert ended == 0, number
            assert_whole(folder, service, COUNT)
            assert states(folder) == {"ANSWERED": COUNT}
            kills += killed
            if not killed:
                break
    assert kills >= 10, kills
    assert kills < MOST_STATEMENTS - 1, "the sweep ended before the work did"


# A call and how many of its kind the work makes for two shards.
CALLS = [("POST", "/v1/files", 2), ("POST", "/v1/batches", 2), ("GET", "/v1/files/", 2)]
WORK = """
import sys
from pathlib import Path
from batch_jobs import FAST
from imputer.batch.engine import work
from imputer.batch.ledger import Ledger
from imputer.batch.service import Access, Service
with Ledger(Path(sys.argv[1])) as ledger, Service(Access(sys.argv[3], sys.argv[2], backoff=0.01)) as service:
    sys.exit(0 if work(ledger, service, FAST).done else 1)
"""


@pytest.mark.parametrize("answered", [False, True], ids=["while it is under way", "when it was done"])
@pytest.mark.parametrize(("method", "path", "number"), CALLS)
def test_killed_inside_a_call(method: str, path: str, number: int, *, answered: bool, tmp_path: Path) -> None:
    plan(tmp_path, COUNT, small_shards(2))
    # The service waits before it does anything: the client dies before or after that.
    with OpenAIStandIn(seconds=0.02, faults=OpenAIFaults(slow=0.15)) as service:
        command = [sys.executable, "-c", WORK, str(tmp_path), service.base_url, service.key]

        def done() -> int:
            return sum(one.method == method and one.path.startswith(path) for one in service.requests)

        with subprocess.Popen(command, env=ENVIRONMENT) as process:
            while done() < number - (not answered) and process.poll() is None:
                time.sleep(0.002)
            if not answered:
                time.sleep(0.05)
            process.kill()
        service.faults = OpenAIFaults()
        time.sleep(FAST.settle)
        assert subprocess.run(command, env=ENVIRONMENT, check=False).returncode == 0
        assert_whole(tmp_path, service, COUNT)
    assert states(tmp_path) == {"ANSWERED": COUNT}


def test_a_plan_that_was_killed_leaves_nothing_that_is_sent(tmp_path: Path) -> None:
    script = """
import os, signal, sys
from pathlib import Path
from batch_jobs import FAST, PRICE, questions
from imputer.batch.ledger import Ledger
from imputer.batch.shards import write_job
def dying():
    yield from questions(6000)
    os.kill(os.getpid(), signal.SIGKILL)
with Ledger(Path(sys.argv[1])) as ledger:
    write_job(ledger, dying(), FAST, PRICE)
"""
    assert subprocess.run([sys.executable, "-c", script, str(tmp_path)], env=ENVIRONMENT, check=False).returncode < 0
    assert states(tmp_path) == {}
    assert plan(tmp_path, COUNT).requests == COUNT
    with OpenAIStandIn() as service:
        assert run(tmp_path, service).done
        assert_whole(tmp_path, service, COUNT)
