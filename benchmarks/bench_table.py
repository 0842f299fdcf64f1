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
from tui.widgets.facets import Facet
from tui.widgets.table import VirtualTable

ROWS = 50_000
POPULATE_MS, FILTER_MS = 60.0, 70.0
WORDS = ["gpt", "claude", "gemini", "llama", "qwen", "mistral", "deepseek", "phi", "command", "nova"]
PLAIN = ("g", "gp", "gpt", "gpt 4", "gpt 49", "zzz", "", "vendor-7 llama", "q")
FUZZY = ("gpt7q", "vndr", "vndrclaude", "mstrlnova9", "!gpt vndr9")
FACETS = ("provider:vendor-1", "price<1", "price<1 ctx>100k", "-cap:vision price>5 lama", "cap:vision gpt7q")


@dataclass(frozen=True, slots=True)
class Model:
    """A row as the Models mode has it."""

    ref: str
    provider: str
    price: float | None
    context: int
    abilities: tuple[str, ...]


def models() -> list[Model]:
    chance = random.Random(7)
    able = [("tools",), ("tools", "vision"), ("tools", "vision", "reasoning"), ()]
    return [
        Model(
            f"vendor-{i % 30}/{chance.choice(WORDS)}-{i}-{chance.choice(WORDS)}", f"vendor-{i % 30}",
            None if i % 11 == 0 else i % 9973 / 997, 8192 << i % 8, able[i % 4],
        )
        for i in range(ROWS)
    ]  # fmt: skip


COLUMNS: tuple[Column[Model], ...] = (
    Column("ref", "model", lambda m: m.ref, width=20, max_width=60, flex=1, cut="middle", sort=lambda m: m.ref),
    Column("provider", "provider", lambda m: m.provider, width=12, priority=1),
    Column("price", "$in/1M", lambda m: f"${m.price or 0:.2f}", width=8, align="right", priority=2, sort=lambda m: m.price),
    Column("context", "context", lambda m: str(m.context), width=9, align="right", priority=3),
)  # fmt: skip
NARROWED: tuple[Facet[Model], ...] = (
    Facet("provider", words=lambda m: (m.provider,)),
    Facet("cap", words=lambda m: m.abilities),
    Facet("price", number=lambda m: m.price),
    Facet("ctx", number=lambda m: m.context),
)


class Bench(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.register_theme(DARK)
        self.theme = "dark"

    def compose(self) -> ComposeResult:
        yield VirtualTable(
            COLUMNS, key=lambda m: m.ref, search=lambda m: f"{m.ref} {m.provider}", facets=NARROWED
        )


async def _frame(app: App[None], change: object) -> float:
    """Milliseconds from a change to the frame that shows it."""
    done = asyncio.Event()
    start = time.perf_counter()
    assert callable(change)
    change()
    app.call_after_refresh(done.set)
    await done.wait()
    return (time.perf_counter() - start) * 1000


async def measure() -> dict[str, float]:
    """Milliseconds by what was done; of several keys the slowest."""
    rows = models()
    app = Bench()
    async with app.run_test(size=(120, 40)) as pilot:
        table = app.query_one(VirtualTable)
        await pilot.pause()

        async def slowest(*filters: str) -> float:
            return max([await _frame(app, lambda text=text: table.set_filter(text)) for text in filters])

        found = {"populate": await _frame(app, lambda: table.set_rows(rows))}
        found["first filter key"] = await slowest("g")
        found["worst filter key"] = await slowest(*PLAIN)
        found["worst fuzzy key"] = await slowest(*FUZZY)
        found["worst facet key"] = await slowest(*FACETS)
        await slowest("")
        found["order"] = await _frame(app, lambda: table.sort_by("price", descending=True))
        found["order reversed"] = await _frame(app, lambda: table.sort_by("price", descending=False))
        found["worst key, ordered"] = await slowest(*PLAIN, *FUZZY, *FACETS)
        return found


def main() -> int:
    runs = [asyncio.run(measure()) for _ in range(3)]
    good = True
    for name in runs[0]:
        figure = min(run[name] for run in runs)
        bar = POPULATE_MS if name == "populate" else FILTER_MS
        good = good and figure <= bar
        print(
            f"B8 {name:<20} {figure:6.1f} ms   bar {bar:.0f} ms   {figure / bar:.2f} x the bar   {ROWS:,} rows"
        )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
