"""Runs of the imputer that several tests read: on the built-in sample, and on the real files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from filelock import FileLock
from processes import run_imputer

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def sample_output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder with one good run on the built-in sample; not to be changed."""
    output = tmp_path_factory.mktemp("sample") / "output"
    run_imputer(output, "impute", "--sample", expect=0)
    return output


@pytest.fixture(scope="session")
def gold(shared_data: Path, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """``latest`` of one good run on the real input files; not to be changed."""
    shared = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        shared = shared.parent  # one run serves all workers
    output = shared / "gold" / "output"
    with FileLock(shared / "gold.lock"):
        if not output.is_dir():
            run_imputer(output, "impute", "--sources", str(shared_data), expect=0)
    return output / "wiq" / "latest"
