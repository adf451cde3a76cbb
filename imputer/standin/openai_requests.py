"""The request that creates a batch: every parameter, as OpenAI demands it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imputer.standin.openai_questions import Refusal, Refused
from imputer.standin.openai_schemas import ENDPOINTS, OpenAISchemas
from imputer.standin.openai_uploads import check_life

if TYPE_CHECKING:
    from imputer.standin.openai_files import Files

MOST_PAIRS, LONGEST_KEY, LONGEST_VALUE = 16, 64, 512
_REQUIRED = ("input_file_id", "endpoint", "completion_window")
_ALLOWED = {*_REQUIRED, "metadata", "output_expires_after"}


def check_batch(asked: Any, files: Files, schemas: OpenAISchemas) -> None:  # noqa: ANN401
    """Check the JSON body that creates a batch. Raises Refused."""
    if not isinstance(asked, dict):
        raise Refused(Refusal("We could not parse the JSON body of your request."))
    for name in _REQUIRED:
        if name not in asked:
            raise Refused(Refusal(f"Missing required parameter: '{name}'.", name, "missing_required_parameter"))
    strange = sorted(set(asked) - _ALLOWED)
    if strange:
        raise Refused(Refusal(f"Unknown parameter: '{strange[0]}'.", strange[0], "unknown_parameter"))
    if asked["endpoint"] not in ENDPOINTS:
        message = f"Invalid endpoint {asked['endpoint']!r}: the stand-in has {list(ENDPOINTS)}."
        raise Refused(Refusal(message, "endpoint"))
    if asked["completion_window"] != "24h":
        raise Refused(Refusal("Invalid value: expected '24h'.", "completion_window", "invalid_value"))
    found = schemas.object_problem("CreateBatchRequest", asked)
    if found:
        raise Refused(Refusal(f"Invalid request body: {found}", found.split(":", 1)[0]))
    if "output_expires_after" in asked:
        check_life(asked["output_expires_after"], "output_expires_after")
    _check_metadata(asked.get("metadata") or {})
    _check_file(asked["input_file_id"], files)


def _check_metadata(metadata: Any) -> None:  # noqa: ANN401
    if not isinstance(metadata, dict):
        raise Refused(Refusal("Invalid type for 'metadata': expected an object.", "metadata", "invalid_type"))
    if len(metadata) > MOST_PAIRS:
        raise Refused(Refusal(f"'metadata' has {len(metadata)} pairs, at most {MOST_PAIRS}.", "metadata"))
    for key, value in metadata.items():
        if not isinstance(value, str):
            message = f"Invalid type for 'metadata.{key}': expected a string."
            raise Refused(Refusal(message, f"metadata.{key}", "invalid_type"))
        if len(key) > LONGEST_KEY or len(value) > LONGEST_VALUE:
            message = f"Invalid 'metadata.{key[:LONGEST_KEY]}': too long ({LONGEST_KEY} and {LONGEST_VALUE} at most)."
            raise Refused(Refusal(message, "metadata", "string_above_max_length"))


def _check_file(file_id: object, files: Files) -> None:
    kept = files.find(str(file_id))
    if kept is None:
        raise Refused(Refusal(f"Invalid file id: no such File object: {file_id}", "input_file_id"))
    if kept.fields["purpose"] != "batch":
        message = f"Invalid 'input_file_id': purpose is '{kept.fields['purpose']}', expected 'batch'."
        raise Refused(Refusal(message, "input_file_id"))
