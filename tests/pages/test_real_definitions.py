"""The real definitions page as served, held against facts that were written down without this code."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from lxml import html

if TYPE_CHECKING:
    from wiq_crawl.items import PageRecords, Record

Facts = list[dict[str, Any]]

# Read from the notices of the captured page, one by one.
EFFECTIVE_DATES = {
    "def-ai": "1999-03-18",
    "def-ao": "1999-03-18",
    "def-cp": "2023-09-28",
    "def-ct": "2019-03-09",
    "def-cx": "2006-02-01",
    "def-eb": "1999-03-18",
    "def-ec": "1999-03-18",
    "def-el": "2021-12-09",
    "def-ex": "1999-03-18",
    "def-fb": "2005-11-14",
    "def-fs": "2015-06-01",
    "def-hm": "1999-03-18",
    "def-it": "2021-12-09",
    "def-lc": "2010-12-09",
    "def-lp": "2010-12-09",
    "def-nr": "2005-05-16",  # its attribute says 2006
    "def-pa": "2023-09-28",
    "def-po": "2014-05-15",
    "def-pr2": "1999-03-18",
    "def-re": "2021-12-09",
    "def-ro": "2021-12-09",
    "def-sh": None,  # «On November 25, 2010 … approved»: a date, but not one of effect
    "def-so": "1999-03-18",
    "def-sp": "2005-05-16",
    "def-sg-sre": "2005-05-16",
    "def-sg-pat": "2005-05-16",
    "def-src": "1999-03-18",
    "def-sre": "1999-03-18",
    "def-srw": "1999-03-18",
    "def-sv": "2006-02-01",
    "def-tc": "2021-12-09",
    "def-tr": "1999-03-18",
    "def-ut": "1999-03-18",
}
TWINS = "bob eew ele eme inm mac mam man mdo moc ple prw smw sps".split()


@pytest.fixture(scope="session")
def entries(definitions_page: PageRecords) -> list[Record]:
    return definitions_page.tables["definitions"]


def of_rule(page: PageRecords, rule: str) -> list[Record]:
    return [issue for issue in page.tables["issues"] if issue["rule"] == rule]


def test_counts_of_the_definitions(definitions_page: PageRecords, entries: list[Record]) -> None:
    assert len(entries) == 215
    assert Counter(entry["kind"] for entry in entries) == {"group": 31, "classification": 54, "subgroup": 130}
    assert sum(entry["text_characters"] for entry in entries) == 303_177
    assert all(entry["text_characters"] == len(entry["text"]) for entry in entries)
    assert len({entry["text_sha256"] for entry in entries}) == 201
    assert len({entry["text"] for entry in entries}) == 201
    assert len(definitions_page.tables["links"]) == 82
    assert definitions_page.tables["data_tables"] == []


def test_entries_equal_the_recorded_facts_in_order(entries: list[Record], recorded_entries: Facts) -> None:
    for entry, fact in zip(entries, recorded_entries, strict=True):
        assert entry["anchor"] == fact["id"]
        anchored = next(value["selector"] for value in entry["provenance"] if value["column"] == "anchor")
        assert re.sub(r"\[\d+\]", "", anchored).split("/")[-2:] == [fact["el"], "@id"]
        # Where the anchor is on a paragraph, the facts name the heading and that it has no id.
        no_id = re.fullmatch(r"\(no heading id; `<h4>` (.+)\)", fact["heading"])
        assert entry["heading"] == (no_id[1] if no_id else fact["heading"])
        assert entry["excerpt_of"] == fact["excerpt_of"]
        paragraphs = [block for block in entry["definition_blocks"] if block["kind"] == "paragraph"]
        assert len(paragraphs) + (entry["legal_notice"] is not None) == fact["own_paras"]
        assert items(entry, "inclusion") == fact["inclusion_items"]
        assert items(entry, "exclusion") == fact["exclusion_items"]
        others = [part["heading"] for part in entry["other_parts"]]
        related = ["Related information"] if entry["related_information"] else []
        assert others + related == fact["other_sections"]


def items(entry: Record, part: str) -> int:
    """Items of a part's outermost lists as the facts count them: 0 without the part, -1 without a list in it."""
    if entry[f"{part}s"] is None:
        return 0
    outermost = [block for block in entry[f"{part}_blocks"] if block["marker"] and block["depth"] == 1]
    return len(outermost) or -1


def test_times_of_the_notices_equal_the_recorded_facts(
    definitions_capture: str, entries: list[Record], recorded_entries: Facts
) -> None:
    """Every ``time`` of an entry stands in its notice, whose words the record has."""
    page = html.document_fromstring(definitions_capture)
    for entry, fact in zip(entries, recorded_entries, strict=True):
        (section,) = page.xpath(entry["selector"])
        times = section.xpath("./p/time")
        assert [time.get("datetime") for time in times] == fact["times"]
        assert all(" ".join(time.text_content().split()) in entry["legal_notice"] for time in times)
    assert sum(len(fact["times"]) for fact in recorded_entries) == len(page.xpath("//main//time")) == 48


def test_an_entry_has_its_own_text_and_no_other(definitions_capture: str, entries: list[Record]) -> None:
    """Read a second time with lxml alone: the section from the anchor on, without the entries nested in it."""
    page = html.document_fromstring(definitions_capture)
    for entry in entries:
        (anchored,) = page.xpath("//*[@id=$anchor]", anchor=entry["anchor"])
        section = anchored.getparent()
        kept = [
            child
            for child in section.iterchildren("*")
            if not child.xpath("self::section/*[starts-with(@id, 'def-')]")
            and section.index(child) >= section.index(anchored)
        ]
        words = " ".join(child.text_content() for child in kept).split()
        assert "".join(words) == "".join(entry["text"].split())
        parts = [entry["heading"] if anchored.tag != "p" else "", entry["legal_notice"] or ""]
        parts += [
            block["text"] for part in ("definition", "inclusion", "exclusion") for block in entry[f"{part}_blocks"]
        ]
        parts += [part["text"] for part in entry["other_parts"]]
        parts += [link["text"] for link in entry["related_information"]]
        missing = Counter("".join(words)) - Counter("".join(parts).replace(" ", ""))
        headings = section.xpath("./section[not(*[starts-with(@id, 'def-')])]/*[self::h4 or self::h5]")
        allowed = Counter("".join(heading.text_content() for heading in headings))
        assert not missing - allowed, entry["anchor"]


def test_fourteen_pairs_of_entries_share_their_text(entries: list[Record]) -> None:
    anchors: dict[str, list[str]] = {}
    for entry in entries:
        anchors.setdefault(entry["text"], []).append(entry["anchor"])
    assert sorted(pair for pair in anchors.values() if len(pair) > 1) == [
        [f"def-sre-{name}", f"def-srw-{name}"] for name in TWINS
    ]


def test_effective_dates_of_all_33_notices(definitions_page: PageRecords, entries: list[Record]) -> None:
    with_notice = {entry["anchor"]: entry["effective_date"] for entry in entries if entry["legal_notice"]}
    assert with_notice == EFFECTIVE_DATES
    assert {entry["effective_date_reason"] for entry in entries if entry["anchor"] not in with_notice} == {
        "no_legal_notice"
    }
    (sh,) = (entry for entry in entries if entry["anchor"] == "def-sh")
    assert sh["effective_date_reason"] == "notice_without_effective_date"
    (absent,) = of_rule(definitions_page, "effective_date_absent")
    assert absent["subject"] == "def-sh"
    (attribute,) = of_rule(definitions_page, "date_attribute_differs")
    assert (attribute["subject"], attribute["expected"], attribute["found"]) == ("def-nr", "2005-05-16", "2006-05-16")
