"""Everything that a run reads, checked against the registry and held together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imputer.errors import SourceMissing
from imputer.sources.folder import examine_all, require
from imputer.sources.onet_database import OnetDatabase, read_onet_database
from imputer.sources.readers import Known, read_all
from imputer.sources.registry import load_registry, source_table
from imputer.sources.tbs import crawl_version, no_occupational_groups, read_occupational_groups

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from imputer.sources.reading import DataIssue
    from imputer.sources.registry import Registry

TABLES = (
    "noc_classes",
    "noc_example_titles",
    "oasis_profiles",
    "oasis_example_titles",
    "oasis_ratings",
    "oasis_texts",
    "outlook",
    "job_titles",
    "crosswalk",
    "weighted_crosswalk",
    "attributes",
    "occupational_groups",
)
ONET_TABLES = ("ratings", "shares", "occupations", "job_zones", "tasks", "technology_skills")
CRAWL = "tbs_crawl"


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of a run, one table per kind of fact; each reader's docstring gives the columns.

    ``sources`` has the columns of ``dim_source``; ``onet`` is None where the database files are not asked for.
    ``versions`` maps the sources that were read to the sha256 of what was read, ``absent`` names the registered ones
    that are not there and may be so.
    """

    noc_classes: pa.Table
    noc_example_titles: pa.Table
    oasis_profiles: pa.Table
    oasis_example_titles: pa.Table
    oasis_ratings: pa.Table
    oasis_texts: pa.Table
    outlook: pa.Table
    job_titles: pa.Table
    crosswalk: pa.Table
    weighted_crosswalk: pa.Table
    attributes: pa.Table
    occupational_groups: pa.Table
    sources: pa.Table
    onet: OnetDatabase | None
    issues: tuple[DataIssue, ...]
    versions: dict[str, str]
    absent: tuple[str, ...]

    def tables(self) -> dict[str, pa.Table]:
        """Every table by its name, those of the O*NET database with the prefix ``onet_``."""
        tables = {name: getattr(self, name) for name in (*TABLES, "sources")}
        if self.onet is not None:
            tables |= {f"onet_{name}": getattr(self.onet, name) for name in ONET_TABLES}
        return tables


def read_inputs(
    folder: Path, *, crawl: Path | None = None, registry: Registry | None = None, onet: bool = True
) -> Inputs:
    """Read every registered file of a folder, and the last good crawl where there is one.

    ``onet`` says whether the O*NET database files are wanted. Raises SourceMissing for a required file that is not
    there, SourceAltered for a version that neither registry nor user knows, SourceMalformed for what no rule knows;
    nothing is read before every file has been checked.
    """
    registry = registry or load_registry()
    if not folder.is_dir():
        raise SourceMissing(
            "the folder of input files is not there",
            url=str(folder),
            next_step="set WIQ_SOURCES, or get the files: `imputer sources fetch`",
        )
    examined = {
        source_id: found
        for source_id, found in examine_all(registry, folder).items()
        if onet or found.file.reader != "onet"
    }
    for found in examined.values():
        if found.file.required or found.sha256:
            require(found)
    paths = {source_id: found.path for source_id, found in examined.items() if found.usable}
    versions = {source_id: found.sha256 for source_id, found in examined.items() if found.sha256}
    known = Known(paths)
    read_all(known)
    database = None
    if onet:
        database = read_onet_database(paths["onet_occupations"].parent, registry.onet_release)
        known.tables["attributes"].append(database.attributes)
        known.issues += database.issues
    crawled = crawl_version(crawl) if crawl else None
    if crawl and crawled:
        versions[CRAWL] = crawled
    known.keep(
        "occupational_groups", read_occupational_groups(crawl) if crawl and crawled else no_occupational_groups()
    )
    return Inputs(
        **{name: known.whole(name) for name in TABLES},
        sources=source_table(registry, versions),
        onet=database,
        issues=tuple(known.issues),
        versions=versions,
        absent=tuple(source_id for source_id in (*examined, CRAWL) if source_id not in versions),
    )
