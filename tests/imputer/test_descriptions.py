"""Descriptions: whose text a title gets, what a model is asked where no source has one, and what that rests on."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections import Counter
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow.parquet as pq
import pytest
from batch_jobs import run as work_on
from processes import run_imputer
from rich.console import Console

from imputer.batch.ledger import Ledger
from imputer.batch.options import BatchOptions
from imputer.batch.prices import Price
from imputer.batch.questions import Asking, questions_of
from imputer.batch.shards import write_job
from imputer.explain.chain import trace
from imputer.explain.layout import render
from imputer.finished import open_folder, open_latest
from imputer.sample import SAMPLE
from imputer.sources.csv_text import read_sheet
from imputer.sources.noc import STRUCTURE_FR, STRUCTURE_FR_MISPRINTS
from imputer.standin.openai import OpenAIStandIn
from imputer.tiers.descriptions import DESCRIPTION, prepare
from imputer.wording import labels
from schemas import load_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Ask = Callable[[str], list[tuple[Any, ...]]]

FAST = BatchOptions(model="stand-in", poll=0.02, settle=0.2, enqueued_tokens=10**9, max_cost=1_000.0)
OTHERS = "oasis.skills.writing"
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


@pytest.mark.parametrize("which", ["sample", "real"])
def test_nobody_measured_how_often_a_description_is_accepted(which: str, request: pytest.FixtureRequest) -> None:
    ask: Ask = request.getfixturevalue(which)
    assert ask(f"SELECT DISTINCT confidence_calibrated FROM statements WHERE {OURS}") == [(None,)]


@pytest.mark.parametrize("which", ["sample", "real"])
def test_a_title_of_one_profile_that_is_not_like_it_is_not_said_to_be_matched(
    which: str, request: pytest.FixtureRequest
) -> None:
    ask: Ask = request.getfixturevalue(which)
    rows = ask(
        "SELECT attribute_id, rationale, evidence FROM statements WHERE method IN ('INHERITED_PROFILE', "
        "'INHERITED_UNIT_GROUP') AND json_extract_string(evidence, '$.resolution') = 'UG_IMPUTATION'"
    )
    for attribute, rationale, evidence in rows:
        told = json.loads(evidence)
        assert "resolved" not in rationale, attribute
        assert f"(«{told['matched_text']}»)" not in rationale
        assert f"unit group {told['unit_group']}" in rationale
        assert " only " in rationale
        assert "the title is coded" in rationale
    assert which == "sample" or {OTHERS, DESCRIPTION.attribute_id} < {attribute for attribute, _, _ in rows}


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
        ("job_title", "fr", "ENGLISH_ONLY", 4),
        ("job_title", "fr", "PROFILE_UNCERTAIN", 1),
        ("job_title", "fr", "UNIT_GROUP_UNCERTAIN", 2),
    ]


def test_the_columns_of_wide_rows_name_their_language(sample_output: Path) -> None:
    schema = pq.read_schema(sample_output / "wiq" / "latest" / "job_titles_wide.parquet")
    told = {
        language: {
            key: schema.field(f"wiq.description_{language}").metadata[key]
            for key in (b"description_en", b"description_fr")
        }
        for language in ("en", "fr")
    }
    assert told == {
        "en": {b"description_en": b"Description (English)", b"description_fr": b"Description (anglais)"},
        "fr": {b"description_en": b"Description (French)", b"description_fr": "Description (français)".encode()},
    }


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
    for (unit_group, overlap, cardinality, ratings, names), _ in MAPPINGS.values():
        connection.execute("INSERT INTO crosswalk_cardinality VALUES ($1, $1, $2, [3, 4])", [unit_group, cardinality])
        connection.execute("INSERT INTO crosswalk_agreement VALUES (?, ?)", [unit_group, overlap])
        occupation = [unit_group, ratings]
        connection.execute(
            "INSERT INTO dim_onet_occupation VALUES (?, 'Cooks', 'Cook meals.', ?, 7, '29.3', 'onet_occupations')",
            occupation,
        )
        for number, label in enumerate(names, 1):
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
    assert [one["unit_group"] for one in json.loads(family.rests_on or "")["noc_unit_groups"]] == ["13110"]
    function = questions["function/administration"]
    assert "Office Support / Soutien de bureau: 2" in function.text
    assert "12100 Executive assistants / Adjoints/adjointes de direction: 2" in function.text
    told = titled.contract.instructions
    assert "description_fr: the description in French" in told
    assert "never word for word after the English" in told


# What a question says of itself; all else that it tells is somebody's words, names, codes or counts.
LABELS = """
Job title in French function family level Managerial Unit group NOC 2021 Definition of the English OaSIS profile job
profiles none them settled Example titles Its description from an authoritative source O NET not candidates with their
scores families groups shown unit how many are has each its most
"""


@pytest.mark.parametrize("which", ["sample", "real"])
def test_whatever_is_told_is_in_what_the_text_rests_on(which: str, request: pytest.FixtureRequest) -> None:
    latest: Path = (
        request.getfixturevalue("gold")
        if which == "real"
        else request.getfixturevalue("sample_output") / "wiq" / "latest"
    )
    with open_folder(latest.resolve()) as run:
        for one in questions_of(run, Asking(domain="description")):
            left = one.text
            held = sorted(set(leaves(json.loads(one.rests_on or ""))), key=len, reverse=True)
            for words in held:
                left = re.sub(rf"(?<!\w){re.escape(' '.join(words.split()))}(?!\w)", " ", left)
            assert set(re.findall(r"\w+", left)) <= set(LABELS.split()), (one.entity_id, left)


def leaves(held: Any) -> Iterator[str]:
    if isinstance(held, list):
        yield str(len(held))
    if isinstance(held, dict | list):
        for one in held.values() if isinstance(held, dict) else held:
            yield from leaves(one)
    elif held is not None:
        shown = f"{held:.2f}" if isinstance(held, float) else str(held)
        yield shown
        if re.match(r"\d{5}\.\d{2} ", shown):
            yield shown.partition(" ")[2]


def test_names_stand_in_both_languages_in_what_the_text_rests_on(sample_output: Path) -> None:
    with open_latest(sample_output / "wiq") as run:
        asked = questions_of(run, Asking(domain="description"))
        found = {one.entity_id: json.loads(one.rests_on or "") for one in asked}
    title = found["30"]
    assert {"job_function_en", "job_function_fr", "job_family_en", "job_family_fr"} < set(title)
    unsettled = next(rests_on for rests_on in found.values() if "candidates" in rests_on)
    assert set(unsettled["candidates"][0]) == {"unit_group", "title_en", "title_fr", "definition_en", "score"}
    family = found["family/administration/office-support"]
    assert (family["name_en"], family["name_fr"]) == ("Office Support", "Soutien de bureau")
    assert family["job_function_en"] == "Administration"
    assert {
        "title_en": "Administrative Secretary",
        "title_fr": "Secrétaire administratif(ive)",
        "unit_group": "13110",
    } in family["job_titles"]
    function = found["function/administration"]
    assert function["name_en"] == "Administration"
    assert {"name_en": "Office Support", "name_fr": "Soutien de bureau", "job_titles": 2} in function["job_families"]
    assert {
        "unit_group": "12100",
        "title_en": "Executive assistants",
        "title_fr": "Adjoints/adjointes de direction",
        "job_titles": 2,
    } in function["noc_unit_groups"]


def test_every_key_of_what_a_text_rests_on_has_its_label(sample_output: Path) -> None:
    with open_latest(sample_output / "wiq") as run:
        found = [json.loads(one.rests_on or "") for one in questions_of(run, Asking(domain="description"))]
    assert {key for one in found for key in keys(one)} <= set(labels()["evidence"])


def keys(held: Any) -> Iterator[str]:
    if isinstance(held, dict):
        yield from held
    if isinstance(held, dict | list):
        for one in held.values() if isinstance(held, dict) else held:
            yield from keys(one)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_explained_for_a_title_that_is_not_like_its_only_profile(gold: Path, language: str) -> None:
    with open_folder(gold.resolve()) as run:
        unlike = run.first(
            "SELECT min(job_title_id) AS id FROM job_title_noc SEMI JOIN (SELECT unit_group FROM dim_oasis_profile "
            "GROUP BY ALL HAVING count(*) = 1) USING (unit_group) WHERE method = 'UG_IMPUTATION'"
        )
        assert unlike is not None
        console = Console(width=1000, file=io.StringIO())
        console.print(render(trace(run, unlike["id"], DESCRIPTION.attribute_id, language), language))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    expected = {
        "en": [", the only one of unit group ", "to which the title is coded and whose only OaSIS profile is "],
        "fr": [
            "Énoncé principal du profil ",
            "le seul du groupe de base ",
            "code que la source donne au titre et dont le seul profil du SIPeC est ",
            "le titre n’a rien en commun avec lui",
        ],
    }[language]
    assert [words for words in expected if words not in shown] == []
    unwanted = ("candidate only", "simple candidat", "title was resolved by", "a été rattaché", "texte d’origine")
    assert [words for words in unwanted if words in shown] == []


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
            ["No value – French", "The OaSIS files that are read are in English."],
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
            ["Aucune valeur – français", "Les fichiers du SIPeC qui sont lus sont en anglais."],
        ),
    }[language]
    for output, words in zip((family, title, gap), expected, strict=True):
        assert [word for word in words if word not in output] == []
    assert "texte d’origine" not in title
    assert "Peut la fournir" not in gap
    assert "Can supply it" not in gap
