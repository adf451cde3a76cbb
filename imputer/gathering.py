"""Everything a run rests on, brought together as tables of one DuckDB connection before any title is worked on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from imputer.batch.accepted import accepted_files
from imputer.batch.given_up import given_up_cells
from imputer.batch.subjects import asked_subjects
from imputer.descriptors.calibration import calibrate, calibration_table
from imputer.descriptors.values import calibrated_values, stated_curve
from imputer.dimensions import make_table, register, with_keys
from imputer.onet.agreement import crosswalk_agreement
from imputer.onet.attribution import attribution
from imputer.onet.cardinality import crosswalk_cardinality
from imputer.onet.confidence import of_one_occupation
from imputer.onet.occupations import dim_onet_occupation
from imputer.onet.provider import provided_database
from imputer.onet.rules import OnetRules
from imputer.onet.values import unit_group_values
from imputer.sources import read_inputs
from imputer.sources.issues import issue_table
from imputer.sources.registry import source_table
from imputer.tiers import descriptions, hierarchical, llm, measured, neighbours, onet
from imputer.titles import resolve_titles

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import duckdb

    from imputer.settings import Settings
    from imputer.sources import Inputs, Registry
    from imputer.sources.onet_database import OnetDatabase

    Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Location:
    """Where the sources are: a folder, laid out as its registry says."""

    folder: Path
    registry: Registry


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the rest of a run must know of its sources.

    ``tables`` are the published tables made here, by name; ``versions`` maps sources to sha256; ``notes`` go into the
    metadata of every Parquet file.
    """

    versions: dict[str, str]
    onet_release: str
    tables: tuple[str, ...]
    notes: dict[str, str]


def gather(
    connection: duckdb.DuckDBPyConnection, settings: Settings, location: Location, progress: Progress
) -> Gathered:
    """Read the sources, resolve the titles, combine O*NET; leaves tables for ``dimensions``, ``tiers`` and ``gold``.

    Raises what the readers, the O*NET provider and the resolver raise.
    """
    progress("sources", 0, 0)
    inputs, database = read_all(settings, location)
    made = {"job_titles": with_keys(inputs.job_titles), "attributes": descriptions.with_description(inputs.attributes)}
    register(connection, inputs.tables() | made)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE source_versions AS SELECT source_id, source_version, retention_class FROM sources"
    )
    progress("resolve", 0, 0)
    published = resolve_titles(connection, inputs)
    progress("onet", 0, 0)
    rules = OnetRules(crosswalk=settings.crosswalk)
    published |= combine_onet(connection, inputs, database, rules, progress)
    published |= {
        "dim_source": inputs.sources,
        "data_issues": issue_table(inputs.issues),
        "dim_onet_occupation": dim_onet_occupation(database, inputs.crosswalk),
    }
    hierarchical.prepare(connection)
    root = settings.root
    llm.prepare(connection, accepted_files(root), asked_subjects(root), given_up_cells(root))
    neighbours.prepare(connection, wanted=settings.neighbours)
    measured.prepare(connection, settings.root)
    for name, table in published.items():
        connection.register("_published", table)
        make_table(connection, name, "FROM _published")
        connection.unregister("_published")
    descriptions.prepare(connection, of_one_occupation(rules), database.origins["onet_occupations"])
    return Gathered(
        inputs.versions,
        database.release,
        tuple(published),
        {f"attribution_{language}": text for language, text in attribution(database.release).items()},
    )


def read_all(settings: Settings, location: Location) -> tuple[Inputs, OnetDatabase]:
    """Read the files, and O*NET from them or from the service; either way the inputs name what was read."""
    from_files = settings.onet == "database"
    inputs = read_inputs(location.folder, crawl=settings.crawl, registry=location.registry, onet=from_files)
    if inputs.onet is not None:
        return inputs, inputs.onet
    database = provided_database(settings.onet, settings.output)
    versions = inputs.versions | dict(database.versions)
    return replace(
        inputs,
        onet=database,
        attributes=pa.concat_tables([inputs.attributes, database.attributes]),
        issues=(*inputs.issues, *database.issues),
        versions=versions,
        sources=source_table(location.registry, versions),
    ), database


def combine_onet(
    connection: duckdb.DuckDBPyConnection,
    inputs: Inputs,
    database: OnetDatabase,
    rules: OnetRules,
    progress: Progress,
) -> dict[str, pa.Table]:
    """Prepare the O*NET tier; returns the published tables that say how it was done."""
    values = unit_group_values(database, inputs.crosswalk, inputs.weighted_crosswalk, rules)
    progress("descriptors", 0, 0)
    calibration = calibrate(values, inputs.oasis_ratings, inputs.oasis_profiles, inputs.attributes)
    onet.prepare(connection, values, calibrated_values(calibration, values, inputs.attributes, stated_curve()))
    return {
        "crosswalk_cardinality": crosswalk_cardinality(inputs.crosswalk),
        "crosswalk_agreement": crosswalk_agreement(database, inputs.crosswalk, inputs.weighted_crosswalk),
        "descriptor_calibration": calibration_table(calibration),
    }
