"""Real ``scrapy`` processes, and what they leave on disk."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas import document_validator

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PROJECT = Path(__file__).parents[1]
SMALL_EXPECTATIONS = PROJECT / "wiq_crawl" / "replica" / "expectations.toml"
FAST = ("-s", "DOWNLOAD_DELAY=0", "-s", "AUTOTHROTTLE_ENABLED=0", "-s", "WIQ_RETRY_BACKOFF=0.05", "-s", "RETRY_TIMES=1")
ROBOTS = "/robots.txt"
_PATIENCE = 60.0


@dataclass(frozen=True)
class Ended:
    """A ``scrapy`` process that has ended."""

    status: int
    output: str
    errors: str
    folder: Path  # output/tbs

    @property
    def latest(self) -> Path:
        return self.folder / "latest"

    @property
    def newest(self) -> Path:
        """The folder of the newest run, good or bad."""
        return newest_run(self.folder)

    def manifest(self) -> dict[str, Any]:
        """run.json of the newest run."""
        return manifest_of(self.newest)

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Records of ``latest/<name>.jsonl``."""
        lines = (self.latest / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def failed(self, kind: str) -> dict[str, Any]:
        """The first failure of a kind in run.json, which is valid, bad, and told to the user."""
        manifest = self.manifest()
        document_validator("run").validate(manifest)
        assert (self.status, manifest["verdict"], manifest["promoted"]) == (1, "bad", False), self.output + self.errors
        found = [failure for failure in manifest["failures"] if failure["kind"] == kind]
        assert found, manifest["failures"]
        assert f"FAILED ({kind}): {found[0]['message']}" in self.output
        assert f"Run {manifest['run_id']} is BAD" in self.output
        assert self.errors == ""
        return found[0]

    def refused(self, kind: str, *words: str, status: int = 2) -> None:
        """Before anything began: one clear line on standard error, and nothing else."""
        assert (self.status, self.output) == (status, ""), self.output + self.errors
        lines = self.errors.splitlines()
        assert len(lines) == 1, self.errors
        assert lines[0].startswith(f"{kind}: ")
        for word in words:
            assert word in lines[0]


def newest_run(folder: Path) -> Path:
    """The newest run below ``output/tbs``: by its UTC start, then by the number behind it."""
    return max((folder / "runs").iterdir(), key=lambda run: (run.name[:16], int(run.name[17:] or "1")))


def manifest_of(run: Path) -> dict[str, Any]:
    """run.json of a run folder."""
    loaded: dict[str, Any] = json.loads((run / "run.json").read_text(encoding="utf-8"))
    return loaded


def state(folder: Path) -> dict[str, str]:
    """Where ``latest`` leads, and a digest of every file in it."""
    latest = folder / "latest"
    if not latest.is_symlink():
        return {}
    digests = {
        path.relative_to(latest).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in latest.rglob("*")
        if path.is_file()
    }
    return {"latest": str(latest.readlink())} | digests


def assert_whole(run: Path) -> None:
    """A published run: run.json is valid and good, and its list of artifacts is what lies there, byte for byte."""
    manifest = manifest_of(run)
    document_validator("run").validate(manifest)
    assert (manifest["verdict"], manifest["failures"]) == ("good", [])
    stated = {artifact["path"]: (artifact["bytes"], artifact["sha256"]) for artifact in manifest["artifacts"]}
    there = {
        path.relative_to(run.resolve()).as_posix(): (
            path.stat().st_size,
            hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        for path in run.resolve().rglob("*")
        if path.is_file() and path.name != "run.json"
    }
    assert there == stated


def environment(output: Path, given: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables of a process: nothing of the caller's own settings."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("WIQ_", "SCRAPY_", "ONET_", "OPENAI_", "AZURE_"))
    }
    return kept | {"WIQ_OUTPUT": str(output)} | dict(given or {})


def start_scrapy(output: Path, *arguments: str, given: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """Start a real ``scrapy`` process in the project."""
    return subprocess.Popen(
        [sys.executable, "-m", "scrapy", *arguments],
        cwd=PROJECT,
        env=environment(output, given),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_scrapy(
    output: Path,
    *arguments: str,
    given: Mapping[str, str] | None = None,
    before: Callable[[], None] | None = None,
    expect: int | None = None,
) -> Ended:
    """Run a real ``scrapy`` process in the project to its end; ``before`` runs in the child."""
    variables = environment(output, given)
    process = subprocess.run(
        [sys.executable, "-m", "scrapy", *arguments],
        cwd=PROJECT,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=before,
    )
    ended = Ended(process.returncode, process.stdout, process.stderr, Path(variables["WIQ_OUTPUT"]) / "tbs")
    if expect is not None:
        assert ended.status == expect, f"exit {ended.status}\n{ended.output}\n{ended.errors}"
    return ended


def start_imputer(output: Path, *arguments: str, given: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """Start a real ``imputer`` process in the project."""
    return subprocess.Popen(
        [sys.executable, "-m", "imputer", *arguments],
        cwd=PROJECT,
        env=environment(output, given),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_imputer(
    output: Path, *arguments: str, given: Mapping[str, str] | None = None, expect: int | None = None
) -> Ended:
    """Run a real ``imputer`` process in the project to its end; the folder is ``output/wiq``."""
    with start_imputer(output, *arguments, given=given) as process:
        printed, errors = process.communicate()
    ended = Ended(process.returncode, printed, errors, output / "wiq")
    if expect is not None:
        assert ended.status == expect, f"exit {ended.status}\n{ended.output}\n{ended.errors}"
    return ended


def crawl_of(base_url: str, *arguments: str) -> list[str]:
    """The arguments of a crawl of a server, without the polite waits."""
    return ["crawl", "tbs", "-a", f"base_url={base_url}", *FAST, *arguments]


def wait_until(true: Callable[[], object], process: subprocess.Popen[str]) -> None:
    """Wait until something is so, or the process ends."""
    end = time.monotonic() + _PATIENCE
    while not true() and process.poll() is None:
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.001)
