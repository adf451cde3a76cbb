"""O*NET's ratings, one value per occupation, element and scale, and its shares of answers per category."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from imputer.sources.onet_cells import (
    check_occupations,
    columns,
    flags,
    integers,
    months,
    numbers,
    refuse,
    rows_of,
    source_id,
)
from imputer.sources.onet_scales import HIGH_POINTS, bounds
from imputer.sources.reading import DataIssue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from imputer.sources.onet_layout import RawTable

RATINGS = pa.schema(
    [
        ("soc", pa.string()),
        ("element_id", pa.string()),
        ("element_name", pa.string()),
        ("scale_id", pa.string()),
        ("value", pa.float64()),
        ("n", pa.int32()),
        ("standard_error", pa.float64()),
        ("recommend_suppress", pa.bool_()),
        ("not_relevant", pa.bool_()),
        ("date", pa.string()),
        ("domain_source", pa.string()),
        ("domain", pa.string()),
        ("source_id", pa.string()),
        ("source_row", pa.int32()),
    ]
)
SHARES = pa.schema([*[*RATINGS][:4], ("category", pa.int32()), ("label", pa.string()), *[*RATINGS][4:]])
_RATING_COLUMNS = {
    "onetsoc_code": True,
    "element_id": True,
    "element_name": True,
    "scale_id": True,
    "data_value": True,
    "title": False,
    "scale_name": False,
    "category": False,
    "n": False,
    "standard_error": False,
    "lower_ci_bound": False,
    "upper_ci_bound": False,
    "recommend_suppress": False,
    "not_relevant": False,
    "date": False,
    "domain_source": False,
}
_CATEGORY_COLUMNS = {
    "element_id": True,
    "element_name": True,
    "scale_id": True,
    "category": True,
    "category_description": True,
    "scale_name": False,
}


def read_ratings(
    raw: RawTable,
    domain: str,
    known: pa.Array,
    scales: Mapping[str, tuple[str, float, float]],
    labels: pa.Table,
    issues: list[DataIssue],
) -> pa.Table:
    """One table's ratings and shares (columns of ``SHARES``; a rating has no category); repairs go into ``issues``."""
    cells = columns(raw, _RATING_COLUMNS)
    check_occupations(raw, cells["onetsoc_code"], known)
    for name in ("element_id", "element_name", "scale_id"):
        refuse(raw, name, pc.is_null(cells[name]), cells[name], "text")
    value = numbers(raw, "data_value", cells["data_value"])
    category = integers(raw, "category", cells["category"])
    made = {
        "soc": cells["onetsoc_code"],
        "element_id": cells["element_id"],
        "element_name": cells["element_name"],
        "scale_id": cells["scale_id"],
        "category": category,
        "label": _label(cells["element_id"], cells["scale_id"], cells["category"], labels),
        "value": value,
        "n": integers(raw, "n", cells["n"]),
        "standard_error": numbers(raw, "standard_error", cells["standard_error"]),
        "recommend_suppress": flags(raw, "recommend_suppress", cells["recommend_suppress"]),
        "not_relevant": flags(raw, "not_relevant", cells["not_relevant"]),
        "date": months(raw, cells["date"]),
        "domain_source": cells["domain_source"],
        "domain": pa.repeat(domain, len(value)),
        "source_id": pa.repeat(source_id(raw.name), len(value)),
        "source_row": rows_of(raw),
    }
    table = pa.table([made[name] for name in SHARES.names], schema=SHARES)
    return _within_scale(raw, table, scales, issues)


def _within_scale(
    raw: RawTable, table: pa.Table, scales: Mapping[str, tuple[str, float, float]], issues: list[DataIssue]
) -> pa.Table:
    """The ratings that say something, each within its scale; a rating without a value is no rating.

    A high point of 0 says that there is none (rule ``no-high-point``). Raises SourceMalformed for an unknown scale
    or a value outside of it.
    """
    value, row = table["value"], table["source_row"]
    keep = pc.is_valid(value)
    issues += _noted(raw, row.filter(pc.invert(keep)), "rating-without-value", None)
    for scale in pc.unique(table["scale_id"]).to_pylist():
        here = pc.equal(table["scale_id"], scale)
        low, high = scales[scale][1:] if scale in scales else bounds(scale) or (None, None)
        if low is None or high is None:
            refuse(raw, "scale_id", here, table["scale_id"], "a scale of the Scales Reference")
            continue
        if scale in HIGH_POINTS:
            none = pc.fill_null(pc.and_(here, pc.equal(value, 0.0)), False)  # noqa: FBT003
            issues += _noted(raw, row.filter(none), "no-high-point", "0")
            keep = pc.and_(keep, pc.invert(none))
            here = pc.and_(here, pc.invert(none))
        outside = pc.fill_null(pc.and_(here, pc.or_(pc.less(value, low), pc.greater(value, high))), False)  # noqa: FBT003
        refuse(raw, "data_value", outside, value, f"a value from {low:g} to {high:g} on scale {scale}")
    return table.filter(keep)


def _noted(raw: RawTable, rows: pa.ChunkedArray, rule: str, before: str | None) -> list[DataIssue]:
    source = source_id(raw.name)
    return [DataIssue(source, raw.origin, row, "data_value", rule, before, None) for row in rows.to_pylist()]


def read_labels(tables: Mapping[str, Sequence[RawTable]]) -> pa.Table:
    """Category labels: key (element, scale, category) and label."""
    keys, labels = [], []
    for name in ("education_categories", "work_context_categories"):
        for raw in tables.get(name, ()):
            cells = columns(raw, _CATEGORY_COLUMNS)
            keys += _key(cells["element_id"], cells["scale_id"], cells["category"]).to_pylist()
            labels += cells["category_description"].to_pylist()
    return pa.table({"key": pa.array(keys, pa.string()), "label": pa.array(labels, pa.string())})


def _key(element: pa.ChunkedArray, scale: pa.ChunkedArray, category: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(element, scale, category, "|")


def _label(
    element: pa.ChunkedArray, scale: pa.ChunkedArray, category: pa.ChunkedArray, labels: pa.Table
) -> pa.ChunkedArray:
    return pc.take(labels["label"], pc.index_in(_key(element, scale, category), labels["key"].combine_chunks()))


def check_unique(tables: Mapping[str, Sequence[RawTable]], ratings: pa.Table) -> None:
    """Raise SourceMalformed where an occupation has two values for an element and scale."""
    keys = ["soc", "element_id", "scale_id"]
    counted = ratings.group_by([*keys, "source_id"]).aggregate([("value", "count")])
    doubled = counted.filter(pc.greater(counted["value_count"], 1))
    if doubled.num_rows:
        first = doubled.slice(0, 1).to_pylist()[0]
        raws = [raw for members in tables.values() for raw in members]
        raw = next(raw for raw in raws if source_id(raw.name) == first["source_id"])
        raise raw.malformed(None, None, "one value per occupation, element and scale", " ".join(map(first.get, keys)))
