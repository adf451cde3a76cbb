"""``imputer impute``: the monthly run."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from imputer.commands.batch import max_cost_option, options_of, tell_plan, tell_unfinished
from imputer.commands.sources import sources_folder
from imputer.progress import Progress
from imputer.sample import SAMPLE, sample_registry
from imputer.settings import read_settings
from imputer.sources import load_registry
from schemas.errors import RunError

if TYPE_CHECKING:
    from imputer.asking import Asked, Model
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
    are then asked through the Batch API, and the answers published by a second run. Waiting may be cut short at any
    moment: the next «imputer impute» goes on.

    Statements that are new are added to the log; where nothing is new, nothing is written. Two runs at once: the
    second is refused.

    \b
    Examples:
      imputer impute                            from the files in WIQ_SOURCES
      imputer impute --sources ../data          from another folder
      imputer impute --max-cost 5               what the model may cost, at most, in USD
      imputer impute --no-wait                  send the questions; run again tomorrow
      WIQ_OUTPUT=try imputer impute --sample --no-model
      WIQ_CROSSWALK=weighted imputer impute     the weighted NOC–O*NET crosswalk makes the values

    Exit status: 0 good (also where nothing is new), 1 failed: latest stays as it was, or, where only the model failed,
    holds the first two tiers; 2 wrong usage or another run in progress.
    """  # noqa: D301 (click reads the backspace)
    from imputer.gathering import Location  # noqa: PLC0415 (scikit-learn takes a second; --help does not need it)

    settings = read_settings()
    real = Location(sources or sources_folder(), load_registry(onet_release=settings.onet_release))
    location = Location(SAMPLE, sample_registry()) if sample else real
    out = _Told(quiet=quiet)
    options = options_of(max_cost)
    model = None if no_model else _model(options, wait=not no_wait)
    if model is None:
        imputed = _run(settings, location)
        out.run(imputed)
        if imputed.good:
            out.no_model(settings, imputed, chosen=no_model)
        sys.exit(0 if imputed.good else 1)
    sys.exit(_three_tiers(settings, location, model, out))


def _three_tiers(settings: Settings, location: Location, model: Model, out: _Told) -> int:
    """The first two tiers published, their gaps asked, the answers published; returns the exit status."""
    from imputer.asking import ask, fetch, under_way  # noqa: PLC0415

    try:
        if under_way(settings.root):
            out.fetched(fetch(settings.root, model))
    except RunError as error:
        # What the sources say does not wait for a provider.
        out.failed(error, "answers that are under way could not be fetched")
    imputed = _run(settings, location)
    if not imputed.good or imputed.outcome.withheld:
        out.run(imputed)
        return 0 if imputed.good else 1
    out.first_tiers(imputed)
    try:
        asked = ask(settings.root, imputed.folder, model, lambda planned: out.plan(planned, model.options))
    except RunError as error:
        out.run(imputed)
        out.failed(error, "the model was not asked to the end")
        return 1
    if asked.collected:
        imputed = _run(settings, location)
    out.run(imputed)
    status = out.asked(asked, model.options, wait=model.wait)
    return status if imputed.good else 1


def _run(settings: Settings, location: Location) -> Imputed:
    from imputer.impute import impute as run  # noqa: PLC0415

    with Progress(sys.stderr) as progress:
        return run(settings, location, progress)


def _model(options: BatchOptions, *, wait: bool) -> Model | None:
    """Whom to ask, None without a key."""
    from imputer.batch.service import read_access  # noqa: PLC0415

    access = read_access()
    if access is None:
        return None
    from imputer.asking import Model  # noqa: PLC0415
    from imputer.batch.display import Display  # noqa: PLC0415

    return Model(access, options, wait, Display(sys.stderr))


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
        from imputer.asking import under_way  # noqa: PLC0415

        why = "as asked" if chosen else "OPENAI_API_KEY is not set"
        batches = under_way(settings.root)
        waiting = f" {batches:,} batches are under way and wait for the key." if batches else ""
        gaps = imputed.outcome.counts["gaps"]
        self._say(f"No model was asked ({why}): {gaps:,} cells stay gaps, see «imputer gaps».{waiting}")

    def fetched(self, asked: Asked) -> None:
        """What had been asked before."""
        if asked.collected:
            self._say(f"Answers of {asked.collected:,} shards asked earlier were collected.")

    def first_tiers(self, imputed: Imputed) -> None:
        """That the sources are through, before the long wait."""
        gaps = imputed.outcome.counts["gaps"]
        self._say(f"Run {imputed.folder.name} of the first two tiers is good; {gaps:,} cells have no value.")

    def plan(self, planned: Planned, options: BatchOptions) -> None:
        """What is asked and what it costs, before it is sent."""
        if not self.quiet:
            tell_plan(planned, options)

    def asked(self, asked: Asked, options: BatchOptions, *, wait: bool) -> int:
        """What the provider did not do; returns the exit status that it asks for."""
        if asked.worked.in_flight:
            self._say(f"{asked.worked.in_flight:,} batches are under way: the next «imputer impute» goes on.")
        return tell_unfinished(asked.worked, options, wait=wait)

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
