"""The curated map of OaSIS descriptors and O*NET elements holds against the real files."""

from __future__ import annotations

import csv
import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from rapidfuzz import fuzz

from imputer.descriptors.mapping import COLUMNS, MAP, links_by_attribute, read_descriptor_map
from imputer.errors import SourceMalformed
from imputer.evaluate.descriptors import name_matched_skills
from imputer.sources.attributes import slug

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "skills": ("skills", 33),
    "abilities": ("abilities", 49),
    "knowledge": ("knowledges", 44),
    "work_activities": ("workactivities", 40),
    "work_context": ("workcontext", 66),
    "personal_attributes": ("personal-attributes", 13),
}
LINKS = read_descriptor_map()


def headers(shared_data: Path, name: str) -> list[str]:
    with (shared_data / "oasis" / f"{name}_oasis_2023_v1.0.csv").open(encoding="utf-8-sig", newline="") as file:
        return [" ".join(cell.split()) for cell in next(csv.reader(file))[2:]]


def test_every_rating_column_of_oasis_is_in_the_map_once_and_nothing_else_is(shared_data: Path) -> None:
    expected = {}
    for domain, (name, count) in FILES.items():
        columns = headers(shared_data, name)
        assert len(columns) == len(set(columns)) == count
        expected |= {f"oasis.{domain}.{slug(column)}": column for column in columns}
    assert {link.attribute_id: link.oasis_name for link in LINKS} == expected
    assert list(links_by_attribute(LINKS)) == list(expected)
    pairs = Counter((link.attribute_id, link.element_id) for link in LINKS)
    assert max(pairs.values()) == 1


def test_every_element_is_in_the_content_model_under_its_name(shared_data: Path) -> None:
    with (shared_data / "onet_29_3" / "Content Model Reference.txt").open(encoding="utf-8", newline="") as file:
        elements = {row["Element ID"]: row["Element Name"] for row in csv.DictReader(file, delimiter="\t")}
    assert len(elements) == 627
    named = {link.element_id: link.element_name for link in LINKS if link.element_id}
    assert {element: elements.get(element) for element in named} == named
    # rated elements only: no heading of the content model
    assert not [element for element in named if any(other.startswith(f"{element}.") for other in elements)]


def test_relations_and_confidence_agree() -> None:
    for link in LINKS:
        assert (link.element_id is None) == (link.relation == "none") == (link.confidence == 0)
        assert 10 < len(link.reason) < 100
        if link.relation == "weak":
            assert link.confidence <= 0.5
        if link.relation == "exact":
            assert link.oasis_name.rpartition(": ")[2].lower() == (link.element_name or "").lower()
            assert link.confidence >= 0.9
    for links in links_by_attribute(LINKS).values():
        assert [link.confidence for link in links] == sorted((link.confidence for link in links), reverse=True)


def test_the_map_covers_what_similar_strings_do_not() -> None:
    mapped = links_by_attribute(LINKS)
    without = [name for name, links in mapped.items() if not links]
    assert without == [
        "oasis.skills.digital_literacy",
        "oasis.abilities.verbal_ability",
        "oasis.knowledge.recreation_leisure_and_fitness",
    ]
    # a string match would take «Reading Comprehension» for it, at 82
    assert fuzz.ratio("oral comprehension", "reading comprehension") > 80
    assert [link.element_name for link in mapped["oasis.skills.oral_communication_oral_comprehension"]] == [
        "Oral Comprehension",
        "Active Listening",
    ]
    assert [link.element_id for link in mapped["oasis.abilities.body_flexibility"]] == ["1.A.3.c.1"]


def test_a_second_scale_shares_its_element_and_nineteen_skills_match_by_name() -> None:
    mapped = links_by_attribute(LINKS)
    seconds = [name for name in mapped if re.search(r"_\d+$", name)]
    assert len(seconds) == 10
    for name in seconds:
        first, second = mapped[re.sub(r"_\d+$", "", name)], mapped[name]
        assert [link.element_id for link in first] == [link.element_id for link in second]
    assert len(name_matched_skills(LINKS)) == 19


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a,A,2.A.1.a,Reading,alike,0.5,why", "one of the relations"),
        ("a,A,,,exact,0.5,why", "none: no element"),
        ("a,A,2.A.1.a,Reading,none,0.5,why", "none: no element"),
        ("a,A,2.A.1.a,Reading,exact,1.5,why", "expected 0 to 1; found 1.5"),
        ("a,A", "expected 7 cells"),
    ],
)
def test_a_broken_map_is_refused(row: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "map.csv"
    path.write_text(",".join(COLUMNS) + "\n" + row + "\n", encoding="utf-8")
    with pytest.raises(SourceMalformed, match=message):
        read_descriptor_map(path)


def test_a_map_with_other_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "map.csv"
    path.write_text("a,b\n", encoding="utf-8")
    with pytest.raises(SourceMalformed, match="other columns; expected attribute_id"):
        read_descriptor_map(path)
    assert MAP.read_bytes().count(b"\r") == 0
