"""Settings of the batch engine, all from the environment.

::

    WIQ_MODEL             the model (default: gpt-6-luna); for Azure the name of the deployment
    WIQ_ENDPOINT          responses (default) or chat: which request body is written
    WIQ_EFFORT            reasoning effort, such as low; none by default: the model's own
    WIQ_ENQUEUED_TOKENS   input tokens that may wait at the provider at once (default: 2000000, the lowest tier)
    WIQ_MAX_COST          most that one job may cost, what is sent again included, in USD (default: 25)
    WIQ_PRICES            a price table of your own (imputer/batch/prices.toml shows the form)
    WIQ_ATTEMPTS          how often a request is sent before it is given up (default: 3)
    WIQ_POLL              seconds between two looks at the batches (default: 30)
    WIQ_SETTLE            seconds after which a batch that was asked for must be listed (default: 10)

The key and the address (OPENAI_API_KEY, OPENAI_BASE_URL; Azure: AZURE_OPENAI_API_KEY, AZURE_OPENAI_ENDPOINT) are read
where they are used (service) and kept nowhere.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from imputer.errors import WrongUsage

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_MODEL = "gpt-6-luna"
#: Limits of one batch, as the provider states them.
MOST_REQUESTS = 50_000
MOST_BYTES = 200_000_000

Endpoint = Literal["responses", "chat"]
_ENDPOINTS = ("responses", "chat")


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """How questions are asked. Money in USD, time in seconds.

    ``output_tokens_per_cell`` and ``output_tokens_spare`` make the limit of tokens in a request, reasoning included.
    """

    model: str = DEFAULT_MODEL
    endpoint: Endpoint = "responses"
    effort: str | None = None
    enqueued_tokens: int = 2_000_000
    max_cost: float = 25.0
    prices: Path | None = None
    attempts: int = 3
    poll: float = 30.0
    settle: float = 10.0
    most_requests: int = MOST_REQUESTS
    most_bytes: int = MOST_BYTES
    output_tokens_per_cell: int = 160
    output_tokens_spare: int = 1_024

    def output_limit(self, cells: int) -> int:
        """Most output tokens of a request for so many cells."""
        return self.output_tokens_spare + self.output_tokens_per_cell * cells


def read_options(environment: Mapping[str, str] | None = None) -> BatchOptions:
    """Read the settings. Raises WrongUsage for a value that is none."""
    given = os.environ if environment is None else environment
    endpoint = given.get("WIQ_ENDPOINT") or "responses"
    if endpoint not in _ENDPOINTS:
        raise WrongUsage("WIQ_ENDPOINT is wrong", " or ".join(_ENDPOINTS), endpoint)
    prices = given.get("WIQ_PRICES")
    return BatchOptions(
        model=given.get("WIQ_MODEL") or DEFAULT_MODEL,
        endpoint=cast("Endpoint", endpoint),
        effort=given.get("WIQ_EFFORT") or None,
        enqueued_tokens=int(_positive(given, "WIQ_ENQUEUED_TOKENS", 2_000_000)),
        max_cost=_positive(given, "WIQ_MAX_COST", 25.0, zero=True),
        prices=Path(prices) if prices else None,
        attempts=int(_positive(given, "WIQ_ATTEMPTS", 3)),
        poll=_positive(given, "WIQ_POLL", 30.0),
        settle=_positive(given, "WIQ_SETTLE", 10.0, zero=True),
    )


def _positive(given: Mapping[str, str], name: str, default: float, *, zero: bool = False) -> float:
    stated = given.get(name)
    if not stated:
        return default
    try:
        value = float(stated)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and (value > 0 or (zero and value == 0))):
        raise WrongUsage(f"{name} is wrong", "a number of 0 or more" if zero else "a number above 0", stated)
    return value
