"""Job evaluation standards: what is expected of one beside its sections and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wiq_crawl.labels import label
from wiq_crawl.pages.dates import find_dates
from wiq_crawl.pages.issues import issue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wiq_crawl.items import Record
    from wiq_crawl.pages.page import Page
    from wiq_crawl.pages.sections import Outline


def standard_issues(page: Page, outline: Outline) -> Iterator[Record]:
    """Report a standard without a table of amendments, or without a sentence that dates its effect.

    Reported, not refused: the layout of these pages was only ever seen as text.
    """
    place = page.provenance_of(page.main, None)
    amendments = label("standards.amendments", page.language)
    holders = {section["section_id"] for section in outline.sections if amendments.matches(section["heading"] or "")}
    if not any(table["section_id"] in holders for table in outline.data_tables):
        yield issue(page, "amendments_absent", page.url, f"a table under the heading {amendments}", "none", place)
    in_effect = label("standards.in_effect", page.language)
    dated = (
        in_effect.matches(block["text"]) and find_dates(block["text"], page.language)
        for section in outline.sections
        for block in section["blocks"]
    )
    if not any(dated):
        yield issue(page, "effective_date_absent", page.url, f"a sentence with {in_effect} and a date", "none", place)
