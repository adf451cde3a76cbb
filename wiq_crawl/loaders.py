"""Item loaders that never stay silent: a selector says how many matches it expects, and raises when it is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from itemloaders import ItemLoader
from itemloaders.processors import TakeFirst

from wiq_crawl.pages.text import elements, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml import etree

    from schemas import Table
    from wiq_crawl.items import Record
    from wiq_crawl.pages.page import Page


class StrictLoader(ItemLoader):
    """Loads one record of a table from one element of a page.

    Each value keeps where it was read and, where it was transformed, the text it was read as.
    Stock loaders yield nothing for a selector that misses; here it is a structure drift.
    """

    default_item_class = dict
    default_output_processor = TakeFirst()

    def __init__(self, page: Page, element: etree._Element, *, row: int | None = None) -> None:
        super().__init__(item={})
        self.page = page
        self.element = element
        self.row = row
        self.provenance: list[dict[str, str | None]] = []

    def element_at(self, xpath: str) -> etree._Element:
        """The one element at a relative XPath; StructureDrift for none or several."""
        return self.elements_at(xpath, expect=1)[0]

    def elements_at(self, xpath: str, *, expect: int | None = None) -> list[etree._Element]:
        """The elements at a relative XPath; StructureDrift unless there are as many as expected."""
        found = elements(self.element, xpath)
        if expect is not None and len(found) != expect:
            raise self.page.drift(
                "a selector does not find what it should",
                f"{expect} match(es) for {xpath}",
                str(len(found)),
                selector=self.page.path_of(self.element),
                row=self.row,
            )
        return found

    def load_text(self, column: str, element: etree._Element, transform: Callable[[str], Any] | None = None) -> None:
        """Read a column from an element's text, through ``transform`` where there is one."""
        self._load(column, text_of(element), self.page.path_of(element), transform)

    def load_attribute(
        self, column: str, element: etree._Element, name: str, transform: Callable[[str], Any] | None = None
    ) -> None:
        """Read a column from an element's attribute, through ``transform`` where there is one."""
        self._load(column, element.get(name) or "", f"{self.page.path_of(element)}/@{name}", transform)

    def _load(self, column: str, raw: str, selector: str, transform: Callable[[str], Any] | None) -> None:
        value = transform(raw) if transform else raw
        self.provenance.append({"column": column, "selector": selector, "raw": raw if value != raw else None})
        self.set(column, value)

    def set(self, column: str, value: Any) -> None:  # noqa: ANN401
        """Give a column a value that is not read from one place."""
        if value is not None:
            self.replace_value(column, [value])

    def load_record(self, table: Table, *, fragment: str | None) -> Record:
        """The record with every column of the table, null where nothing was loaded, and its provenance."""
        shared = self.page.provenance_of(self.element, fragment) | {
            "language": self.page.language,
            "provenance": self.provenance,
        }
        loaded = self.load_item() | shared
        return {column.name: loaded.get(column.name) for column in table.columns}
