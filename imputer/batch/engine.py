"""The work of a ledger, pass by pass: recover, submit what fits, look at what is under way, collect what has ended."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imputer.batch.collection import collect
from imputer.batch.ledger import IN_FLIGHT, STOPPED, Job, Ledger
from imputer.batch.prices import Price
from imputer.batch.recovery import OVER, moment, recover
from imputer.batch.shards import write_again
from imputer.batch.submission import over_cap, submit_what_fits

if TYPE_CHECKING:
    from collections.abc import Callable

    from imputer.batch.options import BatchOptions
    from imputer.batch.service import Service

_SHORT = 5.0  # seconds before something that lags is looked at again, at most


@dataclass(frozen=True, slots=True)
class Worked:
    """How things stand when the work pauses or ends: shards under way, waiting, above the cap, refused."""

    in_flight: int
    waiting: int
    over_cap: int
    rejected: dict[int, str] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return not (self.in_flight or self.waiting)


def work(
    ledger: Ledger,
    service: Service,
    options: BatchOptions,
    *,
    wait: bool = True,
    submit: bool = True,
    show: Callable[[Ledger], None] = lambda _: None,
    purpose: str | None = None,
) -> Worked:
    """Work until everything is collected, or with ``wait`` false for one pass.

    ``purpose``: only jobs of this purpose are sent and waited for; what others have under way is collected in passing.
    ``show`` is told the ledger after each step. Raises ProviderRefused and ProviderPartial; what was done stands in
    the ledger, and the next call goes on from there.
    """
    rejected: set[int] = set()
    recover(ledger, service, options.settle)
    while True:
        if submit:
            submit_what_fits(ledger, service, options, rejected, purpose)
        show(ledger)
        lagging = look(ledger, service, options)
        if submit:
            for job in ledger.jobs():
                if purpose in (None, job.purpose):
                    _send_again(ledger, job, options)
        show(ledger)
        worked = _state(ledger, options, rejected, purpose)
        if not wait or worked.done or _nothing_comes(ledger, worked, rejected, purpose):
            return worked
        if _ready(ledger, worked, rejected, purpose):
            continue
        time.sleep(min(options.poll, _SHORT) if lagging else options.poll)


def look(ledger: Ledger, service: Service, options: BatchOptions) -> bool:
    """Look at every batch under way and collect those that have ended; returns whether one must be looked at again."""
    lagging = False
    for shard in ledger.shards("SUBMITTED"):
        batch = service.batch(str(shard.batch_id))
        counts = batch.request_counts
        # For the eye only: what is answered is known from the lines.
        done = counts.completed + counts.failed if counts else 0
        files = {"output_file_id": batch.output_file_id, "error_file_id": batch.error_file_id}
        shard = ledger.change(shard, status=batch.status, lines_done=done, **files)  # noqa: PLW2901 (the same shard, as it is now)
        if batch.status in OVER:
            lagging |= not collect(ledger, service, shard, batch, options)
    return lagging


def stop(ledger: Ledger, service: Service | None, job_id: str | None, options: BatchOptions) -> int:
    """Cancel the batches of a job, or of all; what was answered by then is kept. Returns how many shards it concerns.

    Without a service only what was not sent can be cancelled.
    """
    if service is not None:
        recover(ledger, service, options.settle)
        for shard in ledger.shards("SUBMITTED", job_id=job_id):
            ledger.change(shard, reason=STOPPED)
            status = service.cancel(str(shard.batch_id))
            ledger.change(shard, status=status)
    unsent = ledger.shards("WRITTEN", "UPLOADED", "EXPORTED", job_id=job_id)
    with ledger.transaction() as connection:
        for shard in unsent:
            ledger.change(shard, state="CANCELLED", reason=STOPPED)
            connection.execute(
                "UPDATE requests SET state = 'CANCELLED', reason = ? WHERE shard_id = ? AND state = 'ASKED'",
                [STOPPED, shard.shard_id],
            )
        connection.execute(
            "UPDATE requests SET state = 'CANCELLED', reason = ? WHERE state = 'RETRY' AND shard_id IN "
            "(SELECT shard_id FROM shards WHERE ? IS NULL OR job_id = ?)",
            [STOPPED, job_id, job_id],
        )
    ledger.note(moment(), None, f"cancelled: {job_id or 'all jobs'}")
    return len(unsent) + len(ledger.shards("SUBMITTED", job_id=job_id))


def _send_again(ledger: Ledger, job: Job, options: BatchOptions) -> None:
    # Together, when the rest of the job is in.
    if not ledger.shards(*IN_FLIGHT, "WRITTEN", "EXPORTED", job_id=job.job_id):
        write_again(ledger, job, options, Price(job.model, job.price_input, job.price_output, job.price_as_of))


def _state(ledger: Ledger, options: BatchOptions, rejected: set[int], purpose: str | None) -> Worked:
    waiting = ledger.shards("WRITTEN", purpose=purpose)
    return Worked(
        in_flight=len(ledger.shards(*IN_FLIGHT, purpose=purpose)),
        waiting=len(waiting),
        over_cap=len(over_cap(ledger, options, purpose)),
        rejected={shard.number: shard.reason or "" for shard in waiting if shard.shard_id in rejected},
    )


def _nothing_comes(ledger: Ledger, worked: Worked, rejected: set[int], purpose: str | None) -> bool:
    """Whether all that waits waits for the user: refused by the provider, or above the cap with nothing under way."""
    if worked.in_flight:
        return False
    waiting = {shard.shard_id for shard in ledger.shards("WRITTEN", purpose=purpose)}
    return worked.waiting <= len(waiting & rejected) + worked.over_cap


def _ready(ledger: Ledger, worked: Worked, rejected: set[int], purpose: str | None) -> bool:
    """Whether a shard could be submitted at once, its queue being empty."""
    now = time.time()
    waiting = [shard for shard in ledger.shards("WRITTEN", purpose=purpose) if shard.shard_id not in rejected]
    return not worked.in_flight and any(shard.not_before <= now for shard in waiting)
