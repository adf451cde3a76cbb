"""Edits of single pages of a site; each raises an error where it would change nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from wiq_crawl.replica.site import Resource, Site

_EN = "/en/treasury-board-secretariat/services"
_FR = "/fr/secretariat-conseil-tresor/services"
_STANDARDS_EN = f"{_EN}/collective-agreements/job-evaluation"
_STANDARDS_FR = f"{_FR}/conventions-collectives/evaluation-emplois"

PATHS: Final[dict[str, dict[str, str]]] = {
    "main": {
        "en": f"{_EN}/collective-agreements/occupational-groups.html",
        "fr": f"{_FR}/conventions-collectives/groupes-professionnels.html",
    },
    "definitions": {
        "en": f"{_EN}/collective-agreements/occupational-groups/definitions.html",
        "fr": f"{_FR}/conventions-collectives/groupes-professionnels/definitions.html",
    },
    "qualifications": {
        "en": f"{_EN}/staffing/qualification-standards/core.html",
        "fr": f"{_FR}/dotation/normes-qualification/centrale.html",
    },
    "standard": {
        "en": f"{_STANDARDS_EN}/economics-social-science-services-job-evaluation-standard.html",
        "fr": f"{_FR}/conventions-collectives/evaluation-emplois"
        "/groupe-economique-services-sciences-sociales-norme-evaluation-emplois.html",
    },
    "other_standard": {
        "en": f"{_STANDARDS_EN}/border-services-group-job-evaluation-standard.html",
        "fr": f"{_STANDARDS_FR}/groupe-services-frontaliers-norme-evaluation-emplois.html",
    },
}
"""Pages which faults damage; all of them exist at both scales."""

Edit = Callable[[str], str]

_MAIN = re.compile(r"<main\b.*</main>\n?", re.DOTALL)
_DATA_ROW = re.compile(r"<tr>\n<td.*?</tr>\n", re.DOTALL)


class NothingChangedError(ValueError):
    """A fault left the site as it was: it no longer fits the pages."""


def edited(site: Site, path: str, edit: Edit) -> Site:
    """Return the site with the text of one page edited."""
    before = site[path].body.decode()
    after = edit(before)
    if after == before:
        message = f"the edit changes nothing in {path}"
        raise NothingChangedError(message)
    return {**site, path: replace(site[path], body=after.encode())}


def edited_everywhere(site: Site, edit: Edit) -> Site:
    """Return the site with every page of content edited, of which one at least must change."""
    pages = {
        path: replace(resource, body=edit(resource.body.decode()).encode())
        for path, resource in site.items()
        if path.endswith(".html")
    }
    if all(site[path].body == resource.body for path, resource in pages.items()):
        message = "the edit changes no page"
        raise NothingChangedError(message)
    return {**site, **pages}


def substituted(pattern: str, replacement: str, *, count: int = 0) -> Edit:
    """Return an edit that substitutes a regular expression, everywhere or the first few times."""
    compiled = re.compile(pattern, re.DOTALL)
    return lambda text: compiled.sub(replacement, text, count=count)


def replaced_text(old: str, new: str, *, count: int = -1) -> Edit:
    """Return an edit that replaces a plain text, everywhere or the first few times."""
    return lambda text: text.replace(old, new, count)


def main_of(text: str) -> str:
    """Return the main element of a page."""
    match = _MAIN.search(text)
    if match is None:
        message = "the page has no main element"
        raise NothingChangedError(message)
    return match[0]


def data_rows(text: str) -> list[str]:
    """Return the rows of the main table's body."""
    return _DATA_ROW.findall(text)


def edited_row(number: int, edit: Edit) -> Edit:
    """Return an edit of one row of the main table."""

    def apply(text: str) -> str:
        row = data_rows(text)[number]
        return text.replace(row, edit(row), 1)

    return apply


def answered(site: Site, path: str, answer: Resource) -> Site:
    """Return the site with another answer for a path."""
    if site.get(path) == answer:
        message = f"the answer for {path} stays the same"
        raise NothingChangedError(message)
    return {**site, path: answer}


def behaving(site: Site, path: str, resource: Callable[[Resource], Resource]) -> Site:
    """Return the site with another behaviour for a path."""
    return answered(site, path, resource(site[path]))
