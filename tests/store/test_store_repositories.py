"""What was written comes back as it was, for every kind of row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from catalog.errors import UsageError
from store.budgets import Budgets
from store.conversations import ConversationRow, Conversations, MessageRow
from store.db import Database
from store.ledger import AttemptRow, Ledger
from store.models import ModelRow, Models
from store.providers import ProviderRow, Providers
from store.ratios import Ratios
from store.reservations import ReservationRow, Reservations
from store.state import State
from store.sync_runs import SyncRunRow, SyncRuns

PROVIDER = ProviderRow(
    slug="azure-eu",
    name="Azure – Zürich",
    dialect="azure",
    endpoint="https://x.openai.azure.com",
    created_at=1,
    updated_at=2,
    key_ref="env:AZURE_KEY",
    headers={"X-Team": "ops"},
    secret_headers={"X-Token": "vault:azure-eu!X-Token"},
    options={"api_version": "2024-10-21"},
    labels={"env": "prod"},
    timeout_s=12.5,
    allow_http=True,
    gpu_hour_nanos=2_500_000_000,
)


@pytest.fixture
async def provider(db: Database) -> ProviderRow:
    async with db.transaction() as tx:
        await Providers(db).insert(tx, PROVIDER)
    return PROVIDER


async def test_a_provider_comes_back_whole_and_changes(db: Database, provider: ProviderRow) -> None:
    providers = Providers(db)
    assert await providers.list() == [provider]
    changed = replace(provider, enabled=False, key_ref=None, headers={}, cost_mode="own", updated_at=9)
    async with db.transaction() as tx:
        await providers.update(tx, changed)
        assert await providers.get("azure-eu", tx) == changed
        assert await providers.get("azure-eu") == provider
        await providers.set_state(tx, "azure-eu", "error", "refused", 10, False)
    row = await providers.get("azure-eu")
    assert row == replace(changed, state="error", state_message="refused", state_at=10)
    async with db.transaction() as tx:
        await providers.set_state(tx, "azure-eu", "ok", None, 11, True)
    assert (await providers.list())[0].last_validated_at == 11
    assert await providers.get("nobody") is None


async def test_a_taken_slug_is_refused_in_words(db: Database, provider: ProviderRow) -> None:
    with pytest.raises(UsageError, match="azure-eu"):
        async with db.transaction() as tx:
            await Providers(db).insert(tx, provider)


async def test_a_sync_keeps_the_users_choices_and_marks_the_missing(
    db: Database, provider: ProviderRow
) -> None:
    models = Models(db)
    first = [
        ModelRow(
            "azure-eu",
            f"org/m{n}",
            name=f"M{n}",
            chat=None,
            capabilities=("tools",),
            first_seen=10,
            last_seen=10,
        )
        for n in range(3)
    ]
    async with db.transaction() as tx:
        await models.replace_live(tx, "azure-eu", first)
    assert await models.list("azure-eu") == first
    async with db.transaction() as tx:
        assert await models.set_enabled(tx, "azure-eu", ["org/m0", "org/nope"], False) == 1
    second = [
        replace(
            first[0], name="M0 new", capabilities=None, chat=True, enabled=True, first_seen=20, last_seen=20
        )
    ]
    async with db.transaction() as tx:
        await models.replace_live(tx, "azure-eu", second)
    expected = replace(second[0], enabled=False, first_seen=10)
    assert await models.get("azure-eu", "org/m0") == expected
    gone = await models.get("azure-eu", "org/m1")
    assert gone == replace(first[1], available=False, missing_since=20)
    assert await models.counts() == {"azure-eu": (0, 3)}
    async with db.transaction() as tx:
        await models.replace_live(tx, "azure-eu", [], at=30)
    assert [row.missing_since for row in await models.list()] == [30, 20, 20]
    async with db.transaction() as tx:
        await models.replace_live(tx, "azure-eu", [replace(first[1], last_seen=40)])
    back = await models.get("azure-eu", "org/m1")
    assert back == replace(first[1], last_seen=40)


async def test_a_removed_provider_takes_models_and_syncs_but_not_the_ledger(
    db: Database, provider: ProviderRow, attempt: Callable[..., AttemptRow]
) -> None:
    async with db.transaction() as tx:
        await Models(db).replace_live(tx, "azure-eu", [ModelRow("azure-eu", "m", first_seen=1, last_seen=1)])
        await SyncRuns(db).insert(tx, SyncRunRow(None, "azure-eu", 1, 2, "ok"))
        await Ledger(db).insert(tx, attempt(provider="azure-eu"))
        await Providers(db).delete(tx, "azure-eu")
    assert await Models(db).list() == []
    assert await SyncRuns(db).last_by_provider() == {}
    assert [row.provider for row in await Ledger(db).recent()] == ["azure-eu"]


async def test_sync_runs_newest_first(db: Database, provider: ProviderRow) -> None:
    runs = SyncRuns(db)
    async with db.transaction() as tx:
        await Providers(db).insert(tx, replace(provider, slug="b"))
        ids = [
            await runs.insert(tx, SyncRunRow(None, slug, at, 5, "ok", total=at))
            for at, slug in enumerate(["azure-eu", "b", "azure-eu"])
        ]
        failed = await runs.insert(tx, SyncRunRow(None, "b", 9, 5, "error", "network", "no route"))
    assert [row.id for row in await runs.history("azure-eu")] == [ids[2], ids[0]]
    last = await runs.last("b")
    assert last is not None
    assert (last.id, last.error_code) == (failed, "network")
    assert {slug: row.id for slug, row in (await runs.last_by_provider()).items()} == {
        "azure-eu": ids[2],
        "b": failed,
    }
    assert await runs.last("nobody") is None


async def test_attempts_of_a_run_and_pages_of_the_ledger(
    db: Database, attempt: Callable[..., AttemptRow]
) -> None:
    ledger = Ledger(db)
    rows = [attempt(number=1, final=False, outcome="failed", http_status=529, input=None), attempt(number=2)]
    async with db.transaction() as tx:
        for row in (*rows, attempt(run_id="run-2", provider="b")):
            await ledger.insert(tx, row)
    found = await ledger.run("run-1")
    assert [replace(row, id=None) for row in found] == rows
    assert [row.run_id for row in await ledger.recent(2)] == ["run-2", "run-1"]
    assert [row.number for row in await ledger.recent(5, before_id=found[1].id)] == [1]
    assert [row.run_id for row in await ledger.recent(5, provider="b")] == ["run-2"]


async def test_reservations_are_kept_oldest_first_and_given_back_once(db: Database) -> None:
    reservations = Reservations(db)
    rows = [
        ReservationRow("1", "r1", "a", "m", 500, 10, 1, "h:1:1"),
        ReservationRow("2", "r2", "b", "m", 300, 10, 2, "h:1:1"),
        ReservationRow("3", "r3", "b", "m", None, 10, 3, "h:2:1"),
    ]
    async with db.transaction() as tx:
        for row in rows:
            await reservations.insert(tx, row)
        assert await reservations.all(tx) == rows
        assert await reservations.all() == []
    assert await reservations.all() == rows
    async with db.transaction() as tx:
        await reservations.delete(tx, "1")
        await reservations.delete(tx, "1")
    assert await reservations.all() == rows[1:]


async def test_a_limit_is_replaced_in_its_scope_and_period(db: Database) -> None:
    budgets = Budgets(db)
    common = {"alert": 0.8, "changed_by": "ada@host", "changed_at": 1}
    async with db.transaction(durable=True) as tx:
        first = await budgets.upsert(tx, scope="global", period="monthly", limit_nanos=50, **common)  # type: ignore[arg-type]
        again = await budgets.upsert(
            tx, scope="global", period="monthly", limit_nanos=70, reason="more", **common
        )  # type: ignore[arg-type]
        daily = await budgets.upsert(tx, scope="provider:a", period="daily", limit_nanos=5, **common)  # type: ignore[arg-type]
    assert again == replace(first, limit_nanos=70, reason="more")
    assert await budgets.list() == [again, daily]
    async with db.transaction() as tx:
        assert await budgets.delete(tx, first.id)
        assert not await budgets.delete(tx, first.id)
        assert await budgets.list(tx) == [daily]


async def test_remembered_values(db: Database) -> None:
    state = State(db)
    async with db.transaction() as tx:
        await state.set(tx, "default_model", "a/b/c")
        await state.set(tx, "offline", False)
        await state.set(tx, "offline", True)
        await state.set(tx, "gone", {"x": [1]})
        await state.delete(tx, "gone")
    assert await state.get("default_model") == "a/b/c"
    assert await state.get("offline") is True
    assert await state.get("gone") is None


async def test_a_ratio_is_learned_and_its_error_told(db: Database) -> None:
    ratios = Ratios(db)
    assert await ratios.get("a", "m") is None
    async with db.transaction() as tx:
        await ratios.learn(tx, "a", "m", 400, 100)
        await ratios.learn(tx, "a", "m", 0, 100)
    first = await ratios.get("a", "m")
    assert first is not None
    assert (first.chars, first.tokens, first.n, first.rel_error) == (400, 100, 1, 0.0)
    async with db.transaction() as tx:
        await ratios.learn(tx, "a", "m", 400, 200)  # expected 100: off by half
    second = await ratios.get("a", "m")
    assert second is not None
    assert (second.chars, second.tokens, second.n, second.rel_error) == (800, 300, 2, 0.25)
    async with db.transaction() as tx:
        for _ in range(300):
            await ratios.learn(tx, "a", "m", 30_000, 10_000)
    later = await ratios.get("a", "m")
    assert later is not None
    assert later.chars / later.tokens == pytest.approx(3, rel=0.01)
    assert later.chars < 1_000_000
    assert later.rel_error < 0.02


async def test_a_conversation_keeps_its_order(db: Database) -> None:
    conversations = Conversations(db)
    row = ConversationRow("c1", "First", None, None, "{}", 1, 1)
    async with db.transaction() as tx:
        await conversations.create(tx, row)
        await conversations.create(tx, ConversationRow("c2", "100% _sure_", "a/m", "be brief", "{}", 2, 2))
        asked = await conversations.append(tx, MessageRow(None, "c1", -1, "user", "zażółć 🙂", at=5))
        answered = await conversations.append(
            tx, MessageRow(None, "c1", -1, "assistant", "", state="streaming", run_id="r", at=6)
        )
    assert (asked.position, answered.position) == (0, 1)
    async with db.transaction() as tx:
        await conversations.update_message(
            tx, answered.id or 0, text="half", state="interrupted", cost_nanos=7, grade="estimated"
        )
        await conversations.update(tx, "c1", title="Renamed", model_ref="a/m")
    messages = await conversations.messages("c1")
    assert messages == [
        asked,
        replace(answered, text="half", state="interrupted", cost_nanos=7, grade="estimated"),
    ]
    found = await conversations.get("c1")
    assert found == replace(row, title="Renamed", model_ref="a/m", updated_at=6, messages=2)
    assert [c.id for c in await conversations.list()] == ["c1", "c2"]
    assert [c.id for c in await conversations.list(search="ZAżół")] == ["c1"]
    assert [c.id for c in await conversations.list(search="0% _S")] == ["c2"]
    assert await conversations.list(search="x_sure") == []
    async with db.transaction() as tx:
        await conversations.remove(tx, [message.id for message in messages[1:] if message.id is not None])
        await conversations.delete(tx, "c2")
    assert await conversations.messages("c1") == [asked]
    assert await conversations.get("c2") is None


async def test_fields_that_may_not_change_are_refused(db: Database) -> None:
    with pytest.raises(TypeError, match="position"):
        async with db.transaction() as tx:
            await Conversations(db).update_message(tx, 1, position=5)
