"""``imputer sources`` as users meet it: status, verify, add, and what it says when something is wrong."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from processes import run_imputer
from source_server import SourceServer, publish_sample

from imputer.sample import SAMPLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from processes import Ended

TITLES = "job_architecture/job_architecture.csv"


@pytest.fixture
def imputer(tmp_path: Path) -> Callable[..., Ended]:
    """``imputer sources`` with WIQ_SOURCES set to a folder of the test's own."""

    def run(*arguments: str, expect: int | None = None, sources: Path | None = None) -> Ended:
        given = {"WIQ_SOURCES": str(sources or tmp_path / "sources")}
        return run_imputer(tmp_path / "output", "sources", *arguments, given=given, expect=expect)

    return run


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """A registry whose versions are the sample's; nobody answers at its addresses."""
    with SourceServer() as server:
        return publish_sample(server, tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(SAMPLE, tmp_path / "sources")
    return tmp_path / "sources"


def test_status_of_the_real_folder_as_it_stands(imputer: Callable[..., Ended], shared_data: Path) -> None:
    ended = imputer("status", expect=0, sources=shared_data)
    assert "37 of 40 input files are ready" in ended.output
    assert "; 0 required ones are not" in ended.output
    assert "onet_29_3/Abilities.txt" in ended.output
    assert "oasis_skills" not in ended.output
    everything = imputer("status", "--all", expect=0, sources=shared_data).output
    assert everything.count(" verified ") == 36


def test_verify_of_the_real_folder_reads_every_file(imputer: Callable[..., Ended], shared_data: Path) -> None:
    assert "37 files read" in imputer("verify", expect=0, sources=shared_data).output
    assert imputer("verify", "--checksums-only", expect=0, sources=shared_data).output == (
        "Every file is a known version.\n"
    )


def test_status_without_any_file_says_how_to_get_each(imputer: Callable[..., Ended]) -> None:
    ended = imputer("status", expect=1)
    assert "0 of 40 input files are ready" in ended.output
    assert "imputer sources fetch" in ended.output
    assert "https://open.canada.ca/data/en/dataset/1feee3b5-8068-4dbb-b361-180875837593" in ended.output
    assert "ask its owner, then imputer sources add" in ended.output
    assert not any(line.startswith(" ") for line in ended.output.splitlines())
    assert "There is no crawl of the Treasury Board pages" in ended.output


def test_verify_names_each_missing_and_altered_file_on_one_line(
    imputer: Callable[..., Ended], folder: Path, registry: Path
) -> None:
    (folder / "oasis" / "skills_oasis_2023_v1.0.csv").write_text("Code\n", encoding="utf-8")
    (folder / "cops" / "employment_emploi_2024_2033_noc2021.csv").unlink()
    ended = imputer("--registry", str(registry), "verify", expect=1)
    skills, cops = ended.errors.splitlines()
    assert skills.startswith("source_altered: the input file oasis/skills_oasis_2023_v1.0.csv is another version")
    assert cops.startswith("source_missing: the input file cops/employment_emploi_2024_2033_noc2021.csv is not there")


def test_malformed_file_is_named_with_row_and_column(
    imputer: Callable[..., Ended], folder: Path, registry: Path
) -> None:
    path = folder / "job_architecture" / "job_architecture.csv"
    text = path.read_text(encoding="utf-8-sig")
    path.write_text(text.replace(",12100,", ",12199,", 1), encoding="utf-8-sig")
    ended = imputer("--registry", str(registry), "verify", expect=1)
    assert ended.errors.startswith("source_malformed: ")
    assert "found '12199'; at job_architecture.csv, row 6, column '2021_NOC_UID'" in ended.errors


def test_add_takes_a_job_architecture_that_can_be_read(
    imputer: Callable[..., Ended], folder: Path, registry: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.csv"
    (folder / TITLES).rename(mine)
    assert "job_architecture" in imputer("--registry", str(registry), "status", expect=0).output
    ended = imputer("--registry", str(registry), "add", str(mine), expect=0)
    assert ended.output.startswith(f"{TITLES} is in {folder}, sha256 ")
    assert (folder / TITLES).read_bytes() == mine.read_bytes()
    assert "accepted" in imputer("--registry", str(registry), "status", expect=0).output


def test_add_refuses_what_cannot_be_read_and_leaves_the_folder_alone(
    imputer: Callable[..., Ended], folder: Path, registry: Path, tmp_path: Path
) -> None:
    before = (folder / TITLES).read_bytes()
    mine = tmp_path / "mine.csv"
    mine.write_text("JT_ID,Job_Title\n1,Clerk\n", encoding="utf-8")
    ended = imputer("--registry", str(registry), "add", "job_architecture", str(mine), expect=1)
    assert "expected 25 columns; found 2" in ended.errors
    assert (folder / TITLES).read_bytes() == before
    assert not (folder / "accepted.toml").exists()


def test_add_says_which_file_is_needed_first(imputer: Callable[..., Ended]) -> None:
    ended = imputer("add", str(SAMPLE / TITLES), expect=1)
    assert "first noc/noc_structure_en.csv, noc/noc_structure_fr.csv" in ended.errors
    assert "imputer sources fetch noc_structure_en noc_structure_fr" in ended.errors


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("add", "no_such_id", "x.csv"), "no such input file"),
        (("add", "tbs_crawl", "x.csv"), "is no file"),
        (("add", "a", "b", "c"), "too many arguments"),
        (("fetch", "--pause", "-1"), "--pause"),
        (("--registry", "nowhere.toml", "status"), "nowhere.toml"),
    ],
)
def test_wrong_usage(imputer: Callable[..., Ended], arguments: tuple[str, ...], told: str) -> None:
    assert told in imputer(*arguments, expect=2).errors


def test_add_of_a_file_that_is_not_there(imputer: Callable[..., Ended], folder: Path) -> None:
    ended = imputer("add", str(folder / "nothing.csv"), expect=1)
    assert "the file to add cannot be read; found No such file or directory" in ended.errors


def test_a_registry_that_is_none_is_wrong_usage(imputer: Callable[..., Ended], tmp_path: Path) -> None:
    (tmp_path / "wrong.toml").write_text("[[file]]\nid = 1\n", encoding="utf-8")
    ended = imputer("--registry", str(tmp_path / "wrong.toml"), "status", expect=2)
    assert "the registry of input files cannot be read" in ended.errors


def test_unknown_onet_release_is_wrong_usage(tmp_path: Path) -> None:
    given = {"WIQ_SOURCES": str(tmp_path), "WIQ_ONET_RELEASE": "12.0"}
    ended = run_imputer(tmp_path / "output", "sources", "status", given=given, expect=2)
    assert "expected 29.3 or 30.3 or 31.0; found 12.0" in ended.errors


def test_another_onet_release_has_its_own_folder_and_files(tmp_path: Path) -> None:
    given = {"WIQ_SOURCES": str(tmp_path), "WIQ_ONET_RELEASE": "31.0"}
    ended = run_imputer(tmp_path / "output", "sources", "status", given=given, expect=1)
    assert "onet_31_0/transferable_skills.csv" in ended.output
    assert "onet_29_3" not in ended.output


@pytest.mark.parametrize("command", [(), ("status",), ("fetch",), ("verify",), ("add",)])
def test_help_has_examples(imputer: Callable[..., Ended], command: tuple[str, ...]) -> None:
    shown = imputer(*command, "--help", expect=0).output
    assert "Examples:\n  imputer sources" in shown.replace("\n    imputer", "\n  imputer").replace(
        "  Examples", "Examples"
    )
