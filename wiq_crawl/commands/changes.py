"""``scrapy changes``: what changed between the last two good runs, or between two runs named."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from scrapy.commands import ScrapyCommand

from schemas.errors import RunError
from schemas.runs import RUNS, good_runs, read_manifest
from schemas.table import LANGUAGES
from wiq_crawl.changes import PROGRAM, change_report, render
from wiq_crawl.errors import BadArgument

if TYPE_CHECKING:
    import argparse

_PAIR = 2


class Command(ScrapyCommand):
    """Print the change report. Exit status 0, also without two good runs; 2 for a bad argument or folder."""

    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}

    def syntax(self) -> str:
        """Return what follows the command's name."""
        return "[options]"

    def short_desc(self) -> str:
        """Return one line for the list of commands."""
        return "Show what changed between the last two good runs, in English and French"

    def long_desc(self) -> str:
        """Return the help text."""
        return (
            "Print, as Markdown, the groups, definitions and documents added, removed and changed between "
            "the last two good runs. Examples: «scrapy changes» prints both languages; "
            "«scrapy changes --language fr» the French report; "
            "«scrapy changes --from 20260105T020000Z --to 20260205T020000Z» compares two runs by id "
            "or folder. The runs are read from the output folder, set by WIQ_OUTPUT."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options of this command to Scrapy's own."""
        super().add_options(parser)
        parser.add_argument("--language", choices=LANGUAGES, help="print one language (default: both)")
        parser.add_argument("--from", dest="previous", metavar="RUN", help="earlier run: its id or folder")
        parser.add_argument("--to", dest="current", metavar="RUN", help="later run: its id or folder")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Print the report; on an error one line on standard error and exit status 2."""
        output = Path(self.settings.get("WIQ_OUTPUT") or "output") if self.settings else Path("output")
        try:
            if args:
                message = f"unexpected argument {args[0]!r}"
                raise BadArgument(message, next_step="see scrapy changes --help")
            sys.stdout.write(_report(output, opts))
        except RunError as error:
            sys.stderr.write(f"scrapy changes: {error}\n")
            self.exitcode = 2


def _report(output: Path, opts: argparse.Namespace) -> str:
    if not output.is_dir():
        message = f"{output} is not a folder"
        raise BadArgument(message, next_step="set WIQ_OUTPUT to the folder the crawl writes to")
    root = output / PROGRAM
    if opts.previous or opts.current:
        if not (opts.previous and opts.current):
            message = "--from and --to go together"
            raise BadArgument(message, next_step="give both, or neither for the last two good runs")
        previous, current = (_folder(root, name) for name in (opts.previous, opts.current))
    else:
        good = good_runs(root)
        if len(good) < _PAIR:
            return f"Nothing to compare yet: it takes two good runs, and {root} has {len(good)}.\n"
        current, previous = good[:_PAIR]
    report = change_report(previous, current)
    return "\n".join(render(report, language) for language in LANGUAGES if opts.language in (None, language))


def _folder(root: Path, name: str) -> Path:
    for folder in (root / RUNS / name, Path(name)):
        if folder.is_dir():
            read_manifest(folder)
            return folder.resolve()
    message = f"no run {name!r}: it is neither in {root / RUNS} nor a folder"
    raise BadArgument(message, next_step="give the id or the folder of a run that ended")
