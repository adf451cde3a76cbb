"""A page checked by itself, and what the pipelines and the verdict make of it."""

from __future__ import annotations

import copy
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from wiq_crawl import read_back as module
from wiq_crawl.addresses import BASE_URL
from wiq_crawl.arguments import parse_arguments
from wiq_crawl.checks import check
from wiq_crawl.errors import DuplicateContent, InvalidItem
from wiq_crawl.pages import read_page
from wiq_crawl.pipelines.deduplicate import DeduplicatePipeline
from wiq_crawl.pipelines.validate import ValidatePipeline
from wiq_crawl.read_back import read_back
from wiq_crawl.replica.page_edits import PATHS

if TYPE_CHECKING:
    from pathlib import Path

    from wiq_crawl.items import PageRecords
    from wiq_crawl.replica.site import Site

PATH = PATHS["standard"]["en"]


class Stats(dict[str, int]):
    """As much of Scrapy's statistics as pipelines use."""

    def inc_value(self, name: str, count: int = 1) -> None:
        self[name] = self.get(name, 0) + count


@pytest.fixture(scope="module")
def read(small_site: Site) -> PageRecords:
    return read_page(small_site[PATH].body.decode(), BASE_URL + PATH, language="en", depth=1)


def _validated(page: PageRecords) -> tuple[Stats, Any]:
    stats = Stats()
    return stats, ValidatePipeline(stats).process_item(check(page))  # type: ignore[arg-type]


def test_good_page_is_lines_of_its_records(read: PageRecords) -> None:
    stats, page = _validated(read)
    rows = {table: len(records) for table, records in read.tables.items()}
    assert {table: lines.number for table, lines in page.lines.items()} == rows
    assert {table: lines.data.count(b"\n") for table, lines in page.lines.items()} == rows
    assert stats == {"wiq/validated": sum(rows.values())}
    assert page.extracted == page.valid == sum(rows.values())
    assert DeduplicatePipeline().process_item(page) is page


def test_invalid_records_are_counted_and_the_first_is_raised(read: PageRecords) -> None:
    broken = copy.deepcopy(read)
    for link in broken.tables["links"][:3]:
        link["target"] = "nowhere"
    stats = Stats()
    with pytest.raises(InvalidItem) as raised:
        ValidatePipeline(stats).process_item(check(broken))  # type: ignore[arg-type]
    assert (
        raised.value.message == "a record of links breaks its schema in column target (and 2 more records of the page)"
    )
    assert (raised.value.url, raised.value.expected) == (read.url, "schemas/tbs/links.schema.json")
    assert raised.value.selector == read.tables["links"][0]["selector"]
    assert stats == {"wiq/invalid/links/target/enum": 1}
    assert check(broken).extracted - check(broken).valid == 3


def test_key_that_stands_twice_is_raised(read: PageRecords) -> None:
    doubled = copy.deepcopy(read)
    doubled.tables["sections"].append(doubled.tables["sections"][0])
    with pytest.raises(InvalidItem, match="a key of sections stands twice"):
        DeduplicatePipeline().process_item(check(doubled))


def test_text_met_at_another_address_is_raised(read: PageRecords) -> None:
    pipeline = DeduplicatePipeline()
    pipeline.process_item(check(read))
    other = check(read)
    other.url = f"{BASE_URL}/elsewhere.html"
    with pytest.raises(DuplicateContent, match=f"the text of {read.url}"):
        pipeline.process_item(other)


# --- read back --------------------------------------------------------------------------------------------------------


@pytest.fixture
def run(good_output: Path, tmp_path: Path) -> Path:
    """A good run's folder of the test's own."""
    return shutil.copytree((good_output / "tbs" / "latest").resolve(), tmp_path / "run")


@pytest.fixture(params=[False, True], ids=["alone", "helped"])
def helped(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr(module, "_WORTH_HELP", 0)
    return bool(request.param)


def test_both_ways_of_reading_back_find_the_same(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_WORTH_HELP", 0)
    alone, helped = (read_back(run, parse_arguments({}), helped=helped) for helped in (False, True))
    assert alone == helped
    assert alone.problems == []
    assert alone.rows.total() > 1000
    assert set(alone.targets) == {0, 1, 2}


@pytest.mark.parametrize("table", ["links", "sections", "documents"])
def test_lost_line_is_found(table: str, run: Path, helped: bool) -> None:  # noqa: FBT001
    path = run / f"{table}_en.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[1:]))
    (problem,) = read_back(run, parse_arguments({}), helped=helped).problems
    assert problem.message == f"{table}_en.jsonl does not hold what was extracted"


@pytest.mark.parametrize("table", ["links", "sections"])
def test_changed_line_is_found(table: str, run: Path, helped: bool) -> None:  # noqa: FBT001
    path = run / f"{table}_fr.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"language":"fr"', b'"language":"de"', 1))
    (problem,) = read_back(run, parse_arguments({}), helped=helped).problems
    assert (problem.found or "").startswith("1 invalid lines")


@pytest.mark.parametrize("table", ["links", "sections"])
def test_file_cut_within_a_line_is_found(table: str, run: Path, helped: bool) -> None:  # noqa: FBT001
    path = run / f"{table}_en.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match="line 1"):
        read_back(run, parse_arguments({}), helped=helped)


@pytest.mark.parametrize("table", ["links", "sections"])
def test_missing_file_is_found(table: str, run: Path, helped: bool) -> None:  # noqa: FBT001
    (run / f"{table}_en.jsonl").unlink()
    (problem,) = read_back(run, parse_arguments({}), helped=helped).problems
    assert (problem.message, problem.expected) == ("a table file is missing", f"{table}_en.jsonl")
