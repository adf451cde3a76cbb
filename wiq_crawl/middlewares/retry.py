"""Retries that wait: Scrapy's own retry at once, which hammers a site that says 429."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from scrapy import Request
from scrapy.downloadermiddlewares.retry import RetryMiddleware

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler
    from scrapy.http import Response


class BackoffRetryMiddleware(RetryMiddleware):
    """Waits WIQ_RETRY_BACKOFF × 2ⁿ seconds before retry n, or as long as ``Retry-After`` asks."""

    backoff: float
    maximum: float

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Read the back-off settings."""
        middleware = super().from_crawler(crawler)
        middleware.backoff = crawler.settings.getfloat("WIQ_RETRY_BACKOFF")
        middleware.maximum = crawler.settings.getfloat("WIQ_RETRY_BACKOFF_MAXIMUM")
        return middleware

    async def process_response(self, request: Request, response: Response) -> Request | Response:  # type: ignore[override]
        """Retry 429 and 5xx after a wait."""
        result = super().process_response(request, response)
        if isinstance(result, Request):
            await asyncio.sleep(self.wait(result, response.headers.get("Retry-After")))
        return result

    async def process_exception(self, request: Request, exception: Exception) -> Request | Response | None:  # type: ignore[override]
        """Retry lost connections and time-outs after a wait."""
        result = super().process_exception(request, exception)
        if isinstance(result, Request):
            await asyncio.sleep(self.wait(result, None))
        return result

    def wait(self, retry: Request, retry_after: bytes | None) -> float:
        """Seconds to wait before a retry."""
        growing = self.backoff * 2.0 ** (int(retry.meta["retry_times"]) - 1)
        asked = float(retry_after) if retry_after and retry_after.isdigit() else 0.0
        return min(max(growing, asked), self.maximum)
