"""``imputer demo``: the built-in sample through all three tiers, and two values explained in both languages."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import click

from imputer.sample import SAMPLE
from imputer.settings import read_settings
from imputer.standin.onet import OnetStandIn

if TYPE_CHECKING:
    from pathlib import Path

RELEASE = "29.3"
ENTITY, ATTRIBUTE = "28", "oasis.skills.reading_comprehension"
#: What the stand-in calls itself: its answers are no model's.
MODEL = "stand-in"

_ANSWERED = """
SELECT entity_id, attribute_id FROM attribute_values
WHERE source_type = 'LLM' AND value_number IS NOT NULL ORDER BY entity_id, attribute_id LIMIT 1
"""


@click.command()
def demo() -> None:
    """Impute the built-in sample through all three tiers; no download, no key.

    O*NET and the Batch API are stand-ins on loopback. What the latter answers is made up: its statements carry the
    model's name «stand-in».

    \b
    Example:
      WIQ_OUTPUT=output/demo imputer demo
    """  # noqa: D301 (click reads the backspace)
    from imputer.standin.openai import OpenAIStandIn  # noqa: PLC0415 (--help does not need it)

    settings = read_settings()
    with OnetStandIn(SAMPLE / "onet_29_3", RELEASE) as onet, OpenAIStandIn(model=MODEL) as model:
        print(f"\nStand-ins answer on loopback: O*NET Web Services at {onet.base_url}", flush=True)
        print(f"and the OpenAI Batch API at {model.base_url}; its answers are made up.", flush=True)
        environment = os.environ | {
            "WIQ_ONET": "web",
            "ONET_API_KEY": onet.key,
            "ONET_BASE_URL": onet.base_url,
            "OPENAI_API_KEY": model.key,
            "OPENAI_BASE_URL": model.base_url,
            "WIQ_MODEL": MODEL,
            "WIQ_POLL": "0.2",
            "WIQ_SETTLE": "1",
        }
        _run(environment, "impute", "--sample")
    for entity, attribute in ((ENTITY, ATTRIBUTE), *_answered(settings.root)):
        for language in ("en", "fr"):
            _run(environment, "explain", entity, attribute, "--language", language)
    _run(environment, "gaps")
    print(f"\nReport: {settings.root / 'latest' / 'report_en.html'}, {settings.root / 'latest' / 'report_fr.html'}")


def _answered(root: Path) -> list[tuple[str, str]]:
    """A cell that the stand-in filled."""
    from imputer.finished import open_latest  # noqa: PLC0415

    with open_latest(root) as run:
        return [(row["entity_id"], row["attribute_id"]) for row in run.rows(_ANSWERED)]


def _run(environment: dict[str, str], *arguments: str) -> None:
    """Run a command as a user would; its failure is the demo's."""
    print(f"\n$ imputer {' '.join(arguments)}", flush=True)
    status = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "imputer", *arguments], env=environment, check=False
    ).returncode
    if status:
        sys.exit(status)
