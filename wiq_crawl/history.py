"""What changed between good runs, record by record: ADD, MOD and DEL.

Records are matched by primary key; only the compared columns count (addresses, selectors, positions and
fetch times do not). The first good run is the baseline and has no lines, and so has a table that the previous
run did not have yet. Columns that only one of the two runs has are left out: a new column is not a change
of every record.

``changes.jsonl`` in a run's folder says what changed since the run before; ``history.jsonl`` is those of all
promoted runs, oldest first, and can be rebuilt at any time.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from hashlib import blake2b
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Literal

import orjson

from schemas.errors import Incomplete
from schemas.runs import RUNS, good_runs, read_manifest, write_atomically
from schemas.table import LANGUAGES, Table, load_tables
from wiq_crawl.errors import InvalidItem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHANGES = "changes.jsonl"
HISTORY = "history.jsonl"

Action = Literal["ADD", "MOD", "DEL"]
ACTIONS: tuple[Action, ...] = ("ADD", "MOD", "DEL")

_SEEN = b""


@dataclass(frozen=True, slots=True)
class Change:
    """One record added, modified or deleted.

    ``key`` is the primary key as text; ``columns`` are the changed ones (MOD only); ``digest`` is that of
    the compared columns after the change, for DEL before it: 32 hexadecimal digits.
    """

    action: Action
    table: str
    language: str
    key: str
    columns: tuple[str, ...]
    digest: str


def compare(previous: Path | None, current: Path, program: str = "tbs") -> Iterator[Change]:
    """List the changes from one run folder to another by table, language, key; none without ``previous``.

    Holds in memory the keys and 16-byte digests of one previous table and the changes of that table.
    Raises Incomplete where a table is missing from ``current``, or all from ``previous``, or one cannot be
    read; InvalidItem where two records have the same key.
    """
    if previous is None:
        return
    tables = [(table, language) for table in load_tables(program).values() for language in LANGUAGES]
    there = [pair for pair in tables if (previous / f"{pair[0].name}_{pair[1]}.jsonl").exists()]
    if not there:
        message = f"{previous} has none of the tables of a run"
        raise Incomplete(message)
    for table, language in there:
        yield from _compare_table(table, language, previous, current)


def records(folder: Path, table: Table, language: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Key and record of every line of a run's table, in file order.

    Raises Incomplete where the file is missing or a line is not a record of the table.
    """
    path = folder / f"{table.name}_{language}.jsonl"
    number = 0
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):  # noqa: B007 (named in the error)
                record = orjson.loads(line)
                parts = [record[column] for column in table.primary_key]
                yield str(parts[0]) if len(parts) == 1 else orjson.dumps(parts).decode(), record
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"{path} cannot be read: {error}"
        raise Incomplete(message, row=number or None) from error


def content_digest(record: dict[str, Any], columns: tuple[str, ...]) -> bytes:
    """16 bytes that differ where the named columns of two records differ."""
    values = orjson.dumps([record.get(column) for column in columns], option=orjson.OPT_SORT_KEYS)
    return blake2b(values, digest_size=16).digest()


def write_changes(previous: Path | None, current: Path, program: str = "tbs") -> dict[str, dict[str, int]]:
    """Write ``changes.jsonl`` into ``current``; ADD, MOD and DEL counted per ``<table>_<language>``.

    Every table is counted, also at zero. Raises OutputUnwritable, and what ``compare`` raises.
    """
    counted: Counter[tuple[str, str, str]] = Counter()

    def lines() -> Iterator[bytes]:
        ids = {"run_id": current.name, "previous_run_id": previous.name if previous else None}
        for change in compare(previous, current, program):
            counted[change.table, change.language, change.action] += 1
            yield orjson.dumps(
                {
                    **ids,
                    "action": change.action,
                    "table": change.table,
                    "language": change.language,
                    "key": change.key,
                    "columns": change.columns,
                    "digest": change.digest,
                },
                option=orjson.OPT_APPEND_NEWLINE,
            )

    write_atomically(current / CHANGES, lines())
    return {
        f"{name}_{language}": {action: counted[name, language, action] for action in ACTIONS}
        for name in load_tables(program)
        for language in LANGUAGES
    }


def rebuild_history(root: Path) -> None:
    """Replace ``history.jsonl`` by the changes of all promoted good runs, oldest first.

    Call it while holding the run lock, after promotion. Lines of runs whose folders were deleted since are
    kept. Raises Incomplete where a promoted run has lost its ``changes.jsonl``; OutputUnwritable.
    """
    write_atomically(root / HISTORY, _history(root))


def _history(root: Path) -> Iterator[bytes]:
    chain = good_runs(root)[::-1]
    yield from _lines_of_deleted_runs(root, chain)
    for folder in chain:
        path = folder / CHANGES
        if not path.exists():
            message = f"run {folder.name} has lost its {CHANGES}: the history would lose its lines"
            raise Incomplete(message, next_step=f"restore {path}")
        with path.open("rb") as file:
            yield from file


def _lines_of_deleted_runs(root: Path, chain: list[Path]) -> Iterator[bytes]:
    path = root / HISTORY
    if not chain or not read_manifest(chain[0]).get("previous") or not path.exists():
        return

    def deleted(line: bytes) -> bool:
        return not (root / RUNS / str(orjson.loads(line)["run_id"])).exists()

    with path.open("rb") as file:
        yield from takewhile(deleted, file)


def _compare_table(table: Table, language: str, previous: Path, current: Path) -> Iterator[Change]:
    columns = _columns_of_both(table, language, previous, current)
    before = _digests(table, language, previous, columns)
    added: dict[str, bytes] = {}
    modified: dict[str, tuple[bytes, list[bytes]]] = {}
    for key, record in records(current, table, language):
        digest = content_digest(record, columns)
        if key in added or before.get(key) == _SEEN:
            raise _doubled(table, language, current, key)
        if key not in before:
            added[key] = digest
            continue
        if before[key] != digest:
            modified[key] = digest, [content_digest(record, (column,)) for column in columns]
        before[key] = _SEEN
    changed = _changed_columns(table, language, previous, columns, modified)
    changes = [Change("ADD", table.name, language, key, (), digest.hex()) for key, digest in added.items()]
    changes += [
        Change("MOD", table.name, language, key, changed[key], digest.hex()) for key, (digest, _) in modified.items()
    ]
    changes += [
        Change("DEL", table.name, language, key, (), digest.hex()) for key, digest in before.items() if digest != _SEEN
    ]
    yield from sorted(changes, key=lambda change: change.key)


def _digests(table: Table, language: str, folder: Path, columns: tuple[str, ...]) -> dict[str, bytes]:
    digests: dict[str, bytes] = {}
    for key, record in records(folder, table, language):
        if key in digests:
            raise _doubled(table, language, folder, key)
        digests[key] = content_digest(record, columns)
    return digests


def _changed_columns(
    table: Table,
    language: str,
    previous: Path,
    columns: tuple[str, ...],
    modified: dict[str, tuple[bytes, list[bytes]]],
) -> dict[str, tuple[str, ...]]:
    """Read the previous table again, so that only modified records were ever held column by column."""
    if not modified:
        return {}
    return {
        key: tuple(
            column
            for column, digest in zip(columns, modified[key][1], strict=True)
            if content_digest(record, (column,)) != digest
        )
        for key, record in records(previous, table, language)
        if key in modified
    }


def _columns_of_both(table: Table, language: str, previous: Path, current: Path) -> tuple[str, ...]:
    columns = table.compared_columns
    for folder in (previous, current):
        # Every column is required, so the first record has the columns of all.
        for _, record in records(folder, table, language):
            columns = tuple(column for column in columns if column in record)
            break
    return columns


def _doubled(table: Table, language: str, folder: Path, key: str) -> InvalidItem:
    place = folder / f"{table.name}_{language}.jsonl"
    return InvalidItem(f"two records of {place} have the same {', '.join(table.primary_key)}", found=key)
