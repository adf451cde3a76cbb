"""Small functions that build HTML text with every plain text escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_VOID: Final = frozenset({"br", "hr", "img", "link", "meta"})
_INLINE: Final = frozenset(
    {"a", "abbr", "br", "button", "cite", "code", "em", "i", "small", "span", "strong", "sub", "sup", "time"},
)


class Html(str):
    """Text that is HTML already and needs no escaping."""

    __slots__ = ()


def html(text: str) -> Html:
    """Return plain text as HTML; no-break spaces become the entity that the pages use."""
    return text if isinstance(text, Html) else Html(escape(text, quote=False).replace("\u00a0", "&nbsp;"))


def element(name: str, *children: str, **attributes: str | None) -> Html:
    """Return an element; ``class_`` stands for class, ``_`` for ``-``, and ``None`` leaves out."""
    named = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
    return element_with(name, named, *children)


def element_with(name: str, attributes: Mapping[str, str | None], *children: str) -> Html:
    """Return an element whose attributes have arbitrary names."""
    written = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items() if value is not None)
    if name in _VOID:
        return Html(f"<{name}{written}>")
    # Only block elements end a line: a line end inside a sentence would be a space too many.
    ending = "" if name in _INLINE else "\n"
    return Html(f"<{name}{written}>{joined(*children)}</{name}>{ending}")


def joined(*parts: str) -> Html:
    """Return several texts in a row, plain ones escaped."""
    return Html("".join(html(part) for part in parts))


def link(href: str, *children: str, **attributes: str | None) -> Html:
    """Return a link."""
    return element_with("a", {"href": href, **{key.rstrip("_"): value for key, value in attributes.items()}}, *children)


def time(day: str, shown: str, **attributes: str | None) -> Html:
    """Return a time element with a datetime attribute."""
    return element("time", html(shown), datetime=day, **attributes)


def date(day: str, shown: str, language: str) -> Html:
    """Return a date in a time element; the French 1er is raised."""
    body = html(shown)
    if language == "fr":
        body = Html(body.replace("1er ", "1<sup>er</sup> ", 1) if body.startswith("1er ") else body)
    return element("time", body, class_="nowrap", datetime=day)


def bullets(*items: str) -> Html:
    """Return an unordered list."""
    return element("ul", "\n", *(element("li", item) for item in items))


def numbered(*items: str, **attributes: str | None) -> Html:
    """Return an ordered list."""
    return element("ol", "\n", *(element("li", item) for item in items), **attributes)
