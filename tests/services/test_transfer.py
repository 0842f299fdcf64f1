"""Imports: each format becomes providers, keys stay out of everything that is shown, and all of it or nothing happens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from catalog.errors import NotFoundError, SwitchroomError, UsageError
from services.container import Services
from services.registry import ProviderDraft
from services.transfer_types import ImportProblemError, Plan

if TYPE_CHECKING:
    from conftest import Opener, Vendor

CANARY = "sk-canary-import-0123456789abcdef"
FENNEC = """
[provider.openai]
api_key = "${OPENAI_API_KEY}"
model = "gpt-4"
max_tokens = 4096
temperature = 0.7
timeout = "1m30s"

[provider.openai.retry]
max_attempts = 3
initial_delay = "500ms"
max_delay = "30s"
backoff_factor = 1.5

[provider.ollama]
base_url = "http://localhost:11434"
model = "codellama"
gpu_layers = 35
"""


def words(plan: Plan) -> str:
    steps = [f"{step.kind} {step.subject} {step.action} {step.what} {step.reason}" for step in plan.steps]
    return "\n".join(steps + [f"{remark.place} {remark.level} {remark.message}" for remark in plan.remarks])


def lace(folder: Path, instances: object, keys: dict[str, str] | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "provider-instances.json").write_text(
        json.dumps({"version": "1.0", "instances": instances}, indent=1)
    )
    if keys:
        (folder / "credentials").mkdir(mode=0o700)
    for name, key in (keys or {}).items():
        file = folder / "credentials" / f"{name}.json"
        file.write_text(json.dumps({"apiKey": key}))
        file.chmod(0o600)
    return folder


async def test_tables_of_toml_with_references_durations_and_a_retry_policy(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "anything.txt"
    file.write_text(FENNEC)
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    prepared = await services.transfer.plan(file)
    done = await services.transfer.apply(prepared)
    openai, ollama = await services.registry.row("openai"), await services.registry.row("ollama")
    assert (openai.key_ref, openai.timeout_s, openai.retries, openai.default_model) == (
        "env:OPENAI_API_KEY",
        90.0,
        2,
        "gpt-4",
    )
    assert (ollama.endpoint, ollama.default_model, ollama.options) == (
        "http://localhost:11434",
        "codellama",
        {"gpu_layers": "35"},
    )
    assert (services.settings.retry.initial_delay, services.settings.retry.factor) == (0.5, 1.5)
    assert services.settings.chat.temperature is None, "one table of two does not speak for all chats"
    assert "chat.temperature is one setting for all" in words(prepared.plan)
    assert done.keys_to_set == ()
    again = (await services.transfer.plan(file)).plan
    assert again.changes == 0
    assert {step.action for step in again.steps} == {"same"}


async def test_lace_with_its_key_files_proves_each_key_before_it_is_kept(
    services: Services, vendor: Vendor, tmp_path: Path, written: Callable[..., list[str]]
) -> None:
    vendor.key = CANARY
    instances = {
        "good": {
            "displayName": "Good",
            "catalogProviderId": "vllm",
            "endpoint": vendor.url,
            "timeout": 30000,
        },
        "bad one": {
            "displayName": "Bad",
            "catalogProviderId": "vllm",
            "endpoint": vendor.url,
            "retryPolicy": "odd",
        },
    }
    folder = lace(tmp_path / "lace", instances, {"good": CANARY, "bad one": "sk-wrong-0123456789abcdef"})
    prepared = await services.transfer.plan(folder)
    assert "“bad one” is called bad-one here." in words(prepared.plan)
    assert "retry policy “odd”" in words(prepared.plan)
    done = await services.transfer.apply(prepared)
    good, bad = await services.registry.row("good"), await services.registry.row("bad-one")
    assert (good.key_ref, good.state, good.timeout_s, good.name) == ("file:good", "ok", 30.0, "Good")
    assert bad.key_ref is None
    [key] = done.keys_to_set
    assert (key.provider, key.what) == ("bad-one", "key")
    assert "sk-wrong" not in key.why
    assert written("sk-wrong-0123456789abcdef") == []
    assert written(CANARY) == ["config/credentials/good.json"]
    actions = [row.action for row in await services.audit.list() if row.action != "config.import"]
    assert actions.count("provider.add") == 2
    assert CANARY not in words(prepared.plan)


async def test_a_key_file_that_others_can_open_is_refused_with_the_command(
    services: Services, tmp_path: Path
) -> None:
    folder = lace(
        tmp_path, {"openai": {"displayName": "O", "catalogProviderId": "openai"}}, {"openai": CANARY}
    )
    (tmp_path / "credentials" / "openai.json").chmod(0o644)
    plan = (await services.transfer.plan(folder)).plan
    assert "not used for secrets. Run: chmod 600" in words(plan)
    assert [step.kind for step in plan.steps] == ["provider"]
    assert plan.keys_to_set[0].provider == "openai"
    (tmp_path / "credentials" / "openai.json").rename(tmp_path / "real.json")
    (tmp_path / "credentials" / "openai.json").symlink_to(tmp_path / "real.json")
    assert "symbolic link" in words((await services.transfer.plan(folder)).plan)


async def test_lace_brings_the_vendors_of_its_user_catalog(services: Services, tmp_path: Path) -> None:
    model = {
        "id": "m1", "name": "M1", "cost_per_1m_in": 2.5, "cost_per_1m_out": 10, "context_window": 1000,
        "default_max_tokens": 100, "can_reason": False, "supports_attachments": False,
    }  # fmt: skip
    vendor = {
        "id": "acme",
        "name": "Acme",
        "type": "openai",
        "api_endpoint": "https://acme.invalid/v1",
        "models": [model],
    }
    folder = lace(tmp_path, {"work": {"displayName": "Work", "catalogProviderId": "acme"}})
    (folder / "user-catalog").mkdir()
    (folder / "user-catalog" / "acme.json").write_text(json.dumps(vendor))
    await services.transfer.apply(await services.transfer.plan(folder))
    row = await services.registry.row("work")
    assert (row.catalog_id, row.endpoint, row.dialect) == ("acme", "https://acme.invalid/v1", "openai")
    assert (services.paths.user_catalog / "acme.json").read_text() == json.dumps(vendor)
    assert (await services.transfer.plan(folder)).plan.changes == 0


async def test_loquilex_brings_the_token_and_the_offline_switch(
    services: Services, tmp_path: Path, written: Callable[..., list[str]]
) -> None:
    token = "hf_canaryCANARYcanary0123456789abcdef"
    file = tmp_path / "providers.json"
    file.write_text(
        json.dumps(
            {"providers": {"huggingface": {"token": token, "enabled": False}}, "backend": {"offline": True}}
        )
    )
    prepared = await services.transfer.plan(tmp_path)
    assert "chmod 600" in words(prepared.plan), "the file holds a key and others can read it"
    await services.transfer.apply(prepared, test=False)
    row = await services.registry.row("huggingface")
    assert (row.enabled, row.key_ref, row.catalog_id) == (False, "file:huggingface", "huggingface")
    assert services.settings.network.offline is True
    assert written(token) == ["config/credentials/huggingface.json"]


async def test_a_list_of_providers_in_json(services: Services, tmp_path: Path) -> None:
    entries = [
        {"name": "my openai", "display_name": "Mine", "base_url": "https://api.openai.com/v1", "provider_type": "openai", "auto_sync_enabled": False},
        {"name": "own", "base_url": "http://127.0.0.1:9/v1", "provider_type": "custom"},
    ]  # fmt: skip
    (tmp_path / "x.json").write_text(json.dumps(entries))
    await services.transfer.apply(await services.transfer.plan(tmp_path / "x.json"))
    mine = await services.registry.row("my-openai")
    assert (mine.name, mine.catalog_id, mine.auto_sync) == ("Mine", "openai", "off")
    assert (await services.registry.row("own")).catalog_id is None


async def test_a_provider_of_that_name_elsewhere_and_a_key_that_is_here_stay(
    services: Services, vendor: Vendor, tmp_path: Path, written: Callable[..., list[str]]
) -> None:
    from pydantic import SecretStr

    await services.registry.add(
        ProviderDraft(slug="work", url=vendor.url), SecretStr("sk-kept-0123456789"), test=False
    )
    folder = lace(
        tmp_path,
        {"work": {"displayName": "W", "catalogProviderId": "openai", "endpoint": "https://evil.example/v1"}},
        {"work": CANARY},
    )
    plan = (await services.transfer.plan(folder)).plan
    assert [step.action for step in plan.steps] == ["skip"]
    assert "evil.example" in plan.steps[0].reason
    (tmp_path / "t.toml").write_text(
        f'[provider.work]\nbase_url = "{vendor.url}"\napi_key = "{CANARY}"\nname = "New"\n'
    )
    prepared = await services.transfer.plan(tmp_path / "t.toml")
    assert "keeps the key it has here" in words(prepared.plan)
    await services.transfer.apply(prepared)
    row = await services.registry.row("work")
    assert (row.name, row.key_last4) == ("New", "6789")
    assert written(CANARY) == []


async def test_a_vendors_own_variable_for_another_address_is_pointed_out(
    services: Services, tmp_path: Path
) -> None:
    (tmp_path / "t.toml").write_text(
        '[provider.x]\nbase_url = "https://llm.example/v1"\napi_key = "${OPENAI_API_KEY}"\n'
    )
    assert "would send OPENAI_API_KEY, the key of openai, to llm.example" in words(
        (await services.transfer.plan(tmp_path / "t.toml")).plan
    )


async def test_plain_http_is_refused_outside_and_asked_for_inside(services: Services, tmp_path: Path) -> None:
    text = '[provider.a]\nbase_url = "http://llm.example/v1"\n[provider.b]\nbase_url = "http://192.168.1.9:8000/v1"\n[provider.c]\nbase_url = "https://u:canary-pw@h.example"\n'
    (tmp_path / "t.toml").write_text(text)
    plan = (await services.transfer.plan(tmp_path / "t.toml")).plan
    assert [step.action for step in plan.steps] == ["skip", "skip", "skip"]
    assert plan.needs_http
    assert [step.line for step in plan.steps] == [1, 3, 5]
    plan = (await services.transfer.plan(tmp_path / "t.toml", allow_http=True)).plan
    assert [step.action for step in plan.steps] == ["skip", "add", "skip"]
    assert "canary-pw" not in words(plan)


HOSTILE = {
    "empty": b"", "null": b"null", "number": b"7", "prose": b"not a configuration at all", "binary": b"\x00\x01\x02",
    "cut": b'{"version": "1.0", "instances": {"a": {', "deep": b"[" * 100_000, "deep objects": b'{"instances":' * 50_000,
    "deep toml": b"a = " + b"[" * 50_000, "twice": b'{"instances": {"a": {}, "a": {}}}', "nan": b'{"instances": {"a": {"timeout": NaN}}}',
    "latin": b'[provider.x]\nname = "caf\xe9"\n', "huge": b" " * (2 * 1024 * 1024 + 1), "huge number": b'{"instances": ' + b"9" * 5000 + b"}",
    "others": b'{"hello": "world"}', "half utf-16": b"\xff\xfea", "wrong types": b'{"instances": []}', "settings": b"[network]\noffline = true\n",
    "no tables": b"[provider]\nx = 1\n", "newer": b"switchroom = 99\n",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_file_that_is_no_configuration_is_refused_in_words(
    services: Services, tmp_path: Path, name: str
) -> None:
    file = tmp_path / "given"
    file.write_bytes(HOSTILE[name])
    with pytest.raises(ImportProblemError) as refused:
        await services.transfer.plan(file)
    assert refused.value.message
    assert "given" in refused.value.message


async def test_what_is_no_readable_file(services: Services, tmp_path: Path) -> None:
    import os

    with pytest.raises(NotFoundError):
        await services.transfer.plan(tmp_path / "absent")
    with pytest.raises(NotFoundError):
        await services.transfer.plan(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ImportProblemError, match="not a regular file"):
        await services.transfer.plan(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(ImportProblemError, match="cannot be read"):
        await services.transfer.plan(tmp_path / "loop")
    with pytest.raises((ImportProblemError, NotFoundError)):
        await services.transfer.plan(Path("/dev/zero"))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le-bom"])
async def test_other_encodings_with_a_mark_are_read(
    services: Services, tmp_path: Path, encoding: str
) -> None:
    data = (
        b"\xff\xfe" + FENNEC.encode("utf-16-le") if encoding == "utf-16-le-bom" else FENNEC.encode(encoding)
    )
    (tmp_path / "f").write_bytes(data)
    assert (await services.transfer.plan(tmp_path / "f")).plan.changes


async def test_wrong_types_and_names_are_told_by_line_and_never_by_value(
    services: Services, tmp_path: Path
) -> None:
    instances = {
        "\u001b[31m\u0000x": {"displayName": "a\u001b]0;t\u0007[b]", "catalogProviderId": "openai", "timeout": "soon", "endpoint": 7},
        "b": "canary-value", "c": {"displayName": ["x"], "catalogProviderId": {"a": 1}, "retryPolicy": 3, "surprise": CANARY},
        "": {"catalogProviderId": "openai"},
    }  # fmt: skip
    plan = (await services.transfer.plan(lace(tmp_path, instances))).plan
    text = words(plan)
    assert "\x1b" not in text
    assert "\x00" not in text
    assert CANARY not in text
    assert "canary-value" not in text
    assert "timeout: it takes a duration" in text
    assert all(remark.line for remark in plan.remarks)
    assert {step.subject for step in plan.steps if step.action == "add"} == {"31m-x", "provider"}


async def test_a_failure_in_the_middle_leaves_nothing(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: Callable[..., list[str]]
) -> None:
    text = f'switchroom = 1\n[settings]\n"retry.attempts" = 7\n[provider.a]\ndialect = "openai"\nbase_url = "http://127.0.0.1:9/v1"\napi_key = "{CANARY}"\n[[limit]]\nscope = "global"\nperiod = "daily"\nusd = "5"\n'
    (tmp_path / "t.toml").write_text(text)
    prepared = await services.transfer.plan(tmp_path / "t.toml")
    assert [step.action for step in prepared.plan.steps] == ["add", "add", "add", "change"]
    write = services.preferences.write_within

    async def fails(*given: object, **named: object) -> None:
        await write(*given, **named)  # type: ignore[arg-type]
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(services.preferences, "write_within", fails)
        with pytest.raises(OSError, match="full"):
            await services.transfer.apply(prepared, test=False)
    assert await services.registry.rows() == []
    assert list(await services.budgets.list()) == []
    assert written(CANARY) == []
    assert [row.action for row in await services.audit.list()] == []
    done = await services.transfer.apply(prepared, test=False)
    assert done.done == 4
    assert services.settings.retry.attempts == 7


async def test_stopped_while_it_stores_it_is_whole_all_the_same(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t.toml").write_text(
        f'[provider.a]\nbase_url = "http://127.0.0.1:9/v1"\napi_key = "{CANARY}"\n'
    )
    prepared = await services.transfer.plan(tmp_path / "t.toml")
    record, there, go_on = services.audit.record, asyncio.Event(), asyncio.Event()

    async def slow(*given: object, **named: object) -> object:
        there.set()
        await go_on.wait()
        return await record(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(services.audit, "record", slow)
    applying = asyncio.create_task(services.transfer.apply(prepared, test=False))
    await there.wait()
    applying.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await applying
    [row] = await services.registry.rows()
    secret = await services.credentials.resolve(row.key_ref)
    assert secret is not None
    assert secret.get_secret_value() == CANARY


async def test_what_changed_since_the_plan_is_not_written_over(
    services: Services, vendor: Vendor, tmp_path: Path
) -> None:
    await services.registry.add(ProviderDraft(slug="w", url=vendor.url), None, test=False)
    (tmp_path / "t.toml").write_text(f'[provider.w]\nbase_url = "{vendor.url}"\nname = "File"\n')
    prepared = await services.transfer.plan(tmp_path / "t.toml")
    await services.registry.edit("w", ProviderDraft(name="Mine"))
    with pytest.raises(UsageError, match="changed meanwhile"):
        await services.transfer.apply(prepared)
    assert (await services.registry.row("w")).name == "Mine"


async def test_a_locked_vault_changes_nothing(
    opened: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pydantic import SecretStr

    monkeypatch.setenv("SWITCHROOM_SECURITY__BACKEND", "vault")
    (tmp_path / "t.toml").write_text(
        f'[provider.a]\nbase_url = "http://127.0.0.1:9/v1"\napi_key = "{CANARY}"\n'
    )
    async with opened() as services:
        await services.credentials.init(SecretStr("correct horse"))
        services.credentials.lock()
        with pytest.raises(SwitchroomError) as refused:
            await services.transfer.apply(await services.transfer.plan(tmp_path / "t.toml"), test=False)
        assert refused.value.code == "vault_locked"
        assert await services.registry.rows() == []


async def test_two_imports_at_once_end_in_one_of_each(services: Services, tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text(FENNEC)
    plans = [await services.transfer.plan(tmp_path / "t.toml") for _ in range(2)]
    results = await asyncio.gather(*(services.transfer.apply(plan) for plan in plans), return_exceptions=True)
    assert sum(isinstance(result, UsageError) for result in results) == 1
    assert len(await services.registry.rows()) == 2


async def test_models_with_prices_in_a_table(services: Services, tmp_path: Path) -> None:
    text = '[provider.own]\nbase_url = "http://127.0.0.1:9/v1"\n[[provider.own.models]]\nid = "m"\ncost_per_1m_in = "0.123456789"\ncost_per_1m_out = 2\n'
    (tmp_path / "t.toml").write_text(text)
    await services.transfer.apply(await services.transfer.plan(tmp_path / "t.toml"))
    view = await services.models.get("own/m")
    assert view.info.price is not None
    assert (view.info.price.input, view.info.price.output) == (Decimal("0.123456789"), Decimal(2))
    assert (await services.registry.row("own")).default_model == "m"


WHOLE = """
switchroom = 1
default_model = "w/m"
[settings]
"retry.attempts" = 7
[provider.w]
dialect = "openai"
base_url = "http://127.0.0.1:9/v1"
[[limit]]
scope = "global"
period = "daily"
usd = "5"
"""


@pytest.mark.parametrize("what", ["limit", "default model", "setting"])
async def test_limits_settings_and_the_default_model_changed_since_the_plan_stay(
    services: Services, opened: Opener, tmp_path: Path, what: str
) -> None:
    (tmp_path / "t.toml").write_text(WHOLE)
    prepared = await services.transfer.plan(tmp_path / "t.toml")
    async with opened() as other:  # another session on the same store
        if what == "limit":
            await other.budgets.set("global", "daily", Decimal(3))
        elif what == "setting":
            await other.preferences.set("retry.attempts", 2)
        else:
            await other.registry.add(ProviderDraft(slug="x", url="http://127.0.0.1:9/v1"), None, test=False)
            await other.models.set_default("x/mine")
    with pytest.raises(UsageError, match="changed meanwhile"):
        await services.transfer.apply(prepared)
    assert "w" not in [row.slug for row in await services.registry.rows()]
    done = await services.transfer.apply(await services.transfer.plan(tmp_path / "t.toml"))
    assert done.done == 4


async def test_no_secret_of_the_environment_is_written_into_an_address_or_a_model(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: Callable[..., list[str]]
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canaryEnvironmentSecret0123")
    monkeypatch.setenv("PLAIN_NAME", CANARY)
    monkeypatch.setenv("GPU_HOST", "gpu.example")
    text = """
[provider.evil]
base_url = "https://evil.example/${AWS_SECRET_ACCESS_KEY}/v1"
[provider.openai]
base_url = "https://evil.example/${PLAIN_NAME}"
api_key = "${CORP_KEY}"
[provider.fine]
base_url = "https://${GPU_HOST}/v1"
model = "${AWS_SECRET_ACCESS_KEY}"
"""
    (tmp_path / "t.toml").write_text(text)
    prepared = await services.transfer.plan(tmp_path / "t.toml")
    assert "AWS_SECRET_ACCESS_KEY may hold a secret" in words(prepared.plan)
    assert "openai is not taken over: its address cannot be read" in words(prepared.plan)
    await services.transfer.apply(prepared)
    [row] = await services.registry.rows()
    assert (row.slug, row.endpoint, row.default_model) == ("fine", "https://gpu.example/v1", None)
    for secret in ("canaryEnvironmentSecret0123", CANARY):
        assert secret not in words(prepared.plan)
        assert written(secret) == []


async def test_secrets_among_headers_options_and_labels_are_not_kept_in_clear(
    services: Services, tmp_path: Path, written: Callable[..., list[str]]
) -> None:
    text = """
[provider.x]
base_url = "https://llm.example/v1"
headers = { Authorization = "Bearer canaryHeaderOne", "X-Auth-Token" = "canaryHeaderTwo", "X-Team" = "${OPENAI_API_KEY}", "X-Trace" = "on" }
options = { api_key = "canaryOption01", organization = "org-1" }
labels = { note = "sk-canary-label-0123456789abcdef", team = "a" }
"""
    (tmp_path / "t.toml").write_text(text)
    prepared = await services.transfer.plan(tmp_path / "t.toml")
    assert "would send OPENAI_API_KEY, the key of openai, to llm.example" in words(prepared.plan)
    done = await services.transfer.apply(prepared)
    row = await services.registry.row("x")
    assert (row.headers, row.secret_headers) == ({"X-Trace": "on"}, {"X-Team": "env:OPENAI_API_KEY"})
    assert (row.options, row.labels) == ({"organization": "org-1"}, {"team": "a"})
    assert {key.what for key in done.keys_to_set} >= {
        "secret header Authorization",
        "secret header X-Auth-Token",
    }
    for secret in ("canaryHeaderOne", "canaryHeaderTwo", "canaryOption01", "sk-canary-label"):
        assert secret not in words(prepared.plan)
        assert written(secret) == []


async def test_the_way_to_a_provider_whose_key_is_here_stays(services: Services, tmp_path: Path) -> None:
    from pydantic import SecretStr

    place = "http://192.168.7.7/v1"
    await services.registry.add(
        ProviderDraft(slug="w", url=place, allow_http=True), SecretStr(CANARY), test=False
    )
    await services.registry.add(ProviderDraft(slug="bare", url=place, allow_http=True), None, test=False)
    for name in ("w", "bare"):
        text = f'switchroom = 1\n[provider.{name}]\nname = "File"\ndialect = "openai"\nbase_url = "{place}"\nkey_needed = true\nallow_http = true\nproxy = "http://evil.example:1"\ntls_min = "1.2"\n'
        (tmp_path / "t.toml").write_text(text)
        prepared = await services.transfer.plan(tmp_path / "t.toml")
        kept = "w keeps its proxy, lowest TLS version of here" in words(prepared.plan)
        assert kept is (name == "w")
        await services.transfer.apply(prepared)
    rows = {row.slug: row for row in await services.registry.rows()}
    assert (rows["w"].name, rows["w"].proxy, rows["w"].tls_min) == ("File", None, None)
    assert rows["bare"].proxy == "http://evil.example:1"


async def test_the_plan_shows_the_limit_and_the_default_model_that_are_replaced(
    services: Services, tmp_path: Path
) -> None:
    (tmp_path / "t.toml").write_text(WHOLE + "[settings2]\nx = 1\n")
    await services.transfer.apply(await services.transfer.plan(tmp_path / "t.toml"))
    text = WHOLE.replace('usd = "5"', 'usd = "500"').replace("w/m", "w/other")
    (tmp_path / "t.toml").write_text(
        text.replace('"retry.attempts" = 7', '"network.proxy" = "http://evil.example:1"')
    )
    told = words((await services.transfer.plan(tmp_path / "t.toml")).plan)
    assert "limit global daily change $5.00 → $500.00" in told
    assert "default model w/other change for new chats, in place of w/m" in told
    assert "warning network.proxy decides where requests go" in told


async def test_the_query_of_an_address_is_left_out_and_told(
    services: Services, tmp_path: Path, written: Callable[..., list[str]]
) -> None:
    (tmp_path / "t.toml").write_text('[provider.x]\nbase_url = "https://llm.example/v1?key=canaryQuery01"\n')
    prepared = await services.transfer.plan(tmp_path / "t.toml")
    assert "left out What follows the ? in the address of x." in words(prepared.plan)
    await services.transfer.apply(prepared)
    assert (await services.registry.row("x")).endpoint == "https://llm.example/v1"
    assert "canaryQuery01" not in words(prepared.plan)
    assert written("canaryQuery01") == []


@pytest.mark.parametrize(("value", "warned"), [("true", False), ("false", True)])
async def test_only_going_online_is_warned_of(
    services: Services, tmp_path: Path, value: str, warned: bool
) -> None:
    if value == "false":
        await services.preferences.set("network.offline", True)
    (tmp_path / "t.toml").write_text(f'switchroom = 1\n[settings]\n"network.offline" = {value}\n')
    told = words((await services.transfer.plan(tmp_path / "t.toml")).plan)
    assert ("decides where requests go" in told) is warned


async def test_a_vendors_name_on_another_address_hides_nothing(services: Services, tmp_path: Path) -> None:
    text = "switchroom = 1\n" + "".join(
        f'[provider.{slug}]\ndialect = "openai"\nvendor = "openai"\nbase_url = "https://{host}/v1"\napi_key = "${{OPENAI_API_KEY}}"\n'
        for slug, host in (
            ("a", "evil.example"),
            ("b", "api.openai.com.evil.example"),
            ("c", "eu.api.openai.com"),
            ("d", "api.openai.com"),
        )
    )
    (tmp_path / "t.toml").write_text(text)
    plan = (await services.transfer.plan(tmp_path / "t.toml")).plan
    warned = [remark.message.split()[0] for remark in plan.remarks if remark.level == "warning"]
    assert warned == ["a", "b"]
    (tmp_path / "t.toml").write_text(
        '[provider.x]\ntype = "groq"\nbase_url = "https://evil.example/v1"\napi_key = "${GROQ_API_KEY}"\n'
    )
    assert "the key of groq, to evil.example" in words(
        (await services.transfer.plan(tmp_path / "t.toml")).plan
    )
