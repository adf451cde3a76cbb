"""Disposing of what is due: a new run without it, the log of what went, and the older runs that held it removed.

The order makes a kill harmless at any moment. The new run is written beside the others with its own lines of the log
in ``dispositions.jsonl``; promoting it is the one step that disposes, and carries those lines with it. The lines are
then copied to ``output/wiq/dispositions.jsonl``, and the older runs removed; if that is cut short, ``complete``
does the rest before anything else is done.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from imputer.conclusion import Outcome, conclude, discard, moment_text
from imputer.errors import WrongUsage
from imputer.finished import open_folder
from imputer.gold import WIDE_ATTRIBUTES
from imputer.report import write_report
from imputer.retention.due import due_statements, find_withdrawn
from imputer.table_files import wide_table, write_jsonl
from imputer.verdict import check_files, check_keys
from imputer.wording import LANGUAGES
from schemas import load_tables
from schemas.errors import Incomplete
from schemas.runs import MANIFEST, RUNS, good_runs, open_run, output_unwritable, read_manifest, write_atomically
from schemas.version import VERSION

if TYPE_CHECKING:
    from pathlib import Path

    from imputer.retention.schedule import Schedule
    from imputer.settings import Settings
    from schemas import Table
    from schemas.runs import Run

LOG = "dispositions.jsonl"
_REMOVING = ".removing-"

# Tables that name statements which no longer stand, and the columns that do.
_NAMING = {
    "statements": ("statement_id",),
    "withdrawals": ("statement_id",),
    "override_events": ("old_statement_id", "new_statement_id"),
}


@dataclass(slots=True)
class Disposed:
    """What came of it. ``statements`` went; ``folder`` is the new run, None where nothing was due."""

    folder: Path | None
    statements: int = 0
    runs_removed: list[str] = field(default_factory=list)
    outcome: Outcome | None = None

    @property
    def good(self) -> bool:
        """Whether nothing failed."""
        return self.outcome is None or not self.outcome.failures


def dispose(settings: Settings, schedule: Schedule, authority: str, now: datetime | None = None) -> Disposed:
    """Dispose of every statement that is due under ``authority`` and on no hold; ``now`` decides what is due.

    Raises WrongUsage where the schedule sets no such authority, Incomplete without a finished run, RunInProgress,
    OutputUnwritable.
    """
    if authority not in schedule.authorities:
        raise WrongUsage(
            f"{schedule.path} sets no disposition authority {authority!r}",
            " or ".join(schedule.authorities) or "an authority in a class of the schedule",
            authority,
            next_step="set authority in the classes it covers",
        )
    moment = now or datetime.now(UTC)
    with open_run(settings.output, settings.root.name) as run:
        try:
            previous = _last_run(run)
            complete(run.root)
            lines = _due_lines(run, previous, schedule, authority, moment)
        except BaseException:
            discard(run)
            raise
        if not lines:
            discard(run)
            return Disposed(None)
        outcome = Outcome(datetime.now(UTC), {"command": "retention dispose", "authority": authority})
        _write(run, previous, outcome, lines)
        if conclude(run, outcome):
            complete(run.root)
        removed = sorted({name for line in lines for name in line["runs_removed"]})
        return Disposed(run.folder, len(lines), removed if outcome.failures == [] else [], outcome)


def complete(root: Path) -> None:
    """Do what a disposal has left to do after its run was promoted: its lines into the log, older runs removed.

    For whoever holds the lock of ``root``. Raises OutputUnwritable.
    """
    for leftover in root.glob(f"{_REMOVING}*"):
        _remove(leftover)
    log = root / LOG
    known = {line["run_id"] for line in _lines(log)}
    for folder in reversed(good_runs(root)):
        own = _lines(folder / LOG)
        if not own:
            continue
        if folder.name not in known:
            text = log.read_bytes() if log.exists() else b""
            write_atomically(log, [text, (folder / LOG).read_bytes()])
        for name in sorted({name for line in own for name in line["runs_removed"]}):
            _remove(root / RUNS / name)


def is_incomplete(root: Path) -> bool:
    """Whether a disposal was cut short after its run was promoted; the next one completes it."""
    known = {line["run_id"] for line in _lines(root / LOG)}
    return any(root.glob(f"{_REMOVING}*")) or any(
        folder.name not in known or any((root / RUNS / name).exists() for line in own for name in line["runs_removed"])
        for folder in good_runs(root)
        if (own := _lines(folder / LOG))
    )


def _last_run(run: Run) -> Path:
    if run.previous is None:
        raise Incomplete("there is no finished run to dispose from", next_step="run «imputer impute»")
    return run.previous


def _due_lines(run: Run, previous: Path, schedule: Schedule, authority: str, moment: datetime) -> list[dict[str, Any]]:
    """One line of the log per statement that is due."""
    with open_folder(previous) as finished:
        find_withdrawn(finished, schedule, moment)
        due = due_statements(finished, authority)
    if not due:
        return []
    held_in = _runs_that_hold({row["statement_id"] for row in due}, run)
    names = (
        "statement_id",
        "entity_type",
        "entity_id",
        "attribute_id",
        "language",
        "source_type",
        "method",
        "source_id",
    )
    return [
        {name: row[name] for name in (*names, "retention_class")}
        | {
            "rule": schedule.rules[row["retention_class"]].period,
            "withdrawn_at": moment_text(row["withdrawn_at"]),
            "withdrawn_run_id": row["withdrawn_run_id"],
            "due_at": moment_text(row["due_at"]),
            "authority": authority,
            "disposed_at": moment_text(moment),
            "run_id": run.run_id,
            "runs_removed": held_in[row["statement_id"]],
        }
        for row in due
    ]


def _runs_that_hold(statement_ids: set[str], run: Run) -> dict[str, list[str]]:
    """Per statement, the runs other than this one that still hold it, sorted.

    A run whose log cannot be read was killed while it was written; it counts as holding them all.
    """
    wanted = pa.array(sorted(statement_ids), pa.string())
    held: dict[str, list[str]] = {statement_id: [] for statement_id in statement_ids}
    for folder in sorted(run.folder.parent.iterdir()):
        if not folder.is_dir() or folder == run.folder:
            continue
        path = folder / "statements.parquet"
        found = sorted(statement_ids)
        if not path.exists() and not path.with_suffix(".jsonl").exists():
            continue
        with suppress(OSError, pa.ArrowException), pq.ParquetFile(path) as file:
            groups = range(file.num_row_groups)
            some = (file.read_row_group(number, columns=["statement_id"])["statement_id"] for number in groups)
            found = [one for ids in some for one in ids.filter(pc.is_in(ids, value_set=wanted)).to_pylist()]
        for statement_id in found:
            held[statement_id].append(folder.name)
    return held


def _write(run: Run, previous: Path, outcome: Outcome, lines: list[dict[str, Any]]) -> None:
    """The same gold without the statements of ``lines``, what they are named in, and their lines of the log."""
    gone = pa.array([line["statement_id"] for line in lines], pa.string())
    before = read_manifest(previous)
    outcome.settings = before["settings"]
    kept_apart = {MANIFEST, LOG, *(f"{name}.{kind}" for name in _NAMING for kind in ("parquet", "jsonl"))}
    reports = [previous / f"report_{language}.html" for language in LANGUAGES]
    try:
        for path in sorted(previous.iterdir()):
            if path.is_file() and path.name not in kept_apart and path not in reports:
                shutil.copyfile(path, run.folder / path.name)
        for name, columns in _NAMING.items():
            left_out = _copy_without(previous / f"{name}.parquet", run.folder / f"{name}.parquet", columns, gone)
            outcome.changes[f"{name}_disposed"] = left_out
        _note_run(run, outcome)
    except OSError as error:
        raise output_unwritable(run.folder, error) from error
    write_atomically(run.folder / LOG, [orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in lines])
    _judge(run.folder, outcome, len(lines))
    if not outcome.failures:
        for path, language in zip(reports, LANGUAGES, strict=True):
            if path.exists():
                write_report(run.folder, language, run.folder / path.name)


def _copy_without(old: Path, new: Path, columns: tuple[str, ...], gone: pa.Array) -> int:
    """Copy a Parquet file without the rows that name one of ``gone``, in the same order; returns how many went."""
    left_out = 0
    with pq.ParquetFile(old) as file, pq.ParquetWriter(new, file.schema_arrow, compression="zstd") as writer:
        for number in range(file.num_row_groups):
            rows = file.read_row_group(number)
            names = [pc.fill_null(pc.is_in(rows[column], value_set=gone), False) for column in columns]  # noqa: FBT003
            named = names[0] if len(names) == 1 else pc.or_(*names)
            kept = rows.filter(pc.invert(named))
            left_out += rows.num_rows - kept.num_rows
            if kept.num_rows:
                writer.write_table(kept)
    return left_out


def _note_run(run: Run, outcome: Outcome) -> None:
    """Add this run to its copy of ``dim_run``: it wrote no statement and changed no winner."""
    path = run.folder / "dim_run.parquet"
    runs = pq.read_table(path)
    earlier = runs.to_pylist()
    own = {
        "run_id": run.run_id,
        "started_at": outcome.started_at,
        "wiq_version": VERSION,
        "onet_release": earlier[-1]["onet_release"] if earlier else None,
        "statements_added": 0,
        "statements_withdrawn": 0,
        "override_events": 0,
    }
    with pq.ParquetWriter(path, runs.schema, compression="zstd") as writer:
        writer.write_table(pa.Table.from_pylist([*earlier, own], schema=runs.schema))


def _judge(folder: Path, outcome: Outcome, statements: int) -> None:
    """Write the JSONL of what changed, read everything back, check every key."""
    with open_folder(folder) as finished:
        tables: dict[str, Table] = dict(load_tables("wiq"))
        tables["job_titles_wide"] = wide_table(finished.connection.sql(WIDE_ATTRIBUTES).fetchall())
        for name in (*_NAMING, "dim_run"):
            write_jsonl(finished.connection, folder / f"{name}.parquet", tables[name])
        outcome.counts = {name: pq.read_metadata(folder / f"{name}.parquet").num_rows for name in tables}
        outcome.failures += check_files(folder, tables, outcome.counts)
        outcome.failures += check_keys(finished.connection, folder, tables)
    outcome.expect("statements disposed of", statements, outcome.changes["statements_disposed"])


def _lines(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def _remove(folder: Path) -> None:
    """Take a folder out of sight in one step, then delete it."""
    if not folder.exists():
        return
    hidden = folder
    if not folder.name.startswith(_REMOVING):
        hidden = folder.parent.parent / f"{_REMOVING}{folder.name}"
    try:
        if hidden != folder:
            folder.rename(hidden)
        shutil.rmtree(hidden)
    except OSError as error:
        raise output_unwritable(folder, error) from error
