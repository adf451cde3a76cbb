"""nginx on loopback: one worker, static files, nothing compressed, one port per folder."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_SYSTEM_FOLDERS = "/usr/sbin:/usr/local/sbin:/opt/homebrew/bin"
_PATIENCE = 10.0
_CONFIGURATION = """\
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    access_log off;
    gzip off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000;
    types {{ text/html html; text/plain txt; text/xml xml; text/css css; }}
    charset utf-8;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{servers}
}}
"""


def find_nginx() -> str | None:
    """Where nginx is; None where it is not installed."""
    return shutil.which("nginx") or shutil.which("nginx", path=_SYSTEM_FOLDERS)


@contextmanager
def serving(nginx: str, folder: Path, sites: Sequence[Path]) -> Iterator[list[str]]:
    """Serve each site from a free port while the context lasts; yields their addresses."""
    folder.mkdir()
    ports = _free_ports(len(sites))
    servers = "\n".join(
        f"    server {{ listen 127.0.0.1:{port}; root {site}; }}" for port, site in zip(ports, sites, strict=True)
    )
    user = f"user {getpass.getuser()};" if getpass.getuser() == "root" else ""
    configuration = folder / "nginx.conf"
    configuration.write_text(_CONFIGURATION.format(user=user, folder=folder, servers=servers), encoding="utf-8")
    with subprocess.Popen([nginx, "-e", str(folder / "error.log"), "-c", str(configuration)]) as server:
        try:
            _wait_until_up(server, ports)
            yield [f"http://127.0.0.1:{port}" for port in ports]
        finally:
            server.terminate()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for free in sockets:
        free.bind(("127.0.0.1", 0))
    ports = [int(free.getsockname()[1]) for free in sockets]
    for free in sockets:
        free.close()
    return ports


def _wait_until_up(server: subprocess.Popen[bytes], ports: Sequence[int]) -> None:
    deadline = time.monotonic() + _PATIENCE
    for port in ports:
        while True:
            if server.poll() is not None:
                raise RuntimeError(f"nginx ended with exit status {server.returncode}")
            with socket.socket() as attempt:
                if attempt.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if time.monotonic() > deadline:
                raise RuntimeError(f"nginx does not answer on port {port}")
            time.sleep(0.05)
