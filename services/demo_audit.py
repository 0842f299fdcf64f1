"""The demo's audit log: several people over three months, with the limits they set and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from catalog.money import from_nanos, to_nanos
from services import clock
from services.budgets import alert_key
from services.demo_history import spike_start
from services.demo_providers import PROVIDERS

if TYPE_CHECKING:
    from services.container import Services
    from store.db import Tx
    from store.ledger import AttemptRow

DANA = "dana@studio tui[4182]"
MARTA = "marta@laptop (ssh 10.0.4.17) tui[20933]"
KENJI = "kenji@build-01 (ssh 10.0.2.8) cli[771]"
ROTATION = "rotation@build-01 cli[31544]"


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the log before it is signed."""

    at: int
    actor: str
    action: str
    subject: str
    detail: Mapping[str, object] = field(default_factory=dict)
    reason: str | None = None
    result: str = "ok"


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit as it stands now."""

    scope: str
    period: str
    usd: Decimal
    alert: float
    actor: str
    at: int
    reason: str
    spent: int
    """Nano-dollars in its present period."""
    before: tuple[Decimal, int, str] | None = None
    """What it was, since when, and set by whom."""


def limits(now: int, rows: Sequence[AttemptRow]) -> tuple[Limit, ...]:
    """Limits that hold, and are nearly used up: chosen by what was spent."""
    month, midnight = clock.month_bounds(now)[0], clock.day_bounds(now)[0]
    by_day: dict[int, int] = {}
    spent = {"global": 0, "anthropic": 0, "openai-prod": 0}
    for row in rows:
        cost = row.cost_nanos or 0
        day = (row.at - midnight) // clock.DAY_MS
        by_day[day] = by_day.get(day, 0) + cost
        if row.at >= month:
            spent["global"] += cost
            if row.provider in spent:
                spent[row.provider] += cost
    raised = spike_start(now) - 24 * clock.MINUTE_MS
    usual = sorted(by_day.values())[-4] if len(by_day) > 4 else 0
    today = by_day.get(0, 0)
    month_limit = _round(max(spent["global"] * 1.2, 40e9))
    share = _round(max(spent["anthropic"] * 1.04, 5e9))
    return (
        Limit("global", "daily", _round(max(*by_day.values(), today * 1.15)), 0.8, MARTA, raised,
              "Opus evaluation for the retrieval team, once", today,
              (_round(usual * 1.02), _on(now, 33, 10.4), DANA)),
        Limit("global", "monthly", month_limit, 0.8, DANA, _on(now, 11, 15.2),
              "support bot goes live in two more countries", spent["global"], (_less(month_limit), _on(now, 84, 9.8), DANA)),
        Limit("provider:anthropic", "monthly", share, 0.9, MARTA, _on(now, 9, 11.6),
              "agreed with finance", spent["anthropic"], (_less(share), _on(now, 60, 14.3), DANA)),
        Limit("provider:openai-prod", "monthly", _round(max(spent["openai-prod"] * 1.7, 60e9)), 0.8, DANA,
              _on(now, 58, 16.1), "half of the team's budget", spent["openai-prod"]),
    )  # fmt: skip


def _on(now: int, days: int, hour: float) -> int:
    """So many days ago at an hour of the user's clock: people change limits while they work."""
    return clock.day_bounds(now, -days)[0] + round(hour * clock.HOUR_MS)


def _less(usd: Decimal) -> Decimal:
    """What it was before it was raised by about a third."""
    return _round(float(usd) * 0.72e9)


def _round(nanos: float) -> Decimal:
    """The next amount a person would choose."""
    usd = from_nanos(round(nanos))
    steps = ((10, "0.5"), (40, "1"), (100, "2"), (200, "5"))
    step = next((Decimal(step) for below, step in steps if usd < below), Decimal(10))
    return (usd // step + 1) * step


async def write_audit(services: Services, tx: Tx, now: int, wanted: Sequence[Limit], more: Sequence[Entry]) -> None:  # fmt: skip
    """Sign and write the log, and set the limits."""
    from store.audit import AuditLog, load_key
    from store.budgets import Budgets

    log = AuditLog(services.db, load_key(services.paths.audit_key))
    entries = [*_beginnings(now), *_changes(now), *_budget_entries(wanted), *more]
    for entry in sorted(entries, key=lambda entry: entry.at):
        await log.append(
            tx,
            at=entry.at,
            actor=entry.actor,
            action=entry.action,
            subject=entry.subject,
            result=entry.result,
            detail=entry.detail,
            reason=entry.reason,
        )
    for limit in wanted:
        row = await Budgets(services.db).upsert(
            tx, scope=limit.scope, period=limit.period, limit_nanos=to_nanos(limit.usd), alert=limit.alert,
            reason=limit.reason, changed_by=limit.actor, changed_at=limit.at,
        )  # fmt: skip
        if limit.spent >= to_nanos(limit.usd) * limit.alert:  # told long ago: no toast at the first run
            start = clock.day_bounds(now)[0] if limit.period == "daily" else clock.month_bounds(now)[0]
            await services.state.set(tx, alert_key(row.id), {"period": start, "level": limit.alert})


def _beginnings(now: int) -> Iterator[Entry]:
    for number, demo in enumerate(PROVIDERS):
        at = now - demo.days * clock.DAY_MS + number * 7 * clock.MINUTE_MS
        detail: dict[str, object] = {"name": demo.name, "dialect": "fake", "endpoint": demo.endpoint}
        if demo.key is not None:
            detail |= {"key": f"file:{demo.slug}", "key_last4": demo.key_end}
        yield Entry(
            at, DANA if demo.days > 50 else MARTA, "provider.add", demo.slug, {**detail, "tested": True}
        )
    yield Entry(now - 88 * clock.DAY_MS + clock.HOUR_MS, DANA, "model.default", "openai-prod/gpt-6.1-sol",
                {"before": None, "after": "openai-prod/gpt-6.1-sol"})  # fmt: skip


def _changes(now: int) -> Iterator[Entry]:
    """What people did in between, newest first."""
    for days, hour, actor, action, subject, detail, reason in _STORY:
        at = _on(now, days, hour)
        if at < now:
            result = "invalid_credentials" if "refused" in detail else "ok"
            shown = {name: value for name, value in detail.items() if name != "refused"}
            yield Entry(at, actor, action, subject, shown, reason, result)


def _was(field_name: str, before: object, after: object) -> dict[str, object]:
    return {"before": {field_name: before}, "after": {field_name: after}}


def _key(slug: str, old: str, new: str) -> dict[str, object]:
    ref = f"file:{slug}"
    return {
        "before": {"key": ref, "key_last4": old},
        "after": {"key": ref, "key_last4": new},
        "tested": True,
    }


_STORY: tuple[tuple[int, float, str, str, str, dict[str, object], str | None], ...] = (
    (0, 8.2, DANA, "provider.test", "mistral", {"latency_ms": 2_640}, None),
    (1, 9.1, MARTA, "provider.test", "azure-eu", {"latency_ms": 210, "refused": True}, None),
    (2, 11.4, KENJI, "provider.test", "azure-eu", {"latency_ms": 190, "refused": True}, None),
    (3, 16.8, MARTA, "provider.edit", "mistral", _was("timeout_s", None, 60.0), "answers crawl in the afternoon"),
    (5, 10.3, DANA, "key.set", "openai-prod", _key("openai-prod", "h8Lm", "vX2Q"), "quarterly rotation"),
    (6, 14.1, MARTA, "model.disable", "mistral", {"models": ["pixtral-12b"]}, "the vendor ends it in February"),
    (8, 9.6, KENJI, "model.enable", "groq", {"models": ["qwen-3.5-32b"]}, None),
    (13, 15.2, DANA, "provider.edit", "anthropic", _was("retries", None, 4), "fewer failed batches at night"),
    (15, 9.3, DANA, "model.enable", "openai-prod", {"models": ["gpt-6-luna"]}, None),
    (19, 17.6, MARTA, "key.set", "anthropic", _key("anthropic", "Tt4c", "9fKw"), "the old one was in a screenshot"),
    (24, 12.0, DANA, "provider.disable", "ollama", _was("enabled", True, False), "the laptop goes home with Ola"),
    (27, 10.9, MARTA, "offline.off", "program", {}, None),
    (27, 10.1, MARTA, "offline.on", "program", {}, "on the train"),
    (31, 13.5, KENJI, "provider.edit", "homelab", _was("name", "Lab GPU", "Home lab"), None),
    (36, 9.9, ROTATION, "key.set", "groq", _key("groq", "u3Bn", "Zq0d"), "90 days"),
    (44, 16.4, DANA, "model.disable", "groq", {"models": ["whisper-large-v4"]}, "nobody needs it here"),
    (46, 11.7, MARTA, "conversation.delete", "demo-talk-old", {}, None),
    (55, 10.5, KENJI, "provider.edit", "openai-prod", _was("timeout_s", 30.0, None), "long answers were cut"),
    (62, 15.8, DANA, "provider.remove", "openai-test", {"name": "OpenAI, trial key", "dependents": []}, "trial is over"),
    (71, 9.2, DANA, "provider.add", "openai-test", {"name": "OpenAI, trial key", "tested": True}, None),
    (77, 14.9, DANA, "model.disable", "openai-prod", {"models": ["text-embedding-3-small"]}, None),
)  # fmt: skip


def _budget_entries(wanted: Sequence[Limit]) -> Iterator[Entry]:
    for limit in wanted:
        subject = f"{limit.scope} {limit.period}"
        earlier = None
        if limit.before is not None:
            usd, at, actor = limit.before
            earlier = _stated(usd, limit.alert)
            yield Entry(at, actor, "budget.set", subject, {"before": None, "after": earlier}, "first setup")
        after = _stated(limit.usd, limit.alert)
        yield Entry(
            limit.at, limit.actor, "budget.set", subject, {"before": earlier, "after": after}, limit.reason
        )


def _stated(usd: Decimal, alert: float) -> dict[str, object]:
    return {"limit_usd": str(usd), "alert": alert, "until": None}
