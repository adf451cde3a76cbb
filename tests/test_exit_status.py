"""The ways in which stock Scrapy fails and exits 0, each as a real crawl with one faulty component."""

from __future__ import annotations

import socket
import textwrap
from typing import TYPE_CHECKING

import pytest
from processes import PROJECT, assert_whole, state

from wiq_crawl.replica.page_edits import PATHS
from wiq_crawl.replica.server import ReplicaServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from processes import Ended

    from wiq_crawl.replica.site import Site

    Faulty = Callable[..., Ended]

MAIN = PATHS["main"]["en"]
SPIDER = """
    SPIDER_MODULES = [__name__]
    from wiq_crawl.spiders.tbs import TbsSpider

    class Faulty(TbsSpider):
        def read(self, response, **place):
            {body}
"""
PIPELINE = """
    ITEM_PIPELINES = {{**ITEM_PIPELINES, "faulty.Faulty": {order}}}

    class Faulty:
        def process_item(self, item):
            return item

        {body}
"""
EXPORTER = """
    FEEDS = {{"{feed}": {{"format": "faulty"}}}}
    FEED_EXPORTERS = {{"faulty": "faulty.Faulty"}}
    from scrapy.exporters import JsonLinesItemExporter

    class Faulty(JsonLinesItemExporter):
        def export_item(self, item):
            pass

        {body}
"""
NOT_CONFIGURED = """
    from scrapy.exceptions import NotConfigured
    from wiq_crawl.pipelines.validate import ValidatePipeline
    ITEM_PIPELINES = {{name: order for name, order in ITEM_PIPELINES.items() if order != 100}}
    ITEM_PIPELINES["faulty.Faulty"] = 100

    class Faulty({base}):
        @classmethod
        def from_crawler(cls, crawler):
            raise NotConfigured("a setting is missing")
"""
MONITORS = """
    EXTENSIONS = {**EXTENSIONS, "spidermon.contrib.scrapy.extensions.Spidermon": 500}
    SPIDERMON_ENABLED = True
    SPIDERMON_SPIDER_CLOSE_MONITORS = ("faulty.Suite",)
    from spidermon import Monitor, MonitorSuite

    class Counted(Monitor):
        def test_enough_items(self):
            self.assertGreater(self.data.stats.get("item_scraped_count", 0), 1_000)

    class Suite(MonitorSuite):
        monitors = [Counted]
"""


@pytest.fixture
def server(small_site: Site) -> Iterator[ReplicaServer]:
    with ReplicaServer(small_site) as server:
        yield server


@pytest.fixture
def faulty(
    published: Path, tmp_path: Path, server: ReplicaServer, crawl: Callable[..., Ended]
) -> Iterator[Callable[..., Ended]]:
    """A crawl under a settings module with more lines; whatever happens, the run before it stays as it was."""
    before = state(published)
    assert len(before) > 30

    def run(lines: str, *arguments: str, base_url: str | None = None) -> Ended:
        settings = textwrap.dedent(lines)
        (tmp_path / "faulty.py").write_text(f"from wiq_crawl.settings import *\n{settings}", encoding="utf-8")
        variables = {"SCRAPY_SETTINGS_MODULE": "faulty", "PYTHONPATH": f"{tmp_path}:{PROJECT}"}
        return crawl(base_url or server.base_url, *arguments, environment=variables)

    yield run
    assert state(published) == before


SMALL = ("-a", "languages=en", "-a", "depth=0")


def test_the_harness_without_a_fault_exits_0_and_publishes(
    published: Path, tmp_path: Path, server: ReplicaServer, crawl: Callable[..., Ended]
) -> None:
    before = state(published)
    (tmp_path / "sound.py").write_text("from wiq_crawl.settings import *\n", encoding="utf-8")
    variables = {"SCRAPY_SETTINGS_MODULE": "sound", "PYTHONPATH": f"{tmp_path}:{PROJECT}"}
    ended = crawl(server.base_url, environment=variables, expect=0)
    assert ended.errors == ""
    assert "is good and published" in ended.output
    assert state(published)["latest"] == f"runs/{ended.manifest()['run_id']}" != before["latest"]
    assert_whole(ended.latest)


def test_callback_raises(faulty: Faulty) -> None:
    ended = faulty(SPIDER.format(body='raise RuntimeError("callback broke")'), *SMALL)
    assert ended.failed("internal_error")["message"] == "RuntimeError: callback broke"
    log = (ended.newest / "crawl.log").read_text(encoding="utf-8")
    assert "Traceback (most recent call last):" in log
    assert "crawl.log" in ended.failed("internal_error")["next_step"]


def test_callback_raises_and_the_error_count_closes_the_spider(faulty: Faulty) -> None:
    limited = SPIDER.format(body='raise RuntimeError("callback broke")') + "    CLOSESPIDER_ERRORCOUNT = 1\n"
    ended = faulty(limited, *SMALL)
    assert ended.failed("internal_error")["message"] == "RuntimeError: callback broke"


def test_error_count_closes_the_spider_with_pages_left(faulty: Faulty) -> None:
    body = 'raise RuntimeError("broke") if place["language"] == "fr" else scrapy.exceptions.CloseSpider("half way")'
    ended = faulty("    import scrapy\n" + SPIDER.format(body=body) + "    CLOSESPIDER_ERRORCOUNT = 1\n")
    assert ended.failed("cut_short")["expected"] == "finish reason «finished»"


def test_callback_raises_close_spider(faulty: Faulty) -> None:
    body = 'raise __import__("scrapy").exceptions.CloseSpider("enough")'
    failure = faulty(SPIDER.format(body=body), *SMALL).failed("cut_short")
    assert (failure["message"], failure["found"]) == ("the crawl ended before it was done", "«enough»")


def test_time_limit_cuts_the_crawl_short(faulty: Faulty) -> None:
    ended = faulty("CLOSESPIDER_TIMEOUT = 1", "-a", "languages=en", "-s", "DOWNLOAD_DELAY=0.4")
    assert ended.failed("cut_short")["found"] == "«closespider_timeout»"


def test_pipeline_drops_an_item(faulty: Faulty) -> None:
    lines = PIPELINE.format(order=350, body="").replace(
        "return item", 'raise __import__("scrapy").exceptions.DropItem("not wanted")'
    )
    failure = faulty(lines, *SMALL).failed("incomplete")
    assert (failure["message"], failure["expected"], failure["found"]) == ("pages were dropped", "0", "1")


def test_pipeline_raises_for_an_item(faulty: Faulty) -> None:
    lines = PIPELINE.format(order=350, body="").replace("return item", 'raise ValueError("bad page")')
    assert faulty(lines, *SMALL).failed("internal_error")["message"] == "ValueError: bad page"


def test_pipeline_raises_when_the_spider_opens(faulty: Faulty) -> None:
    lines = PIPELINE.format(order=350, body='def open_spider(self): raise ValueError("no database")')
    assert faulty(lines, *SMALL).failed("internal_error")["message"] == "ValueError: no database"


def test_pipeline_raises_when_the_spider_closes(faulty: Faulty) -> None:
    lines = PIPELINE.format(order=450, body='def close_spider(self): raise ValueError("disk gone")')
    assert faulty(lines, *SMALL).failed("internal_error")["message"] == "ValueError: disk gone"


def test_listing_page_is_missing(faulty: Faulty, small_site: Site) -> None:
    with ReplicaServer(small_site, fault="listing_missing") as other:
        failure = faulty("", *SMALL, base_url=other.base_url).failed("http_error")
        assert (failure["found"], failure["url"]) == ("404 Not Found", other.base_url + MAIN)
        assert other.requests == [("/robots.txt", 200), (MAIN, 404)]


def test_connection_is_refused(faulty: Faulty) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        base_url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        ended = faulty("", *SMALL, base_url=base_url)
    failure = ended.failed("unreachable")
    assert failure["message"] == "the site gives no answer"
    assert "efused" in failure["found"]
    assert failure["next_step"] == "look whether the address opens in a browser, then run again"
    assert base_url in failure["url"]


def test_robots_forbid_everything(faulty: Faulty, small_site: Site) -> None:
    with ReplicaServer(small_site, fault="robots_disallow_all") as other:
        failure = faulty("", *SMALL, base_url=other.base_url).failed("robots_forbidden")
        assert failure["url"] == other.base_url + MAIN
        assert [path for path, _ in other.requests] == ["/robots.txt"]


def test_exporter_fails_on_every_row(faulty: Faulty, tmp_path: Path) -> None:
    lines = EXPORTER.format(feed=tmp_path / "feed.jl", body="").replace("pass", 'raise ValueError("no such column")')
    assert faulty(lines, *SMALL).failed("internal_error")["message"] == "ValueError: no such column"


def test_exporter_fails_writing_its_footer(faulty: Faulty, tmp_path: Path) -> None:
    body = 'def finish_exporting(self): raise ValueError("no footer")'
    ended = faulty(EXPORTER.format(feed=tmp_path / "feed.jl", body=body), *SMALL)
    assert ended.failed("internal_error")["message"] == "ValueError: no footer"


def test_spidermon_monitors_fail(faulty: Faulty) -> None:
    failure = faulty(MONITORS, *SMALL).failed("internal_error")
    assert "test_enough_items" in failure["message"]


@pytest.mark.parametrize("base", ["ValidatePipeline", "object"], ids=["ours", "foreign"])
def test_pipeline_is_not_configured(faulty: Faulty, base: str) -> None:
    """Scrapy warns «Disabled faulty.Faulty» and goes on without."""
    failure = faulty(NOT_CONFIGURED.format(base=base), *SMALL).failed("component_disabled")
    assert (failure["message"], failure["found"]) == ("a component is not running", "faulty.Faulty")


def test_pipeline_is_left_out_of_the_settings(faulty: Faulty) -> None:
    """Nothing is disabled and nothing raises: only the counts show that nobody validated."""
    lines = "ITEM_PIPELINES = {name: order for name, order in ITEM_PIPELINES.items() if order != 100}"
    failure = faulty(lines, *SMALL).failed("incomplete")
    assert failure["message"] == "records were lost on the way"
    assert "0 validated" in failure["found"]


FORGETFUL = """
    SPIDER_MODULES = [__name__]
    from wiq_crawl.spiders.tbs import TbsSpider

    class Forgetful(TbsSpider):
        def requests(self, documents, language, depth):
            for request in super().requests(documents, language, depth):
                if "qualification" in request.url:
                    {body}
                yield request
"""


def test_documents_that_nobody_asked_for_are_missed(faulty: Faulty) -> None:
    ended = faulty(FORGETFUL.format(body="del self.discovered[request.url]; continue"))
    failure = ended.failed("incomplete")
    assert "not where the published links lead" in failure["message"]
    assert "qualification-standards/core.html" in failure["found"]


def test_document_read_at_another_depth_is_noticed(faulty: Faulty) -> None:
    ended = faulty(FORGETFUL.format(body='request.cb_kwargs["depth"] = 2'), "-a", "languages=en")
    failure = ended.failed("incomplete")
    assert "not where the published links lead" in failure["message"]
    assert "qualification-standards/core.html" in failure["found"]
