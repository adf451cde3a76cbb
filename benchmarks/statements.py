"""Statements for 100,000 titles × 250 attributes: written, and their winners chosen, in bounded memory.

Made-up profiles and titles; the production code states, logs and judges them. ``--titles`` and ``--attributes``
change the size, ``--twice`` runs it a second time on what the first wrote (nothing may be added).
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

import duckdb

sys.path.insert(0, str(Path(__file__).parents[1]))

from imputer.precedence import choose_winners, note_overrides
from imputer.ranges import TITLES_PER_RANGE, entity_ranges, state_range
from imputer.statements import append, create_log_tables, load_previous
from imputer.table_files import TableFiles
from imputer.tiers import hierarchical, llm
from schemas import load_table

PROFILES = 900
MOMENT = ("20260101T000000Z", "2026-01-01T00:00:00Z")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--titles", type=int, default=100_000)
    parser.add_argument("--attributes", type=int, default=250)
    parser.add_argument("--twice", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        previous = None
        for number in range(2 if arguments.twice else 1):
            folder = Path(temporary) / str(number)
            folder.mkdir()
            started = time.monotonic()
            counts, added = run(folder, previous, arguments.titles, arguments.attributes)
            seconds = time.monotonic() - started
            size = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
            print(
                f"run {number + 1}: {counts['statements']:,} statements ({added:,} new), "
                f"{counts['attribute_values']:,} winners in {seconds:.1f} s "
                f"({counts['statements'] / seconds:,.0f} statements/s), {size:,.0f} MB on disk"
            )
            previous = folder
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB (bar 2,048 MB)")


def run(folder: Path, previous: Path | None, titles: int, attributes: int) -> tuple[dict[str, int], int]:
    connection = duckdb.connect(config={"memory_limit": "512MB", "threads": 2, "temp_directory": str(folder / "spill")})
    make_inputs(connection, titles, attributes)
    create_log_tables(connection)
    load_previous(connection, previous)
    cells = "ORDER BY entity_id, attribute_id, language"
    added = 0
    with TableFiles(folder) as files:
        for first, last in list(entity_ranges(connection, TITLES_PER_RANGE)):
            state_range(connection, first, last)
            append(connection, *MOMENT, first, last)
            choose_winners(connection)
            note_overrides(connection, *MOMENT, first, last)
            files.append(connection, load_table("wiq", "statements"), f"SELECT * FROM log {cells}, statement_id")
            files.append(connection, load_table("wiq", "attribute_values"), f"SELECT * FROM winners {cells}")
            added += connection.execute("SELECT count(*) FROM log WHERE added").fetchone()[0]
        return dict(files.counts), added


def make_inputs(connection: duckdb.DuckDBPyConnection, titles: int, attributes: int) -> None:
    connection.execute(f"""
        CREATE TEMP TABLE attributes AS SELECT 'oasis.skills.a' || i AS attribute_id, 'number' AS value_type,
            'skills' AS domain, 'proficiency' AS scale_id, 0 AS minimum, 5 AS maximum FROM range({attributes}) t(i);
        CREATE TEMP TABLE oasis_profiles AS SELECT printf('%05d.00', i) AS profile, printf('%05d', i) AS unit_group,
            'Profile ' || i AS label FROM range({PROFILES}) t(i);
        CREATE TEMP TABLE oasis_ratings AS SELECT profile, attribute_id, (hash(profile, attribute_id) % 6)::DOUBLE
            AS value, 'oasis_skills' AS source_id, 1 AS source_row, attribute_id AS source_column
            FROM oasis_profiles, attributes;
        CREATE TEMP TABLE oasis_texts AS SELECT '' AS profile, '' AS attribute_id, 1 AS position, '' AS text,
            '' AS source_id, 1 AS source_row LIMIT 0;
        CREATE TEMP TABLE outlook AS SELECT '' AS unit_group, '' AS attribute_id, 1.0::DOUBLE AS value, '' AS source_id,
            1 AS source_row, '' AS source_column LIMIT 0;
        CREATE TEMP TABLE source_versions AS SELECT 'oasis_skills' AS source_id, repeat('0', 64) AS source_version,
            'derived' AS retention_class;
        CREATE TEMP TABLE inheritance_calibration AS SELECT 'EXAMPLE_MATCH' AS method, 'skills' AS domain,
            0.9::DOUBLE AS probability;
        CREATE TEMP TABLE onet_statements AS SELECT '' AS unit_group, '' AS attribute_id, 1.0::DOUBLE AS value_number,
            '' AS value_text, '' AS scale, '' AS method, 1.0::DOUBLE AS confidence,
            1.0::DOUBLE AS confidence_calibrated,
            '' AS rationale, '' AS source_id, '' AS source_version, '' AS locator, '' AS evidence LIMIT 0;
        CREATE TEMP TABLE resolutions AS SELECT printf('%06d', i) AS entity_id,
            printf('%05d', i % {PROFILES}) AS unit_group, printf('%05d.00', i % {PROFILES}) AS profile,
            false AS unit_group_only, 'EXAMPLE_MATCH' AS resolution_method, 0.95::DOUBLE AS confidence,
            'Made-up title ' || i AS matched_text, true AS coded, 1.0::DOUBLE AS unit_group_confidence,
            1.0::DOUBLE AS unit_group_probability FROM range({titles}) t(i)
    """)
    hierarchical.prepare(connection)
    llm.prepare(connection, [])


if __name__ == "__main__":
    main()
