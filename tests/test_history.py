"""What counts as a change between two runs, and what the history keeps."""

from __future__ import annotations

import json
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import load_table, load_tables, violations
from schemas.errors import Incomplete, OutputUnwritable
from schemas.runs import open_run
from wiq_crawl.errors import InvalidItem
from wiq_crawl.history import compare, content_digest, rebuild_history, records, write_changes

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable

SECTIONS = load_table("tbs", "sections")
MOMENT = datetime(2026, 1, 5, 2, 0, 0, tzinfo=UTC)
PAGE = "https://www.canada.ca/en/page.html"


def section(key: str, **columns: object) -> dict[str, Any]:
    record = {
        "section_id": key,
        "language": "en",
        "position": 1,
        "anchors": ["a"],
        "level": 2,
        "heading": "Heading",
        "path": ["Page", "Heading"],
        "text": "Text.",
        "blocks": [{"kind": "paragraph", "depth": 0, "marker": None, "text": "Text."}],
        "document_url": PAGE,
        "fragment": "a",
        "selector": "//h2[1]",
        "content_sha256": "0" * 64,
        "document_modified": None,
        **columns,
    }
    assert violations(SECTIONS, record) == []
    return record


def document(**columns: object) -> dict[str, Any]:
    record = {
        "url": PAGE,
        "language": "en",
        "kind": "definitions",
        "depth": 1,
        "title": "Title",
        "heading": "Heading",
        "description": None,
        "creator": None,
        "issued": None,
        "modified": "2025-12-01",
        "modified_source": "dcterms.modified",
        "alternate_url": None,
        "archived": False,
        "referenced_fragments": [],
        "content_sha256": "0" * 64,
        "content_characters": 100,
        "rendered": False,
        "fetched_at": "2026-01-05T02:00:00Z",
        "warc_record_id": "urn:uuid:1",
        **columns,
    }
    assert violations(load_table("tbs", "documents"), record) == []
    return record


def write(folder: Path, **tables: Iterable[dict[str, Any]]) -> Path:
    """Write a run folder with all tables, empty but for those given as ``<table>_<language>``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in load_tables("tbs"):
        for language in ("en", "fr"):
            lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in tables.get(f"{name}_{language}", ())]
            (folder / f"{name}_{language}.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder


def crawl(output: Path, sections: list[dict[str, Any]], *, verdict: str = "good", promote: bool = True) -> Path:
    with open_run(output, "tbs", MOMENT) as run:
        write(run.folder, sections_en=sections)
        write_changes(run.previous, run.folder)
        run.write_manifest({"verdict": verdict, "previous": run.previous.name if run.previous else None})
        if promote:
            run.promote()
            rebuild_history(run.root)
    return run.folder


def history(output: Path) -> list[tuple[str, str, str]]:
    lines = [json.loads(line) for line in (output / "tbs" / "history.jsonl").read_text().splitlines()]
    return [(line["run_id"], line["action"], line["key"]) for line in lines]


# --- compare


def test_each_kind_of_change_by_table_language_and_key(tmp_path: Path) -> None:
    old = write(
        tmp_path / "old",
        sections_en=[section("kept"), section("gone"), section("changed")],
        sections_fr=[section("é", language="fr")],
        documents_en=[document()],
    )
    changed = section("changed", text="Other.", level=3)
    new = write(
        tmp_path / "new",
        sections_en=[section("new"), changed, section("kept")],
        sections_fr=[section("é", language="fr", heading=None)],
        documents_en=[document(modified="2026-01-02")],
    )
    changes = list(compare(old, new))
    assert [(c.action, c.table, c.language, c.key, c.columns) for c in changes] == [
        ("MOD", "documents", "en", PAGE, ("modified",)),
        ("MOD", "sections", "en", "changed", ("level", "text")),
        ("DEL", "sections", "en", "gone", ()),
        ("ADD", "sections", "en", "new", ()),
        ("MOD", "sections", "fr", "é", ("heading",)),
    ]
    columns = SECTIONS.compared_columns
    assert changes[1].digest == content_digest(changed, columns).hex()
    assert changes[2].digest == content_digest(section("gone"), columns).hex()
    assert len(changes[1].digest) == 32


def test_first_good_run_is_the_baseline(tmp_path: Path) -> None:
    new = write(tmp_path / "new", sections_en=[section("a")])
    assert list(compare(None, new)) == []
    counts = write_changes(None, new)
    assert (new / "changes.jsonl").read_bytes() == b""
    assert set(counts) == {f"{name}_{language}" for name in load_tables("tbs") for language in ("en", "fr")}
    assert set(map(str, counts.values())) == {"{'ADD': 0, 'MOD': 0, 'DEL': 0}"}


def test_fetch_times_and_other_columns_not_compared_change_nothing(tmp_path: Path) -> None:
    other = "https://www.canada.ca/en/moved.html"
    old = write(tmp_path / "old", sections_en=[section("a")], documents_en=[document()])
    new = write(
        tmp_path / "new",
        sections_en=[
            section(
                "a",
                position=9,
                selector="//h2[9]",
                document_url=other,
                content_sha256="1" * 64,
                document_modified="2026-01-01",
            )
        ],
        documents_en=[document(fetched_at="2026-02-05T02:00:00Z", warc_record_id="urn:uuid:2")],
    )
    assert list(compare(old, new)) == []


def test_order_of_columns_inside_a_record_is_no_change(tmp_path: Path) -> None:
    record = section("a")
    turned = {key: record[key] for key in reversed(record)}
    turned["blocks"] = [{key: block[key] for key in reversed(block)} for block in record["blocks"]]
    old, new = (write(tmp_path / name, sections_en=[row]) for name, row in (("old", record), ("new", turned)))
    assert (old / "sections_en.jsonl").read_bytes() != (new / "sections_en.jsonl").read_bytes()
    assert list(compare(old, new)) == []


def test_new_column_is_not_a_change_of_every_record(tmp_path: Path) -> None:
    earlier = [{key: value for key, value in section(name).items() if key != "fragment"} for name in "ab"]
    old = write(tmp_path / "old", sections_en=earlier)
    new = write(tmp_path / "new", sections_en=[section("a"), section("b", level=3)])
    assert [(change.key, change.columns) for change in compare(old, new)] == [("b", ("level",))]


def test_new_table_has_no_lines_and_a_lost_one_is_an_error(tmp_path: Path) -> None:
    old, new = (write(tmp_path / name, sections_en=[section("a")]) for name in ("old", "new"))
    (old / "sections_en.jsonl").unlink()
    assert list(compare(old, new)) == []
    with pytest.raises(Incomplete, match=r"sections_en\.jsonl cannot be read: .*No such file"):
        list(compare(new, old))


def test_folder_without_tables_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(Incomplete) as raised:
        list(compare(tmp_path, write(tmp_path / "new")))
    assert str(raised.value) == f"{tmp_path} has none of the tables of a run"


@pytest.mark.parametrize("line", ["{", "[]", '{"language": "en"}', ""])
def test_damaged_line_is_named(tmp_path: Path, line: str) -> None:
    old, new = (write(tmp_path / name, sections_en=[section("a")]) for name in ("old", "new"))
    with (new / "sections_en.jsonl").open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    with pytest.raises(Incomplete) as raised:
        list(compare(old, new))
    assert raised.value.message.startswith(f"{new}/sections_en.jsonl cannot be read: ")
    assert raised.value.row == 2


@pytest.mark.parametrize(("old_keys", "new_keys", "place"), [("aa", "a", "old"), ("a", "aa", "new"), ("", "aa", "new")])
def test_doubled_key_is_an_error(tmp_path: Path, old_keys: str, new_keys: str, place: str) -> None:
    old = write(tmp_path / "old", sections_en=[section(key) for key in old_keys])
    new = write(tmp_path / "new", sections_en=[section(key, level=3) for key in new_keys])
    with pytest.raises(InvalidItem) as raised:
        list(compare(old, new))
    assert str(raised.value) == (
        f"two records of {tmp_path / place}/sections_en.jsonl have the same section_id; found a"
    )


rows = st.dictionaries(
    st.text(min_size=1, max_size=3),
    st.fixed_dictionaries(
        {"text": st.text(max_size=3), "level": st.integers(0, 6), "heading": st.none() | st.text(max_size=3)}
    ),
    max_size=6,
)


def digests(folder: Path) -> dict[str, str]:
    return {
        key: content_digest(record, SECTIONS.compared_columns).hex() for key, record in records(folder, SECTIONS, "en")
    }


@settings(deadline=None)
@given(rows, rows, st.randoms(use_true_random=False))
def test_changes_turn_the_old_run_into_the_new_one(
    old_rows: dict[str, Any], new_rows: dict[str, Any], chance: random.Random
) -> None:
    with tempfile.TemporaryDirectory() as place:
        old, new, shuffled = (Path(place) / name for name in ("old", "new", "shuffled"))
        old_records = [section(key, **columns) for key, columns in old_rows.items()]
        new_records = [section(key, **columns) for key, columns in new_rows.items()]
        write(old, sections_en=old_records)
        write(new, sections_en=new_records)
        changes = list(compare(old, new))

        state = digests(old)
        for change in changes:
            assert (change.action == "ADD") == (change.key not in state)
            if change.action == "DEL":
                assert state.pop(change.key) == change.digest
            else:
                state[change.key] = change.digest
            columns = {name for name in old_rows.get(change.key, {}) if change.action == "MOD"}
            expected = {name for name in columns if old_rows[change.key][name] != new_rows[change.key][name]}
            assert set(change.columns) == expected
        assert state == digests(new)

        assert list(compare(new, new)) == []
        chance.shuffle(new_records)
        volatile = [{**record, "position": 7, "selector": "//x"} for record in new_records]
        assert list(compare(old, write(shuffled, sections_en=volatile))) == changes
        assert [change.key for change in changes] == sorted(change.key for change in changes)


# --- changes.jsonl and history.jsonl


def test_lines_of_changes_and_their_counts(tmp_path: Path) -> None:
    old = write(tmp_path / "old", sections_en=[section("a"), section("gone")])
    new = write(tmp_path / "new", sections_en=[section("a", text="é"), section("b"), section("c")])
    counts = write_changes(old, new)
    assert counts["sections_en"] == {"ADD": 2, "MOD": 1, "DEL": 1}
    assert counts["sections_fr"] == {"ADD": 0, "MOD": 0, "DEL": 0}
    lines = [json.loads(line) for line in (new / "changes.jsonl").read_text(encoding="utf-8").splitlines()]
    assert lines[0] == {
        "run_id": "new",
        "previous_run_id": "old",
        "action": "MOD",
        "table": "sections",
        "language": "en",
        "key": "a",
        "columns": ["text"],
        "digest": content_digest(section("a", text="é"), SECTIONS.compared_columns).hex(),
    }
    assert [line["key"] for line in lines] == ["a", "b", "c", "gone"]


def test_changes_that_cannot_be_written(tmp_path: Path) -> None:
    new = write(tmp_path / "new")
    (new / ".changes.jsonl.tmp").symlink_to("/dev/full")
    old = write(tmp_path / "old", sections_en=[section("a")])
    with pytest.raises(OutputUnwritable, match=r"changes\.jsonl: No space left on device; free some space"):
        write_changes(old, new)


def test_history_is_that_of_promoted_runs_oldest_first(tmp_path: Path) -> None:
    crawl(tmp_path, [section("a")])
    second = crawl(tmp_path, [section("a"), section("b")])
    crawl(tmp_path, [section("x")], verdict="failed", promote=False)
    crawl(tmp_path, [section("y")], promote=False)  # good, but never promoted
    last = crawl(tmp_path, [section("b")])
    assert history(tmp_path) == [(second.name, "ADD", "b"), (last.name, "DEL", "a")]


def test_run_killed_between_promotion_and_history_loses_nothing(tmp_path: Path) -> None:
    crawl(tmp_path, [section("a")])
    second = crawl(tmp_path, [section("b")])
    (tmp_path / "tbs" / "history.jsonl").unlink()
    third = crawl(tmp_path, [section("c")])
    expected = [
        (second.name, "DEL", "a"),
        (second.name, "ADD", "b"),
        (third.name, "DEL", "b"),
        (third.name, "ADD", "c"),
    ]
    assert sorted(history(tmp_path)) == sorted(expected)
    rebuild_history(tmp_path / "tbs")
    assert len(history(tmp_path)) == len(expected)


def test_history_outlives_deleted_run_folders(tmp_path: Path) -> None:
    folders = [crawl(tmp_path, [section(key)]) for key in "abcd"]
    before = history(tmp_path)
    assert len(before) == 6
    for folder in folders[:3]:
        shutil.rmtree(folder)
    rebuild_history(tmp_path / "tbs")
    assert history(tmp_path) == before
    crawl(tmp_path, [section("d")])
    assert history(tmp_path) == before


def test_run_taken_back_leaves_the_history(tmp_path: Path) -> None:
    first, second = (crawl(tmp_path, [section(key)]) for key in "ab")
    latest = tmp_path / "tbs" / "latest"
    latest.unlink()
    latest.symlink_to(f"runs/{first.name}")
    third = crawl(tmp_path, [section("c")])
    assert {run for run, _, _ in history(tmp_path)} == {third.name}
    assert second.is_dir()


def test_promoted_run_without_its_changes_is_an_error_and_keeps_the_history(tmp_path: Path) -> None:
    crawl(tmp_path, [section("a")])
    second = crawl(tmp_path, [section("b")])
    before = history(tmp_path)
    (second / "changes.jsonl").unlink()
    with pytest.raises(Incomplete) as raised:
        rebuild_history(tmp_path / "tbs")
    assert str(raised.value) == (
        f"run {second.name} has lost its changes.jsonl: the history would lose its lines; "
        f"restore {second}/changes.jsonl"
    )
    assert history(tmp_path) == before


def test_history_before_the_first_good_run_is_empty(tmp_path: Path) -> None:
    rebuild_history(tmp_path)
    assert (tmp_path / "history.jsonl").read_bytes() == b""
