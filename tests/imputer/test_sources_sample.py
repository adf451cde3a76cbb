"""The embedded sample: small, own wording, real codes, the publishers' layout, and its share of known anomalies."""

from __future__ import annotations

import csv
import io
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from imputer.sample import SAMPLE, sample_registry
from imputer.sources import read_inputs
from imputer.sources.folder import State, examine_all

if TYPE_CHECKING:
    from pathlib import Path

    from imputer.sources import Inputs


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    return read_inputs(SAMPLE, registry=sample_registry())


def files() -> list[Path]:
    return [path for path in SAMPLE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]


def test_it_is_small_and_every_data_file_has_its_checksum() -> None:
    assert sum(path.stat().st_size for path in files()) < 400_000
    found = examine_all(sample_registry(), SAMPLE)
    assert {one.state for one in found.values()} == {State.VERIFIED}
    data = {path for path in files() if path.suffix in {".csv", ".txt"}}
    assert {one.path for one in found.values()} == data


def test_what_it_shows(inputs: Inputs) -> None:
    per_group = Counter(inputs.oasis_profiles["unit_group"].to_pylist())
    assert len(per_group) == 12
    assert sorted(group for group, count in per_group.items() if count > 1) == ["52120", "65310"]
    titles = inputs.job_titles.to_pylist()
    assert 30 <= len(titles) <= 40
    assert sum(title["unit_group"] is None for title in titles) == 2
    assert all(title["title_en"] and title["title_fr"] for title in titles)
    covered = set(inputs.crosswalk["unit_group"].to_pylist())
    assert set(per_group) - covered == {"64409"}
    assert inputs.weighted_crosswalk.num_rows > 0
    assert inputs.outlook["value"].null_count == 0 or inputs.outlook.num_rows == 12 * 11


def test_known_anomalies_are_in_it(inputs: Inputs) -> None:
    rules = {issue.rule for issue in inputs.issues}
    assert rules >= {
        "aggregate-left-out",
        "duplicate-pair",
        "example-title-repeated",
        "header-misprint",
        "header-second-scale",
        "header-whitespace",
        "interest-blank",
        "interest-lower-case",
        "leading-zeros-lost",
        "no-unit-group",
        "not-classified",
        "profile-suffix-lost",
        "whitespace",
    }


def test_its_titles_say_that_they_are_a_sample() -> None:
    for file in sample_registry().files.values():
        assert file.title_en.startswith("Sample: ")
        assert file.title_fr.startswith("Échantillon : ")
        if file.path:
            assert file.supplied, "nothing of the sample can be fetched"


def test_facts_are_the_publishers(inputs: Inputs, shared_data: Path) -> None:
    real = read_inputs(shared_data)
    for name in ("oasis_ratings", "noc_example_titles", "crosswalk"):
        columns = [column for column in getattr(inputs, name).column_names if not column.startswith("source_")]
        mine = {tuple(row.values()) for row in getattr(inputs, name).select(columns).to_pylist()}
        theirs = {tuple(row.values()) for row in getattr(real, name).select(columns).to_pylist()}
        assert mine <= theirs, name


def test_sentences_are_not_the_publishers(shared_data: Path) -> None:
    """No cell that reads as a sentence stands in a real file; names of classes, titles and categories may."""
    named = (
        "noc/example_titles oasis/example-titles oasis/labels oasis/guide onet_29_3/Education onet_29_3/Scales".split()
    )
    official: set[str] = set()
    mine: dict[str, str] = {}
    for path in files():
        name = path.relative_to(SAMPLE).as_posix()
        theirs = shared_data / name
        if path.suffix not in {".csv", ".txt"} or any(name.startswith(prefix) for prefix in named):
            continue
        official |= set(_cells(theirs))
        mine |= dict.fromkeys(_cells(path), name)
    sentences = {cell: name for cell, name in mine.items() if len(cell.split()) > 4 and cell.rstrip().endswith(".")}
    assert len(sentences) > 60
    assert {cell: name for cell, name in sentences.items() if cell in official} == {}


def _cells(path: Path) -> list[str]:
    """The cells of a file, its header left out."""
    text = path.read_bytes().decode("utf-8-sig")
    if path.suffix == ".txt":
        return [cell for line in text.splitlines()[1:] for cell in line.split("\t")]
    return [cell for record in list(csv.reader(io.StringIO(text, newline="")))[1:] for cell in record]
