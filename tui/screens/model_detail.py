"""Everything about one model on one page: what is known, from where, how old it is, and what it did here."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from catalog.errors import NotFoundError, SwitchroomError
from catalog.plaintext import one_line
from tui.formatting import UNKNOWN, cut_middle
from tui.screens import model_actions as actions
from tui.screens.model_columns import Known, now_ms
from tui.screens.model_pages import EXPORTED, Fact, exported_row, facts
from tui.screens.rereading import Rereading
from tui.widgets.columns import Cell, Column
from tui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from services.container import Services
    from services.models import ModelView
    from tui.app import SwitchroomApp
    from tui.exporting import Exported

_RELOAD = frozenset({"ProvidersChanged", "ModelsChanged", "SyncEnded", "RunEnded", "SettingsChanged", "CatalogChanged", "StoreChangedElsewhere"})  # fmt: skip


def _name(fact: Fact) -> Cell:
    return (fact.name, "strong") if fact.heading else (fact.name, "dim")


def _value(fact: Fact) -> Cell:
    if fact.value or fact.heading or not fact.name:
        return fact.value, fact.tone
    return UNKNOWN, "dim"


COLUMNS: tuple[Column[Fact], ...] = (
    Column("name", "", _name, width=16, max_width=18),
    Column("value", "", _value, width=20, max_width=72, least=28),
    Column("source", "", lambda fact: (fact.source, "dim"), width=10, flex=1, priority=1),
)


class ModelDetail(Rereading):
    """One model. Opened over a table; esc goes back."""

    MODE = "models"
    HEADING = "Models"
    CSS_PATH = "models.tcss"
    AUTO_FOCUS = "VirtualTable"
    RELOAD = _RELOAD
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", id="model.back", tooltip="Back to the table"),
        Binding("c,enter", "chat", "chat", id="model.chat", tooltip="Chat with this model"),
        Binding("x", "on_off", "on/off", id="model.toggle", tooltip="Switch this model on or off"),
        Binding("E", "estimate", "estimate", id="model.estimate", tooltip="What a prompt would cost on this model"),
        Binding("d", "default", "default", id="model.default", tooltip="New chats start with this model"),
        Binding("e", "price", "price", id="model.price", tooltip="Type what it costs, from a date on, and see what last month would have cost"),
        Binding("m", "charges", "what it is", id="model.map", tooltip="Say which model it is, or own hardware, or a flat rate"),
        Binding("p", "probe", "probe", id="model.probe", tooltip="Ask this model what it can do; says first what that costs"),
        Binding("s", "sync", "sync", id="model.sync", tooltip="Fetch the list of its provider"),
    ]  # fmt: skip

    def __init__(self, ref: str) -> None:
        super().__init__()
        self.ref = ref
        self._view: ModelView | None = None
        self._known = Known(now=now_ms())
        self._loaded = asyncio.Event()
        """The model was looked up once, found or not."""
        self._table: VirtualTable[Fact] = VirtualTable(
            COLUMNS, key=lambda fact: str(fact.place), empty="Opening …", header=False, marks=False
        )

    def compose_body(self) -> ComposeResult:
        yield self._table

    async def services_ready(self, services: Services) -> None:  # noqa: ARG002
        self.status_title = f"Models › {cut_middle(one_line(self.ref, 400), 60)}"
        await self._load()
        self._loaded.set()

    def _leave(self) -> None:
        self.app.tell(f"{self.ref.partition('/')[0]} was deleted.", hint="2 shows the providers", tone="dim")
        self.app.pop_screen()

    async def _read(self) -> None:
        from services.model_records import model_records

        services = self.app.services
        try:
            view = await services.models.get(self.ref)
            records = await model_records(services, self.ref)
            default = await services.models.default()
            row = await services.registry.row(view.provider)
        except NotFoundError:
            self._vanished()
            return
        except SwitchroomError as error:
            self._table.set_empty(
                "It could not be read ({!:app.alerts} says why). {esc:model.back} goes back."
            )
            self.app.tell_error(error)
            return
        off = frozenset() if row.enabled else frozenset({row.slug})
        self._view, self._known = (
            view,
            Known(
                records,
                default,
                off,
                now_ms(),
                float(row.discount_pct or 0),
                services.catalog.refreshed.dates,
            ),
        )
        found = facts(view, self._known)
        if found != self._table.rows:
            self._table.set_rows(found)

    # -- keys ------------------------------------------------------------------------------------

    def copy_text(self) -> str | None:
        return self.ref

    def exported(self) -> Exported | None:
        from tui.exporting import Exported

        if self._view is None:
            return None
        return Exported("model", EXPORTED, [exported_row(self._view, self._known)])

    def interrupt(self) -> bool:
        return self.app.stop_work()

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        event.stop()

    def action_back(self) -> None:
        self.app.pop_screen()

    def _do(self, action: Callable[[SwitchroomApp, ModelView], Awaitable[None]]) -> None:
        """Act on the model as it is shown, once it is; the next key waits until the page shows what became of it."""

        async def act() -> None:
            await self._loaded.wait()
            if self._view is not None:
                await action(self.app, self._view)
                await self._load()

        self.app.do(act())

    def action_chat(self) -> None:
        self._do(actions.chat)

    def action_on_off(self) -> None:
        self._do(actions.toggle_one)

    def action_default(self) -> None:
        self._do(actions.make_default)

    def action_estimate(self) -> None:
        self._do(actions.estimate_one)

    def action_price(self) -> None:
        from tui.screens.model_price import edit_price

        self._do(edit_price)

    def action_charges(self) -> None:
        from tui.screens.model_map import edit_charges_one

        self._do(edit_charges_one)

    def action_probe(self) -> None:
        from tui.screens.model_probe import probe_one

        self._do(probe_one)

    def action_sync(self) -> None:
        self.app.sync([self.ref.partition("/")[0]])
