"""What is asked: the gaps of a finished run, one question per entity, system and domain, each with its context.

A question tells the titles, function, family and managerial level of a job, its unit group or the candidates for it,
what higher sources say of it, and the values of the jobs most like it. Values that a model gave are no context: a
question must not change because another was answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from imputer.batch.contracts import attribute_contract
from imputer.batch.described import INSTRUCTIONS, TOPIC, description_questions
from imputer.batch.lines import Question
from imputer.neighbours import Neighbours
from imputer.tiers.llm import subject_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from imputer.batch.contracts import Contract
    from imputer.finished import FinishedRun

_NEIGHBOURS = 3
_TITLES_TOGETHER = 500
_LONGEST_TEXT = 300  # characters of one text in a context
_MOST_KNOWN = 60
# What tells where in the NOC a job is.
_PLACE = ("unit_group", "unit_group_title", "definition", "candidates", "profile_label")
# Domains that help to answer any other.
_TELLING = ("lead_statement", "main_duties", "job_zone")

# Values that may be told to a model.
_CONTEXT_SOURCES = "('AUTHORITATIVE', 'ONET')"
#: The cells that no source fills; the mean of similar job titles does not count as filled.
MISSING = """(
    SELECT entity_type, entity_id, attribute_id, language FROM gaps
    UNION ALL SELECT entity_type, entity_id, attribute_id, language FROM attribute_values
    WHERE source_type = 'NEIGHBOURS'
)"""

_TOPICS = """
SELECT system, a.domain, count(*) AS n FROM {cells} c JOIN dim_attribute a USING (attribute_id)
WHERE ($domain IS NULL OR a.domain = $domain) GROUP BY ALL ORDER BY ALL
"""
_ASKED = """
SELECT entity_type, entity_id, list(attribute_id || ' ' || language ORDER BY attribute_id, language) AS cells
FROM {cells} c JOIN dim_attribute a USING (attribute_id)
WHERE system = $system AND a.domain = $domain GROUP BY ALL ORDER BY entity_id
"""
# Known by most of what its domain holds.
_KNOWN = f"""
SELECT entity_id FROM attribute_values v JOIN dim_attribute a USING (attribute_id)
WHERE system = $system AND a.domain = $domain AND imputable AND source_type IN {_CONTEXT_SOURCES}
GROUP BY entity_id
HAVING 2 * count(DISTINCT attribute_id) >= (
    SELECT count(*) FROM dim_attribute WHERE system = $system AND domain = $domain AND imputable AND current
) ORDER BY entity_id
"""
_ENTITIES = """
SELECT e.entity_id, e.name_en, e.name_fr, f.name_en AS job_function, m.name_en AS job_family,
    t.managerial_level_en AS managerial_level, w.unit_group, n.title_en AS unit_group_title,
    n.definition_en AS definition, w.profile, p.label_en AS profile_label, {candidates} AS candidates
FROM dim_entity e
LEFT JOIN dim_job_title t ON t.job_title_id = e.entity_id
LEFT JOIN dim_job_function f ON f.job_function_id = t.job_function_id
LEFT JOIN dim_job_family m ON m.job_family_id = t.job_family_id
LEFT JOIN job_titles_wide w ON w.job_title_id = e.entity_id
LEFT JOIN dim_noc n ON n.code = w.unit_group
LEFT JOIN dim_oasis_profile p ON p.profile = w.profile
{join}
WHERE list_contains($wanted, e.entity_id)
"""
_VALUES = f"""
SELECT entity_id, attribute_id, v.language, coalesce(value_text, format('{{:g}}', value_number)) AS value,
    a.name_en AS label, a.system, a.domain
FROM attribute_values v JOIN dim_attribute a USING (attribute_id)
WHERE source_type IN {_CONTEXT_SOURCES} AND list_contains($wanted, entity_id)
    AND (a.domain = $domain OR list_contains($telling, a.domain))
ORDER BY entity_id, attribute_id, v.language
"""


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked and what is not.

    ``cells`` is a table, view or query in brackets of the run's connection with entity_type, entity_id, attribute_id
    and language. ``hidden`` entities are never examples, and their values are not told; of ``untold`` ones neither is
    unit group nor profile, as if they were not settled. ``domain`` None asks all domains. ``purpose`` is the section of
    prompts.toml.
    """

    cells: str = MISSING
    hidden: frozenset[str] = frozenset()
    untold: frozenset[str] = frozenset()
    domain: str | None = None
    purpose: str = "impute"


def questions_of(run: FinishedRun, asking: Asking | None = None) -> Iterator[Question]:
    """The questions of a run, topic by topic, in the order of entities; every cell is in exactly one of them."""
    asking = asking or Asking()
    attributes = {row["attribute_id"]: row for row in run.rows("SELECT * FROM dim_attribute")}
    titles = {row["entity_id"]: row["name_en"] for row in run.rows("SELECT entity_id, name_en FROM dim_entity")}
    groups = {
        row["job_title_id"]: row["unit_group"]
        for row in run.rows("SELECT job_title_id, unit_group FROM job_titles_wide")
    }
    contracts: dict[tuple[str, ...], Contract] = {}

    def contract_of(cells: list[str], instructions: str = asking.purpose) -> Contract:
        names = tuple(cells)
        if names not in contracts:
            rows = [attributes[key] | {"language": language} for key, language in map(str.split, names)]
            contracts[names] = attribute_contract(rows, instructions)
        return contracts[names]

    for topic in run.rows(_TOPICS.format(cells=asking.cells), {"domain": asking.domain}):
        where = {"system": topic["system"], "domain": topic["domain"]}
        asked = run.rows(_ASKED.format(cells=asking.cells), where)
        if (topic["system"], topic["domain"]) == TOPIC:
            yield from description_questions(run, asked, asking.hidden, lambda cells: contract_of(cells, INSTRUCTIONS))
            continue
        known = [row["entity_id"] for row in run.rows(_KNOWN, where) if row["entity_id"] not in asking.hidden]
        neighbours = Neighbours(titles, known, groups)
        for start in range(0, len(asked), _TITLES_TOGETHER):
            some = asked[start : start + _TITLES_TOGETHER]
            near = neighbours.of([row["entity_id"] for row in some], _NEIGHBOURS)
            told = _Told(run, topic["system"], topic["domain"], near, asking.hidden)
            told.forget(asking.untold)
            for row in some:
                contract = contract_of(row["cells"])
                text = told.about(row["entity_id"], contract, near[row["entity_id"]])
                subject = told.subject(row["entity_id"])
                yield Question(contract, row["entity_type"], row["entity_id"], text, subject=subject)


class _Told:
    """What is known of some entities and their neighbours, and how it is told."""

    def __init__(
        self, run: FinishedRun, system: str, domain: str, near: dict[str, list[str]], hidden: Collection[str]
    ) -> None:
        wanted = sorted({*near, *(other for others in near.values() for other in others)})
        self._system, self._domain, self._hidden = system, domain, hidden
        resolved = "job_title_noc" in run.tables
        query = _ENTITIES.format(
            candidates="r.candidates" if resolved else "NULL",
            join="LEFT JOIN job_title_noc r ON r.job_title_id = e.entity_id" if resolved else "",
        )
        self._entities = {row["entity_id"]: row for row in run.rows(query, {"wanted": wanted})}
        self._unit_groups = {row["code"]: row["title_en"] for row in run.rows("SELECT code, title_en FROM dim_noc")}
        self._values: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}
        given = {"wanted": wanted, "domain": domain, "telling": list(_TELLING)}
        for row in run.rows(_VALUES, given):
            self._values.setdefault(row["entity_id"], {})[row["attribute_id"], row["language"]] = row

    def forget(self, entities: Collection[str]) -> None:
        """Tell of these neither unit group, nor candidates for it, nor profile."""
        for entity_id in entities:
            if entity_id in self._entities:
                self._entities[entity_id] |= dict.fromkeys(_PLACE)

    def subject(self, entity_id: str) -> str:
        """What one question is about, as resolved now."""
        job = self._entities[entity_id]
        return subject_of(job["name_en"], job["unit_group"], job["profile"])

    def about(self, entity_id: str, contract: Contract, near: list[str]) -> str:
        """The text of one question."""
        lines = [*self._job(self._entities[entity_id]), *self._known(entity_id, contract)]
        return "\n".join([*lines, *self._examples(contract, near)])

    def _job(self, job: dict[str, Any]) -> Iterator[str]:
        yield f"Job title: {_flat(job['name_en'])}"
        named = {
            "Job title in French": job["name_fr"],
            "Job function": job["job_function"],
            "Job family": job["job_family"],
            "Managerial level": job["managerial_level"],
        }
        yield from (f"{name}: {_flat(value)}" for name, value in named.items() if value)
        if job["unit_group"]:
            yield f"Unit group (NOC 2021): {job['unit_group']} {_flat(job['unit_group_title'])}"
            if job["definition"]:
                yield f"Definition of the unit group: {_flat(job['definition'])}"
        elif job["candidates"]:
            yield "Unit group (NOC 2021) not settled; candidates with their scores:"
            for one in job["candidates"][:5]:
                title = self._unit_groups.get(one["unit_group"], "")
                yield f"- {one['unit_group']} {_flat(title)} ({one['score']:.2f})"
        if job["profile_label"]:
            yield f"OaSIS profile: {_flat(job['profile_label'])}"

    def _known(self, entity_id: str, contract: Contract) -> Iterator[str]:
        if entity_id in self._hidden:
            return
        asked = {(cell.attribute_id, cell.language) for cell in contract.cells}
        known = [row for key, row in self._values.get(entity_id, {}).items() if key not in asked]
        # The texts first: they tell most, and there are few.
        known.sort(key=lambda row: (row["domain"] == self._domain, row["attribute_id"]))
        if known:
            yield "Known of this job:"
            yield from (f"- {row['label']}: {_flat(row['value'])}" for row in known[:_MOST_KNOWN])

    def _examples(self, contract: Contract, near: list[str]) -> Iterator[str]:
        if not near:
            return
        yield "Jobs with a similar title whose values are known:"
        letters = "ABCDEFGH"[: len(near)]
        for letter, other in zip(letters, near, strict=True):
            job = self._entities[other]
            group = f", {_flat(job['unit_group_title'])}" if job["unit_group_title"] else ""
            yield f"{letter}. {_flat(job['name_en'])}{group}"
        yield f"Their values, in the order {', '.join(letters)}:"
        for cell in contract.cells:
            rows = [self._values.get(other, {}).get((cell.attribute_id, cell.language)) for other in near]
            if any(rows):
                yield f"- {cell.name}: {' | '.join(_flat(row['value']) if row else '?' for row in rows)}"


def _flat(text: str) -> str:
    """A text on one line, not too long: it is data inside a list."""
    plain = " ".join(str(text).split())
    return plain if len(plain) <= _LONGEST_TEXT else plain[: _LONGEST_TEXT - 1] + "…"
