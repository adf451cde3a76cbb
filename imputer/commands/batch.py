"""``imputer batch``: questions to a model, by the file."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from imputer.commands.batch_told import counted, tell_balance, tell_open, tell_plan, tell_unfinished
from imputer.settings import read_settings

#: Exit status of a wait that Ctrl-C ended, as shells have it.
INTERRUPTED = 130

if TYPE_CHECKING:
    from collections.abc import Callable

    from imputer.batch.options import BatchOptions
    from imputer.batch.service import Access


@click.group()
def batch() -> None:
    """Ask a model for what no source fills, through the OpenAI Batch API or a compatible runner.

    Everything stands in output/wiq/batch: stop at any moment, go on later, also on another machine. Key and address
    come from OPENAI_API_KEY and OPENAI_BASE_URL (Azure: AZURE_OPENAI_API_KEY and AZURE_OPENAI_ENDPOINT).

    \b
    Examples:
      imputer batch plan --dry-run        what would be asked, and what it would cost
      imputer batch plan                  write the requests
      imputer batch submit                send them, wait, collect the answers
      imputer batch status                how far it is
      imputer impute                      add the answers to the log, publish

    Exit status: 0 good, 1 something failed or waits for you, 2 wrong usage or another process at work.
    """  # noqa: D301 (click reads the backspace)


def max_cost_option(command: Callable[..., None]) -> Callable[..., None]:
    """Add ``--max-cost`` to a command."""
    return click.option(
        "--max-cost",
        type=click.FloatRange(min=0),
        help="Most that all open questions may cost together, in USD (default: WIQ_MAX_COST or 25).",
    )(command)


def _job(command: Callable[..., None]) -> Callable[..., None]:
    return click.option("--job", help="One job only, by the name that status shows.")(command)


@batch.command()
@click.option("--dry-run", is_flag=True, help="Count and price; write nothing.")
@click.option("--domain", help="Ask one domain only, such as skills.")
@click.option("--again", is_flag=True, help="Ask also what was given up or cancelled before.")
@max_cost_option
def plan(domain: str | None, max_cost: float | None, *, dry_run: bool, again: bool) -> None:
    """Write requests for the gaps of the last good run: one per job and domain, never a question twice.

    Nothing is sent. What is planned is sent by «imputer batch submit», or by the next «imputer impute» with a key.

    \b
    Examples:
      imputer batch plan --dry-run
      imputer batch plan --domain skills --max-cost 5
      WIQ_MODEL=gpt-5.4-mini imputer batch plan

    Exit status: 0 planned, 1 there is no finished run, or the most it may cost is above the cap, 2 wrong usage.
    """  # noqa: D301
    from imputer.batch.balance import open_jobs  # noqa: PLC0415 (--help does not need them)
    from imputer.batch.ledger import Ledger  # noqa: PLC0415
    from imputer.batch.prices import read_price  # noqa: PLC0415
    from imputer.batch.questions import Asking, questions_of  # noqa: PLC0415
    from imputer.batch.shards import PURPOSE, write_job  # noqa: PLC0415
    from imputer.finished import open_latest  # noqa: PLC0415

    options = options_of(max_cost)
    price = read_price(options.model, options.prices)
    with open_latest(read_settings().root) as run, Ledger(read_settings().root) as ledger:
        before = open_jobs(ledger, PURPOSE)
        questions = questions_of(run, Asking(domain=domain))
        planned = write_job(ledger, questions, options, price, run_id=run.folder.name, dry_run=dry_run, again=again)
    written = f"Job {planned.job_id} is written: «imputer batch submit» sends it."
    within = tell_plan(planned, options, before, written if planned.job_id else "Dry run: nothing was written.")
    sys.exit(0 if within else 1)


@batch.command()
@click.option("--no-wait", is_flag=True, help="Send what fits and return; «poll» goes on.")
@max_cost_option
def submit(max_cost: float | None, *, no_wait: bool) -> None:
    """Send what is planned, wait with a live table, and collect the answers.

    A file is never sent twice: after a crash or a broken connection the provider is asked first. What all open jobs
    cost together stays below the cap: sending stops before it could be passed.

    \b
    Examples:
      imputer batch submit
      imputer batch submit --max-cost 10 --no-wait

    Exit status: 0 all collected (with --no-wait: sent), 1 something failed or waits for you, 2 wrong usage or no key.
    """  # noqa: D301
    _work(options_of(max_cost), wait=not no_wait, send=True)


@batch.command()
@click.option("--once", is_flag=True, help="Look once and return.")
@max_cost_option
def poll(max_cost: float | None, *, once: bool) -> None:
    """Go on: look at the batches, collect what has ended, send what now fits, until all is done.

    \b
    Examples:
      imputer batch poll
      imputer batch poll --once           for a scheduler

    Exit status: as of submit; with --once 0 also while batches are under way.
    """  # noqa: D301
    _work(options_of(max_cost), wait=not once, send=True)


@batch.command()
def collect() -> None:
    """Fetch the answers of the batches that have ended; send nothing.

    \b
    Example:
      imputer batch collect

    Exit status: 0 done, 1 failed, 2 wrong usage or no key.
    """  # noqa: D301
    _work(options_of(None), wait=False, send=False)


@batch.command()
def status() -> None:
    """Show every shard, what it cost, and why what is not answered is not. Asks nobody but the ledger.

    \b
    Example:
      imputer batch status

    Exit status: 0 shown.
    """  # noqa: D301
    from imputer.batch.display import print_status  # noqa: PLC0415
    from imputer.batch.ledger import Ledger  # noqa: PLC0415
    from imputer.batch.ledger_file import FOLDER, NAME  # noqa: PLC0415

    root = read_settings().root
    if not (root / FOLDER / NAME).is_file():
        print("Nothing was ever planned here: «imputer batch plan».")
        return
    with Ledger(root, exclusive=False) as ledger:
        print_status(ledger, sys.stdout)


@batch.command()
@_job
def cancel(job: str | None) -> None:
    """Cancel what is planned or under way; answers that are there by then are kept and collected by «poll».

    What was cancelled is asked again only by «imputer batch plan --again».

    \b
    Examples:
      imputer batch cancel
      imputer batch cancel --job 20260101T000000Z-0a1b2c3d

    Exit status: 0 cancelled, 1 failed or no such job, 2 wrong usage or no key though batches are under way.
    """  # noqa: D301
    from imputer.batch.engine import stop  # noqa: PLC0415
    from imputer.batch.jobs import IN_FLIGHT  # noqa: PLC0415
    from imputer.batch.ledger import Ledger  # noqa: PLC0415
    from imputer.batch.service import Service, read_access  # noqa: PLC0415

    with Ledger(read_settings().root) as ledger:
        if job:
            ledger.job(job)
        access = _access() if ledger.shards(*IN_FLIGHT, job_id=job) else read_access()
        if access is None:
            count = stop(ledger, None, job, options_of(None))
        else:
            with Service(access) as service:
                count = stop(ledger, service, job, options_of(None))
    print(f"Shards cancelled or being cancelled: {count:,}. «imputer batch poll» collects what was answered.")
    if count:
        print("What is not answered is asked again only by «imputer batch plan --again».")


@batch.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_job
def export(file: Path, job: str | None) -> None:
    """Write what is planned as one JSONL FILE, for any compatible batch runner; it is then not sent by submit.

    \b
    Examples:
      imputer batch export requests.jsonl
      vllm run-batch -i requests.jsonl -o answers.jsonl --model MODEL

    Exit status: 0 written, 1 failed or nothing is planned.
    """  # noqa: D301
    from imputer.batch.exchange import export as write  # noqa: PLC0415
    from imputer.batch.ledger import Ledger  # noqa: PLC0415

    with Ledger(read_settings().root) as ledger:
        if job:
            ledger.job(job)
        count = write(ledger, file, job)
    print(f"{count:,} requests: {file}")
    sys.exit(0 if count else 1)


@batch.command(name="import")
@click.argument("files", type=click.Path(path_type=Path, exists=True, dir_okay=False), nargs=-1, required=True)
def import_(files: tuple[Path, ...]) -> None:
    """Read answer FILES to what was exported; what they do not answer is planned again.

    \b
    Example:
      imputer batch import answers.jsonl errors.jsonl

    Exit status: 0 read, 1 they answer nothing of what was exported, 2 wrong usage.
    """  # noqa: D301
    from imputer.batch.exchange import bring_back  # noqa: PLC0415
    from imputer.batch.ledger import Ledger  # noqa: PLC0415

    with Ledger(read_settings().root) as ledger:
        for read in bring_back(ledger, files, options_of(None)):
            print(f"{read.answered:,} answered, {len(read.failed):,} failed, {read.missing:,} missing")


def options_of(max_cost: float | None) -> BatchOptions:
    """The options of the environment, with the cap of the command line where one is given."""
    from imputer.batch.options import read_options  # noqa: PLC0415

    options = read_options()
    return options if max_cost is None else replace(options, max_cost=max_cost)


def _access() -> Access:
    from imputer.batch.service import read_access  # noqa: PLC0415
    from imputer.errors import WrongUsage  # noqa: PLC0415

    access = read_access()
    if access is None:
        raise WrongUsage(
            "the batch API needs a key",
            "OPENAI_API_KEY, or AZURE_OPENAI_API_KEY with AZURE_OPENAI_ENDPOINT",
            "neither",
            next_step="set one, or use another runner: «imputer batch export»",
        )
    return access


def _work(options: BatchOptions, *, wait: bool, send: bool) -> None:
    from imputer.batch.balance import balance, open_jobs  # noqa: PLC0415
    from imputer.batch.display import Display, print_status  # noqa: PLC0415
    from imputer.batch.engine import work  # noqa: PLC0415
    from imputer.batch.ledger import Ledger  # noqa: PLC0415
    from imputer.batch.service import Service  # noqa: PLC0415

    access = _access()
    with Ledger(read_settings().root) as ledger:
        if send:
            tell_open(open_jobs(ledger), options)
        before = balance(ledger)
        try:
            with Service(access) as service, Display(sys.stderr) as show:
                worked = work(ledger, service, options, wait=wait, submit=send, show=show)
        except KeyboardInterrupt:
            print("Interrupted: nothing is lost, «imputer batch poll» goes on.", file=sys.stderr)
            sys.exit(INTERRUPTED)
        print_status(ledger, sys.stdout)
        came = balance(ledger).since(before)
    if worked.in_flight:
        under_way = counted(worked.in_flight, "batch is", "batches are")
        print(f"{under_way} under way: «imputer batch poll» goes on.")
    lost = tell_balance(came)
    sys.exit(tell_unfinished(worked, options, wait=wait) or lost)
