"""OpenAI's files and batches endpoints on the loopback interface, and Responses and Chat Completions, made up.

Real are: addresses and shapes, bearer keys (and Azure's ``api-key`` header and ``/openai`` before the path), the checks
of uploads, batches and lines, statuses and their order, answers in any order, errors in all the shapes that are known.
Checked harder than there: a body that breaks OpenAI's own schema, or a strict schema outside its subset, fails the
whole batch, where OpenAI would fail the line. Invented are the answers, and their model's name says so.

``python -m imputer.standin.openai --port 8080 --state FOLDER`` runs it as a process; it says its address first.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import threading
import time
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, urlsplit

import click

from imputer.standin.openai_batches import Batches
from imputer.standin.openai_endpoints import Endpoints
from imputer.standin.openai_faults import FaultStock, OpenAIFaults
from imputer.standin.openai_files import Files
from imputer.standin.openai_http import ADDRESS, Reply, json_reply, server_for
from imputer.standin.openai_questions import Judge, Refusal, Refused
from imputer.standin.openai_results import BUSY
from imputer.standin.openai_schemas import OpenAISchemas
from imputer.standin.openai_uploads import LARGEST

if TYPE_CHECKING:
    from types import TracebackType

KEY = "stand-in-key"
MODEL = "stand-in"
_SHOWN_OF_KEY, _LONG_KEY = 4, 16
_DROPS = {
    ("POST", "batches"): "create_then_drop",
    ("POST", "files"): "upload_then_drop",
    ("POST", "cancel"): "cancel_then_drop",
}
_BROKEN = Refusal("The server had an error while processing your request.", None, None, 500, "server_error")


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came: ``at`` in seconds of the monotonic clock, header names in lower case.

    ``status`` is 0 where the connection was closed instead of an answer; ``body`` is None for uploads and for no JSON.
    """

    at: float
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    status: int
    body: Any


class OpenAIStandIn:
    """The service, for use in a ``with`` statement; ``requests`` lists every request in order.

    ``model`` is the name that answers carry, whatever model was asked; it begins with «stand-in». ``schemas`` is the
    folder of OpenAI's own schemas, against which requests are then checked; ``state`` a folder in which files and
    batches outlive the service. A batch takes about ``seconds`` to complete. ``faults`` may be set anew at any time,
    and tells what is left of them.
    """

    def __init__(
        self,
        *,
        key: str = KEY,
        port: int = 0,
        faults: OpenAIFaults | None = None,
        model: str = MODEL,
        schemas: Path | None = None,
        state: Path | None = None,
        seconds: float = 0.2,
    ) -> None:
        """Port 0 takes a free one. Raises ValueError for a model name that could be mistaken for a real one."""
        if not model.startswith(MODEL):
            raise ValueError(f"model: expected a name that begins with {MODEL!r}, found {model!r}")
        self.key = key
        self._stock = FaultStock(faults or OpenAIFaults())
        known = OpenAISchemas(schemas)
        judge = Judge(known)
        self._files = Files(state and state / "files")
        self._batches = Batches(
            state and state / "batches", self._files, self._stock, judge, model=model, seconds=seconds
        )
        self._endpoints = Endpoints(self._files, self._batches, self._stock, judge, known, model)
        self._lock = threading.Lock()
        self._requests: list[Request] = []
        self._server = server_for(self.answer, port)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def base_url(self) -> str:
        """The address of the service, with a final slash: what clients call their base URL."""
        return f"http://{ADDRESS}:{self._server.server_address[1]}/v1/"

    @property
    def requests(self) -> list[Request]:
        """Every request so far."""
        with self._lock:
            return list(self._requests)

    @property
    def faults(self) -> OpenAIFaults:
        """The faults that are left."""
        return self._stock.left

    @faults.setter
    def faults(self, faults: OpenAIFaults) -> None:
        self._stock.put(faults)

    @property
    def batches(self) -> list[dict[str, Any]]:
        """Every batch as it really is, oldest first, whatever faults hide."""
        return [dict(batch.fields) for batch in self._batches.all()]

    @property
    def files(self) -> list[dict[str, Any]]:
        """Every file, oldest first."""
        return [dict(kept.fields) for kept in self._files.all()]

    def content(self, file_id: str) -> bytes:
        """The bytes of a file, uncut. Raises KeyError for one that is not there."""
        content = self._files.content(file_id)
        if content is None:
            raise KeyError(file_id)
        return content

    def __enter__(self) -> Self:
        """Answer requests from now on, in other threads."""
        self._batches.start()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Answer no more, stop the batches where they stand, and free the port."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._batches.close()

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes | None) -> Reply:
        """Answer one request; ``body`` None: too long to be read."""
        url = urlsplit(target)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        path = url.path.removeprefix("/openai").rstrip("/")
        if self.faults.slow:
            time.sleep(self.faults.slow)
        reply = self._reply(method, path, query, headers, body)
        asked = None
        if body and "json" in headers.get("content-type", ""):
            with contextlib.suppress(ValueError):
                asked = json.loads(body)
        with self._lock:
            mark = hashlib.sha256(f"{len(self._requests)}{target}".encode()).hexdigest()[:32]
            status = 0 if reply.dropped else reply.status
            self._requests.append(Request(time.monotonic(), method, path, query, headers, status, asked))
        reply.headers["x-request-id"] = f"req_{mark}"
        return reply

    def _reply(
        self, method: str, path: str, query: dict[str, str], headers: dict[str, str], body: bytes | None
    ) -> Reply:
        """Refuse, or do what is asked and perhaps say nothing of it."""
        refused = self._key_problem(headers)
        if refused is None and body is None:
            limit = f"Maximum content size limit ({LARGEST}) exceeded."
            refused = Refusal(limit, None, None, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        if refused is not None:
            return json_reply(refused.body, refused.status)
        ordered = f"{method} {path}".startswith(self.faults.where)
        early = self._early_fault() if ordered else None
        if early is not None:
            return early
        try:
            reply = self._endpoints.reply(method, path, query, headers.get("content-type", ""), body or b"")
        except Refused as error:
            return json_reply(error.refusal.body, error.refusal.status)
        dropped = _DROPS.get((method, path.rsplit("/", maxsplit=1)[-1]))
        if (dropped and self._stock.take(dropped)) or (ordered and self._stock.take("drop_after")):
            return Reply(0, dropped=True)
        return reply

    def _key_problem(self, headers: dict[str, str]) -> Refusal | None:
        given = headers.get("authorization", "").removeprefix("Bearer ") or headers.get("api-key", "")
        if hmac.compare_digest(given.encode(), self.key.encode()):
            return None
        shown = "*" * len(given)
        if len(given) >= _LONG_KEY:
            shown = given[:_SHOWN_OF_KEY] + shown[2 * _SHOWN_OF_KEY :] + given[-_SHOWN_OF_KEY:]
        message = f"Incorrect API key provided: {shown}." if given else "You didn't provide an API key."
        return Refusal(message, None, "invalid_api_key" if given else None, HTTPStatus.UNAUTHORIZED)

    def _early_fault(self) -> Reply | None:
        """What is answered whatever is asked, with nothing done."""
        if self._stock.take("too_many"):
            wait = self.faults.retry_after
            reply = json_reply(BUSY.body, BUSY.status)
            reply.headers.update({} if wait is None else {"retry-after": f"{wait:g}"})
            return reply
        if self._stock.take("broken"):
            return json_reply(_BROKEN.body, _BROKEN.status)
        return Reply(0, dropped=True) if self._stock.take("drop_before") else None


@click.command()
@click.option("--port", default=0, show_default="a free one")
@click.option("--key", default=KEY, show_default=True, help="The key that requests must bear.")
@click.option("--model", default=MODEL, show_default=True, help="The model's name in answers.")
@click.option("--seconds", default=0.2, show_default=True, help="How long a batch takes.")
@click.option("--state", type=click.Path(file_okay=False, path_type=Path), help="Folder for files and batches.")
@click.option("--schemas", type=click.Path(exists=True, file_okay=False, path_type=Path), help="OpenAI's own schemas.")
@click.option("--faults", default="{}", help="Faults as JSON: '{\"create_then_drop\": 1}'.")
def main(
    port: int, key: str, model: str, seconds: float, state: Path | None, schemas: Path | None, faults: str
) -> None:
    """Answer as OpenAI's Batch API on the loopback interface, with made-up values, until interrupted."""
    ordered = OpenAIFaults(**json.loads(faults))
    service = OpenAIStandIn(
        key=key, port=port, faults=ordered, model=model, schemas=schemas, state=state, seconds=seconds
    )
    with service:
        click.echo(service.base_url)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            click.echo("stopped", err=True)


if __name__ == "__main__":
    main()
