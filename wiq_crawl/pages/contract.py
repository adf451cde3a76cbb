"""The structure contract that every page obeys, whatever its kind; ``open_page`` raises where one does not.

The template's facts (GCWeb, canada.ca): https://wet-boew.github.io/GCWeb/
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from wiq_crawl.errors import GluedWords, SoftNotFound, StructureDrift, TruncatedText, WrongLanguage
from wiq_crawl.labels import LANGUAGES, label, labels
from wiq_crawl.pages.dates import iso_date
from wiq_crawl.pages.page import Page, content_hash, empty_page_details, metadata, parse_html
from wiq_crawl.pages.text import attributes, elements, glued_words, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lxml import etree

# ISO 639-2/T codes of dcterms.language.
_METADATA_LANGUAGE = {"en": "eng", "fr": "fra"}
_COMMON_WORDS = {
    "en": frozenset("the of and to in for is are with that by on be".split()),
    "fr": frozenset("le la les des de et du pour une est dans aux par sur au".split()),
}
# Characters read and words recognised before a text's language is judged.
_CHARACTERS_READ = 10_000
_WORDS_RECOGNISED = 20
# Characters a page says beside its heading, at the least.
_SHORTEST_CONTENT = 40
# Glued words on one page before they are drift rather than a slip of the source; the real pages have none.
_GLUED_WORDS_ALLOWED = 2
_GLUED_PLACES_ALLOWED = 5
# The earlier recorded scrape cut its texts at 10,000 characters: a multiple of this, with no full stop, is a cut.
ROUND_LENGTH = 1000
CERTAIN_LENGTH = 10_000
_ENDINGS = tuple(".;:!?)»”\"'’…*")
_ARCHIVED = ".//*[@class][contains(@class, 'gc-archv') or contains(concat(' ', @class), ' alert')]"
# Pages the crawl depends on are never archived; further ones may be.
_DEPTH_REQUIRED = 1


def open_page(html: str, url: str, *, language: str, kind: str, depth: int) -> Page:
    """Parse a page and hold it against the contract.

    Raises StructureDrift, WrongLanguage, SoftNotFound, TruncatedText or GluedWords.
    """
    if "</html>" not in html[-2000:].lower():
        raise TruncatedText("the page has no end", "</html> at the end", f"«{html[-40:].strip()}»", url)
    root = parse_html(html)
    main = _only(root, "//main", url)
    heading = _heading(root, main, url)
    _check_language(root, url, language)
    modified, modified_source = _modified(root, main, url)
    empty_page_details(main)
    _check_around(main, url)
    text = text_of(main)
    page = Page(
        url,
        language,
        kind,
        depth,
        root,
        main,
        heading,
        text,
        content_sha256=content_hash(text),
        modified=modified,
        modified_source=modified_source,
        archived=_is_archived(main),
        glued_words=tuple(glued_words(text)),
    )
    if len(text) - len(heading) < _SHORTEST_CONTENT:
        raise page.drift(
            "main is empty",
            f"at least {_SHORTEST_CONTENT} characters beside the heading",
            f"{len(text) - len(heading)}",
            selector="//main",
        )
    _check_heading(page)
    _check_alternate(page)
    _check_text(page)
    if depth <= _DEPTH_REQUIRED and page.archived:
        raise page.drift("the page is archived", "a page in force", "an archived notice", selector=_ARCHIVED)
    return page


def alternate_url(page: Page) -> str | None:
    """Address of the page in the other official language, from ``link rel=alternate hreflang``."""
    other = next(language for language in LANGUAGES if language != page.language)
    found = page.root.xpath("string(/html/head/link[@rel='alternate'][@hreflang=$other]/@href)", other=other)
    return str(found).strip() or None


def check_not_cut(page: Page, texts: Iterable[tuple[str, str]]) -> None:
    """Raise TruncatedText where a text, given with its selector, is cut at a round length.

    One round length proves little (an entry of the real page has 1,000 characters and no full stop): a cut
    is a round length without ending that also stops inside a word, or that two texts share, or that reaches
    10,000 characters.
    """
    suspects = [(text, selector) for text, selector in texts if is_suspect(text)]
    lengths = Counter(len(text) for text, _ in suspects)
    for text, selector in suspects:
        last_word = text.rsplit(maxsplit=1)[-1]
        inside_word = len(re.findall(rf"(?<!\w){re.escape(last_word)}(?!\w)", page.text)) <= 1
        if inside_word or lengths[len(text)] > 1 or len(text) >= CERTAIN_LENGTH:
            raise TruncatedText(
                "a text is cut at a round length",
                "a text that ends as sentences do",
                f"{len(text)} characters ending «{text[-30:]}»",
                page.url,
                selector,
            )


def is_suspect(text: str) -> bool:
    """Whether a text has a round length and no ending: a multiple of 1,000 characters, no closing punctuation."""
    return len(text) >= ROUND_LENGTH and len(text) % ROUND_LENGTH == 0 and not text.endswith(_ENDINGS)


def _is_archived(main: etree._Element) -> bool:
    """Whether the page carries the template's archived notice."""
    wanted = [label("page.archived", language) for language in LANGUAGES]
    return any(
        "gc-archv" in notice.get("class", "") or any(found.matches(text_of(notice)) for found in wanted)
        for notice in elements(main, _ARCHIVED)
    )


def _only(root: etree._Element, xpath: str, url: str) -> etree._Element:
    found = elements(root, xpath)
    if len(found) != 1:
        raise StructureDrift("the page’s frame changed", f"exactly one {xpath}", str(len(found)), url, xpath)
    return found[0]


def _check_around(main: etree._Element, url: str) -> None:
    """Main, its page details emptied, holds neither the footer nor a date modified: a class or an end tag was lost."""
    for element in main.iter("footer", "gcds-date-modified", "time"):
        known = element.get("id") == "wb-info" or element.get("property") == "dateModified"
        if known or element.tag == "gcds-date-modified":
            raise StructureDrift(
                "main holds what stands around the content",
                "footer and date modified outside of it, or in section.pagedetails",
                f"<{element.tag}>",
                url,
                f"//main//{element.tag}",
            )


def _heading(root: etree._Element, main: etree._Element, url: str) -> str:
    headings = elements(main, ".//h1")
    heading = text_of(headings[0]) if headings else ""
    title = text_of(title) if (title := root.find("head/title")) is not None else ""
    for found in (heading, title):
        if any(label("page.not_found", language).matches(found) for language in LANGUAGES):
            raise SoftNotFound(
                "status 200 with a «page not found» text", "the page itself", f"«{found}»", url, "//main//h1"
            )
    if len(headings) != 1 or headings[0].get("id") != "wb-cont" or not heading:
        shown = ", ".join(f"<h1 id={element.get('id')!r}> «{text_of(element)}»" for element in headings) or "none"
        raise StructureDrift("main heading", "exactly one h1#wb-cont with text", shown, url, "//main//h1")
    return heading


def _check_language(root: etree._Element, url: str, language: str) -> None:
    stated = (root.get("lang") or "").split("-")[0].lower()
    if stated != language:
        raise WrongLanguage(
            "the page is in another language", f"lang={language!r}", f"lang={stated!r}", url, "/html/@lang"
        )
    written = metadata(root, "dcterms.language")
    if written is not None and written != _METADATA_LANGUAGE[language]:
        raise WrongLanguage(
            "the page’s metadata name another language",
            f"dcterms.language {_METADATA_LANGUAGE[language]!r}",
            repr(written),
            url,
            "/html/head/meta[@name='dcterms.language']/@content",
        )


def _modified(root: etree._Element, main: etree._Element, url: str) -> tuple[str | None, str | None]:
    """The date the page states, from the newest form of the template to the oldest."""
    candidates = {
        "gcds-date-modified": [text_of(element) for element in main.iter("gcds-date-modified")],
        "dcterms.modified": [metadata(root, "dcterms.modified") or ""],
        "dateModified": [text.strip() for text in attributes(main, ".//time[@property='dateModified']//text()")],
    }
    stated = [(text, source) for source, texts in candidates.items() for text in texts if text]
    for text, source in stated:
        date = iso_date(text)
        if date is None:
            raise StructureDrift("date modified", "a date as YYYY-MM-DD", f"«{text}» in {source}", url, f"//{source}")
        return date, source
    raise StructureDrift("date modified", "one of " + ", ".join(candidates), "none", url, "//gcds-date-modified")


def _check_heading(page: Page) -> None:
    wanted = labels(page.language).get(f"h1.{page.kind}")
    if wanted is not None and not wanted.matches(page.heading):
        raise page.drift(
            "main heading", f"h1 {wanted}", f"«{page.heading}»", selector="//main//h1", next_step=wanted.next_step
        )


def _check_alternate(page: Page) -> None:
    if alternate_url(page) is None:
        other = next(language for language in LANGUAGES if language != page.language)
        raise page.drift(
            "link to the other language",
            f"link rel=alternate hreflang={other}",
            "none",
            selector="/html/head/link[@rel='alternate']",
        )


def _check_text(page: Page) -> None:
    words = page.text[:_CHARACTERS_READ].lower().split()
    counts = {language: sum(map(common.__contains__, words)) for language, common in _COMMON_WORDS.items()}
    other = max((count, language) for language, count in counts.items() if language != page.language)
    if sum(counts.values()) >= _WORDS_RECOGNISED and other[0] > counts[page.language]:
        raise WrongLanguage(
            "the text is in another language",
            f"mostly common words of {page.language!r}",
            f"{counts[page.language]} of {page.language!r} and {other[0]} of {other[1]!r}",
            page.url,
            "//main",
        )
    glued = list(dict.fromkeys(page.glued_words))
    if len(glued) > _GLUED_WORDS_ALLOWED or len(page.glued_words) > _GLUED_PLACES_ALLOWED:
        raise GluedWords(
            "words are run together",
            f"at most {_GLUED_WORDS_ALLOWED} words with a capital or a digit inside",
            f"{len(glued)}, such as " + ", ".join(f"«{word}»" for word in glued[:5]),
            page.url,
            "//main",
        )
    check_not_cut(page, [(page.text, "//main")])
