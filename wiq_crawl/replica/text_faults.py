"""Faults of the texts: anchors, headings, dates, wording, language and markup of a page."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from html import unescape
from typing import Final

from wiq_crawl.replica.notices import archived_alert
from wiq_crawl.replica.page_edits import (
    PATHS,
    NothingChangedError,
    edited,
    edited_everywhere,
    main_of,
    replaced_text,
    substituted,
)
from wiq_crawl.replica.site import Site
from wiq_crawl.replica.template import REQUEST_ID

Apply = Callable[[Site], Site]

# Entries of the definitions page at both scales: one with sections, one with a single paragraph.
_ENTRY: Final = "def-cr"
_SHORT_ENTRY: Final = "def-srw-mgt"
_CUT_LENGTH: Final = 1000

_DATE_MARKER = r"<gcds-date-modified>\s*([\d-]+)\s*</gcds-date-modified>"
_INLINE = r"a|abbr|span|strong|sup|time"


def fragment_missing(language: str) -> Apply:
    """Take away the id of an entry that the main table links to."""
    return lambda site: edited(site, PATHS["definitions"][language], replaced_text(f' id="{_ENTRY}"', ""))


def fragment_missing_qualification(site: Site) -> Site:
    """Take away the id of a group on the qualification standards page."""
    return edited(site, PATHS["qualifications"]["en"], replaced_text(' id="cr"', ""))


def duplicate_id(site: Site) -> Site:
    """Give a second element the id of an entry."""
    return edited(
        site,
        PATHS["definitions"]["en"],
        substituted(r"(</details>\n)(?!.*</details>)", rf'<section><h4 id="{_ENTRY}">Duplicate</h4></section>\1'),
    )


def main_empty(language: str) -> Apply:
    """Leave nothing but the heading and the date in main."""
    return lambda site: edited(
        site,
        PATHS["standard"][language],
        substituted(r'(<div class="mwstext section">).*?(</div>\n<section class="pagedetails">)', r"\1\2"),
    )


def main_missing(site: Site) -> Site:
    """Turn main into an ordinary block."""
    return edited(
        site,
        PATHS["standard"]["en"],
        lambda text: text.replace("<main ", "<div ").replace("</main>", "</div>"),
    )


def heading_missing(language: str) -> Apply:
    """Leave out the heading of a page."""
    return lambda site: edited(site, PATHS["definitions"][language], substituted(r"<h1\b.*?</h1>\n", ""))


def wrong_language(language: str) -> Apply:
    """Answer with the page of the other language."""
    other = "fr" if language == "en" else "en"

    def apply(site: Site) -> Site:
        body = site[PATHS["definitions"][other]].body.decode()
        return edited(site, PATHS["definitions"][language], lambda _text: body)

    return apply


def text_language(site: Site) -> Site:
    """Print the text of the other language under the right metadata and heading."""

    def swap(site: Site, path: str, other: str) -> Site:
        pattern = re.compile(r'<div class="mwstext section">.*?</div>\n(?=<section class="pagedetails">)', re.DOTALL)
        found = pattern.search(site[other].body.decode())
        if found is None:
            message = f"no text in {other}"
            raise NothingChangedError(message)
        return edited(site, path, lambda text: pattern.sub(lambda _match: found[0], text))

    return swap(site, PATHS["standard"]["en"], PATHS["standard"]["fr"])


def two_urls_same_text(site: Site) -> Site:
    """Answer for one standard with the whole content of another."""
    main = main_of(site[PATHS["standard"]["en"]].body.decode())
    return edited(site, PATHS["other_standard"]["en"], lambda text: text.replace(main_of(text), main))


def text_truncated(language: str) -> Apply:
    """Cut the paragraph of an entry at exactly 1,000 characters, inside a word."""

    def cut(text: str) -> str:
        entry = re.search(rf'(<h4 id="{_SHORT_ENTRY}">.*?</h4>\n<p>)(.*?)</p>', text, re.DOTALL)
        if entry is None:
            return text
        others = " ".join(re.findall(r"<p>([^<]{200,})</p>", text))
        whole = f"{unescape(entry[2])} {unescape(others)}"
        shortened = whole[:_CUT_LENGTH]
        # The cut shall fall inside a word and leave no word that stands elsewhere.
        if not (whole[_CUT_LENGTH - 1].isalpha() and whole[_CUT_LENGTH].isalpha()):
            shortened = shortened[: _CUT_LENGTH - 5] + " qual"
        return text.replace(entry[0], f"{entry[1]}{shortened}</p>", 1)

    return lambda site: edited(site, PATHS["definitions"][language], cut)


def definition_emptied(site: Site) -> Site:
    """Leave an entry with its heading only."""
    pattern = rf'(<h4 id="{_SHORT_ENTRY}">.*?</h4>\n)<p>.*?</p>\n'
    return edited(site, PATHS["definitions"]["en"], substituted(pattern, r"\1"))


def inclusions_renamed(site: Site) -> Site:
    """Give the sections on inclusions another heading."""
    return edited(site, PATHS["definitions"]["en"], substituted(r"(<h[45]>)Inclusions?(</h)", r"\1Covered work\2"))


def words_glued(language: str) -> Apply:
    """Take away the white space around inline elements."""

    def glue(text: str) -> str:
        main = main_of(text)
        glued = re.sub(rf"\s+(<(?:{_INLINE})\b)", r"\1", main)
        glued = re.sub(rf"(</(?:{_INLINE})>)\s+(?=[^<\s])", r"\1", glued)
        return text.replace(main, glued, 1)

    def apply(site: Site) -> Site:
        for kind in ("definitions", "qualifications"):
            site = edited(site, PATHS[kind][language], glue)
        return site

    return apply


def archived_page(site: Site) -> Site:
    """Put the notice of an archived page above a standard."""
    notice = archived_alert("en")
    return edited(site, PATHS["standard"]["en"], substituted(r"(</h1>\n)", rf"\1{notice}", count=1))


def alternate_missing(site: Site) -> Site:
    """Leave out the links to the other language in the head."""
    return edited(site, PATHS["definitions"]["en"], substituted(r'\t<link rel="alternate"[^>]*>\n', ""))


def date_missing(site: Site) -> Site:
    """Leave out the date of the last change, in the page and in the metadata."""
    bare = edited(site, PATHS["standard"]["en"], substituted(_DATE_MARKER, ""))
    return edited(bare, PATHS["standard"]["en"], substituted(r'\t<meta name="dcterms\.modified"[^>]*>\n', ""))


def old_date_widget(site: Site) -> Site:
    """Print every date of change in the form of the former template."""
    widget = (
        '<dl id="wb-dtmd">\n<dt>Date modified:</dt>\n'
        r'<dd><time property="dateModified">\1</time></dd>' + "\n</dl>"
    )
    return edited_everywhere(site, substituted(_DATE_MARKER, widget))


def date_malformed(site: Site) -> Site:
    """Print the date of the last change in another order."""
    return edited(
        site,
        PATHS["standard"]["en"],
        substituted(_DATE_MARKER, "<gcds-date-modified>12/31/25</gcds-date-modified>"),
    )


def template_variant(site: Site) -> Site:
    """Wrap the content of every page in the containers of the newer template."""

    def convert(text: str) -> str:
        for old, new in (
            ('class="mwstitle section"', 'class="cmp-title"'),
            ('class="mwstext section"', 'class="cmp-container"'),
            ('class="mwsgeneric-base-html parbase section"', 'class="cmp-experiencefragment"'),
            ('typeof="WebPageElement" class="container"', 'typeof="WebPageElement" class=""'),
            ('resource="#wb-webpage" class=""', 'resource="#wb-webpage" class="mwspage-generic"'),
        ):
            text = text.replace(old, new)
        return re.sub(_DATE_MARKER, r"<gcds-date-modified>\1</gcds-date-modified>", text)

    return edited_everywhere(site, convert)


def unicode_variants(site: Site) -> Site:
    """Write accents as combining characters, straight apostrophes, and narrow no-break spaces."""

    def convert(text: str) -> str:
        main = main_of(text)
        varied = unicodedata.normalize("NFD", main).replace("’", "'").replace("&nbsp;", "\u202f")
        return text.replace(main, varied, 1)

    return edited_everywhere(site, convert)


def hash_noise(site: Site) -> Site:
    """Put scripts that change with every request inside main."""
    script = f'<script>window.noise="{REQUEST_ID}";</script>\n'
    return edited_everywhere(
        site, replaced_text('<section class="pagedetails">\n', f'<section class="pagedetails">\n{script}')
    )
