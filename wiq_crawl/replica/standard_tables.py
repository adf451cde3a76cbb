"""The tables of a job evaluation standard, with header cells over several rows and columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wiq_crawl.replica.markup import Html, bullets, element, element_with

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wiq_crawl.replica.facts import Document
    from wiq_crawl.replica.prose import Prose

_WORDS: Final[dict[str, dict[str, str]]] = {
    "en": {
        "number": "Amendment Number",
        "date": "Date",
        "description": "Description",
        "none": "n/a",
        "element": "Element",
        "percentage": "Percentage",
        "points": "Max points",
        "total": "Total",
        "level": "Level",
        "boundaries": "Point range",
        "degree": "Degree",
        "text": "Characteristics",
        "range": "Points",
        "low": "Lower",
        "high": "Upper",
        "benchmark": "Benchmark",
        "title": "Title",
        "factor": "Factor",
        "example": "Example",
    },
    "fr": {
        "number": "Numéro de modification",
        "date": "Date",
        "description": "Description",
        "none": "s. o.",
        "element": "Élément",
        "percentage": "Pourcentage",
        "points": "Points maximaux",
        "total": "Total",
        "level": "Niveau",
        "boundaries": "Fourchette des points",
        "degree": "Degré",
        "text": "Caractéristiques",
        "range": "Points",
        "low": "Minimum",
        "high": "Maximum",
        "benchmark": "Poste-repère",
        "title": "Titre",
        "factor": "Facteur",
        "example": "Exemple",
    },
}
_TOTAL_POINTS: Final = 1000
_LEVELS: Final = 8
_DEGREES: Final = 4


def amendments_table(document: Document, prose: Prose) -> Html:
    """Return the table of amendments: number, bare year, and a list of changes."""
    words = _WORDS[prose.language]
    year = int((document.date or "2017").partition("-")[0])
    rows = [
        (words["none"], str(year - 12), bullets(prose.phrase("notice"))),
        (words["none"], str(year - 6), bullets(prose.phrase("notice"), prose.phrase("notice"))),
        ("1", str(year), bullets(*(prose.phrase("notice") for _ in range(3)))),
    ]
    return _table((words["number"], words["date"], words["description"]), rows)


def weighting_table(names: Sequence[str], prose: Prose) -> Html:
    """Return the table of weights: they add up to 100 % and 1,000 points."""
    words = _WORDS[prose.language]
    count = len(names)
    shares = [100 // count + (position < 100 % count) for position in range(count)]
    percent = {"en": "{} %", "fr": "{}\u00a0%"}[prose.language]
    rows = [
        (name, percent.format(share), str(share * _TOTAL_POINTS // 100))
        for name, share in zip(names, shares, strict=True)
    ]
    rows.append((words["total"], percent.format(100), _thousands(_TOTAL_POINTS, prose.language)))
    return _table((words["element"], words["percentage"], words["points"]), rows)


def boundary_table(prose: Prose) -> Html:
    """Return the table of the points of each level."""
    words = _WORDS[prose.language]
    step = _TOTAL_POINTS // _LEVELS
    rows = [
        (str(level), f"{(level - 1) * step + 1} {'to' if prose.language == 'en' else 'à'} {level * step}")
        for level in range(1, _LEVELS + 1)
    ]
    return _table((words["level"], words["boundaries"]), rows)


def degree_table(name: str, prose: Prose, *, nested: bool) -> Html:
    """Return the table of degrees: two header rows, and each degree over two rows."""
    words = _WORDS[prose.language]
    head = (
        element(
            "tr",
            "\n",
            element("th", words["degree"], rowspan="2", scope="col"),
            element("th", words["text"], rowspan="2", scope="col"),
            element("th", words["range"], colspan="2", scope="colgroup"),
        ),
        element(
            "tr",
            "\n",
            element("th", words["low"], scope="col"),
            element("th", words["high"], scope="col"),
        ),
    )
    body: list[Html] = []
    for degree in range(1, _DEGREES + 1):
        low, high = degree * 20, degree * 20 + 19
        inner = _example_table(prose) if nested and degree == 1 else prose.paragraph("rating", 2)
        first = (
            element("th", str(degree), rowspan="2", scope="rowgroup"),
            element("td", prose.paragraph("rating", 2)),
            element("td", str(low)),
            element("td", str(high)),
        )
        body += [element("tr", "\n", *first), element("tr", "\n", element("td", inner, colspan="3"))]
    return element(
        "table",
        "\n",
        element("caption", name),
        element("thead", "\n", *head),
        element("tbody", "\n", *body),
        class_="table table-bordered",
    )


def benchmark_table(code: str, count: int, prose: Prose) -> Html:
    """Return the index of benchmarks."""
    words = _WORDS[prose.language]
    rows = [(f"{code}-{number:02d}", _title(prose), str(1 + number % _LEVELS)) for number in range(1, count + 1)]
    return _table((words["benchmark"], words["title"], words["level"]), rows)


def _title(prose: Prose) -> str:
    phrase = prose.phrase("item")
    return phrase[:1].upper() + phrase[1:] + "."


def _example_table(prose: Prose) -> Html:
    words = _WORDS[prose.language]
    rows = [(words["factor"], prose.phrase("rating")), (words["example"], prose.phrase("duty"))]
    return _table((words["element"], words["text"]), rows)


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> Html:
    head = element("tr", "\n", *(element("th", header, scope="col") for header in headers))
    body = [element("tr", "\n", *(element("td", cell) for cell in row)) for row in rows]
    return element_with(
        "table",
        {"class": "table table-bordered table-condensed"},
        "\n",
        element("thead", "\n", head),
        element("tbody", "\n", *body),
    )


def _thousands(number: int, language: str) -> str:
    return f"{number:,}" if language == "en" else f"{number:,}".replace(",", "\u00a0")
