"""``scrapy replica``: the generated copy of the site, served on loopback or written as files."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError

from wiq_crawl.replica.facts import SMALL, facts_from_recorded, load_facts
from wiq_crawl.replica.faults import FAULTS
from wiq_crawl.replica.server import ReplicaServer
from wiq_crawl.replica.site import build_site, write_site

if TYPE_CHECKING:
    import argparse

EXPECTATIONS = Path(__file__).parents[1] / "replica" / "expectations.toml"


class Command(ScrapyCommand):
    """Serves the replica until interrupted, with or without a fault."""

    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}

    def short_desc(self) -> str:
        """One line for ``scrapy``'s list of commands."""
        return "Serve a generated copy of the site on loopback, faults on request"

    def long_desc(self) -> str:
        """The text of ``scrapy replica -h``."""
        return (
            "Serve a generated copy of the site on 127.0.0.1 (real structure and facts, made-up prose) until interrupted. Examples: "
            "«scrapy replica --port 8000» then «WIQ_EXPECTATIONS=wiq_crawl/replica/expectations.toml scrapy crawl tbs "
            "-a base_url=http://127.0.0.1:8000»; «scrapy replica --fault header_renamed»; «scrapy replica --faults» (list them); "
            "«scrapy replica --write FOLDER»."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """The command's options."""
        super().add_options(parser)
        parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: any free one)")
        parser.add_argument("--fault", metavar="NAME", help="damage the site in one way")
        parser.add_argument(
            "--faults", action="store_true", help="list the faults and the failure kind each must cause"
        )
        parser.add_argument("--write", metavar="FOLDER", help="write the site as files instead of serving it")
        parser.add_argument("--recorded", metavar="FOLDER", help="full scale, from a folder of recorded facts")
        parser.add_argument("--seed", type=int, default=2021, help="seed of the made-up prose (default: 2021)")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Serve, list or write."""
        if args:
            raise UsageError(f"unexpected argument {args[0]!r}")
        if opts.faults:
            for fault in FAULTS.values():
                print(f"{fault.name:<32} {fault.expect or '(must succeed)':<18} {fault.description}")
            return
        if opts.fault and opts.fault not in FAULTS:
            print(f"bad_argument: unknown fault {opts.fault!r}; «scrapy replica --faults» lists them", file=sys.stderr)
            self.exitcode = 2
            return
        facts = facts_from_recorded(Path(opts.recorded)) if opts.recorded else load_facts(SMALL)
        site = build_site(facts, seed=opts.seed)
        if opts.write:
            write_site(site, Path(opts.write))
            print(f"{len(site)} files: {opts.write}")
            return
        with ReplicaServer(site, port=opts.port, fault=opts.fault) as server:
            print(f"{server.base_url}  (Ctrl-C ends it)", flush=True)
            try:
                threading.Event().wait()
            except KeyboardInterrupt:
                print(f"{len(server.requests)} requests answered")
