"""The pages say what the facts say, at both scales."""

from __future__ import annotations

import re
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from replica_reading import main_text, own_text, tree

from wiq_crawl.replica.facts import COLUMNS, Facts
from wiq_crawl.replica.fixed_facts import HOST, LANGUAGES, TWIN_SUBGROUPS
from wiq_crawl.replica.main_table import HEADERS, LABELS
from wiq_crawl.replica.site import Site

Scale = tuple[Facts, Site]

INTERNAL = ("/en/treasury-board-secretariat/", "/fr/secretariat-conseil-tresor/")
MALFORMED = ("po.html-ima", "po.html-tco", "sr.htmlw")


@pytest.mark.parametrize("language", LANGUAGES)
def test_main_table_has_every_row_with_twelve_cells(scale: Scale, language: str) -> None:
    """Rows, cells, names, codes, links and labels of the main table."""
    facts, site = scale
    page = tree(site, facts.only("main").path[language])
    assert [" ".join(th.text_content().split()) for th in page.xpath("//main//thead/tr/th")] == list(
        HEADERS[language],
    )
    rows = page.xpath("//main//tbody/tr")
    assert len(rows) == len(facts.rows)
    assert not page.xpath("//main//table//*[@rowspan or @colspan]")
    for found, row in zip(rows, facts.rows_in_order(language), strict=True):
        cells = [" ".join(td.text_content().split()) for td in found.xpath("./td")]
        assert len(cells) == 12
        assert cells[:3] == [row.abbreviation, row.code[language], row.group[language]]
        assert cells[3] == (row.classification or {language: LABELS[language]["none"]})[language]
        assert cells[4] == (row.subgroup or {language: LABELS[language]["none"]})[language]
        expected = [row.links[column][language] for column in COLUMNS if column in row.links]
        assert found.xpath("./td/a/@href") == expected
        labels = {LABELS[language]["yes"], LABELS[language]["info"]}
        assert set(found.xpath("./td/a/text()")) <= labels


@pytest.mark.parametrize("language", LANGUAGES)
def test_definitions_have_every_anchor_with_its_items(scale: Scale, language: str) -> None:
    """Blocks, anchors, list items and dates of the definitions page."""
    facts, site = scale
    page = tree(site, facts.only("definitions").path[language])
    assert len(page.xpath("//main//details")) == facts.counts.details
    anchors = page.xpath("//main//*[starts-with(@id, 'def-') and @id != 'def-elements']")
    assert [anchor.get("id") for anchor in anchors] == [anchor.identifier for anchor in facts.anchors]
    assert [anchor.tag for anchor in anchors] == [anchor.element for anchor in facts.anchors]
    for anchor in facts.anchors:
        (section,) = page.xpath("//*[@id=$anchor]/ancestor::section[1]", anchor=anchor.identifier)
        for name, prefix in (("inclusions", "Inclusion"), ("exclusions", "Exclusion")):
            lists = section.xpath(f"./section[*[1][starts-with(., '{prefix}')]]/*[self::ol or self::ul]/li")
            sections = section.xpath(f"./section[*[1][starts-with(., '{prefix}')]]")
            expected = anchor.item_count(name)
            assert len(lists) == max(expected, 0)
            assert bool(sections) == (expected != 0)
        times = section.xpath("./p[contains(@class, 'well')]/time/@datetime")
        assert times == [date.attribute for date in anchor.dates if date.attribute]
        assert own_text(page, anchor.identifier)[-1] in ".:;"


def test_twins_share_text_and_all_others_differ(scale: Scale) -> None:
    """Only the known pairs of subgroups say the same thing."""
    facts, site = scale
    for language in LANGUAGES:
        page = tree(site, facts.only("definitions").path[language])
        texts: dict[str, list[str]] = {}
        for anchor in facts.anchors:
            texts.setdefault(own_text(page, anchor.identifier), []).append(anchor.identifier)
        shared = {tuple(names) for names in texts.values() if len(names) > 1}
        known = {(f"def-sre-{name}", f"def-srw-{name}") for name in TWIN_SUBGROUPS}
        present = {anchor.identifier for anchor in facts.anchors}
        assert shared == {pair for pair in known if set(pair) <= present}


def test_internal_links_resolve_except_known_ones(scale: Scale) -> None:
    """Every link below the two path prefixes leads to a page and to an element in it."""
    facts, site = scale
    ids = {path: set(tree(site, path).xpath("//@id")) for path in site if path.endswith(".html")}
    missing = set()
    for path in ids:
        for href in tree(site, path).xpath("//a/@href"):
            url, fragment = urldefrag(urljoin(HOST + path, str(href)))
            target = urlsplit(url)
            is_internal = target.netloc == "www.canada.ca" and target.path.startswith((*INTERNAL, "/content/canada"))
            if not is_internal or target.path.endswith(".pdf"):
                continue
            if target.path not in site:
                missing.add(target.path.rpartition("/")[2])
            elif fragment and fragment not in ids[target.path]:
                missing.add(f"{target.path.rpartition('/')[2]}#{fragment}")
    known = {"pa.html#rates-pa", *MALFORMED}
    assert missing <= known
    assert "pa.html#rates-pa" in missing
    named = {path.rpartition("/")[2] for path in facts.linked("en")}
    assert missing - {"pa.html#rates-pa"} == named & set(MALFORMED)


def test_kinds_of_links_are_all_present(small_site: Site) -> None:
    """Root-relative, absolute, protocol-relative, parent-relative, fragment, mail and file links."""
    hrefs = [
        str(href)
        for path in small_site
        if path.endswith(".html")
        for href in tree(small_site, path).xpath("//main//a/@href")
    ]
    for pattern in (
        r"/en/",
        r"https://www\.canada\.ca/",
        r"//www\.",
        r"\.\./",
        r"#",
        r"mailto:",
        r"https://gcx",
        r".*\.pdf$",
    ):
        assert any(re.match(pattern, href) for href in hrefs), pattern


def test_every_page_has_the_frame(scale: Scale) -> None:
    """Language, canonical and alternate addresses, one heading, one date, and traps around main."""
    facts, site = scale
    for document in facts.documents:
        for language in LANGUAGES:
            page = tree(site, document.path[language])
            other = "fr" if language == "en" else "en"
            assert page.get("lang") == language
            assert page.xpath("//link[@rel='canonical']/@href") == [HOST + document.path[language]]
            assert page.xpath("//link[@rel='alternate']/@hreflang") == [language, other]
            assert page.xpath("//link[@rel='alternate']/@href")[1] == HOST + document.path[other]
            assert page.xpath("//section[@id='wb-lng']//a/@href") == [document.path[other]]
            (heading,) = page.xpath("//h1")
            assert heading.text_content().strip() == document.title[language]
            (date,) = page.xpath("//main//gcds-date-modified")
            assert page.xpath("//meta[@name='dcterms.modified']/@content") == [date.text_content().strip()]
            assert page.xpath("//header//section")
            assert page.xpath("//footer//ul")


def test_nothing_loads_from_another_host(scale: Scale) -> None:
    """Scripts, images and style sheets come from the site itself."""
    facts, site = scale
    for document in facts.documents:
        page = tree(site, document.path["en"])
        loaded = page.xpath("//script/@src | //img/@src | //iframe/@src | //link[@rel='stylesheet']/@href")
        assert all(str(address).startswith("/etc/") for address in loaded)
        assert all(address in site for address in loaded)


def test_standards_are_long_and_not_of_round_length(scale: Scale) -> None:
    """No standard fits in the length at which an earlier scrape cut its texts."""
    facts, site = scale
    for document in facts.of_kind("standard"):
        for language in LANGUAGES:
            assert len(main_text(site, document.path[language])) > 12_000
            assert tree(site, document.path[language]).xpath("//main//td/table")


def test_counts_of_the_full_scale(full_facts: Facts, full_site: Site) -> None:
    """The numbers of the real pages."""
    counts = full_facts.counts
    assert counts.rows == 217
    assert sum(counts.links.values()) == 1288
    assert counts.distinct_links == 547
    assert counts.linked_documents == {"en": 79, "fr": 79}
    assert counts.default_documents == {"en": 18, "fr": 18}
    assert (counts.anchors, counts.details, counts.qualifications) == (215, 85, 76)
    for language in LANGUAGES:
        page = tree(full_site, full_facts.only("main").path[language])
        assert len(page.xpath("//main//tbody/tr/td/a")) == 1288
        assert len(set(page.xpath("//main//tbody/tr/td/a/@href"))) == 547
        definitions = tree(full_site, full_facts.only("definitions").path[language])
        assert len(definitions.xpath("//main//time")) == 48
        qualifications = tree(full_site, full_facts.only("qualifications").path[language])
        identifiers = {entry.fragment for entry in full_facts.qualifications}
        assert len([h3 for h3 in qualifications.xpath("//main//h3/@id") if h3 in identifiers]) == 76
        listing = tree(full_site, full_facts.only("standard_list").path[language])
        assert len(listing.xpath("//main/div/p/a")) == 18
