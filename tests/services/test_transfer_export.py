"""Exports: what is written is read back the same, in ours and in the forms of others, and holds no secret."""

from __future__ import annotations

import asyncio
import json
import os
import string
import tomllib
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from catalog.capabilities import read_asked
from catalog.errors import StoreError, UsageError
from catalog.types import Price, Rates, Scheduled, Tier
from services import paths as places
from services.container import Services, open_services
from services.registry import EnvKey, ProviderDraft
from services.settings import load
from services.transfer_fields import duration, seconds
from store.models import ModelRow, Models
from store.providers import ProviderRow, Providers

CANARY = "sk-canary-export-0123456789abcdef"
PASSWORD = "canary-proxy-password"

plain = st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=12)
safe_name = (
    st.text(string.ascii_letters + string.digits + " -_'\"\\#=[]é漢😀", min_size=1, max_size=20)
    .map(str.strip)
    .filter(bool)
)
slugs = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=6).map(lambda text: f"p{text}")
amounts = st.decimals(0, 10_000, places=9)


@st.composite
def rows(draw: st.DrawFn) -> ProviderRow:
    own = draw(st.booleans())
    return ProviderRow(
        slug=draw(slugs),
        name=draw(safe_name.map(lambda text: " ".join(text.split()))),  # as every way in stores it
        dialect=draw(st.sampled_from(["openai", "anthropic", "ollama", "fake"])),
        catalog_id=draw(st.sampled_from([None, "openai", "groq", "vllm"])),
        endpoint=draw(
            st.sampled_from(["https://llm.example/v1", "http://127.0.0.1:8080", "https://api.openai.com/v1"])
        ),
        created_at=1,
        updated_at=1,
        region=draw(st.none() | st.sampled_from(["eu", "us-east-1"])),
        enabled=draw(st.booleans()),
        key_ref=draw(st.sampled_from([None, "env:SOME_KEY"])),
        headers=draw(
            st.dictionaries(
                st.sampled_from(["X-A", "X-B"]), st.text(string.ascii_letters + " =#", min_size=1, max_size=9)
            )
        ),
        secret_headers=draw(st.dictionaries(st.sampled_from(["X-C", "X-D"]), st.just("env:OTHER"))),
        options=draw(st.dictionaries(plain, plain, max_size=3)),
        labels=draw(st.dictionaries(plain, plain, max_size=3)),
        timeout_s=draw(st.none() | st.floats(0.001, 86_400)),
        retries=draw(st.none() | st.integers(0, 20)),
        proxy=draw(st.sampled_from([None, "http://proxy.example:3128"])),
        tls_min=draw(st.sampled_from([None, "1.2", "1.3"])),
        cost_mode="own" if own else draw(st.sampled_from([None, "metered", "flat"])),
        gpu_hour_nanos=draw(st.none() | st.integers(0, 10**13)) if own else None,
        discount_pct=draw(st.none() | st.sampled_from(["15", "7.5"])),
        default_model=draw(st.none() | safe_name),
        auto_sync=draw(st.sampled_from(["off", "start", "6h", "0 6 * * 1-5"])),
        state="untested",
    )


@st.composite
def models(draw: st.DrawFn) -> ModelRow:
    price = Price(
        input=draw(amounts), output=draw(amounts), cache_read=draw(st.none() | amounts),
        tiers=draw(st.just(()) | st.just((Tier(over_input_tokens=200_000, input=Decimal("5")),))),
        batch=draw(st.none() | st.builds(Rates, input=amounts)),
        scheduled=draw(st.just(()) | st.tuples(st.builds(Scheduled, from_date=st.just("2027-01-01"), input=amounts))),
    )  # fmt: skip
    return ModelRow(
        "", draw(plain.filter(lambda text: "\0" not in text)), enabled=draw(st.booleans()),
        map_to=draw(st.none() | safe_name), cost_mode=draw(st.sampled_from([None, "own", "flat", "metered"])),
        gpu_hour_nanos=draw(st.none() | st.integers(0, 10**13)),
        probed_json=draw(st.none() | st.just('{"tools": {"at": 1, "by": "user", "can": true}, "vision": {"at": 1, "by": "user", "can": false}}')),
        typed_price_json=draw(st.none() | st.just(price.model_dump_json(exclude_none=True, exclude_defaults=True))),
    )  # fmt: skip


def _same(row: ProviderRow) -> ProviderRow:
    return replace(row, created_at=0, updated_at=0, state_at=None, key_last4=None)


def _chosen(row: ModelRow) -> tuple[object, ...]:
    price = Price.model_validate_json(row.typed_price_json) if row.typed_price_json else None
    said = frozenset((name, one.can) for name, one in read_asked(row.probed_json).items() if one.by == "user")
    return row.id, row.enabled, row.map_to, row.cost_mode, row.gpu_hour_nanos, price, said


async def _fill(services: Services, given: list[ProviderRow], chosen: list[ModelRow]) -> None:
    models = Models(services.db)
    async with services.db.transaction() as tx:
        for row in given:
            await Providers(services.db).insert(tx, row)
        for model in chosen:
            model = replace(model, provider=given[0].slug)
            await models.ensure(tx, model.provider, [model.id], 1)
            await models.set_enabled(tx, model.provider, [model.id], model.enabled)
            await models.set_charges(tx, model)
            await models.set_probed(tx, model.provider, model.id, model.probed_json)


async def _there_and_back(folder: Path, given: list[ProviderRow], chosen: list[ModelRow]) -> None:
    first, second = places.under(folder / "a"), places.under(folder / "b")
    file = folder / "export.toml"
    async with open_services(first) as services:
        await _fill(services, given, chosen)
        await services.transfer.write(file, replace=True)
    assert "\x1b" not in file.read_text()
    async with open_services(second) as services:
        prepared = await services.transfer.plan(file)
        assert [remark for remark in prepared.plan.remarks if remark.level in ("refused", "left out")] == []
        await services.transfer.apply(prepared)
        assert {row.slug: _same(row) for row in await Providers(services.db).list()} == {
            row.slug: _same(row) for row in given
        }
        wanted = {
            _chosen(row) for row in chosen if _chosen(row)[1:] != (True, None, None, None, None, frozenset())
        }
        assert {_chosen(row) for row in await Models(services.db).list()} == wanted
        assert (await services.transfer.plan(file)).plan.changes == 0
        await services.transfer.write(folder / "again.toml", replace=True)
    assert (folder / "again.toml").read_text() == file.read_text()


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    given=st.lists(rows(), min_size=1, max_size=3, unique_by=lambda row: row.slug),
    chosen=st.lists(models(), max_size=3, unique_by=lambda row: row.id),
)
def test_whatever_is_exported_is_imported_the_same(
    tmp_path_factory: pytest.TempPathFactory, given: list[ProviderRow], chosen: list[ModelRow]
) -> None:
    asyncio.run(_there_and_back(tmp_path_factory.mktemp("trip"), given, chosen))


@given(st.floats(0.000001, 86_400))
def test_durations_come_back_exactly(value: float) -> None:
    assert seconds(duration(value)) == value


def test_durations_as_people_write_them() -> None:
    assert [seconds(text) for text in ("30s", "1m30s", "500ms", "1.5h", " 2M ")] == [30, 90, 0.5, 5400, 120]
    assert [seconds(text) for text in ("", "30", "s", "1x", "-1s", "1s 2s", "1e9s", "∞s")] == [None] * 8


async def _had_options(services: Services, slug: str, options: dict[str, str]) -> None:
    """Options that an earlier version, or a file, brought: they are not refused afterwards."""
    row = await services.registry.row(slug)
    async with services.db.transaction() as tx:
        await Providers(services.db).update(tx, replace(row, options=options))


async def _with_secrets(services: Services) -> None:
    draft = ProviderDraft(
        slug="work", url="https://llm.example/v1", secret_headers={"X-Team": SecretStr(CANARY + "-header")},
        proxy=f"http://me:{PASSWORD}@proxy.example:3128", labels={"note": CANARY, "team": "a"},
    )  # fmt: skip
    await services.registry.add(draft, SecretStr(CANARY), test=False)
    await _had_options(services, "work", {"sk-canary-0123456789abcdefghij": "x"})
    await services.registry.add(ProviderDraft(slug="env", type="groq"), EnvKey("GROQ_API_KEY"), test=False)
    await services.budgets.set(
        "provider:work", "monthly", Decimal("12.34"), alert=0.5, until=1_900_000_000_000
    )
    await services.budgets.set("global", "daily", Decimal("0.000000001"))
    await services.models.set_default("work/m")
    await services.preferences.set("retry.attempts", 5)
    await services.preferences.set("keys.providers.add", "A,ctrl+b")


@pytest.mark.parametrize("form", ["switchroom", "lace", "loquilex"])
async def test_no_form_holds_a_secret(services: Services, tmp_path: Path, form: str) -> None:
    await _with_secrets(services)
    exported = await services.transfer.export(form)  # type: ignore[arg-type]
    for secret in (CANARY, PASSWORD, "sk-canary"):
        assert secret not in exported.text
        assert secret not in " ".join(exported.left_out)


async def test_limits_settings_and_the_default_model_travel_and_keys_are_listed(
    services: Services, tmp_path: Path
) -> None:
    await _with_secrets(services)
    file = tmp_path / "out.toml"
    exported = await services.transfer.write(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert any("key of work" in words for words in exported.left_out)
    other = places.under(tmp_path / "other")
    async with open_services(other) as fresh:
        done = await fresh.transfer.apply(await fresh.transfer.plan(file))
        limits = {
            (view.scope, view.period): (view.limit, view.alert, view.until)
            for view in await fresh.budgets.list()
        }
        assert limits == {
            ("provider:work", "monthly"): (Decimal("12.340000000"), 0.5, 1_900_000_000_000),
            ("global", "daily"): (Decimal("0.000000001"), 0.8, None),
        }
        assert await fresh.models.default() == "work/m"
        assert fresh.settings.retry.attempts == 5
        assert fresh.settings.keys == {"providers.add": "A,ctrl+b"}
        assert {(key.provider, key.what) for key in done.keys_to_set} == {
            ("work", "key"), ("work", "secret header X-Team"), ("work", "proxy"), ("env", "key"),
        }  # fmt: skip
        assert (await fresh.registry.row("env")).key_ref == "env:GROQ_API_KEY"
        assert (await fresh.registry.row("work")).labels == {"team": "a"}
        actions = {row.action for row in await fresh.audit.list()}
        assert {"provider.add", "budget.set", "setting.set", "model.default", "config.import"} <= actions
        assert (await fresh.audit.verify()).intact


async def test_lace_and_loquilex_read_their_own_forms_back(services: Services, tmp_path: Path) -> None:
    await services.registry.add(
        ProviderDraft(slug="work", type="openai", name="Work", timeout_s=12.5, retries=0), None, test=False
    )
    await services.registry.add(ProviderDraft(slug="hf", type="huggingface"), None, test=False)
    await services.transfer.write(tmp_path / "lace.json", "lace")
    await services.transfer.write(tmp_path / "lx.json", "loquilex")
    document = json.loads((tmp_path / "lace.json").read_text())
    assert document["version"] == "1.0"
    assert document["instances"]["work"] == {
        "displayName": "Work",
        "catalogProviderId": "openai",
        "timeout": 12500,
        "retryPolicy": "none",
    }
    assert json.loads((tmp_path / "lx.json").read_text())["providers"]["huggingface"] == {
        "token": None,
        "enabled": True,
    }
    assert (await services.transfer.plan(tmp_path / "lace.json")).plan.changes == 0
    async with open_services(places.under(tmp_path / "other")) as fresh:
        await fresh.transfer.apply(await fresh.transfer.plan(tmp_path / "lace.json"))
        work = await fresh.registry.row("work")
        assert (work.name, work.timeout_s, work.retries, work.catalog_id) == ("Work", 12.5, 0, "openai")


async def test_a_file_that_is_there_is_replaced_only_when_told_to(services: Services, tmp_path: Path) -> None:
    file = tmp_path / "out.toml"
    file.write_text("mine")
    with pytest.raises(UsageError, match="already"):
        await services.transfer.write(file)
    assert file.read_text() == "mine"
    await services.transfer.write(file, replace=True)
    assert tomllib.loads(file.read_text())["switchroom"] == 1
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(UsageError, match="folder"):
        await services.transfer.write(tmp_path)
    with pytest.raises(StoreError, match="cannot be written"):
        await services.transfer.write(tmp_path / "nowhere" / "x.toml")
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    with pytest.raises(UsageError):
        await services.transfer.write(tmp_path / "link")
    assert [name for name in os.listdir(tmp_path) if name.startswith(".")] == []  # noqa: PTH208


async def test_a_password_in_a_setting_stays_here(services: Services, tmp_path: Path) -> None:
    services.paths.config_file.write_text(f'[network]\nproxy = "http://u:{PASSWORD}@p.example:1"\n')
    services.settings = load(services.paths)
    exported = await services.transfer.export()
    assert PASSWORD not in exported.text
    assert exported.left_out == ("the setting network.proxy, which has a password",)


async def test_headers_and_options_whose_names_say_that_they_are_secret_stay_here(services: Services) -> None:
    draft = ProviderDraft(
        slug="w", url="https://llm.example/v1", headers={"X-Auth-Token": "canary-plain", "X-Trace": "on"},
        labels={"key": "blue"},
    )  # fmt: skip
    await services.registry.add(draft, None, test=False)
    await _had_options(services, "w", {"api_key": "canary-option", "max_tokens_field": "max_tokens"})
    exported = await services.transfer.export()
    assert "canary-" not in exported.text
    one = tomllib.loads(exported.text)["provider"]["w"]
    assert (one["headers"], one["options"], one["labels"]) == (
        {"X-Trace": "on"},
        {"max_tokens_field": "max_tokens"},
        {"key": "blue"},
    )
    assert "a value in headers of w that looks like a key" in exported.left_out


async def test_a_file_system_without_links_takes_an_export_too(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", none)
    await services.transfer.write(tmp_path / "out.toml")
    assert "switchroom = 1" in (tmp_path / "out.toml").read_text()
    with pytest.raises(UsageError, match="already"):
        await services.transfer.write(tmp_path / "out.toml")
