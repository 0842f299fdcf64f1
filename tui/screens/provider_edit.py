"""The forms that change a provider: its settings, and its limits."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import TYPE_CHECKING

from catalog.errors import SwitchroomError
from tui.formatting import cents, count
from tui.modals.form import Field, Form, is_whole
from tui.screens.provider_actions import amount, limits_of, no_amount

if TYPE_CHECKING:
    from services.budgets import BudgetView
    from services.registry import ProviderDraft, ProviderView
    from tui.app import SwitchroomApp


def _number(text: str) -> str | None:
    if not text.strip():
        return None
    try:
        good = Decimal(text.strip()) >= 0
    except InvalidOperation:
        good = False
    return None if good else "a number from 0 up, or empty"


def _whole(text: str) -> str | None:
    return None if not text.strip() or is_whole(text) else "a whole number, or empty"


def _cost(text: str) -> str | None:
    return None if text.strip() in ("", "metered", "own", "flat") else "metered, own, flat, or empty"


def _fields(view: ProviderView) -> list[Field]:
    from catalog.money import from_nanos
    from catalog.options import OPTIONS

    row = view.row
    hour = "" if row.gpu_hour_nanos is None else f"{from_nanos(row.gpu_hour_nanos).normalize():f}"
    return [
        Field("name", "name", row.name),
        Field("url", "endpoint", row.endpoint, check=lambda t: None if t.strip() else "an address is needed"),
        Field("region", "region", row.region or "", "none"),
        Field("default_model", "default model", row.default_model or "", "the first that can chat"),
        Field("auto_sync", "sync", row.auto_sync, "off, start, an interval such as 6h, or cron"),
        Field("cost_mode", "cost", row.cost_mode or "", "metered, own or flat; empty: by the address", _cost),
        Field("gpu_hour", "own: $ per hour", hour, "nothing is counted", _number),
        Field("discount_pct", "discount %", row.discount_pct or "", "none", _number),
        Field(
            "timeout_s",
            "timeout, s",
            f"{row.timeout_s:g}" if row.timeout_s else "",
            "as set for all",
            _number,
        ),
        Field(
            "retries", "retries", "" if row.retries is None else str(row.retries), "as set for all", _whole
        ),
        Field("proxy", "proxy", row.proxy or "", "the environment's"),
        Field("ca_file", "private CA file", row.ca_file or "", "none"),
        Field(
            "options",
            "options",
            shlex.join(f"{name}={value}" for name, value in row.options.items()),
            f"none; {', '.join(OPTIONS.get(row.dialect, ()))}" if OPTIONS.get(row.dialect) else "none",
            partial(_wrong_option, row.dialect),
        ),
    ]


def _options(text: str) -> dict[str, str]:
    """`api=responses project="my own"` → by name. ValueError: not of this form."""
    pairs = [part.partition("=") for part in shlex.split(text)]
    if any(not name or not equals for name, equals, _ in pairs):
        raise ValueError
    return {name: value for name, _, value in pairs}


def _wrong_option(dialect: str, text: str) -> str | None:
    from adapters.loader import options_of
    from catalog.options import check_option

    try:
        for name, value in _options(text).items():
            check_option(dialect, name, value, options_of(dialect))
    except SwitchroomError as error:
        return " ".join(part for part in (error.message, error.hint) if part)
    except ValueError:
        return "NAME=VALUE, with spaces between two of them"
    return None


def _draft(view: ProviderView, values: Mapping[str, str]) -> ProviderDraft | None:
    """Only what differs from what was shown; None when nothing does."""
    from services.registry import ProviderDraft

    before = {field.key: field.value for field in _fields(view)}
    changed = {key: value for key, value in values.items() if value != before[key]}
    if not changed:
        return None
    texts = ("name", "url", "region", "default_model", "auto_sync", "cost_mode", "proxy", "ca_file")
    given: dict[str, object] = {key: value for key, value in changed.items() if key in texts}
    for key in ("gpu_hour", "discount_pct"):
        if key in changed and (changed[key].strip() or key == "discount_pct"):
            given[key] = Decimal(changed[key].strip() or "0")
    if changed.get("timeout_s", "").strip():
        given["timeout_s"] = float(changed["timeout_s"])
    if changed.get("retries", "").strip():
        given["retries"] = int(changed["retries"])
    if "options" in changed:
        given["options"] = {**dict.fromkeys(view.row.options, ""), **_options(changed["options"])}
    emptied = (key for key in ("timeout_s", "retries", "gpu_hour") if not changed.get(key, "kept").strip())
    given["unset"] = frozenset(emptied)
    return ProviderDraft(**given)  # type: ignore[arg-type]


async def edit(app: SwitchroomApp, view: ProviderView) -> None:
    """Change a provider's settings; a form that is refused comes back with what was typed."""
    slug = view.row.slug
    fields = _fields(view)
    while True:
        values = await app.push_screen_wait(Form(f"Edit {slug}", fields))
        if values is None:
            return
        draft = _draft(view, values)
        if draft is None:
            return
        try:
            changed = await app.services.registry.edit(slug, draft)
        except SwitchroomError as error:
            app.tell_error(error)
            fields = [Field(f.key, f.label, values[f.key], f.hint, f.check) for f in fields]
            continue
        from services.admin_keys import dropped

        lost = dropped(view.row, changed.row)
        app.tell(
            " ".join(filter(None, (f"{slug} changed.", lost))),
            hint="{t:providers.test|provider.test} tests it",
        )
        return


async def edit_budget(app: SwitchroomApp, view: ProviderView) -> None:
    """Set, change or remove the limits of one provider."""
    await edit_scope(app, f"provider:{view.row.slug}", view.row.slug)


async def edit_scope(app: SwitchroomApp, scope: str, whose: str) -> None:
    """Set, change or remove the limits of a scope: `global`, or `provider:SLUG`."""
    from services.clock import month_bounds, now_ms

    now = limits_of(await app.services.budgets.list(), scope)
    start, end = month_bounds(now_ms())
    known = await app.services.usage.spent(start, end, None if scope == "global" else whose)
    spent = "nothing with a known cost" if known is None else cents(known)
    unpriced = "" if scope == "global" else await _unpriced(app, whose)
    values = await app.push_screen_wait(
        Form(
            f"Limits of {whose}",
            limit_fields(now),
            f"Spent this month: {spent}. No run goes over a limit; empty: no limit.{unpriced}",
        )
    )
    if values is None:
        return
    budgets, changes = app.services.budgets, limit_changes(now, values)
    try:
        for change in changes:
            if change.limit is None:
                await budgets.remove(now[change.period].id)
            else:
                await budgets.set(
                    scope, change.period, change.limit,
                    alert=change.alert, until=change.until, reason=change.reason,
                )  # fmt: skip
    except SwitchroomError as error:
        app.tell_error(error)
        return
    app.tell(told_limits(whose, changes, now), hint="Usage ({5:mode.usage}) shows what is left")


async def _unpriced(app: SwitchroomApp, slug: str) -> str:
    """What a limit does where the cost of a run cannot be known before it; empty where it can."""
    models = [m for m in await app.services.models.list(slug) if m.enabled and m.available and m.chat]
    dark = sum(1 for m in models if m.info.price is None and not m.own_cost)
    if not dark:
        return ""
    which = "Its models have" if dark == len(models) else f"{count(dark, 'model')} of it have"
    if dark == 1:
        which = which.replace("models have", "model has").replace(" have", " has")
    return f"\n{which} no known price: under a limit such a run is asked about here, and refused on the command line."


def told_limits(whose: str, changes: Sequence[LimitChange], now: Mapping[str, BudgetView]) -> str:
    """What has happened to the limits: `Daily limit of azure-eu: $5.00`, `Daily limit of azure-eu removed`."""
    told = [
        f"{change.period} limit of {whose}"
        + (" removed" if change.limit is None else f": {cents(change.limit)}" + _noted(change, now))
        for change in changes
    ]
    words = ", ".join(told) or f"limits of {whose} left as they were"
    return f"{words[0].upper()}{words[1:]}."


def _noted(change: LimitChange, now: Mapping[str, BudgetView]) -> str:
    before = now.get(change.period)
    if before is None or before.limit != change.limit:
        return ""
    return f", told at {change.alert:.0%}" if abs(change.alert - before.alert) > 1e-9 else ", with its reason"


@dataclass(frozen=True, slots=True)
class LimitChange:
    """One limit as it is to be; `limit` None: taken away."""

    period: str
    limit: Decimal | None
    alert: float
    until: int | None
    reason: str | None


def limit_fields(now: Mapping[str, BudgetView]) -> list[Field]:
    """The form's fields; what the limits have in common is there to be kept or changed."""
    alerts = {f"{limit.alert * 100:.4g}" for limit in now.values()}
    reasons = {limit.reason or "" for limit in now.values()}
    return [
        Field("daily", "daily limit, $", _limit(now.get("daily")), "none", no_amount),
        Field("monthly", "monthly limit, $", _limit(now.get("monthly")), "none", no_amount),
        Field("alert", "tell me at, %", _common(alerts), _differing(alerts) or "80", _percent),
        Field("reason", "why", _common(reasons), _differing(reasons) or "goes into the audit log"),
    ]


def _common(values: Collection[str]) -> str:
    return next(iter(values)) if len(values) == 1 else ""


def _differing(values: Collection[str]) -> str:
    return "as before, each its own" if len(values) > 1 else ""


def limit_changes(now: Mapping[str, BudgetView], values: Mapping[str, str]) -> list[LimitChange]:
    """What the filled form changes. What was left as it was shown stays what it is, for each limit by itself."""
    shown = {field.key: field.value for field in limit_fields(now)}
    share = None if values["alert"] == shown["alert"] else float(values["alert"].strip() or 80) / 100
    reason = None if values["reason"] == shown["reason"] else values["reason"].strip()
    found: list[LimitChange] = []
    same: list[LimitChange] = []
    for period in ("daily", "monthly"):
        limit, before = amount(values[period]), now.get(period)
        if before is None:
            if limit is not None:
                why = (shown["reason"] if reason is None else reason) or None
                alert = float(values["alert"].strip() or 80) / 100
                found.append(LimitChange(period, limit, alert, None, why))
            continue
        change = LimitChange(
            period,
            limit,
            before.alert if share is None else share,
            before.until if before.in_force else None,
            before.reason if reason is None else reason or None,
        )
        other = limit != before.limit or abs(change.alert - before.alert) > 1e-9
        (found if other else same).append(change)
    return found or (same if reason is not None else [])


def _limit(view: BudgetView | None) -> str:
    return "" if view is None else f"{view.limit.normalize():f}"


def _percent(text: str) -> str | None:
    problem = _number(text)
    return problem or (None if not text.strip() or 1 <= float(text) <= 100 else "between 1 and 100")
