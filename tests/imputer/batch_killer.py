"""A process that is killed (SIGKILL, by itself) before the n-th statement of the ledger, then started again.

Run as a script: ``batch_killer.py ADDRESS KEY``; each line of standard input is a folder and a number n. The work in
the folder is begun by a forked process that kills itself before its n-th statement, then ended by another. Answers
with one line: whether the first was killed, and how the second ended.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from batch_jobs import FAST

from imputer.batch.engine import work
from imputer.batch.ledger import Ledger
from imputer.batch.service import Access, Service


def main() -> None:
    access = Access(sys.argv[2], sys.argv[1], backoff=0.01)
    for line in sys.stdin:
        folder, number = line.split()
        killed = _forked(access, Path(folder), int(number))
        ended = _forked(access, Path(folder), 0)
        sys.stdout.write(f"{int(killed == -signal.SIGKILL)} {ended}\n")
        sys.stdout.flush()


def _forked(access: Access, folder: Path, number: int) -> int:
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 1
    try:
        with Ledger(folder) as ledger, Service(access) as service:
            if number:
                ledger.connection.set_trace_callback(_Countdown(number))
            status = 0 if work(ledger, service, FAST).done else 1
    finally:
        os._exit(status)


class _Countdown:
    """Kills the process before the statement whose turn it is; reading ones do not count."""

    def __init__(self, number: int) -> None:
        self._left = number

    def __call__(self, statement: str) -> None:
        if statement.startswith("SELECT"):
            return
        self._left -= 1
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
