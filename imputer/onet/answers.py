"""One request to O*NET Web Services v2 after the other, and what its answers mean.

401, 403    the key: ProviderRefused (the body is a web page)
404         no such address: ProviderPartial
422         «no data», or a wrong parameter: the caller knows which, so it is given back as None
429, 5xx    again, later; so for a broken connection, a body cut short or one that is no JSON
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

from imputer.errors import ProviderPartial, ProviderRefused, WrongUsage
from schemas.version import VERSION

if TYPE_CHECKING:
    from types import TracebackType

BASE_URL = "https://api-v2.onetcenter.org/"
_AGAIN = frozenset({429, 500, 502, 503, 504})
_LONGEST_WAIT = 60.0


@dataclass(frozen=True, slots=True)
class Service:
    """How the service is reached.

    ``key`` is sent as ``X-API-Key`` and stands nowhere else. ``pause``: seconds between the starts of two requests
    (the service asks for 0.2 at least); ``attempts`` per request; ``backoff``: seconds before the second attempt,
    doubled each time; a ``Retry-After`` header counts where it is longer.
    """

    key: str = field(repr=False)
    base_url: str = BASE_URL
    pause: float = 0.2
    attempts: int = 5
    backoff: float = 1.0
    timeout: float = 30.0

    def __post_init__(self) -> None:
        """Raise WrongUsage for a key or base URL that no request could be made with."""
        if not self.key.strip() or not self.key.isascii() or not self.key.isprintable():
            raise WrongUsage("ONET_API_KEY is no key", "printable ASCII text", "something else (not shown)")
        url = httpx.URL(self.base_url)
        if url.scheme not in ("http", "https") or not url.host or url.userinfo:
            raise WrongUsage("the base URL of O*NET Web Services", "http(s)://host/", self.base_url)
        if url.scheme == "http" and url.host not in ("127.0.0.1", "localhost", "::1"):
            raise WrongUsage("the base URL of O*NET Web Services", "https, so that the key is not seen", self.base_url)


class _Again(Exception):
    """An answer that may be better next time; ``wait`` seconds asked for, if any."""

    def __init__(self, found: str, wait: float = 0.0) -> None:
        super().__init__(found)
        self.wait = wait


class Answers:
    """Requests to one service, spaced and repeated as need be; for use in a ``with`` statement."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._last = float("-inf")
        self.requests = 0
        self._client = httpx.Client(
            base_url=service.base_url,
            timeout=service.timeout,
            headers={
                "X-API-Key": service.key,
                "Accept": "application/json",
                "User-Agent": f"wiq/{VERSION} (bot)",
            },
        )

    def __enter__(self) -> Self:
        """Nothing to do: connections open when first needed."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self._client.close()

    def url(self, path: str) -> str:
        """The whole address of a path."""
        return str(httpx.URL(self._service.base_url).join(path))

    def get(self, path: str, **query: str | int) -> Any:  # noqa: ANN401
        """The JSON of one answer; None for 422. Raises ProviderRefused and ProviderPartial."""
        attempts = Retrying(
            stop=stop_after_attempt(self._service.attempts),
            wait=self._wait,
            retry=retry_if_exception_type(_Again),
            reraise=True,
        )
        try:
            return attempts(self._once, path, query)
        except _Again as error:
            raise ProviderPartial(
                "O*NET Web Services did not answer",
                f"JSON within {self._service.attempts} attempts",
                str(error),
                url=self.url(path),
                next_step="try again later, or use the database files (WIQ_ONET=database)",
            ) from error

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.wait if isinstance(error, _Again) else 0.0
        return min(max(self._service.backoff * 2.0 ** (state.attempt_number - 1), asked), _LONGEST_WAIT)

    def _once(self, path: str, query: dict[str, str | int]) -> Any:  # noqa: ANN401
        time.sleep(max(0.0, self._last + self._service.pause - time.monotonic()))
        self._last = time.monotonic()
        self.requests += 1
        try:
            response = self._client.get(path, params=query)
        except httpx.TransportError as error:
            raise _Again(f"{type(error).__name__}: {error}") from error
        return self._meaning(path, response)

    def _meaning(self, path: str, response: httpx.Response) -> Any:  # noqa: ANN401
        status = response.status_code
        if status in (401, 403):
            raise ProviderRefused(
                "O*NET Web Services refused the request",
                "a key that it knows",
                f"status {status}",
                url=self.url(path),
                next_step="check ONET_API_KEY (services.onetcenter.org/developer), or use the database files",
            )
        if status == 422:  # noqa: PLR2004
            return None
        if status in _AGAIN:
            asked = response.headers.get("Retry-After", "")
            raise _Again(f"status {status}", float(asked) if asked.isdigit() else 0.0)
        if status != 200:  # noqa: PLR2004
            raise ProviderPartial(
                "O*NET Web Services has no such address",
                "status 200",
                f"status {status}",
                url=self.url(path),
                next_step="check the base URL: version 2 is at https://api-v2.onetcenter.org/",
            )
        try:
            return response.json()
        except ValueError as error:
            kind = response.headers.get("Content-Type", "no content type")
            raise _Again(f"{kind}, {len(response.content)} bytes that are no JSON") from error
