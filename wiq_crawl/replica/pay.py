"""Pages on pay: the bargaining update, collective agreements and rates of unrepresented employees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urldefrag

from wiq_crawl.replica.markup import Html, bullets, element, joined, link, numbered, time
from wiq_crawl.replica.prose import Prose, colon, long_date
from wiq_crawl.replica.template import Page

if TYPE_CHECKING:
    from wiq_crawl.replica.facts import Bilingual, Document, Facts

MISSING_FRAGMENTS: Final = frozenset({"rates-pa"})
"""Fragments which the main table names and the agreement lacks."""

_WORDS: Final[dict[str, dict[str, str]]] = {
    "en": {
        "agent": "Bargaining agent",
        "expiry": "Collective agreement expiry date",
        "mechanism": "Dispute resolution mechanism",
        "status": "Bargaining status",
        "arbitration": "Arbitration",
        "agents": "Union of replica employees",
        "between": "Agreement between the employer and the",
        "codes": "Codes",
        "code": "Code",
        "group": "Group",
        "effective": "Effective",
        "current": "Current",
        "archived": "Archived information",
        "annual": "annual rates of pay (in dollars)",
        "level": "Level",
        "from": "From",
        "to": "to",
        "year_end": "Rates are reviewed every",
        "old": "Earlier rates",
        "top": "Return to top of page",
        "definitions": "Definitions",
        "index": "Rates by group",
    },
    "fr": {
        "agent": "Agent négociateur",
        "expiry": "Date d’expiration de la convention collective",
        "mechanism": "Mode de règlement des différends",
        "status": "État des négociations",
        "arbitration": "Arbitrage",
        "agents": "Syndicat des employés de la réplique",
        "between": "Convention entre l’employeur et le",
        "codes": "Codes",
        "code": "Code",
        "group": "Groupe",
        "effective": "En vigueur le",
        "current": "Taux actuels",
        "archived": "Renseignements archivés",
        "annual": "taux de rémunération annuels (en dollars)",
        "level": "Niveau",
        "from": "De",
        "to": "à",
        "year_end": "Les taux sont revus chaque",
        "old": "Anciens taux",
        "top": "Haut de la page",
        "definitions": "Définitions",
        "index": "Taux par groupe",
    },
}
_YEAR_END: Final = {"en": "March 31", "fr": "31 mars"}
_EFFECTIVE_DAYS: Final = ("2022-06-21", "2023-06-21")
_CLAUSES: Final = 6


def bargaining_page(facts: Facts, language: str, seed: int) -> Page:
    """Return the bargaining update: one block per bargaining unit, with the newest date first."""
    document = facts.only("bargaining")
    words = _WORDS[language]
    names: dict[str, str] = {}
    for row in facts.rows_in_order(language):
        if "bargaining" in row.links:
            names.setdefault(urldefrag(row.links["bargaining"][language]).fragment, row.group[language])
    blocks = []
    for fragment, name in names.items():
        prose = Prose(seed, language, f"bargaining/{fragment}", fragment)
        day = f"{2024 + prose.number(3)}-{1 + prose.number(12):02d}-21"
        facts_of_unit = (
            (words["agent"], words["agents"]),
            (words["expiry"], long_date(day, language)),
            (words["mechanism"], words["arbitration"]),
        )
        lines = [
            element("p", element("strong", f"{label}{colon(language)}"), f" {value}") for label, value in facts_of_unit
        ]
        steps = [
            joined(
                time(f"2025-{month:02d}-05", long_date(f"2025-{month:02d}-05", language)),
                " – ",
                prose.phrase("pay"),
            )
            for month in (9, 5, 2)
        ]
        summary = element("summary", element("span", name, class_="h4"), id=fragment)
        status = element("p", element("strong", f"{words['status']}{colon(language)}"))
        blocks.append(element("details", "\n", summary, *lines, status, bullets(*steps)))
    return Page(language, document.path, document.title[language], joined(*blocks), modified="2026-01-20")


def agreement_page(document: Document, facts: Facts, language: str, seed: int) -> Page:
    """Return a collective agreement: its fragments are empty spans inside headings."""
    words = _WORDS[language]
    fragments = _fragments(document, facts, language)
    prose = Prose(seed, language, f"agreement/{document.code}", document.code.lower())
    rows = [row for row in facts.rows_in_order(language) if _is_of(row.links.get("agreement"), document, language)]
    codes = sorted({row.code[language] for row in rows if row.code[language]})
    content: list[Html] = [
        element("p", element("strong", f"{words['between']} {words['agents']}")),
        element("p", element("strong", f"{words['codes']}{colon(language)}"), f" {'/'.join(codes)}"),
        element(
            "p",
            element("strong", f"{words['expiry']}{colon(language)}"),
            " ",
            time("2025-06-20", long_date("2025-06-20", language)),
        ),
        bullets(*(link(f"#toc{number}", f"Article {number}") for number in range(1, _CLAUSES + 1))),
    ]
    for number in range(1, _CLAUSES + 1):
        content.append(element("h2", f"Article {number}", id=f"toc{number}"))
        content.append(element("p", prose.paragraph("pay", 3)))
        content.append(element("p", link("#wb-cont", words["top"]), class_="text-right"))
    for fragment in fragments:
        anchor = element("span", id=fragment)
        code = fragment.removeprefix("rates-").upper()
        content.append(element("h3", anchor, f"{code}{colon(language)} {words['annual']}"))
        content.append(_rate_table(code, prose))
    return Page(language, document.path, document.title[language], joined(*content), modified="2025-08-01")


def rates_page(document: Document, language: str, seed: int) -> Page:
    """Return the rates of one group: current ones, archived ones, and markup left in comments."""
    words = _WORDS[language]
    code = document.code
    prose = Prose(seed, language, f"rates/{code}", code.lower())
    current = element(
        "details",
        "\n",
        element("summary", f"{words['current']} - 2022-2024", id=f"{code}current", class_="wb-toggle"),
        bullets(
            *(
                joined(f"{letter}) {words['effective']} ", time(day, long_date(day, language)))
                for letter, day in zip("$A", _EFFECTIVE_DAYS, strict=True)
            )
        ),
        Html('<!--<table><tr><td>100,000 to 120,000</td></tr></table><h2 id="old">-->\n'),
        _rate_table(code, prose),
        class_="mrgn-bttm-sm",
    )
    archived = element(
        "details",
        "\n",
        element("summary", words["archived"], id=f"{code}archived", class_="wb-toggle"),
        _rowgroup_table(code, prose),
        class_="mrgn-bttm-sm",
    )
    year_end = element("p", f"{words['year_end']} ", time("03-31", _YEAR_END[language]), ". ", prose.phrase("pay"))
    old = element("p", link("http://www.tbs-sct.gc.ca/psm-fpfm/pay-remuneration/rates-taux.asp", words["old"]), ".")
    return Page(
        language,
        document.path,
        document.title[language],
        joined(year_end, current, archived, old),
        modified="2025-03-14",
        blocks="mwsgeneric-base-html parbase section",
    )


def rates_index_page(facts: Facts, language: str, seed: int) -> Page:
    """Return the index of the rates of unrepresented employees."""
    document = facts.only("rates_index")
    words = _WORDS[language]
    prose = Prose(seed, language, "rates-index")
    links = [link(page.path[language], page.code) for page in facts.of_kind("rates")]
    content = [
        element("h2", words["definitions"], id="toc1"),
        element("p", prose.paragraph("pay", 3)),
        element("h2", words["index"], id="toc2"),
        bullets(*links),
        element("p", prose.paragraph("pay", 3)),
    ]
    return Page(language, document.path, document.title[language], joined(*content), modified="2025-03-14")


def _fragments(document: Document, facts: Facts, language: str) -> list[str]:
    found: dict[str, None] = {}
    for href in facts.linked(language):
        url, fragment = urldefrag(href)
        if url == document.path[language] and fragment and fragment not in MISSING_FRAGMENTS:
            found.setdefault(fragment)
    return list(found)


def _is_of(link_of_row: Bilingual | None, document: Document, language: str) -> bool:
    return link_of_row is not None and link_of_row[language] == document.path[language]


def _amount(number: int, language: str) -> str:
    return f"{number:,}" if language == "en" else f"{number:,}".replace(",", "\u00a0")


def _rate_table(code: str, prose: Prose) -> Html:
    language = prose.language
    words = _WORDS[language]
    caption = element(
        "caption", f"{words['code']}{colon(language)} {code}", Html("<br> "), f"{code}-01 – {words['annual']}"
    )
    rows = []
    for letter, day in zip("$A", _EFFECTIVE_DAYS, strict=True):
        low = 60000 + prose.number(40) * 517
        head = element("th", f"{letter}) ", time(day, long_date(day, language)), scope="row")
        cells = (
            f"{_amount(low, language)} {words['to']} {_amount(low + 9211, language)}",
            f"{_amount(low + 4040, language)} ",
        )
        rows.append(element("tr", "\n", head, *(element("td", cell) for cell in cells)))
    notes = element("td", element("p", words["definitions"]), numbered(prose.phrase("pay")), colspan="3")
    head_row = element(
        "tr",
        "\n",
        *(element("th", text, scope="col") for text in (words["effective"], words["from"], words["to"])),
    )
    return element(
        "table",
        "\n",
        caption,
        element("thead", "\n", head_row),
        element("tfoot", "\n", element("tr", notes)),
        element("tbody", "\n", *rows),
        class_="table table-bordered table-condensed table-hover small",
    )


def _rowgroup_table(code: str, prose: Prose) -> Html:
    words = _WORDS[prose.language]
    body = []
    for level in range(1, 3):
        head = element("th", f"{code}-{level:02d}", scope="rowgroup", rowspan="3")
        for step in range(3):
            day = time(f"{2017 + step}-06-21", long_date(f"{2017 + step}-06-21", prose.language))
            cells = (
                element("th", day, scope="row"),
                element("td", f"${_amount(50000 + prose.number(90) * 311, prose.language)}"),
            )
            body.append(element("tr", "\n", *((head, *cells) if step == 0 else cells)))
    headers = (words["level"], words["effective"], words["annual"])
    return element(
        "table",
        "\n",
        element("thead", "\n", element("tr", "\n", *(element("th", text, scope="col") for text in headers))),
        element("tbody", "\n", *body),
        class_="table table-bordered small",
    )
