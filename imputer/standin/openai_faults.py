"""What goes wrong at the OpenAI stand-in, to order."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

LINE_FAULTS = (
    "line_error",
    "line_refused",
    "line_busy",
    "line_zero",
    "line_malformed",
    "line_garbled",
    "answer_malformed",
    "refusals",
    "length_cuts",
    "content_filtered",
    "not_json",
    "out_of_range",
    "wrong_type",
    "lost_field",
    "duplicates",
    "conflicting",
    "in_both_files",
    "missing",
)
"""Faults of single lines, in the order in which lines get them: names of fields of ``OpenAIFaults``."""


@dataclass(frozen=True, slots=True)
class OpenAIFaults:
    """What goes wrong. Counts wear off: so many requests, batches or lines, then all is well. Numbers 0 and false: off.

    Requests over HTTP; ``where`` narrows the counts to requests whose method and path begin so («POST /v1/batches»):

    - ``too_many``: answers 429, with ``retry_after`` seconds if given; ``broken``: answers 500
    - ``drop_before``: connections closed with nothing done
    - ``drop_after``: connections closed with the request done and the answer unsent
    - ``create_then_drop``, ``upload_then_drop``, ``cancel_then_drop``: the same, for one kind of request each
    - ``truncated``: downloads cut halfway, the length announced in full; ``truncated_quietly``: and the length as sent
    - ``gone``: downloads answered 404, as of a file that has expired
    - ``slow``: seconds before every answer
    - ``list_lag``: seconds during which a new batch or file is not yet in its list (but is found by its id)

    Batches, in the order of their creation:

    - ``expire``: batches that expire with ``partial`` (share of lines, 0–1) of the output
    - ``cancel``: batches that end as cancelled by themselves, in part likewise; a batch that the client cancels while
      in progress has ``partial`` of its lines done as well
    - ``unlisted``: lines that were not done are in no file, rather than in the error file with code batch_expired
    - ``fail``: batches that fail before they start, with ``fail_code``; ``fail_halfway``: that fail with partial output
    - ``stuck``: batches that stay in progress until they are cancelled
    - ``all_failed``: batches that complete without output file, every line in the error file with HTTP 400
    - ``lying_counts``: request_counts say that every line succeeded (every batch, while true)
    - ``late_output``: retrievals of an ended batch, for each batch, that have no output_file_id and error_file_id yet
    - ``in_order``: output lines in the order of the input; they are shuffled otherwise
    - ``enqueued_tokens``: input tokens of unfinished batches for each model; more fails with token_limit_exceeded
    - ``enqueued_lag``: seconds for which a batch that ended still counts
    - ``unknown_models``: models for which a batch fails with model_not_found

    Lines, in the order of the input; each line takes the first count that is left, in the order of ``LINE_FAULTS``:

    - ``line_error``: error file, no response, an error with a code; ``line_refused``: error file, HTTP 400 with the
      reason in the response's body; ``line_busy``: likewise with HTTP 429; ``line_zero``: error file, status_code 0
      with an empty body and no error; ``line_malformed``: error file, the first half of the JSON; ``line_garbled``:
      error file, the second half, so that nobody can tell whose line it was
    - ``answer_malformed``: output file, the first half of the JSON
    - ``refusals``, ``length_cuts``, ``content_filtered``: HTTP 200 without a complete answer
    - ``not_json``: the answer is prose; ``out_of_range``: every number is beyond its maximum; ``wrong_type``: every
      number is a word; ``lost_field``: the last field is not there
    - ``duplicates``: the line comes twice, the same; ``conflicting``: twice, with different answers
    - ``in_both_files``: the line is in the output and the error file; ``missing``: in neither
    - ``unknown``: lines added with custom_ids that nobody sent
    - ``lines_with``: text to the name of a line fault: lines that contain the text have that fault, and never wear off

    A direct request (no batch) has line faults too: those of error lines become HTTP errors.
    """

    where: str = ""
    too_many: int = 0
    retry_after: float | None = None
    broken: int = 0
    drop_before: int = 0
    drop_after: int = 0
    create_then_drop: int = 0
    upload_then_drop: int = 0
    cancel_then_drop: int = 0
    truncated: int = 0
    truncated_quietly: int = 0
    gone: int = 0
    slow: float = 0.0
    list_lag: float = 0.0
    expire: int = 0
    cancel: int = 0
    partial: float = 0.5
    unlisted: bool = False
    fail: int = 0
    fail_code: str = "token_limit_exceeded"
    fail_halfway: int = 0
    stuck: int = 0
    all_failed: int = 0
    lying_counts: bool = False
    late_output: int = 0
    in_order: bool = False
    enqueued_tokens: int | None = None
    enqueued_lag: float = 0.0
    unknown_models: tuple[str, ...] = ()
    line_error: int = 0
    line_refused: int = 0
    line_busy: int = 0
    line_zero: int = 0
    line_malformed: int = 0
    line_garbled: int = 0
    answer_malformed: int = 0
    refusals: int = 0
    length_cuts: int = 0
    content_filtered: int = 0
    not_json: int = 0
    out_of_range: int = 0
    wrong_type: int = 0
    lost_field: int = 0
    duplicates: int = 0
    conflicting: int = 0
    in_both_files: int = 0
    missing: int = 0
    unknown: int = 0
    lines_with: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ValueError for a line fault that does not exist and a share that is none."""
        strange = sorted(set(self.lines_with.values()) - set(LINE_FAULTS))
        if strange:
            raise ValueError(f"lines_with: expected names of line faults ({', '.join(LINE_FAULTS)}), found {strange}")
        if not 0 <= self.partial <= 1:
            raise ValueError(f"partial: expected a share from 0 to 1, found {self.partial}")


class FaultStock:
    """The faults that are left; safe between threads."""

    def __init__(self, faults: OpenAIFaults) -> None:
        self._faults = faults
        self._lock = threading.Lock()

    @property
    def left(self) -> OpenAIFaults:
        """The faults as they now are."""
        with self._lock:
            return self._faults

    def put(self, faults: OpenAIFaults) -> None:
        """Other faults from now on."""
        with self._lock:
            self._faults = faults

    def take(self, name: str) -> bool:
        """Whether the count ``name`` is above zero; one of it is used up."""
        with self._lock:
            return self._take(name)

    def take_for_line(self, text: bytes) -> str | None:
        """The fault that a line of the input file gets."""
        with self._lock:
            for part, name in self._faults.lines_with.items():
                if part.encode() in text:
                    return name
            for name in LINE_FAULTS:
                if self._take(name):
                    return name
            return None

    def _take(self, name: str) -> bool:
        left: int = getattr(self._faults, name)
        if left > 0:
            fewer: dict[str, Any] = {name: left - 1}
            self._faults = replace(self._faults, **fewer)
        return left > 0
