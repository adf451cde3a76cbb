"""The work of a ledger, pass by pass: recover, submit what fits, look at what is under way, collect what has ended."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imputer.batch.collection import collect
from imputer.batch.jobs import IN_FLIGHT, STOPPED, UNFINISHED, UNSENT, Job, Shard
from imputer.batch.prices import Price
from imputer.batch.recovery import OVER, check_address, moment, recover
from imputer.batch.service import NotThere
from imputer.batch.shards import write_again
from imputer.batch.submission import Sending, over_cap, submit_what_fits

if TYPE_CHECKING:
    from collections.abc import Callable

    from imputer.batch.ledger import Ledger
    from imputer.batch.options import BatchOptions
    from imputer.batch.service import Service

_SHORT = 5.0  # seconds before something that lags is looked at again, at most


@dataclass(frozen=True, slots=True)
class Worked:
    """How things stand when the work pauses or ends: shards under way, waiting, above the cap.

    ``rejected`` (what the provider refuses) and ``delayed`` (what it put off, to be tried again later) give the
    reasons by shard number.
    """

    in_flight: int
    waiting: int
    over_cap: int
    rejected: dict[int, str] = field(default_factory=dict)
    delayed: dict[int, str] = field(default_factory=dict)

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
    ``show`` is told the ledger after each step. Raises ProviderRefused, ProviderPartial, and WrongUsage where batches
    are under way at another address; what was done stands in the ledger, and the next call goes on from there.
    """
    sending = Sending(options, purpose, ledger.unfinished_jobs())
    check_address(ledger, service)
    recover(ledger, service, options.settle)
    while True:
        if submit:
            submit_what_fits(ledger, service, sending)
        show(ledger)
        lagging = look(ledger, service, options)
        if submit:
            for job in ledger.jobs():
                if purpose in (None, job.purpose):
                    _send_again(ledger, job, options)
        show(ledger)
        worked = _state(ledger, sending)
        if not wait or worked.done or _nothing_comes(ledger, worked, sending):
            return worked
        if _ready(ledger, worked, sending):
            continue
        time.sleep(min(options.poll, _SHORT) if lagging else options.poll)


def look(ledger: Ledger, service: Service, options: BatchOptions) -> bool:
    """Look at every batch under way and collect those that have ended; returns whether one must be looked at again.

    Raises NotThere at the end, when all others were looked at, for a batch that the provider does not know.
    """
    lagging = False
    unknown: NotThere | None = None
    for shard in ledger.shards("SUBMITTED"):
        try:
            batch = service.batch(str(shard.batch_id))
        except NotThere as error:
            unknown = unknown or _unknown(shard, error)
            continue
        counts = batch.request_counts
        # For the eye only: what is answered is known from the lines.
        done = counts.completed + counts.failed if counts else 0
        files = {"output_file_id": batch.output_file_id, "error_file_id": batch.error_file_id}
        shard = ledger.change(shard, status=batch.status, lines_done=done, **files)  # noqa: PLW2901 (the same shard, as it is now)
        if batch.status in OVER:
            lagging |= not collect(ledger, service, shard, batch, options)
    if unknown:
        raise unknown
    return lagging


def stop(ledger: Ledger, service: Service | None, job_id: str | None, options: BatchOptions) -> int:
    """Cancel the batches of a job, or of all; what was answered by then is kept. Returns how many shards it concerns.

    A batch that the provider does not know is let go: nothing will come of it. Without a service only what was not
    sent can be cancelled. Raises as ``work``.
    """
    let_go = []
    if service is not None:
        check_address(ledger, service)
        recover(ledger, service, options.settle)
        for shard in ledger.shards("SUBMITTED", job_id=job_id):
            ledger.change(shard, reason=STOPPED)
            try:
                ledger.change(shard, status=service.cancel(str(shard.batch_id)))
            except NotThere as error:
                ledger.note(moment(), shard, f"batch {shard.batch_id} is unknown and was let go: {error.found}")
                let_go.append(shard)
    unsent = ledger.shards(*UNSENT, "EXPORTED", job_id=job_id)
    with ledger.transaction() as connection:
        for shard in (*unsent, *let_go):
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
    return len(unsent) + len(let_go) + len(ledger.shards("SUBMITTED", job_id=job_id))


def _send_again(ledger: Ledger, job: Job, options: BatchOptions) -> None:
    # Together, when the rest of the job is in.
    if not ledger.shards(*UNFINISHED, job_id=job.job_id):
        write_again(ledger, job, options, Price(job.model, job.price_input, job.price_output, job.price_as_of))


def _unknown(shard: Shard, error: NotThere) -> NotThere:
    """The error of a batch that is not there, with what may be done about it."""
    return NotThere(
        f"the batch API does not know batch {shard.batch_id}, which is under way",
        "a batch of the account whose key this is",
        error.found,
        url=error.url,
        next_step="use the key that sent it, or let it go: "
        f"«imputer batch cancel --job {shard.job_id}», and «imputer batch plan --again» asks again",
    )


def _state(ledger: Ledger, sending: Sending) -> Worked:
    waiting = _waiting(ledger, sending)
    now = time.time()
    return Worked(
        in_flight=len(ledger.shards(*IN_FLIGHT, purpose=sending.purpose)),
        waiting=len(waiting),
        over_cap=len(over_cap(ledger, sending)),
        rejected={one.number: one.reason or "" for one in waiting if one.shard_id in sending.rejected},
        delayed={
            one.number: one.reason or ""
            for one in waiting
            if one.not_before > now and one.shard_id not in sending.rejected
        },
    )


def _waiting(ledger: Ledger, sending: Sending) -> list[Shard]:
    """Shards that are not batches yet, also where their files are uploaded."""
    return ledger.shards(*UNSENT, purpose=sending.purpose)


def _nothing_comes(ledger: Ledger, worked: Worked, sending: Sending) -> bool:
    """Whether all that waits waits for the user: refused by the provider, or above the cap with nothing under way."""
    return not (worked.in_flight or _free(ledger, sending))


def _ready(ledger: Ledger, worked: Worked, sending: Sending) -> bool:
    """Whether a shard could be submitted at once, its queue being empty."""
    now = time.time()
    return not worked.in_flight and any(shard.not_before <= now for shard in _free(ledger, sending))


def _free(ledger: Ledger, sending: Sending) -> list[Shard]:
    """Shards that wait, but not for the user."""
    held = sending.rejected | {shard.shard_id for shard in over_cap(ledger, sending)}
    return [shard for shard in _waiting(ledger, sending) if shard.shard_id not in held]
