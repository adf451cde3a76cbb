"""What is known to have happened: jobs, shards and requests in SQLite, written before and after every call.

A request is ASKED until something goes wrong with it: RETRY (to be sent again), FAILED or CANCELLED. One that is still
ASKED when its shard is COLLECTED is answered; the view ``request_states`` says OPEN or ANSWERED for it. So a million
good answers change not one row.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Self

from imputer.batch.jobs import IN_FLIGHT, UNSENT, Job, Shard
from imputer.batch.ledger_file import FOLDER, NAME, hold, open_reading, open_writing, sqlite_error, with_tables
from schemas.errors import Incomplete
from schemas.runs import output_unwritable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

#: A request as it is kept: key, contract, entity type, entity, and what the answer rests on (JSON) or None.
Request = tuple[str, int, str, str, str | None]

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
                self._lock = hold(self.folder)
            self.connection = open_writing(path) if exclusive else open_reading(path)
        except OSError as error:
            raise output_unwritable(self.folder, error) from error
        except sqlite3.Error as error:
            self._release()
            raise sqlite_error(path, error) from error
        try:
            self.connection = with_tables(self.connection, path, exclusive=exclusive)
        except sqlite3.Error as error:
            self.close()
            raise sqlite_error(path, error) from error
        except BaseException:
            self.close()
            raise

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
            raise sqlite_error(self.folder / NAME, error) from error

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
