"""The closed list of faults: what can go wrong on the site, and which failure a crawl must report.

A fault turns a site into a damaged one.  Where ``expect`` is ``None`` the crawl must succeed all the
same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from wiq_crawl.replica import table_faults, text_faults
from wiq_crawl.replica.notices import ROBOTS_PATH, not_found_page
from wiq_crawl.replica.page_edits import PATHS, answered, behaving
from wiq_crawl.replica.site import HTML_HEADERS, Resource, Site

if TYPE_CHECKING:
    from collections.abc import Callable

LANGUAGES_AND_SUFFIXES: Final = (("en", ""), ("fr", "_fr"))

_MOVED_TO: Final = {
    "en": "/en/treasury-board-secretariat/topics/pay/occupational-groups/definitions.html",
    "fr": "/fr/secretariat-conseil-tresor/sujets/remuneration/groupes-professionnels/definitions.html",
}
_SLOW_SECONDS: Final = 2.0


@dataclass(frozen=True)
class Fault:
    """A fault: its name, what it does, the failure kind expected, and how to bring it about."""

    name: str
    description: str
    expect: str | None
    apply: Callable[[Site], Site]


def _soft_404(language: str, site: Site) -> Site:
    return answered(site, PATHS["standard"][language], Resource(not_found_page()))


def _page_moved(language: str, site: Site) -> Site:
    old, new = PATHS["definitions"][language], _MOVED_TO[language]
    moved = Resource(b"", status=301, headers={**HTML_HEADERS, "Location": new})
    return answered(answered(site, new, site[old]), old, moved)


def _redirect_other_language(site: Site) -> Site:
    headers = {**HTML_HEADERS, "Location": PATHS["standard"]["fr"]}
    return answered(site, PATHS["standard"]["en"], Resource(b"", status=302, headers=headers))


def _missing(kind: str, language: str, site: Site) -> Site:
    return answered(site, PATHS[kind][language], Resource(not_found_page(), status=404))


def _server_error(site: Site) -> Site:
    return answered(site, PATHS["standard"]["en"], _unavailable())


def _server_error_once(site: Site) -> Site:
    return behaving(site, PATHS["standard"]["en"], lambda page: replace(page, once=_unavailable()))


def _rate_limited_once(site: Site) -> Site:
    limited = Resource(b"Too many requests.\n", status=429, headers={"Retry-After": "1"})
    return behaving(site, PATHS["standard"]["en"], lambda page: replace(page, once=limited))


def _unavailable() -> Resource:
    return Resource(b"Service unavailable.\n", status=503, headers={"Content-Type": "text/plain"})


def _body_truncated(site: Site) -> Site:
    return behaving(site, PATHS["standard"]["en"], lambda page: replace(page, body=page.body[: len(page.body) // 2]))


def _connection_cut(site: Site) -> Site:
    return behaving(site, PATHS["standard"]["en"], lambda page: replace(page, cut=len(page.body) // 2))


def _slow_response(site: Site) -> Site:
    return behaving(site, PATHS["standard"]["en"], lambda page: replace(page, delay=_SLOW_SECONDS))


def _robots_disallow_all(site: Site) -> Site:
    return behaving(site, ROBOTS_PATH, lambda robots: replace(robots, body=b"User-agent: *\nDisallow: /\n"))


def _in_both_languages() -> list[Fault]:
    faults: list[Fault] = []
    for language, suffix in LANGUAGES_AND_SUFFIXES:
        where = {"en": "English", "fr": "French"}[language]
        listed: tuple[tuple[str, str, str, Callable[[Site], Site]], ...] = (
            (
                "header_renamed",
                "a column has another header",
                "structure_drift",
                table_faults.header_renamed(language),
            ),
            ("row_short", "a row lacks a cell", "structure_drift", table_faults.row_short(language)),
            (
                "link_label_unknown",
                "a link cell says another word",
                "structure_drift",
                table_faults.link_label_unknown(language),
            ),
            (
                "fragment_missing",
                "an entry has lost its id",
                "structure_drift",
                text_faults.fragment_missing(language),
            ),
            ("main_empty", "a standard is empty", "structure_drift", text_faults.main_empty(language)),
            (
                "heading_missing",
                "the definitions have no heading",
                "structure_drift",
                text_faults.heading_missing(language),
            ),
            (
                "wrong_language",
                "the page of the other language",
                "wrong_language",
                text_faults.wrong_language(language),
            ),
            (
                "text_truncated",
                "a text is cut at 1,000 characters",
                "truncated_text",
                text_faults.text_truncated(language),
            ),
            (
                "words_glued",
                "no space around inline elements",
                "glued_words",
                text_faults.words_glued(language),
            ),
            ("soft_404", "status 200 with the text of a 404", "soft_not_found", partial(_soft_404, language)),
            ("page_moved", "301 on the definitions", "moved", partial(_page_moved, language)),
            ("page_missing", "404 on a standard", "http_error", partial(_missing, "standard", language)),
            ("listing_missing", "404 on the main page", "http_error", partial(_missing, "main", language)),
        )
        faults += [Fault(name + suffix, f"{text} ({where})", expect, apply) for name, text, expect, apply in listed]
    return faults


_FAULTS: Final = (
    *_in_both_languages(),
    Fault("header_added", "a thirteenth column", "structure_drift", table_faults.header_added),
    Fault("header_missing", "only eight columns", "structure_drift", table_faults.header_missing),
    Fault("rowspan_introduced", "a cell over two rows", "structure_drift", table_faults.rowspan_introduced),
    Fault("colspan_introduced", "a cell over two columns", "structure_drift", table_faults.colspan_introduced),
    Fault(
        "definition_fragment_absent",
        "a link without fragment",
        "structure_drift",
        table_faults.definition_fragment_absent,
    ),
    Fault("code_malformed", "letters in a code", "structure_drift", table_faults.code_malformed),
    Fault(
        "abbreviation_malformed",
        "a digit in an abbreviation",
        "structure_drift",
        table_faults.abbreviation_malformed,
    ),
    Fault("rows_lost", "12 % fewer rows in both languages", "expectation", table_faults.rows_lost),
    Fault("row_added", "one more row in both languages", None, table_faults.row_added),
    Fault("french_row_lost", "one French row less", "pairing", table_faults.french_row_lost),
    Fault(
        "french_key_changed",
        "a French subgroup with another code",
        "pairing",
        table_faults.french_key_changed,
    ),
    Fault("table_by_script", "rows written by a script on load", "structure_drift", table_faults.table_by_script),
    Fault(
        "fragment_missing_qualification",
        "a qualification standard has lost its id",
        "structure_drift",
        text_faults.fragment_missing_qualification,
    ),
    Fault("duplicate_id", "two elements with the id of an entry", "structure_drift", text_faults.duplicate_id),
    Fault("main_missing", "a standard without main element", "structure_drift", text_faults.main_missing),
    Fault("text_language", "French text under English metadata", "wrong_language", text_faults.text_language),
    Fault(
        "two_urls_same_text",
        "two standards with one content",
        "duplicate_content",
        text_faults.two_urls_same_text,
    ),
    Fault("definition_emptied", "an entry without text", "structure_drift", text_faults.definition_emptied),
    Fault(
        "inclusions_renamed",
        "another heading for inclusions",
        "structure_drift",
        text_faults.inclusions_renamed,
    ),
    Fault("archived_page", "a standard marked as archived", "structure_drift", text_faults.archived_page),
    Fault(
        "alternate_missing",
        "no links to the other language",
        "structure_drift",
        text_faults.alternate_missing,
    ),
    Fault("date_missing", "a standard without date of change", "structure_drift", text_faults.date_missing),
    Fault("date_malformed", "a date of change in another order", "structure_drift", text_faults.date_malformed),
    Fault("old_date_widget", "dates in the former template's form", None, text_faults.old_date_widget),
    Fault("template_variant", "containers of the newer template", None, text_faults.template_variant),
    Fault("unicode_variants", "other forms of accents and spaces", None, text_faults.unicode_variants),
    Fault("hash_noise", "changing scripts inside main", None, text_faults.hash_noise),
    Fault("redirect_other_language", "302 to the other language", "moved", _redirect_other_language),
    Fault("server_error", "503 on a standard every time", "unreachable", _server_error),
    Fault("server_error_once", "503 on a standard the first time", None, _server_error_once),
    Fault("rate_limited_once", "429 with Retry-After the first time", None, _rate_limited_once),
    Fault("body_truncated", "half a page with a matching length", "truncated_text", _body_truncated),
    Fault("connection_cut", "the connection ends in the middle of a page", "unreachable", _connection_cut),
    Fault("slow_response", "two seconds before an answer", None, _slow_response),
    Fault("robots_disallow_all", "robots.txt forbids everything", "robots_forbidden", _robots_disallow_all),
)

FAULTS: Final[dict[str, Fault]] = {fault.name: fault for fault in _FAULTS}
"""All faults by name."""
