"""``imputer gaps``: what is missing, counted, and cell by cell for a spreadsheet."""

from __future__ import annotations

import csv
from collections import Counter
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from made_runs import ATTRIBUTES, MadeRuns, record, statement
from processes import run_imputer

from imputer.finished import open_folder, open_latest
from imputer.gap_summary import summarise
from imputer.gold import MODEL_REASONS
from imputer.gold import REASONS as GIVEN
from imputer.wording import labels

if TYPE_CHECKING:
    from pathlib import Path

REASONS = {
    "NO_SOURCE_VALUE": ("The source has none.", "La source n’en a pas."),
    "NO_CROSSWALK": ("Not in the crosswalk.", "Absent de la concordance."),
}
DOMAINS = {row["attribute_id"]: row["domain"] for row in ATTRIBUTES}


def gap(entity: str, attribute: str, reason: str) -> dict[str, Any]:
    return record(
        "gaps",
        entity_id=entity,
        attribute_id=attribute,
        language="zxx",
        domain=DOMAINS[attribute],
        reason=reason,
        reason_en=REASONS[reason][0],
        reason_fr=REASONS[reason][1],
    )


GAPS = [
    gap("1", "oasis.skills.numeracy", "NO_SOURCE_VALUE"),
    gap("2", "oasis.skills.writing", "NO_SOURCE_VALUE"),
    gap("2", "oasis.skills.numeracy", "NO_SOURCE_VALUE"),
    gap("2", "onet.2.A.1.c.LV", "NO_CROSSWALK"),
    gap("2", "oasis.main_duties", "NO_SOURCE_VALUE"),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadeRuns:
    runs = MadeRuns(tmp_path_factory.mktemp("gaps"))
    runs.run([statement("1"), statement("1", "onet.2.A.1.c.LV", "ONET"), statement("1", source="ONET")], gaps=GAPS)
    return runs


def test_counts_and_shares_by_domain(made: MadeRuns) -> None:
    with open_latest(made.root) as run:
        summary = summarise(run)
    lines = {(line.system, line.domain): (line.cells, line.filled, line.missing) for line in summary.lines}
    assert lines == {
        ("OaSIS", "skills"): (4, 1, 3),
        ("O*NET", "skills"): (2, 1, 1),
        ("OaSIS", "main_duties"): (1, 0, 1),
    }
    assert [summary.total(name) for name in ("cells", "filled", "missing")] == [7, 2, 5]
    assert {reason: summary.by_reason(reason) for reason in REASONS} == {"NO_SOURCE_VALUE": 4, "NO_CROSSWALK": 1}
    assert (summary.titles, summary.all_titles) == (2, 4)


def test_one_domain_is_counted_by_attribute(made: MadeRuns) -> None:
    with open_latest(made.root) as run:
        summary = summarise(run, domain="skills")
    assert {line.attribute_id: line.missing for line in summary.lines} == {
        "oasis.skills.numeracy": 2,
        "oasis.skills.writing": 1,
        "onet.2.A.1.c.LV": 1,
    }
    assert all(line.by_reason for line in summary.lines)


def test_one_reason_leaves_the_others_out(made: MadeRuns) -> None:
    with open_latest(made.root) as run:
        summary = summarise(run, reason="NO_CROSSWALK")
    assert [(line.system, line.missing) for line in summary.lines] == [("O*NET", 1)]
    assert summary.titles == 1


def test_printed_in_english_and_french(made: MadeRuns) -> None:
    english = run_imputer(made.output, "gaps", expect=0).output
    assert "What is missing, by domain" in english
    assert "2 of 4 job titles have at least one gap." in english
    assert str(made.latest / "gaps.parquet") in english
    french = run_imputer(made.output, "gaps", "--language", "fr", "--domain", "compétences", expect=0).output
    assert "Ce qui manque dans Compétences, par attribut" in french
    assert "Numératie (oasis.skills.numeracy)" in french
    assert "66,7\u202f%" in french
    assert "Absent de la concordance." in french


def test_an_unknown_domain_or_reason_is_wrong_usage(made: MadeRuns) -> None:
    ended = run_imputer(made.output, "gaps", "--domain", "skils")
    assert ended.status == 2
    assert "no domain is called “skils”; there are employment, main_duties, skills" in ended.errors
    assert run_imputer(made.output, "gaps", "--reason", "WHY").status == 2


def test_reasons_that_can_be_asked_for_are_those_of_the_gaps() -> None:
    assert set(labels()["reason"]) == set(GIVEN)
    assert set(labels()["model_reason"]) == set(MODEL_REASONS)


def test_every_missing_cell_goes_to_the_file(made: MadeRuns, tmp_path: Path) -> None:
    path = tmp_path / "lacunes.csv"
    ended = run_imputer(
        made.output, "gaps", "--language", "fr", "--reason", "no_source_value", "--csv", str(path), expect=0
    )
    assert f"4 cellules manquantes écrites dans {path}" in ended.output
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4
    assert rows[0] == {
        "identifiant": "1",
        "nom": "Rédacteur(trice) de politiques",
        "identifiant_attribut": "oasis.skills.numeracy",
        "attribut": "Numératie",
        "langue": "zxx",
        "domaine": "skills",
        "raison": "NO_SOURCE_VALUE",
        "raison_en_toutes_lettres": "La source n’en a pas.",
        "raison_modèle": "",
    }
    assert [path.name for path in tmp_path.iterdir()] == ["lacunes.csv"]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["Asked of a model in vain", "model declined", "1", "It would not. (REFUSED)"]),
        ("fr", ["Modèle interrogé en vain", "refus du modèle", "1", "Il n’a pas voulu. (REFUSED)"]),
    ],
)
def test_what_a_model_was_asked_in_vain_is_told(language: str, words: list[str], tmp_path: Path) -> None:
    made = MadeRuns(tmp_path)
    refused = {"model_reason": "REFUSED", "model_reason_en": "It would not.", "model_reason_fr": "Il n’a pas voulu."}
    made.run([statement("1")], gaps=[GAPS[0] | refused, *GAPS[1:]])
    told = run_imputer(made.output, "gaps", "--language", language, expect=0).output
    heading, line = (one for one in told.splitlines() if words[0] in one or words[1] in one)
    assert heading.startswith(words[0])
    assert line.split(maxsplit=len(words[1].split()) + 1)[-2:] == words[2:]
    explained = run_imputer(
        made.output, "explain", "1", "oasis.skills.numeracy", "--language", language, expect=0
    ).output
    assert words[3].partition(" (")[0] in explained


def test_a_file_that_cannot_be_written_is_said(made: MadeRuns, tmp_path: Path) -> None:
    ended = run_imputer(made.output, "gaps", "--csv", str(tmp_path / "nowhere" / "x.csv"))
    assert ended.status == 1
    assert "output_unwritable: cannot write" in ended.errors


def test_nothing_missing_is_said(tmp_path: Path) -> None:
    made = MadeRuns(tmp_path)
    made.run([statement("1")])
    assert "Nothing is missing." in run_imputer(made.output, "gaps", expect=0).output


def test_the_sums_of_a_real_run_are_its_gaps(gold: Path) -> None:
    gaps = pq.read_table(gold / "gaps.parquet", columns=["reason", "attribute_id"]).to_pydict()
    reasons, attributes = Counter(gaps["reason"]), Counter(gaps["attribute_id"])
    with open_folder(gold) as run:
        summary = summarise(run)
        assert summary.total("missing") == len(gaps["reason"])
        assert {reason: summary.by_reason(reason) for reason in reasons} == dict(reasons)
        by_attribute = {line.attribute_id: line.missing for line in summarise(run, domain="skills").lines}
        assert all(attributes[str(name)] == missing for name, missing in by_attribute.items())
        # Every cell to fill is either filled or missing.
        cells = run.rows(
            "SELECT sum(len(languages)) AS n FROM dim_attribute a "
            "JOIN dim_entity e ON list_contains(a.entity_types, e.entity_type) WHERE imputable"
        )
        assert summary.total("cells") == cells[0]["n"]
