"""O*NET Web Services v2 as a provider: whole tables from ``/database/rows``, kept per release.

Whole tables take some 150 requests where occupation by occupation would take 4,500, and only they give the level of
a rating: ``/online/occupations/{code}/details/…`` gives its importance alone, from 0 to 100, as
``floor((IM - 1) / 4 × 100 + 0.5)``: half up, where Python's ``round`` would give the even neighbour.
``/online/occupations/{code}/summary/…`` gives no rating at all and is never asked for.
"""

from __future__ import annotations

import logging
import math
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from imputer.errors import ProviderPartial, ProviderRefused
from imputer.onet.about import release_of
from imputer.onet.answers import Answers, Service
from imputer.onet.cache import Cache
from imputer.onet.pages import LONGEST_PAGE, all_items
from imputer.sources.onet_database import OnetDatabase, onet_database
from imputer.sources.onet_layout import ALTERNATIVES, RawTable, column_name, raw_table, snake_case

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_LOG = logging.getLogger(__name__)
# What no release is without: a list of tables that has none of them under a known name is not understood.
_ALWAYS = ("occupation_data", "skills", "knowledge")


@dataclass(frozen=True, slots=True)
class WebServices:
    """The service, or what it answered before.

    ``service`` None works from the cache alone. ``release`` is asked of the service (``/about``) unless given.
    """

    service: Service | None
    cache: Path
    release: str | None = None
    page: int = LONGEST_PAGE

    def database(self) -> OnetDatabase:
        """The whole database of the service's release.

        Tables in the cache are not fetched again; where the service cannot be reached, the newest release that is kept
        whole serves. Raises ProviderRefused (no key and nothing kept, or a wrong key), ProviderPartial (an answer that
        is not whole, or none) and SourceMalformed.
        """
        kept = Cache(self.cache)
        if self.service is None:
            return self._kept(kept)
        with Answers(self.service) as answers:
            try:
                release = self.release or release_of(answers)
            except ProviderPartial:
                if not kept.releases():
                    raise
                _LOG.warning("O*NET Web Services did not tell its release: what is kept from before is used")
                return self._kept(kept)
            offered = self._tables(answers, kept, release)
            wanted = _chosen(offered)
            fetched = {
                name: tuple(self._table(answers, kept, release, table) for table in tables)
                for name, tables in wanted.items()
            }
        return onet_database(fetched, release)

    def details(self, code: str, section: str, items: str = "element") -> list[dict[str, Any]]:
        """What the service says of one occupation now, with all its items; empty where it has no data.

        An item without a rating has none: no number stands in for it.
        """
        if self.service is None:
            raise ProviderRefused("O*NET Web Services needs a key", next_step="set ONET_API_KEY")
        with Answers(self.service) as answers:
            path = f"online/occupations/{code}/details/{section}"
            return all_items(answers, path, items, length=self.page) or []

    def _kept(self, kept: Cache) -> OnetDatabase:
        releases = [self.release] if self.release else kept.releases()[-1:]
        offered = kept.get(releases[0], "tables") if releases else None
        if offered is None:
            raise ProviderRefused(
                "O*NET Web Services needs a key, and nothing is kept from before",
                "ONET_API_KEY, or a release in the cache",
                url=str(self.cache),
                next_step="set ONET_API_KEY, or use the database files (WIQ_ONET=database)",
            )
        fetched = {}
        for name, tables in _chosen(offered[0]).items():
            bodies = [(table, kept.get(releases[0], table)) for table in tables]
            missing = [table for table, body in bodies if body is None]
            if missing:
                raise ProviderPartial(
                    "a table of O*NET is not kept whole",
                    missing[0],
                    "nothing",
                    url=str(self.cache / releases[0]),
                    next_step="fetch it: set ONET_API_KEY",
                )
            fetched[name] = tuple(_raw(table, *body) for table, body in bodies if body is not None)
        return onet_database(fetched, releases[0])

    def _tables(self, answers: Answers, kept: Cache, release: str) -> list[str]:
        before = kept.get(release, "tables")
        if before is not None:
            return list(before[0])
        offered = answers.get("database")
        tables = [entry.get("table_id") for entry in offered] if _is_records(offered) else []
        if not tables or not all(isinstance(table, str) and re.fullmatch(r"\w+", table) for table in tables):
            raise ProviderPartial(
                "O*NET Web Services lists no tables", "table ids", str(offered)[:120], url=answers.url("database")
            )
        names = sorted(map(str, tables))
        kept.put(release, "tables", names, url=answers.url("database"), fetched_at=_now(), count=len(names), requests=1)
        return names

    def _table(self, answers: Answers, kept: Cache, release: str, table: str) -> RawTable:
        before = kept.get(release, table)
        if before is not None:
            return _raw(table, *before)
        asked = answers.requests
        information = answers.get(f"database/info/{table}")
        columns = information.get("column") if isinstance(information, dict) else None
        rows = all_items(answers, f"database/rows/{table}", "row", length=self.page)
        if not isinstance(columns, list) or not rows or not _is_records(columns) or not _is_records(rows):
            raise ProviderPartial(
                "O*NET Web Services gives no rows of a table that it lists",
                "rows",
                "none",
                url=answers.url(f"database/rows/{table}"),
            )
        body = {"columns": [column["column_id"] for column in columns], "rows": rows}
        receipt = kept.put(
            release,
            table,
            body,
            url=answers.url(f"database/rows/{table}"),
            fetched_at=_now(),
            count=len(rows),
            requests=answers.requests - asked,
        )
        _LOG.info("fetched O*NET %s %s: %d rows", release, table, len(rows))
        return _raw(table, body, receipt)


def web_services(cache: Path, environment: Mapping[str, str] | None = None) -> WebServices:
    """The provider as the environment has it: ONET_API_KEY, and ONET_BASE_URL, ONET_RELEASE where they differ."""
    given = os.environ if environment is None else environment
    key, base = given.get("ONET_API_KEY"), given.get("ONET_BASE_URL")
    service = (Service(key, base) if base else Service(key)) if key else None
    return WebServices(service, cache, given.get("ONET_RELEASE") or None)


def importance(rating: float) -> int:
    """An IM rating (1 to 5) as ``details`` give it: 0 to 100, half up.

    Two decimals are exact in hundredths, so the halves are found exactly.
    """
    return math.floor((round(rating * 100) - 100) / 4 + 0.5)


def _chosen(offered: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The tables to take, by their names before 31.0."""
    chosen = {}
    for name, alternatives in ALTERNATIVES.items():
        for titles in alternatives:
            tables = tuple(snake_case(title) for title in titles)
            if set(tables) <= set(offered):
                chosen[name] = tables
                break
    missing = [name for name in _ALWAYS if name not in chosen]
    if missing:
        raise ProviderPartial(
            "O*NET Web Services lists no table for some of what every release has",
            ", ".join(missing),
            ", ".join(offered),
            next_step="use the database files (WIQ_ONET=database); the tables may have new names",
        )
    return chosen


def _raw(table: str, body: Any, receipt: Any) -> RawTable:  # noqa: ANN401
    first, *rest = body["rows"]
    named = {column_name(key) for row in body["rows"] for key in row}
    # A column that is null everywhere may be left out of the rows.
    null = {column: None for column in body["columns"] if column_name(column) not in named}
    return raw_table(table, receipt.url, receipt.sha256, [first | null, *rest])


def _is_records(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(entry, dict) for entry in value)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
