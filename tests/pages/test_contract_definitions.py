"""What the definitions must keep, and how the drift says where they do not."""

from __future__ import annotations

import pytest
from contract_case import LANGUAGES, Case, check
from page_edits import attribute, before, both, inside, remove, rename, text, twice, unwrap
from page_mutations import parse, serialise
from subjects import subject

from wiq_crawl.errors import DuplicateContent, StructureDrift, TruncatedText
from wiq_crawl.pages import Known

DETAILS = "//main//details[.//*[@id='def-ec']]"  # a group with parts, subgroups and related information
GROUP = f"{DETAILS}/section/section"
SUBGROUP = f"{GROUP}/section[h4[@id]]"
EXCERPT = "//*[@id='def-co']"
PART = f"{GROUP}/section[not(h4[@id])]"


DEFINITIONS = {
    "an id twice": Case(twice(EXCERPT), "id def-co", "once in the page", "also at", "/h3[2]"),
    "an entry without section": Case(
        both(unwrap(GROUP), unwrap(f"{DETAILS}/section")), "entry def-ec", "section of its own", "no section"
    ),
    "two entries in a section": Case(
        unwrap(SUBGROUP), "entry def-ec-", "section of its own", "in the section of def-ec"
    ),
    "a group with a smaller heading": Case(
        rename(f"{GROUP}/h3", "h4"), "entry def-ec", "an h3 as heading of a group", "h4", "/h4"
    ),
    "a subgroup with a larger heading": Case(
        rename(f"{SUBGROUP}/h4", "h3"), "entry def-ec-", "h4 as heading of a subgroup", "h3", "/h3"
    ),
    "a summary with another id": Case(
        attribute(f"{DETAILS}/summary", "id", "ec"), "entry def-ec", "grp- or occ-", "'ec'"
    ),
    "a classification called a group": Case(
        attribute(f"{EXCERPT}/ancestor::details/summary", "id", "grp-co"), "entry def-co", "one legal notice", "0"
    ),
    "a heading without text": Case(text(f"{SUBGROUP}/h4", ""), "entry def-ec-", "a heading with text", "«"),
    "text before the heading": Case(
        before(f"{GROUP}/h3", "<p>Before.</p>"), "entry def-ec", "at the beginning of its section", "«Before.»"
    ),
    "another heading of a part": Case(
        text(f"{PART}/h4", "Covered"),
        "entry def-ec",
        "parts headed «Inclusions»",
        "«Covered»",
        "/section[1]",
        "labels.toml",
    ),
    "a part twice": Case(twice(PART), "entry def-ec", "each once", "«Inclusions»", "/section[2]"),
    "a part without text": Case(
        lambda root: [child.drop_tree() for child in root.xpath(f"{PART}[1]/*[position() > 1]")],
        "entry def-ec",
        "text under the heading «Inclusions»",
        "Inclusions",
    ),
    "a part without section": Case(
        unwrap(PART), "entry def-ec", "in sections of their own", "the heading «Inclusions»", "/h4"
    ),
    "a group without inclusions": Case(
        remove(PART), "entry def-ec", "a part headed «Inclusions»", "parts «Exclusions»", "/section", "labels.toml"
    ),
    "a notice without its class": Case(
        attribute(f"{GROUP}/p", "class", "small"), "entry def-ec", "one legal notice (p.well)", "0"
    ),
    "a notice twice": Case(twice(f"{GROUP}/p"), "entry def-ec", "one legal notice (p.well)", "2"),
    "a date outside the notice": Case(
        inside(f"{GROUP}/p[2]", "<time>May 1, 2001</time>"), "entry def-ec", "in the legal notice", "«", "/p[2]"
    ),
    "an excerpt of nothing": Case(
        attribute(f"{EXCERPT}//a", "href", "#def-zz"), "entry def-co", "an excerpt of", "def-zz", "/h3"
    ),
    "an excerpt of itself": Case(
        attribute(f"{EXCERPT}//a", "href", "#def-co"), "entry def-co", "an excerpt of", "def-co", "/h3"
    ),
    "an excerpt that links elsewhere": Case(
        attribute(f"{EXCERPT}//a", "href", "/x.html"), "entry def-co", "links to full definitions", "/x.html", "/h3"
    ),
    "an excerpt without link": Case(unwrap(f"{EXCERPT}//a"), "entry def-co", "links to full definitions", "[]", "/h3"),
    "text outside the entries": Case(
        before(GROUP, "<p>Nobody’s words.</p>"), "details «", "characters in its summary", "outside the entries"
    ),
    "a summary that is none": Case(
        rename(f"{DETAILS}/summary", "div"), "entry def-ec", "in details whose summary", "''"
    ),
    "a summary without text": Case(
        text(f"{DETAILS}/summary", ""), "details", "one summary with text", "«»", "/details"
    ),
    "two summaries": Case(twice(f"{DETAILS}/summary"), "details", "one summary", "«"),
    "two links in an item": Case(
        inside("//section[h4[.='Related information' or .='Renseignements connexes']]//li", "<a href='#x'>x</a>"),
        "entry def-",
        "one link",
        "2",
        "/li",
    ),
    "an entry without text": Case(
        lambda root: [child.drop_tree() for child in root.xpath(f"{SUBGROUP}/*[position() > 1]")],
        "entry def-ec-",
        "a definition text",
        "none",
    ),
    "a cut text": Case(
        text(f"{GROUP}/p[2]", ("word " * 2000)[:999] + "q"),
        "cut at a round length",
        "as sentences do",
        "1000 characters",
        error=TruncatedText,
    ),
    "a fragment that is missing": Case(
        attribute(EXCERPT, "id", None),
        "fragment #def-co",
        "exactly one element",
        "0",
        "@id='def-co'",
        "known.missing_fragment",
    ),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("case", DEFINITIONS)
def test_the_definitions_keep_their_shape(case: str, language: str) -> None:
    check(f"definitions {language}", DEFINITIONS[case])


@pytest.mark.parametrize("language", LANGUAGES)
def test_definitions_without_entries_are_a_drift(language: str) -> None:
    original = subject(f"definitions {language}")
    root = parse(original.text)
    remove("//*[@id='def-elements']")(root)
    with pytest.raises(StructureDrift, match="has no entries"):
        original.read(serialise(root), fragments=[])


@pytest.mark.parametrize("language", LANGUAGES)
def test_entries_with_one_text_are_a_drift_unless_they_are_known_twins(language: str) -> None:
    original = subject(f"definitions {language}")
    with pytest.raises(DuplicateContent) as raised:
        original.read(original.text, known=Known())
    assert raised.value.found == "def-sre-bob and def-srw-bob"
