"""The server answers the way the real site does."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from wiq_crawl.replica.page_edits import PATHS
from wiq_crawl.replica.server import ReplicaServer

if TYPE_CHECKING:
    from wiq_crawl.replica.site import Site

STANDARD = PATHS["standard"]["en"]


def _connect(server: ReplicaServer) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(server.base_url).netloc, timeout=10)


def _get(server: ReplicaServer, path: str, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    with contextlib.closing(_connect(server)) as connection:
        connection.request("GET", path, headers=headers)
        with connection.getresponse() as response:
            return response, response.read()


def test_page_with_the_headers_of_the_site(small_site: Site) -> None:
    """Status, type, timing header, and no entity tag."""
    with ReplicaServer(small_site) as server:
        response, body = _get(server, PATHS["main"]["en"])
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/html;charset=utf-8"
        assert response.headers["Server-Timing"] == "cdn-cache; desc=HIT"
        assert response.headers["ETag"] is None
        assert b"<main " in body
        assert server.requests == [(PATHS["main"]["en"], 200)]


def test_bytes_change_and_main_does_not(small_site: Site) -> None:
    """Every answer carries another id outside main."""
    with ReplicaServer(small_site) as server:
        first, second = (_get(server, STANDARD)[1] for _ in range(2))
    assert first != second
    assert (
        first.partition(b"<main ")[2].partition(b"</main>")[0]
        == second.partition(b"<main ")[2].partition(b"</main>")[0]
    )


def test_compressed_where_accepted(small_site: Site) -> None:
    """Content-Encoding gzip on request, unless it is switched off."""
    with ReplicaServer(small_site) as server:
        response, body = _get(server, STANDARD, **{"Accept-Encoding": "gzip"})
        assert response.headers["Content-Encoding"] == "gzip"
        assert b"<main " in gzip.decompress(body)
    with ReplicaServer(small_site, gzip=False) as server:
        response, _ = _get(server, STANDARD, **{"Accept-Encoding": "gzip"})
        assert response.headers["Content-Encoding"] is None


def test_unknown_address(small_site: Site) -> None:
    """A bilingual page with status 404, and a main with a heading like any other."""
    with ReplicaServer(small_site) as server:
        response, body = _get(server, "/content/canadasite/en/anything/po.html-ima")
        assert response.status == 404
        assert b'<h1 id="wb-cont"' in body
        assert "non trouvée".encode() in body


def test_connection_stays_open(small_site: Site) -> None:
    """Two requests over one connection."""
    with ReplicaServer(small_site) as server:
        connection = _connect(server)
        for path in ("/robots.txt", "/sitemap.xml"):
            connection.request("GET", path)
            assert connection.getresponse().read()
        connection.request("HEAD", STANDARD)
        response = connection.getresponse()
        assert response.read() == b""
        assert int(response.headers["Content-Length"]) > 10_000
        connection.close()
        assert [status for _, status in server.requests] == [200, 200, 200]


@pytest.mark.parametrize(("fault", "status"), [("server_error_once", 503), ("rate_limited_once", 429)])
def test_failure_of_the_first_request_only(small_site: Site, fault: str, status: int) -> None:
    """The second request succeeds."""
    with ReplicaServer(small_site, fault=fault) as server:
        assert [_get(server, STANDARD)[0].status for _ in range(3)] == [status, 200, 200]
        assert server.requests == [(STANDARD, status), (STANDARD, 200), (STANDARD, 200)]


def test_permanent_failures(small_site: Site) -> None:
    """503 every time, redirects with their target, and a connection that ends too early."""
    with ReplicaServer(small_site, fault="server_error") as server:
        assert [_get(server, STANDARD)[0].status for _ in range(2)] == [503, 503]
    with ReplicaServer(small_site, fault="page_moved") as server:
        response, _ = _get(server, PATHS["definitions"]["en"])
        assert response.status == 301
        assert _get(server, response.headers["Location"])[0].status == 200
    with ReplicaServer(small_site, fault="redirect_other_language") as server:
        response, _ = _get(server, STANDARD)
        assert (response.status, response.headers["Location"]) == (302, PATHS["standard"]["fr"])
    with (
        ReplicaServer(small_site, fault="connection_cut") as server,
        pytest.raises(http.client.IncompleteRead),
    ):
        _get(server, STANDARD, **{"Accept-Encoding": "gzip"})


def test_slow_answer(small_site: Site) -> None:
    """The answer comes after two seconds."""
    with ReplicaServer(small_site, fault="slow_response") as server:
        begin = time.monotonic()
        assert _get(server, STANDARD)[0].status == 200
        assert time.monotonic() - begin >= 2
