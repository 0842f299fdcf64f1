"""The model picker: every usable model by provider, found by a few letters, with what it would cost in this conversation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, Static

from tui import formatting
from tui.modals.pick import Pick
from tui.screens.model_columns import abilities, abilities_in_words, price
from tui.widgets.columns import Cell, Column
from tui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from services.estimate import Estimate
    from services.models import ModelView


@dataclass(frozen=True, slots=True)
class Choice:
    """One model on offer. `delta` is USD per run against the current model; None where either is unknown."""

    view: ModelView
    delta: Decimal | None
    current: bool = False
    monthly: Decimal | None = None
    """USD more or less a month, had the last 30 days of the current model been this one's; None: unknown, or unused."""


def choices(
    views: Sequence[ModelView],
    current: str | None,
    estimates: dict[str, Estimate],
    now: Estimate | None,
    months: Mapping[str, Decimal] | None = None,
) -> list[Choice]:
    """The models by provider, each with what a run costs more or less than with the current one.

    `months`: model ref → what the current model's use of the last 30 days costs with it.
    """
    months = months or {}
    base = months.get(current or "")
    found = []
    for view in views:
        estimate = estimates.get(view.ref)
        delta = (
            _likely(estimate) - _likely(now)
            if estimate and now and _known(estimate) and _known(now)
            else None
        )
        month = months.get(view.ref)
        monthly = month - base if month is not None and base is not None else None
        found.append(Choice(view, delta, current=view.ref == current, monthly=monthly))
    return _grouped(found)


def _known(estimate: Estimate) -> bool:
    return estimate.own or estimate.low is not None


def _likely(estimate: Estimate | None) -> Decimal:
    return Decimal(0) if estimate is None or estimate.low is None else estimate.low


def _grouped(found: Sequence[Choice]) -> list[Choice]:
    """Models of one provider together, providers in the order of their first model."""
    by_provider: dict[str, list[Choice]] = {}
    for choice in found:
        by_provider.setdefault(choice.view.provider, []).append(choice)
    return [choice for group in by_provider.values() for choice in group]


def fuzzy(word: str, text: str) -> int | None:
    """How badly the letters of `word` fit into `text` in order (0 is best); None when they do not."""
    at = text.find(word)
    if at >= 0:
        return 0 if at == 0 or not text[at - 1].isalnum() else 1
    cost, at = 2, -1
    for letter in word:
        found = text.find(letter, at + 1)
        if found < 0:
            return None
        cost += found - at - 1 if at >= 0 else 0
        at = found
    return cost


def filtered(found: Sequence[Choice], text: str) -> list[Choice]:
    """The models that fit every word, best first, still by provider."""
    words = text.casefold().split()
    if not words:
        return _grouped(found)
    scored = []
    for number, choice in enumerate(found):
        hay = f"{choice.view.ref} {choice.view.info.name or ''}".casefold()
        costs = [fuzzy(word, hay) for word in words]
        if all(cost is not None for cost in costs):
            scored.append((sum(cost or 0 for cost in costs), number, choice))
    return _grouped([choice for _, _, choice in sorted(scored, key=lambda item: item[:2])])


def signed(delta: Decimal | None) -> str:
    """`+$0.0021`, `−$0.0104`, `same`, or a dash."""
    if delta is None:
        return formatting.UNKNOWN
    if delta == 0:
        return "same"
    return f"{'+' if delta > 0 else '−'}{formatting.money(abs(delta))}"


def _delta(choice: Choice) -> Cell:
    return ("current", "accent") if choice.current else _toned(choice.delta)


def _monthly(choice: Choice) -> Cell:
    return ("", "") if choice.current else _toned(choice.monthly)


def _toned(delta: Decimal | None) -> Cell:
    tone: formatting.Tone = "dim" if not delta else "warn" if delta > 0 else "ok"
    return signed(delta), tone


COLUMNS: tuple[Column[Choice], ...] = (
    Column("provider", "provider", lambda c: (c.view.provider, "dim"), width=8, max_width=20, cut="middle"),
    Column("model", "model", lambda c: (c.view.info.id, "strong" if c.current else ""), width=18, max_width=60, flex=1, cut="middle"),
    Column("input", "$in/1M", lambda c: price(c.view, "input"), width=7, align="right", priority=1),
    Column("output", "$out/1M", lambda c: price(c.view, "output"), width=7, align="right", priority=2),
    Column("delta", "Δ$/run", _delta, width=9, align="right"),
    Column("monthly", "Δ$/month", _monthly, width=9, align="right", priority=2),
    Column("context", "context", lambda c: formatting.tokens(c.view.info.context_window), width=7, align="right", priority=3),
    Column("can", "can", lambda c: (abilities_in_words(c.view), "dim"), width=5, max_width=33, priority=4, brief=lambda c: (abilities(c.view), "dim")),
)  # fmt: skip


class ModelPicker(Pick[Choice]):
    """Ends in the chosen model, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+t",
            "leave",
            "back",
            show=False,
            id="picker.leave",
            tooltip="Back to the chat, keep the model",
        ),
    ]

    def __init__(
        self, found: Sequence[Choice], *, start: str | None = None, only: Sequence[str] = ()
    ) -> None:
        self._found = list(found)
        first = [choice for choice in self._found if choice.view.ref in only]
        rest = [choice for choice in self._found if choice.view.ref not in only]
        self._found = _grouped([*first, *rest]) if first else self._found
        super().__init__(
            "Which model?",
            COLUMNS,
            self._found,
            key=lambda choice: choice.view.ref,
            search=lambda choice: choice.view.ref,
            placeholder="type a few letters of a model or provider",
            empty="No chat model yet. {esc:window.leave}, then {2:mode.providers} and {s:providers.sync} sync a provider.",
            header=True,
            start=first[0].view.ref if first else start,
            wide=True,
        )

    def compose_body(self) -> ComposeResult:
        yield from super().compose_body()
        yield Static("", markup=False, classes="problem", id="difference")

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        event.prevent_default()
        self._table.set_rows(filtered(self._found, event.value))
        self._table.action_first()

    def on_virtual_table_highlighted(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        self.query_one("#difference", Static).update(self._difference(self._table.cursor_row))

    @staticmethod
    def _difference(choice: Choice | None) -> str:
        """What choosing it would change, in a sentence."""
        if choice is None or choice.current or choice.delta is None or choice.delta == 0:
            return ""
        more = "more" if choice.delta > 0 else "less"
        words = f"A run of this conversation will cost about {formatting.money(abs(choice.delta))} {more}"
        if choice.monthly:
            more = "more" if choice.monthly > 0 else "less"
            words += f"; the last 30 days would have cost {formatting.money(abs(choice.monthly))} {more}"
        return f"{words}."
