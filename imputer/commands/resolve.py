"""``imputer resolve``: job titles to NOC unit groups and OaSIS profiles."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from imputer.errors import WrongUsage

if TYPE_CHECKING:
    from imputer.resolution import Resolution, Resolver


@click.command()
@click.argument("titles", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="File to write: .parquet, .csv or .jsonl."
)
@click.option("--title-column", default="title", show_default=True, help="Column of TITLES that holds the titles.")
@click.option(
    "--language",
    type=click.Choice(["en", "fr"]),
    help="Language of titles that have none stated. Default: by their words.",
)
@click.option("--title", help="Resolve this one title and print the answer.")
@click.option("--unit-group", help="NOC unit group of --title, five digits. Default: inferred.")
@click.option("--title-fr", help="--title in French, where both are known.")
@click.option("--job-function", help="Job function of --title.")
@click.option("--job-family", help="Job family of --title.")
@click.option("--managerial-level", help="Managerial level of --title.")
@click.option("--sources", type=click.Path(path_type=Path), help="Folder of the input files (default: WIQ_SOURCES).")
def resolve(  # noqa: PLR0913, PLR0917 (one per option)
    titles: Path | None,
    output: Path | None,
    title_column: str,
    language: str | None,
    title: str | None,
    unit_group: str | None,
    title_fr: str | None,
    job_function: str | None,
    job_family: str | None,
    managerial_level: str | None,
    sources: Path | None,
) -> None:
    """Find the NOC unit group and OaSIS profile of job titles, with confidence and reason.

    TITLES is a CSV or Parquet file with a column «title»; unit_group, language, title_fr, job_function, job_family and
    managerial_level are used where they are there. One row is written per row read, in order. Where no unit group is
    given, it is inferred, or left empty where that is too unsure; candidates are always given.

    \b
    Examples:
      imputer resolve titles.csv -o resolved.parquet
      imputer resolve titres.csv -o resolved.csv --title-column titre --language fr
      imputer resolve --title "Graphic Designer"
      imputer resolve --title "Graphic Designer" --unit-group 52120

    Exit status: 0 resolved, 1 an input file is missing or broken, 2 wrong usage.
    """  # noqa: D301 (click reads the backspace)
    if (titles is None) == (title is None):
        raise click.UsageError("give either a file of titles or --title")
    if titles is not None and output is None:
        raise click.UsageError("give the file to write: -o resolved.parquet")
    from imputer.resolution.files import check_paths, resolve_file  # noqa: PLC0415 (--help does not need them)

    if titles is None or output is None:
        assert title is not None, "checked above"
        resolver = _resolver(sources)
        found = resolver.resolve(
            title,
            unit_group,
            language,
            title_fr=title_fr,
            job_function=job_function,
            job_family=job_family,
            managerial_level=managerial_level,
        )
        _print(resolver, found)
        return
    if any((unit_group, title_fr, job_function, job_family, managerial_level)):
        raise WrongUsage("these options describe --title", next_step="for a file, make them columns of it")
    check_paths(titles, output, title_column)
    console = Console(stderr=True)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.completed:,.0f}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("Reading the sources", total=None)
        resolver = _resolver(sources)
        progress.update(task, description="Resolving job titles")
        done = resolve_file(
            resolver, titles, output, title_column, language, lambda count: progress.update(task, completed=count)
        )
    print(f"{done:,} titles resolved: {output}")


def _resolver(sources: Path | None) -> Resolver:
    from imputer.commands.sources import sources_folder  # noqa: PLC0415
    from imputer.resolution.resolver import resolver_of  # noqa: PLC0415

    return resolver_of(sources or sources_folder())


def _print(resolver: Resolver, found: Resolution) -> None:
    names = resolver.names
    label = resolver.profiles.labels.get(found.profile or "", "")
    calibrated = "not measured" if found.confidence_calibrated is None else f"{found.confidence_calibrated:.1%}"
    lines = [
        ("Unit group", f"{found.unit_group}  {names.get(found.unit_group, '')}" if found.unit_group else "not settled"),
        ("OaSIS profile", f"{found.profile}  {label}" if found.profile else "not settled"),
        ("Method", found.method),
        ("Confidence", f"{found.confidence:.2f} stated, {calibrated} of such answers right in backtests"),
        ("Matched text", found.matched_text or "—"),
        (
            "Runner-up",
            f"{found.runner_up}, behind by {found.margin:.3f}" if found.runner_up and found.margin is not None else "—",
        ),
        ("As good", ", ".join(found.tied) or "—"),
        ("Why", found.rationale),
    ]
    for name, text in lines:
        print(f"{name + ':':<15} {text}")
    print("Candidates:")
    for candidate in found.candidates:
        print(f"  {candidate.unit_group}  {candidate.score:6.1%}  {names.get(candidate.unit_group, '')}")
