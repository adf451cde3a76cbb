"""The list of pages of the replica: kind, addresses, titles, codes and dates."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urldefrag

from wiq_crawl.replica import fixed_facts, related_links
from wiq_crawl.replica.fixed_facts import HOST, LANGUAGES

_LIST_LINE = re.compile(r"([A-Z]{2}) (.+?) -\s?(\D+?) (\d{4})")

_MAIN: Final = {
    "en": "/en/treasury-board-secretariat/services/collective-agreements/occupational-groups.html",
    "fr": "/fr/secretariat-conseil-tresor/services/conventions-collectives/groupes-professionnels.html",
}
_MAIN_TITLE: Final = {
    "en": "Occupational groups for the public service",
    "fr": "Groupes professionnels dans la fonction publique",
}
_KIND_OF_COLUMN: Final = {
    "definition": "definitions",
    "qualification": "qualifications",
    "bargaining": "bargaining",
    "agreement": "agreement",
    "rates_unrepresented": "rates",
}
_RATES_TITLE: Final = {
    "en": "Rates of pay for unrepresented and senior excluded employees",
    "fr": "Taux de rémunération des employés non représentés et exclus de niveaux supérieurs",
}
_RATES_INDEX: Final = "unrepresented-senior-excluded-employees.html"


def recorded_documents(
    rows: list[dict[str, Any]],
    pages: dict[str, list[dict[str, Any]]],
) -> list[dict[str, Any]]:
    """Return every page: linked from the rows, from the list of standards or from other pages."""
    titles = {page["url"].removeprefix(HOST): page["title"] for language in LANGUAGES for page in pages[language]}
    list_lines = _list_lines(pages)
    documents = [{"kind": "main", "path": _MAIN, "title": _MAIN_TITLE, "date": fixed_facts.MODIFIED["main"]}]
    seen: set[str] = set()
    for row in rows:
        for column, link in row["links"].items():
            path = {language: urldefrag(link[language]).url for language in LANGUAGES}
            if path["en"] in seen or not path["en"].endswith(".html") or path["en"].startswith("/content/"):
                continue
            seen.add(path["en"])
            documents.append(_linked(column, path, titles, row, list_lines))
    documents.extend(_unlinked(list_lines))
    return documents


def _linked(
    column: str,
    path: dict[str, str],
    titles: dict[str, str],
    row: dict[str, Any],
    list_lines: dict[tuple[str, str], dict[str, Any]],
) -> dict[str, Any]:
    if column == "standard":
        return _standard(path, titles, list_lines)
    kind = _KIND_OF_COLUMN[column]
    if kind == "rates" and path["en"].endswith(_RATES_INDEX):
        kind = "rates_index"
    code = path["en"].rpartition("/")[2].partition(".")[0].partition("-")[0].upper()
    if kind in {"definitions", "qualifications"}:
        title = {language: titles[path[language]] for language in LANGUAGES}
        return {"kind": kind, "path": path, "title": title, "date": fixed_facts.MODIFIED.get(kind)}
    if kind == "agreement":
        return {"kind": kind, "path": path, "title": dict(row["group"]), "code": code}
    fixed_titles = {
        "bargaining": {
            "en": "Collective bargaining update",
            "fr": "Mise à jour sur les négociations collectives",
        },
        "rates_index": _RATES_TITLE,
        "rates": {
            "en": f"{_RATES_TITLE['en']}: {code}",
            "fr": f"{_RATES_TITLE['fr']} : {code}",
        },
    }
    return {
        "kind": kind,
        "path": path,
        "title": fixed_titles[kind],
        "code": code if kind == "rates" else "",
    }


def _standard(
    path: dict[str, str],
    titles: dict[str, str],
    list_lines: dict[tuple[str, str], dict[str, Any]],
) -> dict[str, Any]:
    title = {language: titles[path[language]] for language in LANGUAGES}
    name = path["en"].rpartition("/")[2]
    codes = [code for slug, code in fixed_facts.STANDARD_OF_SLUG.items() if name.startswith(slug)]
    if not codes:
        return {"kind": "standard_list", "path": path, "title": title}
    line = list_lines[codes[0], "standard"]
    date = fixed_facts.STANDARD_DATES.get(codes[0], "2023-10-06")
    return {
        "kind": "standard",
        "path": path,
        "title": title,
        "code": codes[0],
        "date": date,
        "list_name": line,
    }


def _list_lines(pages: dict[str, list[dict[str, Any]]]) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the lines of the list of standards: name, link text and year, by code and kind."""
    lines: dict[tuple[str, str], dict[str, Any]] = {}
    for language in LANGUAGES:
        (text,) = [
            page["text"]
            for page in pages[language]
            if page["url"].endswith(("-public-service-employees.html", "-employes-fonction-publique.html"))
        ]
        for line in text.splitlines():
            match = _LIST_LINE.fullmatch(line.strip())
            if match:
                code, name, label, year = match.groups()
                kind = "standard" if label[0] in "JN" else "guidelines"
                lines.setdefault((code, kind), {})[language] = f"{code} {name}|{label} {year}"
    return lines


def _unlinked(list_lines: dict[tuple[str, str], dict[str, Any]]) -> list[dict[str, Any]]:
    documents: list[dict[str, Any]] = [
        {
            "kind": kind,
            "path": {"en": english, "fr": french},
            "title": {"en": title_en, "fr": title_fr},
            **({"code": "EX", "list_name": list_lines["EX", "standard"]} if kind == "plan" else {}),
        }
        for kind, english, french, title_en, title_fr in related_links.OTHER_PAGES
    ]
    for code, (english, french, title_en, title_fr) in related_links.GUIDELINES.items():
        documents.append(
            {
                "kind": "guidelines",
                "path": {"en": english, "fr": french},
                "title": {"en": title_en, "fr": title_fr},
                "code": code,
                "list_name": list_lines[code, "guidelines"],
            },
        )
    for key, notice in related_links.NOTICES.items():
        documents.append(
            {
                "kind": "notice",
                "path": related_links.notice_paths(key),
                "title": {"en": notice[2], "fr": notice[3]},
                "date": notice[4],
            },
        )
    return documents
