"""``imputer resolve`` as a process: files in and out, and what stands in the way."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from processes import run_imputer

from imputer.errors import WrongUsage
from imputer.resolution.files import resolve_file
from imputer.resolution.resolver import resolver_of

if TYPE_CHECKING:
    from pathlib import Path

    from processes import Ended

    from imputer.resolution import Resolver

COLUMNS = [
    *("row", "title", "unit_group", "profile", "method", "confidence", "confidence_calibrated", "matched_text"),
    *("candidates", "rationale"),
]


@pytest.fixture
def resolve(shared_data: Path, tmp_path: Path):  # noqa: ANN201
    def run(*arguments: str, expect: int) -> Ended:
        return run_imputer(tmp_path / "output", "resolve", "--sources", str(shared_data), *arguments, expect=expect)

    return run


@pytest.fixture(scope="module")
def resolver(shared_data: Path) -> Resolver:
    return resolver_of(shared_data)


def write_csv(path: Path, header: list[str], rows: list[list[str]]) -> Path:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def test_csv_to_parquet_csv_and_json_lines(resolve, resolver: Resolver, tmp_path: Path) -> None:  # noqa: ANN001
    rows = [
        ["Graphic Designer", "52120", ""],
        ["Adjointe administrative", "", "fr"],
        ['Line\nbreak, "quoted" clerk', "", ""],
        ["", "", ""],
        ["Xqzt blorf", "10010", "en"],
    ]
    source = write_csv(tmp_path / "titles.csv", ["title", "unit_group", "language"], rows)
    resolve(str(source), "-o", str(tmp_path / "out.parquet"), expect=0)
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.column_names == COLUMNS
    found = table.to_pylist()
    assert [row["row"] for row in found] == [1, 2, 3, 4, 5]
    assert [row["title"] for row in found] == [row[0] for row in rows]
    assert [row["unit_group"] for row in found][:2] == ["52120", "13110"]
    assert [row["method"] for row in found][3:] == ["ABSTAINED", "UG_IMPUTATION"]
    assert all(len(row["candidates"]) == 5 for row in found)

    assert resolve_file(resolver, source, tmp_path / "out.jsonl", "title", None, lambda _: None) == len(rows)
    lines = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == found
    assert resolve_file(resolver, source, tmp_path / "out.csv", "title", None, lambda _: None) == len(rows)
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        records = list(csv.DictReader(file))
    assert [record["unit_group"] for record in records] == [row["unit_group"] or "" for row in found]
    assert json.loads(records[0]["candidates"]) == found[0]["candidates"]


def test_parquet_with_another_column_of_titles(resolver: Resolver, tmp_path: Path) -> None:
    source = tmp_path / "titles.parquet"
    pq.write_table(pa.table({"name": ["Graphistes", None], "n": [1, 2]}), source)
    target = tmp_path / "out.parquet"
    resolve_file(resolver, source, target, "name", "fr", lambda _: None)
    found = pq.read_table(target).to_pylist()
    assert found[0]["unit_group"] == "52120"
    assert found[1]["method"] == "ABSTAINED"


def test_one_title_is_printed(resolve) -> None:  # noqa: ANN001
    told = resolve("--title", "Graphic Designer", "--unit-group", "52120", expect=0).output
    for words in ("52120", "52120.01", "DIRECT_MATCH", "Candidates", "backtests"):
        assert words in told


def test_a_missing_column_is_one_line_and_writes_nothing(resolve, tmp_path: Path) -> None:  # noqa: ANN001
    source, target = write_csv(tmp_path / "titles.csv", ["job"], [["Clerk"]]), tmp_path / "out.parquet"
    target.write_bytes(b"before")
    ended = resolve(str(source), "-o", str(target), expect=2)
    assert "'title'" in ended.errors
    assert len(ended.errors.splitlines()) == 1
    assert_untouched(target)


@pytest.mark.parametrize(
    ("header", "row", "words"),
    [(["title", "unit_group"], ["Clerk", "1234"], "'1234'"), (["title", "language"], ["Clerk", "klingon"], "klingon")],
)
def test_a_wrong_cell_is_named_and_writes_nothing(
    resolver: Resolver, tmp_path: Path, header: list[str], row: list[str], words: str
) -> None:
    source, target = write_csv(tmp_path / "titles.csv", header, [row]), tmp_path / "out.parquet"
    target.write_bytes(b"before")
    with pytest.raises(WrongUsage, match=words):
        resolve_file(resolver, source, target, "title", None, lambda _: None)
    assert_untouched(target)


def assert_untouched(target: Path) -> None:
    assert target.read_bytes() == b"before"
    there = sorted(path.name for path in target.parent.iterdir() if path.name != "output")
    assert there == ["out.parquet", "titles.csv"]


def test_unreadable_and_missing_files(resolve, tmp_path: Path) -> None:  # noqa: ANN001
    broken = tmp_path / "titles.parquet"
    broken.write_bytes(b"no parquet")
    assert "cannot be read" in resolve(str(broken), "-o", str(tmp_path / "o.csv"), expect=1).errors
    assert "not there" in resolve(str(tmp_path / "none.csv"), "-o", str(tmp_path / "o.csv"), expect=1).errors
    text = write_csv(tmp_path / "titles.csv", ["title"], [["Clerk"]])
    assert ".xlsx" in resolve(str(text), "-o", str(tmp_path / "o.xlsx"), expect=2).errors
    assert "replace the input" in resolve(str(text), "-o", str(text), expect=2).errors
