"""What O*NET Web Services v2 answers, made from the tables of a database folder."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from imputer.sources.onet_layout import ALTERNATIVES, RawTable, find_tables, snake_case

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Record = dict[str, Any]
_NUMBERS = frozenset(
    "data_value n standard_error lower_ci_bound upper_ci_bound category job_zone minimum maximum "
    "incumbents_responding commodity_code".split()
)
_SENT_AS = {"date": "date_updated"}
# Sections of details with a rating: table, scale, key, and the scale's lowest value and width.
_RATED = {
    "skills": ("skills", "IM", "importance", 1, 4),
    "knowledge": ("knowledge", "IM", "importance", 1, 4),
    "abilities": ("abilities", "IM", "importance", 1, 4),
    "work_activities": ("work_activities", "IM", "importance", 1, 4),
    "work_styles": ("work_styles", "IM", "importance", 1, 4),
    "work_context": ("work_context", "CX", "context", 1, 4),
    "interests": ("interests", "OI", "occupational_interest", 1, 6),
}


@dataclass(frozen=True, slots=True)
class Pages:
    """A list that is given page by page: what stands around it, the key of its items, and all of them."""

    around: Record
    key: str
    items: list[Record]


class OnetAnswers:
    """Paths to answers. ``find`` gives Pages, a finished body, or None where there is no data (422)."""

    def __init__(self, folder: Path, release: str) -> None:
        self._release = release
        tables = find_tables(folder)
        self._names = {name: [raw.name for raw in raws] for name, raws in tables.items()}
        raws = {raw.name: raw for members in tables.values() for raw in members}
        self._rows = {name: _records(raw) for name, raw in raws.items()}
        self._titles = {snake_case(title): title for group in ALTERNATIVES.values() for part in group for title in part}
        self._codes = {record["onetsoc_code"] for record in self._rows["occupation_data"]}

    def knows(self, path: str) -> bool:
        """Whether the service has such an address; what it has no data for is another question."""
        parts = path.split("/")
        if parts[0] == "database":
            return len(parts) == 1 or (len(parts) == 3 and parts[1] in {"info", "rows"} and parts[2] in self._rows)  # noqa: PLR2004
        sections = {*_RATED, "tasks", "technology_skills", "job_zone"}
        details = len(parts) == 5 and parts[3] == "details" and parts[4] in sections  # noqa: PLR2004
        return path == "about" or (parts[:2] == ["online", "occupations"] and details)

    def find(self, path: str, base_url: str) -> Pages | Record | list[Record] | None:
        """The answer of an address that the service has."""
        parts = path.split("/")
        if path == "about":
            return {"api_version": "2.0", "taxonomy": "O*NET-SOC 2019", "database": f"O*NET {self._release} Database"}
        if parts[0] == "online":
            return self._details(parts[2], parts[4])
        if len(parts) == 1:
            return [self._table(name, base_url) for name in sorted(self._rows)]
        table = parts[2]
        if parts[1] == "info":
            return {**self._table(table, base_url), "column": [_column(key) for key in self._rows[table][0]]}
        return Pages({"info": f"{base_url}/database/info/{table}", "table_id": table}, "row", self._rows[table])

    def _table(self, name: str, base_url: str) -> Record:
        return {
            "table_id": name,
            "title": self._titles.get(name, name),
            "description": "",
            "info": f"{base_url}/database/info/{name}",
            "rows": f"{base_url}/database/rows/{name}",
        }

    def _of(self, table: str, code: str) -> list[Record]:
        rows = (row for name in self._names.get(table, ()) for row in self._rows[name])
        return [row for row in rows if row["onetsoc_code"] == code]

    def _details(self, code: str, section: str) -> Pages | Record | None:
        if code not in self._codes:
            return None
        if section == "job_zone":
            zones = self._of("job_zones", code)
            return {"code": zones[0]["job_zone"], "title": f"Job Zone {zones[0]['job_zone']}"} if zones else None
        if section == "tasks":
            key, items = "task", [_task(row) for row in self._of("task_statements", code)]
        elif section == "technology_skills":
            key, items = "category", _technologies(self._of("technology_skills", code))
        else:
            table, scale, rating, low, width = _RATED[section]
            rows = [row for row in self._of(table, code) if row["scale_id"] == scale and row.get("category") is None]
            key, items = "element", [_element(row, rating, low, width) for row in rows]
        return Pages({}, key, items) if items else None


def _records(raw: RawTable) -> list[Record]:
    """The rows as the service sends them: numbers as numbers, dates as days, null where there is nothing."""
    columns = {}
    for key in raw.cells.column_names:
        cells = raw.cells[key].to_pylist()
        if key in _NUMBERS:
            cells = [None if cell is None else _number(cell) for cell in cells]
        elif key == "date":
            cells = [None if cell is None else f"{cell[3:]}-{cell[:2]}-01" if "/" in cell else cell for cell in cells]
        columns[_SENT_AS.get(key, key)] = cells
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def respelled(row: Record) -> Record:
    """A row as one release was seen to send it."""
    return {"o_net_soc_code" if key == "onetsoc_code" else key: cell for key, cell in row.items() if cell is not None}


def _number(cell: str) -> int | float:
    number = float(cell)
    return int(number) if number.is_integer() else number


def _column(key: str) -> Record:
    return {"column_id": key, "title": _title(key), "type": "Number" if key in _NUMBERS else "Text"}


def _title(key: str) -> str:
    return "O*NET-SOC Code" if key == "onetsoc_code" else key.replace("_", " ").title()


def _element(row: Mapping[str, Any], rating: str, low: int, width: int) -> Record:
    """An element with its rating from 0 to 100, half up; without the key where there is no rating."""
    element = {"id": row["element_id"], "name": row["element_name"]}
    if row["data_value"] is not None:
        element[rating] = math.floor((round(row["data_value"] * 100) - 100 * low) / width + 0.5)
    return element


def _task(row: Mapping[str, Any]) -> Record:
    return {"id": row["task_id"], "title": row["task"], "category": row["task_type"] or "New"}


def _technologies(rows: list[Record]) -> list[Record]:
    categories: dict[str, Record] = {}
    for row in rows:
        code = row.get("commodity_code") or row.get("element_id")
        title = row.get("commodity_title") or row.get("element_name")
        category = categories.setdefault(str(code), {"code": code, "title": title, "example": []})
        category["example"].append({"title": row["example"], "hot_technology": row["hot_technology"] == "Y"})
    return list(categories.values())
