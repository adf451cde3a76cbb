"""Whole runs of ``imputer impute``: again, killed, two at once, with sources missing or changed."""

from __future__ import annotations

import shutil
import signal
import time
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow.parquet as pq
import pytest
from processes import assert_whole, manifest_of, run_imputer, start_imputer, state

from imputer.gathering import Location
from imputer.impute import Imputed, impute
from imputer.sample import SAMPLE, sample_registry
from imputer.settings import Settings
from schemas import load_tables

if TYPE_CHECKING:
    from pathlib import Path

TABLES = load_tables("wiq")
TITLES = "job_architecture/job_architecture.csv"
SKILLS = "oasis/skills_oasis_2023_v1.0.csv"
# What says when and by which run; the rest of two runs on the same sources is the same.
WHEN = {"run_id", "created_at", "started_at"}


@pytest.fixture
def published(sample_output: Path, tmp_path: Path) -> Path:
    """An output folder of the test's own, with one good run of the sample in it."""
    shutil.copytree(sample_output, tmp_path / "output", symlinks=True)
    return tmp_path / "output"


@pytest.fixture(scope="module")
def seconds(tmp_path_factory: pytest.TempPathFactory) -> float:
    """How long a run takes, start-up included."""
    started = time.monotonic()
    run_imputer(tmp_path_factory.mktemp("timed"), "impute", "--sample", expect=0)
    return time.monotonic() - started


def content(latest: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every table of a run, without what says when it ran."""
    found = {}
    for name in TABLES:
        path = latest / f"{name}.parquet"
        columns = [row[0] for row in duckdb.sql(f"DESCRIBE FROM read_parquet('{path}')").fetchall()]
        kept = ", ".join(f'"{column}"' for column in columns if column not in WHEN)
        found[name] = duckdb.sql(f"SELECT {kept} FROM read_parquet('{path}')").fetchall()
    return found


def runs(output: Path) -> list[str]:
    return sorted(path.name for path in (output / "wiq" / "runs").iterdir())


def test_a_run_is_whole(sample_output: Path) -> None:
    latest = sample_output / "wiq" / "latest"
    assert_whole(latest)
    manifest = manifest_of(latest.resolve())
    assert manifest["program"] == "wiq"
    assert set(manifest["counts"]) == set(TABLES)
    for name, counted in manifest["counts"].items():
        assert (latest / f"{name}.jsonl").read_bytes().count(b"\n") == counted["rows"]
    assert {one["outcome"] for one in manifest["expectations"]} == {"met"}


def test_a_second_run_adds_nothing_and_writes_nothing(published: Path) -> None:
    before, folders = state(published / "wiq"), runs(published)
    ended = run_imputer(published, "impute", "--sample", expect=0)
    assert "Nothing is new" in ended.output
    assert (state(published / "wiq"), runs(published)) == (before, folders)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7, 0.9])
def test_killed_at_any_moment_the_next_run_gives_what_an_unkilled_one_gives(
    share: float, sample_output: Path, seconds: float, tmp_path: Path
) -> None:
    output = tmp_path / "output"
    with start_imputer(output, "impute", "--sample") as process:
        time.sleep(share * seconds)
        process.send_signal(signal.SIGKILL)
    latest = output / "wiq" / "latest"
    if latest.is_symlink():
        assert_whole(latest)
    run_imputer(output, "impute", "--sample", expect=0)
    assert_whole(latest)
    assert content(latest) == content(sample_output / "wiq" / "latest")


def test_the_second_of_two_runs_is_refused(published: Path) -> None:
    before = state(published / "wiq")
    with start_imputer(published, "impute", "--sample") as first:
        lock = published / "wiq" / ".lock"
        known = lock.read_text()
        while lock.read_text() == known and first.poll() is None:
            time.sleep(0.005)
        ended = run_imputer(published, "impute", "--sample")
        first.communicate()
    assert ended.status == 2
    assert ended.errors.startswith("run_in_progress: another run holds ")
    assert len(ended.errors.splitlines()) == 1
    assert first.returncode == 0
    assert state(published / "wiq") == before


def test_an_output_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "output").write_text("a file")
    ended = run_imputer(tmp_path / "output", "impute", "--sample")
    assert ended.status == 1
    assert ended.errors.startswith("output_unwritable: ")
    assert len(ended.errors.splitlines()) == 1


def test_a_wrong_setting(tmp_path: Path) -> None:
    ended = run_imputer(tmp_path / "output", "impute", "--sample", given={"WIQ_CROSSWALK": "heavy"})
    assert ended.status == 2
    assert ended.errors.startswith("wrong_usage: unknown crosswalk setting; expected mean or both or ")
    assert len(ended.errors.splitlines()) == 1


# --- sources that change -------------------------------------------------------------------------------------------


class Sample:
    """A copy of the built-in sample that may be changed, and an output folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.output = folder / "sources", folder / "output"
        shutil.copytree(SAMPLE, self.folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))

    def impute(self, *without: str) -> Imputed:
        """Run on what lies there now; ``without`` names sources that the user does not have."""
        registry = sample_registry()
        files = {
            name: replace(file, sha256=None, required=file.required and name not in without)
            for name, file in registry.files.items()
        }
        for name in without:
            self.folder.joinpath(*PurePosixPath(files[name].path or "").parts).unlink()
        location = Location(self.folder, replace(registry, files=files))
        return impute(Settings(self.output), location, lambda *_: None)

    def edit(self, path: str, before: str, after: str) -> None:
        """Change one place of one file."""
        text = (self.folder / path).read_text(encoding="utf-8-sig")
        assert text.count(before) == 1, text.count(before)
        (self.folder / path).write_text(text.replace(before, after), encoding="utf-8-sig", newline="")

    def rows(self, name: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = pq.read_table(self.output / "wiq" / "latest" / f"{name}.parquet").to_pylist()
        return rows


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    return Sample(tmp_path)


def test_a_changed_source_changes_only_what_rests_on_it(sample: Sample) -> None:
    assert sample.impute().new
    before = {one["statement_id"]: one for one in sample.rows("statements")}
    line = (sample.folder / SKILLS).read_text(encoding="utf-8-sig").splitlines()[1]
    profile, label, first, rest = line.split(",", 3)
    changed = "1" if first != "1" else "2"
    sample.edit(SKILLS, line, f"{profile},{label},{changed},{rest}")
    again = sample.impute()
    assert (again.good, again.new) == (True, True)
    new = [one for one in sample.rows("statements") if one["statement_id"] not in before]
    assert new
    attribute = "oasis.skills.reading_comprehension"
    assert {one["attribute_id"] for one in new if one["source_type"] == "AUTHORITATIVE"} == {attribute}
    inherited = [one for one in new if one["method"] == "INHERITED_PROFILE"]
    assert {one["value_number"] for one in inherited} == {float(changed)}
    assert all(profile in one["evidence"] for one in inherited)
    events = [one for one in sample.rows("override_events") if one["attribute_id"] == attribute]
    assert {one["reason"] for one in events} == {"WITHDRAWN"}
    withdrawn = {one["statement_id"] for one in sample.rows("withdrawals")}
    assert {one["old_statement_id"] for one in events} <= withdrawn <= set(before)
    kept = {one["statement_id"]: one for one in sample.rows("statements")}
    assert all(kept[key] == one for key, one in before.items())


def test_a_source_that_comes_back_reinstates_its_statements(sample: Sample) -> None:
    sample.impute()
    first = (sample.folder / SKILLS).read_bytes()
    gold = sample.rows("attribute_values")
    line = first.decode("utf-8-sig").splitlines()[1]
    profile, label, value, rest = line.split(",", 3)
    sample.edit(SKILLS, line, f"{profile},{label},{'1' if value != '1' else '2'},{rest}")
    sample.impute()
    assert sample.rows("attribute_values") != gold
    (sample.folder / SKILLS).write_bytes(first)
    sample.impute()
    assert sample.rows("attribute_values") == gold
    assert {one["action"] for one in sample.rows("withdrawals")} == {"WITHDRAWN", "REINSTATED"}


def test_a_title_that_its_source_dropped_keeps_its_history(sample: Sample) -> None:
    sample.impute()
    path = sample.folder / TITLES
    lines = path.read_text(encoding="utf-8-sig").splitlines(keepends=True)
    path.write_text("".join(lines[:1] + lines[2:]), encoding="utf-8-sig", newline="")
    dropped = lines[1].partition(",")[0]
    imputed = sample.impute()
    assert (imputed.good, imputed.outcome.withheld) == (True, None)
    assert {one["entity_id"]: one["current"] for one in sample.rows("dim_entity")}[dropped] is False
    assert dropped not in {one["job_title_id"] for one in sample.rows("dim_job_title")}
    assert dropped not in {one["entity_id"] for one in sample.rows("attribute_values")}
    kept = {one["statement_id"] for one in sample.rows("statements") if one["entity_id"] == dropped}
    assert kept
    assert kept <= {one["statement_id"] for one in sample.rows("withdrawals")}


def test_without_the_job_architecture_a_run_does_all_it_can(sample: Sample) -> None:
    imputed = sample.impute("job_architecture")
    assert imputed.good
    assert sample.rows("dim_job_title") == []
    assert len(sample.rows("dim_oasis_profile")) > 5
    assert len(sample.rows("crosswalk_cardinality")) > 5


def test_a_run_that_lacks_a_source_does_not_replace_one_that_had_it(sample: Sample) -> None:
    sample.impute()
    latest = state(sample.output / "wiq")
    imputed = sample.impute("job_architecture")
    assert imputed.good
    assert imputed.outcome.withheld == "it lacks sources that latest has: job_architecture"
    assert state(sample.output / "wiq") == latest


def test_an_unknown_anomaly_stops_the_run_and_replaces_nothing(sample: Sample) -> None:
    sample.impute()
    latest = state(sample.output / "wiq")
    line = (sample.folder / SKILLS).read_text(encoding="utf-8-sig").splitlines()[1]
    sample.edit(SKILLS, line, line.rpartition(",")[0] + ",9")
    imputed = sample.impute()
    assert not imputed.good
    assert [failure.kind for failure in imputed.outcome.failures] == ["source_malformed"]
    assert manifest_of(imputed.folder)["verdict"] == "bad"
    assert [path.name for path in imputed.folder.iterdir()] == ["run.json"]
    assert state(sample.output / "wiq") == latest
