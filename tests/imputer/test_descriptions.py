"""Descriptions: whose text a title gets, what a model is asked where no source has one, and what that rests on."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from batch_jobs import run as work_on
from processes import run_imputer

from imputer.batch.ledger import Ledger
from imputer.batch.options import BatchOptions
from imputer.batch.prices import Price
from imputer.batch.questions import Asking, questions_of
from imputer.batch.shards import write_job
from imputer.finished import open_latest
from imputer.sample import SAMPLE
from imputer.sources.csv_text import read_sheet
from imputer.sources.noc import STRUCTURE_FR, STRUCTURE_FR_MISPRINTS
from imputer.standin.openai import OpenAIStandIn
from imputer.tiers.descriptions import DESCRIPTION, prepare
from schemas import load_tables

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Ask = Callable[[str], list[tuple[Any, ...]]]

FAST = BatchOptions(model="stand-in", poll=0.02, settle=0.2, enqueued_tokens=10**9, max_cost=1_000.0)
OURS = f"attribute_id = '{DESCRIPTION.attribute_id}'"


def views(latest: Path) -> Ask:
    connection = duckdb.connect()
    for name in load_tables("wiq"):
        connection.execute(f"CREATE VIEW {name} AS FROM read_parquet('{latest}/{name}.parquet')")
    return lambda text: connection.execute(text).fetchall()


@pytest.fixture(scope="module")
def sample(sample_output: Path) -> Ask:
    return views(sample_output / "wiq" / "latest")


@pytest.fixture(scope="module")
def real(gold: Path) -> Ask:
    return views(gold)


def in_the_file(place: str, sheet: list[list[str]]) -> list[str]:
    return sheet[int(place.removeprefix("row ").partition(",")[0]) - 1]


# --- of sources -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["sample", "real"])
def test_never_an_arbitrary_profile(which: str, request: pytest.FixtureRequest) -> None:
    ask: Ask = request.getfixturevalue(which)
    lead = ask(
        "SELECT s.entity_id, json_extract_string(evidence, '$.profile'), n.profile, n.method, profiles_in_unit_group "
        f"FROM statements s JOIN job_title_noc n ON n.job_title_id = s.entity_id LEFT JOIN dim_oasis_profile USING "
        f"(profile) WHERE s.{OURS} AND source_type = 'AUTHORITATIVE'"
    )
    assert lead
    assert all(stated == own for _, stated, own, _, _ in lead)
    assert not [entity for entity, _, _, method, profiles in lead if method == "UG_IMPUTATION" and profiles > 1]
    several = ask(
        f"SELECT 1 FROM statements s JOIN job_title_noc n ON n.job_title_id = s.entity_id "
        f"JOIN dim_oasis_profile p ON p.profile = n.profile WHERE s.{OURS} AND language = 'fr' "
        f"AND profiles_in_unit_group > 1"
    )
    assert several == []


def test_every_settled_title_has_the_text_of_its_profile_in_the_file(sample: Ask) -> None:
    english = read_sheet(
        SAMPLE / "oasis" / "lead-statement_oasis_2023_v1.0.csv", "x", ("OaSIS profile code", "Lead statement")
    )
    french = read_sheet(SAMPLE / "noc" / "noc_structure_fr.csv", "x", STRUCTURE_FR, variants=STRUCTURE_FR_MISPRINTS)
    rows = sample(
        f"SELECT language, value_text, locator FROM statements WHERE {OURS} AND source_type = 'AUTHORITATIVE'"
    )
    for language, value, locator in rows:
        sheet = english if language == "en" else french
        assert in_the_file(locator, sheet.records)[-1].strip() == value
    assert Counter(language for language, _, _ in rows) == {"en": 33, "fr": 29}


def test_the_lead_statement_beats_onet(sample: Ask) -> None:
    rows = sample(
        "SELECT v.source_type, r.source_type, r.value_text FROM attribute_values v "
        f"JOIN statements r ON r.statement_id = runner_up_statement_id WHERE v.{OURS} ORDER BY ALL"
    )
    assert set(rows) == {("AUTHORITATIVE", "ONET", "Support senior leaders with office work of trust.")}


def test_what_no_source_has_is_a_gap_with_its_reason(sample: Ask) -> None:
    rows = sample(f"SELECT entity_type, language, reason, count(*) FROM gaps WHERE {OURS} GROUP BY ALL ORDER BY ALL")
    assert rows == [
        ("job_family", "en", "NO_SOURCE", 13),
        ("job_family", "fr", "NO_SOURCE", 13),
        ("job_function", "en", "NO_SOURCE", 8),
        ("job_function", "fr", "NO_SOURCE", 8),
        ("job_title", "en", "PROFILE_UNCERTAIN", 1),
        ("job_title", "en", "UNIT_GROUP_UNCERTAIN", 2),
        ("job_title", "fr", "ENGLISH_ONLY", 5),
        ("job_title", "fr", "UNIT_GROUP_UNCERTAIN", 2),
    ]


def test_wide_rows_have_both_languages(sample: Ask) -> None:
    rows = sample(
        'SELECT job_title_id, "wiq.description_en", "wiq.description_fr" FROM job_titles_wide ORDER BY job_title_id'
    )
    values = {(entity, language): text for entity, language, text in sample(
        f"SELECT entity_id, language, value_text FROM attribute_values WHERE {OURS}"
    )}  # fmt: skip
    assert len(rows) == 36
    assert all((values.get((key, "en")), values.get((key, "fr"))) == (en, fr) for key, en, fr in rows)


# Unit group, occupations of either crosswalk, cardinality, ratings, names of the profiles; and whether it is strong.
MAPPINGS = {
    "both agree": (("11111", 1.0, "1:1", 9, ["Bakers and cooks", "Pastry cooks"]), True),
    "one profile of that name": (("22222", 1.0, "1:1", 9, ["Cooks"]), True),
    "one of two profiles has that name": (("33333", 1.0, "1:1", 9, ["cooks", "Chefs"]), False),
    "the other crosswalk names another": (("44444", 0.0, "1:1", 9, ["Chefs"]), False),
    "the other crosswalk names more": (("55555", 0.5, "1:1", 9, ["Chefs"]), False),
    "several occupations": (("66666", 1.0, "1:N", 9, ["Chefs"]), False),
    "several unit groups": (("77777", 1.0, "N:1", 9, ["Chefs"]), False),
    "left over, without ratings": (("88888", 1.0, "1:1", 0, ["Chefs"]), False),
}


def test_onet_describes_only_where_the_mapping_is_strong() -> None:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE noc_classes (code TEXT, definition_fr TEXT, title_fr TEXT, source_row_fr INT)")
    connection.execute("CREATE TABLE oasis_profiles (profile TEXT, unit_group TEXT, label TEXT)")
    connection.execute("CREATE TABLE source_versions AS SELECT 'onet_occupations' AS source_id, 'v' AS source_version")
    connection.execute(
        "CREATE TABLE onet_statements (unit_group TEXT, attribute_id TEXT, value_text TEXT, confidence DOUBLE, "
        "rationale TEXT, evidence TEXT, locator TEXT, source_id TEXT, source_version TEXT, method TEXT)"
    )
    connection.execute(
        "CREATE TABLE crosswalk_cardinality (unit_group TEXT, soc TEXT, cardinality TEXT, source_rows INT[])"
    )
    connection.execute("CREATE TABLE crosswalk_agreement (unit_group TEXT, overlap DOUBLE)")
    connection.execute(
        "CREATE TABLE dim_onet_occupation (soc TEXT, title_en TEXT, description_en TEXT, n_ratings INT, "
        "source_row INT, release TEXT, source_id TEXT)"
    )
    for (unit_group, overlap, cardinality, ratings, labels), _ in MAPPINGS.values():
        connection.execute("INSERT INTO crosswalk_cardinality VALUES ($1, $1, $2, [3, 4])", [unit_group, cardinality])
        connection.execute("INSERT INTO crosswalk_agreement VALUES (?, ?)", [unit_group, overlap])
        occupation = [unit_group, ratings]
        connection.execute(
            "INSERT INTO dim_onet_occupation VALUES (?, 'Cooks', 'Cook meals.', ?, 7, '29.3', 'onet_occupations')",
            occupation,
        )
        for number, label in enumerate(labels, 1):
            row = [f"{unit_group}.{number:02}", unit_group, label]
            connection.execute("INSERT INTO oasis_profiles VALUES (?, ?, ?)", row)
    prepare(connection, {"prior": 0.5, "class": 0.9}, "Occupation Data.txt")
    rows = connection.execute("SELECT unit_group, confidence, locator, evidence FROM onet_statements").fetchall()
    assert sorted(row[0] for row in rows) == [group[0] for group, strong in MAPPINGS.values() if strong]
    assert {row[1:3] for row in rows} == {(0.45, "Occupation Data.txt row 7; crosswalk rows 3, 4")}
    assert json.loads(rows[0][3])["components"] == {"prior": 0.5, "class": 0.9}


# --- of the real files ----------------------------------------------------------------------------------------------


def test_on_the_real_files_one_profile_groups_are_described_in_both_languages(real: Ask) -> None:
    single = "(SELECT unit_group FROM dim_oasis_profile GROUP BY unit_group HAVING count(*) = 1)"
    assert real(f"SELECT count(*) FROM {single}") == [(332,)]
    missing = real(
        f"SELECT n.job_title_id FROM job_title_noc n SEMI JOIN {single} USING (unit_group) WHERE NOT (SELECT "
        f"count(*) = 2 FROM attribute_values v WHERE v.entity_id = n.job_title_id AND v.{OURS} "
        f"AND source_type = 'AUTHORITATIVE')"
    )
    assert missing == []
    texts = real(
        "SELECT DISTINCT n.unit_group, v.value_text, c.definition_en, c.definition_fr, f.value_text "
        f"FROM job_title_noc n JOIN dim_noc c ON c.code = n.unit_group "
        f"JOIN attribute_values v ON v.entity_id = n.job_title_id AND v.{OURS} AND v.language = 'en' "
        f"JOIN attribute_values f ON f.entity_id = n.job_title_id AND f.{OURS} AND f.language = 'fr'"
    )
    assert len(texts) > 200
    assert all(french == definition for _, _, _, definition, french in texts)
    # Lead statement and English definition begin alike: that class and that profile are one.
    alike = sum(lead[:40] == definition[:40] for _, lead, definition, _, _ in texts)
    assert alike / len(texts) > 0.97


def test_on_the_real_files_a_family_or_function_is_never_said_to_have_a_source(real: Ask) -> None:
    assert real(f"SELECT count(*) FROM statements WHERE {OURS} AND entity_type <> 'job_title'") == [(0,)]
    cells = real(
        "SELECT entity_type, language, count(*) FROM gaps "
        f"WHERE {OURS} AND reason = 'NO_SOURCE' GROUP BY ALL ORDER BY ALL"
    )
    assert cells == [
        ("job_family", "en", 209),
        ("job_family", "fr", 209),
        ("job_function", "en", 22),
        ("job_function", "fr", 22),
    ]
    all_cells = real(
        f"SELECT (SELECT count(*) FROM attribute_values WHERE {OURS}) + (SELECT count(*) FROM gaps WHERE {OURS}), "
        "2 * (SELECT count(*) FROM dim_entity)"
    )
    assert all_cells[0][0] == all_cells[0][1]


# --- of a model -----------------------------------------------------------------------------------------------------


def test_questions_hold_the_boundary_words_in_both_languages(sample_output: Path) -> None:
    with open_latest(sample_output / "wiq") as run:
        questions = {one.entity_id: one for one in questions_of(run, Asking(domain="description"))}
    assert len(questions) == 28
    assert {one.contract.topic for one in questions.values()} == {"WiQ/description"}
    titled = questions["28"]
    assert [cell.name for cell in titled.contract.cells] == ["description_fr"]
    for words in (
        "Unit group (NOC 2021): 52120 Graphic designers and illustrators / Designers graphiques",
        "Definition of the unit group in English: ",
        "Definition of the unit group in French: ",
        "OaSIS profile of the job: Graphic designers",
        "Its description in English, from an authoritative source: Graphic designers plan",
    ):
        assert words in titled.text
    rests_on = json.loads(titled.rests_on or "")
    assert rests_on["profiles"] == ["52120.01 Graphic designers"]
    assert rests_on["description_en"].startswith("Graphic designers plan")
    assert 0 < len(rests_on["example_titles_en"]) <= 12
    assert all(title in titled.text for title in rests_on["example_titles_fr"])
    unsettled = questions["30"]
    assert "none of them settled: Graphic designers; Illustrators" in unsettled.text
    assert [cell.name for cell in unsettled.contract.cells] == ["description_en", "description_fr"]
    family = questions["family/administration/office-support"]
    assert "Administrative Secretary / Secrétaire administratif(ive) (13110)" in family.text
    assert json.loads(family.rests_on or "")["noc_unit_groups"] == ["13110"]
    function = questions["function/administration"]
    assert "Office Support / Soutien de bureau: 2" in function.text
    assert "12100 Executive assistants / Adjoints/adjointes de direction: 2" in function.text
    told = titled.contract.instructions
    assert "description_fr: the description in French" in told
    assert "never word for word after the English" in told


def test_of_a_hidden_title_no_description_is_told(sample_output: Path) -> None:
    with open_latest(sample_output / "wiq") as run:
        hidden = Asking(domain="description", hidden=frozenset({"28"}))
        text = {one.entity_id: one.text for one in questions_of(run, hidden)}["28"]
    assert "Its description in" not in text


@pytest.fixture(scope="module")
def answered(sample_output: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder in which the stand-in answered what no source describes, published by the next run."""
    output = tmp_path_factory.mktemp("described") / "output"
    shutil.copytree(sample_output, output, symlinks=True)
    with OpenAIStandIn(seconds=0.02) as service:
        with open_latest(output / "wiq") as run, Ledger(output / "wiq") as ledger:
            asked = questions_of(run, Asking(domain="description"))
            write_job(ledger, asked, FAST, Price("stand-in", 0.0, 0.0, "2026-01-01"))
        work_on(output / "wiq", service, FAST)
    run_imputer(output, "impute", "--sample", "--no-model", expect=0)
    return output


def test_the_next_run_publishes_what_was_answered_with_what_it_rests_on(answered: Path) -> None:
    ask = views(answered / "wiq" / "latest")
    assert ask(f"SELECT count(*) FROM gaps WHERE {OURS}") == [(0,)]
    kinds = ask(
        "SELECT entity_type, language, count(*) FROM attribute_values "
        f"WHERE {OURS} AND source_type = 'LLM' GROUP BY ALL ORDER BY ALL"
    )
    assert kinds == [
        ("job_family", "en", 13),
        ("job_family", "fr", 13),
        ("job_function", "en", 8),
        ("job_function", "fr", 8),
        ("job_title", "en", 3),
        ("job_title", "fr", 7),
    ]
    # Never the model where a source has one.
    doubled = (
        f"SELECT 1 FROM statements WHERE {OURS} GROUP BY entity_id, language HAVING count(DISTINCT source_type) > 1"
    )
    assert len(ask(f"{doubled} AND list_contains(list(source_type), 'LLM')")) == 0
    for kind, evidence in ask(f"SELECT entity_type, evidence FROM statements WHERE {OURS} AND source_type = 'LLM'"):
        rests_on = json.loads(evidence)["rests_on"]
        own = {"job_title": "title_fr", "job_family": "job_titles", "job_function": "job_families"}
        assert rests_on[own[kind]]
    wide = ask('SELECT count("wiq.description_en"), count("wiq.description_fr"), count(*) FROM job_titles_wide')
    assert wide == [(36, 36, 36)]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_explained_for_a_family_and_a_title(answered: Path, sample_output: Path, language: str) -> None:
    def told(output: Path, entity: str) -> str:
        ended = run_imputer(
            output, "explain", entity, "wiq.description", "--language", language, given={"COLUMNS": "200"}, expect=0
        )
        assert ended.errors == ""
        return ended.output

    family = told(answered, "family/administration/office-support")
    title = told(sample_output, "6")
    gap = told(sample_output, "28")
    expected = {
        "en": (
            ["Job family family/administration/office-support", "what the text rests on:", "Value – French"],
            [
                "Lead statement of OaSIS profile 12100.00",
                "French definition of unit group 12100",
                "What it beat (1) – English",
            ],
            ["No value – French", "The sources publish this text in English only."],
        ),
        "fr": (
            [
                "Famille d’emplois family/administration/office-support",
                "ce sur quoi le texte repose :",
                "Valeur – français",
            ],
            [
                "Énoncé principal du profil 12100.00 « Executive assistants » du SIPeC",
                "Définition du groupe de base 12100 « Adjoints/adjointes de direction », dont le seul profil",
                "profession 43-6011.00",
                "ligne 14, colonne « Définitions de la classe »",
            ],
            ["Aucune valeur – français", "Les sources ne publient ce texte qu’en anglais."],
        ),
    }[language]
    for output, words in zip((family, title, gap), expected, strict=True):
        assert [word for word in words if word not in output] == []
    assert "texte d’origine" not in title
    assert "Peut la fournir" not in gap
    assert "Can supply it" not in gap
