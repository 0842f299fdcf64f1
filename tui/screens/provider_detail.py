"""Everything about one provider, on tabs: summary, models, limits, history, and the finer settings."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget

from catalog.errors import NotFoundError, SwitchroomError
from tui.screens import model_columns, provider_pages
from tui.screens import provider_actions as actions
from tui.screens.provider_account import GROUPS, SPANS, AccountPage
from tui.screens.provider_metrics import MetricsPage
from tui.screens.provider_next import next_step
from tui.screens.rereading import Rereading
from tui.widgets.filter_bar import FilterBar
from tui.widgets.footer import HIDDEN
from tui.widgets.pairs import Pairs
from tui.widgets.table import VirtualTable
from tui.widgets.tabs_line import TabsLine

if TYPE_CHECKING:
    from services.container import Services
    from services.models import ModelView
    from services.provider_metrics import Metrics
    from services.registry import ProviderView
    from store.audit import AuditRow

_TABS = ("Summary", "Models", "Budget", "Metrics", "Account", "Audit", "Advanced")
_MODELS, _METRICS, _ACCOUNT, _AUDIT = map(_TABS.index, ("Models", "Metrics", "Account", "Audit"))
_OPENS = {_METRICS: "model", _AUDIT: "entry"}
"""What enter opens on a tab; on the others it chats."""
_DAY_MS = 86_400_000
_SPANS = (("24 hours", _DAY_MS), ("7 days", 7 * _DAY_MS), ("30 days", 30 * _DAY_MS))
_RELOAD = frozenset({"AccountRead", "ProvidersChanged", "ModelsChanged", "SyncEnded", "RunEnded", "BudgetsChanged", "StoreChangedElsewhere"})  # fmt: skip


class ProviderDetail(Rereading):
    """One provider. Opened over the table; esc goes back."""

    MODE = "providers"
    HEADING = "Providers"
    CSS_PATH = "providers.tcss"
    RELOAD = _RELOAD
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", id="provider.back", tooltip="Back to the table (clears a filter first)"),
        Binding("right_square_bracket", "tab(1)", "next tab", id="provider.next_tab", tooltip="Next tab"),
        Binding("left_square_bracket", "tab(-1)", "tab", show=False, id="provider.previous_tab", tooltip="Previous tab"),
        Binding("c", "chat", "chat", id="provider.chat", tooltip="Chat with this provider, with the model under the cursor"),
        Binding("enter", "open", "chat", id="provider.open", tooltip="Open the entry or the model under the cursor; on the other tabs chat"),
        Binding("x", "on_off", "on/off", id="provider.toggle", tooltip="Switch the provider, or the marked models, on or off"),
        Binding("d", "default", "default", id="provider.default", tooltip="Make the model under the cursor this provider's default"),
        Binding("less_than_sign", "span(-1)", "range", show=False, id="provider.shorter", tooltip="A shorter range of time: 24 hours, 7 days"),
        Binding("greater_than_sign", "span(1)", "range", key_display="< >", id="provider.longer", tooltip="A longer range of time: 7 days, 30 days"),
        Binding("v", "group", "group", id="provider.group", tooltip="The account by day, by model or by line item"),
        Binding("r", "account_read", "read", id="provider.account_read", tooltip="Ask the vendor now what was used, billed and is left"),
        Binding("slash", "filter", "filter", id="provider.filter", tooltip="Filter the models"),
        Binding("o", "order", "order", id="provider.order", tooltip="Order the models: dearest, largest … first"),
        Binding("t", "test", "test", id="provider.test", tooltip="Test the key and the connection"),
        Binding("s", "sync", "sync", id="provider.sync", tooltip="Fetch the model list"),
        Binding("K", "key", "key", id="provider.key", tooltip="Set or remove the key, or the account's admin key"),
        Binding("e", "edit", "edit", id="provider.edit", tooltip="Change address, timeouts, proxy, cost …"),
        Binding("b", "budget", "budget", id="provider.budget", tooltip="Daily and monthly limits"),
        Binding("D", "delete", "delete", id="provider.delete", tooltip="Delete; says what depends on it and asks once"),
    ]  # fmt: skip

    def __init__(self, slug: str) -> None:
        super().__init__()
        self.slug = slug
        self.key_words = {"provider.open": HIDDEN}
        """Binding id → what the line of keys calls it on the tab in front."""
        self._view: ProviderView | None = None
        self._models: VirtualTable[ModelView] = VirtualTable(
            model_columns.COLUMNS,
            key=lambda model: model.ref,
            search=model_columns.search_text,
            facets=model_columns.FACETS,
            empty="No models yet. {s:provider.sync} fetches the list.",
        )
        self._audit = provider_pages.audit_table()
        self._metrics = MetricsPage()
        self._account = AccountPage()
        self._span = 0
        self._account_span = 1
        self._group = 0
        self._asking = self._asked = False
        """The vendor is being asked for the account; it was asked since this screen opened."""
        self._pages: tuple[Widget, ...] = (
            Pairs(),
            self._models,
            Pairs(),
            self._metrics,
            self._account,
            self._audit,
            Pairs(),
        )
        self._filter = FilterBar(self._models)

    def compose_body(self) -> ComposeResult:
        yield TabsLine(_TABS)
        yield self._filter
        yield from self._pages

    async def services_ready(self, services: Services) -> None:  # noqa: ARG002
        self._show_tab(0)
        await self._load()

    async def _read(self) -> None:
        services = self.app.services
        try:
            self._view = view = await services.registry.get(self.slug)
            models = await services.models.list(self.slug)
            limits = await services.usage.limits()
            history = await services.audit.of_provider(self.slug)
            if self._place == _METRICS:
                await self._load_metrics()
            elif self._place == _ACCOUNT:
                await self._load_account()
        except NotFoundError:
            self._vanished()
            return
        except SwitchroomError as error:
            self.app.tell_error(error)
            return
        summary, budget, advanced = self._pages[0], self._pages[2], self._pages[-1]
        assert isinstance(summary, Pairs)
        assert isinstance(budget, Pairs)
        assert isinstance(advanced, Pairs)
        step = self.app.with_keys(next_step(view.state, here=True))
        summary.show(provider_pages.summary(view, models, int(time.time() * 1000), step))
        budget.show(provider_pages.budget(view, limits))
        advanced.show(provider_pages.advanced(view))
        if models != self._models.rows:
            self._models.set_rows(models)
            self.refresh_bindings()
        if history != self._audit.rows:
            self._audit.set_rows(history)
            self.refresh_bindings()
        self.status_title = f"Providers › {self.slug}"

    # -- keys ------------------------------------------------------------------------------------

    @property
    def _on_models(self) -> bool:
        return self._place == _MODELS

    @property
    def _place(self) -> int:
        return self.query_one(TabsLine).place

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """`d`, `/` and `o` belong to the models' tab, `<` and `>` to metrics and account, `v` and `r` to the account."""
        if action == "span":
            return self.is_mounted and self._place in (_METRICS, _ACCOUNT)
        if action in ("group", "account_read"):
            there = self.is_mounted and self._place == _ACCOUNT
            return there and self._account.state not in ("", "no_api", "needs_key")
        if action == "open":
            return not self.is_mounted or self._place not in _OPENS or self._under_cursor is not None
        if action in ("default", "filter", "order"):
            return self.is_mounted and self._on_models and bool(self._models.rows)
        return True

    @property
    def _under_cursor(self) -> Metrics | AuditRow | None:
        """What enter opens on this tab; None: nothing."""
        if self._place == _AUDIT:
            return self._audit.cursor_row
        return self._metrics.table.cursor_row if self._place == _METRICS else None

    def _show_tab(self, place: int) -> None:
        self.key_words = {"provider.open": _OPENS.get(place, HIDDEN)}
        for number, page in enumerate(self._pages):
            page.display = number == place
        self._filter.set_class(place == _MODELS and bool(self._models.filter), "-open")
        tables: dict[int, Widget] = {_METRICS: self._metrics.table, _ACCOUNT: self._account.table}
        tables.get(place, self._pages[place]).focus()
        self.refresh_bindings()

    async def _load_metrics(self) -> None:
        from services.provider_metrics import provider_metrics

        name, span = _SPANS[self._span]
        self._metrics.show(name, await provider_metrics(self.app.services, self.slug, span))
        self.refresh_bindings()

    async def _load_account(self) -> None:
        from tui.screens.provider_account import read

        found = await read(
            self.app.services, self.slug, self._account_span, GROUPS[self._group], reading=self._asking
        )
        self._account.show(found, self.app)
        self.refresh_bindings()
        if found.view.state == "never" and not self._asked:
            self.action_account_read()

    def action_span(self, by: int) -> None:
        if self._place == _ACCOUNT:
            self._account_span = max(0, min(len(SPANS) - 1, self._account_span + by))
        else:
            self._span = max(0, min(len(_SPANS) - 1, self._span + by))
        self._load_soon()

    def action_group(self) -> None:
        self._group = (self._group + 1) % len(GROUPS)
        self._load_soon()

    def action_account_read(self) -> None:
        if not self._asking:
            self._asking = self._asked = True
            self.app.do(self._ask_account())

    async def _ask_account(self) -> None:
        """Ask the vendor; what it says, or why it did not, is read from what is kept."""
        self._load_soon()
        try:
            days = SPANS[self._account_span][1]
            view = await self.app.services.accounts.refresh(self.slug, days=days)
        except SwitchroomError as error:
            self.app.tell_error(error)
            return
        finally:
            self._asking = False
        if view.waited:
            self.app.tell(view.waited, tone="dim")
        elif view.error is not None and view.error.code in ("offline", "vault_locked"):
            self.app.tell(view.error.message, hint=view.error.hint or "", tone="warn")
        if self.is_mounted:
            self._load_soon()

    def action_tab(self, by: int) -> None:
        place = self.query_one(TabsLine).step(by)
        self._show_tab(place)
        if place in (_METRICS, _ACCOUNT) and self.app.opened:
            self._load_soon()

    def action_back(self) -> None:
        if self._on_models and (self._models.filter or self._models.marked):
            self._filter.clear()
            self._models.clear_marks()
        else:
            self.app.pop_screen()

    def copy_text(self) -> str | None:
        if self._on_models:
            return self._models.cursor_key
        return self._view.row.endpoint if self._view else None

    def interrupt(self) -> bool:
        return self.app.stop_work()

    def action_filter(self) -> None:
        self._filter.open()

    def action_order(self) -> None:
        self._models.next_order()

    def action_on_off(self) -> None:
        if self._view is None:
            return
        if self._on_models:
            self.app.do(self._switch_models(self._models.targets()))
        else:
            self.app.do(actions.toggle(self.app, [self._view]))

    async def _switch_models(self, models: list[ModelView]) -> None:
        if not models:
            return
        on = not any(model.enabled for model in models)
        try:
            await self.app.services.models.set_enabled([model.ref for model in models], on)
        except SwitchroomError as error:
            self.app.tell_error(error)
            return
        await self._load()

    def action_default(self) -> None:
        model = self._models.cursor_row
        if model is not None:
            self.app.do(self._make_default(model))

    async def _make_default(self, model: ModelView) -> None:
        from services.registry import ProviderDraft

        try:
            await self.app.services.registry.edit(self.slug, ProviderDraft(default_model=model.info.id))
        except SwitchroomError as error:
            self.app.tell_error(error)
            return
        self.app.tell(
            f"{model.info.id} is now the default of {self.slug}.", hint="{c:provider.chat} chats with it"
        )

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        event.stop()
        self.action_open()

    def action_open(self) -> None:
        if self._place not in _OPENS:
            self.action_chat()
        elif self._place == _METRICS:
            if (used := self._metrics.table.cursor_row) is not None:
                from tui.screens.model_detail import ModelDetail

                self.app.push_screen(ModelDetail(f"{self.slug}/{used.model}"))
        elif (row := self._audit.cursor_row) is not None:
            from tui.screens.audit_record import AuditRecord

            self.app.push_screen(AuditRecord(row))

    def action_chat(self) -> None:
        if self._view is None:
            return
        from tui.screens.provider_first_use import chat_with

        model = self._models.cursor_row if self._on_models else None
        self.app.do(chat_with(self.app, self._view, model.ref if model else None))

    def action_test(self) -> None:
        if self._view is not None:
            self.app.do(actions.test(self.app, [self._view]))

    def action_sync(self) -> None:
        self.app.sync([self.slug])

    def action_key(self) -> None:
        if self._view is not None:
            self.app.do(actions.set_key(self.app, self._view))

    def action_edit(self) -> None:
        if self._view is not None:
            from tui.screens.provider_edit import edit

            self.app.do(edit(self.app, self._view))

    def action_budget(self) -> None:
        if self._view is not None:
            from tui.screens.provider_edit import edit_budget

            self.app.do(edit_budget(self.app, self._view))

    def action_delete(self) -> None:
        if self._view is not None:
            self.app.do(actions.delete(self.app, [self._view]))
