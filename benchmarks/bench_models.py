"""The Models mode over every vendor of the catalog and 5,000 synced models: how long the screen is held up by what one does."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

SYNCED = 5_000
SERVERS = 10
BAR_MS = 50.0
FILTERS = ("g", "gp", "gpt", "gpt 4", "provider:server-3", "price<1", "price<1 ctx>100k", "cap:vision", "-cap:vision price>5", "zzz", "")  # fmt: skip


class Watch:
    """The longest time the loop was not given back."""

    def __init__(self) -> None:
        self._last = time.perf_counter()
        self._longest = 0.0
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(0.0005)
            now = time.perf_counter()
            self._longest = max(self._longest, now - self._last)
            self._last = now

    async def of(self, act: Callable[[], object]) -> float:
        """Milliseconds of the longest stall from the act until nothing has been going on for a while."""
        self._longest = 0.0
        begun = time.perf_counter()
        found = act()
        own = time.perf_counter() - begun
        if isinstance(found, Awaitable):
            await found
        quiet = time.perf_counter()
        while time.perf_counter() - quiet < 0.25:
            before = self._longest
            await asyncio.sleep(0.02)
            if self._longest > before and self._longest > 0.01:
                quiet = time.perf_counter()
        return max(self._longest, own) * 1000

    def stop(self) -> None:
        self._task.cancel()


async def stock(services: object) -> None:
    """A provider of every vendor, and servers with 5,000 models among them."""
    from services.container import Services
    from store.models import ModelRow, Models
    from store.providers import ProviderRow, Providers

    assert isinstance(services, Services)
    able = [("tools",), ("tools", "vision"), ("tools", "vision", "reasoning"), None]
    words = ("gpt", "claude", "llama", "qwen", "mistral", "deepseek")
    async with services.db.transaction() as tx:
        for spec in services.catalog.specs():
            row = ProviderRow(spec.id, spec.name, spec.dialect, spec.endpoint.replace("{", "").replace("}", ""), 1, 1, catalog_id=spec.id, state="ok", auto_sync="off")  # fmt: skip
            await Providers(services.db).insert(tx, row)
        for number in range(SERVERS):
            slug = f"server-{number}"
            row = ProviderRow(slug, slug, "openai", f"https://{slug}.example/v1", 1, 1, state="ok", auto_sync="off")  # fmt: skip
            await Providers(services.db).insert(tx, row)
            models = [
                ModelRow(
                    slug, f"{words[n % 6]}-{n}-{words[n % 5]}", chat=True, first_seen=1, last_seen=1, context_window=8192 << n % 8,
                    price_json=None if n % 11 == 0 else f'{{"input":"{n % 997 / 100:.2f}","output":"{n % 997 / 25:.2f}"}}',
                    capabilities=able[n % 4], max_output=4096,
                )
                for n in range(SYNCED // SERVERS)
            ]  # fmt: skip
            await Models(services.db).replace_live(tx, slug, models)


def fetch(folder: Path) -> None:
    """Lists as two sources would have brought them: all that is bundled, and 400 models more on one vendor."""
    from catalog.bundled import provider, provider_ids
    from catalog.refreshed import prepare, put

    vendors = {
        name: {model.id: model for model in found.models}
        for name in provider_ids()
        if (found := provider(name))
    }
    some = next(iter(vendors["openrouter"].values()))
    more = {f"lab-{n}/model-{n}": some.model_copy(update={"id": f"lab-{n}/model-{n}"}) for n in range(400)}
    vendors["openrouter"] |= more
    for source in ("modelsdev", "catwalk"):
        put(
            prepare(folder, source, vendors, url=f"https://{source}.example", etag=None, at=1), folder, source
        )


async def measure() -> dict[str, float]:
    """Milliseconds of the longest stall, by what was done."""
    from services.feed import CatalogChanged, ModelsChanged
    from tui.app import SwitchroomApp
    from tui.screens.model_actions import estimate  # noqa: F401  as it is after a first use
    from tui.screens.models import ModelsScreen
    from tui.widgets.table import VirtualTable

    app = SwitchroomApp(mode="overview")
    async with app.run_test(size=(120, 40)) as pilot:
        while not app.opened:
            await pilot.pause(0.02)
        app.action_mode("models")  # the mode's style sheets take their time with no models too
        while not isinstance(app.screen, ModelsScreen):
            await pilot.pause(0.02)
        await pilot.pause(0.2)
        table = app.screen.query_one(VirtualTable)
        await stock(app.services)
        watch = Watch()
        found: dict[str, float] = {}
        feed = app.services.feed

        async def read() -> None:
            feed.publish(ModelsChanged(None))
            for _ in range(2_000):
                if table.rows:
                    break
                await asyncio.sleep(0.005)

        await watch.of(partial(bool))
        found["all read for the first time"] = await watch.of(read)
        keys = {text: await watch.of(partial(table.set_filter, text)) for text in FILTERS}
        found["first filter key"], found["worst filter key"] = keys["g"], max(keys.values())
        found["order"] = max([await watch.of(table.next_order) for _ in range(3)])
        found["order reversed"] = await watch.of(table.action_reverse)
        found["to the end"] = await watch.of(table.action_last)
        found["mark all"] = await watch.of(table.action_mark_all)
        await watch.of(lambda: feed.publish(ModelsChanged("server-3")))
        found["one provider changed"] = await watch.of(lambda: feed.publish(ModelsChanged("server-3")))

        async def catalog_changed() -> None:
            before = table.rows[0]
            app.services.catalog.forget()
            feed.publish(CatalogChanged())
            for _ in range(2_000):
                if table.rows[0] is not before:
                    break
                await asyncio.sleep(0.005)

        found["the catalog changed"] = await watch.of(catalog_changed)
        await asyncio.to_thread(fetch, app.services.paths.refreshed_catalog)
        found["newer facts were fetched"] = await watch.of(catalog_changed)
        print(f"{len(table.rows):,} models", file=sys.stderr)
        watch.stop()
        return found


def main() -> int:
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {
            "SWITCHROOM_HOME": home, "SWITCHROOM_DISCOVERY__AT_START": "off", "SWITCHROOM_SYNC__AT_START": "false",
            "SWITCHROOM_CATALOG__REFRESH": "off",
        }  # fmt: skip
        found = asyncio.run(measure())
    for name, figure in found.items():
        print(f"Models {name:<26} {figure:6.1f} ms   bar {BAR_MS:.0f} ms   {figure / BAR_MS:.2f} x the bar")
    return 0 if all(figure <= BAR_MS for figure in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
