"""Gold from the real input files: counts, keys, and the mistakes that must not come back."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow.parquet as pq
import pytest
from processes import assert_whole, manifest_of, run_imputer

from schemas import load_tables

if TYPE_CHECKING:
    from pathlib import Path

TITLES = 1616
UNCODED = 68


@pytest.fixture(scope="session")
def query(gold: Path) -> Any:
    """Ask the published files as an analyst does."""
    connection = duckdb.connect()
    for name in load_tables("wiq"):
        connection.execute(f"CREATE VIEW {name} AS FROM read_parquet('{gold}/{name}.parquet')")

    def ask(text: str) -> list[tuple[Any, ...]]:
        return connection.execute(text).fetchall()

    return ask


def one(rows: list[tuple[Any, ...]]) -> Any:
    ((value,),) = rows
    return value


def test_the_run_is_whole_and_says_what_it_rests_on(gold: Path) -> None:
    assert_whole(gold)
    manifest = manifest_of(gold.resolve())
    assert manifest["settings"]["onet_release"] == "29.3"
    assert len(manifest["settings"]["sources"]) > 30
    assert {one["outcome"] for one in manifest["expectations"]} == {"met"}


def test_counts_of_the_sources(query: Any) -> None:
    levels = query("SELECT level, count(*) FROM dim_noc GROUP BY level ORDER BY level")
    assert levels == [(1, 10), (2, 45), (3, 89), (4, 162), (5, 516)]
    assert one(query("SELECT count(*) FROM dim_oasis_profile")) == 900
    profiles = query(
        "SELECT profiles_in_unit_group > 1, count(DISTINCT unit_group), max(profiles_in_unit_group) "
        "FROM dim_oasis_profile GROUP BY ALL ORDER BY 1"
    )
    assert profiles == [(False, 332, 1), (True, 184, 14)]
    assert one(query("SELECT count(*) FROM dim_job_title")) == TITLES
    assert one(query("SELECT count(*) FROM dim_job_title WHERE coded_unit_group IS NULL")) == UNCODED
    assert one(query("SELECT count(*) FROM dim_job_function")) == 22
    assert one(query("SELECT count(*) FROM dim_job_family")) == 209
    loose = query("SELECT job_title_id FROM dim_job_title WHERE job_function_id IS NULL OR job_family_id IS NULL")
    assert loose == [("1933",)]
    pairs = query("SELECT count(*), count(DISTINCT unit_group), count(DISTINCT soc) FROM crosswalk_cardinality")
    assert pairs == [(1389, 515, 995)]


def test_exactly_one_wide_row_per_title(query: Any) -> None:
    assert query("SELECT count(*), count(DISTINCT job_title_id) FROM job_titles_wide") == [(TITLES, TITLES)]
    assert query("SELECT count(*), count(DISTINCT job_title_id) FROM job_title_noc") == [(TITLES, TITLES)]


def test_no_title_has_an_attribute_twice(query: Any) -> None:
    doubled = "SELECT count(*) FROM attribute_values GROUP BY entity_id, attribute_id, language HAVING count(*) > 1"
    assert query(doubled) == []
    tiers = (
        "SELECT count(*) FROM statements GROUP BY entity_id, attribute_id, language, source_type HAVING count(*) > 1"
    )
    assert query(tiers) == []


def test_a_title_inherits_its_own_profile_and_no_other(query: Any) -> None:
    strangers = query(
        "SELECT s.entity_id FROM statements s JOIN job_title_noc n ON n.job_title_id = s.entity_id "
        "WHERE s.method = 'INHERITED_PROFILE' AND json_extract_string(s.evidence, '$.profile') <> n.profile"
    )
    assert strangers == []
    inherited = one(query("SELECT count(DISTINCT entity_id) FROM statements WHERE method = 'INHERITED_PROFILE'"))
    assert inherited > 1000


def test_an_inherited_value_is_the_profile_s_in_the_source(query: Any, shared_data: Path) -> None:
    rows = query(
        "SELECT n.profile, s.value_number, s.locator FROM statements s "
        "JOIN job_title_noc n ON n.job_title_id = s.entity_id "
        "WHERE s.method = 'INHERITED_PROFILE' AND s.attribute_id = 'oasis.skills.writing' "
        "ORDER BY s.statement_id LIMIT 200"
    )
    lines = (shared_data / "oasis" / "skills_oasis_2023_v1.0.csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(rows) == 200
    for profile, value, locator in rows:
        number = re.fullmatch(r"row (\d+), column «Writing»", locator)
        assert number
        record = lines[int(number[1])]
        assert record.startswith(profile)
        assert float(record.split(",")[-32]) == value


def test_a_title_resolved_to_a_unit_group_only_gets_an_aggregate_that_says_so(query: Any) -> None:
    rows = query(
        "SELECT s.value_number, s.confidence, n.confidence, s.evidence FROM statements s "
        "JOIN job_title_noc n ON n.job_title_id = s.entity_id WHERE s.method = 'INHERITED_UNIT_GROUP_AGGREGATE'"
    )
    assert rows
    for value, confidence, resolution, text in rows[:5000]:
        evidence = json.loads(text)
        assert evidence["minimum"] <= value <= evidence["maximum"]
        assert evidence["n"] > 1
        assert confidence <= resolution
        assert (confidence < resolution) == (evidence["spread"] > 0)


def test_no_text_of_one_profile_is_given_to_a_title_of_several(query: Any) -> None:
    texts = query(
        "SELECT count(*) FROM attribute_values v JOIN job_title_noc n ON n.job_title_id = v.entity_id "
        "JOIN dim_oasis_profile p ON p.profile = n.profile AND p.profiles_in_unit_group > 1 "
        "WHERE v.source_type = 'AUTHORITATIVE' AND v.language <> 'zxx' AND n.method = 'UG_IMPUTATION'"
    )
    assert one(texts) == 0


def test_no_data_no_statement(query: Any) -> None:
    without = query(
        "SELECT n.job_title_id FROM job_title_noc n JOIN statements s ON s.entity_id = n.job_title_id "
        "WHERE n.unit_group IS NULL"
    )
    assert without == []
    assert one(query("SELECT count(*) FROM job_title_noc WHERE unit_group IS NULL")) > 0
    assert query("SELECT 1 FROM statements WHERE source_id IS NULL OR locator = '' OR evidence = '{}'") == []
    assert query("SELECT 1 FROM statements WHERE value_number IS NULL AND value_text IS NULL") == []


def test_every_uncoded_title_without_a_unit_group_is_a_gap_with_its_reason(query: Any) -> None:
    rows = query(
        "SELECT DISTINCT reason FROM gaps g JOIN job_title_noc n ON n.job_title_id = g.entity_id "
        "WHERE n.unit_group IS NULL"
    )
    assert rows == [("UNIT_GROUP_UNCERTAIN",)]


def test_a_cell_is_a_value_or_a_gap_never_both(query: Any) -> None:
    assert query("SELECT 1 FROM gaps JOIN attribute_values USING (entity_id, attribute_id, language) LIMIT 1") == []
    cells = one(
        query(
            "SELECT sum(len(languages)) FROM dim_attribute "
            "JOIN dim_entity ON list_contains(entity_types, entity_type) WHERE imputable"
        )
    )
    filled = one(query("SELECT count(*) FROM attribute_values JOIN dim_attribute USING (attribute_id) WHERE imputable"))
    assert filled + one(query("SELECT count(*) FROM gaps")) == cells


def test_confidence_is_that_of_the_way_not_one_figure_for_all(query: Any) -> None:
    stated = dict(
        query("SELECT method, max(confidence) FROM job_title_noc WHERE coded_unit_group IS NOT NULL GROUP BY method")
    )
    assert (
        stated.items()
        >= {"DIRECT_MATCH": 1.0, "EXAMPLE_MATCH": 0.95, "UG_DOMINANT": 0.85, "UG_IMPUTATION": 0.4}.items()
    )
    assert stated.get("LABEL_IMPUTATION") == 0.6
    assert one(query("SELECT count(DISTINCT confidence) FROM statements WHERE source_type = 'ONET'")) > 100


def test_every_senior_manager_has_onet_values(query: Any) -> None:
    lost = query(
        "SELECT DISTINCT coded_unit_group FROM dim_job_title d WHERE coded_unit_group LIKE '0001%' "
        "AND job_title_id NOT IN (SELECT entity_id FROM statements WHERE source_type = 'ONET')"
    )
    assert lost in ([], [("00010",)])
    assert one(query("SELECT count(*) FROM dim_job_title WHERE coded_unit_group LIKE '0001%'")) > 100


def test_onet_averages_over_distinct_occupations_with_their_spread(query: Any) -> None:
    rows = query(
        "SELECT s.value_number, s.evidence, s.confidence FROM statements s "
        "JOIN job_title_noc n ON n.job_title_id = s.entity_id "
        "WHERE n.unit_group = '41210' AND s.attribute_id = 'onet.2.A.1.a.LV'"
    )
    assert rows
    value, text, confidence = rows[0]
    evidence = json.loads(text)
    ratings = list(evidence["occupations"].values())
    assert len(ratings) == evidence["n"] > 30
    assert abs(sum(ratings) / len(ratings) - value) < 0.005
    assert evidence["spread"] > 0
    assert confidence < 0.5
    assert evidence["release"] == "29.3"


def test_onet_confidence_falls_with_the_spread(query: Any) -> None:
    sure, unsure = query(
        "SELECT avg(confidence) FILTER (json_extract(evidence, '$.spread')::DOUBLE < 0.2), "
        "avg(confidence) FILTER (json_extract(evidence, '$.spread')::DOUBLE > 0.8) FROM statements "
        "WHERE method = 'CROSSWALK' AND attribute_id LIKE '%.LV'"
    )[0]
    assert sure > unsure


def test_no_oasis_value_is_a_stretched_onet_level(query: Any) -> None:
    rows = query(
        "SELECT value_number, json_extract(evidence, '$.onet.value')::DOUBLE FROM statements "
        "WHERE method = 'CROSSWALK_CALIBRATED' AND json_extract_string(evidence, '$.onet.attribute_id') LIKE '%.LV'"
    )
    assert len(rows) > 10_000
    stretched = sum(abs(value - level * 5 / 7) < 0.005 for value, level in rows)
    assert stretched / len(rows) < 0.05


def test_authoritative_beats_onet_wherever_both_stand(query: Any) -> None:
    beaten = query(
        "SELECT v.source_type, r.source_type, count(*) FROM attribute_values v "
        "JOIN statements r ON r.statement_id = v.runner_up_statement_id GROUP BY ALL"
    )
    assert [(winner, loser) for winner, loser, _ in beaten] == [("AUTHORITATIVE", "ONET")]
    assert beaten[0][2] > 10_000


def test_titles_are_keyed_by_their_id_and_families_and_functions_stand_beside_them(query: Any) -> None:
    kinds = dict(query("SELECT entity_type, count(*) FROM dim_entity GROUP BY ALL"))
    assert kinds == {"job_title": TITLES, "job_function": 22, "job_family": 209}
    assert (
        query("SELECT 1 FROM dim_entity WHERE entity_type = 'job_title' AND NOT regexp_full_match(entity_id, '\\d+')")
        == []
    )


def test_codes_are_text_and_review_columns_are_kept(query: Any) -> None:
    types = dict(query("SELECT column_name, column_type FROM (DESCRIBE dim_job_title)"))
    for column in ("coded_unit_group", "noc_2016_code", "match_key", "geds_search", "alternate_option_secondary"):
        assert types[column] == "VARCHAR"
    assert one(query("SELECT count(*) FROM dim_job_title WHERE noc_2016_code LIKE '0%'")) > 100
    assert one(query("SELECT count(noc_match) FROM dim_job_title")) > 500


def test_attribution_travels_with_every_file(gold: Path) -> None:
    for name in load_tables("wiq"):
        metadata = pq.read_schema(gold / f"{name}.parquet").metadata
        assert b"has modified" in metadata[b"attribution_en"]
        assert "O*NET" in metadata[b"attribution_fr"].decode()
        assert b"title_fr" in metadata
    described = pq.read_schema(gold / "statements.parquet").field("confidence").metadata
    assert described[b"description_fr"]


def test_occupational_groups_of_the_crawl_are_in_gold_side_by_side(good_output: Path, tmp_path: Path) -> None:
    shutil.copytree(good_output, tmp_path / "output", symlinks=True)
    run_imputer(tmp_path / "output", "impute", "--sample", expect=0)
    crawled = pq.read_metadata(tmp_path / "output" / "tbs" / "latest" / "occupational_groups.parquet").num_rows
    groups = pq.read_table(tmp_path / "output" / "wiq" / "latest" / "dim_occupational_group.parquet").to_pylist()
    assert len(groups) == crawled > 0
    defined = [group for group in groups if group["definition_en"]]
    assert len(defined) > len(groups) / 2
    assert all(group["definition_fr"] and group["definition_fr"] != group["definition_en"] for group in defined)
    assert any(group["qualification_standard_text_fr"] for group in groups)
    assert any(group["job_evaluation_standard_text_en"] for group in groups)
