"""The registry of input files: what each is, where it is published, which version is known, who reads it.

The registry is a file (registry.toml); a sample or a mirror has one of its own. No file is opened that it does not
name, so nothing beside the files can be picked up by accident.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa

from imputer.errors import WrongUsage
from schemas import arrow_schema, load_table

REGISTRY = Path(__file__).with_name("registry.toml")


@dataclass(frozen=True, slots=True)
class Bilingual:
    """A text in both languages, with the page that it is about."""

    en: str
    fr: str
    page: str | None = None


@dataclass(frozen=True, slots=True)
class Licence:
    """Terms of a file, and what they ask to be said; ``{release}`` in an attribution stands for the file's release."""

    name_en: str
    name_fr: str
    attribution_en: str
    attribution_fr: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One source; the fields are explained at the top of registry.toml."""

    id: str
    title_en: str
    title_fr: str
    publisher: Bilingual
    licence: Licence
    retention: str
    path: PurePosixPath | None = None
    reader: str | None = None
    required: bool = False
    release: str | None = None
    url: str | None = None
    member: str | None = None
    dataset: str | None = None
    resource: str | None = None
    published: str | None = None
    extract: bool = False
    sha256: str | None = None
    sha256_lf: str | None = None
    page: str | None = None
    kind: str = "file"

    @property
    def supplied(self) -> bool:
        """Whether only the user can supply it."""
        return not (self.url or self.dataset)

    @property
    def how_to_get_it(self) -> str:
        """One line for whoever misses it."""
        if self.supplied:
            return f"it has no public download: get it from its owner, then `imputer sources add {self.id} FILE`"
        where = self.page or self.url
        return f"`imputer sources fetch {self.id}`, or take it from {where} and `imputer sources add {self.id} FILE`"


@dataclass(frozen=True, slots=True)
class Registry:
    """The sources by id, in the order of the registry, and where open.canada.ca keeps its catalogue.

    ``files`` holds the sources that are no files too (``kind``: crawl or service), which have no path.
    """

    files: dict[str, SourceFile]
    catalogue: str
    download: str
    onet_release: str

    def file(self, source_id: str) -> SourceFile:
        """The file of that id. Raises WrongUsage where there is none."""
        if source_id not in self.files:
            raise WrongUsage("no such input file", f"one of {', '.join(self.files)}", source_id)
        return self.files[source_id]


@cache
def load_registry(path: Path = REGISTRY, onet_release: str | None = None) -> Registry:
    """Load a registry, with the files of one O*NET release (default: the one that the registry names).

    Raises WrongUsage where the file is not there, misses what a file must state, or knows no such release.
    """
    try:
        stated: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        publishers = {key: Bilingual(**value) for key, value in stated["publisher"].items()}
        licences = {key: Licence(**value) for key, value in stated["licence"].items()}
        entries = [*stated["file"], *_onet_entries(stated["onet"], onet_release), *stated["service"]]
        files = [_source_file(entry, publishers, licences, stated["page"]) for entry in entries]
        by_id = {file.id: file for file in files}
        registry = Registry(by_id, stated["catalogue"], stated["download"], onet_release or stated["onet"]["default"])
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise WrongUsage("the registry of input files cannot be read", "a registry.toml", f"{path}: {error}") from error
    paths = [file.path for file in files if file.path]
    if len(by_id) != len(files) or len(set(paths)) != len(paths):
        raise WrongUsage("the registry of input files repeats itself", "each id and path once", str(path))
    return registry


def _onet_entries(onet: dict[str, Any], wanted: str | None) -> list[dict[str, Any]]:
    """The entries of one release of the O*NET database; each table's id and names are the same in all of them."""
    releases = {release["release"]: release for release in onet["release"]}
    name = wanted or onet["default"]
    if name not in releases:
        raise WrongUsage("WIQ_ONET_RELEASE names an unknown release", " or ".join(releases), name)
    release, entries = releases[name], []
    for file in release["files"]:
        table = onet["tables"][file["id"]]
        entry = {
            "id": file["id"],
            "title_en": f"O*NET {name} Database: {table['en']}",
            "title_fr": f"Base de données O*NET {name} : {table['fr']}",
            "path": f"{release['folder']}/{file['file']}",
            "release": name,
            "url": release["url"].format(file=file["file"]),
            "reader": "onet",
            "required": file["required"],
            **{key: onet[key] for key in ("publisher", "licence", "retention")},
        }
        optional = {"member": release.get("member", "").format(file=file["file"])}
        optional |= {key: file.get(key) for key in ("sha256", "sha256_lf")}
        entries.append(entry | {key: value for key, value in optional.items() if value})
    return entries


def _source_file(
    entry: dict[str, Any], publishers: dict[str, Bilingual], licences: dict[str, Licence], page: str
) -> SourceFile:
    publisher, licence = publishers[entry["publisher"]], licences[entry["licence"]]
    where = page.format(dataset=entry["dataset"]) if "dataset" in entry else publisher.page
    path = PurePosixPath(entry["path"]) if "path" in entry else None
    if path and (path.is_absolute() or ".." in path.parts):
        raise WrongUsage("the registry of input files leads out of its folder", "a path below it", str(path))
    given = {**entry, "publisher": publisher, "licence": licence, "path": path, "page": where}
    return SourceFile(**given)


def source_table(registry: Registry, versions: dict[str, str]) -> pa.Table:
    """``dim_source``: one row per registered source, with the version that a run read (null: not there)."""
    schema = arrow_schema(load_table("wiq", "dim_source"))
    rows = [
        {
            "source_id": file.id,
            "kind": file.kind,
            "title_en": file.title_en,
            "title_fr": file.title_fr,
            "publisher_en": file.publisher.en,
            "publisher_fr": file.publisher.fr,
            "release": file.release,
            "path": str(file.path) if file.path else None,
            "source_version": versions.get(file.id),
            "url": file.url,
            "page_url": file.page,
            "licence_en": file.licence.name_en,
            "licence_fr": file.licence.name_fr,
            "licence_url": file.licence.url,
            "attribution_en": file.licence.attribution_en.format(release=file.release),
            "attribution_fr": file.licence.attribution_fr.format(release=file.release),
            "retention_class": file.retention,
        }
        for file in registry.files.values()
    ]
    return pa.Table.from_pylist(sorted(rows, key=lambda row: str(row["source_id"])), schema=schema)
