"""What backtests measured, put on statements: probability by the curve, interval by the radius, and nothing else."""

from __future__ import annotations

import json
import shutil
from io import StringIO
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from batch_jobs import FAST, PRICE, run
from hypothesis import given, settings
from hypothesis import strategies as st
from processes import run_imputer
from rich.console import Console

from imputer.batch.ledger import Ledger
from imputer.batch.questions import Asking, questions_of
from imputer.batch.shards import write_job
from imputer.calibration import Curve, write_calibration
from imputer.errors import SourceMalformed
from imputer.explain.chain import trace
from imputer.explain.layout import render
from imputer.finished import open_latest
from imputer.report import facts
from imputer.standin.openai import OpenAIStandIn
from imputer.statements import create_log_tables
from imputer.tiers import measured
from imputer.tiers.measured import ALL, MODELS_CALIBRATION, Measured, MeasuredAttribute, measured_from_record

if TYPE_CHECKING:
    from pathlib import Path

POOLED = Curve((0.1, 0.5), (0.25, 0.75), 900)
SKILLS = Curve((0.2, 0.4, 0.8), (0.3, 0.6, 0.9), 600)
WRITING, FIRST, ZONE = "oasis.skills.writing", "oasis.interests.first", "onet.job_zone"
MEASURED = Measured(
    {ALL: POOLED, "OaSIS/skills": SKILLS},
    {
        WRITING: MeasuredAttribute("OaSIS/skills", 118, 1.25, own=True),
        FIRST: MeasuredAttribute(ALL, 120),
        ZONE: MeasuredAttribute(ALL, 12, 2.0, own=False),
    },
)


def keep(root: Path, **models: Measured) -> Path:
    """A calibration file of models below ``root``."""
    path = root / MODELS_CALIBRATION
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {name: {"made_with": {"seed": 1}, **one.as_record()} for name, one in models.items()}
    write_calibration(path, {"made_with": {"command": "a test"}, "models": kept})
    return path


def test_what_is_kept_is_what_was_measured(tmp_path: Path) -> None:
    keep(tmp_path, one=MEASURED, two=Measured({ALL: POOLED}, {}))
    found = measured.model_calibrations(tmp_path)
    assert found == {"one": MEASURED, "two": Measured({ALL: POOLED}, {})}
    assert measured.model_calibrations(tmp_path / "nowhere") == {}


def test_the_shipped_calibration_of_similar_titles_is_whole() -> None:
    found = measured.neighbours_calibration()
    assert found is not None
    assert found.curves[ALL].n > 40_000
    assert len(found.attributes) > 400
    assert all(one.radius is not None and 0 <= one.radius < 7 for one in found.attributes.values())


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"attributes": {WRITING: {"curve": "no such", "n": 3, "radius": 1.0, "own": True}}}, "no such"),
        ({"attributes": {WRITING: {"curve": ALL, "n": 3, "radius": -1.0, "own": True}}}, "-1.0"),
        ({"attributes": {WRITING: {"curve": ALL, "n": 3, "radius": "wide", "own": True}}}, "wide"),
        ({"attributes": {WRITING: {"bend": ALL}}}, "bend"),
        ({"attributes": []}, "AttributeError"),
        ({"curves": {ALL: {"scores": [1, 0], "probabilities": [0, 1], "n": 2}}}, "a calibration curve is broken"),
        ({"curves": None}, "AttributeError"),
    ],
)
def test_a_broken_calibration_is_refused(change: dict[str, Any], word: str, tmp_path: Path) -> None:
    path = keep(tmp_path, one=MEASURED)
    content = json.loads(path.read_text(encoding="utf-8"))
    content["models"]["one"] |= change
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(SourceMalformed, match="--write-calibration") as error:
        measured.model_calibrations(tmp_path)
    assert word in str(error.value)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"made_with": {}, "models": [1]}'])
def test_a_file_that_is_no_calibration_is_refused(text: str, tmp_path: Path) -> None:
    path = keep(tmp_path, one=MEASURED)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SourceMalformed, match="a calibration file is broken"):
        measured.model_calibrations(tmp_path)


def stated(root: Path, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the tier makes of statements, in their order."""
    with duckdb.connect() as connection:
        create_log_tables(connection)
        connection.execute(
            "CREATE TABLE attributes AS SELECT * FROM (VALUES "
            f"('{WRITING}', 1.0, 5.0, 'not applicable'), ('{FIRST}', NULL, NULL, NULL), ('{ZONE}', 1.0, 5.0, NULL), "
            "('other', 1.0, 5.0, NULL)) t(attribute_id, minimum, maximum, zero_meaning_en)"
        )
        for place, row in enumerate(rows):
            given = {"entity_id": str(place), "source_type": "LLM", "model": "one", "attribute_id": WRITING} | row
            names, marks = ", ".join(given), ", ".join("?" * len(given))
            connection.execute(f"INSERT INTO stated ({names}) VALUES ({marks})", list(given.values()))
        measured.prepare(connection, root)
        measured.state(connection)
        table = connection.sql("SELECT * FROM stated ORDER BY entity_id::INTEGER").to_arrow_table()
    found: list[dict[str, Any]] = table.to_pylist()
    return found


def told(row: dict[str, Any]) -> tuple[float | None, float | None, float | None]:
    return row["confidence_calibrated"], row["interval_low"], row["interval_high"]


def test_only_what_was_measured_gains_a_probability_and_an_interval(tmp_path: Path) -> None:
    keep(tmp_path, one=MEASURED)
    rows: list[dict[str, Any]] = [
        {"value_number": 3.0, "confidence": 0.5},
        {"value_number": 4.5, "confidence": 0.05},  # below the first score the first probability holds
        {"value_number": 0.5, "confidence": 1.0},  # 0 stands below the scale, with a meaning of its own
        {"value_number": 1.5, "confidence": 0.5, "attribute_id": ZONE},
        {"value_text": "R", "confidence": 0.1, "attribute_id": FIRST},
        {"value_number": 3.0, "confidence": 0.5, "attribute_id": "other"},
        {"value_number": 3.0, "confidence": 0.5, "model": "two"},
        {"value_number": 3.0, "confidence": 0.5, "source_type": "ONET", "model": None},
        {"value_number": 3.0, "confidence": 0.5, "confidence_calibrated": 0.4},
    ]
    found = [told(row) for row in stated(tmp_path, rows)]
    assert found == [
        (0.6, 1.75, 4.25),
        (0.3, 3.25, 5.0),
        (0.9, 0.0, 1.75),
        (0.75, 1.0, 3.5),
        (0.25, None, None),
        (None, None, None),
        (None, None, None),
        (None, None, None),
        (0.4, None, None),
    ]


def test_similar_titles_have_the_shipped_calibration(tmp_path: Path) -> None:
    shipped = measured.neighbours_calibration()
    assert shipped is not None
    row = {"source_type": "NEIGHBOURS", "model": None, "value_number": 3.0, "confidence": 0.44}
    [found] = stated(tmp_path, [row])
    about = shipped.attributes[WRITING]
    assert about.radius is not None
    assert found["confidence_calibrated"] == shipped.curves[about.curve].apply([0.44])[0]
    assert found["interval_low"] == pytest.approx(max(0, 3 - about.radius))
    assert found["interval_high"] == pytest.approx(min(5, 3 + about.radius))


@settings(max_examples=20)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.floats(0, 5))
def test_the_curve_is_read_as_it_was_fitted(
    tmp_path_factory: pytest.TempPathFactory, confidence: list[float], value: float
) -> None:
    root = tmp_path_factory.mktemp("kept")
    keep(root, one=MEASURED)
    found = stated(root, [{"value_number": value, "confidence": one} for one in confidence])
    assert [row["confidence_calibrated"] for row in found] == SKILLS.apply(confidence).tolist()
    for row in found:
        assert 0 <= row["interval_low"] <= value <= row["interval_high"] <= 5
        assert row["interval_high"] - row["interval_low"] <= 2.5 + 1e-3


def test_an_answer_in_the_log_is_stated_anew_with_what_was_measured(sample_output: Path, tmp_path: Path) -> None:
    output = tmp_path / "output"
    shutil.copytree(sample_output, output, symlinks=True)
    with OpenAIStandIn() as service:
        with open_latest(output / "wiq") as past, Ledger(output / "wiq") as ledger:
            write_job(ledger, questions_of(past, Asking(domain="skills")), FAST, PRICE)
        run(output / "wiq", service)
    run_imputer(output, "impute", "--sample", "--no-model", expect=0)
    path = output / "wiq" / "latest" / "statements.parquet"
    answers = f"FROM '{path}' WHERE model = 'stand-in' AND attribute_id = '{WRITING}'"
    with duckdb.connect() as connection:
        entity = connection.execute(f"SELECT min(entity_id) {answers}").fetchall()[0][0]
    keep(output / "wiq", **{"stand-in": MEASURED})
    run_imputer(output, "impute", "--sample", "--no-model", expect=0)
    with open_latest(output / "wiq") as past:
        chain = trace(past, entity, WRITING)
        # A value that is only stated anew is logged, but no change of winner.
        [summary] = facts.gather(past)["summary"]
        assert past.rows("SELECT DISTINCT reason FROM override_events") == [{"reason": "RESTATED"}]
        assert past.rows("SELECT max(override_events) AS events FROM dim_run") == [{"events": 0}]
        assert summary["events"] == 0
    [cell] = chain.cells
    winner, [former] = cell.winner, cell.withdrawn
    assert winner is not None
    assert cell.gold is not None
    assert cell.losers == []
    assert former["custom_id"] == winner["custom_id"]
    assert (former["value_number"], former["confidence"]) == (winner["value_number"], winner["confidence"])
    assert (former["confidence_calibrated"], former["interval_low"]) == (None, None)
    assert winner["confidence_calibrated"] == SKILLS.apply([winner["confidence"]])[0]
    assert winner["interval_low"] == pytest.approx(max(0, round(winner["value_number"] - 1.25, 4)))
    assert cell.gold["interval_high"] == winner["interval_high"]
    for language, words in (
        ("en", ("as stated by the method", "measured by backtest", "90% interval")),
        ("fr", ("énoncée par la méthode", "mesurée par contre-épreuve", "Intervalle à 90")),
    ):
        console = Console(file=StringIO(), width=400)
        console.print(render(chain, language))
        shown = console.file.getvalue()  # type: ignore[attr-defined]
        for word in words:
            assert word in shown


def test_a_record_is_read_as_it_is_written() -> None:
    assert measured_from_record(json.loads(json.dumps(MEASURED.as_record())), "here") == MEASURED
