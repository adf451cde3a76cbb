"""All that went wrong in a crawl, in one list: what Scrapy only logs is collected here and becomes the exit status."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING

from scrapy.exceptions import IgnoreRequest
from scrapy.spidermiddlewares.httperror import HttpError as ScrapyHttpError

from schemas.errors import OutputUnwritable, RunError
from wiq_crawl.errors import HttpError, Moved, RobotsForbidden, Unreachable

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response

_SEE_LOG = "the traceback is in crawl.log in the run’s folder"
# errno values of a medium that is full or closed to writing: EFBIG, ENOSPC, EROFS, EDQUOT.
_CANNOT_WRITE = frozenset({27, 28, 30, 122})


class FailureLog(logging.Handler):
    """A process-level log handler that keeps every error, those logged after ``spider_closed`` included.

    Scrapy's own ``log_count/ERROR`` misses those (https://github.com/scrapy/scrapy/issues/3653).
    """

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.failures: list[RunError] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the error; where its kind says it all, the traceback is dropped from the log."""
        exception = record.exc_info[1] if record.exc_info else None
        if not isinstance(exception, Exception):
            self.add(RunError(f"{record.name}: {record.getMessage()}", next_step=_SEE_LOG))
            return
        failure = classify(exception, None)
        self.add(failure)
        if failure.kind != RunError.kind:
            record.exc_info = None
            record.exc_text = None
            record.msg, record.args = "%s: %s", (failure.kind, failure)

    def add(self, failure: RunError) -> None:
        """Keep a failure once; Scrapy logs a failed download before the errback says at which address."""
        for number, known in enumerate(self.failures):
            if type(failure) is type(known) and failure.found == known.found and failure.message == known.message:
                if failure.url == known.url or failure.url is None:
                    return
                if known.url is None:
                    self.failures[number] = failure
                    return
        self.failures.append(failure)


def classify(exception: BaseException, request: Request | None) -> RunError:
    """An exception as one of the failure kinds."""
    if isinstance(exception, RunError):
        return exception
    url = request.url if request is not None else None
    if isinstance(exception, ScrapyHttpError):
        return _http_failure(exception.response)
    if isinstance(exception, IgnoreRequest):
        return RobotsForbidden(
            "robots.txt forbids the page",
            "permission to fetch it",
            str(exception),
            url,
            next_step="ask the site’s owner, or look whether its robots.txt changed",
        )
    if isinstance(exception, OSError) and exception.errno in _CANNOT_WRITE:
        return OutputUnwritable(
            "the run cannot be written",
            "space and permission",
            str(exception),
            next_step="free space or name another folder with WIQ_OUTPUT",
        )
    if type(exception).__module__.startswith(("twisted.internet", "twisted.web", "scrapy.exceptions", "playwright")):
        return Unreachable(
            "the site gives no answer",
            "a page",
            f"{type(exception).__name__}: {exception}".strip(": "),
            url,
            next_step="look whether the address opens in a browser, then run again",
        )
    failure = RunError(f"{type(exception).__name__}: {exception}", url=url, next_step=_SEE_LOG)
    failure.__cause__ = exception
    return failure


def _http_failure(response: Response) -> RunError:
    status, url = response.status, response.url
    try:
        shown = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        shown = str(status)
    if status in (301, 302, 303, 307, 308):
        location = (response.headers.get("Location") or b"").decode("latin-1")
        return Moved(
            "the page moved",
            "the page at its address",
            f"{shown}, to {location or 'nowhere'}",
            url,
            next_step="look at the new address: a start page’s belongs into wiq_crawl/addresses.py",
        )
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unreachable(
            "the site answers with an error, retries included", "200", shown, url, next_step="run again later"
        )
    return HttpError(
        "the page is not there",
        "200",
        shown,
        url,
        next_step="if the link is broken for good, list its path under known.unavailable in expectations.toml",
    )
