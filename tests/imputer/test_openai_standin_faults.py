from __future__ import annotations

import json
import time
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import httpx
import jsonschema_rs
import openai
import pytest
from openai_lines import (
    CHAT,
    RESPONSES,
    SCHEMA,
    body_of,
    client,
    ended,
    jsonl,
    line_of,
    lines_of,
    results,
    run,
    said,
    submitted,
)

from imputer.standin.openai import OpenAIStandIn
from imputer.standin.openai_faults import LINE_FAULTS, OpenAIFaults

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai.types import Batch

IDS = [f"c{number}" for number in range(10)]


@pytest.fixture
def service() -> Iterator[OpenAIStandIn]:
    with OpenAIStandIn(seconds=0.04) as running:
        yield running


def broken(service: OpenAIStandIn, endpoint: str = RESPONSES, **faults: Any) -> Batch:
    """A batch of ten lines under faults, ended."""
    service.faults = OpenAIFaults(**faults)
    return run(service, lines_of(10, endpoint), endpoint)


def ids(lines: list[dict[str, Any]]) -> list[str]:
    return sorted(line["custom_id"] for line in lines)


# --- over HTTP ------------------------------------------------------------------------------------------------------


def test_a_storm_of_429_passes(service: OpenAIStandIn) -> None:
    service.faults = OpenAIFaults(too_many=3, retry_after=0.01)
    with client(service) as asking, pytest.raises(openai.RateLimitError) as busy:
        asking.files.list()
    assert busy.value.response.headers["retry-after"] == "0.01"
    assert busy.value.code == "rate_limit_exceeded"
    with client(service, max_retries=2) as asking:
        assert asking.files.list().data == []
    assert [request.status for request in service.requests] == [429, 429, 429, 200]
    assert service.faults.too_many == 0


def test_faults_may_be_for_some_requests_only(service: OpenAIStandIn) -> None:
    service.faults = OpenAIFaults(where="POST /v1/batches", too_many=1, broken=1, drop_before=1)
    with client(service) as asking:
        assert asking.batches.list().data == []
    for kind in (openai.RateLimitError, openai.InternalServerError, openai.APIConnectionError):
        with pytest.raises(kind):
            submitted(service, jsonl(lines_of(1)))
    assert service.batches == []
    assert ended(service, submitted(service, jsonl(lines_of(1)))).status == "completed"


def test_created_and_then_dropped(service: OpenAIStandIn) -> None:
    service.faults = OpenAIFaults(create_then_drop=1)
    with pytest.raises(openai.APIConnectionError):
        submitted(service, jsonl(lines_of(2)))
    with client(service) as asking:
        (lost,) = asking.batches.list()
    assert lost.metadata == {"job": "j1"}
    assert ended(service, lost).status == "completed"
    created = [request for request in service.requests if (request.method, request.path) == ("POST", "/v1/batches")]
    assert [request.status for request in created] == [0]


def test_retries_of_the_client_make_two_batches(service: OpenAIStandIn) -> None:
    with client(service, max_retries=2) as asking:
        kept = asking.files.create(file=("a.jsonl", jsonl(lines_of(1))), purpose="batch")
        service.faults = OpenAIFaults(create_then_drop=1)
        asking.batches.create(input_file_id=kept.id, endpoint=RESPONSES, completion_window="24h")
        assert len(asking.batches.list().data) == 2


def test_uploaded_and_then_dropped(service: OpenAIStandIn) -> None:
    service.faults = OpenAIFaults(upload_then_drop=1)
    with pytest.raises(openai.APIConnectionError):
        submitted(service, jsonl(lines_of(2)))
    with client(service) as asking:
        assert [kept.filename for kept in asking.files.list(purpose="batch")] == ["shard.jsonl"]


def test_cancelled_and_then_dropped(service: OpenAIStandIn) -> None:
    service.faults = OpenAIFaults(cancel_then_drop=1, stuck=1)
    batch = submitted(service, jsonl(lines_of(2)))
    with client(service) as asking, pytest.raises(openai.APIConnectionError):
        asking.batches.cancel(batch.id)
    assert ended(service, batch).status == "cancelled"


def test_any_answer_may_be_lost(service: OpenAIStandIn) -> None:
    service.faults = OpenAIFaults(drop_after=1, where="DELETE")
    with client(service) as asking:
        kept = asking.files.create(file=("a.jsonl", b"{}"), purpose="batch")
        with pytest.raises(openai.APIConnectionError):
            asking.files.delete(kept.id)
        assert asking.files.list().data == []


@pytest.mark.parametrize("fault", ["truncated", "truncated_quietly"])
def test_a_download_is_cut(service: OpenAIStandIn, fault: str) -> None:
    ordered: dict[str, Any] = {fault: 1}
    batch = broken(service, **ordered)
    address = f"{service.base_url}files/{batch.output_file_id}/content"
    headers = {"Authorization": f"Bearer {service.key}"}
    assert batch.output_file_id is not None
    whole = service.content(batch.output_file_id)
    if fault == "truncated":
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(address, headers=headers)
    else:
        assert httpx.get(address, headers=headers).content == whole[: len(whole) // 2]
    assert httpx.get(address, headers=headers).content == whole
    with client(service) as asking:
        assert asking.files.retrieve(batch.output_file_id).bytes == len(whole)


def test_a_cut_download_fails_in_the_client(service: OpenAIStandIn) -> None:
    batch = broken(service, truncated=1)
    with client(service) as asking:
        with pytest.raises(Exception, match=r"peer closed|[Cc]onnection"):
            asking.files.content(str(batch.output_file_id))
        assert len(asking.files.content(str(batch.output_file_id)).text.splitlines()) == 10


def test_a_result_may_have_expired(service: OpenAIStandIn) -> None:
    batch = broken(service, gone=1)
    with client(service) as asking:
        with pytest.raises(openai.NotFoundError):
            asking.files.content(str(batch.output_file_id))
        assert asking.files.content(str(batch.output_file_id)).text


def test_answers_may_be_slow(service: OpenAIStandIn) -> None:
    service.faults = OpenAIFaults(slow=0.3)
    with client(service, timeout=0.05) as asking, pytest.raises(openai.APITimeoutError):
        asking.files.list()


def test_lists_lag(service: OpenAIStandIn) -> None:
    service.faults = OpenAIFaults(list_lag=0.5)
    batch = submitted(service, jsonl(lines_of(1)))
    with client(service) as asking:
        assert asking.batches.list().data == []
        assert asking.files.list().data == []
        assert asking.batches.retrieve(batch.id).id == batch.id
        time.sleep(0.6)
        assert [found.id for found in asking.batches.list()] == [batch.id]
        assert asking.files.list().data != []


# --- batches --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fault", "status"), [("expire", "expired"), ("cancel", "cancelled")])
@pytest.mark.parametrize("unlisted", [False, True])
def test_batches_end_with_part_of_the_output(
    service: OpenAIStandIn, fault: str, status: str, *, unlisted: bool
) -> None:
    ordered: dict[str, Any] = {fault: 1, "partial": 0.3, "unlisted": unlisted}
    batch = broken(service, **ordered)
    assert batch.status == status
    assert ids(results(service, batch.output_file_id)) == IDS[:3]
    left = results(service, batch.error_file_id)
    assert ids(left) == ([] if unlisted else IDS[3:])
    assert all((line["response"], line["error"]["code"]) == (None, f"batch_{status}") for line in left)
    assert broken(service).status == "completed"


def test_a_batch_may_expire_with_nothing_done(service: OpenAIStandIn) -> None:
    batch = broken(service, expire=1, partial=0.0)
    assert (batch.status, batch.output_file_id) == ("expired", None)
    assert ids(results(service, batch.error_file_id)) == IDS


def test_a_batch_fails_halfway(service: OpenAIStandIn) -> None:
    batch = broken(service, fail_halfway=1)
    assert (batch.status, batch.errors is None) == ("failed", False)
    assert ids(results(service, batch.output_file_id)) == IDS[:5]


def test_a_batch_fails_before_it_starts(service: OpenAIStandIn) -> None:
    batch = broken(service, fail=1)
    assert batch.status == "failed"
    assert batch.errors is not None
    assert [error.code for error in batch.errors.data or []] == ["token_limit_exceeded"]
    assert (batch.output_file_id, batch.error_file_id, batch.in_progress_at) == (None, None, None)
    assert broken(service, unknown_models=("gpt-6-luna",)).errors.data[0].code == "model_not_found"  # type: ignore[union-attr,index]


def test_the_queue_of_a_model_is_limited() -> None:
    with OpenAIStandIn(seconds=0.0) as service:
        tokens = run(service, lines_of(10)).usage.input_tokens  # type: ignore[union-attr]
        service.faults = OpenAIFaults(enqueued_tokens=int(1.5 * tokens), stuck=1)
        first = submitted(service, jsonl(lines_of(10)))
        while service.batches[-1]["status"] != "in_progress":
            time.sleep(0.01)
        second = run(service, lines_of(10))
        assert second.status == "failed"
        assert second.errors is not None
        assert [error.code for error in second.errors.data or []] == ["token_limit_exceeded"]
        assert run(service, lines_of(10, model="gpt-5.4-mini")).status == "completed"
        with client(service) as asking:
            asking.batches.cancel(first.id)
        assert ended(service, first).status == "cancelled"
        assert run(service, lines_of(10)).status == "completed"
        service.faults = OpenAIFaults(enqueued_tokens=int(1.5 * tokens), enqueued_lag=60)
        assert run(service, lines_of(10)).status == "failed"


def test_a_stuck_batch_waits_to_be_cancelled() -> None:
    with OpenAIStandIn(seconds=0.1, faults=OpenAIFaults(stuck=1)) as service, client(service) as asking:
        batch = submitted(service, jsonl(lines_of(4)))
        time.sleep(0.4)
        assert asking.batches.retrieve(batch.id).status == "in_progress"
        asking.batches.cancel(batch.id)
        assert ended(service, batch).status == "cancelled"


def test_every_line_may_fail(service: OpenAIStandIn) -> None:
    batch = broken(service, all_failed=1)
    assert (batch.status, batch.output_file_id) == ("completed", None)
    lines = results(service, batch.error_file_id)
    assert ids(lines) == IDS
    assert {line["response"]["status_code"] for line in lines} == {400}


def test_counts_lie(service: OpenAIStandIn) -> None:
    batch = broken(service, lying_counts=True, line_zero=4, missing=2)
    assert batch.request_counts is not None
    assert (batch.request_counts.completed, batch.request_counts.failed) == (10, 0)
    assert len(results(service, batch.error_file_id)) == 4
    assert len(results(service, batch.output_file_id)) == 4


def test_the_output_id_comes_late(service: OpenAIStandIn) -> None:
    batch = broken(service, late_output=3)
    assert (batch.status, batch.output_file_id) == ("completed", None)
    with client(service) as asking:
        assert asking.batches.list().data[0].output_file_id is None
        found = [asking.batches.retrieve(batch.id).output_file_id for _ in range(3)]
        assert found[:2] == [None, None]
        assert found[2] == service.batches[0]["output_file_id"] is not None
        assert asking.batches.list().data[0].output_file_id == found[2]


def test_output_may_be_in_order(service: OpenAIStandIn) -> None:
    found = results(service, broken(service, in_order=True).output_file_id)
    assert [line["custom_id"] for line in found] == IDS


# --- lines ----------------------------------------------------------------------------------------------------------


def test_error_lines_have_the_shapes_seen_in_the_wild(service: OpenAIStandIn) -> None:
    batch = broken(service, line_error=1, line_refused=1, line_busy=1, line_zero=1, line_malformed=1, line_garbled=1)
    assert batch.status == "completed"
    assert ids(results(service, batch.output_file_id)) == IDS[6:]
    assert batch.error_file_id is not None
    error, refused, busy, zero, malformed, garbled = service.content(batch.error_file_id).splitlines()
    assert json.loads(error)["response"] is None
    assert json.loads(error)["error"]["code"] == "server_error"
    for line, status, code in ((refused, 400, "invalid_value"), (busy, 429, "rate_limit_exceeded")):
        response = json.loads(line)["response"]
        assert (json.loads(line)["error"], response["status_code"]) == (None, status)
        assert set(response["body"]["error"]) == {"message", "type", "param", "code"}
        assert response["body"]["error"]["code"] == code
    found = json.loads(zero)
    assert found["response"] == {"status_code": 0, "request_id": "", "body": {}}
    assert (found["custom_id"], found["error"]) == ("c3", None)
    for line in (malformed, garbled):
        with pytest.raises(ValueError):  # noqa: PT011
            json.loads(line)
    assert b'"custom_id":"c4"' in malformed
    assert b"custom_id" not in garbled
    assert batch.request_counts is not None
    assert (batch.request_counts.completed, batch.request_counts.failed) == (4, 6)


@pytest.mark.parametrize("endpoint", [RESPONSES, CHAT])
def test_answers_may_be_no_answers(service: OpenAIStandIn, endpoint: str) -> None:
    batch = broken(service, endpoint, refusals=1, length_cuts=1, content_filtered=1)
    found = {line["custom_id"]: line["response"]["body"] for line in results(service, batch.output_file_id)}
    assert len(found) == 10
    if endpoint == CHAT:
        choices = [found[name]["choices"][0] for name in IDS[:3]]
        assert choices[0]["message"]["content"] is None
        assert "refuse" in choices[0]["message"]["refusal"]
        assert [choice["finish_reason"] for choice in choices] == ["stop", "length", "content_filter"]
    else:
        assert found["c0"]["output"][-1]["content"][0]["type"] == "refusal"
        reasons = [found[name]["incomplete_details"] for name in IDS[1:4]]
        assert reasons == [{"reason": "max_output_tokens"}, {"reason": "content_filter"}, None]
        assert [found[name]["status"] for name in IDS[:4]] == ["completed", "incomplete", "incomplete", "completed"]


@pytest.mark.parametrize("endpoint", [RESPONSES, CHAT])
def test_values_may_be_wrong(service: OpenAIStandIn, endpoint: str) -> None:
    batch = broken(service, endpoint, not_json=1, out_of_range=1, wrong_type=1, lost_field=1)
    found = {line["custom_id"]: said(line) for line in results(service, batch.output_file_id)}
    with pytest.raises(ValueError):  # noqa: PT011
        json.loads(found["c0"])
    assert json.loads(found["c1"])["value"] > 5
    assert json.loads(found["c2"])["value"] == "high"
    assert set(json.loads(found["c3"])) == {"rationale", "value"}
    assert [jsonschema_rs.is_valid(SCHEMA, json.loads(found[name])) for name in IDS[1:]] == [False] * 3 + [True] * 6


def test_ids_may_come_twice_or_be_unknown_or_missing(service: OpenAIStandIn) -> None:
    batch = broken(service, duplicates=1, conflicting=1, in_both_files=1, missing=1, unknown=2)
    lines = results(service, batch.output_file_id)
    found = ids(lines)
    assert [name for name in found if name in IDS] == ["c0", "c0", "c1", "c1", "c2", "c4", "c5", "c6", "c7", "c8", "c9"]
    assert sum(name.startswith("unknown-") for name in found) == 2
    same, other = ([said(line) for line in lines if line["custom_id"] == name] for name in ("c0", "c1"))
    assert same[0] == same[1]
    assert other[0] != other[1]
    assert ids(results(service, batch.error_file_id)) == ["c2"]


def test_answers_in_the_output_may_be_malformed(service: OpenAIStandIn) -> None:
    batch = broken(service, answer_malformed=2, in_order=True)
    assert batch.output_file_id is not None
    lines = service.content(batch.output_file_id).splitlines()
    assert len(lines) == 10
    for line in lines[:2]:
        with pytest.raises(ValueError):  # noqa: PT011
            json.loads(line)
    assert [json.loads(line)["custom_id"] for line in lines[2:]] == IDS[2:]


def test_a_line_may_fail_for_ever(service: OpenAIStandIn) -> None:
    for _ in range(2):
        batch = broken(service, lines_with={"Question c3": "refusals", "Question c4": "line_error"}, missing=1)
        assert ids(results(service, batch.error_file_id)) == ["c4"]
        found = {line["custom_id"]: line for line in results(service, batch.output_file_id)}
        assert sorted(found) == [name for name in IDS if name not in ("c0", "c4")]
        assert found["c3"]["response"]["body"]["output"][-1]["content"][0]["type"] == "refusal"


def test_line_faults_wear_off(service: OpenAIStandIn) -> None:
    assert set(LINE_FAULTS) <= {field.name for field in fields(OpenAIFaults)}
    service.faults = OpenAIFaults(**dict.fromkeys(LINE_FAULTS, 1))  # type: ignore[arg-type]
    run(service, lines_of(len(LINE_FAULTS)))
    assert service.faults == OpenAIFaults()
    batch = run(service, lines_of(10))
    assert ids(results(service, batch.output_file_id)) == IDS


def test_direct_requests_have_line_faults(service: OpenAIStandIn) -> None:
    service.faults = OpenAIFaults(
        line_error=1, line_refused=1, line_busy=1, answer_malformed=1, refusals=1, missing=1, in_order=True
    )
    kinds = [openai.InternalServerError, openai.BadRequestError, openai.RateLimitError]
    with client(service) as asking:
        for kind in kinds:
            with pytest.raises(kind):
                asking.responses.create(**body_of("?"))
        with pytest.raises(ValueError):  # noqa: PT011
            asking.responses.create(**body_of("?"))
        refused = asking.responses.create(**body_of("?"))
        message = refused.output[-1]
        assert message.type == "message"
        assert message.content[0].type == "refusal"
        with pytest.raises(openai.APIConnectionError):
            asking.responses.create(**body_of("?"))
        assert asking.responses.create(**body_of("?")).output_text


def test_strange_faults_are_refused() -> None:
    with pytest.raises(ValueError, match="names of line faults"):
        OpenAIFaults(lines_with={"text": "lunch"})
    with pytest.raises(ValueError, match="from 0 to 1"):
        OpenAIFaults(partial=2)


def test_faults_together_leave_every_line_accounted_for(service: OpenAIStandIn) -> None:
    service.faults = OpenAIFaults(
        expire=1, partial=0.6, lying_counts=True, line_error=2, line_zero=2, missing=2, duplicates=2, unknown=1
    )
    batch = run(service, [line_of(f"k{number}") for number in range(40)])
    answered = {line["custom_id"] for line in results(service, batch.output_file_id)}
    failed = {line["custom_id"] for line in results(service, batch.error_file_id)}
    assert not answered & failed
    assert len(answered | failed) == 38
