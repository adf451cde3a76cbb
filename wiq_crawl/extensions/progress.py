"""A progress line on a terminal: documents done of those discovered, rate, time left. Silent anywhere else."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Self

from scrapy import signals
from scrapy.exceptions import NotConfigured

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID
    from scrapy import Request
    from scrapy.crawler import Crawler


class Progress:
    """Draws with rich; only loaded where standard error is a terminal."""

    def __init__(self, crawler: Crawler, bar: Bar) -> None:
        self.crawler = crawler
        self.bar = bar
        self.task: TaskID = bar.add_task("documents", total=None, rate="")

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Listen for pages asked for and received; NotConfigured where nobody watches."""
        if not sys.stderr.isatty():
            raise NotConfigured
        from rich.console import Console  # noqa: PLC0415  (only where somebody watches)
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn  # noqa: PLC0415
        from rich.progress import Progress as Bar  # noqa: PLC0415

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
        )
        extension = cls(
            crawler, Bar(*columns, console=Console(stderr=True), redirect_stdout=False, redirect_stderr=False)
        )
        crawler.signals.connect(extension.spider_opened, signals.spider_opened)
        crawler.signals.connect(extension.response_received, signals.response_received)
        crawler.signals.connect(extension.spider_closed, signals.spider_closed)
        return extension

    def spider_opened(self) -> None:
        """Start drawing."""
        self.bar.start()

    def response_received(self, request: Request) -> None:
        """Count a page; the total is what the spider has discovered so far."""
        if not request.cb_kwargs:  # robots.txt
            return
        speed = self.bar.tasks[0].speed
        self.bar.update(
            self.task,
            advance=1,
            total=len(getattr(self.crawler.spider, "discovered", ())),
            rate=f"{speed:.1f}/s" if speed else "",
        )

    def spider_closed(self) -> None:
        """Stop drawing."""
        self.bar.stop()
