"""What every question was about when it was asked; an answer counts only as long as that is so (tiers.llm)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from imputer.batch.ledger import Ledger
from imputer.batch.ledger_file import FOLDER, NAME

if TYPE_CHECKING:
    from pathlib import Path

_SCHEMA = pa.schema([("custom_id", pa.string()), ("subject", pa.string()), ("place", pa.int64())])


def asked_subjects(root: Path, purpose: str = "impute") -> pa.Table:
    """Every question that was asked below ``root`` (``output/wiq``): ``custom_id``, subject, and place in time."""
    rows: list[tuple[str, str, int]] = []
    if (root / FOLDER / NAME).is_file():
        with Ledger(root, exclusive=False) as ledger:
            rows = ledger.connection.execute(
                "SELECT custom_id, subject, shard_id FROM requests JOIN shards USING (shard_id) "
                "JOIN jobs USING (job_id) WHERE purpose = ? ORDER BY custom_id",
                [purpose],
            ).fetchall()
    return pa.Table.from_pylist([dict(zip(_SCHEMA.names, row, strict=True)) for row in rows], schema=_SCHEMA)
