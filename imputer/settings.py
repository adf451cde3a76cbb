"""Settings, all from the environment; none is a secret that is ever written.

::

    WIQ_OUTPUT        where runs go: ``<WIQ_OUTPUT>/wiq/…`` (default: output)
    WIQ_SOURCES       folder of the input files (default: output/sources)
    WIQ_ONET_RELEASE  release of the O*NET database files (default: the registry's)
    WIQ_CROSSWALK     mean (default), both, or a weight: which NOC–O*NET crosswalk makes the values (imputer.onet.rules)
    WIQ_ONET          database (default) or web: the database files, or Web Services with ONET_API_KEY
    WIQ_RETENTION     retention schedule, a TOML file (imputer.retention); none by default
    WIQ_NEIGHBOURS    1: numbers that no source fills are also estimated from the most similar job titles (default: 0)
    WIQ_MEMORY        memory that joins may take before they spill to disk (default: 512MB)
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from imputer.errors import WrongUsage
from imputer.onet.rules import DEFAULT_CROSSWALK, OnetRules

if TYPE_CHECKING:
    from collections.abc import Mapping

PROGRAM = "wiq"

_ONET = ("database", "web")
_SWITCH = ("0", "1")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run is told from outside."""

    output: Path
    crosswalk: str = DEFAULT_CROSSWALK
    onet: Literal["database", "web"] = "database"
    onet_release: str | None = None
    retention: Path | None = None
    memory: str = "512MB"
    neighbours: bool = False

    @property
    def root(self) -> Path:
        """The imputer's own folder of runs."""
        return self.output / PROGRAM

    @property
    def crawl(self) -> Path:
        """The last good crawl of the Treasury Board pages."""
        return self.output / "tbs" / "latest"


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings. Raises WrongUsage for a value that is not among the choices."""
    given = os.environ if environment is None else environment
    onet = given.get("WIQ_ONET") or _ONET[0]
    if onet not in _ONET:
        raise WrongUsage("WIQ_ONET is wrong", " or ".join(_ONET), onet)
    neighbours = given.get("WIQ_NEIGHBOURS") or "0"
    if neighbours not in _SWITCH:
        raise WrongUsage("WIQ_NEIGHBOURS is wrong", " or ".join(_SWITCH), neighbours)
    retention = given.get("WIQ_RETENTION")
    return Settings(
        output=Path(given.get("WIQ_OUTPUT") or "output"),
        crosswalk=OnetRules(crosswalk=given.get("WIQ_CROSSWALK") or DEFAULT_CROSSWALK).crosswalk,
        onet=cast("Literal['database', 'web']", onet),
        onet_release=given.get("WIQ_ONET_RELEASE") or None,
        retention=Path(retention) if retention else None,
        memory=given.get("WIQ_MEMORY") or "512MB",
        neighbours=neighbours == "1",
    )
