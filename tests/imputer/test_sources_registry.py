"""The registry says of every file what it is, whose, under which terms, and where it is published."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import pytest

from imputer.errors import WrongUsage
from imputer.sources import load_registry
from imputer.sources.folder import State, examine_all
from imputer.sources.readers import STEPS
from imputer.sources.registry import REGISTRY

if TYPE_CHECKING:
    from pathlib import Path


def test_every_file_has_its_terms_and_a_way_to_get_it() -> None:
    for file in load_registry().files.values():
        assert file.title_en
        assert file.title_fr
        assert file.publisher.en
        assert file.publisher.fr
        assert file.licence.attribution_en
        assert file.licence.attribution_fr
        assert file.retention in {"open-reference", "departmental", "web-snapshot", "derived"}
        assert "\n" not in file.how_to_get_it
        assert file.supplied == (file.id in {"job_architecture", "llm_batch", "similar_titles"})


def test_every_file_has_a_reader_and_every_reader_a_file() -> None:
    registered = {file.id for file in load_registry().files.values() if file.path and file.reader != "onet"}
    assert registered == {step.source_id for step in STEPS}
    for step in STEPS:
        assert set(step.after) <= registered


def test_every_pinned_checksum_is_that_of_the_real_file(shared_data: Path) -> None:
    found = examine_all(load_registry(), shared_data)
    assert {one.file.id for one in found.values() if one.state is State.UNPINNED} == {"job_architecture"}
    assert {one.file.id for one in found.values() if one.state is State.MISSING} == {
        "onet_abilities",
        "onet_work_activities",
        "onet_work_context",
    }
    for one in found.values():
        if one.state is State.VERIFIED:
            assert hashlib.sha256(one.path.read_bytes()).hexdigest() == one.file.sha256


def test_skills_as_published_with_other_line_ends_is_the_known_version(shared_data: Path, tmp_path: Path) -> None:
    """The published file has CRLF and the MD5 that its catalogue states; it must pass as the known version."""
    content = (shared_data / "oasis" / "skills_oasis_2023_v1.0.csv").read_bytes().replace(b"\n", b"\r\n")
    assert hashlib.md5(content).hexdigest() == "5055af89d4c5c4f713e8fe403bd33824"
    (tmp_path / "oasis").mkdir()
    (tmp_path / "oasis" / "skills_oasis_2023_v1.0.csv").write_bytes(content)
    assert examine_all(load_registry(), tmp_path)["oasis_skills"].state is State.VERIFIED


def test_onet_table_with_not_applicable_written_out_is_the_known_version(shared_data: Path, tmp_path: Path) -> None:
    """The official text files have «n/a» where the known ones have empty cells; nothing else may differ."""
    content = (shared_data / "onet_29_3" / "Skills.txt").read_bytes()
    written = re.sub(rb"(?<=\t)(?=[\t\r])", b"n/a", content)
    assert written != content
    (tmp_path / "onet_29_3").mkdir()
    path = tmp_path / "onet_29_3" / "Skills.txt"
    path.write_bytes(written)
    assert examine_all(load_registry(), tmp_path)["onet_skills"].state is State.VERIFIED
    path.write_bytes(written.replace(b"\t4.12\t", b"\t4.13\t", 1))
    assert examine_all(load_registry(), tmp_path)["onet_skills"].state is State.ALTERED


def test_onet_tables_keep_their_ids_over_the_releases() -> None:
    old, new = (load_registry(onet_release=release) for release in ("29.3", "31.0"))
    assert old.onet_release == "29.3"
    assert {"onet_essential_skills", "onet_transferable_skills"} == set(new.files) - set(old.files) - {
        "onet_career_interest_types",
        "onet_software_skills",
    }
    assert str(new.files["onet_knowledge"].path) == "onet_31_0/knowledge.csv"
    assert new.files["onet_knowledge"].url == "https://www.onetcenter.org/dl_files/database/db_31_0_csv/knowledge.csv"
    assert old.files["onet_knowledge"].member == "db_29_3_text/Knowledge.txt"


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('id = "oasis_skills"', 'id = "oasis_labels"', "repeats itself"),
        ('path = "noc/noc_structure_en.csv"', 'path = "noc/noc_structure_fr.csv"', "repeats itself"),
        ('path = "noc/noc_structure_en.csv"', 'path = "../elsewhere.csv"', "leads out of its folder"),
        ('path = "noc/noc_structure_en.csv"', 'path = "/etc/elsewhere.csv"', "leads out of its folder"),
        ('licence = "ogl"', 'licence = "none"', "cannot be read"),
        ('retention = "departmental"', 'retained = "departmental"', "cannot be read"),
        ("[[file]]", "[[file", "cannot be read"),
    ],
)
def test_registry_that_contradicts_itself_is_refused(tmp_path: Path, before: str, after: str, told: str) -> None:
    text = REGISTRY.read_text(encoding="utf-8")
    assert before in text
    path = tmp_path / "registry.toml"
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(WrongUsage, match=told):
        load_registry(path)
