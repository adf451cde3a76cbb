"""The sections on what a run holds: coverage, confidence, resolution, gaps. A few words, a picture, a table each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imputer.report import plots
from imputer.report.columns import listed, numbers
from imputer.report.page import code
from imputer.wording import number, percent, text, word

if TYPE_CHECKING:
    from imputer.report.page import Html, Page

    Rows = list[dict[str, Any]]

_SOURCE_TYPES = ("AUTHORITATIVE", "ONET", "LLM", "NEIGHBOURS")


def summary(page: Page, rows: Rows) -> None:
    """Key figures of the run."""
    page.section("summary")
    told = rows[0]
    names = ("titles", "attributes", "values", "gaps", "statements", "withdrawn", "events", "issues", "miscodings")
    page.facts(
        (text(f"summary_{name}", page.language), number(told[name], page.language)) for name in names if name in told
    )


def coverage(page: Page, rows: Rows) -> None:
    """Share of cells per domain and source."""
    page.section("coverage")
    if not rows:
        page.paragraph(text("report_no_data", page.language))
        return
    language = page.language
    page.paragraph(text("coverage_intro", language))
    names = [f"{word('system', row['system'], language)}, {word('domain', row['domain'], language)}" for row in rows]
    used = [name for name in _SOURCE_TYPES if any(row[name] for row in rows)]
    labels = {name: word("source_type", name, language) for name in used} | {
        "missing": text("coverage_missing", language)
    }
    parts = [(name, label, [row[name] / row["cells"] for row in rows]) for name, label in labels.items()]
    total = {name: sum(row[name] for row in rows) for name in (*labels, "cells")}
    filled = percent(1 - total["missing"] / total["cells"], language)
    page.figure(
        plots.stacked_shares(names, parts, text("coverage_axis", language), language),
        text("coverage_heading", language),
        text("coverage_alt", language, all=filled),
    )
    columns = [text("domain", language), text("coverage_cells", language)]
    for label in labels.values():
        columns += [label, "%"]
    table = [[name, *_counts_and_shares(row, labels, language)] for name, row in zip(names, rows, strict=True)]
    table.append([text("report_all", language), *_counts_and_shares(total, labels, language)])
    page.table(text("coverage_heading", language), columns, table, numbers(1, columns), total=True)


def confidence(page: Page, rows: Rows) -> None:
    """Distribution of stated and calibrated confidence, by source and method."""
    page.section("confidence")
    if not rows:
        page.paragraph(text("report_no_data", page.language))
        return
    language = page.language
    page.paragraph(text("confidence_intro", language))
    names = [
        f"{word('source_type', row['source_type'], language)}, {word('method', row['method'], language)}"
        for row in rows
    ]
    page.figure(
        plots.histograms(
            [(name, row["stated_counts"], row["calibrated_counts"]) for name, row in zip(names, rows, strict=True)],
            (text("confidence_of_stated", language), text("confidence_of_calibrated", language)),
            (text("confidence_axis", language), text("confidence_share_axis", language)),
            language,
        ),
        text("confidence_heading", language),
        text("confidence_alt", language, methods="; ".join(names)),
    )
    headings = ("method", "confidence_values", "confidence_low", "confidence_median", "confidence_mean")
    columns = [text(key, language) for key in (*headings, "confidence_measured", "confidence_calibrated_mean")]
    table = [
        [
            name,
            number(row["n"], language),
            *(percent(row[key], language) for key in ("low", "median", "mean")),
            percent(row["measured"] / row["n"], language),
            percent(row["calibrated_mean"], language),
        ]
        for name, row in zip(names, rows, strict=True)
    ]
    page.table(text("confidence_heading", language), columns, table, numbers(1, columns))


def resolution(page: Page, rows: Rows) -> None:
    """Job titles by method of resolution."""
    page.section("resolution")
    if not rows:
        page.paragraph(text("report_no_data", page.language))
        return
    language = page.language
    page.paragraph(text("resolution_intro", language))
    names = [word("resolution_method", row["method"], language) for row in rows]
    page.figure(
        plots.bars(names, [row["n"] for row in rows], text("resolution_axis", language), language),
        text("resolution_heading", language),
        text("resolution_alt", language, list=listed(names, rows, "n", language)),
    )
    headings = ("method", "resolution_axis", "resolution_confidence", "resolution_calibrated")
    columns = [text(headings[0], language), "", *(text(key, language) for key in headings[1:])]
    table: list[list[str | Html]] = [
        [
            name,
            code(row["method"]),
            number(row["n"], language),
            percent(row["confidence"], language),
            percent(row["calibrated"], language),
        ]
        for name, row in zip(names, rows, strict=True)
    ]
    page.table(text("resolution_heading", language), columns, table, numbers(2, columns))


def gaps(page: Page, rows: Rows) -> None:
    """Missing cells by reason."""
    page.section("gap")
    language = page.language
    if not rows:
        page.paragraph(text("gaps_none", language))
        return
    names = [word("reason", row["reason"], language) for row in rows]
    page.figure(
        plots.bars(names, [row["n"] for row in rows], text("gap_axis", language), language),
        text("gap_heading", language),
        text("gap_alt", language, list=listed(names, rows, "n", language)),
    )
    columns = [text("reason", language), text("gap_meaning", language), text("gap_axis", language)]
    table = [[name, row[language], number(row["n"], language)] for name, row in zip(names, rows, strict=True)]
    page.table(text("gap_heading", language), columns, table, numbers(2, columns))


def _counts_and_shares(row: dict[str, Any], labels: dict[str, str], language: str) -> list[str]:
    shown = [number(row["cells"], language)]
    for name in labels:
        shown += [number(row[name], language), percent(row[name] / row["cells"], language)]
    return shown
