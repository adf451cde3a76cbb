"""``imputer demo``: the built-in sample, imputed, and one value explained in both languages."""

from __future__ import annotations

import os
import subprocess
import sys

import click

from imputer.sample import SAMPLE
from imputer.settings import read_settings
from imputer.standin.onet import OnetStandIn

RELEASE = "29.3"
ENTITY, ATTRIBUTE = "28", "oasis.skills.reading_comprehension"


@click.command()
def demo() -> None:
    """Impute the built-in sample, with O*NET from a loopback stand-in of its Web Services; no download, no key.

    \b
    Example:
      WIQ_OUTPUT=output/demo imputer demo
    """  # noqa: D301 (click reads the backspace)
    settings = read_settings()
    with OnetStandIn(SAMPLE / "onet_29_3", RELEASE) as service:
        print(f"\nThe stand-in of O*NET Web Services answers at {service.base_url}", flush=True)
        environment = os.environ | {
            "WIQ_ONET": "web",
            "ONET_API_KEY": service.key,
            "ONET_BASE_URL": service.base_url,
        }
        _run(environment, "impute", "--sample")
    for language in ("en", "fr"):
        _run(environment, "explain", ENTITY, ATTRIBUTE, "--language", language)
    _run(environment, "gaps")
    print(f"\nReport: {settings.root / 'latest' / 'report_en.html'}, {settings.root / 'latest' / 'report_fr.html'}")


def _run(environment: dict[str, str], *arguments: str) -> None:
    """Run a command as a user would; its failure is the demo's."""
    print(f"\n$ imputer {' '.join(arguments)}", flush=True)
    status = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "imputer", *arguments], env=environment, check=False
    ).returncode
    if status:
        sys.exit(status)
