"""What a model was told, found again in the ledger and in the request file that was sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from imputer.batch.contracts import Contract, describe
from imputer.batch.ledger import Ledger
from imputer.batch.ledger_file import FOLDER, NAME
from imputer.batch.lines import key_of_line
from schemas.errors import RunError

if TYPE_CHECKING:
    from pathlib import Path

_FOUND = "SELECT path, contract_id FROM requests JOIN shards USING (shard_id) WHERE custom_id = ?"


@dataclass(frozen=True, slots=True)
class Told:
    """The question as it was sent, and the lines of the instructions about one attribute, one per language asked.

    These say what the attribute means, within which bounds it is answered, and when a value is right.
    """

    cells: tuple[str, ...]
    question: str


def question_told(root: Path, key: str, attribute_id: str) -> Told | None:
    """What the model was told about an attribute in the question ``key`` (``custom_id`` of a statement).

    None where neither ledger nor request file below ``root`` (``output/wiq``) has it, or they cannot be read: they may
    stand elsewhere.
    """
    if not (root / FOLDER / NAME).is_file():
        return None
    try:
        with Ledger(root, exclusive=False) as ledger:
            found = ledger.connection.execute(_FOUND, [key]).fetchone()
            path, contract = (ledger.folder / found[0], ledger.contract(found[1])) if found else (None, "")
    except RunError:
        return None
    if path is None or not path.is_file():
        return None
    with path.open("rb") as lines:
        sent = next((line for line in lines if key_of_line(line) == key), None)
    if sent is None:
        return None
    body = orjson.loads(sent)["body"]
    question: str = body["input"] if "input" in body else body["messages"][-1]["content"]
    return Told(_cells(Contract.from_json(contract), attribute_id), question)


def _cells(contract: Contract, attribute_id: str) -> tuple[str, ...]:
    """The lines as they stand in the instructions; made anew where these have another form."""
    lines = contract.instructions.splitlines()
    return tuple(
        next((line for line in lines if line.startswith(f"- {cell.name}: ")), describe(cell))
        for cell in contract.cells
        if cell.attribute_id == attribute_id
    )
