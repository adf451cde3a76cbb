"""Run folders, one per crawl, and ``latest``, the link to the last good one.

::

    output/<program>/
        .lock           held by the run in progress; names its process and run
        latest          link to runs/<id> of the last promoted run
        history.jsonl   what changed between promoted runs (history)
        runs/<id>/      tables, archive, changes.jsonl, and last run.json

What must never be seen half done is made beside it as ``.<name>.tmp`` and renamed: a process killed at any
moment leaves the old one.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import orjson

from schemas.errors import Incomplete, OutputUnwritable, RunInProgress

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LATEST = "latest"
MANIFEST = "run.json"
RUNS = "runs"
GOOD = "good"

_NOT_A_FOLDER = {errno.ENOTDIR, errno.EEXIST}
_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def output_unwritable(path: Path, error: OSError) -> OutputUnwritable:
    """Make the one clear error for a write that the system refused at ``path``."""
    # The system's own words are clear but for these two («File exists»).
    reason = "not a folder" if error.errno in _NOT_A_FOLDER else error.strerror or str(error)
    remedy = "free some space" if error.errno in _SPACE else "set WIQ_OUTPUT to a folder that can be written"
    return OutputUnwritable(f"cannot write {path}: {reason}", next_step=remedy)


def write_atomically(path: Path, chunks: Iterable[bytes]) -> None:
    """Replace ``path`` by ``chunks`` in one step, on disk before and after.

    Raises OutputUnwritable, and then leaves the old file as it was.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("wb") as file:
            file.writelines(chunks)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync(path.parent)
    except OSError as error:
        raise output_unwritable(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


class Run:
    """A run in progress: its folder, and the lock on its program until ``close``.

    ``run_id`` is the UTC start, ``YYYYMMDDTHHMMSSZ``, and ``-2``, ``-3``… where taken; ``folder`` is its own,
    ``root`` the program's; ``previous`` is the folder of the last good run, None before the first.
    """

    def __init__(self, root: Path, moment: datetime) -> None:
        """Take the lock, then make the folder; ``open_run`` names what it raises."""
        self.root = root.absolute()
        self._lock: int | None = None
        try:
            (self.root / RUNS).mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self.root / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
            _hold(self._lock, self.root)
            self.previous = latest_run(self.root)
            self.run_id = _free_name(self.root / RUNS, moment.strftime("%Y%m%dT%H%M%SZ"))
            self.folder = self.root / RUNS / self.run_id
            # Noted first: a full disk shows here, before a folder is made.
            note = f"process {os.getpid()}, run {self.run_id}\n".encode()
            os.pwrite(self._lock, note, 0)
            os.ftruncate(self._lock, len(note))
            self.folder.mkdir()
            for pattern in (".*.tmp", f"{RUNS}/*/.*.tmp"):
                for leftover in self.root.glob(pattern):
                    leftover.unlink(missing_ok=True)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        """Return the run itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Release the lock, whatever happened."""
        self.close()

    def close(self) -> None:
        """Release the lock; a second call does nothing."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Write ``run.json``, keys in the order given. Raises OutputUnwritable."""
        text = orjson.dumps(dict(manifest), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        write_atomically(self.folder / MANIFEST, [text])

    def promote(self) -> None:
        """Point ``latest`` at this run; a second call does nothing.

        Raises Incomplete where ``run.json`` is missing, its verdict is not good or its ``previous`` is not
        the run that ``latest`` names (the chain of good runs would lose a link); OutputUnwritable.
        """
        if self._lock is None:
            message = f"run {self.run_id} is closed: promote it before its lock is released"
            raise ValueError(message)
        manifest = read_manifest(self.folder)
        latest = latest_run(self.root)
        if latest == self.folder.resolve():
            return
        _refuse(self.run_id, "verdict", expected=GOOD, found=manifest.get("verdict"))
        _refuse(self.run_id, "previous", latest.name if latest else None, manifest.get("previous"))
        temporary = self.root / f".{LATEST}.tmp"
        try:
            # A link on disk must not lead to tables that a power cut can still empty.
            for path in (*self.folder.rglob("*"), self.folder, self.folder.parent):
                _sync(path)
            temporary.symlink_to(Path(RUNS) / self.run_id)
            temporary.replace(self.root / LATEST)
            _sync(self.root)
        except OSError as error:
            raise output_unwritable(self.root / LATEST, error) from error


def open_run(output: Path, program: str, moment: datetime | None = None) -> Run:
    """Open a new run in ``output/<program>``; use it in a ``with`` or ``close`` it.

    ``moment`` (default: now) names the run, in UTC. Raises RunInProgress where another process holds the
    program's folder, OutputUnwritable where it cannot be written, Incomplete where ``latest`` leads nowhere.
    """
    try:
        return Run(output / program, (moment or datetime.now(UTC)).astimezone(UTC))
    except OSError as error:
        raise output_unwritable(output / program, error) from error


def latest_run(root: Path) -> Path | None:
    """Find the folder ``latest`` leads to, resolved; None before the first good run.

    Raises Incomplete where that folder is gone, OutputUnwritable where ``latest`` is not a link.
    """
    link = root / LATEST
    if not link.is_symlink():
        if link.exists():
            message = f"{link} is not a link"
            raise OutputUnwritable(message, next_step="move it away: the next good run makes it")
        return None
    folder = link.resolve()
    if not folder.is_dir():
        message = f"{link} leads to {folder}, which is not there"
        raise Incomplete(message, next_step="restore that folder, or remove the link to begin a new history")
    return folder


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read the ``run.json`` of a run; raises Incomplete where it is missing or not a JSON object."""
    path = folder / MANIFEST
    try:
        manifest = orjson.loads(path.read_bytes())
    except FileNotFoundError as error:
        message = f"run {folder.name} did not end: {path} is not there"
        raise Incomplete(message) from error
    except (OSError, orjson.JSONDecodeError) as error:
        message = f"{path} cannot be read: {error}"
        raise Incomplete(message) from error
    if not isinstance(manifest, dict):
        message = f"{path} cannot be read"
        raise Incomplete(message, expected="a JSON object", found=type(manifest).__name__)
    return manifest


def good_runs(root: Path) -> list[Path]:
    """List the folders of the promoted good runs, newest first: ``latest``, its ``previous`` and so on.

    Stops at the first run whose folder is gone. Raises Incomplete where a run on the way cannot be read.
    """
    found: list[Path] = []
    folder = latest_run(root)
    while folder is not None and folder.is_dir() and folder not in found:
        manifest = read_manifest(folder)
        _refuse(folder.name, "verdict", expected=GOOD, found=manifest.get("verdict"))
        found.append(folder)
        previous = manifest.get("previous")
        folder = (root / RUNS / Path(previous).name).resolve() if previous else None
    return found


def describe_artifacts(folder: Path) -> list[dict[str, Any]]:
    """List every file of a run but ``run.json``: path in the run, bytes, sha256; sorted by path."""
    described = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / MANIFEST):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        name = path.relative_to(folder).as_posix()
        described.append({"path": name, "bytes": path.stat().st_size, "sha256": digest})
    return described


def _hold(lock: int, root: Path) -> None:
    try:
        # The kernel drops the lock with the process, killed or not; the file itself stays.
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(lock, 200, 0).partition(b"\n")[0].decode(errors="replace") or "process unknown"
        message = f"another run holds {root}: {holder}"
        raise RunInProgress(message, next_step="wait for it to end, or stop that process") from error


def _free_name(runs: Path, stamp: str) -> str:
    later = (f"{stamp}-{number}" for number in count(2))
    return next(name for name in chain([stamp], later) if not (runs / name).exists())


def _refuse(run_id: str, field: str, expected: str | None, found: object) -> None:
    if found != expected:
        message = f"run {run_id} cannot count as a promoted good run: its {field} is wrong"
        raise Incomplete(message, expected=str(expected), found=str(found))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
