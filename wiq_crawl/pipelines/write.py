"""Records into the run folder's table files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Self

from wiq_crawl.items import Lines
from wiq_crawl.table_files import TableFiles

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.statscollectors import StatsCollector

    from wiq_crawl.items import CheckedPage


class WritePipeline:
    """Spools as pages come, publishes at the end; counts ``wiq/written``."""

    def __init__(self, folder: Path, languages: tuple[str, ...], stats: StatsCollector) -> None:
        self.stats = stats
        self.files = TableFiles(folder, languages)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Take the run folder and the languages asked for."""
        return cls(Path(crawler.settings["WIQ_RUN_FOLDER"]), crawler.spider.arguments.languages, crawler.stats)  # type: ignore[union-attr]

    def process_item(self, item: CheckedPage) -> CheckedPage:
        """Spool a page."""
        written = 0
        for table, lines in item.lines.items():
            written += self.files.append(table, item.language, (item.depth, item.url, 0), lines)
        for table, records in item.paired.items():
            self.files.append_paired(table, Lines.of(records))
        for issue in item.pair_issues:
            place = (item.depth, issue["document_url"], 1)
            written += self.files.append("issues", issue["language"], place, Lines.of([issue]))
        self.stats.inc_value("wiq/written", written)
        return item

    async def close_spider(self) -> None:
        """Write the files in their published order."""
        self.files.publish()
