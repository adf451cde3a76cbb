"""Fixtures: the real data where it exists, a served replica, and real ``scrapy`` processes."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from processes import PROJECT, SMALL_EXPECTATIONS, crawl_of, run_scrapy

from wiq_crawl.replica.facts import SMALL, facts_from_recorded, load_facts
from wiq_crawl.replica.server import ReplicaServer
from wiq_crawl.replica.site import build_site

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from processes import Ended

    from wiq_crawl.replica.facts import Facts
    from wiq_crawl.replica.site import Site

SHARED_DATA = PROJECT.parent / "shared" / "data"
RECORDED = SHARED_DATA / "tbs"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real input files, beside the project."""
    if not SHARED_DATA.is_dir():
        pytest.skip("needs the real input files in ../shared/data")
    return SHARED_DATA


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


@pytest.fixture
def scrapy(tmp_path: Path) -> Callable[..., Ended]:
    """Run a real ``scrapy`` process in the project, with an output folder of the test's own."""

    def run(*arguments: str, environment: Mapping[str, str] | None = None, expect: int | None = None) -> Ended:
        return run_scrapy(tmp_path / "output", *arguments, given=environment, expect=expect)

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
        return scrapy(*crawl_of(base_url, *arguments), environment=variables, expect=expect)

    return run


@pytest.fixture(scope="session")
def good_output(small_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder with one good bilingual run of the small replica; not to be changed."""
    output = tmp_path_factory.mktemp("good") / "output"
    with ReplicaServer(small_site) as server:
        expectations = {"WIQ_EXPECTATIONS": str(SMALL_EXPECTATIONS)}
        run_scrapy(output, *crawl_of(server.base_url), given=expectations, expect=0)
    return output


@pytest.fixture
def published(good_output: Path, tmp_path: Path) -> Path:
    """``output/tbs`` of the test's own, with one good run in it."""
    shutil.copytree(good_output, tmp_path / "output", symlinks=True)
    return tmp_path / "output" / "tbs"
