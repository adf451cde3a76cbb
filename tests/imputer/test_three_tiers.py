"""``imputer impute`` through all three tiers, the Batch API on loopback: asked, waited for, published, overridden."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import signal
import sqlite3
import time
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from processes import assert_whole, run_imputer, start_imputer, wait_until

from imputer.standin.openai import OpenAIFaults, OpenAIStandIn

if TYPE_CHECKING:
    from pathlib import Path

    from processes import Ended

SAMPLE = ("impute", "--sample")
TITLES = "job_architecture/job_architecture.csv"
SECRET = "sk-never-to-be-written-9876543210"


def settings(service: OpenAIStandIn, **given: str) -> dict[str, str]:
    """The stand-in as provider, with short waits."""
    waits = {"WIQ_POLL": "0.05", "WIQ_SETTLE": "0.2", "WIQ_BACKOFF": "0.01"}
    access = {"OPENAI_API_KEY": service.key, "OPENAI_BASE_URL": service.base_url, "WIQ_MODEL": "stand-in"}
    return waits | access | given


@pytest.fixture
def published(sample_output: Path, tmp_path: Path) -> Path:
    """An output folder of the test's own, with one good run of the sample's first two tiers in it."""
    shutil.copytree(sample_output, tmp_path / "output", symlinks=True)
    return tmp_path / "output"


def rows(output: Path, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(output / "wiq" / "latest" / f"{table}.parquet").to_pylist()
    return found


def cells(found: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    return {(row["entity_id"], row["attribute_id"], row["language"]) for row in found}


def answers(output: Path) -> list[dict[str, Any]]:
    """What gold took from the model."""
    return [row for row in rows(output, "attribute_values") if row["source_type"] == "LLM"]


def asked_cells(output: Path) -> list[tuple[str, str, str]]:
    """Every cell of every question in the ledger."""
    with sqlite3.connect(output / "wiq" / "batch" / "ledger.sqlite") as ledger:
        asked = ledger.execute("SELECT entity_id, content FROM requests JOIN contracts USING (contract_id)").fetchall()
    return [
        (entity, cell["attribute_id"], cell["language"]) for entity, told in asked for cell in json.loads(told)["cells"]
    ]


def test_what_no_source_fills_is_asked_and_published(sample_output: Path, published: Path) -> None:
    gaps = cells(rows(sample_output, "gaps"))
    with OpenAIStandIn() as service:
        ended = run_imputer(published, *SAMPLE, given=settings(service), expect=0)
        assert len(service.batches) == 1
        again = run_imputer(published, *SAMPLE, given=settings(service), expect=0)
        assert len(service.batches) == 1
    assert f"of the first two tiers is good; {len(gaps):,} cells have no value." in ended.output
    assert re.search(r"^The answers cost 0.00 USD: \d[\d,]+ tokens in, \d[\d,]+ out\.$", ended.output, re.MULTILINE)
    assert "of the sources and the answers so far is good; 0 cells have no value." in again.output
    assert "The answers cost" not in again.output
    assert sorted(asked_cells(published)) == sorted(gaps)
    assert cells(answers(published)) == gaps
    assert rows(published, "gaps") == []
    stated = [row for row in rows(published, "statements") if row["source_type"] == "LLM"]
    assert {row["model"] for row in stated} == {"stand-in"}
    assert {row["source_id"] for row in stated} == {"llm_batch"}
    assert_whole(published / "wiq" / "latest")
    assert "Nothing new to ask." in again.output
    assert "Nothing is new" in again.output
    # An auditor sees what the attribute meant, its bounds and when a value was right, also without the ledger the rest.
    one = next(row for row in stated if row["attribute_id"] == "oasis.skills.writing")
    explained = run_imputer(published, "explain", one["entity_id"], one["attribute_id"], "--json", expect=0)
    told = json.loads(explained.output)["questions"][one["custom_id"]]
    (line,) = told["cells"]
    assert line == (
        "- writing: Writing. Scale: proficiency level, 1 to 5; 0 means not applicable. Right means within 1 of the "
        "value that an analyst with full knowledge of the job would give."
    )
    assert told["question"].startswith("Job title: ")
    shown = run_imputer(published, "explain", one["entity_id"], one["attribute_id"], expect=0).output
    assert "- writing: Writing. Scale: proficiency level, 1 to 5; 0 means not applicable. Right means" in shown
    (published / "wiq" / "batch" / "ledger.sqlite").write_bytes(b"no ledger at all" * 1000)
    explained = run_imputer(published, "explain", one["entity_id"], one["attribute_id"], "--json", expect=0)
    assert json.loads(explained.output)["questions"] == {}


def test_without_a_key_one_line_says_so(published: Path) -> None:
    ended = run_imputer(published, *SAMPLE, expect=0)
    gaps = len(rows(published, "gaps"))
    told = [line for line in ended.output.splitlines() if "No model was asked" in line]
    assert told == [f"No model was asked (OPENAI_API_KEY is not set): {gaps:,} cells stay gaps, see «imputer gaps»."]
    assert ended.errors == ""
    assert not (published / "wiq" / "batch").exists()


def test_no_wait_returns_and_the_next_run_picks_up(published: Path) -> None:
    with OpenAIStandIn(seconds=0.5) as service:
        sent = run_imputer(published, *SAMPLE, "--no-wait", given=settings(service), expect=0)
        assert "1 batch is under way: the next «imputer impute» goes on." in sent.output
        assert "is sent now.\n" in sent.output
        assert answers(published) == []
        waiting = run_imputer(published, *SAMPLE, expect=0)
        assert "1 batch is under way and waits for the key." in waiting.output
        time.sleep(0.6)
        fetched = run_imputer(published, *SAMPLE, "--no-wait", given=settings(service), expect=0)
        assert len(service.batches) == 1
    assert "Answers of 1 shard asked earlier were collected." in fetched.output
    assert "The answers cost 0.00 USD: " in fetched.output
    assert answers(published)
    assert rows(published, "gaps") == []


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_ended_while_waiting_the_next_run_goes_on(end: signal.Signals, published: Path) -> None:
    with OpenAIStandIn(seconds=1.0 if end == signal.SIGKILL else 3.0) as service:
        with start_imputer(published, *SAMPLE, given=settings(service)) as process:
            wait_until(lambda: service.batches, process)
            if end == signal.SIGINT:
                # Who comes second is refused at once, before anything is read.
                before = sorted((published / "wiq" / "runs").iterdir())
                run_imputer(published, *SAMPLE, given=settings(service)).refused("run_in_progress", "batch")
                assert sorted((published / "wiq" / "runs").iterdir()) == before
            process.send_signal(end)
            told = process.communicate()[1]
        if end == signal.SIGINT:
            assert told.endswith("Interrupted: nothing is lost, the next «imputer impute» goes on.\n")
            assert "Traceback" not in told
            assert process.returncode == 130
        assert answers(published) == []
        run_imputer(published, *SAMPLE, given=settings(service), expect=0)
        assert len(service.batches) == 1
    assert rows(published, "gaps") == []
    assert sorted(asked_cells(published)) == sorted(cells(answers(published)))


def test_what_a_model_declines_stays_a_gap_with_its_reason(published: Path) -> None:
    faults = OpenAIFaults(refusals=2, content_filtered=1, line_refused=1, length_cuts=9)
    with OpenAIStandIn(faults=faults) as service:
        ended = run_imputer(published, *SAMPLE, "--quiet", given=settings(service, WIQ_ATTEMPTS="1"), expect=0)
    left = rows(published, "gaps")
    assert {row["model_reason"] for row in left} == {"REFUSED", "REJECTED", "NO_ANSWER"}
    assert len({(row["entity_id"], row["domain"]) for row in left}) == 13
    assert cells(left).isdisjoint(cells(answers(published)))
    assert cells(left) | cells(answers(published)) == set(asked_cells(published))
    assert all(row["model_reason_en"] and row["model_reason_fr"] for row in left)
    # Quiet: only what was not done is told.
    assert ended.output == ""
    assert re.fullmatch(r"13 questions were given up \(.*2 refusal.*\): see «imputer gaps» and .*\n", ended.errors)


def test_where_the_provider_fails_the_sources_are_published_all_the_same(tmp_path: Path, sample_output: Path) -> None:
    with OpenAIStandIn() as service:
        given = settings(service, OPENAI_BASE_URL="http://127.0.0.1:9/v1/")
        ended = run_imputer(tmp_path, *SAMPLE, given=given, expect=1)
    assert "FAILED (provider_" in ended.errors
    assert "the model was not asked to the end" in ended.errors
    assert cells(rows(tmp_path, "attribute_values")) == cells(rows(sample_output, "attribute_values"))


def test_nothing_is_sent_above_the_cap(published: Path, tmp_path: Path) -> None:
    prices = tmp_path / "prices.toml"
    prices.write_text('as_of = "2026-01-01"\nsource = "made up"\n[models]\n"stand-in" = { input = 1, output = 1 }\n')
    prices.write_text(prices.read_text() + '"dear" = { input = 10, output = 10 }\n')
    with OpenAIStandIn() as service:
        given = settings(service, WIQ_PRICES=str(prices))
        run_imputer(published, "batch", "plan", given=given | {"WIQ_MODEL": "dear"}, expect=0)
        ended = run_imputer(published, *SAMPLE, "--max-cost", "5", given=given, expect=1)
        assert service.batches == []
    # What was planned before is told with its model and cost, and is not «asked already».
    assert "123 questions are not asked again: planned before, not sent yet." in ended.output
    assert "being asked already" not in ended.output
    assert re.search(
        r"^Job \S+ of before \(impute, dear\): 123 requests not sent yet, at most ", ended.output, re.MULTILINE
    )
    assert "At most is above the cap of 5.00 USD" in ended.errors
    assert "FAILED: 1 shard waits: " in ended.errors
    assert "cancel with «imputer batch cancel»" in ended.errors
    assert answers(published) == []


def test_a_run_that_does_not_replace_latest_says_that_no_model_is_asked(published: Path) -> None:
    manifest = published / "wiq" / "latest" / "run.json"
    told = json.loads(manifest.read_text())
    told["settings"]["sources"]["a_source_of_before"] = "0" * 64
    manifest.write_text(json.dumps(told))
    with OpenAIStandIn() as service:
        ended = run_imputer(published, *SAMPLE, given=settings(service), expect=0)
        assert service.requests == []
    assert "The model was not asked: the run does not replace latest (it lacks sources that latest has:" in ended.output


def test_no_key_is_ever_written(published: Path) -> None:
    with OpenAIStandIn(key="another", faults=OpenAIFaults(too_many=2, line_error=2)) as service:
        given = settings(service, OPENAI_API_KEY=SECRET)
        told = [run_imputer(published, "batch", "plan", given=given, expect=0)]
        told.append(run_imputer(published, "batch", "submit", given=given, expect=1))
        service.key = SECRET
        told.append(run_imputer(published, *SAMPLE, given=given, expect=0))
        told.append(run_imputer(published, "batch", "status", given=given, expect=0))
    assert answers(published)
    assert_nowhere(SECRET, published, told)


def assert_nowhere(secret: str, output: Path, told: list[Ended]) -> None:
    """Neither whole nor in part, in no file and no word."""
    for part in (secret, secret[3:], secret[-10:]):
        assert not any(part in ended.output + ended.errors for ended in told)
        for path in output.rglob("*"):
            if path.is_file():
                assert part.encode() not in path.read_bytes(), path


@pytest.fixture(scope="module")
def few_titles(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real input files, but for the Job Architecture only some titles, most of them not coded."""
    folder = tmp_path_factory.mktemp("few") / "sources"
    folder.mkdir()
    for path in shared_data.iterdir():
        if path.name != "job_architecture":
            (folder / path.name).symlink_to(path, target_is_directory=path.is_dir())
    write_titles(shared_data, folder, {})
    return folder


def write_titles(shared_data: Path, folder: Path, codes: dict[str, str]) -> None:
    """Write the titles of the last hundred keys, with NOC 2021 codes for some that have none."""
    text = (shared_data / TITLES).read_text(encoding="utf-8-sig")
    header, *titles = csv.reader(io.StringIO(text, newline=""))
    key, code = header.index("JT_ID"), header.index("2021_NOC_UID")
    chosen = [row for row in titles if int(row[key]) >= 1900]
    for row in chosen:
        if row[key] in codes:
            assert not row[code]
            row[code] = codes[row[key]]
    path = folder / TITLES
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_suffix(".tmp")
    with temporary.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([header, *chosen])
    temporary.replace(path)


def test_the_real_gaps_are_asked_filled_and_overridden(few_titles: Path, shared_data: Path, tmp_path: Path) -> None:
    command = ("impute", "--sources", str(few_titles))
    faults = OpenAIFaults(line_error=3, missing=2, duplicates=2, length_cuts=1, line_zero=2)
    with OpenAIStandIn(faults=faults) as service:
        ended = run_imputer(tmp_path, *command, given=settings(service), expect=0)
    first_run = min((tmp_path / "wiq" / "runs").iterdir())
    gaps = cells(pq.read_table(first_run / "gaps.parquet").to_pylist())
    assert len(gaps) > 20_000
    assert f"for {len(gaps):,} cells" in ended.output
    # Exactly the gaps, each in one question; and all of them are filled.
    assert sorted(asked_cells(tmp_path)) == sorted(gaps)
    assert cells(answers(tmp_path)) == gaps
    assert rows(tmp_path, "gaps") == []

    # «Algorithm Developer» is coded a month later: data scientists.
    write_titles(shared_data, few_titles, {"1937": "21211"})
    before = {(row["attribute_id"], row["language"]): row for row in answers(tmp_path) if row["entity_id"] == "1937"}
    run_imputer(tmp_path, *command, expect=0)
    now = {
        (row["attribute_id"], row["language"]): row
        for row in rows(tmp_path, "attribute_values")
        if row["entity_id"] == "1937"
    }
    overridden = {cell for cell in before if now[cell]["source_type"] != "LLM"}
    assert ("oasis.skills.writing", "zxx") in overridden
    events = {
        (row["attribute_id"], row["language"]): row
        for row in rows(tmp_path, "override_events")
        if row["entity_id"] == "1937"
    }
    assert set(events) == overridden
    for cell, event in events.items():
        assert (event["old_source_type"], event["reason"]) == ("LLM", "HIGHER_SOURCE")
        assert event["old_statement_id"] == before[cell]["statement_id"]
        assert event["new_statement_id"] == now[cell]["statement_id"]
    # What the model said stays in the log.
    kept = {row["statement_id"] for row in rows(tmp_path, "statements")}
    assert {row["statement_id"] for row in before.values()} <= kept
    for language, words in (
        ("en", ["authoritative source (AUTHORITATIVE)", "language model", "a higher source arrived", "stand-in"]),
        ("fr", ["source officielle (AUTHORITATIVE)", "modèle de langage", "une source de rang supérieur est arrivée"]),
    ):
        told = run_imputer(tmp_path, "explain", "1937", "oasis.skills.writing", "--language", language, expect=0).output
        for word in words:
            assert word in told
