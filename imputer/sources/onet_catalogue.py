"""O*NET's part of the attribute catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imputer.sources.attributes import Attribute, attribute_table
from imputer.sources.onet_scales import HIGH_POINTS, LISTS, bounds, tolerance

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa


def onet_attributes(
    ratings: pa.Table, shares: pa.Table, lists: Sequence[str], scales: Mapping[str, tuple[str, float, float]]
) -> pa.Table:
    """The catalogue: one attribute per rated element and scale, and the lists; ordered by domain and element.

    English names only: O*NET publishes none in French.
    """
    made = []
    for domain, element, name, scale in _kinds(ratings):
        if scale == "DR":
            continue
        if scale in HIGH_POINTS:
            made.append(
                Attribute(
                    f"onet.{element}.{scale}",
                    "O*NET",
                    domain,
                    element,
                    name,
                    value_type="text",
                    scale_id=scale,
                    imputable=True,
                )
            )
            continue
        title, low, high = scales.get(scale) or (scale, *(bounds(scale) or (None, None)))
        made.append(
            Attribute(
                f"onet.{element}.{scale}",
                "O*NET",
                domain,
                element,
                f"{name} ({title.lower()})",
                scale_id=scale,
                minimum=low,
                maximum=high,
                tolerance=tolerance(scale),
                imputable=True,
            )
        )
    made += _list_attributes(shares, lists)
    return attribute_table(made)


def _kinds(rated: pa.Table) -> list[tuple[str, str, str, str]]:
    """Each domain, element, element name and scale that is rated, once."""
    keys = ["domain", "element_id", "element_name", "scale_id"]
    return sorted(tuple(record[key] for key in keys) for record in rated.group_by(keys).aggregate([]).to_pylist())


def _list_attributes(shares: pa.Table, lists: Sequence[str]) -> list[Attribute]:
    made = []
    for domain, element, name, scale in _kinds(shares):
        attribute = LISTS.get(scale, f"onet.{element}.{scale}")
        made.append(
            Attribute(
                attribute,
                "O*NET",
                domain,
                element,
                f"{name} (per cent of answers per category)",
                value_type="list",
                scale_id=scale,
            )
        )
    if "job_zones" in lists:
        made.append(
            Attribute(
                "onet.job_zone",
                "O*NET",
                "job_zone",
                None,
                "Job Zone",
                scale_id="JZ",
                minimum=1.0,
                maximum=5.0,
                tolerance=1.0,
                imputable=True,
            )
        )
    if "tasks" in lists:
        made.append(Attribute("onet.tasks", "O*NET", "tasks", None, "Tasks", value_type="list"))
    if "technology_skills" in lists:
        made.append(
            Attribute(
                "onet.technology_skills", "O*NET", "technology_skills", None, "Technology skills", value_type="list"
            )
        )
    return made
