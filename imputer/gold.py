"""The gold tables of one range of entities: winners, gaps, and one wide row per job title."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas import load_table

if TYPE_CHECKING:
    import duckdb

    from imputer.table_files import TableFiles
    from schemas import Table

# English and French, in the words of the people who close the gaps.
REASONS = {
    "UNIT_GROUP_UNCERTAIN": (
        "The source gives no unit group, and the title does not settle one with enough confidence.",
        "La source ne donne aucun groupe de base, et le titre n’en désigne aucun avec assez de certitude.",
    ),
    "PROFILE_UNCERTAIN": (
        "The title was resolved to a unit group with several profiles, whose texts cannot be averaged.",
        "Le titre correspond à un groupe de base ayant plusieurs profils, dont les textes n’ont pas de moyenne.",
    ),
    "NO_SOURCE_VALUE": (
        "The source has no value for this profile or unit group.",
        "La source n’a aucune valeur pour ce profil ou ce groupe de base.",
    ),
    "NO_CROSSWALK": (
        "The crosswalk ties no O*NET occupation to the unit group.",
        "La table de concordance ne lie aucune profession O*NET au groupe de base.",
    ),
    "NO_RATINGS": (
        "O*NET has no value of this attribute for the occupations tied to the unit group.",
        "O*NET n’a aucune valeur de cet attribut pour les professions liées au groupe de base.",
    ),
    "ENGLISH_ONLY": (
        "The OaSIS files that are read are in English.",
        "Les fichiers du SIPeC qui sont lus sont en anglais.",
    ),
    "NO_SOURCE": (
        "No source describes job families and job functions.",
        "Aucune source ne décrit les familles d’emplois ni les fonctions professionnelles.",
    ),
}
#: Why a model that was asked left a cell empty.
MODEL_REASONS = {
    "REFUSED": (
        "The model declined to answer, or its answer was filtered.",
        "Le modèle a refusé de répondre, ou sa réponse a été filtrée.",
    ),
    "REJECTED": (
        "The provider rejected the request as wrong.",
        "Le fournisseur a rejeté la requête comme erronée.",
    ),
    "UNUSABLE": (
        "What the model answered is outside the bounds of the attribute.",
        "La réponse du modèle est hors des limites de l’attribut.",
    ),
    "NO_ANSWER": (
        "No whole answer came back, however often it was asked.",
        "Aucune réponse complète n’est revenue, malgré les nouvelles tentatives.",
    ),
}

# An attribute in several languages has a column for each.
_WIDE_COLUMN = "CASE WHEN len(languages) > 1 THEN attribute_id || '_' || language ELSE attribute_id END"
#: Column of ``job_titles_wide``, value type, English and French name; with the language where there are several.
WIDE_ATTRIBUTES = f"""
SELECT {_WIDE_COLUMN} AS name, value_type,
    name_en || CASE WHEN len(languages) > 1 THEN if(language = 'fr', ' (French)', ' (English)') ELSE '' END AS name_en,
    name_fr || CASE WHEN len(languages) > 1 THEN if(language = 'fr', ' (français)', ' (anglais)') ELSE '' END AS name_fr
FROM (
    SELECT *, unnest(languages) AS language FROM dim_attribute
    WHERE current AND list_contains(entity_types, 'job_title')
) ORDER BY name
"""

_GAPS = """
CREATE OR REPLACE TEMP TABLE range_gaps AS
SELECT entity_type, entity_id, attribute_id, language, domain, model_reason,
    CASE
        WHEN entity_type <> 'job_title' THEN 'NO_SOURCE'
        WHEN unit_group IS NULL THEN 'UNIT_GROUP_UNCERTAIN'
        WHEN system = 'O*NET' AND unit_group NOT IN (SELECT unit_group FROM crosswalk) THEN 'NO_CROSSWALK'
        WHEN system = 'O*NET' THEN 'NO_RATINGS'
        WHEN unit_group_only AND value_type <> 'number' THEN 'PROFILE_UNCERTAIN'
        WHEN language = 'fr' THEN 'ENGLISH_ONLY'
        ELSE 'NO_SOURCE_VALUE'
    END AS reason
FROM (
    SELECT entity_type, entity_id, attribute_id, unnest(languages) AS language, domain, system, value_type
    FROM range_entities JOIN dim_attribute ON list_contains(entity_types, entity_type) AND imputable
        AND dim_attribute.current
    WHERE range_entities.current
) ANTI JOIN winners USING (entity_id, attribute_id, language)
LEFT JOIN resolved USING (entity_id)
LEFT JOIN given_up USING (entity_id, attribute_id, language)
"""


def append_gold(connection: duckdb.DuckDBPyConnection, files: TableFiles, wide: Table) -> None:
    """Append what the range in ``resolved``, ``log``, ``winners`` and ``new_events`` publishes."""
    cells = "ORDER BY entity_id, attribute_id, language"
    connection.execute(_GAPS)
    files.append(connection, load_table("wiq", "statements"), f"SELECT * FROM log {cells}, statement_id")
    files.append(connection, load_table("wiq", "attribute_values"), f"SELECT * FROM winners {cells}")
    files.append(connection, load_table("wiq", "override_events"), f"{_events()} {cells}, run_id")
    gaps = (
        f"SELECT * FROM range_gaps JOIN gap_reasons USING (reason) LEFT JOIN model_reasons USING (model_reason) {cells}"
    )
    files.append(connection, load_table("wiq", "gaps"), gaps)
    files.append(connection, wide, _wide(wide))


def create_reasons(connection: duckdb.DuckDBPyConnection) -> None:
    """Make ``gap_reasons`` and ``model_reasons``: the sentence of each reason, English and French."""
    for table, column, reasons in (
        ("gap_reasons", "reason", REASONS),
        ("model_reasons", "model_reason", MODEL_REASONS),
    ):
        columns = f"{column} VARCHAR, {column}_en VARCHAR, {column}_fr VARCHAR"
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} ({columns})")
        connection.executemany(f"INSERT INTO {table} VALUES (?, ?, ?)", [[k, *v] for k, v in reasons.items()])


def _events() -> str:
    known = "entity_id BETWEEN (SELECT first FROM entity_range) AND (SELECT last FROM entity_range)"
    return f"SELECT * FROM (SELECT * FROM previous_events WHERE {known} UNION ALL BY NAME SELECT * FROM new_events)"


def _wide(table: Table) -> str:
    fixed = {column.name for column in load_table("wiq", "job_titles_wide").columns}
    attributes = [column for column in table.columns if column.name not in fixed]
    numbers = [column.name for column in attributes if "number" in column.schema["type"]]
    texts = [column.name for column in attributes if "number" not in column.schema["type"]]
    return f"""
    SELECT r.entity_id AS job_title_id, title_en, title_fr, unit_group, profile, resolution_method,
        confidence AS resolution_confidence, coalesce(values_authoritative, 0) AS values_authoritative,
        coalesce(values_onet, 0) AS values_onet, coalesce(values_llm, 0) AS values_llm,
        coalesce(values_neighbours, 0) AS values_neighbours, coalesce(gaps, 0) AS gaps,
        n.* EXCLUDE (entity_id), t.* EXCLUDE (entity_id)
    FROM resolved r JOIN dim_job_title d ON d.job_title_id = r.entity_id
    LEFT JOIN (
        SELECT entity_id, count(*) FILTER (source_type = 'AUTHORITATIVE') AS values_authoritative,
            count(*) FILTER (source_type = 'ONET') AS values_onet, count(*) FILTER (source_type = 'LLM') AS values_llm,
            count(*) FILTER (source_type = 'NEIGHBOURS') AS values_neighbours
        FROM winners GROUP BY entity_id
    ) w ON w.entity_id = r.entity_id
    LEFT JOIN (SELECT entity_id, count(*) AS gaps FROM range_gaps GROUP BY entity_id) g ON g.entity_id = r.entity_id
    LEFT JOIN {_pivot("value_number", numbers)} n ON n.entity_id = r.entity_id
    LEFT JOIN {_pivot("value_text", texts)} t ON t.entity_id = r.entity_id
    ORDER BY job_title_id
    """


def _pivot(value: str, attributes: list[str]) -> str:
    """One row per entity, one column per attribute, empty ones too."""
    wanted = ", ".join(f"'{attribute}'" for attribute in attributes)
    return (
        f"(FROM (SELECT entity_id, {_WIDE_COLUMN} AS name, {value} "
        "FROM winners JOIN dim_attribute USING (attribute_id)) "
        f"PIVOT (any_value({value}) FOR name IN ({wanted}) GROUP BY entity_id))"
    )
