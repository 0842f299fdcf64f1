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

CHUNKS = 20_000
ROUNDS = 5
BAR = 1.5
SDK_BAR = 8.0

SERVER = """
import asyncio, sys
N = int(sys.argv[1])
def chunk(i):
    delta = '{"role":"assistant","content":""}' if i == 0 else '{"content":" word%d"}' % (i % 1000)
    return ('data: {"id":"chatcmpl-AbCdEfGhIjKlMnOpQrStUvWxYz12","object":"chat.completion.chunk","created":1760000000,'
            '"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_0123456789",'
            '"choices":[{"index":0,"delta":%s,"logprobs":null,"finish_reason":null}],"usage":null}\\n\\n' % delta).encode()
TAIL = [b'data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\\n\\n',
        b'data: {"id":"c","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":20000,"total_tokens":20009}}\\n\\n', b'data: [DONE]\\n\\n']
BODY = [b"%x\\r\\n%s\\r\\n" % (len(p), p) for p in [*map(chunk, range(N)), *TAIL]] + [b"0\\r\\n\\r\\n"]
async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\\r\\n\\r\\n")
            length = [int(l.split(b":")[1]) for l in head.split(b"\\r\\n") if l.lower().startswith(b"content-length")]
            await reader.readexactly(length[0] if length else 0)
            writer.write(b"HTTP/1.1 200 OK\\r\\ncontent-type: text/event-stream\\r\\ntransfer-encoding: chunked\\r\\n\\r\\n")
            for i in range(0, len(BODY), 16):
                writer.write(b"".join(BODY[i : i + 16])); await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError): pass
    finally: writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""

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


async def raw(url: str) -> float:
    import httpx

    async with httpx.AsyncClient(trust_env=False) as client:
        before, count = process_time(), 0
        async with client.stream("POST", f"{url}/v1/chat/completions", json={"stream": True}) as response:
            async for _piece in response.aiter_raw():
                count += 1
        return (process_time() - before) / count * 1e6


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
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(CHUNKS)], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{int(server.stdout.readline())}"
        pairs = [(asyncio.run(raw(url)), asyncio.run(ours(url))) for _ in range(ROUNDS)]
        their = sdk(url)
    finally:
        server.terminate()
        server.wait()
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
