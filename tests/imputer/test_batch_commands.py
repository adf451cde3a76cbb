"""``imputer batch`` as processes: planned from a real run's gaps, sent, collected, exported and brought back."""

from __future__ import annotations

import json
import re
import shutil
import signal
import sqlite3
import time
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from processes import run_imputer, start_imputer

from imputer.batch.accepted import accepted_answers, accepted_files
from imputer.batch.given_up import given_up_cells
from imputer.batch.lines import LineMaker
from imputer.batch.options import BatchOptions
from imputer.batch.questions import Asking, questions_of
from imputer.batch.subjects import asked_subjects
from imputer.finished import open_latest
from imputer.ranges import entity_ranges
from imputer.standin.openai import OpenAIFaults, OpenAIStandIn
from imputer.standin.openai_schemas import OpenAISchemas
from imputer.statements import create_log_tables, load_previous
from imputer.tiers import llm

if TYPE_CHECKING:
    from pathlib import Path

    from processes import Ended

    from imputer.batch.lines import Question

KEY = "sk-not-to-be-written-0123456789"


@pytest.fixture
def output(sample_output: Path, tmp_path: Path) -> Path:
    """An output folder of the test's own, with one good run of the sample in it."""
    shutil.copytree(sample_output, tmp_path / "output", symlinks=True)
    return tmp_path / "output"


def settings(service: OpenAIStandIn | None = None, **given: str) -> dict[str, str]:
    """Short waits, and the stand-in's address and key, or none."""
    made = {"WIQ_POLL": "0.05", "WIQ_SETTLE": "0.2", "WIQ_BACKOFF": "0.01", "OPENAI_API_KEY": "", "OPENAI_BASE_URL": ""}
    made |= {"AZURE_OPENAI_API_KEY": "", "AZURE_OPENAI_ENDPOINT": ""}
    if service:
        made |= {"OPENAI_API_KEY": service.key, "OPENAI_BASE_URL": service.base_url}
    return made | given


def batch(output: Path, *arguments: str, given: dict[str, str] | None = None, expect: int = 0) -> Ended:
    return run_imputer(output, "batch", *arguments, given=given or settings(), expect=expect)


def gaps(output: Path) -> set[tuple[str, str, str]]:
    path = output / "wiq" / "latest" / "gaps.parquet"
    return set(duckdb.sql(f"SELECT entity_id, attribute_id, language FROM '{path}'").fetchall())


def asked(questions: list[Question]) -> list[tuple[str, str, str]]:
    return [
        (question.entity_id, cell.attribute_id, cell.language)
        for question in questions
        for cell in question.contract.cells
    ]


def answered(output: Path) -> list[tuple[str, str, str]]:
    rows = accepted_answers(output / "wiq").to_pylist()
    return [(row["entity_id"], row["attribute_id"], row["language"]) for row in rows]


def test_the_plan_asks_exactly_the_cells_that_are_gaps(sample_output: Path) -> None:
    with open_latest(sample_output / "wiq") as run:
        questions = list(questions_of(run))
    cells = asked(questions)
    assert len(cells) == len(set(cells))
    assert set(cells) == gaps(sample_output)
    # One question per entity and domain of a system.
    assert len({(one.entity_id, one.contract.topic) for one in questions}) == len(questions)


def test_on_the_real_files_the_plan_asks_the_gaps_and_every_line_is_valid(gold: Path, shared_data: Path) -> None:
    root = gold.parent
    with open_latest(root) as run:
        questions = list(questions_of(run))
    cells = asked(questions)
    assert len(cells) == len(set(cells))
    assert set(cells) == gaps(root.parent)
    schemas = OpenAISchemas(shared_data / "openai")
    makers: dict[int, LineMaker] = {}
    for question in questions[::25]:
        maker = makers.setdefault(id(question.contract), LineMaker(question.contract, BatchOptions(), "impute"))
        line = json.loads(maker.line(question)[1])
        assert schemas.body_problem(line["url"], line["body"]) is None


def test_a_question_tells_what_is_known_and_never_what_a_model_said(sample_output: Path) -> None:
    with open_latest(sample_output / "wiq") as run:
        questions = list(questions_of(run))
        text = "\n".join(question.text for question in questions)
        first = questions[0].text
    for heading in (
        "Job title: ",
        "Job function: ",
        "Managerial level: ",
        "Unit group (NOC 2021)",
        "Known of this job:",
    ):
        assert heading in text
    assert "Jobs with a similar title whose values are known:" in first
    assert "made up by the stand-in" not in text.lower()


def test_hidden_jobs_are_no_examples_and_tell_nothing_of_what_is_asked(sample_output: Path) -> None:
    with open_latest(sample_output / "wiq") as run:
        run.connection.execute(
            "CREATE TABLE masked AS SELECT entity_type, entity_id, attribute_id, language FROM attribute_values "
            "JOIN dim_attribute USING (attribute_id) WHERE domain = 'skills' AND system = 'OaSIS' AND entity_id = '11'"
        )
        titles = {row["entity_id"]: row["name_en"] for row in run.rows("SELECT * FROM dim_entity")}
        plain = list(questions_of(run, Asking(cells="masked")))
        near = plain[0].text.split("Jobs with a similar title")[1]
        nearest = next(key for key, title in titles.items() if f"A. {title}" in near)
        hidden = list(questions_of(run, Asking(cells="masked", hidden=frozenset({"11", nearest}))))
    assert len(asked(plain)) == len(asked(hidden)) == 33
    assert f". {titles[nearest]}" not in hidden[0].text
    known = plain[0].text.split("Jobs with a similar title")[0]
    assert "- Reading Comprehension:" not in known


def test_planned_sent_collected_and_never_paid_twice(output: Path) -> None:
    count = len(gaps(output))
    dry = batch(output, "plan", "--dry-run")
    assert f"for {count:,} cells" in dry.output
    assert "Dry run: nothing was written." in dry.output
    assert "at most" in dry.output
    planned = batch(output, "plan")
    assert f"for {count:,} cells" in planned.output
    twice = batch(output, "plan").output
    assert "planned before, not sent yet" in twice
    assert "being asked already" not in twice
    assert "not sent yet, at most" in twice
    with OpenAIStandIn(faults=OpenAIFaults(line_zero=2, length_cuts=1, create_then_drop=1)) as service:
        ended = batch(output, "submit", given=settings(service))
        # What waits and what it may cost is said before anything is sent.
        assert re.match(r"Job \S+ of before \(impute, gpt-6-luna\): 123 requests not sent yet, at most ", ended.output)
        assert re.search(r"^The answers cost [\d.]+ USD: [\d,]+ tokens in, [\d,]+ out\.$", ended.output, re.MULTILINE)
        assert ended.errors.endswith("0 to send, 0 under way, 2 collected\n")
        assert "ANSWERED" in ended.output
    cells = answered(output)
    assert len(cells) == len(set(cells))
    assert set(cells) == gaps(output)
    assert "answered before" in batch(output, "plan").output
    status = batch(output, "status")
    assert "COLLECTED" in status.output


def test_sent_without_waiting_and_polled_later(output: Path) -> None:
    batch(output, "plan", "--domain", "skills")
    with OpenAIStandIn(seconds=0.5) as service:
        ended = batch(output, "submit", "--no-wait", given=settings(service))
        assert "under way" in ended.output
        assert len(service.batches) == 1
        batch(output, "collect", given=settings(service))
        batch(output, "poll", given=settings(service))
        assert len(service.batches) == 1
    assert set(answered(output)) == {
        cell for cell in gaps(output) if cell[1].startswith(("oasis.skills", "onet.2.A", "onet.2.B"))
    }


def test_cancelled_before_it_was_sent(output: Path) -> None:
    batch(output, "plan")
    assert "cancelled: 1" in batch(output, "cancel").output.replace("Shards cancelled or being cancelled", "cancelled")
    with OpenAIStandIn() as service:
        batch(output, "submit", given=settings(service))
        assert service.batches == []
    plain = batch(output, "plan").output
    assert "cancelled before («imputer batch plan --again» asks them again)." in plain
    assert "Nothing new to ask." in plain
    assert "requests for" in batch(output, "plan", "--again").output


def test_above_the_cap_it_is_said_what_to_do(output: Path) -> None:
    # Two plans, each below a cap that both together are above.
    batch(output, "plan", "--domain", "job_zone", "--max-cost", "0.01")
    told = batch(output, "plan", "--domain", "education", "--max-cost", "0.007", expect=1)
    assert "All that is open together (impute): at most" in told.output
    assert "At most is above the cap of 0.0070 USD" in told.errors
    with OpenAIStandIn() as service:
        ended = batch(output, "submit", "--max-cost", "0.001", given=settings(service), expect=1)
        assert service.batches == []
    assert "FAILED: 2 shards wait: " in ended.errors
    assert "Raise --max-cost, or cancel with «imputer batch cancel»." in ended.errors


def test_where_nothing_of_a_file_is_answered_the_exit_status_says_so(output: Path) -> None:
    batch(output, "plan", "--domain", "job_zone")
    faults = OpenAIFaults(all_failed=1)
    with OpenAIStandIn(faults=faults) as service:
        ended = batch(output, "submit", given=settings(service, WIQ_ATTEMPTS="1"), expect=1)
    assert "4 questions were given up (4 http_400): see «imputer gaps» and «imputer batch status»." in ended.errors
    assert "FAILED: of 1 shard nothing was answered; «imputer batch plan --again» asks them again." in ended.errors
    assert "4 questions are not asked again: given up before" in batch(output, "plan", "--domain", "job_zone").output


def test_another_runner_answers_a_file(output: Path, tmp_path: Path) -> None:
    batch(output, "plan", "--domain", "lead_statement")
    requests, answers = tmp_path / "requests.jsonl", tmp_path / "answers.jsonl"
    batch(output, "export", str(requests))
    lines = [json.loads(line) for line in requests.read_text(encoding="utf-8").splitlines()]
    made: list[dict[str, Any]] = []
    for line in lines[1:]:
        value = {"lead_statement": {"rationale": "r", "value": "Leads.", "confidence": 0.5}}
        body = {"model": "local", "choices": [{"finish_reason": "stop", "message": {"content": json.dumps(value)}}]}
        body["usage"] = {"prompt_tokens": 5, "completion_tokens": 5}
        reply = {"status_code": 200, "request_id": "r", "body": body}
        made.append({"id": "v", "custom_id": line["custom_id"], "response": reply, "error": None})
    answers.write_text("\n".join(map(json.dumps, made)), encoding="utf-8")
    ended = batch(output, "import", str(answers))
    assert f"{len(lines) - 1} answered, 0 failed, 1 missing" in ended.output
    assert len(answered(output)) == len(lines) - 1
    assert {row["model"] for row in accepted_answers(output / "wiq").to_pylist()} == {"local"}
    # What was not answered is planned again, and nothing else.
    batch(output, "export", str(requests))
    assert [json.loads(line)["custom_id"] for line in requests.read_text().splitlines()] == [lines[0]["custom_id"]]
    refused = run_imputer(output, "batch", "import", str(output / "wiq" / "latest" / "run.json"), given=settings())
    assert (refused.status, refused.errors.startswith("source_malformed: ")) == (1, True)


@pytest.mark.parametrize("command", ["submit", "poll", "collect"])
def test_without_a_key_one_clear_line(command: str, output: Path) -> None:
    ended = batch(output, command, expect=2)
    assert ended.errors.startswith("wrong_usage: the batch API needs a key; ")
    assert len(ended.errors.splitlines()) == 1


def test_no_run_no_plan(tmp_path: Path) -> None:
    ended = batch(tmp_path / "output", "plan", expect=1)
    assert ended.errors.startswith("incomplete: ")


def test_a_plan_above_the_cap_says_so(output: Path) -> None:
    ended = batch(output, "plan", "--dry-run", "--max-cost", "0.02", expect=1)
    assert "above the cap" in ended.errors


def test_two_at_once(output: Path) -> None:
    batch(output, "plan")
    with (
        OpenAIStandIn(faults=OpenAIFaults(stuck=1)) as service,
        start_imputer(output, "batch", "submit", given=settings(service)) as first,
    ):
        while not service.batches and first.poll() is None:
            time.sleep(0.01)
        ended = batch(output, "plan", expect=2)
        assert ended.errors.startswith("run_in_progress: ")
        assert batch(output, "status").status == 0
        first.send_signal(signal.SIGINT)
        told = first.communicate()[1]
        assert "Interrupted: nothing is lost, «imputer batch poll» goes on." in told
        assert "Traceback" not in told
        assert first.returncode == 130


@pytest.mark.parametrize(
    ("command", "given", "words"),
    [
        ("batch plan --max-cost nan", {}, "the cap (--max-cost) is wrong"),
        ("impute --sample --max-cost nan", {}, "the cap (--max-cost) is wrong"),
        ("batch submit", {"WIQ_BACKOFF": "abc"}, "WIQ_BACKOFF is wrong"),
        ("batch plan", {"WIQ_MODEL": "gpt-unheard-of"}, "the price of the model is not known"),
        ("impute --sample", {"WIQ_MODEL": "gpt-unheard-of"}, "the price of the model is not known"),
    ],
)
def test_a_wrong_setting_is_one_line_before_anything_is_done(
    command: str, given: dict[str, str], words: str, tmp_path: Path
) -> None:
    access = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": "http://127.0.0.1:9/v1/"}
    ended = run_imputer(tmp_path / "new", *command.split(), given=settings() | access | given, expect=2)
    assert ended.errors.startswith(f"wrong_usage: {words}"), ended.errors
    assert len(ended.errors.splitlines()) == 1
    assert ended.output == ""
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(("right", "status"), [(True, 0), (False, 1)])
def test_the_key_is_written_nowhere(*, right: bool, status: int, output: Path) -> None:
    batch(output, "plan", "--domain", "job_zone")
    with OpenAIStandIn(key=KEY if right else "another", faults=OpenAIFaults(broken=2)) as service:
        given = settings(service, OPENAI_API_KEY=KEY, OPENAI_LOG="debug")
        ended = batch(output, "submit", given=given, expect=status)
    for text in (ended.output, ended.errors):
        assert KEY not in text
        assert KEY[-10:] not in text
    for path in output.rglob("*"):
        if path.is_file() and not path.is_symlink():
            assert KEY.encode() not in path.read_bytes(), path


def test_an_address_without_encryption_is_refused_before_the_key_is_sent(output: Path) -> None:
    given = settings(OPENAI_API_KEY=KEY, OPENAI_BASE_URL="http://example.org/v1/")
    ended = batch(output, "submit", given=given, expect=2)
    assert "https" in ended.errors
    assert KEY not in ended.errors


def test_azure_by_its_two_settings(output: Path) -> None:
    batch(output, "plan", "--domain", "job_zone")
    with OpenAIStandIn() as service:
        address = service.base_url.removesuffix("/v1/")
        given = settings(AZURE_OPENAI_API_KEY=service.key, AZURE_OPENAI_ENDPOINT=address)
        batch(output, "submit", given=given)
    assert answered(output)
    assert (
        "AZURE_OPENAI_ENDPOINT is missing"
        in batch(output, "submit", given=settings(AZURE_OPENAI_API_KEY=KEY), expect=2).errors
    )


@pytest.mark.parametrize("command", ["plan", "submit", "status", "poll", "collect", "cancel", "export", "import"])
def test_help_has_examples_and_exit_status(command: str, tmp_path: Path) -> None:
    ended = batch(tmp_path, command, "--help")
    assert "Example" in ended.output
    assert "Exit status" in ended.output
    assert not (tmp_path / "wiq").exists()


# --- the tier --------------------------------------------------------------------------------------------------------


def test_the_tier_states_what_was_accepted_of_the_titles_that_are_there(output: Path) -> None:
    batch(output, "plan")
    with OpenAIStandIn() as service:
        batch(output, "submit", given=settings(service))
    root = output / "wiq"
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE dim_entity AS FROM '{root}/latest/dim_entity.parquet' WHERE entity_id <> '1'")
        connection.execute(f"CREATE TABLE attributes AS FROM '{root}/latest/dim_attribute.parquet'")
        connection.execute(
            "CREATE TABLE source_versions AS SELECT 'llm_batch' AS source_id, NULL::VARCHAR AS source_version, "
            "'of-the-source' AS retention_class"
        )
        create_log_tables(connection)
        load_previous(connection, None)
        wide = f"'{root}/latest/job_titles_wide.parquet'"
        resolved = f"SELECT job_title_id AS entity_id, unit_group, profile FROM {wide} WHERE job_title_id BETWEEN"
        llm.prepare(connection, accepted_files(root), asked_subjects(root), given_up_cells(root))
        for first, last in entity_ranges(connection, 10):
            entities = f"FROM dim_entity WHERE entity_id BETWEEN '{first}' AND '{last}'"
            connection.execute(f"CREATE OR REPLACE TEMP TABLE range_entities AS {entities}")
            connection.execute(f"CREATE OR REPLACE TEMP TABLE resolved AS {resolved} '{first}' AND '{last}'")
            llm.state(connection)
        found = connection.execute("SELECT entity_id, attribute_id, language FROM stated").fetchall()
        assert connection.execute("SELECT DISTINCT retention_class FROM stated").fetchall() == [("of-the-source",)]
    assert len(found) == len(set(found))
    assert set(found) == {cell for cell in answered(output) if cell[0] != "1"}


def test_without_a_ledger_the_tier_states_nothing(tmp_path: Path) -> None:
    assert accepted_files(tmp_path) == []
    with duckdb.connect() as connection:
        create_log_tables(connection)
        connection.execute("CREATE TABLE range_entities (entity_id VARCHAR)")
        connection.execute("CREATE TABLE dim_entity (entity_id VARCHAR, name_en VARCHAR, current BOOLEAN)")
        connection.execute("CREATE TABLE resolved (entity_id VARCHAR, unit_group VARCHAR, profile VARCHAR)")
        connection.execute("CREATE TABLE attributes (attribute_id VARCHAR)")
        connection.execute("CREATE TABLE source_versions (source_id VARCHAR, retention_class VARCHAR)")
        llm.prepare(connection, [], asked_subjects(tmp_path), given_up_cells(tmp_path))
        llm.state(connection)
        assert connection.execute("SELECT count(*) FROM stated").fetchall() == [(0,)]


def test_the_ledger_answers_questions_in_sql(output: Path) -> None:
    batch(output, "plan", "--domain", "job_zone")
    with sqlite3.connect(output / "wiq" / "batch" / "ledger.sqlite") as connection:
        rows = connection.execute("SELECT state, count(*) FROM request_states GROUP BY 1").fetchall()
    assert rows == [("OPEN", 4)]
