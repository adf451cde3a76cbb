"""``onet_values``: every O*NET attribute of every unit group of the crosswalk, with its proof."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from imputer.onet.aggregate import rated_attributes
from imputer.onet.cardinality import unit_group_cardinality
from imputer.onet.confidence import with_confidence
from imputer.onet.links import chosen_links
from imputer.onet.lists import list_findings
from imputer.onet.numbers import number_findings
from imputer.onet.queries import answer, open_database
from imputer.onet.rules import BOTH, DEFAULT_CROSSWALK, OnetRules
from imputer.onet.votes import vote_findings

if TYPE_CHECKING:
    from imputer.sources.onet_database import OnetDatabase

ONET_VALUES = pa.schema(
    [
        ("unit_group", pa.string()),
        ("attribute_id", pa.string()),
        ("value_number", pa.float64()),
        ("value_text", pa.string()),
        ("scale", pa.string()),
        ("confidence", pa.float64()),
        ("cardinality", pa.string()),
        ("n_occupations", pa.int32()),
        ("n_rated", pa.int32()),
        ("spread", pa.float64()),
        ("suppressed", pa.bool_()),
        ("not_relevant", pa.bool_()),
        ("rationale", pa.string()),
        ("evidence", pa.string()),
        ("locator", pa.string()),
        ("source_id", pa.string()),
        ("source_version", pa.string()),
    ]
)

_VALUES = """
select
    unit_group, attribute_id, value_number, value_text, scale, confidence, cardinality, n_occupations, n_rated, spread,
    n_suppressed > 0 as suppressed, n_not_relevant = n_rated as not_relevant,
    case when n_rated = 1 then 'O*NET ' || $release || ': the one rated occupation'
        else summary || ' over ' || n_rated || ' rated O*NET ' || $release || ' occupations' end
    || ' of ' || n_occupations || ' that the crosswalk gives (' || cardinality || ')'
    || case spread_kind when 'deviation' then format('; standard deviation {:.2f}', spread)
        when 'standard error' then format('; standard error {:.2f}', spread)
        when 'share' then format('; shared by {:.0f} %', 100 * dispersion)
        when 'distance' then format('; {:.0f} % of answers apart', 100 * spread) else '' end
    || case when agreement is null then ''
        else format('; the two crosswalks give {:.2f} and {:.2f}', first_value, second_value) end
    || case when n_suppressed = 0 then '' else '; of low precision: ' || n_suppressed end
    || case when n_not_relevant = 0 then '' else '; not relevant to: ' || n_not_relevant end
    || '.' as rationale,
    json_object(
        'components', json_object(
            'agreement', agreement_factor, 'class', class_factor, 'coverage', coverage_factor,
            'dispersion', dispersion_factor, 'prior', prior, 'quality', quality_factor),
        'coverage', coverage,
        'crosswalk', $crosswalk,
        'crosswalks', case when agreement is null then null else [first_value, second_value] end,
        'details', details::json,
        'n', n_rated,
        'not_relevant', n_not_relevant,
        'occupations', occupations::json,
        'release', $release,
        'spread', spread,
        'spread_kind', spread_kind,
        'suppressed', n_suppressed
    )::varchar as evidence,
    origin || ' rows ' || rows || '; ' || crosswalk_rows as locator,
    source_id, version as source_version
from confident join origins using (source_id) join crosswalk_rows using (unit_group)
order by unit_group, attribute_id
"""


def unit_group_values(
    database: OnetDatabase, crosswalk: pa.Table, weighted: pa.Table | None = None, rules: OnetRules | None = None
) -> pa.Table:
    """``onet_values``: one row per unit group and attribute that one of its occupations is rated for, sorted.

    No data, no row. ``confidence`` is the mapping's strength (`confidence`), ``suppressed`` says that O*NET
    recommends suppressing one of the ratings, ``not_relevant`` that all of them are marked not relevant; lists are
    JSON arrays in ``value_text`` (`lists`). ``evidence`` is JSON with sorted keys. Raises SourceMissing where the rules
    ask for the second crosswalk and it is not given.
    """
    rules = rules or OnetRules()
    links = chosen_links(crosswalk, weighted, rules)
    with open_database({"links": links.used, "rated_attributes": rated_attributes(database)}) as connection:
        findings = pa.concat_tables(
            [
                number_findings(connection, links, rules),
                vote_findings(connection, database, rules),
                list_findings(connection, database, rules),
            ]
        )
        newest = pc.max(database.ratings["date"]).as_py()
        confident = with_confidence(connection, findings, unit_group_cardinality(links.used), rules, newest)
        connection.register("confident", confident)
        connection.register("origins", _origins(database))
        connection.register("crosswalk_rows", _crosswalk_rows(links.used, rules))
        given = {"release": database.release, "crosswalk": rules.crosswalk}
        return answer(connection, _VALUES, given).cast(ONET_VALUES).combine_chunks()


def _origins(database: OnetDatabase) -> pa.Table:
    sources = sorted(database.versions)
    return pa.table(
        {
            "source_id": pa.array(sources, pa.string()),
            "origin": pa.array([database.origins[source] for source in sources], pa.string()),
            "version": pa.array([database.versions[source] for source in sources], pa.string()),
        }
    )


def _crosswalk_rows(links: pa.Table, rules: OnetRules) -> pa.Table:
    """Per unit group, the crosswalk's records that lead to its occupations, in words; of the first one for ``both``."""
    name = "crosswalk" if rules.crosswalk in (DEFAULT_CROSSWALK, BOTH) else "crosswalk_weighted"
    groups, rows = [], []
    pairs = zip(links["unit_group"].to_pylist(), links["rows"].to_pylist(), strict=True)
    for group, stated in groupby(pairs, key=lambda pair: pair[0]):
        groups.append(group)
        rows.append(f"{name} rows {_ranges(sorted({row for _, some in stated for row in some}))}")
    return pa.table({"unit_group": pa.array(groups, pa.string()), "crosswalk_rows": pa.array(rows, pa.string())})


def _ranges(rows: list[int]) -> str:
    """Numbers in ascending order as «3-5, 9»."""
    parts = []
    for _, run in groupby(enumerate(rows), key=lambda pair: pair[1] - pair[0]):
        numbers = [number for _, number in run]
        parts.append(str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]}-{numbers[-1]}")
    return ", ".join(parts)
