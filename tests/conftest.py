"""Fixtures: the real data where it exists, a served replica, and real ``scrapy`` processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from wiq_crawl.replica.facts import SMALL, facts_from_recorded, load_facts
from wiq_crawl.replica.site import build_site

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wiq_crawl.replica.facts import Facts
    from wiq_crawl.replica.site import Site

PROJECT = Path(__file__).parents[1]
RECORDED = PROJECT.parent / "shared" / "data" / "tbs"
SMALL_EXPECTATIONS = PROJECT / "wiq_crawl" / "replica" / "expectations.toml"


@pytest.fixture(scope="session")
def recorded_tbs() -> Path:
    """The folder of recorded Treasury Board facts and the two real captures, beside the project."""
    if not RECORDED.is_dir():
        pytest.skip("needs the recorded Treasury Board pages in ../shared/data/tbs")
    return RECORDED


@pytest.fixture(scope="session")
def small_facts() -> Facts:
    return load_facts(SMALL)


@pytest.fixture(scope="session")
def small_site(small_facts: Facts) -> Site:
    return build_site(small_facts)


@pytest.fixture(scope="session")
def full_site(recorded_tbs: Path) -> Site:
    return build_site(facts_from_recorded(recorded_tbs))


@dataclass(frozen=True)
class Ended:
    """A ``scrapy`` process that has ended."""

    status: int
    output: str
    errors: str
    folder: Path  # output/tbs

    @property
    def latest(self) -> Path:
        return self.folder / "latest"

    def manifest(self) -> dict[str, Any]:
        """run.json of the newest run."""
        newest = max((self.folder / "runs").iterdir(), key=lambda run: (len(run.name) > 16, run.name))
        loaded: dict[str, Any] = json.loads((newest / "run.json").read_text(encoding="utf-8"))
        return loaded

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Records of ``latest/<name>.jsonl``."""
        lines = (self.latest / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]


Scrapy = "Callable[..., Ended]"
FAST = ("-s", "DOWNLOAD_DELAY=0", "-s", "AUTOTHROTTLE_ENABLED=0", "-s", "WIQ_RETRY_BACKOFF=0.05", "-s", "RETRY_TIMES=1")


@pytest.fixture
def scrapy(tmp_path: Path) -> Callable[..., Ended]:
    """Run a real ``scrapy`` process in the project, with an output folder of the test's own."""

    def run(*arguments: str, environment: Mapping[str, str] | None = None, expect: int | None = None) -> Ended:
        variables = {name: value for name, value in os.environ.items() if not name.startswith(("WIQ_", "SCRAPY_"))}
        variables |= {"WIQ_OUTPUT": str(tmp_path / "output")} | dict(environment or {})
        process = subprocess.run(
            [sys.executable, "-m", "scrapy", *arguments],
            cwd=PROJECT,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )
        ended = Ended(process.returncode, process.stdout, process.stderr, Path(variables["WIQ_OUTPUT"]) / "tbs")
        if expect is not None:
            assert ended.status == expect, f"exit {ended.status}\n{ended.output}\n{ended.errors}"
        return ended

    return run


@pytest.fixture
def crawl(scrapy: Callable[..., Ended]) -> Callable[..., Ended]:
    """``scrapy crawl tbs`` of a server, without the polite waits; small-scale expectations unless told otherwise."""

    def run(
        base_url: str,
        *arguments: str,
        small: bool = True,
        environment: Mapping[str, str] | None = None,
        expect: int | None = None,
    ) -> Ended:
        variables = dict(environment or {})
        if small:
            variables.setdefault("WIQ_EXPECTATIONS", str(SMALL_EXPECTATIONS))
        return scrapy(
            "crawl", "tbs", "-a", f"base_url={base_url}", *FAST, *arguments, environment=variables, expect=expect
        )

    return run
