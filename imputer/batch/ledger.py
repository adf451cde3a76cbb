"""What is known to have happened: jobs, shards and requests in SQLite, written before and after every call.

A shard goes through these states; the ones that end in -ING are intents, written before the call they name::

    WRITTEN ─► UPLOADING ─► UPLOADED ─► CREATING ─► SUBMITTED ─► COLLECTED
       ▲  ▲________│           ▲___________│            │
       └────────────────────────────────────────────────┘  a batch that the provider refused to queue
    WRITTEN, UPLOADED ─► SUBMITTED   a batch that a copy of this ledger sent already
    EXPORTED ─► COLLECTED            run by another program
    CANCELLED                        given up by the user before it was sent, or unknown to the provider

A request is ASKED until something goes wrong with it: RETRY (to be sent again), FAILED or CANCELLED. One that is still
ASKED when its shard is COLLECTED is answered; the view ``request_states`` says OPEN or ANSWERED for it. So a million
good answers change not one row.

Readers (``exclusive`` false) open the file for reading alone, make nothing, and see an empty ledger where there is
none.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Self

from schemas.errors import Incomplete, OutputUnwritable, RunInProgress
from schemas.runs import output_unwritable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    from schemas.errors import RunError

FOLDER = "batch"
NAME = "ledger.sqlite"
VERSION = 1
#: The reason of a shard that its user cancelled: what it did not answer is not sent again.
STOPPED = "cancelled by the user"
#: States of a shard that waits to be made a batch; an uploaded file holds nothing of the provider's queue.
UNSENT = ("WRITTEN", "UPLOADED")
#: States of a shard that hold tokens of the provider's queue, or may.
IN_FLIGHT = ("UPLOADING", "CREATING", "SUBMITTED")
#: States of a shard whose requests may still be answered.
UNFINISHED = (*UNSENT, *IN_FLIGHT, "EXPORTED")

#: A request as it is kept: key, contract, entity type, entity, and what the answer rests on (JSON) or None.
Request = tuple[str, int, str, str, str | None]

_CACHE_KB = 8_192
_PATIENCE = 30.0  # seconds that SQLite waits for a lock
# Parts of SQLite's messages about what the system refused.
_UNWRITABLE = ("readonly", "unable to open", "disk is full", "disk I/O")
_TABLES = """
CREATE TABLE IF NOT EXISTS jobs (
    job_id TEXT PRIMARY KEY, purpose TEXT NOT NULL, created_at TEXT NOT NULL, run_id TEXT, model TEXT NOT NULL,
    endpoint TEXT NOT NULL, price_input REAL NOT NULL, price_output REAL NOT NULL, price_as_of TEXT NOT NULL,
    address TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS contracts (
    contract_id INTEGER PRIMARY KEY, contract_key TEXT NOT NULL UNIQUE, content TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS shards (
    shard_id INTEGER PRIMARY KEY, job_id TEXT NOT NULL REFERENCES jobs, number INTEGER NOT NULL,
    round INTEGER NOT NULL, path TEXT NOT NULL, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL,
    requests INTEGER NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
    state TEXT NOT NULL, attempt INTEGER NOT NULL DEFAULT 0, intent_at REAL NOT NULL DEFAULT 0,
    not_before REAL NOT NULL DEFAULT 0, file_id TEXT, batch_id TEXT, status TEXT, lines_done INTEGER NOT NULL DEFAULT 0,
    output_file_id TEXT, error_file_id TEXT, ended_at REAL, submitted_at REAL, reason TEXT,
    used_input INTEGER NOT NULL DEFAULT 0, used_output INTEGER NOT NULL DEFAULT 0,
    answered INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0, missing INTEGER NOT NULL DEFAULT 0,
    odd_lines INTEGER NOT NULL DEFAULT 0, UNIQUE (job_id, number)
) STRICT;
CREATE TABLE IF NOT EXISTS requests (
    custom_id TEXT NOT NULL UNIQUE, contract_id INTEGER NOT NULL REFERENCES contracts, entity_type TEXT NOT NULL,
    entity_id TEXT NOT NULL, shard_id INTEGER NOT NULL REFERENCES shards, state TEXT NOT NULL,
    attempts INTEGER NOT NULL, reason TEXT, rests_on TEXT, subject TEXT NOT NULL,
    PRIMARY KEY (shard_id, custom_id)
) STRICT, WITHOUT ROWID;
CREATE VIEW IF NOT EXISTS request_states AS
SELECT custom_id, contract_id, entity_type, entity_id, shard_id, job_id, attempts, requests.reason,
    CASE WHEN requests.state <> 'ASKED' THEN requests.state WHEN shards.state = 'COLLECTED' THEN 'ANSWERED'
        ELSE 'OPEN' END AS state
FROM requests JOIN shards USING (shard_id);
CREATE TABLE IF NOT EXISTS refused_cells (
    custom_id TEXT NOT NULL, cell TEXT NOT NULL, shard_id INTEGER NOT NULL, reason TEXT NOT NULL,
    PRIMARY KEY (custom_id, cell, shard_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS notes (moment TEXT NOT NULL, job_id TEXT, shard INTEGER, note TEXT NOT NULL) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Job:
    """One plan: questions of one purpose to one model. Prices in USD per million tokens.

    ``address`` is where its files were sent (host and path), None before the first.
    """

    job_id: str
    purpose: str
    created_at: str
    run_id: str | None
    model: str
    endpoint: str
    price_input: float
    price_output: float
    price_as_of: str
    address: str | None

    def cost(self, input_tokens: int, output_tokens: int) -> float:
        """USD for so many tokens in and out."""
        return (input_tokens * self.price_input + output_tokens * self.price_output) / 1_000_000


@dataclass(frozen=True, slots=True)
class Shard:
    """One request file. ``output_tokens`` is the most that its answers may have; moments are seconds since 1970.

    ``round`` counts how often its requests were sent before, ``attempt`` how often this file was submitted;
    ``ended_at`` is when its batch was first seen to have ended, ``not_before`` when it may be tried again.
    """

    shard_id: int
    job_id: str
    number: int
    round: int
    path: str
    sha256: str
    bytes: int
    requests: int
    input_tokens: int
    output_tokens: int
    state: str
    attempt: int
    intent_at: float
    not_before: float
    file_id: str | None
    batch_id: str | None
    status: str | None
    lines_done: int
    output_file_id: str | None
    error_file_id: str | None
    ended_at: float | None
    submitted_at: float | None
    reason: str | None
    used_input: int
    used_output: int
    answered: int
    failed: int
    missing: int
    odd_lines: int

    @property
    def identity(self) -> tuple[str, str, str]:
        """What is the same for every batch of this file, whoever sent it: job, number, digest."""
        return (self.job_id, str(self.number), self.sha256)

    @property
    def metadata(self) -> dict[str, str]:
        """What a batch of this shard carries, so that it can be found again."""
        return {
            "program": "wiq",
            "job": self.job_id,
            "shard": str(self.number),
            "sha256": self.sha256,
            "attempt": str(self.attempt),
        }

    @property
    def filename(self) -> str:
        """The name under which this shard's file is uploaded, so that it can be found again."""
        return f"wiq-{self.job_id}-{self.number:05d}-{self.attempt}-{self.sha256[:16]}.jsonl"


_SHARD_COLUMNS = ", ".join(field.name for field in fields(Shard))
_JOB_COLUMNS = ", ".join(field.name for field in fields(Job))


class Ledger:
    """The ledger below ``root`` (``output/wiq``); use it in a ``with``.

    ``exclusive`` holds the lock on the folder: one process at a time submits, collects or plans. Raises
    RunInProgress where another holds it, OutputUnwritable where it cannot be written, Incomplete for a file that is no
    ledger or a later version's; errors of SQLite that show later become these when the ``with`` is left.
    """

    def __init__(self, root: Path, *, exclusive: bool = True) -> None:
        self.folder = root / FOLDER
        self._lock: int | None = None
        path = self.folder / NAME
        try:
            if exclusive:
                self.folder.mkdir(parents=True, exist_ok=True)
                self._lock = _hold(self.folder)
            self.connection = _open_writing(path) if exclusive else _open_reading(path)
        except OSError as error:
            raise output_unwritable(self.folder, error) from error
        except sqlite3.Error as error:
            self._release()
            raise _told(path, error) from error
        try:
            self._agree(path, exclusive=exclusive)
        except sqlite3.Error as error:
            self.close()
            raise _told(path, error) from error
        except BaseException:
            self.close()
            raise

    def _agree(self, path: Path, *, exclusive: bool) -> None:
        """Make the tables where there are none, refuse those of a later version."""
        self.connection.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
        found = self.connection.execute("PRAGMA user_version").fetchone()[0]
        if found > VERSION:
            raise Incomplete(f"{path} is of a later version", str(VERSION), str(found))
        if found < VERSION:
            if not exclusive:  # its writer died, or is about to make it
                self.connection.close()
                self.connection = sqlite3.connect(":memory:", isolation_level=None)
            self.connection.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {VERSION}; COMMIT;")

    def __enter__(self) -> Self:
        """Return the ledger itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it and release the lock. Raises Incomplete, OutputUnwritable or RunInProgress for errors of SQLite."""
        self.close()
        if error and type(error) in (
            sqlite3.DatabaseError,
            sqlite3.OperationalError,
        ):  # the others are defects of the program
            raise _told(self.folder / NAME, error) from error

    def close(self) -> None:
        """Close the file and release the lock."""
        self.connection.close()
        self._release()

    def _release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing; on disk when it is left."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield self.connection
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def jobs(self) -> list[Job]:
        """All jobs, oldest first."""
        return [Job(*row) for row in self.connection.execute(f"SELECT {_JOB_COLUMNS} FROM jobs ORDER BY job_id")]

    def job(self, job_id: str) -> Job:
        """One job. Raises Incomplete where there is none of that name."""
        row = self.connection.execute(f"SELECT {_JOB_COLUMNS} FROM jobs WHERE job_id = ?", [job_id]).fetchone()
        if row is None:
            known = ", ".join(job.job_id for job in self.jobs()) or "none"
            raise Incomplete("there is no such batch job", f"one of: {known}", job_id)
        return Job(*row)

    def set_address(self, job_id: str, address: str) -> None:
        """Keep where a job's files are sent; on disk when this returns."""
        self.connection.execute("UPDATE jobs SET address = ? WHERE job_id = ?", [address, job_id])

    def unfinished_jobs(self) -> frozenset[str]:
        """Names of the jobs with shards unsent or under way, or requests to be sent again."""
        states = (*UNSENT, *IN_FLIGHT)
        rows = self.connection.execute(
            f"SELECT job_id FROM shards WHERE state IN ({', '.join('?' * len(states))}) "
            "UNION SELECT job_id FROM requests JOIN shards USING (shard_id) WHERE requests.state = 'RETRY'",
            states,
        )
        return frozenset(row[0] for row in rows)

    def shards(self, *states: str, job_id: str | None = None, purpose: str | None = None) -> list[Shard]:
        """Shards in these states (all where none is named), of one job or purpose or of all, in order of writing."""
        chosen = f"state IN ({', '.join('?' * len(states))})" if states else "true"
        query = (
            f"SELECT {_SHARD_COLUMNS} FROM shards WHERE {chosen} AND (? IS NULL OR job_id = ?) "
            "AND (? IS NULL OR job_id IN (SELECT job_id FROM jobs WHERE purpose = ?)) ORDER BY shard_id"
        )
        return [Shard(*row) for row in self.connection.execute(query, [*states, job_id, job_id, purpose, purpose])]

    def shard(self, shard_id: int) -> Shard:
        """One shard as it is now."""
        row = self.connection.execute(f"SELECT {_SHARD_COLUMNS} FROM shards WHERE shard_id = ?", [shard_id]).fetchone()
        return Shard(*row)

    def change(self, shard: Shard, **values: Any) -> Shard:  # noqa: ANN401 (columns of several types)
        """Set columns of a shard; on disk when this returns. Returns it as it is then."""
        columns = ", ".join(f"{name} = ?" for name in values)
        self.connection.execute(f"UPDATE shards SET {columns} WHERE shard_id = ?", [*values.values(), shard.shard_id])
        return self.shard(shard.shard_id)

    def note(self, moment: str, shard: Shard | None, text: str) -> None:
        """Keep a sentence about something odd, for whoever asks later."""
        values = [moment, shard.job_id if shard else None, shard.number if shard else None, text]
        self.connection.execute("INSERT INTO notes VALUES (?, ?, ?, ?)", values)

    def notes(self) -> list[str]:
        """What was noted, oldest first."""
        return [f"{moment} {note}" for moment, note in self.connection.execute("SELECT moment, note FROM notes")]

    def contract_id(self, key: str, content: str) -> int:
        """The number of a contract, kept from now on."""
        self.connection.execute("INSERT OR IGNORE INTO contracts (contract_key, content) VALUES (?, ?)", [key, content])
        row = self.connection.execute("SELECT contract_id FROM contracts WHERE contract_key = ?", [key]).fetchone()
        return int(row[0])

    def contract(self, contract_id: int) -> str:
        """What ``Contract.from_json`` reads."""
        row = self.connection.execute("SELECT content FROM contracts WHERE contract_id = ?", [contract_id]).fetchone()
        return str(row[0])

    def next_number(self, job_id: str) -> int:
        """The number of the next shard of a job, from 1."""
        row = self.connection.execute("SELECT coalesce(max(number), 0) + 1 FROM shards WHERE job_id = ?", [job_id])
        return int(row.fetchone()[0])

    def begin_shard(self, job_id: str, number: int, round_: int, path: str) -> int:
        """Enter a shard that is being written; returns its id."""
        cursor = self.connection.execute(
            "INSERT INTO shards (job_id, number, round, path, sha256, bytes, requests, input_tokens, output_tokens, "
            "state) VALUES (?, ?, ?, ?, '', 0, 0, 0, 0, 'WRITTEN')",
            [job_id, number, round_, path],
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def finish_shard(self, shard_id: int, sha256: str, size: int, requests: int, input_: int, output: int) -> None:
        """Enter what a shard holds: digest, bytes, requests, tokens in, most tokens out."""
        self.connection.execute(
            "UPDATE shards SET sha256 = ?, bytes = ?, requests = ?, input_tokens = ?, output_tokens = ? "
            "WHERE shard_id = ?",
            [sha256, size, requests, input_, output, shard_id],
        )

    def asked(self, shard_id: int) -> dict[str, Request]:
        """What a shard asks, by key. A request sent again is the last one's."""
        query = "SELECT custom_id, contract_id, entity_type, entity_id, rests_on FROM requests WHERE shard_id = ?"
        return {row[0]: row for row in self.connection.execute(query, [shard_id])}

    def asks(self, shard_id: int, key: str) -> bool:
        """Whether a shard asks a request."""
        query = "SELECT 1 FROM requests WHERE shard_id = ? AND custom_id = ?"
        return self.connection.execute(query, [shard_id, key]).fetchone() is not None

    def to_retry(self, job_id: str) -> dict[str, Shard]:
        """The requests of a job that are to be sent again, with the shard that sent them last."""
        shards = {shard.shard_id: shard for shard in self.shards(job_id=job_id)}
        marks = ", ".join(map(str, shards)) or "NULL"
        query = f"SELECT custom_id, shard_id FROM requests WHERE state = 'RETRY' AND shard_id IN ({marks})"
        return {key: shards[shard_id] for key, shard_id in self.connection.execute(query)}

    def known(self, keys: Sequence[str]) -> dict[str, str]:
        """State of those requests that were asked before."""
        marks = ", ".join("?" * len(keys))
        query = f"SELECT custom_id, state FROM request_states WHERE custom_id IN ({marks})"
        return dict(self.connection.execute(query, keys).fetchall())

    def add_requests(self, rows: Iterable[tuple[str, int, str, str, int, str | None, str]]) -> None:
        """Add requests: (key, contract, entity type, entity, shard, what the answer rests on, subject).

        A key that is there already is an error.
        """
        self.connection.executemany("INSERT INTO requests VALUES (?, ?, ?, ?, ?, 'ASKED', 1, NULL, ?, ?)", sorted(rows))

    def open_again(self, rows: Iterable[tuple[int, str]]) -> None:
        """Open requests that were cancelled, given up or are to be sent again: (shard, key)."""
        self.connection.executemany(
            "UPDATE requests SET shard_id = ?, attempts = CASE state WHEN 'RETRY' THEN attempts + 1 ELSE 1 END, "
            "state = 'ASKED', reason = NULL WHERE custom_id = ?",
            rows,
        )

    def has_requests(self) -> bool:
        """Whether anything was ever asked."""
        return self.connection.execute("SELECT 1 FROM requests LIMIT 1").fetchone() is not None

    def open_topics(self, purpose: str) -> set[tuple[str, str]]:
        """(entity, topic) of the questions that may still be answered."""
        rows = self.connection.execute(
            "SELECT entity_id, json_extract(content, '$.topic') FROM request_states JOIN contracts USING (contract_id) "
            "JOIN jobs USING (job_id) WHERE state IN ('OPEN', 'RETRY') AND purpose = ?",
            [purpose],
        )
        return set(rows.fetchall())

    def reasons(self, job_id: str) -> dict[str, int]:
        """How many requests of a job are in which state, for which reason."""
        rows = self.connection.execute(
            "SELECT state || coalesce(': ' || reason, ''), count(*) FROM request_states "
            "WHERE job_id = ? GROUP BY 1 ORDER BY 1",
            [job_id],
        )
        return dict(rows.fetchall())


def spent(job: Job, shards: Iterable[Shard]) -> float:
    """USD that a job has cost so far: what its answers used, by the batch prices."""
    return sum(job.cost(shard.used_input, shard.used_output) for shard in shards if shard.job_id == job.job_id)


def committed(job: Job, shards: Iterable[Shard]) -> float:
    """USD that a job's shards in flight may still cost at most."""
    return sum(
        job.cost(shard.input_tokens, shard.output_tokens)
        for shard in shards
        if shard.job_id == job.job_id and shard.state in IN_FLIGHT
    )


def _hold(folder: Path) -> int:
    lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise RunInProgress(
            f"another process works on the batches in {folder}",
            next_step="wait for it to end; «imputer batch status» shows how far it is",
        ) from None
    return lock


def _open_writing(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=_PATIENCE)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _open_reading(path: Path) -> sqlite3.Connection:
    """For reading alone, also where nothing can be written beside it; an empty one where there is none."""
    if not path.is_file():
        return sqlite3.connect(":memory:", isolation_level=None)
    connection = _try_reading(path, "mode=ro")
    beside = path.with_name(f"{path.name}-wal")
    if connection is None and not (beside.is_file() and beside.stat().st_size):
        # All of it is in the file itself, and who cannot make the files beside it cannot watch its writers either.
        connection = _try_reading(path, "immutable=1")
    if connection is None:
        raise sqlite3.OperationalError(f"unable to open {path} for reading")
    return connection


def _try_reading(path: Path, how: str) -> sqlite3.Connection | None:
    connection = None
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?{how}", uri=True, isolation_level=None, timeout=_PATIENCE
        )
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        if connection is not None:
            connection.close()
        return None
    except sqlite3.Error:
        if connection is not None:
            connection.close()
        raise
    return connection


def _told(path: Path, error: BaseException) -> RunError:
    """What an error of SQLite means for whoever runs the program."""
    reason = str(error)
    if "locked" in reason:
        return RunInProgress(f"another process works on {path}", next_step="try again when it has ended")
    if any(part in reason for part in _UNWRITABLE):
        remedy = "free some space, or use the account that owns the output folder"
        return OutputUnwritable(f"cannot use {path}: {reason}", next_step=remedy)
    return Incomplete(
        f"{path} cannot be read",
        "a ledger of batches",
        reason,
        next_step=f"bring it back from a copy, or move {path.parent} away: all is then asked, and paid, again",
    )
