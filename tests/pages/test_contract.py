"""What every page must keep, how the drift says where it does not, and which differences do not matter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from conservation import content
from contract_case import LANGUAGES, Case, check
from page_edits import attribute, both, inside, move, remove, rename, text, twice
from page_mutations import parse, serialise
from page_trees import INTRODUCTION, page_of
from subjects import subject

from wiq_crawl.addresses import BASE_URL
from wiq_crawl.errors import GluedWords, SoftNotFound, StructureDrift, TruncatedText, WrongLanguage
from wiq_crawl.pages import Known, read_page
from wiq_crawl.replica import text_faults
from wiq_crawl.replica.facts import SMALL, load_facts
from wiq_crawl.replica.page_edits import PATHS
from wiq_crawl.replica.site import build_site

if TYPE_CHECKING:
    from collections.abc import Callable

    from wiq_crawl.items import Record
    from wiq_crawl.replica.site import Site

TITLE = "//head/title"
H1 = "//main//h1"
PAGE_DETAILS = "//main//section[@class='pagedetails']"
FRAME = {
    "main is a div": Case(rename("//main", "div"), "frame", "exactly one //main", "0", "//main"),
    "two mains": Case(twice("//main"), "frame", "exactly one //main", "2", "//main"),
    "footer in main": Case(move("//footer", "//main"), "main holds", "footer", "<footer>", "//main//footer"),
    "page details lost their class": Case(
        attribute(PAGE_DETAILS, "class", None), "main holds", "pagedetails", "<gcds-date-modified>", "gcds"
    ),
    "no heading": Case(remove(H1), "main heading", "exactly one h1#wb-cont", "none", H1),
    "two headings": Case(twice(H1), "main heading", "exactly one h1#wb-cont", "wb-cont", H1),
    "heading without its id": Case(attribute(H1, "id", None), "main heading", "exactly one", "id=None", H1),
    "heading without text": Case(text(H1, " "), "main heading", "with text", "«»", H1),
    "another heading": Case(text(H1, "Elsewhere"), "main heading", "h1 «", "«Elsewhere»", H1, "labels.toml"),
    "not found by its heading": Case(
        text(H1, "Page not found"), "page not found", "the page itself", "«Page not found»", error=SoftNotFound
    ),
    "not found by its title": Case(
        text(TITLE, "Page non trouvée - Canada.ca"), "page not found", "the page itself", "trouvée", error=SoftNotFound
    ),
    "another language": Case(
        attribute("/html", "lang", "es"), "another language", "lang=", "lang='es'", "/html/@lang", error=WrongLanguage
    ),
    "metadata of another language": Case(
        attribute("//meta[@name='dcterms.language']", "content", "spa"),
        "metadata",
        "dcterms.language",
        "'spa'",
        "@content",
        error=WrongLanguage,
    ),
    "no link to the other language": Case(
        both(remove("//link[@rel='alternate']"), remove("//link[@rel='alternate']")),
        "other language",
        "hreflang",
        "none",
    ),
    "no date": Case(
        both(remove("//main//gcds-date-modified"), remove("//meta[@name='dcterms.modified']")),
        "date modified",
        "one of gcds-date-modified, dcterms.modified, dateModified",
        "none",
    ),
    "a date that does not exist": Case(
        text("//main//gcds-date-modified", "2026-02-30"), "date modified", "YYYY-MM-DD", "«2026-02-30»", "gcds"
    ),
    "nothing but the heading": Case(
        text("//main/div[2]", ""), "main is empty", "at least 40 characters", "0", "//main"
    ),
    "words run together": Case(
        inside("//main/div[2]", "<p>theGroup theDate effectiveMarch</p>"),
        "run together",
        "at most 2 words",
        "«effectiveMarch»",
        "//main",
        error=GluedWords,
    ),
    "an archived page": Case(
        inside("//main/div[2]", "<section class='gc-archv'><p>Archived.</p></section>"),
        "archived",
        "in force",
        "notice",
    ),
    "text in a table but in no cell": Case(
        inside("//main/div[2]", "<table><tr>stray<td>cell</td></tr></table>"), "lost or told twice", "characters", ""
    ),
    "a cell in no row of a nested table": Case(
        inside("//main/div[2]", "<table><tr><td><table><tbody><td>cell</td></tbody></table></td></tr></table>"),
        "lost or told twice",
        "characters",
        "",
        "//main",
    ),
    "a table in a heading": Case(
        inside("//main//h2", "<span><table><tr><td>cell</td></tr></table></span>"),
        "lost or told twice",
        "characters",
        "",
        "//main",
        "look for text in a table",
    ),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("case", FRAME)
def test_every_page_keeps_the_frame(case: str, language: str) -> None:
    check(f"qualifications {language}", FRAME[case])


PAGES = [
    f"{kind} {language}" for kind in ("main", "definitions", "qualifications", "standard") for language in LANGUAGES
]


def told(name: str, page: str) -> dict[str, list[Record]]:
    """The records of a page, apostrophes made straight and without where its date was read."""
    found = content(subject(name).read(page))
    del found["documents"][0]["modified_source"]

    def straight(value: object) -> object:
        if isinstance(value, str):
            return value.replace("’", "'")
        if isinstance(value, list):
            return [straight(part) for part in value]
        if isinstance(value, dict):
            return {key: straight(part) for key, part in value.items() if key != "text_sha256"}
        return value

    return {table: [straight(record) for record in records] for table, records in found.items()}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(
    "fault",
    [text_faults.unicode_variants, text_faults.old_date_widget, text_faults.template_variant, text_faults.hash_noise],
    ids=lambda fault: fault.__name__.replace("_", "-"),
)
def test_differences_that_do_not_matter_give_the_same_records(name: str, fault: Callable[[Site], Site]) -> None:
    kind, _, language = name.partition(" ")
    changed = fault(build_site(load_facts(SMALL)))[PATHS[kind][language]].body.decode()
    assert changed != subject(name).text or language == "en"
    assert told(name, changed) == told(name, subject(name).text)


def test_the_hash_does_not_change_with_scripts_nor_with_the_date() -> None:
    original = subject("standard en")
    site = text_faults.hash_noise(text_faults.old_date_widget(build_site(load_facts(SMALL))))
    (document,) = original.read(site[PATHS["standard"]["en"]].body.decode()).tables["documents"]
    (before,) = original.records.tables["documents"]
    assert document["content_sha256"] == before["content_sha256"]
    assert (before["modified_source"], document["modified_source"]) == ("gcds-date-modified", "dcterms.modified")
    assert before["modified"] == document["modified"]


# --- fragments ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("edit", "expected", "found"),
    [
        (attribute("//*[@id='cr']", "id", None), "exactly one element with this id", "0"),
        (attribute("//main//h2", "id", "cr"), "exactly one element with this id", "2"),
        (
            lambda root: [element.drop_tree() for element in root.xpath("//*[@id='cr']/following-sibling::*")],
            "text or a table under it",
            "nothing",
        ),
    ],
    ids=["missing", "doubled", "empty"],
)
def test_a_fragment_of_the_main_table_leads_to_one_text(
    edit: Callable[..., object], expected: str, found: str, language: str
) -> None:
    original = subject(f"qualifications {language}")
    root = parse(original.text)
    edit(root)
    page = serialise(root)
    with pytest.raises(StructureDrift, match="fragment #cr, which the main table points at") as raised:
        original.read(page, fragments=["cr"])
    assert (raised.value.expected, raised.value.found) == (expected, found)
    assert raised.value.selector == "//*[@id='cr']"
    assert original.read(page, fragments=[]).tables["sections"]


def test_a_fragment_known_to_be_missing_and_an_id_that_stands_twice_are_issues() -> None:
    original = subject("qualifications en")
    root = parse(original.text)
    attribute("//*[@id='cr']", "id", "as")(root)
    known = Known(missing_fragments=frozenset({(PATHS["qualifications"]["en"], "cr")}))
    page = original.read(serialise(root), fragments=["cr"], known=known)
    issues = {issue["rule"]: issue for issue in page.tables["issues"]}
    assert issues["fragment_missing_known"]["subject"] == f"{original.url}#cr"
    assert issues["duplicate_anchor"]["subject"] == f"{original.url}#as"
    assert issues["duplicate_anchor"]["found"] == "2 times"


def test_a_section_of_a_round_length_without_ending_is_an_issue() -> None:
    original = subject("qualifications en")
    root = parse(original.text)
    words = "sentence " * 111 + "q"
    inside("//main/div[2]", f"<section><h2>Own</h2><p>{words}</p></section>")(root)
    (suspected,) = original.read(serialise(root)).tables["issues"]
    assert (suspected["rule"], suspected["found"]) == ("truncation_suspected", "1000 characters")
    inside("//main//section[h2='Own']", "<p>It ends.</p>")(root)
    assert original.read(serialise(root)).tables["issues"] == []


def test_a_page_cut_at_10_000_characters_is_refused() -> None:
    start = len(f"Any page {INTRODUCTION} ")
    words = ("of the words " * 1000)[: 10_000 - start - 1] + "q"
    url = BASE_URL + "/en/treasury-board-secretariat/any-page.html"
    with pytest.raises(TruncatedText) as raised:
        read_page(page_of(f"<p>{words}</p>"), url, language="en", depth=2)
    assert raised.value.found is not None
    assert raised.value.found.startswith("10000 characters ending «")
    (document,) = read_page(page_of(f"<p>{words}.</p>"), url, language="en", depth=2).tables["documents"]
    assert document["content_characters"] == 10_001
