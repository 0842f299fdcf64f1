"""The marketplace: every vendor the catalog knows, what it offers and costs, and enter to add it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container

from catalog.errors import SwitchroomError
from tui.screens.marketplace_lines import (
    COLUMNS,
    EXPORTED,
    FACETS,
    OTHER,
    VendorLine,
    details,
    exported_row,
    search_text,
)
from tui.screens.rereading import Rereading
from tui.widgets.filter_bar import FilterBar
from tui.widgets.footer import KeyLine
from tui.widgets.pairs import Pairs
from tui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from tui.app import SwitchroomApp
    from tui.exporting import Exported

_RELOAD = frozenset({"ProvidersChanged", "CatalogChanged", "StoreChangedElsewhere"})
_UNREAD = "The vendors could not be read ({!:app.alerts} says why). {esc:market.back} goes back."


async def open_marketplace(app: SwitchroomApp) -> None:
    """Show the vendors over the providers; esc goes back to where one came from."""
    came_from = app.current_mode
    if came_from != "providers":
        await app.switch_mode("providers")
    if not isinstance(app.screen, Marketplace):
        await app.push_screen(Marketplace(came_from))


class Marketplace(Rereading):
    """The table of vendors."""

    MODE = "providers"
    HEADING = "Providers › marketplace"
    CSS_PATH = "marketplace.tcss"
    AUTO_FOCUS = "VirtualTable"
    HORIZONTAL_BREAKPOINTS: ClassVar[list[tuple[int, str]]] = [(0, "-narrow"), (160, "-wide")]  # type: ignore[misc]
    VERTICAL_BREAKPOINTS: ClassVar[list[tuple[int, str]]] = [(0, "-low"), (34, "-tall")]  # type: ignore[misc]
    RELOAD = _RELOAD
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "add", "add", id="market.add", tooltip="Add this vendor, step by step; on the last line any other server"),
        Binding("i", "details", "details", id="market.details", tooltip="All about this vendor in the whole window, and back to the table"),
        Binding("slash", "filter", "filter", id="market.filter", tooltip="Filter: words, found:yes, local:yes, ready:yes, cap:vision, vision<0.1, price<1"),
        Binding("o", "order", "order", id="market.order", tooltip="Order by the next column: most models, cheapest, cheapest with vision, largest context"),
        Binding("u", "other", "paste a URL", id="market.other", tooltip="Any other server: give its base URL"),
        Binding("escape", "back", "back", id="market.back", tooltip="Back to where one came from (clears a filter first)"),
    ]  # fmt: skip

    def __init__(self, came_from: str = "providers") -> None:
        super().__init__()
        self._came_from = came_from
        self.key_words: dict[str, str] = {}
        """Binding id → what the line of keys calls it now."""
        self._table: VirtualTable[VendorLine] = VirtualTable(
            COLUMNS, key=lambda line: line.id, search=search_text, facets=FACETS, empty="Reading the catalog …", marks=False, id="vendors"
        )  # fmt: skip
        self._table.keep_last()
        self._page = Pairs()

    def compose_body(self) -> ComposeResult:
        yield FilterBar(self._table)
        with Container(id="parts"):
            yield self._table
            yield self._page

    # -- data ------------------------------------------------------------------------------------

    async def _read(self) -> None:
        from services.marketplace import vendors

        try:
            found = await vendors(self.app.services)
        except SwitchroomError as error:
            self._table.set_empty(self.app.with_keys(_UNREAD))
            self.app.tell_error(error)
            return
        lines = [*map(VendorLine, found), OTHER]
        if lines != list(self._table.rows):
            self._table.set_rows(lines)
            self._explain()
            self.refresh_bindings()

    def _explain(self) -> None:
        line = self._table.cursor_row
        self._page.show([] if line is None else details(line.vendor))
        self._page.scroll_home(animate=False)

    def on_virtual_table_highlighted(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        self._explain()

    # -- keys ------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """What acts on a vendor is there once they are read."""
        if action in ("filter", "order"):
            return bool(self._table.rows) and not self.has_class("-details")
        return action not in ("add", "details", "other", "export") or bool(self._table.rows)

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        event.stop()
        self.action_add()

    def action_add(self) -> None:
        line = self._table.cursor_row
        if line is None:
            return
        if line.vendor is not None and line.vendor.obstacle:
            self.app.tell(
                f"{line.vendor.spec.name} cannot be connected yet: {line.vendor.obstacle}.",
                hint="{u:market.other} takes the address of a server that speaks OpenAI's dialect",
                tone="dim",
            )
            return
        self.app.do(self._begin(line))

    def action_other(self) -> None:
        self.app.do(self._begin(OTHER))

    async def _begin(self, line: VendorLine) -> None:
        """The steps of adding; once it is added the marketplace has done its work."""
        from tui.screens.provider_choice import Choice
        from tui.screens.provider_wizard import connect, first_steps

        choice = Choice(None)
        if line.vendor is not None:
            found = await self.app.services.discovery.vendors()
            choice = Choice(line.vendor.spec, found.get(line.vendor.spec.id))
        added = await connect(self.app, choice, first=1)
        if added is not None:
            if self.app.screen is self:
                self.app.pop_screen()
            await first_steps(self.app, added)

    def action_details(self) -> None:
        shown = not self.has_class("-details")
        self.set_class(shown, "-details")
        self.key_words = {"market.details": "table"} if shown else {}
        (self._page if shown else self._table).focus()
        self.refresh_bindings()
        self.query_one(KeyLine).look()

    def action_filter(self) -> None:
        self.query_one(FilterBar).open()

    def action_order(self) -> None:
        self._table.next_order()

    async def action_back(self) -> None:
        if self.has_class("-details"):
            self.action_details()
        elif self._table.filter:
            self.query_one(FilterBar).clear()
        else:
            await self.app.pop_screen()
            if self._came_from != "providers":
                self.app.action_mode(self._came_from)

    def interrupt(self) -> bool:
        return self.app.stop_work()

    def copy_text(self) -> str | None:
        """Where a key is to be had; for a server of one's own its address."""
        line = self._table.cursor_row
        if line is None or line.vendor is None:
            return None
        return line.vendor.spec.key_url or line.vendor.endpoint

    def exported(self) -> Exported | None:
        from tui.exporting import Exported, Told

        lines = [line for line in self._table.shown if line.vendor is not None]
        return Exported("vendors", EXPORTED, Told(lines, exported_row))
