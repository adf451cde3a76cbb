"""Was the run good? Judged by what Scrapy says of itself and by reading the artifacts again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from schemas import load_tables, paired_table
from schemas.validation import TableValidator
from wiq_crawl.errors import ComponentDisabled, CrawlError, CutShort, ExpectationFailed, Incomplete, PairingMismatch
from wiq_crawl.table_files import read_jsonl

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from wiq_crawl.arguments import CrawlArguments
    from wiq_crawl.expectations import Envelope, Expectations
    from wiq_crawl.pages.probe import Observation

_SHOWN = 5


@dataclass(slots=True)
class CrawlOutcome:
    """What is left of a crawl when it has ended.

    ``discovered`` are the documents asked for; ``disabled`` the components that the settings name and that
    did not run; ``stats`` Scrapy's statistics.
    """

    arguments: CrawlArguments
    discovered: frozenset[str]
    stats: Mapping[str, Any]
    disabled: tuple[str, ...]
    observations: tuple[Observation, ...] = ()


@dataclass(slots=True)
class Verdict:
    """Failures make a run bad; warnings do not. ``counts`` are rows by table and language."""

    failures: list[CrawlError] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    expectations: list[dict[str, str]] = field(default_factory=list)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    fetched_at: str | None = None


def judge(folder: Path, outcome: CrawlOutcome, expectations: Expectations) -> Verdict:
    """Judge a crawl that logged no error; reads every artifact again."""
    verdict = Verdict()
    verdict.failures += scrapy_failures(outcome)
    if verdict.failures:
        return verdict
    written = _read_back(folder, outcome.arguments.languages, verdict)
    _check_completeness(outcome, written, verdict)
    _check_counts(outcome, written, verdict)
    for envelope in expectations.counts:
        for language in outcome.arguments.languages:
            _check_envelope(envelope, language, written, outcome.arguments, verdict)
    return verdict


def scrapy_failures(outcome: CrawlOutcome) -> list[CrawlError]:
    """What Scrapy reports only in its statistics, exiting 0."""
    failures: list[CrawlError] = [
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


@dataclass(slots=True)
class _Written:
    """What the JSONL files hold, table by table and language."""

    rows: Counter[tuple[str, str]] = field(default_factory=Counter)
    documents: set[str] = field(default_factory=set)
    links: Counter[tuple[str, str]] = field(default_factory=Counter)
    abbreviations: dict[str, set[str]] = field(default_factory=dict)
    texts: dict[str, set[str]] = field(default_factory=dict)


def _read_back(folder: Path, languages: tuple[str, ...], verdict: Verdict) -> _Written:
    written = _Written()
    for name, table in load_tables("tbs").items():
        validator = TableValidator(table)
        for language in languages:
            path = folder / f"{name}_{language}.jsonl"
            if not path.is_file():
                verdict.failures.append(Incomplete("a table file is missing", path.name, "no such file"))
                continue
            wrong = 0
            for record in read_jsonl(path):
                written.rows[name, language] += 1
                wrong += not validator.is_valid(record)
                _note(name, language, record, written, verdict)
            rows = pq.read_metadata(path.with_suffix(".parquet")).num_rows
            if wrong or rows != written.rows[name, language]:
                verdict.failures.append(
                    Incomplete(
                        f"{path.name} does not hold what was extracted",
                        f"{written.rows[name, language]} valid lines, as many Parquet rows",
                        f"{wrong} invalid lines, {rows} Parquet rows",
                    )
                )
            verdict.counts.setdefault(name, {})[language] = written.rows[name, language]
    _check_paired(folder, languages, written, verdict)
    return written


def _check_paired(folder: Path, languages: tuple[str, ...], written: _Written, verdict: Verdict) -> None:
    """Every row of a paired table stands in both languages and in the bilingual file."""
    for name, table in load_tables("tbs").items():
        if not table.pairing_key or len(languages) == 1:
            continue
        rows = {language: written.rows[name, language] for language in languages}
        metadata = pq.read_metadata(folder / f"{name}.parquet")
        whole = len(metadata.schema.to_arrow_schema()) == len(paired_table("tbs", name).columns)
        if not whole or set(rows.values()) != {metadata.num_rows}:
            shown = ", ".join(f"{count} {language}" for language, count in rows.items())
            verdict.failures.append(
                PairingMismatch(f"{name} are not paired", f"as many bilingual rows as {shown}", str(metadata.num_rows))
            )


def _note(name: str, language: str, record: Mapping[str, Any], written: _Written, verdict: Verdict) -> None:
    if name == "documents":
        written.documents.add(record["url"])
        verdict.fetched_at = max(verdict.fetched_at or "", record["fetched_at"])
    elif name == "links" and record["table_column"]:
        written.links[record["table_column"], language] += 1
    elif name == "occupational_groups":
        written.abbreviations.setdefault(language, set()).add(record["abbreviation"])
    elif name == "definitions":
        written.texts.setdefault(language, set()).add(record["text_sha256"])


def _check_completeness(outcome: CrawlOutcome, written: _Written, verdict: Verdict) -> None:
    """Every document asked for was read, and nothing else."""
    missing = sorted(outcome.discovered - written.documents)
    surplus = sorted(written.documents - outcome.discovered)
    for shown, message in (
        (missing, "documents were asked for and not read"),
        (surplus, "documents were read and not asked for"),
    ):
        if shown:
            verdict.failures.append(Incomplete(f"{len(shown)} {message}", "0", ", ".join(shown[:_SHOWN])))


def _check_counts(outcome: CrawlOutcome, written: _Written, verdict: Verdict) -> None:
    """Extracted == validated; with what pairing added, == written == lines read back."""
    extracted = outcome.stats.get("wiq/extracted", 0)
    added = outcome.stats.get("wiq/pair_issues", 0)
    stages = {
        "validated": outcome.stats.get("wiq/validated", 0) + added,
        "written": outcome.stats.get("wiq/written", 0),
        "read back": written.rows.total(),
    }
    outcome_of = "met" if all(count == extracted + added for count in stages.values()) else "failed"
    shown = ", ".join(f"{count} {stage}" for stage, count in stages.items())
    verdict.expectations.append(
        {
            "name": "records extracted, validated, written",
            "expected": str(extracted + added),
            "actual": shown,
            "outcome": outcome_of,
        }
    )
    if outcome_of == "failed":
        verdict.failures.append(Incomplete("records were lost on the way", f"{extracted + added} extracted", shown))


def _check_envelope(
    envelope: Envelope, language: str, written: _Written, arguments: CrawlArguments, verdict: Verdict
) -> None:
    actual = _actual(envelope.name, language, written, arguments)
    if actual is None:
        return
    name = f"{envelope.name} ({language})"
    expected = f"{envelope.minimum} to {envelope.maximum}" + (
        f", known {envelope.known}" if envelope.known is not None else ""
    )
    outcome = "met"
    if not envelope.minimum <= actual <= envelope.maximum:
        outcome = "failed"
        verdict.failures.append(
            ExpectationFailed(
                f"{name}",
                expected,
                str(actual),
                next_step="if the source changed that much, adjust wiq_crawl/expectations.toml",
            )
        )
    elif envelope.known is not None and actual != envelope.known:
        outcome = "warning"
        verdict.warnings.append(f"{name}: expected {envelope.known}, found {actual}")
    verdict.expectations.append({"name": name, "expected": expected, "actual": str(actual), "outcome": outcome})


def _actual(name: str, language: str, written: _Written, arguments: CrawlArguments) -> int | None:
    """A count by its name; None where the arguments left it out."""
    kind, _, subject = name.partition(" of ")
    if name == "documents":
        return written.rows["documents", language] if arguments.depth > 0 else None
    if name == "abbreviations":
        return len(written.abbreviations.get(language, ()))
    if name == "distinct definitions":
        return len(written.texts.get(language, ())) if _reads_definitions(arguments) else None
    if kind == "links":
        return written.links[subject, language]
    if kind == "rows":
        return written.rows[subject, language] if subject != "definitions" or _reads_definitions(arguments) else None
    message = f"expectations: no count is named {name!r}"
    raise ValueError(message)


def _reads_definitions(arguments: CrawlArguments) -> bool:
    return "definition" in arguments.columns and arguments.depth > 0
