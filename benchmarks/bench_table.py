"""B8: the model table with 50,000 rows: populate it, and a filter key to its frame, in a real headless app."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from textual.app import App, ComposeResult

from tui.themes import DARK
from tui.widgets.columns import Column
from tui.widgets.table import VirtualTable

ROWS = 50_000
POPULATE_MS, FILTER_MS = 60.0, 70.0
WORDS = ["gpt", "claude", "gemini", "llama", "qwen", "mistral", "deepseek", "phi", "command", "nova"]


@dataclass(frozen=True, slots=True)
class Model:
    """A row as the Models mode has it."""

    ref: str
    provider: str
    price: float
    context: int


def models() -> list[Model]:
    chance = random.Random(7)
    return [
        Model(f"vendor-{i % 30}/{chance.choice(WORDS)}-{i}-{chance.choice(WORDS)}", f"vendor-{i % 30}", i % 97 / 10, 8192 << i % 8)
        for i in range(ROWS)
    ]  # fmt: skip


COLUMNS: tuple[Column[Model], ...] = (
    Column("ref", "model", lambda m: m.ref, width=20, max_width=60, flex=1, cut="middle"),
    Column("provider", "provider", lambda m: m.provider, width=12, priority=1),
    Column("price", "$in/1M", lambda m: f"${m.price:.2f}", width=8, align="right", priority=2),
    Column("context", "context", lambda m: str(m.context), width=9, align="right", priority=3),
)


class Bench(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.register_theme(DARK)
        self.theme = "dark"

    def compose(self) -> ComposeResult:
        yield VirtualTable(COLUMNS, key=lambda m: m.ref, search=lambda m: f"{m.ref} {m.provider}")


async def _frame(app: App[None], change: object) -> float:
    """Milliseconds from a change to the frame that shows it."""
    done = asyncio.Event()
    start = time.perf_counter()
    assert callable(change)
    change()
    app.call_after_refresh(done.set)
    await done.wait()
    return (time.perf_counter() - start) * 1000


async def measure() -> tuple[float, float, list[float]]:
    rows = models()
    app = Bench()
    async with app.run_test(size=(120, 40)) as pilot:
        table = app.query_one(VirtualTable)
        await pilot.pause()
        populate = await _frame(app, lambda: table.set_rows(rows))
        keys = []
        for text in ("g", "gp", "gpt", "gpt 4", "gpt 49", "zzz", "", "vendor-7 llama", "q"):
            keys.append(await _frame(app, lambda text=text: table.set_filter(text)))
        return populate, keys[0], keys


def main() -> int:
    runs = [asyncio.run(measure()) for _ in range(3)]
    populate = min(run[0] for run in runs)
    first = min(run[1] for run in runs)
    worst = min(max(run[2]) for run in runs)
    print(
        f"B8 populate {ROWS:,} rows   {populate:6.1f} ms   bar {POPULATE_MS:.0f} ms   {populate / POPULATE_MS:.2f} x the bar"
    )
    print(f"B8 first filter key        {first:6.1f} ms")
    print(
        f"B8 worst filter key        {worst:6.1f} ms   bar {FILTER_MS:.0f} ms   {worst / FILTER_MS:.2f} x the bar"
    )
    return 0 if populate <= POPULATE_MS and worst <= FILTER_MS else 1


if __name__ == "__main__":
    sys.exit(main())
