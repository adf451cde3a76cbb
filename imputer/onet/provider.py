"""What gives the O*NET database, whichever way: the files of a release, or the service.

Either way gives the whole database or an error, never a part of it; the same release gives the same tables, but for
what the other one does not offer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imputer.errors import SourceMissing
from imputer.onet.web_services import web_services
from imputer.sources.onet_database import OnetDatabase, read_onet_database

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class DatabaseFiles:
    """The database files of one release in a folder; ``release`` where the folder's name does not tell."""

    folder: Path
    release: str | None = None

    def database(self) -> OnetDatabase:
        """Read the files. Raises SourceMissing, SourceMalformed and WrongUsage."""
        return read_onet_database(self.folder, self.release)


def provided_database(provider: str, output: Path) -> OnetDatabase:
    """The database from the service, where the setting WIQ_ONET (``provider``) is ``web``; kept in ``<output>/onet``.

    Raises SourceMissing where it asks for the files, for then they were looked for and are not there.
    """
    if provider != "web":
        raise SourceMissing(
            "the O*NET database is not there",
            "its files in the folder of input files",
            next_step="get them with `imputer sources fetch`, or set WIQ_ONET=web and ONET_API_KEY",
        )
    return web_services(output / "onet").database()
