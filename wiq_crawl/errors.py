"""Why a crawl fails: one tree, each class with the failure kind that ``run.json`` carries.

::

    RunError (schemas.errors: RunInProgress, OutputUnwritable, Incomplete)
    └── CrawlError
        ├── BadArgument             bad_argument         the command line, before anything is fetched
        ├── ArchiveUnreadable       archive_unreadable   ``-a archive=``: no web archive, or the page is not in it
        ├── Unreachable             unreachable          no answer: name, connection, time-out, cut, 5xx
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
        ├── ComponentDisabled       component_disabled   a pipeline or extension is not running (verdict)
        ├── CutShort                cut_short            the crawl ended before it was done (verdict)
        └── (anything else)         internal_error       an error logged by Scrapy or raised by our own code
"""

from __future__ import annotations

from schemas.errors import RunError


class CrawlError(RunError):
    """Root of the errors that only a crawl knows."""


class BadArgument(CrawlError):
    """Raised by arguments and commands, before anything is fetched."""

    kind = "bad_argument"


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


class ComponentDisabled(CrawlError):
    """Raised by the verdict: Scrapy only warns where a component disables itself."""

    kind = "component_disabled"


class CutShort(CrawlError):
    """Raised by the verdict: the crawl ended before it was done."""

    kind = "cut_short"
