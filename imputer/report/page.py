"""The bits of HTML: tables, pictures with their description, and the page around them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

from imputer.wording import text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

STYLE = """
:root { font-family: "Segoe UI", "Helvetica Neue", Arial, sans-serif; line-height: 1.5; color: #1b1b1b; }
body { margin: 0 auto; max-width: 70rem; padding: 1rem 1.5rem 3rem; background: #fff; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: .5rem 0; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 .5rem; border-bottom: 2px solid #26374a; padding-bottom: .2rem; }
a { color: #0b4fa8; }
.skip { position: absolute; left: -100rem; }
.skip:focus { position: static; }
.language { float: right; }
nav ul { columns: 2; padding-left: 1.2rem; }
dl.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .8rem; margin: 1rem 0; }
dl.facts div { border-left: 4px solid #26374a; padding: .1rem .8rem; }
dl.facts dt { font-size: .9rem; color: #444; }
dl.facts dd { margin: 0; font-size: 1.4rem; font-variant-numeric: tabular-nums; }
figure { margin: 1rem 0; }
figure svg { max-width: 100%; height: auto; }
figcaption { font-size: .95rem; color: #333; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: .8rem 0; font-size: .92rem; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid #c8cdd2; text-align: left; vertical-align: top; }
tbody th { min-width: 8.5rem; }
thead th { border-bottom: 2px solid #26374a; vertical-align: bottom; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
td.number { white-space: nowrap; }
tr.total th, tr.total td { font-weight: 600; border-top: 2px solid #26374a; }
summary { cursor: pointer; font-weight: 600; padding: .3rem 0; }
code { font-size: .85em; overflow-wrap: anywhere; }
footer { margin-top: 3rem; font-size: .9rem; color: #333; }
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  nav, .skip, .language { display: none; }
  h2 { break-after: avoid; }
  figure, tr { break-inside: avoid; }
  thead { display: table-header-group; }
  .scroll { overflow: visible; }
  table { font-size: 8.5pt; }
  a { color: inherit; text-decoration: none; }
}
"""


@dataclass(frozen=True, slots=True)
class Html:
    """Markup that is ready; everything else is escaped."""

    markup: str


@dataclass(slots=True)
class Section:
    """What stands under one heading; figures and tables are numbered over the whole page."""

    key: str
    title: str
    parts: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Page:
    """A page in the making, in one language."""

    language: str
    sections: list[Section] = field(default_factory=list)
    _figures: int = 0
    _tables: int = 0

    def section(self, key: str) -> None:
        """Begin a section; its heading is the label ``<key>_heading``."""
        self.sections.append(Section(key, text(f"{key}_heading", self.language)))

    def paragraph(self, told: str) -> None:
        """Add a paragraph."""
        self.sections[-1].parts.append(f"<p>{escape(told)}</p>")

    def facts(self, facts: Iterable[tuple[str, str]]) -> None:
        """Add key figures: label and value."""
        shown = "".join(f"<div><dt>{escape(label)}</dt><dd>{escape(value)}</dd></div>" for label, value in facts)
        self.sections[-1].parts.append(f'<dl class="facts">{shown}</dl>')

    def items(self, items: Iterable[str]) -> None:
        """Add a list."""
        self.sections[-1].parts.append("<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>")

    def figure(self, svg: str, caption: str, described: str) -> None:
        """Add a picture; ``described`` says in words what it shows."""
        self._figures += 1
        number = self._figures
        label = f"figure-{number}"
        drawn = _embedded(svg, f"f{number}-").replace(
            "<svg ", f'<svg role="img" aria-labelledby="{label}-title {label}-text" focusable="false" ', 1
        )
        title = f"{text('report_figure', self.language, n=number)}. {caption}"
        words = f'<title id="{label}-title">{escape(title)}</title><desc id="{label}-text">{escape(described)}</desc>'
        drawn = re.sub(r"(<svg [^>]*>)", lambda found: found[1] + words, drawn, count=1)
        self.sections[-1].parts.append(
            f'<figure id="{label}">{drawn}<figcaption>{escape(title)}. '
            f"{escape(text('report_see_table', self.language))}</figcaption></figure>"
        )

    def table(
        self,
        caption: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[str | Html]],
        numbers: Sequence[bool],
        *,
        total: bool = False,
        folded: bool = False,
    ) -> None:
        """Add a table: the first cell of a row is its heading; ``numbers`` says which columns hold numbers.

        ``total``: the last row sums up the others. ``folded``: a long table that opens at a click.
        """
        self._tables += 1
        title = f"{text('report_table', self.language, n=self._tables)}. {caption}"
        styles = [' class="number"' if is_number else "" for is_number in numbers]
        head = "".join(
            f'<th scope="col"{style}>{escape(name)}</th>' for name, style in zip(columns, styles, strict=True)
        )
        body = []
        for number, row in enumerate(rows, 1):
            cells = [_cell(value, style) for value, style in zip(row[1:], styles[1:], strict=True)]
            summed = ' class="total"' if total and number == len(rows) else ""
            body.append(f'<tr{summed}><th scope="row">{_shown(row[0])}</th>{"".join(cells)}</tr>\n')
        shown = (
            f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(title)}"><table>'
            f"<caption>{escape(title)}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>{''.join(body)}</tbody></table></div>"
        )
        if folded:
            shown = f"<details><summary>{escape(title)}</summary>{shown}</details>"
        self.sections[-1].parts.append(shown)

    def render(self, title: str, lead: str, other: str | None) -> str:
        """The whole page; ``other`` is the file of the other language beside it, None where there is none."""
        language = self.language
        contents = "".join(f'<li><a href="#{one.key}">{escape(one.title)}</a></li>' for one in self.sections)
        body = "\n".join(
            f'<section id="{one.key}" aria-labelledby="{one.key}-heading">'
            f'<h2 id="{one.key}-heading">{escape(one.title)}</h2>\n' + "\n".join(one.parts) + "\n</section>"
            for one in self.sections
        )
        switch = ""
        if other:
            code = "fr" if language == "en" else "en"
            words = escape(text("report_other", language))
            switch = f'<a class="language" href="{escape(other)}" lang="{code}" hreflang="{code}">{words}</a>'
        return (
            f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
            f'<a class="skip" href="#main">{escape(text("report_skip", language))}</a>\n'
            f"<header>{switch}<h1>{escape(title)}</h1><p>{escape(lead)}</p></header>\n"
            f'<nav aria-label="{escape(text("report_contents", language))}"><ul>{contents}</ul></nav>\n'
            f'<main id="main">\n{body}\n</main>\n</body>\n</html>\n'
        )


def link(address: str | None, shown: str) -> Html:
    """A link, or the bare text where there is no address."""
    return Html(f'<a href="{escape(address)}">{escape(shown)}</a>' if address else escape(shown))


def code(shown: str) -> Html:
    """A code, such as a checksum."""
    return Html(f"<code>{escape(shown)}</code>")


def _shown(value: str | Html) -> str:
    return value.markup if isinstance(value, Html) else escape(value)


def _cell(value: str | Html, style: str) -> str:
    return f"<td{style}>{_shown(value)}</td>"


def _embedded(svg: str, prefix: str) -> str:
    """SVG as HTML holds it: no XML head, no metadata, and ids that no other picture of the page has."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' xmlns(?::\w+)?="[^"]*"', "", svg)
    svg = re.sub(r'\bid="', f'id="{prefix}', svg)
    svg = re.sub(r'xlink:href="#', f'href="#{prefix}', svg)
    return re.sub(r"url\(#", f"url(#{prefix}", svg)
