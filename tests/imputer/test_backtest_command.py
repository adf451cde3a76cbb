"""``imputer backtest`` as users run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from processes import PROJECT

if TYPE_CHECKING:
    from pathlib import Path


def backtest(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WIQ_")}
    command = [sys.executable, "-m", "imputer", "backtest", *arguments]
    return subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=240, check=False
    )


def test_figures_stand_beside_their_bars_and_in_a_file(shared_data: Path, tmp_path: Path) -> None:
    report = tmp_path / "figures.json"
    ended = backtest("--tier", "onet", "--sources", str(shared_data), "--json", str(report), "--strict")
    assert ended.returncode == 0, ended.stderr
    line = next(line for line in ended.stdout.splitlines() if "19 name-matched skills" in line)
    assert "≤ 0.470" in line
    assert "reached" in line
    assert "ECE" not in ended.stdout
    record = json.loads(report.read_text(encoding="utf-8"))
    assert record["seed"] == 2026
    assert len(record["details"]["descriptors"]) == 245
    assert {figure["tier"] for figure in record["figures"]} == {"onet"}
    assert all(figure["low"] <= figure["high"] for figure in record["figures"])


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("--tier", "guesswork"), 2, "Invalid value"),
        (("--sources", "nowhere"), 1, "the folder of input files is not there"),
    ],
)
def test_what_cannot_be_measured_is_said_in_a_line(arguments: tuple[str, ...], status: int, message: str) -> None:
    ended = backtest(*arguments)
    assert ended.returncode == status
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr


def test_help_shows_examples_and_exit_status() -> None:
    ended = backtest("--help")
    assert ended.returncode == 0
    assert "imputer backtest --tier onet" in ended.stdout
    assert "Exit status" in ended.stdout
