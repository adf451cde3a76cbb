"""A change of one element may change what was read from that element, and nothing else.

Region: the parent of the changed element, before and after, and its parent where the element was moved out of it.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from conservation import content
from page_changes import STRAY_TABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from page_mutations import Mutant

    from wiq_crawl.items import PageRecords, Record

# Changes after which what follows may belong to another section.
REGROUPING = frozenset(
    {
        "delete",
        "duplicate",
        "rename the tag",
        "drop the id",
        "rename the id",
        "give the id of another element",
        "swap the id’s prefix",
        "unwrap",
        "empty",
        "swap with the next sibling",
        "move into the next sibling",
        "move out of its parent",
    }
)


def unconfined(before: PageRecords, after: PageRecords, mutant: Mutant) -> Iterator[str]:
    """The differences between two readings that lie outside the element that was changed."""
    old, new = content(before), content(after)
    yield from _sections(old["sections"], new["sections"], mutant)
    yield from _links(old["links"], new["links"], mutant)
    changed = _count(map(_grid, old["data_tables"])) - _count(map(_grid, new["data_tables"]))
    if changed.total() > mutant.tables:
        yield f"{changed.total()} tables differ, {mutant.tables} were touched"
    if before.kind == "definitions":
        yield from _entries(old["definitions"], new["definitions"], mutant)
    if before.kind == "occupational_groups":
        yield from _rows(old["occupational_groups"], new["occupational_groups"], mutant)
    if {**old["documents"][0], "heading": ""} != {**new["documents"][0], "heading": ""}:
        yield "the document"


def _sections(old: list[Record], new: list[Record], mutant: Mutant) -> Iterator[str]:
    grouped = mutant.mutation.name not in REGROUPING

    def told(sections: list[Record]) -> Counter[Any]:
        blocks = _count(
            (grouped and tuple(section["anchors"][:1]), block["kind"], block["depth"], block["marker"], block["text"])
            for section in sections
            for block in section["blocks"]
        )
        return blocks + _count(("heading", section["heading"]) for section in sections if section["heading"])

    for gone in told(old) - told(new):
        if "".join(gone[-1].split()) not in mutant.text_before:
            yield f"gone: {gone}"
    for come in told(new) - told(old):
        text = "".join(come[-1].split())
        # A table inside a list stands in no block, so the text around it joins.
        if text not in mutant.text_after and text not in mutant.text_after.replace(STRAY_TABLE.replace("/", ""), ""):
            yield f"come: {come}"


def _links(old: list[Record], new: list[Record], mutant: Mutant) -> Iterator[str]:
    first, second = (_count(link["href"] for link in links) for links in (old, new))
    if (first - second) - _count(mutant.links_before) or (second - first) - _count(mutant.links_after):
        yield f"links {first - second} gone, {second - first} come"
    columns, others = (_count((link["href"], link["table_column"]) for link in links) for links in (old, new))
    if (columns - others) - _count((href, column) for href, column in columns if href in mutant.links_before):
        yield "columns of links"


def _entries(old: list[Record], new: list[Record], mutant: Mutant) -> Iterator[str]:
    yield from _others(old, new, "anchor", "position", mutant)


def _rows(old: list[Record], new: list[Record], mutant: Mutant) -> Iterator[str]:
    yield from _others(old, new, "row_key", "row_number", mutant)


def _others(old: list[Record], new: list[Record], key: str, number: str, mutant: Mutant) -> Iterator[str]:
    """Records that the mutation did not touch are the same, wherever they now stand."""
    untouched = [record for record in old if record[number] not in mutant.touched]
    found = {record[key]: record for record in new}
    for record in untouched:
        now = found.get(record[key])
        if now is None or now | {number: 0} != record | {number: 0}:
            yield f"{record[key]} is {'gone' if now is None else 'changed'}"
    if len(new) > len(old) + len(mutant.touched):
        yield f"{len(new) - len(old)} records more"


def _grid(table: Record) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(row) for row in table["grid"])


def _count(values: Iterable[Any]) -> Counter[Any]:
    return Counter(values)
