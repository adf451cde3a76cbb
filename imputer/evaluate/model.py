"""Backtest of the model tier and of similar titles: known cells hidden, guessed by each method, compared.

The model is asked as runs ask it, through the batch engine; the local baselines are always computed beside it, on the
same cells and from the same known values.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from imputer.evaluate.asking import ask
from imputer.evaluate.backtests import Backtests
from imputer.evaluate.baselines import CLASS_MEAN, GLOBAL_MEAN, NEIGHBOURS, baselines
from imputer.evaluate.cells import judge
from imputer.evaluate.confidence import cross_fit, fit, reliability_records
from imputer.evaluate.masking import SAMPLE, mask
from imputer.evaluate.model_figures import TIER, Evidence, figures
from imputer.evaluate.scores import MODEL, Method, attribute_records, pooled_record
from imputer.finished import open_latest
from imputer.tiers.measured import MODELS_CALIBRATION, NEIGHBOURS_CALIBRATION, kept_models
from schemas.errors import Incomplete

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from numpy.typing import NDArray

    from imputer.batch.display import Display
    from imputer.batch.options import BatchOptions
    from imputer.batch.service import Access
    from imputer.evaluate.asking import Asked
    from imputer.evaluate.masking import Masked
    from imputer.finished import FinishedRun

#: Unit groups that the calibration shipped with the code must rest on: no small run replaces it.
LEAST_UNIT_GROUPS = 100
_BASELINES = (NEIGHBOURS, CLASS_MEAN, GLOBAL_MEAN)
_ATTRIBUTES = "SELECT attribute_id, name_en, name_fr FROM dim_attribute"
_CATEGORIES = "SELECT code, title_en AS name_en, title_fr AS name_fr FROM dim_noc WHERE level = 1"
_SOURCES = "SELECT source_id, source_version FROM dim_source WHERE source_version IS NOT NULL ORDER BY source_id"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be measured: how many titles are hidden, by which seed, of which domain (None: of all)."""

    seed: int
    sample: int = SAMPLE
    domain: str | None = None


def model_backtest(
    root: Path,
    wanted: Wanted,
    options: BatchOptions,
    access: Access | None,
    told: Callable[[str], None],
    display: Display | None = None,
    busy: Callable[[str], AbstractContextManager[object]] = nullcontext,
) -> tuple[Backtests, tuple[str, ...]]:
    """Measure on the last good run below ``root`` (``output/wiq``); returns also why something was not answered.

    ``told`` and ``display`` are for ``asking.ask``; ``busy`` shows what else takes a while. Raises Incomplete without
    a run or a known cell, and what ``asking.ask`` raises.
    """
    with open_latest(root) as run:
        with busy("choosing what to hide"):
            masked = mask(run, wanted.seed, wanted.sample, wanted.domain)
        if not len(masked.cells):
            raise Incomplete(
                "there is no known cell to hide",
                "job titles with an OaSIS profile or O*NET values, and a domain of dim_attribute",
                f"none (domain: {wanted.domain or 'all'})",
            )
        asked = ask(run, masked, root, options, access, told, display)
        with busy("comparing with the local baselines"):
            return _measured(run, masked, asked, wanted, root), asked.problems if asked else ()


def _measured(run: FinishedRun, masked: Masked, asked: Asked | None, wanted: Wanted, root: Path) -> Backtests:
    guesses = baselines(run, masked)
    if asked is not None:
        guesses[MODEL] = asked.guesses
    order = [name for name in (MODEL, *_BASELINES) if name in guesses]
    methods = {name: Method(guesses[name], judge(masked.cells, guesses[name])) for name in order}
    found = _evidence(masked, methods, wanted.seed)
    details = {TIER: _details(run, found, masked, asked, wanted)}
    calibrations: dict[Path, dict[str, Any]] = {}
    if wanted.domain is None:
        calibrations = _calibrations(root, found, asked, _made_with(run, wanted))
    return Backtests(wanted.seed, figures(found), details, calibrations)


def _evidence(masked: Masked, methods: dict[str, Method], seed: int) -> Evidence:
    crossed = {
        name: cross_fit(masked.cells, method.guesses, method.outcome, seed)
        for name, method in methods.items()
        if np.isfinite(method.guesses.confidence).any()
    }
    return Evidence(masked.cells, methods, crossed, seed)


def _details(run: FinishedRun, found: Evidence, masked: Masked, asked: Asked | None, wanted: Wanted) -> dict[str, Any]:
    """Everything that is told beside the figures; the report reads it."""
    cells, seed = found.cells, found.seed

    def pooled(rows: NDArray[np.bool_]) -> dict[str, Any]:
        return pooled_record(cells, found.methods, rows, seed)

    names = {row.pop("attribute_id"): row for row in run.rows(_ATTRIBUTES)}
    categories = {row.pop("code"): row for row in run.rows(_CATEGORIES)}
    broad = cells.unit_groups.astype("U1")
    return {
        "run_id": run.folder.name,
        "seed": seed,
        "domain": wanted.domain,
        "titles": len(masked.hidden),
        "titles_untold": len(masked.untold),
        "cells": len(cells),
        "model": _about_model(asked),
        "methods": list(found.methods),
        "all": pooled(np.ones(len(cells), dtype=bool)),
        "situations": [{"told": told, **pooled(cells.told == told)} for told in (True, False)],
        "domains": [
            dict(zip(("system", "domain"), str(topic).split("/", 1), strict=True)) | pooled(cells.topics == topic)
            for topic in np.unique(cells.topics)
        ],
        "categories": [
            {"category": str(code), **categories.get(str(code), {}), **pooled(broad == code)}
            for code in np.unique(broad)
        ],
        "attributes": [
            record | names[record["attribute_id"]] for record in attribute_records(cells, found.methods, seed)
        ],
        "reliability": {
            name: {
                "stated": reliability_records(
                    found.methods[name].guesses.confidence, found.methods[name].outcome.right
                ),
                "calibrated": reliability_records(crossed.confidence, found.methods[name].outcome.right),
            }
            for name, crossed in found.cross_fits.items()
        },
    }


def _about_model(asked: Asked | None) -> dict[str, Any] | None:
    if asked is None:
        return None
    return {
        "asked": asked.model,
        "answered_as": sorted({str(name) for name in np.unique(asked.names) if name}),
        "questions": asked.questions,
        "cost_usd": round(asked.cost, 4),
    }


def _made_with(run: FinishedRun, wanted: Wanted) -> dict[str, Any]:
    inputs = {row["source_id"]: row["source_version"] for row in run.rows(_SOURCES)}
    return {"seed": wanted.seed, "sample": wanted.sample, "inputs": inputs}


def _calibrations(
    root: Path, found: Evidence, asked: Asked | None, made_with: dict[str, Any]
) -> dict[Path, dict[str, Any]]:
    """What --write-calibration keeps: that of similar titles, and those of the names that answers carry."""
    cells = found.cells
    kept: dict[Path, dict[str, Any]] = {}
    if NEIGHBOURS in found.cross_fits and len(np.unique(cells.unit_groups)) >= LEAST_UNIT_GROUPS:
        method = found.methods[NEIGHBOURS]
        measured = fit(cells, method.guesses, method.outcome)
        kept[NEIGHBOURS_CALIBRATION] = {"made_with": made_with | {"n": _n(method)}, **measured.as_record()}
    if asked is None or MODEL not in found.cross_fits:
        return kept
    path = root / MODELS_CALIBRATION
    models = dict(kept_models(path))
    method = found.methods[MODEL]
    for name in np.unique(asked.names[asked.names != ""]):
        rows = asked.names == name
        own = Method(method.guesses.at(rows), method.outcome.at(rows))
        measured = fit(cells.at(rows), own.guesses, own.outcome)
        about = made_with | {"model": asked.model, "n": _n(own)}
        models[str(name)] = {"made_with": about, **measured.as_record()}
    kept[path] = {"made_with": {"command": "imputer backtest --tier llm --write-calibration"}, "models": models}
    return kept


def _n(method: Method) -> int:
    return int((method.outcome.answered & np.isfinite(method.guesses.confidence)).sum())
