"""The main page: the table of all rows with its twelve columns."""

from __future__ import annotations

import re
from typing import Final

from wiq_crawl.replica.facts import COLUMNS, Bilingual, Document, Facts, Row
from wiq_crawl.replica.fixed_facts import MODIFIED
from wiq_crawl.replica.markup import Html, bullets, element, element_with, html, joined, link
from wiq_crawl.replica.template import Page

HEADERS: Final[dict[str, tuple[str, ...]]] = {
    "en": (
        "Group abbreviation",
        "Code",
        "Occupational Group (post 1999)",
        "Group",
        "Subgroup",
        "Definition",
        "Job evaluation standard",
        "Qualification standard",
        "Bargaining update",
        "Collective agreement",
        "Rates of pay for represented employees",
        "Rates of pay for unrepresented/senior excluded employees",
    ),
    "fr": (
        "Abréviation de groupe",
        "Code",
        "Groupe professionnel (après 1999)",
        "Groupe",
        "Sous-groupe",
        "Définition",
        "Norme d’évaluation des emplois",
        "Norme de qualification",
        "Mise à jour sur les négociations",
        "Convention collective",
        "Taux de rémunération des employés représentés",
        "Taux de rémunération des employés non représentés et exclus de niveaux supérieurs",
    ),
}
"""Column headers; the French ones after the third are not confirmed."""

LABELS: Final = {
    "en": {"yes": "Yes", "info": "Info", "none": "N/A", "none_title": "Not Applicable"},
    "fr": {"yes": "Oui", "info": "Info", "none": "S.o.", "none_title": "Sans objet"},
}
"""Text of the link cells and of the cells without value."""

_TABLE_OPTIONS: Final = (
    '{ "stateSave": true, "paging": false, "ordering": false, '
    '"columnDefs": [{ "targets": [0, 1], "visible": false }], "scrollY": "60vh", "scrollX": true }'
)

_BEFORE_PARENTHESES = re.compile(r" (\((?:[^()]|\([^()]*\))*\))(?=$| \()")

_INTRODUCTION: Final = {
    "en": (
        "This table of concordance has one line per group, classification or subgroup. Follow a link in a "
        "line to reach its definition, the standards that apply to it, its bargaining status and its pay."
    ),
    "fr": (
        "Cette table de concordance compte une ligne par groupe, classification ou sous-groupe. Les liens "
        "d’une ligne mènent à sa définition, aux normes, à l’état des négociations et à la paie."
    ),
}
_TIP: Final = {
    "en": (
        "Tip",
        "Short lists are quicker to read: type an open parenthesis and the code in the",
        "filter box",
    ),
    "fr": (
        "Conseil",
        "Pour abréger la liste, inscrivez une parenthèse ouvrante et le code dans le",
        "champ de filtre",
    ),
}


def main_page(facts: Facts, language: str) -> Page:
    """Return the main page of a language."""
    document: Document = facts.only("main")
    return Page(
        language,
        document.path,
        document.title[language],
        joined(element("p", _INTRODUCTION[language]), _tip(language), _table(facts, language)),
        modified=MODIFIED["main"],
        subject="Collective bargaining;" if language == "en" else "Négociation collective;",
    )


def _tip(language: str) -> Html:
    heading, text, label = _TIP[language]
    return element(
        "section",
        "\n",
        element("h3", heading, class_="h4", id="tip"),
        element(
            "p",
            f"{text} “" if language == "en" else f"{text} «\u00a0",
            link("#ToC-tab", label),
            _after(language),
        ),
        bullets("(AI", "(CR", "(EN-ENG"),
        class_="alert alert-info small",
    )


def _after(language: str) -> str:
    return "”." if language == "en" else "\u00a0»."


def _table(facts: Facts, language: str) -> Html:
    head = element(
        "tr",
        "\n",
        *(element("th", header, class_="text-center", scope="col") for header in HEADERS[language]),
        class_="active",
    )
    body = [row_html(row, language) for row in facts.rows_in_order(language)]
    table = element_with(
        "table",
        {"class": "wb-tables table table-condensed", "data-wb-tables": _TABLE_OPTIONS},
        "\n",
        element("thead", "\n", head),
        element("tbody", "\n", *body),
    )
    inner = element("section", "\n", table, class_="small")
    return element("section", "\n", inner, id="ToC-tab", class_="table-responsive2 small")


def row_html(row: Row, language: str) -> Html:
    """Return one row of twelve cells."""
    return element(
        "tr",
        "\n",
        element("td", row.abbreviation, class_="text-center"),
        element("td", row.code[language], class_="text-center"),
        _name_cell(row.group, language, bold=row.first_of_group, identifier=row.cell_id),
        _name_cell(row.classification, language, bold=row.first_of_classification),
        _name_cell(row.subgroup, language, bold=True),
        *(_link_cell(row, column, language) for column in COLUMNS),
    )


def _name_cell(names: Bilingual | None, language: str, *, bold: bool, identifier: str | None = None) -> Html:
    if names is None:
        return _empty_cell(language)
    # The pages break the line before each code in parentheses and keep the space.
    text = Html(_BEFORE_PARENTHESES.sub(r"<br> \1", html(names[language])))
    if bold:
        return element("td", element("strong", text), class_="text-left", id=identifier)
    return element("td", text, class_="text-muted text-left")


def _link_cell(row: Row, column: str, language: str) -> Html:
    if column not in row.links:
        return _empty_cell(language)
    is_information = column == "qualification" and row.qualification_label == "Info"
    label = LABELS[language]["info" if is_information else "yes"]
    notes = [joined(Html("<br> "), line) for line in row.notes.get(column, ())]
    state = "warning" if is_information else "success"
    return element(
        "td",
        " ",
        link(row.links[column][language], label),
        *(notes or [html(" ")]),
        class_=f"{state} text-center",
    )


def _empty_cell(language: str) -> Html:
    labels = LABELS[language]
    abbreviation = element("abbr", labels["none"], class_="text-muted", title=labels["none_title"])
    return element("td", abbreviation, class_="label-default text-center")
