"""Why a crawl fails: one tree, each class with the failure kind that ``run.json`` carries.

::

    CrawlError
    ├── BadArgument             bad_argument         the command line, before anything is fetched
    ├── RunInProgress           run_in_progress      another run holds the output folder
    ├── OutputUnwritable        output_unwritable    run folder, tables or archive cannot be written
    ├── ArchiveUnreadable       archive_unreadable   ``-a archive=``: no web archive, or the page is not in it
    ├── Unreachable             unreachable          no answer: name, connection, time-out, cut transfer, 5xx to the end
    ├── RobotsForbidden         robots_forbidden     robots.txt forbids the page
    ├── HttpError               http_error           an answer that is not 200
    ├── Moved                   moved                the page answers from another address
    ├── StructureDrift          structure_drift      a page differs from its contract (pages, loaders)
    │   ├── WrongLanguage       wrong_language       the page is not in the language asked for
    │   ├── SoftNotFound        soft_not_found       status 200 with a «page not found» text
    │   ├── DuplicateContent    duplicate_content    two addresses, or two entries, with the same text
    │   ├── TruncatedText       truncated_text       a text cut at a round length, or a page without its end
    │   └── GluedWords          glued_words          words run together where the source lost its spaces
    ├── PairingMismatch         pairing              English and French do not describe the same things
    ├── InvalidItem             invalid_item         a record breaks its schema (pipelines)
    ├── ExpectationFailed       expectation          a count outside its envelope (verdict)
    ├── Incomplete              incomplete           found, asked for, extracted and written disagree (verdict)
    ├── ComponentDisabled       component_disabled   a pipeline or extension is not running (verdict)
    ├── CutShort                cut_short            the crawl ended before it was done (verdict)
    └── (anything else)         internal_error       an error logged by Scrapy or raised by our own code
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar


@dataclass
class CrawlError(Exception):
    """What was expected, what was found, where, and what to do next."""

    message: str
    expected: str | None = None
    found: str | None = None
    url: str | None = None
    selector: str | None = None
    row: int | None = None
    next_step: str | None = None
    saved_page: str | None = field(default=None, compare=False)

    kind: ClassVar[str] = "internal_error"

    def __str__(self) -> str:
        """The whole story in one line."""
        parts = [self.message]
        parts += [f"expected {self.expected}"] if self.expected is not None else []
        parts += [f"found {self.found}"] if self.found is not None else []
        where = [self.url or ""]
        where += [f"row {self.row}"] if self.row is not None else []
        where += [self.selector] if self.selector else []
        location = ", ".join(part for part in where if part)
        parts += [f"at {location}"] if location else []
        parts += [f"saved page {self.saved_page}"] if self.saved_page else []
        parts += [self.next_step] if self.next_step else []
        return "; ".join(parts)

    def as_record(self) -> dict[str, str | int | None]:
        """The error as ``run.json`` keeps it (schemas/run.schema.json)."""
        return {
            "kind": self.kind,
            "message": self.message,
            "expected": self.expected,
            "found": self.found,
            "url": self.url,
            "selector": self.selector,
            "row": self.row,
            "saved_page": self.saved_page,
            "next_step": self.next_step,
        }


class BadArgument(CrawlError):
    """Raised by arguments and commands, before anything is fetched."""

    kind = "bad_argument"


class RunInProgress(CrawlError):
    """Raised by runs where another process holds the output folder."""

    kind = "run_in_progress"


class OutputUnwritable(CrawlError):
    """Raised by runs, pipelines and the archive writer: no permission, no space, not a folder."""

    kind = "output_unwritable"


class ArchiveUnreadable(CrawlError):
    """Raised by the archive reader: not a web archive, damaged, or without the page asked for."""

    kind = "archive_unreadable"


class Unreachable(CrawlError):
    """Raised from the spider's errback: name resolution, connection, time-out, cut transfer, 5xx."""

    kind = "unreachable"


class RobotsForbidden(CrawlError):
    """Raised from the spider's errback."""

    kind = "robots_forbidden"


class HttpError(CrawlError):
    """Raised from the spider's errback for a status other than 200."""

    kind = "http_error"


class Moved(CrawlError):
    """Raised from the spider's errback for a redirect."""

    kind = "moved"


class StructureDrift(CrawlError):
    """Raised by pages and loaders: the page differs from its contract."""

    kind = "structure_drift"


class WrongLanguage(StructureDrift):
    """Raised by pages.contract."""

    kind = "wrong_language"


class SoftNotFound(StructureDrift):
    """Raised by pages.contract."""

    kind = "soft_not_found"


class DuplicateContent(StructureDrift):
    """Raised by the deduplicate pipeline (documents) and pages.definitions (entries)."""

    kind = "duplicate_content"


class TruncatedText(StructureDrift):
    """Raised by pages.contract and pages.definitions."""

    kind = "truncated_text"


class GluedWords(StructureDrift):
    """Raised by pages.contract."""

    kind = "glued_words"


class PairingMismatch(CrawlError):
    """Raised by the pair pipeline."""

    kind = "pairing"


class InvalidItem(CrawlError):
    """Raised by the validate pipeline."""

    kind = "invalid_item"


class ExpectationFailed(CrawlError):
    """Raised by the verdict: a count outside its envelope."""

    kind = "expectation"


class Incomplete(CrawlError):
    """Raised by the verdict: found, asked for, extracted and written disagree."""

    kind = "incomplete"


class ComponentDisabled(CrawlError):
    """Raised by the verdict: Scrapy only warns where a component disables itself."""

    kind = "component_disabled"


class CutShort(CrawlError):
    """Raised by the verdict: the crawl ended before it was done."""

    kind = "cut_short"


def failure_kinds() -> list[str]:
    """The closed list of failure kinds, sorted; ``run.schema.json`` states the same list."""
    kinds = {CrawlError.kind}
    waiting: list[type[CrawlError]] = [CrawlError]
    while waiting:
        children = waiting.pop().__subclasses__()
        kinds |= {child.kind for child in children}
        waiting += children
    return sorted(kinds)
