"""The sweep: whatever small change a page suffers, reading it raises a drift, or loses nothing and stays confined.

For each changed page one of three things holds:

* ``read_page`` raises a drift of ``wiq_crawl.errors``, located in the page;
* the published records are those of the original page (provenance apart);
* for changes that a reader would see, the difference lies in what was changed (``confinement``), and everything
  that the changed page says is in the records, once (``conservation``).

Any other exception fails the test.
"""

from __future__ import annotations

import random
import re

import pytest
from confinement import unconfined
from conservation import broken, characters, content, opened
from page_changes import MUTATIONS, Mutation
from page_mutations import parse, serialise
from subjects import CAPTURES, RECORDED, subject

from wiq_crawl.errors import StructureDrift, TruncatedText, WrongLanguage

# Mutants of each mutation, by page.
WANTED = {
    "main en": 8,
    "main fr": 8,
    "definitions en": 12,
    "definitions fr": 12,
    "standard en": 6,
    "qualifications en": 6,
    "main real": 1,
    "definitions real": 2,
}
SEED = 2021


@pytest.fixture(params=WANTED)
def changed(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if name in RECORDED and not CAPTURES.is_dir():
        pytest.skip("needs the recorded Treasury Board pages in ../shared/data/tbs")
    return name


def test_nothing_is_broken_before_a_change(changed: str) -> None:
    found = subject(changed)
    assert broken(found.text, found.records) == []
    again = found.read(serialise(parse(found.text)))
    assert content(again) == content(found.records)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name.replace(" ", "-"))
def test_a_change_is_a_drift_or_stays_where_it_was_made(changed: str, mutation: Mutation) -> None:
    original = subject(changed)
    for mutant in original.page.mutants(mutation, SEED, WANTED[changed]):
        found = original.attempt(mutant.html)
        if isinstance(found, StructureDrift):
            assert found.url == original.url
            assert found.message
            assert found.expected
            assert found.found is not None
            continue
        if content(found) == content(original.records):
            continue
        assert not mutation.invisible, f"{mutant} changed the records"
        assert broken(mutant.html, found) == [], str(mutant)
        assert list(unconfined(original.records, found, mutant)) == [], str(mutant)


def test_a_lost_tag_is_a_drift_or_loses_no_text(changed: str) -> None:
    """One start or end tag less, wherever in main: what the parser makes of the rest is read whole."""
    original = subject(changed)
    start = original.text.index("<main")
    tags = [tag for tag in re.finditer(r"</?[a-z][^<>]*>", original.text) if tag.start() >= start]
    written = characters(opened(original.text).text_content())
    for tag in random.Random(SEED).sample(tags, 5 * WANTED[changed]):
        text = original.text[: tag.start()] + " " + original.text[tag.end() :]
        found = original.attempt(text)
        if isinstance(found, StructureDrift):
            continue
        assert broken(text, found) == [], f"{tag[0]} at {tag.start()}"
        assert not written - characters(opened(text).text_content()), f"{tag[0]} at {tag.start()}"


def test_a_page_that_is_cut_is_never_read(changed: str) -> None:
    original = subject(changed)
    end = original.text.lower().rindex("</html>")
    chance = random.Random(SEED)
    for place in [chance.randrange(end + 6) for _ in range(30)] + [0, 1, end, end + 6]:
        with pytest.raises(TruncatedText):
            original.read(original.text[:place])
    assert content(original.read(original.text[: end + 7])) == content(original.records)


def test_a_page_that_names_another_language_is_never_read(changed: str) -> None:
    original = subject(changed)
    language = original.arguments["language"]
    other = {"en": "fr", "fr": "en"}[language]
    for stated in (other, f"{other}-CA", "", "es"):
        with pytest.raises(WrongLanguage):
            original.read(original.text.replace(f' lang="{language}"', f' lang="{stated}"', 1))


def test_capital_tags_and_other_line_ends_change_nothing(changed: str) -> None:
    original = subject(changed)
    capitals = re.sub(r"</?[a-z][a-z0-9]*(?=[\s>])", lambda tag: tag[0].upper(), original.text)
    for text in (capitals, original.text.replace("\n", "\r\n"), "\ufeff\n\n" + original.text):
        assert content(original.read(text)) == content(original.records)
