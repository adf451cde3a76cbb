"""The yardstick: bare Scrapy and parsel, a title-and-table extraction of pages whose addresses are given.

Run as ``scrapy runspider bare.py -a addresses=FILE -O items.jsonl``. No link is followed, nothing is validated,
archived or checked afterwards.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import scrapy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from parsel import Selector
    from scrapy.http import TextResponse


class BareSpider(scrapy.Spider):
    name = "bare"
    # Scrapy's own defaults but for robots.txt, the log level, and two consoles that only cost start-up time:
    # the same on both sides.
    custom_settings: ClassVar[dict[str, Any]] = {
        "ROBOTSTXT_OBEY": True,
        "LOG_LEVEL": "WARNING",
        "TELNETCONSOLE_ENABLED": False,
        "REMOTE_CONTROL_ENABLED": False,
    }

    def __init__(self, addresses: str) -> None:
        super().__init__()
        self.addresses = Path(addresses).read_text(encoding="utf-8").split()

    async def start(self) -> AsyncIterator[scrapy.Request]:
        for address in self.addresses:
            yield scrapy.Request(address)

    def parse(self, response: TextResponse) -> Iterator[dict[str, Any]]:
        table = response.xpath("(//main//table)[1]")
        headers = [_text(cell) for cell in table.xpath(".//th")]
        rows = [
            dict(zip(headers, [_text(cell) for cell in row.xpath("./td")], strict=False))
            for row in table.xpath(".//tr[td]")
        ]
        yield {
            "url": response.url,
            "title": response.css("title::text").get(),
            "h1": response.css("h1::text").get(),
            "date": response.css("gcds-date-modified::text").get(),
            "rows": rows,
        }


def _text(cell: Selector) -> str:
    return " ".join(cell.xpath(".//text()").getall()).strip()
