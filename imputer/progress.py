"""What a long run shows: a moving line on a terminal, nothing elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

if TYPE_CHECKING:
    from types import TracebackType

STAGES = {
    "sources": "Reading the sources",
    "resolve": "Resolving job titles",
    "onet": "Combining O*NET occupations",
    "descriptors": "Calibrating O*NET against OaSIS",
    "impute": "Stating values, choosing winners",
    "write": "Writing JSONL",
    "check": "Reading everything back",
    "report": "Drawing the report",
}


class Progress:
    """Shows the stage of a run on a terminal; use it in a ``with``, call it with stage, done, total."""

    def __init__(self, stream: TextIO) -> None:
        console = Console(file=stream)
        self._bar = Bar(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> Self:
        """Start drawing."""
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop drawing and leave the line empty."""
        self._bar.stop()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Show a stage of ``STAGES``; ``total`` is 0 where it is not counted."""
        self._bar.update(self._task, description=STAGES[stage], completed=done, total=total or None)
