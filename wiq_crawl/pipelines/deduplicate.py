"""No key twice, no text under two addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas import load_tables
from wiq_crawl.errors import DuplicateContent, InvalidItem

if TYPE_CHECKING:
    from wiq_crawl.items import PageRecords


class DeduplicatePipeline:
    """Keys are unique within a page because each page is read once, and across pages because they hold its address."""

    def __init__(self) -> None:
        self.keys = {name: table.primary_key for name, table in load_tables("tbs").items()}
        self.address_of_text: dict[str, str] = {}

    def process_item(self, item: PageRecords) -> PageRecords:
        """Raises InvalidItem for a key that is not unique, DuplicateContent for a text met before."""
        for table, records in item.tables.items():
            key = self.keys[table]
            seen: set[tuple[object, ...]] = set()
            for record in records:
                value = tuple(record[column] for column in key)
                if value in seen:
                    raise InvalidItem(
                        f"a key of {table} stands twice",
                        "unique " + ", ".join(key),
                        str(value),
                        item.url,
                        record.get("selector"),
                    )
                seen.add(value)
        for document in item.tables["documents"]:
            first = self.address_of_text.setdefault(document["content_sha256"], document["url"])
            if first != document["url"]:
                raise DuplicateContent(
                    "two addresses have the same text",
                    "a text of its own",
                    f"the text of {first}",
                    document["url"],
                    "//main",
                    next_step="open both addresses: the site may answer every address with one page",
                )
        return item
