"""What a user reads when a run has ended: tables, warnings, failures, and where the files are."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from schemas import load_tables
from schemas.runs import LATEST
from wiq_crawl.labels import LANGUAGES, labels

if TYPE_CHECKING:
    from collections.abc import Iterable

    from schemas.runs import Run
    from wiq_crawl.pages.probe import Observation

_WIDTH_OF_A_LOG = 160
_SHOWN = 3
_ACTIONS = {"ADD": "added", "MOD": "modified", "DEL": "deleted"}
_LONGEST_FOUND = 60


def print_summary(run: Run, manifest: dict[str, Any], observations: Iterable[Observation]) -> None:
    """Print the summary; on a terminal with colours, in a log as plain text."""
    console = Console(width=None if sys.stdout.isatty() else _WIDTH_OF_A_LOG, highlight=False, soft_wrap=True)
    if manifest["observations"]:
        console.print(_label_table(observations))
    if manifest["counts"] and not manifest["failures"]:
        console.print(_count_table(manifest))
    for warning in manifest["warnings"]:
        console.print(Text(f"warning: {warning}", style="yellow"))
    for failure, others in _grouped(manifest["failures"]):
        console.print(Text(_failure_lines(failure, others), style="red"))
    requests = manifest["requests"]
    console.print(
        f"{requests['documents']} documents, {requests['sent']} requests ({requests['retried']} retries), "
        f"{len(manifest['labels_unconfirmed'])} labels not confirmed on the live site",
        markup=False,
    )
    for line in _closing_lines(run, manifest):
        console.print(line, markup=False)


def _count_table(manifest: dict[str, Any]) -> Table:
    table = Table(title=f"Run {manifest['run_id']}")
    table.add_column("table")
    for language in LANGUAGES:
        table.add_column(language.upper(), justify="right")
    table.add_column("since the previous run")
    titles = load_tables("tbs")
    for name, counts in manifest["counts"].items():
        shown = ", ".join(
            f"{count} {action} ({language})"
            for language in LANGUAGES
            for action, count in manifest["changes"].get(f"{name}_{language}", {}).items()
            if count
        )
        rows = (str(counts.get(language, "–")) for language in LANGUAGES)
        table.add_row(f"{name} ({titles[name].title['fr']})", *rows, shown or "–")
    return table


def _label_table(observations: Iterable[Observation]) -> Table:
    table = Table(title="Labels compared with the site, one by one")
    for heading in ("label", "", "expected", "found", "verdict"):
        table.add_column(heading, overflow="fold")
    by_label: dict[tuple[str, str, str], list[Observation]] = {}
    for seen in observations:
        by_label.setdefault((seen.label.key, seen.label.language, seen.verdict), []).append(seen)
    order = {label: position for position, label in enumerate(labels("en"))}
    for (key, language, verdict), pages in sorted(
        by_label.items(), key=lambda entry: (entry[0][1], order[entry[0][0]])
    ):
        style = "" if verdict == "as expected" else "green" if pages[0].matches else "red"
        found = list(dict.fromkeys(text for seen in pages for text in seen.shown))
        shown = [textwrap.shorten(text, _LONGEST_FOUND, placeholder=" …") for text in found[:_SHOWN]]
        more = [f"… ({len(found)} in all)"] if len(found) > _SHOWN else []
        count = f", on {len(pages)} pages" if len(pages) > 1 else ""
        table.add_row(
            Text(key),
            language,
            Text(str(pages[0].label)),
            Text(" · ".join(shown + more)),
            Text(verdict + count, style=style),
        )
    return table


def _grouped(failures: list[dict[str, Any]]) -> list[tuple[dict[str, Any], list[str]]]:
    """Failures that differ only in their address told once, with the other addresses."""
    groups: dict[tuple[str, ...], tuple[dict[str, Any], list[str]]] = {}
    for failure in failures:
        key = tuple(str(failure[name]) for name in ("kind", "message", "expected", "found"))
        if key in groups:
            groups[key][1].append(failure["url"])
        else:
            groups[key] = (failure, [])
    return list(groups.values())


def _failure_lines(failure: dict[str, Any], others: list[str]) -> str:
    lines = [f"FAILED ({failure['kind']}): {failure['message']}"]
    where = ", ".join(
        part
        for part in (failure["url"], f"row {failure['row']}" if failure["row"] else None, failure["selector"])
        if part
    )
    for name, value in (
        ("expected", failure["expected"]),
        ("found", failure["found"]),
        ("where", where or None),
        *(("and", other) for other in others[:_SHOWN]),
        ("saved page", failure["saved_page"]),
        ("next", failure["next_step"]),
    ):
        if value:
            lines.append(f"  {name:<10} {value}")
    return "\n".join(lines)


def _closing_lines(run: Run, manifest: dict[str, Any]) -> list[str]:
    if manifest["verdict"] == "probe":
        return [f"Probe {run.run_id}: nothing published. Archive and run.json: {run.folder}"]
    if manifest["verdict"] == "bad":
        kept = f"latest is unchanged ({run.root / LATEST})" if run.previous else "nothing was published yet"
        return [f"Run {run.run_id} is BAD; {kept}. Archive, log and saved pages: {run.folder}"]
    if manifest["withheld"]:
        return [f"Run {run.run_id} is good and was not published: {manifest['withheld']}. Files: {run.folder}"]
    return [
        f"Run {run.run_id} is good and published. Files: {run.root / LATEST}",
        f"What changed since {manifest['previous']}: {run.root / LATEST}/changes_en.md and changes_fr.md"
        if manifest["previous"]
        else "First good run: the next one will say what changed.",
    ]
