"""Jobs and shards as the ledger keeps them, the states of a shard, and what they cost.

A shard goes through these states; the ones that end in -ING are intents, written before the call they name::

    WRITTEN ─► UPLOADING ─► UPLOADED ─► CREATING ─► SUBMITTED ─► COLLECTED
       ▲  ▲________│           ▲___________│            │
       └────────────────────────────────────────────────┘  a batch that the provider refused to queue
    WRITTEN, UPLOADED ─► SUBMITTED   a batch that a copy of this ledger sent already
    EXPORTED ─► COLLECTED            run by another program
    CANCELLED                        given up by the user before it was sent, or unknown to the provider
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The reason of a shard that its user cancelled: what it did not answer is not sent again.
STOPPED = "cancelled by the user"
#: States of a shard that waits to be made a batch; an uploaded file holds nothing of the provider's queue.
UNSENT = ("WRITTEN", "UPLOADED")
#: States of a shard that hold tokens of the provider's queue, or may.
IN_FLIGHT = ("UPLOADING", "CREATING", "SUBMITTED")
#: States of a shard whose requests may still be answered.
UNFINISHED = (*UNSENT, *IN_FLIGHT, "EXPORTED")


@dataclass(frozen=True, slots=True)
class Job:
    """One plan: questions of one purpose to one model. Prices in USD per million tokens.

    ``address`` is where its files were sent (host and path), None before the first.
    """

    job_id: str
    purpose: str
    created_at: str
    run_id: str | None
    model: str
    endpoint: str
    price_input: float
    price_output: float
    price_as_of: str
    address: str | None

    def cost(self, input_tokens: int, output_tokens: int) -> float:
        """USD for so many tokens in and out."""
        return (input_tokens * self.price_input + output_tokens * self.price_output) / 1_000_000


@dataclass(frozen=True, slots=True)
class Shard:
    """One request file. ``output_tokens`` is the most that its answers may have; moments are seconds since 1970.

    ``round`` counts how often its requests were sent before, ``attempt`` how often this file was submitted;
    ``ended_at`` is when its batch was first seen to have ended, ``not_before`` when it may be tried again.
    """

    shard_id: int
    job_id: str
    number: int
    round: int
    path: str
    sha256: str
    bytes: int
    requests: int
    input_tokens: int
    output_tokens: int
    state: str
    attempt: int
    intent_at: float
    not_before: float
    file_id: str | None
    batch_id: str | None
    status: str | None
    lines_done: int
    output_file_id: str | None
    error_file_id: str | None
    ended_at: float | None
    submitted_at: float | None
    reason: str | None
    used_input: int
    used_output: int
    answered: int
    failed: int
    missing: int
    odd_lines: int

    @property
    def identity(self) -> tuple[str, str, str]:
        """What is the same for every batch of this file, whoever sent it: job, number, digest."""
        return (self.job_id, str(self.number), self.sha256)

    @property
    def metadata(self) -> dict[str, str]:
        """What a batch of this shard carries, so that it can be found again."""
        return {
            "program": "wiq",
            "job": self.job_id,
            "shard": str(self.number),
            "sha256": self.sha256,
            "attempt": str(self.attempt),
        }

    @property
    def filename(self) -> str:
        """The name under which this shard's file is uploaded, so that it can be found again."""
        return f"wiq-{self.job_id}-{self.number:05d}-{self.attempt}-{self.sha256[:16]}.jsonl"


def spent(job: Job, shards: Iterable[Shard]) -> float:
    """USD that a job has cost so far: what its answers used, by the batch prices."""
    return sum(job.cost(shard.used_input, shard.used_output) for shard in shards if shard.job_id == job.job_id)


def committed(job: Job, shards: Iterable[Shard]) -> float:
    """USD that a job's shards in flight may still cost at most."""
    return sum(
        job.cost(shard.input_tokens, shard.output_tokens)
        for shard in shards
        if shard.job_id == job.job_id and shard.state in IN_FLIGHT
    )
