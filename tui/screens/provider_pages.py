"""The words on the tabs of a provider's detail."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from tui.formatting import Tone, ago, bar, cents, clock, count, duration, kind, percent, state, whole
from tui.screens.audit_columns import PROVIDER_COLUMNS
from tui.screens.limit_words import heading
from tui.widgets.pairs import Pair
from tui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from services.models import ModelView
    from services.registry import ProviderView
    from services.usage_limits import LimitStanding
    from store.audit import AuditRow

_COST_WORDS = {"metered": "by token price", "own": "own hardware, no price per token", "flat": "flat rate"}


def summary(view: ProviderView, models: Sequence[ModelView], now: int, step: str = "") -> list[Pair]:
    """What matters first; `step`: what to do about its state."""
    row = view.row
    mark = state(view.state)
    pairs: list[Pair] = [("state", str(mark), mark.tone)]
    if row.state_message:
        pairs.append(("", row.state_message, "dim"))
    if step:
        pairs.append(("", step, "accent"))
    pairs += [
        (
            "last worked",
            ago(row.last_validated_at, now),
            "",
        ),
        ("name", row.name, ""),
        ("type", kind(row.catalog_id, row.dialect), ""),
        ("endpoint", row.endpoint, ""),
    ]
    if row.region:
        pairs.append(("region", row.region, ""))
    pairs += [
        ("key", view.key_label, "dim" if row.key_ref is None else ""),
        ("models", f"{whole(view.models_enabled)} on of {whole(view.models_total)}" if view.models_total else "none known; s fetches the list", ""),
        ("default model", row.default_model or _first_chat(models), "" if row.default_model else "dim"),
        *_last_sync(view, now),
        ("this month", cents(view.spend_month) if view.spend_month is not None else "nothing with a known cost", ""),
        ("last 30 days", _thirty_days(view), ""),
    ]  # fmt: skip
    return pairs


def _first_chat(models: Sequence[ModelView]) -> str:
    first = next((model for model in models if model.enabled and model.available and model.chat), None)
    return f"none chosen; chats start with {first.info.id}" if first else "none"


def _last_sync(view: ProviderView, now: int) -> list[Pair]:
    last = view.last_sync
    if last is None:
        return [("last sync", "never", "dim")]
    if last.state == "error":
        return [
            (
                "last sync",
                f"failed {ago(last.started_at, now)}: {last.error_message or 'no reason given'}",
                "bad",
            )
        ]
    words = f"{ago(last.started_at, now)} in {duration(last.duration_ms)}: {count(last.total, 'model')}"
    changes = f", {whole(last.added)} new, {whole(last.updated)} changed, {whole(last.removed)} gone"
    return [("last sync", words + changes, "")]


def _thirty_days(view: ProviderView) -> str:
    if not view.runs_30d:
        return "no runs"
    ttft = f"TTFT p50 {duration(view.ttft_p50)}, p95 {duration(view.ttft_p95)}" if view.ttft_p50 else ""
    return ", ".join(
        part for part in (count(view.runs_30d, "run"), f"{percent(view.error_share)} failed", ttft) if part
    )


def budget(view: ProviderView, limits: Sequence[LimitStanding]) -> list[Pair]:
    """The limits that bind this provider: what is left, when it runs out, and who set it last and why."""
    own = f"provider:{view.row.slug}"
    pairs: list[Pair] = []
    for standing in sorted(limits, key=lambda one: (one.budget.scope != own, one.budget.period)):
        limit = standing.budget
        if limit.scope not in (own, "global"):
            continue
        share = standing.share
        tone: Tone = "bad" if share >= 1 else "warn" if share >= limit.alert else "ok"
        whose = "" if limit.scope == own else ", all"
        pairs += [
            (f"{limit.period}{whose}", f"{bar(share, 16)} {share:.0%}  {cents(limit.spent)} of {cents(limit.limit)}", tone),
            ("  left", f"{cents(max(Decimal(0), limit.remaining))}, starts anew {clock(limit.resets_at)}", ""),
        ]  # fmt: skip
        if limit.reserved:
            pairs.append(("  set aside", f"{cents(limit.reserved)} for runs in flight", ""))
        pairs.append(("  pace", heading(standing), "dim" if standing.runs_out is None else "warn"))
        if limit.until:
            pairs.append(("  ends", f"{clock(limit.until)}; from then on there is no limit", ""))
        pairs.append(("  set by", f"{limit.changed_by.partition(' ')[0]}, {clock(limit.changed_at)}", "dim"))
        if limit.reason:
            pairs.append(("  why", limit.reason, "dim"))
        pairs.append((" ", " ", ""))
    return pairs[:-1] or [("limits", "none; b sets one", "dim")]


def _proxy(proxy: str | None) -> str:
    if proxy is None:
        return "the environment's"
    return proxy if "://" in proxy else f"one with a password, kept in the {proxy.partition(':')[0]}"


def advanced(view: ProviderView) -> list[Pair]:
    """The finer settings; secrets only by where they are kept."""
    row = view.row
    pairs: list[Pair] = [
        ("timeout", f"{row.timeout_s:g} s" if row.timeout_s else "as set for all", ""),
        ("retries", str(row.retries) if row.retries is not None else "as set for all", ""),
        ("proxy", _proxy(row.proxy), ""),
        ("private CA", row.ca_file or "none", ""),
        ("lowest TLS", row.tls_min or "as set for all", ""),
        ("plain http", "allowed to this address" if row.allow_http else "only on this machine", ""),
        ("cost", _COST_WORDS.get(row.cost_mode or "", "decided by the address"), ""),
        ("discount", f"{row.discount_pct} %" if row.discount_pct else "none", ""),
        ("auto sync", row.auto_sync, ""),
    ]
    pairs += [("header", f"{name}: {value}", "") for name, value in row.headers.items()]
    pairs += [
        ("secret header", f"{name}: kept in the {ref.partition(':')[0]}", "")
        for name, ref in row.secret_headers.items()
    ]
    pairs += [("option", f"{name}={value}", "") for name, value in row.options.items()]
    pairs += [("label", f"{name}={value}", "") for name, value in row.labels.items()]
    return pairs


def audit_table() -> VirtualTable[AuditRow]:
    """The history of one provider, in the columns and words of the Audit mode."""
    return VirtualTable(
        PROVIDER_COLUMNS, key=lambda row: str(row.id), empty="Nothing is recorded of it yet.", marks=False
    )
