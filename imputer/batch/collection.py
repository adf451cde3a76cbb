"""The answers of a batch that has ended: whatever its end was, both of its files are fetched and read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from imputer.batch.reading import read_shard
from imputer.batch.recovery import moment
from imputer.batch.submission import postpone
from imputer.errors import ProviderPartial

if TYPE_CHECKING:
    from openai.types import Batch

    from imputer.batch.ledger import Ledger, Shard
    from imputer.batch.options import BatchOptions
    from imputer.batch.service import Service

# A file id may lag behind the end of its batch, and a download may be short: looks before missing lines are believed.
_LOOKS = 10
# Errors of a batch that say only that the queue is full.
_QUEUE_FULL = frozenset({"token_limit_exceeded", "rate_limit_exceeded", "too_many_batches"})


def collect(ledger: Ledger, service: Service, shard: Shard, batch: Batch, options: BatchOptions) -> bool:
    """Collect a batch that has ended; returns whether it is done with, or must be looked at again.

    Raises what the service raises. Killed at any moment, it does the same again.
    """
    if batch.status == "failed" and (full := _queue_full(batch)):
        postpone(ledger, shard, options, full)
        return True
    folder = ledger.folder / Path(shard.path).parent
    stem = Path(shard.path).name.removesuffix(".requests.jsonl")
    paths = []
    for file_id, kind in ((batch.output_file_id, "output"), (batch.error_file_id, "errors")):
        path = folder / f"{stem}.{kind}.jsonl"
        if file_id and not _fetch(ledger, service, shard, file_id, path):
            return False
        if file_id:
            paths.append(path)
    default = _reason_of_end(batch)
    read = read_shard(ledger, shard, paths, batch.id, options, missing=default, last=shard.looks >= _LOOKS)
    if read is None:
        ledger.change(shard, looks=shard.looks + 1)
        return False
    usage = batch.usage
    if usage is not None and (usage.input_tokens > read.used_input or usage.output_tokens > read.used_output):
        used = (max(usage.input_tokens, read.used_input), max(usage.output_tokens, read.used_output))
        ledger.change(shard, used_input=used[0], used_output=used[1])
    return True


def _fetch(ledger: Ledger, service: Service, shard: Shard, file_id: str, path: Path) -> bool:
    """Download a file; one that cannot be had is looked for again, and given up in the end."""
    try:
        service.download(file_id, path)
    except ProviderPartial as error:
        ledger.note(moment(), shard, f"file {file_id} could not be fetched: {error.found}")
        if shard.looks < _LOOKS:
            ledger.change(shard, looks=shard.looks + 1)
            return False
        path.touch()
    return True


def _queue_full(batch: Batch) -> str | None:
    for error in (batch.errors.data if batch.errors else None) or []:
        if error.code in _QUEUE_FULL:
            return str(error.code)
    return None


def _reason_of_end(batch: Batch) -> str:
    errors = (batch.errors.data if batch.errors else None) or []
    if batch.status == "failed":
        return f"batch_failed: {errors[0].code if errors and errors[0].code else 'no code'}"
    return "missing" if batch.status == "completed" else f"batch_{batch.status}"
