"""After a crash, or an error that leaves it open: what the provider has is found, adopted, and its doubles cancelled.

Files are known by their names, batches by their metadata. Nothing is sent again before the provider was asked, and
not before ``settle`` seconds have passed since the intent: a request may be under way when its sender dies.

A batch is known by job, number and digest of its file also where a copy of the ledger sent it: it is adopted, too.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from imputer.batch.jobs import IN_FLIGHT, UNSENT
from imputer.errors import WrongUsage

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai.types import Batch

    from imputer.batch.jobs import Shard
    from imputer.batch.ledger import Ledger
    from imputer.batch.service import Service

F = TypeVar("F")

# Clocks differ: how far back of an intent its batch may seem to lie, in seconds.
_SKEW = 3_600.0
# Statuses of a batch that does nothing more.
OVER = frozenset({"completed", "failed", "expired", "cancelled"})
# Errors of a batch that say only that the queue is full.
_QUEUE_FULL = frozenset({"token_limit_exceeded", "rate_limit_exceeded", "too_many_batches"})
_LISTING = 0.5  # seconds between two looks at the list


def recover(ledger: Ledger, service: Service, settle: float) -> None:
    """Bring every shard whose call was begun to a state that is known; cancel batches that double another."""
    for shard in ledger.shards("UPLOADING"):
        _find_file(ledger, service, shard, settle)
    begun = ledger.shards("CREATING")
    for shard in begun:
        _find_batch(ledger, service, shard, settle)
    cancel_doubles(ledger, service, ledger.shards("SUBMITTED"))


def cancel_doubles(ledger: Ledger, service: Service, shards: list[Shard]) -> None:
    """Cancel batches of the files of these shards that the ledger does not know, where it has another that works."""
    if not shards:
        return
    known = {shard.batch_id for shard in ledger.shards()}
    listed = list(service.batches(min(shard.intent_at for shard in shards) - _SKEW))
    # Where its own batch failed, the other is the one that is wanted: a copy of the ledger sent it later.
    failed = {batch.id for batch in listed if batch.status == "failed"}
    held = {shard.identity: shard for shard in shards if shard.batch_id not in failed}
    for batch in listed:
        shard = held.get(identity(batch))
        if shard and batch.id not in known and batch.status not in (*OVER, "cancelling"):
            service.cancel(batch.id)
            ledger.note(moment(), shard, f"batch {batch.id} doubles another and was cancelled")


def adopt(ledger: Ledger, service: Service) -> None:
    """Take over batches of files that are not sent yet: a copy of this ledger sent them.

    Their answers are then collected as any other's. A batch that only failed to be queued is none.
    """
    waiting = {shard.identity: shard for shard in ledger.shards(*UNSENT)}
    if not waiting:
        return
    made = {job.job_id: datetime.fromisoformat(job.created_at).timestamp() for job in ledger.jobs()}
    known = {shard.batch_id for shard in ledger.shards()}
    found: dict[tuple[str, str, str], list[Batch]] = {}
    for batch in service.batches(min(made[shard.job_id] for shard in waiting.values()) - _SKEW):
        if identity(batch) in waiting and batch.id not in known and not queue_full(batch):
            found.setdefault(identity(batch), []).append(batch)
    for which, batches in found.items():
        shard, first = waiting[which], min(batches, key=_usefulness)
        _take(ledger, service, shard, first, attempt=_attempt(first, shard), file_id=first.input_file_id)


def check_address(ledger: Ledger, service: Service) -> None:
    """Raise WrongUsage where batches are under way at another address: here nobody knows them."""
    for job in ledger.jobs():
        under_way = ledger.shards(*IN_FLIGHT, job_id=job.job_id)
        if job.address not in (None, service.address) and under_way:
            raise WrongUsage(
                f"{len(under_way):,} batches of job {job.job_id} are under way at another address",
                str(job.address),
                service.address,
                next_step="set OPENAI_BASE_URL (Azure: AZURE_OPENAI_ENDPOINT) as it was, until they are collected",
            )


def queue_full(batch: Batch) -> str | None:
    """Why a failed batch was not queued and nothing of it was run; None for all others."""
    if batch.status == "failed":
        for error in (batch.errors.data if batch.errors else None) or []:
            if error.code in _QUEUE_FULL:
                return str(error.code)
    return None


def identity(batch: Batch) -> tuple[str, str, str]:
    """What ``Shard.identity`` says of its shard."""
    metadata = batch.metadata or {}
    return (metadata.get("job", ""), metadata.get("shard", ""), metadata.get("sha256", ""))


def _find_file(ledger: Ledger, service: Service, shard: Shard, settle: float) -> None:
    def look() -> list[str]:
        files = service.files(shard.intent_at - _SKEW)
        return [one.id for one in files if one.filename == shard.filename and one.bytes == shard.bytes]

    found = _settled(look, shard.intent_at, settle)
    if not found:
        ledger.change(shard, state="WRITTEN", file_id=None)
        return
    # A second upload costs nothing, but would lie there for a month.
    for double in found[:-1]:
        service.delete_file(double)
    ledger.change(shard, state="UPLOADED", file_id=found[-1])
    ledger.note(moment(), shard, f"file {found[-1]} was found at the provider and adopted")


def _find_batch(ledger: Ledger, service: Service, shard: Shard, settle: float) -> None:
    def look() -> list[Batch]:
        found = service.batches(shard.intent_at - _SKEW)
        return [one for one in found if shard.metadata.items() <= (one.metadata or {}).items()]

    found = _settled(look, shard.intent_at, settle)
    if not found:
        ledger.change(shard, state="UPLOADED")
        return
    first, *doubles = sorted(found, key=_usefulness)
    _take(ledger, service, shard, first)
    for double in doubles:
        if double.status not in OVER:
            service.cancel(double.id)
            ledger.note(moment(), shard, f"batch {double.id} doubles it and was cancelled")


def _take(ledger: Ledger, service: Service, shard: Shard, batch: Batch, **values: object) -> None:
    """Enter that a batch is a shard's."""
    ledger.set_address(shard.job_id, service.address)
    values |= {"batch_id": batch.id, "status": batch.status, "ended_at": None, "reason": None}
    ledger.change(shard, state="SUBMITTED", submitted_at=time.time(), intent_at=batch.created_at, **values)
    ledger.note(moment(), shard, f"batch {batch.id} was found at the provider and adopted")


def _usefulness(batch: Batch) -> tuple[bool, int, str]:
    """Orders batches of one file: the oldest that still works, or else the oldest, for its partial results."""
    return (batch.status in ("failed", "cancelled", "cancelling"), batch.created_at, batch.id)


def _attempt(batch: Batch, shard: Shard) -> int:
    stated = (batch.metadata or {}).get("attempt", "")
    return int(stated) if stated.isdigit() else shard.attempt


def _settled(look: Callable[[], list[F]], intent_at: float, settle: float) -> list[F]:
    """What is found, looked for until it is there or must be."""
    while True:
        waited = time.time() - intent_at
        found = look()
        if found or waited >= settle:
            return found
        time.sleep(min(_LISTING, max(settle - waited, 0.01)))


def moment() -> str:
    """Now, as ISO 8601 in UTC."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
