"""``imputer backtest``: how right the imputed values are, where the truth is known."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich import box
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imputer.evaluate.backtests import Backtests
    from imputer.evaluate.figures import Figure

_TITLES = {
    "resolution": "Resolution: job title → unit group → OaSIS profile",
    "hierarchical": "Tier 1, hierarchical: values inherited from OaSIS profiles and unit groups",
    "onet": "Tier 2, O*NET: OaSIS ratings estimated for unit groups left out",
}

#: Columns of a file or pipe, which has no width of its own.
_WIDTH = 140


@click.command()
@click.option("--tier", type=click.Choice([*_TITLES, "all"]), default="all", show_default=True, help="What to measure.")
@click.option("--seed", type=int, default=2026, show_default=True, help="Seed of folds and resamples.")
@click.option("--sources", type=click.Path(path_type=Path), help="Folder of the input files (default: WIQ_SOURCES).")
@click.option("--write-calibration", is_flag=True, help="Keep what is fitted: runs state calibrated confidence by it.")
@click.option("--json", "report", type=click.Path(path_type=Path, dir_okay=False), help="Write all figures to a file.")
@click.option("--strict", is_flag=True, help="Exit with 1 where a bar is not reached.")
def backtest(
    tier: str, seed: int, sources: Path | None, report: Path | None, *, write_calibration: bool, strict: bool
) -> None:
    """Measure how right imputed values are: published values are hidden, made again, and compared.

    Each figure stands beside the bar that it is held to, with a 95 % bootstrap interval in which values of one unit
    group are drawn together. The same seed gives the same figures.

    \b
    Examples:
      imputer backtest                                all tiers, some minutes
      imputer backtest --tier onet                    O*NET against OaSIS, some seconds
      imputer backtest --json figures.json --strict   for a scheduler
      imputer backtest --write-calibration            after an input file changed: fit the calibrations anew

    Exit status: 0 measured, 1 failed (with --strict also where a bar is not reached), 2 wrong usage.
    """  # noqa: D301 (click reads the backspace)
    from imputer.commands.sources import sources_folder  # noqa: PLC0415 (--help does not need them)
    from imputer.evaluate.backtests import TIERS, keep, run_backtests  # noqa: PLC0415
    from imputer.onet.rules import OnetRules  # noqa: PLC0415
    from imputer.settings import read_settings  # noqa: PLC0415

    rules = OnetRules(crosswalk=read_settings().crosswalk)
    with Console(stderr=True).status("starting") as status:
        tiers = TIERS if tier == "all" else (tier,)
        found = run_backtests(sources or sources_folder(), tiers, seed, status.update, rules)
    _print(found)
    if report:
        text = json.dumps(found.as_record(), indent=1, ensure_ascii=False, sort_keys=True)
        report.write_text(text + "\n", encoding="utf-8")
        print(f"All figures: {report}")
    if write_calibration:
        for path in keep(found):
            print(f"Calibration: {path}")
    if strict and found.missed:
        sys.exit(1)


def _print(found: Backtests) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    for tier, title in _TITLES.items():
        figures = [figure for figure in found.figures if figure.tier == tier]
        if figures:
            console.print(_table(title, figures))
    for figure in found.missed:
        console.print(f"Not reached: {figure.tier}, {figure.name}: {_shown(figure, figure.value)}", style="red")


def _table(title: str, figures: Iterable[Figure]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for name, justify in (("Measured", "left"), ("Value", "right"), ("95 % interval", "right"), ("Bar", "right")):
        table.add_column(name, justify=justify, no_wrap=name != "Measured")  # type: ignore[arg-type]
    table.add_column("", no_wrap=True)
    table.add_column("n", justify="right", no_wrap=True)
    for figure in figures:
        bar = "" if figure.bar is None else f"{'≥' if figure.at_least else '≤'} {_shown(figure, figure.bar)}"
        reached = {True: "[green]reached[/]", False: "[red]missed[/]", None: ""}[figure.reached]
        name = f"{figure.name} [dim]({figure.note})[/]" if figure.note else figure.name
        interval = f"{_shown(figure, figure.low)} – {_shown(figure, figure.high)}"
        table.add_row(name, _shown(figure, figure.value), interval, bar, reached, f"{figure.n:,}")
    return table


def _shown(figure: Figure, value: float) -> str:
    return f"{100 * value:.1f} %" if figure.percent else f"{value:.3f}"
