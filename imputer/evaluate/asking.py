"""The hidden cells, asked of a model through the batch engine: the same instructions, ledger and cap as for real gaps.

Questions are known by their content, so the same run, seed, model and settings pay nothing twice.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from imputer.batch.accepted import accepted_files
from imputer.batch.engine import work
from imputer.batch.jobs import spent
from imputer.batch.ledger import Ledger
from imputer.batch.ledger_file import FOLDER, NAME
from imputer.batch.lines import LineMaker
from imputer.batch.prices import read_price
from imputer.batch.questions import Asking, questions_of
from imputer.batch.service import Service
from imputer.batch.shards import write_job
from imputer.errors import WrongUsage
from imputer.evaluate.cells import no_guesses
from imputer.evaluate.masking import MASKED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from imputer.batch.display import Display
    from imputer.batch.lines import Question
    from imputer.batch.options import BatchOptions
    from imputer.batch.service import Access
    from imputer.batch.shards import Planned
    from imputer.evaluate.cells import Cells, Guesses
    from imputer.evaluate.masking import Masked
    from imputer.finished import FinishedRun

#: The purpose of jobs that ask for what is known; no run takes their answers as values.
PURPOSE = "backtest"
#: Said where a model would have to be asked.
WITHOUT_KEY = "No key (OPENAI_API_KEY): no model is asked, the local baselines alone are measured."

_COLUMNS = ("custom_id", "entity_id", "attribute_id", "language", "value_number", "value_text", "confidence", "model")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a model said of the hidden cells.

    ``model`` is what was asked, ``names`` holds for each cell the name that its answer carries, empty without one.
    ``cost`` is what all backtest jobs have cost so far, in USD. ``problems`` say why something was not answered.
    """

    model: str
    guesses: Guesses
    names: NDArray[np.str_]
    questions: int
    cost: float
    problems: tuple[str, ...] = ()


def ask(
    run: FinishedRun,
    masked: Masked,
    root: Path,
    options: BatchOptions,
    access: Access | None,
    told: Callable[[str], None],
    display: Display | None = None,
) -> Asked | None:
    """Ask what was not asked before, wait, and return what is answered; None where a key is needed and not there.

    ``root`` is the imputer's (``output/wiq``); ``told`` hears what it costs before anything is sent, ``display``
    shows how far the batches are. Raises WrongUsage where it could cost more than ``options.max_cost``, and what
    the engine raises.
    """
    if access is None and not (root / FOLDER / NAME).is_file():
        told(WITHOUT_KEY)
        return None
    asking = Asking(cells=MASKED, hidden=masked.hidden, untold=masked.untold)
    questions = list(questions_of(run, asking))
    price = read_price(options.model, options.prices)
    problems: tuple[str, ...] = ()
    with Ledger(root) as ledger:

        def plan(*, dry_run: bool) -> Planned:
            return write_job(
                ledger, questions, options, price, purpose=PURPOSE, run_id=run.folder.name, dry_run=dry_run
            )

        planned = plan(dry_run=True)
        # What an interrupted backtest asked in other words is waited for; then a second pass asks what is left.
        for _ in range(2):
            if not (planned.requests or planned.waiting):
                break
            if access is None:
                told(WITHOUT_KEY)
                return None
            if planned.requests:
                told(cost_line(planned, options.model, price.as_of))
                _refuse_above_cap(planned, options)
                plan(dry_run=False)
            with Service(access) as service, display or nullcontext(_nobody) as show:
                worked = work(ledger, service, options, show=show, purpose=PURPOSE)
            problems = tuple(f"shard {number} was refused: {reason}" for number, reason in worked.rejected.items())
            if worked.over_cap:
                problems += (f"{worked.over_cap:,} shards wait: with them a job could cost more than the cap",)
            if problems:
                break
            planned = plan(dry_run=True)
        cost = sum(
            spent(job, ledger.shards(job_id=job.job_id))
            for job in ledger.jobs()
            if job.purpose == PURPOSE and job.model == options.model
        )
    guesses, names = answers(masked.cells, keys_of(questions, options), accepted_files(root, PURPOSE))
    return Asked(options.model, guesses, names, len(questions), cost, problems)


def _nobody(_: Ledger) -> None:
    """Show how far the batches are to nobody."""


def keys_of(questions: Iterable[Question], options: BatchOptions) -> set[str]:
    """The keys of questions as the engine asks them: by model, settings and every word."""
    makers: dict[int, LineMaker] = {}
    keys = set()
    for question in questions:
        contract = id(question.contract)
        if contract not in makers:
            makers[contract] = LineMaker(question.contract, options, PURPOSE)
        keys.add(makers[contract].line(question)[0])
    return keys


def answers(cells: Cells, keys: set[str], files: Iterable[Path]) -> tuple[Guesses, NDArray[np.str_]]:
    """The accepted answers to these very questions as guesses of the cells, and the names that they carry."""
    guesses, names = no_guesses(len(cells)), np.full(len(cells), "", dtype=object)
    places = {key: place for place, key in enumerate(cells.keys)}
    numeric = cells.numeric
    for path in files:
        table: pa.Table = pq.read_table(path, columns=list(_COLUMNS))
        for row in table.to_pylist():
            place = places.get((row["entity_id"], row["attribute_id"], row["language"]))
            if place is None or row["custom_id"] not in keys:
                continue
            if numeric[place]:
                guesses.values[place] = row["value_number"]
            else:
                guesses.choices[place] = row["value_text"]
            guesses.confidence[place] = row["confidence"]
            names[place] = row["model"]
    return guesses, names.astype(str)


def cost_line(planned: Planned, model: str, as_of: str) -> str:
    """What is about to be asked and what it costs, in a line."""
    return (
        f"{planned.requests:,} questions for {planned.cells:,} hidden cells: about {planned.cost:,.2f} USD "
        f"with {model}, at most {planned.ceiling:,.2f} USD (batch prices of {as_of})."
    )


def _refuse_above_cap(planned: Planned, options: BatchOptions) -> None:
    if planned.ceiling > options.max_cost:
        raise WrongUsage(
            "the backtest could cost more than the cap; nothing was sent",
            f"at most {options.max_cost:g} USD",
            f"up to {planned.ceiling:,.2f} USD for {planned.requests:,} questions",
            next_step="raise --max-cost, or hide fewer titles with --sample",
        )
