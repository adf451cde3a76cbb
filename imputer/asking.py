"""The model tier around a run: what a run left empty is asked, and what was answered goes into the next run.

Everything stands in the ledger (imputer.batch): a wait that is cut short loses nothing, and nothing is paid twice.
Whoever asks holds the ledger from before the first run to the end, so that no second process does the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imputer.batch.balance import open_jobs
from imputer.batch.engine import work
from imputer.batch.jobs import IN_FLIGHT
from imputer.batch.questions import questions_of
from imputer.batch.service import Service
from imputer.batch.shards import PURPOSE, write_job
from imputer.finished import open_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from imputer.batch.balance import OpenJob
    from imputer.batch.display import Display
    from imputer.batch.engine import Worked
    from imputer.batch.ledger import Ledger
    from imputer.batch.options import BatchOptions
    from imputer.batch.prices import Price
    from imputer.batch.service import Access
    from imputer.batch.shards import Planned


@dataclass(frozen=True, slots=True)
class Model:
    """Whom to ask and how: the API, the options, whether to wait for the answers, and what shows how far they are."""

    access: Access
    options: BatchOptions
    price: Price
    wait: bool
    display: Display


@dataclass(frozen=True, slots=True)
class Asked:
    """How the asking ended; ``collected`` counts the shards whose answers came in."""

    worked: Worked
    collected: int


def collected(ledger: Ledger) -> int:
    """How many shards of gaps have their answers."""
    return len(ledger.shards("COLLECTED", purpose=PURPOSE))


def fetch(ledger: Ledger, model: Model) -> int:
    """Collect what has ended of earlier questions; nothing is sent or waited for. Returns how many shards.

    Raises as ``batch.engine.work``.
    """
    if not ledger.shards(*IN_FLIGHT, purpose=PURPOSE):
        return 0
    with Service(model.access) as service:
        return _work(ledger, service, model, wait=False, submit=False).collected


def ask(ledger: Ledger, folder: Path, model: Model, told: Callable[[Planned, list[OpenJob]], None]) -> Asked:
    """Ask for the cells that the run in ``folder`` left without a source, and what was planned before.

    ``told`` hears the plan and the open jobs of before, ahead of anything being sent. Raises WrongUsage for a question
    that is above a limit, and as ``batch.engine.work``.
    """
    before = open_jobs(ledger, PURPOSE)
    with Service(model.access) as service:
        with open_folder(folder) as run:
            questions = questions_of(run)
            planned = write_job(ledger, questions, model.options, model.price, purpose=PURPOSE, run_id=folder.name)
        told(planned, before)
        return _work(ledger, service, model, wait=model.wait, submit=True)


def _work(ledger: Ledger, service: Service, model: Model, *, wait: bool, submit: bool) -> Asked:
    before = collected(ledger)
    with model.display as show:
        worked = work(ledger, service, model.options, wait=wait, submit=submit, show=show, purpose=PURPOSE)
    return Asked(worked, collected(ledger) - before)
