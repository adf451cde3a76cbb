"""Settings of the batch engine, all from the environment.

::

    WIQ_MODEL             the model (default: gpt-6-luna); for Azure the name of the deployment
    WIQ_ENDPOINT          responses (default) or chat: which request body is written
    WIQ_EFFORT            reasoning effort, such as low; none by default: the model's own
    WIQ_ENQUEUED_TOKENS   input tokens that may wait at the provider at once (default: 2000000, the lowest tier)
    WIQ_MAX_COST          most that all open questions may cost together, what is sent again included (default: 25 USD)
    WIQ_PRICES            a price table of your own (imputer/batch/prices.toml shows the form)
    WIQ_ATTEMPTS          how often a request is sent before it is given up (default: 3)
    WIQ_POLL              seconds between two looks at the batches (default: 30)
    WIQ_SETTLE            seconds after which a batch that was asked for must be listed (default: 10)
    WIQ_BACKOFF           seconds before a reading call is repeated, doubled each time (default: 1; service reads it)

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

    def __post_init__(self) -> None:
        """Raise WrongUsage for a cap that nothing can be compared with; click lets it through."""
        if not (math.isfinite(self.max_cost) and self.max_cost >= 0):
            raise WrongUsage("the cap (--max-cost) is wrong", "a number of 0 or more", str(self.max_cost))

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
        enqueued_tokens=int(positive_number(given, "WIQ_ENQUEUED_TOKENS", 2_000_000)),
        max_cost=positive_number(given, "WIQ_MAX_COST", 25.0, zero=True),
        prices=Path(prices) if prices else None,
        attempts=int(positive_number(given, "WIQ_ATTEMPTS", 3)),
        poll=positive_number(given, "WIQ_POLL", 30.0),
        settle=positive_number(given, "WIQ_SETTLE", 10.0, zero=True),
    )


def positive_number(given: Mapping[str, str], name: str, default: float, *, zero: bool = False) -> float:
    """A number of the settings. Raises WrongUsage for one that is not above 0, or with ``zero`` 0 or more."""
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
