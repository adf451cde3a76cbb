"""The list of job evaluation standards and the standards themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wiq_crawl.replica.fixed_facts import HOST, STANDARD_ELEMENTS
from wiq_crawl.replica.markup import Html, bullets, element, joined, link, numbered
from wiq_crawl.replica.prose import Prose, colon, long_date
from wiq_crawl.replica.standard_tables import (
    amendments_table,
    benchmark_table,
    boundary_table,
    degree_table,
    weighting_table,
)
from wiq_crawl.replica.template import Page

if TYPE_CHECKING:
    from wiq_crawl.replica.facts import Document, Facts

WORDS: Final[dict[str, dict[str, str]]] = {
    "en": {
        "amendments": "Amendments",
        "contents": "Table of contents",
        "introduction": "Introduction",
        "definition": "Group definition",
        "inclusions": "Inclusions",
        "exclusions": "Exclusions",
        "scale": "Rating scale",
        "boundaries": "Point boundaries",
        "element": "Element",
        "benchmarks": "Benchmark index",
        "descriptions": "Benchmark descriptions",
        "appendix": "Appendix A",
        "notes": "Notes to raters",
        "top": "Return to top of page",
        "print": "Print version of the tables (PDF)",
        "effective": "This standard serves to set the level of work of {name}, effective  {date}.",
        "footnote": "Footnote",
        "footnotes": "Footnotes",
        "archived": "Earlier guidelines remain available for reference",
    },
    "fr": {
        "amendments": "Modifications",
        "contents": "Table des matières",
        "introduction": "Introduction",
        "definition": "Définition du groupe",
        "inclusions": "Inclusions",
        "exclusions": "Exclusions",
        "scale": "Échelle de cotation",
        "boundaries": "Limites des points",
        "element": "Élément",
        "benchmarks": "Index des postes-repères",
        "descriptions": "Descriptions des postes-repères",
        "appendix": "Annexe A",
        "notes": "Notes à l’intention des évaluateurs",
        "top": "Haut de la page",
        "print": "Version imprimable des tableaux (PDF)",
        "effective": "La présente norme sert à fixer le niveau du travail de {name}, en vigueur le {date}.",
        "footnote": "Note de bas de page",
        "footnotes": "Notes de bas de page",
        "archived": "Les anciennes lignes directrices restent consultables",
    },
}
"""Headings and labels of a standard."""

ELEMENT_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "en": (
        "Knowledge",
        "Analysis",
        "Communication",
        "Interaction",
        "People and operations",
        "Decision making",
        "Physical effort",
        "Sensory effort",
        "Risk to health",
        "Work environment",
    ),
    "fr": (
        "Connaissances",
        "Analyse",
        "Communication",
        "Interaction",
        "Personnes et opérations",
        "Prise de décisions",
        "Effort physique",
        "Effort sensoriel",
        "Risques pour la santé",
        "Milieu de travail",
    ),
}
"""Names of the rated elements, the most important first."""

_PARTS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "en": (
        ("CT-IAU", "Internal Audit (CT-IAU) subgroup"),
        ("CT-FIN", "Financial Management (CT-FIN) subgroup"),
        ("CT-EAV", "External Audit (CT-EAV) subgroup"),
    ),
    "fr": (
        ("CT-IAU", "Sous-groupe Audit interne (CT-IAU)"),
        ("CT-FIN", "Sous-groupe Gestion financière (CT-FIN)"),
        ("CT-EAV", "Sous-groupe Vérification externe (CT-EAV)"),
    ),
}
_FEW_ELEMENTS: Final = 4
_MANY_BENCHMARKS: Final = 8


def standard_page(document: Document, facts: Facts, language: str, seed: int) -> Page:
    """Return one standard."""
    prose = Prose(seed, language, f"standard/{document.code}", document.code.lower())
    words = WORDS[language]
    body = _parts(document, prose) if document.code == "CT" else _chapters(document, prose)
    contents = bullets(*(link(f"#{identifier}", heading) for identifier, heading, _ in body))
    content: list[Html] = [
        element("h2", words["amendments"], id="amd"),
        amendments_table(document, prose),
        element("h2", words["contents"]),
        contents,
    ]
    for identifier, heading, chapter in body:
        content += [element("h2", heading, id=identifier), *chapter, _to_top(language)]
    content += [_footnotes(prose), _ending(document, facts, prose)]
    list_document = facts.of_kind("standard_list")
    trail = tuple((page.path[language], page.title[language]) for page in list_document)
    return Page(
        language,
        document.path,
        document.title[language],
        joined(*content),
        modified=f"2024-{1 + prose.number(12):02d}-{1 + prose.number(28):02d}",
        breadcrumb=trail,
    )


Chapter = tuple[str, str, list[Html]]


def _chapters(document: Document, prose: Prose) -> list[Chapter]:
    language = prose.language
    words = WORDS[language]
    count = STANDARD_ELEMENTS.get(document.code, _FEW_ELEMENTS + prose.number(3))
    names = ELEMENT_NAMES[language][:count]
    chapters = [
        (words["introduction"], _introduction(document, prose)),
        (words["definition"], _definition(prose)),
        (words["scale"], [weighting_table(names, prose)]),
        (words["boundaries"], [boundary_table(prose)]),
    ]
    for number, name in enumerate(names, start=1):
        heading = f"{words['element']} {number}{colon(language)} {name}"
        chapters.append((heading, _element(name, prose, nested=number == 1)))
    chapters.append((words["benchmarks"], [benchmark_table(document.code, _MANY_BENCHMARKS, prose)]))
    chapters.append((words["descriptions"], _benchmarks(document.code, prose)))
    numbered_chapters = [(f"toc{number}", *chapter) for number, chapter in enumerate(chapters, start=1)]
    return [*numbered_chapters, ("appA", words["appendix"], [element("p", prose.paragraph("rating", 6))])]


def _parts(document: Document, prose: Prose) -> list[Chapter]:
    """Return the four parts of the one standard that serves three subgroups."""
    language = prose.language
    words = WORDS[language]
    introduction = _introduction(document, prose)
    parts: list[Chapter] = [("toc1", document.title[language], [*introduction, *_definition(prose)])]
    for position, (code, title) in enumerate(_PARTS[language], start=2):
        names = ELEMENT_NAMES[language][: position + 1]
        chapter = [element("h3", words["introduction"]), element("p", prose.paragraph("rating", 4))]
        for number, name in enumerate(names, start=1):
            chapter.append(element("h3", f"{words['element']} {number}{colon(language)} {name}"))
            chapter += _element(name, prose, nested=number == 1)
        chapter.append(element("h3", words["benchmarks"]))
        chapter.append(benchmark_table(code, _FEW_ELEMENTS, prose))
        parts.append((f"toc{position}", title, chapter))
    return parts


def _introduction(document: Document, prose: Prose) -> list[Html]:
    language = prose.language
    listed = document.list_name[language] if document.list_name else ""
    name = f"{listed.partition('|')[0].partition(' ')[2]} ({document.code})"
    day = long_date(document.date or "", language)
    mark = element("sup", link("#fn1", "1", class_="fn-lnk"), id="fn1-rf")
    sentence = WORDS[language]["effective"].format(name=name, date=day)
    return [
        element("p", sentence, " ", prose.paragraph("rating", 2), mark),
        element("p", prose.paragraph("rating", 4)),
    ]


def _definition(prose: Prose) -> list[Html]:
    words = WORDS[prose.language]
    return [
        element("p", prose.paragraph("duty", 4)),
        element("h3", words["inclusions"]),
        numbered(*prose.items(5)),
        element("h3", words["exclusions"]),
        numbered(*prose.items(3)),
    ]


def _element(name: str, prose: Prose, *, nested: bool) -> list[Html]:
    return [
        element("p", prose.paragraph("rating", 5)),
        degree_table(name, prose, nested=nested),
        element("h4", WORDS[prose.language]["notes"]),
        numbered(*(prose.paragraph("rating", 2) for _ in range(3))),
    ]


def _benchmarks(code: str, prose: Prose) -> list[Html]:
    content: list[Html] = []
    for number in range(1, _MANY_BENCHMARKS + 1):
        content.append(element("h3", f"{code}-{number:02d}", id=f"bm{number}"))
        content += [element("p", prose.paragraph("duty", 4)), element("p", prose.paragraph("rating", 4))]
    return content


def _footnotes(prose: Prose) -> Html:
    words = WORDS[prose.language]
    note = element("dd", element("p", prose.paragraph("notice", 2)), element("p", link("#fn1-rf", "1")), id="fn1")
    listed = element("dl", element("dt", f"{words['footnote']} 1"), note)
    return element("aside", element("h2", words["footnotes"], id="fn"), listed, class_="wb-fnote", role="note")


def _ending(document: Document, facts: Facts, prose: Prose) -> Html:
    language = prose.language
    words = WORDS[language]
    # One file that is not a page: the crawler shall name it and leave it alone.
    file = f"{HOST}/content/dam/tbs-sct/documents/{document.code.lower()}-tables-{language}.pdf"
    links = [link(file, words["print"])]
    if document.code == "EC":
        links += [link(page.path[language], words["archived"]) for page in facts.of_kind("archived")]
    relative = document.path[language].rpartition("/")[0].rpartition("/")[2]
    links += [
        link(f"../{relative}/{page.path[language].rpartition('/')[2]}", page.title[language])
        for page in facts.of_kind("standard_list")
    ]
    return bullets(*links)


def _to_top(language: str) -> Html:
    return element("p", link("#wb-cont", WORDS[language]["top"]), class_="text-right small")
