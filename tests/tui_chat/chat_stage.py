"""A chat with the scripted provider on a temporary home: time passes only when the script waits, and a stream can be held."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from textual.pilot import Pilot
from textual.screen import Screen

from adapters.base import Connection
from adapters.events import ToolCall
from adapters.fake import FakeAdapter
from adapters.fake_scripts import Answer, FakeModel, Fault, Script
from catalog.types import Price
from services.container import Services, open_services
from services.paths import under
from services.run import Timing
from store.models import ModelRow, Models
from store.providers import ProviderRow, Providers
from tui.app import SwitchroomApp
from tui.screens.chat import ChatScreen

ANSWER = """# Costs

A run costs **what it uses**: see [the manual](https://example.com/prices).

```python
def cost(tokens: int) -> float:
    return tokens * 2.5 / 1_000_000
```

| model | 日本語 | price |
|---|:-:|--:|
| small | はい | $0.15 |
| large | いいえ | $2.50 |

- dangerous text stays text: [red]markup[/red] \x1b[31mESC
- zażółć gęślą jaźń 👍🏽"""

BIG = FakeModel("big", ttft=0.4, pace=60)
SMALL = FakeModel("small", ttft=0.2, pace=120)
THINKER = FakeModel("thinker", ttft=0.3, pace=60, thinks=True)
ANSWERS = (
    Answer(ANSWER, pattern="cost"),
    Answer("First I was asked, then I answered.", pattern="again", thinking="Let me think about it."),
    Answer("Calling.", pattern="tool", calls=(ToolCall("c1", "get_weather", '{"city": "Kraków"}'),)),
    Answer("An answer of many words that goes on and on. " * 30, pattern="long"),
    Answer("Hello there."),
)

W = TypeVar("W", bound=Screen[Any])


class Stage:
    """What the tests hold in their hands."""

    def __init__(self, home: Path, faults: tuple[Fault, ...] = ()) -> None:
        self.paths = under(home)
        self.now = 0.0
        self.open_gate = asyncio.Event()
        self.open_gate.set()
        self.waits = 0
        self.hold_after: int | None = None
        """Waits of the script after which the stream stands still until the gate opens."""
        self.script = Script("test", (BIG, SMALL, THINKER), ANSWERS, faults)
        self.adapter: FakeAdapter | None = None
        self.services: Services | None = None
        self.app = SwitchroomApp(self.paths, services_opener=self._open, mode="providers")

    def hold(self, after: int) -> None:
        """Let the stream stop after so many pieces from now on."""
        self.hold_after = self.waits + after
        self.open_gate.clear()

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.waits += 1
        if self.hold_after is not None and self.waits >= self.hold_after:
            await self.open_gate.wait()
        await asyncio.sleep(0)

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Services]:
        async with open_services(self.paths, actor="test") as services:
            await self._furnish(services)
            services.runs.timing = Timing(sleep=self.sleep, monotonic=lambda: self.now, chance=lambda: 0.0)
            adapter = self.adapter = FakeAdapter(
                Connection("acme", "fake", "https://acme.example/v1"), play=self.script, sleep=self.sleep
            )

            async def scripted(_slug: str) -> FakeAdapter:
                return adapter

            services.registry.adapter = scripted  # type: ignore[method-assign, assignment]
            self.services = services
            yield services

    async def _furnish(self, services: Services) -> None:
        if await Providers(services.db).get("acme") is not None:
            return
        row = ProviderRow(
            "acme",
            "Acme",
            "fake",
            "https://acme.example/v1",
            1,
            1,
            state="ok",
            cost_mode="metered",
            default_model="big",
        )
        prices = {"big": ("2.5", "10"), "small": ("0.15", "0.6"), "thinker": None}
        async with services.db.transaction() as tx:
            await Providers(services.db).insert(tx, row)
            await Models(services.db).replace_live(
                tx, "acme", [_model(name, price) for name, price in prices.items()]
            )

    @property
    def chat(self) -> ChatScreen:
        return next(screen for screen in self.app.mode_screens() if isinstance(screen, ChatScreen))

    def shown(self) -> str:
        """The rows of the transcript as text."""
        transcript = self.chat.transcript
        return "\n".join(
            block.row(number).text for block in transcript.blocks for number in range(block.height)
        )

    async def stored(self) -> list[tuple[str, str, str]]:
        """(role, text, state) of the newest conversation."""
        assert self.services is not None
        conversations = await self.services.conversations.list()
        rows = await self.services.conversations.messages(conversations[0].id) if conversations else []
        return [(row.role, row.text, row.state) for row in rows]


def _model(name: str, price: tuple[str, str] | None) -> ModelRow:
    stated = Price(input=Decimal(price[0]), output=Decimal(price[1])) if price else None
    return ModelRow(
        "acme", name, price_json=stated.model_dump_json(exclude_none=True) if stated else None, chat=True,
        context_window=128_000, max_output=4_000, first_seen=1, last_seen=1,
    )  # fmt: skip


async def until(pilot: Pilot[Any], what: Any, tries: int = 400) -> None:
    """Let the app go on until `what()` is true."""
    for _ in range(tries):
        if what():
            return
        await pilot.pause(0.01)
    raise AssertionError("it never came to that")


async def enter_chat(stage: Stage, pilot: Pilot[Any]) -> None:
    """Wait for the services, go to Chat."""
    await until(pilot, lambda: stage.app.opened)
    await pilot.press("6")
    await until(pilot, lambda: isinstance(stage.app.screen, ChatScreen) and stage.chat.state.view is not None)


async def ask(stage: Stage, pilot: Pilot[Any], text: str) -> None:
    """Type a prompt, send it, and wait for the end of the answer."""
    await send(stage, pilot, text)
    await until(pilot, lambda: not busy(stage))


async def send(stage: Stage, pilot: Pilot[Any], text: str) -> None:
    """Type a prompt and send it."""
    stage.chat.prompt.insert(text)
    await pilot.press("enter")
    await until(pilot, lambda: not stage.chat.prompt.text)


def busy(stage: Stage) -> bool:
    """True while something that a key asked for is under way."""
    return any(
        worker.group in ("action", "exchange") and not worker.is_finished for worker in stage.app.workers
    )


async def window(stage: Stage, pilot: Pilot[Any], kind: type[W]) -> W:
    """Wait until a window of this kind is in front and takes keys."""
    await until(pilot, lambda: isinstance(stage.app.screen, kind) and stage.app.screen.is_mounted)
    if kind.AUTO_FOCUS:
        await until(pilot, lambda: stage.app.screen.focused is not None)
    await pilot.pause()
    screen = stage.app.screen
    assert isinstance(screen, kind)
    return screen
