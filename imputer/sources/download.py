"""One download that survives a cut line: what came is kept, and the rest is asked for.

A partial file is continued only where the server named the version (ETag or Last-Modified) and still serves that one
(If-Range); otherwise it is begun anew. Bytes are taken as they are on the server, never decompressed.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from imputer.errors import SourceMissing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Progress = Callable[[int, int | None], None]

OK, PARTIAL, RANGE_REFUSED = 200, 206, 416
GONE = frozenset({404, 410})
_ATTEMPTS = 5


class Moved(SourceMissing):
    """Nothing is served at the address any more."""


class _Again(Exception):
    """What a moment's waiting may mend."""


@dataclass(frozen=True, slots=True)
class ResumingDownloader:
    """What pooch calls to download one file (its ``downloader``).

    ``partial`` is where an unfinished download is kept, beside a note of the version that it is of; ``progress`` is
    told bytes done and bytes in all (None where the server does not say).
    """

    partial: Path
    progress: Progress
    pause: float = 1.0
    timeout: float = 30.0

    def __call__(self, url: str, output_file: str, _pooch: object, check_only: bool = False) -> None:  # noqa: FBT001, FBT002
        """Download ``url`` to ``output_file``.

        Raises Moved where nothing is there (404, 410, or a web page in the file's place) and SourceMissing where the
        server refuses or the line stays cut.
        """
        assert not check_only, "only whole files are asked for"
        attempts = Retrying(
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_exponential(multiplier=self.pause, max=30),
            retry=retry_if_exception_type((_Again, httpx.TransportError)),
            retry_error_callback=_give_up,
        )
        attempts(self._download, url)
        shutil.move(self.partial, output_file)
        self._note.unlink(missing_ok=True)

    @property
    def _note(self) -> Path:
        return self.partial.with_name(f"{self.partial.name}.version")

    def _download(self, url: str) -> None:
        have, version = self._kept(url)
        headers = {"Accept-Encoding": "identity", "User-Agent": "WiQ imputer"}
        if have:
            headers |= {"Range": f"bytes={have}-", "If-Range": version}
        with (
            httpx.Client(follow_redirects=True, timeout=self.timeout) as client,
            client.stream("GET", url, headers=headers) as response,
        ):
            if response.status_code == RANGE_REFUSED:
                self.partial.unlink(missing_ok=True)
                raise _Again(f"HTTP {RANGE_REFUSED}")
            self._check(url, response)
            continued = response.status_code == PARTIAL and response.headers.get("content-range", "").startswith(
                f"bytes {have}-"
            )
            self._take(url, response, have if continued else 0)

    def _kept(self, url: str) -> tuple[int, str]:
        """How much of this address is here, and of which version; nothing where that is not known."""
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
            have = self.partial.stat().st_size
        except (OSError, ValueError):
            return 0, ""
        version = str(note.get("version") or "")
        return (have, version) if version and note.get("url") == url else (0, "")

    def _check(self, url: str, response: httpx.Response) -> None:
        status = response.status_code
        page = response.headers.get("content-type", "").startswith("text/html")
        if status in GONE or (status == OK and page):
            found = "a web page" if status == OK else f"HTTP {status}"
            raise Moved("an input file is no longer where it was published", "the file", found, url=url)
        if status >= 500 or status in {408, 425, 429}:  # noqa: PLR2004
            raise _Again(f"HTTP {status}")
        if status not in {OK, PARTIAL}:
            raise SourceMissing("the publisher’s server refuses an input file", "the file", f"HTTP {status}", url=url)

    def _take(self, url: str, response: httpx.Response, have: int) -> None:
        version = response.headers.get("etag") or response.headers.get("last-modified") or ""
        self._note.write_text(json.dumps({"url": url, "version": "" if version.startswith("W/") else version}))
        length = response.headers.get("content-length")
        total = have + int(length) if length else None
        with self.partial.open("ab" if have else "wb") as stream:
            for chunk in response.iter_raw():  # as it comes: a chunk size would hold back what a cut then loses
                stream.write(chunk)
                have += len(chunk)
                self.progress(have, total)


def _give_up(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    raise SourceMissing(
        "an input file could not be downloaded",
        found=str(error) or type(error).__name__,
        url=str(state.args[-1]),
        next_step="try again: what came is kept and continued",
    ) from error
