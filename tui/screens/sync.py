"""The Sync mode: how fresh each provider's model list is, and what each sync changed."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from catalog.errors import SwitchroomError
from tui.screens import sync_columns
from tui.screens.base import ModeScreen
from tui.screens.sync_columns import COLUMNS, FACETS, SyncLine
from tui.widgets.filter_bar import FilterBar
from tui.widgets.note import Note
from tui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from services.container import Services
    from tui.exporting import Exported

_EMPTY = (
    "No providers yet. {2:mode.providers}, then {a:providers.add} adds one; its models are fetched at once."
)
_RELOAD = frozenset({"ProvidersChanged", "SyncEnded", "StoreChangedElsewhere", "OfflineChanged"})
_ON_A_ROW = frozenset({"open", "sync", "sync_all", "schedule", "filter", "order", "export"})
AGES_EVERY = 60.0
"""Seconds between looks at the ages; only a line whose words changed is painted."""


class SyncScreen(ModeScreen):
    """One row a provider."""

    MODE = "sync"
    HEADING = "Sync"
    CSS_PATH = "sync.tcss"
    AUTO_FOCUS = "VirtualTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "what changed", id="sync.open", tooltip="The syncs of this provider, and what each changed"),
        Binding("s", "sync", "sync", id="sync.sync", tooltip="Fetch the model list of this provider, or of the marked"),
        Binding("S", "sync_all", "sync all", id="sync.all", tooltip="Fetch the model lists of all providers that are on"),
        Binding("i", "schedule", "schedule", id="sync.schedule", tooltip="When the list is fetched by itself: off, at start, every …, cron"),
        Binding("c", "catalog", "catalog", id="sync.catalog", tooltip="What changed in the catalog, and what it affects"),
        Binding("slash", "filter", "filter", id="sync.filter", tooltip="Filter: words, state:failed, schedule:off, models>100, age>24 (hours)"),
        Binding("o", "order", "order", id="sync.order", tooltip="Order by the next column"),
        Binding("escape", "clear", "clear", show=False, id="sync.clear", tooltip="Clear the filter and the marks"),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._table: VirtualTable[SyncLine] = VirtualTable(
            COLUMNS, key=lambda line: line.slug, search=sync_columns.search_text, facets=FACETS, empty="Opening …", id="syncs"
        )  # fmt: skip
        self._phases: dict[str, str] = {}
        """Provider → what its sync is doing."""
        self._again = False
        """A load is about to begin."""
        self._old = False
        """Something changed while another screen was in front."""

    def compose_body(self) -> ComposeResult:
        yield FilterBar(self._table)
        yield self._table
        yield Note()

    # -- data ------------------------------------------------------------------------------------

    async def services_ready(self, services: Services) -> None:
        self._phases = dict.fromkeys(services.sync.active, "fetching") | self._phases
        await self._load()
        self.set_interval(AGES_EVERY, self._tick)

    async def _load(self) -> None:
        try:
            views = await self.app.services.sync.overview()
        except SwitchroomError as error:
            self._old = True
            self._table.set_empty("The syncs could not be read (! says why). 1, then 4 tries again.")
            self.app.tell_error(error)
            return
        self._table.set_empty(_EMPTY)
        now, offline = _now(), self.app.services.offline.state
        lines = [SyncLine(view, now, self._phases.get(view.slug, ""), offline) for view in views]
        had = bool(self._table.rows)
        if lines != list(self._table.rows):
            self._table.set_rows(lines)
            self._explain()
        if had != bool(lines):
            self.refresh_bindings()

    def _load_soon(self) -> None:
        """Load once for any number of changes that come together."""
        self._old = not self.seen
        if not self._again and self.seen:
            self._again = True
            self.run_worker(self._load_again, group="load", exit_on_error=True)  # type: ignore[arg-type]

    async def _load_again(self) -> None:
        await asyncio.sleep(0.03)
        self._again = False
        await self._load()

    def _tick(self) -> None:
        now = _now()
        for line in list(self._table.rows):
            self._renew(line, SyncLine(line.view, now, line.phase, line.offline))
        self._explain()

    def _renew(self, old: SyncLine, new: SyncLine) -> None:
        """Put a line in the place of the other; painted only when its words differ."""
        if any(column.cell(new) != column.cell(old) for column in COLUMNS):
            self._table.update_row(new)

    def feed_event(self, event: object) -> None:
        name = type(event).__name__
        if name == "SyncProgress":
            phase = getattr(event, "phase", "")
            self._set_phase(getattr(event, "provider", ""), "" if phase == "done" else phase)
        elif name in _RELOAD:
            self._load_soon()

    def on_screen_resume(self) -> None:
        if self._old and self.app.opened:
            self._load_soon()

    def work_ended(self) -> None:
        for slug in list(self._phases):
            self._set_phase(slug, "")

    def _set_phase(self, slug: str, phase: str) -> None:
        if phase:
            self._phases[slug] = phase
        else:
            self._phases.pop(slug, None)
        line = next((line for line in self._table.rows if line.slug == slug), None)
        if line is not None and line.phase != phase:
            self._table.update_row(SyncLine(line.view, line.now, phase, line.offline))

    def _explain(self) -> None:
        line = self._table.cursor_row
        self.query_one(Note).show([] if line is None else sync_columns.explained(line))

    def on_virtual_table_highlighted(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        self._explain()

    # -- keys ------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """What acts on a provider is there once there is one."""
        return action not in _ON_A_ROW or bool(self._table.rows)

    def copy_text(self) -> str | None:
        line = self._table.cursor_row
        return (
            None
            if line is None
            else "".join(text for text, _ in sync_columns.explained(line)).replace("\n", " ")
        )

    def exported(self) -> Exported | None:
        from services.clock import iso
        from tui.exporting import Exported

        rows = []
        for line in self._table.shown:
            view, last, good = line.view, line.view.last, line.view.good
            rows.append(
                {
                    "provider": view.slug,
                    "state": last.state if last else "never",
                    "last_run": iso(last.started_at) if last else None,
                    "list_from": iso(good.started_at) if good else None,
                    "duration_ms": last.duration_ms if last else None,
                    "models": good.total if good else None,
                    "added": last.added if last else None,
                    "updated": last.updated if last else None,
                    "removed": last.removed if last else None,
                    "price_changed": iso(view.price.at) if view.price else None,
                    "price_rose": view.price.rose if view.price else None,
                    "schedule": view.schedule,
                    "next": iso(view.next_at),
                    "error": last.error_message if last else None,
                }
            )
        return Exported("sync", tuple(rows[0]) if rows else (), rows)

    def interrupt(self) -> bool:
        return self.app.stop_work()

    def action_sync(self) -> None:
        if lines := self._table.targets():
            self.app.sync([line.slug for line in lines])

    def action_sync_all(self) -> None:
        self.app.sync(None)

    def action_schedule(self) -> None:
        if self.app.opened and (lines := self._table.targets()):
            from tui.screens.sync_schedule import choose_schedule

            self.app.do(choose_schedule(self.app, [line.slug for line in lines], lines[0].view.schedule))

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        event.stop()
        self.action_open()

    def action_open(self) -> None:
        if (line := self._table.cursor_row) is not None:
            from tui.screens.sync_detail import SyncDetail

            self.app.push_screen(SyncDetail(line.slug))

    def action_catalog(self) -> None:
        if self.app.opened:
            from tui.screens.catalog_changes import CatalogChanges

            self.app.push_screen(CatalogChanges())

    def action_filter(self) -> None:
        self.query_one(FilterBar).open()

    def action_clear(self) -> None:
        self.query_one(FilterBar).clear()
        self._table.clear_marks()

    def action_order(self) -> None:
        self._table.next_order()


def _now() -> int:
    return int(time.time() * 1000)
