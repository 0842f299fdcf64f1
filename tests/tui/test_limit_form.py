"""The form of a provider's limits: what is not touched stays, for each limit by itself."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from services.budgets import BudgetView
from tui.screens.provider_edit import LimitChange, limit_changes, limit_fields

DAILY = BudgetView(
    1, "provider:one", "daily", Decimal(5), Decimal(1), Decimal(0), Decimal(4), 0, 0.8, None, "dana@studio", 1, "trial", True
)  # fmt: skip
MONTHLY = replace(
    DAILY,
    id=2,
    period="monthly",
    limit=Decimal("60.50"),
    alert=0.9,
    until=9_000,
    reason="agreed with finance",
)
BOTH = {"daily": DAILY, "monthly": MONTHLY}


def _filled(now: dict[str, BudgetView], **typed: str) -> dict[str, str]:
    return {field.key: field.value for field in limit_fields(now)} | typed


def test_a_form_left_alone_changes_nothing() -> None:
    for now in ({}, BOTH, {"daily": DAILY}, {"monthly": MONTHLY}):
        assert limit_changes(now, _filled(now)) == []


def test_one_limit_is_changed_and_keeps_its_end_its_reason_and_its_alert() -> None:
    assert limit_changes(BOTH, _filled(BOTH, monthly="70")) == [
        LimitChange("monthly", Decimal(70), 0.9, 9_000, "agreed with finance")
    ]
    assert limit_changes(BOTH, _filled(BOTH, daily="6")) == [
        LimitChange("daily", Decimal(6), 0.8, None, "trial")
    ]
    assert limit_changes(BOTH, _filled(BOTH, daily="6", reason="a launch")) == [
        LimitChange("daily", Decimal(6), 0.8, None, "a launch")
    ]


def test_reason_and_alert_alone() -> None:
    now = {"monthly": MONTHLY}
    assert _filled(now)["reason"] == "agreed with finance"
    assert _filled(now)["alert"] == "90"
    assert limit_changes(now, _filled(now, reason="")) == [
        LimitChange("monthly", Decimal("60.50"), 0.9, 9_000, None)
    ]
    assert limit_changes(now, _filled(now, reason="new deal")) == [
        LimitChange("monthly", Decimal("60.50"), 0.9, 9_000, "new deal")
    ]
    assert [change.alert for change in limit_changes(BOTH, _filled(BOTH, alert="50"))] == [0.5, 0.5]


def test_taken_away_none_at_all_and_over() -> None:
    assert [change.limit for change in limit_changes(BOTH, _filled(BOTH, daily=" "))] == [None]
    assert limit_changes(BOTH, _filled(BOTH, daily="0"))[0].limit == 0, "no priced run at all"
    over = {"monthly": replace(MONTHLY, in_force=False)}
    [change] = limit_changes(over, _filled(over, monthly="70"))
    assert change.until is None, "a limit set anew holds"
    [first] = limit_changes({}, _filled({}, daily="5", reason="trial"))
    assert first == LimitChange("daily", Decimal(5), 0.8, None, "trial")


def test_what_happened_to_the_limits_is_said() -> None:
    from tui.screens.provider_edit import LimitChange, told_limits

    daily = LimitChange("daily", Decimal(5), 0.8, None, None)
    gone = LimitChange("monthly", None, 0.8, None, None)
    assert told_limits("azure-eu", [daily], {}) == "Daily limit of azure-eu: $5.00."
    assert told_limits("azure-eu", [gone], {}) == "Monthly limit of azure-eu removed."
    assert (
        told_limits("azure-eu", [daily, gone], {})
        == "Daily limit of azure-eu: $5.00, monthly limit of azure-eu removed."
    )
    assert told_limits("azure-eu", [], {}) == "Limits of azure-eu left as they were."
