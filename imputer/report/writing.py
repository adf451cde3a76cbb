"""The report of a run, written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from imputer.finished import open_folder
from imputer.report import facts, proofs, quality, values
from imputer.report.page import Page
from imputer.wording import text
from schemas.runs import write_atomically

if TYPE_CHECKING:
    from typing import Any

#: Below the imputer's root (output/wiq), written by ``imputer backtest --json``.
BACKTEST = "backtest.json"


def write_report(folder: Path, language: str, path: Path) -> None:
    """Write the report of the run in ``folder`` (``…/wiq/runs/<id>``) to ``path``, in one step.

    The same tables and backtest figures give the same bytes. Raises Incomplete where the folder holds no run,
    OutputUnwritable.
    """
    backtest = folder.parent.parent / BACKTEST
    with open_folder(folder) as run:
        gathered = facts.gather(run)
    page = build(gathered, facts.read_backtest(backtest), facts.read_model_backtest(backtest), language)
    newest = gathered["runs"][0]["run_id"] if gathered["runs"] else folder.name
    other = "fr" if language == "en" else "en"
    beside = f"report_{other}.html" if path.name == f"report_{language}.html" else None
    markup = page.render(text("report_title", language), text("report_lead", language, run=newest), beside)
    write_atomically(path, [markup.encode()])


def build(
    gathered: dict[str, list[dict[str, Any]]],
    backtest: list[dict[str, Any]],
    model: dict[str, Any] | None,
    language: str,
) -> Page:
    """The page of what ``facts`` gathered."""
    page = Page(language)
    values.summary(page, gathered["summary"])
    values.coverage(page, gathered["coverage"])
    values.confidence(page, gathered["confidence"])
    values.resolution(page, gathered["resolution"])
    values.gaps(page, gathered["gaps"])
    proofs.crosswalk(page, gathered["crosswalk"])
    proofs.calibration(page, gathered["calibration"])
    proofs.backtest(page, backtest, str(Path("output") / "wiq" / BACKTEST))
    quality.quality(page, model)
    proofs.issues(page, gathered["issues"])
    proofs.sources(page, gathered["sources"])
    proofs.runs(page, gathered["runs"])
    return page
