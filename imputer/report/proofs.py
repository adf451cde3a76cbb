"""The sections on what the values rest on: crosswalk, calibration, backtests, sources, runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imputer.report import plots
from imputer.report.columns import listed, numbers
from imputer.report.page import code, link
from imputer.wording import moment, number, percent, text, word

if TYPE_CHECKING:
    from imputer.report.page import Html, Page

    Rows = list[dict[str, Any]]


def crosswalk(page: Page, rows: Rows) -> None:
    """Unit groups by cardinality."""
    page.section("crosswalk")
    language = page.language
    if not rows:
        page.paragraph(text("report_no_data", language))
        return
    page.paragraph(text("crosswalk_intro", language))
    names = [f"{row['cardinality']}, {word('cardinality', row['cardinality'], language)}" for row in rows]
    page.figure(
        plots.bars(names, [row["unit_groups"] for row in rows], text("crosswalk_unit_groups", language), language),
        text("crosswalk_heading", language),
        text("crosswalk_alt", language, list=listed(names, rows, "unit_groups", language)),
    )
    counts = ("unit_groups", "occupations", "pairs")
    columns = [text(f"crosswalk_{key}", language) for key in ("cardinality", *counts)]
    table = [[name, *(number(row[key], language) for key in counts)] for name, row in zip(names, rows, strict=True)]
    page.table(text("crosswalk_heading", language), columns, table, numbers(1, columns))


def calibration(page: Page, rows: Rows) -> None:
    """Error of O*NET estimates per OaSIS descriptor."""
    page.section("calibration")
    language = page.language
    if not rows:
        page.paragraph(text("report_no_data", language))
        return
    page.paragraph(text("calibration_intro", language))
    names = [row[language] for row in rows]
    series = [
        (text("calibration_estimate", language), [row["mae"] for row in rows]),
        (text("calibration_mean", language), [row["mae_global_mean"] for row in rows]),
    ]
    means = [_mean(values) for _, values in series]
    described = text(
        "calibration_alt",
        language,
        n=len(rows),
        estimate=number(means[0], language, 3),
        mean=number(means[1], language, 3),
    )
    page.figure(
        plots.dots(names, series, text("calibration_axis", language), language),
        text("calibration_heading", language),
        described,
    )
    measures = ("mae", "mae_global_mean", "mae_naive", "error_90")
    headings = ("estimate", "mean", "naive", "error_90", "within_one", "n", "used")
    columns = [
        text("calibration_descriptor", language),
        text("domain", language),
        *(text(f"calibration_{key}", language) for key in headings),
    ]
    table = [
        [
            name,
            word("domain", row["domain"], language),
            *(number(row[key], language, 3, exactly=True) for key in measures),
            percent(row["within_one"], language),
            number(row["n"], language),
            text("yes" if row["usable"] else "no", language),
        ]
        for name, row in zip(names, rows, strict=True)
    ]
    page.table(text("calibration_heading", language), columns, table, [False, False, *[True] * 6, False])


def backtest(page: Page, rows: Rows, path: str) -> None:
    """The figures of the last backtest; ``path`` is where they are looked for."""
    page.section("backtest")
    language = page.language
    if not rows:
        page.paragraph(text("backtest_none", language, path=path))
        return
    page.paragraph(text("backtest_intro", language))

    def shown(row: dict[str, Any], value: float | None) -> str:
        return percent(value, language) if row.get("percent") else number(value, language, 3, exactly=True)

    def bar(row: dict[str, Any]) -> str:
        if row.get("bar") is None:
            return "–"
        key = "backtest_at_least" if row.get("at_least", True) else "backtest_at_most"
        return text(key, language, bar=shown(row, row["bar"]))

    shares = [row for row in rows if row.get("percent") and row.get("low") is not None and row.get("high") is not None]
    if shares:
        names = _full_names(rows, shares, language)
        told = "; ".join(f"{name}: {shown(row, row['value'])}" for name, row in zip(names, shares, strict=True))
        page.figure(
            plots.intervals(
                names,
                [(row["value"], row["low"], row["high"], row.get("bar")) for row in shares],
                (text("backtest_axis", language), text("backtest_bar", language)),
                language,
            ),
            text("backtest_heading", language),
            text("backtest_alt", language, list=told),
        )
    keys = ("figure", "tier", "value", "interval", "bar", "reached", "n", "note")
    columns = [text(f"backtest_{key}", language) for key in keys]
    table = [
        [
            _in_language(row, "name", language),
            word("tier", row.get("tier"), language),
            shown(row, row["value"]),
            f"{shown(row, row['low'])} – {shown(row, row['high'])}" if row.get("low") is not None else "–",
            bar(row),
            "–" if row.get("reached") is None else text("yes" if row["reached"] else "no", language),
            number(row.get("n"), language),
            _in_language(row, "note", language),
        ]
        for row in rows
    ]
    right_aligned = [False, False, True, True, True, False, True, False]
    page.table(text("backtest_heading", language), columns, table, right_aligned)


def issues(page: Page, rows: Rows) -> None:
    """Anomalies of the sources, by file and rule."""
    language = page.language
    if not rows:
        return
    page.section("issues")
    page.paragraph(text("issues_intro", language))
    columns = [text(f"issues_{key}", language) for key in ("rule", "file", "count")]
    table: list[list[str | Html]] = [[row["rule"], row["file"], number(row["n"], language)] for row in rows]
    page.table(text("issues_heading", language), columns, table, numbers(2, columns))


def sources(page: Page, rows: Rows) -> None:
    """Sources with publisher, licence and version, and the attributions that the licences ask for."""
    page.section("sources")
    language = page.language
    if not rows:
        page.paragraph(text("report_no_data", language))
        return
    keys = ("title", "publisher", "release", "licence", "statements", "version")
    columns = [text(f"sources_{key}", language) for key in keys]
    table: list[list[str | Html]] = [
        [
            link(row["page_url"] or row["url"], row[f"title_{language}"]),
            row[f"publisher_{language}"],
            row["release"] or "–",
            link(row["licence_url"], row[f"licence_{language}"]),
            number(row["values"], language),
            _version(row, language),
        ]
        for row in rows
    ]
    right_aligned = [False, False, False, False, True, False]
    page.table(text("sources_heading", language), columns, table, right_aligned)
    page.paragraph(text("colon", language, label=text("sources_attribution", language)))
    used = [row for row in rows if row["source_version"] or row["values"]]
    page.items(dict.fromkeys(row[f"attribution_{language}"] for row in used))


def _version(row: dict[str, Any], language: str) -> str | Html:
    """The sha256 of a source; what is no file has none, and may have given values all the same."""
    if row["source_version"]:
        return code(row["source_version"])
    return "–" if row["values"] else text("sources_absent", language)


def runs(page: Page, rows: Rows) -> None:
    """The last runs that changed values, newest first."""
    page.section("runs")
    language = page.language
    keys = ("run", "started", "version", "release", "added", "withdrawn", "events")
    columns = [text(f"runs_{key}", language) for key in keys]
    counts = ("statements_added", "statements_withdrawn", "override_events")
    table = [
        [
            row["run_id"],
            moment(row["started_at"]),
            row["wiq_version"],
            row["onet_release"] or "–",
            *(number(row[key], language) for key in counts),
        ]
        for row in rows
    ]
    if table:
        page.table(text("runs_heading", language), columns, table, numbers(4, columns))
    else:
        page.paragraph(text("report_no_data", language))


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _in_language(row: dict[str, Any], key: str, language: str) -> str:
    """A text of a figure; in English where it has none in French."""
    return str(row.get(f"{key}_fr" if language == "fr" else key) or row.get(key) or "").strip()


def _full_names(rows: Rows, shown: Rows, language: str) -> list[str]:
    """Names that tell some figures of ``rows`` apart: those that share one have their note beside it."""
    names = [_full_name(rows, row, language) for row in shown]
    return [
        f"{name} ({note})" if names.count(name) > 1 and (note := _in_language(row, "note", language)) else name
        for name, row in zip(names, shown, strict=True)
    ]


def _full_name(rows: Rows, row: dict[str, Any], language: str) -> str:
    """A figure's name away from its neighbours: «…» stands for the name of the figure that it goes on with."""
    name = _in_language(row, "name", language)
    if not name.startswith("…"):
        return name
    before = rows[: rows.index(row)]
    heads = [_in_language(one, "name", language) for one in before if one.get("tier") == row.get("tier")]
    head = next((one for one in reversed(heads) if not one.startswith("…")), "")
    return f"{head} {name}"
