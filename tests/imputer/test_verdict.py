"""What the verdict finds wrong with the files of a run."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow.parquet as pq
import pytest

from imputer.gold import WIDE_ATTRIBUTES
from imputer.table_files import TableFiles, wide_table, write_jsonl
from imputer.verdict import check_files, check_keys
from schemas import load_tables
from schemas.errors import OutputUnwritable

if TYPE_CHECKING:
    from pathlib import Path

    from schemas import Table
    from schemas.errors import RunError


@pytest.fixture
def run(sample_output: Path, tmp_path: Path) -> Path:
    """The files of a good run, the test's own."""
    shutil.copytree((sample_output / "wiq" / "latest").resolve(), tmp_path / "run")
    return tmp_path / "run"


def tables(run: Path) -> dict[str, Table]:
    with duckdb.connect() as connection:
        connection.execute(f"CREATE VIEW dim_attribute AS FROM '{run}/dim_attribute.parquet'")
        attributes = connection.sql(WIDE_ATTRIBUTES).fetchall()
    return dict(load_tables("wiq")) | {"job_titles_wide": wide_table(attributes)}


def counts(run: Path) -> dict[str, int]:
    return {name: pq.read_metadata(run / f"{name}.parquet").num_rows for name in load_tables("wiq")}


def rewrite(run: Path, name: str, query: str) -> None:
    """Make a table's Parquet file anew from a query on ``old``, its rows."""
    path = run / f"{name}.parquet"
    with duckdb.connect() as connection:
        connection.register("old", pq.read_table(path))
        path.unlink()
        with TableFiles(run) as files:
            files.append(connection, tables_of(name), query)


def tables_of(name: str) -> Table:
    return load_tables("wiq")[name]


def keys(run: Path) -> list[RunError]:
    with duckdb.connect() as connection:
        return check_keys(connection, run, tables(run))


def test_a_good_run_has_no_problem(run: Path) -> None:
    assert check_files(run, tables(run), counts(run)) == []
    assert keys(run) == []


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        (lambda text: text.replace(b'"level":1', b'"level":9', 1), "invalid_record"),
        (lambda text: text[: text.index(b"\n") + 1] + text, "incomplete"),
        (lambda text: text[text.index(b"\n") + 1 :], "incomplete"),
    ],
)
def test_a_damaged_jsonl_file(run: Path, damage: Any, kind: str) -> None:
    path = run / "dim_noc.jsonl"
    path.write_bytes(damage(path.read_bytes()))
    problems = check_files(run, tables(run), counts(run))
    assert [problem.kind for problem in problems] == [kind]
    assert "dim_noc.jsonl" in problems[0].message


def test_fewer_parquet_rows_than_were_made(run: Path) -> None:
    made = counts(run)
    rewrite(run, "dim_noc", "SELECT * FROM old OFFSET 1")
    assert [problem.kind for problem in check_files(run, tables(run), made)] == ["incomplete"]


def test_a_key_that_is_doubled(run: Path) -> None:
    rewrite(run, "dim_noc", "SELECT * FROM old UNION ALL (SELECT * FROM old WHERE level = 5 LIMIT 1)")
    assert [str(problem)[:40] for problem in keys(run)] == ["dim_noc: its key (code) is not unique; f"]


def test_a_key_that_leads_nowhere(run: Path) -> None:
    rewrite(run, "dim_oasis_profile", "SELECT * FROM old OFFSET 1")
    found = {problem.message for problem in keys(run)}
    assert "dim_example_title.profile leads nowhere" in found


def test_a_gold_value_whose_statement_is_gone(run: Path) -> None:
    rewrite(run, "statements", "SELECT * FROM old OFFSET 1")
    assert "attribute_values.statement_id leads nowhere" in {problem.message for problem in keys(run)}


def test_jsonl_says_what_parquet_says(run: Path) -> None:
    """Same rows, same order, null where null, times in ISO with Z."""
    for name in ("statements", "dim_noc", "job_title_noc"):
        before = (run / f"{name}.jsonl").read_bytes()
        with duckdb.connect() as connection:
            write_jsonl(connection, run / f"{name}.parquet", tables(run)[name])
        assert (run / f"{name}.jsonl").read_bytes() == before
        lines = duckdb.sql(f"SELECT count(*) FROM read_json('{run}/{name}.jsonl')").fetchall()
        assert lines == [(counts(run)[name],)]


def test_a_jsonl_file_that_cannot_be_written_is_one_clear_error(run: Path) -> None:
    (run / "dim_noc.jsonl").unlink()
    (run / "dim_noc.jsonl").mkdir()
    with duckdb.connect() as connection, pytest.raises(OutputUnwritable, match=r"cannot write .*dim_noc\.jsonl"):
        write_jsonl(connection, run / "dim_noc.parquet", tables(run)["dim_noc"])
