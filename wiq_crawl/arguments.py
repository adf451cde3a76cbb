"""Arguments of ``scrapy crawl tbs -a name=value``."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from wiq_crawl.addresses import BASE_URL
from wiq_crawl.errors import BadArgument
from wiq_crawl.labels import LANGUAGES, main_table_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

LINK_COLUMNS = main_table_columns()[5:]
DEFAULT_COLUMNS = ("definition", "job_evaluation_standard", "qualification_standard")
DEPTHS = (0, 1, 2)


@dataclass(frozen=True, slots=True)
class CrawlArguments:
    """What a crawl does; see the README for each.

    ``columns`` are link columns of the main table to follow; ``depth`` counts links from the main page;
    ``archive`` is a web archive to read instead of the network; ``probe`` compares labels and publishes nothing.
    """

    languages: tuple[str, ...] = LANGUAGES
    columns: tuple[str, ...] = DEFAULT_COLUMNS
    depth: int = 2
    base_url: str = BASE_URL
    archive: Path | None = None
    probe: bool = False

    def stated(self) -> dict[str, object]:
        """The arguments as run.json and the archive keep them."""
        return asdict(self) | {
            "languages": list(self.languages),
            "columns": list(self.columns),
            "archive": str(self.archive) if self.archive else None,
        }


def parse_arguments(given: Mapping[str, str], archived: Mapping[str, object] | None = None) -> CrawlArguments:
    """Read the arguments; ``archived`` are those of the archive's own crawl, which stand where none is given.

    Raises BadArgument, naming what is allowed.
    """
    names = [field.name for field in fields(CrawlArguments)]
    for name in given:
        if name not in names:
            near = get_close_matches(name, names, 1)
            raise BadArgument(
                f"unknown argument -a {name}",
                "one of " + ", ".join(names),
                name,
                next_step=f"did you mean {near[0]}?" if near else None,
            )
    earlier = archived or {}
    default = CrawlArguments()
    return CrawlArguments(
        languages=_names("languages", given, earlier, LANGUAGES, default.languages),
        columns=_names("columns", given, earlier, LINK_COLUMNS, default.columns),
        depth=_depth(given.get("depth", str(earlier.get("depth", default.depth)))),
        base_url=_base_url(given.get("base_url", str(earlier.get("base_url", default.base_url)))),
        archive=Path(given["archive"]) if given.get("archive") else None,
        probe=_switch("probe", given.get("probe", "0")),
    )


def _names(
    name: str,
    given: Mapping[str, str],
    earlier: Mapping[str, object],
    allowed: tuple[str, ...],
    default: tuple[str, ...],
) -> tuple[str, ...]:
    if name not in given:
        stated = earlier.get(name)
        return tuple(str(item) for item in stated) if isinstance(stated, list) else default
    if given[name].strip() == "all":
        return allowed
    wanted = [item.strip() for item in given[name].split(",") if item.strip()]
    unknown = [item for item in wanted if item not in allowed]
    if unknown or not wanted:
        raise BadArgument(f"-a {name}", "all, or some of " + ",".join(allowed), given[name] or "nothing")
    return tuple(item for item in allowed if item in wanted)


def _depth(text: str) -> int:
    if text not in {str(depth) for depth in DEPTHS}:
        raise BadArgument("-a depth", "0 (main page), 1 (linked documents) or 2 (pages they link to)", text)
    return int(text)


def _base_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/") or parts.query:
        raise BadArgument("-a base_url", "a scheme and a host, such as https://www.canada.ca", text)
    return f"{parts.scheme}://{parts.netloc}"


def _switch(name: str, text: str) -> bool:
    if text not in ("0", "1"):
        raise BadArgument(f"-a {name}", "0 or 1", text)
    return text == "1"
