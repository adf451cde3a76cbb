"""The two real pages as served, held against facts that were written down without this code."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import urldefrag, urljoin

import pytest
from jsonschema import Draft202012Validator
from lxml import html
from referencing import Registry, Resource

from schemas import load_tables
from schemas.table import FOLDER
from schemas.validation import TableValidator
from wiq_crawl.addresses import BASE_URL
from wiq_crawl.pages.occupational_groups import LINK_COLUMNS, row_key, split_name
from wiq_crawl.pages.text import glued_words

if TYPE_CHECKING:
    from wiq_crawl.items import PageRecords, Record

Facts = list[dict[str, Any]]

# Names of the link columns in the recorded facts.
RECORDED_COLUMNS = dict(
    zip(LINK_COLUMNS, ("definition", "jes", "qs", "bargaining", "agreement", "rates_rep", "rates_unrep"), strict=True)
)

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
def rows(main_page: PageRecords) -> list[Record]:
    return main_page.tables["occupational_groups"]


@pytest.fixture(scope="session")
def entries(definitions_page: PageRecords) -> list[Record]:
    return definitions_page.tables["definitions"]


def published_name(record: Record, column: str) -> str:
    """Name and code as the cell wrote them."""
    name, code = record[f"{column}_name"], record[f"{column}_code"]
    return "N/A" if name is None else f"{name} ({code})" if code else name


def of_rule(page: PageRecords, rule: str) -> list[Record]:
    return [issue for issue in page.tables["issues"] if issue["rule"] == rule]


# --- the main table -------------------------------------------------------------------------------------------------


def test_counts_of_the_main_table(main_page: PageRecords, rows: list[Record]) -> None:
    links = [link for link in main_page.tables["links"] if link["table_column"]]
    with_fragment = {(link["url"], link["target_fragment"]) for link in links}
    assert len(rows) == 217
    assert len({row["row_key"] for row in rows}) == 217
    assert len({row["abbreviation"] for row in rows}) == 31
    assert len(links) == 1288
    assert len(with_fragment) == 547
    assert len({url for url, _ in with_fragment}) == 79
    assert Counter(link["table_column"] for link in links) == {
        "definition": 216,
        "job_evaluation_standard": 202,
        "qualification_standard": 203,
        "bargaining_update": 210,
        "collective_agreement": 210,
        "rates_represented": 197,
        "rates_unrepresented": 50,
    }
    assert Counter(row["qualification_standard_label"] for row in rows) == {"Yes": 114, "Info": 89, None: 14}
    assert Counter(row["job_evaluation_standard_published"] for row in rows) == {False: 169, True: 33, None: 15}


def test_rows_equal_the_recorded_facts_in_order(rows: list[Record], recorded_rows: Facts) -> None:
    recorded_rows = sorted(recorded_rows, key=lambda fact: fact["en_row"])
    for number, (row, fact) in enumerate(zip(rows, recorded_rows, strict=True), 1):
        assert row["row_number"] == number
        assert row["abbreviation"] == fact["abbrev"]
        assert (row["code"] or "") == fact["code_en"]
        assert published_name(row, "occupational_group") == fact["occ_group_en"]
        assert published_name(row, "group") == fact["group_en"]
        assert published_name(row, "subgroup") == fact["subgroup_en"]
        assert row["fragment"] == fact["row_id_attr"]
        assert (row["qualification_standard_label"] or "N/A") == fact["qs_text_en"]
        for column, recorded in RECORDED_COLUMNS.items():
            href = fact["links_en"][recorded]
            assert row[f"{column}_url"] == (href and urljoin(BASE_URL, href))


def test_the_links_table_has_each_href_as_written(main_page: PageRecords, recorded_rows: Facts) -> None:
    links = [(link["table_column"], link["href"]) for link in main_page.tables["links"] if link["table_column"]]
    facts = sorted(recorded_rows, key=lambda fact: fact["en_row"])
    assert links == [
        (column, fact["links_en"][recorded])
        for fact in facts
        for column, recorded in RECORDED_COLUMNS.items()
        if fact["links_en"][recorded]
    ]


def test_every_cell_and_link_of_the_capture_is_in_the_rows(main_capture: str, rows: list[Record]) -> None:
    """Read a second time with lxml alone, text by text."""
    (body,) = html.document_fromstring(main_capture).xpath("//main//tbody")
    for row, element in zip(rows, body.iterchildren("tr"), strict=True):
        cells = [" ".join(cell.text_content().split()) for cell in element]
        names = [published_name(row, column) for column in ("occupational_group", "group", "subgroup")]
        assert cells[:5] == [row["abbreviation"], row["code"] or "", *names]
        written = [
            " ".join(filter(None, (row[f"{column}_label"], row[f"{column}_note"]))) or "N/A" for column in LINK_COLUMNS
        ]
        # «Yes<br>SR-MGT-01» has no white space in the source; the break is one.
        assert [text.replace(" ", "") for text in cells[5:]] == [text.replace(" ", "") for text in written]
    assert {row["rates_unrepresented_note"] for row in rows} | {row["rates_represented_note"] for row in rows} == {
        None,
        "SR-MGT-01",
        "SR-MGT-02 SR-MGT-03",
    }


def test_source_issues_of_the_main_table(main_page: PageRecords, rows: list[Record]) -> None:
    (abbreviation,) = of_rule(main_page, "abbreviation_differs")
    assert (abbreviation["subject"], abbreviation["found"]) == ("RO/-/-/RM", "RO")
    absent = [issue["subject"] for issue in of_rule(main_page, "code_absent")]
    without_group_code = [subject for subject in absent if subject.endswith("#occupational_group_code")]
    assert [subject.partition("/")[0] for subject in without_group_code] == ["CT"] * 3
    assert sum(subject.endswith("#code") for subject in absent) == 21 == sum(row["code"] is None for row in rows)
    malformed = of_rule(main_page, "malformed_link")
    assert Counter(issue["found"].rpartition("/")[2] for issue in malformed) == {
        "po.html-ima": 3,
        "po.html-tco": 2,
        "sr.htmlw": 2,
    }
    assert {issue["subject"].rpartition("#")[2] for issue in malformed} == {"rates_unrepresented"}
    assert {issue["rule"] for issue in main_page.tables["issues"]} == {
        "abbreviation_differs",
        "code_absent",
        "malformed_link",
    }


# --- the definitions ------------------------------------------------------------------------------------------------


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


# --- both -----------------------------------------------------------------------------------------------------------


def test_no_word_is_glued(main_page: PageRecords, definitions_page: PageRecords) -> None:
    for page in (main_page, definitions_page):
        assert of_rule(page, "glued_word") == []
        for section in page.tables["sections"]:
            assert glued_words(section["text"]) == []
    assert all(glued_words(entry["text"]) == [] for entry in definitions_page.tables["definitions"])


def test_every_record_obeys_its_schema(main_page: PageRecords, definitions_page: PageRecords) -> None:
    tables = load_tables("tbs")
    for page in (main_page, definitions_page):
        assert set(page.tables) == set(tables) - ({"definitions", "occupational_groups"} - set(page.tables))
        for name, records in page.tables.items():
            validator = TableValidator(tables[name])
            assert [found for record in records for found in validator.violations(record)] == []
            keys = [tuple(record[column] for column in tables[name].primary_key) for record in records]
            assert len(set(keys)) == len(keys)


def test_an_independent_validator_finds_every_record_valid(
    main_page: PageRecords, definitions_page: PageRecords
) -> None:
    """With the ``jsonschema`` package and the schema files as they stand, references unresolved."""
    registry: Registry[Any] = Registry().with_resources(
        (path.name, Resource.from_contents(json.loads(path.read_text(encoding="utf-8"))))
        for path in (FOLDER / "tbs").glob("*.schema.json")
    )
    for page in (main_page, definitions_page):
        for name, records in page.tables.items():
            validator = Draft202012Validator(
                registry.contents(f"{name}.schema.json"),
                registry=registry,
                format_checker=Draft202012Validator.FORMAT_CHECKER,
            )
            assert all(validator.is_valid(record) for record in records)


def test_selectors_lead_to_the_elements_in_the_page_as_served(
    main_capture: str, definitions_capture: str, main_page: PageRecords, definitions_page: PageRecords
) -> None:
    for capture, page in ((main_capture, main_page), (definitions_capture, definitions_page)):
        tree = html.document_fromstring(capture)
        for link in page.tables["links"]:
            (element,) = tree.xpath(link["selector"])
            assert element.get("href") == link["href"]
        for section in page.tables["sections"]:
            assert len(tree.xpath(section["selector"])) == 1
        for record in page.tables.get("occupational_groups", []) + page.tables.get("definitions", []):
            for value in record["provenance"]:
                assert len(tree.xpath(value["selector"])) == 1


# --- the recorded French facts --------------------------------------------------------------------------------------


def test_french_names_and_keys_pair_with_the_english_rows(rows: list[Record], recorded_rows: Facts) -> None:
    french_keys = {}
    for fact in recorded_rows:
        name, code, _ = split_name(fact["occ_group_fr"], not_applicable=False)
        subgroup, subgroup_code, _ = split_name(fact["subgroup_fr"], fact["subgroup_fr"] == "S.o.")
        assert name
        assert (subgroup is None) == (fact["subgroup_fr"] == "S.o.")
        assert subgroup is None or subgroup_code
        anchor = urldefrag(fact["links_fr"]["definition"] or "").fragment or None
        french_keys[row_key(fact["abbrev"], anchor, subgroup_code, code)] = fact
    assert len(french_keys) == 217
    by_key = {row["row_key"]: row for row in rows}
    assert french_keys.keys() == by_key.keys()
    for key, fact in french_keys.items():
        assert by_key[key]["row_number"] == fact["en_row"] + 1
        for column in ("definition", "job_evaluation_standard", "qualification_standard"):
            english = by_key[key][f"{column}_url"] or ""
            french = fact["links_fr"][RECORDED_COLUMNS[column]] or ""
            assert urldefrag(english).fragment == urldefrag(french).fragment
    assert {fact["code_fr"] for fact in recorded_rows if fact["code_fr"] != fact["code_en"]} == {"224"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Membres réguliers de la GRC (RM)(RM)", ("Membres réguliers de la GRC (RM)", "RM", False)),
        ("Service des métier spécialisés(SC-SPT)", ("Service des métier spécialisés", "SC-SPT", False)),
        ("Réparation des navires (Est)(SRE)", ("Réparation des navires (Est)", "SRE", False)),
        ("Mécanographie (composition de bureau)(ST-OCE)", ("Mécanographie (composition de bureau)", "ST-OCE", False)),
        ("Fonction de contrôleur", ("Fonction de contrôleur", None, True)),
        ("Non-Supervisory Printing Services (PR(Non-S))", ("Non-Supervisory Printing Services", "PR(Non-S)", True)),
        ("Printing Operations (Supervisory) (PR(S))", ("Printing Operations (Supervisory)", "PR(S)", True)),
    ],
)
def test_odd_names_of_the_source(text: str, expected: tuple[str, str | None, bool]) -> None:
    assert split_name(text, not_applicable=False) == expected
