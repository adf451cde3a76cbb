"""Wall time, CPU time and peak memory of whole processes, as the operating system accounts for them.

A process's peak memory can never be below that of the process that started it (Linux counts the memory
shared until ``exec``), so each command is started by this file run as a script of its own, which imports
nothing but a few modules of the standard library. CPU time is that of a process and all it has waited for; memory
is added up over a process and all it has started, pages that they share counted each time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LOG_LINES_SHOWN = 15
_INTERVAL = 0.05  # seconds between two looks at the memory


class ProcessFailed(Exception):
    """A measured process ended with another exit status than 0."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One finished process, with all it started."""

    wall_s: float
    cpu_s: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Spread:
    """One figure over several runs."""

    median: float
    minimum: float
    maximum: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(round(median(values), 3), round(min(values), 3), round(max(values), 3))

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.minimum:.2f}–{self.maximum:.2f})"


def measure(command: Sequence[str], *, folder: Path, environment: Mapping[str, str], log: Path) -> Measured:
    """Run a command to its end in a folder; raises ProcessFailed, with the end of its log, unless it exits 0."""
    result = log.with_suffix(".measured.json")
    starter = [sys.executable, "-I", "-S", __file__, str(result), *command]
    with log.open("wb") as out:
        subprocess.run(starter, cwd=folder, env=environment, stdout=out, stderr=subprocess.STDOUT, check=True)
    figures = json.loads(result.read_text(encoding="utf-8"))
    if status := figures.pop("status"):
        end = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES_SHOWN:])
        raise ProcessFailed(f"exit status {status}: {' '.join(command)}\n{end}")
    return Measured(**figures)


def _run_and_report(result: str, *command: str) -> None:
    started = time.perf_counter()
    process = os.posix_spawn(command[0], command, os.environ)
    ended = threading.Event()
    with ThreadPoolExecutor(1) as watcher:
        together = watcher.submit(_watch, process, ended)
        _, status, usage = os.wait4(process, 0)
        wall = time.perf_counter() - started
        ended.set()
    alone = usage.ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)
    figures = {
        "status": os.waitstatus_to_exitcode(status),
        "wall_s": wall,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_mb": max(alone, together.result()),
    }
    Path(result).write_text(json.dumps(figures), encoding="utf-8")


def _watch(process: int, ended: threading.Event) -> float:
    """The most memory that a process and all it has started held at one moment, in MB; 0 without /proc."""
    most = 0.0
    while not ended.wait(_INTERVAL):
        most = max(most, sum(map(_resident_mb, _family(process))))
    return most


def _family(process: int) -> list[int]:
    found = [process]
    for parent in found:
        with suppress(OSError):  # it has ended since
            for children in Path(f"/proc/{parent}/task").glob("*/children"):
                found += map(int, children.read_text(encoding="ascii").split())
    return found


def _resident_mb(process: int) -> float:
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024


if __name__ == "__main__":
    _run_and_report(*sys.argv[1:])
