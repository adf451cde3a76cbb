"""WiQ against bare Scrapy: ``make bench``, or ``python benchmarks/crawl.py --help``."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

PROJECT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

from measure import Measured, ProcessFailed, Spread, measure  # noqa: E402
from pages import LANGUAGE, WrittenSite, expectations, facts_of_scale, write_pages  # noqa: E402
from serve import find_nginx, serving  # noqa: E402

from wiq_crawl.expectations import FILE as EXPECTATIONS  # noqa: E402
from wiq_crawl.expectations import load_expectations  # noqa: E402

if TYPE_CHECKING:
    from wiq_crawl.replica.facts import Facts

RECORDED: Final = PROJECT.parent / "shared" / "data" / "tbs"
RESULTS: Final = PROJECT / "output" / "bench" / "crawl.json"
CONCURRENCY: Final = 8
FASTEST: Final = (
    "-s", "DOWNLOAD_DELAY=0", "-s", "AUTOTHROTTLE_ENABLED=0", "-s", f"CONCURRENT_REQUESTS_PER_DOMAIN={CONCURRENCY}",
)  # fmt: skip

SCRAPY: Final = (sys.executable, "-m", "scrapy")

# The bars. Memory «does not grow» where four times the pages take no more than a tenth more.
LEAST_THROUGHPUT: Final = 0.5
MOST_MEMORY: Final = 1.5
MOST_GROWTH: Final = 1.1
TIMES: Final = 4
PAGE_BYTES: Final = range(54_000, 66_001)

DESCRIPTION: Final = f"""\
Measures the real «scrapy crawl tbs» process (extract, validate, archive, JSONL and Parquet, verdict) against bare
Scrapy with a title-and-table extraction of the same pages: about 60 kB each, served uncompressed by nginx (one worker)
on loopback, {CONCURRENCY} requests at a time, no delays. Time and memory are those of a process and all it starts.
Prints a table and writes {RESULTS.relative_to(PROJECT)}."""
EPILOGUE: Final = f"""\
exit status: 0 every bar is met, 1 a bar is missed or a crawl failed, 2 nginx is missing or bad usage

bars: throughput at least {LEAST_THROUGHPUT} times and peak memory at most {MOST_MEMORY} times those of bare Scrapy;
{TIMES} times the pages take at most {MOST_GROWTH} times the memory

examples:
  python benchmarks/crawl.py
  python benchmarks/crawl.py --pages 200 --rounds 1     a quick look"""


@dataclass(slots=True)
class Case:
    """One kind of process, its pages and its runs."""

    name: str
    pages: int
    runs: list[Measured] = field(default_factory=list)

    def spread(self, figure: str) -> Spread:
        return Spread.of([getattr(run, figure) for run in self.runs])

    @property
    def pages_per_second(self) -> float:
        return self.pages / self.spread("wall_s").median


@dataclass(frozen=True, slots=True)
class Site:
    """A served folder and how many pages a crawl of it is to find; 0 where nobody has counted them."""

    folder: Path
    address: str
    pages: int


@dataclass(frozen=True, slots=True)
class Bar:
    """A limit and what was measured."""

    name: str
    limit: str
    actual: float
    met: bool


class Bench:
    """Runs the processes, each in folders of its own below one temporary folder."""

    def __init__(self, folder: Path, facts: Facts) -> None:
        self.folder = folder
        self.facts = facts
        self.started = 0

    def crawl(self, documents: int | None, *arguments: str, output: Path | None = None) -> tuple[Measured, Path]:
        """Run ``scrapy crawl tbs``; returns its figures and the folder it published.

        A run that finds another number of documents is bad, and a bad run raises ProcessFailed.
        """
        self.started += 1
        known = self.folder / f"expectations-{self.started}.toml"
        known.write_text(expectations(self.facts, load_expectations(EXPECTATIONS).twins, documents), encoding="utf-8")
        output = output or self.folder / f"output-{self.started}"
        environment = {**os.environ, "WIQ_OUTPUT": str(output), "WIQ_EXPECTATIONS": str(known)}
        command = [*SCRAPY, "crawl", "tbs", *arguments, *FASTEST]
        log = self.folder / f"crawl-{self.started}.log"
        measured = measure(command, folder=PROJECT, environment=environment, log=log)
        return measured, (output / "tbs" / "latest").resolve()

    def bare(self, addresses: Path) -> Measured:
        """Run bare Scrapy over the same addresses."""
        self.started += 1
        items = self.folder / f"bare-{self.started}.jsonl"
        spider = Path(__file__).with_name("bare.py")
        command = [*SCRAPY, "runspider", str(spider), "-a", f"addresses={addresses}", "-O", str(items), *FASTEST]
        log = self.folder / f"bare-{self.started}.log"
        measured = measure(command, folder=self.folder, environment=os.environ, log=log)
        found, wanted = _lines(items), _lines(addresses)
        if found != wanted:
            raise ProcessFailed(f"bare Scrapy read {found} of {wanted} pages\n{log.read_text(encoding='utf-8')}")
        return measured


def main() -> int:
    """Measure, print, write; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=DESCRIPTION, epilog=EPILOGUE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pages", type=int, default=1000, help="pages of the comparison (default: 1000)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds, each process once in each (default: 5)")
    options = parser.parse_args()
    if options.pages < 100 or options.rounds < 1:
        parser.error("at least 100 pages and 1 round")
    nginx = find_nginx()
    if nginx is None:
        print("Skipped: nginx is not installed (Debian: apt-get install nginx-light).", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="wiq-bench-", ignore_cleanup_errors=True) as folder:
        try:
            return run(nginx, Path(folder), options.pages, options.rounds)
        except ProcessFailed as error:
            print(f"A measured process failed: {error}", file=sys.stderr)
            return 1


def run(nginx: str, folder: Path, pages: int, rounds: int) -> int:
    """The whole benchmark."""
    load_before = os.getloadavg()
    facts, scale = facts_of_scale(RECORDED)
    bench = Bench(folder, facts)
    numbers = (pages // TIMES, pages, pages * TIMES)
    sites = [folder / f"site-{number}" for number in (0, *numbers)]
    for site in sites:
        site.mkdir()
    with serving(nginx, folder / "nginx", sites) as addresses:
        replica = Site(sites[0], addresses[0], 0)
        larger = [Site(*site) for site in zip(sites[1:], addresses[1:], numbers, strict=True)]
        cases, written = _measure(bench, replica, larger, rounds)
    if written.mean_bytes not in PAGE_BYTES:
        print(f"The pages of this benchmark have {written.mean_bytes} bytes on average.", file=sys.stderr)
        return 1
    bars = judge(cases)
    machine = {
        "processors": os.cpu_count(),
        "load_before": round(load_before[0], 2),
        "load_after": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "scrapy": version("scrapy"),
    }
    show(cases, bars, machine, written, scale)
    save(cases, bars, machine, written, scale)
    return 0 if all(bar.met for bar in bars) else 1


def _measure(bench: Bench, replica: Site, larger: list[Site], rounds: int) -> tuple[dict[str, Case], WrittenSite]:
    _say("the replica alone, both languages")
    write_pages(replica.folder, bench.facts, 0)
    _, first = bench.crawl(None, "-a", f"base_url={replica.address}")
    # The first crawl tells how many of its pages a crawl reads: the larger sites have that many fewer made up.
    own = _lines(first / f"documents_{LANGUAGE}.jsonl")
    written = [write_pages(site.folder, bench.facts, site.pages - own) for site in larger]
    fewer, site, more = larger
    cases = {
        "bare": Case("bare Scrapy, title and table", site.pages),
        "crawl": Case("scrapy crawl tbs", site.pages),
        "replay": Case("the same from its archive", site.pages),
        "own": Case("replica alone, both languages, from its archive", 2 * own),
        "fewer": Case("scrapy crawl tbs, fewer pages", fewer.pages),
        "more": Case("scrapy crawl tbs, more pages", more.pages),
        "again": Case("scrapy crawl tbs, compared with an earlier run", site.pages),
    }

    def crawl(of: Site, output: Path | None = None) -> tuple[Measured, Path]:
        return bench.crawl(of.pages, "-a", f"languages={LANGUAGE}", "-a", f"base_url={of.address}", output=output)

    _say("warm-up")
    _, published = crawl(site)
    listed = bench.folder / "addresses.txt"
    with (published / f"documents_{LANGUAGE}.jsonl").open(encoding="utf-8") as lines:
        listed.write_text("".join(json.loads(line)["url"] + "\n" for line in lines), encoding="utf-8")
    bench.bare(listed)
    steps = {
        "bare": lambda: bench.bare(listed),
        "crawl": lambda: crawl(site)[0],
        "replay": lambda: bench.crawl(site.pages, "-a", f"archive={published / 'pages.warc.gz'}")[0],
        "own": lambda: bench.crawl(own, "-a", f"archive={first / 'pages.warc.gz'}")[0],
    }
    for number in range(rounds):
        _say(f"round {number + 1} of {rounds}")
        for name in steps if number % 2 == 0 else reversed(steps):
            cases[name].runs.append(steps[name]())
    for name, of in (("fewer", fewer), ("more", more)):
        _say(cases[name].name)
        cases[name].runs.append(crawl(of)[0])
    _say(cases["again"].name)
    cases["again"].runs.append(crawl(site, output=published.parents[2])[0])
    return cases, written[1]


def judge(cases: dict[str, Case]) -> list[Bar]:
    """Hold the figures against the bars; ratios are medians of the rounds' own ratios, so that noise cancels out."""
    pairs = list(zip(cases["bare"].runs, cases["crawl"].runs, strict=True))
    throughput = median(bare.wall_s / full.wall_s for bare, full in pairs)
    memory = median(full.peak_mb / bare.peak_mb for bare, full in pairs)
    growth = cases["more"].runs[0].peak_mb / cases["crawl"].spread("peak_mb").median
    return [
        Bar("throughput, times bare Scrapy's", f"≥ {LEAST_THROUGHPUT}", throughput, met=throughput >= LEAST_THROUGHPUT),
        Bar("peak memory, times bare Scrapy's", f"≤ {MOST_MEMORY}", memory, met=memory <= MOST_MEMORY),
        Bar(f"peak memory at {TIMES} times the pages", f"≤ {MOST_GROWTH}", growth, met=growth <= MOST_GROWTH),
    ]


def show(cases: dict[str, Case], bars: list[Bar], machine: dict[str, Any], written: WrittenSite, scale: str) -> None:
    """Print the figures."""
    print(
        f"\nPython {machine['python']}, Scrapy {machine['scrapy']}, {machine['processors']} processors "
        f"(nginx takes part of one), load {machine['load_before']} before and {machine['load_after']} after."
        f"\n{written.made_up} made-up pages of {written.mean_bytes} bytes and {written.mean_links} links on average, "
        f"and the replica's own ({scale} scale). Served uncompressed.\n"
        "Medians (minimum–maximum) of whole processes, with all they start.\n"
    )
    width = max(len(case.name) for case in cases.values())
    print(f"{'':{width}}  pages  {'wall s':>20}  {'CPU s':>20}  {'pages/s':>7}  {'peak MB':>22}  runs")
    for case in cases.values():
        wall, cpu, peak = (str(case.spread(figure)) for figure in ("wall_s", "cpu_s", "peak_mb"))
        figures = f"{wall:>20}  {cpu:>20}  {case.pages_per_second:7.0f}  {peak:>22}  {len(case.runs):4}"
        print(f"{case.name:{width}}  {case.pages:5}  {figures}")
    print()
    for bar in bars:
        print(f"{'PASS' if bar.met else 'FAIL'}  {bar.name}: {bar.actual:.2f} (bar {bar.limit})")


def save(cases: dict[str, Case], bars: list[Bar], machine: dict[str, Any], written: WrittenSite, scale: str) -> None:
    """Write the figures as JSON."""
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    figures = {
        name: {
            "name": case.name,
            "pages": case.pages,
            "runs": len(case.runs),
            "pages_per_s": round(case.pages_per_second, 1),
            **{figure: asdict(case.spread(figure)) for figure in ("wall_s", "cpu_s", "peak_mb")},
        }
        for name, case in cases.items()
    }
    result = {
        "machine": machine,
        "site": {"scale": scale, **asdict(written)},
        "cases": figures,
        "bars": [asdict(bar) for bar in bars],
    }
    RESULTS.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"\nWritten: {RESULTS.relative_to(PROJECT)}")


def _lines(path: Path) -> int:
    with path.open("rb") as lines:
        return sum(1 for _ in lines)


def _say(step: str) -> None:
    print(f"… {step}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
