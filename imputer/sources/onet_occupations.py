"""What O*NET gives per occupation besides ratings: its name, Job Zone, tasks and technologies; and its scales."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from imputer.sources.codes import OCCUPATION
from imputer.sources.onet_cells import check_occupations, columns, flags, integers, months, numbers, refuse, rows_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imputer.sources.onet_layout import RawTable

ZONES = pa.schema([("soc", pa.string()), ("job_zone", pa.int32()), ("date", pa.string()), ("source_row", pa.int32())])
TASKS = pa.schema(
    [
        ("soc", pa.string()),
        ("task_id", pa.string()),
        ("task", pa.string()),
        ("task_type", pa.string()),
        ("source_row", pa.int32()),
    ]
)
TECHNOLOGY_SKILLS = pa.schema(
    [
        ("soc", pa.string()),
        ("example", pa.string()),
        ("category", pa.string()),
        ("hot_technology", pa.bool_()),
        ("in_demand", pa.bool_()),
        ("source_row", pa.int32()),
    ]
)
_OCCUPATION_COLUMNS = {"onetsoc_code": True, "title": True, "description": True}
_ZONE_COLUMNS = {"onetsoc_code": True, "title": False, "job_zone": True, "date": False, "domain_source": False}
_TASK_COLUMNS = {
    "onetsoc_code": True,
    "title": False,
    "task_id": True,
    "task": True,
    "task_type": True,
    "incumbents_responding": False,
    "date": False,
    "domain_source": False,
}
# Until 30.x software stands under a product code (commodity), in 31.0 under an element.
_TECHNOLOGY_COLUMNS = {
    "onetsoc_code": True,
    "title": False,
    "example": True,
    "commodity_code": False,
    "commodity_title": False,
    "element_id": False,
    "element_name": False,
    "hot_technology": True,
    "in_demand": True,
}
_SCALE_COLUMNS = {"scale_id": True, "scale_name": True, "minimum": True, "maximum": True}
_CODE = OCCUPATION.pattern


def read_occupations(raw: RawTable) -> pa.Table:
    """``occupations``: every occupation once, with title and description."""
    cells = columns(raw, _OCCUPATION_COLUMNS)
    codes = cells["onetsoc_code"]
    wrong = pc.invert(pc.fill_null(pc.match_substring_regex(codes, f"^{_CODE}$"), False))  # noqa: FBT003
    refuse(raw, "onetsoc_code", wrong, codes, "an O*NET-SOC code: NN-NNNN.NN")
    counts = pc.value_counts(codes)
    doubled = [entry["values"] for entry in counts.to_pylist() if entry["counts"] > 1]
    if doubled:
        raise raw.malformed(None, "onetsoc_code", "each occupation once", repr(doubled[0]))
    made = [codes, cells["title"], cells["description"], rows_of(raw)]
    return pa.table(made, ["soc", "title", "description", "source_row"])


def read_job_zones(raw: RawTable, known: pa.Array) -> pa.Table:
    """``job_zones``: the zone from 1 to 5 of an occupation."""
    cells = columns(raw, _ZONE_COLUMNS)
    check_occupations(raw, cells["onetsoc_code"], known)
    zone = integers(raw, "job_zone", cells["job_zone"])
    outside = pc.invert(pc.fill_null(pc.and_(pc.greater_equal(zone, 1), pc.less_equal(zone, 5)), False))  # noqa: FBT003
    refuse(raw, "job_zone", outside, cells["job_zone"], "a zone from 1 to 5")
    return pa.table([cells["onetsoc_code"], zone, months(raw, cells["date"]), rows_of(raw)], schema=ZONES)


def read_tasks(raw: RawTable, known: pa.Array) -> pa.Table:
    """``tasks``: statements in the order of the table."""
    cells = columns(raw, _TASK_COLUMNS)
    check_occupations(raw, cells["onetsoc_code"], known)
    kind = cells["task_type"]
    unknown = pc.and_(pc.is_valid(kind), pc.invert(pc.is_in(kind, pa.array(["Core", "Supplemental", "New"]))))
    refuse(raw, "task_type", unknown, kind, "Core, Supplemental or nothing")
    return pa.table(
        [cells[name] for name in ("onetsoc_code", "task_id", "task", "task_type")] + [rows_of(raw)], schema=TASKS
    )


def read_technology_skills(raw: RawTable, known: pa.Array) -> pa.Table:
    """``technology_skills``: examples, with the product code's or element's name as category."""
    cells = columns(raw, _TECHNOLOGY_COLUMNS)
    check_occupations(raw, cells["onetsoc_code"], known)
    marks = [flags(raw, name, cells[name]) for name in ("hot_technology", "in_demand")]
    category = pc.coalesce(cells["commodity_title"], cells["element_name"])
    return pa.table([cells["onetsoc_code"], cells["example"], category, *marks, rows_of(raw)], schema=TECHNOLOGY_SKILLS)


def read_scales(raws: Sequence[RawTable]) -> dict[str, tuple[str, float, float]]:
    """Scale id to name, minimum and maximum, as the release states them."""
    found = {}
    for raw in raws:
        cells = columns(raw, _SCALE_COLUMNS)
        low, high = (numbers(raw, name, cells[name]) for name in ("minimum", "maximum"))
        parts = [cells["scale_id"], cells["scale_name"], low, high]
        for scale, name, least, most in zip(*(column.to_pylist() for column in parts), strict=True):
            found[scale] = (name, least, most)
    return found
