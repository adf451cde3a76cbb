"""Text that breaks into lines where French may: not after «, nor before » : ; ! ? %."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console, JustifyMethod, OverflowMethod
    from rich.containers import Lines

# Noncharacters stand in for the spaces while rich looks for places to break: it takes every space for one, no-break
# spaces too. What is printed has the spaces as they were, so that it is found by those who type plain ones.
_HELD = {" ": "\ufdd0", "\u00a0": "\ufdd1", "\u202f": "\ufdd2"}
_UNBROKEN = re.compile("(?<=«) | (?=[»:;!?%])|[\u00a0\u202f]")
_FREED = str.maketrans({held: space for space, held in _HELD.items()})


class Prose(Text):
    """Rich text with those spaces held."""

    def wrap(
        self,
        console: Console,
        width: int,
        *,
        justify: JustifyMethod | None = None,
        overflow: OverflowMethod | None = None,
        tab_size: int = 8,
        no_wrap: bool | None = None,
    ) -> Lines:
        """As rich wraps, in lines of ``width`` cells."""
        held = self.copy()
        held.plain = _UNBROKEN.sub(lambda found: _HELD[found[0]], self.plain)
        lines = held.wrap(console, width, justify=justify, overflow=overflow, tab_size=tab_size, no_wrap=no_wrap)
        for line in lines:
            line.plain = line.plain.translate(_FREED)
        return lines
