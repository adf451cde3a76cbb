"""``scrapy crawl tbs``: stock Scrapy exits 0 on nearly every failure; here 0 means a run that is good."""

from __future__ import annotations

import asyncio
import logging
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from scrapy import signals
from scrapy.commands import crawl
from scrapy.exceptions import UsageError
from scrapy.utils.conf import build_component_list
from scrapy.utils.python import global_object_name

from schemas.errors import RunError
from schemas.runs import open_run, output_unwritable
from wiq_crawl.archive import ArchiveReader
from wiq_crawl.arguments import parse_arguments
from wiq_crawl.conclusion import conclude
from wiq_crawl.errors import BadArgument, CutShort
from wiq_crawl.expectations import FILE as EXPECTATIONS
from wiq_crawl.expectations import load_expectations
from wiq_crawl.failures import FailureLog, classify
from wiq_crawl.reading import reader_count
from wiq_crawl.rendering import rendering_mode
from wiq_crawl.verdict import CrawlOutcome

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from scrapy.crawler import Crawler
    from scrapy.settings import Settings

    from wiq_crawl.expectations import Expectations

_LOG = logging.getLogger(__name__)

BAD_RUN = 1
BAD_USAGE = 2
LOG_FILE = "crawl.log"
# Where Scrapy keeps the components of a running crawl, by the setting that names them.
_MANAGERS: dict[str, Any] = {
    "ITEM_PIPELINES": lambda crawler: crawler.engine.scraper.itemproc,
    "DOWNLOADER_MIDDLEWARES": lambda crawler: crawler.engine.downloader.middleware,
    "SPIDER_MIDDLEWARES": lambda crawler: crawler.engine.scraper.spidermw,
}


class Command(crawl.Command):
    """``scrapy crawl`` with runs, a verdict and an honest exit status."""

    default_settings: ClassVar[dict[str, Any]] = {}
    expectations: Expectations

    def short_desc(self) -> str:
        """One line for ``scrapy``'s list of commands."""
        return "Crawl into a new run; publish it, and exit 0, only if it is good"

    def long_desc(self) -> str:
        """The text of ``scrapy crawl -h``."""
        return (
            "Crawl into a new run folder; publish it as output/tbs/latest, and exit 0, only if it is good. "
            "Exit status: 0 good, 1 bad run (nothing published), 2 bad usage. "
            "Examples: «scrapy crawl tbs» (both languages, two levels deep); «scrapy crawl tbs -a languages=en -a depth=1»; "
            "«scrapy crawl tbs -a columns=all» (pay and bargaining pages too); «scrapy crawl tbs -a probe=1» (compare the "
            "labels with the live pages, publish nothing); «scrapy crawl tbs -a archive=output/tbs/latest/pages.warc.gz» "
            "(extract again from an archive, without network); «WIQ_OUTPUT=/data/wiq scrapy crawl tbs» (another output folder)."
        )

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Run the crawl and set the exit status."""
        if len(args) != 1:
            raise UsageError("name one spider: scrapy crawl tbs")
        assert self.settings is not None
        try:
            self.prepare(args[0], opts)
            run = open_run(Path(self.settings["WIQ_OUTPUT"]), args[0])
        except RunError as error:
            self.exitcode = BAD_USAGE if isinstance(error, BadArgument) else BAD_RUN
            print(f"{error.kind}: {error}", file=sys.stderr)
            return
        with run:
            self.settings.set("WIQ_RUN_FOLDER", str(run.folder), priority="cmdline")
            with collected_failures(run.folder / LOG_FILE, self.settings) as failures:
                outcome = self.crawl(args[0], opts, failures)
            self.exitcode = conclude(run, outcome, failures.failures, self.expectations, self.settings)

    def prepare(self, spider: str, opts: argparse.Namespace) -> None:
        """Judge everything the user gave before a run folder exists; raises BadArgument or ArchiveUnreadable."""
        assert self.settings is not None
        assert self.crawler_process is not None
        if spider not in self.crawler_process.spider_loader.list():
            raise BadArgument("unknown spider", ", ".join(self.crawler_process.spider_loader.list()), spider)
        if opts.output or opts.overwrite_output:
            raise BadArgument("-o and -O", "the run folder’s own files (WIQ_OUTPUT moves them)", "another output file")
        file = Path(self.settings["WIQ_EXPECTATIONS"] or EXPECTATIONS)
        self.expectations = load_expectations(file)
        self.settings.set("WIQ_EXPECTATIONS_FILE", file, priority="cmdline")
        rendering_mode(self.settings)
        reader_count(self.settings)
        arguments = parse_arguments(opts.spargs)
        if arguments.archive is not None:
            reader = ArchiveReader(arguments.archive)
            reader.close()
            opts.spargs = {**opts.spargs, "archived_arguments": reader.arguments}

    def crawl(self, spider: str, opts: argparse.Namespace, failures: FailureLog) -> CrawlOutcome:
        """Run Scrapy; everything that goes wrong ends in ``failures``."""
        assert self.settings is not None
        assert self.crawler_process is not None
        crawler = self._create_crawler(spider)
        disabled: list[str] = []
        crawler.signals.connect(
            lambda spider: disabled.extend(_disabled(spider.crawler)), signals.spider_opened, weak=False
        )
        crawling = self.crawler_process.crawl(crawler, **opts.spargs)
        if hasattr(crawling, "addErrback"):
            crawling.addErrback(lambda failure: failures.add(classify(failure.value, None)))
        self.crawler_process.start()
        if error := _raised(crawling):
            failures.failures.insert(0, classify(error, None))  # the cause before what followed from it
            _LOG.error("the crawl did not start", exc_info=error)
        if self.crawler_process.bootstrap_failed and not failures.failures:
            failures.add(CutShort("the crawl did not start", "a crawl", "an error while it was set up"))
        found: Any = crawler.spider
        return CrawlOutcome(
            arguments=found.arguments if found else parse_arguments({}),
            discovered=frozenset(found.discovered) if found else frozenset(),
            stats=_stats(crawler),
            disabled=tuple(disabled),
            observations=tuple(found.observations) if found else (),
            readers=reader_count(self.settings),
        )


def _stats(crawler: Crawler) -> dict[str, Any]:
    try:
        return crawler.stats.get_stats()
    except RuntimeError:  # the crawl was not even set up
        return {}


def _raised(crawling: object) -> BaseException | None:
    """What setting the crawl up raised; asyncio itself would log it when the task is forgotten, with a traceback."""
    if isinstance(crawling, asyncio.Task) and crawling.done() and not crawling.cancelled():
        return crawling.exception()
    return None


def _disabled(crawler: Crawler) -> list[str]:
    """Components that the settings name and that took themselves out (NotConfigured): Scrapy only warns."""
    missing = []
    for setting, manager in _MANAGERS.items():
        wanted = build_component_list(crawler.settings.getdict(setting))
        running = {global_object_name(type(component)) for component in manager(crawler).middlewares}
        missing += [name for name in map(_name, wanted) if name not in running]
    return missing


def _name(component: str | type) -> str:
    return component if isinstance(component, str) else global_object_name(component)


class RunLog(logging.FileHandler):
    """The run's own log, from INFO up; a medium that takes no more of it is a failure, told once."""

    def __init__(self, path: Path, failures: FailureLog) -> None:
        super().__init__(path, encoding="utf-8", delay=True)
        self.setLevel(logging.INFO)
        self.path = path
        self.failures = failures

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Keep what the system refused; the library would print a traceback for every line."""
        error = sys.exc_info()[1]
        if isinstance(error, OSError):
            self.failures.add(output_unwritable(self.path, error))
        else:
            super().handleError(record)

    def close(self) -> None:
        """Write what is buffered."""
        try:
            super().close()
        except OSError as error:
            self.failures.add(output_unwritable(self.path, error))


@contextmanager
def collected_failures(log: Path, settings: Settings) -> Iterator[FailureLog]:
    """Collect every error, and keep the whole log in the run folder, whatever the console shows."""
    failures = FailureLog()
    handler = RunLog(log, failures)
    handler.setFormatter(logging.Formatter(settings["LOG_FORMAT"], settings["LOG_DATEFORMAT"]))
    # The failures first: they shorten what the others write.
    logging.root.handlers[:0] = [failures, handler]
    try:
        yield failures
    finally:
        logging.root.removeHandler(failures)
        logging.root.removeHandler(handler)
        handler.close()
