"""A process beside the crawl's own that calls functions for it, several waiting in line, without threads.

Not ``concurrent.futures``: its workers import the main module again, which is all of Scrapy, and outlive a parent
that is killed.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import pickle
import signal
import subprocess
import sys
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ParamSpec, TypeVar

from wiq_crawl.errors import CrawlError
from wiq_crawl.helper_process import LENGTH

if TYPE_CHECKING:
    from collections.abc import Callable

_PROJECT = Path(__file__).parents[1]
_PIPE_BYTES = 1 << 20  # room for a few pages each way, so that neither process waits for the other to look
_CHUNK = 1 << 18
_PATIENCE = 10.0  # seconds to end in after the last call

_P = ParamSpec("_P")
_R = TypeVar("_R")


class HelperTraceback(Exception):
    """The traceback of an error in a helper, as the cause of the error raised here."""


class Helper:
    """One process; dies with this one."""

    def __init__(self) -> None:
        path = os.pathsep.join(filter(None, [str(_PROJECT), os.environ.get("PYTHONPATH")]))
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "wiq_crawl.helper_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env={**os.environ, "PYTHONPATH": path},
        )
        self._to, self._from = _prepared(self.process.stdin), _prepared(self.process.stdout)
        self._outgoing, self._incoming = bytearray(), bytearray()
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._ended: CrawlError | None = None

    def waiting(self) -> int:
        """Calls that have no answer yet; the loop may not have come round to looking for some time."""
        if self._waiting:
            self._receive()
        return len(self._waiting)

    async def call(self, function: Callable[_P, _R], /, *arguments: _P.args, **named: _P.kwargs) -> _R:
        """Call a function in the process; raises what it raises, CrawlError where the process has ended."""
        if self._ended is not None:
            raise self._ended
        loop = asyncio.get_running_loop()
        call = pickle.dumps((function, arguments, named), pickle.HIGHEST_PROTOCOL)
        self._outgoing += LENGTH.pack(len(call))
        self._outgoing += call
        result: asyncio.Future[_R] = loop.create_future()
        self._waiting.append(result)
        loop.add_reader(self._from, self._receive)
        self._send()
        return await result

    def close(self) -> None:
        """Let the process end; calls that have no answer yet get none."""
        self._forget()
        for waiting in self._waiting:
            waiting.cancel()
        self._waiting.clear()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
        self._reap()

    def _send(self) -> None:
        """Write what the pipe takes now, and the rest when it takes more."""
        loop = asyncio.get_running_loop()
        try:
            with suppress(BlockingIOError):
                while self._outgoing:
                    del self._outgoing[: os.write(self._to, self._outgoing)]
        except BrokenPipeError:
            self._outgoing.clear()  # that it has ended is seen where its answers come from
        if self._outgoing:
            loop.add_writer(self._to, self._send)
        else:
            loop.remove_writer(self._to)

    def _receive(self) -> None:
        """Read what has come, and hand out the answers that are whole."""
        with suppress(BlockingIOError):
            while received := os.read(self._from, _CHUNK):
                self._incoming += received
            self._end()
            return
        while len(self._incoming) >= LENGTH.size:
            (length,) = LENGTH.unpack_from(self._incoming)
            end = LENGTH.size + length
            if len(self._incoming) < end:
                break
            with memoryview(self._incoming) as view, view[LENGTH.size : end] as answer:
                result, error, story = pickle.loads(answer)  # noqa: S301 (from the process started above)
            del self._incoming[:end]
            _settle(self._waiting.popleft(), result, error, story)
        if not self._waiting:
            asyncio.get_running_loop().remove_reader(self._from)

    def _end(self) -> None:
        """The process has ended before its time: every call fails, those to come included."""
        self._forget()
        status = self._reap()
        self._ended = CrawlError(
            "the process that reads pages has ended",
            "a process that lives as long as the crawl",
            signal.Signals(-status).name if status < 0 else f"exit status {status}",
            next_step="look whether memory ran out; WIQ_READERS=0 reads pages without such a process",
        )
        while self._waiting:
            _settle(self._waiting.popleft(), None, self._ended, "")

    def _forget(self) -> None:
        """No longer look at the pipes."""
        with suppress(RuntimeError):  # there is no loop any more
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._from)
            loop.remove_writer(self._to)

    def _reap(self) -> int:
        try:
            return self.process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def _prepared(pipe: IO[bytes] | None) -> int:
    """A pipe's file descriptor, never blocking, and with more room where the system gives it (Linux)."""
    assert pipe is not None
    descriptor = pipe.fileno()
    os.set_blocking(descriptor, False)
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    return descriptor


def _settle(waiting: asyncio.Future[Any], result: object, error: Exception | None, story: str) -> None:
    if waiting.done():  # cancelled: the crawl is shutting down
        return
    if error is None:
        waiting.set_result(result)
    else:
        if story:
            error.__cause__ = HelperTraceback(f"\n{story}")
        waiting.set_exception(error)
