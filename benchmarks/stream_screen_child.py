"""The program under measurement by bench_stream_screen: the real chat, answered by a vendor that never stops writing."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

TOKENS_PER_S = 200
CHARS_PER_TOKEN = 4
WARM_S, MEASURE_S = 2.5, 6.0

PARAGRAPHS = '''## Section with `inline code`

The control room shows **what a run costs** before it is sent, and keeps the *partial* answer when it is stopped. Prices are
normalised to cache reads and writes, and unknown stays unknown: see [the manual](https://example.com/manual) for more.

- first point with some text that goes on long enough to be wrapped over the edge of the line, as lists often do
- second point, **bold in it**, and `code`
  - a nested one: zażółć gęślą jaźń, 日本語のテキスト

```python
def total(rows: list[Row]) -> Decimal:
    """The sum of what is known."""
    return sum((row.cost for row in rows if row.cost is not None), Decimal(0))
```

| model | in | out |
|---|--:|--:|
| small | $0.15 | $0.60 |
| large | $2.50 | $10.00 |

'''
CODE = '''def total(rows: list[Row], start: int = 0) -> Decimal:
    """The sum of what is known, from a row on."""
    known = [row.cost for row in rows[start:] if row.cost is not None]  # unknown stays unknown
    return sum(known, Decimal("0.00"))

'''


WORDS = "The control room shows **what a run costs** before it is sent, and `keeps` the *partial* answer when it stops. "
ROW = "| openai-prod/gpt-large | $2.50 | $10.00 | tools, vision, 日本語 | 128 000 tokens of context |\n"
UNITS = {
    "prose": ("", PARAGRAPHS),
    "fence": ("```python\n", CODE),
    "paragraph": ("", WORDS),
    "item": ("- ", WORDS.strip() + "\n  "),
    "table": ("| model | in | out | can | context |\n|---|--:|--:|---|---|\n", ROW),
}
"""What a document begins with, and what it repeats: mixed prose, or one block that never ends."""


def document(kind: str, size: int) -> str:
    """A document of at least `size` characters."""
    head, unit = UNITS[kind]
    return head + unit * (size // len(unit) + 1)


class PacedAdapter:
    """Gives the first `size` characters at once and the rest at the pace."""

    dialect = "fake"

    def __init__(self, kind: str, size: int) -> None:
        self._text, self._size = document(kind, size + 30_000), size

    @asynccontextmanager
    async def stream(self, _request: object) -> AsyncIterator[Any]:
        from adapters.fake import FakeStream

        class Paced(FakeStream):
            adapter = self

            def __init__(self) -> None:
                from catalog.usage import Usage

                self.state, self.finish_reason, self.usage, self.error = "open", None, Usage(), None
                self.status, self.request_id, self.served_model = 200, None, None

            def __aiter__(self) -> AsyncIterator[Any]:
                return self.adapter.pieces()

        yield Paced()

    async def pieces(self) -> AsyncIterator[Any]:
        from adapters.events import TextDelta

        for at in range(0, self._size, 2000):
            yield TextDelta(self._text[at : min(at + 2000, self._size)])
        at, began = self._size, time.monotonic()
        while at < len(self._text):
            due = self._size + int((time.monotonic() - began) * TOKENS_PER_S) * CHARS_PER_TOKEN
            while at < min(due, len(self._text)):
                yield TextDelta(self._text[at : at + CHARS_PER_TOKEN])
                at += CHARS_PER_TOKEN
            await asyncio.sleep(1 / TOKENS_PER_S)

    async def aclose(self) -> None:
        """Nothing is open."""


async def run(kind: str, size: int, low: bool, report: Path) -> None:
    """Open the program, ask, let it stream, write the figures."""
    from services.container import Services, open_services
    from services.paths import under
    from services.settings_model import Appearance, Settings
    from store.models import ModelRow, Models
    from store.providers import ProviderRow, Providers
    from tui.app import SwitchroomApp
    from tui.screens.chat import ChatScreen

    paths = under(Path(tempfile.mkdtemp()))
    settings = Settings(appearance=Appearance(low_bandwidth="on" if low else "off"))

    @asynccontextmanager
    async def opened() -> AsyncIterator[Services]:
        async with open_services(paths, settings=settings, actor="bench", watch=True) as services:
            row = ProviderRow(
                "acme", "Acme", "fake", "https://acme.example/v1", 1, 1, state="ok", default_model="big"
            )
            model = ModelRow(
                "acme",
                "big",
                chat=True,
                context_window=900_000,
                max_output=500_000,
                first_seen=1,
                last_seen=1,
            )
            async with services.db.transaction() as tx:
                await Providers(services.db).insert(tx, row)
                await Models(services.db).replace_live(tx, "acme", [model])
            adapter = PacedAdapter(kind, size)

            async def paced(_slug: str) -> Any:
                return adapter

            services.registry.adapter = paced  # type: ignore[method-assign]
            yield services

    async def drive() -> None:
        while not app.opened:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        await app.switch_mode("chat")
        chat = app.screen
        assert isinstance(chat, ChatScreen)
        while chat.state.view is None:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        chat.prompt.insert("go")
        chat.prompt.action_send()
        await asyncio.sleep(WARM_S)
        worst, cpu, began = 0.0, time.process_time(), time.monotonic()
        while time.monotonic() - began < MEASURE_S:
            before = time.monotonic()
            await asyncio.sleep(0.02)
            worst = max(worst, time.monotonic() - before - 0.02)
        used = (time.process_time() - cpu) / (time.monotonic() - began)
        await asyncio.to_thread(report.write_text, json.dumps({"cpu": used, "stall": worst}))
        app.exit(0)

    class Driven(SwitchroomApp):
        CSS_PATH = Path(__file__).parent.parent / "tui" / "app.tcss"

        def on_ready(self) -> None:
            self.run_worker(drive())

    app = Driven(paths, services_opener=opened)
    await app.run_async()
    await app.close_services()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], int(sys.argv[2]), sys.argv[3] == "1", Path(sys.argv[4])))
