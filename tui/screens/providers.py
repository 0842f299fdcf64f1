"""The Providers mode: every connection in one table, and the keys that act on them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from catalog.errors import SwitchroomError
from tui.screens import provider_actions as actions
from tui.screens.base import ModeScreen
from tui.screens.discovered_words import names
from tui.screens.provider_columns import COLUMNS, EXPORTED, FACETS, ProviderLine, exported_row, search_text
from tui.widgets.filter_bar import FilterBar
from tui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from services.container import Services
    from services.registry import ProviderView
    from tui.app import SwitchroomApp
    from tui.exporting import Exported

_EMPTY = "No providers yet. Press {a:providers.add} to add one: a vendor with a key, or a server of your own."
_FOUND = "No providers yet. {{1:mode.overview}}, then {{a:overview.add}} adds what was found: {}."
_RELOAD = frozenset({"ProvidersChanged", "ModelsChanged", "SyncEnded", "RunEnded", "StoreChangedElsewhere", "OfflineChanged"})  # fmt: skip
_ON_A_ROW = frozenset(
    {
        "open",
        "chat",
        "test",
        "sync",
        "sync_all",
        "key",
        "filter",
        "edit",
        "on_off",
        "budget",
        "delete",
        "order",
    }
)
AGES_EVERY = 60.0
"""Seconds between looks at the ages; only a line whose words changed is painted."""


class ProvidersScreen(ModeScreen):
    """The table of providers."""

    MODE = "providers"
    HEADING = "Providers"
    CSS_PATH = "providers.tcss"
    AUTO_FOCUS = "VirtualTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add", "add", id="providers.add", tooltip="Add a provider, step by step"),
        Binding("enter", "open", "details", id="providers.open", tooltip="Everything about this provider"),
        Binding("c", "chat", "chat", id="providers.chat", tooltip="Chat with this provider"),
        Binding("t", "test", "test", id="providers.test", tooltip="Test the key and the connection"),
        Binding("s", "sync", "sync", id="providers.sync", tooltip="Fetch the model list of this provider"),
        Binding("K", "key", "key", id="providers.key", tooltip="Set or remove the key, or the account's admin key"),
        Binding("slash", "filter", "filter", id="providers.filter", tooltip="Filter the table"),
        Binding("e", "edit", "edit", id="providers.edit", tooltip="Change address, timeouts, proxy, cost …"),
        Binding("x", "on_off", "on/off", id="providers.toggle", tooltip="Switch the provider on or off"),
        Binding("b", "budget", "budget", id="providers.budget", tooltip="Daily and monthly limits of this provider"),
        Binding("S", "sync_all", "sync all", id="providers.sync_all", tooltip="Fetch the model lists of all providers"),
        Binding("D", "delete", "delete", id="providers.delete", tooltip="Delete; says what depends on it and asks once"),
        Binding("B", "browse", "vendors", id="providers.browse", tooltip="The marketplace: every known vendor, what it offers and costs; enter adds one"),
        Binding("i", "installed", "installed", show=False, id="providers.installed", tooltip="Models that lie on a machine: sizes, what is loaded, downloads"),
        Binding("o", "order", "order", id="providers.order", tooltip="Order by the next column"),
        Binding("escape", "clear", "clear", show=False, id="providers.clear", tooltip="Clear the filter and the marks"),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._table: VirtualTable[ProviderLine] = VirtualTable(
            COLUMNS,
            key=lambda line: line.slug,
            search=search_text,
            facets=FACETS,
            empty="Opening …",
            id="providers",
        )
        self._busy: dict[str, str] = {}
        self._again = False
        self._old = False
        """Something changed while another screen was in front."""

    def compose_body(self) -> ComposeResult:
        yield FilterBar(self._table)
        yield self._table

    # -- data ------------------------------------------------------------------------------------

    async def services_ready(self, services: Services) -> None:  # noqa: ARG002
        self._say_empty()
        await self._load()
        self.set_interval(AGES_EVERY, self._tick)

    def _say_empty(self) -> None:
        """What fills the table, and what was found here as long as nobody has taken it."""
        made = self.app.services.__dict__.get("discovery")
        offers = made.report.offers if made is not None and made.report is not None else ()
        self._table.set_empty(_FOUND.format(names([one.name for one in offers], 2)) if offers else _EMPTY)

    async def _load(self) -> None:
        self._old = False
        try:
            views = await self.app.services.registry.list()
        except SwitchroomError as error:
            self.app.tell_error(error)
            return
        now = _now()
        had = bool(self._table.rows)
        self._table.set_rows([ProviderLine(view, now, self._busy.get(view.row.slug, "")) for view in views])
        if had != bool(views):
            self.refresh_bindings()

    def _load_soon(self) -> None:
        """Load once for any number of changes that come together."""
        if not self._again and self.is_mounted:
            self._again = True
            self.run_worker(self._load_again, group="load", exit_on_error=True)  # type: ignore[arg-type]

    async def _load_again(self) -> None:
        await asyncio.sleep(0.03)
        self._again = False
        await self._load()

    def _tick(self) -> None:
        now = _now()
        for line in list(self._table.rows):
            fresh = ProviderLine(line.view, now, line.busy)
            if any(column.cell(fresh) != column.cell(line) for column in COLUMNS if column.key == "sync"):
                self._table.update_row(fresh)

    def feed_event(self, event: object) -> None:
        name = type(event).__name__
        if name == "SyncProgress":
            phase = getattr(event, "phase", "")
            self._set_busy(getattr(event, "provider", ""), "" if phase == "done" else "syncing")
        elif name == "Discovered" and self.framed:
            self._say_empty()
        elif name in _RELOAD:
            self._old = True
            if self.seen:
                self._load_soon()

    def on_screen_resume(self) -> None:
        if self._old and self.app.opened:
            self._load_soon()

    def work_ended(self) -> None:
        for slug in [slug for slug, what in self._busy.items() if what == "syncing"]:
            self._set_busy(slug, "")

    def _set_busy(self, slug: str, what: str) -> None:
        if what:
            self._busy[slug] = what
        else:
            self._busy.pop(slug, None)
        line = next((line for line in self._table.rows if line.slug == slug), None)
        if line is not None and line.busy != what:
            self._table.update_row(ProviderLine(line.view, line.now, what))

    # -- keys ------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """What acts on a provider is there once there is one."""
        return action not in _ON_A_ROW or bool(self._table.rows)

    def copy_text(self) -> str | None:
        line = self._table.cursor_row
        return None if line is None else line.slug

    def exported(self) -> Exported | None:
        from tui.exporting import Exported

        lines = self._table.targets() if self._table.marked else self._table.shown
        return Exported("providers", EXPORTED, [exported_row(line) for line in lines])

    def interrupt(self) -> bool:
        return self.app.stop_work()

    def show_provider(self, slug: str) -> None:
        """Put the cursor on a provider, whatever the filter says."""
        if not self._table.go_to(slug):
            self.query_one(FilterBar).clear()
            self._table.go_to(slug)

    def _targets(self) -> Sequence[ProviderView]:
        views = [line.view for line in self._table.targets()]
        if not views:
            self.app.tell("No provider is chosen.", hint="{a:providers.add} adds one", tone="dim")
        return views

    def _do(self, action: Callable[[SwitchroomApp, Sequence[ProviderView]], Awaitable[None]]) -> None:
        if self.app.opened and (views := self._targets()):
            self.app.run_worker(_call(action, self.app, views), group="action", exit_on_error=True)

    def _do_one(self, action: Callable[[SwitchroomApp, ProviderView], Awaitable[None]]) -> None:
        line = self._table.cursor_row
        if line is None:
            self._targets()
        else:
            self.app.run_worker(action(self.app, line.view), group="action", exit_on_error=True)

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        event.stop()
        self.action_open()

    def action_open(self) -> None:
        line = self._table.cursor_row
        if line is not None:
            from tui.screens.provider_detail import ProviderDetail

            self.app.push_screen(ProviderDetail(line.slug))

    def action_add(self) -> None:
        if self.app.opened:
            from tui.screens.provider_wizard import add_provider

            self.app.run_worker(add_provider(self.app), group="action", exit_on_error=True)

    def action_browse(self) -> None:
        if self.app.opened:
            from tui.screens.marketplace import open_marketplace

            self.app.do(open_marketplace(self.app))

    def action_edit(self) -> None:
        from tui.screens.provider_edit import edit

        self._do_one(edit)

    def action_key(self) -> None:
        self._do_one(actions.set_key)

    def action_budget(self) -> None:
        from tui.screens.provider_edit import edit_budget

        self._do_one(edit_budget)

    def action_chat(self) -> None:
        from tui.screens.provider_first_use import chat_with

        self._do_one(chat_with)

    def action_test(self) -> None:
        async def marked_busy(app: SwitchroomApp, views: Sequence[ProviderView]) -> None:
            for view in views:
                self._set_busy(view.row.slug, "testing")
            try:
                await actions.test(app, views)
            finally:
                for view in views:
                    self._set_busy(view.row.slug, "")

        self._do(marked_busy)

    def action_on_off(self) -> None:
        self._do(actions.toggle)

    def action_delete(self) -> None:
        self._do(actions.delete)

    def action_sync(self) -> None:
        if views := self._targets():
            self.app.sync([view.row.slug for view in views])

    def action_installed(self) -> None:
        from tui.screens.local_models import open_local_models

        line = self._table.cursor_row
        self.app.do(open_local_models(self.app, line.view.row.slug if line is not None else None))

    def action_sync_all(self) -> None:
        self.app.sync(None)

    def action_filter(self) -> None:
        self.query_one(FilterBar).open()

    def action_clear(self) -> None:
        self.query_one(FilterBar).clear()
        self._table.clear_marks()

    def action_order(self) -> None:
        """By the next column that can be ordered; after the last, the providers' own order again."""
        self._table.next_order()


async def _call(
    action: Callable[[SwitchroomApp, Sequence[ProviderView]], Awaitable[None]], app: SwitchroomApp, views: Sequence[ProviderView]
) -> None:  # fmt: skip
    await action(app, views)


def _now() -> int:
    return int(time.time() * 1000)
