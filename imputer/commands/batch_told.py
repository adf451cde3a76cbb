"""What commands that ask a model say: what is asked, what waits from before, what it cost, and what was not done."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imputer.batch.balance import Balance, OpenJob
    from imputer.batch.engine import Worked
    from imputer.batch.options import BatchOptions
    from imputer.batch.shards import Planned

_AGAIN = "«imputer batch plan --again» asks them again"


def tell_plan(planned: Planned, options: BatchOptions, before: Sequence[OpenJob], next_step: str) -> bool:
    """Say what is asked, by topic, what waits from before, what both cost at most, and what happens to it next.

    Returns whether that is within the cap.
    """
    for topic, (requests, cells) in sorted(planned.by_topic.items()):
        print(f"  {topic:<34} {requests:>9,} requests {cells:>11,} cells")
    for count, why in (
        (planned.answered, "answered before"),
        (planned.waiting, "being asked already"),
        (planned.unsent, "planned before, not sent yet"),
        (planned.cancelled, f"cancelled before ({_AGAIN})"),
        (planned.given_up, f"given up before ({_AGAIN})"),
    ):
        if count:
            print(f"{counted(count, 'question is', 'questions are')} not asked again: {why}.")
    if planned.requests:
        print(
            f"{counted(planned.requests, 'request')} for {counted(planned.cells, 'cell')} in "
            f"{counted(planned.shards, 'shard')}, {planned.bytes / 1e6:,.1f} MB; up to {planned.input_tokens:,} tokens "
            f"in and {planned.output_limit:,} out."
        )
        print(
            f"Cost with {options.model}: about {usd(planned.cost)}, at most {usd(planned.ceiling)} "
            f"(batch prices of {planned.prices_as_of}; a token for every two bytes, an upper estimate)."
        )
    else:
        print("Nothing new to ask.")
    within = tell_open(before, options, planned.ceiling)
    if planned.requests:
        print(next_step, flush=True)
    return within


def tell_open(before: Sequence[OpenJob], options: BatchOptions, ceiling: float = 0.0) -> bool:
    """Say what waits from before, job by job; returns whether it may all be sent, with ``ceiling`` USD of new questions.

    The cap holds for the open jobs of one purpose together.
    """
    totals = {"impute": ceiling}
    for one in before:
        about = f"Job {one.job.job_id} of before ({one.job.purpose}, {one.job.model})"
        for count, cost, how in ((one.unsent, one.unsent_cost, "not sent yet"), (one.sent, one.sent_cost, "under way")):
            if count:
                print(f"{about}: {counted(count, 'request')} {how}, at most {usd(cost)}.")
        totals[one.job.purpose] = totals.get(one.job.purpose, 0.0) + one.unsent_cost + one.sent_cost + one.spent
    within = True
    for purpose, total in totals.items():
        if total and (one_of := [one for one in before if one.job.purpose == purpose]):
            spent = sum(one.spent for one in one_of)
            paid = f", of which {usd(spent)} are spent" if spent else ""
            print(f"All that is open together ({purpose}): at most {usd(total)}{paid}.")
        if total > options.max_cost:
            within = False
            print(
                f"At most is above the cap of {usd(options.max_cost)}: only as much is sent as cannot pass it "
                "(--max-cost raises it).",
                file=sys.stderr,
            )
    sys.stdout.flush()
    return within


def tell_unfinished(worked: Worked, options: BatchOptions, *, wait: bool) -> int:
    """Say what was refused, put off, or waits for the user; returns the exit status."""
    for number, reason in worked.rejected.items():
        print(f"FAILED: shard {number} was refused by the provider: {reason}", file=sys.stderr)
    for number, reason in worked.delayed.items():
        print(f"Shard {number} was put off by the provider and is tried again later: {reason}", file=sys.stderr)
    if worked.over_cap:
        waits = counted(worked.over_cap, "shard waits", "shards wait")
        print(
            f"FAILED: {waits}: with all of it, what is open could cost more than {usd(options.max_cost)}. "
            "Raise --max-cost, or cancel with «imputer batch cancel».",
            file=sys.stderr,
        )
    return 1 if worked.rejected or worked.over_cap or (wait and not worked.done) else 0


def tell_balance(came: Balance, *, quiet: bool = False) -> int:
    """Say what was spent and, also with ``quiet``, what was given up; returns the exit status, 1 for a lost shard."""
    if (came.cost or came.input_tokens) and not quiet:
        tokens = f"{came.input_tokens:,} tokens in, {came.output_tokens:,} out"
        print(f"The answers cost {usd(came.cost)}: {tokens}.", flush=True)
    if came.given_up:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in came.given_up.most_common())
        told = counted(came.given_up.total(), "question was", "questions were")
        print(f"{told} given up ({reasons}): see «imputer gaps» and «imputer batch status».", file=sys.stderr)
    if came.lost:
        print(
            f"FAILED: of {counted(len(came.lost), 'shard')} nothing was answered; {_AGAIN}.",
            file=sys.stderr,
        )
    return 1 if came.lost else 0


def counted(count: int, one: str, many: str | None = None) -> str:
    """A number and its noun."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def usd(sum_: float) -> str:
    """A sum of money, small ones to the hundredth of a cent."""
    return f"{sum_:,.2f} USD" if sum_ >= 1 or not sum_ else f"{sum_:,.4f} USD"
