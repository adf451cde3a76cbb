"""``imputer explain``: the chain of one cell, from the gold value to the row in its source, losers included."""

from __future__ import annotations

import io
import json
import re
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from made_runs import TITLES, MadeRuns, record, statement
from processes import run_imputer
from rich.console import Console

from imputer.errors import WrongUsage
from imputer.explain.chain import trace
from imputer.explain.finding import find_attribute, find_entity
from imputer.explain.layout import render
from imputer.explain.reasons import evidence_lines
from imputer.finished import open_folder, open_latest
from schemas.errors import Incomplete

if TYPE_CHECKING:
    from pathlib import Path

    from imputer.explain.chain import Cell

INHERITED = statement(
    value_number=4.0,
    confidence=0.85,
    confidence_calibrated=0.9,
    rationale="Inherited from OaSIS profile 11202.00 «Writers», to which the title was resolved by UG_DOMINANT.",
    evidence=json.dumps(
        {"profile": "11202.00", "unit_group": "11202", "resolution": "UG_DOMINANT", "matched_text": "Writers"}
    ),
)
FROM_ONET = statement(
    source="ONET",
    source_id="onet_skills",
    value_number=3.25,
    rationale="Mean over 2 rated O*NET 29.3 occupations of 3 that the crosswalk gives (1:N); standard deviation 0.5; "
    "the two crosswalks give 3.25 and 3.5; not relevant to: 1.",
    locator="Skills.txt rows 5, 6; crosswalk rows 1-3",
    evidence=json.dumps(
        {
            "n": 2,
            "release": "29.3",
            "spread": 0.5,
            "spread_kind": "deviation",
            "crosswalks": [3.25, 3.5],
            "not_relevant": 1,
            "suppressed": 0,
            "occupations": {"27-3043.00": 3.0, "27-3042.00": 3.5},
        }
    ),
)
DIMENSIONS = {
    "dim_noc": [
        record("dim_noc", code="11202", level=5, title_en="Writing occupations", title_fr="Professions de la rédaction")
    ],
    "dim_oasis_profile": [
        record("dim_oasis_profile", profile="11202.00", unit_group="11202", label_en="Writers", label_fr="Rédacteurs")
    ],
    "gaps": [
        record(
            "gaps",
            entity_id="2",
            attribute_id="oasis.skills.numeracy",
            language="zxx",
            domain="skills",
            reason="UNIT_GROUP_UNCERTAIN",
            reason_en="The title settles no unit group.",
            reason_fr="Le titre ne désigne aucun groupe de base.",
        )
    ],
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadeRuns:
    """O*NET alone; then an authoritative value; then that value changed; with a loser and a withdrawn statement."""
    runs = MadeRuns(tmp_path_factory.mktemp("explained"))
    runs.run([FROM_ONET], **DIMENSIONS)
    runs.run([FROM_ONET, INHERITED | {"value_number": 2.0}], **DIMENSIONS)
    runs.run([FROM_ONET, INHERITED], **DIMENSIONS)
    return runs


def test_the_chain_holds_winner_losers_withdrawn_events_source_and_runs(made: MadeRuns) -> None:
    with open_latest(made.root) as run:
        chain = trace(run, "1", "Writing")
    (cell,) = chain.cells
    assert cell.winner is not None
    assert cell.gold is not None
    assert (cell.winner["value_number"], cell.winner["statement_id"]) == (4.0, cell.gold["statement_id"])
    assert [one["source_type"] for one in cell.losers] == ["ONET"]
    assert [(one["value_number"], one["action"]) for one in cell.withdrawn] == [(2.0, "WITHDRAWN")]
    assert [(one["reason"], one["old_number"], one["new_number"]) for one in cell.events] == [
        ("HIGHER_SOURCE", 3.25, 2.0),
        ("WITHDRAWN", 2.0, 4.0),
    ]
    assert set(chain.sources) == {"oasis_skills", "onet_skills"}
    assert set(chain.runs) == {one["run_id"] for one in made.runs}
    assert chain.names["11202.00"] == {"en": "Writers", "fr": "Rédacteurs"}


@pytest.mark.parametrize("language", ["en", "fr"])
def test_what_people_read_names_every_link(made: MadeRuns, language: str) -> None:
    ended = run_imputer(made.output, "explain", "1", "oasis.skills.writing", "--language", language)
    assert (ended.status, ended.errors) == (0, "")
    told = {
        "en": [
            "Job title 1 “Policy Writer”",
            "4 (proficiency level, 1 to 5)",
            "0 means: not applicable",
            "authoritative source (AUTHORITATIVE)",
            "85.0% as stated by the method; 90.0% measured by backtest (within 1 of the truth)",
            "Inherited from OaSIS profile 11202.00",
            "row 1, column «Writing»",
            "https://open.canada.ca/oasis_skills",
            "OaSIS profile: 11202.00 “Writers”",
            "What it beat (1)",
            "Withdrawn statements (1)",
            "Changes of winner (2)",
            "3.25 (O*NET) → 2 (authoritative source) (a higher source arrived)",
        ],
        "fr": [
            "Titre de poste 1 « Rédacteur(trice) de politiques »",
            "4 (niveau de maîtrise, de 1 à 5)",
            "0 signifie : sans objet",
            "source officielle (AUTHORITATIVE)",
            "85,0\u202f% énoncée par la méthode; 90,0\u202f% mesurée par contre-épreuve (à 1 près de la vérité)",
            "Hérité du profil 11202.00 « Rédacteurs » du SIPeC",
            "ligne 1, colonne « Writing »",
            "Licence ouverte",
            "profil du SIPeC : 11202.00 « Rédacteurs »",
            "Ce qu’elle a devancé (1)",
            "Énoncés retirés (1)",
            "Changements de gagnant (2)",
            "3,25 (O*NET) → 2 (source officielle) (une source de rang supérieur est arrivée)",
            "Moyenne sur 2 professions O*NET 29.3 cotées, parmi les 3 que donne la table de concordance (1:N)",
            "les deux tables de concordance donnent 3,25 et 3,5; jugé non pertinent pour : 1.",
        ],
    }[language]
    flat = " ".join(ended.output.split())
    for words in told:
        assert " ".join(words.split()) in flat
    assert "\x1b" not in ended.output
    assert not [line for line in ended.output.splitlines() if line != line.rstrip()]


def test_french_text_holds_no_english_sentence(made: MadeRuns) -> None:
    told = run_imputer(made.output, "explain", "1", "oasis.skills.writing", "--language", "fr").output
    assert not [word for word in (" the ", "Inherited", "resolved", "crosswalk", "Because") if word in told]


@pytest.mark.parametrize("width", range(36, 90, 6))
def test_no_line_breaks_after_a_french_opening_quote_or_before_a_closing_sign(made: MadeRuns, width: int) -> None:
    with open_latest(made.root) as run:
        chain = trace(run, "1", "oasis.skills.writing", "fr")
    console = Console(width=width, file=io.StringIO())
    console.print(render(chain, "fr"))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "« Writing »" in shown
    assert not [line for line in shown.splitlines() if re.search(r"«\s*$|^\s*[»:%;!?](\s|$)", line)]


def test_a_retention_class_has_its_name_beside_it_unless_it_is_a_schedules_own(tmp_path: Path) -> None:
    runs = MadeRuns(tmp_path)
    runs.run([statement(), statement("2", retention_class="my-own_class")])
    shown = {
        (key, language): run_imputer(tmp_path, "explain", key, "Writing", "--language", language, expect=0).output
        for key in ("1", "2")
        for language in ("en", "fr")
    }
    assert re.search(r"Retention +open reference data \(open-reference\)$", shown["1", "en"], re.MULTILINE)
    assert re.search(r"Conservation +données de référence ouvertes \(open-reference\)$", shown["1", "fr"], re.MULTILINE)
    assert re.search(r"Retention +my-own_class$", shown["2", "en"], re.MULTILINE)
    assert re.search(r"Conservation +my-own_class$", shown["2", "fr"], re.MULTILINE)


def test_evidence_that_is_not_there_takes_no_line(tmp_path: Path) -> None:
    runs = MadeRuns(tmp_path)
    held = {
        "tolerance": None,
        "n": 2,
        "occupations": [{"soc": "27-3043.00", "value": 3.0, "error": None}],
        "crosswalks": [3.25, None],
        "calibration": {"n": 7, "spread": None},
        "conflicts": [],
    }
    runs.run([statement(evidence=json.dumps(held))])
    with open_latest(runs.root) as run:
        [cell] = trace(run, "1", "Writing").cells
    assert cell.winner is not None
    assert cell.winner["evidence"] == held
    lines = [line for _, line in evidence_lines(held, "fr", {})]
    assert not [line for line in lines if re.search(r"tolérance|tolerance|erreur|error|spread|dispersion", line)]
    assert len(lines) == 7
    assert [line for line in lines if line.endswith(": –")] == [lines[-1]]
    assert [line for line in lines if line.endswith(": 3,25; –")]


def test_an_empty_cell_says_why(made: MadeRuns) -> None:
    english = run_imputer(made.output, "explain", "2", "numeracy").output
    french = run_imputer(made.output, "explain", "2", "Numératie", "--language", "fr").output
    assert "No value" in english
    assert "The title settles no unit group. (UNIT_GROUP_UNCERTAIN)" in english
    assert "Aucune valeur" in french
    assert "Le titre ne désigne aucun groupe de base. (UNIT_GROUP_UNCERTAIN)" in french
    published = run_imputer(made.output, "explain", "2", "cops.employment.2023").output
    assert "it is published or it is not" in published


def test_json_holds_everything(made: MadeRuns) -> None:
    ended = run_imputer(made.output, "explain", "policy WRITER", "oasis.skills.writing", "--json")
    chain = json.loads(ended.output)
    assert chain["cells"][0]["winner"]["evidence"]["profile"] == "11202.00"
    assert chain["cells"][0]["losers"][0]["locator"] == "Skills.txt rows 5, 6; crosswalk rows 1-3"
    assert chain["run_id"] == made.latest.name


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("1", "1"), ("policy  writer", "1"), ("RÉDACTEUR(TRICE) DE POLITIQUES", "1"), ("Analyste, données", "4")],
)
def test_a_title_is_found_by_id_or_name_in_either_language(made: MadeRuns, wanted: str, found: str) -> None:
    with open_latest(made.root) as run:
        assert find_entity(run, wanted, "en")["entity_id"] == found


def test_a_name_of_two_titles_asks_for_the_id(made: MadeRuns) -> None:
    ended = run_imputer(made.output, "explain", "analyst", "Writing")
    assert ended.status == 2
    assert ended.errors.count("\n") == 1
    assert "“analyst” names 2 things; give the id of one: 3 “Analyst”; 4 “Analyst”" in ended.errors


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("Polcy Writr", "Writing"), "nearest: 1 “Policy Writer”"),
        (("1", "Wriiting"), "nearest: oasis.skills.writing “Writing”"),
        (("Rédacteur de politique", "Rédaction", "--language", "fr"), "plus proches : 1 « Rédacteur(trice)"),
        (("1", "duties"), "oasis.main_duties “Main duties”"),
    ],
)
def test_an_unknown_name_suggests_the_nearest(made: MadeRuns, arguments: tuple[str, ...], told: str) -> None:
    ended = run_imputer(made.output, "explain", *arguments)
    assert ended.status == 2
    assert ended.errors.count("\n") == 1
    assert told in ended.errors


def test_of_systems_that_share_a_name_oasis_is_meant_and_the_others_told(made: MadeRuns) -> None:
    with open_latest(made.root) as run:
        found, namesakes = find_attribute(run, "WRITING", "en")
        assert found["attribute_id"] == "oasis.skills.writing"
        assert [one["attribute_id"] for one in namesakes] == ["onet.2.A.1.c.LV"]
        assert find_attribute(run, "onet.2.a.1.C.lv", "en")[0]["attribute_id"] == "onet.2.A.1.c.LV"
        assert find_attribute(run, "main_duties", "en")[0]["attribute_id"] == "oasis.main_duties"
        with pytest.raises(WrongUsage):
            find_attribute(run, "", "en")
    assert "The same name elsewhere: onet.2.A.1.c.LV" in run_imputer(made.output, "explain", "1", "writing").output


def test_without_a_finished_run_one_line_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Incomplete):
        open_latest(tmp_path / "wiq")
    ended = run_imputer(tmp_path, "explain", "1", "Writing")
    assert (ended.status, ended.output) == (1, "")
    assert "run «imputer impute»" in ended.errors
    assert ended.errors.count("\n") == 1


def test_a_list_is_shown_item_by_item(tmp_path: Path) -> None:
    runs = MadeRuns(tmp_path)
    duties = statement(
        attribute="oasis.main_duties", value_number=None, scale=None, language="en", value_text='["Write","Edit"]'
    )
    runs.run([duties])
    told = run_imputer(tmp_path, "explain", "1", "Fonctions principales").output
    assert "· Write" in told
    assert "· Edit" in told


def test_the_words_of_a_model_stay_as_they_are(tmp_path: Path) -> None:
    runs = MadeRuns(tmp_path)
    runs.run([statement(source="LLM", rationale="Writes all day.", model="made-up-1", custom_id="c1", attempt=1)])
    told = run_imputer(tmp_path, "explain", "1", "Writing", "--language", "fr").output
    assert "Writes all day. (texte du modèle, tel quel)" in told
    assert "made-up-1" in told
    assert "custom_id c1, attempt 1" in told


RESOLVED = {
    "job_title_id": "1",
    "unit_group": "11202",
    "profile": "11202.00",
    "method": "UG_DOMINANT",
    "confidence": 0.85,
    "confidence_calibrated": 0.92,
    "matched_text": "Writers",
    "runner_up": "11202.01",
    "tied": ["11202.00"],
    "margin": 0.125,
    "candidates": [{"unit_group": "11202", "score": 0.9}, {"unit_group": "51111", "score": 0.25}],
    "rationale": "The only profile of its unit group.",
}


@pytest.mark.parametrize(
    ("language", "told"),
    [
        (
            "en",
            [
                "How the job title was resolved",
                "11202 “Writing occupations”, given by the Job Architecture",
                "11202.00 “Writers”",
                "only profile of the unit group (UG_DOMINANT)",
                "85.0% as stated by the method; 92.0% measured by backtest",
                "11202.01, margin 0.125",
                "As good 11202.00 “Writers”",
                "51111 0.25",
                "The only profile of its unit group.",
            ],
        ),
        (
            "fr",
            [
                "Résolution du titre de poste",
                "11202 « Professions de la rédaction », donné par l’architecture des emplois",
                "11202.00 « Rédacteurs »",
                "seul profil du groupe de base (UG_DOMINANT)",
                "11202.01, écart 0,125",
                "Le groupe de base n’a qu’un profil.",
            ],
        ),
    ],
)
def test_how_the_title_was_resolved_is_part_of_the_chain(tmp_path: Path, language: str, told: list[str]) -> None:
    made = MadeRuns(tmp_path)
    titles = [record("dim_job_title", job_title_id=key, title_en=en) for key, (en, _) in TITLES.items()]
    titles[0]["coded_unit_group"] = "11202"
    folder = made.run([INHERITED], dim_job_title=titles, **DIMENSIONS)
    pq.write_table(pa.Table.from_pylist([RESOLVED]), folder / "job_title_noc.parquet")
    shown = run_imputer(tmp_path, "explain", "1", "Writing", "--language", language, expect=0).output
    for words in told:
        assert words in " ".join(shown.split())
    assert language == "en" or RESOLVED["rationale"] not in shown


ONLY_PROFILE = RESOLVED | {
    "method": "UG_IMPUTATION",
    "confidence_calibrated": None,
    "runner_up": None,
    "tied": [],
    "margin": None,
    "rationale": "11202.00 is the only profile of unit group 11202, but the title has nothing in common with it.",
}


@pytest.mark.parametrize("profiles", [1, 2])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_only_profile_is_no_candidate(tmp_path: Path, language: str, profiles: int) -> None:
    made = MadeRuns(tmp_path)
    listed = [
        DIMENSIONS["dim_oasis_profile"][0] | {"profile": f"11202.0{number}", "label_en": f"Writers {number}"}
        for number in range(profiles)
    ]
    evidence = json.loads(INHERITED["evidence"]) | {"resolution": "UG_IMPUTATION"}
    stated = INHERITED | {
        "rationale": "Inherited from OaSIS profile 11202.00 «Writers», the only one of unit group 11202.",
        "evidence": json.dumps(evidence),
    }
    folder = made.run([stated], **DIMENSIONS | {"dim_oasis_profile": listed})
    pq.write_table(pa.Table.from_pylist([ONLY_PROFILE]), folder / "job_title_noc.parquet")
    ended = run_imputer(tmp_path, "explain", "1", "Writing", "--language", language, expect=0)
    shown = " ".join(ended.output.split())
    candidate = {"en": "a candidate only", "fr": "simple candidat"}[language]
    only = {"en": "“Writers 0”, the only one of the unit group", "fr": "« Rédacteurs », le seul du groupe de base"}[
        language
    ]
    doubted = {
        "en": "nothing in common with it",
        "fr": "le titre n’a rien en commun avec lui : le codage lui-même est douteux",
    }[language]
    assert (candidate in shown, only in shown) == (profiles > 1, profiles == 1)
    assert profiles > 1 or doubted in shown
    assert ("Nearest text Writers" if language == "en" else "Texte le plus proche Writers") in shown
    if language == "fr":
        inherited = "Hérité du profil 11202.00 « Rédacteurs » du SIPeC, le seul du groupe de base 11202"
        assert inherited in shown
    assert not [words for words in ("no profile settled", "aucun profil retenu") if words in shown]


@pytest.mark.parametrize("attribute", ["oasis.skills.writing", "oasis.skills.numeracy"])
@pytest.mark.parametrize(
    ("language", "found", "told"),
    [
        (
            "en",
            {"method": "INFERRED", "confidence_calibrated": 0.912},
            "Coding suspect 51111 “Editors” is likelier (91.2%), by the title’s words and the titles coded like it",
        ),
        (
            "fr",
            {"method": "INFERRED", "confidence_calibrated": 0.912},
            "Codage douteux 51111 « Réviseurs » est plus probable (91,2\u202f%), d’après les mots du titre",
        ),
        (
            "en",
            {"method": "EXAMPLE_MATCH", "matched_text": "Policy writer"},
            "Coding suspect 51111 “Editors”: the title is spelled like “Policy writer”, a title of that unit group",
        ),
        (
            "fr",
            {"method": "EXAMPLE_MATCH", "matched_text": "Policy writer"},
            "Codage douteux 51111 « Réviseurs » : le titre s’écrit comme « Policy writer », titre de ce seul groupe",
        ),
    ],
)
def test_a_suspect_coding_is_told_with_any_attribute(
    tmp_path: Path, attribute: str, language: str, found: dict[str, object], told: str
) -> None:
    made = MadeRuns(tmp_path)
    editors = record("dim_noc", code="51111", level=5, title_en="Editors", title_fr="Réviseurs")
    suspected = record(
        "suspected_miscodings", job_title_id="1", coded_unit_group="11202", suggested_unit_group="51111", **found
    )
    given = DIMENSIONS | {"dim_noc": [*DIMENSIONS["dim_noc"], editors], "suspected_miscodings": [suspected]}
    folder = made.run([INHERITED], **given)
    pq.write_table(pa.Table.from_pylist([RESOLVED | {"candidates": []}]), folder / "job_title_noc.parquet")

    def shown(*arguments: str) -> str:
        ended = run_imputer(tmp_path, "explain", "1", attribute, *arguments, given={"COLUMNS": "300"}, expect=0)
        return " ".join(ended.output.split())

    assert " ".join(told.split()) in shown("--language", language)
    assert json.loads(shown("--json"))["resolution"]["suspected"]["suggested_unit_group"] == "51111"


def test_a_coding_that_nobody_suspects_is_not_told_as_suspect(tmp_path: Path) -> None:
    made = MadeRuns(tmp_path)
    folder = made.run([INHERITED], **DIMENSIONS)
    pq.write_table(pa.Table.from_pylist([RESOLVED]), folder / "job_title_noc.parquet")
    assert "suspect" not in run_imputer(tmp_path, "explain", "1", "Writing", expect=0).output


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize(
    "attribute", ["oasis.skills.writing", "onet.2.A.1.c.LV", "oasis.main_duties", "onet.tasks", "onet.job_zone"]
)
def test_real_cells_are_explained_down_to_their_source(gold: Path, language: str, attribute: str) -> None:
    with open_folder(gold.resolve()) as run:
        chosen = run.first(
            "SELECT min(entity_id) AS entity_id FROM attribute_values WHERE attribute_id = $attribute",
            {"attribute": attribute},
        )
        assert chosen is not None
        chain = trace(run, chosen["entity_id"], attribute, language)
        (cell,) = chain.cells
        assert cell.winner is not None
        assert (chain.resolution is not None) == ("job_title_noc" in run.tables)
        source = chain.sources[cell.winner["source_id"]]
        assert source["source_version"] == cell.winner["source_version"]
        assert source["url"] or source["page_url"]
        console = Console(width=160, file=io.StringIO())
        console.print(render(chain, language))
        shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert source["path"] in shown
    if language == "fr":
        assert "texte d’origine, en anglais" not in shown
        assert not re.search(r"\b(rows?|of the|that the|Mean over|Inherited|crosswalk)\b", _without_values(shown, cell))


def _without_values(shown: str, cell: Cell) -> str:
    """What is shown less the lines of the value itself, whose language is its source's."""
    texts = " ".join(str(cell.winner["value_text"]).split()) if cell.winner else ""
    return "\n".join(line for line in shown.splitlines() if line.split("· ")[-1].strip() not in texts)


def test_every_title_can_be_named(made: MadeRuns) -> None:
    with open_latest(made.root) as run:
        assert {find_entity(run, key, "fr")["name_en"] for key in TITLES} == {en for en, _ in TITLES.values()}
