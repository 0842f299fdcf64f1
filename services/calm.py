"""Holding off full garbage collections while thousands of models pass through: each would stall the screen."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_NEVER = 1_000_000
_state: dict[str, int] = {"depth": 0, "full": 10}


@contextmanager
def calm() -> Iterator[None]:
    """Young objects are still collected; a full collection waits for the end of the outermost block."""
    young, middle, full = gc.get_threshold()
    if _state["depth"] == 0:
        _state["full"] = full
        gc.set_threshold(young, middle, _NEVER)
    _state["depth"] += 1
    try:
        yield
    finally:
        _state["depth"] -= 1
        if _state["depth"] == 0:
            young, middle, _ = gc.get_threshold()
            gc.set_threshold(young, middle, _state["full"])
