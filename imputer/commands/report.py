"""``imputer report``: a finished run as a page to read."""

from __future__ import annotations

from pathlib import Path

import click

from imputer.errors import WrongUsage
from imputer.settings import read_settings
from imputer.wording import LANGUAGES, text


@click.command()
@click.option("--language", type=click.Choice(LANGUAGES), help="One language only (default: both).")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Folder for both pages, or file for one language (default: the current folder).",
)
def report(language: str | None, output: Path | None) -> None:
    """Write report_en.html and report_fr.html: coverage, confidence, gaps, backtests, sources, with plots and tables.

    Each page stands alone: it needs no network and no other file. The last run's own copies are in output/wiq/latest;
    this writes them anew, with the figures that «imputer backtest --json output/wiq/backtest.json» has left since.

    \b
    Examples:
      imputer report
      imputer report -o /srv/reports
      imputer report --language fr -o rapport.html

    Exit status: 0 written, 1 there is no finished run, or it cannot be written, 2 one file for two languages.
    """  # noqa: D301 (click reads the backspace)
    from imputer.report import write_report  # noqa: PLC0415 (matplotlib; --help does not need it)
    from schemas.errors import Incomplete  # noqa: PLC0415
    from schemas.runs import latest_run, output_unwritable  # noqa: PLC0415

    root = read_settings().root
    folder = latest_run(root)
    if folder is None:
        raise Incomplete("there is no finished run to report on", str(root / "latest"), "nothing")
    target = output or Path()
    if target.suffix == ".html":
        if language is None:
            raise WrongUsage(f"{target} is one file", "a folder for both languages, or --language", "neither")
        paths = {language: target}
    else:
        try:
            target.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_unwritable(target, error) from error
        paths = {one: target / f"report_{one}.html" for one in LANGUAGES if language in (None, one)}
    for one, path in paths.items():
        write_report(folder, one, path)
        click.echo(text("report_written", one, path=path))
