"""What is written for people agrees with what the programs do."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from imputer.cli import COMMANDS as IMPUTER_COMMANDS
from schemas import dictionary
from schemas.errors import failure_kinds
from wiq_crawl.arguments import CrawlArguments, parse_arguments

PROJECT = Path(__file__).parents[1]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (PROJECT / "Makefile").read_text(encoding="utf-8")
COMMANDS = ("crawl", "changes", "demo", "extract", "replica")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_data_dictionary_is_that_of_the_schemas(language: str) -> None:
    written = dictionary.FILES[language].read_text(encoding="utf-8")
    assert written == dictionary.dictionary(language), "run «make dictionary»"


def test_french_puts_a_space_before_a_colon() -> None:
    written = dictionary.FILES["fr"].read_text(encoding="utf-8")
    assert re.findall(r".*[^\s]:\s.*", written) == []


def test_readme_lists_the_tables_of_the_schemas() -> None:
    assert dictionary.readme_with_overview(README) == README, "run «make dictionary»"


def test_every_make_target_that_the_readme_names_exists_and_has_help() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)`|^    make ([a-z-]+)", README, re.MULTILINE))
    assert {first or second for first, second in named} <= targets | {"help"}
    assert {"demo", "test", "refresh", "changes", "bench", "lint"} <= targets


def test_make_help_prints_one_line_per_target() -> None:
    printed = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout
    targets = re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE)
    assert [line.split()[1] for line in printed.splitlines()] == targets


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example_and_stands_in_the_readme(command: str) -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "scrapy", command, "-h"], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert re.search(r"Examples?:", " ".join(shown.stdout.split()))
    assert f"scrapy {command}" in README or f"make {command}" in README


@pytest.mark.parametrize("command", IMPUTER_COMMANDS)
def test_every_command_of_the_imputer_has_help_with_an_example_and_stands_in_the_readme(command: str) -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "imputer", command, "--help"], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert re.search(rf"Examples?:\s+(\w+=\S+ )*imputer {command}", shown.stdout)
    assert f"imputer {command}" in README or f"`{command}`" in README or f"make {command}" in README


def test_the_imputer_lists_its_commands_without_loading_what_they_need() -> None:
    program = "import sys; from imputer.cli import main; main(['--help'], standalone_mode=False); print([*sys.modules])"
    shown = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert all(f"  {command} " in shown.stdout for command in IMPUTER_COMMANDS)
    heavy = {"sklearn", "scipy", "matplotlib", "openai"}
    assert not [name for name in heavy if f"'{name}'" in shown.stdout]


def test_readme_states_every_argument_with_its_default() -> None:
    stated = dict(re.findall(r"^\| `-a (\w+)=` \| ([^|]*?) ?\|", README, re.MULTILINE))
    default = parse_arguments({}).stated()
    assert list(stated) == [*CrawlArguments.__dataclass_fields__]
    for name, shown in stated.items():
        value = default[name]
        plain = (
            ",".join(value)
            if isinstance(value, list)
            else ""
            if value is None
            else str(int(value) if value is False else value)
        )
        assert shown.strip(" `") == plain, name


def test_readme_explains_every_failure_kind() -> None:
    explained = set(re.findall(r"`([a-z_]+)`", README))
    assert set(failure_kinds()) <= explained


def test_no_text_of_the_repository_names_a_registry_or_a_machine() -> None:
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, tracked.split("\0")):
        path = PROJECT / name
        if not path.is_file() or path == Path(__file__):
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        assert not re.search(r"--(extra-)?index-url \S|pypi\.org|files\.pythonhosted|/(root|work)/", text), name


def test_requirements_are_pinned() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = (PROJECT / name).read_text(encoding="utf-8").splitlines()
        assert lines
        pins = [line for line in lines if line and not line.startswith("#")]
        assert all(re.fullmatch(r"[a-z0-9._-]+==[\w.]+( ; .+)?", pin) for pin in pins), name
