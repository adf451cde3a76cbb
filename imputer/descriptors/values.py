"""Values of OaSIS descriptors estimated from O*NET, for every unit group that O*NET rates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from imputer.calibration import Curve, curve_from_record, read_calibration

if TYPE_CHECKING:
    from imputer.descriptors.calibration import Calibration, DescriptorCalibration

#: What counts as close where the catalogue of attributes does not say, in points of the scale.
DEFAULT_TOLERANCE = 1.0

#: What ``imputer backtest --write-calibration`` leaves.
CALIBRATION = Path(__file__).with_name("calibration.json")

SCHEMA = pa.schema(
    [
        ("unit_group", pa.string()),
        ("attribute_id", pa.string()),
        ("value_number", pa.float64()),
        ("value_text", pa.string()),
        ("scale", pa.string()),
        ("confidence", pa.float64()),
        ("confidence_calibrated", pa.float64()),
        ("cardinality", pa.string()),
        ("n_occupations", pa.int32()),
        ("n_rated", pa.int32()),
        ("spread", pa.float64()),
        ("suppressed", pa.bool_()),
        ("not_relevant", pa.bool_()),
        ("rationale", pa.string()),
        ("evidence", pa.string()),
        ("locator", pa.string()),
        ("source_id", pa.string()),
        ("source_version", pa.string()),
    ]
)


def calibrated_values(
    calibration: Calibration, onet_values: pa.Table, attributes: pa.Table, curve: Curve | None = None
) -> pa.Table:
    """Estimates of every usable descriptor, by unit group and attribute, with method CROSSWALK_CALIBRATED.

    The stated confidence is the mapping strength of the O*NET value times the share of estimates of this descriptor
    that backtests found within one point, so neither can be exceeded. The calibrated one is the probability that the
    value is within the attribute's tolerance of a profile's published rating, by ``curve`` (null without).
    """
    catalogue = {row["attribute_id"]: row for row in attributes.to_pylist()}
    usable = [descriptor for descriptor in calibration.descriptors if descriptor.usable]
    wanted = pa.array(sorted({str(descriptor.onet_attribute) for descriptor in usable}), pa.string())
    rows = onet_values.filter(pc.is_in(onet_values["attribute_id"], value_set=wanted)).to_pylist()
    given: dict[str, dict[str, dict[str, Any]]] = {}
    for row in rows:
        given.setdefault(row["attribute_id"], {})[row["unit_group"]] = row
    records = [
        record
        for descriptor in usable
        for record in _records(
            calibration.unit_groups,
            descriptor,
            given.get(str(descriptor.onet_attribute), {}),
            catalogue[descriptor.attribute_id],
            curve,
        )
    ]
    records.sort(key=lambda record: (record["unit_group"], record["attribute_id"]))
    return pa.Table.from_pylist(records, schema=SCHEMA)


def certainty(deviation: np.ndarray[Any, np.dtype[np.float64]], tolerance: float) -> Any:  # noqa: ANN401 - as numpy
    """The score that a calibrated confidence is looked up by: tolerance in units of the error to expect."""
    return tolerance / np.maximum(deviation, 1e-9)


def _records(
    unit_groups: tuple[str, ...],
    descriptor: DescriptorCalibration,
    given: dict[str, dict[str, Any]],
    attribute: dict[str, Any],
    curve: Curve | None,
) -> list[dict[str, Any]]:
    scores = certainty(descriptor.deviation, attribute["tolerance"] or DEFAULT_TOLERANCE)
    probabilities = np.full(len(unit_groups), np.nan) if curve is None else curve.apply(scores)
    measured = {
        "error_90": round(descriptor.scores.error_90, 3),
        "mean_absolute_error": round(descriptor.scores.mae, 3),
        "unit_groups": descriptor.scores.n,
        "within_one": round(descriptor.scores.within_one, 3),
    }
    made: list[dict[str, Any]] = []
    for place, unit_group in enumerate(unit_groups):
        row = given.get(unit_group)
        if row is None or np.isnan(descriptor.estimates[place]):
            continue
        value = round(float(descriptor.estimates[place]), 2)
        probability = float(probabilities[place])
        confidence = round(row["confidence"] * descriptor.scores.within_one, 4)
        evidence = {
            "calibration": measured | {"error_expected": round(float(descriptor.deviation[place]), 3)},
            "confidence": {"mapping_strength": round(row["confidence"], 4), "within_one": measured["within_one"]},
            "elements": [
                {"element_id": link.element_id, "map_confidence": link.confidence, "relation": link.relation}
                for link in descriptor.links
            ],
            "method": descriptor.method,
            "onet": _parsed(row["evidence"]) | {"attribute_id": row["attribute_id"], "value": row["value_number"]},
        }
        made.append(
            {name: row[name] for name in SCHEMA.names if name in row}
            | {
                "attribute_id": descriptor.attribute_id,
                "value_number": value,
                "value_text": None,
                "scale": attribute["scale_id"],
                "confidence": confidence,
                "confidence_calibrated": None if np.isnan(probability) else round(probability, 4),
                "rationale": _rationale(descriptor, row, value),
                "evidence": json.dumps(evidence, ensure_ascii=False, sort_keys=True, separators=(",", ":")),
                "locator": f"{row['locator']}; descriptor map, row {descriptor.links[0].row}",
            }
        )
    return made


def _rationale(descriptor: DescriptorCalibration, row: dict[str, Any], value: float) -> str:
    element = f"«{descriptor.links[0].element_name}» ({row['attribute_id'].removeprefix('onet.')})"
    scores = descriptor.scores
    return (
        f"Estimated from O*NET, whose {element} is {row['value_number']:.2f} for unit group {row['unit_group']}: "
        f"{value:g} on the OaSIS scale, calibrated on other unit groups' OaSIS ratings "
        f"({_METHODS[str(descriptor.method)]}; off by {scores.mae:.2f} on average, over {scores.n} unit groups)."
    )


_METHODS = {
    "LIKENESS": "by likeness of O*NET ratings and place in the NOC",
    "LINEAR": "by a straight line",
    "ISOTONIC": "by a rising curve",
}


def _parsed(evidence: str | None) -> dict[str, Any]:
    parsed: object = json.loads(evidence) if evidence else {}
    return parsed if isinstance(parsed, dict) else {"evidence": parsed}


def stated_curve() -> Curve | None:
    """The curve that runs state calibrated confidence by, as backtests left it; None where they have left none."""
    if not CALIBRATION.exists():
        return None
    record = read_calibration(CALIBRATION)["curve"]
    return None if record is None else curve_from_record(record, f"{CALIBRATION}, curve")
