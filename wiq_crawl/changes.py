"""The readable report of what changed between two good runs, in English or French.

::

    change_report   two run folders → ChangeReport: plain data, both languages
    render          ChangeReport → Markdown in one language, with that language's contents

The words of the report stand in ``changes.toml``.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.table import LANGUAGES, Table, load_table, load_tables
from wiq_crawl.history import Action, Change, compare, records
from wiq_crawl.word_difference import word_difference

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = "tbs"
# Tables reported record by record; of the others, records are counted.
DETAILED = ("occupational_groups", "definitions", "documents")
CONTEXT_WORDS = 6

_NAMES_AND_CODES = re.compile(r"code|\w+_(name|code)")
# Columns that repeat what other columns of the record say, in another form.
_REPEATS = re.compile(r"text|text_\w+|content_\w+|\w+_blocks")
_MARKDOWN = re.compile(r"([\\`*_~\[\]<>|])")
_RUN_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)T\d{6}Z(-\d+)?")


@dataclass(frozen=True, slots=True)
class ColumnChange:
    """A column's value before and after, as text; None where there is none."""

    column: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class RecordChange:
    """One record added, removed or modified; ``columns`` are the changed ones of a modified record."""

    key: str
    name: str
    columns: tuple[ColumnChange, ...] = ()


@dataclass(frozen=True, slots=True)
class TableChanges:
    """One table in one language: records before and after, and the changed ones by key.

    Only records of the detailed tables have names and values.
    """

    before: int
    after: int
    added: tuple[RecordChange, ...]
    modified: tuple[RecordChange, ...]
    removed: tuple[RecordChange, ...]


@dataclass(frozen=True, slots=True)
class ChangeReport:
    """What changed from one run to another: both run ids, and the changes by table and language."""

    previous: str
    current: str
    tables: dict[tuple[str, str], TableChanges]


def change_report(previous: Path, current: Path) -> ChangeReport:
    """Report what changed from one run folder to another; raises what ``compare`` raises."""
    changes: dict[tuple[str, str], list[Change]] = {}
    for change in compare(previous, current):
        changes.setdefault((change.table, change.language), []).append(change)
    tables = {
        (table.name, language): _table_changes(
            table, language, previous, current, changes.get((table.name, language), [])
        )
        for table in load_tables(PROGRAM).values()
        for language in LANGUAGES
    }
    return ChangeReport(previous.name, current.name, tables)


def render(report: ChangeReport, language: str) -> str:
    """Write the report as Markdown in ``language`` ("en" or "fr"), with that language's contents.

    The counts are those of both languages. Within a text, ~~struck~~ words were removed, **bold** ones added.
    """
    old, new = (_run_name(run, language) for run in (report.previous, report.current))
    between = _phrase("report", "between", language).format(old=old, new=new)
    lines = [f"# {_phrase('report', 'title', language)}", "", between, ""]
    if not any(table.added or table.modified or table.removed for table in report.tables.values()):
        return "\n".join([*lines, _phrase("report", "nothing", language), ""])
    lines += [f"## {_phrase('report', 'counts', language)}", "", _phrase("report", "header", language)]
    lines.append("|---|---|--:|--:|--:|--:|--:|")
    for (name, table_language), table in report.tables.items():
        counts = (table.before, table.after, len(table.added), len(table.modified), len(table.removed))
        title, spoken = load_table(PROGRAM, name).title[language], _phrase("report", table_language, language)
        lines.append(f"| {title} | {spoken} | {' | '.join(map(str, counts))} |")
    details = [line for name in DETAILED for line in _details(name, report.tables[name, language], language)]
    return "\n".join([*lines, *(details or ["", _phrase("report", "elsewhere", language)]), ""])


def _table_changes(table: Table, language: str, previous: Path, current: Path, changes: list[Change]) -> TableChanges:
    keys = {change.key for change in changes} if table.name in DETAILED else set()
    before, old = _read(table, language, previous, keys)
    after, new = _read(table, language, current, keys)

    def described(action: Action) -> Iterator[RecordChange]:
        for change in changes:
            if change.action == action:
                was, now = old.get(change.key, {}), new.get(change.key, {})
                columns = change.columns if keys else ()
                values = (ColumnChange(name, _text(was.get(name)), _text(now.get(name))) for name in columns)
                yield RecordChange(change.key, _name(now or was), tuple(values))

    return TableChanges(before, after, tuple(described("ADD")), tuple(described("MOD")), tuple(described("DEL")))


def _read(table: Table, language: str, folder: Path, keys: set[str]) -> tuple[int, dict[str, dict[str, Any]]]:
    """Count the records of a table and keep those asked for."""
    number, kept = 0, {}
    if (folder / f"{table.name}_{language}.jsonl").exists():
        for number, (key, record) in enumerate(records(folder, table, language), start=1):  # noqa: B007
            if key in keys:
                kept[key] = record
    return number, kept


def _name(record: dict[str, Any]) -> str:
    if "occupational_group_name" not in record:
        return str(record.get("title") or record.get("heading") or "")
    levels = [
        (record.get(f"{level}_name"), record.get(f"{level}_code"))
        for level in ("occupational_group", "group", "subgroup")
    ]
    named = [f"{name} ({code})" if code else str(name) for name, code in levels if name]
    return " / ".join(dict.fromkeys(named))


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return "; ".join(text for text in map(_text, value) if text) or None
    return None if value is None else str(value)


def _details(name: str, table: TableChanges, language: str) -> Iterator[str]:
    renamed = tuple(record for record in table.modified if name == "occupational_groups" and _renamed(record))
    others = tuple(record for record in table.modified if record not in renamed)
    sections = {"added": table.added, "removed": table.removed, "renamed": renamed, "modified": others}
    for section, found in sections.items():
        if found:
            yield from ("", f"## {_phrase('sections', f'{name}_{section}', language)} ({len(found)})", "")
        for record in found:
            yield f"- {_escaped(record.name)} (`{record.key}`)"
            if record.columns:
                yield from (f"  - {line}" for line in _column_lines(name, record, language))


def _renamed(record: RecordChange) -> bool:
    return any(_NAMES_AND_CODES.fullmatch(change.column) for change in record.columns)


def _column_lines(name: str, record: RecordChange, language: str) -> Iterator[str]:
    columns = {change.column: change for change in record.columns}
    shown = [change for column, change in columns.items() if not _REPEATS.fullmatch(column)]
    if "content_sha256" in columns:
        yield _phrase("report", "content" if "modified" in columns else "undated", language)
    elif not shown:
        shown = [columns["text"]] if "text" in columns else []
        if not shown:
            yield _phrase("report", "layout", language)
    for change in shown:
        label = _label(load_table(PROGRAM, name), change.column, language)
        # Parts of a definition are texts; the columns of the other tables are names, codes, dates, addresses.
        value = _marked(change, language) if name == "definitions" else _arrow(change, language)
        yield f"{label}{_phrase('report', 'colon', language)}{value}"


def _label(table: Table, column: str, language: str) -> str:
    known: dict[str, str] | None = _phrases()["columns"].get(column)
    described = next(found.description[language] for found in table.columns if found.name == column)
    return known[language] if known else described.partition(";")[0].rstrip(".")


def _marked(change: ColumnChange, language: str) -> str:
    spans = word_difference(change.old or "", change.new or "")
    if all(span.kind == "kept" for span in spans):
        return _phrase("report", "layout", language)
    return " ".join(
        _window(span.words, first=span is spans[0], last=span is spans[-1])
        if span.kind == "kept"
        else ("~~{}~~" if span.kind == "removed" else "**{}**").format(_escaped(" ".join(span.words)))
        for span in spans
    )


def _window(words: tuple[str, ...], *, first: bool, last: bool) -> str:
    head = () if first else words[:CONTEXT_WORDS]
    tail = () if last else words[-CONTEXT_WORDS:]
    shown = words if len(words) <= CONTEXT_WORDS * (2 - first - last) else (*head, "…", *tail)
    return _escaped(" ".join(shown))


def _arrow(change: ColumnChange, language: str) -> str:
    named = {key: _phrase("report", key, language) for key in ("true", "false")}
    none = _phrase("report", "none", language)
    return " → ".join(
        none if value is None else named.get(value, _escaped(value)) for value in (change.old, change.new)
    )


def _escaped(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def _run_name(run: str, language: str) -> str:
    dated = _RUN_DATE.fullmatch(run)
    if not dated:
        return _phrase("report", "run", language).format(run=run)
    return _phrase("report", "dated_run", language).format(run=run, date="-".join(dated.group(1, 2, 3)))


def _phrase(part: str, key: str, language: str) -> str:
    return _phrases()[part][key][language]


@cache
def _phrases() -> dict[str, dict[str, dict[str, str]]]:
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
