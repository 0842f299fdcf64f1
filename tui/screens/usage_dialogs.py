"""The windows of the Usage mode: why the cost differs, the limits, and from which day to which."""

from __future__ import annotations

import time
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from catalog.errors import SwitchroomError, UsageError
from tui.formatting import cents, count
from tui.modals.base import Modal
from tui.modals.form import Field, Form
from tui.modals.pick import Pick
from tui.screens import usage_words as words
from tui.screens.limit_words import out_words
from tui.widgets.columns import Column
from tui.widgets.pairs import Pair, PairPage
from tui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from services.usage_limits import LimitStanding
    from services.usage_range import UsageRange
    from services.usage_why import Why
    from tui.app import SwitchroomApp

_HIGH = 22
"""Rows of the terminal below which the models need the room of the reasons' meters."""
Mover = tuple[str, Decimal]
"""A model and the USD it cost more than before."""
_MOVES: tuple[Column[Mover], ...] = (
    Column("model", "", lambda one: words.key_words(one[0], "model"), width=16, max_width=48, least=12, cut="middle"),
    Column("moved", "", lambda one: words.signed(one[1], "cost"), width=10, align="right"),
)  # fmt: skip


class WhyWindow(Modal[str]):
    """What a difference in cost is made of; ends in the model whose runs are to be seen, or None."""

    AUTO_FOCUS = "VirtualTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "runs", "its runs", id="why.runs", tooltip="The runs of the model under the cursor in this time"),
    ]  # fmt: skip

    def __init__(self, sentence: str, pairs: list[Pair], movers: Sequence[Mover], note: str) -> None:
        super().__init__("Why the cost differs")
        self._sentence, self._pairs, self._movers, self._note = sentence, pairs, movers, note
        self._table: VirtualTable[Mover] = VirtualTable(
            _MOVES, key=lambda one: one[0], header=False, marks=False
        )

    def compose_body(self) -> ComposeResult:
        yield Static(self._sentence, markup=False, classes="detail")
        yield PairPage()
        if self._movers:
            yield self._table
        if self._note:
            yield Static(self._note, markup=False, classes="detail")

    def on_mount(self) -> None:
        page, high = self.query_one(PairPage), self.size.height >= _HIGH
        page.show(self._pairs)
        page.display = high or not self._movers  # the sentence has said it already
        if self._movers:
            room = max(3, self.size.height - 15 - (len(self._pairs) if high else 0))
            self._table.set_styles(f"height: {min(len(self._movers), room)}; margin: 1 0;")
            self._table.set_rows(self._movers)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Only a model has runs to show."""
        return action != "runs" or bool(self._movers)

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        event.stop()
        self.action_runs()

    def action_runs(self) -> None:
        if (row := self._table.cursor_row) is not None:
            self.dismiss(row[0])


async def show_why(app: SwitchroomApp, span: UsageRange, *, narrowed: bool) -> None:
    """Explain the difference to the period before."""
    try:
        found = await app.services.usage.why(span)
    except SwitchroomError as error:
        app.tell_error(error)
        return
    sentence = words.why_sentence(found, span, narrowed=narrowed)
    pairs = why_pairs(found, 12 if app.size.width >= 72 else 0)
    ref = await app.push_screen_wait(WhyWindow(sentence, pairs, found.movers, _note(found)))
    if ref is not None:
        from tui.screens.usage_runs import UsageRuns

        await app.push_screen(UsageRuns(span.since, span.until, "model", ref, words.key_words(ref, "model")))


def why_pairs(found: Why, cells: int) -> list[Pair]:
    """The reasons with a meter each."""
    return words.part_pairs(found.parts, words.reason_name, cells)


def _note(found: Why) -> str:
    if not found.unpriced:
        return ""
    return f"Left out: {count(found.unpriced, 'run')} without a known cost."


def _who(one: LimitStanding | str) -> str:
    return "all providers" if _scope(one) == "global" else _scope(one).removeprefix("provider:")


def _scope(one: LimitStanding | str) -> str:
    return one if isinstance(one, str) else one.budget.scope


def _out(one: LimitStanding | str) -> str:
    return "" if isinstance(one, str) else out_words(one)


_LIMITS: tuple[Column[LimitStanding | str], ...] = (
    Column("who", "for", _who, width=12, max_width=28),
    Column("limit", "limit", lambda one: ("none; enter sets one", "dim") if isinstance(one, str) else f"{one.budget.period} {cents(one.budget.limit)}", width=20, max_width=26),
    Column("spent", "spent", lambda one: "" if isinstance(one, str) else f"{cents(one.budget.spent)} {one.share:.0%}", width=11, max_width=18, priority=2),
    Column("out", "runs out", _out, width=15, max_width=28, priority=3),
    Column("by", "changed last by, and why", lambda one: "" if isinstance(one, str) else (words.set_words(one).removeprefix("set by "), "dim"), width=16, flex=1, priority=1),
)  # fmt: skip


async def edit_limits(app: SwitchroomApp, provider: str | None) -> None:
    """Choose whose limits, see who changed each last and why, and change them."""
    from tui.screens.provider_edit import edit_scope

    services = app.services
    standings = await services.usage.limits()
    rows: list[LimitStanding | str] = list(standings)
    limited = {one.budget.scope for one in standings}
    views = await services.registry.list()
    rows += [
        scope
        for scope in ("global", *(f"provider:{view.row.slug}" for view in views))
        if scope not in limited
    ]
    start = next((_key(row) for row in rows if _scope(row) == f"provider:{provider}"), None)
    chosen = await app.push_screen_wait(
        Pick(
            "Limits",
            _LIMITS,
            rows,
            key=_key,
            search=_who,
            header=True,
            wide=True,
            start=start,
            choose_words="change",
        )
    )
    if chosen is not None:
        await edit_scope(app, _scope(chosen), _who(chosen))


def _key(one: LimitStanding | str) -> str:
    return one if isinstance(one, str) else f"{one.budget.scope} {one.budget.period}"


async def ask_dates(app: SwitchroomApp, before: tuple[int, int] | None) -> tuple[int, int] | None:
    """From one day to another, both included; None: left."""
    from services.clock import day_bounds, local_date

    now = int(time.time() * 1000)
    first, last = before if before else (day_bounds(now, -13)[0], day_bounds(now)[1])
    fields = [
        Field(
            "from", "from", local_date(first).isoformat(), "2026-11-01, 2026-11, 14d, yesterday", _no_moment
        ),
        Field("to", "to", local_date(last - 1).isoformat(), "today", _no_moment),
    ]
    while True:
        values = await app.push_screen_wait(
            Form(
                "From one day to another",
                fields,
                "Both days are included. A time may follow: 2026-11-01T08:00.",
            )
        )
        if values is None:
            return None
        since, until = moment(values["from"], end=False), moment(values["to"], end=True)
        if since < until:
            return since, until
        app.tell("The range ends before it begins.", tone="warn")
        fields = [
            Field(field.key, field.label, values[field.key], field.hint, field.check) for field in fields
        ]


def moment(text: str, *, end: bool) -> int:
    """UTC ms of a day's beginning, or of its end; of a month's too. A time of day is that time."""
    from services.clock import day_bounds, month_bounds, now_ms, parse_span, parse_when

    text = text.strip() or "today"
    at = parse_when(text)
    if "T" in text:
        return at
    if len(text) == 7 and "-" in text:
        return month_bounds(at)[int(end)]
    if parse_span(text) is not None and end:
        return min(day_bounds(at)[1], day_bounds(now_ms())[1])
    return day_bounds(at)[int(end)]


def _no_moment(text: str) -> str | None:
    try:
        moment(text, end=False)
    except UsageError as error:
        return error.hint or error.message
    return None
