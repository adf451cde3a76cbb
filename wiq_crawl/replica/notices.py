"""Pages two links away, and those without content: notices, guidelines, 404, robots.txt, sitemap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from wiq_crawl.replica.fixed_facts import HOST, LANGUAGES
from wiq_crawl.replica.markup import Html, bullets, element, joined, link, numbered
from wiq_crawl.replica.prose import Prose, long_date
from wiq_crawl.replica.template import Page

if TYPE_CHECKING:
    from wiq_crawl.replica.facts import Document, Facts

ROBOTS_PATH: Final = "/robots.txt"
SITEMAP_PATH: Final = "/sitemap.xml"
STYLE_PATH: Final = "/etc/designs/canada/wet-boew/css/theme.min.css"

ROBOTS: Final = """\
User-agent: *
Disallow: /en/sr/srb.html
Disallow: /fr/sr/srb.html
Disallow: /en/*/menu.html
Disallow: /*/_jcr_content/par*
Disallow: /content/dam/cra-arc/formspubs/

Sitemap: https://www.canada.ca/sitemap.xml
"""
"""Rules with wildcards, none of which touches the pages of the replica."""

STYLE: Final = """\
body{font:16px/1.5 sans-serif;margin:0 2em;color:#333}
h1{border-bottom:2px solid #af3c43}a{color:#284162}
table{border-collapse:collapse;font-size:85%}td,th{border:1px solid #ccc;padding:.3em;vertical-align:top}
.success{background:#d9eed6}.warning{background:#f9f4d4}.label-default{background:#eee}
.visible-xs{display:none}
.wb-inv{position:absolute;left:-10000px}.text-muted{color:#666}
.breadcrumb,.list-inline,.gcweb-menu ul{list-style:none;padding:0}
.breadcrumb li,.gcweb-menu li{display:inline;margin-right:1em}
details{margin:.3em 0;padding:.3em .6em;border:1px solid #ccc}.mrgn-lft-lg{margin-left:2em}
.well{background:#ee7100;color:#000;padding:.6em}.alert{border-left:4px solid #269abc;padding:.2em 1em}
.lst-lwr-alph{list-style:lower-alpha}footer{margin-top:2em;border-top:4px solid #26374a}
"""
"""A few rules in place of the real style sheet."""

_ARCHIVED: Final = {
    "en": (
        "We have archived this page and will not be updating it.",
        "It is kept for research and reference.",
    ),
    "fr": (
        "Cette page Web a été archivée dans le Web",
        "Elle est conservée aux fins de recherche et de référence.",
    ),
}
_NOT_FOUND: Final = {
    "en": ("We cannot find that page", "Check the address, or go to the", "home page"),
    "fr": ("Nous ne trouvons pas cette page", "Vérifiez l’adresse, ou passez à la", "page d’accueil"),
}
_NOTICE_LABELS: Final = {
    "en": ("Date", "To", "Heads of human resources", "Purpose", "Details"),
    "fr": ("Date", "Destinataires", "Chefs des ressources humaines", "Objet", "Précisions"),
}


def plain_page(document: Document, facts: Facts, language: str, seed: int) -> Page:
    """Return a notice, guideline, plan, guide, index or contact page."""
    prose = Prose(seed, language, f"page/{document.path['en']}", document.code.lower())
    builders = {
        "notice": _notice,
        "guidelines": _chapters,
        "plan": _chapters,
        "guide": _chapters,
        "archived": _chapters,
    }
    builder = builders.get(document.kind, _short)
    content = [*builder(document, prose), *_onward(document, facts, language)]
    if document.kind == "archived":
        content.insert(0, archived_alert(language))
    modified = document.date or f"2023-{1 + prose.number(12):02d}-{1 + prose.number(28):02d}"
    return Page(language, document.path, document.title[language], joined(*content), modified=modified)


def archived_alert(language: str) -> Html:
    """Return the alert of an archived page."""
    heading, text = _ARCHIVED[language]
    return element("section", "\n", element("h2", heading), element("p", text), class_="alert alert-warning gc-archv")


def not_found_page() -> bytes:
    """Return the bilingual page for unknown addresses; it has a main and a heading like any page."""
    halves = []
    for language in LANGUAGES:
        heading, text, home = _NOT_FOUND[language]
        code = element("p", "404 – ", element("strong", {"en": "Error", "fr": "Erreur"}[language]))
        back = element("p", f"{text} ", link(f"/{language}.html", home), ".")
        halves.append(element("section", "\n", element("h2", heading), code, back, class_="col-md-6", lang=language))
    heading = Html('<h1 id="wb-cont" class="wb-inv" property="name">Page not found / Page non trouvée</h1>\n')
    return joined(
        Html('<!doctype html>\n<html class="no-js" dir="ltr" lang="en">\n<head>\n<meta charset="utf-8"/>\n'),
        Html("<title>Page not found / Page non trouvée - Canada.ca</title>\n</head>\n"),
        Html('<body vocab="http://schema.org/" typeof="WebPage">\n'),
        element("main", heading, *halves, property="mainContentOfPage", class_="container"),
        Html("</body>\n</html>\n"),
    ).encode()


def sitemap(facts: Facts) -> bytes:
    """Return the list of all pages with their canonical addresses."""
    paths = [document.path[language] for document in facts.documents for language in LANGUAGES]
    lines = "\n".join(f"<url><loc>{escape(HOST + path)}</loc></url>" for path in sorted(paths))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
        f"{lines}\n</urlset>\n"
    ).encode()


def _notice(document: Document, prose: Prose) -> list[Html]:
    date_label, to_label, to, purpose, details = _NOTICE_LABELS[prose.language]
    lines = [element("p", element("strong", to_label), f" – {to}")]
    if document.date:
        lines.insert(0, element("p", element("strong", date_label), f" – {long_date(document.date, prose.language)}"))
    return [
        *lines,
        element("h2", purpose),
        element("p", prose.paragraph("notice", 3)),
        element("h2", details),
        element("p", prose.paragraph("notice", 3)),
        bullets(*prose.items(4)),
    ]


def _chapters(_document: Document, prose: Prose) -> list[Html]:
    content: list[Html] = []
    for number in range(1, 7):
        content.append(element("h2", f"{number}. {prose.phrase('item').capitalize()}", id=f"sec{number}"))
        content += [element("p", prose.paragraph("rating", 5)), numbered(*prose.items(4))]
    return content


def _short(_document: Document, prose: Prose) -> list[Html]:
    return [element("p", prose.paragraph("notice", 3))]


def _onward(document: Document, facts: Facts, language: str) -> list[Html]:
    if document.kind == "agreement_index":
        return [bullets(*(link(page.path[language], page.title[language]) for page in facts.of_kind("agreement")))]
    if document.kind == "guide":
        return [element("p", link(facts.only("definitions").path[language], facts.only("definitions").title[language]))]
    return []
