"""The lines of the audit log as a table shows them: in its own mode, and on a provider's page."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from catalog.plaintext import one_line
from tui.formatting import Tone, clock
from tui.screens.audit_changes import change
from tui.screens.audit_words import result_mark, short_subject, who
from tui.widgets.columns import Cell, Column
from tui.widgets.facets import Facet

if TYPE_CHECKING:
    from store.audit import AuditRow


def _result(row: AuditRow) -> Cell:
    mark = result_mark(row)
    return str(mark), mark.tone


def _action(row: AuditRow) -> Cell:
    return one_line(row.action, 40), "strong"


def _short_who(row: AuditRow) -> Cell:
    return who(row.actor).name.partition("@")[0]


def _change(row: AuditRow) -> tuple[str, Tone]:
    """What changed, and in the user's words why."""
    words = change(row)
    why = f"“{one_line(row.reason)}”" if row.reason else ""
    return "  ".join(part for part in (words, why) if part), "bad" if result_mark(row).tone == "bad" else ""


def _marked_change(row: AuditRow) -> Cell:
    """The same where there is no room for the result: what failed says so first."""
    words, tone = _change(row)
    return (f"{result_mark(row)}: {words}", tone) if tone else words


def _own_change(row: AuditRow) -> Cell:
    """On the provider's own page: of a limit also which one."""
    words, tone = _change(row)
    period = row.subject.rpartition(" ")[2] if row.action.startswith("budget.") else ""
    return (f"{period}: {words}" if period else words), tone


def _short_time(row: AuditRow) -> Cell:
    """The hour of today, else the day."""
    words = clock(row.at)
    return words.partition(" ")[0] if " " in words else words[:5], "dim"


_TIME: Column[AuditRow] = Column(
    "at", "time", lambda row: (clock(row.at), "dim"), width=5, max_width=11, brief=_short_time
)
_ACTION: Column[AuditRow] = Column("action", "action", _action, width=12, max_width=16, cut="middle")
_SUBJECT: Column[AuditRow] = Column(
    "subject", "subject", short_subject, width=12, max_width=22, cut="middle", brief=short_subject
)
_CHANGE: Column[AuditRow] = Column(
    "change", "before → after", _change, width=14, flex=1, brief=_marked_change
)
_WHO: Column[AuditRow] = Column(
    "who", "who", lambda row: who(row.actor).name, width=9, max_width=16, cut="middle", brief=_short_who
)
_RESULT: Column[AuditRow] = Column("result", "result", _result, width=6, max_width=13, priority=2)

COLUMNS = (_TIME, _ACTION, _SUBJECT, _CHANGE, _WHO, _RESULT)
PROVIDER_COLUMNS = (_TIME, _ACTION, replace(_CHANGE, cell=_own_change, brief=None), _WHO, _RESULT)
"""On a provider's page the subject is the provider."""

FACETS: tuple[Facet[AuditRow], ...] = (
    Facet("action", words=lambda row: (row.action,)),
    Facet("actor", words=lambda row: (who(row.actor).name,)),
    Facet("subject", words=lambda row: row.subject.split()),
    Facet("result", words=lambda row: (row.result,)),
    Facet("since", words=lambda _row: ("today", "24h", "7d", "30d")),
)
"""What the filter line offers; the log itself answers (services/audit_search)."""
