"""Which thing and which attribute a user means: by id, or by the name, ignoring case, in either language."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

from rapidfuzz import fuzz, process

from imputer.errors import WrongUsage
from imputer.wording import quote, text, word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from imputer.finished import FinishedRun

_SHOWN = 5
_NEAR = 60.0  # WRatio, 0 to 100

# Where systems use the same name, the first that has it is meant; the others are told.
_SYSTEMS = ("OaSIS", "COPS", "WiQ", "O*NET")


def find_entity(run: FinishedRun, wanted: str, language: str) -> dict[str, Any]:
    """The row of ``dim_entity`` with this id, else with this name in either language.

    Raises WrongUsage, with the choices or the nearest names, where there is none or more than one.
    """
    by_id = run.first("SELECT * FROM dim_entity WHERE entity_id = $wanted", {"wanted": wanted.strip()})
    if by_id:
        return by_id
    things = run.rows("SELECT * FROM dim_entity ORDER BY entity_id")
    named = [thing for thing in things if _is_named(thing, wanted)]
    # A family may be called as one of its titles is: the title is meant.
    titles = [thing for thing in named if thing["entity_type"] == "job_title"]
    found = titles or named
    if len(found) == 1:
        return found[0]
    if found:
        choices = "; ".join(_thing(one, language) for one in found[: 2 * _SHOWN])
        raise WrongUsage(
            text("ambiguous_entity", language, name=quote(wanted, language), count=len(found), choices=choices)
        )
    nearest = _nearest(wanted, things, lambda thing: _thing(thing, language))
    raise WrongUsage(_unknown("unknown_entity", wanted, nearest, "dim_entity", language))


def find_attribute(run: FinishedRun, wanted: str, language: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The row of ``dim_attribute`` with this id, else with this name in either language; and its namesakes.

    Raises WrongUsage, with the choices or the nearest names, where there is none, or more than one in the system
    that comes first (OaSIS, COPS, WiQ, O*NET).
    """
    attributes = run.rows("SELECT * FROM dim_attribute ORDER BY attribute_id")
    named = [one for one in attributes if _is_named(one, wanted)]
    for one in attributes:
        if one["attribute_id"].casefold() == wanted.strip().casefold():
            return one, [other for other in named if other is not one]
    for system in _SYSTEMS:
        own = [one for one in named if one["system"] == system]
        if len(own) == 1:
            return own[0], [one for one in named if one is not own[0]]
        if own:
            choices = "; ".join(_attribute(one, language) for one in own[: 2 * _SHOWN])
            raise WrongUsage(
                text("ambiguous_attribute", language, name=quote(wanted, language), count=len(own), choices=choices)
            )
    nearest = _nearest(wanted, attributes, lambda one: _attribute(one, language), key="attribute_id")
    raise WrongUsage(_unknown("unknown_attribute", wanted, nearest, "dim_attribute", language))


def find_domain(run: FinishedRun, wanted: str, language: str) -> str:
    """A domain of ``dim_attribute`` by its code or its name in either language. Raises WrongUsage for another one."""
    domains = [row["domain"] for row in run.rows("SELECT DISTINCT domain FROM dim_attribute ORDER BY domain")]
    plain = _plain(wanted)
    for domain in domains:
        if plain in {_plain(name) for name in (domain, word("domain", domain, "en"), word("domain", domain, "fr"))}:
            return str(domain)
    raise WrongUsage(text("unknown_domain", language, name=quote(wanted, language), choices=", ".join(domains)))


def _plain(name: str) -> str:
    """A name as it is compared: case, kind of apostrophe, width of spaces and underscores do not count."""
    folded = unicodedata.normalize("NFKC", name).casefold().replace("’", "'").replace("_", " ")
    return re.sub(r"\s+", " ", folded).strip()


def _is_named(row: dict[str, Any], wanted: str) -> bool:
    plain = _plain(wanted)
    return any(row[name] is not None and _plain(row[name]) == plain for name in ("name_en", "name_fr"))


def _nearest(
    wanted: str, rows: Iterable[dict[str, Any]], shown: Callable[[dict[str, Any]], str], key: str | None = None
) -> list[str]:
    """The rows whose names come nearest, best first, each once."""
    columns = ["name_en", "name_fr", *([key] if key else [])]
    names = [(row, _plain(row[column])) for row in rows for column in columns if row[column]]
    # A word of a long name counts as much as a slip in a short one.
    plain = [name for _, name in names]
    best: dict[int, float] = {}
    for scorer in (fuzz.WRatio, fuzz.token_set_ratio):
        for _, score, at in process.extract(_plain(wanted), plain, scorer=scorer, score_cutoff=_NEAR, limit=4 * _SHOWN):
            best[at] = max(score, best.get(at, 0.0))
    # Equal scores: the name that is most alike as a whole, then the order of the table.
    order = sorted(best, key=lambda at: (-best[at], -fuzz.ratio(_plain(wanted), names[at][1]), at))
    return list(dict.fromkeys(shown(names[at][0]) for at in order))[:_SHOWN]


def _unknown(key: str, wanted: str, nearest: list[str], table: str, language: str) -> str:
    told = text(key, language, name=quote(wanted, language))
    if nearest:
        return f"{told}; {text('nearest', language, choices='; '.join(nearest))}"
    return f"{told}; {text('nothing_near', language, table=table)}"


def _thing(row: dict[str, Any], language: str) -> str:
    return f"{row['entity_id']} {quote(name_of(row, language), language)}"


def _attribute(row: dict[str, Any], language: str) -> str:
    return f"{row['attribute_id']} {quote(name_of(row, language), language)}"


def name_of(row: dict[str, Any], language: str) -> str:
    """The name of a row in a language; in English where it has none in French."""
    return str(row[f"name_{language}"] or row["name_en"])
