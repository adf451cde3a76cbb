"""Blind resolution against an exhaustive WRatio over the same candidates, and a million titles streamed.

    .venv/bin/python benchmarks/resolution.py [--titles 1000000] [--fuzzy 300]

Both see title texts only, English, on one core: no coded titles, no context. Needs ../shared/data or WIQ_SOURCES.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import pyarrow.compute as pc
from measure import measure

from imputer.evaluate.resolution_baselines import fuzzy_likeness
from imputer.resolution import Request, Resolver
from imputer.resolution.normalise import plain
from imputer.resolution.within import Spelled
from imputer.sources import read_inputs

PROJECT = Path(__file__).parent.parent
SOURCES = Path(os.environ.get("WIQ_SOURCES") or PROJECT.parent / "shared" / "data")
SEED = 2026


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--titles", type=int, default=1_000_000)
    parser.add_argument("--fuzzy", type=int, default=300)
    arguments = parser.parse_args()
    compare(arguments.fuzzy)
    stream(arguments.titles)


def compare(fuzzy: int) -> None:
    inputs = read_inputs(SOURCES, onet=False)
    started = time.perf_counter()
    resolver = Resolver.build(
        inputs.noc_classes,
        inputs.noc_example_titles,
        inputs.oasis_profiles,
        inputs.oasis_example_titles,
        inputs.oasis_texts,
    )
    print(f"Built in {time.perf_counter() - started:.1f} s, once")
    coded = inputs.job_titles.filter(pc.is_valid(inputs.job_titles["unit_group"]))
    titles, truth = coded["title_en"].to_pylist(), coded["unit_group"].to_pylist()
    corpus = resolver.corpora["en"]
    sample = np.sort(np.random.default_rng(SEED).permutation(len(titles))[:fuzzy]).tolist()
    texts = [plain(text) for text in corpus.texts]

    started = time.perf_counter()
    alike = fuzzy_likeness([plain(titles[row]) for row in sample], texts)
    best = np.maximum.reduceat(alike, corpus.starts[:-1], axis=1)
    first = [corpus.unit_groups[place] for place in best.argmax(axis=1)]
    fuzzy_s = (time.perf_counter() - started) / len(sample)
    right = np.mean([first[at] == truth[row] for at, row in enumerate(sample)])
    print(f"Exhaustive WRatio: {1000 * fuzzy_s:6.2f} ms a title, {right:.1%} right ({len(sample)} titles)")

    requests = [Request(title, language="en") for title in titles]
    started = time.perf_counter()
    first = []
    for at in range(0, len(requests), 128):
        part = requests[at : at + 128]
        ranked = resolver.rank(part, [Spelled({"en": one.title}) for one in part])
        first += [one.unit_groups[0] for one in ranked]
    ours_s = (time.perf_counter() - started) / len(requests)
    right = np.mean([first[row] == truth[row] for row in sample])
    print(f"Resolver, blind:   {1000 * ours_s:6.2f} ms a title, {right:.1%} right (the same titles)")
    right = np.mean([a == b for a, b in zip(first, truth, strict=True)])
    print(f"Resolver, blind:   {right:.1%} right (all {len(requests)} titles)")
    print(f"Throughput {fuzzy_s / ours_s:.1f} times that of WRatio (bar 20)")


def stream(count: int) -> None:
    """Resolve ``count`` titles as a process; the titles are example titles with a number, so that none is kept."""
    inputs = read_inputs(SOURCES, onet=False)
    known = inputs.noc_example_titles["title"].to_pylist()
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "titles.csv", Path(folder) / "resolved.parquet"
        with source.open("w", encoding="utf-8") as file:
            file.write("title\n")
            for number in range(count):
                file.write('"' + known[number % len(known)].replace('"', '""') + f' {number}"\n')
        command = [
            *(sys.executable, "-m", "imputer", "resolve", "--sources", str(SOURCES)),
            *(str(source), "-o", str(target)),
        ]
        measured = measure(command, folder=PROJECT, environment=dict(os.environ), log=Path(folder) / "log.txt")
        print(
            f"{count:,} titles streamed: {measured.wall_s:.0f} s, {1000 * measured.wall_s / count:.2f} ms a title, "
            f"peak {measured.peak_mb:.0f} MB"
        )


if __name__ == "__main__":
    main()
