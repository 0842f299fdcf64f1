"""What changed in the catalog and what it affects, and where the catalog's sources stand."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from catalog.errors import SwitchroomError
from tui.formatting import whole
from tui.screens import catalog_words
from tui.screens.catalog_words import Line, SourceLine
from tui.screens.rereading import Rereading
from tui.widgets.filter_bar import FilterBar
from tui.widgets.note import Note
from tui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from textual.worker import Worker

    from services.catalog_refresh import RefreshResult
    from services.container import Services
    from tui.exporting import Exported

_RELOAD = frozenset({"CatalogChanged", "ProvidersChanged", "ModelsChanged", "SettingsChanged", "StoreChangedElsewhere"})  # fmt: skip
_EMPTY = "Nothing changed for your models. {s:catalog.ask} asks the sources, {c:catalog.all} shows all vendors."  # fmt: skip


class CatalogChanges(Rereading):
    """Opened over the Sync table; esc goes back."""

    MODE = "sync"
    HEADING = "Sync"
    CSS_PATH = "sync.tcss"
    AUTO_FOCUS = "#catalog-changes"
    RELOAD = _RELOAD
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", id="catalog.back", tooltip="Back to the table (clears a filter first)"),
        Binding("enter", "open", "open", id="catalog.open", tooltip="The model of this change"),
        Binding("s", "ask", "ask sources", id="catalog.ask", tooltip="Ask the sources for newer models and prices now"),
        Binding("c", "all", "all vendors", id="catalog.all", tooltip="Show changes of vendors you have no provider of too, or hide them"),
        Binding("tab", "other", "other list", id="catalog.other", tooltip="From the changes to the sources, and back"),
        Binding("slash", "filter", "filter", id="catalog.filter", tooltip="Filter the changes: words, what:dearer, vendor:openai, rise>10, days<30"),
        Binding("o", "order", "order", show=False, id="catalog.order", tooltip="Order the changes by the next column"),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._all = False
        """Show the changes of all vendors, too."""
        self._found: list[Line] = []
        self._asking: Worker[None] | None = None
        self._changes: VirtualTable[Line] = VirtualTable(
            catalog_words.COLUMNS, key=lambda line: line.key, search=catalog_words.search_text,
            facets=catalog_words.FACETS, empty="Looking …", marks=False, blurred_cursor=False, id="catalog-changes",
        )  # fmt: skip
        self._sources: VirtualTable[SourceLine] = VirtualTable(
            catalog_words.SOURCES,
            key=lambda line: line.view.source,
            empty="",
            marks=False,
            blurred_cursor=False,
            id="catalog-sources",
        )

    def compose_body(self) -> ComposeResult:
        with Vertical(id="sources-side"):
            yield Static("Where newer facts come from", classes="title", markup=False)
            yield self._sources
        with Vertical(id="changes-side"):
            yield Static("What changed", classes="title", id="found", markup=False)
            yield FilterBar(self._changes)
            yield self._changes
        yield Note()

    # -- data ------------------------------------------------------------------------------------

    async def services_ready(self, services: Services) -> None:  # noqa: ARG002
        self.status_title = "Sync › catalog"
        await self._load()

    async def _read(self) -> None:
        from services.catalog_changes import changes
        from services.catalog_news import seen

        services = self.app.services
        try:
            views = await services.catalog_refresh.sources()
            found = await changes(services)
            await seen(services)
        except SwitchroomError as error:
            self._changes.set_empty("It could not be read ({!:app.alerts} says why).")
            self.app.tell_error(error)
            return
        now = _now()
        self._show_sources([SourceLine(view, now, self._asks) for view in views])
        self._found = [Line(change, now) for change in found]
        self._show()

    def _show_sources(self, lines: list[SourceLine]) -> None:
        if lines != list(self._sources.rows):
            self._sources.set_rows(lines)

    def _show(self) -> None:
        """Put the changes up; those of vendors without a provider only on request."""
        mine = [line for line in self._found if line.change.refs]
        shown = self._found if self._all else mine
        self._changes.set_empty(_EMPTY if not self._all else "Nothing changed in 30 days. {s:catalog.ask} asks the sources.")  # fmt: skip
        if shown != list(self._changes.rows):
            self._changes.set_rows(list(shown))
        hidden = len(self._found) - len(shown)
        more = (
            f"; {whole(hidden)} of other vendors hidden ({self.app.with_keys('{c:catalog.all}')})"
            if hidden
            else ""
        )
        self.query_one("#found", Static).update(f"What changed in 30 days, your models first{more}")
        self._explain()
        self.refresh_bindings()

    def _explain(self) -> None:
        """The line under the cursor in sentences: a change; a source where the cursor is there, or nothing changed."""
        line, source = self._changes.cursor_row, self._sources.cursor_row
        if line is not None and not self._sources.has_focus:
            self.query_one(Note).show(catalog_words.explained(line))
        else:
            self.query_one(Note).show([] if source is None else catalog_words.told_of(source))

    def on_descendant_focus(self) -> None:
        self._explain()

    def on_virtual_table_highlighted(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        self._explain()

    # -- keys ------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """What acts on changes is there once there are some."""
        return action not in ("open", "filter", "order") or bool(self._changes.rows)

    def action_back(self) -> None:
        if self._changes.filter:
            self.query_one(FilterBar).clear()
        else:
            self.app.pop_screen()

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        event.stop()
        if event.table is self._changes:
            self.action_open()

    def action_open(self) -> None:
        line = self._changes.cursor_row
        if line is None:
            return
        if not line.change.refs:
            self.app.tell(
                f"You have no provider of {line.change.vendor}.", hint="{2:mode.providers}, then {a:providers.add} adds one", tone="dim"
            )  # fmt: skip
            return
        from tui.screens.model_detail import ModelDetail

        page = ModelDetail(line.change.refs[0])
        page.MODE = self.MODE  # type: ignore[misc]
        self.app.push_screen(page)

    def action_other(self) -> None:
        (self._sources if self._changes.has_focus else self._changes).focus()

    def action_all(self) -> None:
        self._all = not self._all
        self._show()

    def action_filter(self) -> None:
        self.query_one(FilterBar).open()

    def action_order(self) -> None:
        self._changes.next_order()

    @property
    def _asks(self) -> bool:
        return self._asking is not None and self._asking.is_running

    def action_ask(self) -> None:
        if self.app.opened and not self._asks:
            self._asking = self.app.run_worker(self._ask(), group="catalog", exit_on_error=True)
            self._show_sources([SourceLine(line.view, line.now, True) for line in self._sources.rows])

    async def _ask(self) -> None:
        """Goes on when another mode is chosen."""
        try:
            results = await self.app.services.catalog_refresh.refresh()
        except SwitchroomError as error:
            self.app.tell_error(error)
        else:
            self.app.tell(told(results), tone="warn" if any(result.error for result in results) else "ok")
        finally:
            self._asking = None
            if self.is_mounted:
                self._load_soon()

    def interrupt(self) -> bool:
        if self._asking is not None and self._asking.is_running:
            self._asking.cancel()
            return True
        return self.app.stop_work()

    def copy_text(self) -> str | None:
        line = self._changes.cursor_row
        return (
            None
            if line is None
            else "".join(text for text, _ in catalog_words.explained(line)).replace("\n", " ")
        )

    def exported(self) -> Exported | None:
        from services.clock import iso
        from tui.exporting import Exported

        rows: list[dict[str, object]] = [
            {
                "what": line.change.kind, "vendor": line.change.vendor, "model": line.change.model,
                "refs": " ".join(line.change.refs), "field": line.change.field, "old": _plain(line.change.old),
                "new": _plain(line.change.new), "shutdown_date": line.change.ends, "affects": ", ".join(line.change.uses),
                "source": line.change.source, "found": iso(line.change.at),
            }
            for line in self._changes.shown
        ]  # fmt: skip
        return Exported("catalog-changes", tuple(rows[0]) if rows else (), rows)


def told(results: list[RefreshResult]) -> str:
    """What asking the sources came to, in a sentence."""
    from services.catalog_sources import NAMES

    if not results:
        return "No source is switched on."
    failed = [f"{NAMES[result.source]}: {result.error.message}" for result in results if result.error]
    changed = sum(result.added + result.updated + result.removed for result in results)
    found = f"{whole(changed)} model{'' if changed == 1 else 's'} changed" if changed else "nothing changed"
    good = len(results) - len(failed)
    said = f"{good} of {len(results)} sources answered, {found}." if good else ""
    return " ".join([said, *failed]).strip()


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, (str, int)) else str(value)


def _now() -> int:
    return int(time.time() * 1000)
