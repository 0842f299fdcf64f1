"""One run: what it used, cost and took, and each of its attempts."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from catalog.errors import SwitchroomError
from tui.screens.base import ModeScreen
from tui.screens.run_words import ATTEMPT_COLUMNS, clock_time, run_pairs
from tui.widgets.pairs import PairPage
from tui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from services.container import Services
    from store.ledger import AttemptRow
    from tui.exporting import Exported


class RunDetail(ModeScreen):
    """One run and its attempts. Opened over a list of runs; esc goes back."""

    CSS_PATH = "run_detail.tcss"
    AUTO_FOCUS = "#attempts"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", id="run.back", tooltip="Back to where the run was chosen"),
        Binding("enter", "chat", "conversation", id="run.chat", tooltip="Open the conversation this run is part of"),
        Binding("y", "copy", "copy request id", id="run.copy", tooltip="Copy the request id of the attempt under the cursor; without one the run's id"),
    ]  # fmt: skip

    def __init__(self, run_id: str, mode: str, trail: str = "") -> None:
        """`trail`: the page between the mode and this one."""
        self.MODE = mode  # type: ignore[misc]
        self.HEADING = mode.capitalize()  # type: ignore[misc]
        super().__init__()
        self.run_id, self._trail = run_id, trail
        self._attempts: VirtualTable[AttemptRow] = VirtualTable(
            ATTEMPT_COLUMNS,
            key=lambda row: str(row.id),
            empty="Loading …",
            marks=False,
            id="attempts",
        )

    def compose_body(self) -> ComposeResult:
        yield PairPage(id="run")
        yield Static("Attempts", id="attempts-head", markup=False)
        yield self._attempts

    async def services_ready(self, services: Services) -> None:
        try:
            rows = await services.usage.run(self.run_id)
            title = await self._talk(services, rows)
        except SwitchroomError as error:
            self.app.tell_error(error)
            return
        when = f" {clock_time(rows[-1].at)}" if rows else ""
        parts = [self.HEADING, *([self._trail] if self._trail else []), f"run{when}"]
        self.status_title = " › ".join(parts)
        self._attempts.set_empty("The store knows no run with this id.")
        self._attempts.set_rows(rows)
        if rows:
            self.query_one(PairPage).show(run_pairs(rows, title, wide=self.size.width >= 100))
        self.refresh_bindings()

    async def _talk(self, services: Services, rows: list[AttemptRow]) -> str | None:
        """The title of the conversation; None: there is none, or it was deleted."""
        ident = rows[-1].conversation_id if rows else None
        if ident is None:
            return None
        try:
            found = await services.conversations.open(ident)
        except SwitchroomError:
            return None
        return found.title or "untitled"

    # -- keys ------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """A run outside any conversation has none to open."""
        return action != "chat" or self._conversation is not None

    @property
    def _conversation(self) -> str | None:
        rows = self._attempts.rows
        return rows[-1].conversation_id if rows else None

    def copy_text(self) -> str | None:
        row = self._attempts.cursor_row
        return (row.request_id if row else None) or self.run_id

    def exported(self) -> Exported | None:
        from tui.screens.usage_export import runs_exported

        return runs_exported(self._attempts.shown)

    def action_chat(self) -> None:
        if self._conversation is not None:
            self.app.do(self._open_chat(self._conversation))

    async def _open_chat(self, ident: str) -> None:
        from tui.screens.chat import ChatScreen

        try:
            row = await self.app.services.conversations.open(ident)
        except SwitchroomError as error:
            self.app.tell_error(error)
            return
        self.app.pop_screen()
        await self.app.switch_mode("chat")
        if isinstance(self.app.screen, ChatScreen):
            await self.app.screen.open_conversation(row)

    def action_back(self) -> None:
        self.app.pop_screen()
