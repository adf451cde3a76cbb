"""The end of a run: judged, ``run.json`` written, promoted or not, told."""

from __future__ import annotations

import platform
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from imputer.errors import ExpectationFailed
from imputer.settings import PROGRAM
from schemas.runs import describe_artifacts, read_manifest
from schemas.version import VERSION

if TYPE_CHECKING:
    from pathlib import Path

    from schemas.errors import RunError
    from schemas.runs import Run

_DISTRIBUTIONS = ("duckdb", "pyarrow", "rapidfuzz", "scikit-learn", "numpy", "httpx", "jsonschema-rs", "orjson")

# What says only that a run took place; everything else equal, nothing is new.
_ABOUT_THE_RUN = ("dim_run.parquet", "dim_run.jsonl", "dispositions.jsonl")


@dataclass(slots=True)
class Outcome:
    """What a run made and found.

    ``expectations`` are records of ``run.json``; ``changes`` counts what is new, by table; ``withheld`` says why a
    good run must not replace ``latest``.
    """

    started_at: datetime
    arguments: dict[str, Any]
    settings: dict[str, Any] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    changes: dict[str, int] = field(default_factory=dict)
    expectations: list[dict[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    failures: list[RunError] = field(default_factory=list)
    withheld: str | None = None

    def expect(self, name: str, expected: object, actual: object) -> None:
        """Note an expectation, and a failure where it is not met."""
        met = expected == actual
        self.expectations.append(
            {"name": name, "expected": str(expected), "actual": str(actual), "outcome": "met" if met else "failed"}
        )
        if not met:
            self.failures.append(ExpectationFailed(name, str(expected), str(actual)))


def unchanged(run: Run) -> bool:
    """Whether the run's files are byte for byte those of the last good run."""
    if run.previous is None:
        return False

    def content(artifacts: list[dict[str, Any]]) -> dict[str, str]:
        return {one["path"]: one["sha256"] for one in artifacts if one["path"] not in _ABOUT_THE_RUN}

    before = content(read_manifest(run.previous)["artifacts"])
    return content(describe_artifacts(run.folder)) == before


def reason_to_withhold(run: Run, sources: dict[str, str]) -> str | None:
    """Why a good run must not replace ``latest``: it lacks a source that the last good run had."""
    if run.previous is None:
        return None
    before = read_manifest(run.previous)["settings"].get("sources", {})
    missing = sorted(set(before) - set(sources))
    return f"it lacks sources that latest has: {', '.join(missing)}" if missing else None


def discard(run: Run) -> None:
    """Delete the folder of a run that has nothing new, or that failed before it had anything to say."""
    shutil.rmtree(run.folder)


def discard_tables(folder: Path) -> None:
    """Delete the tables of a bad run, so that nobody takes them for good."""
    for path in [*folder.glob("*.jsonl"), *folder.glob("*.parquet"), *folder.glob("*.html")]:
        path.unlink()


def conclude(run: Run, outcome: Outcome) -> bool:
    """Write ``run.json`` and promote the run if it is good and not withheld; returns whether it is good."""
    good = not outcome.failures
    if not good:
        discard_tables(run.folder)
    run.write_manifest(
        {
            "run_id": run.run_id,
            "program": PROGRAM,
            "verdict": "good" if good else "bad",
            "failure_kind": outcome.failures[0].kind if outcome.failures else None,
            "promoted": good and outcome.withheld is None,
            "withheld": outcome.withheld if good else None,
            "failures": [failure.as_record() for failure in outcome.failures],
            "warnings": outcome.warnings,
            "started_at": moment_text(outcome.started_at),
            "finished_at": moment_text(datetime.now(UTC)),
            "fetched_at": None,
            "previous": run.previous.name if run.previous else None,
            "arguments": outcome.arguments,
            "settings": outcome.settings,
            "versions": {"wiq": VERSION, "python": platform.python_version()}
            | {name: version(name) for name in _DISTRIBUTIONS},
            "requests": {},
            "counts": {name: {"rows": rows} for name, rows in sorted(outcome.counts.items())} if good else {},
            "changes": {"run": outcome.changes} if good else {},
            "expectations": outcome.expectations,
            "labels_unconfirmed": [],
            "observations": [],
            "artifacts": describe_artifacts(run.folder),
        }
    )
    if good and outcome.withheld is None:
        run.promote()
    return good


def moment_text(moment: datetime) -> str:
    """A moment as ISO 8601 in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
