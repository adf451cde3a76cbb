"""The API of batches and files, one call at a time; what may be asked twice is asked again, what may not is not.

Reading calls are repeated with growing waits (429, 5xx, broken connections; a ``Retry-After`` counts where it is
longer). ``upload`` and ``create`` are never repeated here: after an error that leaves it open whether the provider did
it (``Uncertain``), recovery looks before anything is sent again.

The key is sent with each request and stands nowhere else: messages of the provider, which sometimes repeat a key in
part, are cleaned of it, and those about keys are not shown at all.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, Self, TypeVar

import httpx2
import openai
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from imputer.batch.lines import URLS
from imputer.batch.options import positive_number
from imputer.errors import ProviderPartial, ProviderRefused, WrongUsage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from types import TracebackType

    from openai.types import Batch, FileObject

T = TypeVar("T")

OPENAI_URL = "https://api.openai.com/v1/"
_AGAIN = frozenset({408, 409, 429, 500, 502, 503, 504})
_REFUSED = frozenset({401, 403})
_NOT_THERE = frozenset({404, 410})
# Codes of a 429 that no waiting mends.
_NO_MONEY = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
_LONGEST_WAIT = 120.0
_PAGE = 100
_KEYS = re.compile(r"\b(?:sk|sess|key)-[\w*.-]+", re.IGNORECASE)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_SHOWN = 300  # characters of a provider's message


class Uncertain(Exception):
    """A call that creates something may or may not have been done."""


class Rejected(Exception):
    """A call that creates something was certainly not done; says why."""


class NotThere(ProviderPartial):
    """The provider does not know what was asked for: a file or batch that is gone, or another's."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where the API is and the key to it. ``attempts`` per reading call; ``backoff``: seconds before the second."""

    key: str = field(repr=False)
    base_url: str = OPENAI_URL
    attempts: int = 6
    backoff: float = 1.0
    timeout: float = 120.0

    def __post_init__(self) -> None:
        """Raise WrongUsage for a key or address that no request could be made with."""
        if not self.key.strip() or not self.key.isascii() or not self.key.isprintable():
            raise WrongUsage("the key of the batch API is none", "printable ASCII text", "something else (not shown)")
        url = httpx2.URL(self.base_url)
        if url.scheme not in ("http", "https") or not url.host or url.userinfo:
            raise WrongUsage("the address of the batch API", "http(s)://host/…, no name or password", "something else")
        if url.scheme == "http" and url.host not in _LOOPBACK:
            raise WrongUsage("the address of the batch API", "https, so that the key is not seen", self.base_url)


def read_access(environment: Mapping[str, str] | None = None) -> Access | None:
    """Key and address from the environment, None without a key. Azure's count where OPENAI_API_KEY is not set.

    WIQ_BACKOFF: seconds before a reading call is repeated, doubled each time (default: 1).
    """
    given = os.environ if environment is None else environment
    backoff = positive_number(given, "WIQ_BACKOFF", 1.0, zero=True)
    if key := given.get("OPENAI_API_KEY"):
        return Access(key, given.get("OPENAI_BASE_URL") or OPENAI_URL, backoff=backoff)
    if key := given.get("AZURE_OPENAI_API_KEY"):
        endpoint = given.get("AZURE_OPENAI_ENDPOINT")
        if not endpoint:
            raise WrongUsage("AZURE_OPENAI_ENDPOINT is missing", "https://….openai.azure.com", "nothing")
        return Access(key, f"{endpoint.rstrip('/')}/openai/v1/", backoff=backoff)
    return None


class Service:
    """The calls that batches need; use it in a ``with``."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._client = openai.OpenAI(
            api_key=access.key, base_url=access.base_url, max_retries=0, timeout=access.timeout
        )

    @property
    def address(self) -> str:
        """Host and path of the API, without the scheme, and nothing that would be secret."""
        url = httpx2.URL(self._access.base_url)
        port = "" if url.port is None else f":{url.port}"
        return f"{url.host}{port}{url.path.rstrip('/')}/"

    def __enter__(self) -> Self:
        """Return the service itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close its connections."""
        self._client.close()

    def upload(self, path: Path, name: str) -> str:
        """Upload a request file once; returns its id. Raises Uncertain, Rejected and ProviderRefused."""
        with path.open("rb") as file:
            return self._once(lambda: self._client.files.create(file=(name, file), purpose="batch").id)

    def create(self, file_id: str, endpoint: str, metadata: dict[str, str]) -> Batch:
        """Create a batch once. Raises Uncertain, Rejected and ProviderRefused."""
        url: Any = URLS[endpoint]
        return self._once(
            lambda: self._client.batches.create(
                input_file_id=file_id, endpoint=url, completion_window="24h", metadata=metadata
            )
        )

    def batch(self, batch_id: str) -> Batch:
        """A batch as it is now. Raises ProviderPartial (NotThere) and ProviderRefused, as all that follow."""
        return self._again(lambda: self._client.batches.retrieve(batch_id))

    def batches(self, since: float) -> Iterator[Batch]:
        """Batches created since then (seconds since 1970), newest first as the service lists them."""
        yield from self._pages(lambda after: self._client.batches.list(limit=_PAGE, **after), since)

    def files(self, since: float) -> Iterator[FileObject]:
        """Request files uploaded since then."""
        yield from self._pages(
            lambda after: self._client.files.list(limit=_PAGE, purpose="batch", order="desc", **after), since
        )

    def cancel(self, batch_id: str) -> str:
        """Cancel a batch; returns its status. One that has ended stays as it is; NotThere for one that is unknown."""
        try:
            return self._again(lambda: self._client.batches.cancel(batch_id)).status
        except ProviderPartial:
            return self.batch(batch_id).status

    def delete_file(self, file_id: str) -> None:
        """Delete an uploaded file; one that is gone already is fine."""
        try:
            self._again(lambda: self._client.files.delete(file_id))
        except ProviderPartial:
            return

    def download(self, file_id: str, path: Path) -> None:
        """Download a file to ``path``, in one step, as many bytes as the service says it has."""
        temporary = path.with_name(f".{path.name}.tmp")
        try:
            self._again(lambda: self._fetch(file_id, temporary))
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)

    def _fetch(self, file_id: str, path: Path) -> None:
        stated = self._client.files.retrieve(file_id).bytes
        with self._client.files.with_streaming_response.content(file_id) as answer, path.open("wb") as file:
            for piece in answer.iter_bytes(1 << 16):
                file.write(piece)
        size = path.stat().st_size
        if stated and size < stated:
            raise _Short(f"{size:,} of {stated:,} bytes of file {file_id}")

    def _pages(self, page: Callable[[dict[str, Any]], Any], since: float) -> Iterator[Any]:
        after: dict[str, Any] = {}
        while True:
            found = self._again(lambda: page(after))  # noqa: B023 (called before the next round)
            yield from (one for one in found.data if one.created_at >= since)
            # The newest come first; a page that is old as a whole ends it.
            if not found.has_more or not found.data or all(one.created_at < since for one in found.data):
                return
            after = {"after": found.data[-1].id}

    def _once(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except openai.APIStatusError as error:
            if error.status_code in _REFUSED:
                raise self._refused(error) from None
            if error.status_code in _AGAIN and error.code not in _NO_MONEY:
                raise Uncertain(self._told(error)) from None
            raise Rejected(self._told(error)) from None
        except (openai.OpenAIError, httpx2.HTTPError) as error:
            raise Uncertain(self._told(error)) from None

    def _again(self, call: Callable[[], T]) -> T:
        retrying = Retrying(
            stop=stop_after_attempt(self._access.attempts),
            wait=self._wait,
            retry=retry_if_exception(_worth_repeating),
            reraise=True,
        )
        try:
            return retrying(call)
        except openai.APIStatusError as error:
            if error.status_code in _REFUSED:
                raise self._refused(error) from None
            raise self._failed(error) from None
        except (openai.OpenAIError, httpx2.HTTPError, _Short) as error:
            raise ProviderPartial(
                "the batch API did not answer to the end",
                f"an answer within {self._access.attempts} attempts",
                self._told(error),
                url=self._access.base_url,
                next_step="try again later: what was sent is not lost",
            ) from None

    def _wait(self, state: RetryCallState) -> float:
        asked = 0.0
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, openai.APIStatusError):
            stated = error.response.headers.get("retry-after", "")
            asked = float(stated) if stated.replace(".", "", 1).isdigit() else 0.0
        return min(max(asked, self._access.backoff * 2.0 ** (state.attempt_number - 1)), _LONGEST_WAIT)

    def _failed(self, error: openai.APIStatusError) -> ProviderPartial:
        url = str(error.request.url.copy_with(query=None))
        if error.status_code in _NOT_THERE:
            return NotThere(
                "the batch API does not know what was asked for",
                "a file or batch of the account whose key this is",
                self._told(error),
                url=url,
                next_step="check OPENAI_API_KEY and OPENAI_BASE_URL (or the two of Azure)",
            )
        told = "try again later: what was sent is not lost"
        return ProviderPartial("the batch API did not answer", "an answer", self._told(error), url=url, next_step=told)

    def _refused(self, error: openai.APIStatusError) -> ProviderRefused:
        # What the provider says of a key may hold a part of it.
        return ProviderRefused(
            "the batch API refused the key",
            "a key that may use files and batches",
            f"HTTP {error.status_code}",
            url=self._access.base_url,
            next_step="check OPENAI_API_KEY and OPENAI_BASE_URL (or the two of Azure)",
        )

    def _told(self, error: Exception) -> str:
        status = f"HTTP {error.status_code}: " if isinstance(error, openai.APIStatusError) else ""
        told = error.message if isinstance(error, openai.APIError) else str(error) or type(error).__name__
        return clean(status + told, self._access.key)


class _Short(Exception):
    """A download that ended early."""


def clean(text: str, key: str) -> str:
    """A message of the provider without the key, or anything that looks like one, on one line."""
    text = _KEYS.sub("(key)", text.replace(key, "(key)"))
    return " ".join(chain.from_iterable(part.split() for part in text.splitlines()))[:_SHOWN]


def _worth_repeating(error: BaseException) -> bool:
    if isinstance(error, openai.APIStatusError):
        return error.status_code in _AGAIN and error.code not in _NO_MONEY
    return isinstance(error, (openai.APIConnectionError, openai.APIResponseValidationError, httpx2.HTTPError, _Short))
