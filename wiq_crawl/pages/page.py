"""A page as the page modules see it: its main part, its metadata, and where everything stands."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass

from lxml import etree

from wiq_crawl.errors import StructureDrift
from wiq_crawl.pages.text import collapse, elements, separate_blocks

# Characters that nobody sees and that break comparisons.
_INVISIBLE = ("\u200b", "\ufeff", "\u00ad")


@dataclass(slots=True)
class Page:
    """One opened page.

    ``main`` is the only part records are read from; ``text`` is its normalised text, ``glued_words`` what lost
    its spaces there, ``content_sha256`` the hash of that text (the raw bytes change at every fetch: the head
    carries request ids). XPaths from ``path_of`` hold in the archived page.
    """

    url: str
    language: str
    kind: str
    depth: int
    root: etree._Element
    main: etree._Element
    heading: str
    text: str
    content_sha256: str
    modified: str | None
    modified_source: str | None
    archived: bool
    glued_words: tuple[str, ...]

    def path_of(self, element: etree._Element) -> str:
        """Absolute XPath of an element."""
        return str(element.getroottree().getpath(element))

    def provenance_of(self, element: etree._Element, fragment: str | None) -> dict[str, object]:
        """The provenance columns that every record of an element shares."""
        return {
            "document_url": self.url,
            "fragment": fragment,
            "selector": self.path_of(element),
            "content_sha256": self.content_sha256,
            "document_modified": self.modified,
        }

    def drift(
        self,
        message: str,
        expected: str,
        found: str,
        *,
        selector: str | None = None,
        row: int | None = None,
        next_step: str | None = None,
    ) -> StructureDrift:
        """A structure drift located on this page."""
        return StructureDrift(message, expected, found, self.url, selector, row, next_step)


def parse_html(html: str) -> etree._Element:
    """Parse a page's text: Unicode NFC, invisible characters dropped, white space put around blocks."""
    if not unicodedata.is_normalized("NFC", html):
        html = unicodedata.normalize("NFC", html)
    for character in _INVISIBLE:
        if character in html:
            html = html.replace(character, "")
    # As parsel parses, but for lxml.html's element classes, which cost a call per element.
    parser = etree.HTMLParser(recover=True, encoding="utf-8", huge_tree=True)
    root = etree.fromstring(html.strip().replace("\0", "").encode() or b"<html/>", parser)
    for main in root.iter("main"):
        separate_blocks(main)
    return root


def empty_page_details(main: etree._Element) -> None:
    """Empty the «Page details» part (feedback form, date modified) so that it is not read as content.

    Emptied, not removed: the XPaths of what follows stay those of the archived page.
    """
    for details in elements(main, ".//section[contains(concat(' ', normalize-space(@class), ' '), ' pagedetails ')]"):
        tail = details.tail
        details.clear()
        details.tail = tail


def content_hash(text: str) -> str:
    """SHA-256 of a normalised text."""
    return hashlib.sha256(text.encode()).hexdigest()


def metadata(root: etree._Element, name: str) -> str | None:
    """Content of a ``meta`` element of the head, or None."""
    return collapse(str(root.xpath("string(/html/head/meta[@name=$name]/@content)", name=name))) or None
