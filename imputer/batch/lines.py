"""Request lines: the constant part of a contract is serialised once, a question adds its own text and its key."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

import orjson

if TYPE_CHECKING:
    from imputer.batch.contracts import Contract
    from imputer.batch.options import BatchOptions

URLS = {"responses": "/v1/responses", "chat": "/v1/chat/completions"}
#: What every key begins with; the whole has 44 characters of the 64 that are safe.
KEY_PREFIX = "wiq-"
_KEY_DIGITS = 40
_ID_START = b'{"custom_id":"'
_ID_END = len(_ID_START) + len(KEY_PREFIX) + _KEY_DIGITS
# Where the question's own text goes while the constant part is made.
_BLANK = "\x00"
_SCHEMA_NAME = "answers"


class Question(NamedTuple):
    """One entity asked about all cells of a contract; ``text`` is what the model is told about the entity.

    ``rests_on``, a JSON object, goes into the evidence of what is answered: the part of the text that the answer is to
    keep to. ``subject`` (``tiers.llm.subject_of``) says what the entity is now. Neither is part of the question itself.
    """

    contract: Contract
    entity_type: str
    entity_id: str
    text: str
    rests_on: str | None = None
    subject: str = ""


class LineMaker:
    """Makes the lines of one contract, for one model and one kind of body.

    A question's key is a digest of the purpose, the entity and every byte of the body: contract, model, parameters
    and text. The same question has the same key for ever.
    """

    def __init__(self, contract: Contract, options: BatchOptions, purpose: str) -> None:
        self.output_limit = options.output_limit(len(contract.cells))
        head, tail = _constant_parts(contract, options, self.output_limit)
        self._digest = hashlib.sha256(b"\x1f".join([purpose.encode(), head, tail, b""]))
        url = URLS[options.endpoint].encode()
        self._before = b'","method":"POST","url":"' + url + b'","body":' + head
        self._after = tail + b"}\n"
        self.constant_bytes = len(head) + len(tail)

    def line(self, question: Question) -> tuple[str, bytes, int]:
        """Key, line with its end, and bytes of the body."""
        text = orjson.dumps(question.text)
        digest = self._digest.copy()
        digest.update(f"{question.entity_type}\x1f{question.entity_id}\x1f".encode())
        digest.update(text)
        key = KEY_PREFIX + digest.hexdigest()[:_KEY_DIGITS]
        line = b"".join((_ID_START, key.encode(), self._before, text, self._after))
        return key, line, self.constant_bytes + len(text)


def key_of_line(line: bytes) -> str:
    """The key of a line that a LineMaker made."""
    return line[len(_ID_START) : _ID_END].decode()


def _constant_parts(contract: Contract, options: BatchOptions, output_limit: int) -> tuple[bytes, bytes]:
    form = {"type": "json_schema", "name": _SCHEMA_NAME, "strict": True, "schema": contract.schema}
    body: dict[str, object]
    if options.endpoint == "responses":
        body = {
            "model": options.model,
            "instructions": contract.instructions,
            "max_output_tokens": output_limit,
            "store": False,
            **({"reasoning": {"effort": options.effort}} if options.effort else {}),
            "text": {"format": form},
            "input": _BLANK,
        }
    else:
        body = {
            "model": options.model,
            "max_completion_tokens": output_limit,
            **({"reasoning_effort": options.effort} if options.effort else {}),
            "response_format": {"type": "json_schema", "json_schema": {k: v for k, v in form.items() if k != "type"}},
            "messages": [
                {"role": "system", "content": contract.instructions},
                {"role": "user", "content": _BLANK},
            ],
        }
    head, _, tail = orjson.dumps(body).rpartition(orjson.dumps(_BLANK))
    return head, tail
