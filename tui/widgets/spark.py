"""A row of figures in a row of cells: the small chart inside a line of text."""

from __future__ import annotations

import math
from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"


def spark(values: Sequence[float | None], cells: int, top: float | None = None) -> str:
    """The last `cells` values as blocks, in exactly so many cells; what is unknown, or not yet there, is a space.

    `top` is what a full block stands for; None: the largest value shown.
    """
    shown = [value if value is not None and math.isfinite(value) else None for value in values]
    shown = shown[-cells:] if cells > 0 else []
    most = max((value for value in shown if value is not None), default=0.0) if top is None else top
    text = "".join(" " if value is None else _block(value, most) for value in shown)
    return text.rjust(max(0, cells))


def _block(value: float, most: float) -> str:
    share = min(1.0, max(0.0, value / most)) if most > 0 else 0.0
    return BLOCKS[round(share * (len(BLOCKS) - 1))]
