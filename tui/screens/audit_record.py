"""One entry of the audit log, whole: who did what, before and after, from where, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from catalog.errors import SwitchroomError
from tui.formatting import whole
from tui.screens.audit_words import record
from tui.screens.base import ModeScreen
from tui.widgets.pairs import Pairs

if TYPE_CHECKING:
    from services.container import Services
    from store.audit import AuditRow


class AuditRecord(ModeScreen):
    """Opened over the log; esc goes back."""

    MODE = "audit"
    HEADING = "Audit"
    CSS_PATH = "audit.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", id="record.back", tooltip="Back to the log"),
        Binding("right_square_bracket", "step(-1)", "older", key_display="]", id="record.older", tooltip="The entry before this one"),
        Binding("left_square_bracket", "step(1)", "newer", key_display="[", id="record.newer", tooltip="The entry after this one"),
    ]  # fmt: skip

    def __init__(self, row: AuditRow) -> None:
        super().__init__()
        self.row = row

    def compose_body(self) -> ComposeResult:
        yield Pairs()

    async def services_ready(self, services: Services) -> None:  # noqa: ARG002
        await self._show()
        self.query_one(Pairs).focus()

    async def _show(self) -> None:
        try:
            newest = await self.app.services.audit.pages.newest_id()
        except SwitchroomError as error:
            self.app.tell_error(error)
            return
        self.query_one(Pairs).show(record(self.row, newest))
        self.status_title = f"Audit › entry {whole(self.row.id)}"

    async def action_step(self, by: int) -> None:
        if not self.app.opened:
            return
        pages, wanted = self.app.services.audit.pages, self.row.id + by
        try:
            row, newest = await pages.get(wanted), await pages.newest_id()
        except SwitchroomError as error:
            self.app.tell_error(error)
            return
        if row is None and 0 < wanted < newest:
            missing = f"Entry {whole(wanted)} is missing: it was removed."
            self.app.tell(
                missing, hint="{esc:record.back}, then {v:audit.verify} checks the whole log", tone="bad"
            )
            return
        if row is None:
            self.app.tell(f"This is the {'oldest' if by < 0 else 'newest'} entry.", tone="dim")
            return
        self.row = row
        await self._show()

    def action_back(self) -> None:
        self.app.pop_screen()

    def interrupt(self) -> bool:
        return self.app.stop_work()

    def copy_text(self) -> str | None:
        """The whole entry, as the export writes it."""
        import json

        from services.audit import document

        return json.dumps(document(self.row), ensure_ascii=False, indent=2)
