"""What commands print: coloured and as wide as the terminal, or plain lines for a pipe."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from rich.console import RenderableType

WIDTH_OF_A_PIPE = 160


def width() -> int:
    """Characters in a line."""
    return Console().width if sys.stdout.isatty() else WIDTH_OF_A_PIPE


def show(*shown: RenderableType) -> None:
    """Print on standard output; in a pipe without colours and without spaces at the ends of lines."""
    if sys.stdout.isatty():
        Console(highlight=False).print(*shown, sep="\n", markup=False)
        return
    console = Console(width=WIDTH_OF_A_PIPE, highlight=False)
    with console.capture() as captured:
        console.print(*shown, sep="\n", markup=False)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))
