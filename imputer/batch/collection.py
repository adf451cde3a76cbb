"""The answers of a batch that has ended: whatever its end was, both of its files are fetched and read."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from imputer.batch.jobs import STOPPED
from imputer.batch.reading import read_shard
from imputer.batch.recovery import moment, queue_full
from imputer.batch.service import NotThere
from imputer.batch.submission import postpone

if TYPE_CHECKING:
    from openai.types import Batch

    from imputer.batch.jobs import Shard
    from imputer.batch.ledger import Ledger
    from imputer.batch.options import BatchOptions
    from imputer.batch.service import Service

# A file id may lag behind the end of its batch, and a file behind its id: so many times the seconds after which a batch
# must be listed (a minute, as they are set) pass before missing lines are believed.
_LAG = 6.0


def collect(ledger: Ledger, service: Service, shard: Shard, batch: Batch, options: BatchOptions) -> bool:
    """Collect a batch that has ended; returns whether it is done with, or must be looked at again.

    Raises what the service raises: an outage leaves the shard as it is. Killed at any moment, it does the same again.
    """
    if shard.reason != STOPPED and (full := queue_full(batch)):
        postpone(ledger, shard, options, full)
        return True
    if shard.ended_at is None:
        shard = ledger.change(shard, ended_at=time.time())
    last = _nothing_was_run(batch) or time.time() - (shard.ended_at or 0.0) >= _LAG * options.settle
    folder = ledger.folder / Path(shard.path).parent
    stem = Path(shard.path).name.removesuffix(".requests.jsonl")
    paths = []
    for file_id, kind in ((batch.output_file_id, "output"), (batch.error_file_id, "errors")):
        path = folder / f"{stem}.{kind}.jsonl"
        if file_id and not _fetch(ledger, service, shard, file_id, path, last=last):
            return False
        if file_id:
            paths.append(path)
    read = read_shard(ledger, shard, paths, batch.id, options, missing=_reason_of_end(batch), last=last)
    if read is None:
        return False
    usage = batch.usage
    if usage is not None and usage.input_tokens:  # the bill itself, unless the lines say more
        used = (max(usage.input_tokens, read.used_input), max(usage.output_tokens, read.used_output))
        ledger.change(shard, used_input=used[0], used_output=used[1])
    return True


def _fetch(ledger: Ledger, service: Service, shard: Shard, file_id: str, path: Path, *, last: bool) -> bool:
    """Download a file; one that the provider does not have is looked for again, and given up at the last look."""
    try:
        service.download(file_id, path)
    except NotThere as error:
        if not last:
            return False
        ledger.note(moment(), shard, f"file {file_id} is gone: {error.found}")
        path.touch()
    return True


def _nothing_was_run(batch: Batch) -> bool:
    """Whether a batch failed before any line of it was done: no file is to be expected."""
    done = batch.request_counts.completed + batch.request_counts.failed if batch.request_counts else 0
    return batch.status == "failed" and not (batch.output_file_id or batch.error_file_id or done)


def _reason_of_end(batch: Batch) -> str:
    errors = (batch.errors.data if batch.errors else None) or []
    if batch.status == "failed":
        return f"batch_failed: {errors[0].code if errors and errors[0].code else 'no code'}"
    return "missing" if batch.status == "completed" else f"batch_{batch.status}"
