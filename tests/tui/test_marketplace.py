"""A person looks for a vendor: what each offers and costs, which can be had now, and enter adds it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input
from tui_stage import KEY, Vendor, opened, screen_text, type_text, until

from adapters.loader import dialects
from catalog.bundled import provider, provider_ids
from catalog.detect import detect
from catalog.lookup import Catalog
from catalog.types import ModelInfo, Price, ProviderSpec
from services.container import open_services
from services.marketplace import obstacle, vendor_of, vendors
from services.paths import Paths
from services.targets import resolve_target
from tui.app import SwitchroomApp
from tui.screens.marketplace_lines import COLUMNS, FACETS, VendorLine, price_words, span_words

SIZE = (120, 40)
Compare = Callable[..., bool]

pytestmark = pytest.mark.usefixtures("no_keyring")


async def _market(pilot: Pilot[Any]) -> None:
    await opened(pilot)
    await until(pilot, "Providers ·")
    await pilot.press("B")
    await until(pilot, "Google Gemini")


# -- what a vendor is said to be -------------------------------------------------------------------


def _model(ident: str, price: tuple[str, str] | None, **more: Any) -> ModelInfo:
    cost = None if price is None else Price(input=Decimal(price[0]), output=Decimal(price[1]))
    return ModelInfo(id=ident, price=cost, **more)


SPEC = ProviderSpec(
    id="acme",
    name="Acme",
    dialect="openai",
    endpoint="https://api.acme.example/v1",
    default_model="old",
    small_model="small",
)


def test_retired_and_unpriced_models_do_not_bend_the_prices() -> None:
    found = vendor_of(
        SPEC,
        [
            _model("old", ("0.01", "900"), status="retired"),
            _model("dear", ("15", "75"), capabilities=("tools", "vision"), context_window=200_000),
            _model("small", ("0.05", "0.08"), release_date="2020-01-01"),
            _model("secret", None),
            _model("text-embedding-3", ("0.001", "0"), capabilities=("embeddings",)),
        ],
    )
    assert price_words(found) == "$0.05–$15 in, $0.08–$75 out"
    assert (found.chat, found.embeddings, found.priced, found.context) == (3, 1, 2, 200_000)
    assert (found.tools, found.vision, found.reasoning) == (1, 1, 0)
    assert [model.id if model else None for model in (found.cheapest, found.seeing)] == ["small", "dear"]
    assert [model.id for model in found.models][:1] == ["small"]
    assert all(model.id != "old" for model in found.models)


def test_unknown_prices_stay_unknown_and_own_hardware_is_named() -> None:
    assert price_words(vendor_of(SPEC, [_model("m", None)])) == "unknown"
    assert price_words(vendor_of(SPEC.model_copy(update={"local": True}), [])) == "own hardware"
    assert span_words((Decimal(0), Decimal(2))) == "free–$2"
    assert span_words(None) == "—"


def test_the_cheapest_vendor_with_vision_is_the_one_whose_seeing_model_is_cheap() -> None:
    """One dear model that sees does not make a vendor of cheap blind ones cheap for pictures."""
    seeing: dict[str, Any] = {"capabilities": ("vision",)}
    blind = VendorLine(vendor_of(SPEC, [_model("a", ("0.01", "1")), _model("b", ("9", "9"), **seeing)]))
    fair = VendorLine(vendor_of(SPEC, [_model("c", ("0.20", "1"), **seeing), _model("d", ("0.30", "1"))]))
    column = next(column for column in COLUMNS if column.key == "seeing")
    assert column.sort is not None
    assert [column.cell(line) for line in (blind, fair)] == ["$9.00", "$0.20"]
    assert column.sort(fair) < column.sort(blind)
    facet = next(facet for facet in FACETS if facet.name == "vision")
    assert facet.number is not None
    assert [facet.number(line) for line in (blind, fair)] == [9.0, 0.2]
    nobody = VendorLine(vendor_of(SPEC, [_model("a", ("0.01", "1")), _model("b", None, **seeing)]))
    assert (column.cell(nobody), column.sort(nobody)) == (("—", "dim"), None)


def test_what_cannot_be_connected_says_why() -> None:
    why = {name: obstacle(found) for name in provider_ids() if (found := provider(name)) is not None}
    assert "Google Cloud" in why["vertexai"]
    assert "AWS" in why["bedrock"]
    assert why["groq"] == why["ollama"] == why["llamacpp"] == ""
    for name, words in why.items():
        found = provider(name)
        assert found is not None
        assert words or found.dialect in dialects(), name


@pytest.mark.parametrize("vendor_id", provider_ids())
def test_the_address_of_every_vendor_names_it(vendor_id: str) -> None:
    """`providers add --url` needs no --type for any vendor of the facts."""
    spec = provider(vendor_id)
    assert spec is not None
    parts = {
        "{resource}": "contoso",
        "{location}": "europe-west1",
        "{project}": "p-1",
        "{region}": "eu-west-1",
    }
    url = spec.endpoint
    for name, value in parts.items():
        url = url.replace(name, value)
    found = detect(url)
    target = resolve_target(Catalog(), None, url, None)
    assert target.dialect == found.dialect
    assert target.catalog_id == found.catalog_id
    if vendor_id in ("llamacpp", "vllm"):  # ports that belong to everybody: a hint, not a name
        assert (found.vendor, found.catalog_id, found.dialect) == (vendor_id, None, "openai")
    else:
        assert found.vendor == vendor_id
        assert found.catalog_id == (vendor_id if found.confidence == "high" else found.catalog_id)
        assert found.dialect == spec.dialect


async def test_all_vendors_are_read_without_holding_the_screen_up(home: object, paths: Paths) -> None:
    async with open_services(paths) as services:
        longest, last, done = 0.0, time.perf_counter(), False

        async def watch() -> None:
            nonlocal longest, last
            last = time.perf_counter()
            while not done:
                await asyncio.sleep(0.001)
                now = time.perf_counter()
                longest, last = max(longest, now - last), now

        watching = asyncio.create_task(watch())
        found = await vendors(services)
        done = True
        await watching
    assert [vendor.spec.id for vendor in found] == list(provider_ids())
    assert sum(vendor.chat for vendor in found) > 1_000
    assert longest < 0.25  # each vendor has its own turn; a slow machine gets time


# -- the screen ------------------------------------------------------------------------------------


async def test_a_vendor_found_in_the_environment_is_added_by_the_name_of_its_variable(
    app: SwitchroomApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROQ_API_KEY", KEY)
    async with app.run_test(size=SIZE) as pilot:
        await _market(pilot)
        assert "▸ found in GROQ_API_KEY" in screen_text(app)
        await pilot.press("slash")
        await type_text(pilot, "found:yes")
        await until(pilot, "2 of 34")  # the vendor, and any other address
        await pilot.press("enter")
        text = await until(pilot, "console.groq.com/keys")
        assert "GROQ_API_KEY is set here" in text
        await pilot.press("enter")
        text = await until(pilot, "A key for Groq")
        assert "Use GROQ_API_KEY; only its name is stored" in text
        assert KEY not in text
        await pilot.press("escape")
        await until(pilot, "A key for Groq", gone=True)
        assert "marketplace" in screen_text(app)
        assert "Add a provider" not in screen_text(app)


async def test_vendors_are_narrowed_by_price_dialect_and_ability(app: SwitchroomApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await _market(pilot)
        await pilot.press("slash")
        await type_text(pilot, "local:yes")
        text = await until(pilot, "5 of 34")
        assert "llama.cpp" in text
        assert "own" in text
        assert "Other: a base URL" in text
        await pilot.press("escape", "slash")
        app.screen.query_one(Input).value = "dialect:anthropic cap:vision price<1"
        text = await until(pilot, "3 of 34")
        assert "Anthropic" in text
        assert "DeepSeek" not in text


async def test_enter_on_a_vendor_that_cannot_be_had_yet_says_why(app: SwitchroomApp) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await _market(pilot)
        await pilot.press("slash")
        await type_text(pilot, "vertex")
        await pilot.press("enter")
        await until(pilot, "2 of 34")
        await pilot.press("enter")
        await until(pilot, "Google Vertex AI cannot be")
        assert "Add a provider" not in screen_text(app)


async def test_the_last_line_takes_any_address_and_esc_leads_back(app: SwitchroomApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await _market(pilot)
        await pilot.press("G", "enter")
        await until(pilot, "Address of your server")
        await pilot.press("escape")
        await until(pilot, "Address of your server", gone=True)
        await pilot.press("u")
        await until(pilot, "Address of your server")
        await pilot.press("escape")
        await until(pilot, "Address of your server", gone=True)
        await pilot.press("escape")
        await until(pilot, "No providers yet")


async def test_y_copies_where_a_key_is_to_be_had(app: SwitchroomApp, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []

    async def copy(_self: object, text: str) -> None:
        copied.append(text)

    monkeypatch.setattr(SwitchroomApp, "copy", copy)
    async with app.run_test(size=SIZE) as pilot:
        await _market(pilot)
        await pilot.press("y")
        await pilot.pause()
    assert copied == ["https://platform.openai.com/api-keys"]


async def test_what_is_configured_is_marked_and_a_new_one_appears(app: SwitchroomApp, vendor: Vendor) -> None:
    async with app.run_test(size=SIZE) as pilot:
        services = await opened(pilot)
        await pilot.press("B")
        text = await until(pilot, "Google Gemini")
        assert "● here" not in text
        from services.registry import ProviderDraft

        draft = ProviderDraft(slug="mine", type="groq", url=vendor.url)
        await services.registry.add(draft, None, test=False)
        await until(pilot, "● here")


async def test_the_palette_opens_it_from_anywhere_and_esc_goes_back_there(app: SwitchroomApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("3")
        await until(pilot, "Models ·")
        await pilot.press("colon")
        await until(pilot, "esc back")
        await type_text(pilot, "marketplace")
        await until(pilot, "every known vendor")
        await pilot.press("enter")
        await until(pilot, "Google Gemini")
        await pilot.press("escape")
        await until(pilot, "Models ·")
        await pilot.press("2")
        await until(pilot, "Providers ·")
        assert "marketplace" not in screen_text(app)


async def test_a_catalog_that_cannot_be_read_leaves_a_way_back(
    app: SwitchroomApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    from catalog.errors import UsageError

    async def broken(_services: object) -> list[object]:
        raise UsageError("The catalog is broken.", hint="Reinstall.")

    monkeypatch.setattr("services.marketplace.vendors", broken)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("B")
        await until(pilot, "The vendors could not be read")
        await pilot.press("escape")
        await until(pilot, "No providers yet")


# -- pictures --------------------------------------------------------------------------------------


def _shown(*keys: str, until_words: str) -> Callable[[Pilot[Any]], Any]:
    async def press(pilot: Pilot[Any]) -> None:
        await _market(pilot)
        await until(pilot, "today")
        await pilot.press(*keys)
        await until(pilot, until_words)

    return press


@pytest.mark.parametrize(
    "size", [(60, 20), (80, 24), (120, 40), (200, 60)], ids=lambda size: f"{size[0]}x{size[1]}"
)
def test_picture(app: SwitchroomApp, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(app, terminal_size=size, run_before=_shown(until_words="OpenAI"))


def test_picture_of_the_details(app: SwitchroomApp, snap_compare: Compare) -> None:
    keys = _shown("slash", *"bedrock", "enter", "i", until_words="sign-in with AWS")
    assert snap_compare(app, terminal_size=(80, 24), run_before=keys)
