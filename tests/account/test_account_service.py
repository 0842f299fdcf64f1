"""The account of a provider over time: keys proven and kept apart, corrections taken over, errors beside the last good word."""

from __future__ import annotations

import logging
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from account_vendors import ADMIN, KEY, Accounts, Connect
from pydantic import SecretStr

from catalog.errors import SwitchroomError, UsageError
from services import account as account_module
from services import process
from services.account import FIRST_DAYS, midnight
from services.account_schedule import fire
from services.clock import DAY_MS, now_ms
from services.container import Services, open_services
from services.drafts import EnvKey
from services.registry import ProviderDraft
from services.schedule_claims import release
from store.schedule_claims import hold

SECRET = SecretStr(ADMIN)


@pytest.fixture
def moment(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The time of the account service; change its one entry."""
    now = [now_ms()]
    monkeypatch.setattr(account_module, "now_ms", lambda: now[0])
    monkeypatch.setattr("services.account_schedule.now_ms", lambda: now[0])
    return now


async def _billed(services: Services, slug: str = "mine") -> Any:
    now = now_ms()
    [whole] = await services.accounts.totals(slug, midnight(now, -400), midnight(now, 1), None)
    return whole


def _holding(home: Path, word: str) -> list[str]:
    files = [path for path in home.rglob("*") if path.is_file()]
    return [str(path) for path in files if word.encode() in path.read_bytes()]


async def test_without_an_admin_key_the_account_says_which_key_opens_it(
    services: Services, connect: Connect, accounts: Accounts
) -> None:
    view = await services.accounts.refresh(await connect())
    assert (view.state, view.words) == (
        "needs_key",
        "OpenAI shows the account only to an admin key (sk-admin-…).",
    )
    assert accounts.asked == [], "the usual key is not tried where it opens nothing"


async def test_an_admin_key_is_proven_before_it_is_kept(
    services: Services, connect: Connect, accounts: Accounts
) -> None:
    slug = await connect()
    with pytest.raises(SwitchroomError, match="does not open the account"):
        await services.accounts.set_key(slug, SecretStr(KEY))
    assert (await services.registry.row(slug)).admin_ref is None
    view = await services.accounts.set_key(slug, SECRET)
    assert (view.row.admin_ref, view.row.admin_last4) == ("file:mine#admin", "7777")
    assert view.row.key_ref == "file:mine"
    assert [path for path, _, _ in accounts.asked] == ["/v1/organization/costs"] * 2, "one cheap call each"
    row = (await services.audit.list(action="key.set"))[0]
    assert row.detail["role"] == "admin"
    assert ADMIN not in str(row.detail)


async def test_a_pull_keeps_days_models_and_items_and_the_next_one_takes_corrections_over(
    services: Services, connect: Connect, accounts: Accounts, moment: list[int]
) -> None:
    slug = await connect()
    await services.accounts.set_key(slug, SECRET)
    view = await services.accounts.refresh(slug)
    assert view.state == "ok"
    assert view.figures[0].value == Decimal("100.5")
    whole = await _billed(services)
    assert (whole.requests, whole.input, whole.cost_nanos) == (
        3 * FIRST_DAYS, 1000 * FIRST_DAYS, 160_100_000 * FIRST_DAYS,
    )  # fmt: skip
    moment[0] += 6 * 3_600_000
    accounts.usage = {"gpt-x": {"input_tokens": 900}}
    accounts.amounts = {"gpt-x, input": 0.05}  # one line item is gone
    again = await services.accounts.refresh(slug)
    assert again.error is None
    days = await services.accounts.totals(
        slug, midnight(moment[0], -8), midnight(moment[0], 1), "day", kind="cost"
    )
    assert [day.cost_nanos for day in days][:2] == [160_100_000] * 2
    assert [day.cost_nanos for day in days][-5:] == [50_000_000] * 5
    audit = await services.audit.list(action="account.pull")
    assert len(audit) == 2
    assert audit[0].detail["cost"] == 5


async def test_two_looks_within_the_vendors_pause_are_one(
    services: Services, connect: Connect, accounts: Accounts, moment: list[int]
) -> None:
    slug = await connect("anthropic")
    await services.accounts.set_key(slug, SECRET)
    await services.accounts.refresh(slug)
    asked = len(accounts.asked)
    moment[0] += 30_000
    view = await services.accounts.refresh(slug)
    assert "once in 60 s" in view.waited
    assert len(accounts.asked) == asked


async def test_an_error_stands_beside_the_last_good_figures_with_their_age(
    services: Services, connect: Connect, accounts: Accounts, moment: list[int]
) -> None:
    slug = await connect("deepseek")
    good = await services.accounts.refresh(slug)
    assert [one.unit for one in good.figures if one.kind == "balance"] == ["CNY", "USD"]
    moment[0] += DAY_MS
    accounts.answer = (500, {"error": {"message": "oops"}})
    view = await services.accounts.refresh(slug)
    assert view.state == "error"
    assert view.error is not None
    assert view.error.code == "unexpected_response"
    assert view.figures == good.figures
    assert view.report_at == good.report_at
    [failed, _] = await services.audit.list(action="account.pull")
    assert failed.result == "error"
    accounts.answer = None
    moment[0] += DAY_MS
    assert (await services.accounts.refresh(slug)).error is None


async def test_a_bill_that_cannot_be_read_keeps_the_last_one_whole(
    services: Services, connect: Connect, accounts: Accounts, moment: list[int]
) -> None:
    slug = await connect()
    await services.accounts.set_key(slug, SECRET)
    await services.accounts.refresh(slug)
    before = await _billed(services)
    moment[0] += DAY_MS // 4
    accounts.cut_after, accounts.page_days = 1, 2
    view = await services.accounts.refresh(slug)
    assert view.error is not None
    assert "last good figures stay" in (view.error.hint or "")
    assert await _billed(services) == before
    assert view.report_at == moment[0], "what was read before the failure is new"


async def test_another_address_or_none_takes_the_admin_key_along_and_leaves_the_bill(
    services: Services, connect: Connect, home: Path
) -> None:
    slug = await connect()
    await services.accounts.set_key(slug, SECRET)
    await services.accounts.refresh(slug)
    kept = home / "config" / "credentials"
    assert any("#admin" in path.name or ADMIN in path.read_text() for path in kept.iterdir())
    view = await services.registry.edit(slug, ProviderDraft(url="http://127.0.0.1:9/v1"))
    assert (view.row.admin_ref, view.row.key_ref) == (None, "file:mine")
    assert not any(ADMIN in path.read_text() for path in kept.iterdir())
    assert (await services.accounts.view(slug)).figures == ()
    [edit] = await services.audit.list(action="provider.edit")
    assert edit.detail["admin_key"] == "deleted"
    before = await _billed(services)
    await services.registry.remove(slug)
    assert await _billed(services) == before, "what was billed stays, as the ledger does"


async def test_a_provider_that_is_removed_loses_its_admin_key_and_a_vendor_without_one_refuses_it(
    services: Services, connect: Connect, home: Path
) -> None:
    await connect("deepseek", "deep")
    with pytest.raises(UsageError, match="has no admin keys"):
        await services.accounts.set_key("deep", SECRET)
    slug = await connect()
    await services.accounts.set_key(slug, SECRET)
    await services.registry.remove(slug)
    files = [path.read_text() for path in (home / "config" / "credentials").iterdir()]
    assert not any(ADMIN in text for text in files)


async def test_keys_move_together(services: Services, connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # fmt: skip
    slug = await connect()
    await services.accounts.set_key(slug, SECRET)

    async def passphrase() -> SecretStr:
        return SecretStr("correct horse battery")

    services.passphrase_source = passphrase
    moved = await services.credentials.move("vault")
    row = await services.registry.row(slug)
    assert (row.key_ref, row.admin_ref) == ("vault:mine", "vault:mine#admin")
    assert moved["file:mine#admin"] == "vault:mine#admin"
    assert await services.credentials.resolve(row.admin_ref) == SECRET


async def test_it_reads_by_itself_once_in_some_hours_whatever_program_does_it(
    services: Services, connect: Connect, accounts: Accounts, moment: list[int]
) -> None:
    await connect("deepseek", "deep")
    await connect("openai", "closed")
    assert await fire(services) == ["deep"], "the other has no key that opens its account"
    assert await fire(services) == []
    moment[0] += round(timedelta(hours=6).total_seconds() * 1000)
    async with services.db.transaction() as tx:  # another program has begun
        await hold(tx, "account:deep", process.identity(), moment[0])
    assert await fire(services) == []
    await release(services.db, ["account:deep"])
    accounts.answer = (503, {"error": {"message": "busy"}})
    moment[0] += 10 * 60_000
    assert await fire(services) == ["deep"]
    accounts.answer = None
    moment[0] += 61 * 60_000
    assert await fire(services) == ["deep"], "after an error sooner than usual"


async def test_nothing_is_asked_offline_nor_written_in_a_read_only_or_dry_session(
    services: Services, connect: Connect, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = await connect("deepseek")
    async with open_services(read_only=True) as reading:
        view = await reading.accounts.refresh(slug)
        assert view.state == "ok"
        assert view.figures
    async with open_services(dry_run=True) as dry:
        assert (await dry.accounts.refresh(slug)).figures
    view = await services.accounts.view(slug)
    assert view.state == "never"
    monkeypatch.setenv("SWITCHROOM_OFFLINE", "1")
    async with open_services() as away:
        await away.registry.add(ProviderDraft(slug="far", type="deepseek"), SecretStr(KEY), test=False)
        assert not await away.accounts.at_hand(await away.registry.row("far"))
        view = await away.accounts.refresh("far")
        assert view.error is not None
        assert view.error.code == "offline"
        assert (await away.accounts.view("far")).error is None, "being offline says nothing of the account"


async def test_an_admin_key_in_a_variable_is_a_reference_and_one_that_is_gone_is_told(
    services: Services, connect: Connect, monkeypatch: pytest.MonkeyPatch, moment: list[int]
) -> None:
    monkeypatch.setenv("OPENAI_ADMIN_KEY", ADMIN)
    slug = await connect()
    assert (await services.accounts.view(slug)).offer == "OPENAI_ADMIN_KEY", (
        "offered, and not taken by itself"
    )
    view = await services.accounts.set_key(slug, EnvKey("OPENAI_ADMIN_KEY"))
    assert view.row.admin_ref == "env:OPENAI_ADMIN_KEY"
    monkeypatch.delenv("OPENAI_ADMIN_KEY")
    found = await services.accounts.refresh(slug)
    assert found.error is not None
    assert "--role admin" in (found.error.hint or "")


async def test_the_admin_key_reaches_its_own_host_alone_and_no_file_log_or_export(
    services: Services, connect: Connect, accounts: Accounts, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    accounts.usage = {ADMIN: {"input_tokens": 1}}  # a server that repeats the key
    slug = await connect()
    await services.accounts.set_key(slug, SECRET)
    await services.accounts.refresh(slug)
    chat = await services.registry.adapter(slug)
    await chat.validate()
    sent = [
        headers.get("authorization", "") for path, _, headers in accounts.asked if "organization" not in path
    ]
    assert sent
    assert not any(ADMIN in value for value in sent), "chat and listing never use it"
    out = home / "export.json"
    await services.transfer.write(out)
    await services.aclose()
    holding = _holding(home, ADMIN)
    assert all("credentials" in path for path in holding), holding
    assert ADMIN not in caplog.text
