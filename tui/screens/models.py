"""The Models mode: every model of every provider in one table, and the keys that act on them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from catalog.errors import SwitchroomError
from tui.formatting import count, whole, width
from tui.screens import model_columns
from tui.screens.base import ModeScreen
from tui.widgets.filter_bar import FilterBar
from tui.widgets.footer import KeyLine
from tui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from textual.timer import Timer

    from services.container import Services
    from services.models import ModelView
    from tui.exporting import Exported

_EMPTY = "No models yet. Press {2:mode.providers}, then {a:providers.add} to add a provider; its models are listed here."
_UNREAD = "The models could not be read ({!:app.alerts} says why). {1:mode.overview}, then {3:mode.models} tries again."
_RELOAD = frozenset({"ProvidersChanged", "ModelsChanged", "SyncEnded", "SettingsChanged", "CatalogChanged", "StoreChangedElsewhere"})  # fmt: skip
_RUNS = frozenset({"RunEnded"})
_ON_A_ROW = frozenset({"open", "chat", "on_off", "order", "filter", "estimate", "default", "price", "charges", "probe", "recommend", "sync"})  # fmt: skip
_SOON = 0.03
"""Seconds in which changes that come together are one."""
AGES_EVERY = 60.0
"""Seconds between looks at the ages."""
_AFTER_RUNS = 2.0
"""The same for runs, which only change what was measured."""


class ModelsScreen(ModeScreen):
    """The table of all models."""

    MODE = "models"
    HEADING = "Models"
    CSS_PATH = "models.tcss"
    AUTO_FOCUS = "VirtualTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "details", id="models.open", tooltip="All that is known of it, and from where; with two to four marked, compare them side by side"),
        Binding("c", "chat", "chat", id="models.chat", tooltip="Chat with this model"),
        Binding("o", "order", "order", id="models.order", tooltip="Order: dearest, largest, fastest … first"),
        Binding("slash", "filter", "filter", id="models.filter", tooltip="Filter by words, cap:, price<, ctx> …"),
        Binding("x", "on_off", "on/off", id="models.toggle", tooltip="Switch it, or the marked, on or off"),
        Binding("E", "estimate", "estimate", id="models.estimate", tooltip="What a prompt would cost on it, or the marked"),
        Binding("d", "default", "default", id="models.default", tooltip="New chats start with this model"),
        Binding("e", "price", "price", id="models.price", tooltip="Type what it costs, from a date on, and see what last month would have cost"),
        Binding("m", "charges", "what it is", id="models.map", tooltip="Say which model it, or each of the marked, is; or own hardware, or a flat rate"),
        Binding("p", "probe", "probe", id="models.probe", tooltip="Ask it, or the marked, what it can do; says first what that costs"),
        Binding("P", "pull", "pull", show=False, id="models.pull", tooltip="Download a model to the machine of a provider"),
        Binding("i", "installed", "installed", show=False, id="models.installed", tooltip="Models that lie on a machine: sizes, what is loaded, downloads"),
        Binding("R", "recommend", "recommend", id="models.recommend", tooltip="Which model suits a task and a budget, and why"),
        Binding("s", "sync", "sync", id="models.sync", tooltip="Fetch the list of its provider"),
        Binding("escape", "clear", "clear", show=False, id="models.clear", tooltip="Clear the filter and the marks"),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.key_words: dict[str, str] = {}
        """Binding id → what the line of keys calls it now."""
        self._known = model_columns.Known(now=model_columns.now_ms())
        self._table: VirtualTable[ModelView] = VirtualTable(
            model_columns.all_columns(self._known),
            key=lambda view: view.ref,
            search=model_columns.full_search_text,
            facets=model_columns.all_facets(self._known),
            empty="Opening …",
            id="models",
        )
        self._waiting: Timer | None = None
        """Loads what changed; None: nothing did."""
        self._wait = 0.0
        self._stale = False
        """Something changed while another mode was in front."""
        self._loading = asyncio.Lock()
        """One load at a time: what was read first is never shown last."""
        self._counts = ""
        """How many models there are, in words."""

    def compose_body(self) -> ComposeResult:
        yield Summary()
        yield FilterBar(self._table)
        yield self._table

    # -- data ------------------------------------------------------------------------------------

    async def services_ready(self, services: Services) -> None:  # noqa: ARG002
        await self._load()
        self.set_interval(AGES_EVERY, self._tick)

    async def _load(self) -> None:
        async with self._loading:
            await self._read()

    async def _read(self) -> None:
        from services.model_records import model_records

        services, known = self.app.services, self._known
        try:
            views = await services.models.list()
            records = await model_records(services)
            default = await services.models.default()
            rows = await services.registry.rows()
        except SwitchroomError as error:
            self._stale = True
            self._table.set_empty(_UNREAD)
            self.app.tell_error(error)
            return
        self._table.set_empty(_EMPTY)
        before = self._table.rows
        same = len(views) == len(before) and all(map(_is, views, before))
        off = frozenset(row.slug for row in rows if not row.enabled)
        if same and (records, default, off) == (known.records, known.default, known.off):
            return
        known.records, known.default, known.off = records, default, off
        known.now = model_columns.now_ms()
        self._table.set_rows(views)
        self._counts = self._counted(views)
        self._summarise()
        if bool(before) != bool(views):
            self.refresh_bindings()

    def feed_event(self, event: object) -> None:
        name = type(event).__name__
        if name not in _RELOAD and name not in _RUNS:
            return
        if self.seen:
            self._load_in(_SOON if name in _RELOAD else _AFTER_RUNS)
        else:
            self._stale = True

    def on_screen_resume(self) -> None:
        if self._stale and self.app.opened:
            self._stale = False
            self._load_in(_SOON)

    def _tick(self) -> None:
        """The ages go on; what they say is only sent where it changed."""
        if self.seen:
            self._known.now = model_columns.now_ms()
            self._table.refresh()

    def _load_in(self, seconds: float) -> None:
        """Load once for any number of changes that come together."""
        if self._waiting is not None:
            if seconds >= self._wait:
                return
            self._waiting.stop()
        self._wait, self._waiting = seconds, self.set_timer(seconds, self._load_now)

    def _load_now(self) -> None:
        self._waiting = None
        if self._loading.locked():
            self._load_in(_SOON)  # not cut off: a long load would never end while changes keep coming
        else:
            self.run_worker(self._load, group="load", exit_on_error=True)  # type: ignore[arg-type]

    # -- what stands above the table ----------------------------------------------------------------

    def _counted(self, views: list[ModelView]) -> str:
        if not views:
            return ""
        providers = len({view.provider for view in views})
        on = sum(map(self._known.usable, views))
        return f"{count(len(views), 'model')} of {count(providers, 'provider')} · {whole(on)} on"

    def _summarise(self) -> None:
        marked, order = self._table.marked, self._table.order_words
        words = {"models.order": f"order: {order}"} if order else {}
        if len(marked) > 1:
            words["models.open"] = "compare"
        if words != self.key_words:
            self.key_words = words
            self.query_one(KeyLine).look()
        parts = (self._counts, f"{whole(len(marked))} marked" if marked else "")
        self.query_one(Summary).tell(" · ".join(part for part in parts if part), self._order_words())

    def _order_words(self) -> str:
        ordered = self._table.sorted_by
        if ordered is None:
            return ""
        key, descending = ordered
        down, up = model_columns.ENDS.get(key, ("Z to A", "A to Z"))
        return f"{self._table.order_words}  {down if descending else up}"

    def on_virtual_table_ordered(self, event: VirtualTable.Ordered) -> None:
        event.stop()
        self._summarise()

    def on_virtual_table_marked(self, event: VirtualTable.Marked) -> None:
        event.stop()
        self._summarise()

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        event.stop()
        self.action_open()

    # -- keys ------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """What acts on a model is there once there is one."""
        return action not in _ON_A_ROW or bool(self._table.rows)

    def copy_text(self) -> str | None:
        return "\n".join(view.ref for view in self._table.targets()) or None

    def exported(self) -> Exported | None:
        from tui.exporting import Exported, Told
        from tui.screens.model_pages import EXPORTED, exported_row

        table = self._table
        chosen = table.targets() if table.marked else table.shown
        return Exported("models", EXPORTED, Told(chosen, lambda view: exported_row(view, self._known)))

    def interrupt(self) -> bool:
        return self.app.stop_work()

    def action_open(self) -> None:
        if len(self._table.marked) > 1:
            self._compare([view.ref for view in self._table.targets()])
        elif (view := self._table.cursor_row) is not None:
            from tui.screens.model_detail import ModelDetail

            self.app.push_screen(ModelDetail(view.ref))

    def _compare(self, refs: list[str]) -> None:
        from tui.screens.model_compare import MOST, ModelCompare

        if len(refs) > MOST:
            self.app.tell(
                f"{whole(len(refs))} models are marked; {MOST} have room side by side.",
                hint="{space:table.mark} takes a mark away, {esc:models.clear} all of them",
                tone="dim",
            )
        else:
            self.app.push_screen(ModelCompare(refs))

    def action_chat(self) -> None:
        from tui.screens.model_actions import chat

        if (view := self._table.cursor_row) is not None:
            self.app.do(chat(self.app, view))

    def action_on_off(self) -> None:
        from tui.screens.model_actions import toggle

        async def switched(views: list[ModelView]) -> None:
            await toggle(self.app, views)
            await self._load()  # the next key acts on what became of them

        if targets := self._table.targets():
            self.app.do(switched(targets))

    def action_default(self) -> None:
        from tui.screens.model_actions import make_default

        if (view := self._table.cursor_row) is not None:
            self.app.do(make_default(self.app, view))

    def action_estimate(self) -> None:
        from tui.screens.model_actions import estimate

        if targets := self._table.targets():
            self.app.do(estimate(self.app, targets))

    def action_recommend(self) -> None:
        from tui.screens.model_recommend import recommend

        self.app.do(recommend(self.app))

    def action_pull(self) -> None:
        from tui.screens.local_models_actions import pull

        if self.app.opened:
            view = self._table.cursor_row
            self.app.do(pull(self.app, view.provider if view is not None else None))

    def action_installed(self) -> None:
        from tui.screens.local_models import open_local_models

        view = self._table.cursor_row
        self.app.do(open_local_models(self.app, view.provider if view is not None else None))

    def action_sync(self) -> None:
        from tui.screens.model_actions import sync

        if targets := self._table.targets():
            sync(self.app, targets)

    def action_price(self) -> None:
        from tui.screens.model_price import edit_price

        if (view := self._table.cursor_row) is not None:
            self.app.do(edit_price(self.app, view))

    def action_charges(self) -> None:
        from tui.screens.model_map import edit_charges

        if targets := self._table.targets():
            self.app.do(edit_charges(self.app, targets))

    def action_probe(self) -> None:
        from tui.screens.model_probe import probe

        if targets := self._table.targets():
            self.app.do(probe(self.app, targets))

    def action_order(self) -> None:
        self._table.next_order()

    def action_filter(self) -> None:
        self.query_one(FilterBar).open()

    def action_clear(self) -> None:
        self.query_one(FilterBar).clear()
        self._table.clear_marks()


class Summary(Static):
    """One line over the table: how many models there are, in which order, and what the letters mean."""

    def __init__(self) -> None:
        super().__init__("", markup=False)
        self._words: tuple[str, str] = ("", "")

    def tell(self, counts: str, order: str) -> None:
        """Show these."""
        if (counts, order) != self._words:
            self._words = (counts, order)
            self.refresh()

    def render(self) -> Content:
        counts, order = self._words
        left = f"{counts} · {order}" if order else counts
        room = self.content_size.width - width(left) - 3
        legend = model_columns.LEGEND if counts and room >= width(model_columns.LEGEND) else ""
        gap = " " * (room + 3 - width(legend)) if legend else ""
        return Content.assemble(
            (counts, ""), (f" · {order}" if order else "", "$accent"), gap, (legend, "$dim")
        )


def _is(a: object, b: object) -> bool:
    return a is b
