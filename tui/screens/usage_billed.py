"""The Usage mode as the vendors billed it: the words, the two-sided table, and the window that explains a gap."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from textual.app import ComposeResult
from textual.widgets import Static

from tui.formatting import UNKNOWN, count, money, tokens, whole
from tui.modals.base import Modal
from tui.screens.usage_words import MEASURE_WORDS, Span, amount_words, bar_words, part_pairs, signed
from tui.widgets.chart import ChartData, Series, Unit
from tui.widgets.columns import Cell, Column
from tui.widgets.pairs import Pair, PairPage

if TYPE_CHECKING:
    from services.billed import Compared, Comparison
    from services.usage_chart import ChartMeasure, UsageChart
    from services.usage_table import UsageTable
    from tui.app import SwitchroomApp

Source = Literal["here", "billed", "both"]
SOURCES: tuple[Source, ...] = ("here", "billed", "both")
GROUPS = ("provider", "model")
MEASURES: tuple[ChartMeasure, ...] = ("cost", "tokens", "runs")
"""What vendors state; labels, callers, times and failures are known here only."""
NOTHING = "No bill of this time is known. A provider's Account tab ({2:mode.providers}) asks for it."
_REASONS: dict[str, tuple[str, str]] = {
    "elsewhere": ("traffic that came another way", "not all of it was billed yet"),
    "classes": ("fewer tokens cached than counted", "more tokens cached than counted"),
    "price": ("dearer than the list price", "cheaper than the list price"),
    "counted": ("counted too low here", "counted too high here"),
    "items": ("lines that are no tokens", "given back, or free lines"),
    "unsplit": ("cannot be told apart", "cannot be told apart"),
}
"""Reason → words where it makes the bill higher, and where lower."""


def fitting(source: Source, group: str, measure: ChartMeasure) -> tuple[str, ChartMeasure]:
    """The group and the measure that a source can answer: its own, else the first."""
    if source == "here":
        return group, measure
    return group if group in GROUPS else GROUPS[0], measure if measure in MEASURES else MEASURES[0]


def reason_words(reason: str, amount: Decimal) -> str:
    """A reason in words, by what it does to the bill."""
    return _REASONS[reason][amount < 0]


def main_reason(line: Compared) -> str:
    """The largest part of a gap."""
    if line.gap is None or not line.gap.total:
        return ""
    reason, amount = max(line.gap.parts.items(), key=lambda part: abs(part[1]))
    return reason_words(reason, amount) if amount else ""


def _key(line: Compared) -> Cell:
    if line.key.endswith("/"):
        return (f"{line.key[:-1]} · no model", "dim")
    if line.key.endswith("/*"):
        return f"{line.key[:-2]} · all models"
    return " + ".join((line.key, *line.also)) if "/" not in line.key else line.key


def _gap(line: Compared) -> Cell:
    if line.gap is None:
        return (UNKNOWN, "dim")
    if not line.gap.total:
        return ("same", "dim")
    return (signed(line.gap.total, "cost"), "warn" if line.gap.total > 0 else "ok")


def _here(line: Compared) -> Cell:
    return money(line.here_cost) if line.here_cost is not None else (UNKNOWN, "dim")


def _billed(line: Compared) -> Cell:
    return money(line.billed_cost) if line.billed_cost is not None else (UNKNOWN, "dim")


def _tokens(line: Compared) -> Cell:
    here = tokens(line.here.input + line.here.output)
    if line.billed is None:
        return (f"{here} / {UNKNOWN}", "dim")
    return f"{here} / {tokens(line.billed.input + line.billed.output)}"


def compare_columns(group: str) -> tuple[Column[Compared], ...]:
    """Both sides, the gap, and what most of it is."""
    return (
        Column("key", group, _key, width=14, max_width=44, least=14, cut="middle", sort=lambda line: line.key.casefold()),
        Column("here", "here", _here, width=9, align="right", priority=2, down=True, sort=lambda line: line.here_cost),
        Column("billed", "billed", _billed, width=9, align="right", priority=1, down=True, sort=lambda line: line.billed_cost),
        Column("gap", "gap", _gap, width=10, align="right", priority=1, down=True, sort=lambda line: line.gap.total if line.gap else None),
        Column("why", "mostly", lambda line: (main_reason(line), "dim"), width=20, max_width=34, priority=3),
        Column("tokens", "tokens", _tokens, width=15, align="right", priority=4),
        Column("runs", "runs here", lambda line: whole(line.here_runs), width=9, align="right", priority=5, down=True, sort=lambda line: line.here_runs),
    )  # fmt: skip


def copied(line: Compared) -> str:
    """A line as text."""
    cells = (_text(_here(line)), _text(_billed(line)), _text(_gap(line)))
    return f"{_text(_key(line))}\t{cells[0]} here\t{cells[1]} billed\t{cells[2]} gap\t{main_reason(line)}"


def both_sides(here: tuple[tuple[float | None, ...], Decimal | int | None], billed: UsageChart) -> UsageChart:
    """What was counted here beside the bill, in the buckets of the bill: whole UTC days."""
    values, total = here
    theirs = billed.values[0] if billed.values else tuple(0.0 for _ in billed.starts)
    stated = billed.totals[0] if billed.totals else None
    return replace(billed, keys=("here", "billed"), values=(values, theirs), totals=(total, stated))


def both_chart(chart: UsageChart, unit: Unit, measure: ChartMeasure) -> ChartData:
    """Two lines, here and billed."""
    series = tuple(
        Series(key, key, values, amount_words(amount, measure))
        for key, values, amount in zip(chart.keys, chart.values, chart.totals, strict=True)
    )
    return ChartData(chart.starts, chart.end, series, unit, "lines", None)


def billed_head(
    table: UsageTable, group: str, measure: ChartMeasure, span: tuple[int, int] | None, cells: int
) -> list[Span]:
    """`Cost billed by provider  $41.20  as the vendors state it, whole UTC days`."""
    title = MEASURE_WORDS[measure]
    spans: list[Span] = [(f"{title[0].upper()}{title[1:]} billed by {group}  ", "bold")]
    if span is not None:
        spans.append((f"{bar_words(*span)}  ", "bold $accent"))
    amount = table.total.now.amount(measure) if table.entries else None
    spans.append((amount_words(amount, measure), "bold"))
    return _filled(spans, ["as the vendors state it", "whole UTC days"], cells)


def both_head(found: Comparison, group: str, cells: int) -> list[Span]:
    """`Here and billed by provider  15 Nov – 20 Nov  gap +$0.80  $3.10 here  $3.90 billed  mostly traffic that came another way`.

    The days are those of which the vendors told: only those are compared.
    """
    total = found.total
    if not found.lines:
        return _filled([(f"Here and billed by {group}  ", "bold")], ["no vendor told of this time"], cells)
    days = days_words(min(a for a, _ in found.spans.values()), max(b for _, b in found.spans.values()))
    spans: list[Span] = [(f"Here and billed by {group}  ", "bold"), (days, "")]
    gap = total.gap.total if total.gap is not None else None
    if gap is not None:
        spans += [("  gap ", "$dim"), (signed(gap, "cost"), "bold")]
    parts = [
        f"{money(total.here_cost)} here" if total.here_cost is not None else "unknown here",
        f"{money(total.billed_cost)} billed" if total.billed_cost is not None else "not billed yet",
    ]
    if gap:
        parts.append(f"mostly {main_reason(total)}")
    if found.untold:
        parts.append(f"nothing told of {', '.join(found.untold)}")
    return _filled(spans, parts, cells)


def days_words(since: int, until: int) -> str:
    """UTC days, by their dates."""
    from services.clock import own_day

    return bar_words(own_day(since), own_day(until))


def _filled(spans: list[Span], parts: list[str], cells: int) -> list[Span]:
    used = sum(len(text) for text, _ in spans)
    for words in parts:
        used += len(words) + 2
        if used <= cells:
            spans += [("  ", ""), (words, "$dim")]
    return spans


class GapWindow(Modal[None]):
    """Why a bill is not what was counted here."""

    def __init__(self, title: str, sentence: str, pairs: list[Pair], note: str) -> None:
        super().__init__(title)
        self._sentence, self._pairs, self._note = sentence, pairs, note

    def compose_body(self) -> ComposeResult:
        yield Static(self._sentence, markup=False, classes="detail")
        yield PairPage()
        if self._note:
            yield Static(f"\n{self._note}", markup=False, classes="detail")

    def on_mount(self) -> None:
        self.query_one(PairPage).show(self._pairs)


async def show_gap(app: SwitchroomApp, line: Compared, found: Comparison) -> None:
    """Explain one line, or all together."""
    name = line.key or "All providers"
    pairs = gap_pairs(line, 12 if app.size.width >= 72 else 0)
    await app.push_screen_wait(
        GapWindow(f"{name}: here and billed", _sentence(line), pairs, _note(line, found))
    )


def gap_pairs(line: Compared, cells: int) -> list[Pair]:
    """Both sides, then the reasons with a meter each."""
    pairs: list[Pair] = [
        ("counted here", f"{_text(_here(line)):>10}", ""),
        ("billed", f"{_text(_billed(line)):>10}", ""),
    ]
    return pairs if line.gap is None else pairs + part_pairs(line.gap.parts, reason_words, cells)


def _text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else cell[0]


def _sentence(line: Compared) -> str:
    if line.gap is None:
        return "The vendor states no cost of this time, so there is nothing to compare."
    if not line.gap.total:
        return "The bill and what was counted here are the same."
    more = "more" if line.gap.total > 0 else "less"
    return f"The bill is {money(abs(line.gap.total))} {more} than what was counted here."


def _note(line: Compared, found: Comparison) -> str:
    notes = []
    slug = line.key.partition("/")[0]
    span = found.spans.get(slug) or (
        (min(a for a, _ in found.spans.values()), max(b for _, b in found.spans.values()))
        if found.spans
        else None
    )
    if span is not None:
        notes.append(f"Compared: {days_words(*span)}, the UTC days of which the vendor told.")
    if line.also:
        notes.append(f"{', '.join((slug, *line.also))} have the same account, so its bill is counted once.")
    if line.gap is not None and line.gap.parts["elsewhere"]:
        notes.append(
            "Another program, another machine, or another provider of the same account may have used it."
        )
    if line.unknown:
        notes.append(f"{count(line.unknown, 'run')} here have no known price.")
    return " ".join(notes)
