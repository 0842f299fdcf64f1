"""Pictures of Sync and Audit with fixed providers, syncs, entries and time: sizes, themes, no colour, ASCII."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from textual.pilot import Pilot
from tui_stage import NOW, opened, until

from services.clock import DAY_MS, HOUR_MS, MINUTE_MS
from services.dependents import Affected
from services.paths import Paths
from services.sync_diff import SyncChange
from services.sync_views import PriceChange, SyncView
from store.audit import AuditLog, load_key
from store.providers import ProviderRow
from store.sync_runs import SyncRunRow
from tui.app import SwitchroomApp

Compare = Callable[..., bool]
SIZES = [(60, 20), (80, 24), (120, 40), (200, 60)]


def _name(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def _run(number: int, slug: str, at: int, *, error: str | None = None, found: tuple[int, int, int] = (0, 0, 0), total: int = 41) -> SyncRunRow:  # fmt: skip
    state = "ok" if error is None else "error"
    return SyncRunRow(
        number,
        slug,
        at,
        141,
        state,
        error and ("invalid_credentials" if "the key" in error else "network"),
        error,
        total,
        *found,
    )


def _views() -> list[SyncView]:
    morning, good = NOW - 16 * HOUR_MS, NOW - 2 * DAY_MS
    anthropic = _run(1, "anthropic", morning, total=9)
    before = _run(2, "azure-eu", good, total=12)
    refused = _run(
        3,
        "azure-eu",
        morning,
        error="azure-eu does not accept the key: Incorrect API key provided.",
        total=12,
    )
    lately = _run(4, "openai-prod", NOW - 12 * MINUTE_MS, found=(1, 2, 1))
    return [
        SyncView("anthropic", True, "6h", anthropic, anthropic, _run(9, "anthropic", NOW - 26 * DAY_MS), NOW + 3 * HOUR_MS, PriceChange(NOW - 40 * DAY_MS, rose=True, fell=False)),
        SyncView("azure-eu", True, "0 6 * * 1-5", refused, before, before, NOW + 8 * HOUR_MS),
        SyncView("gemini", True, "start", None, None, None, None),
        SyncView("ollama-on-the-rack-in-the-basement", False, "off", None, None, None, None),
        SyncView("openai-prod", True, "1d", lately, lately, lately, NOW + DAY_MS, PriceChange(NOW - 12 * MINUTE_MS, rose=False, fell=True)),
    ]  # fmt: skip


CHANGES = [
    SyncChange("price", "gpt-4o", "price.input", "2.5", "3"),
    SyncChange("price", "gpt-4o-mini", "price.output", "0.6", "0.3"),
    SyncChange("swapped", "llama-4-maverick", "created", 1_700_000_000, 1_750_000_000),
    SyncChange("changed", "gpt-4o", "capabilities", ["tools"], ["tools", "vision"]),
    SyncChange("new", "gpt-6-luna"),
    SyncChange("gone", "gpt-3.5-turbo-instruct-0914-with-a-long-name"),
]


@pytest.fixture
def syncs(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> SwitchroomApp:
    async def overview(_self: object) -> list[SyncView]:
        return _views()

    async def history(_self: object, slug: str, limit: int = 200) -> list[SyncRunRow]:
        return [
            _run(7, slug, NOW - 12 * MINUTE_MS, found=(1, 2, 1)),
            _run(6, slug, NOW - DAY_MS, error="Nothing answers at openai-prod."),
            *(_run(number, slug, NOW - (7 - number) * DAY_MS) for number in (5, 4, 3, 2)),
        ]

    async def changes(_self: object, run_id: int) -> list[SyncChange]:
        return CHANGES if run_id == 7 else []

    async def touched(_services: object, slug: str, _models: object) -> Affected:
        return Affected(
            {"gpt-4o": ("default for new chats", f"default of {slug}", "12 conversations")},
            frozenset({"gpt-4o-mini"}),
            ("the monthly budget of all",),
        )

    async def row(_self: object, _slug: str) -> ProviderRow:
        from tui_stage import fixed_views

        return fixed_views()[5].row

    monkeypatch.setattr("services.sync.Sync.overview", overview)
    monkeypatch.setattr("services.sync.Sync.history", history)
    monkeypatch.setattr("services.sync.Sync.changes", changes)
    monkeypatch.setattr("services.dependents.affected", touched)
    monkeypatch.setattr("services.registry.Registry.row", row)
    monkeypatch.setattr("tui.screens.sync._now", lambda: NOW)
    return SwitchroomApp(paths, mode="sync")


async def sync_ready(pilot: Pilot[Any]) -> None:
    await opened(pilot)
    await until(pilot, "✕ invalid key")
    await until(pilot, "today")
    await pilot.press("j")
    await until(pilot, "azure-eu does not accept")


async def detail_ready(pilot: Pilot[Any]) -> None:
    await sync_ready(pilot)
    await pilot.press("G", "enter")
    await until(pilot, "1 dearer")


@pytest.mark.parametrize("size", SIZES, ids=_name)
def test_sync(syncs: SwitchroomApp, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(syncs, terminal_size=size, run_before=sync_ready)


@pytest.mark.parametrize("size", SIZES, ids=_name)
def test_sync_detail(syncs: SwitchroomApp, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(syncs, terminal_size=size, run_before=detail_ready)


def test_schedule_window(syncs: SwitchroomApp, snap_compare: Compare) -> None:
    async def window(pilot: Pilot[Any]) -> None:
        await sync_ready(pilot)
        await pilot.press("i")
        await until(pilot, "synced by itself when?")

    assert snap_compare(syncs, terminal_size=(80, 24), run_before=window)


ACTOR = "anna@host (ssh 10.0.0.1) tui[4242]"
LIMIT = {"alert": 0.8, "until": None}
ENTRIES: tuple[tuple[str, str, str, str, dict[str, object], str | None], ...] = (
    ("bo@box cli[7]", "provider.add", "openai-prod", "ok", {"catalog_id": "openai", "endpoint": "https://api.openai.com/v1", "key": "keyring:openai-prod", "key_last4": "vX2Q", "tested": True}, "first set-up"),
    ("bo@box cli[7]", "provider.sync", "openai-prod", "ok", {"total": 41, "added": 41, "updated": 0, "removed": 0, "duration_ms": 412, "error": None}, None),
    (ACTOR, "budget.set", "provider:openai-prod monthly", "ok", {"before": None, "after": {"limit_usd": "50", **LIMIT}}, None),
    (ACTOR, "provider.test", "azure-eu", "invalid_credentials", {"latency_ms": 212}, None),
    (ACTOR, "provider.edit", "openai-prod", "ok", {"before": {"auto_sync": "off", "timeout_s": None}, "after": {"auto_sync": "6h", "timeout_s": 60.0}}, "answers crawl in the afternoon"),
    ("bo@box cli[9]", "run", "openai-prod/gpt-4o", "complete", {"attempts": 1, "input": 812, "output": 340, "cost_usd": "0.0054", "error": None, "caller": "cli"}, None),
    ("bo@box cli[9]", "run", "openai-prod/gpt-4o", "refused", {"code": "over_budget"}, None),
    (ACTOR, "setting.set", "appearance.theme", "ok", {"before": "dark", "after": "light"}, None),
    (ACTOR, "budget.set", "global daily", "ok", {"before": {"limit_usd": "5", **LIMIT}, "after": {"limit_usd": "8", **LIMIT}}, "more people in the pilot"),
)  # fmt: skip


def logged(
    more: Callable[[Pilot[Any]], Awaitable[None]] | None = None,
) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Write the entries, wait until they are on the screen, then `more`."""

    async def ready(pilot: Pilot[Any]) -> None:
        services = await opened(pilot)
        log = AuditLog(services.db, load_key(services.paths.audit_key))
        async with services.db.transaction() as tx:
            for number, (actor, action, subject, result, detail, reason) in enumerate(ENTRIES):
                at = NOW - (len(ENTRIES) - number) * 5 * HOUR_MS
                await log.append(
                    tx, at=at, actor=actor, action=action, subject=subject, result=result, detail=detail, reason=reason
                )  # fmt: skip
        await until(pilot, "more people in")
        await until(pilot, "today")
        if more is not None:
            await more(pilot)

    return ready


@pytest.fixture
def audit(paths: Paths) -> SwitchroomApp:
    return SwitchroomApp(paths, mode="audit")


@pytest.mark.parametrize("size", SIZES, ids=_name)
def test_audit(audit: SwitchroomApp, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(audit, terminal_size=size, run_before=logged())


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=_name)
def test_audit_record(
    audit: SwitchroomApp, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    monkeypatch.setattr("tui.screens.audit_words.signature", lambda _row: "a1b2c3d4…e5f60718")

    async def record(pilot: Pilot[Any]) -> None:
        await pilot.press("enter")
        await until(pilot, "Audit › entry 9")

    assert snap_compare(audit, terminal_size=size, run_before=logged(record))


def test_audit_filtered(audit: SwitchroomApp, snap_compare: Compare) -> None:
    async def filtered(pilot: Pilot[Any]) -> None:
        await pilot.press("slash", *("b", "u", "d", "g", "e", "t"))
        await until(pilot, "3 found in all 9")

    assert snap_compare(audit, terminal_size=(120, 40), run_before=logged(filtered))


def test_audit_empty(audit: SwitchroomApp, snap_compare: Compare) -> None:
    async def ready(pilot: Pilot[Any]) -> None:
        await opened(pilot)
        await until(pilot, "Nothing is recorded yet")
        await until(pilot, "today")

    assert snap_compare(audit, terminal_size=(80, 24), run_before=ready)


@pytest.mark.parametrize("theme", ["light", "ansi"])
def test_other_themes(
    syncs: SwitchroomApp, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch, theme: str
) -> None:
    monkeypatch.setenv("SWITCHROOM_APPEARANCE__THEME", theme)
    assert snap_compare(syncs, terminal_size=(120, 40), run_before=detail_ready)


def test_without_colour(
    paths: Paths, syncs: SwitchroomApp, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert syncs
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(SwitchroomApp(paths, mode="sync"), terminal_size=(80, 24), run_before=detail_ready)


def test_audit_in_ascii(audit: SwitchroomApp, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHROOM_APPEARANCE__ASCII", "true")
    assert snap_compare(audit, terminal_size=(80, 24), run_before=logged())


@pytest.mark.parametrize(
    ("name", "value"),
    [("SWITCHROOM_APPEARANCE__THEME", "light"), ("SWITCHROOM_APPEARANCE__THEME", "ansi"), ("NO_COLOR", "1")],
    ids=["light", "ansi", "no-colour"],
)
def test_audit_looks(
    paths: Paths, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert snap_compare(SwitchroomApp(paths, mode="audit"), terminal_size=(80, 24), run_before=logged())
