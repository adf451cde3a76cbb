"""``imputer gaps``: what is missing, and why."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

import click
from rich.table import Table
from rich.text import Text

from imputer.printing import show, width
from imputer.settings import read_settings
from imputer.wording import LANGUAGES, labels, number, percent, text, word

if TYPE_CHECKING:
    from imputer.gap_summary import GapSummary


_WIDE = 90  # characters that the table takes without its reasons
_REASON = 14


@click.command()
@click.option("--domain", help="One domain, attribute by attribute: its code or name, such as skills or Compétences.")
@click.option("--reason", type=click.Choice(list(labels()["reason"]), case_sensitive=False), help="Gaps of one reason.")
@click.option(
    "--language", type=click.Choice(LANGUAGES), default="en", show_default=True, help="Language of the answer."
)
@click.option(
    "--csv", "path", type=click.Path(path_type=Path, dir_okay=False), help="Also write every missing cell to a file."
)
def gaps(domain: str | None, reason: str | None, language: str, path: Path | None) -> None:
    """Show what no source fills, by domain and reason: counts, and shares of the cells that are to be filled.

    \b
    Examples:
      imputer gaps
      imputer gaps --domain skills                       attribute by attribute
      imputer gaps --reason NO_CROSSWALK --csv todo.csv  the cells one by one, for a spreadsheet
      imputer gaps --language fr

    Exit status: 0 shown, 1 there is no finished run, or the file cannot be written, 2 unknown domain or reason.
    """  # noqa: D301 (click reads the backspace)
    from imputer.explain.finding import find_domain  # noqa: PLC0415 (DuckDB and Arrow; --help does not need them)
    from imputer.finished import open_latest  # noqa: PLC0415
    from imputer.gap_summary import summarise, write_details  # noqa: PLC0415

    with open_latest(read_settings().root) as run:
        if domain is not None:
            domain = find_domain(run, domain, language)
        summary = summarise(run, domain, reason)
        if summary.total("missing"):
            _show(summary, domain, language)
        else:
            show(text("gaps_none_here" if domain or reason else "gaps_none", language))
        click.echo(text("gaps_details", language, path=run.folder / "gaps.parquet"))
        if path is not None:
            count = write_details(run, path, language, domain, reason)
            click.echo(text("gaps_written", language, count=number(count, language), path=path))


def _show(summary: GapSummary, domain: str | None, language: str) -> None:
    from imputer.gap_summary import name_of_line  # noqa: PLC0415

    reasons = [reason for reason in labels()["reason"] if summary.by_reason(reason)]
    # Beside each domain where there is room; below, where each is explained, in any case.
    beside = reasons if width() >= _WIDE + _REASON * len(reasons) else []
    title = text("gaps_title", language)
    if domain:
        title = text("gaps_by_attribute", language, domain=word("domain", domain, language))
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    table.add_column(text("attribute" if domain else "domain", language), overflow="fold", vertical="bottom")
    headings = [text(key, language) for key in ("gaps_cells", "gaps_filled", "gaps_missing", "gaps_share")]
    for heading in (*headings, *(fill(word("reason", reason, language), _REASON - 2) for reason in beside)):
        table.add_column(heading, justify="right", no_wrap=True, vertical="bottom")
    for line in summary.lines:
        counts = (number(count, language) for count in (line.cells, line.filled, line.missing))
        per_reason = (number(line.by_reason.get(reason, 0), language) for reason in beside)
        table.add_row(Text(name_of_line(line, language)), *counts, percent(line.share, language), *per_reason)
    cells, missing = summary.total("cells"), summary.total("missing")
    totals = (number(summary.total(name), language) for name in ("cells", "filled", "missing"))
    per_reason = (number(summary.by_reason(reason), language) for reason in beside)
    name = text("gaps_all_attributes" if domain else "gaps_all", language)
    table.add_row(name, *totals, percent(missing / cells, language), *per_reason, style="bold")
    counts_of_titles = {"count": number(summary.titles, language), "all": number(summary.all_titles, language)}
    counted = {reason: summary.by_reason(reason) for reason in reasons}
    shown: list[Table | str] = [table, "", _why("reason", counted, summary.reasons, language)]
    if summary.asked_in_vain:
        shown += ["", _why("model_reason", summary.asked_in_vain, summary.model_reasons, language)]
    show(*shown, "", text("gaps_titles", language, **counts_of_titles))


def _why(kind: str, counted: dict[str, int], sentences: dict[str, dict[str, str]], language: str) -> Table:
    """Missing cells by reason, with the reason in words; ``kind`` is the section of labels."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column(text("gaps_reasons" if kind == "reason" else "gaps_model", language), no_wrap=True)
    table.add_column(text("gaps_missing", language), justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for reason, count in counted.items():
        told = f"{sentences[reason][language]} ({reason})"
        table.add_row(word(kind, reason, language), number(count, language), Text(told))
    return table
