"""Small O*NET database folders of the tests' own wording, in each release's layout."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Rows = list[list[str]]

SOCS = ("11-1011.00", "15-1252.00", "15-2051.00", "15-2051.01", "55-1011.00")
RATING = [
    "O*NET-SOC Code",
    "Element ID",
    "Element Name",
    "Scale ID",
    "Data Value",
    "N",
    "Standard Error",
    "Lower CI Bound",
    "Upper CI Bound",
    "Recommend Suppress",
    "Not Relevant",
    "Date",
    "Domain Source",
]
SHORT = [*RATING[:5], "Date", "Domain Source"]


def rated(soc: str, element: str, name: str, scale: str, value: str, **more: str) -> list[str]:
    """One rating in 13 columns."""
    given = {"n": "8", "error": "0.125", "suppress": "N", "relevant": "", "date": "08/2023"} | more
    return [
        soc,
        element,
        name,
        scale,
        value,
        given["n"],
        given["error"],
        "",
        "",
        given["suppress"],
        given["relevant"],
        given["date"],
        "Analyst",
    ]


def tables() -> dict[str, Rows]:
    """Every table by its title before 31.0; two of five occupations bear ratings, the last one nothing at all."""
    reading, writing, clerks = ("2.A.1.a", "Reading"), ("2.B.1.a", "Arranging"), ("2.C.1.a", "Clerks’ lore")
    skills = []
    for soc, first, second in ((SOCS[0], "4.12", "2.5"), (SOCS[3], "3", "1")):
        for element, value in ((reading, first), (writing, second)):
            skills += [rated(soc, *element, "IM", value), rated(soc, *element, "LV", value, relevant="N")]
    interests = []
    for soc, values, high in ((SOCS[0], "1234567"[:6], "6"), (SOCS[2], "765432", "1"), (SOCS[3], "754321", "1")):
        for number, value in enumerate(values):
            letter = "abcdef"[number]
            interests.append([soc, f"1.B.1.{letter}", f"Bent {letter}", "OI", value, "11/2023", "Machine Learning"])
        interests.append([soc, "1.B.1.g", "First bent", "IH", high, "11/2023", "Machine Learning"])
        interests.append([soc, "1.B.1.h", "Second bent", "IH", "0", "11/2023", "Machine Learning"])
    shares = []
    for soc, first in ((SOCS[0], 75), (SOCS[3], 25)):
        for category, value in ((1, first), (2, 100 - first)):
            shares.append(
                [
                    soc,
                    "2.D.1",
                    "Schooling",
                    "RL",
                    str(category),
                    str(value),
                    "28",
                    "1.5",
                    "",
                    "",
                    "N",
                    "08/2023",
                    "Incumbent",
                ]
            )
        shares.append([soc, "2.D.4.a", "Licence", "IM", "", "3", "28", "0.5", "", "", "N", "08/2023", "Incumbent"])
    given: dict[str, Rows] = {
        "Occupation Data": [["O*NET-SOC Code", "Title", "Description"]]
        + [[soc, f"Trade {soc[:7]}", f"Does what {soc} does, and more."] for soc in SOCS],
        "Scales Reference": [
            ["Scale ID", "Scale Name", "Minimum", "Maximum"],
            ["IM", "Importance", "1", "5"],
            ["LV", "Level", "0", "7"],
            ["OI", "Bents", "1", "7"],
            ["IH", "High-Point", "0", "6"],
            ["RL", "Schooling", "0", "100"],
        ],
        "Skills": [RATING, *skills],
        "Knowledge": [
            RATING,
            rated(SOCS[0], *clerks, "IM", "2"),
            rated(SOCS[0], *clerks, "LV", "0", suppress="Y", relevant="Y"),
        ],
        "Interests": [SHORT, *interests],
        "Job Zones": [
            ["O*NET-SOC Code", "Job Zone", "Date", "Domain Source"],
            [SOCS[0], "5", "08/2023", "Analyst"],
            [SOCS[2], "4", "08/2023", "Analyst"],
        ],
        "Task Statements": [
            ["O*NET-SOC Code", "Task ID", "Task", "Task Type", "Incumbents Responding", "Date", "Domain Source"],
            [SOCS[0], "1", "Sort bolts, by size.", "Supplemental", "95", "08/2023", "Incumbent"],
            [SOCS[0], "2", "Lead.", "Core", "95", "08/2023", "Incumbent"],
            [SOCS[3], "3", "Lead.", "", "", "08/2023", "Analyst"],
        ],
        "Technology Skills": [
            ["O*NET-SOC Code", "Example", "Commodity Code", "Commodity Title", "Hot Technology", "In Demand"],
            [SOCS[0], "Sheets", "43230000", "Tables", "Y", "N"],
            [SOCS[0], "Ledger", "43230001", "Books", "N", "N"],
            [SOCS[3], "Sheets", "43230000", "Tables", "Y", "Y"],
        ],
        "Education, Training, and Experience": [[*RATING[:4], "Category", *RATING[4:10], *RATING[11:]], *shares],
        "Education, Training, and Experience Categories": [
            ["Element ID", "Element Name", "Scale ID", "Category", "Category Description"],
            ["2.D.1", "Schooling", "RL", "1", "None at all"],
            ["2.D.1", "Schooling", "RL", "2", "Some, in town"],
        ],
    }
    return {title: [list(row) for row in rows] for title, rows in given.items()}  # headers are shared


def write_text(folder: Path, given: Mapping[str, Rows] | None = None, *, nothing: str = "") -> Path:
    """The layout of 29.x and 30.x: tab, CRLF, ``nothing`` where there is nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    for title, rows in (given or tables()).items():
        lines = ["\t".join(cell or nothing for cell in row) + "\r\n" for row in rows]
        (folder / f"{title}.txt").write_text("".join(lines), encoding="utf-8", newline="")
    return folder


def write_snake_case(folder: Path, *, snake_headers: bool = False) -> Path:
    """The layout of 31.0: CSV, skills in two tables, two tables renamed, titles and scale names beside the codes."""
    folder.mkdir(parents=True, exist_ok=True)
    given = tables()
    skills = given.pop("Skills")
    given["Essential Skills"] = [RATING, *[row for row in skills if row[1].startswith("2.A")]]
    given["Transferable Skills"] = [RATING, *[row for row in skills if row[1].startswith("2.B")]]
    given["Career Interest Types"] = given.pop("Interests")
    software = given.pop("Technology Skills")
    given["Software Skills"] = [["O*NET-SOC Code", "Workplace Example", "Element ID", "Element Name", *software[0][4:]]]
    given["Software Skills"] += [[row[0], row[1], "5.A", row[3], *row[4:]] for row in software[1:]]
    for title, rows in given.items():
        name = "_".join(title.lower().replace(",", "").split())
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            written = csv.writer(file)
            titled = "O*NET-SOC Code" in rows[0] and "Title" not in rows[0]
            header = [*rows[0], "Title"] if titled else rows[0]
            written.writerow([_snake(cell) for cell in header] if snake_headers else header)
            written.writerows([*row, "A title, quoted"] if titled else row for row in rows[1:])
    return folder


def _snake(header: str) -> str:
    return "onetsoc_code" if header == "O*NET-SOC Code" else "_".join(header.lower().split())


def write_crosswalk(path: Path, pairs: Sequence[tuple[str, str]]) -> Path:
    """The first crosswalk's layout: CRLF, no newline at the end."""
    lines = ["noc,noc_title,onet,onet_title", *[f"{noc},Group,{soc},Trade" for noc, soc in pairs]]
    path.write_text("\r\n".join(lines), encoding="utf-8", newline="")
    return path
