"""Every answer goes into the run's web archive; with ``-a archive=`` answers come from one instead of the network."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Self

from scrapy import signals
from scrapy.http import Headers, HtmlResponse, Response
from scrapy.responsetypes import responsetypes
from twisted.web.http import RESPONSES

from schemas.errors import OutputUnwritable
from wiq_crawl.archive import FILE_NAME, ArchivedPage, ArchiveReader, ArchiveWriter
from wiq_crawl.errors import ArchiveUnreadable

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler

    from wiq_crawl.spiders.tbs import TbsSpider

# Where the spider finds (record id, fetch time) of a response.
RECORD = "archive_record"


class ArchiveMiddleware:
    """Stands next to the downloader, so that it sees the bytes as they came."""

    def __init__(self, folder: Path, spider: TbsSpider) -> None:
        self.reader: ArchiveReader | None = None
        self.writer: ArchiveWriter | None = None
        source = spider.arguments.archive
        if source is None:
            self.writer = ArchiveWriter(folder / FILE_NAME, spider.arguments.stated())
            return
        self.reader = ArchiveReader(source)
        try:
            shutil.copyfile(source, folder / FILE_NAME)  # every run folder holds its own evidence
        except OSError as error:
            raise OutputUnwritable(
                "the archive cannot be copied", "space and permission", f"{folder}: {error}"
            ) from error

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Open the archive of the run folder, or the one to read back."""
        spider: TbsSpider = crawler.spider  # type: ignore[assignment]
        middleware = cls(Path(crawler.settings["WIQ_RUN_FOLDER"]), spider)
        crawler.signals.connect(middleware.spider_closed, signals.spider_closed)
        return middleware

    def process_request(self, request: Request) -> Response | None:
        """Answer from the archive, where there is one to read."""
        if self.reader is None:
            return None
        page = self.reader.find(request.url, rendered=bool(request.meta.get("playwright")))
        if page is None and request.url.endswith("/robots.txt"):
            return Response(request.url, status=404)
        if page is None:
            raise ArchiveUnreadable(
                "the archive lacks a page", request.url, f"no record of it in {self.reader.path}", request.url
            )
        request.meta[RECORD] = (page.record_id, page.fetched_at)
        return _response(page)

    def process_response(self, request: Request, response: Response) -> Response:
        """Archive a fresh answer."""
        if self.writer is not None:
            reason = RESPONSES.get(response.status, b"").decode()
            request.meta[RECORD] = self.writer.write(
                response.url,
                response.status,
                reason,
                _header_pairs(response),
                response.body,
                rendered=bool(request.meta.get("playwright")),
            )
        return response

    def spider_closed(self) -> None:
        """Close the archive."""
        for archive in (self.writer, self.reader):
            if archive is not None:
                archive.close()


def _header_pairs(response: Response) -> list[tuple[str, str]]:
    headers: Headers = response.headers
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, values in headers.items() for value in values]


def _response(page: ArchivedPage) -> Response:
    headers = Headers({})
    for name, value in page.headers:
        headers.appendlist(name, value)
    if page.rendered:
        return HtmlResponse(page.url, body=page.body, encoding="utf-8")
    kind = responsetypes.from_args(headers=headers, url=page.url, body=page.body)
    return kind(page.url, status=page.status, headers=headers, body=page.body)
