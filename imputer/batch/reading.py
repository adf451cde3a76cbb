"""Answer files of a shard to accepted answers and outcomes of requests; every line is accounted for.

What is not answered and not failed by a line of its own is missing: answered + failed + missing = sent, always.
"""

from __future__ import annotations

import gc
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from imputer.batch.accepted import Acceptance, accepted_path
from imputer.batch.answers import BLANK, FINAL, read_line
from imputer.batch.contracts import Contract
from imputer.batch.jobs import STOPPED
from imputer.batch.recovery import moment
from imputer.errors import ExpectationFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from imputer.batch.answers import Answer
    from imputer.batch.jobs import Shard
    from imputer.batch.ledger import Ledger, Request
    from imputer.batch.options import BatchOptions


@dataclass(slots=True)
class Read:
    """What the files of a shard hold: requests by outcome, and lines that belong to none of them."""

    answered: int = 0
    missing: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    duplicates: int = 0
    unknown: int = 0
    unreadable: int = 0
    used_input: int = 0
    used_output: int = 0
    unmetered: int = 0  # lines that do not say what they used, though the model may have worked for them

    @property
    def odd_lines(self) -> int:
        """Lines that are nobody's, or somebody's second."""
        return self.duplicates + self.unknown + self.unreadable


def read_shard(
    ledger: Ledger,
    shard: Shard,
    paths: Iterable[Path],
    batch_id: str,
    options: BatchOptions,
    *,
    missing: str = "missing",
    last: bool = True,
) -> Read | None:
    """Read answer files, write what is accepted, and enter every request's outcome into the ledger.

    ``missing`` is the reason of requests without a line. None, and nothing done, where some are missing and this is
    not the ``last`` look. Raises ExpectationFailed where the sums disagree.
    """
    with _no_collection():
        return _read_shard(ledger, shard, paths, batch_id, options, missing=missing, last=last)


def _read_shard(
    ledger: Ledger,
    shard: Shard,
    paths: Iterable[Path],
    batch_id: str,
    options: BatchOptions,
    *,
    missing: str,
    last: bool,
) -> Read | None:
    waiting = ledger.asked(shard.shard_id)
    sent = len(waiting)
    acceptance = Acceptance(ledger.folder / accepted_path(shard.path), batch_id, shard.round)
    read = Read()
    try:
        refused = _read_lines(ledger, shard, waiting, paths, acceptance, read)
        lost = waiting.keys() - read.failed.keys()
        read.missing = len(lost)
        if not last and (lost or "malformed_line" in read.failed.values()):
            acceptance.drop()
            return None
        acceptance.close()
    except BaseException:
        acceptance.drop()
        raise
    if read.answered + len(read.failed) + read.missing != sent:
        found = f"{read.answered} answered, {len(read.failed)} failed, {read.missing} missing"
        raise ExpectationFailed(f"requests of shard {shard.number} do not add up", str(sent), found)
    _enter(ledger, shard, read, refused, dict.fromkeys(lost, missing), options)
    return read


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without the collector of circles: there are none in records, and looking for them takes a tenth of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _read_lines(
    ledger: Ledger,
    shard: Shard,
    waiting: dict[str, Request],
    paths: Iterable[Path],
    acceptance: Acceptance,
    read: Read,
) -> list[tuple[str, str, str]]:
    """Read every line; ``waiting`` loses what is answered. Returns the cells that were not accepted."""
    contracts = _Contracts(ledger)
    refused: list[tuple[str, str, str]] = []
    failed = read.failed
    used_input = used_output = answered = 0
    with ExitStack() as files:
        for answer in map(read_line, chain.from_iterable([files.enter_context(path.open("rb")) for path in paths])):
            about = waiting.pop(answer.key or "", None)
            if about is None and not _second(ledger, shard, answer, read):
                continue
            used_input += answer.input_tokens
            used_output += answer.output_tokens
            if about is None:
                continue
            bad = None if answer.content is None else acceptance.take(answer, contracts[about[1]], about)
            if bad is None:
                waiting[about[0]] = about
                failed[about[0]] = answer.reason or "invalid_answer"
                read.unmetered += _unmetered(answer)
                continue
            answered += 1
            if bad or failed or not answer.input_tokens:
                failed.pop(about[0], None)
                read.unmetered += not answer.input_tokens
                refused += [(about[0], cell, reason) for cell, reason in bad.items()]
    read.answered, read.used_input, read.used_output = answered, used_input, used_output
    return refused


def _second(ledger: Ledger, shard: Shard, answer: Answer, read: Read) -> bool:
    """Whether a line answers what was answered before; counts it, or what else it is."""
    if answer.key is None:
        read.unreadable += answer.reason != BLANK
        read.unmetered += answer.reason != BLANK
        return False
    second = ledger.asks(shard.shard_id, answer.key)
    read.duplicates += second
    read.unknown += not second
    return second


def _unmetered(answer: Answer) -> bool:
    """Whether a line without an accepted answer may have been paid and does not say how much it took.

    What the provider refused or did not run is not paid; it has no id of a request, or a status of its own.
    """
    refused = (answer.reason or "").startswith(("http_", "status_")) or not answer.request_id
    return not answer.input_tokens and (answer.reason == "malformed_line" or not refused)


class _Contracts(dict[int, Contract]):
    """Contracts by their number, each read from the ledger once."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self._ledger = ledger

    def __missing__(self, number: int) -> Contract:
        """Read one."""
        self[number] = contract = Contract.from_json(self._ledger.contract(number))
        return contract


def _enter(
    ledger: Ledger,
    shard: Shard,
    read: Read,
    refused: list[tuple[str, str, str]],
    lost: dict[str, str],
    options: BatchOptions,
) -> None:
    not_answered = read.failed | lost
    stopped = shard.reason == STOPPED
    used_input, used_output = read.used_input, read.used_output
    if unmetered := min(read.unmetered, shard.requests):  # they count as the most that they may have used
        used_input += -(-shard.input_tokens * unmetered // shard.requests)
        used_output += -(-shard.output_tokens * unmetered // shard.requests)
    with ledger.transaction() as connection:
        connection.executemany(
            "UPDATE requests SET reason = ?, state = CASE WHEN ? THEN 'CANCELLED' "
            "WHEN ? OR attempts >= ? THEN 'FAILED' ELSE 'RETRY' END WHERE custom_id = ?",
            ((why, stopped, why in FINAL, options.attempts, key) for key, why in not_answered.items()),
        )
        connection.executemany(
            "INSERT OR REPLACE INTO refused_cells VALUES (?, ?, ?, ?)",
            ((key, cell, shard.shard_id, reason) for key, cell, reason in refused),
        )
        ledger.change(
            shard,
            state="COLLECTED",
            answered=read.answered,
            failed=len(read.failed),
            missing=read.missing,
            odd_lines=read.odd_lines,
            used_input=used_input,
            used_output=used_output,
        )
        if read.odd_lines:
            told = f"{read.duplicates} second, {read.unknown} unknown, {read.unreadable} unreadable lines"
            ledger.note(moment(), shard, told)
        if not_answered:
            told = ", ".join(f"{count} {why}" for why, count in sorted(Counter(not_answered.values()).items()))
            ledger.note(moment(), shard, f"not answered: {told}")
