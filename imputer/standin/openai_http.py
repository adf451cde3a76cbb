"""HTTP around the OpenAI stand-in: reads requests whole, sends replies, and breaks connections to order."""

from __future__ import annotations

import contextlib
import json
import socket
import sys
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from imputer.standin.openai_uploads import LARGEST

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import Message
    from io import BufferedIOBase

ADDRESS = "127.0.0.1"
_SPARE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """What is sent. ``dropped``: nothing, the connection is closed; ``cut``: half of it, ``announced`` in full."""

    status: int
    body: bytes = b""
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    dropped: bool = False
    cut: bool = False
    announced: bool = True


def json_reply(value: object, status: int = 200, *, cut: bool = False, announced: bool = True) -> Reply:
    """A reply of JSON."""
    return Reply(status, json.dumps(value, ensure_ascii=False).encode(), cut=cut, announced=announced)


def _body(stream: BufferedIOBase, headers: Message) -> bytes | None:
    if "chunked" in headers.get("Transfer-Encoding", ""):
        return _chunks(stream)
    length = int(headers.get("Content-Length") or 0)
    return None if length > LARGEST + _SPARE else stream.read(length)


def _chunks(stream: BufferedIOBase) -> bytes | None:
    chunks: list[bytes] = []
    length = 0
    while size := int(stream.readline().split(b";")[0], 16):
        length += size
        if length > LARGEST + _SPARE:
            return None
        chunks.append(stream.read(size))
        stream.readline()
    stream.readline()
    return b"".join(chunks)


class Server(ThreadingHTTPServer):
    """Serves on the loopback interface; says nothing when a client goes away, which is what clients are killed for."""

    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """As the base class, except for connections that the client closed."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def server_for(answer: Callable[[str, str, dict[str, str], bytes | None], Reply], port: int) -> Server:
    """A server that gives what ``answer(method, target, headers, body)`` says; body None: longer than is taken."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def _serve(self) -> None:
            body = _body(self.rfile, self.headers)
            headers = {key.lower(): value for key, value in self.headers.items()}
            reply = answer(self.command, self.path, headers, body)
            if body is None or reply.dropped:
                self.close_connection = True
            if reply.dropped:
                with contextlib.suppress(OSError):
                    self.connection.shutdown(socket.SHUT_RDWR)
                return
            sent = reply.body[: len(reply.body) // 2] if reply.cut else reply.body
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.kind)
            self.send_header("Content-Length", str(len(reply.body if reply.announced else sent)))
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(sent)
            # Where the length tells the cut, nothing more comes; a quiet one leaves the connection as it is.
            self.close_connection = self.close_connection or (reply.cut and reply.announced)

        do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = _serve  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing: ``requests`` tells."""

    return Server((ADDRESS, port), Handler)
