"""The page around the content: head, header, breadcrumb, page details and footer of canada.ca.

Nothing here loads from another host; addresses of the real site appear in links only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Final

from wiq_crawl.replica.fixed_facts import HOST
from wiq_crawl.replica.markup import Html, element, element_with, joined, link

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

REQUEST_ID: Final = "0badc0de00000000"
"""Stands in the pages where the real site writes an id of the request; a server replaces it."""

CREATOR: Final = {
    "en": "Treasury Board of Canada Secretariat",
    "fr": "Secrétariat du Conseil du Trésor du Canada",
}

_WORDS: Final[dict[str, dict[str, str]]] = {
    "en": {
        "language": "Language selection",
        "other": "Français",
        "skip": "Skip to main content",
        "government": "Government of Canada",
        "menu": "Menu",
        "jobs": "Jobs and the workplace",
        "travel": "Travel and tourism",
        "here": "You are here:",
        "details": "Page details",
        "about": "About this site",
        "contact": "Contact us",
        "terms": "Terms and conditions",
        "search": "Search",
    },
    "fr": {
        "language": "Sélection de la langue",
        "other": "English",
        "skip": "Passer au contenu principal",
        "government": "Gouvernement du Canada",
        "menu": "Menu",
        "jobs": "Emplois et milieu de travail",
        "travel": "Voyage et tourisme",
        "here": "Vous êtes ici :",
        "details": "Détails de la page",
        "about": "À propos de ce site",
        "contact": "Contactez-nous",
        "terms": "Avis",
        "search": "Recherche",
    },
}

_BREADCRUMB: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "en": (
        ("/en.html", "Canada.ca"),
        ("/en/government/publicservice.html", "Working for the government"),
        ("/en/government/publicservice/workforce.html", "Public service workforce"),
        ("/en/government/publicservice/workforce/staffing.html", "Public service staffing"),
    ),
    "fr": (
        ("/fr.html", "Canada.ca"),
        ("/fr/gouvernement/fonctionpublique.html", "Travailler pour le gouvernement"),
        ("/fr/gouvernement/fonctionpublique/effectif.html", "Effectif de la fonction publique"),
        ("/fr/gouvernement/fonctionpublique/effectif/dotation.html", "Dotation dans la fonction publique"),
    ),
}

_CONTACT: Final = {
    "en": "/en/treasury-board-secretariat/corporate/contact.html",
    "fr": "/fr/secretariat-conseil-tresor/organisation/contactez-nous.html",
}


@dataclass(frozen=True)
class Page:
    """What the template needs to know of a page."""

    language: str
    path: Mapping[str, str]
    title: str
    content: Html
    modified: str
    issued: str = "2008-04-04"
    subject: str = "Classification;"
    blocks: str = "mwstext section"
    breadcrumb: Sequence[tuple[str, str]] = field(default=())


def render(page: Page) -> bytes:
    """Return the bytes of a page."""
    text = joined(
        Html("<!doctype html>\n\n\n"),
        Html(f'<html class="no-js" dir="ltr" lang="{page.language}" xmlns="http://www.w3.org/1999/xhtml">\n\n'),
        _head(page),
        Html('\n<body vocab="http://schema.org/" typeof="WebPage" resource="#wb-webpage" class="">\n\n'),
        _header(page),
        _main(page),
        _footer(page.language),
        Html(f'<script>window.replicaBottom="{REQUEST_ID}";</script>\n</body>\n</html>\n'),
    )
    return text.encode()


def modified_marker(day: str) -> Html:
    """Return the element that holds the date of the last change."""
    return Html(f"<gcds-date-modified>\n\t{day}\n</gcds-date-modified>\n")


def _head(page: Page) -> Html:
    other = "fr" if page.language == "en" else "en"
    alternates = [
        Html(f'\t<link rel="alternate" hreflang="{language}" href="{HOST}{page.path[language]}"/>\n')
        for language in (page.language, other)
    ]
    meta = {
        "author": CREATOR[page.language],
        "dcterms.title": page.title,
        "dcterms.creator": CREATOR[page.language],
    }
    dated = {"dcterms.issued": page.issued, "dcterms.modified": page.modified}
    title = page.title
    return joined(
        Html('<head prefix="og: http://ogp.me/ns#">\n<meta http-equiv="X-UA-Compatible" content="IE=edge"/>\n'),
        Html('<meta charset="utf-8"/>\n'),
        Html(f"<title>{escape(title, quote=False)} - Canada.ca</title>\n"),
        Html('<meta content="width=device-width,initial-scale=1" name="viewport"/>\n'),
        Html('\t<link rel="schema.dcterms" href="http://purl.org/dc/terms/"/>\n'),
        Html(f'\t<link rel="canonical" href="{HOST}{page.path[page.language]}"/>\n'),
        *alternates,
        *(Html(f'\t<meta name="{name}" content="{escape(value)}"/>\n') for name, value in meta.items()),
        Html(
            f'\t<meta name="dcterms.language" title="ISO639-2/T" content="{page.language}'
            f'{"g" if page.language == "en" else "a"}"/>\n',
        ),
        Html(f'\t<meta name="dcterms.subject" title="gccore" content="{escape(page.subject)}"/>\n'),
        *(Html(f'\t<meta name="{name}" title="W3CDTF" content="{value}"/>\n') for name, value in dated.items()),
        Html('\t<meta name="dcterms.audience" content="general public"/>\n'),
        Html('\t<meta name="dcterms.identifier" content="Treasury_Board_of_Canada_Secretariat"/>\n'),
        Html('<link rel="stylesheet" href="/etc/designs/canada/wet-boew/css/theme.min.css"/>\n'),
        Html(f'<script>!function(a){{a.replicaBeacon={{"ak.v":"39","ak.rid":"{REQUEST_ID}"}}}}(window);</script>'),
        Html("</head>\n"),
    )


def _header(page: Page) -> Html:
    words = _WORDS[page.language]
    other = "fr" if page.language == "en" else "en"
    toggle = link(
        page.path[other],
        Html("\n"),
        element("span", words["other"], class_="hidden-xs", translate="no"),
        element("abbr", other, title=words["other"], class_="visible-xs h3 text-uppercase", translate="no"),
        Html("\n"),
        lang=other,
    )
    language_section = element(
        "section",
        element("h2", words["language"], class_="wb-inv"),
        element("ul", element("li", toggle), class_="list-inline mrgn-bttm-0"),
        id="wb-lng",
        class_="col-xs-3 col-sm-12 pull-right text-right",
    )
    brand = element("div", link(f"/{page.language}.html", words["government"], property="url"), class_="brand")
    search = element("section", element("h2", words["search"]), id="wb-srch")
    menu = element(
        "nav",
        element("h2", words["menu"], class_="wb-inv"),
        element_with(
            "ul",
            {"role": "menu"},
            element("li", link(f"{HOST}/{page.language}/services/jobs.html", words["jobs"]), role="presentation"),
            element("li", link("https://travel.gc.ca/", words["travel"]), role="presentation"),
        ),
        class_="gcweb-menu",
        typeof="SiteNavigationElement",
    )
    return element(
        "div",
        Html("\n"),
        element(
            "nav",
            element("ul", element("li", link("#wb-cont", words["skip"]), class_="wb-slc"), id="wb-tphp"),
        ),
        element("header", Html("\n"), language_section, brand, search, menu, _breadcrumb(page)),
        class_="global-header",
    )


def _breadcrumb(page: Page) -> Html:
    # The real breadcrumb quotes its addresses with apostrophes.
    items = "\n".join(
        f"<li><a href='{href}'>{escape(text, quote=False)}</a></li>"
        for href, text in (*_BREADCRUMB[page.language], *page.breadcrumb)
    )
    heading = element("h2", _WORDS[page.language]["here"], class_="wb-inv")
    ordered = Html(f'<div class="container"><ol class="breadcrumb">\n{items}\n</ol></div>')
    return element("nav", heading, ordered, id="wb-bc", property="breadcrumb")


def _main(page: Page) -> Html:
    title = Html(
        f'<h1 property="name" id="wb-cont" dir="ltr">\n{escape(page.title, quote=False)}</h1>\n'.replace(
            "\u00a0",
            "&nbsp;",
        ),
    )
    assets = "/etc/designs/canada/wet-boew/assets"
    feedback = element_with(
        "div",
        {
            "class": "wb-disable-allow",
            "data-ajax-replace": f"{assets}/feedback/page-feedback-{page.language}.html",
        },
    )
    details = element(
        "section",
        Html("\n"),
        element("h2", _WORDS[page.language]["details"], class_="wb-inv"),
        element("div", element("div", feedback, class_="col-sm-8 col-md-9 col-lg-9"), class_="row"),
        modified_marker(page.modified),
        class_="pagedetails",
    )
    return element_with(
        "main",
        {
            "property": "mainContentOfPage",
            "resource": "#wb-main",
            "typeof": "WebPageElement",
            "class": "container",
        },
        Html("\n"),
        element("div", Html("\n"), title, class_="mwstitle section"),
        element("div", page.content, class_=page.blocks),
        details,
    )


def _footer(language: str) -> Html:
    words = _WORDS[language]
    contextual = element(
        "nav",
        element("h3", CREATOR[language]),
        element("ul", element("li", link(_CONTACT[language], words["contact"]))),
    )
    themes = element(
        "nav",
        element("h3", words["government"]),
        element(
            "ul",
            element("li", link(f"/{language}/services/jobs.html", words["jobs"])),
            element("li", link("https://travel.gc.ca/", words["travel"])),
            element("li", link(f"/{language}/transparency/terms.html", words["terms"])),
        ),
    )
    return element(
        "div",
        Html("\n"),
        element(
            "footer",
            element("h2", words["about"], class_="wb-inv"),
            element("section", contextual, class_="gc-contextual"),
            element("div", themes, class_="gc-main-footer"),
            id="wb-info",
        ),
        class_="global-footer",
    )
