"""One run: sources read, titles resolved, tiers asked, gold written, judged, promoted.

Nothing outside the run's folder is changed before the run is judged good: killed at any moment, it leaves the last
good run as it was, and the next run starts from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb

from imputer.conclusion import Outcome, conclude, discard, moment_text, reason_to_withhold, unchanged
from imputer.dimensions import create_dimensions, make_table
from imputer.gathering import gather
from imputer.gold import WIDE_ATTRIBUTES, create_reasons
from imputer.ranges import publish_ranges
from imputer.report import write_report
from imputer.statements import load_previous
from imputer.table_files import TableFiles, wide_table, write_jsonl
from imputer.verdict import check_files, check_keys
from schemas import load_tables
from schemas.errors import RunError
from schemas.runs import open_run
from schemas.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from imputer.gathering import Gathered, Location
    from imputer.settings import Settings
    from schemas import Table
    from schemas.runs import Run

    #: Told the stage, how many job titles of it are done and how many there are (0 and 0 where it is not counted).
    Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Imputed:
    """How a run ended. ``folder`` is where its files are: its own, or the last good run's where nothing is new."""

    outcome: Outcome
    folder: Path
    new: bool

    @property
    def good(self) -> bool:
        """Whether nothing failed."""
        return not self.outcome.failures


def impute(settings: Settings, location: Location, progress: Progress) -> Imputed:
    """Run once, from the sources at ``location``; see ``Imputed`` for what comes of it.

    Raises RunInProgress and OutputUnwritable before anything is read; whatever fails later is in the outcome and in
    ``run.json``.
    """
    started = datetime.now(UTC)
    with open_run(settings.output, settings.root.name, started) as run:
        outcome = Outcome(started, arguments={"sources": str(location.folder)})
        try:
            _write(run, outcome, settings, location, progress)
            if not outcome.failures and unchanged(run):
                discard(run)
                assert run.previous is not None
                return Imputed(outcome, run.previous, new=False)
        except RunError as error:
            outcome.failures.append(error)
        except Exception as error:
            outcome.failures.append(RunError(f"{type(error).__name__}: {error}"))
            conclude(run, outcome)
            raise
        conclude(run, outcome)
        return Imputed(outcome, run.folder, new=True)


def _write(run: Run, outcome: Outcome, settings: Settings, location: Location, progress: Progress) -> None:
    """Everything up to the verdict."""
    spill = run.folder / ".spill"
    with duckdb.connect(
        config={"memory_limit": settings.memory, "temp_directory": str(spill), "threads": 2}
    ) as connection:
        gathered = gather(connection, settings, location, progress)
        outcome.settings = {
            "crosswalk": settings.crosswalk,
            "onet": settings.onet,
            "onet_release": gathered.onet_release,
            "neighbours": settings.neighbours,
            "sources": gathered.versions,
        }
        outcome.withheld = reason_to_withhold(run, gathered.versions)
        tables = _publish(run, outcome, connection, gathered, progress)
        progress("check", 0, 0)
        _judge(run.folder, outcome, connection, tables)
        if not outcome.failures:
            progress("report", 0, 0)
            for language in ("en", "fr"):
                write_report(run.folder, language, run.folder / f"report_{language}.html")
    if spill.exists():
        spill.rmdir()


def _publish(
    run: Run, outcome: Outcome, connection: duckdb.DuckDBPyConnection, gathered: Gathered, progress: Progress
) -> dict[str, Table]:
    """Write every table, Parquet first, then JSONL; returns them by name."""
    moment = (run.run_id, moment_text(outcome.started_at))
    load_previous(connection, run.previous)
    whole = (*create_dimensions(connection), *gathered.tables)
    create_reasons(connection)
    attributes = connection.sql(WIDE_ATTRIBUTES).fetchall()
    tables = dict(load_tables("wiq")) | {"job_titles_wide": wide_table(attributes)}
    with TableFiles(run.folder, notes=gathered.notes) as files:
        for name in whole:
            files.append(connection, tables[name], f"FROM {name}")
        total = connection.sql("SELECT count(*) FROM resolutions").fetchall()[0][0]
        done = 0

        def titles_done(count: int) -> None:
            nonlocal done
            done += count
            progress("impute", done, total)

        outcome.changes = publish_ranges(connection, files, tables["job_titles_wide"], moment, titles_done)
        _note_run(connection, outcome, moment, gathered)
        withdrawals = "SELECT * FROM previous_withdrawals UNION ALL BY NAME SELECT * FROM run_withdrawals"
        files.append(connection, tables["withdrawals"], f"SELECT * FROM ({withdrawals}) ORDER BY statement_id, run_id")
        files.append(connection, tables["dim_run"], "FROM dim_run")
        outcome.counts = dict(files.counts)
    progress("write", 0, 0)
    for name, table in tables.items():
        write_jsonl(connection, run.folder / f"{name}.parquet", table)
    return tables


def _note_run(
    connection: duckdb.DuckDBPyConnection, outcome: Outcome, moment: tuple[str, str], gathered: Gathered
) -> None:
    """Make ``dim_run``: the runs before, and this one."""
    values = [*moment, VERSION, gathered.onet_release, *outcome.changes.values()]
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE this_run AS SELECT ? AS run_id, ?::TIMESTAMPTZ AS started_at, ? AS wiq_version, "
        "? AS onet_release, ? AS statements_added, ? AS statements_withdrawn, ? AS override_events",
        values,
    )
    make_table(
        connection, "dim_run", "SELECT * FROM (FROM previous_runs UNION ALL BY NAME FROM this_run) ORDER BY run_id"
    )


def _judge(folder: Path, outcome: Outcome, connection: duckdb.DuckDBPyConnection, tables: dict[str, Table]) -> None:
    outcome.failures += check_files(folder, tables, outcome.counts)
    outcome.failures += check_keys(connection, folder, tables)
    titles = outcome.counts["dim_job_title"]
    outcome.expect("one wide row per job title", titles, outcome.counts["job_titles_wide"])
    outcome.expect("one resolution per job title", titles, outcome.counts["job_title_noc"])
    values, winners = connection.execute(
        "SELECT (SELECT count(*) FROM read_parquet($values)), (SELECT count(*) FROM read_parquet($values) v "
        "JOIN read_parquet($statements) s USING (statement_id, entity_id, attribute_id, language) "
        "WHERE v.value_number IS NOT DISTINCT FROM s.value_number AND v.value_text IS NOT DISTINCT FROM s.value_text)",
        {"values": str(folder / "attribute_values.parquet"), "statements": str(folder / "statements.parquet")},
    ).fetchall()[0]
    outcome.expect("every gold value is its statement's", values, winners)
