"""OaSIS: counts of the real files, each known anomaly with its rule, and what stops a run."""

from __future__ import annotations

import csv
import io
import shutil
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from imputer.errors import SourceMalformed
from imputer.sample import SAMPLE
from imputer.sources.oasis_guide import rating_columns, read_oasis_attributes
from imputer.sources.readers import RATED, Known, read_all
from imputer.sources.registry import load_registry

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOC = ("noc_structure_en", "noc_structure_fr")


def read(folder: Path) -> Known:
    """The NOC structure and every OaSIS file of a folder."""
    files = load_registry().files.values()
    wanted = [file for file in files if file.id in NOC or file.id.startswith("oasis_")]
    known = Known({file.id: folder / file.path for file in wanted})
    read_all(known)
    return known


@pytest.fixture(scope="module")
def real(shared_data: Path) -> Known:
    return read(shared_data)


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    shutil.copytree(SAMPLE, tmp_path / "sample")
    return tmp_path / "sample"


def rules(known: Known, source_id: str) -> Counter[str]:
    return Counter(issue.rule for issue in known.issues if issue.source_id == source_id)


def change(path: Path, edit: Callable[[list[list[str]]], object]) -> None:
    """Apply ``edit`` to the records of a CSV file, the header first."""
    records = list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))
    edit(records)
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(records)
    path.write_bytes(stream.getvalue().encode("utf-8-sig"))


def test_profiles_of_the_real_list(real: Known) -> None:
    profiles = real.whole("oasis_profiles")
    assert profiles.num_rows == 900
    per_group = Counter(profiles["unit_group"].to_pylist())
    assert len(per_group) == 516
    assert sum(count == 1 for count in per_group.values()) == 332
    several = [count for count in per_group.values() if count > 1]
    assert (len(several), min(several), max(several)) == (184, 2, 14)


def test_example_titles_of_the_real_file(real: Known) -> None:
    table = real.whole("oasis_example_titles")
    assert table.num_rows == 18_666
    assert Counter(table["kind"].to_pylist()) == {"Index": 14_235, "Example": 4_279, "Inclusion": 152}
    per_group = Counter(real.whole("oasis_profiles")["unit_group"].to_pylist())
    assert sum(per_group[group] > 1 for group in table["unit_group"].to_pylist()) == 3_065
    owners: dict[str, set[str]] = {}
    for title, profile in zip(table["title"].to_pylist(), table["profile"].to_pylist(), strict=True):
        owners.setdefault(title.casefold(), set()).add(profile)
    assert all(len(profiles) == 1 for profiles in owners.values())


def test_the_twelve_repeated_example_titles_are_kept_marked_and_logged(real: Known) -> None:
    rows = real.whole("oasis_example_titles").to_pylist()
    repeats = [row for row in rows if row["repeats_row"] is not None]
    assert len(repeats) == 12
    for row in repeats:
        first = rows[row["repeats_row"] - 1]
        assert (first["profile"], first["title"], first["repeats_row"]) == (row["profile"], row["title"], None)
    once = [(row["profile"], row["title"]) for row in rows if row["repeats_row"] is None]
    assert len(once) == len(set(once)) == 18_654
    assert rules(real, "oasis_example_titles")["example-title-repeated"] == 12


def test_ratings_of_the_real_files(real: Known) -> None:
    table = real.whole("oasis_ratings")
    assert table.num_rows == 220_500 == 900 * 245
    assert {domain: len(columns) for domain, columns in rating_columns().items()} == {
        "skills": 33,
        "abilities": 49,
        "knowledge": 44,
        "work_activities": 40,
        "work_context": 66,
        "personal_attributes": 13,
    }
    per_profile = Counter(table["profile"].to_pylist())
    assert set(per_profile.values()) == {245}
    assert set(per_profile) == set(real.labels)
    values = Counter(table["value"].to_pylist())
    assert set(values) == {0.0, 1.0, 2.0, 3.0, 4.0, 5.0}


@pytest.mark.parametrize("source_id", ["oasis_main_duties", "oasis_work_activities"])
def test_327_malformed_profile_codes_in_each_of_two_files(real: Known, source_id: str) -> None:
    issues = [issue for issue in real.issues if issue.source_id == source_id and issue.rule.startswith("profile-")]
    codes = {(issue.before, issue.rule) for issue in issues}
    assert len(codes) == 327
    assert Counter(rule for _, rule in codes) == {"profile-suffix-lost": 326, "profile-final-zero-lost": 1}
    assert ("31100.1", "profile-final-zero-lost") in codes
    assert {issue.after for issue in issues} <= set(real.labels)
    assert "31100.10" in {issue.after for issue in issues}


def test_one_malformed_profile_code_in_knowledge_and_one_in_interests(real: Known) -> None:
    assert rules(real, "oasis_knowledge")["profile-final-zero-lost"] == 1
    moved = [issue for issue in real.issues if issue.rule == "profile-numbered-alone"]
    assert [(issue.source_id, issue.before, issue.after) for issue in moved] == [
        ("oasis_interests", "14404.01", "14404.00")
    ]


def test_interests_blank_and_lower_case(real: Known) -> None:
    found = rules(real, "oasis_interests")
    assert (found["interest-blank"], found["interest-lower-case"]) == (180, 228)
    table = real.whole("oasis_texts")
    letters = [
        text
        for attribute, text in zip(table["attribute_id"].to_pylist(), table["text"].to_pylist(), strict=True)
        if attribute.startswith("oasis.interests.")
    ]
    assert len(letters) == 3 * 900 - 180
    assert set(letters) == set("RIASEC")


def test_padded_headers_are_normalised(real: Known) -> None:
    counts = {source_id: rules(real, source_id)["header-whitespace"] for source_id in (f"oasis_{d}" for d in RATED)}
    assert counts == {
        "oasis_skills": 6,
        "oasis_abilities": 14,
        "oasis_knowledge": 1,
        "oasis_work_activities": 3,
        "oasis_work_context": 3,
        "oasis_personal_attributes": 4,
    }
    non_breaking = [issue for issue in real.issues if issue.column and "\N{NO-BREAK SPACE}" in (issue.before or "")]
    assert {issue.column for issue in non_breaking} >= {"Active Learning", "Creativity"}
    assert all(
        header == " ".join(header.split()) for header in set(real.whole("oasis_ratings")["source_column"].to_pylist())
    )


def test_suffixed_headers_of_work_context_are_second_scales(real: Known) -> None:
    # Numbered 2 to 11, so ten of them; the first scale of each descriptor bears no number.
    suffixed = [issue for issue in real.issues if issue.rule == "header-second-scale"]
    numbers = sorted(int(issue.after.rpartition("_")[2]) for issue in suffixed)
    assert numbers == list(range(2, 12))
    attributes = {row["attribute_id"]: row for row in real.whole("attributes").to_pylist()}
    first, second = (attributes[f"oasis.work_context.time_pressure{suffix}"] for suffix in ("", "_2"))
    assert first["element_id"] == second["element_id"] == "J01c02"
    assert (first["name_en"], first["scale_id"]) == ("Time Pressure (frequency)", "oasis_frequency_1_5")
    assert (second["name_en"], second["scale_id"]) == ("Time Pressure (importance)", "oasis_importance_1_5")


def test_attributes_have_the_scales_that_the_guide_states(real: Known) -> None:
    rows = real.whole("attributes").to_pylist()
    assert len(rows) == 254
    assert len({row["attribute_id"] for row in rows}) == 254
    assert len({row["name_en"] for row in rows if row["domain"] == "work_context"}) == 66
    by_domain = {
        domain: {(row["minimum"], row["maximum"], row["tolerance"]) for row in rows if row["domain"] == domain}
        for domain in RATED
    }
    assert by_domain["knowledge"] == {(1.0, 3.0, 0.5)}
    assert by_domain["skills"] == by_domain["abilities"] == {(1.0, 5.0, 1.0)}
    assert by_domain["work_context"] == {(1.0, 3.0, 0.5), (1.0, 5.0, 1.0)}
    three = {row["attribute_id"].rpartition(".")[2] for row in rows if row["maximum"] == 3.0} - {
        row["attribute_id"].rpartition(".")[2] for row in rows if row["domain"] == "knowledge"
    }
    assert three == {"automation", "work_schedule", "work_week_duration"}
    rated = [row for row in rows if row["value_type"] == "number"]
    assert {row["zero_meaning_en"] for row in rated} == {"not applicable"}
    assert {row["zero_meaning_fr"] for row in rated} == {"sans objet"}
    unstated = [issue for issue in real.issues if issue.rule == "guide-scale-unstated"]
    assert len(unstated) == 3


def test_texts_of_the_real_files(real: Known) -> None:
    counts = Counter(real.whole("oasis_texts")["attribute_id"].to_pylist())
    assert counts == {
        "oasis.lead_statement": 900,
        "oasis.main_duties": 4_991,
        "oasis.employment_requirements": 2_851,
        "oasis.additional_information": 1_158,
        "oasis.workplaces_employers": 3_418,
        "oasis.exclusions": 3_074,
        "oasis.interests.first": 900,
        "oasis.interests.second": 889,
        "oasis.interests.third": 731,
    }
    rows = real.whole("oasis_texts").to_pylist()
    keys = [(row["profile"], row["attribute_id"], row["position"]) for row in rows]
    assert len(keys) == len(set(keys))
    assert {row["profile"] for row in rows} <= set(real.labels)
    assert all(row["text"] == row["text"].strip() for row in rows)


def test_labels_printed_otherwise_are_logged_and_the_list_counts(real: Known) -> None:
    found = Counter(issue.rule for issue in real.issues if issue.rule.startswith("label-"))
    assert found == {"label-worded-otherwise": 15, "label-of-another-profile": 5}
    assert {issue.after for issue in real.issues if issue.rule == "label-of-another-profile"} == {
        "Supervisors, other mechanical and metal products manufacturing"
    }


def test_every_record_can_be_found_again(real: Known, shared_data: Path) -> None:
    path = shared_data / "oasis" / "skills_oasis_2023_v1.0.csv"
    records = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))
    header = [" ".join(name.split()) for name in records[0]]
    rows = real.whole("oasis_ratings").slice(0, 33 * 900).to_pylist()
    for row in rows[::997]:
        record = records[row["source_row"]]
        assert record[0] == row["profile"]
        assert float(record[header.index(row["source_column"])]) == row["value"]


@pytest.mark.parametrize("cell", ["6", "-1", "", "2.5", "n/a", " 3", "9", "05"])
def test_rating_outside_its_scale_stops(sample: Path, cell: str) -> None:
    change(sample / "oasis" / "skills_oasis_2023_v1.0.csv", lambda records: records[3].__setitem__(5, cell))
    with pytest.raises(SourceMalformed, match=r"skills_oasis_2023_v1\.0\.csv, row 3, column 'Digital Literacy'"):
        read(sample)


def test_rating_above_a_scale_of_three_stops(sample: Path) -> None:
    change(sample / "oasis" / "knowledges_oasis_2023_v1.0.csv", lambda records: records[1].__setitem__(2, "4"))
    with pytest.raises(SourceMalformed, match="a whole number from 0 to 3; found '4'"):
        read(sample)


@pytest.mark.parametrize("code", ["99999.00", "12100.07", "1210", "12100,00", "65310", "65310.1", "65310.00"])
def test_profile_code_that_no_rule_leads_to_the_list_stops(sample: Path, code: str) -> None:
    def edit(records: list[list[str]]) -> None:
        records[3][0] = code

    change(sample / "oasis" / "skills_oasis_2023_v1.0.csv", edit)
    with pytest.raises(SourceMalformed, match="row 3"):
        read(sample)


def test_profile_twice_stops(sample: Path) -> None:
    def edit(records: list[list[str]]) -> None:
        records[3][:2] = records[2][:2]

    change(sample / "oasis" / "skills_oasis_2023_v1.0.csv", edit)
    with pytest.raises(SourceMalformed, match="each value once"):
        read(sample)


def test_shifted_rows_stop(sample: Path) -> None:
    def edit(records: list[list[str]]) -> None:
        for row in range(1, len(records) - 1):
            records[row][1] = records[row + 1][1]

    change(sample / "oasis" / "skills_oasis_2023_v1.0.csv", edit)
    with pytest.raises(SourceMalformed, match="the label of"):
        read(sample)


def test_profile_without_a_record_is_a_gap_that_is_logged(sample: Path) -> None:
    change(sample / "oasis" / "skills_oasis_2023_v1.0.csv", lambda records: records.pop(3))
    known = read(sample)
    assert [(i.source_id, i.after) for i in known.issues if i.rule == "profile-without-record"] == [
        ("oasis_skills", "12100.00")
    ]


def test_column_that_moved_stops(sample: Path) -> None:
    def edit(records: list[list[str]]) -> None:
        for record in records:
            record[2], record[3] = record[3], record[2]

    change(sample / "oasis" / "skills_oasis_2023_v1.0.csv", edit)
    with pytest.raises(SourceMalformed, match="expected the header 'Reading Comprehension'"):
        read(sample)


@pytest.mark.parametrize("letters", [["X", "", ""], ["", "R", ""], ["R", "R", ""], ["", "", ""], ["RI", "", ""]])
def test_interests_that_are_no_ranking_stop(sample: Path, letters: list[str]) -> None:
    def edit(records: list[list[str]]) -> None:
        records[2][2:] = letters

    change(sample / "oasis" / "interests_oasis_2023_v1.0.csv", edit)
    with pytest.raises(SourceMalformed, match="row 2"):
        read(sample)


@pytest.mark.parametrize(
    ("file", "edit", "told"),
    [
        ("exclusions_oasis_2023_v1.0", ("13110,", "99999,"), "a known profile or unit group"),
        ("example-titles_oasis_2023_v1.0", (",Index,", ",Guess,"), "Index or Example or Inclusion"),
        ("labels_oasis_2023_v1.0", ("12100.00", "12999.00"), "a unit group of the NOC structure"),
        ("labels_oasis_2023_v1.0", ("12100.00", "12100"), "an OaSIS profile"),
        ("lead-statement_oasis_2023_v1.0", ("Economists study", '"\n",'), "cells"),
    ],
)
def test_other_unknown_anomalies_stop(
    sample: Path, file: str, edit: Callable[[list[list[str]]], object], told: str
) -> None:
    path = sample / "oasis" / f"{file}.csv"
    text = path.read_bytes().decode()
    assert edit[0] in text
    path.write_bytes(text.replace(*edit, 1).encode())
    with pytest.raises(SourceMalformed, match=told):
        read(sample)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("on a scale of 1-5", "on a scale of 0-9", "1-3"),
        ("on a scale of 1-5", "on a scale of one to five", "1-5"),
        ("A01a01", "A1a01", "a guide code"),
        ("A01a01", "A01a02", "each value once"),
        ("F01b01,Reading Comprehension,Descriptor", "F01b01,Reading Comprehension,Category", "Descriptor"),
        ("F01b01,", "F01b09,", "the descriptor F01b01 'Reading Comprehension'"),
        (" and importance on a scale of 1-5", "", "a second scale of J01c02"),
    ],
)
def test_guide_with_another_wording_stops(sample: Path, before: str, after: str, told: str) -> None:
    path = sample / "oasis" / "guide_oasis_2023_v1.0.csv"
    text = path.read_bytes().decode()
    assert before in text
    path.write_bytes(text.replace(before, after, 1).encode())
    with pytest.raises(SourceMalformed, match=told):
        read_oasis_attributes(path, "oasis_guide")
