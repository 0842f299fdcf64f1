"""B4 for every dialect: CPU per chunk of a 20,000-chunk stream of its own shape through its adapter to events.

Each is set against httpx's `aiter_raw` on the same bytes in the same run. Bar: at most 1.5 × httpx raw.
`BENCH_ARGS="stream_dialects"` runs it; further words name dialects.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from time import process_time

from benchmarks.stream_server import raw, streaming

CHUNKS = 20_000
ROUNDS = 3
BAR = 1.5


def _sse(value: object, name: str = "", end: str = "\n\n") -> str:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(value, ensure_ascii=False, separators=(',', ':'))}{end}"


def _chat(word: str) -> str:
    return _sse(
        {"id": "chatcmpl-AbCdEfGhIjKlMn", "object": "chat.completion.chunk", "created": 1760000000, "model": "gpt-4o-mini",
         "choices": [{"index": 0, "delta": {"content": word}, "logprobs": None, "finish_reason": None}], "usage": None}
    )  # fmt: skip


_SAFE = {
    name: {"filtered": False, "severity": "safe"} for name in ("hate", "self_harm", "sexual", "violence")
}
_PADS = [f"{number * 2654435761 % 2**64:x}"[: 1 + number % 15] for number in range(1, 500)]


def _azure(word: str) -> str:
    """With what the content filter found, and padding of another length in every chunk."""
    return _sse(
        {"choices": [{"content_filter_results": _SAFE, "delta": {"content": word}, "finish_reason": None, "index": 0, "logprobs": None}],
         "created": 1760000000, "id": "chatcmpl-AbCdEfGhIjKlMn", "model": "gpt-4o-2024-08-06", "obfuscation": _PADS[int(word[5:]) % len(_PADS)],
         "object": "chat.completion.chunk", "system_fingerprint": "fp_ee1d74bde0", "usage": None}
    )  # fmt: skip


_CHAT_END = [
    _sse({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}),
    _sse(
        {
            "choices": [],
            "usage": {"prompt_tokens": 9, "completion_tokens": CHUNKS, "total_tokens": CHUNKS + 9},
        }
    ),
    "data: [DONE]\n\n",
]


def _responses(word: str) -> str:
    return _sse(
        {"type": "response.output_text.delta", "sequence_number": 4, "item_id": "msg_0833439a21e2e07f", "output_index": 0,
         "content_index": 0, "delta": word, "logprobs": [], "obfuscation": "pKMjTe"}, "response.output_text.delta",
    )  # fmt: skip


def _anthropic(word: str) -> str:
    return _sse(
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}},
        "content_block_delta",
    )


def _gemini(word: str) -> str:
    return _sse(
        {"candidates": [{"content": {"parts": [{"text": word}], "role": "model"}, "index": 0}],
         "usageMetadata": {"promptTokenCount": 9, "totalTokenCount": 9}, "modelVersion": "gemini-3-flash", "responseId": "x7"},
        end="\r\n\r\n",
    )  # fmt: skip


def _ollama(word: str) -> str:
    return (
        json.dumps(
            {"model": "llama3.2", "created_at": "2026-11-21T04:00:00.123456Z",
             "message": {"role": "assistant", "content": word}, "done": False}, separators=(",", ":"),
        ) + "\n"
    )  # fmt: skip


_MESSAGE = {
    "id": "m1",
    "role": "assistant",
    "content": [],
    "model": "m",
    "usage": {"input_tokens": 9, "output_tokens": 1},
}
_SSE = "text/event-stream"
SHAPES = {
    "openai": ([], _chat, _CHAT_END, _SSE),
    "responses": (
        [_sse({"type": "response.created", "response": {"id": "r", "status": "in_progress"}}, "response.created")],
        _responses,
        [_sse({"type": "response.completed", "response": {"status": "completed", "output": []}}, "response.completed")],
        _SSE,
    ),
    "anthropic": (
        [
            _sse({"type": "message_start", "message": _MESSAGE}, "message_start"),
            _sse({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}, "content_block_start"),
        ],
        _anthropic,
        [
            _sse({"type": "content_block_stop", "index": 0}, "content_block_stop"),
            _sse({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": CHUNKS}}, "message_delta"),
            _sse({"type": "message_stop"}, "message_stop"),
        ],
        _SSE,
    ),
    "gemini": (
        [],
        _gemini,
        [_sse({"candidates": [{"content": {"parts": [{"text": ""}], "role": "model"}, "finishReason": "STOP"}]}, end="\r\n\r\n")],
        _SSE,
    ),
    "ollama": (
        [],
        _ollama,
        ['{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":9,"eval_count":20000}\n'],
        "application/x-ndjson",
    ),
    "azure": (
        [_sse({"choices": [], "created": 0, "id": "", "model": "", "object": "", "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": _SAFE}]})],
        _azure,
        _CHAT_END,
        _SSE,
    ),
    "openrouter": ([": OPENROUTER PROCESSING\n\n"], _chat, _CHAT_END, _SSE),
    "huggingface": ([], _chat, _CHAT_END, _SSE),
}  # fmt: skip
"""Dialect (or form) → what comes first, a chunk of text, what comes last, the content type."""


async def ours(name: str, url: str) -> float:
    from pydantic import SecretStr

    from adapters.base import Connection
    from adapters.events import ChatRequest, Message, TextDelta
    from adapters.fetch import Fetcher
    from adapters.loader import create

    dialect, options = ("openai", {"api": "responses"}) if name == "responses" else (name, {})
    async with AsyncExitStack() as stack:
        adapter = create(
            Connection("bench", dialect, url, key=SecretStr("sk-bench"), options=options), Fetcher()
        )
        stack.push_async_callback(adapter.aclose)
        before, count = process_time(), 0
        async with adapter.stream(ChatRequest("m", (Message("user", "x"),))) as stream:
            async for event in stream:
                if isinstance(event, TextDelta):
                    count += 1
        assert stream.state == "complete", stream.error
        assert count == CHUNKS, count
        return (process_time() - before) / count * 1e6


def measure(name: str) -> float:
    """The dialect's ratio to httpx; prints the line."""
    first, chunk, last, kind = SHAPES[name]
    words = [*first, *(chunk(f" word{i % 1000}") for i in range(CHUNKS)), *last]
    with streaming(words, kind) as url:
        pairs = [(asyncio.run(raw(url)), asyncio.run(ours(name, url))) for _ in range(ROUNDS)]
    base, figure = min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)
    print(
        f"B4 {name:<12} {figure:5.2f} µs CPU per chunk; httpx aiter_raw {base:.2f} µs; ratio {figure / base:.2f}; bar {BAR}"
    )
    return figure / base


def main() -> int:
    from adapters.loader import dialects

    spoken = [name for name in SHAPES if name in (*dialects(), "responses")]
    missed = [name for name in (sys.argv[1:] or spoken) if measure(name) > BAR]
    print(f"   MISSED: {', '.join(missed)}" if missed else "   met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
