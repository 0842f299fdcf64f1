"""The gemini dialect against a mock by other hands, and beside Google's own SDK on the same server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import partial

import pytest
from adapter_peer import WEATHER, at, faults_are_told_apart
from aimock_peer import ANSWER, KEY, Aimock

from adapters.base import Adapter
from adapters.errors import InvalidCredentialsError, RateLimitedError
from adapters.events import (
    ChatRequest,
    Keepsake,
    Message,
    TextDelta,
    ThinkingDelta,
    ToolCall,
    ToolCallDelta,
)

pytestmark = pytest.mark.real
MODEL = "gemini-2.5-flash"
reached = partial(at, "gemini")


async def answered(
    adapter: Adapter, *turns: Message | str, **more: object
) -> tuple[str, list[object], object]:
    """(text, the other events, the stream when it is over)."""
    messages = tuple(Message("user", turn) if isinstance(turn, str) else turn for turn in turns)
    async with adapter.stream(ChatRequest(MODEL, messages, **more)) as stream:  # type: ignore[arg-type]
        events = [event async for event in stream]
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    return text, [event for event in events if not isinstance(event, TextDelta)], stream


@pytest.mark.parametrize("streamed", [True, False])
async def test_aimock_is_understood(aimock: Aimock, streamed: bool) -> None:
    async with reached(aimock.url, KEY) as adapter:
        text, _, stream = await answered(adapter, "hello", stream=streamed)
        assert (text, stream.state, stream.finish_reason) == (ANSWER, "complete", "stop")  # type: ignore[attr-defined]
        assert stream.usage.known  # type: ignore[attr-defined]
        text, events, _ = await answered(adapter, "reason please", stream=streamed)
        assert "".join(e.text for e in events if isinstance(e, ThinkingDelta)) == "Six by seven."
        assert text == "42"
        _, events, stream = await answered(adapter, "weather?", tools=(WEATHER,), stream=streamed)
        [call] = [event for event in events if isinstance(event, ToolCallDelta)]
        assert (call.name, json.loads(call.arguments)) == ("get_weather", {"city": "Kraków"})
        assert stream.finish_reason == "tool_calls"  # type: ignore[attr-defined]


async def test_aimocks_faults_are_told_apart(aimock: Aimock) -> None:
    async with reached(aimock.url, KEY) as adapter:
        await faults_are_told_apart(partial(answered, adapter))
        text, _, stream = await answered(adapter, "cut please")
        assert stream.state == "interrupted"  # type: ignore[attr-defined]
        whole = "This answer breaks off after some of its pieces and is never told to its end."
        assert text
        assert whole.startswith(text)
        aimock.chaos({"rateLimitRate": 1})
        with pytest.raises(RateLimitedError):
            await answered(adapter, "hello")
    aimock.calm()
    async with reached(aimock.url, "another") as adapter:
        with pytest.raises(InvalidCredentialsError):
            await answered(adapter, "hello")


SDK = """
import json, sys
from google import genai
from google.genai import types
client = genai.Client(api_key=sys.argv[2], http_options=types.HttpOptions(base_url=sys.argv[1], api_version="v1beta"))
text, calls, used = "", [], None
for chunk in client.models.generate_content_stream(model=sys.argv[3], contents=sys.argv[4]):
    for part in (chunk.candidates[0].content.parts if chunk.candidates and chunk.candidates[0].content else None) or []:
        text += "" if part.thought else part.text or ""
        calls += [[part.function_call.name, part.function_call.args]] if part.function_call else []
    meta = chunk.usage_metadata
    used = [meta.prompt_token_count, (meta.candidates_token_count or 0) + (meta.thoughts_token_count or 0)] if meta else used
print(json.dumps({"text": text, "calls": calls, "used": used}))
"""


@pytest.mark.parametrize("prompt", ["hello", "weather?", "reason please"])
async def test_googles_sdk_and_we_read_the_same(
    aimock: Aimock, sdk: Callable[..., object], prompt: str
) -> None:
    theirs = await asyncio.to_thread(sdk, SDK, aimock.url, KEY, MODEL, prompt)
    async with reached(aimock.url, KEY) as adapter:
        text, events, stream = await answered(adapter, prompt)
    calls = [[e.name, json.loads(e.arguments)] for e in events if isinstance(e, ToolCallDelta)]
    used = [stream.usage.input, stream.usage.output]  # type: ignore[attr-defined]
    assert theirs == {"text": text, "calls": calls, "used": used}


async def test_a_tools_answer_goes_back(aimock: Aimock) -> None:
    async with reached(aimock.url, KEY) as adapter:
        _, events, _ = await answered(adapter, "weather?", tools=(WEATHER,))
        [call] = [event for event in events if isinstance(event, ToolCallDelta)]
        kept = next((event for event in events if isinstance(event, Keepsake)), None)
        turn = Message(
            "assistant",
            "",
            tool_calls=(ToolCall(call.id or "", call.name or "", call.arguments),),
            keepsake=kept,
        )
        result = Message("tool", "sleet", tool_call_id=call.id)
        text, _, _ = await answered(adapter, "weather?", turn, result, tools=(WEATHER,))
    assert text == "Sleet, 1 °C."
