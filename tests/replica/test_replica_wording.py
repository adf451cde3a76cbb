"""The wording is our own, distinct, and the same every time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from replica_reading import own_text, text_of_file, tree, words

from wiq_crawl.replica.facts import Facts, load_facts
from wiq_crawl.replica.fixed_facts import LANGUAGES
from wiq_crawl.replica.prose import Prose, long_date
from wiq_crawl.replica.site import Site, build_site, write_site

if TYPE_CHECKING:
    from collections.abc import Iterator

BUNDLE = Path(__file__).parents[2] / "wiq_crawl" / "replica" / "bundle"
LONGEST_SHARED = 7


def test_same_bytes_every_time(small_facts: Facts, small_site: Site) -> None:
    """Two builds are equal, another seed is not."""
    assert build_site(small_facts) == small_site
    assert build_site(small_facts, seed=7) != small_site


def test_bundle_is_what_the_code_generates(small_site: Site, tmp_path: Path) -> None:
    """The committed pages equal a fresh build, file by file."""
    write_site(small_site, tmp_path)
    fresh = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    kept = {path.relative_to(BUNDLE): path.read_bytes() for path in BUNDLE.rglob("*") if path.is_file()}
    assert kept == fresh
    assert sum(map(len, kept.values())) < 1_500_000


def test_both_languages_are_built_from_the_same_choices() -> None:
    """A stream of sentences takes the same turns in both languages."""
    streams = [Prose(1, language, "key", "ai") for language in LANGUAGES]
    assert [len(stream.items(5)) for stream in streams] == [5, 5]
    assert streams[0].number(10**9) == streams[1].number(10**9)


@pytest.mark.parametrize(
    ("day", "english", "french"),
    [
        ("1999-10-01", "October 1, 1999", "1er octobre 1999"),
        ("2023-08-16", "August 16, 2023", "16 août 2023"),
    ],
)
def test_dates_in_words(day: str, english: str, french: str) -> None:
    """Dates read as they do on the pages."""
    assert (long_date(day, "en"), long_date(day, "fr")) == (english, french)


def test_definitions_are_distinct(full_facts: Facts, full_site: Site) -> None:
    """215 entries say 201 different things: fourteen pairs share their text."""
    for language in LANGUAGES:
        page = tree(full_site, full_facts.only("definitions").path[language])
        texts = [own_text(page, anchor.identifier) for anchor in full_facts.anchors]
        assert len(texts) == 215
        assert len(set(texts)) == 201


def test_small_facts_are_a_selection_of_the_full_ones(full_facts: Facts) -> None:
    """Nothing in the committed facts differs from the recorded data."""
    small = load_facts()
    assert all(row in full_facts.rows for row in small.rows)
    assert all(anchor in full_facts.anchors for anchor in small.anchors)
    assert all(entry in full_facts.qualifications for entry in small.qualifications)
    assert all(document in full_facts.documents for document in small.documents)


def test_no_sentence_comes_from_the_real_pages(recorded_tbs: Path, full_facts: Facts, full_site: Site) -> None:
    """No eight words in a row stand in the captured pages, names aside."""
    captures = sorted((recorded_tbs / "captures").glob("*.html"))
    if not captures:
        pytest.skip("no captured pages")
    real: set[tuple[str, ...]] = set()
    for capture in captures:
        real.update(_runs(text_of_file(capture)))
    names = sorted(
        {name["en"] for row in full_facts.rows for name in (row.group, row.classification, row.subgroup) if name}
        | {anchor.summary["en"] for anchor in full_facts.anchors if anchor.summary}
        | {document.title["en"] for document in full_facts.documents},
        key=len,
        reverse=True,
    )
    for path in full_site:
        if not path.startswith("/en/"):
            continue
        for block in tree(full_site, path).xpath("//main//*[self::p or self::li or self::dd][not(.//li)]"):
            text = str(block.text_content())
            for name in names:
                text = text.replace(name, "|").replace(name.rpartition(" (")[0] or name, "|")
            assert not real.intersection(run for part in text.split("|") for run in _runs(part)), text


def _runs(text: str) -> Iterator[tuple[str, ...]]:
    found = words(text)
    for start in range(len(found) - LONGEST_SHARED):
        yield tuple(found[start : start + LONGEST_SHARED + 1])
