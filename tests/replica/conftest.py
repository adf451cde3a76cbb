"""The two scales of the replica: the committed one and, where the recorded data are present, the full one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wiq_crawl.replica.facts import Facts, facts_from_recorded, load_facts
from wiq_crawl.replica.site import Site, build_site

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def small_facts() -> Facts:
    """Return the committed facts."""
    return load_facts()


@pytest.fixture(scope="session")
def small_site(small_facts: Facts) -> Site:
    """Return the pages of the committed facts."""
    return build_site(small_facts)


@pytest.fixture(scope="session")
def full_facts(recorded_tbs: Path) -> Facts:
    """Return the facts of all 217 rows."""
    return facts_from_recorded(recorded_tbs)


@pytest.fixture(scope="session")
def full_site(full_facts: Facts) -> Site:
    """Return the pages of all 217 rows."""
    return build_site(full_facts)


@pytest.fixture(params=["small", "full"])
def scale(request: pytest.FixtureRequest) -> tuple[Facts, Site]:
    """Return the facts and pages of one scale after the other."""
    facts: Facts = request.getfixturevalue(f"{request.param}_facts")
    site: Site = request.getfixturevalue(f"{request.param}_site")
    return facts, site
