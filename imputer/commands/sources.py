"""``imputer sources``: which input files are here, how to get the others, and whether they are what they should be."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from imputer.errors import SourceAltered, SourceMissing, WrongUsage
from imputer.settings import read_settings
from imputer.sources.accepting import add as add_file
from imputer.sources.fetching import Fetcher
from imputer.sources.folder import State, examine_all, require
from imputer.sources.inputs import read_inputs
from imputer.sources.registry import REGISTRY, Registry, load_registry
from imputer.sources.tbs import crawl_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from imputer.sources.folder import Examined
    from imputer.sources.registry import SourceFile

DEFAULT_FOLDER = Path("output/sources")

_STYLES = {
    State.VERIFIED: "green",
    State.ACCEPTED: "green",
    State.UNPINNED: "cyan",
    State.ALTERED: "red",
    State.MISSING: "yellow",
}


class _Place:
    """Folder and registry that a command works on."""

    def __init__(self, folder: Path, registry: Registry) -> None:
        self.folder = folder
        self.registry = registry


def sources_folder() -> Path:
    """The folder of input files: WIQ_SOURCES, or output/sources."""
    return Path(os.environ.get("WIQ_SOURCES") or DEFAULT_FOLDER)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the input files. Default: WIQ_SOURCES, or output/sources.",
)
@click.option(
    "--registry",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    default=REGISTRY,
    help="Another registry of input files, for a mirror. Default: the built-in one.",
)
@click.pass_context
def sources(context: click.Context, folder: Path | None, registry: Path) -> None:
    """The input files: where they stand, how to get them, whether they are the right ones.

    They stand in one folder, WIQ_SOURCES (default output/sources), each under the path that the registry
    gives it; no other file is ever opened. The Job Architecture has no public download: add your copy.

    \b
    Examples:
      imputer sources status                         what is here, and how to get the rest
      imputer sources fetch                          download everything that is missing
      imputer sources add job_architecture JA.csv    take your own copy, once it can be read
      imputer sources verify                         check checksums, then read every file strictly
      WIQ_SOURCES=/data/wiq imputer sources status   another folder

    Exit status: 0 good, 1 a file is missing, altered or cannot be read, 2 wrong usage.
    """  # noqa: D301 (click reads the backspace)
    loaded = load_registry(registry, os.environ.get("WIQ_ONET_RELEASE") or None)
    context.obj = _Place(folder or sources_folder(), loaded)


@sources.command()
@click.option("--all", "everything", is_flag=True, help="List what is there and verified too, file by file.")
@click.pass_obj
def status(place: _Place, everything: bool) -> None:  # noqa: FBT001 (click's signature)
    """Each input file: present and verified, or missing and how to get it.

    \b
    Examples:
      imputer sources status
      imputer sources status --all

    Exit status: 0 when a run can start, 1 when a required file is missing or altered.
    """  # noqa: D301 (click reads the backspace)
    found = examine_all(place.registry, place.folder)
    shown = [one for one in found.values() if everything or one.state is not State.VERIFIED]
    console = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=400)
    if shown:
        console.print(_table(shown))
    good = sum(one.usable for one in found.values())
    stop = [one for one in found.values() if _stops(one)]
    console.print(f"{good} of {len(found)} input files are ready in {place.folder}; {len(stop)} required ones are not.")
    if any(one.state is State.MISSING and not one.file.supplied for one in found.values()):
        console.print("Get what is missing: imputer sources fetch")
    crawl = read_settings().crawl
    console.print(
        f"The crawl of the Treasury Board pages is in {crawl}."
        if crawl_version(crawl)
        else f"There is no crawl of the Treasury Board pages in {crawl} (optional): scrapy crawl tbs"
    )
    if stop:
        sys.exit(1)


@sources.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--accept-new", is_flag=True, help="Take another version than the known one, if it can be read.")
@click.option("--again", is_flag=True, help="Fetch also what is here.")
@click.option("--pause", type=click.FloatRange(0), default=1.0, help="Seconds before a first new attempt. Default: 1.")
@click.pass_obj
def fetch(place: _Place, ids: tuple[str, ...], accept_new: bool, again: bool, pause: float) -> None:  # noqa: FBT001
    """Download input files from their publishers and check them; all that are missing, or those named.

    A cut download is continued by the next fetch. A published file that is not the known version is not
    taken unless you say so; then it is read strictly first, and its checksum recorded in accepted.toml.

    \b
    Examples:
      imputer sources fetch
      imputer sources fetch oasis_skills cops_employment
      imputer sources fetch --accept-new --again cops_employment
    """  # noqa: D301 (click reads the backspace)
    wanted = [place.registry.file(source_id) for source_id in ids]
    supplied = [file for file in wanted if file.supplied or not file.path]
    if supplied:
        raise WrongUsage(f"{supplied[0].id} cannot be downloaded", next_step=supplied[0].how_to_get_it)
    found = examine_all(place.registry, place.folder)
    files = [
        one.file
        for one in found.values()
        if not one.file.supplied and (not ids or one.file.id in ids) and (again or not one.usable)
    ]
    with _progress() as watch:
        outcomes = Fetcher(place.registry, place.folder, watch, pause).fetch(files, accept_new=accept_new)
    failed = [outcome for outcome in outcomes if outcome.error]
    for outcome in failed:
        click.echo(f"{outcome.file.id}: {outcome.error}", err=True)
    here = len(outcomes) - len(failed)
    click.echo(f"{here} files fetched, {len(failed)} not; {len(found) - len(files)} were not asked for or are here.")
    if any(outcome.file.required for outcome in failed) or (failed and ids):
        sys.exit(1)


@sources.command()
@click.option("--checksums-only", is_flag=True, help="Do not read the files.")
@click.pass_obj
def verify(place: _Place, checksums_only: bool) -> None:  # noqa: FBT001
    """Check every file's checksum, then read each strictly and say what was repaired.

    \b
    Examples:
      imputer sources verify
      imputer sources verify --checksums-only
    """  # noqa: D301 (click reads the backspace)
    wrong = 0
    for one in examine_all(place.registry, place.folder).values():
        try:
            if one.sha256 or one.file.required:
                require(one)
        except (SourceAltered, SourceMissing) as error:
            wrong += 1
            click.echo(f"{error.kind}: {error}", err=True)
    if wrong:
        sys.exit(1)
    if checksums_only:
        click.echo("Every file is a known version.")
        return
    inputs = read_inputs(place.folder, registry=place.registry)
    rows = sum(table.num_rows for table in inputs.tables().values())
    rules = len({issue.rule for issue in inputs.issues})
    click.echo(
        f"{len(inputs.versions)} files read, {rows:,} rows; {len(inputs.issues):,} repairs by {rules} named rules."
    )


@sources.command()
@click.argument("arguments", nargs=-1, required=True, metavar="[ID] FILE")
@click.pass_obj
def add(place: _Place, arguments: tuple[str, ...]) -> None:
    """Copy a file into the folder, once its strict reader has read it, and record its checksum.

    ID names which of the input files it is (see `imputer sources status --all`); without one it is the
    Job Architecture.

    \b
    Examples:
      imputer sources add JOB_ARCHITECTURE.csv
      imputer sources add oasis_skills ~/Downloads/skills_oasis_2023_v1.0-1.csv
    """  # noqa: D301 (click reads the backspace)
    if len(arguments) > 2:  # noqa: PLR2004
        raise WrongUsage("too many arguments", "[ID] FILE", " ".join(arguments))
    source_id, given = arguments if len(arguments) == 2 else ("job_architecture", arguments[0])  # noqa: PLR2004
    file = place.registry.file(source_id)
    if not file.path:
        raise WrongUsage(f"{source_id} is no file", "the id of an input file", source_id)
    digest = add_file(place.registry, place.folder, file, Path(given))
    click.echo(f"{file.path} is in {place.folder}, sha256 {digest}.")


def _stops(one: Examined) -> bool:
    return one.state is State.ALTERED or (one.state is State.MISSING and one.file.required)


def _table(found: Iterable[Examined]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("ID", "State", "File", "What to do"):
        table.add_column(name, overflow="fold")
    for one in found:
        optional = "" if one.file.required else " (optional)"
        state = f"[{_STYLES[one.state]}]{one.state}[/]{optional if one.state is State.MISSING else ''}"
        table.add_row(one.file.id, state, str(one.file.path), _what_to_do(one))
    return table


def _what_to_do(one: Examined) -> str:
    file: SourceFile = one.file
    if one.usable:
        return ""
    if one.state is State.ALTERED:
        return f"imputer sources add {file.id} {one.path}, or fetch --again {file.id}"
    return "ask its owner, then imputer sources add" if file.supplied else (file.page or file.url or "")


class _progress:  # noqa: N801 (used as a function)
    """Bars on a terminal, silence elsewhere; gives what Fetcher calls ``watch``."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        self._bars = Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty())

    def __enter__(self) -> Callable[[str], Callable[[int, int | None], None]]:
        self._bars.start()
        return self._watch

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def _watch(self, name: str) -> Callable[[int, int | None], None]:
        task = self._bars.add_task(name, total=None)
        return lambda done, total: self._bars.update(task, completed=done, total=total)
