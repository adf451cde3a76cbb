"""The definitions page: one collapsible block per group or classification, one section per entry."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from wiq_crawl.replica.definition_notices import notice
from wiq_crawl.replica.fixed_facts import HOST
from wiq_crawl.replica.markup import Html, element, element_with, html, joined, link
from wiq_crawl.replica.prose import Prose, colon, long_date, subject_of, text_key
from wiq_crawl.replica.shapes import ListShape, Part, parse_shape
from wiq_crawl.replica.template import Page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wiq_crawl.replica.facts import Anchor, Facts

SECTION_TITLES: Final[dict[str, dict[str, str]]] = {
    "en": {
        "I": "Inclusions",
        "i": "Inclusion",
        "E": "Exclusions",
        "e": "Exclusion",
        "T": "Skilled Trades, Journeyman and Higher",
        "R": "Related information",
    },
    "fr": {
        "I": "Inclusions",
        "i": "Inclusion",
        "E": "Exclusions",
        "e": "Exclusion",
        "T": "Métiers spécialisés, compagnon et niveaux supérieurs",
        "R": "Renseignements connexes",
    },
}
"""Headings of the sections of an entry, by the letter of the shape."""

_INTRODUCTION: Final = {
    "en": "What each group, classification and subgroup covers, takes in and leaves out.",
    "fr": "Ce que chaque groupe, classification et sous-groupe vise, comprend et laisse de côté.",
}
_BUTTONS: Final = {"en": ("Expand All", "Collapse All"), "fr": ("Développer tout", "Réduire tout")}
_LEADS: Final = {
    "en": {
        "I": "To remove doubt, {name} takes in the work whose main purpose is one of these:",
        "E": "The following lie outside {name}:",
    },
    "fr": {
        "I": "Pour lever tout doute, {name} comprend le travail dont le but est l’un des suivants{colon}",
        "E": "Ne font pas partie de {name}{colon}",
    },
}
_OPENINGS: Final = {
    "en": "Positions in {name} share one purpose.",
    "fr": "Les postes de {name} ont un but commun.",
}
_RESEARCH: Final = {
    "en": Html(', <abbr title="Research and Development">R&amp;D</abbr> included'),
    "fr": Html(', <abbr title="Recherche et développement">R-D</abbr> comprise'),
}
# Editors of the real page left markup in comments.
_LEFT_OUT: Final = Html('<!-- <section><h3 id="def-au">Auditing (AU) Definition</h3><p>Withdrawn.</p></section> -->\n')
_ONE_IN: Final = 23
_DEFINITION_WORDS = re.compile(r"(?: [Gg]roup| [Ss]ub-?[Gg]roup)? [Dd]efinition$")
_CODE = re.compile(r"\s*\((?:[^()]|\([^()]*\))*\)")


def definitions_page(facts: Facts, language: str, seed: int) -> Page:
    """Return the definitions page of a language."""
    document = facts.only("definitions")
    families = _families(facts.anchors)
    blocks = [_details(family[0], family[1:], language, seed) for family in families]
    main = facts.only("main")
    return Page(
        language,
        document.path,
        document.title[language],
        joined(
            element("p", _INTRODUCTION[language]),
            _buttons(language),
            _LEFT_OUT,
            element("div", "\n", *blocks, id="def-elements", class_="mrgn-tp-lg"),
        ),
        modified=document.date or "",
        issued="2012-01-16",
        breadcrumb=((main.path[language], main.title[language]),),
    )


def _families(anchors: Sequence[Anchor]) -> list[list[Anchor]]:
    """Put every group or classification together with the subgroups that follow it."""
    families: list[list[Anchor]] = []
    for anchor in anchors:
        if anchor.summary_id:
            families.append([anchor])
        else:
            families[-1].append(anchor)
    return families


def _buttons(language: str) -> Html:
    buttons = [
        element_with(
            "button",
            {
                "type": "button",
                "class": "btn btn-default wb-toggle",
                "data-toggle": f'{{"selector": "details", "parent": "#def-elements", "type": "{state}"}}',
            },
            label,
        )
        for label, state in zip(_BUTTONS[language], ("on", "off"), strict=True)
    ]
    return element("div", "\n", buttons[0], "\n", buttons[1], "\n", class_="btn-group")


def _details(anchor: Anchor, subgroups: Sequence[Anchor], language: str, seed: int) -> Html:
    name = anchor.summary[language] if anchor.summary else ""
    summary = element_with(
        "summary",
        {"id": anchor.summary_id, "class": "wb-toggle", "data-toggle": '{"print":"on"}'},
        " ",
        element("span", name, class_="h4"),
        " ",
    )
    content = element(
        "section",
        "\n",
        element("h2", name, class_="wb-inv"),
        _entry(anchor, subgroups, language, seed),
    )
    is_group = (anchor.summary_id or "").startswith("grp-")
    # A class of the real pages pushes classifications to the right; they are siblings of their group.
    indent = "mrgn-bttm-sm" if is_group else "mrgn-lft-lg mrgn-bttm-sm"
    return element("details", "\n", summary, "\n", content, class_=indent)


def _entry(anchor: Anchor, subgroups: Sequence[Anchor], language: str, seed: int) -> Html:
    prose = Prose(seed, language, text_key(anchor.identifier), subject_of(anchor.identifier))
    on_paragraph = anchor.element == "p"
    level = 3 if anchor.summary_id else 4
    heading = _heading(anchor, language)
    children: list[Html] = [element(f"h{level}", heading, id=None if on_paragraph else anchor.identifier)]
    identifier = anchor.identifier if on_paragraph else None
    first = True
    for part in parse_shape(anchor.shape):
        if part.kind == "notice":
            children.append(notice(anchor, name_of(anchor, language), language))
        elif part.kind == "paragraph":
            children.append(_paragraph(anchor, prose, language, identifier=identifier, first=first))
            identifier, first = None, False
        elif part.kind == "list" and part.list_shape:
            children.append(_list(part.list_shape, prose))
        elif part.kind == "section":
            children.append(_section(anchor, part, prose, level + 1))
        else:
            children.extend(_entry(subgroup, (), language, seed) for subgroup in subgroups)
    return element("section", "\n", *children)


def _heading(anchor: Anchor, language: str) -> Html:
    heading = html(anchor.heading[language])
    if not anchor.excerpt_of:
        return heading
    joint = {"en": " and ", "fr": " et "}[language]
    parents = Html(joint.join(link(f"#{parent}", _code_of(parent)) for parent in anchor.excerpt_of))
    excerpt = element("span", {"en": "Excerpt", "fr": "Extrait"}[language], class_="text-uppercase")
    if language == "en":
        label = joined(excerpt, " of full ", parents, " Definition")
    else:
        label = joined(excerpt, " de la définition complète de ", parents)
    return joined(heading, " ", element("span", label, class_="label label-warning"))


def _code_of(anchor: str) -> str:
    return anchor.removeprefix("def-").upper()


def name_of(anchor: Anchor, language: str) -> str:
    """Return the name in a heading without the words for definition and without its code."""
    heading = anchor.heading[language]
    if language == "en":
        heading = _DEFINITION_WORDS.sub("", heading)
    else:
        heading = re.sub(r"^Définition(?: :| du groupe| du sous-groupe) ", "", heading)
    return _CODE.sub("", heading)


def _quoted(anchor: Anchor, language: str) -> str:
    name = name_of(anchor, language)
    return f"“{name}”" if language == "en" else f"«\u00a0{name}\u00a0»"


def _paragraph(anchor: Anchor, prose: Prose, language: str, *, identifier: str | None, first: bool) -> Html:
    kind = "duty" if anchor.summary_id else "subgroup"
    text = prose.paragraph(kind, 3 + prose.number(3))
    if first:
        text = _OPENINGS[language].format(name=_quoted(anchor, language)) + " " + text
    return element("p", text, id=identifier)


def _section(anchor: Anchor, part: Part, prose: Prose, level: int) -> Html:
    language = prose.language
    heading = element(f"h{level}", SECTION_TITLES[language][part.label])
    if part.label == "R":
        return element("section", "\n", heading, _related(anchor, language))
    children: list[Html] = [heading]
    for position, child in enumerate(part.parts):
        if child.list_shape:
            children.append(_list(child.list_shape, prose))
            continue
        introduces = any(later.list_shape for later in part.parts[position + 1 :])
        children.append(element("p", _section_text(anchor, part.label, prose, introduces=introduces)))
    return element("section", "\n", *children)


def _section_text(anchor: Anchor, label: str, prose: Prose, *, introduces: bool) -> str:
    language = prose.language
    kind = {"I": "duty", "i": "duty", "T": "subgroup"}.get(label, "exclusion")
    if introduces and label.upper() in _LEADS[language]:
        lead = _LEADS[language][label.upper()]
        return lead.format(name=_quoted(anchor, language), colon=colon(language))
    return prose.paragraph(kind, 2 + prose.number(2))


def _list(shape: ListShape, prose: Prose) -> Html:
    values, nested = dict(shape.values), dict(shape.nested)
    items = []
    for number, text in enumerate(prose.items(shape.count), start=1):
        body: Html = html(text)
        if number in nested:
            inner = _list(nested[number], prose)
            stem = re.sub(r"(?:; (?:and|et)|[;.])$", "", text)
            body = joined(f"{stem}{colon(prose.language)} ", Html(inner.replace("<ol", '<ol class="lst-lwr-alph"', 1)))
        elif prose.number(_ONE_IN) == 0:
            cut = re.search(r"(?:; (?:and|et)|[;.])$", text)
            stem = text[: cut.start()] if cut else text
            body = joined(stem, _RESEARCH[prose.language], cut[0] if cut else "")
        value = str(values[number]) if number in values else None
        items.append(element("li", body, value=value))
    start = str(shape.start) if shape.start else None
    return element(shape.tag, "\n", *items, start=start)


def _related(anchor: Anchor, language: str) -> Html:
    items = []
    for position, related in enumerate(anchor.related):
        path = related.path[language]
        # Most links are root-relative; some editors pasted protocol-relative or absolute ones.
        href = (path, f"//www.canada.ca{path}", f"{HOST}{path}")[position % 3]
        shown = link(href, f"{related.title[language]} - Canada.ca")
        dated = f" – {long_date(related.date, language)}" if related.date else ""
        items.append(element("li", shown, dated, "."))
    return element("ul", "\n", *items)
