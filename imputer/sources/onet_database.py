"""The O*NET database as silver tables, from the files of a release or from the rows that another provider gives.

What both give is the same: `read_onet_database` reads a folder, `onet_database` builds from raw tables.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from imputer.errors import WrongUsage
from imputer.sources.onet_catalogue import onet_attributes
from imputer.sources.onet_cells import source_id
from imputer.sources.onet_layout import find_tables
from imputer.sources.onet_occupations import (
    TASKS,
    TECHNOLOGY_SKILLS,
    ZONES,
    read_job_zones,
    read_occupations,
    read_scales,
    read_tasks,
    read_technology_skills,
)
from imputer.sources.onet_ratings import RATINGS, SHARES, check_unique, read_labels, read_ratings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from imputer.sources.onet_layout import RawTable
    from imputer.sources.reading import DataIssue

# Tables of ratings: one value per occupation, element and scale. Where rows also bear a category, they are shares of
# answers and stand in a table of their own.
RATED = {
    "skills": "skills",
    "knowledge": "knowledge",
    "abilities": "abilities",
    "work_activities": "work_activities",
    "work_context": "work_context",
    "work_styles": "work_styles",
    "interests": "interests",
    "work_values": "work_values",
    "education": "education",
}
_SILVER = {"tasks": "task_statements"}


@dataclass(frozen=True, slots=True)
class OnetDatabase:
    """One release as silver tables.

    - ``ratings``: soc, element_id, element_name, scale_id, value, n, standard_error, recommend_suppress,
      not_relevant, date (YYYY-MM), domain_source, domain, source_id, source_row
    - ``shares``: as ``ratings`` with category and its label before the value: per cent of answers per category
      (required education, experience, training; work context)
    - ``occupations``: soc, title, description, source_row; ``job_zones``: soc, job_zone, date, source_row
    - ``tasks``: soc, task_id, task, task_type (Core, Supplemental or null), source_row
    - ``technology_skills``: soc, example, category, hot_technology, in_demand, source_row
    - ``attributes``: the catalogue's rows for O*NET

    ``versions`` maps source ids to the sha256 of what was read, ``origins`` to file names or addresses, ``absent``
    names the tables that the release or folder does not offer.
    """

    release: str
    ratings: pa.Table
    shares: pa.Table
    occupations: pa.Table
    job_zones: pa.Table
    tasks: pa.Table
    technology_skills: pa.Table
    attributes: pa.Table
    issues: tuple[DataIssue, ...]
    versions: Mapping[str, str]
    origins: Mapping[str, str]
    absent: tuple[str, ...]


def read_onet_database(folder: Path, release: str | None = None) -> OnetDatabase:
    """Read every known table of a folder. The release is the folder's name's («db_31_0_csv») unless given.

    Raises SourceMissing, SourceMalformed, and WrongUsage where the release cannot be told.
    """
    named = re.search(r"(\d{2})[_.](\d)(?!\d)", folder.name)
    if release is None and named is None:
        raise WrongUsage(
            "which O*NET release a folder holds cannot be told from its name",
            "a name such as db_31_0_csv",
            folder.name,
            url=str(folder),
            next_step="name it so, or give the release",
        )
    return onet_database(find_tables(folder), release or ".".join(named.groups() if named else ()))


def onet_database(tables: Mapping[str, Sequence[RawTable]], release: str) -> OnetDatabase:
    """Build the silver tables from raw ones, by their names before 31.0."""
    occupations = read_occupations(tables["occupation_data"][0])
    known = occupations["soc"].combine_chunks()
    scales = read_scales(tables.get("scales_reference", ()))
    labels = read_labels(tables)
    issues: list[DataIssue] = []
    ratings, shares = [], []
    for domain, name in RATED.items():
        for raw in tables.get(name, ()):
            made = read_ratings(raw, domain, known, scales, labels, issues)
            ratings.append(made.filter(pc.is_null(made["category"])).drop_columns(["category", "label"]))
            shares.append(made.filter(pc.is_valid(made["category"])))
    all_ratings = _joined(ratings, RATINGS)
    all_shares = _joined(shares, SHARES)
    zones, tasks, technology = (
        _read_all(tables.get(name, ()), reader, schema, known)
        for name, reader, schema in (
            ("job_zones", read_job_zones, ZONES),
            ("task_statements", read_tasks, TASKS),
            ("technology_skills", read_technology_skills, TECHNOLOGY_SKILLS),
        )
    )
    check_unique(tables, all_ratings)
    read = [raw for members in tables.values() for raw in members]
    offered = {"job_zones": zones, "tasks": tasks, "technology_skills": technology}
    return OnetDatabase(
        release=release,
        ratings=all_ratings,
        shares=all_shares,
        occupations=occupations,
        job_zones=zones,
        tasks=tasks,
        technology_skills=technology,
        attributes=onet_attributes(all_ratings, all_shares, [name for name, table in offered.items() if table], scales),
        issues=tuple(issues),
        versions={source_id(raw.name): raw.sha256 for raw in read},
        origins={source_id(raw.name): raw.origin for raw in read},
        absent=tuple(name for name in [*RATED, *offered] if name not in tables and _SILVER.get(name) not in tables),
    )


def _read_all(
    raws: Sequence[RawTable], reader: Callable[[RawTable, pa.Array], pa.Table], schema: pa.Schema, known: pa.Array
) -> pa.Table:
    return _joined([reader(raw, known) for raw in raws], schema)


def _joined(tables: Sequence[pa.Table], schema: pa.Schema) -> pa.Table:
    return pa.concat_tables(tables).combine_chunks() if tables else schema.empty_table()
