"""``scrapy extract FILE --url URL``: what the page modules see in a saved page, for the day the site changes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import orjson
from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError

from schemas import load_tables
from schemas.errors import RunError
from schemas.validation import TableValidator
from wiq_crawl.addresses import kind_of, language_of
from wiq_crawl.errors import BadArgument, InvalidItem
from wiq_crawl.expectations import FILE as EXPECTATIONS
from wiq_crawl.expectations import load_expectations
from wiq_crawl.pages import Known, read_page

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from wiq_crawl.items import PageRecords

BAD_USAGE = 2
_KINDS = tuple(load_tables("tbs")["documents"].schema["properties"]["kind"]["enum"])


class Command(ScrapyCommand):
    """Reads one saved page with the crawl's own page modules; exit 1 on drift, 2 on bad usage."""

    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}

    def syntax(self) -> str:
        """What follows the command's name."""
        return "FILE --url URL [--kind KIND] [--fragment NAME …]"

    def short_desc(self) -> str:
        """One line for ``scrapy``'s list of commands."""
        return "Print as JSONL what the page modules see in a saved page"

    def long_desc(self) -> str:
        """The text of ``scrapy extract -h``."""
        return (
            "Print as JSONL what the page modules see in a saved page, each line an item with its table. Exit status: 0 read, "
            "1 the page differs from its contract (the message says where), 2 bad usage. Examples: "
            "«scrapy extract output/tbs/runs/ID/drift/PAGE.html --url https://www.canada.ca/en/…/definitions.html»; "
            "«scrapy extract page.html --url URL --kind job_evaluation_standard | head -1»."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """The command's options."""
        super().add_options(parser)
        parser.add_argument("--url", metavar="URL", help="address the page was saved from (required)")
        parser.add_argument(
            "--kind",
            metavar="KIND",
            choices=_KINDS,
            help="page kind, by the address where not given: " + ", ".join(_KINDS),
        )
        parser.add_argument("--language", choices=("en", "fr"), help="language, by the address where not given")
        parser.add_argument(
            "--fragment",
            metavar="NAME",
            action="append",
            default=[],
            help="a fragment the main table points at, which must lead to something in the page (repeatable)",
        )

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Print the page's items and set the exit status."""
        if len(args) != 1 or not opts.url:
            raise UsageError("name one file and its address: scrapy extract FILE --url URL")
        try:
            records = self.read(Path(args[0]), opts)
            for line in _lines(records):
                sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()
        except RunError as error:
            self.exitcode = BAD_USAGE if isinstance(error, BadArgument) else 1
            print(f"{error.kind}: {error}", file=sys.stderr)

    def read(self, path: Path, opts: argparse.Namespace) -> PageRecords:
        """The records of a saved page; raises BadArgument, and the drifts of a crawl."""
        assert self.settings is not None
        language = opts.language or language_of(opts.url)
        if language is None:
            raise BadArgument(
                "--url",
                "an address under /en/treasury-board-secretariat/ or /fr/secretariat-conseil-tresor/",
                opts.url,
                next_step="name the --language for another address",
            )
        try:
            html = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BadArgument("the saved page cannot be read", "an HTML file in UTF-8", f"{path}: {error}") from error
        expectations = load_expectations(Path(self.settings["WIQ_EXPECTATIONS"] or EXPECTATIONS))
        known = Known(expectations.twins, expectations.missing_fragments)
        kind = opts.kind or kind_of(opts.url)
        return read_page(html, opts.url, language=language, kind=kind, fragments=set(opts.fragment), known=known)


def _lines(records: PageRecords) -> Iterator[bytes]:
    for table, found in records.tables.items():
        validator = TableValidator(load_tables("tbs")[table])
        for record in found:
            violations = validator.violations(record)
            if violations:
                raise InvalidItem(
                    f"a record of {table} breaks its schema in column {violations[0].path}",
                    found=violations[0].message,
                    url=records.url,
                    selector=record.get("selector"),
                )
            yield orjson.dumps({"table": table, **record}, option=orjson.OPT_APPEND_NEWLINE)
