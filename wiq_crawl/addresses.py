"""Addresses of the Treasury Board pages: where the crawl starts, what belongs to it, what a link points at."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urldefrag, urljoin, urlsplit, urlunsplit

BASE_URL = "https://www.canada.ca"
HOST = "www.canada.ca"

START_PATHS = {
    "en": "/en/treasury-board-secretariat/services/collective-agreements/occupational-groups.html",
    "fr": "/fr/secretariat-conseil-tresor/services/conventions-collectives/groupes-professionnels.html",
}
PREFIXES = {"en": "/en/treasury-board-secretariat/", "fr": "/fr/secretariat-conseil-tresor/"}

# Page kinds by path, first match wins; anything else under the prefixes is «other».
_KINDS = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in {
        "occupational_groups": r"/(occupational-groups|groupes-professionnels)\.html$",
        "definitions": r"/(occupational-groups|groupes-professionnels)/definitions\.html$",
        "job_evaluation_standards_list": r"/(job-evaluation-standards-public-service-employees"
        r"|normes-evaluation-emplois-employes-fonction-publique)\.html$",
        "job_evaluation_standard": r"/(job-evaluation/[^/]*job-evaluation-standard"
        r"|evaluation-emplois/([^/]*-)?norme-evaluation)[^/]*\.html$",
        "qualification_standards": r"/(qualification-standards/core|normes-qualification/centrale)\.html$",
        "bargaining_update": r"/(collective-bargaining|negociations?-collectives?)/[^/]+\.html$",
        "rates_unrepresented": r"/(rates-pay-unrepresented-senior-excluded-employees"
        r"|taux-remuneration-employes-non-representes-exclus-niveaux-superieurs)/[^/]+\.html$",
        "collective_agreement": r"/(topics/pay/collective-agreements"
        r"|sujets/remuneration/conventions-collectives)/.+\.html$",
    }.items()
)

# The source's own slips: an author-server path, or letters after «.html».
_MALFORMED_PATH = re.compile(r"^/content/canadasite/|\.html[^/]+$")


class Link(NamedTuple):
    """An ``href`` resolved: ``url`` has no fragment and is None where the address cannot be read."""

    target: str
    url: str | None
    fragment: str | None


def kind_of(url: str) -> str:
    """The page kind of an address, by its path."""
    path = urlsplit(url).path
    return next((kind for kind, pattern in _KINDS if pattern.search(path)), "other")


def language_of(url: str) -> str | None:
    """``en`` or ``fr`` by the path's prefix; None outside both."""
    return _language_of_path(urlsplit(url).path)


def on_host(url: str, base_url: str) -> str:
    """The document as fetched from ``base_url``; links may name www.canada.ca in full, or add an idle query."""
    base = urlsplit(base_url)
    return urlunsplit((base.scheme, base.netloc, urlsplit(url).path, "", ""))


def same_path(first: str, second: str) -> bool:
    """Whether two addresses name the same document whatever host it is fetched from."""
    return urlsplit(first).path == urlsplit(second).path


def resolve(href: str, page_url: str) -> Link:
    """What an ``href`` of a page points at; targets are those of ``links.schema.json``."""
    href = href.strip()
    if href.startswith("#"):
        return Link("same_document", page_url, href[1:] or None)
    if href[:7].lower() == "mailto:":
        return Link("email", None, None)
    page = _page(page_url)
    # An address with a root of its own reads the same from every page: the site's few hundred are read once.
    rooted = href.startswith(("/", "http:", "https:"))
    link, path = _read(href, page.root if rooted else page_url, page.host, page.language)
    return link._replace(target="same_document") if path == page.path else link


class _Page(NamedTuple):
    root: str
    host: str
    path: str
    language: str | None


@lru_cache(maxsize=64)
def _page(url: str) -> _Page:
    parts = urlsplit(url)
    return _Page(f"{parts.scheme}://{parts.netloc}", parts.netloc, parts.path, _language_of_path(parts.path))


@lru_cache(maxsize=8192)
def _read(href: str, base: str, host: str, language: str | None) -> tuple[Link, str | None]:
    """The link as any page of a host and language has it, and its path there: the page's own is the same document."""
    try:
        url, fragment = urldefrag(urljoin(base, href))
        parts = urlsplit(url)
    except ValueError:
        return Link("malformed", None, None), None
    if parts.scheme not in ("http", "https") or parts.netloc not in (host, HOST):
        return Link("external", url, fragment or None), None
    if _MALFORMED_PATH.search(parts.path):
        return Link("malformed", url, fragment or None), None
    return Link(_target(parts.path, language), url, fragment or None), parts.path


def _target(path: str, language: str | None) -> str:
    name = path.rpartition("/")[2]
    if "." in name and not name.endswith(".html"):
        return "file"
    found = _language_of_path(path)
    if found is None or not name:
        return "external"
    return "tbs_document" if found == language else "other_language"


def _language_of_path(path: str) -> str | None:
    return next((language for language, prefix in PREFIXES.items() if path.startswith(prefix)), None)
