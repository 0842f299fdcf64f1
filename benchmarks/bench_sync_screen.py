"""B8 and B11 together: how long the screen stalls while 30 providers bring 5,000 models to an open Models or Sync table."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
import tempfile
import time
from pathlib import Path

from adapters.loader import dialects
from benchmarks.bench_sync import BAR_STALL_MS, MODELS, PROVIDERS, longest, serve, watch
from catalog.bundled import provider_ids, spec
from services.container import open_services
from services.paths import under
from services.registry import ProviderDraft

SIZE = (120, 40)
TURNS = 25
"""Keys pressed while the sync runs."""


async def filled(home: Path, port: int) -> None:
    """The bundled vendors that can be spoken to, with the catalog's models, and 30 providers of the loopback server, never synced."""
    async with open_services(under(home), actor="bench") as services:
        for name in provider_ids():
            if (vendor := spec(name)) is None or vendor.dialect not in dialects():
                continue
            draft = ProviderDraft(slug=name, type=name, url="http://127.0.0.1:9/v1", auto_sync="off")
            await services.registry.add(draft, None, test=False)
        for number in range(PROVIDERS):
            url = f"http://127.0.0.1:{port}/{number}/v1"
            draft = ProviderDraft(slug=f"p{number:02}", url=url, auto_sync="off")
            await services.registry.add(draft, None, test=False)


async def stalls_of(mode: str) -> tuple[float, list[tuple[float, float]]]:
    """Seconds of the sync, and the stalls with this mode in front, scrolled all the while."""
    from tui.app import SwitchroomApp

    app = SwitchroomApp()
    slugs = [f"p{number:02}" for number in range(PROVIDERS)]
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause(2.0)
        await pilot.press(mode)
        await pilot.pause(1.5)
        assert app.opened
        stalls: list[tuple[float, float]] = []
        watcher = asyncio.create_task(watch(stalls))
        began = time.perf_counter()
        syncing = asyncio.create_task(app.services.sync.sync(slugs))
        for turn in range(TURNS):
            app.simulate_key("pagedown" if turn % 5 < 4 else "pageup")
            await asyncio.sleep(0.02)
        results = await syncing
        took = time.perf_counter() - began
        await asyncio.sleep(1.0)  # what is drawn because of it
        watcher.cancel()
        assert sum(result.total for result in results) == MODELS
        return took, stalls


async def measure(port: int) -> int:
    worst = 0.0
    for mode, words in (("3", "Models"), ("4", "Sync")):
        with tempfile.TemporaryDirectory() as folder:
            os.environ["SWITCHROOM_HOME"] = folder
            await filled(Path(folder), port)
            for what in ("cold", "unchanged"):
                took, stalls = await stalls_of(mode)
                clock, own = longest(stalls)
                worst = max(worst, clock)
                print(
                    f"  {words} open, {what}: sync {took * 1000:.0f} ms,"
                    f" longest stall {clock:.0f} ms, own work {own:.0f} ms"
                )
    print(f"  worst {worst:.0f} ms (bar ≤ {BAR_STALL_MS:g} ms)")
    return 0 if worst <= BAR_STALL_MS else 1


def main() -> int:
    os.environ |= {
        "SWITCHROOM_CATALOG__REFRESH": "off", "SWITCHROOM_DISCOVERY__AT_START": "off", "SWITCHROOM_SYNC__AT_START": "false",
    }  # fmt: skip
    context = multiprocessing.get_context("spawn")
    port = context.Value("i", 0)
    server = context.Process(target=serve, args=(port,), daemon=True)
    server.start()
    while not port.value:
        time.sleep(0.01)
    try:
        print(
            f"Sync of {PROVIDERS} providers, {MODELS:,} models, under an open screen of {SIZE[0]}×{SIZE[1]}"
        )
        return asyncio.run(measure(port.value))
    finally:
        server.terminate()


if __name__ == "__main__":
    sys.exit(main())
