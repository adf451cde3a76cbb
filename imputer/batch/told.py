"""What a model was told, found again in the request file that was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from imputer.batch.ledger import FOLDER, NAME, Ledger
from imputer.batch.lines import key_of_line

if TYPE_CHECKING:
    from pathlib import Path


def question_told(root: Path, key: str) -> str | None:
    """The text of the question ``key`` (``custom_id`` of a statement), as it was sent to the model.

    None where neither ledger nor request file below ``root`` (``output/wiq``) has it: they may stand elsewhere.
    """
    if not (root / FOLDER / NAME).is_file():
        return None
    with Ledger(root, exclusive=False) as ledger:
        found = ledger.connection.execute(
            "SELECT path FROM requests JOIN shards USING (shard_id) WHERE custom_id = ?", [key]
        ).fetchone()
        path = ledger.folder / found[0] if found else None
    if path is None or not path.is_file():
        return None
    with path.open("rb") as lines:
        sent = next((line for line in lines if key_of_line(line) == key), None)
    if sent is None:
        return None
    body = orjson.loads(sent)["body"]
    told: str = body["input"] if "input" in body else body["messages"][-1]["content"]
    return told
