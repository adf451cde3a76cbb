"""Request files to batches: intent into the ledger, one call, its outcome into the ledger; shard by shard.

What may wait at the provider is bounded by the budget of tokens, what may be spent by the cap: what the open jobs of a
purpose have cost, plus the most that everything of theirs under way may still cost, never exceeds it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imputer.batch.jobs import IN_FLIGHT, UNSENT
from imputer.batch.recovery import adopt, moment, recover
from imputer.batch.service import Rejected, Uncertain
from schemas.errors import Incomplete

if TYPE_CHECKING:
    from imputer.batch.jobs import Job, Shard
    from imputer.batch.ledger import Ledger
    from imputer.batch.options import BatchOptions
    from imputer.batch.service import Service

# Times that one call is tried in one pass before the shard is put off.
_TRIES = 3
# A shard that is put off waits for one look at the batches, doubled each time, up to the longest wait in seconds.
_LONGEST_WAIT = 3_600.0


@dataclass(frozen=True, slots=True)
class Sending:
    """What one command may send: written shards of a purpose, or of all where it is None.

    ``open_jobs`` were open when the command began, and count toward its cap to its end: one that is done meanwhile
    does not make room for another. ``rejected`` are the shards that the provider refused; they are not tried again.
    """

    options: BatchOptions
    purpose: str | None
    open_jobs: frozenset[str]
    rejected: set[int] = field(default_factory=set)


def submit_what_fits(ledger: Ledger, service: Service, sending: Sending) -> int:
    """Submit shards, oldest first, as budget and cap allow; returns how many. Needs ``recover`` before.

    The provider is asked first whether a copy of this ledger sent any of them.
    """
    submitted = 0
    asked = False
    for listed in ledger.shards(*UNSENT, purpose=sending.purpose):
        if listed.shard_id in sending.rejected or time.time() < listed.not_before:
            continue
        if not _fits(ledger, listed, sending):
            continue
        if not asked:
            adopt(ledger, service)
            asked = True
        # What was adopted may leave no room.
        shard = ledger.shard(listed.shard_id)
        if shard.state in UNSENT and _fits(ledger, shard, sending):
            submitted += _submit(ledger, service, shard, sending)
    return submitted


def over_cap(ledger: Ledger, sending: Sending) -> list[Shard]:
    """Shards that wait because the cap does not allow them."""
    return [one for one in ledger.shards(*UNSENT, purpose=sending.purpose) if not _affordable(ledger, one, sending)]


def postpone(ledger: Ledger, shard: Shard, options: BatchOptions, reason: str) -> Shard:
    """Set a shard that the provider did not queue aside for a while; nothing of it was run."""
    wait = min(options.poll * 2.0 ** min(shard.attempt, 10), _LONGEST_WAIT)
    ledger.note(moment(), shard, f"{shard.batch_id or 'the shard'} was not queued: {reason}")
    unknown = dict.fromkeys(("file_id", "batch_id", "status", "ended_at"))
    return ledger.change(shard, state="WRITTEN", reason=reason, not_before=time.time() + wait, **unknown)


def _fits(ledger: Ledger, shard: Shard, sending: Sending) -> bool:
    waiting = [one for one in ledger.shards(*IN_FLIGHT) if one.shard_id != shard.shard_id]
    model = ledger.job(shard.job_id).model
    same_model = {one.job_id for one in ledger.jobs() if one.model == model}
    tokens = sum(one.input_tokens for one in waiting if one.job_id in same_model)
    # A shard that is above the budget by itself (it was lowered since) goes alone.
    room = not tokens or tokens + shard.input_tokens <= sending.options.enqueued_tokens
    return room and _affordable(ledger, shard, sending)


def _affordable(ledger: Ledger, shard: Shard, sending: Sending) -> bool:
    """Whether the open jobs of its purpose stay below the cap with a shard."""
    job = ledger.job(shard.job_id)
    counted = {one.job_id: one for one in ledger.jobs() if one.job_id in sending.open_jobs}
    others = [one for one in ledger.shards(purpose=job.purpose) if one.shard_id != shard.shard_id]
    held = sum(_at_most(counted[one.job_id], one) for one in others if one.job_id in counted)
    return held + job.cost(shard.input_tokens, shard.output_tokens) <= sending.options.max_cost


def _at_most(job: Job, shard: Shard) -> float:
    """USD that a shard has cost, or what it may cost where it is under way."""
    held = job.cost(shard.input_tokens, shard.output_tokens) if shard.state in IN_FLIGHT else 0.0
    return job.cost(shard.used_input, shard.used_output) + held


def _submit(ledger: Ledger, service: Service, shard: Shard, sending: Sending) -> bool:
    path = ledger.folder / shard.path
    if not path.is_file():
        raise Incomplete(f"the request file {path} is gone", "the file that the ledger names", "nothing")
    job = ledger.job(shard.job_id)
    if job.address != service.address:
        ledger.set_address(job.job_id, service.address)
    waited, reason = max(shard.not_before - shard.intent_at, 0.0), ""
    for _ in range(_TRIES):
        try:
            if shard.state == "WRITTEN":
                attempt = shard.attempt + 1
                shard = ledger.change(shard, state="UPLOADING", attempt=attempt, intent_at=time.time(), reason=None)
                shard = ledger.change(shard, state="UPLOADED", file_id=service.upload(path, shard.filename))
            file_id = str(shard.file_id)
            shard = ledger.change(shard, state="CREATING", intent_at=time.time())
            batch = service.create(file_id, job.endpoint, shard.metadata)
            sent = {"batch_id": batch.id, "status": batch.status, "submitted_at": time.time()}
            ledger.change(shard, state="SUBMITTED", reason=None, ended_at=None, **sent)
        except Uncertain as error:
            reason = str(error)
            ledger.note(moment(), shard, f"left open whether it was done: {reason}")
            recover(ledger, service, sending.options.settle)
            shard = ledger.shard(shard.shard_id)
            if shard.state == "SUBMITTED":
                return True
        except Rejected as error:
            postpone(ledger, ledger.shard(shard.shard_id), sending.options, str(error))
            sending.rejected.add(shard.shard_id)
            return False
        else:
            return True
    _put_off(ledger, shard, sending.options, waited, reason)
    return False


def _put_off(ledger: Ledger, shard: Shard, options: BatchOptions, waited: float, reason: str) -> None:
    """Leave a shard as far as it came, for twice as long as it ``waited`` before."""
    wait = min(max(2.0 * waited, options.poll), _LONGEST_WAIT)
    ledger.note(moment(), shard, f"put off for {wait:.0f} s: {reason}")
    ledger.change(shard, reason=reason, not_before=time.time() + wait)
