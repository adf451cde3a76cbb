"""Cells that were asked in vain: what stays a gap, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from imputer.batch.answers import FINAL
from imputer.batch.contracts import Contract
from imputer.batch.ledger import Ledger
from imputer.batch.ledger_file import FOLDER, NAME

if TYPE_CHECKING:
    from pathlib import Path

_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("entity_type", "entity_id", "attribute_id", "language", "model_reason")]
)
_REFUSED = frozenset({"refusal", "content_filter"})
_UNUSABLE = frozenset({"invalid_answer", "out_of_bounds", "blank"})

# Requests that were given up, and cells of answered ones that did not hold; the last that is known of each.
_CELLS = """
SELECT contract_id, entity_type, entity_id, NULL AS cell, r.reason, r.shard_id
FROM request_states r JOIN jobs USING (job_id) WHERE r.state = 'FAILED' AND purpose = $purpose
UNION ALL
SELECT contract_id, entity_type, entity_id, cell, c.reason, c.shard_id
FROM refused_cells c JOIN requests r USING (custom_id, shard_id) JOIN shards s USING (shard_id) JOIN jobs USING (job_id)
WHERE purpose = $purpose
ORDER BY 6
"""


def given_up_cells(root: Path, purpose: str = "impute") -> pa.Table:
    """Cells below ``root`` (``output/wiq``) that a model was asked for in vain: entity, attribute, language, why.

    One row per cell, in the order of entity, attribute and language; a cell that another question filled later may be
    among them, so only those that are gaps count.
    """
    found: dict[tuple[str, str, str], tuple[str, str]] = {}
    if (root / FOLDER / NAME).is_file():
        with Ledger(root, exclusive=False) as ledger:
            contracts: dict[int, Contract] = {}
            for number, kind, entity, name, reason, _ in ledger.connection.execute(_CELLS, {"purpose": purpose}):
                if number not in contracts:
                    contracts[number] = Contract.from_json(ledger.contract(number))
                for cell in contracts[number].cells:
                    if name in (None, cell.name):
                        found[entity, cell.attribute_id, cell.language] = (kind, model_reason(reason))
    rows = [(kind, *cell, reason) for cell, (kind, reason) in sorted(found.items())]
    columns = zip(*rows, strict=True) if rows else [()] * len(_SCHEMA)
    return pa.table([pa.array(column, pa.string()) for column in columns], schema=_SCHEMA)


def model_reason(reason: str | None) -> str:
    """What ``gaps`` calls the engine's reason: REFUSED, REJECTED, UNUSABLE or NO_ANSWER."""
    told = reason or ""
    if told in _REFUSED:
        return "REFUSED"
    if told in FINAL:
        return "REJECTED"
    return "UNUSABLE" if told in _UNUSABLE else "NO_ANSWER"
