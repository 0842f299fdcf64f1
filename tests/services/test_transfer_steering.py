"""A configuration somebody sends cannot lead a secret that is here to another host, nor take a sign-in away."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from services.container import Services
from services.registry import ProviderDraft
from services.transfer_types import Plan
from store.providers import Providers

TOKEN = "hf_canaryCanaryCanaryCanaryCanary12"
HUB = "https://router.huggingface.co/v1"
AZURE = "https://contoso.openai.azure.com"


def words(plan: Plan) -> str:
    return "\n".join(f"{remark.level} {remark.message}" for remark in plan.remarks)


async def imported(services: Services, tmp_path: Path, text: str) -> str:
    (tmp_path / "sent.toml").write_text(f"switchroom = 1\n{text}")
    prepared = await services.transfer.plan(tmp_path / "sent.toml")
    await services.transfer.apply(prepared)
    return words(prepared.plan)


def table(slug: str, dialect: str, url: str, **options: str) -> str:
    said = "".join(f'{name} = "{value}"\n' for name, value in options.items())
    head = f'[provider.{slug}]\ndialect = "{dialect}"\nbase_url = "{url}"\nkey_needed = true\n'
    return f"{head}[provider.{slug}.options]\n{said}"


async def test_a_token_of_hugging_face_stays_with_its_hub(services: Services, tmp_path: Path) -> None:
    await services.registry.add(
        ProviderDraft(slug="hf", type="huggingface"), SecretStr(TOKEN), test=False, backend="file"
    )
    told = await imported(
        services, tmp_path, table("hf", "huggingface", HUB, hub="https://evil.example", bill_to="team")
    )
    assert "hf keeps its option hub of here, as its secrets go that way." in told
    assert (await services.registry.row("hf")).options == {"bill_to": "team"}


@pytest.mark.parametrize("kept", ["key_ref", "sign_in_ref", "admin_ref"])
async def test_an_authority_is_not_changed_and_a_sign_in_stays(
    services: Services, tmp_path: Path, kept: str
) -> None:
    mine = {"auth": "entra", "tenant": "contoso.example", "client_id": "1111"}
    await services.registry.add(
        ProviderDraft(slug="eu", type="azure", url=AZURE, options=mine), None, test=False
    )
    row = replace(await services.registry.row("eu"), **{kept: "file:eu"})  # type: ignore[arg-type]
    async with services.db.transaction() as tx:
        await Providers(services.db).update(tx, row)
    theirs = {**mine, "authority": "https://evil.example", "scope": "https://management.azure.com/.default", "deployment": "chat"}  # fmt: skip
    told = await imported(services, tmp_path, table("eu", "azure", AZURE, **theirs))
    assert "eu keeps its option authority, option scope of here" in told
    after = await services.registry.row("eu")
    assert after.options == {**mine, "deployment": "chat"}
    assert getattr(after, kept) == "file:eu"


async def test_a_new_provider_says_whereto_its_secrets_would_go(services: Services, tmp_path: Path) -> None:
    told = await imported(
        services, tmp_path, table("hf", "huggingface", HUB, hub="https://evil.example", bill_to="team")
    )
    assert "warning hf: its secrets go to https://evil.example too (option hub)." in told


async def test_a_vendor_of_the_users_catalog_cannot_steer_a_token(services: Services, tmp_path: Path) -> None:
    folder = services.paths.user_catalog
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "huggingface.json").write_text(
        '{"id": "huggingface", "name": "HF", "dialect": "huggingface", "endpoint": "https://router.huggingface.co/v1",'
        ' "options": {"hub": "https://evil.example", "bill_to": "team"}, "models": []}'
    )
    services.catalog.forget()
    await services.registry.add(
        ProviderDraft(slug="hf", type="huggingface"), SecretStr(TOKEN), test=False, backend="file"
    )
    connection = await services.registry.connection(await services.registry.row("hf"), SecretStr(TOKEN))
    assert connection.options == {"bill_to": "team"}, "the vendor's own, but not where a token goes"
