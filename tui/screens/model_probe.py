"""What models will be asked to find out what they can do, and what that costs, before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from catalog.capabilities import NAMES, PROBED, ability, source_words
from catalog.errors import SwitchroomError
from tui.formatting import UNKNOWN, count, cut_middle, money, whole
from tui.modals.base import Modal
from tui.widgets.columns import Column
from tui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from services.models import ModelView
    from services.probe_plan import ProbePlan
    from tui.app import SwitchroomApp

MOST = 200
"""Models that are asked in one go."""


async def probe(app: SwitchroomApp, views: Sequence[ModelView]) -> None:
    """Say what asking costs, ask, and show the answers as they come; while models are being asked, show that."""
    from services.probe import Options
    from tui.screens.model_probe_results import ProbeResults

    probes = app.services.probes
    if not probes.active:
        if not views:
            return
        if len(views) > MOST:
            app.tell(
                f"{whole(len(views))} models are marked; at most {MOST} are asked in one go.", tone="dim"
            )
            return
        try:
            plan = await probes.plan([view.ref for view in views])
            if not plan.models:
                ref, why = plan.skipped[0]
                app.tell(f"{cut_middle(ref, 48)} is not asked: {why}.", tone="dim")
                return
            chosen = await app.push_screen_wait(ProbeWindow(plan))
            if chosen is None:
                return
            probes.start(chosen.plan, Options(allow_unpriced=chosen.unpriced))
        except SwitchroomError as error:
            app.tell_error(error)
            return
    app.push_screen(ProbeResults())


async def probe_one(app: SwitchroomApp, view: ModelView) -> None:
    """The same for one."""
    await probe(app, [view])


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the user wants asked."""

    plan: ProbePlan
    unpriced: bool
    """Models whose price is unknown are asked too, although a limit cannot count them."""


@dataclass(frozen=True, slots=True)
class Line:
    """One ability in the window."""

    name: str
    what: str
    now: str
    cost: str


COLUMNS: tuple[Column[Line], ...] = (
    Column("ability", "ability", lambda line: NAMES.get(line.name, line.name), width=9),
    Column("cost", "costs", lambda line: line.cost, width=9, max_width=20, align="right"),
    Column("now", "so far", lambda line: (line.now, "dim"), width=12, max_width=30, priority=1),
    Column("what", "what is done", lambda line: (line.what, "dim"), width=24, flex=1, priority=2),
)  # fmt: skip


class ProbeWindow(Modal[Chosen]):
    """The abilities that are asked for, each with its cost; the sum below follows what is chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "ask", "ask", id="probe.ask", tooltip="Ask: sends the questions and pays for them"),
        Binding("u", "say", "say yourself", id="probe.say", tooltip="Your own word, which goes before every answer: can, cannot, unsaid"),
        Binding("a", "unpriced", "unpriced too", show=False, id="probe.unpriced", tooltip="Ask models of unknown price too, although a limit cannot count them"),
    ]  # fmt: skip
    AUTO_FOCUS = "VirtualTable"

    def __init__(self, plan: ProbePlan) -> None:
        models = plan.models
        whom = cut_middle(models[0].view.ref, 56) if len(models) == 1 else count(len(models), "model")
        super().__init__(f"Ask {whom} what it can do" if len(models) == 1 else f"Ask {whom} what they can do")
        self._plan = plan
        self._unpriced = False
        self._table: VirtualTable[Line] = VirtualTable(COLUMNS, key=lambda line: line.name)

    def compose_body(self) -> ComposeResult:
        yield self._table
        yield Static("", markup=False, classes="next")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one(".panel").add_class("wide", "probe")
        self._show()
        self._table.action_mark_all()

    def _show(self) -> None:
        self._table.set_rows([self._line(name) for name in PROBED])
        self._say_sum()

    def _say_sum(self) -> None:
        self.query_one(".next", Static).update(self._words())

    def _line(self, name: str) -> Line:
        from services.probe_questions import question

        cost = self._plan.only([name])
        return Line(name, question(name).words, self._now(name), _span(cost))

    def _now(self, name: str) -> str:
        found = [ability(model.view.info, name, model.view.asked) for model in self._plan.models]
        if len(found) == 1:
            return f"{found[0].mark} {source_words(found[0])}"
        marks = [one.mark for one in found]
        return "  ".join(f"{mark} {marks.count(mark)}" for mark in dict.fromkeys(marks))

    def _chosen(self) -> ProbePlan:
        plan = self._plan.only([name for name in PROBED if name in self._table.marked])
        if self._unpriced or not plan.limited:
            return plan
        left_out = plan.limited
        return replace(plan, models=tuple(one for one in plan.models if one.view.ref not in left_out))

    def _words(self) -> str:
        plan, every = self._chosen(), self._plan
        if not plan.questions:
            first = self.app.with_keys("Nothing is asked; {space:table.mark} chooses an ability.")
        else:
            first = (
                f"{count(plan.questions, 'question')} to {count(len(plan.models), 'model')}: {_span(plan)}"
            )
            if plan.unknown and _priced(plan):
                first += f", and {whole(len(plan.unknown))} at an unknown price"
            if plan.own and (_priced(plan) or plan.unknown):
                first += f", {whole(plan.own)} without a price per token"
            first += self.app.with_keys(". {space:table.mark} chooses what is asked.")
        lines = [first]
        if every.limited:
            whom = _several(every.limited)
            key = self.app.with_keys("{a:probe.unpriced}")
            tail = (
                f"asked all the same ({key} leaves out)"
                if self._unpriced
                else f"left out ({key} asks all the same)"
            )
            lines.append(f"{whom}: price unknown, and a limit cannot count it: {tail}.")
        if every.skipped:
            ref, why = every.skipped[0]
            more = f", and {count(len(every.skipped) - 1, 'other')}" if len(every.skipped) > 1 else ""
            lines.append(f"Not asked: {cut_middle(ref, 40)} ({why}){more}.")
        return "\n".join(lines)

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        event.stop()

    def on_virtual_table_marked(self, event: VirtualTable.Marked) -> None:
        event.stop()
        self._say_sum()

    def action_unpriced(self) -> None:
        if self._plan.limited:
            self._unpriced = not self._unpriced
            self._show()

    def action_ask(self) -> None:
        plan = self._chosen()
        if plan.questions:
            self.dismiss(Chosen(plan, self._unpriced))

    def action_say(self) -> None:
        if (line := self._table.cursor_row) is not None:
            self.run_worker(self._say(line.name), group="say", exclusive=True)

    async def _say(self, name: str) -> None:
        """Unsaid becomes can, can becomes cannot, cannot becomes unsaid."""
        services, refs = self.app.services, [model.view.ref for model in self._plan.models]
        said = self._plan.models[0].view.asked.get(name)
        now = said.can if said is not None and said.by == "user" else None
        try:
            await services.probes.say(refs, name, {None: True, True: False, False: None}[now])
            self._plan = await services.probes.plan(refs)
        except SwitchroomError as error:
            self.app.tell_error(error)
            return
        self._show()


def _priced(plan: ProbePlan) -> int:
    return len(plan.models) - plan.own - len(plan.unknown)


def _span(plan: ProbePlan) -> str:
    """`$0.0001–$0.0021`, `unknown`, `own`."""
    if not plan.models:
        return UNKNOWN
    if _priced(plan):
        return f"{money(plan.cost.low)}–{money(plan.cost.high)}"
    return "unknown" if plan.unknown else "own"


def _several(refs: Sequence[str]) -> str:
    first = cut_middle(refs[0], 40)
    return first if len(refs) == 1 else f"{first} and {count(len(refs) - 1, 'other')}"
