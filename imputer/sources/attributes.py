"""The catalogue of attributes: what a cell may be about, its scale and what counts as close."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable

ATTRIBUTES = pa.schema(
    [
        ("attribute_id", pa.string()),
        ("system", pa.string()),
        ("domain", pa.string()),
        ("element_id", pa.string()),
        ("name_en", pa.string()),
        ("name_fr", pa.string()),
        ("value_type", pa.string()),
        ("entity_types", pa.list_(pa.string())),
        ("languages", pa.list_(pa.string())),
        ("scale_id", pa.string()),
        ("minimum", pa.float64()),
        ("maximum", pa.float64()),
        ("zero_meaning_en", pa.string()),
        ("zero_meaning_fr", pa.string()),
        ("tolerance", pa.float64()),
        ("imputable", pa.bool_()),
    ]
)


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute.

    ``entity_types`` are the kinds of thing it describes, ``languages`` those its values are given in: a thing has one
    cell per language, ``zxx`` for a number. ``minimum`` and ``maximum`` bound its scale; where ``zero_meaning_en`` is
    given, 0 lies outside of them and says that. ``tolerance`` is the distance, in points of the scale, up to which two
    values count as close. ``imputable`` says whether a value may be made where none is published.
    """

    attribute_id: str
    system: str
    domain: str
    element_id: str | None
    name_en: str
    name_fr: str | None = None
    value_type: str = "number"
    entity_types: tuple[str, ...] = ("job_title",)
    languages: tuple[str, ...] = ()
    scale_id: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    zero_meaning_en: str | None = None
    zero_meaning_fr: str | None = None
    tolerance: float | None = None
    imputable: bool = False

    def as_record(self) -> dict[str, Any]:
        """As a row of the catalogue; an attribute without stated languages has the one of its value type."""
        own = ("zxx",) if self.value_type == "number" else ("en",)
        return asdict(self) | {"languages": self.languages or own}


def attribute_table(attributes: Iterable[Attribute]) -> pa.Table:
    """The attributes as a table, in the order given."""
    return pa.Table.from_pylist([attribute.as_record() for attribute in attributes], schema=ATTRIBUTES)


def slug(name: str) -> str:
    """A name as part of an attribute id: lower-case words joined by ``_``, a final number apart («Time Pressure2»)."""
    return "_".join(re.findall(r"[a-z]+|\d+", name.lower().replace("'", "")))
