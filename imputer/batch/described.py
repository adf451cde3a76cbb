"""Questions about descriptions: what a model is told of a job title, family or function, and what its words rest on.

A description stays within boundary words: the definition of the unit group, the labels of its profiles and its example
titles; of families and functions the job titles, families and unit groups that they are made of. Their names are told
in both languages, so that either text speaks as the NOC does. What is told goes into the evidence, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from rapidfuzz import fuzz

from imputer.batch.lines import Question
from imputer.tiers.descriptions import DESCRIPTION
from imputer.tiers.hierarchical import UNIT_GROUP_ONLY
from imputer.tiers.llm import SUBJECT_SQL

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from imputer.batch.contracts import Contract
    from imputer.finished import FinishedRun

    Rows = list[dict[str, Any]]

#: Section of prompts.toml with the instructions for descriptions.
INSTRUCTIONS = "description"
#: System and domain of descriptions.
TOPIC = (DESCRIPTION.system, DESCRIPTION.domain)

_TOGETHER = 500
_MOST_EXAMPLES = 12
_MOST_CANDIDATES = 5
_MOST_TITLES = 30
_MOST_UNIT_GROUPS = 15
_LANGUAGES = {"en": "English", "fr": "French"}
_OFFICIAL = {"AUTHORITATIVE": "from an authoritative source", "ONET": "from O*NET"}

_TITLES = """
SELECT d.job_title_id AS entity_id, d.title_en AS name_en, d.title_fr AS name_fr,
    f.name_en AS function_en, f.name_fr AS function_fr, m.name_en AS family_en, m.name_fr AS family_fr,
    d.managerial_level_en, d.managerial_level_fr, w.unit_group, w.profile, w.resolution_method, r.candidates
FROM dim_job_title d
LEFT JOIN dim_job_function f USING (job_function_id)
LEFT JOIN dim_job_family m ON m.job_family_id = d.job_family_id
LEFT JOIN job_titles_wide w USING (job_title_id)
LEFT JOIN job_title_noc r USING (job_title_id)
WHERE list_contains($wanted, d.job_title_id)
"""
_SUBJECTS = f"""
SELECT entity_id, {SUBJECT_SQL} AS subject
FROM dim_entity LEFT JOIN job_titles_wide ON job_title_id = entity_id WHERE list_contains($wanted, entity_id)
"""
_CLASSES = "SELECT code, title_en, title_fr, definition_en, definition_fr FROM dim_noc WHERE level = 5"
_PROFILES = (
    "SELECT profile, unit_group, label_en FROM dim_oasis_profile WHERE list_contains($groups, unit_group) ORDER BY ALL"
)
_EXAMPLES = """
SELECT unit_group, language, title, profile FROM dim_example_title
WHERE list_contains($groups, unit_group) ORDER BY ALL
"""
_KNOWN = """
SELECT entity_id, language, source_type, value_text, statement_id FROM attribute_values
WHERE attribute_id = $attribute AND source_type IN ('AUTHORITATIVE', 'ONET') AND list_contains($wanted, entity_id)
ORDER BY entity_id, language
"""
_FAMILIES = """
SELECT m.job_family_id AS entity_id, m.name_en, m.name_fr, f.name_en AS function_en, f.name_fr AS function_fr
FROM dim_job_family m LEFT JOIN dim_job_function f USING (job_function_id)
WHERE list_contains($wanted, m.job_family_id)
"""
_FUNCTIONS = """
SELECT job_function_id AS entity_id, name_en, name_fr FROM dim_job_function
WHERE list_contains($wanted, job_function_id)
"""
_FAMILIES_OF = """
SELECT job_function_id AS entity_id, name_en, name_fr, job_titles FROM dim_job_family
WHERE list_contains($wanted, job_function_id) ORDER BY job_titles DESC, name_en
"""
_TITLES_OF = """
SELECT {column} AS entity_id, d.title_en AS name_en, d.title_fr AS name_fr, w.unit_group
FROM dim_job_title d LEFT JOIN job_titles_wide w USING (job_title_id)
WHERE list_contains($wanted, {column}) ORDER BY d.title_en, d.job_title_id
"""


def description_questions(
    run: FinishedRun, asked: Rows, hidden: Collection[str], contract_of: Callable[[list[str]], Contract]
) -> Iterator[Question]:
    """One question per entity in ``asked`` (entity_type, entity_id, cells), which asks all languages that it lacks.

    Of ``hidden`` entities no description is told. ``contract_of`` gives the contract of a list of cells.
    """
    classes = {row["code"]: row for row in run.rows(_CLASSES)}
    about = {"job_title": _about_titles, "job_family": _about_families, "job_function": _about_functions}
    for start in range(0, len(asked), _TOGETHER):
        some = asked[start : start + _TOGETHER]
        told: dict[str, tuple[list[str], dict[str, Any]]] = {}
        for kind, tell in about.items():
            wanted = [row["entity_id"] for row in some if row["entity_type"] == kind]
            if wanted:
                told |= tell(run, wanted, classes)
        known = _known(run, some, hidden)
        subjects = _subjects(run, some)
        for row in some:
            lines, rests_on = told[row["entity_id"]]
            contract = contract_of(row["cells"])
            languages = {cell.language for cell in contract.cells}
            for one in known.get(row["entity_id"], []):
                if one["language"] not in languages:
                    lines.append(
                        f"Its description in {_LANGUAGES[one['language']]}, {_OFFICIAL[one['source_type']]}: "
                        f"{_plain(one['value_text'])}"
                    )
                    rests_on[f"description_{one['language']}"] = one["value_text"]
                    rests_on["description_source"] = one["source_type"]
                    rests_on["statement"] = one["statement_id"]
            resting = orjson.dumps(rests_on, option=orjson.OPT_SORT_KEYS).decode()
            subject = subjects[row["entity_id"]]
            yield Question(contract, row["entity_type"], row["entity_id"], "\n".join(lines), resting, subject)


def _subjects(run: FinishedRun, asked: Rows) -> dict[str, str]:
    rows = run.rows(_SUBJECTS, {"wanted": [row["entity_id"] for row in asked]})
    return {row["entity_id"]: row["subject"] for row in rows}


def _about_titles(
    run: FinishedRun, wanted: list[str], classes: dict[str, dict[str, Any]]
) -> dict[str, tuple[list[str], dict[str, Any]]]:
    rows = run.rows(_TITLES, {"wanted": wanted})
    groups = {"groups": sorted({row["unit_group"] for row in rows if row["unit_group"]})}
    profiles, examples = _grouped(run.rows(_PROFILES, groups)), _grouped(run.rows(_EXAMPLES, groups))
    told = {}
    for row in rows:
        lines = [f"Job title: {_plain(row['name_en'])}"]
        if row["name_fr"]:
            lines.append(f"Job title in French: {_plain(row['name_fr'])}")
        lines += _placed(row, "Job function", "function") + _placed(row, "Job family", "family")
        lines += _placed(row, "Managerial level", "managerial_level")
        rests_on = {"title_en": row["name_en"], "title_fr": row["name_fr"]}
        for name, key in (("function", "job_function"), ("family", "job_family"), ("managerial_level",) * 2):
            rests_on |= _names(row, name, key)
        if row["unit_group"]:
            own = profiles.get(row["unit_group"], [])
            lines += _bounded(row, classes[row["unit_group"]], own, examples.get(row["unit_group"], []), rests_on)
        else:
            lines += _undecided(row, classes, rests_on)
        told[row["entity_id"]] = (lines, rests_on)
    return told


def _bounded(
    job: dict[str, Any], group: dict[str, Any], profiles: Rows, examples: Rows, rests_on: dict[str, Any]
) -> list[str]:
    """The boundary words of a unit group; adds them to ``rests_on``."""
    settled = len(profiles) == 1 or (job["profile"] and job["resolution_method"] not in UNIT_GROUP_ONLY)
    labels = {one["profile"]: one["label_en"] for one in profiles}
    rests_on |= {"unit_group": group["code"], "unit_group_title_en": group["title_en"]}
    rests_on |= {"unit_group_title_fr": group["title_fr"]}
    lines = [f"Unit group (NOC 2021): {group['code']} {_both(group['title_en'], group['title_fr'])}"]
    for code, language in _LANGUAGES.items():
        if definition := group[f"definition_{code}"]:
            lines.append(f"Definition of the unit group in {language}: {_plain(definition)}")
            rests_on[f"definition_{code}"] = definition
    if settled and job["profile"] in labels:
        lines.append(f"OaSIS profile of the job: {_plain(labels[job['profile']])}")
        rests_on["profiles"] = [f"{job['profile']} {labels[job['profile']]}"]
    elif labels:
        lines.append(f"OaSIS profiles of the unit group, none of them settled: {'; '.join(labels.values())}")
        rests_on["profiles"] = [f"{profile} {label}" for profile, label in labels.items()]
    for code, language in _LANGUAGES.items():
        own = [one for one in examples if one["language"] == code]
        if titles := _nearest(job[f"name_{code}"] or "", own, job["profile"] if settled else None):
            lines.append(f"Example titles of the unit group in {language}: {'; '.join(titles)}")
            rests_on[f"example_titles_{code}"] = titles
    return lines


def _undecided(job: dict[str, Any], classes: dict[str, dict[str, Any]], rests_on: dict[str, Any]) -> list[str]:
    candidates = (job["candidates"] or [])[:_MOST_CANDIDATES]
    if not candidates:
        return ["Unit group (NOC 2021): not settled"]
    lines = ["Unit group (NOC 2021) not settled; candidates with their scores:"]
    for one in candidates:
        group = classes[one["unit_group"]]
        lines.append(f"- {group['code']} {_both(group['title_en'], group['title_fr'])} ({one['score']:.2f})")
        if group["definition_en"]:
            lines.append(f"  {_plain(group['definition_en'])}")
    rests_on["candidates"] = [
        _titled(classes[one["unit_group"]])
        | {"definition_en": classes[one["unit_group"]]["definition_en"], "score": round(one["score"], 2)}
        for one in candidates
    ]
    return lines


def _about_families(
    run: FinishedRun, wanted: list[str], classes: dict[str, dict[str, Any]]
) -> dict[str, tuple[list[str], dict[str, Any]]]:
    given = {"wanted": wanted}
    titles = _grouped(run.rows(_TITLES_OF.format(column="d.job_family_id"), given), "entity_id")
    told = {}
    for row in run.rows(_FAMILIES, given):
        own = titles.get(row["entity_id"], [])
        shown = _spread(own, _MOST_TITLES)
        lines = [f"Job family: {_both(row['name_en'], row['name_fr'])}", *_placed(row, "Job function", "function")]
        few = f", {len(shown)} of them shown" if len(shown) < len(own) else ""
        lines.append(f"Job titles of the family ({len(own)}{few}), with their unit groups:")
        lines += [f"- {_both(one['name_en'], one['name_fr'])} ({one['unit_group'] or 'not settled'})" for one in shown]
        groups, of_groups = _unit_groups(own, classes)
        listed = [
            {"title_en": one["name_en"], "title_fr": one["name_fr"], "unit_group": one["unit_group"]} for one in shown
        ]
        rests_on: dict[str, Any] = _names(row, "name", "name") | _names(row, "function", "job_function")
        rests_on |= {"job_titles": listed, "job_titles_in_all": len(own)} | of_groups
        told[row["entity_id"]] = ([*lines, *groups], rests_on)
    return told


def _about_functions(
    run: FinishedRun, wanted: list[str], classes: dict[str, dict[str, Any]]
) -> dict[str, tuple[list[str], dict[str, Any]]]:
    given = {"wanted": wanted}
    titles = _grouped(run.rows(_TITLES_OF.format(column="d.job_function_id"), given), "entity_id")
    families = _grouped(run.rows(_FAMILIES_OF, given), "entity_id")
    told = {}
    for row in run.rows(_FUNCTIONS, given):
        parts = families.get(row["entity_id"], [])
        lines = [f"Job function: {_both(row['name_en'], row['name_fr'])}"]
        lines.append(f"Job families of the function ({len(parts)}), with how many job titles each has:")
        lines += [f"- {_both(one['name_en'], one['name_fr'])}: {one['job_titles']}" for one in parts]
        groups, of_groups = _unit_groups(titles.get(row["entity_id"], []), classes)
        listed = [{name: one[name] for name in ("name_en", "name_fr", "job_titles")} for one in parts]
        rests_on = _names(row, "name", "name") | of_groups
        rests_on |= {"job_families": listed, "job_families_in_all": len(parts)}
        told[row["entity_id"]] = ([*lines, *groups], rests_on)
    return told


def _unit_groups(titles: Rows, classes: dict[str, dict[str, Any]]) -> tuple[list[str], dict[str, Any]]:
    """The unit groups of most job titles: the lines that tell them, and what those rest on."""
    counts: dict[str, int] = {}
    for one in titles:
        if one["unit_group"]:
            counts[one["unit_group"]] = counts.get(one["unit_group"], 0) + 1
    codes = sorted(counts, key=lambda code: (-counts[code], code))[:_MOST_UNIT_GROUPS]
    if not codes:
        return [], {}
    few = f", the {len(codes)} of most job titles" if len(codes) < len(counts) else ""
    lines = [f"Unit groups (NOC 2021) of its job titles ({len(counts)}{few}), with how many are in each:"]
    lines += [
        f"- {code} {_both(classes[code]['title_en'], classes[code]['title_fr'])}: {counts[code]}" for code in codes
    ]
    listed = [_titled(classes[code]) | {"job_titles": counts[code]} for code in codes]
    return lines, {"noc_unit_groups": listed, "noc_unit_groups_in_all": len(counts)}


def _known(run: FinishedRun, some: Rows, hidden: Collection[str]) -> dict[str, Rows]:
    wanted = [row["entity_id"] for row in some if row["entity_id"] not in hidden]
    return _grouped(run.rows(_KNOWN, {"attribute": DESCRIPTION.attribute_id, "wanted": wanted}), "entity_id")


def _nearest(name: str, examples: Rows, profile: str | None) -> list[str]:
    """Example titles for a job, those that are most like its title first, each once.

    Where the job has a ``profile``, its own ones come before those of the unit group; other profiles' are none.
    """
    ranked = sorted(
        (one for one in examples if None in (profile, one["profile"]) or one["profile"] == profile),
        key=lambda one: (
            one["profile"] != profile,
            -fuzz.token_sort_ratio(name.casefold(), one["title"].casefold()),
            one["title"],
        ),
    )
    titles = {one["title"].casefold(): _plain(one["title"]) for one in reversed(ranked)}
    order = dict.fromkeys(one["title"].casefold() for one in ranked)
    return [titles[name] for name in order][:_MOST_EXAMPLES]


def _spread(rows: Rows, most: int) -> Rows:
    """At most so many, evenly from the whole list."""
    return rows if len(rows) <= most else [rows[place * len(rows) // most] for place in range(most)]


def _grouped(rows: Rows, key: str = "unit_group") -> dict[str, Rows]:
    found: dict[str, Rows] = {}
    for row in rows:
        found.setdefault(row[key], []).append(row)
    return found


def _placed(row: dict[str, Any], label: str, name: str) -> list[str]:
    english, french = row[f"{name}_en"], row[f"{name}_fr"]
    return [f"{label}: {_both(english, french)}"] if english else []


def _names(row: dict[str, Any], name: str, key: str) -> dict[str, str]:
    """A name in the languages that it has, by language of ``key``."""
    return {
        f"{key}_{code}": row[f"{name}_{code}"] for code in _LANGUAGES if row[f"{name}_en"] and row[f"{name}_{code}"]
    }


def _titled(group: dict[str, Any]) -> dict[str, str]:
    """A unit group with its titles."""
    return {"unit_group": group["code"], "title_en": group["title_en"], "title_fr": group["title_fr"]}


def _both(english: str, french: str | None) -> str:
    """A name in both languages."""
    return f"{_plain(english)} / {_plain(french)}" if french and french != english else _plain(english)


def _plain(text: str) -> str:
    """A text on one line."""
    return " ".join(str(text).split())
