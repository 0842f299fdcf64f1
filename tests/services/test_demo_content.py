"""What the demo holds: something worth seeing in every mode, and figures that a team could have left."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from services import clock
from services.container import Services, open_services
from services.demo import seed_demo
from services.demo_habits import DEAD, RISE_DAYS
from services.demo_history import spike_start
from services.paths import under
from store.ledger import AttemptRow, Ledger
from store.sync_runs import SyncRuns

FRIDAY_NOON = 1_795_176_000_000
"""2026-11-20 12:00 UTC."""
NIGHT = 1_796_083_200_000 + 90 * clock.MINUTE_MS
"""2026-12-01 01:30 UTC: the first hours of a month."""


@pytest.fixture
async def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Services]:
    monkeypatch.setattr("time.time_ns", lambda: FRIDAY_NOON * 1_000_000)
    paths = under(tmp_path / "home")
    await seed_demo(paths)
    async with open_services(paths, actor="tui") as services:
        yield services


async def test_eight_providers_in_different_states(demo: Services) -> None:
    views = await demo.registry.list()
    assert {view.row.slug: view.state for view in views} == {
        "anthropic": "limited",
        "azure-eu": "invalid_key",
        "groq": "ok",
        "homelab": "ok",
        "mistral": "slow",
        "ollama": "off",
        "openai-prod": "ok",
        "together": "unreachable",
    }
    assert all(view.models_enabled and view.models_total and view.last_sync for view in views)
    assert [view.row.slug for view in views if view.last_sync and view.last_sync.state == "error"] == [
        "azure-eu",
        "together",
    ]


async def test_a_dead_provider_worked_until_it_died(demo: Services) -> None:
    for slug, days in DEAD.items():
        row = await demo.registry.row(slug)
        last = row.last_validated_at
        assert last is not None
        syncs = [run for run in await demo.sync.history(slug) if run.state == "ok"]
        died = clock.day_bounds(FRIDAY_NOON, -days)[0]
        assert row.created_at < last < died, slug
        assert syncs[0].started_at < died


async def test_ninety_days_with_weeks_growth_and_nights(demo: Services) -> None:
    rows = [row for row in await Ledger(demo.db).recent(60_000) if row.final]
    assert 15_000 < len(rows) < 40_000
    assert min(row.at for row in rows) > FRIDAY_NOON - 91 * clock.DAY_MS
    assert max(row.at for row in rows) <= FRIDAY_NOON
    local = [datetime.fromtimestamp(row.at / 1000, UTC).astimezone() for row in rows]
    hours = Counter(moment.hour for moment in local)
    assert sum(hours[hour] for hour in range(9, 17)) > 5 * sum(hours[hour] for hour in range(6)), (
        "people sleep"
    )
    days = Counter(moment.isoweekday() for moment in local)
    assert days[6] + days[7] < 0.3 * (days[2] + days[3]), "weekends are quiet"
    old = sum(row.at < FRIDAY_NOON - 60 * clock.DAY_MS for row in rows)
    new = sum(row.at > FRIDAY_NOON - 30 * clock.DAY_MS for row in rows)
    assert new > 1.3 * old, "it grows"


async def test_outcomes_grades_callers_and_labels(demo: Services) -> None:
    rows = await Ledger(demo.db).recent(60_000)
    final = [row for row in rows if row.final]
    assert {row.grade for row in rows} == {"reported", "computed", "estimated", "unknown", "own"}
    assert {row.outcome for row in rows} == {"complete", "failed", "interrupted", "cancelled"}
    assert 0.93 < sum(row.outcome == "complete" for row in final) / len(final) < 0.995
    assert {row.caller for row in rows} >= {"tui", "cli", "ci", "support-bot", "docs-search", "nightly-eval"}
    projects = {json.loads(row.labels_json)["project"] for row in rows if row.labels_json}
    assert len(projects) >= 6
    retried = Counter(row.run_id for row in rows)
    assert sum(count > 1 for count in retried.values()) > 50
    by_run: dict[str, set[str]] = {}
    for row in rows:
        by_run.setdefault(row.run_id, set()).add(row.provider)
    assert any(len(providers) > 1 for providers in by_run.values()), "another provider took over"
    assert all(row.cost_nanos is None for row in rows if row.grade in ("own", "unknown"))


def _day_costs(rows: list[AttemptRow]) -> dict[object, Decimal]:
    found: dict[object, Decimal] = {}
    for row in rows:
        day = clock.local_date(row.at)
        found[day] = found.get(day, Decimal(0)) + Decimal(row.cost_nanos or 0) / 10**9
    return found


async def test_limits_hold_and_are_nearly_used_up(demo: Services) -> None:
    limits = {view.label: view for view in await demo.budgets.list()}
    assert set(limits) == {
        "daily limit",
        "monthly limit",
        "monthly limit of anthropic",
        "monthly limit of openai-prod",
    }
    assert all(view.spent < view.limit and view.reason for view in limits.values())
    near = limits["monthly limit of anthropic"]
    assert near.alert <= near.spent / near.limit < 1
    assert limits["monthly limit"].spent / limits["monthly limit"].limit > Decimal("0.7")
    daily = limits["daily limit"]
    assert daily.changed_by.startswith("marta")
    costs = _day_costs(await Ledger(demo.db).recent(60_000))
    assert max(costs.values()) < daily.limit


async def test_a_dear_afternoon_has_a_reason(demo: Services) -> None:
    begun = spike_start(FRIDAY_NOON)
    assert FRIDAY_NOON - clock.DAY_MS < begun < FRIDAY_NOON - 2 * clock.HOUR_MS
    rows = await Ledger(demo.db).recent(60_000)
    batch = [row for row in rows if row.caller == "nightly-eval"]
    assert len(batch) > 20
    assert all(begun <= row.at < begun + 3 * clock.HOUR_MS for row in batch)
    usual = [row.input or 0 for row in rows if row.model == "claude-opus-5-5" and row.caller == "tui"]
    assert sum(row.input or 0 for row in batch) / len(batch) > 2 * sum(usual) / len(usual), "longer prompts"
    assert sum(row.cost_nanos or 0 for row in batch) > 5 * 10**9


async def _diffs(demo: Services) -> list[tuple[str, dict[str, list[dict[str, object]]]]]:
    """What the syncs changed: (slug, the stored document)."""
    store = SyncRuns(demo.db)
    found = []
    for view in await demo.registry.list():
        for run in await demo.sync.history(view.row.slug):
            text = await store.diff(run.id or 0)
            if text is not None:
                found.append((view.row.slug, json.loads(text)))
    return found


async def test_a_price_that_rose_by_a_fifth(demo: Services) -> None:
    diffs = await _diffs(demo)
    [rise] = [diff for slug, diff in diffs if slug == "mistral" and "price.input" in repr(diff)]
    updated = rise["updated"]
    assert [(change["field"], change["old"], change["new"]) for change in updated] == [
        ("price.input", "2.00", "2.40"),
        ("price.output", "6.00", "7.20"),
    ]
    now = await demo.models.get("mistral/mistral-large-3")
    assert now.info.price is not None
    assert now.info.price.input == Decimal("2.40")
    rows = [row for row in await Ledger(demo.db).recent(60_000) if row.model == "mistral-large-3"]
    before = {row.price_json for row in rows if row.at < FRIDAY_NOON - (RISE_DAYS + 2) * clock.DAY_MS}
    after = {row.price_json for row in rows if row.at > FRIDAY_NOON - (RISE_DAYS - 2) * clock.DAY_MS}
    assert len(before) == len(after) == 1
    assert before != after
    changes = [diff for _, diff in diffs]
    assert any(change["added"] for change in changes)
    assert any(change["removed"] for change in changes)


async def test_an_audit_log_of_several_people(demo: Services) -> None:
    assert (await demo.audit.verify()).intact
    rows = await demo.audit.list(limit=1_000)
    assert len({row.actor.split("@")[0] for row in rows}) >= 4
    assert {row.action for row in rows} >= {
        "budget.set",
        "key.set",
        "model.disable",
        "provider.edit",
        "provider.sync",
    }
    assert any(row.reason for row in rows if row.action == "budget.set")
    assert any(row.result != "ok" for row in rows)
    assert rows[0].at > FRIDAY_NOON - clock.DAY_MS
    assert rows[-1].at < FRIDAY_NOON - 80 * clock.DAY_MS
    assert "demo-key-of-no-use" not in repr(rows)


async def test_conversations_show_what_an_answer_can_hold(demo: Services) -> None:
    talks = await demo.conversations.list()
    assert len(talks) >= 5
    messages = [message for talk in talks for message in await demo.conversations.messages(talk.id)]
    text = "\n".join(message.text for message in messages)
    for wanted in ("```python", "| small model |", "gęślą", "日本語", "🇵🇱", "](https://"):
        assert wanted in text
    assert any(message.thinking for message in messages)
    assert any(message.tool_calls_json for message in messages)
    assert any(message.role == "tool" for message in messages)
    ledger = Ledger(demo.db)
    for message in messages:
        if message.run_id:
            assert (await ledger.run(message.run_id))[-1].cost_nanos == message.cost_nanos


async def test_the_roll_ups_say_what_the_ledger_says(demo: Services) -> None:
    start, end = FRIDAY_NOON - 7 * clock.DAY_MS, FRIDAY_NOON + 1
    start -= start % (15 * clock.MINUTE_MS)
    rows = [row for row in await Ledger(demo.db).recent(60_000) if row.at >= start]
    report = await demo.usage.report("provider", start, end)
    assert report.total.runs == sum(row.final for row in rows)
    assert report.total.cost == sum(Decimal(row.cost_nanos or 0) for row in rows) / 10**9


async def test_the_first_night_of_a_month(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time_ns", lambda: NIGHT * 1_000_000)
    paths = under(tmp_path / "home")
    await seed_demo(paths)
    async with open_services(paths, actor="tui") as services:
        assert all(view.spent < view.limit for view in await services.budgets.list())
        assert (await services.audit.verify()).intact


async def test_what_was_billed_differs_for_reasons_that_can_be_seen(demo: Services) -> None:
    from services.billed import compare

    found = await compare(demo, FRIDAY_NOON - 14 * clock.DAY_MS, FRIDAY_NOON, "provider")
    parts = {line.key: line.gap.parts for line in found.lines if line.gap is not None}
    assert set(parts) == {"anthropic", "openai-prod"}
    assert max(parts["anthropic"], key=lambda name: parts["anthropic"][name]) == "elsewhere"
    assert parts["openai-prod"]["items"] == 11 * Decimal("0.012"), "the working days of 6 to 20 November"
    assert parts["openai-prod"]["price"] > 0
