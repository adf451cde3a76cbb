"""The two real pages as served, held against facts that were written down without this code."""

from __future__ import annotations

import json
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


@pytest.fixture(scope="session")
def rows(main_page: PageRecords) -> list[Record]:
    return main_page.tables["occupational_groups"]


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
