"""The retention schedule: per class how long to keep what no longer stands, who allows disposal, and holds."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from imputer.errors import WrongUsage

if TYPE_CHECKING:
    from pathlib import Path

_UNITS = ("years", "months", "days")
_PATTERNS = ("entity_id", "attribute_id", "source_id")
_RULE_KEYS = {"keep", "authority", "title_en", "title_fr"}
_NEXT_STEP = "see imputer/retention/schedule.example.toml"


@dataclass(frozen=True, slots=True)
class Rule:
    """One retention class: ``months`` and ``days`` to keep after the withdrawal; ``authority`` None: never dispose."""

    retention_class: str
    months: int
    days: int
    authority: str | None
    title_en: str | None = None
    title_fr: str | None = None

    @property
    def period(self) -> str:
        """The period as ISO 8601: «P5Y», «P2Y6M», «P90D»."""
        years, months = divmod(self.months, 12)
        parts = [f"{count}{unit}" for count, unit in ((years, "Y"), (months, "M"), (self.days, "D")) if count]
        return "P" + ("".join(parts) or "0D")


@dataclass(frozen=True, slots=True)
class Hold:
    """What must be kept whatever is due; patterns with ``*``, ``?`` and ``[…]``, all of which must fit."""

    reason: str
    entity_id: str = "*"
    attribute_id: str = "*"
    source_id: str = "*"


@dataclass(frozen=True, slots=True)
class Schedule:
    """Rules by retention class, and holds."""

    path: Path
    rules: dict[str, Rule]
    holds: tuple[Hold, ...]

    @property
    def authorities(self) -> list[str]:
        """Every disposition authority that is set, sorted."""
        return sorted({rule.authority for rule in self.rules.values() if rule.authority})


def read_schedule(path: Path) -> Schedule:
    """Read a schedule. Raises WrongUsage where it is missing or says what cannot be understood."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise WrongUsage(f"WIQ_RETENTION names {path}", "a TOML file", "no such file", next_step=_NEXT_STEP) from error
    except (OSError, ValueError) as error:
        raise WrongUsage(f"{path} cannot be read", "a TOML file", str(error), next_step=_NEXT_STEP) from error
    _only(path, "the schedule", content, {"class", "hold"})
    classes, holds = content.get("class", {}), content.get("hold", [])
    if not isinstance(classes, dict) or not all(isinstance(given, dict) for given in classes.values()):
        raise _wrong(path, "class", "tables [class.<retention class>]", classes)
    if not isinstance(holds, list) or not all(isinstance(given, dict) for given in holds):
        raise _wrong(path, "hold", "tables [[hold]]", holds)
    return Schedule(
        path=path,
        rules={name: _rule(path, name, given) for name, given in classes.items()},
        holds=tuple(_hold(path, number, given) for number, given in enumerate(holds, 1)),
    )


def _rule(path: Path, name: str, given: dict[str, Any]) -> Rule:
    where = f"class {name}"
    _only(path, where, given, _RULE_KEYS)
    keep = given.get("keep")
    if not isinstance(keep, dict) or not keep:
        raise _wrong(path, f"{where}: keep", "years, months or days, such as { years = 5 }", keep)
    _only(path, f"{where}: keep", keep, set(_UNITS))
    for unit, count in keep.items():
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise _wrong(path, f"{where}: keep.{unit}", "a whole number, 0 or more", count)
    for key in ("authority", "title_en", "title_fr"):
        if key in given and (not isinstance(given[key], str) or not given[key].strip()):
            raise _wrong(
                path, f"{where}: {key}", "a text that is not empty (leave it out where there is none)", given[key]
            )
    authority = given.get("authority")
    return Rule(
        retention_class=name,
        months=12 * keep.get("years", 0) + keep.get("months", 0),
        days=keep.get("days", 0),
        authority=authority.strip() if authority else None,
        title_en=given.get("title_en"),
        title_fr=given.get("title_fr"),
    )


def _hold(path: Path, number: int, given: dict[str, Any]) -> Hold:
    where = f"hold {number}"
    _only(path, where, given, {"reason", *_PATTERNS})
    for key, value in given.items():
        if not isinstance(value, str) or not value.strip():
            raise _wrong(path, f"{where}: {key}", "a text that is not empty", value)
    if "reason" not in given:
        raise _wrong(path, where, "a reason", "none")
    # A hold that names nothing may be a slip of the pen: who means everything writes "*".
    if not any(key in given for key in _PATTERNS):
        raise _wrong(path, where, 'a pattern for entity_id, attribute_id or source_id ("*" for everything)', "none")
    return Hold(**given)


def _only(path: Path, where: str, given: dict[str, Any], known: set[str]) -> None:
    unknown = sorted(set(given) - known)
    if unknown:
        raise _wrong(path, where, ", ".join(sorted(known)), ", ".join(unknown))


def _wrong(path: Path, where: str, expected: str, found: object) -> WrongUsage:
    return WrongUsage(f"{path}, {where}", expected, str(found), next_step=_NEXT_STEP)
