"""The conversations: found by what was said in them, opened, renamed, deleted."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input

from catalog.plaintext import one_line
from tui import formatting
from tui.modals.ask import Ask
from tui.modals.confirm import Confirm
from tui.modals.pick import Pick
from tui.widgets.columns import Column

if TYPE_CHECKING:
    from services.conversations import ConversationService
    from store.conversations import ConversationRow


def _columns() -> tuple[Column[ConversationRow], ...]:
    now = int(time.time() * 1000)
    return (
        Column("title", "conversation", lambda row: one_line(row.title, 120) or "Untitled", width=20, flex=1),
        Column("model", "model", lambda row: (row.model_ref or "", "dim"), width=8, max_width=32, cut="middle", priority=2),
        Column("turns", "messages", lambda row: str(row.messages), width=8, align="right", priority=1),
        Column("age", "last", lambda row: (formatting.age(row.updated_at, now), "dim"), width=5, align="right"),
    )  # fmt: skip


class ChatList(Pick["ConversationRow"]):
    """Ends in the conversation to open, or None. Typing searches titles and messages."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "rename", "rename", priority=True, id="conversations.rename", tooltip="Give the conversation another title"),
        Binding("f8,delete", "delete", "delete", priority=True, key_display="F8", id="conversations.delete", tooltip="Delete the conversation; asks once"),
    ]  # fmt: skip

    def __init__(
        self, rows: Sequence[ConversationRow], service: ConversationService, current: str | None
    ) -> None:
        super().__init__(
            "Conversations",
            _columns(),
            rows,
            key=lambda row: row.id,
            search=lambda row: row.title,
            placeholder="type what was said",
            empty="No conversation is found. The first prompt begins one.",
            header=True,
            start=current,
        )
        self._service = service
        self._searches = 0

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        event.prevent_default()
        self.run_worker(self._search(event.value), exclusive=True, group="search")

    async def _search(self, text: str) -> None:
        """Show what is found. Of several searches under way only the last one begun is shown."""
        self._searches += 1
        number = self._searches
        rows = await self._service.list(search=text.strip() or None)
        if number == self._searches and self.is_attached:
            self._table.set_rows(rows)

    def action_rename(self) -> None:
        self._ask(self._rename)

    def action_delete(self) -> None:
        self._ask(self._delete)

    def _ask(self, action: Callable[[ConversationRow], Awaitable[None]]) -> None:
        if (row := self._table.cursor_row) is not None:
            self.app.run_worker(_awaited(action, row), group="action", exit_on_error=True)

    async def _rename(self, row: ConversationRow) -> None:
        title = await self.app.push_screen_wait(Ask("Another title", value=row.title))
        if title and title.strip():
            await self._service.rename(row.id, title)
            await self._search(self.query_one(Input).value)

    async def _delete(self, row: ConversationRow) -> None:
        words = f"{formatting.count(row.messages, 'message')} will be gone; what they cost stays recorded."
        if await self.app.push_screen_wait(
            Confirm(f"Delete “{one_line(row.title, 60) or 'Untitled'}”?", words, yes="delete", no="keep")
        ):
            await self._service.delete(row.id)
            await self._search(self.query_one(Input).value)


async def _awaited(action: Callable[[ConversationRow], Awaitable[None]], row: ConversationRow) -> None:
    await action(row)
