"""What a model's line says in the tables of models: context, prices, abilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.formatting import UNKNOWN, Tone, rate, state, tokens
from tui.widgets.columns import Cell, Column

if TYPE_CHECKING:
    from services.models import ModelView

_LETTERS = (("tools", "T"), ("vision", "V"), ("reasoning", "R"), ("json", "J"), ("audio", "A"))


_NAMES = {"json": "JSON"}


def abilities_in_words(view: ModelView) -> str:
    """`tools vision reasoning`: what the letters stand for."""
    known = view.info.capabilities
    if known is None:
        return UNKNOWN
    return " ".join(_NAMES.get(name, name) for name, _ in _LETTERS if name in known) or "text"


def abilities(view: ModelView) -> str:
    """`TVR··`: one place for each of tools, vision, reasoning, JSON, audio."""
    known = view.info.capabilities
    if known is None:
        return UNKNOWN
    return "".join(letter if name in known else "·" for name, letter in _LETTERS)


def price(view: ModelView, side: str) -> Cell:
    """USD per 1M tokens of one side; `own` for the user's own hardware."""
    if view.own_cost:
        return "own", "dim"
    amount = getattr(view.info.price, side, None) if view.info.price is not None else None
    return (UNKNOWN, "dim") if amount is None else rate(amount)


def _state(view: ModelView) -> Cell:
    if not view.available:
        return "✕ gone", "bad"
    mark = state("ok" if view.enabled else "off")
    return f"{mark.glyph} {'on' if view.enabled else 'off'}", mark.tone


def _name(view: ModelView) -> Cell:
    tone: Tone = "strong" if view.enabled and view.available else "dim"
    return view.info.id, tone


def _tokens(count: int | None) -> Cell:
    return (UNKNOWN, "dim") if count is None else tokens(count)


COLUMNS: tuple[Column[ModelView], ...] = (
    Column("state", "state", _state, width=6),
    Column("model", "model", _name, width=18, max_width=60, cut="middle"),
    Column("input", "$in/1M", lambda v: price(v, "input"), width=7, max_width=9, align="right", priority=1),
    Column("output", "$out/1M", lambda v: price(v, "output"), width=7, max_width=9, align="right", priority=1),
    Column("context", "context", lambda v: _tokens(v.info.context_window), width=7, align="right", priority=2),
    Column("max", "max out", lambda v: _tokens(v.info.max_output), width=7, align="right", priority=4),
    Column("can", "can", abilities_in_words, width=5, max_width=33, priority=3, brief=abilities),
)  # fmt: skip


def search_text(view: ModelView) -> str:
    """What the filter looks in."""
    return f"{view.info.id} {view.info.name or ''} {' '.join(view.info.capabilities or ())}"
