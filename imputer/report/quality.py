"""The section on the model tier: known values hidden and guessed, and what each method made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imputer.report import plots
from imputer.report.columns import numbers
from imputer.wording import number, percent, text, word

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from imputer.report.page import Html, Page

    Rows = list[dict[str, Any]]

#: What the stand-in calls itself; its answers are no model's.
_STAND_IN = "stand-in"


def quality(page: Page, told: dict[str, Any] | None) -> None:
    """What ``imputer backtest --tier llm`` measured; no section where nothing was."""
    if told is None:
        return
    page.section("quality")
    language = page.language
    counts = {name: number(told[name], language) for name in ("cells", "titles")}
    page.paragraph(text("quality_intro", language, untold=number(told["titles_untold"], language), **counts))
    for sentence in _about_model(told, language):
        page.paragraph(sentence)
    _curves(page, told)
    _tables(page, told)


def _about_model(told: dict[str, Any], language: str) -> list[str]:
    measured = {"run": told["run_id"], "seed": told["seed"]}
    model = told["model"]
    said = []
    if model is None:
        said.append(text("quality_no_model", language, **measured))
    else:
        names = ", ".join(model["answered_as"])
        key = "quality_model" if names else "quality_no_answer"
        said.append(text(key, language, asked=model["asked"], names=names, **measured))
        if any(name.startswith(_STAND_IN) for name in model["answered_as"]):
            said.append(text("quality_stand_in", language))
    if told["domain"]:
        said.append(text("quality_domain", language, domain=word("domain", told["domain"], language)))
    return said


def _curves(page: Page, told: dict[str, Any]) -> None:
    """The reliability curves as a picture and as a table."""
    language = page.language
    kinds = ("stated", "calibrated")
    curves = {name: curve for name, curve in told["reliability"].items() if any(curve[kind] for kind in kinds)}
    if not curves:
        return
    panels = [
        (word("guesser", name, language), _points(curve["stated"]), _points(curve["calibrated"]))
        for name, curve in curves.items()
    ]
    labels = tuple(text(f"quality_curve_{name}", language) for name in (*kinds, "ideal", "x", "y"))
    told_in_words = "; ".join(
        f"{word('guesser', name, language)}, {text(f'quality_curve_{kind}', language)}: "
        + ", ".join(
            f"{percent(one['confidence'], language)} → {percent(one['right'], language)}" for one in curve[kind]
        )
        for name, curve in curves.items()
        for kind in kinds
    )
    page.figure(
        plots.reliability(panels, labels, language),
        text("quality_curve", language),
        text("quality_curve_alt", language, list=told_in_words),
    )
    columns = [
        text(f"quality_{key}", language) for key in ("method", "confidence", "values", "mean_confidence", "share_right")
    ]
    table: list[list[str | Html]] = [
        [
            f"{word('guesser', name, language)}, {text(f'quality_curve_{kind}', language)}",
            text("quality_bin", language, low=percent(one["low"], language, 0), high=percent(one["high"], language, 0)),
            number(one["n"], language),
            percent(one["confidence"], language),
            percent(one["right"], language),
        ]
        for name, curve in curves.items()
        for kind in kinds
        for one in curve[kind]
    ]
    page.table(text("quality_curve", language), columns, table, numbers(2, columns), folded=True)


def _points(curve: Rows) -> list[tuple[float, float]]:
    return [(one["confidence"], one["right"]) for one in curve]


def _tables(page: Page, told: dict[str, Any]) -> None:
    language = page.language
    situations = [(text("quality_all", language), told["all"])]
    situations += [
        (text("quality_told" if row["told"] else "quality_untold", language), row) for row in told["situations"]
    ]
    _pooled(page, told, "situation", "part", situations)
    domains = [
        (f"{word('system', row['system'], language)}, {word('domain', row['domain'], language)}", row)
        for row in told["domains"]
    ]
    _pooled(page, told, "domain", "part", domains)
    categories = [(f"{row['category']} {row.get(f'name_{language}') or ''}".strip(), row) for row in told["categories"]]
    _pooled(page, told, "category", "category", categories)
    _attributes(page, told)


def _pooled(page: Page, told: dict[str, Any], key: str, first: str, rows: Sequence[tuple[str, dict[str, Any]]]) -> None:
    """One row per part: answered and right by the method that is measured, error of each, skill against the others."""
    language = page.language
    measured, *others = told["methods"]

    def named(label: str, method: str) -> str:
        return text(f"quality_{label}", language, method=word("guesser", method, language))

    columns = [
        text(f"quality_{first}", language),
        text("quality_cells", language),
        text("quality_coverage", language),
        named("right", measured),
        *(named("error", method) for method in told["methods"]),
        *(named("skill", method) for method in others),
    ]
    table = [
        [
            name,
            number(row["asked"], language),
            percent(row["methods"][measured]["coverage"], language),
            percent(row["methods"][measured]["right"], language),
            *(percent(row["methods"][method]["error"], language) for method in told["methods"]),
            *(number(row["skill"][method]["value"], language, exactly=True) for method in others),
        ]
        for name, row in rows
    ]
    page.table(text(f"quality_by_{key}", language), columns, table, numbers(1, columns))


def _attributes(page: Page, told: dict[str, Any]) -> None:
    """One row per attribute for the method that is measured."""
    language = page.language
    measured, *others = told["methods"]
    keys = ("attribute", "part", "cells", "coverage", "mae", "median", "spearman", "share_right", "right_interval")
    columns = [text(f"quality_{key}", language) for key in keys]
    columns += [text("quality_skill", language, method=word("guesser", other, language)) for other in others]
    shown: Callable[[float | None], str] = lambda value: number(value, language, exactly=True)  # noqa: E731
    table = []
    for row in told["attributes"]:
        of = row["methods"][measured]
        system, _, domain = row["topic"].partition("/")
        interval = "–"
        if of["right_low"] is not None:
            interval = f"{percent(of['right_low'], language)} – {percent(of['right_high'], language)}"
        table.append(
            [
                row.get(f"name_{language}") or row.get("name_en") or row["attribute_id"],
                f"{word('system', system, language)}, {word('domain', domain, language)}",
                number(row["asked"], language),
                percent(of["coverage"], language),
                *(shown(of[key]) for key in ("mae", "median_error", "spearman")),
                percent(of["right"], language),
                interval,
                *(shown(row["skill"][measured][other]) for other in others),
            ]
        )
    caption = text("quality_by_attribute", language, method=word("guesser", measured, language))
    page.table(caption, columns, table, numbers(2, columns), folded=True)
