"""The file of figures that ``imputer backtest --json`` writes: what is not measured anew stays in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from imputer.errors import WrongUsage
from schemas.runs import write_atomically

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from imputer.evaluate.backtests import Backtests

# The tables of each tier beside its figures, by their name in ``details``.
_DETAILS = {
    "resolution": ("resolution",),
    "hierarchical": ("inheritance",),
    "onet": ("descriptors", "onet_reliability"),
    "llm": ("llm",),
}


def read_figures(path: Path) -> dict[str, Any]:
    """What a file of figures holds, empty where there is none. Raises WrongUsage for one that holds something else."""
    if not path.is_file():  # nor is a pipe
        return {}
    try:
        content: object = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        content = f"{type(error).__name__}: {error}"
    if not isinstance(content, dict) or not isinstance(content.get("figures"), list):
        expected = "a file of backtest figures, or none"
        raise WrongUsage(f"{path} would be overwritten", expected, str(content)[:80], next_step="name another file")
    return content


def with_figures(before: dict[str, Any], found: Backtests, tiers: Sequence[str]) -> dict[str, Any]:
    """The record of ``found``, which measured ``tiers``, and of the other tiers what was there before."""
    record = found.as_record()
    others = [figure for figure in before.get("figures", []) if figure.get("tier") not in tiers]
    figures = sorted([*others, *record["figures"]], key=lambda figure: _place(figure.get("tier")))
    gone = {name for tier in tiers for name in _DETAILS[tier]}
    details = {name: told for name, told in before.get("details", {}).items() if name not in gone}
    return record | {"figures": figures, "details": details | record["details"]}


def write_figures(path: Path, record: dict[str, Any]) -> None:
    """Write a file of figures in one step; a pipe as it is. Raises OutputUnwritable."""
    text = json.dumps(record, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8")
    else:
        write_atomically(path, [text.encode()])


def _place(tier: str | None) -> int:
    return list(_DETAILS).index(tier) if tier in _DETAILS else len(_DETAILS)
