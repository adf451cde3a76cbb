"""``scrapy demo``: the whole crawl against the built-in replica, over real HTTP on loopback."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from scrapy.commands import ScrapyCommand

from wiq_crawl.commands.replica import EXPECTATIONS
from wiq_crawl.replica.facts import SMALL, load_facts
from wiq_crawl.replica.server import ReplicaServer
from wiq_crawl.replica.site import build_site

if TYPE_CHECKING:
    import argparse

_FIXED_PORT = 18610
# The replica needs no politeness.
_FAST = ("-s", "DOWNLOAD_DELAY=0", "-s", "AUTOTHROTTLE_ENABLED=0")
_LABELS = {
    "en": ("Definition", "Inclusions", "Exclusions", "In effect since", "Read at"),
    "fr": ("Définition", "Inclusions", "Exclusions", "En vigueur depuis", "Lu à"),
}


class Command(ScrapyCommand):
    """Crawls the replica and shows one definition in both languages."""

    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}

    def short_desc(self) -> str:
        """One line for ``scrapy``'s list of commands."""
        return "Crawl the built-in replica of the site and show a sample"

    def long_desc(self) -> str:
        """The text of ``scrapy demo -h``."""
        return (
            "Crawl the built-in replica of the site over loopback, both languages, into WIQ_OUTPUT, and show one definition. "
            "Its prose is made up. Example: «WIQ_OUTPUT=output/demo scrapy demo»."
        )

    def run(self, args: list[str], opts: argparse.Namespace) -> None:  # noqa: ARG002
        """Serve, crawl, show."""
        assert self.settings is not None
        output = self.settings["WIQ_OUTPUT"]
        environment = {**os.environ, "WIQ_OUTPUT": output, "WIQ_EXPECTATIONS": str(EXPECTATIONS)}
        with ReplicaServer(build_site(load_facts(SMALL)), port=_port()) as server:
            print(f"The replica (real structure, made-up prose) answers at {server.base_url}\n", flush=True)
            command = [sys.executable, "-m", "scrapy", "crawl", "tbs", "-a", f"base_url={server.base_url}", *_FAST]
            self.exitcode = subprocess.run(command, env=environment, check=False).returncode  # noqa: S603
        if self.exitcode == 0:
            for language in ("en", "fr"):
                print(_sample(Path(output) / "tbs" / "latest", language))


def _port() -> int:
    """A fixed port, so that two demos have the same addresses and only real changes show; any where it is taken."""
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", _FIXED_PORT))
        except OSError:
            return 0
    return _FIXED_PORT


def _sample(latest: Path, language: str) -> str:
    """One definition, as a person would read it."""
    lines = (latest / f"definitions_{language}.jsonl").read_text(encoding="utf-8").splitlines()
    record = next(found for found in map(json.loads, lines) if found["kind"] == "group" and found["effective_date"])
    definition, inclusions, exclusions, since, source = _LABELS[language]
    parts = [
        (definition, record["definition"]),
        (inclusions, record["inclusions"]),
        (exclusions, record["exclusions"]),
        (since, record["effective_date"]),
        (source, f"{record['document_url']}#{record['fragment']}"),
    ]
    shown = [f"\n── {record['heading']} ──"]
    for label, text in parts:
        folded = "\n".join(
            textwrap.fill(line, 110, initial_indent="    ", subsequent_indent="    ") for line in str(text).splitlines()
        )
        shown.append(f"  {label}\n{folded}")
    return "\n".join(shown)
