"""``-a probe=1``: every label compared with the site, nothing extracted, nothing published."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from processes import state

from schemas import document_validator
from wiq_crawl.labels import labels
from wiq_crawl.replica.page_edits import PATHS
from wiq_crawl.replica.server import ReplicaServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from processes import Ended

    from wiq_crawl.replica.site import Site

PROBE = ("-a", "probe=1")


def _observations(ended: Ended) -> list[dict[str, Any]]:
    """The run's observations; it published nothing and kept its archive."""
    manifest = ended.manifest()
    document_validator("run").validate(manifest)
    assert (manifest["verdict"], manifest["promoted"], manifest["failures"]) == ("probe", False, [])
    assert sorted(path.name for path in ended.newest.iterdir()) == ["crawl.log", "pages.warc.gz", "run.json"]
    assert manifest["counts"] == {}
    assert f"Probe {manifest['run_id']}: nothing published. Archive and run.json: {ended.newest}" in ended.output
    observed: list[dict[str, Any]] = manifest["observations"]
    return observed


def test_probe_of_a_site_as_expected(published: Path, small_site: Site, crawl: Callable[..., Ended]) -> None:
    before = state(published)
    with ReplicaServer(small_site) as server:
        ended = crawl(server.base_url, *PROBE)
        assert len(server.requests) == 1 + 2 * 8  # the main pages and the documents they lead to, no further
    seen = _observations(ended)
    assert (ended.status, ended.errors) == (0, ""), ended.output
    assert {one["verdict"] for one in seen} <= {"as expected", "matches: set confirmed = true"}
    assert {one["label"] for one in seen} >= {key for key in labels("fr") if key.startswith(("header.", "cell."))}
    for one in seen:
        label = labels(one["language"])[one["label"]]
        assert (one["expected"], one["confirmed"]) == (str(label), label.confirmed)
        assert (one["verdict"] == "as expected") == label.confirmed
    assert "Labels compared with the site, one by one" in ended.output
    assert "matches: set confirmed = true" in ended.output
    for one in seen:
        assert one["label"] in ended.output
    assert state(published) == before


@pytest.mark.parametrize(
    ("fault", "label", "verdict", "found"),
    [
        ("header_renamed_fr", "header.definition", "differs", ["Signification"]),
        ("heading_missing_fr", "h1.definitions", "not found", []),
    ],
)
def test_probe_names_the_label_that_differs(
    fault: str,
    label: str,
    verdict: str,
    found: list[str],
    published: Path,
    small_site: Site,
    crawl: Callable[..., Ended],
) -> None:
    before = state(published)
    with ReplicaServer(small_site, fault=fault) as server:
        ended = crawl(server.base_url, *PROBE)
    differing = [one for one in _observations(ended) if one["verdict"] in ("differs", "not found")]
    page = "main" if label.startswith("header") else "definitions"
    assert differing == [
        {
            "label": label,
            "language": "fr",
            "url": server.base_url + PATHS[page]["fr"],
            "expected": str(labels("fr")[label]),
            "found": found,
            "confirmed": labels("fr")[label].confirmed,
            "verdict": verdict,
        }
    ]
    assert ended.status == 1
    (line,) = [line for line in ended.output.splitlines() if label in line and verdict in line]
    assert "│ fr │" in line
    assert all(word in line for word in (str(labels("fr")[label])[:15], *found))
    assert state(published) == before


def test_probe_that_reaches_no_page_is_bad(published: Path, small_site: Site, crawl: Callable[..., Ended]) -> None:
    before = state(published)
    with ReplicaServer(small_site, fault="listing_missing") as server:
        failure = crawl(server.base_url, *PROBE).failed("http_error")
    assert failure["url"] == server.base_url + PATHS["main"]["en"]
    assert state(published) == before


def test_probe_needs_no_empty_output(small_site: Site, crawl: Callable[..., Ended]) -> None:
    """The first thing anybody does: probe, then crawl."""
    with ReplicaServer(small_site) as server:
        probe = crawl(server.base_url, *PROBE, "-a", "languages=en", expect=0)
        assert not probe.latest.exists()
        ended = crawl(server.base_url, "-a", "languages=en", expect=0)
    assert ended.manifest()["promoted"]
    assert ended.manifest()["previous"] is None
