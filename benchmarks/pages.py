"""The site that is crawled: the replica's own pages, and as many made-up job evaluation standards as wanted.

The made-up pages stand two links from the main page, linked from the standards that the main table names. Like
the real pages they carry some 15 kB of template before and after their content, of 60 kB in all.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urldefrag

from wiq_crawl.addresses import PREFIXES
from wiq_crawl.replica.facts import Document, Facts, facts_from_recorded, load_facts
from wiq_crawl.replica.markup import Html, bullets, element, joined, link
from wiq_crawl.replica.prose import Prose
from wiq_crawl.replica.site import DEFAULT_SEED, Resource, build_site, write_site
from wiq_crawl.replica.standards import standard_page
from wiq_crawl.replica.template import Page, render

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

LANGUAGE: Final = "en"
_NAMES: Final = {
    "en": "job-evaluation/made-up-{:05d}-job-evaluation-standard",
    "fr": "evaluation-emplois/norme-evaluation-{:05d}",
}
# Links of one made-up page to others, fewest and most; a prime step spreads them.
_FEWEST_LINKS: Final = 15
_LINKS_SPREAD: Final = 116
_STEP: Final = 37
_THEMES: Final = (
    "jobs immigration-citizenship travel business benefits health taxes environment defence culture policing transport "
    "world finance science indigenous-peoples veterans-military youth life-events"
).split()
_MENU_THEMES: Final = 4
_TOPICS: Final = "overview find apply contacts forms news".split()


@dataclass(frozen=True, slots=True)
class WrittenSite:
    """What was written: made-up pages, their mean size in bytes and their mean number of links."""

    made_up: int
    mean_bytes: int
    mean_links: int


def facts_of_scale(recorded: Path) -> tuple[Facts, str]:
    """The full scale of 217 rows where its recorded data are at hand, else the committed small one."""
    if recorded.is_dir():
        return facts_from_recorded(recorded), "full"
    return load_facts(), "small"


def write_pages(folder: Path, facts: Facts, made_up: int) -> WrittenSite:
    """Write the replica's pages and the made-up ones below a folder."""
    site = build_site(facts)
    named = {urldefrag(href).url for href in facts.linked(LANGUAGE, ("standard",))}
    holders = [document for document in facts.of_kind("standard") if document.path[LANGUAGE] in named]
    for position, holder in enumerate(holders if made_up else ()):
        page = standard_page(holder, facts, LANGUAGE, DEFAULT_SEED)
        listed = _listing(range(position, made_up, len(holders)))
        site[holder.path[LANGUAGE]] = Resource(render(replace(page, content=joined(page.content, listed))))
    write_site(site, folder)
    return _write_made_up(folder, facts, made_up)


def _write_made_up(folder: Path, facts: Facts, made_up: int) -> WrittenSite:
    sizes, links = 0, 0
    for number in range(made_up):
        body = _with_template(render(_standard(number, made_up, facts)))
        target = folder / _path(number, LANGUAGE).lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body)
        sizes += len(body)
        links += body.count(b"<a ")
    return WrittenSite(made_up, sizes // max(made_up, 1), links // max(made_up, 1))


def expectations(facts: Facts, twins: Iterable[Iterable[str]], documents: int | None) -> str:
    """An expectations file that holds a crawl to exact counts; ``documents`` per language, None where unknown."""
    counts = {
        "rows of occupational_groups": facts.counts.rows,
        "links of definition": facts.counts.links["definition"],
        "rows of definitions": facts.counts.anchors,
    }
    if documents is not None:
        counts["documents"] = documents
    lines = [f'[[count]]\nname = "{name}"\nminimum = {count}\nmaximum = {count}\n' for name, count in counts.items()]
    return "\n".join([*lines, f"[known]\ntwins = {json.dumps([sorted(pair) for pair in twins])}\n"])


def _standard(number: int, made_up: int, facts: Facts) -> Page:
    """A standard with prose of its own: the seed is the page's number."""
    title = _title(number)
    document = Document(
        kind="standard",
        path={language: _path(number, language) for language in PREFIXES},
        title={LANGUAGE: title},
        code="ZZ",
        date=f"{1990 + number % 35}-{1 + number % 12:02d}-01",
        list_name={LANGUAGE: f"ZZ Made-up|{title}"},
    )
    page = standard_page(document, facts, LANGUAGE, number + 1)
    count = _FEWEST_LINKS + (number * _STEP) % _LINKS_SPREAD
    others = ((number + 1 + _STEP * step) % made_up for step in range(count))
    return replace(page, content=joined(page.content, _listing(others), _last_sentence(number)))


def _listing(numbers: Iterable[int]) -> Html:
    return joined(
        element("h2", "Related standards", id="related"),
        bullets(*(link(_path(number, LANGUAGE), _title(number)) for number in numbers)),
    )


def _last_sentence(number: int) -> Html:
    return element("p", Prose(number + 1, LANGUAGE, "last").paragraph("notice", 1))


def _title(number: int) -> str:
    return f"Made-up Group {number:05d} Job Evaluation Standard"


def _path(number: int, language: str) -> str:
    name = _NAMES[language].format(number)
    return f"{PREFIXES[language]}services/collective-agreements/{name}.html"


def _with_template(page: bytes) -> bytes:
    """The page with as much around its content as the real pages have."""
    menu = bullets(
        *(
            link(f"/en/services/{theme}/{topic}.html", f"{theme} {topic}")
            for theme in _THEMES[:_MENU_THEMES]
            for topic in _TOPICS
        )
    )
    themes = bullets(*(link(f"https://www.canada.ca/en/services/{theme}.html", theme) for theme in _THEMES))
    state = {f"{theme}/{topic}": {"loaded": False, "priority": 1} for theme in _THEMES for topic in _TOPICS}
    script = f"<script>window.menuState = {json.dumps(state)};</script>\n"
    return (
        page.replace(b"</head>", script.encode() + b"</head>", 1)
        .replace(b"</header>", menu.encode() + b"</header>", 1)
        .replace(b"</footer>", themes.encode() + b"</footer>", 1)
    )
