"""What an answer rests on: kept with its request, given back in the evidence, through every way a request may go."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from batch_jobs import FAST, LIST, PRICE, TEXT, contract, run

from imputer.batch.accepted import accepted_answers
from imputer.batch.ledger import Ledger
from imputer.batch.lines import LineMaker, Question
from imputer.batch.shards import write_job
from imputer.standin.openai import OpenAIFaults, OpenAIStandIn

if TYPE_CHECKING:
    from pathlib import Path

BOUNDARY = {"unit_group": "12345", "definition": "They write «texts»."}


def asked(count: int = 4) -> list[Question]:
    """Every second question says what its answer rests on."""
    agreed = contract(TEXT, LIST, topic="WiQ/description")
    rests_on = [json.dumps(BOUNDARY | {"number": number}) if number % 2 else None for number in range(count)]
    return [Question(agreed, "job_title", str(number), f"Title {number}", told) for number, told in enumerate(rests_on)]


def test_it_is_no_part_of_the_question() -> None:
    question = asked()[1]
    maker = LineMaker(question.contract, FAST, "impute")
    assert maker.line(question) == maker.line(question._replace(rests_on=None))


def test_it_is_in_the_evidence_of_its_own_answers_alone(tmp_path: Path) -> None:
    with OpenAIStandIn(faults=OpenAIFaults(line_busy=1, not_json=1), seconds=0.02) as service:
        with Ledger(tmp_path) as ledger:
            write_job(ledger, asked(), replace(FAST, most_requests=3), PRICE)
        run(tmp_path, service)
    with Ledger(tmp_path, exclusive=False) as ledger:
        assert max(shard.round for shard in ledger.shards()) > 1  # some were sent again
    rows = accepted_answers(tmp_path).to_pylist()
    assert len(rows) == 8
    for row in rows:
        evidence, number = json.loads(row["evidence"]), int(row["entity_id"])
        assert evidence.get("rests_on") == (BOUNDARY | {"number": number} if number % 2 else None)
        assert evidence["cell"] in {TEXT.name, LIST.name}
