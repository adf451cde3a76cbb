"""The last good crawl of the Treasury Board pages: occupational groups with their definition and standards."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any
from urllib.parse import urldefrag

import pyarrow as pa
import pyarrow.parquet as pq

from imputer.errors import SourceMalformed, SourceMissing
from imputer.sources.reading import Reading
from schemas import arrow_schema, load_table, paired_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LANGUAGES = ("en", "fr")
PAIRED = ("occupational_groups", "definitions")
FILES = (*(f"{name}.parquet" for name in PAIRED), *(f"sections_{language}.parquet" for language in LANGUAGES))
_HOW = "crawl both languages: `scrapy crawl tbs`"

_STANDARDS = ("job_evaluation_standard", "qualification_standard")
_GIVEN = ("row_key", "abbreviation", "occupational_group_code", "subgroup_code")


def read_occupational_groups(crawl: Path) -> Reading:
    """``occupational_groups``: the columns of ``dim_occupational_group``, one row per row of the crawled table.

    ``crawl`` is ``output/tbs/latest``. The definition is joined by its anchor. The text of a standard is that of the
    section that the row's link leads to, with the sections below it; of the whole document where the link names no
    section; null where the link leads out of the crawled pages. Raises SourceMissing where the crawl has not both
    languages, and SourceMalformed where it was written by another version.
    """
    groups, definitions = (_paired(crawl, name) for name in PAIRED)
    defined = {row["anchor"]: row for row in definitions.to_pylist()}
    documents = {language: _documents(crawl, language) for language in LANGUAGES}
    schema = arrow_schema(load_table("wiq", "dim_occupational_group"))
    rows = [_row(row, defined.get(row["definition_anchor"], {}), documents) for row in groups.to_pylist()]
    return Reading(pa.Table.from_pylist(sorted(rows, key=lambda row: str(row["row_key"])), schema=schema))


def no_occupational_groups() -> Reading:
    """``occupational_groups`` of a run without a crawl: no rows."""
    return Reading(arrow_schema(load_table("wiq", "dim_occupational_group")).empty_table())


def crawl_version(crawl: Path) -> str | None:
    """A digest of the files that are read of the crawl; None where it is not there."""
    if not (crawl / "run.json").is_file():
        return None
    digest = hashlib.sha256()
    for name in FILES:
        path = crawl / name
        if not path.is_file():
            raise SourceMissing(f"the crawl has no {name}", url=str(crawl), next_step=_HOW)
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _row(
    group: dict[str, Any], definition: dict[str, Any], documents: dict[str, dict[str, list[dict[str, Any]]]]
) -> dict[str, Any]:
    row: dict[str, Any] = {name: group[name] for name in _GIVEN}
    row["group_code"] = group["group_code_en"] or group["group_code_fr"]
    for language in LANGUAGES:
        for name in ("occupational_group_name", "group_name", "subgroup_name", "definition_url"):
            row[f"{name}_{language}"] = group[f"{name}_{language}"]
        for name in ("definition", "inclusions", "exclusions"):
            row[f"{name}_{language}"] = definition.get(f"{name}_{language}")
        effective = definition.get(f"effective_date_{language}")
        row[f"effective_date_{language}"] = effective.isoformat() if effective else None
        for name in _STANDARDS:
            url = group[f"{name}_url_{language}"]
            row[f"{name}_url_{language}"] = url
            row[f"{name}_text_{language}"] = _text_at(url, documents[language])
    return row


def _text_at(url: str | None, documents: dict[str, list[dict[str, Any]]]) -> str | None:
    address, fragment = urldefrag(url or "")
    sections = documents.get(address, [])
    if fragment:
        sections = list(_branch(sections, fragment))
    parts = (f"{section['heading'] or ''}\n{section['text'] or ''}".strip() for section in sections)
    return "\n\n".join(part for part in parts if part) or None


def _branch(sections: list[dict[str, Any]], anchor: str) -> Iterator[dict[str, Any]]:
    """The section with that anchor and those that follow on a deeper level."""
    top: int | None = None
    for section in sections:
        if top is None:
            top = section["level"] if anchor in section["anchors"] else None
            if top is None:
                continue
        elif section["level"] <= top:
            return
        yield section


def _documents(crawl: Path, language: str) -> dict[str, list[dict[str, Any]]]:
    """The sections of each document, in the order of the page."""
    table = _table(crawl / f"sections_{language}.parquet", arrow_schema(load_table("tbs", "sections")))
    documents: dict[str, list[dict[str, Any]]] = {}
    for section in sorted(table.to_pylist(), key=lambda row: (row["document_url"], row["position"])):
        documents.setdefault(section["document_url"], []).append(section)
    return documents


def _paired(crawl: Path, name: str) -> pa.Table:
    return _table(crawl / f"{name}.parquet", arrow_schema(paired_table("tbs", name)))


def _table(path: Path, schema: pa.Schema) -> pa.Table:
    try:
        table = pq.read_table(path)
    except FileNotFoundError as error:
        raise SourceMissing(f"the crawl has no {path.name}", url=str(path.parent), next_step=_HOW) from error
    except pa.ArrowInvalid as error:
        raise SourceMalformed("a file of the crawl is no Parquet", url=str(path), next_step=_HOW) from error
    if table.schema.names != schema.names:
        raise SourceMalformed(
            "the crawl was written by another version",
            f"the columns {', '.join(schema.names)}",
            ", ".join(table.schema.names),
            url=str(path),
            next_step=_HOW,
        )
    return table
