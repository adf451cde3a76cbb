"""Errors of the source that are kept as published and reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wiq_crawl.items import Record
    from wiq_crawl.pages.page import Page

# One sentence per rule of issues.schema.json.
_MESSAGES = {
    "abbreviation_differs": (
        "The abbreviation does not begin the group’s own code.",
        "L’abréviation ne correspond pas au code du groupe.",
    ),
    "code_absent": ("The code is missing.", "Le code manque."),
    "code_doubled": ("The code stands twice.", "Le code figure deux fois."),
    "code_differs_between_languages": (
        "The code differs between English and French.",
        "Le code diffère entre l’anglais et le français.",
    ),
    "space_missing_before_code": ("The space before the code is missing.", "L’espace devant le code manque."),
    "malformed_link": ("The link is malformed and leads nowhere.", "Le lien est mal formé et ne mène nulle part."),
    "date_attribute_differs": (
        "The machine-readable date differs from the written one.",
        "La date lisible par machine diffère de la date écrite.",
    ),
    "effective_date_absent": ("No effective date is written.", "Aucune date d’entrée en vigueur n’est écrite."),
    "fragment_missing_known": (
        "The fragment is missing from its page, as is known.",
        "Le fragment manque dans sa page, comme on le sait.",
    ),
    "duplicate_anchor": ("The same id stands twice in the page.", "Le même identifiant figure deux fois dans la page."),
    "amendments_absent": ("The standard has no table of amendments.", "La norme n’a pas de tableau des modifications."),
    "glued_word": ("Two words are run together.", "Deux mots sont collés."),
    "truncation_suspected": ("A text of a round length has no ending.", "Un texte de longueur ronde n’a pas de fin."),
    "row_order_differs": (
        "The row stands elsewhere in the other language.",
        "La ligne se trouve ailleurs dans l’autre langue.",
    ),
}


def issue(page: Page, rule: str, subject: str, expected: str, found: str, record: Mapping[str, object]) -> Record:
    """One record of the table issues, standing where ``record`` (or any provenance columns) stands."""
    return source_issue(page.language, rule, subject, expected, found, record)


def source_issue(
    language: str, rule: str, subject: str, expected: str, found: str, record: Mapping[str, object]
) -> Record:
    """One record of the table issues for a language."""
    english, french = _MESSAGES[rule]
    return {
        "issue_id": f"{rule}:{language}:{record['document_url']}:{subject}",
        "language": language,
        "rule": rule,
        "subject": subject,
        "expected": expected,
        "found": found,
        "message_en": english,
        "message_fr": french,
        "document_url": record["document_url"],
        "fragment": record.get("fragment"),
        "selector": record["selector"],
        "content_sha256": record["content_sha256"],
        "document_modified": record["document_modified"],
    }
