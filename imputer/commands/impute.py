"""``imputer impute``: the monthly run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from imputer.commands.sources import sources_folder
from imputer.progress import Progress
from imputer.sample import SAMPLE, sample_registry
from imputer.settings import read_settings
from imputer.sources import load_registry

if TYPE_CHECKING:
    from imputer.impute import Imputed


@click.command()
@click.option("--sources", type=click.Path(path_type=Path), help="Folder of the input files (default: WIQ_SOURCES).")
@click.option("--sample", is_flag=True, help="Use the small built-in sample instead.")
@click.option("--quiet", is_flag=True, help="Print nothing but failures.")
def impute(sources: Path | None, *, sample: bool, quiet: bool) -> None:
    """Fill what is missing, and publish it in output/wiq/latest if the run is good.

    Statements that are new are added to the log; where nothing is new, nothing is written. Two runs at once: the
    second is refused.

    \b
    Examples:
      imputer impute                            from the files in WIQ_SOURCES
      imputer impute --sources ../data          from another folder
      WIQ_OUTPUT=try imputer impute --sample
      WIQ_CROSSWALK=weighted imputer impute     the weighted NOC–O*NET crosswalk makes the values

    Exit status: 0 good (also where nothing is new), 1 failed: latest stays as it was.
    """  # noqa: D301 (click reads the backspace)
    from imputer.gathering import Location  # noqa: PLC0415 (scikit-learn takes a second; --help does not need it)
    from imputer.impute import impute as run  # noqa: PLC0415

    settings = read_settings()
    real = Location(sources or sources_folder(), load_registry(onet_release=settings.onet_release))
    location = Location(SAMPLE, sample_registry()) if sample else real
    with Progress(sys.stderr) as progress:
        imputed = run(settings, location, progress)
    if not quiet or not imputed.good:
        _tell(imputed)
    sys.exit(0 if imputed.good else 1)


def _tell(imputed: Imputed) -> None:
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
    print(f"Files: {imputed.folder.parent.parent / 'latest' if not outcome.withheld else imputed.folder}")
