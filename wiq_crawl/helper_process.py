"""What a helper process runs: calls come on standard input, answers leave on standard output, in the same order.

Both are pickles, each behind its length; only ``wiq_crawl.helper`` talks to it. It ends where its input ends, and
the input ends with the process that wrote it, however that one came to its end.
"""

from __future__ import annotations

import os
import pickle
import signal
import struct
import sys
import traceback
from typing import IO

from schemas.errors import RunError

LENGTH = struct.Struct("<Q")


def main() -> None:
    """Answer calls until there are no more."""
    # An interrupt from the keyboard or a service manager reaches every process: the one that calls decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    calls = sys.stdin.buffer
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever prints cannot garble an answer
        try:
            while call := _read(calls):
                answer = _answer(call)
                answers.write(LENGTH.pack(len(answer)))
                answers.write(answer)
                answers.flush()
        except BrokenPipeError:  # nobody is left to answer to
            os._exit(0)


def _read(calls: IO[bytes]) -> bytes | None:
    """The next call, or None where the caller is gone, were it half way through one."""
    header = calls.read(LENGTH.size)
    if len(header) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(header)
    call = calls.read(length)
    return call if len(call) == length else None


def _answer(call: bytes) -> bytes:
    """The pickle of (result, None, ""), or of (None, error, its traceback)."""
    try:
        function, arguments, named = pickle.loads(call)  # noqa: S301 (from the process that started this one)
        return pickle.dumps((function(*arguments, **named), None, ""), pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # noqa: BLE001 (it is raised where the call was made)
        story = traceback.format_exc()
        try:
            answer = pickle.dumps((None, error, story))
            pickle.loads(answer)  # noqa: S301 (an error may be made of less than it takes to make it again)
        except Exception:  # noqa: BLE001
            return pickle.dumps((None, RunError(f"{type(error).__name__}: {error}"), story))
        return answer


if __name__ == "__main__":
    main()
