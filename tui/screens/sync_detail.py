"""The syncs of one provider, and what the one under the cursor changed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.widgets import Static

from catalog.errors import NotFoundError, SwitchroomError
from catalog.plaintext import one_line
from tui.formatting import clock, millis, whole
from tui.screens import sync_words
from tui.screens.rereading import Rereading
from tui.screens.sync_columns import changed, run_mark, unlisted
from tui.screens.sync_words import ChangeLine
from tui.widgets.columns import Cell, Column
from tui.widgets.filter_bar import FilterBar
from tui.widgets.note import Note
from tui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from services.container import Services
    from services.sync_diff import SyncChange
    from store.sync_runs import SyncRunRow
    from tui.exporting import Exported

_RELOAD = frozenset({"SyncEnded", "StoreChangedElsewhere", "ProvidersChanged"})
_WIDE = 150


def _result(run: SyncRunRow) -> Cell:
    mark = run_mark(run)
    return str(mark), mark.tone


RUNS: tuple[Column[SyncRunRow], ...] = (
    Column("at", "when", lambda run: clock(run.started_at), width=8, max_width=11),
    Column("state", "state", _result, width=8, max_width=13),
    Column("took", "took", lambda run: (millis(run.duration_ms), "dim"), width=5, max_width=7, align="right", priority=2),
    Column("models", "models", lambda run: whole(run.total), width=6, align="right", priority=1),
    Column("added", "new", lambda run: changed(run, "added"), width=3, max_width=6, align="right"),
    Column("updated", "changed", lambda run: changed(run, "updated"), width=7, align="right"),
    Column("removed", "gone", lambda run: changed(run, "removed"), width=4, max_width=6, align="right"),
    Column("error", "error", lambda run: (one_line(run.error_message or ""), "bad"), width=12, flex=1, priority=3, optional=True),
)  # fmt: skip


def _tells(run: SyncRunRow) -> bool:
    """It failed, or found something."""
    return run.state != "ok" or run.added + run.updated + run.removed > 0


class SyncDetail(Rereading):
    """One provider's syncs. Opened over the table; esc goes back."""

    MODE = "sync"
    HEADING = "Sync"
    CSS_PATH = "sync.tcss"
    AUTO_FOCUS = "#runs"
    HORIZONTAL_BREAKPOINTS: ClassVar[list[tuple[int, str]]] = [(0, "-narrow"), (_WIDE, "-wide")]  # type: ignore[misc]
    RELOAD = _RELOAD
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", id="synced.back", tooltip="Back to the table (clears a filter first)"),
        Binding("enter", "open", "open", id="synced.open", tooltip="From a sync to what it changed, from a change to its model"),
        Binding("tab", "other", "other list", id="synced.other", tooltip="From the syncs to what changed, and back"),
        Binding("c", "quiet", "all syncs", id="synced.all", tooltip="Show the syncs that found nothing new too, or hide them"),
        Binding("s", "sync", "sync", id="synced.sync", tooltip="Fetch the model list again"),
        Binding("i", "schedule", "schedule", id="synced.schedule", tooltip="When the list is fetched by itself"),
        Binding("slash", "filter", "filter", id="synced.filter", tooltip="Filter the changes: words, what:dearer, field:price, rise>10"),
        Binding("o", "order", "order", show=False, id="synced.order", tooltip="Order the changes by the next column"),
    ]  # fmt: skip

    def __init__(self, slug: str) -> None:
        super().__init__()
        self.slug = slug
        self._schedule = "off"
        self._all: list[SyncRunRow] = []
        self._quiet = False
        """Show the syncs that found nothing new, too."""
        self._limits: tuple[str, ...] = ()
        self._shown: int | None = None
        """The run whose changes are shown."""
        self._runs: VirtualTable[SyncRunRow] = VirtualTable(
            RUNS, key=lambda run: str(run.id), empty="Opening …", marks=False, id="runs"
        )
        self._changes: VirtualTable[ChangeLine] = VirtualTable(
            sync_words.COLUMNS, key=lambda line: line.key, search=sync_words.search_text, facets=sync_words.FACETS,
            empty="", marks=False, id="changes",
        )  # fmt: skip

    def compose_body(self) -> ComposeResult:
        with Container(id="parts"):
            with Vertical(id="runs-side"):
                yield Static("Syncs", classes="title", id="synced", markup=False)
                yield self._runs
            with Vertical(id="changes-side"):
                yield Static("What it changed", classes="title", id="changed", markup=False)
                yield FilterBar(self._changes)
                yield self._changes
        yield Note()

    # -- data ------------------------------------------------------------------------------------

    async def services_ready(self, services: Services) -> None:  # noqa: ARG002
        self.status_title = f"Sync › {self.slug}"
        self._runs.set_empty("Never synced. {s:synced.sync} fetches the models.")
        await self._load()

    def _leave(self) -> None:
        self.app.tell(f"{self.slug} was deleted.", hint="2 shows the providers", tone="dim")
        self.app.pop_screen()

    async def _read(self) -> None:
        services = self.app.services
        try:
            self._schedule = (await services.registry.row(self.slug)).auto_sync
            runs = await services.sync.history(self.slug)
        except NotFoundError:
            self._vanished()
            return
        except SwitchroomError as error:
            self.app.tell_error(error)
            return
        self._all = runs
        self._show_runs()

    def _show_runs(self) -> None:
        """Put the list up; what found nothing new is left out of it, save the newest."""
        told = [run for run in self._all if run is self._all[0] or _tells(run)]
        shown = self._all if self._quiet else told
        before, here = self._runs.rows, self._runs.cursor_key
        follows = bool(before) and here == str(before[0].id) and not self._changes.has_focus
        if shown != list(before):
            self._runs.set_rows(list(shown))
            if not before:
                self._go_to_news()
            elif self._runs.cursor_key != here or (follows and _tells(shown[0])):
                self._runs.action_first()
        hidden = len(self._all) - len(shown)
        key = self.app.with_keys("{c:synced.all}")
        more = f"; {whole(hidden)} without news hidden ({key})" if hidden else ""
        self.query_one("#synced", Static).update(f"Syncs, newest first{more}")
        self.refresh_bindings()

    def _go_to_news(self) -> None:
        """At first the cursor is where there is something to see: the newest that failed or changed anything."""
        first = next((run for run in self._all if _tells(run)), None)
        if first is None or not self._runs.go_to(str(first.id)):
            self._runs.action_first()

    async def _show_run(self) -> None:
        """Show what the run under the cursor changed."""
        run = self._runs.cursor_row
        if run is None or run.id is None or run.id == self._shown:
            return
        await asyncio.sleep(0.02)  # a held key passes many runs
        from services.dependents import affected

        try:
            changes = await self.app.services.sync.changes(run.id)
            touched = await affected(self.app.services, self.slug, [change.model for change in changes])
        except NotFoundError:
            return  # deleted meanwhile: the load that is coming leaves
        except SwitchroomError as error:
            self.app.tell_error(error)
            return
        self._shown, self._limits = run.id, touched.limits
        self._head(run, changes)
        self._changes.set_rows(sync_words.lines(changes, touched))
        self._changes.action_first()
        self._explain()
        self.refresh_bindings()

    def _head(self, run: SyncRunRow, changes: list[SyncChange]) -> None:
        failed = run.state != "ok"
        said = "it failed" if failed else sync_words.summary(changes)
        title = f"What the sync of {clock(run.started_at)} changed: {said}"
        if failed and changes:  # a list that was hard to believe
            title = (
                f"What the list of {clock(run.started_at)} would have changed: {sync_words.summary(changes)}"
            )
        self.query_one("#changed", Static).update(title)
        self._changes.set_empty(
            "The list before this sync stays."
            if failed
            else "It has no list to fetch: the catalog's models are used."
            if unlisted(run)
            else "The list was the same as before."
        )

    def _explain(self) -> None:
        run, line = self._runs.cursor_row, self._changes.cursor_row
        note = self.query_one(Note)
        if run is not None and run.state != "ok":
            note.show([(one_line(run.error_message or "No reason was given.", 400), "bad")])
        else:
            note.show([] if line is None else sync_words.explained(line, self._limits))

    def on_virtual_table_highlighted(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        if event.table is self._runs:
            self.run_worker(self._show_run, exclusive=True, group="show", exit_on_error=True)  # type: ignore[arg-type]
        else:
            self._explain()

    # -- keys ------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """What acts on changes is there once there are some."""
        if action in ("open", "other", "filter", "order"):
            return bool(self._changes.rows)
        return True

    def action_back(self) -> None:
        if self._changes.filter:
            self.query_one(FilterBar).clear()
        else:
            self.app.pop_screen()

    def action_other(self) -> None:
        (self._runs if self._changes.has_focus else self._changes).focus()

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        event.stop()
        self.action_open()

    def action_open(self) -> None:
        if not self._changes.has_focus:
            self._changes.focus()
        elif (line := self._changes.cursor_row) is not None:
            from tui.screens.model_detail import ModelDetail

            self.app.push_screen(ModelDetail(f"{self.slug}/{line.change.model}"))

    def action_quiet(self) -> None:
        self._quiet = not self._quiet
        self._show_runs()

    def action_sync(self) -> None:
        self.app.sync([self.slug])

    def action_schedule(self) -> None:
        if self.app.opened:
            from tui.screens.sync_schedule import choose_schedule

            self.app.do(choose_schedule(self.app, [self.slug], self._schedule))

    def action_filter(self) -> None:
        self.query_one(FilterBar).open()

    def action_order(self) -> None:
        self._changes.next_order()

    def interrupt(self) -> bool:
        return self.app.stop_work()

    def copy_text(self) -> str | None:
        line = self._changes.cursor_row
        if self._changes.has_focus and line is not None:
            return " ".join(text for text, _ in sync_words.explained(line, ())[:2])
        return self.slug

    def exported(self) -> Exported | None:
        from tui.exporting import Exported

        rows: list[dict[str, object]] = [
            {"what": sync_words.mark(line.change).word, "model": line.change.model, "field": line.change.field,
             "old": _plain(line.change.old), "new": _plain(line.change.new), "affects": ", ".join(line.uses)}
            for line in self._changes.shown
        ]  # fmt: skip
        return Exported(f"sync-{self.slug}-{self._shown}", tuple(rows[0]) if rows else (), rows)


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, (str, int)) else str(value)
