"""The legal notice at the top of a definition, with one or more dates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wiq_crawl.replica.markup import Html, date, element, html, joined
from wiq_crawl.replica.prose import long_date

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wiq_crawl.replica.facts import Anchor, NoticeDate

_LEAD: Final = {
    "en": "Pursuant to section 101 (Public Service Reform Act), the Treasury Board gives notice that",
    "fr": "Conformément à l’article 101 (réforme de la fonction publique), avis est donné que",
}
_ONE: Final = {
    "en": ("this definition applies to {name}, effective ", "."),
    "fr": ("la présente définition vise {name}, à compter du ", "."),
}
_TWO: Final = {
    "en": ("it first defined {name} on ", " and that the present wording is effective ", "."),
    "fr": ("{name} a d’abord été défini le ", " et que le présent texte s’applique à compter du ", "."),
}
_THREE: Final = {
    "en": (
        "it defined {name} on ",
        ", as printed in the Canada Gazette of ",
        ", and that the present wording is effective ",
        ".",
    ),
    "fr": (
        "{name} a été défini le ",
        ", selon la Gazette du Canada du ",
        ", et que le présent texte s’applique à compter du ",
        ".",
    ),
}
# The notice of this group names the day of approval and no effective date.
_APPROVED: Final = {
    "def-sh": {
        "en": ("this definition of {name} was approved on ", "."),
        "fr": ("la présente définition de {name} a été approuvée le ", "."),
    },
}
# The notice of this group has a space between its date and the full stop.
_SPACE_BEFORE_STOP: Final = "def-ai"


def notice(anchor: Anchor, name: str, language: str) -> Html:
    """Return the notice of an entry; the last date is the effective one."""
    quoted = f"“{name}”" if language == "en" else f"«\u00a0{name}\u00a0»"
    texts = _texts(anchor, language)
    parts: list[str] = [_LEAD[language], " "]
    for text, day in zip(texts, anchor.dates, strict=False):
        parts += [text.format(name=quoted), _shown(day, language)]
    parts.append(" ." if anchor.identifier == _SPACE_BEFORE_STOP else texts[-1])
    return element("p", joined(*parts), class_="well well-sm label-warning small panel")


def _texts(anchor: Anchor, language: str) -> Sequence[str]:
    if anchor.identifier in _APPROVED:
        return _APPROVED[anchor.identifier][language]
    return (_ONE, _TWO, _THREE)[len(anchor.dates) - 1][language]


def _shown(day: NoticeDate, language: str) -> Html:
    if day.attribute is None:
        return html(long_date(day.shown, language))
    return date(day.attribute, long_date(day.shown, language), language)
