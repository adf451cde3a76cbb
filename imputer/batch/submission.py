"""Request files to batches: intent into the ledger, one call, its outcome into the ledger; shard by shard.

What may wait at the provider is bounded by the budget of tokens, what may be spent by the cap: the cost of what was
answered plus the most that everything under way may still cost never exceeds it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from imputer.batch.ledger import IN_FLIGHT, committed, spent
from imputer.batch.recovery import moment, recover
from imputer.batch.service import Rejected, Uncertain
from schemas.errors import Incomplete

if TYPE_CHECKING:
    from imputer.batch.ledger import Job, Ledger, Shard
    from imputer.batch.options import BatchOptions
    from imputer.batch.service import Service

# Times that one call is tried in one pass before the shard waits for the next.
_TRIES = 3
# A batch that could not be queued waits so many looks, doubled each time, up to the longest wait in seconds.
_LONGEST_WAIT = 3_600.0


def submit_what_fits(
    ledger: Ledger, service: Service, options: BatchOptions, rejected: set[int], purpose: str | None = None
) -> int:
    """Submit written shards, oldest first, as budget and cap allow; returns how many. Needs ``recover`` before.

    ``purpose``: those of its jobs only.
    ``rejected`` gains the shards that the provider refuses to take; they are not tried again by this process.
    """
    submitted = 0
    for shard in ledger.shards("UPLOADED", "WRITTEN", purpose=purpose):
        if shard.shard_id in rejected:
            continue
        job = ledger.job(shard.job_id)
        if time.time() < shard.not_before or not _fits(ledger, shard, job, options):
            continue
        submitted += _submit(ledger, service, shard, job, options, rejected)
    return submitted


def over_cap(ledger: Ledger, options: BatchOptions, purpose: str | None = None) -> list[Shard]:
    """Written shards that wait because the cap of their job does not allow them, with everything else done."""
    return [
        shard
        for shard in ledger.shards("WRITTEN", "UPLOADED", purpose=purpose)
        if not _affordable(ledger, shard, ledger.job(shard.job_id), options)
    ]


def postpone(ledger: Ledger, shard: Shard, options: BatchOptions, reason: str) -> Shard:
    """Set a shard that the provider did not queue aside for a while; nothing of it was run."""
    wait = min(options.poll * 2.0 ** min(shard.attempt, 10), _LONGEST_WAIT)
    ledger.note(moment(), shard, f"{shard.batch_id or 'the shard'} was not queued: {reason}")
    return ledger.change(
        shard, state="WRITTEN", reason=reason, not_before=time.time() + wait, file_id=None, batch_id=None, status=None
    )


def _fits(ledger: Ledger, shard: Shard, job: Job, options: BatchOptions) -> bool:
    waiting = [one for one in ledger.shards(*IN_FLIGHT) if one.shard_id != shard.shard_id]
    same_model = {one.job_id for one in ledger.jobs() if one.model == job.model}
    tokens = sum(one.input_tokens for one in waiting if one.job_id in same_model)
    # A shard that is above the budget by itself (it was lowered since) goes alone.
    return (not tokens or tokens + shard.input_tokens <= options.enqueued_tokens) and _affordable(
        ledger, shard, job, options
    )


def _affordable(ledger: Ledger, shard: Shard, job: Job, options: BatchOptions) -> bool:
    others = [one for one in ledger.shards(job_id=job.job_id) if one.shard_id != shard.shard_id]
    ceiling = job.cost(shard.input_tokens, shard.output_tokens)
    return spent(job, others) + committed(job, others) + ceiling <= options.max_cost


def _submit(
    ledger: Ledger, service: Service, shard: Shard, job: Job, options: BatchOptions, rejected: set[int]
) -> bool:
    path = ledger.folder / shard.path
    if not path.is_file():
        raise Incomplete(f"the request file {path} is gone", "the file that the ledger names", "nothing")
    for _ in range(_TRIES):
        try:
            if shard.state == "WRITTEN":
                attempt = shard.attempt + 1
                shard = ledger.change(shard, state="UPLOADING", attempt=attempt, intent_at=time.time(), reason=None)
                shard = ledger.change(shard, state="UPLOADED", file_id=service.upload(path, shard.filename))
            file_id = str(shard.file_id)
            shard = ledger.change(shard, state="CREATING", intent_at=time.time())
            batch = service.create(file_id, job.endpoint, shard.metadata)
            ledger.change(
                shard, state="SUBMITTED", batch_id=batch.id, status=batch.status, submitted_at=time.time(), looks=0
            )
        except Uncertain as error:
            ledger.note(moment(), shard, f"left open whether it was done: {error}")
            recover(ledger, service, options.settle)
            shard = ledger.shard(shard.shard_id)
            if shard.state == "SUBMITTED":
                return True
        except Rejected as error:
            postpone(ledger, ledger.shard(shard.shard_id), options, str(error))
            rejected.add(shard.shard_id)
            return False
        else:
            return True
    return False
