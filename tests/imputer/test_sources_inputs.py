"""All inputs together: only what the registry names is read, all of it, and only in a version that is known."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from imputer.errors import SourceAltered, SourceMissing
from imputer.sample import SAMPLE, sample_registry
from imputer.sources import load_registry, read_inputs
from imputer.sources.accepting import add
from imputer.sources.folder import ACCEPTED, State, examine_all, read_accepted
from imputer.sources.issues import issue_table
from schemas import arrow_schema, load_table
from schemas.validation import TableValidator

if TYPE_CHECKING:
    from pathlib import Path

    from imputer.sources import Inputs

BESIDE = (
    "oasis/main_duties_element_sample.csv",
    "oasis/a_skills_sample.csv",
    "oasis/skills_oasis_2023_v1.0 (1).csv",
    "oasis/skills_oasis_2023_v1.0.csv.bak",
    "cops/employment_sample.csv",
    "noc/noc_structure_en_sample.csv",
    "job_architecture/job_architecture_sample.csv",
    "onet_29_3/Skills sample.txt",
)


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    return read_inputs(SAMPLE, registry=sample_registry())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(SAMPLE, tmp_path / "sources")
    return tmp_path / "sources"


def test_the_real_folder_reads_as_it_stands(shared_data: Path) -> None:
    inputs = read_inputs(shared_data)
    assert {name: table.num_rows for name, table in inputs.tables().items() if not name.startswith("onet")} == {
        "noc_classes": 822,
        "noc_example_titles": 57_702,
        "oasis_profiles": 900,
        "oasis_example_titles": 18_666,
        "oasis_ratings": 220_500,
        "oasis_texts": 18_912,
        "outlook": 5_676,
        "job_titles": 1_616,
        "crosswalk": 1_389,
        "weighted_crosswalk": 1_718,
        "attributes": inputs.attributes.num_rows,
        "occupational_groups": 0,
        "sources": 44,
    }
    assert inputs.absent == ("onet_abilities", "onet_work_activities", "onet_work_context", "tbs_crawl")


def test_every_registered_file_that_is_there_is_read(shared_data: Path) -> None:
    """No loader finds nothing in silence: each file of the registry gives rows that name it, or is reported absent."""
    inputs = read_inputs(shared_data)
    services = {"onet_web_services", "llm_batch", "similar_titles"}
    assert set(inputs.versions) | set(inputs.absent) | services == set(load_registry().files)
    named: set[str] = set()
    for table in inputs.tables().values():
        if "source_id" in table.column_names and "source_version" not in table.column_names:
            named |= set(table["source_id"].unique().to_pylist())
    assert {f"oasis_{domain}" for domain in ("personal_attributes", "interests", "main_duties", "skills")} <= named
    assert "cops_employment" in named
    assert inputs.oasis_profiles.num_rows == len(set(inputs.oasis_ratings["profile"].to_pylist()))


def test_sample_files_beside_the_real_ones_are_never_picked(folder: Path, inputs: Inputs) -> None:
    for name in BESIDE:
        (folder / name).write_text("Code,Anything\nx,sample\n", encoding="utf-8")
    again = read_inputs(folder, registry=sample_registry())
    assert again.tables() == inputs.tables()
    assert again.issues == inputs.issues


def test_the_sample_is_not_taken_for_the_real_files(folder: Path) -> None:
    with pytest.raises(SourceAltered, match=r"noc_structure_en\.csv is another version than the one known"):
        read_inputs(folder)


def test_the_real_files_are_not_taken_for_the_sample(shared_data: Path) -> None:
    with pytest.raises(SourceAltered):
        read_inputs(shared_data, registry=sample_registry())


def test_same_folder_same_inputs(inputs: Inputs) -> None:
    again = read_inputs(SAMPLE, registry=sample_registry())
    assert again.tables() == inputs.tables()
    assert (again.issues, again.versions, again.absent) == (inputs.issues, inputs.versions, inputs.absent)


def test_missing_file_is_named_with_how_to_get_it(folder: Path) -> None:
    registry = load_registry()
    shutil.rmtree(folder / "oasis")
    pinned = {source_id: replace(file, sha256=None) for source_id, file in registry.files.items()}
    with pytest.raises(SourceMissing) as missing:
        read_inputs(folder, registry=replace(registry, files=pinned))
    line = str(missing.value)
    assert "\n" not in line
    assert "oasis/labels_oasis_2023_v1.0.csv is not there" in line
    assert "imputer sources fetch oasis_labels" in line
    assert "https://open.canada.ca/data/en/dataset/4f344cd6-0912-411a-ae16-41ea160cc8b5" in line


def test_altered_file_is_named_before_anything_is_read(folder: Path) -> None:
    path = folder / "oasis" / "skills_oasis_2023_v1.0.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",5,", ",4,", 1), encoding="utf-8")
    (folder / "noc" / "noc_structure_en.csv").touch()
    with pytest.raises(SourceAltered, match=r"skills_oasis_2023_v1\.0\.csv is another version"):
        read_inputs(folder, registry=sample_registry())


def test_line_ends_changed_on_the_way_do_not_alter_a_file(folder: Path) -> None:
    for path in folder.rglob("*.csv"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    states = {found.state for found in examine_all(sample_registry(), folder).values()}
    assert states == {State.VERIFIED}


def test_without_a_job_architecture_everything_else_is_read(folder: Path, inputs: Inputs) -> None:
    shutil.rmtree(folder / "job_architecture")
    bare = read_inputs(folder, registry=sample_registry())
    assert bare.job_titles.num_rows == 0
    assert bare.job_titles.schema == inputs.job_titles.schema
    assert bare.absent == ("job_architecture", "tbs_crawl")
    assert bare.oasis_ratings == inputs.oasis_ratings


def test_without_the_second_crosswalk_it_is_empty(folder: Path, inputs: Inputs) -> None:
    (folder / "crosswalk" / "bcgov_onet_to_noc2021_mapping_3.0.0.csv").unlink()
    bare = read_inputs(folder, registry=sample_registry())
    assert bare.weighted_crosswalk.num_rows == 0
    assert bare.weighted_crosswalk.schema == inputs.weighted_crosswalk.schema


def test_without_the_onet_database_where_it_is_not_asked_for(folder: Path) -> None:
    shutil.rmtree(folder / "onet_29_3")
    with pytest.raises(SourceMissing, match="Occupation Data"):
        read_inputs(folder, registry=sample_registry())
    bare = read_inputs(folder, registry=sample_registry(), onet=False)
    assert bare.onet is None
    assert not any(name.startswith("onet") for name in bare.tables())


def test_no_folder_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(SourceMissing, match="set WIQ_SOURCES"):
        read_inputs(tmp_path / "nowhere")


def test_codes_are_text_everywhere(inputs: Inputs) -> None:
    for name, table in inputs.tables().items():
        for column in ("code", "unit_group", "profile", "soc", "noc_2016_code", "parent_code"):
            if column in table.column_names:
                assert table.schema.field(column).type == pa.string(), (name, column)
    assert "00010" in inputs.noc_classes["code"].to_pylist()
    assert "00010" in inputs.crosswalk["unit_group"].to_pylist()
    assert "00010" in inputs.outlook["unit_group"].to_pylist()
    assert "00010" in inputs.job_titles["unit_group"].to_pylist()


def test_published_issues_have_keys_and_keep_their_schema(inputs: Inputs) -> None:
    table = issue_table(inputs.issues)
    assert table.schema == arrow_schema(load_table("wiq", "data_issues"))
    assert table.num_rows == len(inputs.issues) > 100
    assert len(set(table["data_issue_id"].to_pylist())) == table.num_rows
    assert issue_table(reversed(inputs.issues)) == table
    validator = TableValidator(load_table("wiq", "data_issues"))
    assert all(validator.is_valid(record) for record in table.to_pylist())
    assert set(table["source_id"].to_pylist()) <= set(inputs.sources["source_id"].to_pylist())


def test_equal_issues_of_one_record_get_keys_of_their_own(inputs: Inputs) -> None:
    twice = issue_table([inputs.issues[0], inputs.issues[0]])
    assert len(set(twice["data_issue_id"].to_pylist())) == 2


def test_sources_table_keeps_its_schema_and_names_versions(inputs: Inputs) -> None:
    validator = TableValidator(load_table("wiq", "dim_source"))
    rows = inputs.sources.to_pylist()
    assert all(validator.is_valid(row) for row in rows)
    assert {row["source_id"]: row["source_version"] for row in rows if row["source_version"]} == inputs.versions
    assert [row["source_id"] for row in rows] == sorted(row["source_id"] for row in rows)


def test_onet_attribution_says_release_licence_and_modification(inputs: Inputs) -> None:
    row = next(row for row in inputs.sources.to_pylist() if row["source_id"] == "onet_skills")
    assert "O*NET® 29.3 Database by the U.S. Department of Labor" in row["attribution_en"]
    assert "CC BY 4.0" in row["attribution_en"]
    assert "has modified all or some of this information" in row["attribution_en"]
    assert "has not approved, endorsed, or tested these modifications" in row["attribution_en"]
    assert "29.3" in row["attribution_fr"]


def test_an_added_file_is_read_and_its_version_is_kept(folder: Path, tmp_path: Path) -> None:
    registry = sample_registry()
    given = tmp_path / "mine.csv"
    text = (folder / "job_architecture" / "job_architecture.csv").read_text(encoding="utf-8-sig")
    given.write_text(text.replace("Economist,", "Chief Economist,", 1), encoding="utf-8-sig")
    digest = add(registry, folder, registry.file("job_architecture"), given)
    assert read_accepted(folder) == {"job_architecture": digest}
    assert "Chief Economist" in read_inputs(folder, registry=registry).job_titles["title_en"].to_pylist()
    (folder / "job_architecture" / "job_architecture.csv").write_text("JT_ID\n", encoding="utf-8")
    with pytest.raises(SourceAltered, match="job_architecture"):
        read_inputs(folder, registry=registry)


def test_a_damaged_list_of_accepted_versions_is_one_clear_line(folder: Path) -> None:
    (folder / ACCEPTED).write_text("[x\n", encoding="utf-8")
    with pytest.raises(SourceAltered, match=r"accepted versions cannot be read.*delete it"):
        read_inputs(folder, registry=sample_registry())
