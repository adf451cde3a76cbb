"""Batches against the loopback stand-in: every failure that is known, one test each; nothing lost, nothing doubled."""

from __future__ import annotations

import io
import shutil
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from batch_jobs import CHOICE, FAST, LIST, NUMBER, PRICE, TEXT, assert_whole, contract, plan, run, small_shards, states

from imputer.batch.accepted import accepted_answers
from imputer.batch.display import Display, print_status
from imputer.batch.engine import stop, work
from imputer.batch.given_up import given_up_cells, model_reason
from imputer.batch.jobs import Shard, spent
from imputer.batch.ledger import Ledger
from imputer.batch.service import Access, Service
from imputer.errors import ProviderRefused
from imputer.standin.openai import OpenAIFaults, OpenAIStandIn

if TYPE_CHECKING:
    from pathlib import Path

COUNT = 6


def shards(root: Path) -> list[Shard]:
    with Ledger(root, exclusive=False) as ledger:
        return ledger.shards()


def test_every_kind_of_value_comes_back_as_a_statement(tmp_path: Path) -> None:
    plan(tmp_path, COUNT, agreed=contract(NUMBER, CHOICE, TEXT, LIST))
    with OpenAIStandIn() as service:
        assert run(tmp_path, service).done
        assert_whole(tmp_path, service, COUNT, cells_each=4)
        batch_id = service.batches[0]["id"]
    rows = accepted_answers(tmp_path).to_pylist()
    by_cell = {(row["entity_id"], row["attribute_id"]): row for row in rows}
    number, choice = by_cell["0", NUMBER.attribute_id], by_cell["0", CHOICE.attribute_id]
    assert 1 <= number["value_number"] <= 5
    assert (number["value_text"], number["language"]) == (None, "zxx")
    assert choice["value_text"] in CHOICE.choices
    assert by_cell["0", LIST.attribute_id]["value_text"].startswith('["')
    for row in rows:
        assert (row["source_type"], row["method"], row["batch_id"]) == ("LLM", "LLM_BATCH", batch_id)
        assert row["model"].startswith("stand-in")
        assert 0 <= row["confidence"] <= 1
        assert row["rationale"]
        assert row["request_id"]
        assert row["tokens"] > 0
        assert row["attempt"] == 1


@pytest.mark.parametrize("endpoint", ["responses", "chat"])
def test_both_kinds_of_body(tmp_path: Path, endpoint: str) -> None:
    plan(tmp_path, COUNT, replace(FAST, endpoint=endpoint))
    with OpenAIStandIn() as service:
        assert run(tmp_path, service).done
        assert_whole(tmp_path, service, COUNT)


def test_what_is_answered_is_never_asked_again(tmp_path: Path) -> None:
    plan(tmp_path, COUNT)
    again = plan(tmp_path, COUNT)
    assert (again.job_id, again.unsent) == (None, COUNT)
    with OpenAIStandIn() as service:
        run(tmp_path, service)
    again = plan(tmp_path, COUNT + 2)
    assert (again.answered, again.requests) == (COUNT, 2)


# Faults that lines or batches recover from: everything is answered in the end.
RECOVERED = {
    "no response": {"line_error": 2},
    "too busy": {"line_busy": 2},
    "status 0": {"line_zero": 2},
    "malformed error line": {"line_malformed": 2},
    "malformed answer line": {"answer_malformed": 2},
    "cut short": {"length_cuts": 2},
    "prose": {"not_json": 2},
    "out of range": {"out_of_range": 2},
    "wrong type": {"wrong_type": 2},
    "lost field": {"lost_field": 2},
    "duplicate ids": {"duplicates": 2},
    "duplicate ids that differ": {"conflicting": 2},
    "in both files": {"in_both_files": 2},
    "in neither file": {"missing": 2},
    "ids nobody sent": {"unknown": 2},
    "counts that lie": {"lying_counts": True, "line_zero": 2},
    "late file ids": {"late_output": 2},
    "shuffled less": {"in_order": True},
    "expired": {"expire": 1},
    "expired, lines in no file": {"expire": 1, "unlisted": True},
    "cancelled by the provider": {"cancel": 1},
    "failed halfway": {"fail_halfway": 1, "fail_code": "server_error"},
    "failed before it began": {"fail": 1, "fail_code": "server_error"},
    "queue full": {"fail": 2},
    "truncated download": {"truncated": 2},
    "quietly truncated download": {"truncated_quietly": 2},
    "created, then dropped": {"create_then_drop": 2},
    "uploaded, then dropped": {"upload_then_drop": 2},
    "dropped with nothing done": {"drop_before": 3},
    "dropped when done": {"drop_after": 3},
    "storm of 429": {"too_many": 5, "retry_after": 0.02},
    "server errors": {"broken": 5},
    "listed late": {"create_then_drop": 1, "list_lag": 0.1},
}


@pytest.mark.parametrize("name", RECOVERED)
def test_recovers_from(name: str, tmp_path: Path) -> None:
    options = replace(FAST, most_requests=3, settle=0.12)
    plan(tmp_path, COUNT, options)
    with OpenAIStandIn(faults=OpenAIFaults(**RECOVERED[name]), seconds=0.05) as service:
        worked = run(tmp_path, service, options)
        assert worked.done, (worked, states(tmp_path))
        assert_whole(tmp_path, service, COUNT)
    assert states(tmp_path) == {"ANSWERED": COUNT}


@pytest.mark.parametrize(
    ("fault", "reason"), [("refusals", "refusal"), ("content_filtered", "content_filter"), ("line_refused", "http_400")]
)
def test_what_sending_again_cannot_mend_stays_a_gap_with_its_reason(fault: str, reason: str, tmp_path: Path) -> None:
    plan(tmp_path, COUNT)
    with OpenAIStandIn(faults=OpenAIFaults(**{fault: 2})) as service:
        assert run(tmp_path, service).done
        assert_whole(tmp_path, service, COUNT - 2)
    assert states(tmp_path) == {"ANSWERED": COUNT - 2, f"FAILED: {reason}": 2}
    rows = given_up_cells(tmp_path).to_pylist()
    assert [(row["attribute_id"], row["language"], row["model_reason"]) for row in rows] == [
        (NUMBER.attribute_id, "zxx", model_reason(reason))
    ] * 2
    filled = {row["entity_id"] for row in accepted_answers(tmp_path).to_pylist()}
    assert filled.isdisjoint(row["entity_id"] for row in rows)
    assert plan(tmp_path, COUNT).given_up == 2
    assert plan(tmp_path, COUNT, again=True).requests == 2


def test_a_request_is_given_up_after_its_attempts_and_the_reason_kept(tmp_path: Path) -> None:
    plan(tmp_path, COUNT)
    with OpenAIStandIn(faults=OpenAIFaults(lines_with={"Analyst 3.": "line_zero"}), seconds=0.05) as service:
        assert run(tmp_path, service).done
        assert_whole(tmp_path, service, COUNT - 1)
        assert len(service.batches) == FAST.attempts
    assert states(tmp_path) == {"ANSWERED": COUNT - 1, "FAILED: status_0": 1}
    assert [shard.round for shard in shards(tmp_path)] == [1, 2, 3]
    assert {row["attempt"] for row in accepted_answers(tmp_path).to_pylist()} == {1}


def test_all_lines_failed_and_no_output_file(tmp_path: Path) -> None:
    plan(tmp_path, COUNT)
    with OpenAIStandIn(faults=OpenAIFaults(all_failed=1)) as service:
        assert run(tmp_path, service).done
    assert states(tmp_path) == {"FAILED: http_400": COUNT}


def test_partial_results_of_an_expired_batch_are_kept_and_only_the_rest_is_sent_again(tmp_path: Path) -> None:
    plan(tmp_path, COUNT)
    with OpenAIStandIn(faults=OpenAIFaults(expire=1, partial=0.5)) as service:
        assert run(tmp_path, service).done
        assert_whole(tmp_path, service, COUNT)
    first, second = shards(tmp_path)
    assert (first.answered, first.failed + first.missing, second.requests) == (3, 3, 3)


def test_no_more_tokens_wait_than_the_budget_allows(tmp_path: Path) -> None:
    plan(tmp_path, COUNT, small_shards(1))
    tokens = shards(tmp_path)[0].input_tokens
    options = replace(FAST, enqueued_tokens=2 * tokens + 10)
    most = 0
    with OpenAIStandIn(seconds=0.1) as service:

        def watch(ledger: Ledger) -> None:
            nonlocal most
            most = max(most, len(ledger.shards("SUBMITTED")))

        assert run(tmp_path, service, options, show=watch).done
        assert_whole(tmp_path, service, COUNT)
    assert most == 2


def test_the_cost_never_passes_the_cap(tmp_path: Path) -> None:
    plan(tmp_path, COUNT, small_shards(1))
    one = shards(tmp_path)[0]
    ceiling = PRICE.cost(one.input_tokens, one.output_tokens)
    options = replace(FAST, max_cost=2.5 * ceiling)
    with OpenAIStandIn(seconds=0.05) as service, Ledger(tmp_path) as ledger:
        job = ledger.jobs()[0]

        def watch(ledger: Ledger) -> None:
            held = sum(job.cost(s.input_tokens, s.output_tokens) for s in ledger.shards("SUBMITTED", "CREATING"))
            assert spent(job, ledger.shards()) + held <= options.max_cost

        with Service(Access(service.key, service.base_url)) as client:
            worked = work(ledger, client, options, show=watch)
        done = len(ledger.shards("COLLECTED"))
        assert spent(job, ledger.shards()) <= options.max_cost
    # What is used is below what it could be, so more than two shards fit; the rest waits for the user.
    assert 2 <= done <= COUNT
    assert worked.over_cap == COUNT - done
    assert worked.in_flight == 0


def test_a_lower_cap_sends_nothing(tmp_path: Path) -> None:
    plan(tmp_path, COUNT)
    with OpenAIStandIn() as service:
        worked = run(tmp_path, service, replace(FAST, max_cost=0.0))
        assert service.batches == []
    assert worked.over_cap == 1


def test_a_refused_key_is_one_clear_error_without_the_key(tmp_path: Path) -> None:
    plan(tmp_path, COUNT)
    key = "sk-secret-0123456789"
    with (
        OpenAIStandIn() as service,
        Ledger(tmp_path) as ledger,
        Service(Access(key, service.base_url)) as client,
        pytest.raises(ProviderRefused) as raised,
    ):
        work(ledger, client, FAST)
    assert key not in str(raised.value)
    assert "0123456789" not in str(raised.value)
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or key.encode() not in path.read_bytes()


def test_no_waiting_and_going_on_from_a_copy_of_the_folder(tmp_path: Path) -> None:
    plan(tmp_path / "a", COUNT, small_shards(2))
    with OpenAIStandIn() as service:
        worked = run(tmp_path / "a", service, wait=False)
        assert worked.in_flight == 3
        shutil.copytree(tmp_path / "a", tmp_path / "b")
        shutil.rmtree(tmp_path / "a")
        assert run(tmp_path / "b", service).done
        assert_whole(tmp_path / "b", service, COUNT)
        assert len(service.batches) == 3


def test_a_batch_that_doubles_another_is_cancelled(tmp_path: Path) -> None:
    plan(tmp_path, COUNT)
    with OpenAIStandIn(seconds=0.5) as service, Ledger(tmp_path) as ledger:
        with Service(Access(service.key, service.base_url)) as client:
            work(ledger, client, FAST, wait=False)
            shard = ledger.shards()[0]
            client.create(str(shard.file_id), "responses", shard.metadata)
            assert work(ledger, client, FAST).done
        statuses = sorted(batch["status"] for batch in service.batches)
    assert statuses in (["cancelled", "completed"], ["cancelling", "completed"])


def test_cancelled_by_the_user_keeps_what_was_answered_and_sends_nothing_again(tmp_path: Path) -> None:
    plan(tmp_path, COUNT, small_shards(3))
    tokens = shards(tmp_path)[0].input_tokens
    options = replace(FAST, enqueued_tokens=tokens + 10)
    with OpenAIStandIn(faults=OpenAIFaults(stuck=1)) as service, Ledger(tmp_path) as ledger:
        with Service(Access(service.key, service.base_url)) as client:
            assert work(ledger, client, options, wait=False).in_flight == 1
            time.sleep(0.3)
            assert stop(ledger, client, None, options) == 2
            assert work(ledger, client, options).done
        assert len(service.batches) == 1
    found = states(tmp_path)
    assert sum(found.values()) == COUNT
    assert not [state for state in found if state.startswith(("OPEN", "RETRY", "FAILED"))]
    left = COUNT - found.get("ANSWERED", 0)
    assert plan(tmp_path, COUNT).cancelled == left
    assert plan(tmp_path, COUNT, again=True).requests == left


def test_a_lowered_cap_holds_back_what_would_be_sent_again(tmp_path: Path) -> None:
    plan(tmp_path, COUNT)
    with OpenAIStandIn(faults=OpenAIFaults(expire=1)) as service:
        assert run(tmp_path, service, wait=False).in_flight == 1
        worked = run(tmp_path, service, replace(FAST, max_cost=0.0))
        assert (worked.in_flight, worked.over_cap, len(service.batches)) == (0, 1, 1)
        assert run(tmp_path, service).done
        assert_whole(tmp_path, service, COUNT)


def test_a_terminal_sees_a_table_and_a_file_a_line_whenever_something_changed(tmp_path: Path) -> None:
    plan(tmp_path, COUNT)
    stream = io.StringIO()
    with Ledger(tmp_path) as ledger:
        with Display(stream) as show:
            show(ledger)
            show(ledger)
        lines = stream.getvalue().splitlines()
        assert [line.partition("Z ")[2] for line in lines] == ["shards: 1 to send, 0 under way, 0 collected"]
        print_status(ledger, stream)
    told = stream.getvalue()
    assert "WRITTEN" in told
    assert "0/6" in told
    assert "6 OPEN" in told


def test_jobs_of_another_purpose_are_left_alone(tmp_path: Path) -> None:
    plan(tmp_path, COUNT, purpose="backtest")
    plan(tmp_path, COUNT, purpose="impute")
    with OpenAIStandIn() as service:
        assert run(tmp_path, service, purpose="impute").done
        assert len(service.batches) == 1
    with Ledger(tmp_path) as ledger:
        left = {job.purpose: [shard.state for shard in ledger.shards(job_id=job.job_id)] for job in ledger.jobs()}
    assert left == {"backtest": ["WRITTEN"], "impute": ["COLLECTED"]}
