"""The folder of input files: which of the registered ones are there, and whether they are what the registry names."""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from imputer.errors import SourceAltered, SourceMissing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from imputer.sources.registry import Registry, SourceFile

ACCEPTED = "accepted.toml"


class State(StrEnum):
    """What is known of one file of the folder."""

    VERIFIED = "verified"  # the version that the registry names
    ACCEPTED = "accepted"  # a version that the user accepted (accepted.toml)
    UNPINNED = "unpinned"  # there, but neither registry nor user name a version
    ALTERED = "altered"  # another version than the one named
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Examined:
    """One registered file as found: its place, state and sha256 (None where it is missing)."""

    file: SourceFile
    path: Path
    state: State
    sha256: str | None

    @property
    def usable(self) -> bool:
        """Whether a run may read it."""
        return self.state not in {State.ALTERED, State.MISSING}


def examine(file: SourceFile, folder: Path, accepted: Mapping[str, str]) -> Examined:
    """Look at one file of the folder; ``accepted`` maps ids to the sha256 that the user accepted."""
    path = place(file, folder)
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return Examined(file, path, State.MISSING, None)
    digest = hashlib.sha256(content).hexdigest()
    if digest == accepted.get(file.id):
        return Examined(file, path, State.ACCEPTED, digest)
    if file.sha256 is None and file.id not in accepted:
        return Examined(file, path, State.UNPINNED, digest)
    return Examined(file, path, State.VERIFIED if is_named_version(file, content) else State.ALTERED, digest)


def place(file: SourceFile, folder: Path) -> Path:
    """Where a file of the registry belongs in the folder."""
    assert file.path, f"{file.id} is no file"
    return folder.joinpath(*file.path.parts)


def is_named_version(file: SourceFile, content: bytes) -> bool:
    """Whether the content is the version that the registry names.

    Whatever its line ends; and a table of O*NET with empty cells is the same as one with «n/a» in them.
    """
    if file.sha256 is None:
        return False
    if hashlib.sha256(content).hexdigest() == file.sha256:
        return True
    plain = content.replace(b"\r\n", b"\n")
    if file.reader == "onet":
        plain = re.sub(rb"(?<=\t)n/a(?=[\t\n])", b"", plain)
    return hashlib.sha256(plain).hexdigest() in {file.sha256, file.sha256_lf}


def examine_all(registry: Registry, folder: Path) -> dict[str, Examined]:
    """Look at every registered file of the folder."""
    accepted = read_accepted(folder)
    return {source_id: examine(file, folder, accepted) for source_id, file in registry.files.items() if file.path}


def require(examined: Examined) -> None:
    """Raise SourceMissing or SourceAltered, naming the file and what to do, unless it is usable."""
    file = examined.file
    if examined.state is State.MISSING:
        raise SourceMissing(
            f"the input file {file.path} is not there ({file.title_en})",
            url=str(examined.path),
            next_step=f"get it: {file.how_to_get_it}",
        )
    if examined.state is State.ALTERED:
        raise SourceAltered(
            f"the input file {file.path} is another version than the one known ({file.title_en})",
            f"sha256 {file.sha256}" if file.sha256 else "the version that was accepted",
            f"sha256 {examined.sha256}",
            url=str(examined.path),
            next_step=f"`imputer sources add {file.id} {examined.path}` if this version is wanted, "
            f"else get the known one: {file.how_to_get_it}",
        )


def read_accepted(folder: Path) -> dict[str, str]:
    """The versions that the user accepted, by id. Raises SourceAltered where accepted.toml is not what was written."""
    path = folder / ACCEPTED
    try:
        stated = tomllib.loads(path.read_text(encoding="utf-8"))
        return {source_id: str(entry["sha256"]) for source_id, entry in stated.items()}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (ValueError, TypeError, KeyError) as error:
        next_step = "delete it and add the files again: `imputer sources add`"
        raise SourceAltered(
            "the list of accepted versions cannot be read", found=str(error), url=str(path), next_step=next_step
        ) from error


def write_accepted(folder: Path, accepted: Mapping[str, str]) -> None:
    """Write the accepted versions beside the files, at once and whole."""
    lines = ["# Versions of input files that were accepted with `imputer sources add` or `fetch`."]
    for source_id, digest in sorted(accepted.items()):
        lines += ["", f"[{source_id}]", f'sha256 = "{digest}"']
    target = folder / ACCEPTED
    draft = target.with_name(f".{ACCEPTED}.part")
    draft.write_text("\n".join(lines) + "\n", encoding="utf-8")
    draft.replace(target)
