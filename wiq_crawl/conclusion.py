"""The end of a run: verdict, ``run.json``, promotion, and what the user is told."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from schemas.errors import RunError
from schemas.runs import describe_artifacts, read_manifest
from schemas.version import VERSION
from wiq_crawl.addresses import BASE_URL
from wiq_crawl.changes import change_report, render
from wiq_crawl.failures import classify
from wiq_crawl.history import rebuild_history, write_changes
from wiq_crawl.labels import LANGUAGES, unconfirmed
from wiq_crawl.summary import print_summary
from wiq_crawl.table_files import SPOOL
from wiq_crawl.verdict import CrawlOutcome, Verdict, judge, scrapy_failures

if TYPE_CHECKING:
    from scrapy.settings import Settings

    from schemas.runs import Run
    from wiq_crawl.expectations import Expectations

# Settings that decide what a crawl sees and how politely; the rest is in settings.py under its version.
_STATED_SETTINGS = (
    "USER_AGENT",
    "ROBOTSTXT_OBEY",
    "DOWNLOAD_DELAY",
    "AUTOTHROTTLE_ENABLED",
    "CONCURRENT_REQUESTS_PER_DOMAIN",
    "RETRY_TIMES",
    "WIQ_RETRY_BACKOFF",
    "WIQ_RENDER",
    "WIQ_EXPECTATIONS",
)
_DISTRIBUTIONS = (
    "scrapy",
    "parsel",
    "lxml",
    "itemloaders",
    "pyarrow",
    "jsonschema-rs",
    "orjson",
    "warcio",
    "scrapy-playwright",
)


def conclude(
    run: Run, outcome: CrawlOutcome, failures: list[RunError], expectations: Expectations, settings: Settings
) -> int:
    """Judge a run, write ``run.json``, publish it if it is good, tell the user; returns the exit status."""
    verdict = Verdict(failures=list(failures))
    changes: dict[str, dict[str, int]] = {}
    withheld: str | None = None
    try:
        if outcome.arguments.probe or failures:
            verdict.failures += scrapy_failures(outcome)
        else:
            verdict = judge(run.folder, outcome, expectations)
        if not verdict.failures and not outcome.arguments.probe:
            withheld = reason_to_withhold(run, outcome, verdict)
            if withheld is None:  # a run that is narrower or of another site has nothing in common with latest
                changes = write_what_changed(run)
    except (RunError, OSError, ValueError) as error:
        verdict.failures.append(classify(error, None))
    good = not verdict.failures and not outcome.arguments.probe
    try:
        if not good:
            discard_tables(run)
        manifest = _manifest(run, outcome, verdict, settings, changes, withheld)
        run.write_manifest(manifest)
        if good and withheld is None:
            run.promote()
            rebuild_history(run.root)
    except (RunError, OSError) as error:
        # Where run.json cannot be written, what went wrong before is said all the same.
        for failure in [*verdict.failures, classify(error, None)]:
            print(f"{failure.kind}: {failure}", file=sys.stderr)
        return 1
    print_summary(run, manifest, outcome.observations)
    if outcome.arguments.probe:
        return int(bool(verdict.failures) or any(not seen.matches for seen in outcome.observations))
    return int(bool(verdict.failures))


def write_what_changed(run: Run) -> dict[str, dict[str, int]]:
    """Write ``changes.jsonl`` and, from the second good run on, the readable reports; returns the counts."""
    changes = write_changes(run.previous, run.folder)
    if run.previous is not None:
        report = change_report(run.previous, run.folder)
        for language in LANGUAGES:
            (run.folder / f"changes_{language}.md").write_text(render(report, language), encoding="utf-8")
    return changes


def reason_to_withhold(run: Run, outcome: CrawlOutcome, verdict: Verdict) -> str | None:
    """Why a good run must not replace ``latest`` (it is narrower, older, or not of the real site), or None."""
    if run.previous is None:
        return None
    earlier = read_manifest(run.previous)
    before, now = earlier["arguments"], outcome.arguments.stated()
    for name in ("languages", "columns"):
        missing = [item for item in before[name] if item not in now[name]]  # type: ignore[operator]
        if missing:
            return f"it leaves out {name} that latest has: {', '.join(missing)}"
    if int(now["depth"]) < int(before["depth"]):  # type: ignore[call-overload]
        return f"its depth {now['depth']} is below that of latest, {before['depth']}"
    if before["base_url"] == BASE_URL and now["base_url"] != BASE_URL:
        return f"it is of {now['base_url']}, latest of {BASE_URL}"
    if (
        outcome.arguments.archive
        and verdict.fetched_at
        and earlier["fetched_at"]
        and verdict.fetched_at < earlier["fetched_at"]
    ):
        return f"its archive ends at {verdict.fetched_at}, latest was fetched until {earlier['fetched_at']}"
    return None


def discard_tables(run: Run) -> None:
    """Delete the tables of a bad run, so that nobody takes them for good; archive, log and saved pages stay."""
    for path in [*run.folder.glob("*.jsonl"), *run.folder.glob("*.parquet")]:
        path.unlink()
    for path in (run.folder / SPOOL).glob("*"):
        os.truncate(path, 0)  # the pipeline may hold it open, and with it the space that run.json needs
    shutil.rmtree(run.folder / SPOOL, ignore_errors=True)


def _manifest(
    run: Run,
    outcome: CrawlOutcome,
    verdict: Verdict,
    settings: Settings,
    changes: dict[str, dict[str, int]],
    withheld: str | None,
) -> dict[str, Any]:
    good = not verdict.failures and not outcome.arguments.probe
    stats = outcome.stats
    return {
        "run_id": run.run_id,
        "program": "tbs",
        "verdict": "good" if good else "probe" if outcome.arguments.probe and not verdict.failures else "bad",
        "failure_kind": verdict.failures[0].kind if verdict.failures else None,
        "promoted": good and withheld is None,
        "withheld": withheld,
        "failures": [failure.as_record() for failure in verdict.failures],
        "warnings": verdict.warnings,
        "started_at": _moment(stats.get("start_time")),
        "finished_at": _moment(datetime.now(UTC)),
        "fetched_at": verdict.fetched_at,
        "previous": run.previous.name if run.previous else None,
        "arguments": outcome.arguments.stated(),
        "settings": {name: settings.get(name) for name in _STATED_SETTINGS},
        "versions": {"wiq": VERSION, "python": platform.python_version()}
        | {name: version(name) for name in _DISTRIBUTIONS},
        "requests": {
            "documents": len(outcome.discovered),
            "sent": stats.get("downloader/request_count", 0),
            "retried": stats.get("retry/count", 0),
            "received": stats.get("response_received_count", 0),
        },
        "counts": verdict.counts,
        "changes": changes,
        "expectations": verdict.expectations,
        "labels_unconfirmed": sorted(f"{label.key} ({label.language})" for label in unconfirmed()),
        "observations": [
            {
                "label": seen.label.key,
                "language": seen.label.language,
                "url": seen.url,
                "expected": str(seen.label),
                "found": list(seen.found),
                "confirmed": seen.label.confirmed,
                "verdict": seen.verdict,
            }
            for seen in outcome.observations
        ],
        "artifacts": describe_artifacts(run.folder),
    }


def _moment(moment: datetime | None) -> str:
    return (moment or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
