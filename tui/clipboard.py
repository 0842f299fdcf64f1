"""How text reaches the user's clipboard over SSH and through tmux, and that a secret never does."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Callable

from catalog.redact import redact
from tui.terminal import in_gnu_screen

_PIECE = 240
"""Bytes that GNU screen passes on in one go; from 768 on it drops them."""


def osc52(text: str) -> str:
    """The terminal sequence that puts the text on the clipboard of the terminal in front of the user."""
    return f"\x1b]52;c;{base64.b64encode(text.encode()).decode('ascii')}\a"


def through_screen(sequence: str) -> str:
    """The same, wrapped so that GNU screen hands it to its own terminal instead of swallowing it."""
    pieces = (sequence[at : at + _PIECE] for at in range(0, len(sequence), _PIECE))
    return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)


async def copy(text: str, write: Callable[[str], None]) -> str:
    """Copy by every way that works here and return what was copied: the text with all secrets masked.

    OSC 52 always, wrapped for GNU screen. tmux ignores it with its default settings, so inside tmux the text goes to
    tmux too, which passes it on (`-w`).
    """
    text = redact(text)
    sequence, inside_tmux = osc52(text), bool(os.environ.get("TMUX"))
    write(through_screen(sequence) if in_gnu_screen() and not inside_tmux else sequence)
    if inside_tmux:
        await _to_tmux(text)
    return text


async def _to_tmux(text: str) -> None:
    try:
        process = await asyncio.create_subprocess_exec(
            "tmux", "load-buffer", "-w", "-",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
    except OSError:
        return
    try:
        await asyncio.wait_for(process.communicate(text.encode()), 2.0)
    except TimeoutError:
        process.kill()
        await process.wait()
