"""The Audit mode: who changed what, live, searched to its beginning, and proven whole."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static
from textual.worker import Worker

from catalog.errors import SwitchroomError
from tui.formatting import count, whole
from tui.screens.audit_columns import COLUMNS, FACETS
from tui.screens.audit_filter import AuditFilter
from tui.screens.audit_proof import LogWork
from tui.screens.audit_words import moment, origin, sentence
from tui.screens.base import ModeScreen
from tui.widgets.note import Note, Part
from tui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from services.audit_search import AuditPages, Wanted
    from services.container import Services
    from store.audit import AuditRow
    from tui.exporting import Exported

PAGE = 200
"""Entries loaded at once."""
NEAR = 60
"""So few entries below the screen, and older ones are loaded."""
LOOK_S = 1.0
"""Between two looks for new entries, while the log is in front; another process writes it too."""
CHANGES_ONLY = "-action:run -action:provider.sync -action:provider.test"
_EMPTY = "Nothing is recorded yet. {2:mode.providers} goes to the providers: whatever you change there is written down here."
_NO_MATCH = "No entry matches. {esc:audit.clear} clears the filter."
_FIELDS = ("id", "at", "actor", "action", "subject", "change", "result", "reason")


class AuditScreen(ModeScreen):
    """The log, newest first."""

    MODE = "audit"
    HEADING = "Audit"
    CSS_PATH = "audit.tcss"
    AUTO_FOCUS = "VirtualTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "whole entry", id="audit.open", tooltip="Every field of the entry under the cursor"),
        Binding("slash", "filter", "filter", id="audit.filter", tooltip="Search the whole log: action:budget actor:anna since:7d words"),
        Binding("c", "changes", "changes only", id="audit.changes", tooltip="Leave out prompts, syncs and tests; again: show all"),
        Binding("v", "verify", "verify", id="audit.verify", tooltip="Prove that no entry was changed, removed or put elsewhere"),
        Binding("X", "export", "export", show=False, id="audit.export", tooltip="Write the whole signed log, or the entries shown, to a file"),
        Binding("escape", "clear", "clear", show=False, id="audit.clear", tooltip="Clear the filter"),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._table: VirtualTable[AuditRow] = VirtualTable(
            COLUMNS, key=lambda row: str(row.id), facets=FACETS, empty="Opening …", marks=False, id="audit"
        )
        self._asked: Wanted | None = None
        """None: nothing was loaded yet."""
        self._rows: list[AuditRow] = []
        self._newest = 0
        """The highest id that was looked at."""
        self._reached = 0
        """The highest id not looked at yet, going back; 0: all were."""
        self._searching: Worker[None] | None = None
        self._tailing = False
        self._unread = False
        """Even the first look failed."""
        self._failing = False
        """The last look for new entries failed: that is told once."""
        self.work = LogWork(self)

    def compose_body(self) -> ComposeResult:
        yield AuditFilter(self._table)
        yield Static("", id="log-line", markup=False)
        yield self._table
        yield Note()

    # -- data ------------------------------------------------------------------------------------

    @property
    def _pages(self) -> AuditPages:
        return self.app.services.audit.pages

    async def services_ready(self, services: Services) -> None:  # noqa: ARG002
        self.watch(self._table, "scroll_y", self._load_older, init=False)
        await self._ask("")
        self.set_interval(LOOK_S, self._tail)

    async def _ask(self, text: str) -> None:
        """Begin at the newest entry with this question."""
        from services.audit_search import wanted

        asked = wanted(text, _now())
        if asked == self._asked:
            return
        try:
            newest = await self._pages.newest_id()
        except SwitchroomError as error:
            self._unread = self._asked is None
            self._table.set_empty("The log could not be read (! says why). 1, then 9 tries again.")
            self.app.tell_error(error)
            return
        self._unread = False
        self._asked, self._newest, self._reached = asked, newest, newest
        self._table.set_empty("Searching …")
        self._put([])
        self._search()

    def _search(self) -> None:
        self._searching = self.run_worker(
            partial(self._read_back, PAGE), exclusive=True, group="search", exit_on_error=True
        )

    async def _read_back(self, limit: int) -> None:
        """Read on from where the last page ended, and show what is found as it is found."""
        asked, found = self._asked, 0
        assert asked is not None
        try:
            async for page in self._pages.back(asked, before=self._reached + 1, limit=limit):
                self._reached = page.reached
                found += len(page.rows)
                if page.rows:
                    self._put([*self._rows, *page.rows])
                self.say()
        except SwitchroomError as error:
            self.app.tell_error(error)
        self._searching = None
        self._table.set_empty(_EMPTY if asked.everything else _NO_MATCH)
        self.say()

    def _put(self, rows: list[AuditRow]) -> None:
        self._rows = rows
        self._table.set_rows(rows)
        self.refresh_bindings()

    def _load_older(self) -> None:
        """The cursor or the scroll comes near the last loaded entry: load the page after it."""
        table = self._table
        left = len(self._rows) - table.scroll_offset.y - table.size.height
        if self._reached and self._searching is None and left < NEAR:
            self._search()

    async def _tail(self) -> None:
        """Take in what was written since, by whomever; the cursor stays, unless it follows the newest entry."""
        asked = self._asked
        if not self.is_current or self._tailing or asked is None:
            return
        self._tailing = True
        try:
            while (page := await self._pages.newer(asked, self._newest)).newest > self._newest:
                if asked is not self._asked:
                    return
                self._newest = page.newest
                if page.rows:
                    self._prepend(page.rows)
                self.say()
            self._failing = False
        except SwitchroomError as error:
            if not self._failing:
                self.app.tell_error(error)
            self._failing = True
        finally:
            self._tailing = False

    def _prepend(self, rows: list[AuditRow]) -> None:
        table, top = self._table, self._table.scroll_offset.y
        follows = not self._rows or table.cursor_key == str(self._rows[0].id)
        self._put([*rows, *self._rows])
        if follows:
            table.action_first()
        else:
            table.scroll_to(y=top + len(rows), animate=False, force=True)  # what is read stays where it is

    def on_screen_resume(self) -> None:
        if self._unread:
            self.run_worker(partial(self._ask, ""), exclusive=True, group="ask", exit_on_error=True)  # type: ignore[arg-type]
        self._tail_soon()

    def feed_event(self, event: object) -> None:
        if type(event).__name__ == "StoreChangedElsewhere":
            self._tail_soon()

    def _tail_soon(self) -> None:
        if self.is_mounted and self._asked is not None:
            self.run_worker(self._tail, group="tail", exit_on_error=True)  # type: ignore[arg-type]

    # -- what it says ----------------------------------------------------------------------------

    def say(self) -> None:
        """The line above the table, and the end of the filter line."""
        if self._asked is None:
            return
        total, shown = whole(self._newest), whole(len(self._rows))
        searching = self._searching is not None
        if not self._asked.everything:
            searched = self._newest - self._reached
            where = f"all {total}" if not self._reached else f"the newest {whole(searched)} of {total}"
            found = f"{shown} found in {where}"
            if searching:
                found += ", searching …"
            elif self._reached and len(self._rows) < PAGE:
                found += ", stopped"
            self.query_one(AuditFilter).found(found)
        line: list[Part] = [
            (count(self._newest, "entry", "entries"), ""),
            (", newest first  ·  ", "dim"),
            self.work.words,
        ]
        self._tell_line(line)

    def _tell_line(self, parts: list[Part]) -> None:
        from textual.content import Content

        from tui.widgets.note import STYLES

        content = Content.assemble(*((text, STYLES[tone]) for text, tone in parts))
        line = self.query_one("#log-line", Static)
        if not isinstance(was := line.content, Content) or not was.is_same(
            content
        ):  # `==` is blind to styles
            line.update(content)

    def on_virtual_table_highlighted(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        row = self._table.cursor_row
        if row is None:
            self.query_one(Note).show(())
            return
        parts: list[Part] = [(sentence(row), "")]
        if row.reason:
            parts.append((f"\nwhy: {row.reason}", "accent"))
        parts.append((f"\n{moment(row.at)}  {origin(row)}", "dim"))
        self.query_one(Note).show(parts)

    # -- keys ------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """What acts on an entry is there once there is one."""
        if action in ("open", "verify", "export", "changes"):
            return bool(self._rows) or (action == "changes" and bool(self._newest))
        return True

    def on_audit_filter_asked(self, event: AuditFilter.Asked) -> None:
        event.stop()
        self.run_worker(partial(self._ask, event.text), exclusive=True, group="ask", exit_on_error=True)  # type: ignore[arg-type]

    def action_filter(self) -> None:
        self.query_one(AuditFilter).open()

    def action_clear(self) -> None:
        self.query_one(AuditFilter).clear()

    def action_changes(self) -> None:
        line = self.query_one(AuditFilter)
        if line.text == CHANGES_ONLY:
            line.clear()
        else:
            line.ask(CHANGES_ONLY)

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        event.stop()
        self.action_open()

    def action_open(self) -> None:
        if (row := self._table.cursor_row) is not None:
            self._open(row)

    def _open(self, row: AuditRow) -> None:
        from tui.screens.audit_record import AuditRecord

        self.app.push_screen(AuditRecord(row))

    def copy_text(self) -> str | None:
        row = self._table.cursor_row
        return None if row is None else f"{moment(row.at)} {sentence(row)}"

    def interrupt(self) -> bool:
        if self.work.stop():
            return True
        if self._searching is None:
            return self.app.stop_work()
        self._searching.cancel()
        self._searching = None
        self._table.set_empty("The search was stopped. {esc:audit.clear} clears the filter.")
        self.say()
        return True

    # -- the chain -------------------------------------------------------------------------------

    def action_verify(self) -> None:
        if self.app.opened:
            self.work.check()

    async def show_row(self, row_id: int) -> None:
        """Open one entry, wherever it is in the log."""
        row = await self._pages.get(row_id)
        if row is None:
            self.app.tell(
                f"Row {whole(row_id)} is not there any more.",
                title="Removed",
                hint="{X:audit.export} writes what is left to a file",
                tone="bad",
            )
        else:
            self._open(row)

    # -- export ----------------------------------------------------------------------------------

    def exported(self) -> Exported | None:
        from services.clock import iso
        from tui.exporting import Exported, Told
        from tui.screens.audit_changes import change

        def told(row: AuditRow) -> dict[str, object]:
            return {"id": row.id, "at": iso(row.at), "actor": row.actor, "action": row.action, "subject": row.subject,
                    "change": change(row), "result": row.result, "reason": row.reason}  # fmt: skip

        return Exported("audit", _FIELDS, Told(self._rows, told))

    async def action_export(self) -> None:
        if self._rows:
            from tui.screens.audit_export import export

            self.app.do(export(self, self._newest, len(self._rows)))


def _now() -> int:
    return int(time.time() * 1000)
