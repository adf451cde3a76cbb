"""A page by itself, from HTML to lines of JSON: read, every record held against its schema, no key twice.

Pure, so that any process can do it; what is wrong is noted for the pipelines, which raise it.
"""

from __future__ import annotations

from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from schemas import load_tables
from schemas.validation import TableValidator
from wiq_crawl.errors import InvalidItem
from wiq_crawl.items import CheckedPage, DocumentLink, Lines
from wiq_crawl.pages import read_page

if TYPE_CHECKING:
    from wiq_crawl.items import PageRecords, Record


def read_checked(html: str, url: str, **place: Any) -> CheckedPage:  # noqa: ANN401
    """Read and check a page; the arguments and errors are those of ``read_page``."""
    return check(read_page(html, url, **place))


def check(found: PageRecords) -> CheckedPage:
    """Check a page's records and write them as lines."""
    tables = load_tables("tbs")
    wrong = [
        (table, record)
        for table, records in found.tables.items()
        for record in records
        if not _validator(table).is_valid(record)
    ]
    extracted = sum(len(records) for records in found.tables.values())
    page = CheckedPage(
        url=found.url,
        language=found.language,
        kind=found.kind,
        depth=found.depth,
        content_sha256=found.tables["documents"][0]["content_sha256"],
        lines={table: Lines.of(records) for table, records in found.tables.items()},
        documents=[
            DocumentLink(link["url"], link["table_column"], link["target_fragment"])
            for link in found.tables["links"]
            if link["target"] == "tbs_document"
        ],
        to_pair={name: records for name, records in found.tables.items() if tables[name].pairing_key},
        extracted=extracted,
        valid=extracted - len(wrong),
        doubled=_doubled_key(found),
    )
    if wrong:
        _report(page, *wrong[0], others=len(wrong) - 1)
    return page


@cache
def _validator(table: str) -> TableValidator:
    return TableValidator(load_tables("tbs")[table])


def _report(page: CheckedPage, table: str, record: Record, *, others: int) -> None:
    """Say what is wrong with a record."""
    violations = _validator(table).violations(record)
    page.violations = [f"{table}/{violation.path.split('/')[0]}/{violation.rule}" for violation in violations]
    first = violations[0]
    more = f" (and {others} more records of the page)" if others else ""
    page.invalid = InvalidItem(
        f"a record of {table} breaks its schema in column {first.path}{more}",
        f"schemas/tbs/{table}.schema.json",
        first.message,
        page.url,
        record.get("selector"),
        record.get("row_number"),
    )


def _doubled_key(found: PageRecords) -> InvalidItem | None:
    """Keys are unique across pages where they are within each: each page is read once, and they hold its address."""
    for name, records in found.tables.items():
        key = load_tables("tbs")[name].primary_key
        value_of = itemgetter(*key)
        seen: set[object] = set()
        for record in records:
            value = value_of(record)
            if value in seen:
                return InvalidItem(
                    f"a key of {name} stands twice",
                    "unique " + ", ".join(key),
                    str(value),
                    found.url,
                    record.get("selector"),
                )
            seen.add(value)
    return None
