"""What an import would do, line by line, before it is done; and after it the keys that are still to set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.widgets import Static

from tui.formatting import Tone, count
from tui.modals.pick import Pick
from tui.widgets.columns import Cell, Column
from tui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from services.transfer_types import KeyToSet, Plan

_ACTIONS: dict[str, tuple[int, str, Tone]] = {
    "skip": (0, "✕ skip", "bad"),
    "refused": (0, "✕ refused", "bad"),
    "warning": (1, "! look", "warn"),
    "add": (2, "+ add", "ok"),
    "change": (2, "~ change", "accent"),
    "left out": (3, "! left out", "warn"),
    "note": (4, "· note", "dim"),
    "same": (5, "= same", "dim"),
}
"""What becomes of a line: its place in the list, its words, its tone."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row: a step of the plan, or a remark about the file."""

    key: str
    action: str
    kind: str
    subject: str
    what: str

    @property
    def words(self) -> str:
        """The whole line, for where there is room."""
        return f"{self.subject}: {self.what}" if self.subject else self.what


def lines_of(plan: Plan) -> list[Line]:
    """What needs a look first, then what changes, then what stays."""
    lines = [
        Line(f"step {place}", step.action, step.kind, step.subject, f"{step.what}: {step.reason}" if step.reason else step.what)
        for place, step in enumerate(plan.steps)
    ]  # fmt: skip
    lines += [
        Line(f"remark {place}", remark.level, remark.place, "", remark.message)
        for place, remark in enumerate(plan.remarks)
    ]
    return sorted(lines, key=lambda line: _ACTIONS[line.action][0])


def _action(line: Line) -> Cell:
    _, words, tone = _ACTIONS[line.action]
    return words, tone


_COLUMNS: tuple[Column[Line], ...] = (
    Column("action", "", _action, width=10),
    Column("kind", "kind", lambda line: (line.kind, "dim"), width=8, max_width=24, priority=1),
    Column("what", "what", lambda line: line.words, width=20, flex=1),
)


class ImportPlan(Pick[Line]):
    """Ends in a line when the plan is agreed to, in None when it is not."""

    def __init__(self, plan: Plan) -> None:
        from services.transfer_types import FORMATS

        lines = lines_of(plan)
        changes = count(plan.changes, "change") if plan.changes else "nothing to change"
        skipped = f" · {plan.skipped} skipped" if plan.skipped else ""
        super().__init__(
            f"Import {FORMATS[plan.found.format]}: {changes}{skipped}",
            _COLUMNS, lines,
            key=lambda line: line.key, search=lambda line: f"{_ACTIONS[line.action][1]} {line.kind} {line.words}",
            wide=True, choose_words="import" if plan.changes else "close", leave_words="leave",
        )  # fmt: skip
        self._lines = lines

    def compose_body(self) -> ComposeResult:
        yield from super().compose_body()
        yield Static(self._lines[0].words if self._lines else "", markup=False, classes="detail whole")

    def on_virtual_table_highlighted(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        row = self._table.cursor_row
        self.query_one(".whole", Static).update(row.words if row is not None else "")

    def action_choose(self) -> None:
        if self._lines:
            self.dismiss(self._table.cursor_row or self._lines[0])


class KeysToSet(Pick["KeyToSet"]):
    """Ends in the key to set now, or in None: later."""

    def __init__(self, keys: Sequence[KeyToSet]) -> None:
        columns: tuple[Column[KeyToSet], ...] = (
            Column("provider", "provider", lambda key: key.provider, width=12, max_width=24),
            Column("what", "what", lambda key: key.what, width=8, max_width=24),
            Column("why", "why", lambda key: (key.why, "dim"), width=16, flex=1, priority=1),
        )
        super().__init__(
            f"{count(len(keys), 'key')} still to set", columns, list(keys),
            key=lambda key: f"{key.provider} {key.what}", search=lambda key: f"{key.provider} {key.what} {key.why}",
            wide=True, choose_words="set it", leave_words="later",
        )  # fmt: skip
