"""What options and standard input say: prompt, tools, images, pairs and amounts, checked before anything is sent."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.errors import UsageError
from services.tool_specs import read_tools as read_tools

if TYPE_CHECKING:
    from adapters.events import Image

IMAGE_LIMIT = 20 * 1024 * 1024
"""Bytes; above it every vendor refuses an image."""

_IMAGE_TYPES: Sequence[tuple[bytes, bytes, str]] = (
    (b"\x89PNG\r\n\x1a\n", b"", "image/png"),
    (b"\xff\xd8\xff", b"", "image/jpeg"),
    (b"GIF8", b"", "image/gif"),
    (b"RIFF", b"WEBP", "image/webp"),
)
"""First bytes, the bytes at offset 8 where the first do not decide, and the type."""


def read_prompt(argument: str | None) -> str:
    """The prompt from the argument, or from standard input where there is none (or it is `-`)."""
    if argument is None or argument == "-":
        if sys.stdin.isatty():
            raise UsageError("There is no prompt.", hint="Give it as an argument or on standard input.")
        try:
            text = sys.stdin.buffer.read().decode()
        except UnicodeDecodeError:
            raise UsageError("The prompt on standard input is not UTF-8 text.") from None
        text = text.rstrip("\r\n")
    else:
        text = argument
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UsageError("The prompt is not UTF-8 text.") from None
    if not text.strip():
        raise UsageError("The prompt is empty.", hint="Give it as an argument or on standard input.")
    return text


def read_images(paths: Sequence[Path]) -> tuple[Image, ...]:
    """The images, their types told from their bytes."""
    return tuple(_image(path) for path in paths)


def _image(path: Path) -> Image:
    from adapters.events import Image

    try:
        if path.stat().st_size > IMAGE_LIMIT:
            raise UsageError(f"The image {path} is larger than {IMAGE_LIMIT // 1024 // 1024} MB.")
        data = path.read_bytes()
    except OSError as problem:
        raise UsageError(f"The image {path} cannot be read: {problem.strerror}.") from None
    for start, at_eight, media_type in _IMAGE_TYPES:
        if data.startswith(start) and data[8:].startswith(at_eight):
            return Image(media_type=media_type, data=data)
    raise UsageError(f"The image {path} is none of PNG, JPEG, GIF and WebP.")


def read_pairs(values: Sequence[str], option: str) -> dict[str, str]:
    """K=V options as a mapping; the value may hold `=` and may be empty."""
    pairs = {}
    for value in values:
        name, equals, rest = value.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"{option} takes NAME=VALUE.")
        pairs[name.strip()] = rest
    return pairs


def read_decimal(text: str | None, option: str, *, most: int | None = 1_000_000_000) -> Decimal | None:
    """An amount from 0 to `most` (None: the caller says what is too much); no text stays None."""
    if text is None:
        return None
    try:
        value = Decimal(text.removeprefix("$"))
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or value < 0:
        raise UsageError(f"{option} takes a number from 0 up.")
    if 0 < value < Decimal("1e-9"):
        raise UsageError(
            f"{option}: less than a nano-dollar (0.000000001) cannot be counted.", hint="0 is nothing."
        )
    if most is not None and value > most:
        raise UsageError(f"{option} takes a number from 0 to {most:,}.")
    return abs(value)  # -0 is 0
