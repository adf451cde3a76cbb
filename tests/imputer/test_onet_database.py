from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pyarrow.compute as pc
import pytest
from onet_folders import RATING, SOCS, rated, tables, write_snake_case, write_text

from imputer.errors import SourceMalformed, SourceMissing, WrongUsage
from imputer.sources.onet_database import OnetDatabase, read_onet_database

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from onet_folders import Rows


@pytest.fixture(scope="module")
def real(shared_data: Path) -> OnetDatabase:
    return read_onet_database(shared_data / "onet_29_3")


# --- the published release ------------------------------------------------------------------------------------------


def test_the_published_release_has_its_counts(real: OnetDatabase) -> None:
    assert real.release == "29.3"
    assert Counter(real.ratings["domain"].to_pylist()) == {
        "skills": 61530,
        "knowledge": 58014,
        "work_styles": 14064,
        "interests": 8307 - 447,
        "work_values": 7866 - 1,
        "education": 516 + 515,
    }
    assert real.shares.num_rows == 36209 - 516 - 515
    assert real.occupations.num_rows == 1016
    assert real.job_zones.num_rows == 923
    assert real.tasks.num_rows == 18796
    assert real.technology_skills.num_rows == 32681
    assert real.absent == ("abilities", "work_activities", "work_context")
    assert not real.ratings["value"].null_count


def test_flags_of_the_published_ratings(real: OnetDatabase) -> None:
    skills = real.ratings.filter(pc.equal(real.ratings["domain"], "skills"))
    assert pc.sum(skills["recommend_suppress"]).as_py() == 124
    assert pc.sum(skills["not_relevant"]).as_py() == 3302
    importance = skills.filter(pc.equal(skills["scale_id"], "IM"))
    assert importance["not_relevant"].null_count == importance.num_rows  # asked of levels only


def test_a_high_point_of_zero_is_none_and_is_told(real: OnetDatabase) -> None:
    assert Counter((issue.source_id, issue.rule, issue.before) for issue in real.issues) == {
        ("onet_interests", "no-high-point", "0"): 447,
        ("onet_work_values", "no-high-point", "0"): 1,
    }
    high = real.ratings.filter(pc.is_in(real.ratings["scale_id"], pc.cast(["IH", "VH"], "string")))
    assert pc.min(high["value"]).as_py() == 1.0


def test_a_level_of_zero_is_a_value(real: OnetDatabase) -> None:
    levels = real.ratings.filter(pc.equal(real.ratings["scale_id"], "LV"))
    zero = levels.filter(pc.equal(levels["value"], 0.0))
    assert zero.num_rows > 0


def test_occupations_without_ratings_stand_in_the_release_all_the_same(real: OnetDatabase) -> None:
    skilled = set(real.ratings.filter(pc.equal(real.ratings["domain"], "skills"))["soc"].to_pylist())
    assert len(skilled) == 879
    assert "15-1252.00" not in skilled
    assert "15-1252.00" in real.occupations["soc"].to_pylist()


def test_the_catalogue_keeps_what_kind_an_attribute_is(real: OnetDatabase) -> None:
    catalogue = {record["attribute_id"]: record for record in real.attributes.to_pylist()}
    assert len(catalogue) == real.attributes.num_rows == 35 * 2 + 33 * 2 + 16 + 6 + 3 + 6 + 3 + 2 + 4 + 3
    level = catalogue["onet.2.A.1.a.LV"]
    assert (level["domain"], level["element_id"], level["scale_id"]) == ("skills", "2.A.1.a", "LV")
    assert (level["minimum"], level["maximum"], level["tolerance"]) == (0.0, 7.0, 1.5)
    assert catalogue["onet.2.C.1.a.IM"]["domain"] == "knowledge"
    assert catalogue["onet.1.B.1.g.IH"]["value_type"] == "text"
    assert {name for name, record in catalogue.items() if record["value_type"] == "list"} == {
        "onet.education",
        "onet.related_work_experience",
        "onet.on_site_training",
        "onet.on_the_job_training",
        "onet.tasks",
        "onet.technology_skills",
    }
    assert not any(record["imputable"] for record in catalogue.values() if record["value_type"] == "list")


def test_every_row_can_be_found_again_in_its_file(real: OnetDatabase, shared_data: Path) -> None:
    lines = (shared_data / "onet_29_3" / "Skills.txt").read_text(encoding="utf-8").splitlines()
    for record in real.ratings.filter(pc.equal(real.ratings["domain"], "skills")).slice(30000, 50).to_pylist():
        cells = lines[record["source_row"]].split("\t")
        assert cells[:5] == [
            record["soc"],
            record["element_id"],
            record["element_name"],
            record["scale_id"],
            f"{record['value']:g}",
        ]


# --- layouts --------------------------------------------------------------------------------------------------------

TABLES = ("ratings", "shares", "occupations", "job_zones", "tasks", "technology_skills", "attributes")


def test_all_layouts_say_the_same(tmp_path: Path) -> None:
    text = read_onet_database(write_text(tmp_path / "db_29_3_text"))
    literal = read_onet_database(write_text(tmp_path / "onet_30_1", nothing="n/a"))
    snake = read_onet_database(write_snake_case(tmp_path / "db_31_0_csv"))
    columns = read_onet_database(write_snake_case(tmp_path / "db_31.1", snake_headers=True))
    assert [text.release, literal.release, snake.release, columns.release] == ["29.3", "30.1", "31.0", "31.1"]
    for name in TABLES:
        expected = _content(text, name)
        assert _content(literal, name) == expected
        assert _content(snake, name) == expected, name
        assert _content(columns, name) == expected, name
    assert set(snake.versions) - set(text.versions) == {
        "onet_essential_skills",
        "onet_transferable_skills",
        "onet_career_interest_types",
        "onet_software_skills",
    }


def _content(database: OnetDatabase, name: str) -> list[dict[str, object]]:
    """A table without where it was read, in an order that does not depend on that."""
    table = getattr(database, name)
    kept = [column for column in table.column_names if column not in ("source_id", "source_row")]
    return sorted(table.select(kept).to_pylist(), key=repr)


def test_nothing_is_never_zero(tmp_path: Path) -> None:
    given = tables()
    given["Skills"].append(rated(SOCS[1], "2.A.1.a", "Reading", "IM", "", n="", error=""))
    database = read_onet_database(write_text(tmp_path / "onet_29_3", given))
    assert SOCS[1] not in database.ratings["soc"].to_pylist()
    assert [(issue.rule, issue.row) for issue in database.issues if issue.source_id == "onet_skills"] == [
        ("rating-without-value", len(given["Skills"]) - 1)
    ]


def test_new_work_styles_are_read_but_their_ranks_are_no_attribute(tmp_path: Path) -> None:
    given = tables()
    header = [*RATING[:5], "Date", "Domain Source"]
    styles = [
        [SOCS[0], "1.D.1.a", "Calm", scale, value, "12/2025", "AI"] for scale, value in (("WI", "-2.5"), ("DR", "0"))
    ]
    database = read_onet_database(write_text(tmp_path / "onet_30_1", {**given, "Work Styles": [header, *styles]}))
    style = [record for record in database.attributes.to_pylist() if record["domain"] == "work_styles"]
    assert [(record["attribute_id"], record["minimum"], record["maximum"]) for record in style] == [
        ("onet.1.D.1.a.WI", -3.0, 3.0)
    ]


def test_shares_of_work_context_stand_apart_from_its_ratings(tmp_path: Path) -> None:
    header = [*RATING[:4], "Category", *RATING[4:]]
    element = [SOCS[0], "4.C.1.a.2.c", "Speaking up"]
    rest = ["28", "0.1", "", "", "N", "", "08/2023", "Incumbent"]
    rows = [[*element, "CX", "", "2.5", *rest]]
    rows += [[*element, "CXP", str(category), "50", *rest] for category in (1, 2)]
    database = read_onet_database(write_text(tmp_path / "onet_29_3", {**tables(), "Work Context": [header, *rows]}))
    kinds = {record["attribute_id"]: record["value_type"] for record in database.attributes.to_pylist()}
    assert kinds["onet.4.C.1.a.2.c.CX"] == "number"
    assert kinds["onet.4.C.1.a.2.c.CXP"] == "list"


# --- what no rule knows ---------------------------------------------------------------------------------------------


def _cell(title: str, row: int, column: int, value: str) -> Callable[[dict[str, Rows]], None]:
    def change(given: dict[str, Rows]) -> None:
        given[title][row][column] = value

    return change


def _doubled(given: dict[str, Rows]) -> None:
    given["Skills"].append(given["Skills"][1])


def _longer(given: dict[str, Rows]) -> None:
    given["Skills"][2].append("more")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_cell("Skills", 1, 4, "high"), "a number; found 'high'"),
        (_cell("Skills", 1, 4, "5.5"), "from 1 to 5 on scale IM"),
        (_cell("Skills", 2, 4, "-1"), "from 0 to 7 on scale LV"),
        (_cell("Skills", 1, 3, "XX"), "a scale of the Scales Reference"),
        (_cell("Skills", 1, 0, "99-9999.00"), "an occupation of Occupation Data"),
        (_cell("Skills", 1, 1, ""), "text"),
        (_cell("Skills", 1, 5, "8.5"), "a whole number"),
        (_cell("Skills", 1, 9, "maybe"), "Y or N"),
        (_cell("Skills", 1, 11, "2023"), "a date"),
        (_cell("Skills", 0, 4, "Value"), "with value"),
        (_cell("Occupation Data", 2, 0, "15-1252"), "NN-NNNN.NN"),
        (_cell("Occupation Data", 2, 0, "11-1011.00"), "each occupation once"),
        (_cell("Job Zones", 1, 1, "6"), "a zone from 1 to 5"),
        (_cell("Task Statements", 1, 3, "Main"), "Core, Supplemental"),
        (_cell("Technology Skills", 1, 4, ""), "Y or N"),
        (_doubled, "one value per occupation, element and scale"),
        (_longer, "13"),
    ],
)
def test_an_unknown_anomaly_stops_the_reader(
    tmp_path: Path, change: Callable[[dict[str, Rows]], None], said: str
) -> None:
    given = tables()
    change(given)
    if said == "Y or N" and given["Technology Skills"][1][4] == "":
        given["Technology Skills"][1][4] = "?"
    with pytest.raises(SourceMalformed) as raised:
        read_onet_database(write_text(tmp_path / "onet_29_3", given))
    assert said in str(raised.value)
    assert ".txt" in str(raised.value)


def test_bytes_that_are_no_text_stop_the_reader(tmp_path: Path) -> None:
    folder = write_text(tmp_path / "onet_29_3")
    path = folder / "Skills.txt"
    path.write_bytes(path.read_bytes().replace(b"Reading", b"Read\xffng", 1))
    with pytest.raises(SourceMalformed, match=r"Skills\.txt"):
        read_onet_database(folder)


def test_two_releases_in_one_folder_are_refused(tmp_path: Path) -> None:
    folder = write_text(tmp_path / "onet_29_3")
    write_snake_case(folder)
    with pytest.raises(SourceMalformed, match="twice"):
        read_onet_database(folder)


def test_half_of_the_split_skills_is_not_taken_for_all(tmp_path: Path) -> None:
    folder = write_snake_case(tmp_path / "db_31_0_csv")
    (folder / "transferable_skills.csv").unlink()
    with pytest.raises((SourceMalformed, SourceMissing), match=r"[Tt]ransferable"):
        read_onet_database(folder)


def test_a_folder_without_occupations_is_no_database(tmp_path: Path) -> None:
    folder = write_text(tmp_path / "onet_29_3")
    (folder / "Occupation Data.txt").unlink()
    with pytest.raises(SourceMissing, match=r"Occupation Data\.txt"):
        read_onet_database(folder)
    with pytest.raises(SourceMissing):
        read_onet_database(tmp_path / "none_29_3")


def test_a_folder_whose_name_tells_no_release_needs_one(tmp_path: Path) -> None:
    folder = write_text(tmp_path / "onet")
    with pytest.raises(WrongUsage, match="release"):
        read_onet_database(folder)
    assert read_onet_database(folder, "29.3").release == "29.3"
