"""What options and standard input say: prompt, tools, images, pairs and amounts, checked before anything is sent."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.errors import UsageError

if TYPE_CHECKING:
    from adapters.events import Image


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
    from services.attachments import read_image

    return tuple(read_image(path).image for path in paths)


def read_pairs(values: Sequence[str], option: str) -> dict[str, str]:
    """K=V options as a mapping; the value may hold `=` and may be empty."""
    pairs = {}
    for value in values:
        name, equals, rest = value.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"{option} takes NAME=VALUE.")
        pairs[name.strip()] = rest
    return pairs


_MOST_RESULT = 1024 * 1024


def read_results(values: Sequence[str]) -> dict[str, str]:
    """NAME=TEXT options of tool results; `@FILE` reads the text from a file."""
    return {
        name: _result_file(Path(text[1:])) if text.startswith("@") else text
        for name, text in read_pairs(values, "--tool-result").items()
    }


def _result_file(path: Path) -> str:
    try:
        if not path.is_file():
            raise UsageError(f"The tool result {path} is no ordinary file, or is not there.")
        if path.stat().st_size > _MOST_RESULT:
            raise UsageError(f"The tool result {path} is larger than 1 MB.")
        return path.read_text("utf-8").rstrip("\r\n")
    except OSError as problem:
        raise UsageError(f"The tool result {path} cannot be read: {problem.strerror}.") from None
    except ValueError:
        raise UsageError(f"The tool result {path} is not UTF-8 text.") from None


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
