"""A Switchroom of its own in another process: `HOME spend COUNT SEED` or `HOME hang REF`."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from runpath_play import Play, PlayedAdapter, PlayedStream, ask

from adapters.events import ChatRequest, Finished, TextDelta, UsageUpdate
from catalog.errors import BudgetExceededError
from catalog.usage import Usage
from services.container import Services, open_services
from services.paths import under
from services.run import RunText


class Spender(PlayedAdapter):
    """Answers with as many tokens as it may, after a few turns of the loop."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self.chance = chance

    @asynccontextmanager
    async def stream(self, request: ChatRequest) -> AsyncIterator[PlayedStream]:
        await asyncio.sleep(self.chance.random() / 100)
        assert request.max_tokens is not None, "under a limit it is always sent"
        output = self.chance.randint(request.max_tokens // 2, request.max_tokens)
        text = sum(len(message.text) for message in request.messages)
        usage = Usage(input=text // 4 + 4, output=output)
        yield PlayedStream(Play([TextDelta("word "), UsageUpdate(usage), Finished("complete", "stop")]))


def played_by(services: Services, adapter: PlayedAdapter) -> None:
    async def played(_slug: str) -> PlayedAdapter:
        return adapter

    services.registry.adapter = played  # type: ignore[method-assign, assignment]


async def spend(home: Path, count: int, seed: int) -> None:
    chance = random.Random(seed)
    async with open_services(under(home), actor="test") as services:
        played_by(services, Spender(chance))
        print("ready", flush=True)
        sys.stdin.readline()

        async def one() -> str:
            try:
                prompt = "x" * chance.randint(0, 2_000)
                return (
                    await services.runs.start(ask(prompt, max_tokens=chance.randint(20, 900))).result()
                ).state
            except BudgetExceededError:
                return "refused"

        states = await asyncio.gather(*(one() for _ in range(count)))
        print(" ".join(states), flush=True)


async def hang(home: Path, ref: str) -> None:
    async with open_services(under(home), actor="test") as services:
        adapter = PlayedAdapter()
        adapter.plays = [Play([TextDelta("Because "), asyncio.Event()])]
        played_by(services, adapter)
        run = services.runs.start(ask("x" * 400, ref, max_tokens=100))
        async for event in run.events():
            if isinstance(event, RunText):
                print(run.id, flush=True)


if __name__ == "__main__":
    folder, what, *rest = sys.argv[1:]
    if what == "spend":
        asyncio.run(spend(Path(folder), int(rest[0]), int(rest[1])))
    else:
        asyncio.run(hang(Path(folder), rest[0]))
