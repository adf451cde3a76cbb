"""Was the run good? Judged by what Scrapy says of itself and by what the files hold, read again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from schemas.errors import Incomplete, RunError
from wiq_crawl.addresses import START_PATHS
from wiq_crawl.errors import ComponentDisabled, CutShort, ExpectationFailed
from wiq_crawl.read_back import read_back

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from wiq_crawl.arguments import CrawlArguments
    from wiq_crawl.expectations import Envelope, Expectations
    from wiq_crawl.pages.probe import Observation
    from wiq_crawl.read_lines import Contents

_SHOWN = 5


@dataclass(slots=True)
class CrawlOutcome:
    """What is left of a crawl when it has ended.

    ``discovered`` are the documents asked for; ``stats`` Scrapy's statistics; ``disabled`` the components
    that the settings name and that did not run; ``observations`` what a probe saw; ``readers`` how many processes
    read pages beside the crawl's own.
    """

    arguments: CrawlArguments
    discovered: frozenset[str]
    stats: Mapping[str, Any]
    disabled: tuple[str, ...]
    observations: tuple[Observation, ...] = ()
    readers: int = 0


@dataclass(slots=True)
class Verdict:
    """Failures make a run bad; warnings do not. ``counts`` are rows by table and language."""

    failures: list[RunError] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    expectations: list[dict[str, str]] = field(default_factory=list)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    fetched_at: str | None = None

    def expect(self, name: str, expected: str, actual: str, *, outcome: str) -> None:
        """Note an expectation with its outcome: met, warning or failed."""
        self.expectations.append({"name": name, "expected": expected, "actual": actual, "outcome": outcome})


def judge(folder: Path, outcome: CrawlOutcome, expectations: Expectations) -> Verdict:
    """Judge a crawl that logged no error; reads every table file again."""
    verdict = Verdict(failures=scrapy_failures(outcome))
    if verdict.failures:
        return verdict
    contents = read_back(folder, outcome.arguments, helped=outcome.readers > 0)
    verdict.failures += contents.problems
    verdict.fetched_at = contents.fetched_at
    for table, language in sorted(contents.rows):
        verdict.counts.setdefault(table, {})[language] = contents.rows[table, language]
    _check_completeness(outcome, contents, expectations.unavailable, verdict)
    _check_counts(outcome, contents, verdict)
    for envelope in expectations.counts:
        for language in outcome.arguments.languages:
            _check_envelope(envelope, language, contents, outcome.arguments, verdict)
    return verdict


def scrapy_failures(outcome: CrawlOutcome) -> list[RunError]:
    """What Scrapy reports only in its statistics, exiting 0."""
    failures: list[RunError] = [
        ComponentDisabled(
            "a component is not running",
            "every component of the settings",
            name,
            next_step="its log line begins «Disabled»",
        )
        for name in outcome.disabled
    ]
    reason = outcome.stats.get("finish_reason")
    if reason != "finished":
        failures.append(CutShort("the crawl ended before it was done", "finish reason «finished»", f"«{reason}»"))
    if dropped := outcome.stats.get("item_dropped_count", 0):
        failures.append(Incomplete("pages were dropped", "0", str(dropped)))
    return failures


def _check_completeness(
    outcome: CrawlOutcome, contents: Contents, unavailable: Mapping[str, str], verdict: Verdict
) -> None:
    """Every document asked for was read, and the published links lead to just these documents, at their depth."""
    read = set(contents.documents)
    for differing, message in (
        (outcome.discovered - read, "documents were asked for and not read"),
        (read - outcome.discovered, "documents were read and not asked for"),
        (_misplaced(outcome.arguments, contents, unavailable), "documents are not where the published links lead"),
    ):
        if differing:
            shown = ", ".join(sorted(differing)[:_SHOWN])
            verdict.failures.append(Incomplete(f"{len(differing)} {message}", "0", shown))


def _misplaced(arguments: CrawlArguments, contents: Contents, unavailable: Mapping[str, str]) -> set[str]:
    """Documents missing, surplus or at another depth, judged by walking the published links from the main pages."""
    expected = {arguments.base_url + START_PATHS[language]: 0 for language in arguments.languages}
    for depth in range(1, arguments.depth + 1):
        for url in contents.targets.get(depth - 1, ()):
            expected.setdefault(url, depth)
    differing = {url for url, _ in expected.items() ^ contents.documents.items()}
    return {url for url in differing if urlsplit(url).path not in unavailable}


def _check_counts(outcome: CrawlOutcome, contents: Contents, verdict: Verdict) -> None:
    """Extracted == validated; with what pairing added, == written == lines read back."""
    added = outcome.stats.get("wiq/pair_issues", 0)
    extracted = outcome.stats.get("wiq/extracted", 0) + added
    stages = {
        "validated": outcome.stats.get("wiq/validated", 0) + added,
        "written": outcome.stats.get("wiq/written", 0),
        "read back": contents.rows.total(),
    }
    whole = set(stages.values()) == {extracted}
    shown = ", ".join(f"{count} {stage}" for stage, count in stages.items())
    verdict.expect("records extracted", str(extracted), shown, outcome="met" if whole else "failed")
    if not whole:
        verdict.failures.append(Incomplete("records were lost on the way", f"{extracted} extracted", shown))


def _check_envelope(
    envelope: Envelope, language: str, contents: Contents, arguments: CrawlArguments, verdict: Verdict
) -> None:
    actual = _actual(envelope.name, language, contents, arguments)
    if actual is None:
        return
    name = f"{envelope.name} ({language})"
    expected = f"{envelope.minimum} to {envelope.maximum}"
    expected += f", known {envelope.known}" if envelope.known is not None else ""
    outcome = "met"
    if not envelope.minimum <= actual <= envelope.maximum:
        outcome = "failed"
        next_step = "if the source changed that much, adjust wiq_crawl/expectations.toml"
        verdict.failures.append(ExpectationFailed(name, expected, str(actual), next_step=next_step))
    elif envelope.known is not None and actual != envelope.known:
        outcome = "warning"
        verdict.warnings.append(f"{name}: expected {envelope.known}, found {actual}")
    verdict.expect(name, expected, str(actual), outcome=outcome)


def _actual(name: str, language: str, contents: Contents, arguments: CrawlArguments) -> int | None:
    """A count by its name in the expectations file; None where the arguments leave it out."""
    kind, _, subject = name.partition(" of ")
    reads_definitions = "definition" in arguments.columns and arguments.depth > 0
    if name == "documents":
        return contents.rows["documents", language] if arguments.depth > 0 else None
    if name == "abbreviations":
        return len(contents.abbreviations.get(language, ()))
    if name == "distinct definitions":
        return len(contents.texts.get(language, ())) if reads_definitions else None
    if kind == "links":
        return contents.links[subject, language]
    if kind == "rows" and (subject != "definitions" or reads_definitions):
        return contents.rows[subject, language]
    return None
