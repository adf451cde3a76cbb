"""How far the batches are: a live table on a terminal, elsewhere a line whenever a shard goes on."""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self, TextIO

from rich import box
from rich.console import Console
from rich.live import Live
from rich.table import Table

from imputer.batch.jobs import IN_FLIGHT, UNSENT, committed, spent

if TYPE_CHECKING:
    from types import TracebackType

    from imputer.batch.jobs import Job, Shard
    from imputer.batch.ledger import Ledger

_WIDTH = 160
_NARROW = 120  # a terminal below this width shows less
_LONGEST, _JOB_WIDTH = 26, 8
# Whether a column is set to the left, and whether a narrow terminal shows it.
_COLUMNS = {
    "Shard": (True, True),
    "Round": (False, False),
    "State": (True, True),
    "Batch": (True, False),
    "Lines": (False, True),
    "Answered": (False, True),
    "Failed": (False, False),
    "Missing": (False, False),
    "Tokens": (False, False),
    "USD": (False, True),
    "Left": (False, True),
}
_MOST_ROWS = 40
_HOUR, _MINUTE = 3_600, 60


class Display:
    """Shows how far the work is, or with ``quiet`` nothing; use it in a ``with``, call it with the ledger."""

    def __init__(self, stream: TextIO, *, quiet: bool = False) -> None:
        self._stream, self._said, self._quiet = stream, "", quiet
        console = Console(file=stream)
        live = console.is_terminal and not quiet
        self._live = Live(console=console, auto_refresh=False, transient=True) if live else None

    def __enter__(self) -> Self:
        """Start drawing."""
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop drawing."""
        if self._live:
            self._live.stop()

    def __call__(self, ledger: Ledger) -> None:
        """Draw how things stand."""
        if self._live:
            wide = self._live.console.width >= _NARROW
            self._live.update(status_table(ledger, wide=wide), refresh=True)
        elif not self._quiet and (line := progress_line(ledger)) != self._said:
            self._said = line
            print(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%SZ} {line}", file=self._stream, flush=True)


def progress_line(ledger: Ledger) -> str:
    """How many shards wait, are under way, and are collected; and why the provider put some off."""
    states = Counter(shard.state for shard in ledger.shards())
    under_way = sum(states[state] for state in IN_FLIGHT)
    to_send = sum(states[state] for state in UNSENT)
    told = f"shards: {to_send:,} to send, {under_way:,} under way, {states['COLLECTED']:,} collected"
    return f"{told}; {put_off}" if (put_off := _put_off(ledger.shards(*UNSENT))) else told


def print_status(ledger: Ledger, stream: TextIO) -> None:
    """Print the table, and the reasons of what was not answered."""
    console = Console(file=stream, highlight=False)
    if not console.is_terminal:
        console = Console(file=stream, highlight=False, width=_WIDTH)
    console.print(status_table(ledger, wide=console.width >= _NARROW))
    for job in ledger.jobs():
        shards = ledger.shards(job_id=job.job_id)
        cost, held = spent(job, shards), committed(job, shards)
        console.print(
            f"Job {job.job_id} ({job.purpose}, {job.model}): {cost:.4f} USD spent, {held:.4f} USD at most under way"
        )
        for reason, count in ledger.reasons(job.job_id).items():
            console.print(f"  {count:>9,} {reason}")


def status_table(ledger: Ledger, *, wide: bool = True) -> Table:
    """One row per shard, the last ones where there are many: state, lines, tokens, cost, time left."""
    shards = ledger.shards()
    put_off = _put_off(shards) or None
    table = Table(
        box=box.SIMPLE_HEAD, title=_title(shards), title_justify="left", caption=put_off, caption_justify="left"
    )
    jobs = {job.job_id: job for job in ledger.jobs()}
    for name, (left, narrow) in _COLUMNS.items():
        if wide or narrow:
            table.add_column(name, justify="left" if left else "right", no_wrap=True, max_width=_LONGEST)
    for shard in shards[-_MOST_ROWS:]:
        cells = _cells(shard, jobs[shard.job_id])
        table.add_row(*(cells[name] for name, (_, narrow) in _COLUMNS.items() if wide or narrow))
    return table


def _cells(shard: Shard, job: Job) -> dict[str, str]:
    used = shard.used_input + shard.used_output
    done = shard.requests if shard.state == "COLLECTED" else min(shard.lines_done, shard.requests)
    return {
        "Shard": f"{shard.job_id[-_JOB_WIDTH:]}/{shard.number}",
        "Round": f"{shard.round}",
        "State": shard.state if shard.state != "SUBMITTED" else shard.status or shard.state,
        "Batch": shard.batch_id or "",
        "Lines": f"{done:,}/{shard.requests:,}",
        "Answered": f"{shard.answered:,}",
        "Failed": f"{shard.failed:,}",
        "Missing": f"{shard.missing:,}",
        "Tokens": f"{used:,}" if used else f"≤ {shard.input_tokens + shard.output_tokens:,}",
        "USD": f"{job.cost(shard.used_input, shard.used_output):.4f}",
        "Left": _left(shard),
    }


def _title(shards: list[Shard]) -> str:
    requests = sum(shard.requests for shard in shards)
    answered = sum(shard.answered for shard in shards)
    return f"{len(shards):,} shards, {requests:,} requests sent or to be sent, {answered:,} answered"


def _put_off(shards: list[Shard]) -> str:
    """Which shards the provider put off, to be tried again later, and its last reason."""
    waiting = [one for one in shards if one.state in UNSENT and one.reason and one.not_before > time.time()]
    return f"{len(waiting):,} put off by the provider: {waiting[-1].reason}" if waiting else ""


def _left(shard: Shard) -> str:
    """Time left at the pace so far; the provider promises no more than a day."""
    if shard.state != "SUBMITTED" or not shard.lines_done or not shard.submitted_at:
        return ""
    seconds = (time.time() - shard.submitted_at) * (shard.requests - shard.lines_done) / shard.lines_done
    hours, rest = divmod(max(int(seconds), 0), _HOUR)
    return f"{hours} h {rest // _MINUTE:02d}" if hours else f"{rest // _MINUTE} min {rest % _MINUTE:02d}"
