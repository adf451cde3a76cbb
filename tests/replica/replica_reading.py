"""Read the replica's pages with nothing but lxml, for tests that must not lean on the crawler."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lxml import html

if TYPE_CHECKING:
    from pathlib import Path

    from wiq_crawl.replica.site import Site


def tree(site: Site, path: str) -> html.HtmlElement:
    """Return the parsed page of a path."""
    return html.document_fromstring(site[path].body.decode())


def main_text(site: Site, path: str) -> str:
    """Return the text of a page's main element with single spaces."""
    (main,) = tree(site, path).xpath("//main")
    return " ".join(str(main.text_content()).split())


def text_of_file(path: Path) -> str:
    """Return the text of the main element of a page kept as a file."""
    page: html.HtmlElement = html.document_fromstring(path.read_bytes())
    return " ".join(str(main.text_content()) for main in page.iter("main"))


def own_text(page: html.HtmlElement, anchor: str) -> str:
    """Return the text of a definitions entry without its heading and without its subgroups."""
    (section,) = page.xpath("//*[@id=$anchor]/ancestor::section[1]", anchor=anchor)
    kept = [
        child
        for child in section
        if isinstance(child.tag, str)
        and child.tag not in {"h3", "h4"}
        and not child.xpath("self::section/*[starts-with(@id, 'def-')]")
    ]
    return " ".join(" ".join(str(child.text_content()).split()) for child in kept)


def words(text: str) -> list[str]:
    """Return the words of a text in lower case."""
    return re.findall(r"\w+", text.lower())
