"""What every error of the project tells, and the errors of a run's folder, which both programs share.

::

    RunError
    ├── RunInProgress           run_in_progress      another run holds the output folder
    ├── OutputUnwritable        output_unwritable    run folder or tables cannot be written
    ├── Incomplete              incomplete           what a run must hold is missing or disagrees
    └── (each program's own tree: wiq_crawl.errors, imputer.errors)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar


@dataclass
class RunError(Exception):
    """What was expected, what was found, where, and what to do next."""

    message: str
    expected: str | None = None
    found: str | None = None
    url: str | None = None
    selector: str | None = None
    row: int | None = None
    next_step: str | None = None
    saved_page: str | None = field(default=None, compare=False)

    kind: ClassVar[str] = "internal_error"

    def __str__(self) -> str:
        """The whole story in one line."""
        parts = [self.message]
        parts += [f"expected {self.expected}"] if self.expected is not None else []
        parts += [f"found {self.found}"] if self.found is not None else []
        where = [self.url or ""]
        where += [f"row {self.row}"] if self.row is not None else []
        where += [self.selector] if self.selector else []
        location = ", ".join(part for part in where if part)
        parts += [f"at {location}"] if location else []
        parts += [f"saved page {self.saved_page}"] if self.saved_page else []
        parts += [self.next_step] if self.next_step else []
        return "; ".join(parts)

    def as_record(self) -> dict[str, str | int | None]:
        """The error as ``run.json`` keeps it (schemas/run.schema.json)."""
        return {
            "kind": self.kind,
            "message": self.message,
            "expected": self.expected,
            "found": self.found,
            "url": self.url,
            "selector": self.selector,
            "row": self.row,
            "saved_page": self.saved_page,
            "next_step": self.next_step,
        }


class RunInProgress(RunError):
    """Raised by runs where another process holds the output folder."""

    kind = "run_in_progress"


class OutputUnwritable(RunError):
    """Raised by runs and whatever writes into them: no permission, no space, not a folder."""

    kind = "output_unwritable"


class Incomplete(RunError):
    """Raised where found, asked for, extracted and written disagree, or a run has lost a file."""

    kind = "incomplete"


def failure_kinds() -> list[str]:
    """The closed list of failure kinds of the imported programs, sorted."""
    kinds = {RunError.kind}
    waiting: list[type[RunError]] = [RunError]
    while waiting:
        children = waiting.pop().__subclasses__()
        kinds |= {child.kind for child in children}
        waiting += children
    return sorted(kinds)
