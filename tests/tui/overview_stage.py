"""What the Overview's tests share: a fixed answer of every service it asks, in the user's zone UTC."""

from __future__ import annotations

import time
from dataclasses import replace
from decimal import Decimal

import pytest
from tui_stage import NOW, fixed_views

from services.budgets import BudgetView
from services.overview import PriceRise, RecentRun, Spend
from services.projection import Projection
from services.registry import ProviderView
from services.usage_chart import UsageChart
from services.usage_limits import LimitStanding
from store.ledger import AttemptRow

HOUR = 3_600_000


class Answers:
    """What the services say; a test changes it and tells the feed."""

    def __init__(self) -> None:
        self.views: list[ProviderView] = fixed_views()
        self.spend = spend()
        self.recent = recent()
        self.rises: tuple[PriceRise, ...] = (
            PriceRise("openai-prod", "gpt-5.4-mini", "price.input", Decimal("0.25"), Decimal("0.30"), 1, NOW),
        )
        self.asked = 0

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TZ", "UTC")
        time.tzset()

        async def listed(_self: object) -> list[ProviderView]:
            self.asked += 1
            return list(self.views)

        async def got(_self: object, slug: str) -> ProviderView:
            return next(view for view in self.views if view.row.slug == slug)

        async def spent(_services: object) -> Spend:
            return self.spend

        async def ran(_services: object) -> tuple[RecentRun, ...]:
            return self.recent

        async def hours(_services: object) -> UsageChart:
            return chart()

        async def rose(_services: object, _views: object) -> tuple[PriceRise, ...]:
            return self.rises

        async def today(_self: object) -> Decimal | None:
            return self.spend.today

        async def month(_self: object) -> Decimal | None:
            return self.spend.month

        monkeypatch.setattr("services.registry.Registry.list", listed)
        monkeypatch.setattr("services.registry.Registry.get", got)
        monkeypatch.setattr("services.overview.spend", spent)
        monkeypatch.setattr("services.overview.recent", ran)
        monkeypatch.setattr("services.overview.cost_by_hour", hours)
        monkeypatch.setattr("services.overview.price_rises", rose)
        monkeypatch.setattr("services.usage.UsageService.today", today)
        monkeypatch.setattr("services.usage.UsageService.month", month)
        monkeypatch.setattr("tui.screens.overview._now", lambda: NOW)


def limit(
    scope: str,
    period: str,
    amount: str,
    spent: str,
    runs_out: int | None = None,
    pace: str = "2",
    resets_at: int = NOW + 2 * HOUR,
) -> LimitStanding:
    left = Decimal(amount) - Decimal(spent)
    budget = BudgetView(
        1, scope, period, Decimal(amount), Decimal(spent), Decimal(0), left, resets_at, 0.8, None,
        "you", NOW, None, True,
    )  # fmt: skip
    return LimitStanding(budget, float(Decimal(spent) / Decimal(amount)), runs_out, Decimal(pace))


def spend() -> Spend:
    return Spend(
        today=Decimal("1.42"),
        month=Decimal("41.20"),
        limits=(
            limit("provider:openai-prod", "daily", "1.50", "1.38", NOW + HOUR),
            limit("provider:anthropic", "monthly", "60", "17.02"),
            limit("global", "daily", "5", "1.42"),
            limit("global", "monthly", "200", "41.20"),
        ),
        projection=Projection(Decimal("61.80"), Decimal("48.1"), Decimal("79.4"), Decimal("2.06")),
        grades=(("measured", 0.94), ("estimated", 0.05), ("unknown", 0.01)),
    )


def _run(place: int, model: str, outcome: str = "complete", **more: object) -> AttemptRow:
    provider, _, name = model.partition("/")
    row = AttemptRow(
        place, f"run-{place}", 1, True, NOW - place * 97_000, provider, name, outcome,
        input=812 * place, output=340, cost_nanos=5_400_000 * place, grade="computed", ttft_ms=410, duration_ms=5_900,
    )  # fmt: skip
    return replace(row, **more)  # type: ignore[arg-type]


def recent() -> tuple[RecentRun, ...]:
    busy = _run(
        20, "openai-prod/gpt-6.1-sol", "failed", final=False, http_status=529, error_code="overloaded"
    )
    nothing: dict[str, object] = {
        "input": None,
        "output": None,
        "cost_nanos": None,
        "ttft_ms": None,
        "duration_ms": 61,
    }
    rows = [
        _run(1, "openai-prod/gpt-6.1-sol"),
        _run(2, "anthropic/claude-sonnet-5-5", number=2),
        _run(3, "llama-local/qwen3:8b", grade="own", cost_nanos=None),
        _run(4, "openai-prod/gpt-5.4-mini", "cancelled", grade="estimated"),
        _run(5, "azure-eu/gpt-4o", "failed", http_status=401, error_code="invalid_credentials", grade="unknown", **nothing),
        *(_run(number, "openai-prod/gpt-6-luna") for number in range(6, 18)),
    ]  # fmt: skip
    return tuple(RecentRun(row, (busy,) if row.number == 2 else ()) for row in rows)


def chart() -> UsageChart:
    """Twenty-four hours: busy in the day, quiet at night."""
    first = NOW - NOW % HOUR - 23 * HOUR
    busy = [max(0.0, 6 - abs(hour - 14)) / 40 for hour in range(24)]
    values = (
        tuple(busy),
        tuple(amount * 0.6 for amount in busy),
        tuple(None if hour == 12 else amount * 0.2 for hour, amount in enumerate(busy)),
    )
    totals = (Decimal("0.90"), Decimal("0.54"), Decimal("0.15"))
    keys = ("openai-prod", "anthropic", "*")
    return UsageChart(
        tuple(first + hour * HOUR for hour in range(24)), first + 24 * HOUR, keys, values, totals
    )
