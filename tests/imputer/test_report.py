"""The report: self-contained pages, the same bytes from the same tables, readable without eyes or network."""

from __future__ import annotations

import json
import re
import time
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest
from made_runs import MadeRuns, statement
from processes import run_imputer

from imputer.finished import open_folder
from imputer.precedence import SOURCE_TYPES
from imputer.report import facts, plots, write_report
from imputer.wording import LANGUAGES, labels, number, percent

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

VOID = {"meta", "link", "br", "img", "hr", "input"}
FIGURES = {
    "seed": 1,
    "figures": [
        {"tier": "onet", "name": "mean absolute error", "value": 0.44, "low": 0.42, "high": 0.46, "n": 100, "bar": 0.47}
        | {"at_least": False, "percent": False, "note": "made up", "reached": True},
        {"tier": "resolution", "name": "first five", "value": 0.8, "low": 0.7, "high": 0.9, "n": 50, "bar": 0.85}
        | {"at_least": True, "percent": True, "note": "", "reached": False},
        {"tier": "resolution", "name": "no value", "value": None, "low": None, "high": None, "n": 0},
    ],
    "details": {"name": "not a figure", "value": 3},
}


class Page(HTMLParser):
    """What a page holds: every tag is closed, and what it loads, names and labels."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.loaded: list[str] = []
        self.labelled: list[str] = []
        self.headings: list[int] = []
        self.links: list[str] = []
        self.language = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "html":
            self.language = given["lang"]
        self.ids += [given["id"]] if "id" in given else []
        self.headings += [int(tag[1])] if re.fullmatch(r"h[1-6]", tag) else []
        self.loaded += [given[name] for name in ("src", "srcset", "data", "poster") if name in given]
        self.loaded += [given["href"]] if tag in {"link", "image", "script"} and "href" in given else []
        self.links += [given["href"]] if tag == "a" else []
        if tag in {"a", "use"} and given.get("href", given.get("xlink:href", "")).startswith("#"):
            self.targets.append(given.get("href", given.get("xlink:href", ""))[1:])
        if tag == "svg":
            assert given["role"] == "img"
            self.labelled += given["aria-labelledby"].split()

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadeRuns:
    runs = MadeRuns(tmp_path_factory.mktemp("report"))
    runs.run([statement("1", confidence_calibrated=0.93), statement("2", source="ONET", source_id="onet_skills")])
    return runs


def page_of(folder: Path, language: str, target: Path) -> str:
    write_report(folder, language, target)
    return target.read_text(encoding="utf-8")


def check(text: str, language: str) -> Page:
    page = Page(text)
    assert page.open == []
    assert page.language == language
    assert page.loaded == []
    assert "url(http" not in text
    assert "@import" not in text
    assert "<script" not in text
    assert len(page.ids) == len(set(page.ids))
    assert set(page.targets) <= set(page.ids)
    assert page.labelled
    assert set(page.labelled) <= set(page.ids)
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    assert all(below <= above + 1 for above, below in zip(page.headings, page.headings[1:], strict=False))
    assert page.tags.count("table") >= page.tags.count("svg")
    assert page.tags.count("caption") == page.tags.count("table")
    return page


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_stands_alone_and_is_accessible(made: MadeRuns, language: str, tmp_path: Path) -> None:
    page = check(page_of(made.latest, language, tmp_path / f"report_{language}.html"), language)
    other = "fr" if language == "en" else "en"
    assert f"report_{other}.html" in page.links


def test_the_same_tables_give_the_same_bytes(made: MadeRuns, tmp_path: Path) -> None:
    first, second = (page_of(made.latest, "en", tmp_path / name) for name in ("a.html", "b.html"))
    assert first == second
    assert not re.search(r"<dc:date>|<metadata>", first)


def test_a_run_in_which_no_value_changed_leaves_the_report_as_it_was(tmp_path: Path) -> None:
    made = MadeRuns(tmp_path)
    made.run([statement("1")])
    before = page_of(made.latest, "fr", tmp_path / "a.html")
    made.runs[-1]["statements_added"] = 1
    folder = made.run([statement("1")])
    runs = pq.read_table(folder / "dim_run.parquet").to_pylist()
    runs[-1]["statements_added"] = 0
    schema = pq.read_schema(folder / "dim_run.parquet")
    pq.write_table(
        pq.read_table(folder / "dim_run.parquet").from_pylist(runs, schema=schema), folder / "dim_run.parquet"
    )
    assert page_of(folder, "fr", tmp_path / "b.html") == before


def test_backtest_figures_stand_beside_their_bars(made: MadeRuns, tmp_path: Path) -> None:
    path = made.root / "backtest.json"
    without = page_of(made.latest, "en", tmp_path / "without.html")
    assert "No backtest was run yet" in without
    path.write_text(json.dumps(FIGURES), encoding="utf-8")
    try:
        told = page_of(made.latest, "fr", tmp_path / "with.html")
    finally:
        path.unlink()
    check(told, "fr")
    for words in ("0,440", "0,420 – 0,460", "au plus 0,470", "80,0\u202f%", "au moins 85,0\u202f%", "made up"):
        assert words in told
    assert "not a figure" not in told
    assert "no value" not in told


def share(tier: str, name: str, name_fr: str, note: str = "", note_fr: str = "") -> dict[str, Any]:
    return {"tier": tier, "name": name, "name_fr": name_fr, "note": note, "note_fr": note_fr} | {
        "value": 0.5,
        "low": 0.4,
        "high": 1.0,
        "n": 9,
        "percent": True,
    }


@pytest.mark.parametrize(
    ("language", "told"),
    [
        (
            "en",
            [
                "profile within the given unit group: 50.0%",
                "profile within the given unit group … right, by UG_DOMINANT: 50.0%",
                "blind: unit group first (English title; title alone): 50.0%",
                "blind: unit group first … answered (English title; title alone): 50.0%",
                "blind: unit group first … answered (French title; title alone): 50.0%",
                "; numbers within tolerance, by the model: 50.0%",
                "; numbers within tolerance, by the mean of all: 50.0%",
            ],
        ),
        (
            "fr",
            [
                "profil dans le groupe de base donné … juste, par UG_DOMINANT: 50,0\u202f%",
                "sans code : groupe de base en tête … répondu (titre français; titre seul): 50,0\u202f%",
                "; nombres à la tolérance près, par la moyenne générale: 50,0\u202f%",
            ],
        ),
    ],
)
def test_a_figure_away_from_its_neighbours_has_a_name_of_its_own(
    made: MadeRuns, tmp_path: Path, language: str, told: list[str]
) -> None:
    fitted = ("weights fitted on other unit groups", "poids ajustés sur d’autres groupes de base")
    english, french = (
        ("English title; title alone", "titre anglais; titre seul"),
        ("French title; title alone", "titre français; titre seul"),
    )
    figures = [
        share("resolution", "profile within the given unit group", "profil dans le groupe de base donné", *fitted),
        share("resolution", "… right, by UG_DOMINANT", "… juste, par UG_DOMINANT"),
        *(
            share("resolution", *name, *note)
            for note in (english, french)
            for name in (("blind: unit group first", "sans code : groupe de base en tête"), ("… answered", "… répondu"))
        ),
        share("llm", "numbers within tolerance, by the model", "nombres à la tolérance près, par le modèle"),
        share(
            "llm",
            "numbers within tolerance, by the mean of all",
            "nombres à la tolérance près, par la moyenne générale",
        ),
    ]
    path = made.root / "backtest.json"
    path.write_text(json.dumps(figures), encoding="utf-8")
    try:
        text = page_of(made.latest, language, tmp_path / "told.html")
    finally:
        path.unlink()
    for words in told:
        assert words in text


def test_markers_at_the_ends_of_an_axis_are_whole_and_a_legend_is_clear_of_titles() -> None:
    points = [(0.0, 0.0), (1.0, 1.0)]
    labels = ("stated", "calibrated", "ideal", "confidence", "share right")
    curves = plots.reliability([("model", points, points), ("similar titles", points, points)], labels, "en")
    shares = plots.intervals(["one"], [(1.0, 0.9, 1.0, 1.0)], ("share", "bar"), "en")
    for drawn in (curves, shares):
        assert not re.search(r"<g clip-path=[^>]*>\s*<use", drawn)
    places = {name: float(y) for y, name in re.findall(r'<text [^>]*\by="([\d.]+)"[^>]*>([^<]*)</text>', curves)}
    assert places["model"] - places["stated"] > 20  # of letters that are 10 high


@pytest.mark.parametrize(
    "content",
    [
        {"onet": [{"name": "a", "value": 1.0}], "resolution": [{"name": "b", "value": 2}]},
        [{"tier": "onet", "name": "a", "value": 1.0}, {"tier": "resolution", "name": "b", "value": 2}],
        {"figures": [{"tier": "onet", "name": "a", "value": 1.0}, {"tier": "resolution", "name": "b", "value": 2}]},
    ],
)
def test_backtest_figures_are_read_in_every_shape(tmp_path: Path, content: object) -> None:
    path = tmp_path / "backtest.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    assert [(one["tier"], one["name"]) for one in facts.read_backtest(path)] == [("onet", "a"), ("resolution", "b")]


@pytest.mark.parametrize("text", ["", "{", "3", "null", "{}"])
def test_a_broken_backtest_file_gives_no_figures(tmp_path: Path, text: str) -> None:
    path = tmp_path / "backtest.json"
    path.write_text(text, encoding="utf-8")
    assert facts.read_backtest(path) == []


def test_the_command_writes_both_languages_or_one(made: MadeRuns, tmp_path: Path) -> None:
    run_imputer(made.output, "report", "-o", str(tmp_path / "new"), expect=0)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["report_en.html", "report_fr.html"]
    single = tmp_path / "rapport.html"
    ended = run_imputer(made.output, "report", "--language", "fr", "-o", str(single), expect=0)
    assert f"Écrit\u202f: {single}" in ended.output.replace(" :", "\u202f:")
    assert "report_en.html" not in single.read_text(encoding="utf-8")
    assert run_imputer(tmp_path / "none", "report").status == 1
    refused = run_imputer(made.output, "report", "-o", str(tmp_path / "both.html"))
    assert (refused.status, len(refused.errors.splitlines())) == (2, 1)
    unwritable = run_imputer(made.output, "report", "-o", str(single / "folder"))
    assert (unwritable.status, unwritable.errors.partition(":")[0]) == (1, "output_unwritable")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_real_run_has_a_full_report_within_five_seconds(gold: Path, tmp_path: Path, language: str) -> None:
    target = tmp_path / f"report_{language}.html"
    write_report(gold.resolve(), language, target)  # fonts and libraries are loaded once a process
    start = time.perf_counter()
    write_report(gold.resolve(), language, target)
    assert time.perf_counter() - start < 5
    text = target.read_text(encoding="utf-8")
    page = check(text, language)
    assert page.tags.count("svg") >= 5
    assert "USDOL/ETA" in text
    assert "CC BY 4.0" in text
    with open_folder(gold.resolve()) as run:
        gathered = facts.gather(run)
    assert number(gathered["summary"][0]["statements"], language) in text
    total = {name: sum(row[name] for row in gathered["coverage"]) for name in ("missing", "cells")}
    assert percent(1 - total["missing"] / total["cells"], language) in text
    assert_adds_up(gathered)
    assert sum(row["n"] for row in gathered["confidence"]) == gathered["summary"][0]["values"]
    for row in gathered["confidence"]:
        assert sum(row["stated_counts"]) == row["n"]
        assert sum(row["calibrated_counts"]) == row["measured"]


def assert_adds_up(gathered: dict[str, list[dict[str, Any]]]) -> None:
    """Cells with a value and gaps are all there, of titles, families and functions, by source and by reason."""
    [summary] = gathered["summary"]
    assert sum(row["cells"] for row in gathered["coverage"]) == summary["values"] + summary["gaps"]
    assert sum(row["missing"] for row in gathered["coverage"]) == summary["gaps"]
    assert sum(row[name] for row in gathered["coverage"] for name in SOURCE_TYPES) == summary["values"]
    assert sum(row["n"] for row in gathered["gaps"]) == summary["gaps"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_coverage_and_gaps_add_up_with_what_families_and_functions_lack(sample_output: Path, language: str) -> None:
    latest = (sample_output / "wiq" / "latest").resolve()
    with open_folder(latest) as run:
        gathered = facts.gather(run)
        assert {row["kind"] for row in run.rows("SELECT DISTINCT entity_type AS kind FROM gaps")} > {"job_title"}
    assert_adds_up(gathered)
    [summary] = gathered["summary"]
    told = (latest / f"report_{language}.html").read_text(encoding="utf-8")
    [total] = re.findall(r'<tr class="total">(.*?)</tr>', told)
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", total)
    assert number(summary["values"] + summary["gaps"], language) == cells[0]
    assert [
        number(summary["gaps"], language),
        percent(summary["gaps"] / (summary["values"] + summary["gaps"]), language),
    ] == cells[-2:]


def test_the_run_writes_the_reports_that_the_command_writes(sample_output: Path, tmp_path: Path) -> None:
    latest = (sample_output / "wiq" / "latest").resolve()
    for language in LANGUAGES:
        own = latest / f"report_{language}.html"
        assert own.read_text(encoding="utf-8") == page_of(latest, language, tmp_path / own.name)


def test_every_label_has_both_languages() -> None:
    for section, entries in labels().items():
        for key, entry in entries.items():
            assert set(entry) == set(LANGUAGES), f"{section}.{key}"
            assert all(entry.values()), f"{section}.{key}"
            blanks = {language: sorted(re.findall(r"{(\w+)}", entry[language])) for language in LANGUAGES}
            assert set(blanks["fr"]) <= set(blanks["en"]) | {"profile"}, f"{section}.{key}"


def test_french_labels_are_typed_as_french_is() -> None:
    for entries in labels().values():
        for key, entry in entries.items():
            french = entry["fr"]
            assert "'" not in french, key
            assert not re.search(r"\w[!?]| ;|[«](?! )|(?<! )»", french), key


@pytest.mark.parametrize(
    ("value", "english", "french"),
    [
        (1234.5, "1,234.5", "1\u202f234,5"),
        (0, "0", "0"),
        (-0.001, "0", "0"),
        (100, "100", "100"),
        (None, "–", "–"),
    ],
)
def test_numbers_are_written_as_each_language_does(value: float | None, english: str, french: str) -> None:
    assert (number(value, "en"), number(value, "fr")) == (english, french)


@pytest.mark.parametrize("value", [0, -0.0, -0.004])
def test_nothing_is_never_less_than_nothing(value: float) -> None:
    assert [number(value, language, exactly=True) for language in LANGUAGES] == ["0.00", "0,00"]
    assert [percent(value / 10, language) for language in LANGUAGES] == ["0.0%", "0,0\u202f%"]
    assert number(-0.006, "en", exactly=True) == "-0.01"
