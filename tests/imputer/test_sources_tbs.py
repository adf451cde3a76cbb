"""The crawl as an input: each occupational group with its own definition and standards, in both languages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from imputer.errors import SourceMalformed, SourceMissing
from imputer.sample import SAMPLE, sample_registry
from imputer.sources import read_inputs
from imputer.sources.tbs import crawl_version, read_occupational_groups
from schemas import arrow_schema, load_table

if TYPE_CHECKING:
    from pathlib import Path


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_one_row_per_crawled_row_with_its_own_definition(good_output: Path) -> None:
    latest = good_output / "tbs" / "latest"
    table = read_occupational_groups(latest).table
    assert table.schema == arrow_schema(load_table("wiq", "dim_occupational_group"))
    crawled = {row["row_key"]: row for row in lines(latest / "occupational_groups_en.jsonl")}
    rows = {row["row_key"]: row for row in table.to_pylist()}
    assert set(rows) == set(crawled)
    definitions = {row["anchor"]: row for row in lines(latest / "definitions_en.jsonl")}
    for key, row in rows.items():
        anchor = crawled[key]["definition_anchor"]
        assert row["definition_en"] == definitions.get(anchor, {}).get("definition")
        assert (row["definition_en"] is None) == (row["definition_fr"] is None)
    texts = [row["definition_en"] for row in rows.values() if row["definition_en"]]
    assert len(set(texts)) > len(texts) / 2


def test_text_of_a_standard_is_that_of_the_section_linked_to(good_output: Path) -> None:
    rows = read_occupational_groups(good_output / "tbs" / "latest").table.to_pylist()
    by_url: dict[str, str | None] = {}
    for row in rows:
        for language in ("en", "fr"):
            url, text = (row[f"qualification_standard_{part}_{language}"] for part in ("url", "text"))
            assert (url is None) == (text is None)
            if url:
                assert by_url.setdefault(url, text) == text
    texts = [text for text in by_url.values() if text]
    assert len(texts) > 10
    assert len(set(texts)) == len(texts)


def test_a_run_takes_the_crawl_with_its_version(good_output: Path) -> None:
    latest = good_output / "tbs" / "latest"
    inputs = read_inputs(SAMPLE, crawl=latest, registry=sample_registry())
    assert inputs.occupational_groups.num_rows > 0
    assert inputs.versions["tbs_crawl"] == crawl_version(latest)
    assert "tbs_crawl" not in inputs.absent


def test_without_a_crawl_there_are_no_groups_and_it_is_said(tmp_path: Path) -> None:
    inputs = read_inputs(SAMPLE, crawl=tmp_path / "latest", registry=sample_registry())
    assert inputs.occupational_groups.num_rows == 0
    assert "tbs_crawl" in inputs.absent


def test_crawl_of_one_language_is_one_clear_line(published: Path) -> None:
    (published / "latest" / "definitions.parquet").unlink()
    with pytest.raises(SourceMissing, match=r"the crawl has no definitions\.parquet.*crawl both languages"):
        read_inputs(SAMPLE, crawl=published / "latest", registry=sample_registry())


def test_file_that_is_no_parquet_is_one_clear_line(published: Path) -> None:
    (published / "latest" / "sections_fr.parquet").write_bytes(b"PAR?")
    with pytest.raises(SourceMalformed, match=r"sections_fr\.parquet"):
        read_occupational_groups(published / "latest")


def test_crawl_of_another_version_is_refused(published: Path) -> None:
    latest = published / "latest"
    (latest / "definitions.parquet").write_bytes((latest / "occupational_groups.parquet").read_bytes())
    with pytest.raises(SourceMalformed, match="the crawl was written by another version"):
        read_occupational_groups(latest)
