"""What backtests measured of a model or of similar titles, put on their statements: probability and 90 % interval.

A calibration belongs to the method that was measured. That of a model stands in the output folder, by the name that
its answers carry, and is never shipped; that of similar titles (NEIGHBOURS) stands beside this module. What was not
measured keeps its stated confidence alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from imputer.calibration import curve_from_record, malformed, read_calibration

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from imputer.calibration import Curve

#: The name of the curve over all attributes; the others are named by system and domain, such as ``OaSIS/skills``.
ALL = "all"
#: What ``imputer backtest --tier llm --write-calibration`` leaves of similar titles.
NEIGHBOURS_CALIBRATION = Path(__file__).with_name("neighbours_calibration.json")
#: … and of models, below the imputer's root (output/wiq).
MODELS_CALIBRATION = Path("batch") / "calibration.json"

_CURVES = pa.schema([("curve", pa.string()), ("score", pa.float64()), ("probability", pa.float64())])
_ATTRIBUTES = pa.schema(
    [
        ("source_type", pa.string()),
        ("model", pa.string()),
        ("attribute_id", pa.string()),
        ("curve", pa.string()),
        ("radius", pa.float64()),
    ]
)
_APPLY = """
UPDATE stated SET confidence_calibrated = probability, interval_low = low, interval_high = high
FROM (
    SELECT s.rowid AS place, probability,
        CASE WHEN radius IS NOT NULL THEN least(s.value_number, greatest(round(s.value_number - radius, 4),
            CASE WHEN zero_meaning_en IS NOT NULL AND minimum IS NOT NULL THEN 0 ELSE minimum END)) END AS low,
        CASE WHEN radius IS NOT NULL THEN greatest(s.value_number,
            least(round(s.value_number + radius, 4), maximum)) END AS high
    FROM stated s
    JOIN measured_attributes m ON m.source_type = s.source_type AND m.model = coalesce(s.model, '')
        AND m.attribute_id = s.attribute_id
    JOIN attributes a ON a.attribute_id = s.attribute_id
    ASOF JOIN measured_curves c ON c.curve = m.curve AND s.confidence >= c.score
    WHERE s.confidence_calibrated IS NULL
) found
WHERE stated.rowid = place
"""


@dataclass(frozen=True, slots=True)
class MeasuredAttribute:
    """An attribute that was measured on ``n`` values: the curve that its confidence goes by, and the radius in points.

    The radius is that of the 90 % interval; None for choices, and where too few values were there. ``own`` says
    whether it rests on the attribute's own values or on its topic's.
    """

    curve: str
    n: int
    radius: float | None = None
    own: bool | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """A method's calibration: curves by name, ALL among them, and every attribute that was measured."""

    curves: Mapping[str, Curve]
    attributes: Mapping[str, MeasuredAttribute]

    def as_record(self) -> dict[str, Any]:
        """As it is kept in a file."""
        return {
            "curves": {name: curve.as_record() for name, curve in sorted(self.curves.items())},
            "attributes": {
                name: {"curve": one.curve, "n": one.n, "radius": one.radius, "own": one.own}
                for name, one in sorted(self.attributes.items())
            },
        }


def measured_from_record(record: Any, where: str) -> Measured:  # noqa: ANN401 (whatever JSON holds)
    """The calibration kept as ``record``; raises SourceMalformed for one that is broken. ``where`` names it."""
    try:
        curves = {str(name): curve_from_record(curve, where) for name, curve in record["curves"].items()}
        attributes = {str(name): MeasuredAttribute(**one) for name, one in record["attributes"].items()}
    except (KeyError, TypeError, AttributeError) as error:
        expected = "curves and attributes, each attribute with curve, n, radius and own"
        raise malformed(
            "a measured calibration is broken", expected, f"{type(error).__name__}: {error}", where
        ) from error
    for name, one in attributes.items():
        if one.curve not in curves:
            raise malformed(
                f"the calibration of {name} is broken", f"a curve of {sorted(curves)}", str(one.curve), where
            )
        radius = one.radius
        if radius is not None and not (type(radius) in (int, float) and math.isfinite(radius) and radius >= 0):
            raise malformed(
                f"the calibration of {name} is broken", "a radius of 0 or more, or null", str(radius), where
            )
    return Measured(curves, attributes)


def neighbours_calibration(path: Path = NEIGHBOURS_CALIBRATION) -> Measured | None:
    """That of similar titles; None where backtests have left none. Raises SourceMalformed where it is broken."""
    return measured_from_record(read_calibration(path), str(path)) if path.exists() else None


def model_calibrations(root: Path) -> dict[str, Measured]:
    """Those of models below ``root`` (``output/wiq``), by the name that answers carry; raises SourceMalformed."""
    path = root / MODELS_CALIBRATION
    kept = kept_models(path)
    return {name: measured_from_record(record, f"{path}, model {name}") for name, record in sorted(kept.items())}


def kept_models(path: Path) -> dict[str, Any]:
    """The records of models in a calibration file, none without one. Raises SourceMalformed where it is none."""
    if not path.exists():
        return {}
    models = read_calibration(path).get("models")
    if not isinstance(models, dict):
        raise malformed("a calibration file is broken", "an object «models»", str(models)[:80], str(path))
    return models


def prepare(connection: duckdb.DuckDBPyConnection, root: Path) -> None:
    """Make ``measured_curves`` and ``measured_attributes`` of the calibrations that there are, once a run."""
    methods = {("LLM", model): measured for model, measured in model_calibrations(root).items()}
    neighbours = neighbours_calibration()
    if neighbours is not None:
        methods["NEIGHBOURS", ""] = neighbours
    curves: list[dict[str, Any]] = []
    attributes: list[dict[str, Any]] = []
    for (source_type, model), measured in methods.items():
        for name, curve in measured.curves.items():
            # Below the first score the first probability holds.
            scores = (-math.inf, *curve.scores[1:])
            key = f"{source_type}/{model}/{name}"
            curves += [
                {"curve": key, "score": score, "probability": probability}
                for score, probability in zip(scores, curve.probabilities, strict=True)
            ]
        for attribute, one in measured.attributes.items():
            key = f"{source_type}/{model}/{one.curve}"
            about = {"source_type": source_type, "model": model, "attribute_id": attribute}
            attributes.append(about | {"curve": key, "radius": one.radius})
    for table, rows, schema in (
        ("measured_curves", curves, _CURVES),
        ("measured_attributes", attributes, _ATTRIBUTES),
    ):
        connection.register("_measured", pa.Table.from_pylist(rows, schema=schema))
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS FROM _measured")
        connection.unregister("_measured")


def state(connection: duckdb.DuckDBPyConnection) -> None:
    """Put probability and interval on what is ``stated`` and has none; changes nothing where nothing was measured."""
    if connection.sql("SELECT count(*) FROM measured_attributes").fetchall()[0][0]:
        connection.execute(_APPLY)
