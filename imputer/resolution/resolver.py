"""The whole question answered: unit group given or inferred, then the profile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imputer.errors import WrongUsage
from imputer.resolution.answer import (
    ABSTAINED,
    CANDIDATES,
    INFERRED,
    SETTLED,
    STATED,
    Candidate,
    Request,
    Resolution,
)
from imputer.resolution.coded import coded_titles as gather_coded
from imputer.resolution.coded import context_numbers
from imputer.resolution.corpus import LANGUAGES, build_corpora
from imputer.resolution.evidence import Evidence, Questions
from imputer.resolution.fitted import Fitted, read_fitted
from imputer.resolution.normalise import normalise
from imputer.resolution.profiles import Profiles
from imputer.resolution.unit_groups import BATCH, MODES, Ranking, mode_of, rank, together
from imputer.resolution.within import Chosen, Spelled, choose

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Self

    import pyarrow as pa

    from imputer.resolution.coded import Coded
    from imputer.resolution.corpus import Corpus


@dataclass(frozen=True, slots=True)
class Ranked:
    """Unit groups of one title, best first, with probabilities as weighed and as calibrated.

    ``known`` is False where nothing of the title is known; ``setting`` names the curve: «language mode».
    """

    unit_groups: tuple[str, ...]
    weighed: tuple[float, ...]
    calibrated: tuple[float, ...]
    setting: str
    known: bool


class Resolver:
    """Resolves titles against the tables it was built from; holds no file and no cache beyond them."""

    def __init__(
        self, corpora: dict[str, Corpus], evidence: dict[str, Evidence], profiles: Profiles, fitted: Fitted
    ) -> None:
        self.corpora = corpora
        self.evidence = evidence
        self.profiles = profiles
        self.fitted = fitted
        self.unit_groups = corpora["en"].unit_groups
        self.names: dict[str, str] = dict(zip(self.unit_groups, corpora["en"].names, strict=True))
        self._places = {code: place for place, code in enumerate(self.unit_groups)}
        self.coded: Coded = evidence["en"].coded
        self._coded_like: dict[tuple[str, str, int], list[int]] = {}
        for language in LANGUAGES:
            for row, (key, group) in enumerate(zip(self.coded.keys[language], self.coded.groups.tolist(), strict=True)):
                self._coded_like.setdefault((language, key, group), []).append(row)

    @classmethod
    def build(
        cls,
        noc_classes: pa.Table,
        noc_example_titles: pa.Table,
        oasis_profiles: pa.Table,
        oasis_example_titles: pa.Table,
        oasis_texts: pa.Table | None = None,
        coded_titles: pa.Table | None = None,
        *,
        fitted: Fitted | None = None,
    ) -> Self:
        """From the tables that the readers give; ``coded_titles`` are rows of ``job_titles``, uncoded ones unused.

        ``fitted`` defaults to what backtests left beside this module; raises SourceMalformed where that is broken.
        """
        corpora = build_corpora(noc_classes, noc_example_titles, oasis_profiles, oasis_example_titles, oasis_texts)
        coded = gather_coded(coded_titles, corpora["en"].unit_groups)
        evidence = {language: Evidence(corpora[language], coded) for language in LANGUAGES}
        profiles = Profiles(oasis_profiles, oasis_example_titles, oasis_texts, evidence["en"].likeness)
        return cls(corpora, evidence, profiles, fitted or read_fitted())

    def resolve(
        self,
        title: str,
        unit_group: str | None = None,
        language: str | None = None,
        *,
        title_fr: str | None = None,
        job_function: str | None = None,
        job_family: str | None = None,
        managerial_level: str | None = None,
    ) -> Resolution:
        """Resolve one title; see Request. Raises WrongUsage for an unknown unit group or language."""
        request = Request(title, unit_group, language, title_fr, job_function, job_family, managerial_level)
        return self.resolve_many([request])[0]

    def resolve_many(self, requests: Sequence[Request]) -> list[Resolution]:
        """Resolve titles, in their order; raises WrongUsage for an unknown unit group or language."""
        found: list[Resolution] = []
        for start in range(0, len(requests), BATCH):
            found += self._batch(requests[start : start + BATCH])
        return found

    def _batch(self, requests: Sequence[Request]) -> list[Resolution]:
        spelled = [Spelled(self.texts(request)) for request in requests]
        ranked = self.rank(requests, spelled)
        settled = [
            request.unit_group or (one.unit_groups[0] if self._answers(one) else None)
            for request, one in zip(requests, ranked, strict=True)
        ]
        chosen = self.choose(settled, spelled)
        return [
            self._given(request, one, found)
            if request.unit_group
            else self._inferred(request, one, found if unit_group else None)
            for request, one, unit_group, found in zip(requests, ranked, settled, chosen, strict=True)
        ]

    def resolve_table(
        self, table: pa.Table, title: str = "title", language: str | None = None, first_row: int = 1
    ) -> pa.Table:
        """One row per row of ``table``, in order; see tables.RESOLUTIONS and tables.OPTIONAL."""
        from imputer.resolution.tables import resolve_table  # noqa: PLC0415 (tables stands above)

        return resolve_table(self, table, title, language, first_row)

    def texts(self, request: Request) -> dict[str, str]:
        """The title by language; one of no stated language is in the one that knows more of its words."""
        language = (request.language or "").strip().lower()[:2] or self._language(request.title)
        if language not in LANGUAGES:
            raise WrongUsage("unknown language of a title", expected="en or fr", found=repr(request.language))
        if request.unit_group and request.unit_group not in self._places:
            raise WrongUsage(
                "unknown unit group",
                expected="five digits of NOC 2021, as text",
                found=repr(request.unit_group),
                next_step="leave it empty to have it inferred",
            )
        texts = {language: request.title}
        if request.title_fr and request.title_fr.strip():
            texts.setdefault("fr", request.title_fr)
        return texts

    def _language(self, title: str) -> str:
        known = {
            language: sum(
                word in self.evidence[language].likeness.weight_of for word in normalise(title, language).split()
            )
            / max(1, len(normalise(title, language).split()))
            for language in LANGUAGES
        }
        return "fr" if known["fr"] > known["en"] else "en"

    def choose(self, unit_groups: Sequence[str | None], titles: Sequence[Spelled]) -> list[Chosen | None]:
        """The profile of each title within its unit group; None without a unit group."""
        found: list[Chosen | None] = [None] * len(titles)
        rows_of: dict[str, list[int]] = {}
        for row, unit_group in enumerate(unit_groups):
            if unit_group:
                rows_of.setdefault(unit_group, []).append(row)
        for unit_group, rows in rows_of.items():
            asked = [titles[row] for row in rows]
            answers = choose(unit_group, asked, self.profiles, self.corpora, self.fitted.profiles)
            for row, answer in zip(rows, answers, strict=True):
                found[row] = answer
        return found

    def rank(self, requests: Sequence[Request], spelled: Sequence[Spelled]) -> list[Ranked]:
        """The unit groups of each title, its own row among the coded ones left out where it is coded."""
        context = np.array(
            [context_numbers(self.coded, (one.job_function, one.job_family, one.managerial_level)) for one in requests],
            dtype=np.int64,
        ).reshape(len(requests), -1)
        modes = mode_of(context)
        found: list[Ranked | None] = [None] * len(requests)
        for languages in (("en",), ("fr",), ("en", "fr")):
            for number, mode in enumerate(MODES):
                rows = [
                    row
                    for row, title in enumerate(spelled)
                    if tuple(sorted(title.texts)) == languages and modes[row] == number
                ]
                if rows:
                    self._rank_alike(rows, languages, mode, requests, spelled, context, found)
        return [one for one in found if one is not None]

    def _rank_alike(
        self,
        rows: list[int],
        languages: tuple[str, ...],
        mode: str,
        requests: Sequence[Request],
        spelled: Sequence[Spelled],
        context: np.ndarray,
        found: list[Ranked | None],
    ) -> None:
        """Rank titles that are alike in languages and mode."""
        rankings = []
        left_out = [self._own(requests[row], spelled[row]) for row in rows]
        for language in languages:
            keys = [normalise(spelled[row].texts[language], language) for row in rows]
            questions = Questions(keys, context[rows], left_out)
            rankings.append(rank(self.evidence[language], questions, mode, self.fitted.unit_groups[language]))
        ranking = rankings[0] if len(rankings) == 1 else together(*rankings)
        setting = f"{'both' if len(languages) > 1 else languages[0]} {mode}"
        for at, row in enumerate(rows):
            known = any(self.evidence[one].knows(spelled[row].texts[one]) for one in languages)
            found[row] = self._ranked(ranking, at, setting, known)

    def _own(self, request: Request, title: Spelled) -> list[int]:
        """The coded rows that are the title itself."""
        if not request.unit_group:
            return []
        group = self._places[request.unit_group]
        keys = [(language, normalise(text, language), group) for language, text in title.texts.items()]
        return [row for key in keys for row in self._coded_like.get(key, ())]

    def _ranked(self, ranking: Ranking, at: int, setting: str, known: bool) -> Ranked:  # noqa: FBT001
        places, weighed = ranking.places[at, :CANDIDATES], ranking.probabilities[at, :CANDIDATES]
        curve = self.fitted.unit_group_curves.get(setting)
        calibrated = curve.apply(weighed) if curve else weighed
        return Ranked(
            tuple(self.unit_groups[place] for place in places),
            tuple(float(value) for value in weighed),
            tuple(float(value) for value in calibrated),
            setting,
            known,
        )

    def _answers(self, ranked: Ranked) -> bool:
        return ranked.known and ranked.weighed[0] >= self.fitted.thresholds.get(ranked.setting, 0.5)

    def calibrated(self, chosen: Chosen) -> float | None:
        """The share of such answers that backtests found right; None where none could tell."""
        curve = self.fitted.profile_curves.get(chosen.method)
        return round(float(curve.apply([chosen.score])[0]), 4) if curve and chosen.measured else None

    def _given(self, request: Request, ranked: Ranked, chosen: Chosen | None) -> Resolution:
        assert chosen is not None, "a unit group was given"
        return Resolution(
            title=request.title,
            unit_group=request.unit_group,
            profile=chosen.profile,
            method=chosen.method,
            confidence=STATED[chosen.method],
            confidence_calibrated=self.calibrated(chosen),
            matched_text=chosen.matched_text,
            runner_up=chosen.runner_up,
            margin=chosen.margin,
            tied=chosen.tied,
            candidates=_candidates(ranked),
            rationale=chosen.because,
        )

    def _inferred(self, request: Request, ranked: Ranked, chosen: Chosen | None) -> Resolution:
        first, second = ranked.unit_groups[0], ranked.unit_groups[1] if len(ranked.unit_groups) > 1 else None
        margin = round(ranked.weighed[0] - ranked.weighed[1], 6) if second else None
        confidence, calibrated = ranked.weighed[0], ranked.calibrated[0]
        if chosen is None:
            why = (
                f"the likeliest unit group, {first}, is too unsure ({calibrated:.0%})"
                if ranked.known
                else "nothing of the title is known"
            )
            because = f"No unit group is settled: {why}."
        else:
            because = f"Unit group {first} inferred from the title ({calibrated:.0%}). {chosen.because}"
        profile = chosen.profile if chosen and chosen.method in SETTLED else None
        if chosen and profile:
            confidence *= STATED[chosen.method]
            calibrated *= self.calibrated(chosen) or STATED[chosen.method]
        return Resolution(
            title=request.title,
            unit_group=first if chosen else None,
            profile=profile,
            method=INFERRED if chosen else ABSTAINED,
            confidence=round(confidence, 4),
            confidence_calibrated=round(calibrated, 4),
            matched_text=chosen.matched_text if chosen else None,
            runner_up=second,
            margin=margin,
            tied=chosen.tied if chosen else (),
            candidates=_candidates(ranked),
            rationale=because,
        )


def _candidates(ranked: Ranked) -> tuple[Candidate, ...]:
    pairs = zip(ranked.unit_groups, ranked.calibrated, strict=True)
    return tuple(Candidate(unit_group, round(score, 4)) for unit_group, score in pairs)


def resolver_of(folder: Path) -> Resolver:
    """A resolver of the input files in a folder; raises what the readers raise."""
    from imputer.sources import read_inputs  # noqa: PLC0415 (the core needs tables only)

    inputs = read_inputs(folder, onet=False)
    return Resolver.build(
        inputs.noc_classes,
        inputs.noc_example_titles,
        inputs.oasis_profiles,
        inputs.oasis_example_titles,
        inputs.oasis_texts,
        inputs.job_titles,
    )


def resolve(title: str, unit_group: str | None = None, language: str = "en", *, folder: Path) -> Resolution:
    """Resolve one title against the input files in ``folder``, read anew at each call; for many, keep a Resolver."""
    return resolver_of(folder).resolve(title, unit_group, language)
