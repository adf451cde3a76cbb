"""What a batch costs, before it is sent: a dated price table, and token counts that err upward.

Tokens are counted without a tokeniser: **one token for every two bytes of a request's body**. Byte-pair tokenisers
need one for three to four bytes of English or French prose and for about two of the digits and names in our tables,
so the count is above the bill. What an answer may cost at most is known exactly: its request limits its tokens.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from imputer.errors import WrongUsage

#: Bytes of a request body that count as one input token.
BYTES_PER_TOKEN = 2
_MILLION = 1_000_000
_TABLE = Path(__file__).with_name("prices.toml")


@dataclass(frozen=True, slots=True)
class Price:
    """Batch price of a model in USD per million tokens, with the date of the table it stands in."""

    model: str
    input: float
    output: float
    as_of: str

    def cost(self, input_tokens: int, output_tokens: int) -> float:
        """USD for so many tokens in and out."""
        return (input_tokens * self.input + output_tokens * self.output) / _MILLION


def tokens_of(body_bytes: int) -> int:
    """Input tokens of a request body, rounded up."""
    return -(-body_bytes // BYTES_PER_TOKEN)


def read_price(model: str, path: Path | None = None) -> Price:
    """The price of a model. Raises WrongUsage where the table has none: what costs an unknown sum is not sent."""
    path = path or _TABLE
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        entry = table["models"].get(model)
        if entry is not None:
            return Price(model, float(entry["input"]), float(entry["output"]), str(table["as_of"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise WrongUsage(f"the price table {path} cannot be read", "as_of and [models] in TOML", reason) from error
    raise WrongUsage(
        "the price of the model is not known",
        f"a model of {path}: {', '.join(sorted(table['models']))}",
        model,
        next_step="set WIQ_MODEL to one of them, or WIQ_PRICES to a table of yours that has it",
    )
