"""The page that lists the published job evaluation standards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wiq_crawl.replica.fixed_facts import HOST
from wiq_crawl.replica.markup import Html, bullets, element, joined, link
from wiq_crawl.replica.prose import Prose
from wiq_crawl.replica.template import Page

if TYPE_CHECKING:
    from wiq_crawl.replica.facts import Facts

_HEADINGS: Final = {
    "en": (
        "1. Application",
        "2. Context",
        "3. Gender neutrality",
        "4. Consequences",
        "5. Related policies, instruments, and mandated tools",
        "6. Enquiries",
    ),
    "fr": (
        "1. Application",
        "2. Contexte",
        "3. Neutralité entre les sexes",
        "4. Conséquences",
        "5. Politiques, instruments et outils obligatoires connexes",
        "6. Demandes de renseignements",
    ),
}
_WORDS: Final = {
    "en": {
        "policy": "Policy Context",
        "list": "List of JESs (alphabetical order with the effective year)",
        "intro": "The employer rates its jobs by the standards below.",
        "missing": "A standard missing from this list can be had from the ",
        "intranet": "standards page of GCxchange",
        "or": " (government network only) or by writing to the ",
        "enquiries": "enquiries team",
        "directive": "Directive on Classification",
        "act": "Financial Administration Act",
    },
    "fr": {
        "policy": "Contexte de la politique",
        "list": "Liste des NEE (ordre alphabétique avec l’année d’entrée en vigueur)",
        "intro": "L’employeur cote ses emplois selon les normes suivantes.",
        "missing": "Une norme absente de cette liste s’obtient à la ",
        "intranet": "page des normes de GCéchange",
        "or": " (réseau du gouvernement seulement) ou en écrivant à l’",
        "enquiries": "équipe des renseignements",
        "directive": "Directive sur la classification",
        "act": "Loi sur la gestion des finances publiques",
    },
}
_LISTED_KINDS: Final = ("standard", "plan", "guidelines")


def standard_list_page(facts: Facts, language: str, seed: int) -> Page:
    """Return the list of standards: policy context, note on missing ones, one line each."""
    document = facts.only("standard_list")
    words = _WORDS[language]
    prose = Prose(seed, language, "standard-list")
    return Page(
        language,
        document.path,
        document.title[language],
        joined(
            element("p", words["intro"]),
            _policy(facts, prose),
            _missing(language),
            element("h2", words["list"], id="jes-list"),
            *_lines(facts, language),
        ),
        modified="2025-05-07",
    )


def _policy(facts: Facts, prose: Prose) -> Html:
    words = _WORDS[prose.language]
    content: list[Html] = []
    for number, heading in enumerate(_HEADINGS[prose.language], start=1):
        content.append(element("h3", heading))
        content.append(element("p", f"{number}.1 {prose.paragraph('notice', 2)}"))
    language = prose.language
    suffix = {"en": "eng", "fr": "fra"}[language]
    policies = [
        link(f"https://www.tbs-sct.canada.ca/pol/doc-{suffix}.aspx?id=28700", words["directive"]),
        link(f"https://laws-lois.justice.gc.ca/{suffix}/acts/F-11/", words["act"]),
        # The guide is linked with its host, as editors often paste addresses.
        *(link(f"{HOST}{page.path[language]}", page.title[language]) for page in facts.of_kind("guide")),
        link(facts.only("main").path[language], facts.only("main").title[language]),
    ]
    summary = element("summary", element("span", words["policy"], class_="h2"))
    return element("details", "\n", summary, *content, bullets(*policies), class_="mrgn-bttm-md")


def _missing(language: str) -> Html:
    words = _WORDS[language]
    note = element(
        "p",
        words["missing"],
        link("https://gcxgce.sharepoint.com/teams/1000174/", words["intranet"]),
        words["or"],
        link("mailto:standards@replica.invalid", words["enquiries"]),
        ".",
        id="jes-nee",
    )
    return element("section", "\n", note, class_="alert alert-info")


def _lines(facts: Facts, language: str) -> list[Html]:
    listed = [page for page in facts.documents if page.kind in _LISTED_KINDS and page.list_name]
    # The guidelines of a group come after its standard.
    listed.sort(key=lambda page: (page.code, page.kind == "guidelines"))
    lines = []
    for page in listed:
        name, _, label = (page.list_name or {})[language].partition("|")
        lines.append(element("p", f"{name} - ", link(page.path[language], label)))
    return lines
