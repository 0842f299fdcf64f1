"""The demo's other callers: runs keep arriving through the real run path, at a human pace, until the services close."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.events import Message
from adapters.fake_answers import ANSWERS
from services.audit import acting
from services.demo_audit import DANA, KENJI, MARTA
from services.run import RunRequest, RunResult, Runs

if TYPE_CHECKING:
    from services.container import Services

AT_ONCE = 3
"""Runs of these callers in flight; a further one stays away."""
_PAUSE_S = (3.0, 9.0)
_TOGETHER = 0.18
"""How often two arrive at the same moment."""
BOT = "support-bot@shop-01 cli[2218]"
SEARCH = "docs-search@shop-01 cli[2290]"
CI = "ci@build-01 cli[40112]"


@dataclass(frozen=True, slots=True)
class Asked:
    """What one caller asks, again and again."""

    weight: float
    ref: str
    prompt: str
    actor: str
    """Who the audit log says it was."""
    caller: str
    project: str
    pages: int = 2
    """How much of a document goes with the question, in some 300 tokens each."""
    max_tokens: int = 150
    retries: int | None = None
    """None: as set for all."""


ASKED = (
    Asked(34, "openai-prod/gpt-6-luna", "Triage this ticket: the parcel came open.", BOT, "support-bot", "triage", max_tokens=160),
    Asked(16, "groq/llama-4.1-70b-versatile", "Compare the three search results.", SEARCH, "docs-search", "search"),
    Asked(8, "openai-prod/gpt-5.4-mini", "Review this change and summarise it.", CI, "ci", "review", 1, 100),
    Asked(12, "homelab/qwen3:8b", "What is worth reading in this thread?", DANA, "tui", "private", 1, 120),
    Asked(3, "openai-prod/gpt-6.1-sol", "Write the function that this test wants.", KENJI, "cli", "docs", 1, 120),
    Asked(9, "anthropic/claude-haiku-4-5", "Which category does this customer mean?", BOT, "support-bot", "triage", 1, 120, retries=0),
    Asked(2, "together/deepseek-ai/DeepSeek-V4", "Extract the dates.", KENJI, "cli", "extraction", retries=1),
    Asked(1, "azure-eu/chat-prod", "Compare both clauses.", MARTA, "cli", "contracts"),
)  # fmt: skip

_PAGE = "\n".join(answer.text for answer in ANSWERS)[:1_200]
"""What these callers send along."""


@asynccontextmanager
async def traffic(
    services: Services, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep, seed: int = 3
) -> AsyncIterator[Runs]:
    """Runs keep arriving while the block lasts; at its end those in flight are settled. Give `sleep` to set the pace.

    They have `Runs` of their own, as another process would: quitting does not ask about them.
    """
    runs = Runs(services)
    flow = asyncio.create_task(_flow(runs, sleep, random.Random(seed)), name="demo traffic")  # noqa: S311  a play
    try:
        yield runs
    finally:
        flow.cancel()
        await asyncio.gather(flow, return_exceptions=True)
        await runs.aclose()


async def _flow(runs: Runs, sleep: Callable[[float], Awaitable[None]], chance: random.Random) -> None:
    weights = [asked.weight for asked in ASKED]
    while True:
        await sleep(chance.uniform(*_PAUSE_S))
        for asked in chance.choices(ASKED, weights, k=2 if chance.random() < _TOGETHER else 1):
            if len(runs.active()) < AT_ONCE:
                with acting(asked.actor):
                    waiting = asyncio.create_task(runs.start(_request(asked)).result())
                waiting.add_done_callback(_seen)


def _seen(waiting: asyncio.Task[RunResult]) -> None:
    """A refusal (offline, switched off, no money left) is in the audit log; nobody else asks for it."""
    if not waiting.cancelled():
        waiting.exception()


def _request(asked: Asked) -> RunRequest:
    return RunRequest(
        model=asked.ref,
        messages=(Message("user", asked.prompt),),
        system=_PAGE * asked.pages,
        max_tokens=asked.max_tokens,
        labels={"project": asked.project},
        caller=asked.caller,
        retries=asked.retries,
        allow_unpriced=True,
    )
