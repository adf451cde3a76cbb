"""What the service answered before, kept with receipts: a table is fetched once per release.

::

    <folder>/<release>/tables.json            the list of tables
    <folder>/<release>/<table>.json           the rows of a table
    <folder>/<release>/<either>.receipt.json  URL, sha256, release, time, count

A body is only believed where its receipt, written after it, names its digest.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from imputer.errors import ProviderPartial
from schemas.errors import OutputUnwritable

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where a body came from: ``fetched_at`` in UTC (ISO 8601), ``count`` its rows, ``requests`` what it took."""

    url: str
    sha256: str
    release: str
    fetched_at: str
    count: int
    requests: int


@dataclass(frozen=True, slots=True)
class Cache:
    """The folder of answers."""

    folder: Path

    def releases(self) -> list[str]:
        """Releases with a list of tables, the newest last."""
        found = [path.parent.name for path in self.folder.glob("*/tables.receipt.json")]
        return sorted(found, key=lambda release: [int(part) for part in release.split(".") if part.isdigit()])

    def get(self, release: str, name: str) -> tuple[Any, Receipt] | None:
        """A body and its receipt; None where there is none, or one that its receipt does not vouch for."""
        body_path, receipt_path = self._paths(release, name)
        try:
            body = body_path.read_bytes()
            receipt = Receipt(**json.loads(receipt_path.read_bytes()))
        except (OSError, ValueError, TypeError):
            return None
        return (json.loads(body), receipt) if hashlib.sha256(body).hexdigest() == receipt.sha256 else None

    def put(self, release: str, name: str, content: object, **stated: Any) -> Receipt:  # noqa: ANN401
        """Keep a body; ``stated`` are the receipt's other fields. Raises OutputUnwritable."""
        if "/" in release or "\\" in release or release.startswith("."):
            raise ProviderPartial("the service names a release that is none", "such as 31.0", repr(release))
        body = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        receipt = Receipt(sha256=hashlib.sha256(body).hexdigest(), release=release, **stated)
        body_path, receipt_path = self._paths(release, name)
        try:
            body_path.parent.mkdir(parents=True, exist_ok=True)
            _write(body_path, body)
            _write(receipt_path, json.dumps(asdict(receipt), indent=2, sort_keys=True).encode() + b"\n")
        except OSError as error:
            raise OutputUnwritable(
                "what O*NET Web Services answered cannot be kept", found=str(error), next_step="free space or rights"
            ) from error
        return receipt

    def _paths(self, release: str, name: str) -> tuple[Path, Path]:
        folder = self.folder / release
        return folder / f"{name}.json", folder / f"{name}.receipt.json"


def _write(path: Path, content: bytes) -> None:
    """Write whole or not at all: a reader sees the old file or the new one."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
