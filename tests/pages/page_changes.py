"""Small changes of one element of a page: what editors, templates and broken tools do to markup."""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree, html

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    Element = html.HtmlElement

STRAY_TABLE = "stray/table"
BLOCK_TAGS = frozenset("p ul ol dl table section details div h1 h2 h3 h4 h5 h6".split())


@dataclass(frozen=True)
class Mutation:
    """A change of one element of a page: False where it does not apply.

    An ``invisible`` one changes nothing that a reader of the page would see or follow.
    """

    name: str
    change: Callable[[Element, random.Random], bool]
    invisible: bool = False


def _delete(element: Element, _chance: random.Random) -> bool:
    element.drop_tree()
    return True


def _duplicate(element: Element, _chance: random.Random) -> bool:
    copy = deepcopy(element)
    element.tail = None
    element.addnext(copy)
    return True


def _rename(element: Element, chance: random.Random) -> bool:
    tags = {
        "h2": ("h3", "p"),
        "h3": ("h2", "h4", "p", "div"),
        "h4": ("h3", "h5", "p", "strong"),
        "h5": ("h4", "h6", "p"),
        "td": ("th", "div"),
        "th": ("td",),
        "tr": ("div",),
        "tbody": ("tfoot", "thead", "div"),
        "thead": ("tbody", "tfoot", "div"),
        "ul": ("ol", "div", "dl"),
        "ol": ("ul", "div"),
        "li": ("div", "p", "dd"),
        "a": ("span", "button"),
        "p": ("div", "h4", "li", "blockquote"),
        "section": ("div", "article", "aside", "details"),
        "details": ("gcds-details", "div", "section"),
        "summary": ("div", "h3", "gcds-summary"),
        "time": ("span",),
    }
    element.tag = chance.choice(tags.get(str(element.tag), ("div", "span", "gcds-thing")))
    return True


def _drop_id(element: Element, _chance: random.Random) -> bool:
    return element.attrib.pop("id", None) is not None


def _rename_id(element: Element, chance: random.Random) -> bool:
    name = element.get("id")
    if name:
        element.set(
            "id", chance.choice((f"{name}-x", name.upper(), f"x{name}", re.sub("^grp|^occ", "org", name) + "y"))
        )
    return bool(name)


def _duplicate_id(element: Element, chance: random.Random) -> bool:
    others = [other for other in element.getroottree().getroot().iterfind(".//main//*[@id]") if other is not element]
    if others:
        element.set("id", str(chance.choice(others).get("id")))
    return bool(others)


def _swap_prefix(element: Element, _chance: random.Random) -> bool:
    name = element.get("id") or ""
    swapped = {"grp": "occ", "occ": "grp"}.get(name[:3])
    if swapped:
        element.set("id", swapped + name[3:])
    return swapped is not None


def _drop_class(element: Element, _chance: random.Random) -> bool:
    return element.attrib.pop("class", None) is not None


def _alter_class(element: Element, chance: random.Random) -> bool:
    element.set("class", chance.choice(("cmp-text", "well", "wb-inv", "lst-lwr-alph", "note", "alert")))
    return True


def _unwrap(element: Element, _chance: random.Random) -> bool:
    element.drop_tag()
    return True


def _empty(element: Element, _chance: random.Random) -> bool:
    tail = element.tail
    attributes = dict(element.attrib)
    element.clear()
    element.attrib.update(attributes)
    element.tail = tail
    return True


def _empty_own_text(element: Element, _chance: random.Random) -> bool:
    had = bool((element.text or "").strip())
    element.text = None
    return had


def _swap(element: Element, _chance: random.Random) -> bool:
    following = element.getnext()
    if following is None or not isinstance(following.tag, str):
        return False
    following.addnext(_moved(element))
    return True


def _moved(element: Element) -> Element:
    """The element without the text after it, which stays where it is."""
    copy = deepcopy(element)
    copy.tail = None
    element.drop_tree()
    return copy


def _move_into_next(element: Element, _chance: random.Random) -> bool:
    following = element.getnext()
    if following is None or not isinstance(following.tag, str):
        return False
    following.insert(0, _moved(element))
    return True


def _move_out(element: Element, _chance: random.Random) -> bool:
    parent = element.getparent()
    assert parent is not None
    if parent.tag == "main":
        return False
    parent.addnext(_moved(element))
    return True


def _span(name: str) -> Callable[[Element, random.Random], bool]:
    def change(element: Element, _chance: random.Random) -> bool:
        if element.tag in ("td", "th"):
            element.set(name, "2")
        return element.tag in ("td", "th")

    return change


def _change_href(element: Element, chance: random.Random) -> bool:
    if element.get("href") is None:
        return False
    href = str(element.get("href"))
    element.set(
        "href", chance.choice(("", "#", "http://[", f"{href}x", "mailto:a@b.ca", "javascript:void(0)", href.upper()))
    )
    return True


def _drop_href(element: Element, _chance: random.Random) -> bool:
    return element.attrib.pop("href", None) is not None


def _text_inside(element: Element, _chance: random.Random) -> bool:
    """Text where it may not belong: directly in the element, behind its last child."""
    if len(element):
        element[-1].tail = (element[-1].tail or "") + " Stray words. "
    return bool(len(element))


def _link_inside(element: Element, _chance: random.Random) -> bool:
    link = etree.SubElement(element, "a", href="/en/treasury-board-secretariat/stray.html")
    link.text = "stray link"
    return element.tag != "a"


def _table_inside(element: Element, _chance: random.Random) -> bool:
    cells = "</td><td>".join(STRAY_TABLE.split("/"))
    element.append(html.fromstring(f"<table><tbody><tr><td>{cells}</td></tr></tbody></table>"))
    return True


def _label_case(element: Element, _chance: random.Random) -> bool:
    if not element.text or not element.text.strip() or len(element.text) > 40 or element.text.isupper():
        return False
    element.text = element.text.upper()
    return True


def _comment(element: Element, chance: random.Random) -> bool:
    comment = etree.Comment(" <section><h4 id='def-x'>Inclusions</h4><p>Not seen.</p></section> ")
    if chance.random() < 0.5:
        element.insert(0, comment)
        comment.tail, element.text = element.text, None
    else:
        comment.tail, element.tail = element.tail, None
        element.addnext(comment)
    return True


def _script(element: Element, _chance: random.Random) -> bool:
    if element.tag in ("tr", "tbody", "thead", "table"):
        return False
    script = etree.SubElement(element, "script")
    script.text = "window.words = 'never read';"
    return True


def _attributes(element: Element, _chance: random.Random) -> bool:
    element.set("data-emptytbl", "1")
    element.set("class", f"{element.get('class', '')} cmp-new".strip())
    return True


def _wrap(tag: str) -> Callable[[Element, random.Random], bool]:
    def change(element: Element, _chance: random.Random) -> bool:
        if element.tag not in BLOCK_TAGS:
            return False
        wrapper = etree.Element(tag, {"class": "cmp-container"})
        element.addprevious(wrapper)
        wrapper.tail, element.tail = element.tail, None
        wrapper.append(element)
        return True

    return change


def _span_content(element: Element, _chance: random.Random) -> bool:
    """The element’s own text in a span of its own."""
    if not (element.text or "").strip() or element.tag in ("script", "style"):
        return False
    wrapper = etree.Element("span")
    wrapper.text, element.text = element.text, None
    element.insert(0, wrapper)
    return True


def _white_space(element: Element, _chance: random.Random) -> bool:
    for part in element.iter():
        if isinstance(part.tag, str) and part.tag not in ("script", "style"):
            part.text = part.text and re.sub(r"\s+", " \u00a0\n\t", part.text)
            if part is not element:
                part.tail = part.tail and re.sub(r"\s+", "\u202f\r\n", part.tail)
    return True


MUTATIONS = (
    Mutation("delete", _delete),
    Mutation("duplicate", _duplicate),
    Mutation("rename the tag", _rename),
    Mutation("drop the id", _drop_id),
    Mutation("rename the id", _rename_id),
    Mutation("give the id of another element", _duplicate_id),
    Mutation("swap the id’s prefix", _swap_prefix),
    Mutation("drop the class", _drop_class),
    Mutation("alter the class", _alter_class),
    Mutation("unwrap", _unwrap),
    Mutation("empty", _empty),
    Mutation("empty its own text", _empty_own_text),
    Mutation("swap with the next sibling", _swap),
    Mutation("move into the next sibling", _move_into_next),
    Mutation("move out of its parent", _move_out),
    Mutation("add a rowspan", _span("rowspan")),
    Mutation("add a colspan", _span("colspan")),
    Mutation("change the href", _change_href),
    Mutation("drop the href", _drop_href),
    Mutation("put text inside", _text_inside),
    Mutation("put a link inside", _link_inside),
    Mutation("put a table inside", _table_inside),
    Mutation("write it in capitals", _label_case),
    Mutation("put in a comment", _comment, invisible=True),
    Mutation("put in a script", _script, invisible=True),
    Mutation("add attributes", _attributes, invisible=True),
    Mutation("wrap it in a div", _wrap("div"), invisible=True),
    Mutation("wrap it in an unknown element", _wrap("gcds-container"), invisible=True),
    Mutation("put its text in a span", _span_content, invisible=True),
    Mutation("other white space", _white_space, invisible=True),
)
