"""Files of the stand-in: in memory, or in a folder."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

DAY = 24 * 3600
_BATCH_FILES_LAST = 30 * DAY


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file: the object as the API shows it, and when it came, in seconds of the unix clock."""

    fields: dict[str, Any]
    came: float


class Files:
    """Every file by its id, in the order in which they came; kept in ``folder`` if there is one."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._files: dict[str, StoredFile] = {}
        self._contents: dict[str, bytes] = {}
        self._number = 0
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            found = [json.loads(path.read_bytes()) for path in folder.glob("*.json")]
            for kept in sorted(found, key=lambda kept: kept["number"]):
                self._files[kept["fields"]["id"]] = StoredFile(kept["fields"], kept["came"])
                self._number = kept["number"]

    def add(self, content: bytes, filename: str, purpose: str, lasts: int | None = None) -> dict[str, Any]:
        """Keep a file; ``lasts`` in seconds, 30 days for those of batches."""
        with self._lock:
            self._number += 1
            mark = hashlib.sha256(f"{self._number}/{filename}/".encode() + content).hexdigest()
            came = time.time()
            lasts = lasts or (_BATCH_FILES_LAST if purpose.startswith("batch") else None)
            fields = {
                "id": f"file-{mark[:24]}",
                "object": "file",
                "bytes": len(content),
                "created_at": int(came),
                "expires_at": int(came) + lasts if lasts else None,
                "filename": filename,
                "purpose": purpose,
                "status": "processed",
                "status_details": None,
            }
            name = str(fields["id"])
            if self._folder is None:
                self._contents[name] = content
            else:
                (self._folder / f"{name}.content").write_bytes(content)
                kept = {"number": self._number, "came": came, "fields": fields}
                write_whole(self._folder / f"{name}.json", kept)
            self._files[name] = StoredFile(fields, came)
            return fields

    def find(self, file_id: str) -> StoredFile | None:
        """The file, or None."""
        with self._lock:
            return self._files.get(file_id)

    def content(self, file_id: str) -> bytes | None:
        """The bytes of a file, or None."""
        with self._lock:
            if file_id not in self._files:
                return None
            if self._folder is None:
                return self._contents[file_id]
            return (self._folder / f"{file_id}.content").read_bytes()

    def remove(self, file_id: str) -> bool:
        """Forget a file; false where there is none."""
        with self._lock:
            known = self._files.pop(file_id, None) is not None
            self._contents.pop(file_id, None)
            if known and self._folder is not None:
                (self._folder / f"{file_id}.json").unlink()
                (self._folder / f"{file_id}.content").unlink()
            return known

    def all(self) -> list[StoredFile]:
        """Every file, oldest first."""
        with self._lock:
            return list(self._files.values())


def write_whole(path: Path, value: object) -> None:
    """Write a JSON file that is there in full or not at all."""
    scratch = path.with_suffix(".part")
    scratch.write_text(json.dumps(value), encoding="utf-8")
    scratch.replace(path)
