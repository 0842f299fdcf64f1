"""Installed and running: the models that lie on the machines of providers, with their sizes, and downloads to them."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from catalog.errors import SwitchroomError
from catalog.plaintext import one_line
from tui.screens.local_models_lines import Line, PullLine, columns, counted, explained, search_text
from tui.screens.rereading import Rereading
from tui.widgets.filter_bar import FilterBar
from tui.widgets.note import Note
from tui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from services.container import Services
    from services.shelves import Shelf
    from tui.app import SwitchroomApp

_RELOAD = frozenset({"ProvidersChanged", "ModelsChanged", "StoreChangedElsewhere"})
_EVERY = 5.0
"""Seconds between looks at what is loaded."""
_NOBODY = "No provider here holds models of its own. {a:local.add} adds one: choose Ollama."
_PLAYED = "The demo holds no models. If Ollama runs here, {a:local.add} adds it to look around."
_NONE = "No models yet. {P:local.pull} pulls one."
_FAILED = "It could not be read: {why}"


async def open_local_models(app: SwitchroomApp, provider: str | None = None) -> None:
    """Show what is installed over the mode in front; `provider`: the cursor begins there."""
    if not isinstance(app.screen, LocalModelsScreen):
        over = ProvidersInstalled if app.current_mode == "providers" else LocalModelsScreen
        await app.push_screen(over(provider))


class LocalModelsScreen(Rereading):
    """The table of installed models of all providers that hold some."""

    MODE = "models"
    HEADING = "Models › installed"
    CSS_PATH = "local_models.tcss"
    AUTO_FOCUS = "VirtualTable"
    RELOAD = _RELOAD
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "details", id="local.open", tooltip="All that is known of this model, and from where"),
        Binding("P", "pull", "pull", id="local.pull", tooltip="Download a model to the machine of a provider"),
        Binding("x", "stop", "stop", id="local.stop", tooltip="Stop this download; what has arrived is kept (of Hugging Face: whole files), and pulling again goes on from there"),
        Binding("D", "delete", "delete", id="local.delete", tooltip="Delete this model from the disk; asks, and says what uses it"),
        Binding("c", "chat", "chat", id="local.chat", tooltip="Chat with this model"),
        Binding("a", "add", "add", show=False, id="local.add", tooltip="Add a provider, step by step"),
        Binding("r", "read", "read", id="local.read", tooltip="Ask the providers again what they hold"),
        Binding("slash", "filter", "filter", id="local.filter", tooltip="Filter by words: a name, a family, loaded"),
        Binding("o", "order", "order", show=False, id="local.order", tooltip="Order by the next column: largest, newest …"),
        Binding("escape", "back", "back", id="local.back", tooltip="Back to where one came from (clears a filter first)"),
    ]  # fmt: skip

    def __init__(self, provider: str | None = None) -> None:
        super().__init__()
        self._first = provider
        self._shelves: list[Shelf] = []
        self._problems: dict[str, str] = {}
        """Provider → why it could not be asked."""
        self._sums = ""
        """What stands above the table."""
        self._table: VirtualTable[Line] = VirtualTable(
            columns(),
            key=lambda line: line.key,
            search=search_text,
            empty="Asking …",
            marks=False,
            id="local",
        )

    def compose_body(self) -> ComposeResult:
        yield Static("", id="sums", markup=False)
        yield FilterBar(self._table)
        yield self._table
        yield Note()

    # -- data ------------------------------------------------------------------------------------

    async def services_ready(self, services: Services) -> None:
        await super().services_ready(services)
        self.set_interval(_EVERY, self._tick)

    def _tick(self) -> None:
        if self.seen and not self._loading.locked():
            self._load_soon()

    async def _read(self) -> None:
        local = self.app.services.local_models
        try:
            holders = await local.holders()
            rows = await self.app.services.registry.rows()
        except SwitchroomError as error:
            self._table.set_empty("It could not be read ({!:app.alerts} says why).")
            self.app.tell_error(error)
            return
        found = await asyncio.gather(*(local.shelf(row.slug) for row in holders), return_exceptions=True)
        self._shelves, self._problems = [], {}
        for row, shelf in zip(holders, found, strict=True):
            if isinstance(shelf, SwitchroomError):
                self._problems[row.slug] = f"{row.slug}: {shelf.message}"
            elif isinstance(shelf, BaseException):
                raise shelf
            else:
                self._shelves.append(shelf)
                if shelf.note:
                    self._problems[row.slug] = shelf.note
        why = " ".join(self._problems.values())
        nobody = _PLAYED if any(row.dialect == "fake" for row in rows) else _NOBODY
        self._table.set_empty(_FAILED.format(why=one_line(why, 300)) if why else _NONE if holders else nobody)
        self._show()

    def _show(self) -> None:
        """Put up what was read last, with the downloads as they stand now."""
        now = int(time.time() // 60 * 60_000)
        pulls = self.app.services.local_models.pulls(active=True)
        lines = [Line(None, PullLine.of(pull), now) for pull in pulls]
        coming = {(p.provider, name) for p in pulls for name in (p.model, f"{p.model}:latest")}
        lines += [
            Line(model, None, now)
            for shelf in self._shelves
            for model in sorted(shelf.models, key=lambda one: (not one.loaded, one.id))
            if (model.provider, model.id) not in coming
        ]
        if lines != list(self._table.rows):
            before = bool(self._table.rows)
            self._table.set_rows(lines)
            if not before and self._first:
                self._go_to(self._first, lines)
            self.refresh_bindings()
        parts = (counted(lines), *(one_line(p, 120) for p in self._problems.values()))
        sums = " · ".join(part for part in parts if part)
        if sums != self._sums:
            self._sums = sums
            self.query_one("#sums", Static).update(sums)
        self._explain()

    def _go_to(self, provider: str, lines: list[Line]) -> None:
        first = next((line for line in lines if line.provider == provider), None)
        self._first = None
        if first is not None:
            self._table.go_to(first.key)

    def feed_event(self, event: object) -> None:
        if type(event).__name__ == "PullChanged" and self.is_mounted and self.seen:
            self._show()
        super().feed_event(event)

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self.app.opened and self._table.rows:
            self._show()

    def _explain(self) -> None:
        self.query_one(Note).show(explained(self._table.cursor_row))

    def on_virtual_table_highlighted(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        self._explain()
        self.refresh_bindings()

    # -- keys ------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """What acts on a model is there once there is one; only a download can be stopped."""
        line = self._table.cursor_row
        if action == "stop":
            return line is not None and line.pull is not None
        if action in ("delete", "chat", "open"):
            return line is not None and line.model is not None
        return action not in ("filter", "order") or bool(self._table.rows)

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        event.stop()
        self.action_open()

    def action_open(self) -> None:
        from tui.screens.model_detail import ModelDetail

        if (line := self._table.cursor_row) is not None and line.model is not None:
            self.app.push_screen(ModelDetail(line.model.ref))

    def action_pull(self) -> None:
        from tui.screens.local_models_actions import pull

        line = self._table.cursor_row
        self.app.do(pull(self.app, line.provider if line is not None else self._first))

    def action_stop(self) -> None:
        from tui.screens.local_models_actions import stop

        if (line := self._table.cursor_row) is None:
            return
        if line.pull is None:
            self.app.tell("Nothing is being downloaded here.", tone="dim")
        else:
            self.app.do(stop(self.app, line.provider, line.id))

    def action_delete(self) -> None:
        from tui.screens.local_models_actions import delete

        if (line := self._table.cursor_row) is not None and line.model is not None:
            self.app.do(delete(self.app, line.model))

    async def action_chat(self) -> None:
        from tui.screens.model_actions import chat

        if (line := self._table.cursor_row) is not None and line.model is not None:
            view = await self.app.services.models.get(line.model.ref)
            self.app.do(chat(self.app, view))

    def action_add(self) -> None:
        from tui.screens.provider_wizard import add_provider

        self.app.do(add_provider(self.app))

    def action_read(self) -> None:
        self._load_soon()

    def action_filter(self) -> None:
        self.query_one(FilterBar).open()

    def action_order(self) -> None:
        self._table.next_order()

    def action_back(self) -> None:
        if self._table.filter:
            self.query_one(FilterBar).clear()
        else:
            self.app.pop_screen()

    def interrupt(self) -> bool:
        return self.app.stop_work()

    def copy_text(self) -> str | None:
        line = self._table.cursor_row
        return f"{line.provider}/{line.id}" if line is not None else None


class ProvidersInstalled(LocalModelsScreen):
    """The same, opened over the providers."""

    MODE = "providers"
    HEADING = "Providers › installed"
