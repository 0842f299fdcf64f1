"""The picture a model is shown to find out whether it sees: four coloured squares, made here and known to nobody."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from functools import lru_cache

from adapters.events import Image

COLOURS = ("blue", "yellow", "red", "green")
"""From left to right: one order of 24, and not the one that is named by heart."""
_RGB = {"blue": (0, 60, 230), "yellow": (255, 225, 0), "red": (220, 20, 20), "green": (0, 150, 50)}
SIDE = 96
"""Pixels; smaller pictures are refused by some vendors."""


@lru_cache(maxsize=1)
def squares() -> Image:
    """The squares side by side, as a PNG of a few hundred bytes."""
    return Image("image/png", png([_RGB[name] for name in COLOURS], SIDE))


def png(colours: Sequence[tuple[int, int, int]], side: int) -> bytes:
    """Squares of these colours side by side: an 8-bit RGB PNG (W3C PNG, sections 5 and 11)."""
    row = b"\0" + b"".join(bytes(colour) * side for colour in colours)
    header = struct.pack(">IIBBBBB", side * len(colours), side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(row * side, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
