"""Sync while much is going on: each provider's end in words, a list hard to believe, a vendor without a list, weights."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot
from tui_stage import NOW, Vendor, add_quietly, opened, screen_text, until

from services.clock import DAY_MS, HOUR_MS, MINUTE_MS, now_ms
from services.container import Services
from services.feed import SyncProgress
from services.paths import Paths
from services.sync_views import SyncView
from store.sync_runs import NO_LIST, SyncRunRow, SyncRuns
from tui.app import SwitchroomApp
from tui.screens.model_wire import size

SIZES = [(80, 24), (120, 40)]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHROOM_RETRY__INITIAL_DELAY", "0.01")
    monkeypatch.setenv("SWITCHROOM_SYNC__AT_START", "false")


def run(slug: str, code: str | None = None, words: str | None = None, total: int = 20, ago: int = MINUTE_MS, **more: Any) -> SyncRunRow:  # fmt: skip
    state = "ok" if words is None else "error"
    return SyncRunRow(len(slug), slug, NOW - ago, 812, state, code, words, total, **more)


def views() -> list[SyncView]:
    """Thirty providers; four of them in trouble, one without a list, some still on their way."""
    good = [f"vendor-{number:02}" for number in range(1, 26)]
    rows: list[tuple[str, SyncRunRow, SyncRunRow | None]] = [
        (
            slug,
            run(slug, total=160 + number, updated=3 if number % 4 == 0 else 0),
            run(slug, total=160 + number),
        )
        for number, slug in enumerate(good)
    ]
    before = run("bad-key", ago=9 * DAY_MS, total=44)
    rows += [
        ("bad-key", run("bad-key", "invalid_credentials", "bad-key refuses the key.", total=44), before),
        ("hanging", run("hanging", "timeout", "hanging did not give its models within 30 s.", 0), None),
        ("login-page", run("login-page", "unexpected_response", "login-page answers with a web page instead of a list of models.", 0), None),
        ("bare-array", run("bare-array", total=2, added=2), run("bare-array", total=2)),
        ("perplexity", run("perplexity", NO_LIST, total=5), run("perplexity", NO_LIST, total=5)),
    ]  # fmt: skip
    return [
        SyncView(slug, True, "6h", last, kept, last if last.added else None, NOW + 6 * HOUR_MS)
        for slug, last, kept in sorted(rows, key=lambda row: row[0])
    ]


@pytest.fixture
def busy(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> SwitchroomApp:
    async def overview(_self: object) -> list[SyncView]:
        return views()

    monkeypatch.setattr("services.sync.Sync.overview", overview)
    monkeypatch.setattr("tui.screens.sync._now", lambda: NOW)
    return SwitchroomApp(paths, mode="sync")


async def under_way(pilot: Pilot[Any]) -> None:
    app = pilot.app
    assert isinstance(app, SwitchroomApp)
    await opened(pilot)
    await until(pilot, "✕ too slow" if app.size.height > 30 else "✕ invalid key")
    for slug, phase in (
        ("vendor-01", "fetching"),
        ("vendor-02", "saving"),
        ("vendor-03", "retrying"),
        ("bad-key", "waiting"),
    ):
        app.services.feed.publish(SyncProgress(slug, phase, 12, 30))  # type: ignore[arg-type]
    app.set_work("syncing ▇▇▇░░░░░ 12/30 6.2/s ~3s left")
    await pilot.press("j", "j", "j", "j")
    await until(pilot, "◌ retrying")


@pytest.mark.parametrize("shape", SIZES, ids=lambda shape: f"{shape[0]}x{shape[1]}")
def test_during_a_sync_with_four_bad_providers(
    busy: SwitchroomApp, snap_compare: Callable[..., bool], shape: tuple[int, int]
) -> None:
    assert snap_compare(busy, terminal_size=shape, run_before=under_way)


async def test_all_failures_answer_to_one_filter(busy: SwitchroomApp) -> None:
    async with busy.run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        await until(pilot, "✕ too slow")
        await pilot.press("slash", *"state:failed", "enter")
        await until(pilot, "vendor-01", gone=True)
        text = screen_text(busy)
        for words in ("✕ invalid key", "✕ too slow", "✕ odd answer"):
            assert words in text
        assert "● no list" not in text


async def put(services: Services, row: SyncRunRow) -> None:
    async with services.db.transaction() as tx:
        await SyncRuns(services.db).insert(tx, row)


async def test_a_list_hard_to_believe_shows_what_it_would_have_changed(paths: Paths, vendor: Vendor) -> None:
    app = SwitchroomApp(paths, mode="sync")
    async with app.run_test(size=(120, 40)) as pilot:
        services = await opened(pilot)
        await add_quietly(services, "alfa", vendor)
        diff = json.dumps({"added": [], "removed": ["alpha", "beta"], "updated": []})
        words = "alfa suddenly lists no models instead of 2; the list from before stays."
        row = SyncRunRow(None, "alfa", now_ms(), 5, "error", "unexpected_response", words, 2, diff_json=diff)
        await put(services, row)
        await pilot.press("2", "4", "enter")
        text = await until(pilot, "would have changed: 2 gone")
        assert "alfa suddenly lists no models" in text
        assert "- gone" in text


async def test_a_vendor_without_a_list_is_no_failure(paths: Paths, vendor: Vendor) -> None:
    app = SwitchroomApp(paths, mode="sync")
    async with app.run_test(size=(120, 40)) as pilot:
        services = await opened(pilot)
        await add_quietly(services, "alfa", vendor)
        await put(services, SyncRunRow(None, "alfa", now_ms(), 5, "ok", NO_LIST, None, 5))
        await pilot.press("2", "4")
        text = await until(pilot, "● no list")
        assert "it works, but has no list of models to fetch. The catalog's 5 models are used." in text
        await pilot.press("enter")
        await until(pilot, "3 new")
        await pilot.press("g")
        await until(pilot, "It has no list to fetch")


async def test_a_models_page_says_what_its_server_says(paths: Paths, vendor: Vendor) -> None:
    app = SwitchroomApp(paths, mode="models")
    async with app.run_test(size=(120, 50)) as pilot:
        services = await opened(pilot)
        await add_quietly(services, "alfa", vendor)
        details = {"quantization": "Q4_K_M", "size_bytes": 4368439584, "parameter_count": 7241732096, "loaded": "yes",
                   "weights": "mistral-7b.gguf", "unheard_of": "x"}  # fmt: skip
        async with services.db.transaction() as tx:
            await tx.execute("UPDATE models SET details_json = ? WHERE id = 'alpha'", (json.dumps(details),))
        services.models._lists.forget(None)
        await until(pilot, "alpha")
        await pilot.press("enter")
        text = await until(pilot, "what it says beside the rest")
        for words in ("Q4_K_M", "4.37 GB", "7.24 billion", "mistral-7b.gguf", "loaded now"):
            assert words in text
        assert "unheard" not in text


def test_sizes_as_people_read_them() -> None:
    assert [size(n) for n in (12, 1_500, 4_368_439_584, 2 * 10**12)] == [
        "12 bytes",
        "1.5 kB",
        "4.37 GB",
        "2 TB",
    ]
