"""The model tier around a run: what a run left empty is asked, and what was answered goes into the next run.

Everything stands in the ledger (imputer.batch): a wait that is cut short loses nothing, and nothing is paid twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imputer.batch.engine import work
from imputer.batch.ledger import FOLDER, IN_FLIGHT, NAME, Ledger
from imputer.batch.prices import read_price
from imputer.batch.questions import questions_of
from imputer.batch.service import Service
from imputer.batch.shards import write_job
from imputer.finished import open_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from imputer.batch.display import Display
    from imputer.batch.engine import Worked
    from imputer.batch.options import BatchOptions
    from imputer.batch.service import Access
    from imputer.batch.shards import Planned


#: What jobs are called that fill gaps; those of backtests are left to them.
PURPOSE = "impute"


@dataclass(frozen=True, slots=True)
class Model:
    """Whom to ask and how: the API, the options, whether to wait for the answers, and what shows how far they are."""

    access: Access
    options: BatchOptions
    wait: bool
    display: Display


@dataclass(frozen=True, slots=True)
class Asked:
    """How the asking ended; ``collected`` counts the shards whose answers came in."""

    worked: Worked
    collected: int


def under_way(root: Path) -> int:
    """How many shards of gaps below ``root`` (``output/wiq``) are with the provider, or may be."""
    if not (root / FOLDER / NAME).is_file():
        return 0
    with Ledger(root, exclusive=False) as ledger:
        return len(ledger.shards(*IN_FLIGHT, purpose=PURPOSE))


def fetch(root: Path, model: Model) -> Asked:
    """Collect what has ended of earlier questions, without waiting. Raises as ``batch.engine.work``."""
    with Ledger(root) as ledger, Service(model.access) as service:
        return _work(ledger, service, model, wait=False)


def ask(root: Path, folder: Path, model: Model, told: Callable[[Planned], None]) -> Asked:
    """Ask for the cells that the run in ``folder`` left without a source; ``told`` hears the plan before it is sent.

    Raises WrongUsage for a model without a price, RunInProgress where another process is at work on the ledger, and
    as ``batch.engine.work``.
    """
    price = read_price(model.options.model, model.options.prices)
    with Ledger(root) as ledger, Service(model.access) as service:
        with open_folder(folder) as run:
            told(write_job(ledger, questions_of(run), model.options, price, purpose=PURPOSE, run_id=folder.name))
        return _work(ledger, service, model, wait=model.wait)


def _work(ledger: Ledger, service: Service, model: Model, *, wait: bool) -> Asked:
    before = len(ledger.shards("COLLECTED", purpose=PURPOSE))
    with model.display as show:
        worked = work(ledger, service, model.options, wait=wait, show=show, purpose=PURPOSE)
    return Asked(worked, len(ledger.shards("COLLECTED", purpose=PURPOSE)) - before)
