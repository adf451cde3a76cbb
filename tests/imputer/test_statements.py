"""The log of statements and who wins a cell: properties of any set of statements, over several runs."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from imputer.precedence import SOURCE_TYPES, choose_winners, note_overrides
from imputer.statements import (
    IDENTIFYING_COLUMNS,
    STATED_COLUMNS,
    append,
    create_log_tables,
    load_previous,
    statement_schema,
)
from imputer.table_files import TableFiles
from schemas import load_table

if TYPE_CHECKING:
    from pathlib import Path

METHOD = {
    "AUTHORITATIVE": "INHERITED_PROFILE",
    "ONET": "CROSSWALK",
    "LLM": "LLM_BATCH",
    "NEIGHBOURS": "NEAREST_NEIGHBOURS",
}


def statement(
    entity: str = "1", attribute: str = "oasis.skills.writing", source: str = "AUTHORITATIVE", **given: Any
) -> dict[str, Any]:
    record: dict[str, Any] = dict.fromkeys(STATED_COLUMNS)
    record |= {
        "entity_type": "job_title",
        "entity_id": entity,
        "attribute_id": attribute,
        "language": "zxx",
        "value_number": 3.0,
        "source_type": source,
        "method": METHOD[source],
        "confidence": 0.5,
        "rationale": "because",
        "source_id": "made_up",
        "locator": "row 1",
        "evidence": "{}",
        "retention_class": "derived",
    }
    return record | given


class Log:
    """The log over several runs, kept on disk as the program keeps it."""

    def __init__(self, folder: Path, known_questions: tuple[str, ...] = ()) -> None:
        self.folder, self.known_questions = folder, known_questions
        self.previous: Path | None = None
        self.runs = 0

    def run(self, stated: list[dict[str, Any]]) -> dict[str, Any]:
        """One run that states these; what it added, withdrew, overrode and who won."""
        self.runs += 1
        moment = (f"2026010{self.runs}T000000Z", f"2026-01-0{self.runs}T00:00:00Z")
        connection = duckdb.connect()
        create_log_tables(connection)
        load_previous(connection, self.previous)
        connection.executemany(
            "INSERT INTO known_questions VALUES (?)", [[""], *([key] for key in self.known_questions)]
        )
        types = {field.name: field.type for field in statement_schema()}
        given = pa.Table.from_pylist(stated, schema=pa.schema([(name, types[name]) for name in STATED_COLUMNS]))
        connection.register("given", given)
        connection.execute("INSERT INTO stated BY NAME SELECT * FROM given")
        append(connection, *moment, "", "~")
        choose_winners(connection)
        note_overrides(connection, *moment, "", "~")
        folder = self.folder / str(self.runs)
        folder.mkdir()
        with TableFiles(folder) as files:
            files.append(connection, load_table("wiq", "statements"), "SELECT * FROM log")
            files.append(connection, load_table("wiq", "attribute_values"), "SELECT * FROM winners")
            withdrawals = "SELECT * FROM previous_withdrawals UNION ALL BY NAME SELECT * FROM new_withdrawals"
            files.append(connection, load_table("wiq", "withdrawals"), withdrawals)
            events = "SELECT * FROM previous_events UNION ALL BY NAME SELECT * FROM new_events"
            files.append(connection, load_table("wiq", "override_events"), events)
        self.previous = folder
        rows = {
            name: connection.sql(f"SELECT * FROM {name}").to_arrow_table().to_pylist()
            for name in ("log", "winners", "new_withdrawals", "new_events")
        }
        connection.close()
        return rows


def winner_by_hand(statements: list[dict[str, Any]]) -> str:
    """The rule said a second time, in plain Python."""

    def rank(one: dict[str, Any]) -> tuple[int, float, Any, str]:
        return (-SOURCE_TYPES.index(one["source_type"]), one["confidence"], one["created_at"], one["statement_id"])

    return str(max(statements, key=rank)["statement_id"])


STATEMENTS = st.lists(
    st.builds(
        statement,
        entity=st.sampled_from(["1", "2"]),
        attribute=st.sampled_from(["oasis.skills.writing", "onet.2.A.1.a.LV"]),
        source=st.sampled_from(SOURCE_TYPES),
        confidence=st.sampled_from([0.0, 0.4, 0.5, 1.0]),
        value_number=st.sampled_from([0.0, 1.5, 5.0]),
        locator=st.sampled_from(["row 1", "row 2"]),
    ),
    max_size=8,
)


@settings(max_examples=30, deadline=None)
@given(stated=STATEMENTS)
def test_the_winner_is_the_one_the_rule_names(stated: list[dict[str, Any]], tmp_path_factory: Any) -> None:
    rows = Log(tmp_path_factory.mktemp("log")).run(stated)
    for winner in rows["winners"]:
        cell = [one for one in rows["log"] if all(one[key] == winner[key] for key in ("entity_id", "attribute_id"))]
        assert winner["statement_id"] == winner_by_hand(cell)
        assert winner["statements_beaten"] == len(cell) - 1
        assert (winner["runner_up_statement_id"] is None) == (len(cell) == 1)
    assert {(one["entity_id"], one["attribute_id"]) for one in rows["log"]} == {
        (one["entity_id"], one["attribute_id"]) for one in rows["winners"]
    }


@settings(max_examples=20, deadline=None)
@given(stated=STATEMENTS, data=st.data())
def test_the_winner_does_not_depend_on_the_order(
    stated: list[dict[str, Any]], data: st.DataObject, tmp_path_factory: Any
) -> None:
    shuffled = data.draw(st.permutations(stated))
    first = Log(tmp_path_factory.mktemp("log")).run(stated)["winners"]
    second = Log(tmp_path_factory.mktemp("log")).run(shuffled)["winners"]
    assert {one["statement_id"] for one in first} == {one["statement_id"] for one in second}


@settings(max_examples=20, deadline=None)
@given(stated=STATEMENTS)
def test_the_same_evidence_adds_nothing(stated: list[dict[str, Any]], tmp_path_factory: Any) -> None:
    log = Log(tmp_path_factory.mktemp("log"))
    first = log.run(stated)
    again = log.run(stated)
    assert not [one for one in again["log"] if one["added"]]
    assert (again["new_withdrawals"], again["new_events"]) == ([], [])
    assert sorted(one["statement_id"] for one in again["log"]) == sorted(one["statement_id"] for one in first["log"])


@settings(max_examples=20, deadline=None)
@given(first=STATEMENTS, second=STATEMENTS)
def test_nothing_is_ever_lost(first: list[dict[str, Any]], second: list[dict[str, Any]], tmp_path_factory: Any) -> None:
    log = Log(tmp_path_factory.mktemp("log"))
    before = log.run(first)
    after = log.run(second)
    kept = {one["statement_id"]: (one["run_id"], one["value_number"]) for one in after["log"]}
    for one in before["log"]:
        assert kept[one["statement_id"]] == (one["run_id"], one["value_number"])
    standing = {one["statement_id"] for one in after["log"] if one["standing"]}
    derived = {one["statement_id"] for one in after["log"] if one["source_type"] != "LLM"}
    stated_now = {one["statement_id"] for one in Log(tmp_path_factory.mktemp("log")).run(second)["log"]}
    assert standing & derived == stated_now & derived
    # What no run of this tier said again stands all the same: a model is asked once.
    assert {one["statement_id"] for one in before["log"] if one["source_type"] == "LLM"} <= standing


def test_the_key_is_a_digest_of_what_identifies(tmp_path: Path) -> None:
    rows = Log(tmp_path).run([statement(value_number=None, value_text="texte", confidence=0.25)])
    record = rows["log"][0]
    parts = ["" if record[column] is None else str(record[column]) for column in IDENTIFYING_COLUMNS]
    assert record["statement_id"] == hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def test_a_row_that_moved_in_its_file_is_no_new_statement(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.run([statement(locator="row 7", source_version="a")])
    again = log.run([statement(locator="row 8", source_version="b")])
    assert [one["added"] for one in again["log"]] == [False]


def test_a_higher_source_that_comes_later_overrides(tmp_path: Path) -> None:
    log = Log(tmp_path)
    low = statement(source="ONET", confidence=1.0)
    high = statement(source="AUTHORITATIVE", confidence=0.4)
    log.run([low])
    rows = log.run([low, high])
    event = rows["new_events"][0]
    assert (event["old_source_type"], event["new_source_type"], event["reason"]) == (
        "ONET",
        "AUTHORITATIVE",
        "HIGHER_SOURCE",
    )
    assert rows["winners"][0]["runner_up_statement_id"] == event["old_statement_id"]
    back = log.run([low])
    assert [(one["reason"], one["new_source_type"]) for one in back["new_events"]] == [("WITHDRAWN", "ONET")]
    assert [one["action"] for one in back["new_withdrawals"]] == ["WITHDRAWN"]
    again = log.run([low, high])
    assert [one["action"] for one in again["new_withdrawals"]] == ["REINSTATED"]
    assert [one["reason"] for one in again["new_events"]] == ["HIGHER_SOURCE"]
    assert len(again["log"]) == 2


def test_a_value_that_its_source_changed_replaces_the_old_one_even_if_less_sure(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.run([statement(value_number=4.0, confidence=0.95)])
    rows = log.run([statement(value_number=2.0, confidence=0.4)])
    assert [one["value_number"] for one in rows["winners"]] == [2.0]
    assert [one["reason"] for one in rows["new_events"]] == ["WITHDRAWN"]


def test_a_cell_that_lost_its_value_is_an_event_too(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.run([statement()])
    rows = log.run([])
    assert rows["winners"] == []
    assert [(one["new_statement_id"], one["reason"]) for one in rows["new_events"]] == [(None, "WITHDRAWN")]


def test_an_answer_of_a_model_stays_where_its_question_is_not_known(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.run([statement(source="LLM", custom_id="wiq-1")])
    rows = log.run([])
    assert rows["new_withdrawals"] == []
    assert [one["source_type"] for one in rows["winners"]] == ["LLM"]


def test_an_answer_whose_question_is_known_is_derived_like_all_others(tmp_path: Path) -> None:
    log = Log(tmp_path, known_questions=("wiq-1", "wiq-2"))
    answer = statement(source="LLM", custom_id="wiq-1", confidence=0.9)
    other = statement(source="LLM", custom_id="wiq-2", entity="2")
    log.run([answer, other])
    # Calibrated since: the same value in other terms.
    rows = log.run([answer | {"confidence_calibrated": 0.6}, other])
    assert [one["action"] for one in rows["new_withdrawals"]] == ["WITHDRAWN"]
    assert [one["reason"] for one in rows["new_events"]] == ["RESTATED"]
    standing = {(one["custom_id"], one["confidence_calibrated"]) for one in rows["log"] if one["standing"]}
    assert standing == {("wiq-1", 0.6), ("wiq-2", None)}
    back = log.run([answer, other])
    assert sorted(one["action"] for one in back["new_withdrawals"]) == ["REINSTATED", "WITHDRAWN"]
    assert log.run([answer, other])["new_withdrawals"] == []
    # No longer an answer about what the entity has become.
    gone = log.run([other])
    assert [one["entity_id"] for one in gone["winners"]] == ["2"]
    assert [one["reason"] for one in gone["new_events"]] == ["WITHDRAWN"]
    assert len(gone["log"]) == 3


def test_another_interval_is_another_statement_of_the_same_value(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.run([statement(interval_low=2.0, interval_high=4.0)])
    rows = log.run([statement(interval_low=1.0, interval_high=5.0)])
    assert [(one["interval_low"], one["interval_high"]) for one in rows["winners"]] == [(1.0, 5.0)]
    assert [one["reason"] for one in rows["new_events"]] == ["RESTATED"]


def test_a_log_of_before_a_column_was_added_is_gone_on_from(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.run([statement()])
    for name in ("statements", "attribute_values"):
        path = tmp_path / "1" / f"{name}.parquet"
        pq.write_table(pq.read_table(path).drop_columns(["interval_low", "interval_high"]), path)
    rows = log.run([statement()])
    assert len(rows["log"]) == 1
    assert rows["new_events"] == []
