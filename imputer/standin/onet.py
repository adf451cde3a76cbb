"""O*NET Web Services v2 on the loopback interface, answering from a database folder, with faults to order.

Real are: the addresses and shapes, 20 items a page unless ``end`` asks for up to 2000, ``next`` where there is more,
422 with a JSON body for wrong parameters and for «no data», 403 with a web page for a missing or wrong key.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, urlsplit

from imputer.standin.onet_answers import OnetAnswers, Pages, respelled

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

ADDRESS = "127.0.0.1"
KEY = "stand-in-key"
_DEFAULT_PAGE, _LONGEST_PAGE = 20, 2000
_WEB_PAGE = b"<html><head><title>403 Forbidden</title></head><body><h1>403 Forbidden</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong. Counts wear off: so many requests, then all is well.

    - ``too_many``: answers 429; ``broken``: answers 500; ``cut_short``: bodies end halfway
    - ``retry_after``: seconds that 429 asks for
    - ``stuck``: pages after the first say that they are the first; ``web_page``: 200 with HTML for every address
    - ``total_off``: added to every total; ``lost``: rows missing at the end of every page; ``unnamed``: no release
    - ``respelled``: no fault, but seen: column ids as titles, occupations under another key, and nulls left out
    """

    too_many: int = 0
    retry_after: int | None = None
    broken: int = 0
    cut_short: int = 0
    stuck: bool = False
    web_page: bool = False
    total_off: int = 0
    lost: int = 0
    unnamed: bool = False
    respelled: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came: ``at`` in seconds of the monotonic clock, header names in lower case."""

    at: float
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    status: int


class OnetStandIn:
    """The service, for use in a ``with`` statement; ``requests`` lists every request in order."""

    def __init__(
        self, folder: Path, release: str, *, key: str = KEY, port: int = 0, faults: Faults | None = None
    ) -> None:
        """Answer from a database folder; port 0 takes a free one."""
        self.key = key
        self.faults = faults or Faults()
        self._answers = OnetAnswers(folder, release)
        self._lock = threading.Lock()
        self._requests: list[Request] = []
        self._server = ThreadingHTTPServer((ADDRESS, port), _handler_for(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def base_url(self) -> str:
        """The address of the service, with a final slash."""
        return f"http://{ADDRESS}:{self._server.server_address[1]}/"

    @property
    def requests(self) -> list[Request]:
        """Every request so far."""
        with self._lock:
            return list(self._requests)

    def __enter__(self) -> Self:
        """Answer requests from now on, in another thread."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Answer no more and free the port."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, target: str, headers: dict[str, str]) -> tuple[int, str, bytes, bool, int | None]:
        """Status, content type, body, whether it is cut short, and seconds to wait before the next request."""
        url = urlsplit(target)
        query = {key: values[-1] for key, values in parse_qs(url.query).items()}
        with self._lock:
            status, kind, body = self._answer(url.path.strip("/"), query, headers)
            cut = status == HTTPStatus.OK and self.faults.cut_short > 0
            if cut:
                self.faults = replace(self.faults, cut_short=self.faults.cut_short - 1)
            self._requests.append(Request(time.monotonic(), url.path, query, headers, status))
            return status, kind, body, cut, self.faults.retry_after if status == HTTPStatus.TOO_MANY_REQUESTS else None

    def _answer(self, path: str, query: dict[str, str], headers: dict[str, str]) -> tuple[int, str, bytes]:
        refused = self._refusal(headers)
        if refused:
            return refused
        if not self._answers.knows(path):
            return HTTPStatus.NOT_FOUND, "text/html", b"<html>404</html>"
        found = self._answers.find(path, self.base_url.rstrip("/"))
        if found is None:
            return _json(HTTPStatus.UNPROCESSABLE_ENTITY, {"error": "no data for this occupation"})
        if isinstance(found, Pages):
            return self._page(found, path, query)
        if path == "about" and self.faults.unnamed and isinstance(found, dict):
            found = {"api_version": found["api_version"]}
        if self.faults.respelled and isinstance(found, dict) and "column" in found:
            found = {**found, "column": [{**column, "column_id": column["title"]} for column in found["column"]]}
        return _json(HTTPStatus.OK, found)

    def _refusal(self, headers: dict[str, str]) -> tuple[int, str, bytes] | None:
        """What is answered whatever the address: a wrong key, and faults."""
        faults = self.faults
        if headers.get("x-api-key") != self.key:
            return HTTPStatus.FORBIDDEN, "text/html", _WEB_PAGE
        if faults.too_many:
            self.faults = replace(faults, too_many=faults.too_many - 1)
            return HTTPStatus.TOO_MANY_REQUESTS, "text/plain", b"slow down"
        if faults.broken:
            self.faults = replace(faults, broken=faults.broken - 1)
            return HTTPStatus.INTERNAL_SERVER_ERROR, "text/html", b"<html>500</html>"
        if faults.web_page:
            return HTTPStatus.OK, "text/html", b"<html><body>Welcome</body></html>"
        return None

    def _page(self, pages: Pages, path: str, query: dict[str, str]) -> tuple[int, str, bytes]:
        start, end = query.get("start", "1"), query.get("end", "")
        if not start.isdigit() or not (end.isdigit() or not end) or int(start) < 1:
            return _json(HTTPStatus.UNPROCESSABLE_ENTITY, {"error": "start and end must be integers"})
        first = int(start)
        last = min(int(end) if end else first + _DEFAULT_PAGE - 1, len(pages.items))
        if last - first >= _LONGEST_PAGE:
            return _json(HTTPStatus.UNPROCESSABLE_ENTITY, {"error": f"at most {_LONGEST_PAGE} items"})
        items = pages.items[first - 1 : last]
        body: dict[str, Any] = {**pages.around, "start": first, "end": last, "total": len(pages.items)}
        if last < len(pages.items):
            body["next"] = f"{self.base_url}{path}?start={last + 1}&end={2 * last - first + 1}"
        if self.faults.stuck and first > 1:
            body |= {"start": 1, "end": first - 1}
        body["total"] += self.faults.total_off
        body[pages.key] = items[: len(items) - self.faults.lost]
        if self.faults.respelled:
            body[pages.key] = [respelled(item) for item in body[pages.key]]
        return _json(HTTPStatus.OK, body)


def _json(status: int, body: object) -> tuple[int, str, bytes]:
    return status, "application/json", json.dumps(body, ensure_ascii=False).encode()


def _handler_for(service: OnetStandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            headers = {key.lower(): value for key, value in self.headers.items()}
            status, kind, body, cut, wait = service.answer(self.path, headers)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            if wait is not None:
                self.send_header("Retry-After", str(wait))
            if cut:
                self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if cut else body)
            self.close_connection = self.close_connection or cut

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing: ``requests`` tells."""

    return Handler
