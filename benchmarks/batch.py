"""The batch engine against the floor, in one run: 50,000 requests written, 50,000 answers read.

Floors: rows → dict → orjson → file with fsync; answer lines → orjson, and their content → columns. The engine's own
figures are of the production code with everything it does: key, ledger, shards; validation, statements, Parquet,
ledger. Each step is a process of its own, several times, in turn; memory is its peak. ``--large`` adds a million of
each, for memory that must not grow.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

from measure import Spread, measure

if TYPE_CHECKING:
    from imputer.batch.contracts import Contract
    from imputer.batch.options import BatchOptions

BARS = {"write": (2.5, 80.0), "read": (4.0, 150.0)}
ROUNDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("step", nargs="*", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        name, folder = arguments.step
        STEPS[name](Path(folder))
        return
    good = compare(arguments.requests, arguments.rounds)
    if arguments.large:
        good &= flat(1_000_000)
    sys.exit(0 if good else 1)


def compare(requests: int, rounds: int) -> bool:
    seconds: dict[str, list[float]] = {}
    peaks: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make_rows(folder, requests)
        for _ in range(rounds):
            for name in ("write_floor", "write", "read_floor", "read"):
                wall, peak = run(name, folder)
                seconds.setdefault(name, []).append(wall)
                peaks.setdefault(name, []).append(peak)
    good = True
    for name, (most_times, most_mb) in BARS.items():
        floor, own = Spread.of(seconds[f"{name}_floor"]), Spread.of(seconds[name])
        times, peak = own.median / floor.median, max(peaks[name])
        reached = times <= most_times and peak <= most_mb
        good &= reached
        print(
            f"{name} {requests:,}: {own} s, floor {floor} s: {times:.2f} × (bar {most_times} ×); "
            f"peak {peak:.0f} MB (bar {most_mb:.0f} MB): {'reached' if reached else 'MISSED'}"
        )
    return good


def flat(requests: int) -> bool:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make_rows(folder, requests)
        good = True
        for name, (_, most_mb) in BARS.items():
            if name == "read":
                run("read_floor", folder)
            wall, peak = run(name, folder)
            reached = peak <= most_mb
            good &= reached
            print(f"{name} {requests:,}: {wall:.1f} s, peak {peak:.0f} MB: {'flat' if reached else 'NOT flat'}")
    return good


def run(name: str, folder: Path) -> tuple[float, float]:
    """Seconds that a step took by its own clock (imports left out), and the peak memory of its process in MB."""
    command = [sys.executable, __file__, name, str(folder)]
    log = folder / f"{name}.log"
    measured = measure(command, folder=folder, environment=dict(os.environ), log=log)
    return float(log.read_text().splitlines()[-1]), measured.peak_mb


def make_rows(folder: Path, requests: int) -> None:
    import orjson  # noqa: PLC0415

    numbers = random.Random(1)
    words = "policy data senior analyst regional program manager systems records officer client service".split()
    with (folder / "rows.jsonl").open("wb") as file:
        for number in range(requests):
            title = " ".join(numbers.choices(words, k=4)).title()
            text = (
                f"Job title: {title} {number}\nJob function: Administration\nManagerial level: Employee\n"
                f"Unit group (NOC 2021): {numbers.randrange(99_999):05d} {title}\nKnown of this job:\n"
                + "\n".join(f"- {word}: {numbers.randrange(1, 6)}" for word in words)
            )
            file.write(orjson.dumps({"entity_id": str(number), "text": text}) + b"\n")


def contract() -> Contract:
    from imputer.batch.contracts import Cell, Contract  # noqa: PLC0415

    cell = Cell("writing", "oasis.skills.writing", "zxx", "Writing", "number", "level", 1.0, 5.0, 1.0)
    return Contract("OaSIS/skills", "Estimate the attribute. Rationale first, then value, then confidence.", (cell,))


def options() -> BatchOptions:
    from imputer.batch.options import BatchOptions  # noqa: PLC0415

    return BatchOptions(endpoint="chat", enqueued_tokens=10**12, max_cost=10.0**9)


# --- the steps, each in its own process, which imports no more than it needs ------------------------------------------


def write_floor(folder: Path) -> None:
    import time  # noqa: PLC0415

    import orjson  # noqa: PLC0415

    agreed, chosen = contract(), options()
    started = time.perf_counter()
    with (folder / "rows.jsonl").open("rb") as rows, (folder / "floor.jsonl").open("wb") as file:
        for line in rows:
            row = orjson.loads(line)
            body = {
                "model": chosen.model,
                "max_completion_tokens": 1_184,
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "answers", "strict": True, "schema": agreed.schema},
                },
                "messages": [
                    {"role": "system", "content": agreed.instructions},
                    {"role": "user", "content": row["text"]},
                ],
            }
            request = {
                "custom_id": row["entity_id"],
                "method": "POST",
                "url": "/v1/chat/completions",
                "body": body,
            }
            file.write(orjson.dumps(request) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    print(time.perf_counter() - started)


def write(folder: Path) -> None:
    import shutil  # noqa: PLC0415
    import time  # noqa: PLC0415

    import orjson  # noqa: PLC0415

    from imputer.batch.ledger import Ledger  # noqa: PLC0415
    from imputer.batch.lines import Question  # noqa: PLC0415
    from imputer.batch.prices import read_price  # noqa: PLC0415
    from imputer.batch.shards import write_job  # noqa: PLC0415

    shutil.rmtree(folder / "wiq", ignore_errors=True)
    agreed, chosen = contract(), options()
    price = read_price(chosen.model)
    started = time.perf_counter()
    with Ledger(folder / "wiq") as ledger, (folder / "rows.jsonl").open("rb") as rows:
        given = map(orjson.loads, rows)
        questions = (Question(agreed, "job_title", row["entity_id"], row["text"]) for row in given)
        planned = write_job(ledger, questions, chosen, price)
    print(planned.requests, planned.shards)
    print(time.perf_counter() - started)


def read_floor(folder: Path) -> None:
    """Also makes the answer lines, before the clock runs."""
    import time  # noqa: PLC0415

    import orjson  # noqa: PLC0415

    make_answers(folder)
    started = time.perf_counter()
    keys, values, confidences, rationales, tokens = [], [], [], [], []
    for path in sorted((folder / "answers").iterdir()):
        with path.open("rb") as file:
            for line in file:
                record = orjson.loads(line)
                body = record["response"]["body"]
                one = orjson.loads(body["choices"][0]["message"]["content"])["writing"]
                keys.append(record["custom_id"])
                values.append(one["value"])
                confidences.append(one["confidence"])
                rationales.append(one["rationale"])
                tokens.append(body["usage"]["total_tokens"])
        for column in (keys, values, confidences, rationales, tokens):
            column.clear()
    print(time.perf_counter() - started)


def make_answers(folder: Path) -> None:
    import orjson  # noqa: PLC0415

    (folder / "answers").mkdir(exist_ok=True)
    numbers = random.Random(2)
    for path in sorted((folder / "wiq" / "batch" / "jobs").glob("*/*.requests.jsonl")):
        with path.open("rb") as file:
            keys = [line[14:58].decode() for line in file]
        numbers.shuffle(keys)
        with (folder / "answers" / path.name).open("wb") as file:
            for key in keys:
                rationale = (
                    f"The work rests on writing for clients every day; a similar job has {numbers.random():.3f}."
                )
                value = {"rationale": rationale, "value": numbers.randrange(10, 51) / 10, "confidence": 0.7}
                message = {"role": "assistant", "content": orjson.dumps({"writing": value}).decode(), "refusal": None}
                body = {
                    "id": f"chatcmpl-{key[-24:]}",
                    "object": "chat.completion",
                    "created": 1_790_000_000,
                    "model": "stand-in",
                    "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
                    "usage": {"prompt_tokens": 240, "completion_tokens": 60, "total_tokens": 300},
                }
                response = {"status_code": 200, "request_id": f"req_{key[-24:]}", "body": body}
                record = {"id": f"batch_req_{key[-24:]}", "custom_id": key, "response": response, "error": None}
                file.write(orjson.dumps(record) + b"\n")


def read(folder: Path) -> None:
    import time  # noqa: PLC0415

    from imputer.batch.ledger import Ledger  # noqa: PLC0415
    from imputer.batch.reading import read_shard  # noqa: PLC0415

    started = time.perf_counter()
    with Ledger(folder / "wiq") as ledger:
        for shard in ledger.shards():
            path = folder / "answers" / Path(shard.path).name
            found = read_shard(ledger, shard, [path], "batch_1", options())
            assert found is not None
            assert found.answered == shard.requests
    print(time.perf_counter() - started)


STEPS = {"write_floor": write_floor, "write": write, "read_floor": read_floor, "read": read}

if __name__ == "__main__":
    main()
