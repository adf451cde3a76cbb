"""Which words two texts share, and which one of them alone has."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal


@dataclass(frozen=True, slots=True)
class Words:
    """Consecutive words of a text: kept, removed or added."""

    kind: Literal["kept", "removed", "added"]
    words: tuple[str, ...]


def word_difference(old: str, new: str) -> list[Words]:
    """Split two texts into words kept, removed and added; spacing does not count.

    Without the added words the old text is left, without the removed ones the new text.
    """
    before, after = old.split(), new.split()
    steps = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    spans: list[Words] = []
    removed: list[str] = []
    added: list[str] = []
    for number, (step, start, end, new_start, new_end) in enumerate([*steps, ("end", 0, 0, 0, 0)]):
        # One word kept between two changes («of», «the») only makes both harder to read.
        lone = step == "equal" and end - start == 1 and 0 < number < len(steps) - 1
        if step in ("replace", "delete", "insert") or lone:
            removed += before[start:end]
            added += after[new_start:new_end]
            continue
        spans += [Words("removed", tuple(removed))] if removed else []
        spans += [Words("added", tuple(added))] if added else []
        spans += [Words("kept", tuple(before[start:end]))] if end > start else []
        removed, added = [], []
    return spans
