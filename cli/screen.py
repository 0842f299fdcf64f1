"""The way from the command line into the terminal program, on which nothing is loaded that it does not need."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def has_terminal() -> bool:
    """True where a person sits at both ends."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def wanted(arguments: Sequence[str]) -> bool | None:
    """Whether the plain call for the screen asks for the demo; None: click must look at the arguments."""
    plain = {(): False, ("--demo",): True}.get(tuple(arguments))
    return plain if plain is None or has_terminal() else None


def start(*, demo: bool, read_only: bool = False) -> int:
    """Run the program to its end; its exit status."""
    if read_only:
        os.environ["SWITCHROOM_READ_ONLY"] = "1"
    import gc

    gc.disable()  # hardly anything is garbage before the first full frame; behind it the program collects again
    from tui.start import run_tui

    return run_tui(demo=demo)
