"""Serve a replica on the loopback interface, the way the real site answers."""

from __future__ import annotations

import contextlib
import gzip as gzip_format
import itertools
import logging
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urlsplit

from wiq_crawl.replica.faults import FAULTS
from wiq_crawl.replica.notices import not_found_page
from wiq_crawl.replica.site import HTML_HEADERS, Resource, Site
from wiq_crawl.replica.template import REQUEST_ID

if TYPE_CHECKING:
    from types import TracebackType

ADDRESS: Final = "127.0.0.1"

_LOG = logging.getLogger(__name__)
_SERVER_HEADERS: Final = {"Server": "Apache", "Server-Timing": "cdn-cache; desc=HIT"}


class ReplicaServer:
    """A site on 127.0.0.1, with an optional fault, for use in a ``with`` statement.

    ``requests`` lists the path and the status of every answer in order.
    """

    def __init__(self, site: Site, *, port: int = 0, fault: str | None = None, gzip: bool = True) -> None:
        """Prepare a server of a site; port 0 takes a free one; the fault is a name of ``FAULTS``."""
        self._site = FAULTS[fault].apply(dict(site)) if fault else dict(site)
        self._gzip = gzip
        self._lock = threading.Lock()
        self._answers: list[tuple[str, int]] = []
        self._given_once: set[str] = set()
        self._numbers = itertools.count(1)
        self._missing = Resource(not_found_page(), status=404)
        self._server = ThreadingHTTPServer((ADDRESS, port), _handler_for(self))
        self._server.daemon_threads = True
        self._thread: threading.Thread | None = None

    @property
    def base_url(self) -> str:
        """The address of the site without a final slash."""
        return f"http://{ADDRESS}:{self._server.server_address[1]}"

    @property
    def requests(self) -> list[tuple[str, int]]:
        """Path and status of every answer so far."""
        with self._lock:
            return list(self._answers)

    def start(self) -> None:
        """Answer requests from now on, in another thread."""
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Answer no more and free the port."""
        if self._thread:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()

    def answer(self, path: str) -> Resource:
        """Return what to answer to a request of a path, and note it."""
        with self._lock:
            resource = self._site.get(path, self._missing)
            if resource.once and path not in self._given_once:
                self._given_once.add(path)
                resource = resource.once
            self._answers.append((path, resource.status))
            number = next(self._numbers)
        # The real pages carry an id of the request in a script: no two answers have the same bytes.
        identifier = f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}"
        return replace(resource, body=resource.body.replace(REQUEST_ID.encode(), identifier.encode()))

    @property
    def compresses(self) -> bool:
        """Whether answers are compressed for clients that accept it."""
        return self._gzip


def _handler_for(replica: ReplicaServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # A client that keeps its connection open shall not keep a thread for ever.
        timeout = 30
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._send(with_body=True)

        def do_HEAD(self) -> None:
            self._send(with_body=False)

        def _send(self, *, with_body: bool) -> None:
            resource = replica.answer(urlsplit(self.path).path)
            if resource.delay:
                time.sleep(resource.delay)
            body = resource.body
            headers = {**HTML_HEADERS, **_SERVER_HEADERS, **resource.headers}
            # A cut answer stays uncompressed: its length and its cut count the same bytes.
            accepted = "gzip" in self.headers.get("Accept-Encoding", "")
            if replica.compresses and accepted and resource.cut is None:
                body = gzip_format.compress(body, mtime=0)
                headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
            self.send_response_only(resource.status)
            self.send_header("Date", self.date_time_string())
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            # A client may leave before it has read everything.
            with contextlib.suppress(ConnectionError):
                self.end_headers()
                if with_body:
                    self.wfile.write(body if resource.cut is None else body[: resource.cut])
            if resource.cut is not None:
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            _LOG.debug(format, *args)

    return Handler
