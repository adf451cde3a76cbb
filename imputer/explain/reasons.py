"""Why a value is what it is, in the reader's language.

Statements keep their rationale in English. In French the sentence is made of the method and the evidence, with the
same facts; where the evidence lacks one, its words are left out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from imputer.tiers.descriptions import DESCRIPTION
from imputer.tiers.hierarchical import UNIT_GROUP_ONLY
from imputer.wording import labels, number, percent, quote, text, word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    #: Names by code, then language.
    Names = Mapping[str, Mapping[str, str]]

_MOST_ITEMS = 20
_DIGITS = 4

# Keys of the evidence that hold codes, and the section of labels for each.
_CODES = {"resolution": "resolution_method", "cardinality": "cardinality"}
_WORDS = {"method": "calibration_method", "spread_kind": "spread_kind", "description_source": "source_type"}
_WORDS_OF_PLACES = (
    (re.compile(r"\brows\b"), "lignes"),
    (re.compile(r"\brow\b"), "ligne"),
    (re.compile(r"\bcolumn\b"), "colonne"),
    (re.compile(r"^job titles\b"), "titres de poste"),
    (re.compile(r"\bdescriptor map\b"), "table de correspondance des descripteurs"),
    (re.compile(r"\bcrosswalk\b"), "table de concordance"),
    (re.compile(r"«(?! )([^»]*[^» ])»"), r"« \1 »"),
)


def rationale(statement: dict[str, Any], language: str, names: Names) -> str:
    """Why, in a sentence. ``names`` are those of the codes in the evidence, by code and language."""
    stored = str(statement["rationale"])
    if statement["method"] == "LLM_BATCH":
        return text("model_words", language, words=stored)
    if language == "en":
        return stored
    evidence = statement["evidence"] if isinstance(statement["evidence"], dict) else {}
    sentences = _OF_DESCRIPTIONS if statement["attribute_id"] == DESCRIPTION.attribute_id else _SENTENCES
    try:
        return sentences[statement["method"]](statement, evidence, language, names)
    except KeyError:
        return text("as_stored", language, words=stored)


def _because_profile(_: dict[str, Any], evidence: dict[str, Any], language: str, names: Names) -> str:
    return text(
        "because_profile",
        language,
        profile=coded(evidence["profile"], language, names),
        settled=_settled(evidence, language, names),
    )


def _settled(evidence: dict[str, Any], language: str, names: Names) -> str:
    """What the settled profile is to the title: what it was resolved to, or all that its unit group has."""
    if evidence["resolution"] in UNIT_GROUP_ONLY:
        return text("only_profile", language, unit_group=coded(evidence["unit_group"], language, names))
    matched = evidence.get("matched_text")
    return text(
        "resolved_profile",
        language,
        resolution=word("resolution_method", evidence["resolution"], language),
        matched=f"; {quote(matched, language)}" if matched else "",
    )


def _because_aggregate(_: dict[str, Any], evidence: dict[str, Any], language: str, __: Names) -> str:
    return text(
        "because_aggregate",
        language,
        n=evidence["n"],
        unit_group=evidence["unit_group"],
        minimum=number(evidence["minimum"], language),
        maximum=number(evidence["maximum"], language),
    )


def _because_unit_group(_: dict[str, Any], evidence: dict[str, Any], language: str, __: Names) -> str:
    key = "because_unit_group_coded" if evidence["coded"] else "because_unit_group_resolved"
    return text(key, language, unit_group=evidence["unit_group"])


def _because_crosswalk(statement: dict[str, Any], evidence: dict[str, Any], language: str, _: Names) -> str:
    # The evidence counts the rated occupations; how many there are, and how they were combined, the sentence tells.
    stored = re.search(r"of (\d+) that the crosswalk gives \(([^)]*)\)", statement["rationale"])
    if not stored:
        raise KeyError("crosswalk")
    n = evidence["n"]
    summary = statement["rationale"].partition(" over ")[0]
    given = {"n": n, "release": evidence["release"], "total": stored[1], "cardinality": stored[2]}
    many = n > 1
    told = text(
        "because_onet_many" if many else "because_onet_one",
        language,
        summary=word("summary", summary, language),
        **given,
    )
    kind, spread = evidence.get("spread_kind"), evidence.get("spread")
    if kind and isinstance(spread, int | float):
        shown = percent(spread, language, 0) if kind == "distance" else number(spread, language, 4)
        told += text("because_onet_spread", language, kind=word("spread_kind", kind, language), spread=shown)
    both = [value for value in evidence.get("crosswalks") or [] if value is not None]
    if len(both) > 1 and "crosswalks give" in statement["rationale"]:
        first, second = (number(value, language) for value in both[:2])
        told += text("because_onet_both", language, first=first, second=second)
    for key in ("suppressed", "not_relevant"):
        if evidence.get(key):
            told += text(f"because_onet_{key}", language, count=evidence[key])
    return f"{told}."


def _because_calibrated(statement: dict[str, Any], evidence: dict[str, Any], language: str, _: Names) -> str:
    onet, measured = evidence.get("onet", {}), evidence.get("calibration", {})
    given = error = ""
    if isinstance(onet.get("value"), int | float):
        given = text(
            "because_calibrated_onet",
            language,
            attribute=str(onet["attribute_id"]).removeprefix("onet."),
            value=number(onet["value"], language),
        )
    if "mean_absolute_error" in measured:
        error = text(
            "because_calibrated_error",
            language,
            error=number(measured["mean_absolute_error"], language),
            n=measured["unit_groups"],
        )
    return text(
        "because_calibrated",
        language,
        onet=given,
        value=number(statement["value_number"], language),
        method=word("calibration_method", evidence["method"], language),
        error=error,
    )


def _because_definition(statement: dict[str, Any], evidence: dict[str, Any], language: str, names: Names) -> str:
    unlike = evidence["resolution"] in UNIT_GROUP_ONLY
    key = "because_definition_coded" if unlike else "because_definition"
    return _because_text(key)(statement, evidence, language, names)


def _because_text(key: str) -> Callable[[dict[str, Any], dict[str, Any], str, Names], str]:
    """A sentence on a description, whose blanks are in the evidence: codes with their names, and resolution."""

    def because(_: dict[str, Any], evidence: dict[str, Any], language: str, names: Names) -> str:
        known = {name: coded(str(code), language, names) for name, code in evidence.items() if name in _NAMED}
        if "resolution" in evidence:
            known["settled"] = _settled(evidence, language, names)
        return text(key, language, **known, release=evidence.get("release"))

    return because


_NAMED = ("profile", "unit_group", "soc")
_OF_DESCRIPTIONS = {
    "INHERITED_PROFILE": _because_text("because_lead_statement"),
    "INHERITED_UNIT_GROUP": _because_definition,
    "CROSSWALK": _because_text("because_occupation"),
}


def _because_neighbours(_: dict[str, Any], evidence: dict[str, Any], language: str, names: Names) -> str:
    return text(
        "because_neighbours" if evidence["n"] > 1 else "because_neighbour",
        language,
        n=evidence["n"],
        minimum=number(evidence["minimum"], language),
        maximum=number(evidence["maximum"], language),
        titles=", ".join(_job_title(one["job_title_id"], language, names) for one in evidence["neighbours"]),
    )


_SENTENCES = {
    "INHERITED_PROFILE": _because_profile,
    "INHERITED_UNIT_GROUP_AGGREGATE": _because_aggregate,
    "INHERITED_UNIT_GROUP": _because_unit_group,
    "CROSSWALK": _because_crosswalk,
    "CROSSWALK_CALIBRATED": _because_calibrated,
    "NEAREST_NEIGHBOURS": _because_neighbours,
}


def resolution_rationale(found: dict[str, Any], language: str) -> str:
    """Why a title was resolved as it was: the stored sentence, in French one made of method and matched text."""
    stored, method = str(found.get("rationale") or ""), str(found.get("method"))
    reasons = labels()["resolution_reason"]
    if (language == "en" and stored) or method not in reasons:
        return text("as_stored", language, words=stored) if stored else ""
    if method in UNIT_GROUP_ONLY and found.get("only_profile"):
        return text("only_profile_unlike", language)
    matched = found.get("matched_text")
    return reasons[method][language].format(matched=f" ({quote(matched, language)})" if matched else "")


def place(locator: str, language: str) -> str:
    """A locator in the reader's language."""
    if language == "fr":
        for pattern, words in _WORDS_OF_PLACES:
            locator = pattern.sub(words, locator)
    return locator


def evidence_lines(evidence: Any, language: str, names: Names) -> list[tuple[int, str]]:  # noqa: ANN401 (whatever JSON holds)
    """Evidence as lines with the depth of each; a long list ends in the count of what is left out.

    What is null has no line: it is not there. Codes in ``names`` are followed by their name.
    """
    return list(_lines(evidence, language, names, 0))


def _lines(held: Any, language: str, names: Names, depth: int) -> Iterator[tuple[int, str]]:  # noqa: ANN401
    if isinstance(held, dict):
        for key, value in _present(held):
            label = text("colon", language, label=_labelled(key, language, names))
            if _is_short(value):
                yield depth, f"{label} {_short(value, language, names, key)}"
            else:
                yield depth, label
                yield from _lines(value, language, names, depth + 1)
    elif isinstance(held, list):
        for item in held[:_MOST_ITEMS]:
            yield depth, _item(item, language, names)
        if len(held) > _MOST_ITEMS:
            yield depth, text("more_lines", language, count=len(held) - _MOST_ITEMS)
    else:
        yield depth, _short(held, language, names)


def _present(held: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(key, value) for key, value in held.items() if value is not None]


def _is_short(value: Any) -> bool:  # noqa: ANN401
    if isinstance(value, list):
        return all(not isinstance(item, list | dict) for item in value) and len(value) <= _MOST_ITEMS
    return not isinstance(value, dict) or not value


def _item(item: Any, language: str, names: Names) -> str:  # noqa: ANN401
    """One line for one element of a list."""
    if isinstance(item, dict):
        parts = (
            f"{text('colon', language, label=_labelled(key, language, names))} {_short(value, language, names, key)}"
            for key, value in _present(item)
        )
        return "; ".join(parts)
    return _short(item, language, names)


def _short(value: Any, language: str, names: Names, key: str | None = None) -> str:  # noqa: ANN401
    if value is None or value in ([], {}):
        shown = "–"
    elif isinstance(value, bool):
        shown = text("yes" if value else "no", language)
    elif isinstance(value, int | float):
        shown = number(value, language, _DIGITS)
    elif isinstance(value, list):
        parts = [_short(item, language, names) for item in value]
        shown = ("; " if any("," in part for part in parts) else ", ").join(parts)
    elif isinstance(value, dict):
        shown = _item(value, language, names)
    elif key in _CODES:
        shown = f"{value} ({word(_CODES[key], value, language)})"
    elif key == "job_title_id":
        shown = _job_title(str(value), language, names)
    elif str(value) in names:
        shown = coded(str(value), language, names)
    else:
        shown = word(_WORDS[key], value, language) if key in _WORDS else str(value)
    return shown


def _labelled(key: str, language: str, names: Names) -> str:
    return coded(key, language, names) if key in names else word("evidence", key, language)


def _job_title(key: str, language: str, names: Names) -> str:
    """The id of a job title and its name, which stands under the pair of key and id: the id may be any code's too."""
    name = names.get(f'"job_title_id":"{key}"')
    return f"{key} {quote(name[language], language)}" if name else key


def coded(code: str, language: str, names: Names) -> str:
    """A code and its name, where it has one."""
    return f"{code} {quote(names[code][language], language)}" if code in names else code
