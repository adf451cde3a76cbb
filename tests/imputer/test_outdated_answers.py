"""What a model said of a job counts as long as the job is what it was: coded anew, it is asked anew."""

from __future__ import annotations

import io
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from imputer.asking import Model, ask
from imputer.batch.display import Display
from imputer.batch.ledger import Ledger
from imputer.batch.options import BatchOptions
from imputer.batch.prices import read_price
from imputer.batch.service import Access
from imputer.gathering import Location
from imputer.impute import impute
from imputer.sample import SAMPLE, sample_registry
from imputer.settings import Settings
from imputer.standin.openai import OpenAIStandIn
from imputer.tiers.llm import subject_of

if TYPE_CHECKING:
    from pathlib import Path

TITLES = "job_architecture/job_architecture.csv"
# Not coded in the sample; the unit group that it gets has several profiles, whose texts have no mean.
ENTITY, UNIT_GROUP = "35", "65310"
OPTIONS = BatchOptions(model="stand-in", poll=0.05, settle=0.2)


class Months:
    """An output folder, month after month; the title's code may change in between."""

    def __init__(self, folder: Path) -> None:
        self.sources, self.output = folder / "sources", folder / "output"
        shutil.copytree(SAMPLE, self.sources, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        registry = sample_registry()
        files = {name: replace(file, sha256=None) for name, file in registry.files.items()}
        self.location = Location(self.sources, replace(registry, files=files))

    def impute(self) -> Path:
        imputed = impute(Settings(self.output), self.location, lambda *_: None)
        assert imputed.good, imputed.outcome.failures
        return imputed.folder

    def ask(self, folder: Path, model: Model) -> None:
        with Ledger(self.output / "wiq") as ledger:
            assert ask(ledger, folder, model, lambda *_: None).worked.done

    def code(self, unit_group: str) -> None:
        """Code the title to a unit group, or to none."""
        path = self.sources / TITLES
        lines = path.read_text(encoding="utf-8-sig").splitlines(keepends=True)
        place = next(place for place, line in enumerate(lines) if line.startswith(f"{ENTITY},"))
        cells = lines[place].split(",")
        cells[12] = unit_group
        lines[place] = ",".join(cells)
        path.write_text("".join(lines), encoding="utf-8-sig", newline="")

    def rows(self, table: str) -> dict[tuple[str, str], dict[str, Any]]:
        """What a table has of the title, by attribute and language."""
        path = self.output / "wiq" / "latest" / f"{table}.parquet"
        found = pq.read_table(path, filters=[("entity_id", "=", ENTITY)]).to_pylist()
        return {(row["attribute_id"], row["language"]): row for row in found}


def test_a_title_coded_anew_is_asked_anew(tmp_path: Path) -> None:
    months = Months(tmp_path)
    description = ("wiq.description", "fr")
    with OpenAIStandIn() as service:
        access = Access(service.key, service.base_url, backoff=0.01)
        price = read_price(OPTIONS.model)
        model = Model(access, OPTIONS, price, wait=True, display=Display(io.StringIO()))
        months.ask(months.impute(), model)
        months.impute()
        first = months.rows("attribute_values")[description]
        assert first["source_type"] == "LLM"

        months.code(UNIT_GROUP)
        folder = months.impute()
        # No source has it, and the answer was about another job: it is a gap again, and asked.
        assert description not in months.rows("attribute_values")
        gaps = set(months.rows("gaps"))
        assert description in gaps
        assert not any(row["source_type"] == "LLM" for row in months.rows("attribute_values").values())
        months.ask(folder, model)
        months.impute()
        second = months.rows("attribute_values")
        assert {cell for cell, row in second.items() if row["source_type"] == "LLM"} == gaps
        assert second[description]["statement_id"] != first["statement_id"]

        months.code("")
        months.impute()
        # What it was before, it is again, with the answer that was paid for then.
        assert months.rows("attribute_values")[description]["statement_id"] == first["statement_id"]


def test_the_subject_tells_name_and_code() -> None:
    assert subject_of("Analyst") == "Analyst||"
    assert subject_of("Analyst", "21211", "21211.00") == "Analyst|21211|21211.00"
