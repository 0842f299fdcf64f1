"""User-catalog files travel with a configuration, without a secret, and only as files of the user catalog."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import UsageError
from services import paths as places
from services.container import Services, open_services
from services.registry import ProviderDraft
from services.transfer_types import Plan

KEY = "sk-canary-catalog-0123456789abcdef"


def vendor(**more: object) -> dict[str, Any]:
    model = {
        "id": "m1", "name": "It's '''M1'''", "cost_per_1m_in": 2.5, "cost_per_1m_out": 10, "context_window": 1000,
        "default_max_tokens": 100, "can_reason": False, "supports_attachments": False,
    }  # fmt: skip
    return {
        "id": "acme", "name": "Acme", "type": "openai", "api_endpoint": "https://acme.invalid/v1",
        "api_key": "$ACME_API_KEY", "models": [model], **more,
    }  # fmt: skip


def put(folder: Path, name: str, content: object, indent: int | None = 2) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(content, indent=indent))
    return folder / name


def words(plan: Plan) -> str:
    steps = [f"{step.kind} {step.subject} {step.action} {step.what} {step.reason}" for step in plan.steps]
    return "\n".join(steps + [f"{remark.place} {remark.level} {remark.message}" for remark in plan.remarks])


async def test_vendors_of_ones_own_move_to_another_machine_with_their_prices(
    services: Services, tmp_path: Path
) -> None:
    own = services.paths.user_catalog
    put(own, "acme.json", vendor())
    put(own, "plain.json", vendor(id="plain", models=[]), indent=None)
    services.catalog.forget()
    await services.registry.add(ProviderDraft(slug="work", type="acme", default_model="m1"), None, test=False)
    file = tmp_path / "out.toml"
    exported = await services.transfer.write(file)
    assert exported.left_out == ()
    async with open_services(places.under(tmp_path / "new")) as fresh:
        prepared = await fresh.transfer.plan(file)
        assert [one for one in prepared.plan.remarks if one.level != "note"] == []
        await fresh.transfer.apply(prepared)
        for name in ("acme.json", "plain.json"):
            there = fresh.paths.user_catalog / name
            assert there.read_bytes() == (own / name).read_bytes()
            assert there.stat().st_mode & 0o777 == 0o600
        assert (await fresh.registry.row("work")).catalog_id == "acme"
        price = (await fresh.models.get("work/m1")).info.price
        assert price is not None
        assert str(price.output) == "10"
        assert (await fresh.transfer.plan(file)).plan.changes == 0
        assert (await fresh.transfer.export()).text == exported.text


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (vendor(api_key=KEY), "looks like a key"),
        (vendor(api_key="not-shaped-like-one"), "looks like a key"),
        (vendor(default_headers={"X-Api-Key": "canary-header"}), "looks like a key"),
        (vendor(name="x" * 1_100_000), "too large"),
        ({"id": 7}, "cannot be used"),
    ],
)
async def test_a_file_that_must_not_or_cannot_travel_is_named(
    services: Services, tmp_path: Path, content: object, why: str
) -> None:
    put(services.paths.user_catalog, "acme.json", content)
    exported = await services.transfer.write(tmp_path / "out.toml")
    assert KEY not in exported.text
    assert "canary-header" not in exported.text
    [said] = exported.left_out
    assert "acme.json" in said
    assert why in said
    assert tomllib.loads(exported.text)["user_catalog"] == {"acme.json": ""}
    async with open_services(places.under(tmp_path / "new")) as fresh:
        (tmp_path / "out.toml").write_text(
            exported.text + '[provider.a]\ndialect = "openai"\nbase_url = "http://127.0.0.1:9/v1"\n'
        )
        assert "Copy the user catalog's acme.json" in words(
            (await fresh.transfer.plan(tmp_path / "out.toml")).plan
        )


@pytest.mark.parametrize(
    "name", ["../evil.json", "/tmp/evil.json", "a/b.json", ".json", ".hid.json", "x.toml", "\u202ex.json"]
)
async def test_a_name_that_leads_elsewhere_is_refused(services: Services, tmp_path: Path, name: str) -> None:
    lines = ["switchroom = 1", "[user_catalog]", f"{json.dumps(name)} = {json.dumps(json.dumps(vendor()))}", '"ok.json" = ' + json.dumps(json.dumps(vendor(id="ok")))]  # fmt: skip
    (tmp_path / "t.toml").write_text("\n".join(lines))
    prepared = await services.transfer.plan(tmp_path / "t.toml")
    assert list(prepared.files) == ["ok.json"]
    assert "is no file of a user catalog" in words(prepared.plan)


async def test_a_folder_of_lace_writes_nothing_outside_the_user_catalog(
    services: Services, tmp_path: Path
) -> None:
    lace = tmp_path / "lace"
    put(
        lace,
        "provider-instances.json",
        {"version": "1.0", "instances": {"w": {"catalogProviderId": "../evil"}}},
    )
    put(lace / "user-catalog", "x.json", vendor(id="../evil"))
    put(lace, "evil.json", {"anything": "at all"})
    home = services.paths.config_file.parent.parent
    await services.transfer.apply(await services.transfer.plan(lace))
    assert [path.name for path in home.rglob("*.json")] == ["x.json"]
    assert (services.paths.user_catalog / "x.json").is_file()


async def test_a_file_that_moves_a_known_vendor_is_pointed_out(services: Services, tmp_path: Path) -> None:
    texts = json.dumps(json.dumps(vendor(id="openai", api_endpoint="https://evil.example/v1")))
    (tmp_path / "t.toml").write_text(f'switchroom = 1\n[user_catalog]\n"openai.json" = {texts}\n')
    told = words((await services.transfer.plan(tmp_path / "t.toml")).plan)
    assert "moves the vendor openai from api.openai.com to evil.example" in told


async def test_what_is_in_the_user_catalog_is_never_replaced(services: Services, tmp_path: Path) -> None:
    own = services.paths.user_catalog
    put(own, "acme.json", vendor(name="Mine"))
    put(own, "other.json", vendor(id="plain"))
    entries = {"acme.json": vendor(), "plain.json": vendor(id="plain"), "new.json": vendor(id="new")}
    lines = [f'"{name}" = {json.dumps(json.dumps(one))}' for name, one in entries.items()]
    (tmp_path / "t.toml").write_text("\n".join(["switchroom = 1", "[user_catalog]", *lines]))
    prepared = await services.transfer.plan(tmp_path / "t.toml")
    assert [step.action for step in prepared.plan.steps] == ["skip", "skip", "add"]
    put(own, "new.json", vendor(name="made meanwhile"))
    with pytest.raises(UsageError, match="changed meanwhile"):
        await services.transfer.apply(prepared)
    assert json.loads((own / "new.json").read_text())["name"] == "made meanwhile"
    assert json.loads((own / "acme.json").read_text())["name"] == "Mine"
    assert [row.action for row in await services.audit.list()] == []
