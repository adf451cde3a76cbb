"""After a crash, or an error that leaves it open: what the provider has is found, adopted, and its doubles cancelled.

Files are known by their names, batches by their metadata. Nothing is sent again before the provider was asked, and
not before ``settle`` seconds have passed since the intent: a request may be under way when its sender dies.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai.types import Batch

    from imputer.batch.ledger import Ledger, Shard
    from imputer.batch.service import Service

F = TypeVar("F")

# Clocks differ: how far back of an intent its batch may seem to lie, in seconds.
_SKEW = 3_600.0
# Statuses of a batch that does nothing more.
OVER = frozenset({"completed", "failed", "expired", "cancelled"})
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
    """Cancel batches that ask what a batch in the ledger asks already."""
    if not shards:
        return
    known = {shard.batch_id for shard in ledger.shards()}
    jobs = {shard.job_id: shard for shard in shards}
    since = min(shard.intent_at for shard in shards) - _SKEW
    for batch in service.batches(since):
        metadata = batch.metadata or {}
        if metadata.get("job") in jobs and batch.id not in known and batch.status not in (*OVER, "cancelling"):
            service.cancel(batch.id)
            ledger.note(moment(), jobs[metadata["job"]], f"batch {batch.id} doubles another and was cancelled")


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
    # The oldest that still works, or else the oldest: its partial results are worth having.
    found.sort(key=lambda one: (one.status in ("failed", "cancelled", "cancelling"), one.created_at, one.id))
    first, *doubles = found
    ledger.change(shard, state="SUBMITTED", batch_id=first.id, status=first.status, submitted_at=time.time())
    ledger.note(moment(), shard, f"batch {first.id} was found at the provider and adopted")
    for double in doubles:
        if double.status not in OVER:
            service.cancel(double.id)
            ledger.note(moment(), shard, f"batch {double.id} doubles it and was cancelled")


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
