"""The frozen values that pass between the app, its screens and its frame."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from tui.formatting import Tone


@dataclass(frozen=True, slots=True)
class StatusFacts:
    """All that the status line shows; equal facts mean nothing is repainted."""

    offline: bool = False
    alerts: int = 0
    """Alerts that stand and were not looked at in `!` yet, and messages of errors and warnings not read there."""
    today: Decimal | None = None
    """Spent today in USD; None until it was asked for, and where nobody knows (unknown cost, own hardware only)."""
    asked: bool = False
    """True once the store has said what was spent."""
    day_limit: Decimal | None = None
    """None: no daily limit for everything."""
    month: Decimal | None = None
    month_limit: Decimal | None = None
    runs: int = 0
    """Runs in flight."""
    tok_per_s: float | None = None
    """Of all runs together; None when none reports it."""
    work: str = ""
    """Long work under way, such as `syncing 3/8`; empty when there is none."""


def provider_key(slug: str) -> str:
    """Key of the alert that a provider does not work."""
    return f"provider {slug}"


@dataclass(frozen=True, slots=True)
class AlertLine:
    """One thing that needs a look now, and where enter leads."""

    key: str
    tone: Tone
    text: str
    """Begins with its glyph and a space."""
    kind: Literal["limit", "provider", "price", "catalog", "notices"]
    target: str = ""
    """A provider's slug; empty: no one provider is meant."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that was told to the user; `!` shows the history."""

    at: int
    """UTC ms."""
    tone: Tone
    title: str
    message: str
    hint: str = ""
    """The next key or step; empty when there is none."""
    causes: tuple[str, ...] = ()
    """Keys of the alerts that stand for the same as long as it is not mended: it is counted once."""
