"""``imputer retention``: what is due under a schedule, and disposing of it without ever losing the log."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_runs import MadeRuns, statement
from processes import PROJECT, run_imputer

from imputer.errors import WrongUsage
from imputer.finished import open_latest
from imputer.gathering import Location
from imputer.impute import impute
from imputer.retention import disposition
from imputer.retention.due import by_class, due_statements, find_withdrawn
from imputer.retention.schedule import read_schedule
from imputer.sample import SAMPLE, sample_registry
from imputer.settings import Settings
from schemas import document_validator
from schemas.runs import good_runs, open_run, read_manifest

if TYPE_CHECKING:
    from pathlib import Path

SCHEDULE = """
[class.open-reference]
keep = { years = 1 }
authority = "2099/001"

[class.departmental]
keep = { months = 18, days = 2 }
"""
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def written(folder: Path, text: str = SCHEDULE) -> Path:
    path = folder / "retention.toml"
    path.write_text(text, encoding="utf-8")
    return path


def ids(path: Path, column: str = "statement_id") -> set[str]:
    return {one for one in pq.read_table(path)[column].to_pylist() if one}


def due_now(made: MadeRuns, schedule: Path, now: datetime = NOW) -> list[dict[str, Any]]:
    with open_latest(made.root) as run:
        find_withdrawn(run, read_schedule(schedule), now)
        return due_statements(run)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture
def made(tmp_path: Path) -> MadeRuns:
    """Two runs in 2020: title 1 changes its value, title 2 loses it, title 3 keeps it, title 4 is the department's."""
    runs = MadeRuns(tmp_path)
    kept = [statement("3")]
    runs.run(
        [*kept, statement("1"), statement("2"), statement("4", source_id="supplied", retention_class="departmental")]
    )
    runs.run([*kept, statement("1", value_number=5.0)])
    return runs


def settings_of(made: MadeRuns) -> Settings:
    return Settings(made.output)


# --- what is due ----------------------------------------------------------------------------------------------------


def test_what_no_longer_stands_is_due_when_its_period_has_passed(made: MadeRuns, tmp_path: Path) -> None:
    schedule = written(tmp_path)
    withdrawn = made.day
    assert due_now(made, schedule, withdrawn.replace(year=2021) - timedelta(seconds=1)) == []
    due = due_now(made, schedule, withdrawn.replace(year=2021))
    assert [(one["entity_id"], one["retention_class"]) for one in due] == [
        ("1", "open-reference"),
        ("2", "open-reference"),
    ]
    later = datetime(2021, 7, withdrawn.day + 2, tzinfo=UTC)
    assert len(due_now(made, schedule, later - timedelta(seconds=1))) == 2
    assert [one["entity_id"] for one in due_now(made, schedule, later)] == ["1", "2", "4"]


def test_nothing_that_stands_is_ever_due(made: MadeRuns, tmp_path: Path) -> None:
    due = {one["statement_id"] for one in due_now(made, written(tmp_path), datetime(2999, 1, 1, tzinfo=UTC))}
    values = made.latest / "attribute_values.parquet"
    assert not due & ids(values)
    assert len(due) == len(ids(made.latest / "statements.parquet")) - len(ids(values))


def test_a_reinstated_statement_is_not_due(made: MadeRuns, tmp_path: Path) -> None:
    made.run([statement("1"), statement("2"), statement("3")])
    assert [one["value_number"] for one in _of(made, "1") if one["standing"]] == [3.0]
    due = due_now(made, written(tmp_path), datetime(2021, 6, 1, tzinfo=UTC))
    assert [one["entity_id"] for one in due] == ["1"]
    assert due[0]["statement_id"] not in ids(made.latest / "attribute_values.parquet")


def test_a_statement_that_a_recent_event_names_waits_as_long_again(tmp_path: Path) -> None:
    made = MadeRuns(tmp_path)
    low, high = statement(source="ONET", source_id="onet_skills"), statement()
    made.run([low])
    made.run([low, high])
    made.run([high])  # the loser is withdrawn; the event that names it is a day older than that
    day = made.day
    made.run([high, low], day=day.replace(year=2020, month=3))  # it is reinstated …
    made.run([low], day=day.replace(year=2020, month=4))  # … wins, as the other is withdrawn: an event names both
    made.run([low], day=day.replace(year=2020, month=12))
    made.run([high], day=day.replace(year=2021, month=1))  # the winner is withdrawn, the other one reinstated
    made.run([], day=day.replace(year=2021, month=2))  # both withdrawn; the event names but the one that won
    schedule = written(tmp_path)
    when = {one["source_type"]: one["due_at"] for one in due_now(made, schedule, datetime(2030, 1, 1, tzinfo=UTC))}
    assert when["AUTHORITATIVE"] == day.replace(year=2022, month=2)
    assert when["ONET"] == day.replace(year=2022, month=1)


def test_a_class_without_a_rule_is_kept(made: MadeRuns, tmp_path: Path) -> None:
    schedule = written(tmp_path, '[class.departmental]\nkeep = { days = 0 }\nauthority = "A"\n')
    assert [one["entity_id"] for one in due_now(made, schedule)] == ["4"]
    with open_latest(made.root) as run:
        find_withdrawn(run, read_schedule(schedule), NOW)
        ruled = {row["retention_class"]: (row["ruled"], row["due"]) for row in by_class(run)}
    assert ruled == {"departmental": (True, 1), "open-reference": (False, 0)}


@pytest.mark.parametrize(
    ("hold", "left"),
    [
        ('entity_id = "1"', ["2", "4"]),
        ('attribute_id = "oasis.skills.*"', []),
        ('source_id = "suppl?ed"', ["1", "2"]),
        ('entity_id = "[12]"\nsource_id = "oasis_*"', ["4"]),
        ('entity_id = "1"\nattribute_id = "onet.*"', ["1", "2", "4"]),
        ('entity_id = "*"', []),
    ],
)
def test_a_hold_keeps_what_all_its_patterns_fit(made: MadeRuns, tmp_path: Path, hold: str, left: list[str]) -> None:
    schedule = written(tmp_path, f'{SCHEDULE}\n[[hold]]\nreason = "Access request"\n{hold}\n')
    assert [one["entity_id"] for one in due_now(made, schedule)] == left


@settings(max_examples=15, deadline=None)
@given(
    stated=st.lists(st.lists(st.sampled_from(["1", "2", "3"]), max_size=3, unique=True), min_size=1, max_size=4),
    days=st.integers(0, 6),
)
def test_due_is_what_was_withdrawn_last_and_named_long_enough_ago(
    stated: list[list[str]], days: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("any")
    made = MadeRuns(folder)
    for entities in stated:
        made.run([statement(entity) for entity in entities])
    now = made.day + timedelta(days=2)
    schedule = written(folder, f"[class.open-reference]\nkeep = {{ days = {days} }}\n")
    expected = set()
    for entity in {one for entities in stated for one in entities}:
        seen = [number for number, entities in enumerate(stated) if entity in entities]
        withdrawn = next(
            (
                number
                for number in range(len(stated) - 1, 0, -1)
                if entity in stated[number - 1] and entity not in stated[number]
            ),
            None,
        )
        if seen[-1] == len(stated) - 1 or withdrawn is None:
            continue
        if made.day - timedelta(days=len(stated) - 1 - withdrawn) + timedelta(days=days) <= now:
            expected.add(entity)
    assert {one["entity_id"] for one in due_now(made, schedule, now)} == expected


# --- the schedule ---------------------------------------------------------------------------------------------------


def test_the_example_schedule_is_one(tmp_path: Path) -> None:
    example = PROJECT / "imputer" / "retention" / "schedule.example.toml"
    schedule = read_schedule(example)
    assert {name: rule.period for name, rule in schedule.rules.items()} == {
        "open-reference": "P5Y",
        "departmental": "P2Y6M",
        "web-snapshot": "P2Y",
        "derived": "P2Y",
    }
    assert (schedule.authorities, schedule.holds) == ([], ())
    uncommented = written(
        tmp_path,
        example.read_text(encoding="utf-8")
        .replace("# authority", "authority")
        .replace("# [[hold]]", "[[hold]]")
        .replace("# reason", "reason")
        .replace("# entity_id", "entity_id"),
    )
    assert read_schedule(uncommented).authorities == ["2099/001"]
    assert [hold.entity_id for hold in read_schedule(uncommented).holds] == ["412"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[class.x]\n", "keep"),
        ("[class.x]\nkeep = { years = -1 }\n", "a whole number"),
        ("[class.x]\nkeep = { years = 1.5 }\n", "a whole number"),
        ("[class.x]\nkeep = { years = true }\n", "a whole number"),
        ("[class.x]\nkeep = { decades = 1 }\n", "decades"),
        ("[class.x]\nkeep = {}\n", "keep"),
        ("[class.x]\nkeep = { days = 1 }\nauthority = ''\n", "not empty"),
        ("[class.x]\nkeep = { days = 1 }\nautority = 'x'\n", "autority"),
        ("[clas.x]\n", "clas"),
        ("class = 3\n", "tables [class"),
        ("[hold]\nreason = 'x'\n", "tables [[hold]]"),
        ("[[hold]]\nreason = 'x'\n", "a pattern"),
        ("[[hold]]\nentity_id = '1'\n", "a reason"),
        ("[[hold]]\nreason = 'x'\nentity = '1'\n", "entity"),
        ("[[hold]]\nreason = 'x'\nentity_id = 1\n", "a text"),
        ("keep = [", "a TOML file"),
    ],
)
def test_a_schedule_that_cannot_be_meant_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(WrongUsage, match=r"retention\.toml") as raised:
        read_schedule(written(tmp_path, text))
    assert told in str(raised.value)


def test_a_schedule_that_is_not_there_is_said(made: MadeRuns) -> None:
    ended = run_imputer(made.output, "retention", "list", given={"WIQ_RETENTION": "/nowhere/retention.toml"})
    assert ended.status == 2
    assert "/nowhere/retention.toml; expected a TOML file; found no such file" in ended.errors


# --- list -----------------------------------------------------------------------------------------------------------


def test_list_shows_what_is_due_and_under_which_rule(made: MadeRuns, tmp_path: Path) -> None:
    given_schedule = {"WIQ_RETENTION": str(written(tmp_path, f'{SCHEDULE}\n[[hold]]\nreason = "R"\nentity_id = "2"\n'))}
    told = run_imputer(made.output, "retention", "list", given=given_schedule, expect=0).output
    assert "open-reference  P1Y" in told
    assert "departmental    P1Y6M2D   none: never disposed of" in told
    assert "1 oasis.skills.writing zxx" in told
    assert "1 due statements are kept by a hold: R" in told
    french = run_imputer(
        made.output, "retention", "list", "--language", "fr", "--on", "2020-06-01", given=given_schedule
    )
    assert "Rien n’est échu." in french.output
    lines = run_imputer(made.output, "retention", "list", "--json", given=given_schedule).output.splitlines()
    assert [json.loads(line)["entity_id"] for line in lines] == ["1", "4"]


def test_without_a_schedule_list_says_so_in_one_line(made: MadeRuns) -> None:
    ended = run_imputer(made.output, "retention", "list", given={"WIQ_RETENTION": ""}, expect=0)
    assert ended.output.count("\n") == 1
    assert "There is no retention schedule: nothing is due." in ended.output
    refused = run_imputer(made.output, "retention", "dispose", "--authority", "x", "--yes", given={"WIQ_RETENTION": ""})
    assert refused.status == 2


# --- dispose --------------------------------------------------------------------------------------------------------


def test_dispose_takes_what_is_due_out_of_everything_and_logs_it(made: MadeRuns, tmp_path: Path) -> None:
    before, old_runs = made.latest, sorted(path.name for path in (made.root / "runs").iterdir())
    schedule = written(tmp_path)
    due = {one["statement_id"] for one in due_now(made, schedule) if one["authority"]}
    gold = files(before)
    given_schedule = {"WIQ_RETENTION": str(schedule)}
    ended = run_imputer(
        made.output, "retention", "dispose", "--authority", "2099/001", "--yes", given=given_schedule, expect=0
    )
    assert "2 statements disposed of under 2099/001" in ended.output
    latest = made.latest
    assert latest != before
    for table, columns in disposition._NAMING.items():  # noqa: SLF001
        for column in columns:
            assert not due & ids(latest / f"{table}.parquet", column)
        text = (latest / f"{table}.jsonl").read_text(encoding="utf-8")
        assert not [one for one in due if one in text]
    lines = [json.loads(line) for line in (made.root / "dispositions.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {line["statement_id"] for line in lines} == due
    assert {line["authority"] for line in lines} == {"2099/001"}
    assert {line["rule"] for line in lines} == {"P1Y"}
    assert {name for line in lines for name in line["runs_removed"]} == set(old_runs)
    assert all(line["run_id"] == latest.name and "value_number" not in line for line in lines)
    assert [path.name for path in (made.root / "runs").iterdir()] == [latest.name]
    assert [folder.name for folder in good_runs(made.root)] == [latest.name]
    for name, content in files(latest).items():
        unchanged = name.partition(".")[0] not in {*disposition._NAMING, "dim_run", "run", "dispositions"}  # noqa: SLF001
        assert not unchanged or content == gold[name], name
    manifest = read_manifest(latest)
    assert (manifest["verdict"], manifest["promoted"], manifest["arguments"]["authority"]) == ("good", True, "2099/001")
    assert manifest["changes"]["run"] == {
        "statements_disposed": 2,
        "withdrawals_disposed": 2,
        "override_events_disposed": 2,
    }
    again = run_imputer(
        made.output, "retention", "dispose", "--authority", "2099/001", "--yes", given=given_schedule, expect=0
    )
    assert "Nothing is due" in again.output
    assert made.latest == latest


def test_the_next_run_goes_on_from_there(made: MadeRuns, tmp_path: Path) -> None:
    disposed = disposition.dispose(settings_of(made), read_schedule(written(tmp_path)), "2099/001", NOW)
    assert disposed.good
    assert disposed.folder is not None
    made.runs = pq.read_table(disposed.folder / "dim_run.parquet").to_pylist()
    made.run([statement("3"), statement("1", value_number=5.0)], day=datetime(2027, 1, 1, tzinfo=UTC))
    assert len(ids(made.latest / "statements.parquet")) == 3
    assert (made.root / "dispositions.jsonl").read_bytes().count(b"\n") == 2


@pytest.mark.parametrize("arguments", [["--authority", "2099/001"], ["--authority", "2099/002", "--yes"], ["--yes"]])
def test_dispose_needs_the_right_authority_and_yes(made: MadeRuns, tmp_path: Path, arguments: list[str]) -> None:
    before = files(made.latest)
    ended = run_imputer(
        made.output, "retention", "dispose", *arguments, given={"WIQ_RETENTION": str(written(tmp_path))}
    )
    assert ended.status == 2
    assert files(made.latest) == before
    assert not (made.root / "dispositions.jsonl").exists()
    assert len(list((made.root / "runs").iterdir())) == 2


def test_what_has_no_authority_or_a_hold_stays(made: MadeRuns, tmp_path: Path) -> None:
    schedule = written(tmp_path, f'{SCHEDULE}\n[[hold]]\nreason = "R"\nentity_id = "2"\n')
    disposed = disposition.dispose(settings_of(made), read_schedule(schedule), "2099/001", NOW)
    assert disposed.statements == 1
    assert {one["entity_id"] for one in due_now(made, written(tmp_path))} == {"2", "4"}


def test_a_second_run_at_once_is_refused(made: MadeRuns, tmp_path: Path) -> None:
    with open_run(made.output, "wiq"):
        ended = run_imputer(
            made.output,
            *("retention", "dispose", "--authority", "2099/001", "--yes"),
            given={"WIQ_RETENTION": str(written(tmp_path))},
        )
    assert ended.status == 2
    assert "another run holds" in ended.errors


def test_a_real_run_is_disposed_from_and_the_next_one_goes_on(tmp_path: Path) -> None:
    sources, output = tmp_path / "sources", Settings(tmp_path / "output")
    shutil.copytree(SAMPLE, sources, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    registry = sample_registry()
    anything = {name: replace(file, sha256=None) for name, file in registry.files.items()}
    location = Location(sources, replace(registry, files=anything))
    assert impute(output, location, lambda *_: None).good
    skills = sources / "oasis" / "skills_oasis_2023_v1.0.csv"
    lines = skills.read_text(encoding="utf-8-sig").splitlines(keepends=True)
    profile, label, first, rest = lines[1].split(",", 3)
    lines[1] = f"{profile},{label},{'2' if first == '1' else '1'},{rest}"
    skills.write_text("".join(lines), encoding="utf-8-sig", newline="")
    assert impute(output, location, lambda *_: None).new
    withdrawn = ids(output.root / "latest" / "withdrawals.parquet")
    assert withdrawn
    schedule = "".join(
        f'[class.{name}]\nkeep = {{ days = 0 }}\nauthority = "A"\n' for name in ("open-reference", "departmental")
    )
    disposed = disposition.dispose(output, read_schedule(written(tmp_path, schedule)), "A")
    assert disposed.good
    assert disposed.outcome is not None
    assert disposed.statements == len(withdrawn)
    assert disposed.folder is not None
    assert ids(disposed.folder / "withdrawals.parquet") == set()
    assert not withdrawn & ids(disposed.folder / "statements.parquet")
    assert (disposed.folder / "report_fr.html").exists()
    manifest = json.loads((disposed.folder / "run.json").read_bytes())
    assert document_validator("run").is_valid(manifest)
    after = impute(output, location, lambda *_: None)
    assert after.good
    about_the_run = {"run.json", "dim_run.jsonl", "dim_run.parquet", "dispositions.jsonl"}
    was, now = (files(folder) for folder in (disposed.folder, after.folder))
    assert {name for name in was | now if was.get(name) != now.get(name)} <= about_the_run
    lines_logged = (output.root / "dispositions.jsonl").read_bytes().count(b"\n")
    assert lines_logged == len(withdrawn)
    assert not withdrawn & ids(after.folder / "statements.parquet")


# Ends the process, as a kill would, at the given one of all calls that change a file's name or take it away; tells how
# many there were, and which of them promoted.
_KILLED = """
import os, sys
from pathlib import Path
from datetime import UTC, datetime
from imputer.retention import disposition
from imputer.retention.schedule import read_schedule
from imputer.sample import SAMPLE, sample_registry
from imputer.settings import Settings
from schemas import document_validator
kill, count, promoted = int(sys.argv[3]), 0, None
def audit(event, arguments):
    global count, promoted
    if event in ("os.rename", "os.remove", "os.rmdir", "os.symlink", "shutil.rmtree", "shutil.copyfile"):
        if count == kill:
            os.kill(os.getpid(), 9)
        if event == "os.rename" and str(arguments[1]).endswith("/latest"):
            promoted = count
        count += 1
sys.addaudithook(audit)
now = datetime(2026, 1, 1, tzinfo=UTC)
disposition.dispose(Settings(Path(sys.argv[1])), read_schedule(Path(sys.argv[2])), "2099/001", now)
print(count, promoted)
"""


def test_killed_at_any_moment_nothing_half_done_is_visible_and_the_log_is_never_lost(
    made: MadeRuns, tmp_path: Path
) -> None:
    schedule, original = written(tmp_path), tmp_path / "original"
    shutil.copytree(made.root, original, symlinks=True)
    before = files(made.latest)
    due = {one["statement_id"] for one in due_now(made, schedule) if one["authority"]}
    outcomes = set()
    count, promotion = map(int, _killed(made, schedule, -1).stdout.split())
    for kill in (0, promotion - 12, *range(promotion - 2, promotion + 5), promotion + 40, count - 2):
        shutil.rmtree(made.root)
        shutil.copytree(original, made.root, symlinks=True)
        assert _killed(made, schedule, kill).returncode == -signal.SIGKILL
        held = ids(made.latest / "statements.parquet")
        promoted = not due & held
        outcomes.add(promoted)
        logged = {line["statement_id"] for line in _log(made.latest)} | {
            line["statement_id"] for line in _log(made.root)
        }
        if promoted:
            assert logged == due
            assert read_manifest(made.latest)["verdict"] == "good"
        else:
            assert due <= held
            assert files(made.latest) == before
            assert logged == set()
        disposition.dispose(settings_of(made), read_schedule(schedule), "2099/001", NOW)
        assert not disposition.is_incomplete(made.root)
        assert {line["statement_id"] for line in _log(made.root)} == due
        assert len(_log(made.root)) == len(due)
        assert not due & ids(made.latest / "statements.parquet")
        for folder in (made.root / "runs").iterdir():
            path = folder / "statements.parquet"
            assert not path.exists() or not due & ids(path)
    assert outcomes == {False, True}


def _killed(made: MadeRuns, schedule: Path, kill: int) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, "-c", _KILLED, str(made.output), str(schedule), str(kill)]
    return subprocess.run(arguments, cwd=PROJECT, capture_output=True, text=True, check=False)


def _log(folder: Path) -> list[dict[str, Any]]:
    path = folder / "dispositions.jsonl"
    return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def _of(made: MadeRuns, entity: str) -> list[dict[str, Any]]:
    from imputer.explain.chain import trace  # noqa: PLC0415

    with open_latest(made.root) as run:
        (cell,) = trace(run, entity, "oasis.skills.writing").cells
    return [one for one in (cell.winner, *cell.losers, *cell.withdrawn) if one]
