"""Similar titles as a tier: only where asked for, only where no source has a number, never in the way of a model."""

from __future__ import annotations

import io
import json
import shutil
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from processes import assert_whole, manifest_of, run_imputer
from rich.console import Console

from imputer.batch.questions import questions_of
from imputer.errors import WrongUsage
from imputer.explain.chain import trace
from imputer.explain.layout import render
from imputer.finished import open_latest
from imputer.gathering import Location
from imputer.impute import Imputed, impute
from imputer.sample import SAMPLE, sample_registry
from imputer.settings import Settings, read_settings
from imputer.similar_titles import register_neighbours
from imputer.statements import create_log_tables
from imputer.tiers import neighbours
from schemas import load_tables

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Ask = Callable[[str], list[tuple[Any, ...]]]

CELL = "entity_id, attribute_id, language"


def run(output: Path, *, on: bool) -> Imputed:
    done = impute(
        Settings(output=output, neighbours=on), Location(SAMPLE, sample_registry()), lambda _stage, _done, _all: None
    )
    assert done.good, done.outcome.failures
    return done


def views(output: Path) -> Ask:
    connection = duckdb.connect()
    for name in load_tables("wiq"):
        path = output / "wiq" / "latest" / f"{name}.parquet"
        connection.execute(f"CREATE VIEW {name} AS FROM read_parquet('{path}')")
    return lambda text: connection.execute(text).fetchall()


@pytest.fixture(scope="module")
def output(sample_output: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with similar titles after one without; not to be changed."""
    own = tmp_path_factory.mktemp("similar") / "output"
    shutil.copytree(sample_output, own, symlinks=True)
    ended = run_imputer(own, "impute", "--sample", given={"WIQ_NEIGHBOURS": "1"}, expect=0)
    assert "Nothing is new" not in ended.output
    return own


@pytest.fixture(scope="module")
def ask(output: Path) -> Ask:
    return views(output)


@pytest.fixture(scope="module")
def before(sample_output: Path) -> Ask:
    return views(sample_output)


def test_off_by_default_and_any_other_word_is_refused(before: Ask) -> None:
    assert before("SELECT count(*) FROM statements WHERE source_type = 'NEIGHBOURS'") == [(0,)]
    assert [read_settings({"WIQ_NEIGHBOURS": word}).neighbours for word in ("", "0", "1")] == [False, False, True]
    assert not read_settings({}).neighbours
    with pytest.raises(WrongUsage, match="WIQ_NEIGHBOURS is wrong; expected 0 or 1; found yes"):
        read_settings({"WIQ_NEIGHBOURS": "yes"})


def test_exactly_the_numbers_that_were_gaps_are_filled(ask: Ask, before: Ask, output: Path) -> None:
    numbers = (
        f"SELECT {CELL} FROM gaps JOIN dim_attribute USING (attribute_id) WHERE value_type = 'number' ORDER BY ALL"
    )
    lacked = before(numbers)
    assert len(lacked) > 1000
    assert ask(f"SELECT {CELL} FROM attribute_values WHERE source_type = 'NEIGHBOURS' ORDER BY ALL") == lacked
    assert ask(numbers) == []
    others = f"SELECT {CELL}, statement_id FROM attribute_values WHERE source_type <> 'NEIGHBOURS' ORDER BY ALL"
    assert ask(others) == before(others)
    assert ask("SELECT count(*) FROM override_events") == [(0,)]
    assert ask("SELECT sum(values_neighbours) FROM job_titles_wide") == [(len(lacked),)]
    assert_whole(output / "wiq" / "latest")
    assert manifest_of((output / "wiq" / "latest").resolve())["settings"]["neighbours"] is True


def test_every_statement_shows_its_neighbours(ask: Ask) -> None:
    rows = ask(
        "SELECT s.entity_id, s.attribute_id, value_number, confidence, evidence, locator, rationale, j.unit_group, "
        "s.language, s.source_id, s.method, s.scale = a.scale_id, s.retention_class, a.minimum, a.maximum, "
        "a.zero_meaning_en FROM statements s JOIN job_titles_wide j ON job_title_id = entity_id "
        "JOIN dim_attribute a USING (attribute_id) WHERE source_type = 'NEIGHBOURS'"
    )
    titles: dict[str, str] = dict(ask("SELECT job_title_id, title_en FROM dim_job_title"))
    groups: dict[str, str | None] = dict(ask("SELECT job_title_id, unit_group FROM job_titles_wide"))
    held = {
        (entity, attribute): value
        for entity, attribute, value in ask(
            "SELECT entity_id, attribute_id, value_number FROM attribute_values "
            "WHERE source_type IN ('AUTHORITATIVE', 'ONET') AND value_number IS NOT NULL"
        )
    }
    for entity, attribute, value, confidence, evidence, locator, rationale, group, *rest in rows:
        told = json.loads(evidence)
        near = told["neighbours"]
        ids = [one["job_title_id"] for one in near]
        assert 1 <= len(ids) == len(set(ids)) == told["n"] <= 5
        assert entity not in ids
        assert len({group, *(groups[other] for other in ids)}) == len(ids) + 1
        assert [one["likeness"] for one in near] == sorted((one["likeness"] for one in near), reverse=True)
        for one in near:
            assert one["unit_group"] == groups[one["job_title_id"]]
            assert one["value"] == pytest.approx(held[one["job_title_id"], attribute], abs=1e-4)
            assert f"{one['job_title_id']} «{titles[one['job_title_id']]}»" in rationale
        weight = sum(one["likeness"] for one in near)
        assert value == pytest.approx(sum(one["likeness"] * one["value"] for one in near) / weight, abs=1e-4)
        assert locator == f"job titles {', '.join(ids)}"
        *known, minimum, maximum, zero = rest
        assert known == ["zxx", "similar_titles", "NEAREST_NEIGHBOURS", True, "derived"]
        assert (0 if zero else minimum) <= value <= maximum
        assert 0 < confidence <= weight / told["n"] + 1e-9


def test_a_job_without_unit_group_has_neighbours_too(ask: Ask) -> None:
    query = (
        "SELECT count(*) FROM attribute_values JOIN job_titles_wide ON job_title_id = entity_id "
        "WHERE source_type = 'NEIGHBOURS' AND unit_group IS NULL"
    )
    assert ask(query)[0][0] > 300


def test_a_model_is_asked_the_same_in_the_same_words(output: Path, sample_output: Path) -> None:
    asked = []
    for folder in (sample_output, output):
        with open_latest(folder / "wiq") as finished:
            asked.append([(one.entity_id, one.contract.cells, one.text) for one in questions_of(finished)])
    assert len(asked[0]) > 10
    assert asked[0] == asked[1]


def test_explained_in_both_languages(output: Path, ask: Ask) -> None:
    entity, attribute, evidence = ask(
        "SELECT entity_id, attribute_id, evidence FROM statements WHERE source_type = 'NEIGHBOURS' ORDER BY ALL LIMIT 1"
    )[0]
    first = json.loads(evidence)["neighbours"][0]["job_title_id"]
    ((english, french_name),) = ask(f"SELECT title_en, title_fr FROM dim_job_title WHERE job_title_id = '{first}'")
    shown = {}
    with open_latest(output / "wiq") as finished:
        for language in ("en", "fr"):
            written = io.StringIO()
            Console(file=written, width=4000).print(render(trace(finished, entity, attribute, language), language))
            shown[language] = written.getvalue()
    assert "Mean, weighted by likeness, over the 5 job titles with the most similar names" in shown["en"]
    assert f"{first} “{english}”" in shown["en"]
    assert "similar job titles (NEIGHBOURS)" in shown["en"]
    french = shown["fr"]
    assert "Moyenne, pondérée par la ressemblance, des 5 titres de poste aux noms les plus semblables" in french
    assert f"titre de poste : {first} « {french_name} »" in french
    assert "titres de poste semblables :" in french
    assert f"titres de poste {first}, " in french
    assert "texte d’origine" not in french


def test_turned_off_again_all_is_withdrawn_and_the_gaps_are_back(output: Path, before: Ask, tmp_path: Path) -> None:
    own = tmp_path / "output"
    shutil.copytree(output, own, symlinks=True)
    assert run(own, on=False).new
    after = views(own)
    assert after("SELECT count(*) FROM attribute_values WHERE source_type = 'NEIGHBOURS'") == [(0,)]
    assert after(
        "SELECT count(*) FROM statements s LEFT JOIN withdrawals w USING (statement_id) "
        "WHERE source_type = 'NEIGHBOURS' AND w.action IS DISTINCT FROM 'WITHDRAWN'"
    ) == [(0,)]
    for table in ("gaps", "attribute_values"):
        query = f"SELECT {CELL} FROM {table} ORDER BY ALL"
        assert after(query) == before(query)
    assert after("SELECT DISTINCT reason, new_statement_id FROM override_events") == [("WITHDRAWN", None)]


def test_sources_keep_a_mean_away_and_a_model_does_not() -> None:
    connection = duckdb.connect()
    create_log_tables(connection)
    connection.execute(
        "CREATE TEMP TABLE resolved AS SELECT 'asked' AS entity_id; "
        "CREATE TEMP TABLE averaged_attributes AS "
        "SELECT unnest(['a', 'b', 'c', 'd']) AS attribute_id, 'IM' AS scale_id, 4.0::DOUBLE AS width; "
        "CREATE TEMP TABLE known_titles AS "
        "SELECT 'other' AS entity_id, 'Clerk' AS title_en, '14100' AS unit_group, 'other' AS way; "
        "CREATE TEMP TABLE way_values AS "
        "SELECT 'other' AS way, attribute_id, 3.0::DOUBLE AS value_number FROM averaged_attributes; "
        "CREATE TEMP TABLE source_versions AS "
        "SELECT 'similar_titles' AS source_id, NULL::VARCHAR AS source_version, 'derived' AS retention_class; "
        "INSERT INTO stated BY NAME SELECT 'job_title' AS entity_type, 'asked' AS entity_id, attribute_id, "
        "'zxx' AS language, 1.0 AS value_number, source_type, 1.0 AS confidence FROM (VALUES "
        "('a', 'AUTHORITATIVE'), ('b', 'ONET'), ('c', 'LLM')) given(attribute_id, source_type)"
    )
    register_neighbours(connection, {"asked": [("other", 0.5)]}, "similar_titles")
    neighbours.state(connection)
    made = connection.execute(
        "SELECT attribute_id, value_number, confidence, rationale FROM stated "
        "WHERE source_type = 'NEIGHBOURS' ORDER BY attribute_id"
    ).fetchall()
    sentence = "Value of the one job title with a similar name that has a value: other «Clerk»."
    assert made == [("c", 3.0, 0.5, sentence), ("d", 3.0, 0.5, sentence)]
