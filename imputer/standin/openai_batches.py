"""Batches of the stand-in: from validating to their end, each in a thread of its own."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from imputer.standin.openai_files import DAY, Files, write_whole
from imputer.standin.openai_lines import Checked, batch_error, check_lines
from imputer.standin.openai_results import Results, Work, results_of

if TYPE_CHECKING:
    from pathlib import Path

    from imputer.standin.openai_faults import FaultStock
    from imputer.standin.openai_questions import Judge

ENDED = ("completed", "failed", "expired", "cancelled")
"""Statuses after which nothing changes."""
_STEPS = 10
_END_FAULTS = ("fail", "fail_halfway", "expire", "cancel", "stuck", "all_failed")


@dataclass
class Batch:
    """A batch: the object as the API shows it, and what only the stand-in knows.

    ``fate`` is the fault that it gets, ``tokens`` what it counts in the queue, ``retrieved`` retrievals since its end.
    """

    fields: dict[str, Any]
    number: int
    came: float
    fate: str | None = None
    tokens: int = 0
    asked_model: str | None = None
    ended: float | None = None
    retrieved: int = 0
    cancelled: threading.Event = field(default_factory=threading.Event)


class Batches:
    """Every batch by its id, in the order in which they came; kept in ``folder`` if there is one.

    A batch takes ``seconds`` from validating to completed, and the time that its lines need. Those that a folder holds
    unfinished start again.
    """

    def __init__(
        self, folder: Path | None, files: Files, stock: FaultStock, judge: Judge, *, model: str, seconds: float
    ) -> None:
        self._folder, self._files, self._stock, self._judge = folder, files, stock, judge
        self._model, self._seconds = model, seconds
        self._lock = threading.RLock()
        self._batches: dict[str, Batch] = {}
        self._threads: list[threading.Thread] = []
        self._closing = threading.Event()
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            found = [json.loads(path.read_bytes()) for path in folder.glob("*.json")]
            for kept in sorted(found, key=lambda kept: kept["number"]):
                self._batches[kept["fields"]["id"]] = Batch(**kept)

    def start(self) -> None:
        """Go on with the batches that are not finished."""
        for batch in self.all():
            if batch.fields["status"] == "cancelling":
                batch.cancelled.set()
            if batch.fields["status"] not in ENDED:
                self._begin(batch)

    def close(self) -> None:
        """Stop all work where it stands."""
        self._closing.set()
        for batch in self.all():
            batch.cancelled.set()
        for thread in self._threads:
            thread.join()

    def create(self, asked: dict[str, Any]) -> dict[str, Any]:
        """A new batch from a checked request; its lines are checked later."""
        with self._lock:
            number, now = len(self._batches) + 1, time.time()
            mark = hashlib.sha256(json.dumps([number, asked], sort_keys=True).encode()).hexdigest()
            fields: dict[str, Any] = {
                "id": f"batch_{mark[:32]}",
                "object": "batch",
                "endpoint": asked["endpoint"],
                "model": None,
                "errors": None,
                "input_file_id": asked["input_file_id"],
                "completion_window": asked["completion_window"],
                "status": "validating",
                "output_file_id": None,
                "error_file_id": None,
                "created_at": int(now),
                "expires_at": int(now) + DAY,
                "request_counts": {"total": 0, "completed": 0, "failed": 0},
                "usage": None,
                "metadata": asked.get("metadata"),
            }
            steps = "in_progress finalizing completed failed expired cancelling cancelled".split()
            fields |= {f"{step}_at": None for step in steps}
            fate = next((name for name in _END_FAULTS if self._stock.take(name)), None)
            batch = Batch(fields, number, now, fate)
            self._batches[fields["id"]] = batch
            self._keep(batch)
            shown = dict(fields)
        self._begin(batch)
        return shown

    def find(self, batch_id: str) -> Batch | None:
        """The batch, or None."""
        with self._lock:
            return self._batches.get(batch_id)

    def all(self) -> list[Batch]:
        """Every batch, oldest first."""
        with self._lock:
            return list(self._batches.values())

    def shown(self, batch: Batch, *, retrieved: bool = False) -> dict[str, Any]:
        """The batch as the API shows it now; ``retrieved`` counts for ``late_output``."""
        with self._lock:
            fields = dict(batch.fields)
            if fields["status"] in ENDED:
                if batch.retrieved < self._stock.left.late_output:
                    fields |= {"output_file_id": None, "error_file_id": None}
                batch.retrieved += retrieved
                total = fields["request_counts"]["total"]
                if self._stock.left.lying_counts:
                    fields["request_counts"] = {"total": total, "completed": total, "failed": 0}
            return fields

    def cancel(self, batch: Batch) -> bool:
        """Ask a batch to stop; false where it has ended."""
        with self._lock:
            if batch.fields["status"] in ENDED:
                return False
            if not batch.cancelled.is_set():
                self._move(batch, "cancelling")
            batch.cancelled.set()
            return True

    def _begin(self, batch: Batch) -> None:
        thread = threading.Thread(target=self._work, args=(batch,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self, batch: Batch) -> None:
        """Do a batch to its end; a defect of the stand-in fails the batch, rather than leave it as it is for ever."""
        try:
            self._run(batch)
        except Exception as error:
            with self._lock:
                data = [batch_error("stand_in_defect", f"{type(error).__name__}: {error}")]
                batch.fields["errors"] = {"object": "list", "data": data}
                self._end(batch, "failed")
            raise

    def _run(self, batch: Batch) -> None:
        content = self._files.content(batch.fields["input_file_id"]) or b""
        checked = check_lines(content, batch.fields["endpoint"], self._judge)
        batch.cancelled.wait(self._seconds / 4)
        with self._lock:
            errors = self._refusal(batch, checked)
            if self._closing.is_set():
                return None
            batch.asked_model, batch.fields["model"] = checked.model, self._model
            if errors:
                batch.fields["errors"] = {"object": "list", "data": errors}
                return self._end(batch, "failed")
            batch.tokens = checked.tokens
            batch.fields["request_counts"]["total"] = checked.lines
            done = 0
            if not batch.cancelled.is_set():
                done = checked.lines
                self._move(batch, "in_progress")
        self._progress(batch, checked.lines)
        self._finish(batch, content, checked.lines, done)
        return None

    def _refusal(self, batch: Batch, checked: Checked) -> list[dict[str, Any]]:
        """Why a batch fails before it starts: its lines, its model, the fault ordered, the queue."""
        faults, model = self._stock.left, checked.model
        if checked.errors:
            return list(checked.errors)
        if model in faults.unknown_models:
            return [batch_error("model_not_found", f"The provided model '{model}' is not supported by the Batch API.")]
        if batch.fate == "fail":
            return [batch_error(faults.fail_code, f"The stand-in was told to fail this batch: {faults.fail_code}.")]
        limit = faults.enqueued_tokens
        if limit is None or self._enqueued(model) + checked.tokens <= limit:
            return []
        message = (
            f"Enqueued token limit reached for {model} in organization stand-in. Limit: {limit} enqueued tokens. "
            "Please try again once some in_progress batches have been completed."
        )
        return [batch_error("token_limit_exceeded", message)]

    def _enqueued(self, model: str | None) -> int:
        since = time.time() - self._stock.left.enqueued_lag
        return sum(
            batch.tokens
            for batch in self._batches.values()
            if batch.asked_model == model and (batch.ended is None or batch.ended > since)
        )

    def _progress(self, batch: Batch, lines: int) -> None:
        """Count up for half of the time; a stuck batch stops in the middle until it is cancelled."""
        for step in range(1, _STEPS + 1):
            if batch.cancelled.wait(self._seconds / 2 / _STEPS):
                return
            with self._lock:
                if batch.fields["status"] == "in_progress":
                    batch.fields["request_counts"]["completed"] = lines * step // _STEPS
            if batch.fate == "stuck" and step == _STEPS // 2:
                batch.cancelled.wait()
                return

    def _finish(self, batch: Batch, content: bytes, lines: int, done: int) -> None:
        if self._closing.is_set():
            return
        faults = self._stock.left
        ordered = {"expire": "expired", "cancel": "cancelled", "fail_halfway": "failed"}.get(batch.fate or "")
        end = "cancelled" if batch.cancelled.is_set() else ordered or "completed"
        if end == "completed":
            with self._lock:
                self._move(batch, "finalizing")
        else:
            done = int(done * faults.partial)
        work = Work(
            batch.fields["id"],
            batch.fields["endpoint"],
            self._model,
            int(time.time()),
            done,
            None if end == "completed" else f"batch_{end}",
            unlisted=faults.unlisted,
            all_failed=batch.fate == "all_failed",
            in_order=faults.in_order,
            unknown=faults.unknown if done == lines else 0,
        )
        for _ in range(work.unknown):
            self._stock.take("unknown")
        results = results_of(content, work, self._stock.take_for_line)
        if end == "completed":
            batch.cancelled.wait(self._seconds / 4)
        if batch.cancelled.is_set():
            self._closing.wait(self._seconds / 4)
        with self._lock:
            if self._closing.is_set():
                return
            end = "cancelled" if batch.cancelled.is_set() else end
            self._publish(batch, results, end)
            self._end(batch, end)

    def _publish(self, batch: Batch, results: Results, end: str) -> None:
        fields = batch.fields
        for key, lines in (("output", results.output), ("error", results.errors)):
            if lines:
                content = b"\n".join(lines) + b"\n"
                kept = self._files.add(content, f"{fields['id']}_{key}.jsonl", "batch_output")
                fields[f"{key}_file_id"] = kept["id"]
        if end == "failed":
            error = batch_error("server_error", "The stand-in was told to fail this batch halfway.")
            fields["errors"] = {"object": "list", "data": [error]}
        fields["request_counts"] |= {"completed": results.completed, "failed": results.failed}
        fields["usage"] = {
            "input_tokens": results.input_tokens,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": results.output_tokens,
            "output_tokens_details": {"reasoning_tokens": results.reasoning_tokens},
            "total_tokens": results.input_tokens + results.output_tokens,
        }

    def _end(self, batch: Batch, status: str) -> None:
        batch.ended = time.time()
        self._move(batch, status)

    def _move(self, batch: Batch, status: str) -> None:
        batch.fields |= {"status": status, f"{status}_at": int(time.time())}
        self._keep(batch)

    def _keep(self, batch: Batch) -> None:
        if self._folder is not None:
            names = ("fields", "number", "came", "fate", "tokens", "asked_model", "ended", "retrieved")
            write_whole(self._folder / f"{batch.fields['id']}.json", {name: getattr(batch, name) for name in names})
