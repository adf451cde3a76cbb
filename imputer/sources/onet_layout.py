"""Where a table of the O*NET database stands in a folder, and its cells as text under one set of column names.

Three layouts are read: the text files of 29.x and 30.x (``Skills.txt``: tab, no quoting, empty or ``n/a`` where
there is nothing), CSV files under the same titles, and the snake_case CSV files of 31.0 (``essential_skills.csv``),
with headers in either spelling. Since 31.0 skills stand in two tables, and two tables have new names; the database's
own names of two tables are shorter than their titles.
"""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.csv as pacsv

from imputer.errors import SourceMalformed, SourceMissing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

# What each table is called, by release line: the first alternative of which every member exists is taken.
ALTERNATIVES: dict[str, tuple[tuple[str, ...], ...]] = {
    "occupation_data": (("Occupation Data",),),
    "scales_reference": (("Scales Reference",),),
    "skills": (("Skills",), ("Essential Skills", "Transferable Skills")),
    "knowledge": (("Knowledge",),),
    "abilities": (("Abilities",),),
    "work_activities": (("Work Activities",),),
    "work_context": (("Work Context",),),
    "work_context_categories": (("Work Context Categories",),),
    "work_styles": (("Work Styles",),),
    "interests": (("Interests",), ("Career Interest Types",)),
    "work_values": (("Work Values",),),
    "job_zones": (("Job Zones",),),
    "task_statements": (("Task Statements",),),
    "technology_skills": (("Technology Skills",), ("Software Skills",)),
    "education": (("Education, Training, and Experience",), ("Education Training Experience",)),
    "education_categories": (("Education, Training, and Experience Categories",), ("ETE Categories",)),
}

_RENAMED = {
    "o_net_soc_code": "onetsoc_code",
    "onet_soc_code": "onetsoc_code",
    "date_updated": "date",
    "workplace_example": "example",
    "task_statement": "task",
}
_NOTHING = ["", "n/a", "N/A"]  # and null


@dataclass(frozen=True, slots=True)
class RawTable:
    """One table as published: every cell text or null, columns named in snake_case.

    ``origin`` is its file name or address, ``sha256`` the digest of its bytes.
    """

    name: str
    origin: str
    sha256: str
    cells: pa.Table

    def malformed(self, row: int | None, column: str | None, expected: str, found: str) -> SourceMalformed:
        """The error for what no rule knows."""
        return SourceMalformed(
            "an O*NET table holds what no rule knows",
            expected,
            found,
            url=self.origin,
            row=row,
            selector=f"column {column!r}" if column else None,
            next_step="compare it with the published table of that release",
        )


def snake_case(title: str) -> str:
    """A table title or column header in the spelling of 31.0: «O*NET-SOC Code» is ``o_net_soc_code``."""
    return "_".join(re.findall(r"[a-z0-9]+", title.lower()))


def column_name(header: str) -> str:
    """The one name of a column, whichever release or provider spelled it."""
    name = snake_case(header)
    return _RENAMED.get(name, name)


def find_tables(folder: Path) -> dict[str, tuple[RawTable, ...]]:
    """Every known table of a folder, by its name before 31.0; two members where the skills are split.

    Raises SourceMissing where there is no folder or it has no occupations, SourceMalformed where one table stands
    there twice (two layouts or releases in one folder).
    """
    if not folder.is_dir():
        raise SourceMissing(
            "the O*NET database folder is not there",
            url=str(folder),
            next_step="unpack a database release there, or set another folder",
        )
    present = {path.name: path for path in folder.iterdir() if path.is_file()}
    found = {}
    for name, alternatives in ALTERNATIVES.items():
        paths = [path for titles in alternatives if (path := _members(titles, present))]
        if len(paths) > 1:
            files = ", ".join(member.name for alternative in paths for member in alternative)
            raise SourceMalformed(
                f"the O*NET table {name} stands in the folder twice",
                "one release",
                files,
                url=str(folder),
                next_step="keep one release in a folder",
            )
        if paths:
            found[name] = tuple(read_table(path) for path in paths[0])
    if "occupation_data" not in found:
        raise SourceMissing(
            "the O*NET database has no occupations",
            "Occupation Data.txt or occupation_data.csv",
            url=str(folder),
            next_step="unpack a whole database release there",
        )
    return found


def _members(titles: Sequence[str], present: dict[str, Path]) -> tuple[Path, ...]:
    """The files of one alternative. Raises SourceMalformed for two layouts, SourceMissing for a part of them."""
    members = []
    for title in titles:
        spellings = (f"{title}.txt", f"{title}.csv", f"{snake_case(title)}.csv", f"{snake_case(title)}.txt")
        matches = [present[name] for name in spellings if name in present]
        if len(matches) > 1:
            raise SourceMalformed(
                f"the O*NET table {title} stands in the folder twice",
                "one layout",
                ", ".join(path.name for path in matches),
                url=str(matches[0].parent),
                next_step="keep one release in a folder",
            )
        members += matches
    if members and len(members) != len(titles):
        raise SourceMissing(
            "one of several O*NET tables that belong together is not there",
            ", ".join(titles),
            ", ".join(path.name for path in members),
            url=str(members[0].parent),
            next_step="unpack a whole database release there",
        )
    return tuple(members)


def read_table(path: Path) -> RawTable:
    """Read one file: UTF-8, as wide as its header in every record; text files are tab-delimited without quoting."""
    content = path.read_bytes()
    name = snake_case(path.stem)
    empty = RawTable(name, path.name, hashlib.sha256(content).hexdigest(), pa.table({}))
    tab = path.suffix == ".txt"
    header = content.partition(b"\n")[0].decode("utf-8-sig", "replace").rstrip("\r")
    titles = header.split("\t") if tab else [cell.strip('"') for cell in header.split(",")]
    names = [column_name(title) for title in titles]
    if len(set(names)) != len(names) or not all(names):
        raise empty.malformed(None, None, "a header with each column once", repr(header[:200]))
    parse = pacsv.ParseOptions(
        delimiter="\t" if tab else ",", quote_char=False if tab else '"', newlines_in_values=not tab
    )
    convert = pacsv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()),
        strings_can_be_null=True,
        quoted_strings_can_be_null=True,
        null_values=_NOTHING,
        check_utf8=True,
    )
    # One block for the file: blocks would otherwise end where a quoted line break stands.
    read = pacsv.ReadOptions(column_names=names, skip_rows=1, block_size=len(content) + 1, use_threads=False)
    try:
        cells = pacsv.read_csv(io.BytesIO(content), read, parse, convert)
    except pa.ArrowInvalid as error:
        expected = f"UTF-8 records of {len(names)} cells"
        raise empty.malformed(None, None, expected, str(error).splitlines()[0][:200]) from error
    return RawTable(name, path.name, empty.sha256, cells.combine_chunks())


def raw_table(name: str, origin: str, sha256: str, rows: Sequence[Mapping[str, object]]) -> RawTable:
    """The same from records of another provider, whose numbers may be numbers; their keys are normalised."""
    keys = dict.fromkeys(key for row in rows for key in row)
    columns = {column_name(key): pa.array([_text(row.get(key)) for row in rows], pa.string()) for key in keys}
    if len(columns) != len(keys):
        empty = RawTable(name, origin, sha256, pa.table({}))
        raise empty.malformed(None, None, "records with each column once", ", ".join(keys))
    return RawTable(name, origin, sha256, pa.table(columns))


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return None if value is None or value in _NOTHING else value
    return str(value)
