"""The Models mode, driven by keys: what is found, ordered, switched, estimated, exported, and what a page says."""

from __future__ import annotations

import csv
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from models_stage import LONG, stock
from textual.pilot import Pilot
from tui_stage import NOW, opened, screen_text, type_text, until

from services.paths import Paths
from store.models import ModelRow, Models
from tui.app import SwitchroomApp
from tui.screens.model_detail import ModelDetail
from tui.screens.models import ModelsScreen
from tui.widgets.line import Line
from tui.widgets.table import VirtualTable


@pytest.fixture
def app(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> SwitchroomApp:
    for module in ("tui.screens.model_columns", "tui.screens.model_detail", "services.model_records"):
        monkeypatch.setattr(f"{module}.now_ms", lambda: NOW)
    return SwitchroomApp(paths, mode="models")


@pytest.fixture
async def pilot(app: SwitchroomApp) -> AsyncIterator[Pilot[int]]:
    async with app.run_test(size=(140, 40)) as one:
        await stock(await opened(one))
        await until(one, "10 models of 4 providers")
        yield one


def table(app: SwitchroomApp) -> VirtualTable[object]:
    return app.screen.query_one(VirtualTable)


def names(app: SwitchroomApp) -> list[str]:
    return [view.info.id for view in table(app).shown]  # type: ignore[attr-defined]


async def filtered(pilot: Pilot[int], text: str) -> list[str]:
    app = pilot.app
    assert isinstance(app, SwitchroomApp)
    await pilot.press("slash")
    app.screen.query_one(Line).value = text
    await pilot.pause()
    await pilot.press("enter")
    return names(app)


async def test_nothing_yet_names_the_keys_that_fill_it(app: SwitchroomApp) -> None:
    async with app.run_test(size=(100, 20)) as pilot:
        await opened(pilot)
        text = await until(pilot, "No models yet. Press 2, then a to add a provider")
        assert "o order" not in text
        await pilot.press("o", "x", "enter", "c", "E", "d", "s")
        assert isinstance(app.screen, ModelsScreen)


async def test_the_table_says_what_is_asked_first(pilot: Pilot[int], app: SwitchroomApp) -> None:
    text = screen_text(app)
    opus = next(line for line in text.splitlines() if "opus-9" in line)
    for words in ("● on", "alpha", "$15.00", "$75.00", "1M", "TVR··", "1.2s", "50"):
        assert words in opus
    assert "● default" in next(line for line in text.splitlines() if "haiku-9" in line)
    assert "✕ gone" in next(line for line in text.splitlines() if "old-2" in line)
    assert "○ off" in next(line for line in text.splitlines() if "sleeper" in line)
    assert "embed" in next(line for line in text.splitlines() if "embed-3" in line)
    own = next(line for line in text.splitlines() if "llama3:8b" in line)
    assert "own" in own
    assert "$0" not in own
    unknown = next(line for line in text.splitlines() if "モデル" in line)
    assert "—" in unknown
    assert "$0" not in unknown
    assert "10 models of 4 providers · 7 on" in text
    assert "T tools  V vision" in text
    long = next(line for line in text.splitlines() if "accounts/" in line)
    assert "…" in long
    assert "2507-fp8" in long


async def test_the_dearest_model_is_one_key_away(pilot: Pilot[int], app: SwitchroomApp) -> None:
    await pilot.press("j", "j", "o")
    text = await until(pilot, "dearest first")
    assert "$in/1M▼" in text
    assert "o order: $in/1M ▼" in text
    assert names(app)[0] == "opus-9"
    assert table(app).cursor_key == "alpha/opus-9"
    await pilot.press("I")
    text = await until(pilot, "cheapest first")
    assert names(app)[0] == "embed-3"
    assert set(names(app)[-2:]) == {"日本語モデル-7b", "llama3:8b"}, (
        "unknown and own prices come last either way"
    )
    for _ in range(12):
        await pilot.press("o")
        if table(app).sorted_by is None:
            break
    assert "first" not in screen_text(app).splitlines()[3]
    assert names(app)[0] == "haiku-9"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("provider:beta", {"mini", "embed-3", "日本語モデル-7b", LONG}),
        ("cap:vision", {"sonnet-9", "opus-9"}),
        ("price<1", {"haiku-9", "mini", "embed-3", LONG, "llama3:8b"}),
        ("out>20", {"opus-9", "old-2"}),
        ("ctx>=200k price<5", {"sonnet-9", "haiku-9", LONG}),
        ("enabled:no", {LONG, "sleeper"}),
        ("enabled:yes provider:quiet", set()),
        ("available:no", {"old-2"}),
        ("chat:no", {"embed-3"}),
        ("status:unav", {"old-2"}),
        ("source:own", {"llama3:8b"}),
        ("source:none", {"日本語モデル-7b"}),
        ("ttft>1000", {"opus-9"}),
        ("speed>60", {"mini"}),
        ("opus", {"opus-9"}),
        ("-provider:alpha tools", {"mini", LONG, "llama3:8b", "sleeper"}),
        ("snt9", {"sonnet-9"}),
    ],
)
async def test_each_facet_narrows(pilot: Pilot[int], text: str, expected: set[str]) -> None:
    assert set(await filtered(pilot, text)) == expected


async def test_esc_clears_the_filter_and_the_marks(pilot: Pilot[int], app: SwitchroomApp) -> None:
    await filtered(pilot, "provider:alpha")
    await pilot.press("asterisk")
    assert "4 marked" in await until(pilot, "4 marked")
    await pilot.press("escape")
    await until(pilot, "4 marked", gone=True)
    assert len(names(app)) == 10
    assert table(app).marked == frozenset()


async def test_x_switches_all_marked_in_one_change_and_says_so(pilot: Pilot[int], app: SwitchroomApp) -> None:
    await filtered(pilot, "provider:alpha -available:no")
    await pilot.press("asterisk", "x")
    await until(pilot, "4 on")
    assert app.notices[-1].message == "3 models switched off."
    rows = await app.services.audit.list(subject="alpha", limit=10)
    assert [row.action for row in rows if row.action == "model.disable"] == ["model.disable"]
    await pilot.press("x")
    await until(pilot, "7 on")
    assert app.notices[-1].message == "3 models switched on."
    assert table(app).marked == {"alpha/sonnet-9", "alpha/opus-9", "alpha/haiku-9"}


async def test_c_chats_with_the_model_or_says_why_not(pilot: Pilot[int], app: SwitchroomApp) -> None:
    for text, why in (
        ("embed", "embed-3 does not chat."),
        ("provider:beta fp8", "is switched off."),
        ("old-2", "alpha no longer offers old-2."),
        ("sleeper", "quiet is switched off."),
    ):
        await filtered(pilot, text)
        await pilot.press("c")
        await app.workers.wait_for_complete()
        assert why in app.notices[-1].message
        await pilot.press("escape")
    await filtered(pilot, "opus")
    await pilot.press("c")
    await until(pilot, "alpha/opus-9")
    assert app.current_mode == "chat"


async def test_d_makes_the_model_the_one_new_chats_start_with(pilot: Pilot[int], app: SwitchroomApp) -> None:
    await filtered(pilot, "opus")
    await pilot.press("d")
    text = await until(pilot, "● default")
    assert "opus-9" in next(line for line in text.splitlines() if "● default" in line)
    assert await app.services.models.default() == "alpha/opus-9"
    await pilot.press("escape")
    await filtered(pilot, "embed")
    await pilot.press("d")
    await app.workers.wait_for_complete()
    assert "cannot start with" in app.notices[-1].message


async def test_e_estimates_a_prompt_on_the_marked_the_cheapest_first(
    pilot: Pilot[int], app: SwitchroomApp
) -> None:
    await filtered(pilot, "provider:alpha,beta,home")
    await pilot.press("asterisk", "E")
    await until(pilot, "What would a prompt cost on 7 models?")
    await type_text(pilot, "hello there")
    await pilot.press("enter")
    text = await until(pilot, "the cheapest first")
    window = [line for line in text.splitlines() if "│" in line]
    order = [name for line in window for name in ("llama3:8b", "mini", "haiku-9", "sonnet-9", "opus-9", "モデル") if name in line]  # fmt: skip
    assert order == ["llama3:8b", "mini", "haiku-9", "sonnet-9", "opus-9", "モデル"]
    assert "tokens in" in text
    assert "at most" in text
    await pilot.press("down", "enter")
    await until(pilot, "beta/mini")
    assert app.current_mode == "chat"


async def test_y_copies_the_reference(pilot: Pilot[int], app: SwitchroomApp) -> None:
    await filtered(pilot, "opus")
    await pilot.press("y")
    await pilot.pause()
    assert app.clipboard == "alpha/opus-9"


async def test_x_capital_exports_what_is_shown(pilot: Pilot[int], app: SwitchroomApp, tmp_path: Path) -> None:
    await filtered(pilot, "provider:alpha")
    await pilot.press("X")
    await until(pilot, "Export 4 rows")
    app.screen.query_one(Line).value = str(tmp_path / "m.csv")
    await pilot.press("enter")
    await until(pilot, "Export 4 rows", gone=True)
    await app.workers.wait_for_complete()
    with (tmp_path / "m.csv").open(newline="") as file:
        rows = {row["model"]: row for row in csv.DictReader(file)}
    assert rows["opus-9"]["usd_per_1m_input"] == "15"
    assert rows["opus-9"]["runs_30d"] == "20"
    assert rows["old-2"]["available"] == "no"
    assert rows["sonnet-9"]["cost_30d_usd"] == ""


async def test_a_page_names_the_source_of_each_fact(
    pilot: Pilot[int], app: SwitchroomApp, tmp_path: Path
) -> None:
    await filtered(pilot, "opus")
    await pilot.press("enter")
    text = await until(pilot, "the last 30 days")
    assert isinstance(app.screen, ModelDetail)
    assert "Models › alpha/opus-9" in text
    for words in ("Opus 9", "$15.00", "$75.00", "1 000 000", "✓ yes", "not listed", "JSON, audio", "live list, 12m ago", "20, 5.0% failed", "tok/s"):  # fmt: skip
        assert words in text
    await pilot.press("x")
    await until(pilot, "○ off")
    await pilot.press("x")
    await until(pilot, "● on")
    await pilot.press("d")
    await until(pilot, "new chats start with it")
    await pilot.press("y")
    await pilot.pause()
    assert app.clipboard == "alpha/opus-9"
    await pilot.press("X")
    await until(pilot, "Export 1 row")
    app.screen.query_one(Line).value = str(tmp_path / "one.json")
    await pilot.press("enter")
    await until(pilot, "Export 1 row", gone=True)
    await app.workers.wait_for_complete()
    assert json.loads((tmp_path / "one.json").read_text())[0]["ref"] == "alpha/opus-9"
    await pilot.press("escape")
    await until(pilot, "1 of 10")
    await pilot.press("enter", "c")
    await until(pilot, "alpha/opus-9")


async def test_a_page_says_what_is_unknown_own_or_over(pilot: Pilot[int], app: SwitchroomApp) -> None:
    for ref, words in (
        ("beta/日本語モデル-7b", ("unknown", "e types a price in, m names the model it is", "none yet")),
        ("home/llama3:8b", ("no price per token",)),
        ("alpha/old-2", ("✕ gone", "not in the provider's list; s asks again")),
        ("quiet/sleeper", ("○ off", "quiet is off: 2, then x on it")),
    ):
        app.push_screen(ModelDetail(ref))
        text = await until(pilot, "the last 30 days")
        for part in words:
            assert part in text
        assert "$0" not in "".join(text.splitlines()[2:])
        await pilot.press("escape")


async def test_what_changes_elsewhere_arrives_without_moving_the_cursor(
    pilot: Pilot[int], app: SwitchroomApp
) -> None:
    from services.feed import StoreChangedElsewhere

    await pilot.press("j", "j", "space")
    key, marks = table(app).cursor_key, table(app).marked
    services = app.services
    async with services.db.transaction() as tx:
        await Models(services.db).replace_live(
            tx, "quiet", [ModelRow("quiet", "aaa-new", first_seen=1, last_seen=NOW)]
        )
    services.feed.publish(StoreChangedElsewhere())
    await until(pilot, "aaa-new")
    assert (table(app).cursor_key, table(app).marked) == (key, marks)


async def test_a_change_behind_another_mode_is_loaded_on_return(
    pilot: Pilot[int], app: SwitchroomApp
) -> None:
    await pilot.press("2")
    await until(pilot, "endpoint")
    await app.services.models.set_enabled(["alpha/opus-9"], False)
    await pilot.press("3")
    await until(pilot, "6 on")
    assert app.current_mode == "models"


async def test_a_page_says_what_the_provider_takes_off(pilot: Pilot[int], app: SwitchroomApp) -> None:
    from decimal import Decimal

    from services.registry import ProviderDraft

    await app.services.registry.edit("alpha", ProviderDraft(discount_pct=Decimal("12.5")))
    app.push_screen(ModelDetail("alpha/opus-9"))
    text = await until(pilot, "the last 30 days")
    assert "12.5 % off" in text
