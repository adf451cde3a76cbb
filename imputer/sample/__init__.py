"""A small embedded set of input files, for trying the imputer without any download.

Codes, names, titles and ratings are the publishers' (ATTRIBUTION.md); sentences and job titles are made up. It is
laid out as WIQ_SOURCES is, but has a registry of its own, so that neither can be taken for the other.
"""

from __future__ import annotations

import tomllib
from dataclasses import replace
from functools import cache
from pathlib import Path

from imputer.sources.registry import Registry, load_registry

SAMPLE = Path(__file__).parent
CHECKSUMS = SAMPLE / "checksums.toml"


@cache
def sample_registry() -> Registry:
    """The registry of the sample: the built-in one's entries for the files that the sample has, under its checksums."""
    whole = load_registry()
    checksums: dict[str, str] = tomllib.loads(CHECKSUMS.read_text(encoding="utf-8"))["sha256"]
    files = {
        source_id: replace(
            file,
            title_en=f"Sample: {file.title_en}",
            title_fr=f"Échantillon : {file.title_fr}",
            sha256=checksums.get(source_id),
            sha256_lf=None,
            url=file.url if file.path is None else None,
            member=None,
            dataset=None,
            resource=None,
        )
        for source_id, file in whole.files.items()
        if file.path is None or source_id in checksums
    }
    return replace(whole, files=files)
