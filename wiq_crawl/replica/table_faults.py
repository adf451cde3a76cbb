"""Faults of the main table: its headers, rows, cells and links."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Callable
from typing import Final

from wiq_crawl.replica.page_edits import (
    PATHS,
    data_rows,
    edited,
    edited_row,
    main_of,
    replaced_text,
    substituted,
)
from wiq_crawl.replica.site import Site

Apply = Callable[[Site], Site]

_CELL = re.compile(r"<td\b.*?</td>\n", re.DOTALL)
_SHARE_LOST: Final = 0.12
_KEPT_COLUMNS: Final = 8
_SUBGROUP_COLUMN: Final = 4

_FILL_SCRIPT: Final = (
    '<script type="application/json" id="row-data">{rows}</script>\n'
    "<script>document.addEventListener('DOMContentLoaded',function(){{"
    "document.querySelector('main table tbody').innerHTML="
    "JSON.parse(document.getElementById('row-data').textContent).join('');}});</script>\n"
)


def header_renamed(language: str) -> Apply:
    """Give the sixth column another header."""
    old, new = {
        "en": (">Definition</th>", ">Meaning</th>"),
        "fr": (">Définition</th>", ">Signification</th>"),
    }[language]
    return lambda site: edited(site, PATHS["main"][language], replaced_text(old, new))


def header_added(site: Site) -> Site:
    """Add a thirteenth column."""
    widened = edited(site, PATHS["main"]["en"], substituted(r"(</th>\n)(</tr>)", r"\1<th scope='col'>Remarks</th>\n\2"))
    return edited(widened, PATHS["main"]["en"], substituted(r"(</td>\n)(</tr>)", r"\1<td>N/A</td>\n\2"))


def header_missing(site: Site) -> Site:
    """Leave eight columns."""

    def narrow(text: str) -> str:
        def shortened(match: re.Match[str]) -> str:
            cells = re.findall(r"<t[hd]\b.*?</t[hd]>\n", match[0], re.DOTALL)
            opening = match[0][: match[0].index("<t", 1)]
            return opening + "".join(cells[:_KEPT_COLUMNS]) + "</tr>\n"

        return re.sub(r"<tr\b[^>]*>\n.*?</tr>\n", shortened, text, flags=re.DOTALL)

    return edited(site, PATHS["main"]["en"], narrow)


def row_short(language: str) -> Apply:
    """Leave out the fourth cell of the second row."""

    def shorten(row: str) -> str:
        cells = _CELL.findall(row)
        return row.replace(cells[3], "", 1)

    return lambda site: edited(site, PATHS["main"][language], edited_row(1, shorten))


def rowspan_introduced(site: Site) -> Site:
    """Merge the abbreviation of two rows of a group."""

    def merge(text: str) -> str:
        rows = data_rows(text)
        for first, second in itertools.pairwise(rows):
            cell = _CELL.findall(first)[0]
            if _CELL.findall(second)[0] == cell:
                spanning = first.replace("<td ", '<td rowspan="2" ', 1)
                return text.replace(first + second, spanning + second.replace(cell, "", 1), 1)
        return text

    return edited(site, PATHS["main"]["en"], merge)


def colspan_introduced(site: Site) -> Site:
    """Merge group and subgroup of the first row."""

    def merge(row: str) -> str:
        cells = _CELL.findall(row)
        return row.replace(cells[3] + cells[4], cells[3].replace("<td ", '<td colspan="2" ', 1), 1)

    return edited(site, PATHS["main"]["en"], edited_row(0, merge))


def link_label_unknown(language: str) -> Apply:
    """Print another word in the first link cell."""
    old, new = {"en": (">Yes</a>", ">Voir</a>"), "fr": (">Oui</a>", ">Consulter</a>")}[language]
    return lambda site: edited(site, PATHS["main"][language], replaced_text(old, new, count=1))


def definition_fragment_absent(site: Site) -> Site:
    """Link the first definition without its fragment."""
    return edited(site, PATHS["main"]["en"], substituted(r"(definitions\.html)#def-[\w-]+", r"\1", count=1))


def code_malformed(site: Site) -> Site:
    """Print letters in the code of the first row."""
    return edited(site, PATHS["main"]["en"], edited_row(0, substituted(r">\d+</td>", ">30-A9</td>", count=1)))


def abbreviation_malformed(site: Site) -> Site:
    """Print a lower-case letter and a digit in the first abbreviation."""
    return edited(
        site, PATHS["main"]["en"], edited_row(0, substituted(r">([A-Z])[A-Z-]+</td>", r">\1x1</td>", count=1))
    )


def rows_lost(site: Site) -> Site:
    """Lose 12 % of the rows, the same ones in both languages."""
    for language in PATHS["main"]:

        def drop(text: str) -> str:
            rows = data_rows(text)
            lost = rows[-math.ceil(len(rows) * _SHARE_LOST) :]
            return text.replace("".join(lost), "", 1)

        site = edited(site, PATHS["main"][language], drop)
    return site


def row_added(site: Site) -> Site:
    """Add one row in both languages: a new subgroup of the last group."""
    names = {"en": "New trade", "fr": "Nouveau métier"}
    for language, name in names.items():
        cell = f'<td class="text-left"><strong>{name}<br> (XX-NEW)</strong></td>\n'

        def add(text: str, cell: str = cell) -> str:
            last = data_rows(text)[-1]
            copy = re.sub(r' id="grp-[a-z]+"', "", last)
            copy = copy.replace(_CELL.findall(copy)[_SUBGROUP_COLUMN], cell, 1)
            return text.replace(last, last + copy, 1)

        site = edited(site, PATHS["main"][language], add)
    return site


def french_row_lost(site: Site) -> Site:
    """Lose one row in French only."""
    return edited(site, PATHS["main"]["fr"], edited_row(2, lambda _row: ""))


def french_key_changed(site: Site) -> Site:
    """Give one French subgroup another code."""
    return edited(site, PATHS["main"]["fr"], replaced_text("(CT-EAV)", "(CT-EVX)", count=1))


def table_by_script(site: Site) -> Site:
    """Fill the table by an inline script: without a browser it has no rows."""

    def move(text: str) -> str:
        rows = data_rows(text)
        data = json.dumps(rows, ensure_ascii=False).replace("</", "<\\/")
        emptied = text.replace("".join(rows), "", 1)
        main = main_of(emptied)
        return emptied.replace(main, main + _FILL_SCRIPT.format(rows=data), 1)

    return edited(site, PATHS["main"]["en"], move)
