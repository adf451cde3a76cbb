"""Minimal edits of a parsed page, by XPath; each fails where its place is missing."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from lxml import html

if TYPE_CHECKING:
    from collections.abc import Callable

Element = html.HtmlElement
Edit = "Callable[[Element], object]"


def at(root: Element, xpath: str) -> Element:
    found = root.xpath(xpath)
    assert found, f"nothing at {xpath}"
    first: Element = found[0]
    return first


def remove(xpath: str) -> Callable[[Element], object]:
    return lambda root: at(root, xpath).drop_tree()


def unwrap(xpath: str) -> Callable[[Element], object]:
    return lambda root: at(root, xpath).drop_tag()


def rename(xpath: str, tag: str) -> Callable[[Element], object]:
    return lambda root: setattr(at(root, xpath), "tag", tag)


def attribute(xpath: str, name: str, value: str | None) -> Callable[[Element], object]:
    def edit(root: Element) -> None:
        element = at(root, xpath)
        if value is None:
            del element.attrib[name]
        else:
            element.set(name, value)

    return edit


def text(xpath: str, words: str) -> Callable[[Element], object]:
    """Other text in place of everything in the element."""

    def edit(root: Element) -> None:
        element = at(root, xpath)
        for child in list(element):
            element.remove(child)
        element.text = words

    return edit


def twice(xpath: str) -> Callable[[Element], object]:
    def edit(root: Element) -> None:
        element = at(root, xpath)
        copy = deepcopy(element)
        element.addnext(copy)

    return edit


def inside(xpath: str, markup: str) -> Callable[[Element], object]:
    """Markup added at the end of an element."""
    return lambda root: at(root, xpath).append(html.fragment_fromstring(markup))


def before(xpath: str, markup: str) -> Callable[[Element], object]:
    return lambda root: at(root, xpath).addprevious(html.fragment_fromstring(markup))


def move(xpath: str, into: str) -> Callable[[Element], object]:
    """An element moved to the end of another."""
    return lambda root: at(root, into).append(at(root, xpath))


def both(*edits: Callable[[Element], object]) -> Callable[[Element], object]:
    return lambda root: [edit(root) for edit in edits]
