"""Request files for other runners, and their answers back: plain JSONL, the form of every compatible batch runner.

``vllm run-batch -i requests.jsonl -o answers.jsonl`` reads and writes it.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from imputer.batch.answers import read_line
from imputer.batch.prices import Price
from imputer.batch.reading import read_shard
from imputer.batch.shards import write_again
from imputer.errors import SourceMalformed
from schemas.runs import output_unwritable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from imputer.batch.ledger import Ledger
    from imputer.batch.options import BatchOptions
    from imputer.batch.reading import Read


def export(ledger: Ledger, path: Path, job_id: str | None = None) -> int:
    """Write what is planned and not sent as one file; from then on it waits for ``bring_back`` and is not submitted.

    Returns the number of requests. Raises OutputUnwritable.
    """
    shards = ledger.shards("WRITTEN", "EXPORTED", job_id=job_id)
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("wb") as file:
            for shard in shards:
                with (ledger.folder / shard.path).open("rb") as part:
                    shutil.copyfileobj(part, file)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise output_unwritable(path, error) from error
    with ledger.transaction():
        for shard in shards:
            ledger.change(shard, state="EXPORTED", attempt=1)
    return sum(shard.requests for shard in shards)


def bring_back(ledger: Ledger, paths: Sequence[Path], options: BatchOptions) -> list[Read]:
    """Read answers from files to what was exported; one result per shard that the files answer.

    What they do not answer is tried again like any other request. Raises SourceMalformed for files without a single
    answer to what was exported.
    """
    shards = ledger.shards("EXPORTED")
    wanted = {key: shard for shard in shards for key in ledger.asked(shard.shard_id)}
    touched = set()
    for path in paths:
        with path.open("rb") as file:
            for line in file:
                key = read_line(line).key if line.strip() else None
                if key in wanted:
                    touched.add(wanted[key].shard_id)
    if not touched:
        raise SourceMalformed(
            "no line of the files answers what was exported",
            f"the custom_id of one of {len(wanted):,} requests",
            ", ".join(map(str, paths)),
            next_step="export first: «imputer batch export requests.jsonl»",
        )
    read = []
    for shard in shards:
        if shard.shard_id not in touched:
            continue
        kept = []
        for number, path in enumerate(paths, start=1):
            kept.append((ledger.folder / shard.path).with_suffix("").with_suffix(f".imported-{number}.jsonl"))
            shutil.copyfile(path, kept[-1])
        one = read_shard(ledger, shard, kept, "imported", options)
        assert one is not None
        read.append(one)
    for job in ledger.jobs():
        if not ledger.shards("EXPORTED", job_id=job.job_id):
            write_again(ledger, job, options, Price(job.model, job.price_input, job.price_output, job.price_as_of))
    return read
