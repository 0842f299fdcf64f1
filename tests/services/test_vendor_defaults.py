"""What the catalog knows of a vendor's wire reaches the connection, under what the user says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from catalog.build import build
from catalog.user import load_user
from services.connections import SLOW_FACTOR, Connections, Secrets
from services.container import Services
from services.drafts import ProviderDraft


async def _connection(services: Services, **draft: object) -> object:
    view = await services.registry.add(ProviderDraft(slug="p", **draft), None, test=False)  # type: ignore[arg-type]
    return await Connections(services).connection(view.row, Secrets())


async def test_a_vendor_behind_another_address_keeps_its_ways(services: Services) -> None:
    connection = await _connection(services, type="mistral", url="https://proxy.example.com/v1")
    assert connection.options["seed_field"] == "random_seed"  # type: ignore[attr-defined]


async def test_a_providers_own_option_goes_before(services: Services) -> None:
    connection = await _connection(services, type="deepseek", options={"reasoning_field": "thoughts"})
    assert connection.options["reasoning_field"] == "thoughts"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("draft", "factor"),
    [
        ({"type": "lmstudio"}, SLOW_FACTOR),
        ({"url": "http://10.0.0.7:8000/v1", "allow_http": True}, SLOW_FACTOR),
        ({"type": "deepseek"}, SLOW_FACTOR),
        ({"type": "groq"}, 1),
    ],
)
async def test_a_server_that_loads_or_queues_has_longer_for_its_first_piece(
    services: Services, draft: dict[str, object], factor: int
) -> None:
    connection = await _connection(services, **draft)
    usual = services.settings.network.first_event_timeout
    assert connection.watchdogs.first_event == usual * factor  # type: ignore[attr-defined]
    assert connection.watchdogs.idle == services.settings.network.idle_timeout  # type: ignore[attr-defined]


async def test_a_timeout_of_ones_own_is_kept_as_it_is(services: Services) -> None:
    connection = await _connection(services, type="lmstudio", timeout_s=7.0)
    assert connection.watchdogs.first_event == 7.0  # type: ignore[attr-defined]


def _file(folder: Path, **options: object) -> Path:
    folder.mkdir(exist_ok=True)
    vendor = {"id": "acme", "name": "Acme", "type": "openai", "api_endpoint": "https://llm.acme.example/v1"}
    (folder / "acme.json").write_text(json.dumps({**vendor, "options": options}))
    return folder


def test_a_users_own_vendor_says_its_options(tmp_path: Path) -> None:
    found = load_user(_file(tmp_path / "u", max_tokens_field="max_completion_tokens"))
    assert found.problems == ()
    assert found.providers["acme"].options == {"max_tokens_field": "max_completion_tokens"}


@pytest.mark.parametrize("options", [{"max_tokns_field": "x"}, {"api": "nonsense"}, {"seed_field": 7}])
def test_an_option_that_is_none_is_told_with_its_line(tmp_path: Path, options: dict[str, object]) -> None:
    [problem] = load_user(_file(tmp_path / "u", **options)).problems
    assert problem.line == 1
    assert "option" in problem.reason


def test_building_the_catalog_writes_the_options(tmp_path: Path) -> None:
    vendor = {
        "id": "mistral",
        "name": "M",
        "type": "openai",
        "api_endpoint": "https://api.mistral.ai/v1",
        "models": [],
    }
    facts = tmp_path / "facts.json"
    facts.write_text(json.dumps({"generated_at": "2026-11-20", "providers": [vendor]}))
    build(facts, tmp_path / "out")
    written = json.loads((tmp_path / "out" / "mistral.json").read_text())
    assert written["options"]["seed_field"] == "random_seed"
