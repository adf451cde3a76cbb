"""The backtest of the model tier: what is hidden stays hidden, what is measured is right, nothing is paid twice."""

from __future__ import annotations

import json
import math
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from batch_jobs import plan
from hypothesis import given, settings
from hypothesis import strategies as st
from processes import run_imputer

from imputer.batch.ledger import Ledger
from imputer.batch.options import BatchOptions
from imputer.batch.questions import Asking, questions_of
from imputer.batch.service import Access
from imputer.errors import WrongUsage
from imputer.evaluate.asking import ask
from imputer.evaluate.baselines import CLASS_MEAN, GLOBAL_MEAN, NEIGHBOURS, baselines, class_guesses
from imputer.evaluate.cells import Cells, Guesses, judge
from imputer.evaluate.confidence import cross_fit, fit
from imputer.evaluate.conformal import LEAST, conformal_radius, radii
from imputer.evaluate.intervals import calibration_error
from imputer.evaluate.masking import MASKED, draw, mask, shares
from imputer.evaluate.scores import rank_correlation
from imputer.evaluate.skill import skill
from imputer.finished import open_latest
from imputer.report import write_report
from imputer.standin.openai import OpenAIFaults, OpenAIStandIn
from imputer.tiers.measured import ALL

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from processes import Ended

SEED = 2026


# --- what is hidden --------------------------------------------------------------------------------------------------

TITLES = st.dictionaries(
    st.from_regex(r"[0-9]{5}", fullmatch=True), st.lists(st.text("abc", min_size=1), min_size=1, max_size=3), min_size=1
)


@given(st.dictionaries(st.sampled_from("0123456789"), st.integers(1, 60), min_size=1), st.integers(1, 300))
def test_shares_are_in_proportion_and_none_is_left_out(sizes: dict[str, int], sample: int) -> None:
    taken = shares(sizes, sample)
    total = sum(sizes.values())
    assert sum(taken.values()) == min(sample, total)
    assert all(0 <= taken[name] <= sizes[name] for name in sizes)
    if sample >= len(sizes):
        assert all(taken.values())
    for name, count in taken.items():
        # Off by one for the rounding, and by what the least of one each takes from the large ones.
        assert abs(count - min(sample, total) * sizes[name] / total) <= len(sizes)


@given(TITLES, st.integers(0, 5), st.integers(1, 40))
def test_the_draw_takes_one_title_of_a_unit_group_and_knows_its_seed(
    titles: dict[str, list[str]], seed: int, sample: int
) -> None:
    named = {code: [f"{code} {title}" for title in some] for code, some in titles.items()}
    drawn = draw(named, seed, sample)
    groups = [title[:5] for title in drawn]
    assert len(drawn) == min(sample, len(titles))
    assert len(set(groups)) == len(groups)
    assert all(title in named[group] for title, group in zip(drawn, groups, strict=True))
    shuffled = {code: named[code][::-1] for code in reversed(named)}
    assert draw(shuffled, seed, sample) == drawn


def test_hidden_cells_are_known_ones_of_drawn_titles_and_half_are_told_without_unit_group(sample_output: Path) -> None:
    with open_latest(sample_output / "wiq") as run:
        masked = mask(run, SEED)
        rows = run.rows(
            f"SELECT source_type, method, count(*) AS n FROM {MASKED} m JOIN attribute_values v "
            "USING (entity_id, attribute_id, language) GROUP BY ALL"
        )
        asked = run.rows(f"SELECT count(*) AS n FROM {MASKED}")[0]["n"]
        again, other = mask(run, SEED), mask(run, SEED + 1)
    cells = masked.cells
    assert (masked.hidden, masked.untold) == (again.hidden, again.untold)
    assert masked.hidden != other.hidden
    assert set(cells.entities) == masked.hidden
    assert len(set(cells.unit_groups)) == len(masked.hidden)
    assert len(masked.untold) == len(masked.hidden) // 2
    assert asked == len(set(cells.keys)) == len(cells)
    # Only what was published for the very profile or unit group is a truth.
    assert {(row["source_type"], row["method"]) for row in rows} == {
        ("AUTHORITATIVE", "INHERITED_PROFILE"),
        ("ONET", "CROSSWALK"),
    }
    assert {"OaSIS/skills", "OaSIS/interests", "O*NET/job_zone", "O*NET/work_values"} <= set(cells.topics)
    assert not {"OaSIS/lead_statement", "OaSIS/main_duties"} & set(cells.topics)
    assert (cells.numeric != (cells.choices != "")).all()


def test_no_question_shows_what_is_hidden(sample_output: Path) -> None:
    with open_latest(sample_output / "wiq") as run:
        masked = mask(run, SEED)
        asking = Asking(cells=MASKED, hidden=masked.hidden, untold=masked.untold)
        questions = list(questions_of(run, asking))
        names = {row["entity_id"]: row["name_en"] for row in run.rows("SELECT entity_id, name_en FROM dim_entity")}
        places = {
            row["job_title_id"]: (row["unit_group"], row["title_en"], row["profile"], row["label_en"])
            for row in run.rows(
                "SELECT job_title_id, w.unit_group, n.title_en, w.profile, label_en FROM job_titles_wide w "
                "LEFT JOIN dim_noc n ON n.code = w.unit_group LEFT JOIN dim_oasis_profile p ON p.profile = w.profile"
            )
        }
        texts = run.rows(
            "SELECT entity_id, value_text FROM attribute_values JOIN dim_attribute USING (attribute_id) "
            "WHERE value_type IN ('text', 'list') AND length(value_text) > 20 AND list_contains($hidden, entity_id)",
            {"hidden": sorted(masked.hidden)},
        )
    cells = [(one.entity_id, cell.attribute_id, cell.language) for one in questions for cell in one.contract.cells]
    assert sorted(cells) == sorted(masked.cells.keys)
    hidden_names = {names[entity] for entity in masked.hidden}
    told_of_place = 0
    for question in questions:
        own, _, examples = question.text.partition("Jobs with a similar title whose values are known:")
        # Nothing but the title's own words, and its place where that is told.
        assert "Known of this job:" not in own
        unit_group, group_title, profile, label = places[question.entity_id]
        if question.entity_id in masked.untold:
            assert "Unit group" not in question.text
            assert "profile" not in question.text
            assert unit_group not in question.text
            assert profile not in question.text
        else:
            told_of_place += f"Unit group (NOC 2021): {unit_group} {group_title}" in own
            assert label in own
        # No hidden title is an example, and no title of the same unit group, which has the same values.
        shown = [line[3:] for line in examples.splitlines() if line[:3] in ("A. ", "B. ", "C. ")]
        for line in shown:
            assert not any(line == name or line.startswith(f"{name}, ") for name in hidden_names), line
            assert not line.endswith(f", {group_title}")
    assert told_of_place
    everything = "\n".join(question.text for question in questions)
    known = {row["value_text"][:60] for row in texts}
    shared = {text for text in known if text in everything}
    # A text that another, known profile has too may be told of that one.
    assert len(shared) < len(known) / 10


def test_on_the_real_files_every_part_of_the_noc_is_measured(gold: Path) -> None:
    with open_latest(gold.parent) as run:
        masked = mask(run, SEED)
        guesses = baselines(run, masked)
    cells = masked.cells
    assert len(masked.hidden) == 120
    assert {group[0] for group in cells.unit_groups} == set("0123456789")
    assert len(cells) > 49_000
    errors = {name: float(np.nanmean(judge(cells, given).shares)) for name, given in guesses.items()}
    # Each baseline knows more of a job than the one before.
    assert errors == pytest.approx({GLOBAL_MEAN: 0.187, NEIGHBOURS: 0.153, CLASS_MEAN: 0.109}, abs=0.01)


# --- baselines -------------------------------------------------------------------------------------------------------


def test_the_class_mean_is_of_others_in_the_nearest_class(sample_output: Path) -> None:
    with open_latest(sample_output / "wiq") as run:
        masked = mask(run, SEED)
        guesses = class_guesses(run, masked)
        known = run.rows(
            "SELECT DISTINCT attribute_id, unit_group, profile, value_number FROM attribute_values "
            "JOIN job_titles_wide ON job_title_id = entity_id WHERE method = 'INHERITED_PROFILE' "
            "AND attribute_id = 'oasis.skills.writing' AND NOT list_contains($hidden, entity_id)",
            {"hidden": sorted(masked.hidden)},
        )
    cells = masked.cells
    for row in np.flatnonzero(cells.attributes == "oasis.skills.writing"):
        group, holder = str(cells.unit_groups[row]), str(cells.holders[row])
        others = [one for one in known if one["unit_group"] != group]
        assert guesses[GLOBAL_MEAN].values[row] == pytest.approx(np.mean([one["value_number"] for one in others]))
        for digits in (5, 4, 3, 2, 1):
            near = [
                one["value_number"]
                for one in known
                if one["unit_group"][:digits] == group[:digits] and one["profile"] != holder
            ]
            if near:
                break
        assert guesses[CLASS_MEAN].values[row] == pytest.approx(np.mean(near) if near else math.nan, nan_ok=True)


FLOATS = st.lists(st.floats(0, 100), min_size=1, max_size=60)


@settings(max_examples=50)
@given(FLOATS)
def test_a_baseline_has_no_skill_against_itself(errors: list[float]) -> None:
    clusters = [str(place // 3) for place in range(len(errors))]
    found = skill(errors, errors, SEED, clusters, resamples=50)
    if any(errors):
        assert found.value == pytest.approx(0, abs=1e-9)
        assert found.low == pytest.approx(0, abs=1e-9)
        assert found.high == pytest.approx(0, abs=1e-9)
    else:
        assert math.isnan(found.value)


def test_skill_is_measured_where_both_have_a_value() -> None:
    found = skill([1.0, math.nan, 0.0, 9.0], [2.0, 5.0, 2.0, math.nan], SEED, ["a", "b", "c", "d"])
    assert (found.value, found.n) == (0.75, 2)
    assert found.low <= found.value <= found.high <= 1


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=3, max_size=40))
def test_rank_correlation_is_that_of_the_textbook(pairs: list[tuple[int, int]]) -> None:
    from scipy.stats import spearmanr  # noqa: PLC0415

    left, right = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    found = rank_correlation(left, right)
    if np.ptp(left) and np.ptp(right):
        assert found == pytest.approx(spearmanr(left, right).statistic)
    else:
        assert math.isnan(found)


# --- calibration -----------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(st.lists(st.floats(0, 5), min_size=1, max_size=80), st.floats(0.5, 0.95))
def test_a_conformal_radius_covers_what_it_promises(errors: list[float], share: float) -> None:
    """Left out in turn, each of exchangeable errors lies within the radius of the others often enough."""
    inside = [
        errors[place] <= conformal_radius(errors[:place] + errors[place + 1 :], share) for place in range(len(errors))
    ]
    assert np.mean(inside) >= share - 1e-9


def test_few_errors_promise_nothing() -> None:
    assert conformal_radius([]) == math.inf
    assert conformal_radius([1.0] * 8) == math.inf
    assert conformal_radius([*map(float, range(9))]) == 8.0
    assert conformal_radius([math.nan, *map(float, range(9))]) == 8.0


def made_cells(truths: NDArray[np.float64], groups: int, attributes: int = 1, topic: str = "OaSIS/skills") -> Cells:
    """Numbers from 1 to 5, attribute by attribute, spread over unit groups."""
    n = len(truths)
    codes = np.array([f"{10000 + 137 * (place % groups):05d}" for place in range(n)])
    return Cells(
        entities=codes,
        attributes=np.array([f"a{place * attributes // n}" for place in range(n)], dtype="U9"),
        languages=np.full(n, "zxx"),
        topics=np.full(n, topic),
        unit_groups=codes,
        holders=codes,
        told=np.arange(n) % 2 == 0,
        truths=truths,
        choices=np.full(n, ""),
        widths=np.full(n, 4.0),
        tolerances=np.full(n, 1.0),
        lowest=np.full(n, 0.0),
        highest=np.full(n, 5.0),
    )


def test_an_attribute_with_few_errors_has_its_topics_radius() -> None:
    generator = np.random.default_rng(SEED)
    cells = made_cells(generator.uniform(1, 5, 1_000), groups=100)
    few = np.arange(1_000) < LEAST - 1
    cells.attributes[few] = "few"
    cells.widths[few] = 2.0
    errors = generator.uniform(0, 1, 1_000)
    found = radii(cells, errors)
    assert found["a0"].own
    assert not found["few"].own
    assert found["a0"].value == pytest.approx(conformal_radius(errors[~few]), abs=1e-4)
    assert found["few"].value == pytest.approx(conformal_radius(errors / cells.widths) * 2.0, abs=1e-4)


@pytest.mark.parametrize("overconfident", [False, True])
def test_a_made_model_is_calibrated_and_its_intervals_hold(*, overconfident: bool) -> None:
    """Truth plus noise of known size: honest confidence stays honest, boasting does not survive."""
    generator = np.random.default_rng(SEED)
    n, attributes = 12_000, 24
    cells = made_cells(generator.uniform(1, 5, n), groups=120, attributes=attributes)
    spread = generator.uniform(0.3, 2.5, n)
    values = np.clip(cells.truths + generator.normal(0, 1, n) * spread, 0, 5)
    honest = np.array([math.erf(1 / (size * math.sqrt(2))) for size in spread])
    stated = np.minimum(1, 0.6 + 0.4 * honest) if overconfident else honest
    guesses = Guesses(values, np.full(n, ""), stated)
    outcome = judge(cells, guesses)
    crossed = cross_fit(cells, guesses, outcome, SEED)
    before = calibration_error(stated, outcome.right)
    after = calibration_error(crossed.confidence, outcome.right)
    assert after < 0.02
    if overconfident:
        assert before > 0.1
    # Clipping to the scale brings some values nearer to the truth than their noise says.
    assert before < 0.06 or overconfident
    assert np.nanmean(crossed.inside) == pytest.approx(0.9, abs=0.015)
    kept = fit(cells, guesses, outcome)
    assert set(kept.curves) == {ALL, "OaSIS/skills"}
    assert len(kept.attributes) == attributes
    for one in kept.attributes.values():
        assert one.own
        assert one.radius is not None
        assert 1 < one.radius < 5


def test_what_has_no_guess_or_confidence_is_not_calibrated() -> None:
    cells = made_cells(np.linspace(1, 5, 400), groups=40)
    values = cells.truths.copy()
    values[::2] = math.nan
    confidence = np.full(400, 0.5)
    confidence[1::4] = math.nan
    guesses = Guesses(values, np.full(400, ""), confidence)
    crossed = cross_fit(cells, guesses, judge(cells, guesses), SEED)
    known = np.isfinite(values) & np.isfinite(confidence)
    assert (np.isfinite(crossed.confidence) == known).all()
    assert fit(cells, guesses, judge(cells, guesses)).curves[ALL].n == known.sum()


# --- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture
def output(sample_output: Path, tmp_path: Path) -> Path:
    """An output folder of the test's own, with one good run of the sample in it."""
    shutil.copytree(sample_output, tmp_path / "output", symlinks=True)
    return tmp_path / "output"


def backtest(output: Path, *arguments: str, service: OpenAIStandIn | None = None, expect: int = 0) -> Ended:
    given = {"WIQ_POLL": "0.05", "WIQ_SETTLE": "0.2", "WIQ_BACKOFF": "0.01"}
    if service:
        given |= {"OPENAI_API_KEY": service.key, "OPENAI_BASE_URL": service.base_url}
    return run_imputer(output, "backtest", "--tier", "llm", *arguments, given=given, expect=expect)


def page_of(output: Path, language: str = "en") -> str:
    """The report, written anew."""
    page = output / f"{language}.html"
    write_report((output / "wiq" / "latest").resolve(), language, page)
    return page.read_text(encoding="utf-8")


def record_of(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def test_without_a_key_the_baselines_alone(output: Path) -> None:
    figures = output / "wiq" / "backtest.json"
    ended = backtest(output, "--json", str(figures))
    assert ended.errors == ""
    assert ended.output.splitlines()[0].startswith("No key (OPENAI_API_KEY): no model is asked")
    assert "by the mean of the NOC class" in ended.output
    record = record_of(figures)
    told = record["details"]["llm"]
    assert (told["model"], told["methods"]) == (None, ["neighbours", "class_mean", "global_mean"])
    # Each name stands by itself: one names the method, and none goes on with the figure before it.
    for names in ([one[key] for one in record["figures"]] for key in ("name", "name_fr")):
        assert len(set(names)) == len(names)
        assert not [name for name in names if "…" in name]
    assert not (output / "wiq" / "batch").exists()
    assert "Aucun modèle n’a été interrogé" in page_of(output, "fr")


def test_asked_measured_kept_and_never_paid_twice(output: Path) -> None:
    figures = output / "wiq" / "backtest.json"
    before = {"tier": "onet", "name": "an older figure", "value": 0.5, "low": 0.4, "high": 0.6, "n": 9}
    figures.write_text(json.dumps({"seed": 1, "figures": [before], "details": {"descriptors": [1]}}), encoding="utf-8")
    with OpenAIStandIn(faults=OpenAIFaults(refusals=3)) as service:
        first = backtest(output, "--json", str(figures), "--write-calibration", service=service)
        assert first.output.splitlines()[0].endswith("(batch prices of 2026-11-01).")
    # With the same seed nothing is asked again: the answers are there, and no key is needed.
    said: list[str] = []
    with open_latest(output / "wiq") as run:
        masked = mask(run, SEED)
        again = ask(run, masked, output / "wiq", BatchOptions(), None, said.append)
    assert said == []
    assert again is not None
    record = record_of(figures)
    told = record["details"]["llm"]
    assert record["details"]["descriptors"] == [1]
    assert record["figures"][0] == before
    named = {figure["name"]: figure for figure in record["figures"] if figure["tier"] == "llm"}
    assert len(named) < len(record["figures"])
    assert told["methods"] == ["model", "neighbours", "class_mean", "global_mean"]
    assert (told["model"]["asked"], told["model"]["answered_as"]) == ("gpt-6-luna", ["stand-in"])
    # Three questions were refused: their cells count as asked, not as answered.
    asked, answered = told["all"]["asked"], told["all"]["methods"]["model"]["answered"]
    assert 0 < asked - answered < 3 * 60
    assert named["hidden cells that the model answered"]["value"] == pytest.approx(answered / asked)
    assert {row["told"]: row["titles"] for row in told["situations"]} == {True: 6, False: 6}
    assert sum(row["asked"] for row in told["domains"]) == sum(row["asked"] for row in told["categories"]) == asked
    writing = next(row for row in told["attributes"] if row["attribute_id"] == "oasis.skills.writing")
    assert writing["name_en"] == "Writing"
    assert {"mae", "median_error", "error", "spearman", "right", "right_low", "right_high"} <= set(
        writing["methods"]["model"]
    )
    assert set(writing["skill"]["model"]) == {"neighbours", "class_mean", "global_mean"}
    assert len(told["reliability"]["model"]["stated"]) == 10
    kept = record_of(output / "wiq" / "batch" / "calibration.json")
    assert list(kept["models"]) == ["stand-in"]
    assert set(again.names) == {"stand-in", ""}
    assert (again.names != "").sum() == answered
    about = kept["models"]["stand-in"]["made_with"]
    assert (about["model"], about["seed"], about["n"]) == ("gpt-6-luna", SEED, answered)
    # A small run does not replace what is shipped.
    assert "neighbours_calibration" not in first.output
    text = page_of(output)
    assert "carry the name stand-in" in text
    assert "they say nothing about any real model" in text
    assert "an older figure" in text


def asked_of(output: Path, service: OpenAIStandIn, options: BatchOptions) -> None:
    with open_latest(output / "wiq") as run:
        masked = mask(run, SEED, domain="job_zone")
        ask(run, masked, output / "wiq", options, Access(service.key, service.base_url), lambda _: None)


def test_above_the_cap_nothing_is_sent(output: Path) -> None:
    with OpenAIStandIn() as service:
        with pytest.raises(WrongUsage, match="nothing was sent"):
            asked_of(output, service, BatchOptions(max_cost=0.001))
        assert service.requests == []


def test_a_job_that_waits_is_not_sent_along(output: Path) -> None:
    plan(output / "wiq", 3, BatchOptions())
    with OpenAIStandIn() as service:
        asked_of(output, service, BatchOptions(poll=0.05, settle=0.2))
        assert len(service.batches) == 1
    with Ledger(output / "wiq", exclusive=False) as ledger:
        left = {job.purpose: [shard.state for shard in ledger.shards(job_id=job.job_id)] for job in ledger.jobs()}
    assert left == {"impute": ["WRITTEN"], "backtest": ["COLLECTED"]}


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("--domain", "cooking"), 1, "there is no known cell to hide"),
        (("--domain", "skills", "--write-calibration"), 2, "leave --domain out"),
        (("--json", "{run}"), 2, "would be overwritten"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    arguments: tuple[str, ...], status: int, message: str, sample_output: Path
) -> None:
    manifest = str(sample_output / "wiq" / "latest" / "run.json")
    ended = backtest(sample_output, *(one.format(run=manifest) for one in arguments), expect=status)
    assert message in ended.errors
    assert "Traceback" not in ended.errors


def test_options_of_the_model_tier_belong_to_it(tmp_path: Path) -> None:
    ended = run_imputer(tmp_path, "backtest", "--tier", "onet", "--sample", "3", expect=2)
    assert "are options of --tier llm" in ended.errors
