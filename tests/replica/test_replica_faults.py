"""Every fault changes what is served, and only what it names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from replica_reading import main_text, tree

from wiq_crawl.replica.faults import FAULTS
from wiq_crawl.replica.page_edits import PATHS, NothingChangedError, edited

if TYPE_CHECKING:
    from wiq_crawl.replica.facts import Facts
    from wiq_crawl.replica.site import Site

KINDS = {
    None,
    "duplicate_content",
    "expectation",
    "glued_words",
    "http_error",
    "moved",
    "pairing",
    "robots_forbidden",
    "soft_not_found",
    "structure_drift",
    "truncated_text",
    "unreachable",
    "wrong_language",
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_changes_the_site_at_both_scales(name: str, scale: tuple[Facts, Site]) -> None:
    """A fault that fits no page any more must not pass unnoticed."""
    _, site = scale
    before = dict(site)
    damaged = FAULTS[name].apply(site)
    assert damaged != before
    assert site == before
    assert FAULTS[name].expect in KINDS
    assert FAULTS[name].name == name


def test_edit_without_effect_is_an_error(small_site: Site) -> None:
    """An edit must say so when it no longer fits."""
    with pytest.raises(NothingChangedError):
        edited(small_site, PATHS["main"]["en"], str)


def _damaged(site: Site, name: str) -> Site:
    return FAULTS[name].apply(site)


def test_table_faults_do_what_they_say(small_site: Site) -> None:
    """Headers, cells and rows of the damaged main table."""
    path = PATHS["main"]["en"]
    rows = len(tree(small_site, path).xpath("//main//tbody/tr"))

    def widths(name: str) -> set[int]:
        return {len(row) for row in tree(_damaged(small_site, name), path).xpath("//main//tbody/tr")}

    assert widths("header_added") == {13}
    assert widths("header_missing") == {8}
    assert widths("row_short") == {11, 12}
    assert len(tree(_damaged(small_site, "header_missing"), path).xpath("//main//th")) == 8
    assert len(tree(_damaged(small_site, "rows_lost"), path).xpath("//main//tbody/tr")) == rows - 3
    assert len(tree(_damaged(small_site, "row_added"), path).xpath("//main//tbody/tr")) == rows + 1
    assert tree(_damaged(small_site, "rowspan_introduced"), path).xpath("//main//td[@rowspan=2]")
    assert tree(_damaged(small_site, "colspan_introduced"), path).xpath("//main//td[@colspan=2]")
    by_script = tree(_damaged(small_site, "table_by_script"), path)
    assert not by_script.xpath("//main//tbody/tr")
    assert by_script.xpath("//script[@id='row-data']")


def test_text_faults_do_what_they_say(small_site: Site) -> None:
    """Cut, glued, emptied and swapped texts."""
    definitions = PATHS["definitions"]["en"]
    cut = tree(_damaged(small_site, "text_truncated"), definitions)
    (paragraph,) = cut.xpath("//h4[@id='def-srw-mgt']/following-sibling::p")
    assert len(paragraph.text_content()) == 1000
    assert paragraph.text_content()[-1].isalpha()
    glued = _damaged(small_site, "words_glued")
    assert re.search(r"effective[A-Z]", main_text(glued, definitions))
    assert "Adegreeearned" in main_text(glued, PATHS["qualifications"]["en"])
    assert not tree(_damaged(small_site, "definition_emptied"), definitions).xpath("//*[@id='def-srw-mgt']/../p")
    same = _damaged(small_site, "two_urls_same_text")
    assert main_text(same, PATHS["standard"]["en"]) == main_text(same, PATHS["other_standard"]["en"])
    french = tree(_damaged(small_site, "text_language"), PATHS["standard"]["en"])
    assert french.get("lang") == "en"
    assert "Table des matières" in french.xpath("string(//main)")


def test_pages_of_other_templates_keep_their_text(small_site: Site) -> None:
    """Where the crawl must succeed, the text stays as it was."""
    for name in ("old_date_widget", "template_variant", "server_error_once", "slow_response"):
        damaged = _damaged(small_site, name)
        assert all(
            main_text(damaged, path).replace("Date modified: ", "") == main_text(small_site, path)
            for path in PATHS["definitions"].values()
        )
