"""Values, scales and confidences as people read them."""

from __future__ import annotations

import json
from typing import Any

from imputer.wording import number, percent, text, word

_SHORT = 78  # characters of a value that shares its line


def shown_value(statement: dict[str, Any], attribute: dict[str, Any], language: str, *, short: bool = False) -> str:
    """A value: number with its scale and what 0 means, text, or one line per item of a list."""
    if statement["value_number"] is not None:
        shown = number(statement["value_number"], language, 4 if not short else 2)
        if short:
            return shown
        if statement["value_number"] == 0 and attribute[f"zero_meaning_{language}"]:
            return f"{shown}; {text('zero_means', language, meaning=attribute[f'zero_meaning_{language}'])}"
        return f"{shown} ({shown_scale(attribute, language, zero=False)})"
    shown = str(statement["value_text"])
    if attribute["value_type"] == "list":
        try:
            items = [_list_item(item, language) for item in json.loads(shown)]
        except ValueError:
            items = [shown]
        shown = " · ".join(items) if short else "\n".join(f"· {item}" for item in items)
    return f"{shown[: _SHORT - 1]}…" if short and len(shown) > _SHORT else shown


def _list_item(item: Any, language: str) -> str:  # noqa: ANN401 (whatever JSON holds)
    """One item of a list: text, or an answer with its share."""
    if not isinstance(item, dict):
        return str(item)
    if "label" in item and isinstance(item.get("per_cent"), int | float):
        return f"{text('colon', language, label=item['label'])} {percent(item['per_cent'] / 100, language)}"
    return ", ".join(str(part) for part in item.values())


def shown_scale(attribute: dict[str, Any], language: str, *, zero: bool = True) -> str:
    """The scale of an attribute with its bounds, and what 0 means unless ``zero`` is False."""
    minimum, maximum = attribute["minimum"], attribute["maximum"]
    parts = [word("scale", attribute["scale_id"], language)] if attribute["scale_id"] else []
    if maximum is not None:
        bounds = {"minimum": number(minimum, language), "maximum": number(maximum, language)}
        parts.append(text("scale_range", language, **bounds))
    elif minimum is not None:
        parts.append(text("scale_from", language, minimum=number(minimum, language)))
    shown = ", ".join(parts)
    meaning = attribute[f"zero_meaning_{language}"]
    return f"{shown}; {text('zero_means', language, meaning=meaning)}" if zero and meaning else shown


def shown_confidence(row: dict[str, Any], attribute: dict[str, Any] | None, language: str) -> str:
    """Stated and calibrated confidence of a statement or resolution; ``attribute`` tells what counts as close."""
    stated = text("confidence_stated", language, stated=percent(row.get("confidence"), language))
    calibrated = row.get("confidence_calibrated")
    if calibrated is None:
        return f"{stated}; {text('confidence_unmeasured', language)}"
    shown = percent(calibrated, language)
    if attribute is None or attribute["tolerance"] is None:
        return f"{stated}; {text('confidence_calibrated_plain', language, calibrated=shown)}"
    tolerance = number(attribute["tolerance"], language)
    return f"{stated}; {text('confidence_calibrated', language, calibrated=shown, tolerance=tolerance)}"


def shown_interval(row: dict[str, Any], language: str) -> str | None:
    """The 90 % interval of a statement; None where none was measured."""
    if row.get("interval_low") is None:
        return None
    low, high = (number(row[f"interval_{end}"], language) for end in ("low", "high"))
    return text("interval_90_range", language, low=low, high=high)
