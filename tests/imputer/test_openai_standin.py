from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import jsonschema_rs
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
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
from processes import PROJECT
from pydantic import BaseModel

from imputer.standin.openai import KEY, OpenAIStandIn
from imputer.standin.openai_answers import answer_to
from imputer.standin.openai_lines import MOST_BYTES, check_lines
from imputer.standin.openai_questions import Judge
from imputer.standin.openai_schemas import OpenAISchemas, validator_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENDPOINTS = [RESPONSES, CHAT]
NAMES = "model input messages text format response_format json_schema type name strict schema properties".split()


@pytest.fixture
def service() -> Iterator[OpenAIStandIn]:
    with OpenAIStandIn(seconds=0.04) as running:
        yield running


@pytest.fixture
def raw(service: OpenAIStandIn) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.base_url, headers={"Authorization": f"Bearer {service.key}"}) as asking:
        yield asking


@pytest.fixture(scope="session")
def openai_schemas(shared_data: Path) -> Path:
    return shared_data / "openai"


# --- all is well ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_batch_answers_every_line_once(service: OpenAIStandIn, endpoint: str) -> None:
    batch = run(service, lines_of(50, endpoint), endpoint)
    assert (batch.status, batch.errors, batch.error_file_id) == ("completed", None, None)
    assert batch.request_counts is not None
    assert (batch.request_counts.total, batch.request_counts.completed, batch.request_counts.failed) == (50, 50, 0)
    lines = results(service, batch.output_file_id)
    ids = [line["custom_id"] for line in lines]
    assert sorted(ids) == sorted(f"c{number}" for number in range(50))
    assert ids != [f"c{number}" for number in range(50)]
    for line in lines:
        assert set(line) == {"id", "custom_id", "response", "error"}
        assert line["error"] is None
        assert line["response"]["status_code"] == 200
        value = json.loads(said(line))
        assert list(value) == ["rationale", "value", "confidence"]
        assert jsonschema_rs.is_valid(SCHEMA, value)
        assert "stand-in" in value["rationale"]
        assert line["response"]["body"]["model"] == "stand-in"
    assert batch.usage is not None
    spent = [line["response"]["body"]["usage"] for line in lines]
    assert batch.usage.total_tokens == sum(usage["total_tokens"] for usage in spent)
    assert batch.usage.input_tokens > 0 < batch.usage.output_tokens


def test_confidence_is_spread(service: OpenAIStandIn) -> None:
    batch = run(service, lines_of(200))
    found = [json.loads(said(line))["confidence"] for line in results(service, batch.output_file_id)]
    assert all(0 <= confidence <= 1 for confidence in found)
    assert min(found) < 0.1
    assert max(found) > 0.9


def test_statuses_come_in_their_order() -> None:
    with OpenAIStandIn(seconds=0.6) as service, client(service) as asking:
        batch = submitted(service, jsonl(lines_of(10)))
        seen, counts = [batch.status], []
        while batch.status != "completed":
            batch = asking.batches.retrieve(batch.id)
            seen += [batch.status] if batch.status != seen[-1] else []
            if batch.status == "in_progress" and batch.request_counts:
                counts.append(batch.request_counts.completed)
        assert seen == ["validating", "in_progress", "finalizing", "completed"]
        assert counts == sorted(counts)
        assert len(set(counts)) > 2
        times = [batch.created_at, batch.in_progress_at, batch.finalizing_at, batch.completed_at]
        assert times == sorted(times)  # type: ignore[type-var]


def test_the_same_question_gets_the_same_answer() -> None:
    found = []
    for _ in range(2):
        with OpenAIStandIn(seconds=0.0) as service:
            batch = run(service, lines_of(5))
            found.append({line["custom_id"]: said(line) for line in results(service, batch.output_file_id)})
    assert found[0] == found[1]
    assert len(set(found[0].values())) == 5


def test_the_client_parses_direct_answers(service: OpenAIStandIn) -> None:
    class Rating(BaseModel):
        rationale: str
        value: float
        confidence: float

    with client(service) as asking:
        response = asking.responses.parse(model="gpt-6-luna", input="How much?", text_format=Rating)
        assert response.output_parsed is not None
        assert response.model == "stand-in"
        completion = asking.chat.completions.parse(
            model="gpt-6-luna", messages=[{"role": "user", "content": "How much?"}], response_format=Rating
        )
        assert completion.choices[0].message.parsed is not None
        prose = asking.responses.create(model="gpt-6-luna", input="Say something")
        assert "stand-in" in prose.output_text


def test_a_direct_answer_is_that_of_a_batch(service: OpenAIStandIn) -> None:
    batch = run(service, [line_of("c0")])
    with client(service) as asking:
        answer = asking.responses.create(**body_of("Question c0"))
    assert answer.output_text == said(results(service, batch.output_file_id)[0])


def test_the_output_limit_cuts_answers(service: OpenAIStandIn) -> None:
    with client(service) as asking:
        cut = asking.responses.create(**body_of("How much?", max_output_tokens=16))
        assert (cut.status, cut.incomplete_details and cut.incomplete_details.reason) == (
            "incomplete",
            "max_output_tokens",
        )
        completion = asking.chat.completions.create(**body_of("How much?", CHAT, max_completion_tokens=16))
        assert completion.choices[0].finish_reason == "length"


def test_a_model_name_cannot_be_mistaken() -> None:
    with pytest.raises(ValueError, match="begins with 'stand-in'"):
        OpenAIStandIn(model="gpt-6-luna")
    with OpenAIStandIn(model="stand-in-2") as service, client(service) as asking:
        assert asking.responses.create(model="gpt-6-luna", input="?").model == "stand-in-2"


# --- OpenAI's own schemas -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("endpoint", "name"), [(RESPONSES, "Response"), (CHAT, "CreateChatCompletionResponse")], ids=["responses", "chat"]
)
@pytest.mark.parametrize("fault", [None, "refusals", "length_cuts", "content_filtered"])
def test_answers_have_the_documented_shape(openai_schemas: Path, endpoint: str, name: str, fault: str | None) -> None:
    faults = {fault: 1} if fault else {}
    validator = validator_of(json.loads((openai_schemas / f"{name}.schema.json").read_text()))
    with OpenAIStandIn(schemas=openai_schemas, seconds=0.0) as service:
        service.faults = type(service.faults)(**faults)  # type: ignore[arg-type]
        batch = run(service, lines_of(8, endpoint), endpoint)
        assert batch.status == "completed", batch.errors
        for line in results(service, batch.output_file_id):
            assert [error.message for error in validator.iter_errors(line["response"]["body"])] == []


def test_files_and_batches_have_the_documented_shape(openai_schemas: Path) -> None:
    schemas = OpenAISchemas(openai_schemas)
    with OpenAIStandIn(schemas=openai_schemas, seconds=0.0) as service:
        batch = run(service, lines_of(3))
        run(service, [{"custom_id": "c"}])
        with httpx.Client(base_url=service.base_url, headers={"Authorization": f"Bearer {service.key}"}) as asking:
            shown = {
                "ListBatchesResponse": asking.get("batches").json(),
                "ListFilesResponse": asking.get("files").json(),
                "Batch": asking.get(f"batches/{batch.id}").json(),
                "OpenAIFile": asking.get(f"files/{batch.input_file_id}").json(),
                "DeleteFileResponse": asking.delete(f"files/{batch.input_file_id}").json(),
            }
    for name, value in shown.items():
        # What is not there is null in OpenAI's answers, and absent in its document.
        assert schemas.object_problem(name, without_nulls(value)) is None, name


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_nulls(part) for key, part in value.items() if part is not None}
    return [without_nulls(part) for part in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("endpoint", "changes", "where"),
    [
        (RESPONSES, {"max_output_tokens": "many"}, "max_output_tokens"),
        (RESPONSES, {"temperature": 3}, "temperature"),
        (CHAT, {"messages": [{"role": "nobody", "content": "?"}]}, "messages"),
        (CHAT, {"response_format": {"format": {"type": "json_schema"}}}, "response_format"),
    ],
)
def test_bodies_are_checked_against_the_schemas(
    openai_schemas: Path, endpoint: str, changes: dict[str, Any], where: str
) -> None:
    with OpenAIStandIn(schemas=openai_schemas, seconds=0.0) as service:
        batch = run(service, [line_of("c0", endpoint), line_of("c1", endpoint, **changes)], endpoint)
        assert batch.status == "failed"
        assert batch.errors is not None
        assert batch.errors.data is not None
        assert [(error.line, error.code) for error in batch.errors.data] == [(2, "invalid_request")]
        assert where in f"{batch.errors.data[0].message}"
        with client(service) as asking, pytest.raises(openai.BadRequestError, match=where):
            asking.post(endpoint.removeprefix("/v1"), body=body_of("?", endpoint, **changes), cast_to=object)


# --- keys and addresses ---------------------------------------------------------------------------------------------


def test_a_wrong_key_is_refused(service: OpenAIStandIn) -> None:
    wrong = "sk-wrong-key-that-is-rather-long"
    asking = openai.OpenAI(api_key=wrong, base_url=service.base_url)
    with asking, pytest.raises(openai.AuthenticationError) as refused:
        asking.files.list()
    assert refused.value.code == "invalid_api_key"
    assert wrong not in str(refused.value)
    answer = httpx.get(f"{service.base_url}files")
    assert (answer.status_code, answer.json()["error"]["type"]) == (401, "invalid_request_error")
    assert [request.status for request in service.requests] == [401, 401]


def test_azure_clients_are_answered(service: OpenAIStandIn) -> None:
    base = service.base_url.removesuffix("v1/") + "openai/v1/"
    with httpx.Client(base_url=base, headers={"api-key": service.key}) as asking:
        assert asking.get("batches").json()["data"] == []


def test_unknown_addresses_and_objects(raw: httpx.Client) -> None:
    for method, path in [
        ("GET", "nothing"),
        ("PUT", "files"),
        ("GET", "files/file-none"),
        ("GET", "files/file-none/content"),
        ("DELETE", "files/file-none"),
        ("GET", "batches/batch_none"),
        ("POST", "batches/batch_none/cancel"),
    ]:
        answer = raw.request(method, path)
        assert answer.status_code == 404, path
        assert answer.json()["error"]["type"] == "invalid_request_error"
        assert answer.headers["x-request-id"].startswith("req_")


# --- files ----------------------------------------------------------------------------------------------------------


def test_files_live_from_upload_to_deletion(service: OpenAIStandIn) -> None:
    content = jsonl(lines_of(2)) + b"\r\n--not-the-boundary\r\n"
    with client(service) as asking:
        kept = asking.files.create(
            file=("a.jsonl", content), purpose="batch", expires_after={"anchor": "created_at", "seconds": 3600}
        )
        assert (kept.bytes, kept.filename, kept.purpose, kept.status) == (len(content), "a.jsonl", "batch", "processed")
        assert kept.expires_at == kept.created_at + 3600
        later = asking.files.create(file=("b.jsonl", content), purpose="batch")
        assert later.expires_at == later.created_at + 30 * 24 * 3600
        asking.files.create(file=("c.txt", b"text"), purpose="user_data")
        assert asking.files.retrieve(kept.id) == kept
        assert asking.files.content(kept.id).content == content
        assert [found.filename for found in asking.files.list(purpose="batch")] == ["b.jsonl", "a.jsonl"]
        assert [found.filename for found in asking.files.list(order="asc", limit=1)] == ["a.jsonl", "b.jsonl", "c.txt"]
        assert asking.files.delete(kept.id).deleted
        with pytest.raises(openai.NotFoundError):
            asking.files.content(kept.id)
    assert [found["filename"] for found in service.files] == ["b.jsonl", "c.txt"]


@pytest.mark.parametrize(
    ("files", "data", "message"),
    [
        ({"file": ("a.jsonl", b"{}")}, {}, "purpose"),
        ({}, {"purpose": "batch"}, "multipart"),
        ({"file": ("a.jsonl", b"{}")}, {"purpose": "lunch"}, "lunch"),
        ({"file": ("a.jsonl", b"{}")}, {"purpose": "batch", "colour": "red"}, "colour"),
        ({"file": ("a.csv", b"{}")}, {"purpose": "batch"}, "jsonl"),
        ({"file": ("a.jsonl", b"")}, {"purpose": "batch"}, "empty"),
        ({"file": ("a.jsonl", b"{}")}, {"purpose": "batch", "expires_after[seconds]": "3600"}, "anchor"),
        (
            {"file": ("a.jsonl", b"{}")},
            {"purpose": "batch", "expires_after[anchor]": "created_at", "expires_after[seconds]": "60"},
            "3600",
        ),
    ],
)
def test_uploads_are_checked(raw: httpx.Client, files: Any, data: dict[str, str], message: str) -> None:
    answer = raw.post("files", files=files, data=data)
    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]


def test_uploads_may_come_in_chunks(service: OpenAIStandIn, raw: httpx.Client) -> None:
    def body() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--x\r\n'
        yield b'Content-Disposition: form-data; name="file"; filename="a.jsonl"\r\n'
        yield b"Content-Type: application/octet-stream\r\n\r\n" + b"{}\n" * 1000 + b"\r\n--x--\r\n"

    answer = raw.post("files", content=body(), headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert (answer.status_code, answer.json()["bytes"]) == (200, 3000)
    assert service.content(answer.json()["id"]) == b"{}\n" * 1000


def test_an_upload_beyond_the_limit_is_not_read(service: OpenAIStandIn) -> None:
    asking = http.client.HTTPConnection(service.base_url.split("/")[2], timeout=10)
    asking.putrequest("POST", "/v1/files")
    asking.putheader("Authorization", f"Bearer {service.key}")
    asking.putheader("Content-Length", str(600 * 1024 * 1024))
    asking.endheaders()
    with contextlib.closing(asking):
        assert asking.getresponse().status == 413


# --- batches --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"input_file_id": None}, "input_file_id"),
        ({"input_file_id": "file-none"}, "input_file_id"),
        ({"endpoint": "/v1/poems"}, "endpoint"),
        ({"completion_window": "1h"}, "completion_window"),
        ({"colour": "red"}, "colour"),
        ({"metadata": ["a"]}, "metadata"),
        ({"metadata": {"shard": 1}}, "metadata.shard"),
        ({"metadata": {str(number): "" for number in range(17)}}, "metadata"),
        ({"metadata": {"a" * 65: ""}}, "metadata"),
        ({"metadata": {"a": "b" * 513}}, "metadata"),
        ({"output_expires_after": {"anchor": "created_at", "seconds": 1}}, "output_expires_after"),
    ],
)
def test_batch_parameters_are_checked(
    service: OpenAIStandIn, raw: httpx.Client, changes: dict[str, Any], param: str
) -> None:
    with client(service) as asking:
        kept = asking.files.create(file=("a.jsonl", jsonl(lines_of(1))), purpose="batch")
    asked = {"input_file_id": kept.id, "endpoint": RESPONSES, "completion_window": "24h", **changes}
    answer = raw.post("batches", json={name: value for name, value in asked.items() if value is not None})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
    assert service.batches == []


def test_a_batch_needs_a_file_for_batches(service: OpenAIStandIn) -> None:
    with client(service) as asking:
        kept = asking.files.create(file=("a.jsonl", b"{}"), purpose="user_data")
        with pytest.raises(openai.BadRequestError, match="purpose"):
            asking.batches.create(input_file_id=kept.id, endpoint=RESPONSES, completion_window="24h")


def test_batches_are_listed_newest_first_in_pages(service: OpenAIStandIn, raw: httpx.Client) -> None:
    made = [submitted(service, jsonl(lines_of(1))).id for _ in range(7)]
    with client(service) as asking:
        assert [batch.id for batch in asking.batches.list(limit=3)] == made[::-1]
    page = raw.get("batches", params={"limit": 3, "after": made[-3]}).json()
    assert [batch["id"] for batch in page["data"]] == [made[-4], made[-5], made[-6]]
    assert (page["first_id"], page["last_id"], page["has_more"]) == (made[-4], made[-6], True)
    assert raw.get("batches", params={"after": made[0]}).json()["has_more"] is False
    for wrong in ({"limit": 0}, {"limit": 101}, {"limit": "x"}, {"after": "batch_none"}):
        assert raw.get("batches", params=wrong).status_code == 400


def test_a_batch_is_cancelled_with_what_it_has_done() -> None:
    with OpenAIStandIn(seconds=2.0) as service, client(service) as asking:
        batch = submitted(service, jsonl(lines_of(10)))
        while asking.batches.retrieve(batch.id).status == "validating":
            pass
        assert asking.batches.cancel(batch.id).status == "cancelling"
        batch = ended(service, batch)
        assert batch.status == "cancelled"
        answered = {line["custom_id"] for line in results(service, batch.output_file_id)}
        left = results(service, batch.error_file_id)
        assert len(answered) == 5
        assert answered | {line["custom_id"] for line in left} == {f"c{number}" for number in range(10)}
        assert {line["error"]["code"] for line in left} == {"batch_cancelled"}
        with pytest.raises(openai.ConflictError):
            asking.batches.cancel(batch.id)


def test_a_batch_that_is_cancelled_at_once_has_no_output() -> None:
    with OpenAIStandIn(seconds=1.0) as service, client(service) as asking:
        batch = submitted(service, jsonl(lines_of(4)))
        asking.batches.cancel(batch.id)
        batch = ended(service, batch)
        assert (batch.status, batch.output_file_id) == ("cancelled", None)
        assert len(results(service, batch.error_file_id)) == 4


# --- lines ----------------------------------------------------------------------------------------------------------


def changed(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**line_of("c1"), **changes}.items() if value is not None}


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (changed(custom_id="c0"), "duplicate_custom_id"),
        (changed(custom_id=None), "missing_required_parameter"),
        (changed(custom_id=7), "invalid_type"),
        (changed(method="GET"), "invalid_method"),
        (changed(method=None), "missing_required_parameter"),
        (changed(url=CHAT), "url_mismatch"),
        (changed(body=None), "missing_required_parameter"),
        (changed(body="?"), "invalid_type"),
        (changed(params={}), "unknown_parameter"),
        ([1, 2], "invalid_json_line"),
        (line_of("c1", model="gpt-5.4"), "model_mismatch"),
        (line_of("c1", model=None), "missing_required_parameter"),
        (line_of("c1", input=""), "missing_required_parameter"),
        (line_of("c1", schema={**SCHEMA, "required": []}), "invalid_json_schema"),
        (line_of("c1", text={"format": {"type": "json_schema", "name": "a b", "schema": SCHEMA}}), "invalid_request"),
        (line_of("c1", text={"format": {"type": "json_schema", "name": "a", "schema": SCHEMA}}), "invalid_request"),
    ],
)
def test_a_wrong_line_fails_the_batch(service: OpenAIStandIn, second: Any, code: str) -> None:
    batch = run(service, [line_of("c0"), second, line_of("c2")])
    assert (batch.status, batch.output_file_id, batch.error_file_id) == ("failed", None, None)
    assert batch.errors is not None
    assert batch.errors.data is not None
    assert [(error.code, error.line) for error in batch.errors.data] == [(code, 2)]
    assert batch.failed_at is not None


def test_a_line_that_is_no_json_fails_the_batch(service: OpenAIStandIn) -> None:
    batch = ended(service, submitted(service, jsonl(lines_of(2)) + b'{"custom_id": "c2", \n'))
    assert batch.errors is not None
    assert batch.errors.data is not None
    assert [(error.code, error.line) for error in batch.errors.data] == [("invalid_json_line", 3)]


def test_a_file_without_lines_fails(service: OpenAIStandIn) -> None:
    batch = ended(service, submitted(service, b"\n\n"))
    assert batch.errors is not None
    assert [error.code for error in batch.errors.data or []] == ["empty_file"]


def test_a_file_has_at_most_fifty_thousand_lines(service: OpenAIStandIn) -> None:
    short = b'{"custom_id":"%d","method":"POST","url":"/v1/responses","body":{"model":"m","input":"?"}}\n'
    batch = ended(service, submitted(service, b"".join(short % number for number in range(50_001))))
    assert batch.errors is not None
    assert [error.code for error in batch.errors.data or []] == ["too_many_tasks"]


def test_reasoning_models_refuse_what_they_do_not_take(service: OpenAIStandIn) -> None:
    lines = [line_of("c0", CHAT, max_tokens=50), line_of("c1", CHAT, temperature=0.1), line_of("c2", CHAT)]
    batch = run(service, lines, CHAT)
    refused = {line["custom_id"]: line["response"] for line in results(service, batch.error_file_id)}
    assert {name: found["body"]["error"]["param"] for name, found in refused.items()} == {
        "c0": "max_tokens",
        "c1": "temperature",
    }
    assert {found["status_code"] for found in refused.values()} == {400}
    assert [line["custom_id"] for line in results(service, batch.output_file_id)] == ["c2"]


def test_a_file_has_at_most_two_hundred_megabytes() -> None:
    checked = check_lines(bytes(MOST_BYTES + 1), RESPONSES, Judge(OpenAISchemas(None)))
    assert [error["code"] for error in checked.errors] == ["invalid_request"]
    assert "200000000" in checked.errors[0]["message"]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=8,
)


@given(ANYTHING, st.sampled_from(ENDPOINTS))
def test_strange_bodies_are_judged(body: Any, endpoint: str) -> None:
    line = {"custom_id": "c0", "method": "POST", "url": endpoint, "body": body}
    checked = check_lines(jsonl([line]), endpoint, Judge(OpenAISchemas(None)))
    if not checked.errors:
        assert answer_to(endpoint, body, "stand-in", at=0).output_tokens > 0


# --- as a process ---------------------------------------------------------------------------------------------------


def start(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-m", "imputer.standin.openai", *arguments]
    process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_state_outlives_the_process(tmp_path: Path) -> None:
    process, base = start("--state", str(tmp_path), "--seconds", "60", "--faults", '{"create_then_drop": 1}')
    with openai.OpenAI(api_key=KEY, base_url=base, max_retries=0) as asking:
        kept = asking.files.create(file=("a.jsonl", jsonl(lines_of(3))), purpose="batch")
        with pytest.raises(openai.APIConnectionError):
            asking.batches.create(input_file_id=kept.id, endpoint=RESPONSES, completion_window="24h")
        (made,) = asking.batches.list()
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    with OpenAIStandIn(state=tmp_path, seconds=0.0) as again, client(again) as asking:
        batch = ended(again, asking.batches.retrieve(made.id))
        assert batch.status == "completed"
        assert len(results(again, batch.output_file_id)) == 3
        assert asking.files.content(kept.id).content == jsonl(lines_of(3))
        assert submitted(again, jsonl(lines_of(3))).id != made.id


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_defect_of_the_stand_in_fails_the_batch(tmp_path: Path) -> None:
    with OpenAIStandIn(state=tmp_path, seconds=0.0) as service, client(service) as asking:
        kept = asking.files.create(file=("a.jsonl", jsonl(lines_of(1))), purpose="batch")
        (tmp_path / "files" / f"{kept.id}.content").unlink()
        made = asking.batches.create(input_file_id=kept.id, endpoint=RESPONSES, completion_window="24h")
        batch = ended(service, made)
    assert batch.errors is not None
    assert [error.code for error in batch.errors.data or []] == ["stand_in_defect"]


def test_the_process_ends_when_interrupted() -> None:
    process, base = start("--key", "other-key")
    assert httpx.get(f"{base}files", headers={"Authorization": "Bearer other-key"}).json()["data"] == []
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == 0
