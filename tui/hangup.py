"""A terminal that went away ends the program, also where no signal says so (a closed pty without a session)."""

from __future__ import annotations

import asyncio
import os
import sys
import termios
from collections.abc import Callable

EVERY_S = 2.0


def terminal_gone(descriptor: int) -> bool:
    """True when the descriptor was a terminal and its other end is closed."""
    try:
        termios.tcgetattr(descriptor)
    except termios.error:
        return True
    return False


async def watch_terminal(leave: Callable[[], None]) -> None:
    """Call `leave` once the terminal of standard input is gone; returns at once where there never was one."""
    try:
        descriptor = sys.__stdin__.fileno() if sys.__stdin__ is not None else -1
    except (OSError, ValueError):
        return
    if descriptor < 0 or not os.isatty(descriptor):
        return
    while not terminal_gone(descriptor):  # noqa: ASYNC110 – there is no event for it
        await asyncio.sleep(EVERY_S)
    leave()
