"""What reaches standard output: one JSON document, or text and tables that a terminal may safely show."""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from decimal import Decimal

import click

from catalog.plaintext import harmless, one_line

_STEERING = re.compile(
    "[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
"""What JSON allows unescaped and a terminal or an editor might obey; also lone surrogates, which UTF-8 cannot say."""


def _escape(match: re.Match[str]) -> str:
    units = match.group(0).encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def json_text(document: Mapping[str, object]) -> str:
    """A document for people and programs: indented, faithful, and free of what could steer a terminal."""
    return _STEERING.sub(_escape, json.dumps(document, ensure_ascii=not _unicode(), indent=1))


def json_line(document: Mapping[str, object]) -> str:
    """A document on one line."""
    return _STEERING.sub(_escape, json.dumps(document, ensure_ascii=not _unicode()))


def _unicode() -> bool:
    """False where standard output cannot say every character: JSON escapes them there."""
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def width(text: str) -> int:
    """Terminal cells: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    cells = 0
    for character in text:
        if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
            continue
        cells += 2 if unicodedata.east_asian_width(character) in "WF" else 1
    return cells


def table(titles: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str] = ()) -> str:
    """Aligned columns under their titles; `right` names the titles of columns that end flush right."""
    cells = [[one_line(cell) for cell in row] for row in rows]
    widths = [max([width(title), *(width(row[i]) for row in cells)]) for i, title in enumerate(titles)]
    flush = [title in right for title in titles]

    def line(row: Sequence[str]) -> str:
        padded = []
        for cell, size, at_right in zip(row, widths, flush, strict=True):
            gap = " " * (size - width(cell))
            padded.append(gap + cell if at_right else cell + gap)
        return "  ".join(padded).rstrip()

    return "\n".join(line(row) for row in [list(titles), *cells])


def pairs(rows: Sequence[tuple[str, str]]) -> str:
    """Names and values, one to a line."""
    size = max((width(name) for name, _ in rows), default=0)
    return "\n".join(
        f"{name}{' ' * (size - width(name))}  {one_line(value, 500)}".rstrip() for name, value in rows
    )


def show(text: str) -> None:
    """Text of ours for standard output."""
    click.echo(harmless(text))


def note(text: str) -> None:
    """Progress or a remark, on standard error."""
    click.echo(one_line(text, 500), err=True)


def dollars(amount: Decimal | None, grade: str | None = None) -> str:
    """Money for people: never a rounded-away zero, never $0 for what is unknown."""
    if amount is None:
        return "no price per token" if grade == "own" else "unknown"
    if 0 < amount < Decimal("0.000001"):
        return "<$0.000001"
    places = 2 if amount == 0 or abs(amount) >= 1 else 4 if abs(amount) >= Decimal("0.01") else 6
    return f"${amount:,.{places}f}"


def count(number: int | None) -> str:
    """A count with its thousands apart; a dash for unknown."""
    return "–" if number is None else f"{number:,}"


def plain_decimal(value: Decimal | None) -> str | None:
    """A decimal without exponent or padding, as JSON states prices."""
    if value is None:
        return None
    text = format(value, "f")
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text
