"""Turn the recorded data files into the fact document of the replica.

A fact document is what the committed ``small_facts.json`` holds too: four lists named ``rows``,
``anchors``, ``qualifications`` and ``documents``.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urldefrag

from wiq_crawl.replica import fixed_facts, related_links
from wiq_crawl.replica.fixed_facts import HOST, LANGUAGES
from wiq_crawl.replica.recorded_documents import recorded_documents
from wiq_crawl.replica.shapes import load_shapes

if TYPE_CHECKING:
    from pathlib import Path

_COLUMN_NAMES: Final = {
    "definition": "definition",
    "jes": "standard",
    "qs": "qualification",
    "bargaining": "bargaining",
    "agreement": "agreement",
    "rates_rep": "rates_represented",
    "rates_unrep": "rates_unrepresented",
}

_LAST_PARENTHESES = re.compile(r"\s*\((?:[^()]|\([^()]*\))*\)$")
_TITLE_WITH_CODE = re.compile(r".+ \(([A-Z]{2,3}(?:-[A-Z]{3})?)\)")


def recorded_document(folder: Path) -> dict[str, Any]:
    """Return the fact document of a folder of recorded data."""
    recorded_rows = _read(folder, "main_table_bilingual.json")
    recorded_pages = {language: _read(folder, f"recorded_text_{language}.json") for language in LANGUAGES}
    rows = [_row(row) for row in recorded_rows]
    documents = recorded_documents(rows, recorded_pages)
    return {
        "rows": rows,
        "anchors": _anchors(_read(folder, "definitions_en_anchors.json"), rows, documents),
        "qualifications": _qualifications(recorded_pages),
        "documents": documents,
    }


def french_path(path: str) -> str:
    """Return the French form of a pay address: known beginnings are replaced, file names kept."""
    for english, french in fixed_facts.FRENCH_PATHS:
        if path.startswith(english):
            return french + path.removeprefix(english)
    message = f"no French pattern for {path}"
    raise ValueError(message)


def _read(folder: Path, name: str) -> Any:  # noqa: ANN401
    return json.loads((folder / name).read_text(encoding="utf-8"))


def _row(row: dict[str, Any]) -> dict[str, Any]:
    links: dict[str, dict[str, str]] = {}
    for recorded, column in _COLUMN_NAMES.items():
        english = row["links_en"][recorded]
        if english:
            french = row["links_fr"].get(recorded) or french_path(english)
            links[column] = {"en": english, "fr": french.removeprefix(HOST)}
    fragment = urldefrag(links["definition"]["en"]).fragment if "definition" in links else ""
    notes = {column: list(lines) for (anchor, column), lines in fixed_facts.LINK_NOTES.items() if anchor == fragment}
    return {
        "abbreviation": row["abbrev"],
        "code": {"en": row["code_en"], "fr": row["code_fr"]},
        "group": {"en": row["occ_group_en"], "fr": row["occ_group_fr"]},
        "classification": _classification(row),
        "subgroup": _names(row["subgroup_en"], row["subgroup_fr"]),
        "cell_id": row["row_id_attr"],
        "first_of_group": "muted" not in row["cls_en"]["occ_group"],
        "first_of_classification": "muted" not in row["cls_en"]["group"],
        "order": {"en": row["en_row"], "fr": row["fr_row"]},
        "links": links,
        "qualification_label": row["qs_text_en"],
        "notes": notes,
    }


def _classification(row: dict[str, Any]) -> dict[str, str] | None:
    english = row["group_en"]
    return _names(english, row["group_fr_inferred"] or fixed_facts.FRENCH_CLASSIFICATIONS.get(english, "S.o."))


def _names(english: str, french: str) -> dict[str, str] | None:
    return None if english == "N/A" else {"en": english, "fr": french}


def _anchors(
    recorded: list[dict[str, Any]],
    rows: list[dict[str, Any]],
    documents: list[dict[str, Any]],
) -> list[dict[str, Any]]:
    shapes = load_shapes()
    row_of: dict[str, dict[str, Any]] = {}
    for row in rows:
        if "definition" in row["links"]:
            row_of.setdefault(urldefrag(row["links"]["definition"]["en"]).fragment, row)
    anchors = []
    for entry in recorded:
        identifier = entry["id"]
        english = entry["heading"]
        if entry["el"] == "p":
            english = fixed_facts.HEADING_OF_PARAGRAPH_ANCHOR
        english = re.sub(r"(?: Group)? Definition Excerpt of .*", _kept_words, english)
        french = _french_names(identifier, row_of.get(identifier), bool(entry["excerpt_of"]))
        heading = {"en": english, "fr": _french_heading(entry, french)}
        is_top = entry["el"] == "h3"
        anchors.append(
            {
                "identifier": identifier,
                "element": entry["el"],
                "heading": heading,
                "excerpt_of": entry["excerpt_of"],
                "shape": shapes[identifier],
                "dates": _dates(identifier, entry["times"]),
                **(_summary(entry, english, french) if is_top else {"summary_id": None, "summary": None}),
                "related": [_related(key, documents) for key in related_links.RELATED.get(identifier, ())],
            },
        )
    return anchors


def _kept_words(match: re.Match[str]) -> str:
    return " Group Definition" if match[0].startswith(" Group") else " Definition"


def _french_names(identifier: str, row: dict[str, Any] | None, is_excerpt: bool) -> str:  # noqa: FBT001
    """Return the name of an entry: classification, group, or both names of a subgroup."""
    if row is None:
        return fixed_facts.UNLINKED_ANCHORS[identifier][1]
    if row["subgroup"] and not is_excerpt:
        parent = row["classification"] or row["group"]
        parent_name = _LAST_PARENTHESES.sub("", parent["fr"])
        name: str = row["subgroup"]["fr"]
        return name if name.startswith(parent_name) else f"{parent_name} – {name}"
    source = row["classification"] if is_excerpt and row["classification"] else row["group"]
    return str(source["fr"])


def _french_heading(entry: dict[str, Any], name: str) -> str:
    if entry["id"] in fixed_facts.UNLINKED_ANCHORS:
        return name
    if entry["excerpt_of"]:
        return f"Définition : {name}"
    return f"Définition du groupe {name}" if entry["el"] == "h3" else f"Définition du sous-groupe {name}"


def _summary(entry: dict[str, Any], english: str, french: str) -> dict[str, Any]:
    identifier = entry["id"]
    prefix = "occ" if entry["excerpt_of"] else "grp"
    summary_id = identifier.replace("def", prefix, 1)
    own_id, own_english, own_french = fixed_facts.SUMMARY_EXCEPTIONS.get(identifier, ("", "", ""))
    plain = re.sub(r"(?: [Gg]roup)? [Dd]efinition$", "", english)
    return {
        "summary_id": own_id or summary_id,
        "summary": {"en": own_english or plain, "fr": own_french or french},
    }


def _dates(identifier: str, times: list[str]) -> list[dict[str, str | None]]:
    if identifier in fixed_facts.PLAIN_NOTICE_DATES:
        return [{"attribute": None, "shown": day} for day in fixed_facts.PLAIN_NOTICE_DATES[identifier]]
    return [{"attribute": day, "shown": fixed_facts.WRONG_DATETIME.get((identifier, day), day)} for day in times]


def _related(key: str, documents: list[dict[str, Any]]) -> dict[str, Any]:
    kind, _, code = key.partition(":")
    if kind == "guidelines":
        english, french, title_en, title_fr = related_links.GUIDELINES[code]
        return {
            "path": {"en": english, "fr": french},
            "title": {"en": title_en, "fr": title_fr},
            "date": None,
        }
    if kind == "appendix":
        (standard,) = [
            document for document in documents if document["kind"] == "standard" and document["code"] == code
        ]
        return {
            "path": {language: f"{standard['path'][language]}#appA" for language in LANGUAGES},
            "title": {
                "en": f"{code} application guidelines",
                "fr": f"Lignes directrices d’application {code}",
            },
            "date": None,
        }
    title_en, title_fr, date = related_links.NOTICES[key][2:]
    return {
        "path": related_links.notice_paths(key),
        "title": {"en": title_en, "fr": title_fr},
        "date": date,
    }


def _qualifications(pages: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    names: dict[str, dict[str, str]] = {}
    for language in LANGUAGES:
        (text,) = [page["text"] for page in pages[language] if page["url"].endswith(("/core.html", "/centrale.html"))]
        for line in text.splitlines():
            match = _TITLE_WITH_CODE.fullmatch(line.strip())
            if match:
                names.setdefault(match[1].lower(), {})[language] = line.strip()
    return [{"fragment": code, "name": name} for code, name in sorted(names.items()) if len(name) == len(LANGUAGES)]
