"""Which process reads a page: a helper, or the crawl's own where the helper has enough to do.

Reading takes most of a crawl's time, and fetching most of the rest: two processes share it evenly, whatever the
pages are like. What is read does not depend on where.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

from schemas import load_tables
from wiq_crawl.checks import read_checked
from wiq_crawl.errors import BadArgument
from wiq_crawl.helper import Helper

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings

    from wiq_crawl.items import CheckedPage

MOST_READERS = 64
# Pages a helper has in line at most: enough not to run dry while this process is busy, little enough to hold.
_IN_LINE = 6


def reader_count(settings: BaseSettings) -> int:
    """How many helpers WIQ_READERS asks for; BadArgument for anything but a small number."""
    given = str(settings.get("WIQ_READERS"))
    if not given.isdecimal() or int(given) > MOST_READERS:
        raise BadArgument("WIQ_READERS", f"a number from 0 to {MOST_READERS}", given)
    return int(given)


class Reader:
    """Reads pages, with as many helpers as told; none is fine."""

    def __init__(self, helpers: int) -> None:
        self.helpers = [Helper() for _ in range(helpers)]
        # The few pages whose records wait here for those of the other language are read here.
        self.own_kinds = {name for name, table in load_tables("tbs").items() if table.pairing_key}

    async def read(self, html: str, url: str, *, kind: str, **place: Any) -> CheckedPage:  # noqa: ANN401
        """Read and check a page; the arguments and errors are those of ``read_page``."""
        waiting, helper = min(((one.waiting(), one) for one in self.helpers), default=(0, None), key=itemgetter(0))
        if helper is None or waiting >= _IN_LINE or kind in self.own_kinds:
            return read_checked(html, url, kind=kind, **place)
        return await helper.call(read_checked, html, url, kind=kind, **place)

    def close(self) -> None:
        """End the helpers; were there more to read, it would be read here."""
        while self.helpers:
            self.helpers.pop().close()
