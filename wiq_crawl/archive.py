"""The web archive of a run: every page as it came, in WARC 1.1 (https://iipc.github.io/warc-specifications/).

Rendered pages are ``conversion`` records beside the ``response`` they were rendered from.
"""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from schemas.errors import OutputUnwritable
from schemas.version import VERSION
from wiq_crawl.errors import ArchiveUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from warcio.recordloader import ArcWarcRecord

FILE_NAME = "pages.warc.gz"
# Hop-by-hop: the archived body is no longer chunked.
_DROPPED_HEADERS = frozenset({"transfer-encoding", "connection"})
_GZIP = b"\x1f\x8b"
_LEVEL = 4
_CHUNK = 1 << 20
_LONGEST_REASON = 120


@dataclass(frozen=True, slots=True)
class ArchivedPage:
    """One archived answer; ``body`` holds the bytes as sent, with their Content-Encoding."""

    url: str
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    record_id: str
    fetched_at: str
    rendered: bool


class ArchiveWriter:
    """Appends answers to a new archive; the first record states the crawl's arguments."""

    def __init__(self, path: Path, arguments: Mapping[str, object]) -> None:
        self.path = path
        try:
            self._file: IO[bytes] = path.open("xb")
            self._writer = WARCWriter(BytesIO(), gzip=False, warc_version="1.1")
            information = {
                "software": f"WiQ/{VERSION}",
                "format": "WARC File Format 1.1",
                "arguments": json.dumps(arguments),
            }
            self._append(self._writer.create_warcinfo_record(path.name, information))
        except OSError as error:
            raise _unwritable(path, error) from error

    def write(
        self,
        url: str,
        status: int,
        reason: str,
        headers: Iterable[tuple[str, str]],
        body: bytes,
        *,
        rendered: bool = False,
    ) -> tuple[str, str]:
        """Append one answer; returns its record id and fetch time (UTC, ISO 8601, seconds)."""
        fetched_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        kept = [(name, value) for name, value in headers if name.lower() not in _DROPPED_HEADERS]
        record = self._writer.create_warc_record(
            url,
            "conversion" if rendered else "response",
            payload=BytesIO(body),
            warc_headers_dict={"WARC-Date": fetched_at},
            warc_content_type="text/html" if rendered else "application/http; msgtype=response",
            http_headers=None if rendered else StatusAndHeaders(f"{status} {reason}", kept, protocol="HTTP/1.1"),
        )
        try:
            self._append(record)
        except OSError as error:
            raise _unwritable(self.path, error) from error
        return record.rec_headers.get_header("WARC-Record-ID"), fetched_at

    def _append(self, record: ArcWarcRecord) -> None:
        """One compressed member per record; the library’s own level, 9, takes twice as long for a twentieth less."""
        self._writer.out = BytesIO()
        self._writer.write_record(record)
        self._file.write(gzip.compress(self._writer.out.getvalue(), _LEVEL, mtime=0))

    def close(self) -> None:
        """Write what is buffered; raises OutputUnwritable where that fails."""
        try:
            self._file.close()
        except OSError as error:
            raise _unwritable(self.path, error) from error


class ArchiveReader:
    """Finds answers in an archive by address; of several for one address, the last, which the run used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.arguments: dict[str, Any] = {}
        self._offsets: dict[tuple[str, bool], int] = {}
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise ArchiveUnreadable(
                "the archive cannot be opened", "a WARC file", f"{path}: {error.strerror}"
            ) from error
        self._index()

    def find(self, url: str, *, rendered: bool = False) -> ArchivedPage | None:
        """The answer archived for an address, or None."""
        offset = self._offsets.get((url, rendered))
        if offset is None:
            return None
        self._file.seek(offset)
        for record in self._records():
            headers = record.http_headers
            return ArchivedPage(
                url=url,
                status=int(headers.get_statuscode()) if headers else 200,
                headers=list(headers.headers) if headers else [("Content-Type", "text/html; charset=utf-8")],
                body=record.raw_stream.read(),
                record_id=record.rec_headers.get_header("WARC-Record-ID"),
                fetched_at=record.rec_headers.get_header("WARC-Date"),
                rendered=rendered,
            )
        return None

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _check_compression(self) -> None:
        """Read every compressed member to its checksum: warcio passes over one that is cut short."""
        if self._file.read(len(_GZIP)) == _GZIP:
            self._file.seek(0)
            with gzip.GzipFile(fileobj=self._file) as members:
                while members.read(_CHUNK):
                    pass
        self._file.seek(0)

    def _index(self) -> None:
        try:
            self._check_compression()
            iterator = ArchiveIterator(self._file, check_digests="raise")
            for record in iterator:
                if record.rec_type == "warcinfo":
                    fields = dict(
                        line.split(": ", 1)
                        for line in record.content_stream().read().decode().splitlines()
                        if ": " in line
                    )
                    stated = json.loads(fields.get("arguments", "{}"))
                    self.arguments = stated if isinstance(stated, dict) else {}
                elif record.rec_type in ("response", "conversion"):
                    _read_to_end(record)
                    key = (record.rec_headers.get_header("WARC-Target-URI"), record.rec_type == "conversion")
                    self._offsets[key] = iterator.get_record_offset()
        except (ArchiveLoadFailed, EOFError, ValueError, OSError, zlib.error) as error:
            self.close()
            raise ArchiveUnreadable(
                "the archive is damaged or is not a web archive",
                "WARC records from end to end",
                f"{self.path}: {_printable(error)}",
            ) from error
        if not self._offsets:
            self.close()
            raise ArchiveUnreadable("the archive holds no pages", "response records", f"{self.path}: none")

    def _records(self) -> Iterator[Any]:
        try:
            yield from ArchiveIterator(self._file)
        except (ArchiveLoadFailed, EOFError, OSError) as error:
            raise ArchiveUnreadable("the archive is damaged", "a whole record", f"{self.path}: {error}") from error


def _read_to_end(record: Any) -> None:  # noqa: ANN401
    """Check a record's length and, which the library does at its end, its digest."""
    record.raw_stream.read()
    if record.raw_stream.limit:
        raise EOFError("the last record is cut short")


def _printable(error: Exception) -> str:
    """An error's words on one line, without the bytes that the library quotes from the file."""
    words = "".join(character if character.isprintable() else " " for character in str(error))
    return " ".join(words.split())[:_LONGEST_REASON] or type(error).__name__


def _unwritable(path: Path, error: OSError) -> OutputUnwritable:
    return OutputUnwritable(
        "the web archive cannot be written",
        "space and permission",
        f"{path}: {error.strerror or error}",
        next_step="free space or name another folder with WIQ_OUTPUT",
    )
