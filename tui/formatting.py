"""How numbers, times, states and widths are written on a screen: every screen's words and figures come from here."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from rich.cells import cell_len, set_cell_size

from catalog.plaintext import one_line

UNKNOWN = "—"
"""What stands where a value is not known. Never `$0`, never `0`."""

Tone = Literal["", "ok", "warn", "bad", "dim", "accent", "strong"]
"""The few meanings a colour can have; the theme decides the colour."""


@dataclass(frozen=True, slots=True)
class StateMark:
    """A provider's state for people: glyph and word together, since colour never speaks alone."""

    glyph: str
    word: str
    tone: Tone

    def __str__(self) -> str:
        return f"{self.glyph} {self.word}"


_STATES: dict[str, StateMark] = {
    "ok": StateMark("●", "ok", "ok"),
    "limited": StateMark("◐", "limited", "warn"),
    "slow": StateMark("◍", "slow", "warn"),
    "invalid_key": StateMark("✕", "invalid key", "bad"),
    "no_permission": StateMark("✕", "no permission", "bad"),
    "no_credit": StateMark("✕", "no credit", "bad"),
    "unreachable": StateMark("✕", "unreachable", "bad"),
    "error": StateMark("✕", "error", "bad"),
    "locked": StateMark("◌", "locked", "warn"),
    "untested": StateMark("◌", "untested", "dim"),
    "held": StateMark("◇", "held", "dim"),
    "off": StateMark("○", "off", "dim"),
    "offline": StateMark("⊘", "offline", "dim"),
    "breaker_open": StateMark("⊗", "breaker open", "bad"),
    "syncing": StateMark("◌", "syncing", "accent"),
    "testing": StateMark("◌", "testing", "accent"),
    "complete": StateMark("●", "complete", "ok"),
    "interrupted": StateMark("◐", "interrupted", "warn"),
    "cancelled": StateMark("○", "cancelled", "dim"),
    "failed": StateMark("✕", "failed", "bad"),
}


def state(name: str, detail: str = "") -> StateMark:
    """The glyph and word of a state; `detail` (such as `12s`) follows the word. An unknown state is its own word."""
    mark = _STATES.get(name) or StateMark("◌", one_line(name.replace("_", " "), 24), "dim")
    return StateMark(mark.glyph, f"{mark.word} {detail}", mark.tone) if detail else mark


_DIGITS = ((Decimal("0.1"), Decimal("0.0001")), (Decimal(1), Decimal("0.001")))
"""Amounts below the first are written to the second."""


def money(amount: Decimal | None) -> str:
    """USD for a table: `$41.20`, `$0.0054`, `<$0.0001`; a dash when unknown. Zero is a true zero."""
    if amount is None:
        return UNKNOWN
    sign, size = ("-" if amount < 0 else ""), abs(amount)
    if size == 0:
        return "$0.00"
    if size < Decimal("0.0001"):
        return f"{sign}<$0.0001"
    for below, digits in _DIGITS:
        rounded = size.quantize(digits, ROUND_HALF_UP)
        if rounded < below:  # $0.9996 is $1.00 and not $1.000
            break
    else:
        rounded = size.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return f"{sign}${rounded:,}"


def cents(amount: Decimal | None) -> str:
    """USD to the cent, for budgets and totals: `$1.42`, `<$0.01`; a dash when unknown."""
    if amount is None:
        return UNKNOWN
    if 0 < amount < Decimal("0.005"):
        return "<$0.01"
    return f"${amount.quantize(Decimal('0.01'), ROUND_HALF_UP):,}"


def rate(amount: Decimal | None) -> str:
    """A price per 1,000,000 tokens: `$2.50`, `$0.075`, `free`; a dash when unknown."""
    if amount is None:
        return UNKNOWN
    if amount == 0:
        return "free"
    text = f"{amount.normalize():f}"
    whole, _, fraction = text.partition(".")
    return f"${int(whole):,}.{fraction.ljust(2, '0')}"


def tokens(count: int | None) -> str:
    """A count of tokens, short: `812`, `4.1k`, `128k`, `1.05M`; a dash when unknown."""
    if count is None:
        return UNKNOWN
    if count < 1_000:
        return str(count)
    if count < 9_950:
        return f"{count / 1_000:.1f}".removesuffix(".0") + "k"
    if count < 999_500:
        return f"{count / 1_000:.0f}k"
    return f"{count / 1_000_000:.2f}".rstrip("0").rstrip(".") + "M"


def whole(number: int) -> str:
    """A whole number: `12 408`."""
    return f"{number:,}".replace(",", " ")


def count(number: int, noun: str, plural: str | None = None) -> str:
    """`1 model`, `2 models`, `12 408 rows`."""
    word = noun if number == 1 else plural or noun + "s"
    return f"{whole(number)} {word}"


def duration(ms: int | None) -> str:
    """`85 ms`, `0.41 s`, `12 s`, `3 min`; a dash when unknown."""
    if ms is None:
        return UNKNOWN
    if ms < 100:
        return f"{ms} ms"
    if ms < 10_000:
        return f"{ms / 1000:.2f} s"
    if ms < 120_000:
        return f"{ms / 1000:.0f} s"
    if ms < 7_200_000:
        return f"{ms / 60_000:.0f} min"
    return f"{ms / 3_600_000:.0f} h"


def time_left(seconds: float) -> str:
    """`8 s`, `3 min`: a guess has no hundredths."""
    return f"{seconds:.0f} s" if seconds < 10 else duration(round(seconds) * 1000)


def millis(ms: int | None) -> str:
    """A latency for a column: `412ms`, `1.2s`, `38s`; a dash when unknown."""
    if ms is None:
        return UNKNOWN
    return f"{ms}ms" if ms < 1_000 else f"{ms / 1000:.1f}s" if ms < 10_000 else f"{ms / 1000:.0f}s"


def age(then_ms: int | None, now_ms: int) -> str:
    """How long ago, short: `now`, `40s`, `12m`, `3h`, `5d`; `never` for None."""
    if then_ms is None:
        return "never"
    seconds = max(0, now_ms - then_ms) // 1000
    if seconds < 10:
        return "now"
    for size, unit, limit in ((1, "s", 60), (60, "m", 3600), (3600, "h", 48 * 3600)):
        if seconds < limit:
            return f"{seconds // size}{unit}"
    return f"{seconds // 86400}d"


def ago(then_ms: int | None, now_ms: int) -> str:
    """How long ago, in a sentence: `just now`, `12m ago`, `never`."""
    short = age(then_ms, now_ms)
    return {"never": "never", "now": "just now"}.get(short, f"{short} ago")


def clock(ms: int | None) -> str:
    """The local time of an event: `14:02:11` today, else `11-02 14:02`; a dash when unknown."""
    if ms is None:
        return UNKNOWN
    when = dt.datetime.fromtimestamp(ms / 1000).astimezone()
    same_day = when.date() == dt.datetime.fromtimestamp(time.time()).astimezone().date()
    return when.strftime("%H:%M:%S" if same_day else "%m-%d %H:%M")


_DIALECTS = {"openai": "OpenAI", "anthropic": "Anthropic", "gemini": "Gemini", "ollama": "Ollama"}


def kind(vendor: str | None, dialect: str) -> str:
    """What a provider is, for a line of its own: the vendor, or what an unknown server is compatible with."""
    like = "played by the demo" if dialect == "fake" else f"{_DIALECTS.get(dialect, dialect)}-compatible"
    if vendor is None:
        return like if dialect == "fake" else f"{like} server"
    return vendor if vendor == dialect else f"{vendor}, {like}"


def short_kind(vendor: str | None, dialect: str) -> str:
    """The same for a column: the vendor, or `like openai`."""
    return vendor or ("demo" if dialect == "fake" else f"like {dialect}")


def percent(share: float | None) -> str:
    """`0.2%`, `12%`; a dash when unknown."""
    if share is None:
        return UNKNOWN
    value = share * 100
    return f"{value:.0f}%" if value >= 9.95 or value == 0 else f"{value:.1f}%"


def width(text: str) -> int:
    """Terminal cells the text takes; wide and combining characters counted as terminals do."""
    return len(text) if text.isascii() else cell_len(text)


def fit(text: str, cells: int, align: str = "left") -> str:
    """The text in exactly `cells` cells on one line: padded, or cut with `…` at its end."""
    if not text.isprintable():
        text = one_line(text)
    size = width(text)
    if size > cells:
        return set_cell_size(cut_end(text, cells), cells)
    pad = " " * (cells - size)
    return pad + text if align == "right" else text + pad


def cut_end(text: str, cells: int) -> str:
    """At most `cells` cells, the end replaced by `…`."""
    if width(text) <= cells:
        return text
    if cells <= 1:
        return "…"[:cells]
    return set_cell_size(text, cells - 1).rstrip() + "…"


def cut_middle(text: str, cells: int) -> str:
    """At most `cells` cells, the middle replaced by `…`: for ids and URLs, whose ends both matter."""
    if width(text) <= cells:
        return text
    if cells < 5:
        return cut_end(text, cells)
    tail_cells = (cells - 1) // 2
    start = len(text)
    while start > 0 and width(text[start - 1 :]) <= tail_cells:
        start -= 1
    return set_cell_size(text, cells - 1 - width(text[start:])).rstrip() + "…" + text[start:]


def bar(done: float, cells: int) -> str:
    """A meter of `cells` cells for a share from 0 to 1."""
    full = round(max(0.0, min(1.0, done)) * cells)
    return "▇" * full + "░" * (cells - full)


ASCII = str.maketrans(
    {
        **dict.fromkeys("●◍", "*"), **dict.fromkeys("◐◌◇", "o"), **dict.fromkeys("○", "-"), **dict.fromkeys("✕⊗⊘", "x"),
        "…": "~", "—": "-", "–": "-", "·": ".", "→": ">", "←": "<", "↑": "^", "↓": "v", "▲": "^", "▼": "v", "✓": "+",
        "▌": "|", "▎": "|", "│": "|", "─": "-", "━": "-", "┃": "|", "•": "*", "▾": "v", "▇": "#", "░": ".", "“": '"', "”": '"',
        "┌": "+", "┐": "+", "└": "+", "┘": "+", "├": "+", "┤": "+", "╭": "+", "╮": "+", "╰": "+", "╯": "+", "⏎": "^",
        "┊": "|", "┼": "+", "▸": ">", "⚒": "#", "↻": "~", "↺": "~", "⋯": "~", "ⓘ": "i", "◦": "o", "▪": "*", "☐": "-", "☑": "x",
        "▏": "|", "▕": "|", "▔": "-", "▁": "_", "█": "#", "▆": "#", "▂": "_", "▅": "#", "▃": "_", "▄": "#", "⇡": "^", "Δ": "d", "›": ">", "‹": "<",
        "▓": "%", "▒": "=", "▚": "o", "▞": "+", "▖": "x", "╌": "-", "≥": ">", "×": "x", "≈": "~",
        **{chr(0x2800 + dots): "'" if not dots & 0xE4 else "." if not dots & 0x1B else ":" for dots in range(1, 256)},
    }
)  # fmt: skip
"""One cell for one cell: what stands for our glyphs on a terminal without them (setting `appearance.ascii`)."""
