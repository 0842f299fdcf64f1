"""Models being asked what they can do, answer by answer as they come, with what it has cost; esc stops it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from catalog.capabilities import NAMES
from catalog.plaintext import one_line
from tui.formatting import UNKNOWN, Tone, bar, count, money, whole
from tui.screens.base import ModeScreen
from tui.widgets.columns import Cell, Column
from tui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from services.container import Services
    from services.probe import ProbeResult, ProbeWork
    from tui.exporting import Exported


@dataclass(frozen=True, slots=True)
class Row:
    """One question to one model."""

    model: str
    capability: str
    state: str
    """`waiting`, `asking`, `yes`, `no`, `not told`."""
    cost: str
    why: str


_STATES: dict[str, tuple[str, Tone]] = {
    "waiting": ("· waiting", "dim"), "asking": ("◌ asking", "accent"), "yes": ("✓ yes", "ok"), "no": ("✕ no", ""),
    "not told": ("! not told", "warn"), "stopped": ("○ not asked", "dim"),
}  # fmt: skip


def _state(row: Row) -> Cell:
    return _STATES[row.state]


COLUMNS: tuple[Column[Row], ...] = (
    Column("model", "model", lambda row: row.model, width=18, max_width=44, cut="middle"),
    Column("ability", "ability", lambda row: NAMES.get(row.capability, row.capability), width=9),
    Column("state", "answer", _state, width=11),
    Column("cost", "cost", lambda row: (row.cost, "dim"), width=9, align="right", priority=2),
    Column("why", "what it did", lambda row: (row.why, "dim"), width=20, flex=1, priority=1),
)  # fmt: skip


def rows_of(work: ProbeWork) -> list[Row]:
    """Every question, in the order in which it is asked of each model."""
    came = {(result.model, result.capability): result for result in work.results}
    found = []
    for model in work.plan.models:
        ref = model.view.ref
        for capability in model.prices:
            result = came.get((ref, capability))
            if result is not None:
                found.append(_answered(result))
            elif work.asking.get(ref) == capability:
                found.append(Row(ref, capability, "asking", "", ""))
            else:
                found.append(Row(ref, capability, "stopped" if work.done else "waiting", "", ""))
    return found


def _answered(result: ProbeResult) -> Row:
    state = "not told" if result.can is None else "yes" if result.can else "no"
    why = f"{result.detail[:1].upper()}{result.detail[1:]}"
    if result.hint:
        why = f"{why}{'' if why.endswith(('.', '!', '?', '”')) else '.'} {result.hint}"
    return Row(result.model, result.capability, state, _cost(result), one_line(why, 300))


def _cost(result: ProbeResult) -> str:
    if result.grade is None:
        return ""
    return "own" if result.grade == "own" else UNKNOWN if result.cost is None else money(result.cost)


def summary(work: ProbeWork) -> str:
    """`8 yes, 3 no, 1 not told · $0.0031`."""
    answers = Counter("not told" if r.can is None else "yes" if r.can else "no" for r in work.results)
    words = ", ".join(f"{whole(answers[name])} {name}" for name in ("yes", "no", "not told") if answers[name])
    parts = [words] if words else []
    if any(r.grade not in (None, "own", "unknown") for r in work.results):
        parts.append(money(work.spent))
    elif work.results and all(r.grade == "own" for r in work.results):
        parts.append("no price per token")
    if work.spent_unknown:
        parts.append(f"{count(work.spent_unknown, 'question')} at an unknown cost")
    return " · ".join(parts)


class ProbeResults(ModeScreen):
    """The present or the last round. It goes on when the mode changes."""

    MODE = "models"
    HEADING = "Models › what they can do"
    CSS_PATH = "models.tcss"
    AUTO_FOCUS = "VirtualTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "stop", id="probed.leave", tooltip="Stop asking, what was answered is kept; then back to the models"),
        Binding("enter", "open", "details", id="probed.open", tooltip="All that is known of the model, and from where"),
        Binding("p", "again", "ask again", id="probed.again", tooltip="Ask the models again, or for other abilities"),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.key_words: dict[str, str] = {"probed.again": "-"}
        """Binding id → what the line of keys calls it now."""
        self._work: ProbeWork | None = None
        self._table: VirtualTable[Row] = VirtualTable(
            COLUMNS, key=lambda row: f"{row.capability} {row.model}", empty="Opening …", marks=False
        )
        self._told = False
        """The end was told."""

    def compose_body(self) -> ComposeResult:
        yield Static("", id="probed", markup=False)
        yield self._table
        yield Static("", id="why", markup=False)

    async def services_ready(self, services: Services) -> None:
        self._work = services.probes.work
        if self._work is None:
            return
        self._work.task.add_done_callback(self._over)
        if not self._work.done:
            self.app.set_work(self._progress(self._work))
        self._draw()

    def feed_event(self, event: object) -> None:
        if type(event).__name__ == "ProbeProgress" and self._work is not None and not self._work.done:
            if self.framed:
                self._draw()
            self.app.set_work(self._progress(self._work))

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self._work is not None:
            self._draw()

    def _over(self, _task: object) -> None:
        """The round is over, or was stopped; whoever is elsewhere hears of it."""
        work = self._work
        if work is None or self._told or not self.is_attached or not self.app.is_running:
            return
        self._told = True
        self.app.set_work("")
        self._draw()
        if work.error is not None:
            self.app.tell_error(work.error)
        elif not isinstance(self.app.screen, ProbeResults):
            self.app.tell(f"Models asked: {summary(work)}.", hint="{3:mode.models} shows the answers")

    def _progress(self, work: ProbeWork) -> str:
        done, total = len(work.results), max(1, work.plan.questions)
        return f"asking {bar(min(1.0, done / total), 8)} {whole(done)}/{whole(total)}"

    def _draw(self) -> None:
        work = self._work
        if work is None or not self.is_mounted:
            return
        rows = rows_of(work)
        if rows != list(self._table.rows):
            self._table.set_rows(rows)
            self._say_why()
        said = summary(work)
        if not work.done:
            words = f"{self._progress(work)}{f' · {said} so far' if said else ''}"
        else:
            words = f"{'Stopped' if work.stopped else 'Done'}: {said or 'nothing was asked'}"
            if any(result.can is None for result in work.results):
                words += " · what was not told is as it was"
        self.query_one("#probed", Static).update(words)
        keys = {"probed.leave": "back"} if work.done else {"probed.again": "-"}
        if keys != self.key_words:
            from tui.widgets.footer import KeyLine

            self.key_words = keys
            self.query_one(KeyLine).look()

    # -- keys ------------------------------------------------------------------------------------

    def copy_text(self) -> str | None:
        return "\n".join(
            f"{row.model} {row.capability}: {row.state} {row.why}".rstrip() for row in self._table.rows
        )

    def exported(self) -> Exported | None:
        from tui.exporting import Exported

        names = ("model", "capability", "answer", "cost", "why")
        rows = [
            dict(zip(names, (r.model, r.capability, r.state, r.cost, r.why), strict=True))
            for r in self._table.rows
        ]
        return Exported("probes", names, rows)

    def interrupt(self) -> bool:
        if self._work is None or self._work.done:
            return False
        self._work.cancel()
        return True

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        event.stop()
        self.action_open()

    def on_virtual_table_highlighted(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        self._say_why()

    def _say_why(self) -> None:
        """The whole of what the row under the cursor says: the column may be too narrow for it."""
        row = self._table.cursor_row
        self.query_one("#why", Static).update(row.why if row is not None else "")

    def action_leave(self) -> None:
        if not self.interrupt():
            self.app.pop_screen()

    def action_open(self) -> None:
        if (row := self._table.cursor_row) is not None:
            from tui.screens.model_detail import ModelDetail

            self.app.push_screen(ModelDetail(row.model))

    def action_again(self) -> None:
        if self._work is not None and self._work.done:
            self.app.do(self._again([model.view.ref for model in self._work.plan.models]))

    async def _again(self, refs: list[str]) -> None:
        from catalog.errors import SwitchroomError
        from tui.screens.model_probe import probe

        try:
            views = [await self.app.services.models.get(ref) for ref in refs]
        except SwitchroomError as error:
            self.app.tell_error(error)
            return
        self.app.pop_screen()
        await probe(self.app, views)
