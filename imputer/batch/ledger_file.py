"""The file of the ledger: its place, its tables, how it is locked and opened, and what SQLite's errors mean.

Readers open it for reading alone, make nothing, and see an empty ledger where there is none.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from typing import TYPE_CHECKING

from schemas.errors import Incomplete, OutputUnwritable, RunInProgress

if TYPE_CHECKING:
    from pathlib import Path

    from schemas.errors import RunError

FOLDER = "batch"
NAME = "ledger.sqlite"
VERSION = 1

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


def hold(folder: Path) -> int:
    """Take the lock on the folder; returns its descriptor. Raises RunInProgress where another process has it."""
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


def open_writing(path: Path) -> sqlite3.Connection:
    """To read and write, in WAL mode, every change on disk when it is made."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=_PATIENCE)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def open_reading(path: Path) -> sqlite3.Connection:
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


def sqlite_error(path: Path, error: BaseException) -> RunError:
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


def with_tables(connection: sqlite3.Connection, path: Path, *, exclusive: bool) -> sqlite3.Connection:
    """Make the tables where there are none; returns the connection to use. Raises Incomplete for a later version's."""
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found > VERSION:
        raise Incomplete(f"{path} is of a later version", str(VERSION), str(found))
    if found < VERSION:
        if not exclusive:  # its writer died, or is about to make it
            connection.close()
            connection = sqlite3.connect(":memory:", isolation_level=None)
        connection.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {VERSION}; COMMIT;")
    return connection
