"""``imputer impute``: the monthly run."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from imputer.commands.batch import INTERRUPTED, max_cost_option, options_of
from imputer.commands.batch_told import counted, tell_balance, tell_plan, tell_unfinished
from imputer.commands.sources import sources_folder
from imputer.errors import WrongUsage
from imputer.progress import Progress
from imputer.sample import SAMPLE, sample_registry
from imputer.settings import read_settings
from imputer.sources import load_registry
from schemas.errors import OutputUnwritable, RunError, RunInProgress

if TYPE_CHECKING:
    from imputer.asking import Asked, Model
    from imputer.batch.balance import Balance, OpenJob
    from imputer.batch.ledger import Ledger
    from imputer.batch.options import BatchOptions
    from imputer.batch.shards import Planned
    from imputer.gathering import Location
    from imputer.impute import Imputed
    from imputer.settings import Settings


@click.command()
@click.option("--sources", type=click.Path(path_type=Path), help="Folder of the input files (default: WIQ_SOURCES).")
@click.option("--sample", is_flag=True, help="Use the small built-in sample instead.")
@click.option("--no-wait", is_flag=True, help="Send the questions and return; the next run picks up the answers.")
@click.option("--no-model", is_flag=True, help="Ask no model, whatever the environment holds.")
@max_cost_option
@click.option("--quiet", is_flag=True, help="Print nothing but failures.")
def impute(
    sources: Path | None, max_cost: float | None, *, sample: bool, no_wait: bool, no_model: bool, quiet: bool
) -> None:
    """Fill what is missing, and publish it in output/wiq/latest if the run is good.

    Three tiers, in this order: authoritative sources, O*NET, and a language model for what neither fills. The first two
    are published at once. With a key (OPENAI_API_KEY, or AZURE_OPENAI_API_KEY with AZURE_OPENAI_ENDPOINT) their gaps
    are then asked through the Batch API, and the answers published by a second run. Before anything is sent, it says
    what that may cost at most, and what waits from before. Waiting may be cut short at any moment (Ctrl-C): the next
    «imputer impute» goes on.

    Statements that are new are added to the log; where nothing is new, nothing is written. Two runs at once: the
    second is refused before it reads anything, also while the first waits for the model. Meanwhile «--no-model» brings
    what is new in the sources.

    \b
    Examples:
      imputer impute                            from the files in WIQ_SOURCES
      imputer impute --sources ../data          from another folder
      imputer impute --max-cost 5               what all open questions may cost together, in USD
      imputer impute --no-wait                  send the questions; run again tomorrow
      WIQ_OUTPUT=try imputer impute --sample --no-model
      WIQ_CROSSWALK=base_weight imputer impute  a weighted NOC–O*NET crosswalk makes the values

    Exit status: 0 good (also where nothing is new), 1 failed: latest stays as it was, or, where only the model failed,
    holds the first two tiers; 2 wrong usage or another run in progress; 130 interrupted.
    """  # noqa: D301 (click reads the backspace)
    settings, options = read_settings(), options_of(max_cost)
    model = None if no_model else _model(options, wait=not no_wait, quiet=quiet)
    from imputer.gathering import Location  # noqa: PLC0415 (scikit-learn takes a second; --help does not need it)

    real = Location(sources or sources_folder(), load_registry(onet_release=settings.onet_release))
    location = Location(SAMPLE, sample_registry()) if sample else real
    out = _Told(quiet=quiet)
    try:
        if model is not None:
            sys.exit(_three_tiers(settings, location, model, out))
        imputed = _run(settings, location)
        out.run(imputed)
        if imputed.good:
            out.no_model(settings, imputed, chosen=no_model)
        sys.exit(0 if imputed.good else 1)
    except KeyboardInterrupt:
        print("Interrupted: nothing is lost, the next «imputer impute» goes on.", file=sys.stderr)
        sys.exit(INTERRUPTED)


def _three_tiers(settings: Settings, location: Location, model: Model, out: _Told) -> int:
    """The first two tiers published, their gaps asked, the answers published; returns the exit status."""
    from imputer.batch.balance import balance  # noqa: PLC0415
    from imputer.batch.ledger import Ledger  # noqa: PLC0415
    from imputer.batch.shards import PURPOSE  # noqa: PLC0415

    try:
        ledger = Ledger(settings.root)
    except (RunInProgress, OutputUnwritable):
        raise
    except RunError as error:
        # What the sources say does not wait for a ledger.
        out.failed(error, "the model is not asked")
        out.run(_run(settings, location))
        return 1
    with ledger:
        before = balance(ledger, PURPOSE)
        status = _asked_and_published(settings, location, model, ledger, out)
        return max(status, out.came(balance(ledger, PURPOSE).since(before)))


def _asked_and_published(settings: Settings, location: Location, model: Model, ledger: Ledger, out: _Told) -> int:
    from imputer.asking import ask, collected, fetch  # noqa: PLC0415

    known = ""
    try:
        out.fetched(fetch(ledger, model))
    except RunError as error:
        # What the sources say does not wait for a provider.
        out.failed(error, "answers that are under way could not be fetched")
        known = str(error)
    answers = collected(ledger)
    imputed = _run(settings, location)
    if not imputed.good or imputed.outcome.withheld:
        out.run(imputed)
        out.not_asked(imputed, answers)
        return 0 if imputed.good else 1
    out.published(imputed, answers)
    try:
        asked = ask(
            ledger, imputed.folder, model, lambda planned, before: out.plan(planned, before, model.options, model.wait)
        )
    except RunError as error:
        out.run(imputed)
        if str(error) != known:  # one failure, told once
            out.failed(error, "the model was not asked to the end")
        return 2 if isinstance(error, WrongUsage) else 1
    if asked.collected:
        imputed = _run(settings, location)
    out.run(imputed)
    if not imputed.good:
        out.not_asked(imputed, answers + asked.collected)
    status = out.asked(asked, model.options, wait=model.wait)
    return status if imputed.good else 1


def _run(settings: Settings, location: Location) -> Imputed:
    from imputer.impute import impute as run  # noqa: PLC0415

    with Progress(sys.stderr) as progress:
        return run(settings, location, progress)


def _model(options: BatchOptions, *, wait: bool, quiet: bool) -> Model | None:
    """Whom to ask, None without a key. Raises WrongUsage for a model without a price."""
    from imputer.batch.service import read_access  # noqa: PLC0415

    access = read_access()
    if access is None:
        return None
    from imputer.batch.prices import read_price  # noqa: PLC0415

    price = read_price(options.model, options.prices)
    from imputer.asking import Model  # noqa: PLC0415
    from imputer.batch.display import Display  # noqa: PLC0415

    return Model(access, options, price, wait, Display(sys.stderr, quiet=quiet))


@dataclass(frozen=True, slots=True)
class _Told:
    """What the user is told, on standard output; failures go to standard error, also with ``--quiet``."""

    quiet: bool

    def run(self, imputed: Imputed) -> None:
        """The tables of a run, and where they are."""
        if not self.quiet or not imputed.good:
            _tell_run(imputed)

    def no_model(self, settings: Settings, imputed: Imputed, *, chosen: bool) -> None:
        """Why the third tier was left out, in one line."""
        from imputer.batch.balance import under_way  # noqa: PLC0415
        from imputer.batch.shards import PURPOSE  # noqa: PLC0415

        why = "as asked" if chosen else "OPENAI_API_KEY is not set"
        gaps = counted(imputed.outcome.counts["gaps"], "cell stays a gap", "cells stay gaps")
        waiting = ""
        try:
            if batches := under_way(settings.root, PURPOSE):
                many = counted(batches, "batch is", "batches are")
                wait = "and wait for the next «imputer impute» with a model" if chosen else "and wait for the key"
                waiting = f" {many} under way {wait if batches > 1 else wait.replace('wait', 'waits')}."
        except RunError as error:
            self.failed(error, "what is under way is not known")
        self._say(f"No model was asked ({why}): {gaps}, see «imputer gaps».{waiting}")

    def fetched(self, shards: int) -> None:
        """What had been asked before."""
        if shards:
            self._say(f"Answers of {counted(shards, 'shard')} asked earlier were collected.")

    def published(self, imputed: Imputed, answers: int) -> None:
        """That the sources are through, before the long wait."""
        gaps = counted(imputed.outcome.counts["gaps"], "cell has", "cells have")
        held = "the sources and the answers so far" if answers else "the first two tiers"
        self._say(f"Run {imputed.folder.name} of {held} is good; {gaps} no value.")

    def not_asked(self, imputed: Imputed, answers: int) -> None:
        """Why the model is not asked, and where its answers are."""
        if imputed.good:
            self._say(f"The model was not asked: the run does not replace latest ({imputed.outcome.withheld}).")
        elif answers:
            print("The answers of the model are kept: the next good run takes them.", file=sys.stderr)

    def plan(self, planned: Planned, before: list[OpenJob], options: BatchOptions, wait: bool) -> None:  # noqa: FBT001
        """What is asked, what waits from before, and what it costs, before it is sent."""
        if not self.quiet:
            goes_on = "; interrupt the wait at any moment, the next «imputer impute» goes on" if wait else ""
            tell_plan(planned, options, before, f"Job {planned.job_id} is sent now{goes_on}.")

    def asked(self, asked: Asked, options: BatchOptions, *, wait: bool) -> int:
        """What the provider did not do; returns the exit status that it asks for."""
        if asked.worked.in_flight:
            under_way = counted(asked.worked.in_flight, "batch is", "batches are")
            self._say(f"{under_way} under way: the next «imputer impute» goes on.")
        return tell_unfinished(asked.worked, options, wait=wait)

    def came(self, came: Balance) -> int:
        """What was spent and what was given up; returns the exit status that it asks for."""
        return tell_balance(came, quiet=self.quiet)

    def failed(self, error: RunError, what: str) -> None:
        """That the provider failed; what the sources say is published all the same."""
        print(f"FAILED ({error.kind}): {what}: {error}", file=sys.stderr)

    def _say(self, words: str) -> None:
        if not self.quiet:
            print(words, flush=True)


def _tell_run(imputed: Imputed) -> None:
    outcome = imputed.outcome
    for failure in outcome.failures:
        print(f"FAILED ({failure.kind}): {failure}", file=sys.stderr)
    if not imputed.good:
        print(
            f"Run {imputed.folder.name} is BAD: latest stays as it was. See {imputed.folder / 'run.json'}",
            file=sys.stderr,
        )
        return
    counts = outcome.counts
    width = max(len(name) for name in counts)
    for name in sorted(counts):
        print(f"  {name:<{width}} {counts[name]:>9,}")
    for warning in outcome.warnings:
        print(f"warning: {warning}")
    if not imputed.new:
        print(f"Nothing is new: run {imputed.folder.name} stays the latest.")
    elif outcome.withheld:
        print(f"Run {imputed.folder.name} is good but does not replace latest: {outcome.withheld}.")
    else:
        changes = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in outcome.changes.items())
        print(f"Run {imputed.folder.name} is good: {changes}.")
    print(f"Files: {imputed.folder.parent.parent / 'latest' if not outcome.withheld else imputed.folder}", flush=True)
