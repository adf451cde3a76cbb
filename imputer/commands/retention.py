"""``imputer retention``: what is due for disposal, and disposing of it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
import orjson
from rich.table import Table
from rich.text import Text

from imputer.errors import WrongUsage
from imputer.printing import show
from imputer.settings import read_settings
from imputer.wording import LANGUAGES, moment, number, text

if TYPE_CHECKING:
    from imputer.retention.schedule import Schedule


@click.group()
def retention() -> None:
    """Show what may no longer be kept under the retention schedule, and dispose of it.

    The schedule is a TOML file that WIQ_RETENTION names; imputer/retention/schedule.example.toml explains it. Only
    statements that their source no longer supports are ever due, never one that stands.

    \b
    Examples:
      imputer retention list
      imputer retention dispose --authority 2099/001 --yes
    """  # noqa: D301 (click reads the backspace)


@retention.command(name="list")
@click.option("--on", "day", type=click.DateTime(["%Y-%m-%d"]), help="As if it were that day, UTC (default: now).")
@click.option(
    "--language", type=click.Choice(LANGUAGES), default="en", show_default=True, help="Language of the answer."
)
@click.option("--limit", type=click.IntRange(0), default=20, show_default=True, help="How many due statements to show.")
@click.option("--json", "as_json", is_flag=True, help="Print every due statement, one JSON object a line.")
def list_due(day: datetime | None, language: str, limit: int, *, as_json: bool) -> None:
    """Show what is due, by retention class and statement by statement, and under which rule.

    \b
    Examples:
      imputer retention list
      imputer retention list --on 2031-04-01     what will be due by then
      imputer retention list --json | wc -l

    Exit status: 0 shown (also without a schedule), 1 there is no finished run, 2 the schedule cannot be read.
    """  # noqa: D301 (click reads the backspace)
    from imputer.finished import open_latest  # noqa: PLC0415 (DuckDB and Arrow; --help does not need them)
    from imputer.retention.disposition import is_incomplete  # noqa: PLC0415
    from imputer.retention.due import by_class, due_statements, find_withdrawn, held_statements  # noqa: PLC0415
    from imputer.retention.schedule import read_schedule  # noqa: PLC0415

    settings = read_settings()
    if settings.retention is None:
        click.echo(text("retention_none", language), err=as_json)
        return
    schedule = read_schedule(settings.retention)
    with open_latest(settings.root) as run:
        find_withdrawn(run, schedule, day.replace(tzinfo=UTC) if day else datetime.now(UTC))
        due = due_statements(run)
        if as_json:
            for row in due:
                click.echo(orjson.dumps(row))
            return
        show(_by_class(by_class(run), schedule, language))
        if due:
            show("", _due(due[:limit], schedule, language))
            if len(due) > limit:
                click.echo(text("more_lines", language, count=number(len(due) - limit, language)))
        for hold in held_statements(run):
            told = text("retention_held", language, count=number(hold["held"], language), reason=hold["reason"])
            click.echo(told)
        if not due:
            click.echo(text("retention_nothing_due", language))
    if is_incomplete(settings.root):
        click.echo(text("retention_incomplete", language))


@retention.command()
@click.option("--authority", required=True, help="The disposition authority, as the schedule names it.")
@click.option("--yes", is_flag=True, help="Really dispose; cannot be undone.")
def dispose(authority: str, *, yes: bool) -> None:
    """Dispose of what is due under one disposition authority and on no hold.

    Publishes a run without those statements, logs each in output/wiq/dispositions.jsonl (which, under what rule and
    authority, when; not its value), and removes the older runs that still hold them.

    \b
    Example:
      imputer retention list
      imputer retention dispose --authority 2099/001 --yes

    Exit status: 0 disposed or nothing due, 1 failed: latest stays as it was, 2 no schedule, no such authority, no --yes.
    """  # noqa: D301 (click reads the backspace)
    from imputer.retention import disposition  # noqa: PLC0415
    from imputer.retention.schedule import read_schedule  # noqa: PLC0415

    settings = read_settings()
    if settings.retention is None:
        raise WrongUsage("there is no retention schedule", next_step="set WIQ_RETENTION to a TOML file")
    schedule = read_schedule(settings.retention)
    if not yes:
        raise WrongUsage(
            "nothing was disposed of: it cannot be undone",
            "--yes",
            "none",
            next_step="look at «imputer retention list», then add --yes",
        )
    disposed = disposition.dispose(settings, schedule, authority)
    if not disposed.good:
        assert disposed.outcome is not None
        for failure in disposed.outcome.failures:
            print(f"FAILED ({failure.kind}): {failure}", file=sys.stderr)
        sys.exit(1)
    if disposed.folder is None:
        print("Nothing is due under this authority.")
        return
    print(f"Run {disposed.folder.name}: {disposed.statements:,} statements disposed of under {authority}.")
    print(f"Older runs removed: {', '.join(disposed.runs_removed) or 'none'}")
    print(f"Log: {settings.root / disposition.LOG}")


def _by_class(rows: list[dict[str, Any]], schedule: Schedule, language: str) -> Table:
    table = Table(title=text("retention_title", language), title_justify="left", box=None, padding=(0, 2, 0, 0))
    table.add_column(text("retention_class", language))
    table.add_column(text("retention_period", language))
    table.add_column(text("retention_authority", language), overflow="fold")
    for heading in ("retention_withdrawn", "retention_due", "retention_on_hold"):
        table.add_column(text(heading, language), justify="right", no_wrap=True)
    table.add_column(text("retention_next", language))
    counted = {row["retention_class"]: row for row in rows}
    for name in sorted({*counted, *schedule.rules}):
        rule, row = schedule.rules.get(name), counted.get(name)
        title = getattr(rule, f"title_{language}", None)
        counts = (number(row[key] if row else 0, language) for key in ("withdrawn", "due", "held"))
        table.add_row(
            Text(f"{name} – {title}" if title else name),
            rule.period if rule else text("retention_no_rule", language),
            Text((rule and rule.authority) or text("retention_no_authority", language)),
            *counts,
            moment(row["next_due_at"] if row else None),
        )
    return table


def _due(rows: list[dict[str, Any]], schedule: Schedule, language: str) -> Table:
    table = Table(title=text("retention_due_title", language), title_justify="left", box=None, padding=(0, 2, 0, 0))
    for heading in ("statement", "retention_cell", "retention_rule", "retention_since", "retention_due_at"):
        table.add_column(text(heading, language), overflow="fold")
    for row in rows:
        rule = schedule.rules[row["retention_class"]]
        table.add_row(
            row["statement_id"][:12],
            Text(f"{row['entity_id']} {row['attribute_id']} {row['language']}"),
            f"{rule.retention_class} {rule.period}",
            moment(row["withdrawn_at"]),
            moment(row["due_at"]),
        )
    return table
