"""Models recommended for a task and a budget: what is asked for, the list with a reason for each, the way on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from catalog.errors import NotFoundError, SwitchroomError
from tui.formatting import Tone, count, cut_middle, millis, money, tokens, whole
from tui.modals.form import Field, Form
from tui.screens.rereading import Rereading
from tui.widgets.columns import Cell, Column
from tui.widgets.filter_bar import FilterBar
from tui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from catalog.recommend import Reason, Verdict
    from services.recommend import Advice, Wish
    from tui.app import SwitchroomApp
    from tui.exporting import Exported

_RELOAD = frozenset({"ProvidersChanged", "ModelsChanged", "CatalogChanged", "SyncEnded", "StoreChangedElsewhere"})  # fmt: skip
_STANDING: dict[str, tuple[str, Tone]] = {
    "fits": ("●", "ok"),
    "unsure": ("◌", "dim"),
    "unpriced": ("◌", "warn"),
    "over_budget": ("◐", "warn"),
    "unhealthy": ("✕", "bad"),
    "unavailable": ("○", "dim"),
    "unfit": ("✕", "dim"),
}
_MARKS: dict[bool | None, tuple[str, str]] = {
    True: ("✓", "$success"), False: ("✕", "$error"), None: ("·", "$dim"),
}  # fmt: skip
_EXPORTED = (
    "ref", "rank", "standing", "usd_per_run", "own_cost", "ttft_p50_ms", "tok_per_s", "runs_30d", "failed_30d", "reasons",
)  # fmt: skip
_DETAIL = (
    "What one run may cost, and what the model must be able to do.\n"
    "Tasks: chat, code, vision, reasoning, translate, transcribe."
)


async def recommend(app: SwitchroomApp) -> None:
    """Ask what a model is wanted for, then show what suits."""
    wish = await ask_wish(app, None)
    if wish is not None:
        app.push_screen(ModelRecommend(wish))


async def ask_wish(app: SwitchroomApp, wish: Wish | None) -> Wish | None:
    """The small form; None: never mind. `wish`: what was asked for before."""
    from services.recommend import wish_of

    budget = "" if wish is None or wish.budget is None else f"{wish.budget.normalize():f}"
    fields = [
        Field("task", "task", wish.task if wish else "chat", "chat", _checked("task")),
        Field("budget", "USD for a run", budget, "any; 0.01 is a cent, 0 is free only", _checked("budget")),
        Field("needs", "needs", " ".join(wish.needs) if wish else "", "nothing; tools vision reasoning json audio", _checked("needs")),
    ]  # fmt: skip
    values = await app.push_screen_wait(Form("Recommend a model", fields, _DETAIL, keep="recommend"))
    return None if values is None else wish_of(values["task"], values["budget"], values["needs"])


def _checked(name: str) -> Callable[[str], str | None]:
    """What is wrong with one line of the form, in the service's words; None when it is good."""

    def check(text: str) -> str | None:
        from services.recommend import wish_of

        values = {"task": "chat", "budget": "", "needs": "", name: text}
        try:
            wish_of(**values)
        except SwitchroomError as error:
            return f"{error.message} {error.hint or ''}".strip()
        return None

    return check


def _place(verdict: Verdict) -> Cell:
    from catalog.recommend import STANDING_WORDS

    glyph, tone = _STANDING[verdict.standing]
    words = STANDING_WORDS[verdict.standing] if verdict.rank is None else f"fits, {whole(verdict.rank)}"
    return f"{glyph} {words}", tone


def _cost(verdict: Verdict) -> Cell:
    one = verdict.candidate
    return ("own", "dim") if one.own else money(one.cost)


def _speed(verdict: Verdict) -> Cell:
    speed = verdict.candidate.tok_per_s
    return ("—", "dim") if speed is None else f"{speed:.0f}"


_COLUMNS: tuple[Column[Verdict], ...] = (
    Column("place", "place", _place, width=9, max_width=22),
    Column("model", "model", lambda v: v.ref, width=20, max_width=36, cut="middle"),
    Column("cost", "$/run", _cost, width=9, align="right"),
    Column("ttft", "TTFT", lambda v: millis(v.candidate.ttft_ms), width=6, align="right", priority=3),
    Column("speed", "tok/s", _speed, width=5, align="right", priority=2),
    Column("why", "why", lambda v: (v.why, "dim"), width=24, flex=1, priority=1),
)


class ModelRecommend(Rereading):
    """What suits a wish, the best first; below, what is not recommended and why."""

    MODE = "models"
    HEADING = "Models › recommend"
    CSS_PATH = "models.tcss"
    AUTO_FOCUS = "VirtualTable"
    RELOAD = _RELOAD
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "details", id="recommend.open", tooltip="All that is known of the model, and from where"),
        Binding("c", "chat", "chat", id="recommend.chat", tooltip="Chat with this model"),
        Binding("R", "again", "other task", id="recommend.again", tooltip="Another task, budget or needs"),
        Binding("slash", "filter", "filter", id="recommend.filter", tooltip="Filter by words: a model, a provider, a reason"),
        Binding("escape", "back", "back", id="recommend.back", tooltip="Clear the filter, or go back to the table of models"),
    ]  # fmt: skip

    def __init__(self, wish: Wish) -> None:
        super().__init__()
        self.wish = wish
        self._table: VirtualTable[Verdict] = VirtualTable(
            _COLUMNS,
            key=lambda verdict: verdict.ref,
            search=lambda verdict: " ".join(
                [verdict.ref, str(_place(verdict)[0]), *(r.text for r in verdict.reasons)]
            ),
            empty="Looking at the models …",
            marks=False,
            id="advice",
        )

    def compose_body(self) -> ComposeResult:
        yield Static("", id="wished", markup=False)
        yield FilterBar(self._table)
        yield self._table
        yield Static("", id="reasons", markup=False)

    async def _read(self) -> None:
        from services.recommend import recommend as judge

        try:
            advice = await judge(self.app.services, self.wish)
        except SwitchroomError as error:
            self._old = True  # coming back tries again
            self._table.set_empty("It could not be looked up ({!:app.alerts} says why).")
            self.app.tell_error(error)
            return
        self._table.set_empty(
            "No models yet. {esc:recommend.back}, {2:mode.providers}, then {a:providers.add} adds a provider."
        )
        if list(advice.verdicts) != list(self._table.rows):
            self._table.set_rows(advice.verdicts)
        self.query_one("#wished", Static).update(wished(advice))
        self._explain()

    def _explain(self) -> None:
        verdict = self._table.cursor_row
        told = () if verdict is None else verdict.reasons
        self.query_one("#reasons", Static).update(reasons_text(verdict.ref if verdict else "", told))

    # -- keys ------------------------------------------------------------------------------------

    def copy_text(self) -> str | None:
        verdict = self._table.cursor_row
        return verdict.ref if verdict else None

    def exported(self) -> Exported | None:
        from tui.exporting import Exported, Told

        return Exported("recommended", _EXPORTED, Told(self._table.shown, _row))

    def interrupt(self) -> bool:
        return self.app.stop_work()

    def on_virtual_table_highlighted(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        self._explain()

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        event.stop()
        self.action_open()

    def action_open(self) -> None:
        from tui.screens.model_detail import ModelDetail

        if (verdict := self._table.cursor_row) is not None:
            self.app.push_screen(ModelDetail(verdict.ref))

    def action_chat(self) -> None:
        if (verdict := self._table.cursor_row) is not None:
            self.app.do(self._chat(verdict.ref))

    async def _chat(self, ref: str) -> None:
        from tui.screens.model_actions import chat

        try:
            view = await self.app.services.models.get(ref)
        except NotFoundError as error:  # its provider was deleted
            self.app.tell_error(error)
            return
        await chat(self.app, view)

    def action_again(self) -> None:
        self.app.do(self._again())

    async def _again(self) -> None:
        wish = await ask_wish(self.app, self.wish)
        if wish is not None and wish != self.wish:
            self.wish = wish
            self._table.action_first()
            self._load_soon()

    def action_filter(self) -> None:
        self.query_one(FilterBar).open()

    def action_back(self) -> None:
        bar = self.query_one(FilterBar)
        if self._table.filter:
            bar.clear()
        else:
            self.app.pop_screen()


def wished(advice: Advice) -> str:
    """`code with tools, at most $0.01 a run · 3 of 10 fit · a typical run: 12k tokens in, 1.5k out`."""
    wish = advice.wish
    needs = f" with {', '.join(wish.extra)}" if wish.extra else ""
    limit = "any price" if wish.budget is None else f"at most ${wish.budget.normalize():f} a run"
    whose = "your typical run" if advice.yours else "a typical run"
    return (
        f"{wish.task}{needs}, {limit} · {whole(advice.fitting)} of {count(len(advice.verdicts), 'model')} fit"
        f" · {whose}: {tokens(advice.run.input)} tokens in, {tokens(advice.run.output)} out"
    )


def reasons_text(ref: str, reasons: Sequence[Reason]) -> Content:
    """One reason to a line, what decided first."""
    if not reasons:
        return Content("")
    lines: list[Content] = [Content.assemble((f"Why {cut_middle(ref, 56)}", "$dim"))]
    for reason in reasons:
        glyph, colour = _MARKS[reason.good]
        lines.append(Content.assemble((f"{glyph} ", colour), reason.text))
    return Content("\n").join(lines)


def _row(verdict: Verdict) -> Mapping[str, object]:
    one = verdict.candidate
    return {
        "ref": verdict.ref,
        "rank": verdict.rank,
        "standing": verdict.standing,
        "usd_per_run": one.cost,
        "own_cost": one.own,
        "ttft_p50_ms": one.ttft_ms,
        "tok_per_s": None if one.tok_per_s is None else round(one.tok_per_s),
        "runs_30d": one.runs,
        "failed_30d": one.failed,
        "reasons": "; ".join(reason.text for reason in verdict.reasons),
    }
