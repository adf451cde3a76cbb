"""What each address of the OpenAI stand-in does."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from imputer.standin.openai_answers import answer_to
from imputer.standin.openai_http import Reply, json_reply
from imputer.standin.openai_questions import Refusal, Refused, model_problem
from imputer.standin.openai_requests import check_batch
from imputer.standin.openai_results import ERROR_FAULTS
from imputer.standin.openai_uploads import read_upload
from imputer.standin.openai_values import Unanswerable

if TYPE_CHECKING:
    from collections.abc import Callable

    from imputer.standin.openai_batches import Batch, Batches
    from imputer.standin.openai_faults import FaultStock
    from imputer.standin.openai_files import Files, StoredFile
    from imputer.standin.openai_questions import Judge
    from imputer.standin.openai_schemas import OpenAISchemas

_FILE_PAGE, _BATCH_PAGE, _LONGEST_BATCH_PAGE = 10_000, 20, 100
_FAILED = Refusal("The stand-in was told to fail this request.", None, None, 500, "server_error")


@dataclass(frozen=True, slots=True)
class Call:
    """A request: ``name`` is what the address names (a file, a batch, an endpoint), or empty."""

    name: str
    query: dict[str, str]
    content_type: str
    body: bytes


class Endpoints:
    """Files, batches, Responses and Chat Completions, over the parts that do the work."""

    def __init__(
        self, files: Files, batches: Batches, stock: FaultStock, judge: Judge, schemas: OpenAISchemas, model: str
    ) -> None:
        self._files, self._batches, self._stock = files, batches, stock
        self._judge, self._schemas, self._model = judge, schemas, model
        self._routes: tuple[tuple[str, re.Pattern[str], Callable[[Call], Reply]], ...] = tuple(
            (method, re.compile(path), act)
            for method, path, act in (
                ("POST", "(/v1/responses|/v1/chat/completions)", self._answer),
                ("POST", "/v1/files", self._upload),
                ("GET", "/v1/files", self._list_files),
                ("GET", "/v1/files/([^/]+)", self._show_file),
                ("GET", "/v1/files/([^/]+)/content", self._download),
                ("DELETE", "/v1/files/([^/]+)", self._delete),
                ("POST", "/v1/batches", self._create),
                ("GET", "/v1/batches", self._list_batches),
                ("GET", "/v1/batches/([^/]+)", self._show_batch),
                ("POST", "/v1/batches/([^/]+)/cancel", self._cancel),
            )
        )

    def reply(self, method: str, path: str, query: dict[str, str], content_type: str, body: bytes) -> Reply:
        """Do what is asked. Raises Refused."""
        for known, pattern, act in self._routes:
            found = pattern.fullmatch(path)
            if found and known == method:
                return act(Call("".join(found.groups()), query, content_type, body))
        raise Refused(Refusal(f"Invalid URL ({method} {path})", None, "unknown_url", HTTPStatus.NOT_FOUND))

    def _answer(self, call: Call) -> Reply:
        asked = _parsed(call.body)
        if not isinstance(asked, dict):
            raise Refused(Refusal("We could not parse the JSON body of your request."))
        refused = self._judge.problem(call.name, asked) or model_problem(call.name, asked)
        if refused is None:
            fault = self._stock.take_for_line(call.body)
            failed = _FAILED if fault in ("line_error", "line_zero", "in_both_files") else None
            refused = ERROR_FAULTS.get(fault or "") or failed
        if refused is not None:
            raise Refused(refused)
        if fault == "missing":
            return Reply(0, dropped=True)
        try:
            answer = answer_to(call.name, asked, self._model, at=int(time.time()), fault=fault)
        except Unanswerable as error:
            raise Refused(Refusal(str(error), None, "stand_in_cannot")) from error
        cut = fault in ("line_malformed", "line_garbled", "answer_malformed")
        return json_reply(answer.body, cut=cut, announced=not cut)

    def _upload(self, call: Call) -> Reply:
        upload = read_upload(call.content_type, call.body)
        return json_reply(self._files.add(upload.content, upload.filename, upload.purpose, upload.lasts))

    def _list_files(self, call: Call) -> Reply:
        seen = time.time() - self._stock.left.list_lag
        purpose, order = call.query.get("purpose"), call.query.get("order", "desc")
        if order not in ("asc", "desc"):
            raise Refused(Refusal(f"Invalid 'order': {order!r}, expected 'asc' or 'desc'.", "order"))
        kept = [kept.fields for kept in self._files.all() if kept.came <= seen]
        listed = [fields for fields in kept if purpose in (None, fields["purpose"])]
        return _page(listed if order == "asc" else listed[::-1], call.query, _FILE_PAGE, _FILE_PAGE)

    def _file(self, file_id: str, *, gone: bool = False) -> StoredFile:
        kept = self._files.find(file_id)
        if kept is None or gone:
            raise Refused(Refusal(f"No such File object: {file_id}", "id", None, HTTPStatus.NOT_FOUND))
        return kept

    def _show_file(self, call: Call) -> Reply:
        return json_reply(self._file(call.name).fields)

    def _download(self, call: Call) -> Reply:
        self._file(call.name, gone=self._stock.take("gone"))
        announced = self._stock.take("truncated")
        cut = announced or self._stock.take("truncated_quietly")
        content = self._files.content(call.name) or b""
        return Reply(HTTPStatus.OK, content, "application/octet-stream", cut=cut, announced=announced or not cut)

    def _delete(self, call: Call) -> Reply:
        self._file(call.name)
        self._files.remove(call.name)
        return json_reply({"id": call.name, "object": "file", "deleted": True})

    def _create(self, call: Call) -> Reply:
        asked = _parsed(call.body)
        check_batch(asked, self._files, self._schemas)
        return json_reply(self._batches.create(asked))

    def _list_batches(self, call: Call) -> Reply:
        seen = time.time() - self._stock.left.list_lag
        listed = [self._batches.shown(batch) for batch in self._batches.all() if batch.came <= seen]
        return _page(listed[::-1], call.query, _BATCH_PAGE, _LONGEST_BATCH_PAGE)

    def _batch(self, batch_id: str) -> Batch:
        batch = self._batches.find(batch_id)
        if batch is None:
            message = f"No batch found with id '{batch_id}'."
            raise Refused(Refusal(message, None, None, HTTPStatus.NOT_FOUND))
        return batch

    def _show_batch(self, call: Call) -> Reply:
        return json_reply(self._batches.shown(self._batch(call.name), retrieved=True))

    def _cancel(self, call: Call) -> Reply:
        batch = self._batch(call.name)
        if not self._batches.cancel(batch):
            message = f"Cannot cancel a batch with status '{batch.fields['status']}'."
            raise Refused(Refusal(message, None, None, HTTPStatus.CONFLICT))
        return json_reply(self._batches.shown(batch))


def _page(listed: list[dict[str, Any]], query: dict[str, str], usual: int, most: int) -> Reply:
    limit, after = query.get("limit", str(usual)), query.get("after")
    if not limit.isdigit() or not 1 <= int(limit) <= most:
        raise Refused(Refusal(f"Invalid 'limit': {limit}, expected 1 to {most}.", "limit"))
    if after is not None:
        places = [place for place, item in enumerate(listed) if item["id"] == after]
        if not places:
            raise Refused(Refusal(f"Invalid 'after': {after} is not in the list.", "after"))
        listed = listed[places[0] + 1 :]
    data = listed[: int(limit)]
    ends = {"first_id": data[0]["id"] if data else None, "last_id": data[-1]["id"] if data else None}
    return json_reply({"object": "list", "data": data, **ends, "has_more": len(data) < len(listed)})


def _parsed(body: bytes) -> Any:  # noqa: ANN401
    try:
        return json.loads(body)
    except ValueError:
        return None
