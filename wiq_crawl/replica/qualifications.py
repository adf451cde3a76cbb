"""The qualification standards page: one heading per group, in the alphabetical order of a language."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

from wiq_crawl.replica.markup import Html, bullets, date, element, joined, link, numbered
from wiq_crawl.replica.prose import Prose, colon, long_date, subject_of
from wiq_crawl.replica.template import Page

if TYPE_CHECKING:
    from wiq_crawl.replica.facts import Facts, Qualification

_WORDS: Final[dict[str, dict[str, str]]] = {
    "en": {
        "on_page": "On this page",
        "application": "Application",
        "by_group": "Qualification Standards by Group/Classification",
        "contents": "Table of contents",
        "glossary": "Definitions related to the Qualification Standards",
        "education": "Education",
        "certification": "Occupational Certification",
        "trainees": "Trainees",
        "notes": "Notes",
        "minimum": "The minimum standard is:",
        "scope": "These standards govern every appointment and deployment of the groups below.",
        "faq": "mailto:qualifications@replica.invalid",
        "ask": "Write to the standards team",
    },
    "fr": {
        "on_page": "Sur cette page",
        "application": "Application",
        "by_group": "Normes de qualification par groupe/classification",
        "contents": "Table des matières",
        "glossary": "Définitions liées aux Normes de qualification",
        "education": "Études",
        "certification": "Attestation professionnelle",
        "trainees": "Stagiaires",
        "notes": "Remarques",
        "minimum": "La norme minimale est\u00a0:",
        "scope": "Ces normes régissent toute nomination et toute mutation dans les groupes ci-dessous.",
        "faq": "mailto:qualifications@replica.invalid",
        "ask": "Écrire à l’équipe des normes",
    },
}
_GLOSSARY: Final[dict[str, tuple[tuple[str, str, str], ...]]] = {
    "en": (
        ("deg", "degree", "A degree is proof of a full course of university study."),
        (
            "rpsi",
            "recognized institution",
            "An institution is recognized when a province licenses it to teach.",
        ),
        ("acc", "acceptable", "What is acceptable is for the hiring manager to judge and to record."),
        ("spec", "specialization", "A specialization is a set of courses that build on one another."),
    ),
    "fr": (
        ("Dipl", "grade", "Un grade atteste un cycle complet d’études universitaires."),
        (
            "eepr",
            "établissement reconnu",
            "Un établissement est reconnu lorsqu’une province l’autorise à enseigner.",
        ),
        (
            "acce",
            "acceptable",
            "Il revient au gestionnaire d’embauche de juger ce qui est acceptable et de le noter.",
        ),
        ("spec", "spécialisation", "Une spécialisation réunit des cours qui se complètent."),
    ),
}
_TRANSITION_DAY: Final = "1999-10-01"
_CERTIFIED_ONE_IN: Final = 4
_TRAINEES_ONE_IN: Final = 9


def qualifications_page(facts: Facts, language: str, seed: int) -> Page:
    """Return the qualification standards of all groups."""
    document = facts.only("qualifications")
    words = _WORDS[language]
    prose = Prose(seed, language, "qualifications")
    entries = sorted(facts.qualifications, key=lambda entry: _sort_key(entry, language))
    chapters = (("app", words["application"]), ("qsgc", words["by_group"]), ("defqs", words["glossary"]))
    contents = bullets(*(link(f"#{entry.fragment}", entry.name[language]) for entry in entries))
    scope = [
        element("p", words["scope"]),
        element("p", prose.paragraph("notice", 3)),
        bullets(*prose.items(4)),
    ]
    return Page(
        language,
        document.path,
        document.title[language],
        joined(
            element("h2", words["on_page"]),
            bullets(*(link(f"#{identifier}", heading) for identifier, heading in chapters)),
            element("h2", words["application"], id="app"),
            *scope,
            element("h2", words["by_group"], id="qsgc"),
            element("h3", words["contents"], id="toc"),
            contents,
            *(_entry(entry, language, seed) for entry in entries),
            element("h2", words["glossary"], id="defqs"),
            _glossary(language),
            element("p", link(words["faq"], words["ask"])),
        ),
        modified="2024-11-19",
    )


def _sort_key(entry: Qualification, language: str) -> str:
    if language == "en":
        return entry.fragment
    plain = unicodedata.normalize("NFD", entry.name["fr"]).casefold()
    return "".join(character for character in plain if not unicodedata.combining(character))


def _entry(entry: Qualification, language: str, seed: int) -> Html:
    words = _WORDS[language]
    prose = Prose(seed, language, f"qualification/{entry.fragment}", subject_of(entry.fragment))
    parts = [
        element("h3", entry.name[language], id=entry.fragment),
        element("h4", words["education"]),
        element("p", words["minimum"]),
        bullets(_education(prose), prose.items(1)[0]),
    ]
    if prose.number(_TRAINEES_ONE_IN) == 0:
        parts += [element("h5", words["trainees"]), element("p", prose.paragraph("rating", 2))]
    if prose.number(_CERTIFIED_ONE_IN) == 0:
        parts += [element("h4", words["certification"]), element("p", prose.paragraph("duty", 2))]
    inner = Html(numbered(*prose.items(2)).replace("<ol", '<ol class="lst-lwr-alph"', 1))
    notes = numbered(_transition(prose), joined(prose.phrase("rating"), " ", inner))
    parts += [element("h4", words["notes"]), notes]
    return joined(*parts)


def _education(prose: Prose) -> Html:
    """Return a sentence with links to the glossary in the middle of it."""
    terms = [link(f"#{anchor}", term) for anchor, term, _ in _GLOSSARY[prose.language]]
    degree, institution, acceptable, specialization = terms
    if prose.language == "en":
        sentence = ("A ", degree, " earned at a ", institution, ", with an ", acceptable, " ", specialization)
        return joined(*sentence, " that covers ", prose.phrase("item"), ".")
    sentence = ("Un ", degree, " d’un ", institution, ", avec une ", specialization, " ", acceptable)
    return joined(*sentence, " qui touche ", prose.phrase("item"), ".")


def _transition(prose: Prose) -> Html:
    day = date(_TRANSITION_DAY, long_date(_TRANSITION_DAY, prose.language), prose.language)
    if prose.language == "en":
        return joined("Anyone who held such a job on ", day, " meets the standard. ", prose.phrase("rating"))
    return joined("Quiconque occupait un tel poste au ", day, " satisfait à la norme. ", prose.phrase("rating"))


def _glossary(language: str) -> Html:
    terms = []
    for anchor, term, text in _GLOSSARY[language]:
        terms.append(element("dt", f"{term}{colon(language)}", id=anchor))
        terms.append(element("dd", text))
    return element("dl", "\n", *terms)
