"""`switchroom providers account`: what the vendor says was used, billed and is left, with its age and source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from cli.session import Session, may_change

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.abilities import Figure
    from services.account_views import AccountView, Told
    from services.container import Services
    from store.vendor_usage import VendorTotal

FRESH_MS = 10 * 60_000
"""Figures younger than this are shown as they are kept."""
MOST_ITEMS = 40
"""Line items in the text for people."""
_COUNTS = ("requests", "input", "output", "cache_read", "cache_write")


@dataclass(frozen=True, slots=True)
class _Shown:
    """The account with its usage over a range of UTC days."""

    view: AccountView
    since: int
    until: int
    days: Sequence[VendorTotal]
    models: Sequence[VendorTotal]
    items: Sequence[VendorTotal]
    total: VendorTotal | None


@click.command("account")
@click.argument("slug")
@click.option(
    "--days",
    type=click.IntRange(1, 365),
    default=30,
    show_default=True,
    metavar="N",
    help="Days of usage and costs, today included, as the vendor cuts them (UTC).",
)
@click.option(
    "--pull",
    is_flag=True,
    help="Ask the vendor now; else only what is older than 10 minutes is asked for anew.",
)
@may_change
def account(session: Session, slug: str, days: int, pull: bool) -> int:  # fmt: skip
    """What the vendor says was used and billed.

    Balances, credits and limits, usage and costs by day and by model. Most vendors show it to a second key only:
    switchroom keys set SLUG --role admin. What was read is kept; when the vendor cannot be asked, the last good
    figures are shown with their age. A read-only session asks for balances and keeps nothing.
    """
    if pull:
        session.require_writable()

    async def work(services: Services) -> int:
        shown = await _shown(services, slug, days, pull=pull)
        document = _document(shown)
        if session.dry_run:
            document["dry_run"] = True
        session.emit(document, lambda: _text(shown))
        return _status(shown.view)

    return session.run(work)


async def _shown(services: Services, slug: str, days: int, *, pull: bool) -> _Shown:
    from services.account import midnight
    from services.clock import now_ms
    from store.vendor_usage import API

    accounts, now = services.accounts, now_ms()
    view = await accounts.view(slug)
    since, until = midnight(now, 1 - days), midnight(now, 1)
    short = view.pulled_at is not None and (view.read_from is None or view.read_from > since)
    if view.can_read and (pull or short or _old(view, now)):
        view = await accounts.refresh(slug, days=days)
    usage = [
        await accounts.totals(slug, since, until, by, source=API) for by in ("day", "model", "item", None)
    ]
    by_day, models, items, whole = usage
    return _Shown(view, since, until, by_day, models, items, whole[0] if whole else None)


def _old(view: AccountView, now: int) -> bool:
    return view.tried_at is None or view.error is not None or not 0 <= now - view.tried_at < FRESH_MS


def _status(view: AccountView) -> int:
    from cli.failures import complain, exit_status

    error = _wrong(view)
    if error is None:
        return 0
    hint = f" {error.hint}" if error.hint else ""
    complain(f"{error.message}{hint}")
    return exit_status(error.code)


def _wrong(view: AccountView) -> Told | None:
    """Why the vendor's figures are not there, or not of now: of the last attempt, or that nothing opens the account."""
    from services.account_views import Told

    if view.error is None and view.state == "needs_key":
        command = f"switchroom keys set {view.slug} --role admin --key-stdin" if view.admin_kind else None
        return Told("invalid_credentials", view.words, command)
    return view.error


def _document(shown: _Shown) -> dict[str, object]:
    from catalog.redact import redact
    from cli import documents

    view = shown.view
    error, wrong = None, _wrong(view)
    if wrong is not None:
        error = {
            "code": wrong.code, "title": None, "message": redact(wrong.message), "hint": wrong.hint,
            "provider": view.slug, "status": None,
        }  # fmt: skip
    return {
        "slug": view.slug,
        "state": view.state,
        "message": view.words,
        "vendor": view.vendor,
        "source": "api",
        "admin_key": view.admin_label,
        "admin_key_kind": view.admin_kind or None,
        "admin_key_offer": view.offer or None,
        "figures": [_figure(one) for one in view.figures],
        "notes": [note for note in (view.note, *view.notes, view.more, view.waited) if note],
        "report_at": documents.moment(view.report_at),
        "pulled_at": documents.moment(view.pulled_at),
        "since": documents.moment(shown.since),
        "until": documents.moment(shown.until),
        "days": [{"day": one.key, **_counts(one)} for one in shown.days],
        "models": [{"model": _model(one), **_counts(one)} for one in shown.models],
        "items": [
            {"model": _model(one) or None, "item": _item(one) or None, "cost_usd": documents.nanos(one.cost_nanos)}
            for one in shown.items
            if one.cost_nanos is not None
        ],
        "total": None if shown.total is None else _counts(shown.total),
        "error": error,
    }  # fmt: skip


def _figure(one: Figure) -> dict[str, object]:
    from cli.output import plain_decimal

    return {
        "name": one.name, "kind": one.kind, "value": plain_decimal(one.value), "unit": one.unit or None,
        "per": one.per or None, "text": one.text or None,
    }  # fmt: skip


def _counts(one: VendorTotal) -> dict[str, object]:
    from cli import documents

    return {
        **{name: getattr(one, name) for name in _COUNTS},
        "cost_usd": documents.nanos(one.cost_nanos),
    }


def _model(one: VendorTotal) -> str:
    return one.key.partition("/")[2].partition("\t")[0]


def _item(one: VendorTotal) -> str:
    return one.key.partition("\t")[2]


def _text(shown: _Shown) -> str:
    from cli.output import pairs
    from services.account_words import figure_lines

    view = shown.view
    head = [("account", f"{view.slug}, {view.vendor}" if view.vendor else view.slug), ("state", view.words)]
    if view.state == "needs_key" and view.admin_kind:
        head += [
            ("get one", view.admin_url),
            ("then", f"switchroom keys set {view.slug} --role admin --key-stdin"),
        ]
        if view.offer:
            head.append(
                (
                    "or",
                    f"{view.offer} is set here: switchroom keys set {view.slug} --role admin --key-env {view.offer}",
                )
            )
    if view.admin_label:
        head.append(("admin key", view.admin_label))
    head += figure_lines(view.figures)
    if view.report_at is not None:
        head.append(("figures of", _when(view.report_at)))
    if view.pulled_at is not None:
        head.append(("usage of", _when(view.pulled_at)))
    head += [("note", note) for note in (view.note, *view.notes, view.more, view.waited) if note]
    parts = [pairs(head)]
    if shown.days:
        whole = [] if shown.total is None else [_cells("total", shown.total)]
        parts.append(_table("DAY (UTC)", [*(_cells(one.key, one) for one in shown.days), *whole]))
        named = [_cells(_model(one) or "not told by model", one) for one in shown.models]
        parts.append(_table("MODEL", named))
        parts += _items(shown)
    elif view.pulled_at is not None:
        parts.append("The vendor states no usage in these days.")
    return "\n\n".join(parts)


def _when(ms: int) -> str:
    from services.clock import iso

    return (iso(ms) or "")[:16].replace("T", " ") + " UTC"


def _cells(name: str, one: VendorTotal) -> tuple[str, ...]:
    from cli.output import count

    return name, count(one.requests), count(one.input), count(one.cache_read), count(one.output), _usd(one)


def _usd(one: VendorTotal) -> str:
    from catalog.money import from_nanos
    from cli.output import dollars

    return "–" if one.cost_nanos is None else dollars(from_nanos(one.cost_nanos))


def _table(title: str, rows: Sequence[tuple[str, ...]]) -> str:
    from cli.output import table

    figures = ("REQUESTS", "INPUT", "CACHED", "OUTPUT", "BILLED")
    return table((title, *figures), rows, right=figures)


def _items(shown: _Shown) -> list[str]:
    from cli.output import table

    billed = sorted((one for one in shown.items if one.cost_nanos), key=lambda one: -(one.cost_nanos or 0))
    if not billed:
        return []
    rows = [(_item(one) or _model(one) or "–", _usd(one)) for one in billed[:MOST_ITEMS]]
    if len(billed) > MOST_ITEMS:
        rows.append((f"{len(billed) - MOST_ITEMS} more (all with --json)", ""))
    return [table(("LINE ITEM", "BILLED"), rows, right=("BILLED",))]
