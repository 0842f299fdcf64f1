"""What a face shows of a provider's account: the last good report and its age, what is missing, and which key opens it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Literal

from adapters.abilities import AccountReport, Figure
from catalog.redact import redact

if TYPE_CHECKING:
    from adapters.account import Way
    from store.providers import ProviderRow
    from store.vendor_usage import AccountRow

State = Literal["ok", "no_api", "needs_key", "never", "error"]


@dataclass(frozen=True, slots=True)
class Told:
    """What went wrong the last time, as it was kept."""

    code: str
    message: str
    hint: str | None


@dataclass(frozen=True, slots=True)
class AccountView:
    """A provider's account."""

    slug: str
    state: State
    words: str
    """The state in one sentence."""
    vendor: str | None = None
    """Whose account it is, for people; None: no account API is known."""
    admin_kind: str = ""
    """What second key the vendor has, in words; empty: none."""
    admin_url: str = ""
    """Where to get one."""
    admin_label: str | None = None
    """Where the second key is kept; None: there is none yet."""
    offer: str = ""
    """A variable that is set here and usually holds the second key; empty: none, or there is a key already."""
    more: str = ""
    """What the second key would open beyond what is shown; empty: nothing."""
    note: str = ""
    """What one should know of this vendor's figures."""
    figures: tuple[Figure, ...] = ()
    notes: tuple[str, ...] = ()
    report_at: int | None = None
    """When the figures were stated, UTC ms; None: never."""
    pulled_at: int | None = None
    """When usage and costs were last read whole; None: never."""
    read_from: int | None = None
    """From which day on usage and costs are known; None: never read."""
    tried_at: int | None = None
    error: Told | None = None
    """Of the last attempt; the figures are those of before it."""
    waited: str = ""
    """Why nothing was asked just now; empty: it was, or nobody wanted it."""

    @property
    def can_read(self) -> bool:
        """Whether asking makes sense."""
        return self.state not in ("no_api", "needs_key")


def view_of(
    row: ProviderRow, way: Way | None, kept: AccountRow | None, admin_label: str | None
) -> AccountView:
    """The account as it is known here; nothing is contacted."""
    from adapters.account.ways import why_none

    if way is None:
        return AccountView(row.slug, "no_api", why_none(row.catalog_id, row.dialect, row.endpoint))
    report = read_report(kept.report_json if kept else None)
    error = None
    if kept is not None and kept.error_code is not None:
        error = Told(kept.error_code, kept.error_message or "It failed.", kept.error_hint)
    state, words = _state(row, way, kept, error)
    more = ""
    if way.admin and row.admin_ref is None and state != "needs_key":
        more = f"With {way.admin} it states more: credits, and usage by day and model."
    return AccountView(
        slug=row.slug,
        state=state,
        words=words,
        vendor=way.name,
        admin_kind=way.admin,
        admin_url=way.admin_url,
        admin_label=admin_label,
        more=more,
        note=way.note,
        figures=report.figures,
        notes=report.notes,
        report_at=kept.report_at if kept else None,
        pulled_at=kept.pulled_at if kept else None,
        read_from=kept.read_from if kept else None,
        tried_at=kept.tried_at if kept else None,
        error=error,
    )


def _state(row: ProviderRow, way: Way, kept: AccountRow | None, error: Told | None) -> tuple[State, str]:
    if row.admin_ref is None and (not way.keyed or row.key_ref is None):
        kind = way.admin if way.admin else "its key"
        return "needs_key", f"{way.name} shows the account only to {kind}."
    if error is not None:
        return "error", error.message
    if kept is None or kept.report_at is None:
        return "never", "It was not read yet."
    return "ok", f"As {way.name} states it."


def report_json(report: AccountReport) -> str:
    """A report as it is stored; a secret that a server repeats does not get in."""
    figures = [
        {
            "name": redact(one.name), "kind": one.kind, "unit": redact(one.unit), "per": redact(one.per),
            "value": None if one.value is None else f"{one.value:f}", "text": redact(one.text),
        }
        for one in report.figures
    ]  # fmt: skip
    return json.dumps({"figures": figures, "notes": [redact(note) for note in report.notes]})


_KINDS: Sequence[Any] = ("balance", "spent", "limit", "rate", "fact")


def read_report(text: str | None) -> AccountReport:
    """A stored report; what cannot be read is left out."""
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return AccountReport()
    if not isinstance(found, dict):
        return AccountReport()
    figures = [
        Figure(
            str(one.get("name", "")), one["kind"], _value(one.get("value")),
            str(one.get("unit", "")), str(one.get("per", "")), str(one.get("text", "")),
        )
        for one in found.get("figures", ())
        if isinstance(one, dict) and one.get("kind") in _KINDS
    ]  # fmt: skip
    return AccountReport(tuple(figures), tuple(str(note) for note in found.get("notes", ())))


def _value(text: object) -> Decimal | None:
    try:
        return Decimal(text) if isinstance(text, str) else None
    except InvalidOperation:
        return None
