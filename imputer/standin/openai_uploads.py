"""Uploads as they come: multipart/form-data, and what the files endpoint demands of it."""

from __future__ import annotations

from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message

from imputer.standin.openai_questions import Refusal, Refused

LARGEST = 512 * 1024 * 1024
_PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")
_FIELDS = {"file", "purpose", "expires_after[anchor]", "expires_after[seconds]"}
SHORTEST_LIFE, LONGEST_LIFE = 3600, 2_592_000


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was sent; ``lasts`` in seconds, if it was said."""

    content: bytes
    filename: str
    purpose: str
    lasts: int | None


def read_upload(content_type: str, body: bytes) -> Upload:
    """The file of a multipart body. Raises Refused."""
    parts = _parts(content_type, body)
    if parts is None:
        raise Refused(Refusal("Could not parse multipart form."))
    strange = sorted(set(parts) - _FIELDS)
    if strange:
        raise Refused(Refusal(f"Unknown parameter: '{strange[0]}'.", strange[0], "unknown_parameter"))
    for name in ("file", "purpose"):
        if name not in parts:
            raise Refused(Refusal(f"Missing required parameter: '{name}'.", name, "missing_required_parameter"))
    filename, content = parts["file"]
    purpose = parts["purpose"][1].decode()
    if purpose not in _PURPOSES:
        raise Refused(Refusal(f"'{purpose}' is not one of {list(_PURPOSES)} - 'purpose'", "purpose"))
    if filename is None or not content:
        raise Refused(Refusal("File is empty." if filename else "'file' is not a file: it has no name.", "file"))
    if purpose == "batch" and not filename.endswith(".jsonl"):
        raise Refused(Refusal("Invalid file format for Batch API. Must be .jsonl", "file"))
    return Upload(content, filename, purpose, _lasts(parts))


def _lasts(parts: dict[str, tuple[str | None, bytes]]) -> int | None:
    anchor, seconds = (parts.get(f"expires_after[{name}]", (None, b""))[1].decode() for name in ("anchor", "seconds"))
    if not anchor and not seconds:
        return None
    check_life({"anchor": anchor, "seconds": int(seconds) if seconds.isdigit() else seconds})
    return int(seconds)


def check_life(asked: object, name: str = "expires_after") -> None:
    """Check ``{anchor, seconds}``, a file's lifetime. Raises Refused."""
    if not isinstance(asked, dict) or set(asked) != {"anchor", "seconds"} or asked["anchor"] != "created_at":
        raise Refused(Refusal(f"Invalid '{name}': expected anchor 'created_at' and seconds.", name))
    seconds = asked["seconds"]
    if not isinstance(seconds, int) or not SHORTEST_LIFE <= seconds <= LONGEST_LIFE:
        message = f"Invalid '{name}.seconds': {seconds!r}, expected {SHORTEST_LIFE} to {LONGEST_LIFE}."
        raise Refused(Refusal(message, name))


def _parts(content_type: str, body: bytes) -> dict[str, tuple[str | None, bytes]] | None:
    """File name and content by field name; None where the body is not what its type says."""
    head = Message()
    head["Content-Type"] = content_type
    boundary = head.get_param("boundary")
    if head.get_content_type() != "multipart/form-data" or not isinstance(boundary, str):
        return None
    mark = b"--" + boundary.encode()
    if not body.startswith(mark):
        return None
    parts: dict[str, tuple[str | None, bytes]] = {}
    start = len(mark)
    while body[start : start + 2] == b"\r\n":
        content = body.find(b"\r\n\r\n", start)
        end = body.find(b"\r\n" + mark, content)
        if content < 0 or end < 0:
            return None
        described = message_from_bytes(body[start + 2 : content + 2])
        name = described.get_param("name", header="content-disposition")
        if not isinstance(name, str):
            return None
        parts[name] = (described.get_filename(), body[content + 4 : end])
        start = end + 2 + len(mark)
    return parts if body[start : start + 2] == b"--" else None
