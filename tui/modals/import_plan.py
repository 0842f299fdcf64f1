"""What an import would do, line by line, before it is done; and after it the keys that are still to set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from textual.app import ComposeResult
from textual.widgets import Static

from tui.formatting import Tone, count
from tui.modals.pick import Pick
from tui.widgets.columns import Cell, Column
from tui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from services.transfer_types import KeyToSet, Plan

T = TypeVar("T")

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
    for place, remark in enumerate(plan.remarks):
        own = remark.file == plan.found.file
        where = f"line {remark.line}" if own and remark.line else "" if own else remark.place
        lines.append(Line(f"remark {place}", remark.level, where, "", remark.message))
    return sorted(lines, key=lambda line: _ACTIONS[line.action][0])


def _action(line: Line) -> Cell:
    _, words, tone = _ACTIONS[line.action]
    return words, tone


_COLUMNS: tuple[Column[Line], ...] = (
    Column("action", "", _action, width=10),
    Column("kind", "kind", lambda line: (line.kind, "dim"), width=8, max_width=14, priority=1),
    Column("what", "what", lambda line: line.words, width=20, flex=1),
)


class Explained(Pick[T], Generic[T]):
    """A list whose row under the cursor stands in full below it."""

    def explained(self, row: T) -> str:
        """The whole of a row."""
        raise NotImplementedError

    def compose_body(self) -> ComposeResult:
        yield from super().compose_body()
        yield Static("", markup=False, classes="next whole")

    def on_mount(self) -> None:
        super().on_mount()
        self._explain()

    def on_virtual_table_highlighted(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        self._explain()

    def _explain(self) -> None:
        row = self._table.cursor_row
        self.query_one(".whole", Static).update(self.explained(row) if row is not None else "")


class ImportPlan(Explained[Line]):
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

    def explained(self, row: Line) -> str:
        return row.words

    def action_choose(self) -> None:
        if self._lines:
            self.dismiss(self._table.cursor_row or self._lines[0])


class KeysToSet(Explained["KeyToSet"]):
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

    def explained(self, row: KeyToSet) -> str:
        return f"{row.provider}: {row.why}"
