"""``imputer backtest``: how right the imputed values are, where the truth is known."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from imputer.evaluate.backtests import Backtests

_TIERS = ("resolution", "hierarchical", "onet", "llm")


@click.command()
@click.option("--tier", type=click.Choice([*_TIERS, "all"]), default="all", show_default=True, help="What to measure.")
@click.option("--seed", type=int, default=2026, show_default=True, help="Seed of folds, resamples and hidden titles.")
@click.option("--sources", type=click.Path(path_type=Path), help="Folder of the input files (default: WIQ_SOURCES).")
@click.option("--sample", type=click.IntRange(min=1), help="llm: job titles whose values are hidden (default: 120).")
@click.option("--domain", help="llm: hide values of one domain only, such as skills.")
@click.option("--max-cost", type=click.FloatRange(min=0), help="llm: most it may cost in USD (default: WIQ_MAX_COST).")
@click.option("--attributes", is_flag=True, help="llm: print a table of all attributes too.")
@click.option("--write-calibration", is_flag=True, help="Keep what is fitted: runs state calibrated confidence by it.")
@click.option(
    "--json",
    "report",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write all figures to a file; those of tiers not measured now stay in it.",
)
@click.option("--strict", is_flag=True, help="Exit with 1 where a bar is not reached.")
def backtest(  # noqa: PLR0913 (one per option)
    tier: str,
    seed: int,
    sources: Path | None,
    sample: int | None,
    domain: str | None,
    max_cost: float | None,
    report: Path | None,
    *,
    attributes: bool,
    write_calibration: bool,
    strict: bool,
) -> None:
    """Measure how right imputed values are: published values are hidden, made again, and compared.

    Each figure stands beside the bar that it is held to, with a 95 % bootstrap interval in which values of one unit
    group are drawn together. The same seed gives the same figures.

    «--tier llm» hides known values of the last good run, asks the model for them as it is asked for gaps, and measures
    local baselines beside it. It may cost money, so «all» leaves it out: what it costs is said before anything is
    sent, nothing is paid twice, and without a key only the baselines are measured.

    \b
    Examples:
      imputer backtest                                all tiers but the model, some minutes
      imputer backtest --tier onet                    O*NET against OaSIS, some seconds
      imputer backtest --json figures.json --strict   for a scheduler
      imputer backtest --write-calibration            after an input file changed: fit the calibrations anew
      imputer backtest --tier llm --sample 30 --max-cost 1
      imputer backtest --tier llm --write-calibration --json output/wiq/backtest.json
                                                      then «imputer impute» and «imputer report» show it

    Exit status: 0 measured, 1 failed (with --strict also where a bar is not reached), 2 wrong usage.
    """  # noqa: D301 (click reads the backspace)
    if tier != "llm" and (sample or domain or attributes or max_cost is not None):
        raise click.UsageError("--sample, --domain, --max-cost and --attributes are options of --tier llm")
    if domain and write_calibration:
        raise click.UsageError("--write-calibration needs all domains: leave --domain out")
    from imputer.commands.backtest_tables import print_figures, print_model  # noqa: PLC0415 (--help does not need them)
    from imputer.evaluate.backtests import TIERS, keep  # noqa: PLC0415
    from imputer.evaluate.kept import read_figures, with_figures, write_figures  # noqa: PLC0415

    before = read_figures(report) if report else {}
    problems: tuple[str, ...] = ()
    if tier == "llm":
        found, problems = _model(seed, sample, domain, max_cost)
    else:
        found = _others(TIERS if tier == "all" else (tier,), seed, sources)
    print_figures(found)
    if tier == "llm":
        print_model(found.details[tier], attributes=attributes)
    if report:
        write_figures(report, with_figures(before, found, TIERS if tier == "all" else (tier,)))
        print(f"All figures: {report}")
    if write_calibration:
        for path in keep(found):
            print(f"Calibration: {path}")
    for problem in problems:
        print(f"FAILED: {problem}", file=sys.stderr)
    if problems or (strict and found.missed):
        sys.exit(1)


def _others(tiers: tuple[str, ...], seed: int, sources: Path | None) -> Backtests:
    from rich.console import Console  # noqa: PLC0415

    from imputer.commands.sources import sources_folder  # noqa: PLC0415
    from imputer.evaluate.backtests import run_backtests  # noqa: PLC0415
    from imputer.onet.rules import OnetRules  # noqa: PLC0415
    from imputer.settings import read_settings  # noqa: PLC0415

    rules = OnetRules(crosswalk=read_settings().crosswalk)
    with Console(stderr=True).status("starting") as status:
        return run_backtests(sources or sources_folder(), tiers, seed, status.update, rules)


def _model(
    seed: int, sample: int | None, domain: str | None, max_cost: float | None
) -> tuple[Backtests, tuple[str, ...]]:
    from rich.console import Console  # noqa: PLC0415

    from imputer.batch.display import Display  # noqa: PLC0415
    from imputer.batch.options import read_options  # noqa: PLC0415
    from imputer.batch.service import read_access  # noqa: PLC0415
    from imputer.evaluate.masking import SAMPLE  # noqa: PLC0415
    from imputer.evaluate.model import Wanted, model_backtest  # noqa: PLC0415
    from imputer.settings import read_settings  # noqa: PLC0415

    options = read_options()
    if max_cost is not None:
        options = replace(options, max_cost=max_cost)
    wanted = Wanted(seed, sample or SAMPLE, domain)
    display, busy = Display(sys.stderr), Console(stderr=True).status
    return model_backtest(read_settings().root, wanted, options, read_access(), click.echo, display, busy)
