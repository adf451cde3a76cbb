"""No key twice, no text under two addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wiq_crawl.errors import DuplicateContent

if TYPE_CHECKING:
    from wiq_crawl.items import CheckedPage


class DeduplicatePipeline:
    """Keys are compared within each page, by ``checks``; texts with those of all pages before."""

    def __init__(self) -> None:
        self.address_of_text: dict[str, str] = {}

    def process_item(self, item: CheckedPage) -> CheckedPage:
        """Raises InvalidItem for a key that is not unique, DuplicateContent for a text met before."""
        if item.doubled is not None:
            raise item.doubled
        first = self.address_of_text.setdefault(item.content_sha256, item.url)
        if first != item.url:
            raise DuplicateContent(
                "two addresses have the same text",
                "a text of its own",
                f"the text of {first}",
                item.url,
                "//main",
                next_step="open both addresses: the site may answer every address with one page",
            )
        return item
