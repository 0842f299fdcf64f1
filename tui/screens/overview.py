"""The Overview mode: what matters now, the worst first, each line opened with enter."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from catalog.errors import SwitchroomError
from tui.formatting import count
from tui.messages import AlertLine
from tui.screens import overview_lines as lines
from tui.screens.base import ModeScreen
from tui.screens.discovered_overview import WithFindings
from tui.screens.overview_live import LivePanel, LiveRuns
from tui.screens.overview_panels import Panel, SpendPanel
from tui.screens.provider_columns import ProviderLine
from tui.widgets.chart import Chart
from tui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from services.catalog_news import News
    from services.container import Services
    from services.overview import PriceRise, RecentRun, Spend
    from tui.exporting import Exported

_SOON = frozenset({"RunEnded", "ProvidersChanged", "ModelsChanged", "SyncEnded", "BudgetsChanged", "StoreChangedElsewhere", "OfflineChanged", "SettingsChanged", "NewsChanged"})  # fmt: skip
"""After these the panels are read anew."""
LOAD_EVERY = 1.0
"""Seconds between two readings at least, however much happens."""
LOOK_EVERY = 60.0
"""Seconds between looks at the clock: a new hour begins a new bar."""
_MOST_ALERTS = 8
"""Alerts that are shown at once, where there is room."""
_FRAME = 3 + 3 + 5
"""Lines that belong to no table: the frame, the titles, and what the recent runs keep at least."""
_NO_COST = "Nothing was spent in the last 24 hours."
_NO_PRICE = "Nothing of the last 24 hours has a known cost."
_CALM = "Nothing needs your attention."


class OverviewScreen(WithFindings):
    """Alerts, spend, providers, cost by hour, what runs now and what ran last."""

    MODE = "overview"
    HEADING = "Overview"
    CSS_PATH = "overview.tcss"
    AUTO_FOCUS = "#providers"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (76, "-middling"), (110, "-usual"), (160, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-low"), (34, "-tall"), (50, "-high")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add", "add a provider", id="overview.add", tooltip="Add a provider, step by step"),
        Binding("enter", "open", "open", id="overview.open", tooltip="Open what the cursor is on"),
        Binding("tab", "panel(1)", "next panel", id="overview.next", tooltip="Go to the next panel"),
        Binding("shift+tab", "panel(-1)", "panel", show=False, id="overview.previous", tooltip="Go to the panel before"),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._alerts: VirtualTable[AlertLine] = VirtualTable(
            lines.ALERTS,
            key=lambda line: line.key,
            empty="",
            header=False,
            marks=False,
            blurred_cursor=False,
            id="alerts",
        )
        self._providers: VirtualTable[ProviderLine] = VirtualTable(
            lines.PROVIDERS,
            key=lambda line: line.slug,
            empty="Opening …",
            marks=False,
            blurred_cursor=False,
            id="providers",
        )
        self._runs: VirtualTable[RecentRun] = VirtualTable(
            lines.RUNS, key=lines.run_key, empty="Opening …", marks=False, blurred_cursor=False, id="runs"
        )
        self._now = LivePanel("Nothing is running. 6 opens a chat.")
        self._chart = Chart(empty=_NO_COST, id="chart")
        self._spend_panel = SpendPanel()
        self._live = LiveRuns()
        self._spend: Spend | None = None
        self._rises: tuple[PriceRise, ...] = ()
        self._news: tuple[News, ...] = ()
        self._read = False
        """All that alerts are made of was read; before that none is known to be gone."""
        self._stale = self._loading = self._was_empty = False
        self._loaded_hour: tuple[int, ...] | None = None

    def compose_body(self) -> ComposeResult:
        yield Static("", id="discovered", markup=False)
        yield Panel("Alerts", Static(_CALM, id="calm", markup=False), self._alerts, id="alerts-panel")
        with Horizontal(id="money"):
            yield Panel("Spend", self._spend_panel, id="spend-panel")
            yield Panel("Providers", self._providers, id="providers-panel")
        with Horizontal(id="middle"):
            yield Panel("Cost per hour, last 24 hours, by provider", self._chart, id="chart-panel")
            yield Panel("Now", self._now, id="now-panel")
        yield Panel("Recent runs", self._runs, id="runs-panel")
        yield VerticalScroll(Static("", markup=False), id="welcome")

    def on_mount(self) -> None:
        super().on_mount()
        self._alerts.can_focus = False
        self._size_tables()

    # -- data ------------------------------------------------------------------------------------

    async def services_ready(self, services: Services) -> None:
        self._runs.set_empty("No runs yet. {6:mode.chat} opens a chat.")
        self._live.seed(services)
        self._loading = True
        try:
            await self._load(first=True)
        finally:
            self._loading = False
        if self._stale:  # something happened meanwhile
            self._stale = False
            self._load_soon()
        self.set_interval(LOOK_EVERY, self._look_at_clock)
        self._ticking = self.set_interval(1.0, self._tick, pause=not self._live.runs)
        self._show_live()

    async def _load(self, *, first: bool = False) -> None:
        from services import overview

        services = self.app.services
        self._stale = False
        self._loaded_hour = _hour()
        try:
            self._views = await services.registry.list()
            self._show_providers()
            if not self._views:
                return
            self._spend = await overview.spend(services)
            self._show_alerts(first=first)
            self._spend_panel.show(self._spend)
            self._show_runs(await overview.recent(services))
            hours = await overview.cost_by_hour(services)
            self._chart.set_empty(_NO_PRICE if hours.keys and None in hours.totals else _NO_COST)
            self._chart.show(lines.hours_chart(hours))
            self._rises = await overview.price_rises(services, self._views)
            self._news = await overview.catalog_news(services)
            self._read = True
            self._show_alerts(first=first)
        except SwitchroomError as error:
            self.app.tell_error(error)

    def _show_runs(self, recent: Sequence[RecentRun]) -> None:
        """The newest stay in sight as long as nobody has gone down the list."""
        rows = self._runs.shown
        untouched = not self._runs.has_focus and (not rows or rows[0] is self._runs.cursor_row)
        self._runs.set_rows(recent)
        if untouched:
            self._runs.action_first()

    def _show_providers(self) -> None:
        empty = not self._views
        self._providers.set_rows(lines.provider_lines(self._views, _now()))
        self._size_tables()
        self.show_found()
        if empty != self._was_empty:
            self._was_empty = empty
            self.set_class(empty, "-welcome")
            (self.query_one("#welcome") if empty else self._providers).focus()
        self.refresh_bindings()

    def _show_alerts(self, *, first: bool = False) -> None:
        if self._spend is None:
            return
        if self._read:
            self.app.set_alerts(
                lines.alert_lines(self._views, self._spend.limits, self._rises, [], _now(), self._news)
            )
        unread = self.app.unread
        found = lines.alert_lines(self._views, self._spend.limits, self._rises, unread, _now(), self._news)
        self.query_one("#alerts-panel", Panel).call(self._alerts_title())
        if found == list(self._alerts.rows):
            self.query_one("#calm").display = not found
            return
        had_focus = self._alerts.has_focus
        self._alerts.set_rows(found)
        self._alerts.can_focus = bool(found)
        self.query_one("#calm").display = not found
        self._size_tables()
        if had_focus and not found:
            self._providers.focus()
        elif first and found and self.focused in (None, self._providers):
            self._alerts.focus()

    def _alerts_title(self) -> str:
        """How many there are, and how many of these the status line counts: those that nobody has looked at in `!`."""
        number, new = len(self.app.alerts) + len(self.app.unread), self.app.facts.alerts
        if not number:
            return "Alerts"
        return f"Alerts · {number}" + ("" if new == number else f", {new} new" if new else ", all seen")

    def _size_tables(self) -> None:
        """Give the tables above the last the rows they need, as far as the screen has them."""
        high = self.size.height
        narrow = self.size.width < 76
        providers = 3 if narrow else 5 if high < 34 else 10 if high < 50 else 12
        rows = 1 + min(providers, max(3, len(self._views)))
        others = _FRAME + max(4, rows) + (4 if narrow else 0) + (0 if high < 34 else 13 if high < 50 else 23)
        alerts = max(2 if high < 24 else 3 if high < 30 else 5, min(_MOST_ALERTS, high - others))
        _set_height(self._alerts, min(alerts, self._alerts.shown_count))
        _set_height(self._providers, rows)
        _set_height(self._spend_panel, 3 if self.size.width < 76 else max(4, rows))

    def on_resize(self) -> None:
        self._size_tables()

    def _look_at_clock(self) -> None:
        if self._loaded_hour is not None and _hour() != self._loaded_hour:
            self._load_soon()

    def _load_soon(self) -> None:
        """Load once for any number of changes that come together; hidden, when the screen is seen again."""
        if self._stale or not self.framed or not self.app.opened:
            return
        self._stale = True
        if self.seen:
            self.run_worker(self._load_again, group="load", exit_on_error=True)  # type: ignore[arg-type]

    async def _load_again(self) -> None:
        if self._loading:
            return
        self._loading = True
        try:
            while self._stale and self.seen:
                await asyncio.sleep(0.05)
                await self._load()
                await asyncio.sleep(LOAD_EVERY)  # what happens meanwhile waits for the next round
        finally:
            self._loading = False

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self._stale:
            self._stale = False
            self._load_soon()
        if self._live.runs:
            self._show_live()
        self._show_alerts()

    def set_facts(self) -> None:
        super().set_facts()
        if self.framed and self.seen:
            self._show_alerts()

    # -- what happens ----------------------------------------------------------------------------

    def feed_event(self, event: object) -> None:
        if self._live.apply(event):
            self._show_live()
        if type(event).__name__ in _SOON:
            self._load_soon()
        super().feed_event(event)

    def _show_live(self) -> None:
        if not self.framed or not self.app.opened:
            return
        ticking = getattr(self, "_ticking", None)
        if ticking is not None:
            (ticking.resume if self._live.runs else ticking.pause)()
        if self.seen:
            self._now.show(self._live.rows())
            title = f"Now · {count(len(self._live.runs), 'run')}" if self._live.runs else "Now"
            speed = self._live.speed
            self.query_one("#now-panel", Panel).call(f"{title} · {speed:.0f} tok/s" if speed else title)

    def _tick(self) -> None:
        self._live.tick()
        if self.seen:
            self._show_live()

    # -- keys ------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """`a` is here as long as there is nothing else, or something found to add; after that it is in Providers."""
        if action == "add":
            return self.app.opened and (not self._views or bool(self.offers))
        return action not in ("open", "panel") or bool(self._views)

    def _stops(self) -> list[Widget]:
        panels: list[Widget] = [self._alerts, self._providers, self._chart, self._runs]
        return [
            panel
            for panel in panels
            if panel.can_focus
            and all(node.display for node in panel.ancestors_with_self if isinstance(node, Widget))
        ]

    def action_panel(self, by: int) -> None:
        stops = self._stops()
        place = stops.index(self.focused) if self.focused in stops else -by if by > 0 else 0
        stops[(place + by) % len(stops)].focus()

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        event.stop()
        event.table.focus()
        self.action_open()

    def on_chart_opened(self, event: Chart.Opened) -> None:
        event.stop()
        self.app.action_mode("usage")

    def action_open(self) -> None:
        if self.focused is self._alerts and (alert := self._alerts.cursor_row) is not None:
            self._open_alert(alert)
        elif self.focused is self._runs and (run := self._runs.cursor_row) is not None:
            from tui.screens.run_detail import RunDetail

            self.app.push_screen(RunDetail(run.row.run_id, self.MODE))
        elif self.focused is self._chart:
            self.app.action_mode("usage")
        elif self.focused is self._providers and (line := self._providers.cursor_row) is not None:
            self._open_provider(line.slug)

    def _open_alert(self, alert: AlertLine) -> None:
        if alert.kind == "notices":
            self.app.action_alerts()
        else:
            from tui.screens.standing_alerts import open_alert

            open_alert(self.app, alert, self.MODE)

    def _open_provider(self, slug: str) -> None:
        from tui.screens.provider_detail import ProviderDetail

        self._push(ProviderDetail(slug))

    def _push(self, detail: ModeScreen) -> None:
        """Open a page over this one: esc leads back here, so this is the mode it stands in."""
        detail.MODE = self.MODE  # type: ignore[misc]
        self.app.push_screen(detail)

    def copy_text(self) -> str | None:
        if self.focused is self._alerts and (alert := self._alerts.cursor_row) is not None:
            return alert.text
        if self.focused is self._runs and (run := self._runs.cursor_row) is not None:
            return run.row.run_id
        return self._providers.cursor_key

    def exported(self) -> Exported | None:
        if self.focused is self._runs:
            from tui.screens.usage_export import runs_exported

            return runs_exported([run.row for run in self._runs.shown])
        from tui.exporting import Exported
        from tui.screens.provider_columns import EXPORTED, exported_row

        return Exported("providers", EXPORTED, [exported_row(line) for line in self._providers.shown])

    def interrupt(self) -> bool:
        return self.app.stop_work()


def _set_height(table: Widget, rows: int) -> None:
    height = table.styles.height
    if height is None or height.value != rows:
        table.styles.height = rows


def _hour() -> tuple[int, ...]:
    """The hour of the user's own clock, which in some zones begins at :30 of UTC; clocks that are put back differ."""
    now = time.localtime()
    return (*now[:4], now.tm_gmtoff)


def _now() -> int:
    return int(time.time() * 1000)
