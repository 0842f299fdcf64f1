"""B4: CPU per chunk of a 20,000-chunk OpenAI stream through the openai adapter to events, watchdogs on.

Prints the figure, its ratio to httpx's `aiter_raw` in the same run, and to the openai SDK where one is installed
(`make bench` installs it into `.venv-bench`). Bar: at most 1.5 × httpx raw.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from time import process_time

from benchmarks.stream_server import raw, streaming

CHUNKS = 20_000
ROUNDS = 5
BAR = 1.5
SDK_BAR = 8.0

TAIL = [
    'data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
    'data: {"id":"c","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":20000,"total_tokens":20009}}\n\n',
    "data: [DONE]\n\n",
]


def chunk(number: int) -> str:
    """A chunk as OpenAI sends it; the first has a role and no text."""
    delta = '{"role":"assistant","content":""}' if number == 0 else f'{{"content":" word{number % 1000}"}}'
    return (
        'data: {"id":"chatcmpl-AbCdEfGhIjKlMnOpQrStUvWxYz12","object":"chat.completion.chunk","created":1760000000,'
        '"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_0123456789",'
        f'"choices":[{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":null}}],"usage":null}}\n\n'
    )


SDK = """
import asyncio, sys, time
from openai import AsyncOpenAI
async def main():
    client = AsyncOpenAI(base_url=sys.argv[1] + "/v1", api_key="x", max_retries=0)
    best = 9e9
    for _ in range(3):
        before, n = time.process_time(), 0
        async for chunk in await client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}], stream=True):
            n += 1
        best = min(best, (time.process_time() - before) / n * 1e6)
    print(best)
asyncio.run(main())
"""


async def ours(url: str) -> float:
    from adapters.base import Connection
    from adapters.events import ChatRequest, Message, TextDelta
    from adapters.fetch import Fetcher
    from adapters.loader import create

    async with AsyncExitStack() as stack:
        adapter = create(Connection("bench", "openai", url), Fetcher())
        stack.push_async_callback(adapter.aclose)
        before, count = process_time(), 0
        async with adapter.stream(ChatRequest("m", (Message("user", "x"),))) as stream:
            async for event in stream:
                if isinstance(event, TextDelta):
                    count += 1
        assert stream.state == "complete", stream.error
        assert count == CHUNKS - 1
        return (process_time() - before) / count * 1e6


def sdk(url: str) -> float | None:
    python = Path(__file__).resolve().parents[1] / ".venv-bench" / "elia" / "bin" / "python"
    if not python.exists():
        return None
    done = subprocess.run(
        [str(python), "-c", SDK, url], capture_output=True, text=True, timeout=300, check=False
    )
    return float(done.stdout) if done.returncode == 0 else None


def main() -> int:
    with streaming([*map(chunk, range(CHUNKS)), *TAIL]) as url:
        pairs = [(asyncio.run(raw(url)), asyncio.run(ours(url))) for _ in range(ROUNDS)]
        their = sdk(url)
    base, figure = min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)
    ratio = figure / base
    median = statistics.median(b / a for a, b in pairs)
    print(
        f"B4 stream client: {figure:.2f} µs CPU per chunk; httpx aiter_raw {base:.2f} µs; ratio {ratio:.2f} (median of pairs {median:.2f}); bar {BAR}"
    )
    if their is not None:
        print(f"   openai SDK {their:.1f} µs: {their / figure:.1f} × ours; bar {SDK_BAR:g}")
    good = ratio <= BAR and (their is None or their / figure >= SDK_BAR)
    print("   met" if good else "   MISSED")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
