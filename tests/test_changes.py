"""The change report: its facts, its words in both languages, and the command that prints it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import load_table, load_tables, violations
from schemas.runs import open_run
from wiq_crawl.changes import ColumnChange, RecordChange, change_report, render
from wiq_crawl.word_difference import Words, word_difference

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parent.parent
OLD = "20260105T020000Z"
NEW = "20260205T020000Z"
PAGES = {"en": "https://www.canada.ca/en/page.html", "fr": "https://www.canada.ca/fr/page.html"}
TABLE_TEXTS = {
    "en": "The group is made of posts that mainly do the planning, delivery and checking of all trips",
    "fr": "Le groupe réunit les postes qui servent avant tout à prévoir, à offrir et à vérifier des trajets",
}


def record(table_name: str, language: str, **columns: object) -> dict[str, Any]:
    """Make a valid record: null or the least allowed where nothing is given."""
    table = load_table("tbs", table_name)
    made: dict[str, Any] = {}
    for column in table.columns:
        schema = column.schema
        least = {"string": "x" * schema.get("minLength", 1), "integer": schema.get("minimum", 0), "array": []}
        made[column.name] = None if "null" in schema["type"] else least.get(schema["type"], False)
    made |= {"language": language, "content_sha256": "0" * 64, **columns}
    if "document_url" in made:
        made["document_url"] = PAGES[language]
    assert violations(table, made) == []
    return made


def group(language: str, key: str = "AI/def-ai//", **columns: object) -> dict[str, Any]:
    names = {"en": "Air Traffic Control", "fr": "Contrôle de la circulation aérienne"}
    given_columns = {"occupational_group_name": names[language], "occupational_group_code": "AI", **columns}
    return record("occupational_groups", language, row_key=key, abbreviation="AI", **given_columns)


def definition(language: str, anchor: str = "def-ai", **columns: object) -> dict[str, Any]:
    headings = {"en": "Air Traffic Control (AI) Group Definition", "fr": "Définition du groupe AI"}
    given_columns = {"heading": headings[language], "definition": TABLE_TEXTS[language], **columns}
    given_columns |= {"kind": "group", "text_sha256": "0" * 64}
    return record("definitions", language, anchor=anchor, **given_columns)


def document(language: str, url: str | None = None, **columns: object) -> dict[str, Any]:
    titles = {"en": "Definitions", "fr": "Définitions"}
    given_columns = {"title": titles[language], "modified": "2025-12-01", **columns}
    given_columns = {"fetched_at": "2026-01-05T02:00:00Z", "kind": "definitions", **given_columns}
    return record("documents", language, url=url or PAGES[language], **given_columns)


def write(folder: Path, **tables: Iterable[dict[str, Any]]) -> Path:
    """Write a run folder with all tables, empty but for those given as ``<table>_<language>``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in load_tables("tbs"):
        for language in ("en", "fr"):
            lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in tables.get(f"{name}_{language}", ())]
            (folder / f"{name}_{language}.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder


def rendered(tmp_path: Path, language: str, old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Lines of the report, without those before the first section on records."""
    report = change_report(write(tmp_path / OLD, **old), write(tmp_path / NEW, **new))
    lines = render(report, language).splitlines()
    sections = [number for number, line in enumerate(lines) if line.startswith("## ")]
    return [line for line in lines[sections[1] :] if line]


# --- words


@given(
    st.lists(st.sampled_from(["a", "b", "c", "d", "e,", "f."])),
    st.lists(st.sampled_from(["a", "b", "c", "d", "e,", "x"])),
)
def test_each_text_comes_back_from_the_difference(old: list[str], new: list[str]) -> None:
    spans = word_difference(" ".join(old), "\n".join(new))
    assert [word for span in spans if span.kind != "added" for word in span.words] == old
    assert [word for span in spans if span.kind != "removed" for word in span.words] == new
    assert all(span.words for span in spans)


@given(st.text())
def test_text_does_not_differ_from_itself(text: str) -> None:
    words = tuple(text.split())
    assert word_difference(text, f"  {text} ") == ([Words("kept", words)] if words else [])


def test_lone_word_between_two_changes_goes_with_them() -> None:
    assert word_difference("one old of them here too", "one new of those here too") == [
        Words("kept", ("one",)),
        Words("removed", ("old", "of", "them")),
        Words("added", ("new", "of", "those")),
        Words("kept", ("here", "too")),
    ]


# --- the model


def test_report_is_plain_data(tmp_path: Path) -> None:
    old = write(tmp_path / OLD, occupational_groups_en=[group("en"), group("en", "row9")])
    new = write(tmp_path / NEW, occupational_groups_en=[group("en", code="402"), group("en", "row1")])
    report = change_report(old, new)
    assert (report.previous, report.current) == (OLD, NEW)
    groups = report.tables["occupational_groups", "en"]
    name = "Air Traffic Control (AI)"
    assert (groups.before, groups.after) == (2, 2)
    assert groups.added == (RecordChange("row1", name),)
    assert groups.removed == (RecordChange("row9", name),)
    assert groups.modified == (RecordChange("AI/def-ai//", name, (ColumnChange("code", None, "402"),)),)
    assert set(report.tables) == {(table, language) for table in load_tables("tbs") for language in ("en", "fr")}


# --- the report


def test_nothing_changed_is_said_in_both_languages(tmp_path: Path) -> None:
    folders = [write(tmp_path / name, definitions_en=[definition("en")]) for name in (OLD, NEW)]
    report = change_report(*folders)
    assert render(report, "en") == (
        "# What changed on the Treasury Board pages\n\n"
        "Between the run of 2026-01-05 (20260105T020000Z) and the run of 2026-02-05 (20260205T020000Z).\n\n"
        "Nothing changed: every table says the same in both runs.\n"
    )
    assert render(report, "fr") == (
        "# Ce qui a changé dans les pages du Conseil du Trésor\n\n"
        "Entre l’exécution du 2026-01-05 (20260105T020000Z) "
        "et l’exécution du 2026-02-05 (20260205T020000Z).\n\n"
        "Rien n’a changé : chaque tableau dit la même chose dans les deux exécutions.\n"
    )


def test_counts_are_those_of_both_languages(tmp_path: Path) -> None:
    old = write(tmp_path / "before", definitions_fr=[definition("fr"), definition("fr", "def-zz")])
    new = write(tmp_path / "after", definitions_fr=[definition("fr", code="AI"), definition("fr", "def-bb")])
    english = render(change_report(old, new), "en")
    assert "Between run before and run after." in english
    assert "| Table | Language | Before | After | Added | Modified | Removed |\n|---|---|--:|--:|" in english
    assert "| Definitions | French | 2 | 2 | 1 | 1 | 1 |" in english
    assert "| Definitions | English | 0 | 0 | 0 | 0 | 0 |" in english
    assert english.endswith("\n\nNo group, definition or document changed in English; the counts show what did.\n")
    french = render(change_report(old, new), "fr")
    assert "Entre l’exécution before et l’exécution after." in french
    assert "| Définitions | français | 2 | 2 | 1 | 1 | 1 |" in french
    assert "## Définitions ajoutées (1)" in french


def test_groups_added_removed_renamed_and_otherwise_changed(tmp_path: Path) -> None:
    url = "https://www.canada.ca/fr/{}.html"
    old = {
        "occupational_groups_fr": [
            group("fr", "row1", subgroup_name="Contrôleurs", subgroup_code="AI-NOP", code="402"),
            group("fr", "row2"),
            group(
                "fr",
                "row3",
                qualification_standard_url=url.format("a"),
                job_evaluation_standard_published=True,
            ),
        ]
    }
    new = {
        "occupational_groups_fr": [
            group("fr", "row1", subgroup_name="Contrôle opérationnel", subgroup_code="AI-NOP", code="403"),
            group(
                "fr",
                "row3",
                qualification_standard_url=url.format("b"),
                job_evaluation_standard_published=False,
            ),
            group("fr", "row4", group_name="Tours_de *contrôle*"),
        ]
    }
    name = "Contrôle de la circulation aérienne (AI)"
    assert rendered(tmp_path, "fr", old, new) == [
        "## Groupes ajoutés (1)",
        rf"- {name} / Tours\_de \*contrôle\* (`row4`)",
        "## Groupes supprimés (1)",
        f"- {name} (`row2`)",
        "## Groupes renommés (1)",
        f"- {name} / Contrôle opérationnel (AI-NOP) (`row1`)",
        "  - Code : 402 → 403",
        "  - Nom du sous-groupe : Contrôleurs → Contrôle opérationnel",
        "## Groupes modifiés autrement (1)",
        f"- {name} (`row3`)",
        f"  - Norme de qualification : adresse absolue avec fragment : {url.format('a')} → {url.format('b')}",
        "  - Norme d’évaluation des emplois publiée : oui → non",
    ]


def test_definition_shows_the_changed_words_of_each_part(tmp_path: Path) -> None:
    changed = TABLE_TEXTS["en"].replace("planning, delivery", "planning")
    old = {"definitions_en": [definition("en", effective_date="1999-03-18", exclusions="Positions at sea.")]}
    new = {
        "definitions_en": [
            definition(
                "en",
                heading="Air Traffic Services (AI) Group Definition",
                definition=changed,
                inclusions="Positions in towers.",
                effective_date="2026-02-01",
                text=changed,
                text_characters=100,
                other_parts=[{"heading": "Skilled trades", "text": "None."}],
            )
        ]
    }
    assert rendered(tmp_path, "en", old, new) == [
        "## Definitions changed (1)",
        "- Air Traffic Services (AI) Group Definition (`def-ai`)",
        "  - Heading: Air Traffic ~~Control~~ **Services** (AI) Group Definition",
        "  - Definition: … of posts that mainly do the ~~planning, delivery~~ **planning** and checking of all trips",
        "  - Inclusions: **Positions in towers.**",
        "  - Exclusions: ~~Positions at sea.~~",
        "  - Other parts: **Skilled trades; None.**",
        "  - Effective date: ~~1999-03-18~~ **2026-02-01**",
    ]


def test_long_text_is_not_repeated_whole(tmp_path: Path) -> None:
    words = [f"mot{number}" for number in range(900)]
    changed = ["premier", *words[1:400], "ajout", *words[400:]]
    old = {"definitions_fr": [definition("fr", definition=" ".join(words))]}
    new = {"definitions_fr": [definition("fr", definition=" ".join(changed))]}
    assert rendered(tmp_path, "fr", old, new)[2] == (
        "  - Définition : ~~mot0~~ **premier** mot1 mot2 mot3 mot4 mot5 mot6 … "
        "mot394 mot395 mot396 mot397 mot398 mot399 **ajout** mot400 mot401 mot402 mot403 mot404 mot405 …"
    )


def test_layout_only_and_text_outside_the_parts(tmp_path: Path) -> None:
    old = {
        "definitions_en": [
            definition("en", "def-a", text="one of\ntwo lines"),
            definition("en", "def-b", text="one of two lines"),
            definition("en", "def-c", inclusions="one two"),
            definition("en", "def-d"),
        ]
    }
    block = {"kind": "note", "depth": 1, "marker": None, "text": "x"}
    new = {
        "definitions_en": [
            definition("en", "def-a", text="one of two lines"),
            definition("en", "def-b", text="one of three lines"),
            definition("en", "def-c", inclusions="one\n two"),
            definition("en", "def-d", inclusion_blocks=[block]),
        ]
    }
    lines = [line for line in rendered(tmp_path, "en", old, new) if line.startswith("  ")]
    assert lines == [
        "  - Text: only spacing or layout changed",
        "  - Text: one of ~~two~~ **three** lines",
        "  - Inclusions: only spacing or layout changed",
        "  - only spacing or layout changed",
    ]


def test_documents_and_their_dates(tmp_path: Path) -> None:
    site = "https://www.canada.ca/en/"
    old = {
        "documents_en": [
            document("en", site + "a"),
            document("en", site + "b"),
            document("en", site + "c", modified=None),
            document("en", site + "d", title="[Gone]"),
        ]
    }
    new = {
        "documents_en": [
            document("en", site + "a", modified="2026-02-01", content_sha256="1" * 64, content_characters=5),
            document("en", site + "b", content_sha256="1" * 64, content_characters=5),
            document("en", site + "c", modified="2026-01-31", fetched_at="2026-02-05T02:00:00Z"),
            document("en", site + "e"),
        ]
    }
    assert rendered(tmp_path, "en", old, new) == [
        "## Documents added (1)",
        f"- Definitions (`{site}e`)",
        "## Documents removed (1)",
        rf"- \[Gone\] (`{site}d`)",
        "## Documents changed (3)",
        f"- Definitions (`{site}a`)",
        "  - the text of the page changed",
        "  - Date modified: 2025-12-01 → 2026-02-01",
        f"- Definitions (`{site}b`)",
        "  - the text of the page changed, its date did not",
        f"- Definitions (`{site}c`)",
        "  - Date modified: (none) → 2026-01-31",
    ]


def test_every_column_has_a_short_label_in_both_languages(tmp_path: Path) -> None:
    """No column of the detailed tables makes the report fail, whatever changes in it."""
    changed: dict[str, Any] = {}
    for name, make in (("occupational_groups", group), ("definitions", definition), ("documents", document)):
        for language in ("en", "fr"):
            changed[f"{name}_{language}"] = [make(language)]
    old = write(tmp_path / OLD, **changed)
    new = write(tmp_path / NEW, **changed)
    for path in new.glob("*.jsonl"):
        table = next(table for table in load_tables("tbs").values() if path.name.startswith(table.name))
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for row in rows:
            row |= {column: "other" for column in row if column not in table.primary_key}
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    for language in ("en", "fr"):
        labels = re.findall(r"^  - (.*?)(?: ?: )", render(change_report(old, new), language), flags=re.MULTILINE)
        assert len(labels) > 40
        assert max(map(len, labels)) < 110


# --- the command


def scrapy(tmp_path: Path, *arguments: str, output: Path | None = None) -> tuple[int, str, str]:
    """``scrapy changes`` as a process of its own: exit status, standard output, standard error."""
    (tmp_path / "changes_settings.py").write_text(
        "import os\nBOT_NAME = 'wiq'\nCOMMANDS_MODULE = 'wiq_crawl.commands'\n"
        "WIQ_OUTPUT = os.environ.get('WIQ_OUTPUT', 'output')\n"
    )
    environment = {
        **os.environ,
        "SCRAPY_SETTINGS_MODULE": "changes_settings",
        "PYTHONPATH": f"{tmp_path}:{ROOT}",
        "WIQ_OUTPUT": str(output or tmp_path / "output"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "scrapy", "changes", *arguments],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def promoted(output: Path, month: int, **tables: Iterable[dict[str, Any]]) -> Path:
    with open_run(output, "tbs", datetime(2026, month, 5, 2, tzinfo=UTC)) as run:
        write(run.folder, **tables)
        run.write_manifest({"verdict": "good", "previous": run.previous.name if run.previous else None})
        run.promote()
    return run.folder


@pytest.fixture
def three_runs(tmp_path: Path) -> list[Path]:
    output = tmp_path / "output"
    return [
        promoted(output, 1, definitions_en=[definition("en")]),
        promoted(output, 2, definitions_en=[definition("en")], definitions_fr=[definition("fr")]),
        promoted(output, 3, definitions_en=[definition("en", "def-b")], definitions_fr=[definition("fr", "def-b")]),
    ]


@pytest.mark.usefixtures("three_runs")
def test_command_prints_both_languages_of_the_last_two_good_runs(tmp_path: Path) -> None:
    status, out, err = scrapy(tmp_path)
    assert (status, err) == (0, "")
    english, french = out.split("# Ce qui a changé")
    assert "Between the run of 2026-02-05 (20260205T020000Z) and the run of 2026-03-05" in english
    assert "## Definitions added (1)" in english
    assert "## Définitions supprimées (1)" in french
    assert scrapy(tmp_path, "--language", "fr") == (0, f"# Ce qui a changé{french}", "")


def test_command_compares_runs_by_id_or_folder(tmp_path: Path, three_runs: list[Path]) -> None:
    by_id = scrapy(tmp_path, "--language", "en", "--from", three_runs[0].name, "--to", three_runs[1].name)
    by_folder = scrapy(tmp_path, "--language", "en", "--from", str(three_runs[0]), "--to", str(three_runs[1]))
    assert by_id == by_folder
    assert by_id[0] == 0
    assert "| Definitions | French | 0 | 1 | 1 | 0 | 0 |" in by_id[1]


def test_command_with_fewer_than_two_good_runs(tmp_path: Path) -> None:
    (tmp_path / "output").mkdir()
    root = tmp_path / "output" / "tbs"
    said = f"Nothing to compare yet: it takes two good runs, and {root} has {{}}.\n"
    assert scrapy(tmp_path) == (0, said.format(0), "")
    promoted(tmp_path / "output", 1)
    assert scrapy(tmp_path) == (0, said.format(1), "")


def test_command_refuses_bad_folders_and_arguments_in_one_line(tmp_path: Path, three_runs: list[Path]) -> None:
    def refused(*arguments: str, output: Path | None = None) -> str:
        status, out, err = scrapy(tmp_path, *arguments, output=output)
        assert (status, out) == (2, "")
        assert err.count("\n") == 1
        return err

    nowhere = tmp_path / "nowhere"
    assert refused(output=nowhere) == (
        f"scrapy changes: {nowhere} is not a folder; set WIQ_OUTPUT to the folder the crawl writes to\n"
    )
    assert refused("--from", "x") == (
        "scrapy changes: --from and --to go together; give both, or neither for the last two good runs\n"
    )
    assert refused("--from", "x", "--to", "y") == (
        f"scrapy changes: no run 'x': it is neither in {three_runs[0].parent} nor a folder; "
        "give the id or the folder of a run that ended\n"
    )
    assert refused("--from", str(tmp_path), "--to", three_runs[0].name) == (
        f"scrapy changes: run {tmp_path.name} did not end: {tmp_path}/run.json is not there\n"
    )
    assert refused("more") == "scrapy changes: unexpected argument 'more'; see scrapy changes --help\n"


def test_command_explains_itself(tmp_path: Path) -> None:
    status, out, _ = scrapy(tmp_path, "--help")
    assert status == 0
    words = " ".join(out.split())
    for said in (
        "--language {en,fr}",
        "--from RUN",
        "--to RUN",
        "«scrapy changes --language fr»",
        "WIQ_OUTPUT",
    ):
        assert said in words
