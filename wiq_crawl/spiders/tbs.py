"""The one spider: main table → linked documents → pages they link to, in each language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urldefrag

import scrapy
from scrapy import signals

from wiq_crawl.addresses import START_PATHS, kind_of, on_host
from wiq_crawl.arguments import parse_arguments
from wiq_crawl.expectations import load_expectations
from wiq_crawl.failures import classify
from wiq_crawl.middlewares.archive import RECORD
from wiq_crawl.pages import Fetched, Known
from wiq_crawl.pages.probe import Observation, linked_documents, observe
from wiq_crawl.reading import Reader, reader_count
from wiq_crawl.rendering import needs_rendering, rendered_request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    from scrapy.crawler import Crawler
    from scrapy.http import TextResponse
    from twisted.python.failure import Failure

    from wiq_crawl.items import CheckedPage


class TbsSpider(scrapy.Spider):
    """Treasury Board occupational groups: ``scrapy crawl tbs``; its arguments are those of ``wiq_crawl.arguments``."""

    name = "tbs"

    def __init__(self, archived_arguments: dict[str, object] | None = None, **arguments: str) -> None:
        super().__init__()
        self.arguments = parse_arguments(arguments, archived_arguments)
        self.discovered: dict[str, str] = {}  # every document asked for → its language
        self.observations: list[Observation] = []

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:  # noqa: ANN401
        """Read the expectations, which say what is known of the source."""
        spider = super().from_crawler(crawler, *args, **kwargs)
        expectations = load_expectations(crawler.settings["WIQ_EXPECTATIONS_FILE"])
        spider.known = Known(expectations.twins, expectations.missing_fragments)
        spider.unavailable = expectations.unavailable
        # Idle comes before the tables are written, closed also where the crawl is cut short.
        for signal in (signals.spider_idle, signals.spider_closed):
            crawler.signals.connect(spider.nothing_left, signal)
        return spider

    known: Known
    unavailable: dict[str, str]
    reader: Reader | None = None

    async def start(self) -> AsyncIterator[scrapy.Request]:
        """The main page of each language."""
        self.reader = Reader(0 if self.arguments.probe else reader_count(self.settings))
        for language in self.arguments.languages:
            for request in self.requests([(self.arguments.base_url + START_PATHS[language], ())], language, 0):
                yield request

    async def read(self, response: Any, **place: Any) -> AsyncIterator[CheckedPage | scrapy.Request]:  # noqa: ANN401
        """Read a page, then ask for the documents it leads to, as deep as the arguments say."""
        depth, language = place["depth"], place["language"]
        if needs_rendering(response, self.crawler.settings["WIQ_RENDER"]):
            yield rendered_request(response.request)
            return
        if self.arguments.probe:
            self.observations += observe(response.text, response.url, language=language, kind=place["kind"])
            targets = linked_documents(response.text, response.url, self.arguments.columns) if depth == 0 else {}
            for request in self.requests(targets.items(), language, 1):
                yield request
            return
        assert self.reader is not None
        fetched = self.fetched(response)
        page = await self.reader.read(response.text, response.url, known=self.known, fetched=fetched, **place)
        self.crawler.stats.inc_value("wiq/extracted", page.extracted)
        documents = self.table_documents(page) if depth == 0 else [(link.url, ()) for link in page.documents]
        # A list, so that every document is known at its depth before any of them can answer and claim another one.
        requests = list(self.requests(documents, language, depth + 1)) if depth < self.arguments.depth else []
        yield page
        for request in requests:
            yield request

    def nothing_left(self) -> None:
        """The last page is read: what comes now needs the memory."""
        if self.reader is not None:
            self.reader.close()

    def failed(self, failure: Failure) -> None:
        """A request without a usable answer: raised on, so that it counts like any other failure."""
        raise classify(failure.value, failure.request)  # type: ignore[attr-defined, arg-type]

    # --- the crawl graph --------------------------------------------------------------------------------------

    def table_documents(self, page: CheckedPage) -> Iterable[tuple[str, Iterable[str]]]:
        """Documents the chosen columns of the main table lead to, each with the fragments pointed at."""
        documents: dict[str, set[str]] = {}
        for link in page.documents:
            if link.column in self.arguments.columns:
                documents.setdefault(link.url, set()).update(filter(None, [link.fragment]))
        return documents.items()

    def requests(
        self, documents: Iterable[tuple[str, Iterable[str]]], language: str, depth: int
    ) -> Iterator[scrapy.Request]:
        """One request per document, however many links lead to it."""
        for address, fragments in documents:
            if address in self.discovered:  # most links of a page lead where others led before
                continue
            url = on_host(urldefrag(address).url, self.arguments.base_url)
            path = url.removeprefix(self.arguments.base_url)
            if url in self.discovered or path in self.unavailable:
                continue
            self.discovered[url] = language
            place = {"language": language, "kind": kind_of(url), "depth": depth, "fragments": sorted(fragments)}
            request = scrapy.Request(url, self.read, errback=self.failed, cb_kwargs=place)
            rendered = self.crawler.settings["WIQ_RENDER"] == "always"
            yield rendered_request(request) if rendered else request

    def fetched(self, response: TextResponse) -> Fetched:
        """When and under which archive record a page came."""
        record_id, fetched_at = response.meta[RECORD]
        return Fetched(fetched_at, record_id, rendered=bool(response.meta.get("playwright")))
