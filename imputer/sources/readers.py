"""Which reader reads which files of the registry, in order: later files are held against earlier ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa

from imputer.sources.crosswalk import WEIGHTS, read_crosswalk, read_weighted_crosswalk
from imputer.sources.job_architecture import JOB_TITLES, read_job_architecture
from imputer.sources.noc import read_noc_classes, read_noc_example_titles
from imputer.sources.oasis_guide import read_oasis_attributes
from imputer.sources.oasis_profiles import read_oasis_example_titles, read_oasis_profiles
from imputer.sources.oasis_ratings import read_oasis_ratings
from imputer.sources.oasis_texts import (
    read_oasis_exclusions,
    read_oasis_interests,
    read_oasis_lead_statements,
    read_oasis_lists,
)
from imputer.sources.onet_layout import read_table
from imputer.sources.outlook import outlook_attributes, read_outlook

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from imputer.sources.reading import DataIssue, Reading

RATED = ("skills", "abilities", "knowledge", "work_activities", "work_context", "personal_attributes")
LISTS = ("main_duties", "employment_requirements", "workplaces_employers", "additional_information")

_STRUCTURE = ("noc_structure_en", "noc_structure_fr")
_PROFILES = (*_STRUCTURE, "oasis_labels")


@dataclass(slots=True)
class Known:
    """What the readers learn on the way: tables, repairs, and the names that later files are held against."""

    paths: Mapping[str, Path]
    tables: dict[str, list[pa.Table]] = field(default_factory=dict)
    issues: list[DataIssue] = field(default_factory=list)
    names: dict[str, tuple[str, str]] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    maximums: dict[str, float] = field(default_factory=dict)

    def keep(self, name: str, reading: Reading) -> pa.Table:
        """Keep what one reader gave as a part of a table."""
        self.tables.setdefault(name, []).append(reading.table)
        self.issues += reading.issues
        return reading.table

    def whole(self, name: str) -> pa.Table:
        """All parts of a table in the order in which they were read; no rows where an optional file is not there."""
        parts = self.tables.get(name)
        return pa.concat_tables(parts).combine_chunks() if parts else _OPTIONAL[name].empty_table()


@dataclass(frozen=True, slots=True)
class Step:
    """One reader at work: the file it reads, the ones that must be read before, and what it does."""

    source_id: str
    after: tuple[str, ...]
    run: Callable[[Known], None]


def read_all(known: Known) -> tuple[str, ...]:
    """Run every step whose files are there; returns the ids of the files that were read."""
    done = [step for step in STEPS if all(source_id in known.paths for source_id in (step.source_id, *step.after))]
    for step in done:
        step.run(known)
    return tuple(step.source_id for step in done)


def read_onet_layout(known: Known, source_ids: tuple[str, ...]) -> None:
    """Open tables of the O*NET database one by one; raises SourceMalformed where one is no such table."""
    for source_id in source_ids:
        read_table(known.paths[source_id])


def _classes(known: Known) -> None:
    english, french = _STRUCTURE
    reading = read_noc_classes(known.paths[english], known.paths[french], english, french)
    classes = known.keep("noc_classes", reading)
    columns = (classes[name].to_pylist() for name in ("level", "code", "title_en", "title_fr"))
    known.names = {code: (en, fr) for level, code, en, fr in zip(*columns, strict=True) if level == 5}  # noqa: PLR2004


def _noc_example_titles(language: str, known: Known) -> None:
    source_id = f"noc_example_titles_{language}"
    reading = read_noc_example_titles(known.paths[source_id], source_id, language, known.names)
    known.keep("noc_example_titles", reading)


def _profiles(known: Known) -> None:
    profiles = known.keep(
        "oasis_profiles", read_oasis_profiles(known.paths["oasis_labels"], "oasis_labels", known.names)
    )
    known.labels = dict(zip(profiles["profile"].to_pylist(), profiles["label"].to_pylist(), strict=True))


def _guide(known: Known) -> None:
    attributes = known.keep("attributes", read_oasis_attributes(known.paths["oasis_guide"], "oasis_guide"))
    columns = (attributes[name].to_pylist() for name in ("attribute_id", "maximum"))
    known.maximums = dict(zip(*columns, strict=True))


def _ratings(domain: str, known: Known) -> None:
    source_id = f"oasis_{domain}"
    reading = read_oasis_ratings(known.paths[source_id], source_id, domain, known.labels, known.maximums)
    known.keep("oasis_ratings", reading)


def _lists(domain: str, known: Known) -> None:
    source_id = f"oasis_{domain}"
    known.keep("oasis_texts", read_oasis_lists(known.paths[source_id], source_id, domain, known.labels))


def _by_profile(
    source_id: str, table: str, reader: Callable[[Path, str, Mapping[str, str]], Reading], known: Known
) -> None:
    known.keep(table, reader(known.paths[source_id], source_id, known.labels))


def _exclusions(known: Known) -> None:
    path = known.paths["oasis_exclusions"]
    known.keep("oasis_texts", read_oasis_exclusions(path, "oasis_exclusions", known.labels, known.names))


def _outlook(known: Known) -> None:
    known.keep("outlook", read_outlook(known.paths["cops_employment"], "cops_employment", known.names))
    known.tables.setdefault("attributes", []).append(outlook_attributes())


def _by_unit_group(
    source_id: str,
    table: str,
    reader: Callable[[Path, str, Mapping[str, tuple[str, str]]], Reading],
    known: Known,
) -> None:
    known.keep(table, reader(known.paths[source_id], source_id, known.names))


STEPS = (
    Step("noc_structure_en", _STRUCTURE, _classes),
    Step("noc_structure_fr", _STRUCTURE, lambda _: None),
    *(
        Step(f"noc_example_titles_{language}", _STRUCTURE, partial(_noc_example_titles, language))
        for language in ("en", "fr")
    ),
    Step("oasis_labels", _STRUCTURE, _profiles),
    Step("oasis_guide", (), _guide),
    Step(
        "oasis_example_titles",
        _PROFILES,
        partial(_by_profile, "oasis_example_titles", "oasis_example_titles", read_oasis_example_titles),
    ),
    *(Step(f"oasis_{domain}", (*_PROFILES, "oasis_guide"), partial(_ratings, domain)) for domain in RATED),
    Step("oasis_interests", _PROFILES, partial(_by_profile, "oasis_interests", "oasis_texts", read_oasis_interests)),
    Step(
        "oasis_lead_statements",
        _PROFILES,
        partial(_by_profile, "oasis_lead_statements", "oasis_texts", read_oasis_lead_statements),
    ),
    *(Step(f"oasis_{domain}", _PROFILES, partial(_lists, domain)) for domain in LISTS),
    Step("oasis_exclusions", _PROFILES, _exclusions),
    Step("cops_employment", _STRUCTURE, _outlook),
    Step(
        "job_architecture", _STRUCTURE, partial(_by_unit_group, "job_architecture", "job_titles", read_job_architecture)
    ),
    Step("crosswalk", _STRUCTURE, partial(_by_unit_group, "crosswalk", "crosswalk", read_crosswalk)),
    Step(
        "crosswalk_weighted",
        _STRUCTURE,
        partial(_by_unit_group, "crosswalk_weighted", "weighted_crosswalk", read_weighted_crosswalk),
    ),
)

_WEIGHTED = pa.schema(
    [
        ("unit_group", pa.string()),
        ("soc", pa.string()),
        *((name, pa.float64()) for name in WEIGHTS),
        ("source_row", pa.int32()),
    ]
)
_OPTIONAL = {"job_titles": JOB_TITLES, "weighted_crosswalk": _WEIGHTED}
