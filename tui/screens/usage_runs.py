"""The runs of one key in a stretch of time: the step between the table of the Usage mode and one run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from catalog.errors import SwitchroomError
from tui.formatting import whole
from tui.screens.base import ModeScreen
from tui.screens.usage_columns import RUN_COLUMNS
from tui.screens.usage_words import bar_words
from tui.widgets.facets import Facet
from tui.widgets.filter_bar import FilterBar
from tui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from services.container import Services
    from store.ledger import AttemptRow
    from tui.exporting import Exported

PAGE = 50
"""Runs fetched at once; more come when the cursor nears the end."""
_NEAR = 20
MOST = 5_000
"""More runs than this are not loaded to be put in order."""
_STEP = 500
"""Runs fetched at once for an order."""
SETTLE = 1.0
"""Seconds between two loads while runs keep ending."""
_RELOAD = frozenset({"RunEnded", "StoreChangedElsewhere"})
_FACETS: tuple[Facet[AttemptRow], ...] = (
    Facet("model", words=lambda row: (row.model, row.provider)),
    Facet("is", words=lambda row: (row.outcome,)),
    Facet("cost", number=lambda row: None if row.cost_nanos is None else row.cost_nanos / 1e9),
    Facet("ttft", number=lambda row: None if row.ttft_ms is None else float(row.ttft_ms)),
)


class UsageRuns(ModeScreen):
    """A table of runs, the last one first; enter opens one."""

    MODE = "usage"
    HEADING = "Usage"
    CSS_PATH = "usage.tcss"
    AUTO_FOCUS = "#runs"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open", id="usage_runs.open", tooltip="This run with its attempts"),
        Binding(
            "slash", "filter", "filter", id="usage_runs.filter", tooltip="Filter the runs that are loaded"
        ),
        Binding("o", "order", "order", id="usage_runs.order", tooltip="Order by the next column"),
        Binding(
            "escape", "back", "back", id="usage_runs.back", tooltip="Back to Usage (clears a filter first)"
        ),
    ]

    def __init__(self, since: int, until: int, group: str, key: str, key_words: str) -> None:
        super().__init__()
        self._span, self._group, self._key = (since, until), group, key
        self._whose = key_words
        self._words = f"{key_words}, {bar_words(since, until)}"
        self._all = False
        """Every run of the range is loaded."""
        self._busy = False
        self._late = False
        self._table: VirtualTable[AttemptRow] = VirtualTable(
            RUN_COLUMNS,
            key=lambda row: str(row.id),
            search=lambda row: (
                f"{row.provider}/{row.model} {row.outcome} {row.error_code or ''} {row.request_id or ''} {row.caller}"
            ),
            facets=_FACETS,
            empty="Loading the runs …",
            marks=False,
            id="runs",
        )

    def compose_body(self) -> ComposeResult:
        yield Static("", id="head", markup=False)
        yield FilterBar(self._table)
        yield self._table

    async def services_ready(self, services: Services) -> None:  # noqa: ARG002
        await self._refresh()

    async def _refresh(self) -> None:
        """The newest page anew, with what was loaded behind it."""
        self._late = False
        fresh = await self._page(None)
        if fresh is None:
            return
        self._table.set_empty("No run ended in this time.")
        self.status_title = f"Usage › {self._whose}"
        last = (fresh[-1].at, fresh[-1].id or 0) if fresh else (0, 0)
        older = [row for row in self._table.rows if (row.at, row.id or 0) < last]
        if not {row.id for row in fresh} & {row.id for row in self._table.rows}:
            older = []  # more ended since than a page holds: what lies between would be missing
        if not older:
            self._all = len(fresh) < PAGE
        rows = [*fresh, *older]
        if rows != list(self._table.rows):
            self._table.set_rows(rows)
            self.refresh_bindings()
        self._tell_count()
        self._load_for_order()

    def on_virtual_table_ordered(self, event: VirtualTable.Ordered) -> None:
        event.stop()
        self._tell_count()
        self._load_for_order()

    def _load_for_order(self) -> None:
        """The dearest run may be none of those loaded: an order is one of all runs of the range."""
        if self._table.sorted_by and not self._all and not self._busy and len(self._table.rows) < MOST:
            self._busy = True
            self.run_worker(self._rest, group="more", exit_on_error=True)  # type: ignore[arg-type]

    async def _rest(self) -> None:
        key = self._table.cursor_key
        at_top = key is None or key == str(self._table.shown[0].id)
        found: list[AttemptRow] = []
        last = self._table.rows[-1] if self._table.rows else None
        before, room = last, MOST - len(self._table.rows)
        ended = False
        while not ended and len(found) < room:
            part = await self._page(before, min(_STEP, room - len(found)))
            if part is None:
                break
            ended = len(part) < min(_STEP, room - len(found))
            found += part
            before = part[-1] if part else before
        rows = self._table.rows  # newer ones may have come meanwhile
        if found and (last is None or (rows and rows[-1].id == last.id)):
            stays = self._table.cursor_key == key
            self._table.set_rows([*rows, *found])
            if at_top and stays:
                self._table.action_first()
        self._all = self._all or ended
        self._busy = False
        self._tell_count()

    async def _more(self) -> None:
        last = self._table.rows[-1] if self._table.rows else None
        found = await self._page(last)
        rows = self._table.rows  # newer ones may have come meanwhile
        if found is not None and (not rows or rows[-1] is last):
            self._all = len(found) < PAGE
            self._table.set_rows([*rows, *found])
            self._tell_count()
        self._busy = False

    async def _page(self, before: AttemptRow | None, limit: int = PAGE) -> list[AttemptRow] | None:
        since, until = self._span
        until = min(until, _now() + 1)
        try:
            return await self.app.services.usage.runs(
                since, until, group=self._group, key=self._key, limit=limit, before=before
            )
        except SwitchroomError as error:
            self.app.tell_error(error)
            return None

    def _tell_count(self) -> None:
        shown = len(self._table.rows)
        more = (
            f"the newest {whole(shown)} runs in order, older ones left out"
            if self._table.sorted_by
            else f"the last {whole(shown)} runs, more below"
        )
        words = f"{whole(shown)} runs" if self._all else more
        self.query_one("#head", Static).update(f"{self._words}: {words if shown != 1 else '1 run'}")

    def on_virtual_table_highlighted(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        rows = self._table.rows
        near = len(rows) > _NEAR and event.key in {str(row.id) for row in rows[-_NEAR:]}
        if near and not self._all and not self._busy and not self._table.filter:
            self._busy = True
            self.run_worker(self._more, group="more", exit_on_error=True)  # type: ignore[arg-type]

    def feed_event(self, event: object) -> None:
        if type(event).__name__ in _RELOAD and not self._late and self.is_mounted:
            self._late = True
            if self.seen:
                self.set_timer(SETTLE, self._settled)

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self._settled()

    def _settled(self) -> None:
        if self._late and self.seen:
            self.run_worker(self._refresh, exclusive=True, group="load", exit_on_error=True)  # type: ignore[arg-type]

    # -- keys ------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Without a run there is only the way back."""
        return action not in ("open", "filter", "order") or bool(self._table.rows)

    def copy_text(self) -> str | None:
        row = self._table.cursor_row
        return None if row is None else row.run_id

    def exported(self) -> Exported | None:
        from tui.screens.usage_export import runs_exported

        return runs_exported(self._table.shown)

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        event.stop()
        self.action_open()

    def action_open(self) -> None:
        row = self._table.cursor_row
        if row is not None:
            from tui.screens.run_detail import RunDetail

            self.app.push_screen(RunDetail(row.run_id, self.MODE, self._whose))

    def action_filter(self) -> None:
        self.query_one(FilterBar).open()

    def action_order(self) -> None:
        self._table.next_order()

    def action_back(self) -> None:
        if self._table.filter:
            self.query_one(FilterBar).clear()
        else:
            self.app.pop_screen()


def _now() -> int:
    return int(time.time() * 1000)
