"""What the site sees: who asks, how often, and how long after a refusal."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from processes import ROBOTS, SMALL_EXPECTATIONS, run_scrapy

from schemas.version import VERSION
from wiq_crawl.replica.page_edits import PATHS
from wiq_crawl.replica.server import ReplicaServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from processes import Ended

    from wiq_crawl.replica.site import Resource, Site

STANDARD = PATHS["standard"]["en"]
TO_STANDARDS = ("-a", "languages=en", "-a", "columns=job_evaluation_standard", "-a", "depth=1")


class TimedServer(ReplicaServer):
    """The replica's server, with the moment of every answer."""

    def __init__(self, site: Site, fault: str | None = None) -> None:
        super().__init__(site, fault=fault)
        self.moments: list[tuple[str, float]] = []

    def answer(self, path: str) -> Resource:
        self.moments.append((path, time.monotonic()))
        return super().answer(path)

    def gap(self, path: str) -> float:
        """Seconds between the first two requests of a path."""
        first, second = [moment for asked, moment in self.moments if asked == path]
        return second - first


def _crawl(base_url: str, tmp_path: Path, *arguments: str) -> Ended:
    """A crawl with the settings as shipped."""
    given = {"WIQ_EXPECTATIONS": str(SMALL_EXPECTATIONS)}
    arguments = ("crawl", "tbs", "-a", f"base_url={base_url}", *arguments)
    return run_scrapy(tmp_path / "output", *arguments, given=given, expect=0)


@pytest.mark.parametrize(
    ("fault", "status", "setting", "wait"),
    [
        ("server_error_once", 503, "WIQ_RETRY_BACKOFF=1.5", 1.5),
        ("rate_limited_once", 429, "WIQ_RETRY_BACKOFF=0.1", 1.0),  # Retry-After: 1 counts where it is longer
    ],
)
def test_retry_waits_before_it_asks_again(
    fault: str, status: int, setting: str, wait: float, small_site: Site, crawl: Callable[..., Ended]
) -> None:
    with TimedServer(small_site, fault) as server:
        ended = crawl(server.base_url, *TO_STANDARDS, "-s", setting, expect=0)
        assert [answer for path, answer in server.requests if path == STANDARD] == [status, 200]
        assert wait <= server.gap(STANDARD) < wait + 2
    requests = ended.manifest()["requests"]
    assert (requests["retried"], requests["sent"]) == (1, requests["documents"] + 2)
    assert "(1 retries)" in ended.output


def test_waits_double_until_the_retries_are_used_up(small_site: Site, crawl: Callable[..., Ended]) -> None:
    with TimedServer(small_site, "server_error") as server:
        ended = crawl(server.base_url, *TO_STANDARDS, "-s", "RETRY_TIMES=3", "-s", "WIQ_RETRY_BACKOFF=0.3")
    failure = ended.failed("unreachable")
    assert (failure["message"], failure["found"]) == (
        "the site answers with an error, retries included",
        "503 Service Unavailable",
    )
    moments = [moment for path, moment in server.moments if path == STANDARD]
    waits = [second - first for first, second in pairwise(moments)]
    assert len(waits) == 3
    assert all(wait >= least for wait, least in zip(waits, (0.3, 0.6, 1.2), strict=True)), waits


def test_one_request_a_second_by_default(small_site: Site, tmp_path: Path) -> None:
    with TimedServer(small_site) as server:
        _crawl(server.base_url, tmp_path, "-a", "languages=en", "-a", "columns=definition", "-a", "depth=1")
    moments = [moment for _, moment in server.moments]
    assert [path for path, _ in server.moments] == [ROBOTS, PATHS["main"]["en"], PATHS["definitions"]["en"]]
    assert all(second - first >= 0.95 for first, second in pairwise(moments)), moments


def test_page_that_robots_forbid_is_not_asked_for(small_site: Site, crawl: Callable[..., Ended]) -> None:
    robots = small_site[ROBOTS]
    forbidden = type(robots)(robots.body + f"Disallow: {STANDARD}\n".encode(), headers=robots.headers)
    with ReplicaServer({**small_site, ROBOTS: forbidden}) as server:
        ended = crawl(server.base_url, "-a", "languages=en")
        asked = {path for path, _ in server.requests}
    failure = ended.failed("robots_forbidden")
    assert failure["url"] == server.base_url + STANDARD
    assert STANDARD not in asked
    assert len(asked) > 5


@pytest.fixture
def listening(small_site: Site) -> Iterator[tuple[str, list[Mapping[str, str]]]]:
    """A small server of the replica's pages that keeps the headers of every request."""
    kept: list[Mapping[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kept.append(dict(self.headers))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(small_site[self.path].body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", kept
        server.shutdown()
        thread.join()


def test_requests_say_who_asks_and_want_fresh_pages(
    listening: tuple[str, list[Mapping[str, str]]], tmp_path: Path
) -> None:
    base_url, kept = listening
    _crawl(base_url, tmp_path, "-a", "languages=fr", "-a", "depth=0")
    assert len(kept) == 2
    for headers in kept:
        assert headers["User-Agent"].startswith(f"WiQ/{VERSION} (")
        assert headers["Cache-Control"] == "max-age=0"
        assert "Cookie" not in headers
