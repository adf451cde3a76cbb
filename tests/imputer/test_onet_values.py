from __future__ import annotations

import json
import statistics
import time
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc
import pytest
from onet_folders import RATING, SOCS, tables, write_crosswalk, write_text

from imputer.errors import SourceMalformed, SourceMissing, WrongUsage
from imputer.onet.agreement import crosswalk_agreement
from imputer.onet.attribution import attribution
from imputer.onet.occupations import dim_onet_occupation
from imputer.onet.rules import OnetRules
from imputer.onet.values import ONET_VALUES, unit_group_values
from imputer.sources.crosswalk import read_crosswalk, read_weighted_crosswalk
from imputer.sources.onet_database import OnetDatabase, read_onet_database
from schemas import load_table
from schemas.validation import TableValidator

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

READING = "onet.2.A.1.a.LV"


@pytest.fixture(scope="module")
def database(shared_data: Path) -> OnetDatabase:
    return read_onet_database(shared_data / "onet_29_3")


@pytest.fixture(scope="module")
def crosswalk(shared_data: Path) -> pa.Table:
    return read_crosswalk(shared_data / "crosswalk" / "noc2021_onet26.csv", "crosswalk").table


@pytest.fixture(scope="module")
def weighted(shared_data: Path) -> pa.Table:
    path = shared_data / "crosswalk" / "bcgov_onet_to_noc2021_mapping_3.0.0.csv"
    return read_weighted_crosswalk(path, "crosswalk_weighted").table


@pytest.fixture(scope="module")
def values(database: OnetDatabase, crosswalk: pa.Table, weighted: pa.Table) -> pa.Table:
    return unit_group_values(database, crosswalk, weighted)


def cell(values: pa.Table, unit_group: str, attribute: str) -> dict[str, Any]:
    (found,) = values.filter(
        pc.and_(pc.equal(values["unit_group"], unit_group), pc.equal(values["attribute_id"], attribute))
    ).to_pylist()
    return found | {"evidence": json.loads(found["evidence"])}


# --- on the published files -----------------------------------------------------------------------------------------


def test_coverage_of_unit_groups_by_rated_occupations(values: pa.Table, crosswalk: pa.Table) -> None:
    level = values.filter(pc.equal(values["attribute_id"], READING))
    full = pc.sum(pc.equal(level["n_rated"], level["n_occupations"])).as_py()
    none = set(crosswalk["unit_group"].to_pylist()) - set(level["unit_group"].to_pylist())
    assert (full, level.num_rows - full, len(none)) == (418, 85, 12)
    assert none == set("00010 11101 21231 40042 42102 42204 43204 44200 50010 75200 85120 94211".split())


def test_thirty_seven_occupations_become_one_value(
    values: pa.Table, database: OnetDatabase, crosswalk: pa.Table
) -> None:
    socs = {record["soc"] for record in crosswalk.to_pylist() if record["unit_group"] == "41210"}
    ratings = database.ratings
    chosen = ratings.filter(pc.and_(pc.equal(ratings["element_id"], "2.A.1.a"), pc.equal(ratings["scale_id"], "LV")))
    by_soc = {record["soc"]: record["value"] for record in chosen.to_pylist() if record["soc"] in socs}
    found = cell(values, "41210", READING)
    assert (found["n_occupations"], found["n_rated"]) == (37, len(by_soc))
    assert found["value_number"] == pytest.approx(statistics.fmean(by_soc.values()), abs=1e-6)
    assert found["spread"] == pytest.approx(statistics.stdev(by_soc.values()), abs=1e-4)
    assert found["evidence"]["occupations"] == by_soc
    assert found["cardinality"] in ("1:N", "N:M")
    assert len(json.loads(cell(values, "41210", "onet.tasks")["value_text"])) == 50
    assert cell(values, "41210", "onet.tasks")["evidence"]["details"]["total"] == 185


def test_a_doubled_occupation_counts_once(values: pa.Table, crosswalk: pa.Table) -> None:
    links = [record for record in crosswalk.to_pylist() if record["unit_group"] == "22113"]
    assert any(len(link["source_rows"]) > 1 for link in links)
    found = cell(values, "22113", READING)
    assert found["n_occupations"] == len(links) == 5
    said = found["evidence"]["occupations"]
    assert found["value_number"] == pytest.approx(statistics.fmean(said.values()), abs=1e-6)


def test_senior_managers_have_values(values: pa.Table) -> None:
    assert {"00011", "00012", "00013", "00014", "00015"} <= set(values["unit_group"].to_pylist())


def test_confidence_moves_with_class_coverage_spread_and_quality(values: pa.Table) -> None:
    assert len(set(values["confidence"].to_pylist())) > 1000
    assert pc.max(values["confidence"]).as_py() <= 0.5
    assert pc.min(values["confidence"]).as_py() > 0.0
    for record in values.slice(0, 5000).to_pylist():
        parts = json.loads(record["evidence"])["components"]
        product = 1.0
        for part in parts.values():
            assert 0.0 < part <= 1.0
            product *= part
        assert record["confidence"] == pytest.approx(product, abs=1e-3)


def test_one_occupation_is_not_surer_for_being_alone(values: pa.Table) -> None:
    single = values.filter(pc.and_(pc.equal(values["n_rated"], 1), pc.equal(values["scale"], "LV")))
    kinds = Counter(json.loads(text)["spread_kind"] for text in single["evidence"].to_pylist())
    assert set(kinds) == {"standard error", None}
    unknown = values.filter(pc.and_(pc.equal(values["n_rated"], 1), pc.equal(values["scale"], "OI")))
    assert {json.loads(text)["components"]["dispersion"] for text in unknown["evidence"].to_pylist()} == {0.87}
    assert unknown["spread"].null_count == unknown.num_rows


def test_every_attribute_keeps_its_kind(values: pa.Table, database: OnetDatabase) -> None:
    kinds = {record["attribute_id"]: record for record in database.attributes.to_pylist()}
    assert set(values["attribute_id"].to_pylist()) == set(kinds)
    for record in values.to_pylist():
        attribute = kinds[record["attribute_id"]]
        number = attribute["value_type"] == "number"
        assert (record["value_number"] is not None, record["value_text"] is not None) == (number, not number)
        if number:
            assert attribute["minimum"] <= record["value_number"] <= attribute["maximum"]
            assert record["scale"] == attribute["scale_id"]
        elif attribute["value_type"] == "list":
            assert json.loads(record["value_text"])


def test_job_zones_of_three_occupations_are_no_fractions(values: pa.Table) -> None:
    found = cell(values, "21211", "onet.job_zone")
    assert sorted(found["evidence"]["occupations"].values()) == [4.0, 4.0, 5.0]
    assert (found["value_number"], found["evidence"]["details"]) == (4.0, {"mean": 4.333333})


def test_distributions_add_up(values: pa.Table) -> None:
    education = values.filter(pc.equal(values["attribute_id"], "onet.education"))
    for text in education["value_text"].to_pylist():
        assert sum(entry["per_cent"] for entry in json.loads(text)) == pytest.approx(100, abs=0.6)


def test_low_precision_is_flagged_and_kept(values: pa.Table) -> None:
    flagged = values.filter(values["suppressed"])
    assert flagged.num_rows > 1000
    for record in flagged.slice(0, 200).to_pylist():
        evidence = json.loads(record["evidence"])
        assert 0 < evidence["suppressed"] <= evidence["n"]
        assert evidence["components"]["quality"] < 1.0
        assert "of low precision" in record["rationale"]
    assert pc.sum(values["not_relevant"]).as_py() > 100


def test_values_are_made_within_five_seconds_and_the_same_each_time(
    values: pa.Table, database: OnetDatabase, crosswalk: pa.Table, weighted: pa.Table
) -> None:
    began = time.process_time()
    again = unit_group_values(database, crosswalk, weighted)
    assert time.process_time() - began < 5.0
    assert again.equals(values)
    assert again.schema == ONET_VALUES
    keys = list(zip(again["unit_group"].to_pylist(), again["attribute_id"].to_pylist(), strict=True))
    assert keys == sorted(set(keys))


def test_evidence_is_compact_and_its_keys_are_sorted(values: pa.Table) -> None:
    texts = values["evidence"].to_pylist()
    assert statistics.median(map(len, texts)) <= 400
    for text in texts[::500]:
        assert text == json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False, sort_keys=True)


def test_the_locator_leads_to_the_rows(values: pa.Table, shared_data: Path) -> None:
    found = cell(values, "22113", READING)
    file, _, rest = found["locator"].partition(" rows ")
    rows, _, crosswalk_rows = rest.partition("; ")
    lines = (shared_data / "onet_29_3" / file).read_text(encoding="utf-8").splitlines()
    read = [lines[int(row)].split("\t") for row in rows.split(", ")]
    assert {cells[0]: float(cells[4]) for cells in read} == found["evidence"]["occupations"]
    assert crosswalk_rows == "crosswalk rows 289-294"


def test_the_weighted_crosswalk_is_an_alternative(
    database: OnetDatabase, crosswalk: pa.Table, weighted: pa.Table
) -> None:
    ours = unit_group_values(database, crosswalk, weighted, OnetRules(crosswalk="base_weight"))
    assert "64409" in ours["unit_group"].to_pylist()
    found = cell(ours, "13100", READING)
    weights = {
        record["soc"]: record["base_weight"] for record in weighted.to_pylist() if record["unit_group"] == "13100"
    }
    said = found["evidence"]["occupations"]
    expected = sum(weights[soc] * value for soc, value in said.items()) / sum(weights[soc] for soc in said)
    assert found["value_number"] == pytest.approx(expected, abs=1e-6)
    assert found["locator"].partition("; ")[2].startswith("crosswalk_weighted rows ")


def test_both_crosswalks_lie_between_either(database: OnetDatabase, crosswalk: pa.Table, weighted: pa.Table) -> None:
    merged = unit_group_values(database, crosswalk, weighted, OnetRules(crosswalk="both"))
    level = merged.filter(pc.equal(merged["attribute_id"], READING))
    assert level.num_rows > 503
    found = cell(merged, "13100", READING)
    own = [record["soc"] for record in crosswalk.to_pylist() if record["unit_group"] == "13100"]
    weights = dict.fromkeys(own, 0.5 / len(own))
    for record in weighted.to_pylist():
        if record["unit_group"] == "13100":
            weights[record["soc"]] = weights.get(record["soc"], 0.0) + 0.5 * record["base_weight"]
    said = found["evidence"]["occupations"]
    expected = sum(weights[soc] * value for soc, value in said.items()) / sum(weights[soc] for soc in said)
    assert found["value_number"] == pytest.approx(expected, abs=1e-6)
    apart = 0
    for record in level.to_pylist():
        either = json.loads(record["evidence"])["crosswalks"]
        if either and record["cardinality"] == "1:1" and record["n_rated"] == record["n_occupations"]:
            assert min(either) - 1e-6 <= record["value_number"] <= max(either) + 1e-6
        apart += bool(either) and abs(either[0] - either[1]) > 0.2
    assert apart > 50


def test_where_the_crosswalks_part_confidence_falls(values: pa.Table) -> None:
    means = defaultdict(list)
    for record in values.filter(pc.equal(values["scale"], "LV")).to_pylist():
        either = json.loads(record["evidence"])["crosswalks"]
        if either:
            means[abs(either[0] - either[1]) > 0.6].append(record["confidence"])
    assert statistics.fmean(means[True]) < 0.8 * statistics.fmean(means[False])


# --- published tables -----------------------------------------------------------------------------------------------


def test_the_agreement_table(database: OnetDatabase, crosswalk: pa.Table, weighted: pa.Table) -> None:
    table = crosswalk_agreement(database, crosswalk, weighted)
    validator = TableValidator(load_table("wiq", "crosswalk_agreement"))
    records = {record["unit_group"]: record for record in table.to_pylist()}
    assert all(validator.is_valid(record) for record in records.values())
    assert len(records) == table.num_rows == 516
    assert sum(record["n_both"] for record in records.values()) == 859 + 5 * 3  # 00018 as five unit groups
    assert (records["64409"]["n_first"], records["64409"]["n_second"]) == (0, 8)
    assert records["00011"]["only_second"] == ["11-9111.00"]
    assert records["00010"]["mean_distance"] is None


def test_the_occupations_table(database: OnetDatabase, crosswalk: pa.Table) -> None:
    table = dim_onet_occupation(database, crosswalk)
    validator = TableValidator(load_table("wiq", "dim_onet_occupation"))
    records = {record["soc"]: record for record in table.to_pylist()}
    assert all(validator.is_valid(record) for record in records.values())
    assert len(records) == table.num_rows == 1016
    assert set(crosswalk["soc"].to_pylist()) <= set(records)
    assert records["15-1252.00"]["title_en"] == "Software Developers"
    skills = database.ratings.filter(pc.equal(database.ratings["domain"], "skills"))
    unrated = set(crosswalk["soc"].to_pylist()) - set(skills["soc"].to_pylist())
    assert len(unrated) == 128


def test_the_attribution_says_what_the_licence_asks_for() -> None:
    said = attribution("29.3")
    assert set(said) == {"en", "fr"}
    for text in said.values():
        assert "O*NET® 29.3" in text
        assert "CC BY 4.0" in text
    assert "has modified all or some of this information" in said["en"]
    assert "has not approved, endorsed, or tested these modifications" in said["en"]
    assert "a modifié cette information" in said["fr"]


# --- on small folders -----------------------------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path: Path) -> tuple[OnetDatabase, pa.Table]:
    pairs = [("21211", SOCS[2]), ("21211", SOCS[3]), ("21211", SOCS[0]), ("42102", SOCS[4]), ("10", SOCS[0])]
    path = write_crosswalk(tmp_path / "crosswalk.csv", pairs)
    return read_onet_database(write_text(tmp_path / "onet_29_3")), read_crosswalk(path, "crosswalk").table


def test_no_rating_no_row(small: tuple[OnetDatabase, pa.Table]) -> None:
    values = unit_group_values(*small)
    assert "42102" not in values["unit_group"].to_pylist()
    found = cell(values, "21211", READING)
    assert (found["n_occupations"], found["n_rated"]) == (3, 2)
    assert found["value_number"] == pytest.approx((4.12 + 3) / 2)
    assert found["evidence"]["coverage"] == pytest.approx(0.6667)
    zero = cell(values, "00010", "onet.2.C.1.a.LV")
    assert zero["value_number"] == 0.0  # rated 0, which is not the same as not rated
    assert (zero["suppressed"], zero["not_relevant"]) == (True, True)
    absent = values.filter(pc.equal(values["attribute_id"], "onet.1.B.1.h.IH"))
    assert absent.num_rows == 0


def test_one_rating_of_low_precision_flags_a_value_and_only_all_make_it_irrelevant(tmp_path: Path) -> None:
    given = tables()
    for row in given["Skills"]:
        if row[:4] == [SOCS[0], "2.A.1.a", "Reading", "LV"]:
            row[9:11] = ["Y", "Y"]
    path = write_crosswalk(tmp_path / "crosswalk.csv", [("21211", SOCS[0]), ("21211", SOCS[3]), ("00010", SOCS[0])])
    database = read_onet_database(write_text(tmp_path / "onet_29_3", given))
    values = unit_group_values(database, read_crosswalk(path, "crosswalk").table)
    shared, alone = cell(values, "21211", READING), cell(values, "00010", READING)
    assert (shared["suppressed"], shared["not_relevant"]) == (True, False)
    assert (alone["suppressed"], alone["not_relevant"]) == (True, True)
    assert shared["value_number"] == pytest.approx(3.56)  # what is of low precision stays in the mean
    assert [found["evidence"]["components"]["quality"] for found in (shared, alone)] == [0.85, 0.7]
    spread = statistics.stdev([4.12, 3])
    population = statistics.fmean([statistics.variance([4.12, 3]), statistics.variance([2.5, 1])])  # reading, arranging
    assert shared["evidence"]["components"]["dispersion"] == pytest.approx(1 / (1 + spread**2 / population), abs=1e-3)


def test_nominal_values_are_voted_for_not_averaged(small: tuple[OnetDatabase, pa.Table]) -> None:
    found = cell(unit_group_values(*small), "21211", "onet.1.B.1.g.IH")
    assert found["value_text"] == "Bent a"
    assert found["evidence"]["details"]["shares"] == {"Bent a": 0.6667, "Bent f": 0.3333}


def test_lists_hold_each_item_once_the_most_shared_first(small: tuple[OnetDatabase, pa.Table]) -> None:
    values = unit_group_values(*small)
    tasks = cell(values, "21211", "onet.tasks")
    assert json.loads(tasks["value_text"]) == ["Lead.", "Sort bolts, by size."]
    assert tasks["evidence"]["details"] == {"listed": 2, "shared_by": [[2, 1], [1, 1]], "total": 2}
    assert json.loads(cell(values, "21211", "onet.technology_skills")["value_text"]) == ["Sheets", "Ledger"]
    short = unit_group_values(*small, rules=OnetRules(listed=1))
    assert json.loads(cell(short, "21211", "onet.tasks")["value_text"]) == ["Lead."]
    assert cell(short, "21211", "onet.tasks")["evidence"]["details"]["total"] == 2


def test_distributions_are_averaged_per_category(small: tuple[OnetDatabase, pa.Table]) -> None:
    found = cell(unit_group_values(*small), "21211", "onet.education")
    assert json.loads(found["value_text"]) == [
        {"category": 1, "label": "None at all", "per_cent": 50.0},
        {"category": 2, "label": "Some, in town", "per_cent": 50.0},
    ]
    assert found["spread"] == pytest.approx(0.25)


def test_work_context_has_a_mean_and_its_distribution(tmp_path: Path) -> None:
    header = [*RATING[:4], "Category", *RATING[4:]]
    rest = ["28", "0.1", "", "", "N", "", "08/2023", "Incumbent"]
    rows = []
    for soc, mean, always in ((SOCS[0], "2", "40"), (SOCS[3], "4", "80")):
        element = [soc, "4.C.1.a.2.c", "Speaking up"]
        rows += [[*element, "CX", "", mean, *rest], [*element, "CXP", "1", str(100 - int(always)), *rest]]
        rows += [[*element, "CXP", "5", always, *rest]]
    folder = write_text(tmp_path / "onet_29_3", tables() | {"Work Context": [header, *rows]})
    crosswalk = read_crosswalk(write_crosswalk(tmp_path / "c.csv", [("21211", SOCS[0]), ("21211", SOCS[3])]), "c").table
    values = unit_group_values(read_onet_database(folder), crosswalk)
    assert cell(values, "21211", "onet.4.C.1.a.2.c.CX")["value_number"] == 3.0
    assert json.loads(cell(values, "21211", "onet.4.C.1.a.2.c.CXP")["value_text"]) == [
        {"category": 1, "label": None, "per_cent": 40.0},
        {"category": 5, "label": None, "per_cent": 60.0},
    ]


def test_a_high_point_that_stands_for_nothing_stops_the_run(tmp_path: Path) -> None:
    given = tables()
    given["Interests"] = [row for row in given["Interests"] if row[1] != "1.B.1.f"]
    database = read_onet_database(write_text(tmp_path / "onet_29_3", given))
    crosswalk = read_crosswalk(write_crosswalk(tmp_path / "c.csv", [("21211", SOCS[0])]), "c").table
    with pytest.raises(SourceMalformed, match="6 on scale IH"):
        unit_group_values(database, crosswalk)


def test_without_the_second_crosswalk_nothing_disagrees(
    small: tuple[OnetDatabase, pa.Table], weighted: pa.Table
) -> None:
    database, crosswalk = small
    alone = unit_group_values(database, crosswalk)
    assert unit_group_values(database, crosswalk, weighted.slice(0, 0)).equals(alone)
    assert {json.loads(text)["crosswalks"] for text in alone["evidence"].to_pylist()} == {None}
    table = crosswalk_agreement(database, crosswalk, None)
    assert table["n_second"].to_pylist() == [0] * table.num_rows


def test_job_zones_are_a_median_with_the_mean_beside(small: tuple[OnetDatabase, pa.Table]) -> None:
    found = cell(unit_group_values(*small), "21211", "onet.job_zone")
    assert found["value_number"] == 4.5
    assert found["rationale"].startswith("Median over 2 rated O*NET 29.3 occupations of 3")


def test_the_release_is_in_every_value(small: tuple[OnetDatabase, pa.Table]) -> None:
    database, _ = small
    values = unit_group_values(*small)
    assert {json.loads(text)["release"] for text in values["evidence"].to_pylist()} == {"29.3"}
    assert all("O*NET 29.3" in text for text in values["rationale"].to_pylist())
    assert set(zip(values["source_id"].to_pylist(), values["source_version"].to_pylist(), strict=True)) <= set(
        database.versions.items()
    )


def test_old_ratings_count_less(tmp_path: Path) -> None:
    given = tables()
    for row in given["Skills"][1:]:
        row[-2] = "05/2009"
    database = read_onet_database(write_text(tmp_path / "onet_29_3", given))
    path = write_crosswalk(tmp_path / "crosswalk.csv", [("00010", SOCS[0])])
    found = cell(unit_group_values(database, read_crosswalk(path, "crosswalk").table), "00010", READING)
    assert found["evidence"]["components"]["quality"] == 0.9


def test_settings_that_mean_nothing_are_refused(small: tuple[OnetDatabase, pa.Table]) -> None:
    for wrong in ({"crosswalk": "path_weight"}, {"prior": 0.0}, {"prior": 1.5}, {"listed": 0}):
        with pytest.raises(WrongUsage):
            OnetRules(**wrong)  # type: ignore[arg-type]
    for crosswalk in ("both", "equal_weight"):
        with pytest.raises(SourceMissing, match="weighted crosswalk"):
            unit_group_values(*small, rules=OnetRules(crosswalk=crosswalk))
