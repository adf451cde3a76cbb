"""Resolution on the real files: what users of the earlier system met, and the facts that hold for these inputs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from imputer.errors import WrongUsage
from imputer.resolution import Resolver
from imputer.resolution.miscodings import suspected_miscodings
from imputer.resolution.tables import job_title_noc, job_title_requests
from imputer.sources import read_inputs
from schemas.table import load_table
from schemas.validation import violations

if TYPE_CHECKING:
    from pathlib import Path

    from imputer.resolution import Resolution
    from imputer.sources import Inputs


@pytest.fixture(scope="module")
def inputs(shared_data: Path) -> Inputs:
    return read_inputs(shared_data, onet=False)


@pytest.fixture(scope="module")
def resolver(inputs: Inputs) -> Resolver:
    return resolver_with(inputs, inputs.job_titles)


def resolver_with(inputs: Inputs, job_titles: pa.Table | None) -> Resolver:
    return Resolver.build(
        inputs.noc_classes,
        inputs.noc_example_titles,
        inputs.oasis_profiles,
        inputs.oasis_example_titles,
        inputs.oasis_texts,
        job_titles,
    )


@pytest.fixture(scope="module")
def resolved(resolver: Resolver, inputs: Inputs) -> list[Resolution]:
    return resolver.resolve_many(job_title_requests(inputs.job_titles))


def test_counts_of_example_titles_and_profiles(inputs: Inputs, resolver: Resolver) -> None:
    kinds = Counter(inputs.oasis_example_titles["kind"].to_pylist())
    assert kinds == {"Index": 14_235, "Example": 4_279, "Inclusion": 152}
    sizes = Counter(len(profiles) for profiles in resolver.profiles.of.values())
    assert sizes[1] == 332
    assert sum(count for size, count in sizes.items() if size > 1) == 184
    assert max(sizes) == 14
    several = {unit_group for unit_group, profiles in resolver.profiles.of.items() if len(profiles) > 1}
    assert sum(code in several for code in inputs.oasis_example_titles["unit_group"].to_pylist()) == 3_065
    # Of the full Job Architecture 626 titles lie in such unit groups; of this extract, 503 of 1,548 coded ones.
    assert sum(code in several for code in inputs.job_titles["unit_group"].to_pylist()) == 503


def test_the_name_of_one_profile_is_resolved_to_that_profile(resolver: Resolver) -> None:
    found = resolver.resolve("Insurance managers", "10020")
    assert (found.profile, found.method, found.confidence) == ("10020.01", "DIRECT_MATCH", 1.0)
    assert found.runner_up != found.profile
    assert found.tied == ()


@pytest.mark.parametrize("title", ["Graphic Designer", "graphic designers", "GRAPHIC DESIGNER", "Designer, Graphic"])
def test_direct_match_whatever_number_case_and_order(resolver: Resolver, title: str) -> None:
    found = resolver.resolve(title, "52120")
    assert (found.profile, found.method) == ("52120.01", "DIRECT_MATCH")


def test_methods_on_the_extract(resolved: list[Resolution]) -> None:
    methods = Counter(found.method for found in resolved)
    assert methods["DIRECT_MATCH"] == 125
    assert methods["EXAMPLE_MATCH"] == 317
    assert sum(methods.values()) == 1_616


def test_exact_example_titles_are_told_as_such_in_unit_groups_with_one_profile(
    inputs: Inputs, resolved: list[Resolution], resolver: Resolver
) -> None:
    titles: dict[str, set[str]] = {}
    for row in inputs.oasis_example_titles.to_pylist():
        titles.setdefault(row["unit_group"], set()).add(row["title"].casefold())
    single = [
        found
        for found in resolved
        if found.unit_group
        and found.method != "INFERRED"
        and len(resolver.profiles.of[found.unit_group]) == 1
        and found.title.casefold() in titles[found.unit_group]
    ]
    # 260 on the full Job Architecture.
    assert len(single) == 218
    assert {found.method for found in single} <= {"DIRECT_MATCH", "EXAMPLE_MATCH"}
    assert min(found.confidence for found in single) == 0.95


@pytest.mark.parametrize("unit_group", ["10010", "41210", "13110"])
def test_nonsense_is_not_given_the_confidence_of_a_dominant_profile(resolver: Resolver, unit_group: str) -> None:
    found = resolver.resolve("Xqzt blorf", unit_group)
    assert (found.method, found.confidence, found.confidence_calibrated) == ("UG_IMPUTATION", 0.40, None)
    assert found.profile == f"{unit_group}.00"
    assert "in doubt" in found.rationale


@pytest.mark.parametrize(
    ("title", "unit_group", "never"),
    [("Periodontist", "31110", "31110.04"), ("Boating Instructor", "43109", "43109.03")],
)
def test_false_likeness_settles_no_profile(resolver: Resolver, title: str, unit_group: str, never: str) -> None:
    found = resolver.resolve(title, unit_group)
    assert found.profile != never
    assert found.method == "UG_IMPUTATION"


def test_the_best_profile_is_kept_whatever_the_order_of_the_file(inputs: Inputs) -> None:
    backwards = inputs.oasis_profiles.take(list(range(inputs.oasis_profiles.num_rows - 1, -1, -1)))
    turned = Resolver.build(
        inputs.noc_classes,
        inputs.noc_example_titles,
        backwards,
        inputs.oasis_example_titles,
        inputs.oasis_texts,
    )
    straight = resolver_with(inputs, None)
    for title, unit_group in (("Periodontist", "31110"), ("Yacht skipper", "53200"), ("Physics Technician", "21100")):
        assert turned.resolve(title, unit_group) == straight.resolve(title, unit_group)


def test_ties_are_reported(inputs: Inputs) -> None:
    doubled = inputs.oasis_example_titles.slice(0, 2).to_pylist()
    doubled[0] |= {"profile": "10020.01", "unit_group": "10020", "title": "risk desk lead"}
    doubled[1] |= {"profile": "10020.02", "unit_group": "10020", "title": "Risk-desk leads"}
    titles = pa.concat_tables(
        [inputs.oasis_example_titles, pa.Table.from_pylist(doubled, schema=inputs.oasis_example_titles.schema)]
    )
    resolver = Resolver.build(inputs.noc_classes, inputs.noc_example_titles, inputs.oasis_profiles, titles)
    found = resolver.resolve("Risk desk lead", "10020", "en")
    assert found.method == "EXAMPLE_MATCH"
    assert {found.profile, *found.tied} == {"10020.01", "10020.02"}
    assert "as good" in found.rationale


def test_a_rebuilt_resolver_knows_nothing_of_the_one_before(inputs: Inputs) -> None:
    before = resolver_with(inputs, None).resolve("Graphic Designer", "52120")
    rows = inputs.oasis_profiles.to_pylist()
    renamed = [row | {"label": "Something else"} if row["profile"] == "52120.01" else row for row in rows]
    profiles = pa.Table.from_pylist(renamed, schema=inputs.oasis_profiles.schema)
    after = Resolver.build(
        inputs.noc_classes, inputs.noc_example_titles, profiles, inputs.oasis_example_titles, inputs.oasis_texts
    ).resolve("Graphic Designer", "52120")
    assert before.method == "DIRECT_MATCH"
    assert after.method != "DIRECT_MATCH"


def test_uncoded_titles_get_candidates_and_stay_uncertain(resolved: list[Resolution], inputs: Inputs) -> None:
    uncoded = [
        found for found, code in zip(resolved, inputs.job_titles["unit_group"].to_pylist(), strict=True) if not code
    ]
    assert len(uncoded) == 68
    assert all(len(found.candidates) == 5 for found in uncoded)
    assert sum(found.method == "ABSTAINED" for found in uncoded) >= 50
    for found in uncoded:
        assert (found.unit_group is None) == (found.method == "ABSTAINED")


def test_candidates_come_best_first_with_probabilities(resolved: list[Resolution]) -> None:
    for found in resolved:
        scores = [one.score for one in found.candidates]
        assert scores == sorted(scores, reverse=True)
        assert all(0 <= score <= 1 for score in scores)
        assert len({one.unit_group for one in found.candidates}) == 5


def test_without_a_unit_group_a_known_title_finds_its_own(resolver: Resolver) -> None:
    assert resolver.resolve("Graphic Designer").unit_group == "52120"
    assert resolver.resolve("Sewing instructor").profile == "43109.03"
    assert resolver.resolve("Xqzt blorf").method == "ABSTAINED"
    assert resolver.resolve("").method == "ABSTAINED"


@pytest.mark.parametrize(
    "title", ["Adjoint(e) administratif(ive)", "Adjointe administrative", "adjoints administratifs"]
)
def test_french_titles_match_french_example_titles(resolver: Resolver, title: str) -> None:
    found = resolver.resolve(title, language="fr")
    assert (found.unit_group, found.profile, found.method) == ("13110", "13110.00", "INFERRED")
    given = resolver.resolve(title, "13110", "fr")
    assert (given.method, given.confidence) == ("EXAMPLE_MATCH", 0.95)
    assert given.matched_text is not None
    assert "djoint" in given.matched_text


def test_miscodings_are_listed_and_never_changed(
    resolver: Resolver, inputs: Inputs, resolved: list[Resolution]
) -> None:
    found = suspected_miscodings(resolver, inputs.job_titles, resolved)
    by_title = {row["title"]: row for row in found.to_pylist()}
    officer = by_title["Economic Development Officer"]
    assert (officer["coded_unit_group"], officer["suggested_unit_group"]) == ("11202", "41402")
    coded = dict(
        zip(inputs.job_titles["job_title_id"].to_pylist(), inputs.job_titles["unit_group"].to_pylist(), strict=True)
    )
    kept = job_title_noc(inputs.job_titles, resolved).to_pylist()
    assert all(row["unit_group"] == coded[row["job_title_id"]] for row in kept if coded[row["job_title_id"]])


def test_published_rows_hold_to_their_schemas(resolver: Resolver, inputs: Inputs, resolved: list[Resolution]) -> None:
    for name, table in (
        ("job_title_noc", job_title_noc(inputs.job_titles, resolved)),
        ("suspected_miscodings", suspected_miscodings(resolver, inputs.job_titles, resolved)),
    ):
        declared = load_table("wiq", name)
        assert [violations(declared, row) for row in table.to_pylist()] == [[]] * table.num_rows
        ids = table["job_title_id"].to_pylist()
        assert len(ids) == len(set(ids))


def test_a_bad_unit_group_or_language_is_wrong_usage(resolver: Resolver) -> None:
    with pytest.raises(WrongUsage, match="99999"):
        resolver.resolve("Clerk", "99999")
    with pytest.raises(WrongUsage, match="de"):
        resolver.resolve("Clerk", language="de")


def test_answers_do_not_depend_on_company(resolver: Resolver, inputs: Inputs, resolved: list[Resolution]) -> None:
    requests = job_title_requests(inputs.job_titles)
    for row in (0, 700, 1_600):
        alone = resolver.resolve_many([requests[row]])[0]
        assert (alone.profile, alone.method, alone.unit_group) == (
            resolved[row].profile,
            resolved[row].method,
            resolved[row].unit_group,
        )
