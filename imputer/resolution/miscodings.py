"""Coded titles whose text argues for another unit group: listed with the evidence, never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from imputer.resolution.answer import EXAMPLE_MATCH, INFERRED
from imputer.resolution.normalise import forms, normalise
from schemas.arrow import arrow_schema
from schemas.table import load_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imputer.resolution.answer import Resolution
    from imputer.resolution.resolver import Resolver

#: Calibrated probability of another unit group from which a coded title is suspected.
SUSPECTED: Final = 0.8
SUSPECTED_MISCODINGS = arrow_schema(load_table("wiq", "suspected_miscodings"))


def suspected_miscodings(resolver: Resolver, job_titles: pa.Table, found: Sequence[Resolution]) -> pa.Table:
    """Suspicions by job_title_id; ``found`` are the resolutions of ``job_titles``, in its order.

    A title is suspected where it is spelled like a title of one other unit group and of none of its own, or where
    the unit group that its text and the titles coded like it argue for, its own row left out, is another with a
    calibrated probability of SUSPECTED or more.
    """
    records: list[dict[str, Any]] = []
    for row, resolution in zip(job_titles.to_pylist(), found, strict=True):
        coded = row["unit_group"]
        if not coded:
            continue
        record = _by_spelling(resolver, row, coded) or _by_likelihood(coded, resolution)
        if record:
            named = {"job_title_id": row["job_title_id"], "title": resolution.title, "coded_unit_group": coded}
            records.append(named | record)
    return pa.Table.from_pylist(sorted(records, key=lambda one: str(one["job_title_id"])), schema=SUSPECTED_MISCODINGS)


def _by_spelling(resolver: Resolver, row: dict[str, Any], coded: str) -> dict[str, Any] | None:
    for language, corpus in resolver.corpora.items():
        title = row[f"title_{language}"]
        if not title:
            continue
        places = sorted({at for form in forms(title, language) for at in corpus.by_form.get(form, ())})
        groups = {corpus.unit_groups[corpus.groups[at]] for at in places}
        if len(groups) != 1 or coded in groups:
            continue
        key = normalise(title, language)
        best = next((at for at in places if corpus.keys[at] == key), places[0])
        (other,) = groups
        return {
            "suggested_unit_group": other,
            "method": EXAMPLE_MATCH,
            "confidence_calibrated": None,
            "matched_text": corpus.texts[best],
            "evidence": f"«{title}» is «{corpus.texts[best]}», a title of unit group {other} and of no other.",
        }
    return None


def _by_likelihood(coded: str, resolution: Resolution) -> dict[str, Any] | None:
    best = resolution.candidates[0]
    if best.unit_group == coded or best.score < SUSPECTED:
        return None
    own = next((one.score for one in resolution.candidates if one.unit_group == coded), None)
    told = "not among the first five" if own is None else f"{own:.0%}"
    return {
        "suggested_unit_group": best.unit_group,
        "method": INFERRED,
        "confidence_calibrated": best.score,
        "matched_text": None,
        "evidence": f"Without its own row the title is inferred as {best.unit_group} ({best.score:.0%}); "
        f"the coded unit group {coded}: {told}.",
    }
