"""Files that are not the registry's version: taken into the folder once their strict reader has read them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from imputer.errors import SourceMissing
from imputer.sources.folder import examine_all, is_named_version, place, read_accepted, write_accepted
from imputer.sources.readers import STEPS, Known, read_all, read_onet_layout

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from imputer.sources.registry import Registry, SourceFile


def add(registry: Registry, folder: Path, file: SourceFile, given: Path) -> str:
    """Copy a user's file into the folder and record its version; returns its sha256.

    Raises SourceMissing where it is not there, or what it must be held against is not; SourceMalformed where its
    reader refuses it. The folder stays as it was then.
    """
    try:
        content = given.read_bytes()
    except OSError as error:
        raise SourceMissing("the file to add cannot be read", found=error.strerror, url=str(given)) from error
    check_readable(registry, folder, {file.id: given})
    target = place(file, folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.part")
    draft.write_bytes(content)
    draft.replace(target)
    digest = hashlib.sha256(content).hexdigest()
    if not is_named_version(file, content):
        accept(folder, file.id, digest)
    return digest


def accept(folder: Path, source_id: str, digest: str) -> None:
    """Record a version as accepted."""
    write_accepted(folder, {**read_accepted(folder), source_id: digest})


def check_readable(
    registry: Registry, folder: Path, given: Mapping[str, Path], beside: Mapping[str, Path] | None = None
) -> None:
    """Read the given files strictly, held against what the folder has and what else is about to be taken (beside).

    Raises SourceMalformed where a reader refuses one, SourceMissing where one cannot be judged without another file.
    """
    paths = {source_id: found.path for source_id, found in examine_all(registry, folder).items() if found.usable}
    known = Known({**paths, **(beside or {}), **given})
    read_onet_layout(known, tuple(source_id for source_id in given if registry.files[source_id].reader == "onet"))
    read = read_all(known)
    for step in STEPS:
        if step.source_id in given and step.source_id not in read:
            lacking = [source_id for source_id in step.after if source_id not in known.paths]
            raise SourceMissing(
                f"{registry.files[step.source_id].path} cannot be checked yet",
                f"first {', '.join(str(registry.files[source_id].path) for source_id in lacking)}",
                "not in the folder",
                url=str(folder),
                next_step=f"`imputer sources fetch {' '.join(lacking)}`",
            )
