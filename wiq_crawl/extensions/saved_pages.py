"""Saves the page behind each drift as a plain HTML file that ``scrapy extract`` reads."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from scrapy import signals
from scrapy.http import TextResponse

from wiq_crawl.errors import StructureDrift

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from twisted.python.failure import Failure

FOLDER = "drift"


class SavedPages:
    """Writes ``drift/<path>.html`` into the run folder and tells the failure where."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / FOLDER

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Listen for callbacks and pipelines that raise."""
        extension = cls(Path(crawler.settings["WIQ_RUN_FOLDER"]))
        crawler.signals.connect(extension.save, signals.spider_error)
        crawler.signals.connect(extension.save, signals.item_error)
        return extension

    def save(self, failure: Failure, response: Response) -> None:
        """Save the page of a drift."""
        if not isinstance(failure.value, StructureDrift) or not isinstance(response, TextResponse):
            return
        name = re.sub(r"[^a-z0-9.-]+", "_", urlsplit(response.url).path.lower()).strip("_")
        saved = self.folder / (name if name.endswith(".html") else f"{name}.html")
        self.folder.mkdir(exist_ok=True)
        saved.write_text(response.text, encoding="utf-8")
        failure.value.saved_page = str(saved)
        failure.value.next_step = (
            failure.value.next_step or f"look at what the page modules see: scrapy extract {saved} --url {response.url}"
        )
