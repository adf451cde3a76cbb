"""A loopback publisher of input files, with the faults that real ones have, and a registry that leads to it."""

from __future__ import annotations

import hashlib
import io
import json
import re
import threading
import zipfile
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self

from imputer.sample import SAMPLE
from imputer.sources.registry import REGISTRY, load_registry

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Served:
    """One address. ``cuts``: after so many bytes the line is cut, once each; ``statuses``: given first, once each."""

    body: bytes = b""
    version: str | None = '"1"'
    kind: str = "text/csv"
    status: int = 200
    location: str | None = None
    cuts: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    ranges: bool = True


class SourceServer:
    """Serves ``files`` by path, and keeps what was asked for: path and Range."""

    def __init__(self) -> None:
        self.files: dict[str, Served] = {}
        self.asked: list[tuple[str, str | None]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def times(self, path: str) -> int:
        return sum(asked == path for asked, _ in self.asked)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler_of(publisher: SourceServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10

        def do_GET(self) -> None:
            publisher.asked.append((self.path, self.headers.get("Range")))
            served = publisher.files.get(self.path, Served(status=404))
            status = served.statuses.pop(0) if served.statuses else served.status
            if status != 200:
                self._answer(status, b"", {"Location": served.location} if served.location else {})
                return
            start = self._start(served)
            if start >= len(served.body) > 0:
                self._answer(416, b"", {"Content-Range": f"bytes */{len(served.body)}"})
                return
            headers = {"ETag": served.version} if served.version else {}
            if start:
                headers["Content-Range"] = f"bytes {start}-{len(served.body) - 1}/{len(served.body)}"
            self._answer(
                206 if start else 200, served.body[start:], headers | {"Content-Type": served.kind}, served.cuts
            )

        def _start(self, served: Served) -> int:
            wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            same = self.headers.get("If-Range") == served.version
            return int(wanted[1]) if wanted and same and served.ranges else 0

        def _answer(self, status: int, body: bytes, headers: dict[str, str], cuts: list[int] | None = None) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if cuts:
                self.wfile.write(body[: cuts.pop(0)])
                self.close_connection = True
            else:
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


def publish_sample(server: SourceServer, folder: Path) -> Path:
    """Serve the sample as the publishers would, and write a registry of it; returns the registry's path."""
    text = REGISTRY.read_text(encoding="utf-8")
    for host in ("www.statcan.gc.ca/en/subjects", "raw.githubusercontent.com", "www.onetcenter.org/dl_files"):
        text = text.replace(f'url = "https://{host}', f'url = "{server.url}/{host}')
    for name in ("catalogue", "download"):
        text = re.sub(rf'(?m)^{name} = "https://', f'{name} = "{server.url}/', text)
    text = re.sub(r'(?m)^sha256_lf = ".*"\n', "", text)
    registry = folder / "registry.toml"
    registry.write_text(text, encoding="utf-8")
    archive = io.BytesIO()
    resources: dict[str, list[dict[str, str]]] = {}
    with zipfile.ZipFile(archive, "w") as members:
        for file in load_registry(registry).files.values():
            path = SAMPLE / str(file.path)
            if not file.path or not path.is_file():
                continue
            content = path.read_bytes()
            text = text.replace(f'"{file.sha256}"', f'"{hashlib.sha256(content).hexdigest()}"')
            if file.member:
                members.writestr(file.member, content)
                zipped = file.url
            elif file.url:
                server.files[file.url.removeprefix(server.url)] = Served(content)
            elif file.dataset:
                where = f"/elsewhere/{file.published or file.path.name}"
                server.files[where] = Served(content)
                entry = {"id": file.resource or f"of-{file.id}", "url": f"{server.url}{where}"}
                resources.setdefault(file.dataset, []).append(entry)
                if file.resource:
                    direct = load_registry(registry).download.format(
                        dataset=file.dataset, resource=file.resource, file=file.path.name
                    )
                    server.files[direct.removeprefix(server.url)] = Served(content)
    assert zipped
    server.files[zipped.removeprefix(server.url)] = Served(archive.getvalue(), kind="application/zip")
    for dataset, entries in resources.items():
        catalogue = load_registry(registry).catalogue.format(dataset=dataset).removeprefix(server.url)
        body = json.dumps({"success": True, "result": {"resources": entries}}).encode()
        server.files[catalogue] = Served(body, kind="application/json")
    registry.write_text(text, encoding="utf-8")
    load_registry.cache_clear()
    return registry
