"""What the engine must not take for an answer: outages, what is gone or another's, copies, files that are no ledger."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from batch_jobs import FAST, NUMBER, PRICE, assert_whole, plan, run, small_shards, states

from imputer.batch.contracts import Contract
from imputer.batch.engine import stop, work
from imputer.batch.jobs import Shard, spent
from imputer.batch.ledger import Ledger
from imputer.batch.ledger_file import FOLDER, NAME
from imputer.batch.service import Access, NotThere, Rejected, Service
from imputer.errors import ProviderPartial, WrongUsage
from imputer.standin.openai import OpenAIFaults, OpenAIStandIn
from schemas.errors import Incomplete, OutputUnwritable, RunError

if TYPE_CHECKING:
    from collections.abc import Iterator

COUNT = 4
# So short that nothing is waited for that will not come.
HASTY = replace(FAST, settle=0.05)
NOBODY = 65_534


def shards(root: Path) -> list[Shard]:
    with Ledger(root, exclusive=False) as ledger:
        return ledger.shards()


def notes(root: Path) -> str:
    with Ledger(root, exclusive=False) as ledger:
        return "\n".join(ledger.notes())


def ended(service: OpenAIStandIn) -> None:
    """Wait until the provider has nothing left to do."""
    deadline = time.monotonic() + 20
    while any(batch["status"] not in ("completed", "failed", "expired", "cancelled") for batch in service.batches):
        assert time.monotonic() < deadline
        time.sleep(0.01)


# --- files that cannot be had ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["broken", "drop_before"])
def test_an_outage_of_the_files_costs_nothing(fault: str, tmp_path: Path) -> None:
    plan(tmp_path, COUNT)
    with OpenAIStandIn(seconds=0.02, faults=OpenAIFaults(where="GET /v1/files/", **{fault: 10**6})) as service:
        for _ in range(3):
            with pytest.raises(ProviderPartial):
                run(tmp_path, service, HASTY, attempts=2)
            time.sleep(0.15)
        assert [shard.state for shard in shards(tmp_path)] == ["SUBMITTED"]
        service.faults = OpenAIFaults()
        assert run(tmp_path, service, HASTY).done
        assert len(service.batches) == 1
        assert_whole(tmp_path, service, COUNT)


def test_a_file_that_comes_late_is_waited_for(tmp_path: Path) -> None:
    plan(tmp_path, COUNT)
    with OpenAIStandIn(seconds=0.02, faults=OpenAIFaults(gone=3)) as service:
        assert run(tmp_path, service).done
        assert len(service.batches) == 1
        assert_whole(tmp_path, service, COUNT)


def test_a_file_that_is_gone_is_given_up_in_the_end(tmp_path: Path) -> None:
    plan(tmp_path, COUNT)
    options = replace(HASTY, attempts=1)
    with OpenAIStandIn(seconds=0.02, faults=OpenAIFaults(gone=10**6)) as service:
        assert run(tmp_path, service, options).done
    assert states(tmp_path) == {"FAILED: missing": COUNT}
    assert "is gone: HTTP 404" in notes(tmp_path)


# --- ends that are seen late ----------------------------------------------------------------------------------------


def test_a_batch_that_failed_is_collected_at_once(tmp_path: Path) -> None:
    plan(tmp_path, COUNT)
    options = replace(FAST, settle=100.0, attempts=1)
    with OpenAIStandIn(seconds=0.02, faults=OpenAIFaults(fail=1, fail_code="model_not_found")) as service:
        run(tmp_path, service, options, wait=False)
        ended(service)
        assert run(tmp_path, service, options, wait=False).done
    assert states(tmp_path) == {"FAILED: batch_failed: model_not_found": COUNT}


def test_lines_in_no_file_are_given_up_after_a_time_not_a_number_of_looks(tmp_path: Path) -> None:
    plan(tmp_path, COUNT)
    options = replace(FAST, attempts=1)
    with OpenAIStandIn(seconds=0.02, faults=OpenAIFaults(expire=1, unlisted=True)) as service:
        run(tmp_path, service, options, wait=False)
        ended(service)
        for _ in range(12):
            assert not run(tmp_path, service, options, wait=False).done
        time.sleep(6 * options.settle)
        assert run(tmp_path, service, options, wait=False).done
    assert states(tmp_path) == {"ANSWERED": 2, "FAILED: batch_expired": 2}


# --- copies of the folder -------------------------------------------------------------------------------------------


def test_an_older_copy_adopts_what_was_sent_and_pays_nothing(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    plan(first, COUNT, small_shards(2))
    shutil.copytree(first, second)
    with OpenAIStandIn(seconds=0.1) as service:
        assert run(first, service, wait=False).in_flight == 2
        assert run(second, service).done
        assert run(first, service).done
        assert [batch["status"] for batch in service.batches] == ["completed"] * 2
        assert_whole(first, service, COUNT)
        assert_whole(second, service, COUNT)
    assert "found at the provider and adopted" in notes(second)


def test_an_older_copy_cancels_no_batch_that_it_has_not_sent_yet(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    plan(first, COUNT, small_shards(2))
    tokens = shards(first)[0].input_tokens
    with OpenAIStandIn(faults=OpenAIFaults(stuck=2)) as service:
        assert run(first, service, replace(FAST, enqueued_tokens=tokens + 10), wait=False).in_flight == 1
        shutil.copytree(first, second)
        assert run(first, service, wait=False).in_flight == 2
        assert run(second, service, wait=False, submit=False).in_flight == 1
        assert {batch["status"] for batch in service.batches} <= {"validating", "in_progress"}


def test_a_batch_that_was_not_queued_is_not_adopted(tmp_path: Path) -> None:
    plan(tmp_path, COUNT)
    with OpenAIStandIn(seconds=0.02, faults=OpenAIFaults(fail=2)) as service:
        assert run(tmp_path, service).done
        assert [batch["status"] for batch in service.batches] == ["failed", "failed", "completed"]
        assert_whole(tmp_path, service, COUNT)


def test_a_batch_that_was_cancelled_and_not_queued_is_not_sent_again(tmp_path: Path) -> None:
    plan(tmp_path, COUNT)
    with OpenAIStandIn(seconds=0.3, faults=OpenAIFaults(fail=1)) as service, Ledger(tmp_path) as ledger:
        with Service(Access(service.key, service.base_url)) as client:
            assert work(ledger, client, FAST, wait=False).in_flight == 1
            assert stop(ledger, client, None, FAST) == 1
            assert work(ledger, client, FAST).done
        assert len(service.batches) == 1


# --- one cap for all ------------------------------------------------------------------------------------------------


def test_the_cap_holds_for_all_open_jobs_of_a_purpose_together(tmp_path: Path) -> None:
    for number in range(3):
        plan(
            tmp_path,
            COUNT,
            agreed=Contract(f"topic/{number}", f"Answer {number}.", (NUMBER,)),
            purpose=f"p{number % 2}",
        )
    job = shards(tmp_path)[0]
    most = PRICE.cost(job.input_tokens, job.output_tokens)
    options = replace(FAST, max_cost=1.05 * most)
    with OpenAIStandIn(seconds=0.02) as service:
        worked = run(tmp_path, service, options, purpose="p0")
        # The second job of the purpose waits, also when the first is done: this command has spent on it.
        assert (worked.over_cap, len(service.batches)) == (1, 1)
        with Ledger(tmp_path) as ledger:
            assert 0 < sum(spent(one, ledger.shards()) for one in ledger.jobs()) <= options.max_cost
        # For the next command a job that is done counts no more; another purpose has its own cap.
        assert run(tmp_path, service, options).done
        assert len(service.batches) == 3


# --- another account, another address -------------------------------------------------------------------------------


def test_a_batch_that_nobody_knows_is_one_clear_error_and_can_be_let_go(tmp_path: Path) -> None:
    plan(tmp_path, COUNT, small_shards(2))
    with OpenAIStandIn(seconds=0.3) as service, Ledger(tmp_path) as ledger:
        access = Access(service.key, service.base_url, backoff=0.01)
        with Service(access) as client:
            work(ledger, client, FAST, wait=False)
            first = ledger.change(ledger.shards()[0], batch_id="batch_of_another")
            with pytest.raises(NotThere) as raised:
                work(ledger, client, FAST)
            assert "batch_of_another" in str(raised.value)
            assert service.base_url in str(raised.value)
            assert "imputer batch cancel" in str(raised.value)
            # The others are looked at all the same.
            ended(service)
            with pytest.raises(NotThere):
                work(ledger, client, FAST, wait=False)
            assert [shard.state for shard in ledger.shards()] == ["SUBMITTED", "COLLECTED"]
            assert stop(ledger, client, None, FAST) == 1
            assert work(ledger, client, FAST).done
            assert ledger.shard(first.shard_id).state == "CANCELLED"
    assert states(tmp_path) == {"ANSWERED": 2, "CANCELLED: cancelled by the user": 2}
    assert plan(tmp_path, COUNT, again=True).requests == 2


def test_another_address_is_refused_while_batches_are_under_way(tmp_path: Path) -> None:
    plan(tmp_path, COUNT)
    with OpenAIStandIn(seconds=0.3) as service, OpenAIStandIn() as other:
        assert run(tmp_path, service, wait=False).in_flight == 1
        here, there = (one.base_url.removeprefix("http://") for one in (service, other))
        with Ledger(tmp_path) as ledger:
            assert [job.address for job in ledger.jobs()] == [here]
            with Service(Access(other.key, other.base_url)) as client:
                for begin in (lambda: work(ledger, client, FAST), lambda: stop(ledger, client, None, FAST)):
                    with pytest.raises(WrongUsage, match="another address") as raised:
                        begin()
                    assert here in str(raised.value)
                    assert there in str(raised.value)
        assert other.requests == []
        assert run(tmp_path, service).done
        # Nothing is under way any more.
        plan(tmp_path, COUNT + 1)
        assert run(tmp_path, other).done


# --- what is not taken ----------------------------------------------------------------------------------------------


def test_an_uploaded_file_above_a_lowered_cap_is_not_waited_for(tmp_path: Path) -> None:
    plan(tmp_path, COUNT)
    with Ledger(tmp_path) as ledger:
        ledger.change(ledger.shards()[0], state="UPLOADED", file_id="file-1", attempt=1, intent_at=time.time())
    with OpenAIStandIn() as service:
        worked = run(tmp_path, service, replace(FAST, max_cost=0.0))
    assert (worked.in_flight, worked.waiting, worked.over_cap) == (0, 1, 1)


def test_too_many_requests_are_told_and_waited_for_longer_and_longer(tmp_path: Path) -> None:
    plan(tmp_path, COUNT)
    options = replace(HASTY, poll=0.1)
    with OpenAIStandIn(seconds=0.02, faults=OpenAIFaults(where="POST /v1/batches", too_many=10**6)) as service:
        waits = []
        for _ in range(3):
            worked = run(tmp_path, service, options, wait=False)
            assert list(worked.delayed) == [1]
            assert worked.delayed[1].startswith("HTTP 429")
            shard = shards(tmp_path)[0]
            waits.append(round(shard.not_before - shard.intent_at, 1))
            asked = len(service.requests)
            assert run(tmp_path, service, options, wait=False).delayed  # not yet
            assert not [one for one in service.requests[asked:] if one.method == "POST"]
            time.sleep(max(shard.not_before - time.time(), 0))
        assert waits == sorted(waits)
        assert waits[-1] >= 3 * waits[0]
        assert len(service.files) == 1
        service.faults = OpenAIFaults()
        assert run(tmp_path, service, options).done
        assert_whole(tmp_path, service, COUNT)


class _NoQuota(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        error = {"message": "You exceeded your current quota.", "code": "insufficient_quota", "type": "t"}
        body = json.dumps({"error": error}).encode()
        self.send_response(429)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST  # noqa: N815 (so the server calls it)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_an_account_without_money_is_a_refusal() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _NoQuota)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        with Service(Access("key", f"http://127.0.0.1:{server.server_address[1]}/v1/")) as client:
            with pytest.raises(Rejected, match="exceeded your current quota"):
                client.create("file-1", "responses", {})
            with pytest.raises(ProviderPartial, match="exceeded your current quota"):
                client.batch("batch_1")  # at once: no waiting helps
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


# --- a ledger that cannot be read -----------------------------------------------------------------------------------


def garbage(path: Path) -> None:
    path.write_bytes(b"garbage" * 1_000)


def truncated(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def read_all(root: Path, *, exclusive: bool) -> None:
    with Ledger(root, exclusive=exclusive) as ledger:
        ledger.shards()
        ledger.connection.execute("SELECT count(rests_on), count(state) FROM requests").fetchone()


def of_another_layout(path: Path) -> None:
    with Ledger(path.parents[1]) as ledger:
        ledger.connection.execute("ALTER TABLE shards RENAME COLUMN reason TO why")


@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.parametrize("spoil", [garbage, truncated, of_another_layout])
def test_a_ledger_that_cannot_be_read_is_one_clear_error(spoil: object, *, exclusive: bool, tmp_path: Path) -> None:
    plan(tmp_path, 50)
    path = tmp_path / FOLDER / NAME
    assert callable(spoil)
    spoil(path)
    with pytest.raises(Incomplete, match="cannot be read") as raised:
        read_all(tmp_path, exclusive=exclusive)
    assert str(path) in str(raised.value)
    assert raised.value.next_step


def test_the_lock_is_free_after_an_error(tmp_path: Path) -> None:
    plan(tmp_path, COUNT)
    path = tmp_path / FOLDER / NAME
    kept = path.read_bytes()
    garbage(path)
    with pytest.raises(Incomplete):
        Ledger(tmp_path)
    path.write_bytes(kept)
    with Ledger(tmp_path) as ledger:
        assert ledger.jobs()


def test_reading_makes_nothing_and_writes_nothing(tmp_path: Path) -> None:
    with Ledger(tmp_path, exclusive=False) as ledger:
        assert (ledger.shards(), ledger.jobs()) == ([], [])
    assert list(tmp_path.iterdir()) == []
    plan(tmp_path, COUNT)
    with pytest.raises(OutputUnwritable, match="readonly"), Ledger(tmp_path, exclusive=False) as ledger:
        ledger.note("now", None, "not to be kept")
    with Ledger(tmp_path) as writer, Ledger(tmp_path, exclusive=False) as reader:
        writer.note("now", None, "seen at once")
        assert reader.notes() == ["now seen at once"]


def as_nobody(root: Path, *, exclusive: bool) -> str:
    """How many shards another user reads there, or the kind of the error."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        told = "internal_error"
        try:
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            with Ledger(root, exclusive=exclusive) as ledger:
                told = str(len(ledger.shards()))
        except RunError as error:
            told = error.kind
        finally:
            os.write(writing, told.encode())
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as pipe:
        return pipe.read()


@contextmanager
def open_to_readers() -> Iterator[Path]:
    """A folder that everyone may read and only we may write."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        plan(folder, COUNT)
        for path in (folder / FOLDER, *folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        yield folder


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_another_user_reads_it_and_may_not_write_it() -> None:
    with open_to_readers() as folder:
        assert as_nobody(folder, exclusive=False) == "1"
        assert as_nobody(folder, exclusive=True) == "output_unwritable"
