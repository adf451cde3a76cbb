"""Answers that were accepted, as statements: one row per cell, a Parquet file per shard.

Every answer within the bounds of its contract is accepted whatever its confidence: the score and the model's own words
stand beside the value, and who reads it decides.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from imputer.batch.contracts import judge_of
from imputer.batch.ledger import Ledger
from imputer.batch.ledger_file import FOLDER, NAME
from imputer.statements import STATED_COLUMNS, statement_schema
from schemas.errors import Incomplete

if TYPE_CHECKING:
    from collections.abc import Callable

    from imputer.batch.answers import Answer
    from imputer.batch.contracts import Cell, Contract
    from imputer.batch.ledger import Request

#: What dim_source calls the model tier, and the class of its statements until a schedule says otherwise.
SOURCE_ID = "llm_batch"
RETENTION_CLASS = "derived"
METHOD = "LLM_BATCH"

_ROWS_TOGETHER = 5_000
_ROW_COLUMNS = (
    "entity_id",
    "value_number",
    "value_text",
    "confidence",
    "rationale",
    "custom_id",
    "request_id",
    "tokens",
    "place",
)
_UNIQUE = ("entity_id", "rationale", "custom_id", "request_id")
_CELL_COLUMNS = ("attribute_id", "language", "scale", "evidence", "prompt_sha256", "entity_type", "model")


def stated_schema() -> pa.Schema:
    """The Arrow schema of statements before they have a key and a run."""
    schema = statement_schema()
    return pa.schema([schema.field(name).remove_metadata() for name in STATED_COLUMNS])


class _Known(NamedTuple):
    """A contract (kept, so that no other takes its place in memory), entity type, model, and cells.

    Of a cell: its name, what judges an answer for it, itself where its value is a text, and the place of what is the
    same for all its answers.
    """

    contract: Contract
    kind: str
    model: str
    cells: list[tuple[str, Callable[[Any], bool], Cell | None, int]]


class Acceptance:
    """Judges the content of answers cell by cell and writes those within bounds; use ``close`` or ``drop``."""

    def __init__(self, path: Path, batch_id: str, attempt: int) -> None:
        self.path = path
        self._temporary = path.with_name(f".{path.name}.tmp")
        self._schema = stated_schema()
        self._writer = pq.ParquetWriter(
            self._temporary,
            self._schema,
            compression="lz4",
            use_dictionary=[name for name in STATED_COLUMNS if name not in _UNIQUE],
            write_statistics=False,
        )
        self._same = {
            "source_type": "LLM",
            "method": METHOD,
            "source_id": SOURCE_ID,
            "locator": f"batch {batch_id}",
            "batch_id": batch_id,
            "attempt": attempt,
            "retention_class": RETENTION_CLASS,
        }
        self._rows: list[tuple[Any, ...]] = []
        # Places among the rows of those whose evidence is their own.
        self._resting: list[tuple[int, str]] = []
        # What is the same for all answers to a cell is kept once; a row holds its place.
        self._cells: list[tuple[str | None, ...]] = []
        self._places: dict[tuple[int, str, str], _Known] = {}
        self._last: _Known | None = None

    def take(self, answer: Answer, contract: Contract, asked: Request) -> dict[str, str] | None:
        """Accept what holds; returns the cells that do not, with the reason, or None where nothing holds.

        ``asked`` is the request as the ledger has it.
        """
        try:
            given = orjson.loads(answer.content or "")
        except ValueError:
            return None
        if not isinstance(given, dict):
            return None
        key, _, kind, entity_id, rests_on = asked
        known = self._last
        if known is None or known.contract is not contract or known.kind != kind or known.model != answer.model:
            known = self._last = self._place(contract, kind, answer.model)
        bad: dict[str, str] = {}
        tokens = answer.input_tokens + answer.output_tokens
        good = False
        for name, holds, cell, place in known.cells:
            one: Any = given.get(name)
            if not holds(one):
                bad[name] = "out_of_bounds" if name in given else "missing"
                continue
            value, text = one["value"], None
            if cell is not None:
                value, text = None, _text_value(cell, value)
                if text is None:
                    bad[name] = "blank"
                    continue
            good = True
            if rests_on is not None:
                self._resting.append((len(self._rows), rests_on))
            why, sure = one["rationale"], one["confidence"]
            self._rows.append((entity_id, value, text, sure, why, key, answer.request_id, tokens, place))
        if len(self._rows) >= _ROWS_TOGETHER:
            self._flush()
        return bad if good else None

    def close(self) -> None:
        """Put the file in its place, in one step."""
        self._flush()
        self._writer.close()
        self._temporary.replace(self.path)

    def drop(self) -> None:
        """Forget it, after an error."""
        self._writer.close()
        self._temporary.unlink(missing_ok=True)

    def _place(self, contract: Contract, kind: str, model: str) -> _Known:
        name = (id(contract), kind, model)
        if name in self._places:
            return self._places[name]
        cells = [
            (cell.name, judge_of(cell), None if cell.value_type == "number" else cell, place)
            for place, cell in enumerate(contract.cells, start=len(self._cells))
        ]
        self._places[name] = known = _Known(contract, kind, model, cells)
        about = (contract.prompt_sha256, kind, model)
        self._cells += [
            (cell.attribute_id, cell.language, cell.scale, _evidence(contract, cell), *about) for cell in contract.cells
        ]
        return known

    def _flush(self) -> None:
        if not self._rows:
            return
        count = len(self._rows)
        columns = dict(zip(_ROW_COLUMNS, zip(*self._rows, strict=True), strict=True))
        self._rows.clear()
        places = pa.array(columns.pop("place"), pa.int32())
        cells = dict(zip(_CELL_COLUMNS, zip(*self._cells, strict=True), strict=True))
        arrays = []
        for field in self._schema:
            if field.name in columns:
                arrays.append(pa.array(columns[field.name], field.type))
            elif field.name in cells:
                values = pa.array(cells[field.name], field.type)
                # Not «take»: it loads a module of 60 milliseconds.
                decoded = pa.DictionaryArray.from_arrays(places, values).dictionary_decode()
                arrays.append(self._with_rests(decoded) if field.name == "evidence" else decoded)
            else:
                arrays.append(pa.repeat(pa.scalar(self._same.get(field.name), field.type), count))
        self._writer.write_batch(pa.record_batch(arrays, schema=self._schema))

    def _with_rests(self, evidence: pa.Array) -> pa.Array:
        """The evidence of the rows, with what single answers rest on."""
        if not self._resting:
            return evidence
        told = evidence.to_pylist()
        for place, rests_on in self._resting:
            own = orjson.loads(told[place]) | {"rests_on": orjson.loads(rests_on)}
            told[place] = orjson.dumps(own, option=orjson.OPT_SORT_KEYS).decode()
        self._resting.clear()
        return pa.array(told, evidence.type)


def accepted_files(root: Path, purpose: str = "impute") -> list[Path]:
    """The Parquet files of accepted answers below ``root`` (``output/wiq``), oldest first; empty without a ledger.

    Raises Incomplete where the ledger names a file that is gone: its answers would seem to be withdrawn.
    """
    if not (root / FOLDER / NAME).is_file():
        return []
    with Ledger(root, exclusive=False) as ledger:
        wanted = [job.job_id for job in ledger.jobs() if job.purpose == purpose]
        shards = [shard for job_id in wanted for shard in ledger.shards("COLLECTED", job_id=job_id)]
        paths = [ledger.folder / accepted_path(shard.path) for shard in shards]
    for path in paths:
        if not path.is_file():
            raise Incomplete(
                f"accepted answers of the model are gone: {path}",
                "the file that the ledger names",
                "no such file",
                next_step=f"bring it back, or move {root / FOLDER} away as a whole: what is published then stays",
            )
    return paths


def accepted_answers(root: Path, purpose: str = "impute") -> pa.Table:
    """All accepted answers below ``root`` with the columns of ``statements.STATED_COLUMNS``, in a stable order."""
    schema = stated_schema()
    tables = [pq.read_table(path, schema=schema) for path in accepted_files(root, purpose)]
    order = [(name, "ascending") for name in ("entity_id", "attribute_id", "language", "custom_id")]
    return pa.concat_tables([schema.empty_table(), *tables]).sort_by(order)


def accepted_path(request_path: str) -> str:
    """Where the accepted answers of a request file are."""
    return str(Path(request_path).with_suffix("").with_suffix(".accepted.parquet"))


def _evidence(contract: Contract, cell: Cell) -> str:
    about = {"contract": contract.key, "cell": cell.name, "tolerance": cell.tolerance}
    if cell.value_type == "number":
        about |= {"minimum": cell.lowest, "maximum": cell.maximum}
    return orjson.dumps(about, option=orjson.OPT_SORT_KEYS).decode()


def _text_value(cell: Cell, value: Any) -> str | None:  # noqa: ANN401 (what a schema let through)
    if cell.value_type == "list":
        phrases = [phrase.strip() for phrase in value if phrase.strip()]
        return orjson.dumps(phrases).decode() if phrases else None
    stripped: str = value.strip()
    return stripped or None
