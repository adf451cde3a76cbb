"""Every fault of the site: the crawl says what is wrong and where, and ``latest`` stays as it was."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from processes import SMALL_EXPECTATIONS, assert_whole, state

from wiq_crawl.replica.faults import FAULTS
from wiq_crawl.replica.page_edits import PATHS
from wiq_crawl.replica.server import ReplicaServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from processes import Ended

    from wiq_crawl.replica.site import Site

COUNTED = '\n[[count]]\nname = "rows of occupational_groups"\nminimum = 18\nmaximum = 22\nknown = 20\n'

FAILING = [fault.name for fault in FAULTS.values() if fault.expect and fault.name != "rows_lost"]
HARMLESS = [fault.name for fault in FAULTS.values() if fault.expect is None]
BOTH_LANGUAGES = {"french_row_lost", "french_key_changed", "redirect_other_language"}

MAIN, DEFINITIONS, STANDARD = "main", "definitions", "standard"
# The page each fault must be located at, words of what was expected and found there, and the row.
LOCATED: dict[str, tuple[str, str, str, int | None]] = {
    "header_renamed": (MAIN, "«Definition»", "«Meaning»", None),
    "header_renamed_fr": (MAIN, "«Définition»", "«Signification»", None),
    "header_added": (MAIN, "12", "13", None),
    "header_missing": (MAIN, "12", "8", None),
    "row_short": (MAIN, "12 td", "11", 2),
    "row_short_fr": (MAIN, "12 td", "11", 2),
    "rowspan_introduced": (MAIN, "no rowspan", "rowspan=", None),
    "colspan_introduced": (MAIN, "no colspan", "colspan=", None),
    "link_label_unknown": (MAIN, "«Yes» or «Info»", "«Voir»", 1),
    "link_label_unknown_fr": (MAIN, "«Oui» or «Info»", "«Consulter»", 1),
    "definition_fragment_absent": (MAIN, "#def- fragment", "definitions.html", 1),
    "code_malformed": (MAIN, "a code such as 402", "«30-A9»", 1),
    "abbreviation_malformed": (MAIN, "an abbreviation such as AI", "«Cx1»", 1),
    "table_by_script": (MAIN, "rows in tbody", "none", None),
    "french_row_lost": (MAIN, "the same row_key", "only in en: CT/", None),
    "french_key_changed": (MAIN, "the same row_key", "CT-EAV", None),
    "listing_missing": (MAIN, "200", "404 Not Found", None),
    "listing_missing_fr": (MAIN, "200", "404 Not Found", None),
    "robots_disallow_all": (MAIN, "permission", "robots.txt", None),
    "fragment_missing": (DEFINITIONS, "exactly one element", "0", None),
    "fragment_missing_fr": (DEFINITIONS, "exactly one element", "0", None),
    "fragment_missing_qualification": ("qualifications", "exactly one element", "0", None),
    "duplicate_id": (DEFINITIONS, "once in the page", "also at /html", None),
    "heading_missing": (DEFINITIONS, "h1#wb-cont", "none", None),
    "heading_missing_fr": (DEFINITIONS, "h1#wb-cont", "none", None),
    "wrong_language": (DEFINITIONS, "'en'", "'fr'", None),
    "wrong_language_fr": (DEFINITIONS, "'fr'", "'en'", None),
    "text_truncated": (DEFINITIONS, "ends as sentences do", "1000 characters ending «", None),
    "text_truncated_fr": (DEFINITIONS, "ends as sentences do", "1000 characters ending «", None),
    "words_glued": (DEFINITIONS, "at most 2 words", "such as «", None),
    "words_glued_fr": (DEFINITIONS, "at most 2 words", "such as «", None),
    "definition_emptied": (DEFINITIONS, "a definition text", "none", None),
    "inclusions_renamed": (DEFINITIONS, "«Inclusions»", "«Covered work»", None),
    "alternate_missing": (DEFINITIONS, "hreflang=fr", "none", None),
    "page_moved": (DEFINITIONS, "the page at its address", "301 Moved Permanently, to /en/", None),
    "page_moved_fr": (DEFINITIONS, "the page at its address", "301 Moved Permanently, to /fr/", None),
    "main_empty": (STANDARD, "at least 40 characters", "0", None),
    "main_empty_fr": (STANDARD, "at least 40 characters", "0", None),
    "main_missing": (STANDARD, "exactly one //main", "0", None),
    "soft_404": (STANDARD, "the page itself", "Page not found", None),
    "soft_404_fr": (STANDARD, "the page itself", "Page not found", None),
    "page_missing": (STANDARD, "200", "404 Not Found", None),
    "page_missing_fr": (STANDARD, "200", "404 Not Found", None),
    "text_language": (STANDARD, "common words of 'en'", "of 'fr'", None),
    "archived_page": (STANDARD, "a page in force", "an archived notice", None),
    "date_missing": (STANDARD, "dcterms.modified", "none", None),
    "date_malformed": (STANDARD, "YYYY-MM-DD", "«12/31/25»", None),
    "redirect_other_language": (STANDARD, "the page at its address", "302 Found, to /fr/", None),
    "server_error": (STANDARD, "200", "503 Service Unavailable", None),
    "body_truncated": (STANDARD, "</html> at the end", "«", None),
    "connection_cut": (STANDARD, "a page", "DataLoss", None),
    "two_urls_same_text": (STANDARD, "a text of its own", "the text of http://", None),
}
# What no page can show by itself: the fault lies in the answer, between two pages, or with robots.txt.
NO_PAGE_SAVED = {"http_error", "moved", "unreachable", "robots_forbidden", "pairing"}
NO_SELECTOR = {"http_error", "moved", "unreachable", "robots_forbidden", "pairing"}


def test_every_fault_is_located_here() -> None:
    assert set(LOCATED) == set(FAILING)


@pytest.mark.parametrize("name", FAILING)
def test_fault_is_reported_and_nothing_published(
    name: str, published: Path, small_site: Site, crawl: Callable[..., Ended], scrapy: Callable[..., Ended]
) -> None:
    kind = FAULTS[name].expect
    assert kind
    before = state(published)
    with ReplicaServer(small_site, fault=name) as server:
        ended = crawl(server.base_url, *_languages(name))
        base_url = server.base_url
    failure = ended.failed(kind)
    assert state(published) == before

    page, expected, found, row = LOCATED[name]
    paths = PATHS[page].values() if page != STANDARD else [*PATHS[page].values(), *PATHS["other_standard"].values()]
    failures = [one for one in ended.manifest()["failures"] if one["kind"] == kind]
    located = [one for one in failures if one["url"] in {base_url + path for path in paths}]
    assert located, failures
    failure = located[0]
    assert expected in failure["expected"]
    assert found in failure["found"]
    assert failure["row"] == row
    assert (failure["selector"] is None) == (kind in NO_SELECTOR or name == "body_truncated")
    for value in (failure["message"], failure["expected"], failure["found"], failure["url"], failure["selector"]):
        assert (value or "") in ended.output
    assert (failure["saved_page"] is None) == (kind in NO_PAGE_SAVED)
    if failure["saved_page"] and kind != "duplicate_content":  # one page alone does not show it
        _extract_reports_it(failure, scrapy)


def _languages(name: str) -> list[str]:
    """One language is enough for what goes wrong in one language."""
    if name in BOTH_LANGUAGES:
        return []
    return ["-a", "languages=fr" if name.endswith("_fr") else "languages=en"]


def _extract_reports_it(failure: dict[str, str], scrapy: Callable[..., Ended]) -> None:
    """``scrapy extract`` of the saved page fails with the same words."""
    saved = Path(failure["saved_page"])
    assert saved.is_file()
    # Only the crawl knows the fragments that the main table points at.
    fragments = ["--fragment", failure["selector"].split("'")[1]] if "fragment #" in failure["message"] else []
    variables = {"WIQ_EXPECTATIONS": str(SMALL_EXPECTATIONS)}
    extracted = scrapy("extract", str(saved), "--url", failure["url"], *fragments, environment=variables)
    assert (extracted.status, extracted.output) == (1, ""), extracted.errors
    said = f"{failure['kind']}: {failure['message']}; expected {failure['expected']}; found {failure['found']}"
    assert extracted.errors.startswith(said)
    assert failure["url"] in extracted.errors


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_fault_is_published(
    name: str, published: Path, small_site: Site, tmp_path: Path, crawl: Callable[..., Ended]
) -> None:
    counted = tmp_path / "expectations.toml"
    counted.write_text(SMALL_EXPECTATIONS.read_text(encoding="utf-8") + COUNTED, encoding="utf-8")
    with ReplicaServer(small_site, fault=name) as server:
        ended = crawl(server.base_url, environment={"WIQ_EXPECTATIONS": str(counted)}, expect=0)
    assert published.joinpath("latest").readlink().name == ended.manifest()["run_id"]
    assert_whole(ended.latest)
    assert ended.errors == ""
    rows = 21 if name == "row_added" else 20
    assert [len(ended.rows(f"occupational_groups_{language}")) for language in ("en", "fr")] == [rows, rows]
    warnings = [f"rows of occupational_groups ({one}): expected 20, found 21" for one in ("en", "fr")]
    assert ended.manifest()["warnings"] == (warnings if name == "row_added" else [])
    assert ("warning: rows of occupational_groups (en)" in ended.output) == (name == "row_added")


def test_lost_rows_fall_outside_the_envelope(
    published: Path, small_site: Site, tmp_path: Path, crawl: Callable[..., Ended]
) -> None:
    counted = tmp_path / "expectations.toml"
    counted.write_text(SMALL_EXPECTATIONS.read_text(encoding="utf-8") + COUNTED, encoding="utf-8")
    before = state(published)
    with ReplicaServer(small_site, fault="rows_lost") as server:
        ended = crawl(server.base_url, environment={"WIQ_EXPECTATIONS": str(counted)})
    failure = ended.failed("expectation")
    assert failure["message"] == "rows of occupational_groups (en)"
    assert (failure["expected"], failure["found"]) == ("18 to 22, known 20", "17")
    assert "expectations.toml" in failure["next_step"]
    outcomes = {one["name"]: (one["actual"], one["outcome"]) for one in ended.manifest()["expectations"]}
    assert outcomes["rows of occupational_groups (fr)"] == ("17", "failed")
    assert state(published) == before
    assert [path for path in ended.newest.iterdir() if path.suffix in (".jsonl", ".parquet")] == []
