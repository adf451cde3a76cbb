"""Small runs made by the code that makes real ones: log, winners, events, files, verdict, promotion."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from imputer.conclusion import Outcome, conclude, moment_text
from imputer.precedence import choose_winners, note_overrides
from imputer.statements import STATED_COLUMNS, append, create_log_tables, load_previous, statement_schema
from imputer.table_files import TableFiles, wide_table, write_jsonl
from imputer.verdict import check_files, check_keys
from schemas import arrow_schema, load_table, load_tables
from schemas.runs import open_run

if TYPE_CHECKING:
    from pathlib import Path

_FROM_LOG = {
    "statements": "SELECT * FROM log ORDER BY entity_id, attribute_id, language, statement_id",
    "attribute_values": "SELECT * FROM winners ORDER BY entity_id, attribute_id, language",
    "withdrawals": "SELECT * FROM (SELECT * FROM previous_withdrawals UNION ALL BY NAME SELECT * FROM new_withdrawals) "
    "ORDER BY statement_id, run_id",
    "override_events": "SELECT * FROM (SELECT * FROM previous_events UNION ALL BY NAME SELECT * FROM new_events) "
    "ORDER BY entity_id, attribute_id, language, run_id",
}
METHOD = {
    "AUTHORITATIVE": "INHERITED_PROFILE",
    "ONET": "CROSSWALK",
    "LLM": "LLM_BATCH",
    "NEIGHBOURS": "NEAREST_NEIGHBOURS",
}


def record(table: str, **given: Any) -> dict[str, Any]:
    """A record of a published table: what is not given is null, or the plainest value where null is not allowed."""
    made: dict[str, Any] = {}
    for column in load_table("wiq", table).columns:
        kinds = column.schema["type"] if isinstance(column.schema["type"], list) else [column.schema["type"]]
        least = column.schema.get("items", {}).get("enum", [])[: column.schema.get("minItems", 0)]
        plain = {"string": "x", "integer": 0, "number": 0.0, "boolean": False, "array": least, "object": {}}
        made[column.name] = None if "null" in kinds else column.schema.get("enum", [plain[kinds[0]]])[0]
    unknown = set(given) - set(made)
    assert not unknown, f"{table} has no {unknown}"
    return made | given


def statement(
    entity: str = "1", attribute: str = "oasis.skills.writing", source: str = "AUTHORITATIVE", **given: Any
) -> dict[str, Any]:
    """What a tier states, for ``MadeRuns.run``."""
    made: dict[str, Any] = dict.fromkeys(STATED_COLUMNS)
    made |= {
        "entity_type": "job_title",
        "entity_id": entity,
        "attribute_id": attribute,
        "language": "zxx",
        "value_number": 3.0,
        "scale": "oasis_proficiency_level_1_5",
        "source_type": source,
        "method": METHOD[source],
        "confidence": 0.5,
        "rationale": "Because it is so.",
        "source_id": "oasis_skills",
        "source_version": "a" * 64,
        "locator": "row 1, column «Writing»",
        "evidence": "{}",
        "retention_class": "open-reference",
    }
    return made | given


ATTRIBUTES = [
    record(
        "dim_attribute",
        attribute_id="oasis.skills.writing",
        system="OaSIS",
        domain="skills",
        name_en="Writing",
        name_fr="Rédaction",
        value_type="number",
        languages=["zxx"],
        scale_id="oasis_proficiency_level_1_5",
        minimum=1.0,
        maximum=5.0,
        zero_meaning_en="not applicable",
        zero_meaning_fr="sans objet",
        tolerance=1.0,
        authoritative=True,
        onet=True,
        imputable=True,
        current=True,
    ),
    record(
        "dim_attribute",
        attribute_id="oasis.skills.numeracy",
        system="OaSIS",
        domain="skills",
        name_en="Numeracy",
        name_fr="Numératie",
        value_type="number",
        languages=["zxx"],
        minimum=1.0,
        maximum=5.0,
        authoritative=True,
        imputable=True,
        current=True,
    ),
    record(
        "dim_attribute",
        attribute_id="oasis.main_duties",
        system="OaSIS",
        domain="main_duties",
        name_en="Main duties",
        name_fr="Fonctions principales",
        value_type="list",
        authoritative=True,
        imputable=True,
        current=True,
    ),
    record(
        "dim_attribute",
        attribute_id="onet.2.A.1.c.LV",
        system="O*NET",
        domain="skills",
        name_en="Writing",
        value_type="number",
        languages=["zxx"],
        scale_id="LV",
        minimum=0.0,
        maximum=7.0,
        onet=True,
        imputable=True,
        current=True,
    ),
    record(
        "dim_attribute",
        attribute_id="cops.employment.2023",
        system="COPS",
        domain="employment",
        name_en="Employment, 2023",
        name_fr="Emploi, 2023",
        value_type="number",
        languages=["zxx"],
        minimum=0.0,
        imputable=False,
        current=True,
    ),
]
TITLES = {
    "1": ("Policy Writer", "Rédacteur(trice) de politiques"),
    "2": ("Policy Analyst", "Analyste des politiques"),
    "3": ("Analyst", "Analyste"),
    "4": ("Analyst", "Analyste, données"),
}
SOURCES = [
    record(
        "dim_source",
        source_id=source_id,
        kind="file",
        title_en=title_en,
        title_fr=title_fr,
        publisher_en="Employment and Social Development Canada",
        publisher_fr="Emploi et Développement social Canada",
        release="2023 v1.0",
        path=f"{source_id}.csv",
        source_version="a" * 64,
        page_url=f"https://open.canada.ca/{source_id}",
        licence_en="Open licence",
        licence_fr="Licence ouverte",
        licence_url="https://open.canada.ca/licence",
        attribution_en="Contains open information.",
        attribution_fr="Contient de l’information ouverte.",
        retention_class=retention,
    )
    for source_id, title_en, title_fr, retention in (
        ("oasis_skills", "OaSIS skills", "SIPeC, compétences", "open-reference"),
        ("onet_skills", "O*NET skills", "O*NET, compétences", "open-reference"),
        ("supplied", "Supplied file", "Fichier fourni", "departmental"),
    )
]


@dataclass
class MadeRuns:
    """``output/wiq`` of a test: call ``run`` once a run; each takes the day after the last one's."""

    output: Path
    day: datetime = field(default_factory=lambda: datetime(2020, 1, 1, tzinfo=UTC))
    runs: list[dict[str, Any]] = field(default_factory=list)

    @property
    def root(self) -> Path:
        return self.output / "wiq"

    @property
    def latest(self) -> Path:
        return (self.root / "latest").resolve()

    def run(self, stated: list[dict[str, Any]], day: datetime | None = None, **rows: list[dict[str, Any]]) -> Path:
        """One run that states these; ``rows`` are further tables, by name. Returns its folder, promoted."""
        self.day = day or self.day.replace(day=self.day.day + 1)
        with open_run(self.output, "wiq", self.day) as run, duckdb.connect() as connection:
            moment = (run.run_id, moment_text(self.day))
            create_log_tables(connection)
            load_previous(connection, run.previous)
            types = {column.name: column.type for column in statement_schema()}
            shape = pa.schema([(name, types[name]) for name in STATED_COLUMNS])
            connection.register("given", pa.Table.from_pylist(stated, schema=shape))
            connection.execute("INSERT INTO stated BY NAME SELECT * FROM given")
            append(connection, *moment, "", "~")
            choose_winners(connection)
            note_overrides(connection, *moment, "", "~")
            self.runs.append(
                record("dim_run", run_id=run.run_id, started_at=self.day, wiq_version="0.1.0", statements_added=1)
            )
            tables = self._write(run.folder, connection, self._dimensions() | rows)
            outcome = Outcome(self.day, {"made": True}, settings={"sources": {}})
            outcome.counts = tables["counts"]
            outcome.failures += check_files(run.folder, tables["tables"], outcome.counts)
            outcome.failures += check_keys(connection, run.folder, tables["tables"])
            assert not outcome.failures, outcome.failures
            assert conclude(run, outcome)
            return run.folder

    def _dimensions(self) -> dict[str, list[dict[str, Any]]]:
        titles = {key: {"title_en": en, "title_fr": fr} for key, (en, fr) in TITLES.items()}
        return {
            "dim_run": self.runs,
            "dim_attribute": sorted(ATTRIBUTES, key=lambda row: row["attribute_id"]),
            "dim_source": SOURCES,
            "dim_job_title": [record("dim_job_title", job_title_id=key, **names) for key, names in titles.items()],
            "dim_entity": [
                record("dim_entity", entity_id=key, entity_type="job_title", name_en=en, name_fr=fr)
                for key, (en, fr) in TITLES.items()
            ],
            "job_titles_wide": [
                record("job_titles_wide", job_title_id=key, **names) | {row["attribute_id"]: None for row in ATTRIBUTES}
                for key, names in titles.items()
            ],
        }

    def _write(
        self, folder: Path, connection: duckdb.DuckDBPyConnection, rows: dict[str, list[dict[str, Any]]]
    ) -> dict[str, Any]:
        tables = dict(load_tables("wiq"))
        tables["job_titles_wide"] = wide_table(
            (row["attribute_id"], row["value_type"], row["name_en"], row["name_fr"]) for row in ATTRIBUTES
        )
        with TableFiles(folder) as files:
            for name, table in tables.items():
                query = _FROM_LOG.get(name, "SELECT * FROM made")
                if name not in _FROM_LOG:
                    made = pa.Table.from_pylist(rows.get(name, []), schema=arrow_schema(table))
                    connection.register("made", made)
                files.append(connection, table, query)
            counts = dict(files.counts)
        for name, table in tables.items():
            write_jsonl(connection, folder / f"{name}.parquet", table)
        return {"tables": tables, "counts": counts}
