"""Questions to request files, in one streaming pass; memory does not grow with their number.

A shard ends before it would break a limit of the provider (requests, bytes), the budget of tokens that may wait, or
the cost that may be spent. What was asked before is not written again.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from imputer.batch.balance import unsent_topics
from imputer.batch.contracts import Contract
from imputer.batch.lines import LineMaker, key_of_line
from imputer.batch.prices import tokens_of
from imputer.errors import WrongUsage
from schemas.runs import output_unwritable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from imputer.batch.jobs import Job, Shard
    from imputer.batch.ledger import Ledger
    from imputer.batch.lines import Question
    from imputer.batch.options import BatchOptions
    from imputer.batch.prices import Price

#: What jobs are called that fill gaps; those of backtests are left to them.
PURPOSE = "impute"
#: Output tokens that an answer for one cell is expected to take; for the estimate, not for the limit.
EXPECTED_TOKENS_PER_CELL = 60
# What a plan counts a question as that was asked before, by its state; None was not asked.
_COUNTED = {
    None: None,
    "ANSWERED": "answered",
    "CANCELLED": "cancelled",
    "FAILED": "given_up",
    "OPEN": "waiting",
    "RETRY": "unsent",
}
# Questions looked up in the ledger together, and requests entered together.
_TOGETHER = 500
_ENTERED_TOGETHER = 5_000


@dataclass(slots=True)
class Planned:
    """What a plan holds. ``cost`` is an expectation, ``ceiling`` can not be exceeded; both in USD.

    ``answered``, ``waiting`` (with the provider), ``unsent`` (planned), ``cancelled`` and ``given_up`` count questions
    that were asked before and are not asked again.
    """

    job_id: str | None = None
    shards: int = 0
    requests: int = 0
    cells: int = 0
    prices_as_of: str = ""
    bytes: int = 0
    input_tokens: int = 0
    output_limit: int = 0
    ceiling: float = 0.0
    cost: float = 0.0
    answered: int = 0
    waiting: int = 0
    unsent: int = 0
    cancelled: int = 0
    given_up: int = 0
    by_topic: dict[str, list[int]] = field(default_factory=dict)

    def count_all(self, questions: list[Question], lines: list[_Line]) -> None:
        """Count questions and their lines; ``by_topic`` holds requests and cells."""
        self.requests += len(lines)
        for question, line in zip(questions, lines, strict=True):
            cells = len(question.contract.cells)
            self.cells += cells
            self.bytes += len(line.line)
            self.input_tokens += line.input_tokens
            self.output_limit += line.output_tokens
            topic = self.by_topic.setdefault(question.contract.topic, [0, 0])
            topic[0] += 1
            topic[1] += cells


class _Line(NamedTuple):
    key: str
    line: bytes
    input_tokens: int
    output_tokens: int
    contract: int
    entity_type: str
    entity_id: str
    asked_before: bool
    rests_on: str | None = None
    subject: str = ""


class ShardFile:
    """One request file in the making: written beside its place, renamed when it is whole and on disk.

    ``path`` None only counts.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.requests = self.bytes = self.input_tokens = self.output_tokens = 0
        self._digest = hashlib.sha256()
        self._temporary = path.with_name(f".{path.name}.tmp") if path else Path(os.devnull)
        self._file: BinaryIO = self._temporary.open("wb", buffering=1 << 18)

    def add(self, line: bytes, input_tokens: int, output_tokens: int) -> None:
        """Append a line."""
        self._file.write(line)
        self._digest.update(line)
        self.requests += 1
        self.bytes += len(line)
        self.input_tokens += input_tokens
        self.output_tokens += output_tokens

    def close(self) -> str:
        """Finish the file; returns the digest of what was added."""
        if self.path:
            self._file.flush()
            os.fsync(self._file.fileno())
        self._file.close()
        if self.path:
            self._temporary.replace(self.path)
        return self._digest.hexdigest()

    def drop(self) -> None:
        """Forget it, after an error."""
        self._file.close()
        if self.path:
            self._temporary.unlink(missing_ok=True)


class _Writer:
    """Writes the lines of one job into shards, and their rows into the ledger."""

    def __init__(self, ledger: Ledger, job_id: str, options: BatchOptions, price: Price, *, dry_run: bool) -> None:
        self._ledger, self._job_id, self._options, self._price = ledger, job_id, options, price
        self._dry_run = dry_run
        self._most_requests, self._most_bytes = options.most_requests, options.most_bytes
        self._most_tokens, self._most_micro_dollars = options.enqueued_tokens, options.max_cost * 1_000_000
        self._file: ShardFile | None = None
        self._shard_id = 0
        self.folder = ledger.folder / "jobs" / job_id
        self.number = ledger.next_number(job_id)

    def write(self, lines: Iterable[_Line], round_: int = 1) -> None:
        """Write them, a batch of rows at a time."""
        rows: list[_Line] = []
        try:
            for line in lines:
                if self._file is None or not self._fits(self._file, line):
                    self._finish(rows)
                    self._file = self._begin(line, round_)
                self._file.add(line.line, line.input_tokens, line.output_tokens)
                rows.append(line)
                if len(rows) >= _ENTERED_TOGETHER:
                    self._enter(rows)
            self._finish(rows)
        except BaseException:
            if self._file is not None:
                self._file.drop()
            raise

    def _fits(self, shard: ShardFile, line: _Line) -> bool:
        tokens = shard.input_tokens + line.input_tokens
        return (
            shard.requests < self._most_requests
            and shard.bytes + len(line.line) <= self._most_bytes
            and tokens <= self._most_tokens
            and tokens * self._price.input + (shard.output_tokens + line.output_tokens) * self._price.output
            <= self._most_micro_dollars
        )

    def _begin(self, line: _Line, round_: int) -> ShardFile:
        name = f"{self.number:05d}.requests.jsonl"
        if not self._dry_run:
            self.folder.mkdir(parents=True, exist_ok=True)
        file = ShardFile(None if self._dry_run else self.folder / name)
        # What was sent before goes into a file even where a limit was lowered since; submission holds it back.
        if round_ == 1 and not self._fits(file, line):
            file.drop()
            self._refuse(line)
        self._shard_id = self._ledger.begin_shard(self._job_id, self.number, round_, f"jobs/{self._job_id}/{name}")
        self.number += 1
        return file

    def _refuse(self, line: _Line) -> None:
        if len(line.line) > self._most_bytes:
            raise WrongUsage(
                "one question alone is above what a file may hold",
                f"{self._most_bytes:,} bytes",
                f"{len(line.line):,} bytes for {line.key}",
            )
        if line.input_tokens > self._most_tokens:
            raise WrongUsage(
                "one question alone is above the tokens that may wait at the provider",
                f"{self._most_tokens:,} tokens",
                f"{line.input_tokens:,} tokens for {line.key}",
                next_step="raise WIQ_ENQUEUED_TOKENS",
            )
        raise WrongUsage(
            "one question alone could cost more than the cap",
            f"{self._options.max_cost} USD",
            f"up to {self._price.cost(line.input_tokens, line.output_tokens):.4f} USD for {line.key}",
            next_step="raise --max-cost or WIQ_MAX_COST",
        )

    def _enter(self, rows: list[_Line]) -> None:
        if not self._dry_run:
            new = [
                (row.key, row.contract, row.entity_type, row.entity_id, self._shard_id, row.rests_on, row.subject)
                for row in rows
                if not row.asked_before
            ]
            self._ledger.add_requests(new)
            self._ledger.open_again((self._shard_id, row.key) for row in rows if row.asked_before)
        rows.clear()

    def _finish(self, rows: list[_Line]) -> None:
        self._enter(rows)
        if self._file is not None:
            done, self._file = self._file, None
            sha256 = done.close()
            counts = (sha256, done.bytes, done.requests, done.input_tokens, done.output_tokens)
            self._ledger.finish_shard(self._shard_id, *counts)


def write_job(
    ledger: Ledger,
    questions: Iterable[Question],
    options: BatchOptions,
    price: Price,
    *,
    purpose: str = PURPOSE,
    run_id: str | None = None,
    dry_run: bool = False,
    again: bool = False,
) -> Planned:
    """Write the shards of a new job and enter them into the ledger; a plan without a new question leaves no trace.

    ``again`` asks also what was given up or cancelled. ``dry_run`` counts and writes nothing. Raises WrongUsage for a
    question that alone is above a limit, OutputUnwritable.
    """
    made = datetime.now(UTC)
    planned = Planned(prices_as_of=price.as_of)
    job_id = f"{made:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"  # no other machine with the same key may have it
    job = (job_id, purpose, f"{made:%Y-%m-%dT%H:%M:%SZ}", run_id, options.model, options.endpoint)
    folder = ledger.folder / "jobs" / job_id
    try:
        with ledger.transaction() as connection:
            prices = (price.input, price.output, price.as_of)
            connection.execute("INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)", [*job, *prices])
            writer = _Writer(ledger, job_id, options, price, dry_run=dry_run)
            writer.write(_new_lines(ledger, questions, options, purpose, planned, again=again))
            planned.shards = writer.number - 1
            _keep(planned, dry_run=dry_run)
        planned.job_id = job_id
    except _Nothing:
        pass
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise output_unwritable(folder, error) from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    planned.ceiling = price.cost(planned.input_tokens, planned.output_limit)
    planned.cost = price.cost(planned.input_tokens, planned.cells * EXPECTED_TOKENS_PER_CELL)
    return planned


def write_again(ledger: Ledger, job: Job, options: BatchOptions, price: Price) -> int:
    """Write a further shard of what must be sent again, from the lines as they were; returns how many requests.

    A request keeps its key: it is the same question.
    """
    waiting = ledger.to_retry(job.job_id)
    if not waiting:
        return 0
    rounds = max(shard.round for shard in waiting.values())
    # A cap lowered since holds back whole shards at submission; it does not make crumbs of them.
    largest = max(price.cost(shard.input_tokens, shard.output_tokens) for shard in ledger.shards(job_id=job.job_id))
    options = replace(options, max_cost=max(options.max_cost, largest))
    try:
        with ledger.transaction():
            writer = _Writer(ledger, job.job_id, options, price, dry_run=False)
            writer.write(_old_lines(ledger, waiting, options), rounds + 1)
    except OSError as error:
        raise output_unwritable(writer.folder, error) from error
    return len(waiting)


class _Nothing(Exception):
    """Rolls back a plan that is not to be kept."""


def _keep(planned: Planned, *, dry_run: bool) -> None:
    if dry_run or not planned.requests:
        raise _Nothing


def _new_lines(
    ledger: Ledger,
    questions: Iterable[Question],
    options: BatchOptions,
    purpose: str,
    planned: Planned,
    *,
    again: bool,
) -> Iterator[_Line]:
    makers: dict[int, tuple[Contract, LineMaker, int]] = {}
    waiting = iter(questions)
    # A topic that is being asked is not asked again in other words.
    open_topics = ledger.open_topics(purpose)
    unsent = unsent_topics(ledger, purpose)
    anything_known = ledger.has_requests()
    while some := list(islice(waiting, _TOGETHER)):
        made: list[_Line] = []
        for question in some:
            contract = question.contract
            found = makers.get(id(contract))
            if found is None:
                number = ledger.contract_id(contract.key, contract.as_json().decode())
                # The contract is kept with its maker, so that no other can take its place in memory.
                found = makers[id(contract)] = (contract, LineMaker(contract, options, purpose), number)
            _, maker, number = found
            key, line, size = maker.line(question)
            limit = maker.output_limit
            _, kind, entity_id, _, rests_on, subject = question
            fields = (key, line, tokens_of(size), limit, number, kind, entity_id, False, rests_on, subject)
            made.append(_Line._make(fields))
        if not anything_known:
            planned.count_all(some, made)
            yield from made
            continue
        known = ledger.known([line.key for line in made])
        for new, question in zip(made, some, strict=True):
            state = known.get(new.key)
            topic = (question.entity_id, question.contract.topic)
            why_not = "unsent" if topic in unsent else "waiting" if topic in open_topics else _COUNTED.get(state)
            if why_not is None or (again and state in ("CANCELLED", "FAILED") and topic not in open_topics):
                planned.count_all([question], [new])
                yield new if state is None else new._replace(asked_before=True)
            else:
                setattr(planned, why_not, getattr(planned, why_not) + 1)


def _old_lines(ledger: Ledger, waiting: dict[str, Shard], options: BatchOptions) -> Iterator[_Line]:
    limits: dict[int, int] = {}
    for shard in sorted(set(waiting.values()), key=lambda shard: shard.number):
        rows = ledger.asked(shard.shard_id)
        with (ledger.folder / shard.path).open("rb") as file:
            for sent in file:
                key = key_of_line(sent)
                if waiting.get(key) == shard:
                    _, contract, entity_type, entity_id, _ = rows[key]
                    if contract not in limits:
                        cells = len(Contract.from_json(ledger.contract(contract)).cells)
                        limits[contract] = options.output_limit(cells)
                    tokens = (tokens_of(len(sent)), limits[contract])
                    yield _Line(key, sent, *tokens, contract, entity_type, entity_id, asked_before=True)
