"""Run folders: what a reader sees while runs come, fail and are killed."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from schemas import load_table, load_tables, violations
from schemas.errors import Incomplete, OutputUnwritable, RunInProgress
from schemas.runs import (
    Run,
    describe_artifacts,
    good_runs,
    latest_run,
    open_run,
    output_unwritable,
    read_manifest,
    write_atomically,
)
from wiq_crawl.history import compare, rebuild_history, write_changes

ROOT = Path(__file__).parent.parent
MOMENT = datetime(2026, 1, 5, 2, 0, 0, tzinfo=UTC)
PAGE = "https://www.canada.ca/en/page.html"


def link(number: int, text: str) -> dict[str, object]:
    record = {
        "link_id": f"{PAGE}#{number}",
        "language": "en",
        "position": number,
        "section_id": None,
        "text": text,
        "href": "/en/other.html",
        "url": "https://www.canada.ca/en/other.html",
        "target_fragment": None,
        "target": "external",
        "table_column": None,
        "document_url": PAGE,
        "selector": f"//a[{number}]",
        "content_sha256": "0" * 64,
        "document_modified": None,
    }
    assert violations(load_table("tbs", "links"), record) == []
    return record


def write_tables(folder: Path, texts: list[str]) -> None:
    """All tables of a run, empty but for the English links: one per text."""
    for table in load_tables("tbs"):
        for language in ("en", "fr"):
            (folder / f"{table}_{language}.jsonl").write_bytes(b"")
    lines = [json.dumps(link(number, text)) + "\n" for number, text in enumerate(texts, start=1)]
    (folder / "links_en.jsonl").write_text("".join(lines), encoding="utf-8")


def finish(run: Run, texts: list[str], verdict: str = "good") -> None:
    """Everything a crawl does from its tables on."""
    write_tables(run.folder, texts)
    write_changes(run.previous, run.folder)
    previous = run.previous.name if run.previous else None
    artifacts = describe_artifacts(run.folder)
    run.write_manifest({"run_id": run.run_id, "verdict": verdict, "previous": previous, "artifacts": artifacts})
    if verdict == "good":
        run.promote()
        rebuild_history(run.root)


def crawl(output: Path, texts: list[str], verdict: str = "good") -> Path:
    with open_run(output, "tbs", MOMENT) as run:
        finish(run, texts, verdict)
    return run.folder


def everything(folder: Path) -> dict[str, str]:
    """Sha256 of every file under a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Start a process of its own running ``code`` with this module's helpers at hand."""
    head = f"import sys; sys.path[:0] = {[str(ROOT), str(Path(__file__).parent)]}\nfrom test_runs import *\n"
    return subprocess.Popen(
        [sys.executable, "-c", head + code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


# --- names and folders


def test_run_is_named_by_its_utc_start_and_numbered_where_taken(tmp_path: Path) -> None:
    names = []
    for _ in range(3):
        with open_run(tmp_path, "tbs", MOMENT) as run:
            names.append(run.run_id)
            assert run.folder == tmp_path / "tbs" / "runs" / run.run_id
            assert run.folder.is_dir()
            assert run.root == tmp_path / "tbs"
    assert names == ["20260105T020000Z", "20260105T020000Z-2", "20260105T020000Z-3"]


def test_run_without_a_moment_starts_now(tmp_path: Path) -> None:
    with open_run(tmp_path, "tbs") as run:
        started = datetime.strptime(run.run_id, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert abs((datetime.now(UTC) - started).total_seconds()) < 60


def test_artifacts_are_described_sorted_and_without_the_manifest(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "a.html").write_bytes(b"page")
    (tmp_path / "b.jsonl").write_bytes(b"")
    (tmp_path / "run.json").write_bytes(b"{}")
    assert describe_artifacts(tmp_path) == [
        {"path": "b.jsonl", "bytes": 0, "sha256": hashlib.sha256(b"").hexdigest()},
        {"path": "pages/a.html", "bytes": 4, "sha256": hashlib.sha256(b"page").hexdigest()},
    ]


# --- manifest, promotion, chain


def test_manifest_keeps_the_order_given_and_ends_with_a_newline(tmp_path: Path) -> None:
    with open_run(tmp_path, "tbs", MOMENT) as run:
        run.write_manifest({"verdict": "good", "counts": {"b": 1, "a": 2}})
        text = (run.folder / "run.json").read_text(encoding="utf-8")
    assert text == '{\n  "verdict": "good",\n  "counts": {\n    "b": 1,\n    "a": 2\n  }\n}\n'
    assert read_manifest(run.folder) == {"verdict": "good", "counts": {"b": 1, "a": 2}}


def test_promotion_makes_a_relative_link_and_can_be_repeated(tmp_path: Path) -> None:
    assert latest_run(tmp_path / "tbs") is None
    first = crawl(tmp_path, ["a"])
    with open_run(tmp_path, "tbs", MOMENT) as run:
        assert run.previous == first
        finish(run, ["b"])
        run.promote()
    assert str((tmp_path / "tbs" / "latest").readlink()) == "runs/20260105T020000Z-2"
    assert latest_run(tmp_path / "tbs") == run.folder
    assert good_runs(tmp_path / "tbs") == [run.folder, first]


def test_failed_run_leaves_latest_byte_identical(tmp_path: Path) -> None:
    good = crawl(tmp_path, ["a"])
    before = everything(good), (tmp_path / "tbs" / "latest").readlink()
    failed = crawl(tmp_path, ["b"], verdict="failed")
    assert (everything(good), (tmp_path / "tbs" / "latest").readlink()) == before
    assert read_manifest(failed)["verdict"] == "failed"
    assert good_runs(tmp_path / "tbs") == [good]


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        (None, "{run} did not end: {folder}/run.json is not there"),
        (
            {"verdict": "failed", "previous": None},
            "{run} cannot count as a promoted good run: its verdict is wrong; expected good; found failed",
        ),
        (
            {"verdict": "good", "previous": "2025"},
            "{run} cannot count as a promoted good run: its previous is wrong; expected None; found 2025",
        ),
    ],
)
def test_promotion_is_refused(tmp_path: Path, manifest: dict[str, object] | None, said: str) -> None:
    with open_run(tmp_path, "tbs", MOMENT) as run:
        if manifest is not None:
            run.write_manifest(manifest)
        with pytest.raises(Incomplete) as raised:
            run.promote()
    assert str(raised.value) == said.format(folder=run.folder, run=f"run {run.run_id}")
    assert latest_run(run.root) is None


def test_promotion_after_close_is_refused(tmp_path: Path) -> None:
    with open_run(tmp_path, "tbs", MOMENT) as run:
        run.write_manifest({"verdict": "good", "previous": None})
    with pytest.raises(ValueError, match="is closed: promote it before its lock is released"):
        run.promote()


@pytest.mark.parametrize(("text", "said"), [("{", "cannot be read: "), ("[]", "expected a JSON object; found list")])
def test_damaged_manifest_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(Incomplete) as raised:
        read_manifest(tmp_path)
    assert str(raised.value).startswith(f"{tmp_path / 'run.json'} cannot be read")
    assert said in str(raised.value)


def test_chain_stops_at_a_deleted_run(tmp_path: Path) -> None:
    folders = [crawl(tmp_path, [text]) for text in "abc"]
    for path in folders[0].iterdir():
        path.unlink()
    folders[0].rmdir()
    assert good_runs(tmp_path / "tbs") == [folders[2], folders[1]]


def test_latest_that_leads_nowhere_is_told_before_the_crawl(tmp_path: Path) -> None:
    (tmp_path / "tbs").mkdir()
    (tmp_path / "tbs" / "latest").symlink_to("runs/gone")
    with pytest.raises(Incomplete) as raised:
        open_run(tmp_path, "tbs", MOMENT)
    assert str(raised.value) == (
        f"{tmp_path}/tbs/latest leads to {tmp_path}/tbs/runs/gone, which is not there; "
        "restore that folder, or remove the link to begin a new history"
    )
    assert list((tmp_path / "tbs" / "runs").iterdir()) == []


def test_latest_that_is_a_folder_is_told_before_the_crawl(tmp_path: Path) -> None:
    (tmp_path / "tbs" / "latest").mkdir(parents=True)
    with pytest.raises(OutputUnwritable, match="latest is not a link; move it away") as raised:
        open_run(tmp_path, "tbs", MOMENT)
    assert raised.value.kind == "output_unwritable"


def test_leftovers_of_killed_runs_are_removed(tmp_path: Path) -> None:
    killed = crawl(tmp_path, ["a"])
    leftovers = [
        tmp_path / "tbs" / ".latest.tmp",
        tmp_path / "tbs" / ".history.jsonl.tmp",
        killed / ".run.json.tmp",
    ]
    for path in leftovers:
        path.write_bytes(b"half")
    with open_run(tmp_path, "tbs", MOMENT):
        assert [path for path in leftovers if path.exists()] == []


# --- one run at a time


def test_second_process_is_refused_and_told_who_holds_the_folder(tmp_path: Path) -> None:
    holder = python(
        "run = open_run(Path(sys.argv[1]), 'tbs', MOMENT); print('open', flush=True); time.sleep(60)",
        tmp_path,
    )
    assert holder.stdout
    assert holder.stdout.readline() == "open\n"
    with pytest.raises(RunInProgress) as raised:
        open_run(tmp_path, "tbs", MOMENT)
    assert str(raised.value) == (
        f"another run holds {tmp_path}/tbs: process {holder.pid}, run 20260105T020000Z; "
        "wait for it to end, or stop that process"
    )
    assert [path.name for path in (tmp_path / "tbs" / "runs").iterdir()] == ["20260105T020000Z"]
    holder.kill()
    holder.communicate()
    with open_run(tmp_path, "tbs", MOMENT) as run:
        assert run.run_id == "20260105T020000Z-2"


def test_lock_is_released_by_an_error_and_other_programs_are_free(tmp_path: Path) -> None:
    def fail() -> None:
        with open_run(tmp_path, "tbs", MOMENT):
            with pytest.raises(RunInProgress, match=f"process {os.getpid()}, run 20260105T020000Z"):
                open_run(tmp_path, "tbs", MOMENT)
            open_run(tmp_path, "other", MOMENT).close()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    open_run(tmp_path, "tbs", MOMENT).close()


def test_holder_that_left_no_note_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "tbs").mkdir()
    with (tmp_path / "tbs" / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(RunInProgress, match="tbs: process unknown; wait"):
            open_run(tmp_path, "tbs", MOMENT)


# --- folders that cannot be written


def test_output_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "output").write_text("")
    with pytest.raises(OutputUnwritable) as raised:
        open_run(tmp_path / "output", "tbs", MOMENT)
    assert str(raised.value) == (
        f"cannot write {tmp_path}/output/tbs: not a folder; set WIQ_OUTPUT to a folder that can be written"
    )


def test_output_where_the_kernel_allows_no_folder() -> None:
    with pytest.raises(OutputUnwritable, match=r"^cannot write /proc/tbs: No such file or directory; set WIQ_OUTPUT"):
        open_run(Path("/proc"), "tbs", MOMENT)


def test_output_without_permission(tmp_path: Path) -> None:
    code = """
os.chdir("/")
if os.geteuid() == 0:
    os.setgid(65534); os.setuid(65534)  # root may write anywhere
try:
    open_run(Path(sys.argv[1]), "tbs", MOMENT)
except OutputUnwritable as error:
    print(error)
"""
    (tmp_path / "output").mkdir(mode=0o555)
    out, err = python(code, tmp_path / "output").communicate()
    remedy = "set WIQ_OUTPUT to a folder that can be written"
    assert (out, err) == (f"cannot write {tmp_path}/output/tbs: Permission denied; {remedy}\n", "")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            errno.EROFS,
            "cannot write /x: Read-only file system; set WIQ_OUTPUT to a folder that can be written",
        ),
        (errno.EDQUOT, "cannot write /x: Disk quota exceeded; free some space"),
        (errno.EEXIST, "cannot write /x: not a folder; set WIQ_OUTPUT to a folder that can be written"),
    ],
)
def test_refusals_of_the_system_become_one_line(code: int, said: str) -> None:
    assert str(output_unwritable(Path("/x"), OSError(code, os.strerror(code)))) == said


def test_full_disk_at_the_start_makes_no_folder(tmp_path: Path) -> None:
    (tmp_path / "tbs").mkdir()
    (tmp_path / "tbs" / ".lock").symlink_to("/dev/full")
    with pytest.raises(OutputUnwritable, match="tbs: No space left on device; free some space"):
        open_run(tmp_path, "tbs", MOMENT)
    assert list((tmp_path / "tbs" / "runs").iterdir()) == []


def test_full_disk_at_the_manifest_leaves_the_good_run(tmp_path: Path) -> None:
    good = crawl(tmp_path, ["a"])
    before = everything(good)
    with open_run(tmp_path, "tbs", MOMENT) as run:
        (run.folder / ".run.json.tmp").symlink_to("/dev/full")
        with pytest.raises(OutputUnwritable, match=r"run\.json: No space left on device; free some space"):
            run.write_manifest({"verdict": "good"})
        assert list(run.folder.iterdir()) == []
    assert latest_run(tmp_path / "tbs") == good
    assert everything(good) == before


def test_file_size_limit_keeps_the_old_file(tmp_path: Path) -> None:
    code = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_atomically(Path(sys.argv[1]), [b"x" * 700, b"y" * 700])
except OutputUnwritable as error:
    print(error)
"""
    path = tmp_path / "history.jsonl"
    path.write_text("old")
    assert python(code, path).communicate() == (f"cannot write {path}: File too large; free some space\n", "")
    assert {found.name: found.read_text() for found in tmp_path.iterdir()} == {"history.jsonl": "old"}


def test_interrupted_chunks_keep_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError):
        write_atomically(path, (bytes([1 // number]) for number in (1, 0)))
    assert {found.name: found.read_text() for found in tmp_path.iterdir()} == {"history.jsonl": "old"}


# --- readers and kills


def test_reader_of_the_old_file_reads_it_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text("old")
    with path.open() as reader:
        write_atomically(path, [b"n", b"ew"])
        assert reader.read() == "old"
    assert path.read_text() == "new"


def test_reader_never_misses_latest_while_runs_are_promoted(tmp_path: Path) -> None:
    crawl(tmp_path, ["a"])
    seen: set[str] = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            manifest = json.loads((tmp_path / "tbs" / "latest" / "run.json").read_bytes())
            assert manifest["verdict"] == "good"
            seen.add(manifest["run_id"])

    failures: list[object] = []
    before, threading.excepthook = threading.excepthook, failures.append
    reader = threading.Thread(target=read)
    reader.start()
    try:
        for number in range(20):
            crawl(tmp_path, [str(number)])
    finally:
        done.set()
        reader.join()
        threading.excepthook = before
    assert failures == []
    assert len(seen) > 1


# For each line «number folder» read, a child process crawls into the folder and is killed before its n-th
# operation on files; the answer is how it ended: -9, or 0 where it outlived them all.
KILLED_AT = """
OPERATIONS = {"open", "os.rename", "os.remove", "os.symlink", "os.mkdir", "os.truncate", "fcntl.flock"}

def killed_at(limit, output):
    operations = 0
    def count(event, arguments):
        nonlocal operations
        operations += event in OPERATIONS
        if event in OPERATIONS and operations == limit:
            os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(count)
    crawl(Path(output), ["a", "new", "d"])

load_tables("tbs")
for line in sys.stdin:
    limit, output = line.split()
    child = os.fork()
    if child == 0:
        killed_at(int(limit), output)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def promoted_chain_is_whole(output: Path) -> None:
    """Every promoted run has the artifacts it describes; the history has each change once, in order."""
    root = output / "tbs"
    chain = good_runs(root)[::-1]
    expected = []
    for number, folder in enumerate(chain):
        assert describe_artifacts(folder) == read_manifest(folder)["artifacts"]
        changes = compare(chain[number - 1] if number else None, folder)
        expected += [(folder.name, change.action, change.table, change.key, change.digest) for change in changes]
    lines = [json.loads(line) for line in (root / "history.jsonl").read_text().splitlines()]
    assert expected == [(line["run_id"], line["action"], line["table"], line["key"], line["digest"]) for line in lines]


def old_or_new_survives(output: Path, old: dict[str, str]) -> bool:
    """Check the folder after a kill; whether the killed run was promoted."""
    root = output / "tbs"
    latest = latest_run(root)
    assert latest is not None
    assert read_manifest(latest)["verdict"] == "good"
    assert describe_artifacts(latest) == read_manifest(latest)["artifacts"]
    assert everything(root / "runs" / "20260105T020000Z-2") == old
    for line in (root / "history.jsonl").read_text().splitlines():
        json.loads(line)
    promoted = latest.name != "20260105T020000Z-2"
    if not promoted:
        assert everything(latest) == old

    following = crawl(output, ["a", "b", "later"])
    assert latest_run(root) == following
    assert len(good_runs(root)) == 3 + promoted
    promoted_chain_is_whole(output)
    assert list(root.rglob(".*.tmp")) == []
    return promoted


def before_the_kill(output: Path) -> dict[str, str]:
    crawl(output, ["a", "b"])
    return everything(crawl(output, ["a", "b", "c"]))


@pytest.mark.timeout(300)
def test_run_killed_before_each_operation(tmp_path: Path) -> None:
    parent = python(KILLED_AT)
    assert parent.stdin
    assert parent.stdout
    outcomes = []
    for limit in count(1):
        output = tmp_path / str(limit)
        old = before_the_kill(output)
        parent.stdin.write(f"{limit} {output}\n")
        parent.stdin.flush()
        ended = int(parent.stdout.readline())
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
        outcomes.append(old_or_new_survives(output, old))
    parent.communicate()
    assert len(outcomes) > 100
    # Once promoted, promoted at every later step: there is one moment of promotion.
    assert outcomes == sorted(outcomes)
    assert outcomes[0] is False
    assert outcomes[-1] is True


@pytest.mark.timeout(300)
def test_runs_killed_after_random_delays(tmp_path: Path) -> None:
    code = """
print("ready", flush=True)
while True:
    crawl(Path(sys.argv[1]), [random.choice("abcdef") * 50 for _ in range(200)])
"""
    chance = random.Random(20260105)
    for number in range(12):
        process = python(code, tmp_path)
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        time.sleep(chance.uniform(0, 0.15))
        process.kill()
        process.communicate()
        crawl(tmp_path, ["after", str(number)])
        promoted_chain_is_whole(tmp_path)
        assert list((tmp_path / "tbs").rglob(".*.tmp")) == []
