"""The contract body: what every adapter does, whatever it speaks. A dialect joins with a `Stage` of its own.

`AdapterContract` is for all. Each further class is a feature that a dialect has or has not: its test class derives
from those it has, and docs/providers.md says so (tests/adapters/feature_table.py).
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from typing import Literal, Protocol

import pytest
from collected import Collected

from adapters.abilities import CountsTokens
from adapters.base import Adapter, Stream
from adapters.errors import (
    InvalidCredentialsError,
    ModelUnavailableError,
    NetworkError,
    NoCreditError,
    RateLimitedError,
)
from adapters.events import ChatRequest, Finished, Image, Keepsake, Message, ToolCall, ToolSpec
from adapters.speed import speed_of

Scenario = Literal[
    "answer", "thinking", "tools", "bad_key", "no_credit", "limited", "cut", "error_in_stream", "unreachable", "endless",
    "signed",
]  # fmt: skip
CANARY = "sk-canary-7Hq2mZx9LrT4vWb8"
"""The key every staged adapter is given."""
ASK = ChatRequest("m", (Message("user", "hello"),))
WEATHER = ToolSpec(
    "get_weather", "the weather", {"type": "object", "properties": {"city": {"type": "string"}}}
)


SIGNATURE = "c2lnbmVkLWJ5LXRoZS12ZW5kb3I="
"""What the vendor signs its reasoning with in the scenario `signed`."""
PIXEL = Image("image/png", b"\x89PNG\r\n\x1a\n-a-picture-of-one-pixel")
SCHEMA = {
    "type": "object",
    "properties": {"capital_city_7": {"type": "string"}},
    "required": ["capital_city_7"],
}


class Stage(Protocol):
    """Sets a vendor up for a scenario.

    answer: text “Hello there”, usage as in `usage`, models `m` and `n`. thinking: reasoning “hm” before it.
    tools: one call get_weather {"city": "Kraków"}. limited: 429 asking for 1.5 s. cut: “Hello” and a broken
    connection. endless: text until the client leaves, which sets `left`. signed: as `tools`, after reasoning “hm”
    with the signature SIGNATURE, which the vendor wants back (only of dialects that keep something).
    """

    left: asyncio.Event
    usage: tuple[int, int]
    """(input, output) tokens of the scenario `answer`."""
    sent: Sequence[Mapping[str, object]]
    """The JSON bodies of the chats that arrived, in order; none of a dialect without a wire."""

    def adapter(self, scenario: Scenario) -> AbstractAsyncContextManager[Adapter]: ...


async def collect(stream: Stream) -> Collected:
    got = Collected()
    async for event in stream:
        assert got.finished is None, "nothing comes after Finished"
        got.add(event)
    return got


class AdapterContract:
    """Derive, and give a `stage` fixture."""

    VARIANT = False
    """A second form of a dialect whose features other tests show: it is no column of the table."""

    async def test_validate_accepts_a_good_key(self, stage: Stage) -> None:
        async with stage.adapter("answer") as adapter:
            verdict = await adapter.validate()
        assert (verdict.state, verdict.ok, verdict.error) == ("ok", True, None)
        assert verdict.latency_ms >= 0

    @pytest.mark.parametrize(
        ("scenario", "state"),
        [("bad_key", "invalid_key"), ("unreachable", "unreachable"), ("no_credit", "no_credit")],
    )
    async def test_validate_tells_failures_apart(self, stage: Stage, scenario: Scenario, state: str) -> None:
        async with stage.adapter(scenario) as adapter:
            verdict = await adapter.validate()
        assert verdict.state == state
        assert verdict.error is not None
        assert CANARY not in f"{verdict!r} {verdict.error!r} {verdict.message}"

    async def test_lists_models(self, stage: Stage) -> None:
        async with stage.adapter("answer") as adapter:
            models = await adapter.list_models()
        assert [m.id for m in models] == ["m", "n"]

    async def test_listing_raises_what_is_wrong(self, stage: Stage) -> None:
        async with stage.adapter("bad_key") as adapter:
            with pytest.raises(InvalidCredentialsError):
                await adapter.list_models()

    @pytest.mark.parametrize("streamed", [True, False])
    async def test_an_answer(self, stage: Stage, streamed: bool) -> None:
        async with stage.adapter("answer") as adapter:
            request = ChatRequest("m", ASK.messages, stream=streamed)
            async with adapter.stream(request) as stream:
                assert stream.state == "open"
                got = await collect(stream)
        assert "".join(got.text) == "Hello there"
        assert got.finished == Finished("complete", "stop", got.finished.raw_finish_reason)  # type: ignore[union-attr]
        assert (stream.state, stream.finish_reason, stream.error) == ("complete", "stop", None)
        assert (got.usage.input, got.usage.output) == stage.usage
        assert stream.usage == got.usage

    async def test_reasoning_comes_apart_from_the_answer(self, stage: Stage) -> None:
        async with stage.adapter("thinking") as adapter, adapter.stream(ASK) as stream:
            got = await collect(stream)
        assert ("".join(got.thinking), "".join(got.text)) == ("hm", "Hello there")

    @pytest.mark.parametrize("streamed", [True, False])
    async def test_a_tool_call(self, stage: Stage, streamed: bool) -> None:
        request = ChatRequest("m", ASK.messages, tools=(WEATHER,), stream=streamed)
        async with stage.adapter("tools") as adapter, adapter.stream(request) as stream:
            got = await collect(stream)
        assert [(c.name, c.arguments) for c in got.tool_calls] == [("get_weather", '{"city": "Kraków"}')]
        assert got.tool_calls[0].id
        assert stream.finish_reason == "tool_calls"

    @pytest.mark.parametrize(
        ("scenario", "kind"),
        [
            ("bad_key", InvalidCredentialsError),
            ("no_credit", NoCreditError),
            ("limited", RateLimitedError),
            ("unreachable", NetworkError),
        ],
    )
    async def test_refusals_are_raised_on_entering(
        self, stage: Stage, scenario: Scenario, kind: type
    ) -> None:
        async with stage.adapter(scenario) as adapter:
            with pytest.raises(kind) as caught:
                async with adapter.stream(ASK):
                    pytest.fail("it was refused")
        error = caught.value
        assert error.provider == "prov"
        assert error.message.endswith((".", "”"))
        assert CANARY not in f"{error!r} {error.message} {error.hint}"
        if scenario == "limited":
            assert error.retryable
            assert error.retry_after_ms == 1500

    async def test_an_unknown_model(self, stage: Stage) -> None:
        async with stage.adapter("answer") as adapter:
            with pytest.raises(ModelUnavailableError):
                async with adapter.stream(ChatRequest("nonsense", ASK.messages)):
                    pytest.fail("it was refused")

    async def test_a_cut_keeps_what_came(self, stage: Stage) -> None:
        async with stage.adapter("cut") as adapter, adapter.stream(ASK) as stream:
            got = await collect(stream)
        assert "".join(got.text) == "Hello"
        assert got.finished is not None
        assert (got.finished.state, got.finished.finish_reason) == ("interrupted", None)
        assert stream.state == "interrupted"
        assert stream.error is got.finished.error is not None

    async def test_an_error_in_the_stream_is_told_by_finished(self, stage: Stage) -> None:
        async with stage.adapter("error_in_stream") as adapter, adapter.stream(ASK) as stream:
            got = await collect(stream)
        assert "".join(got.text) == "Hello"
        assert got.finished is not None
        assert (got.finished.state, got.finished.finish_reason) == ("failed", "error")
        assert got.finished.error is not None
        assert got.finished.error.retryable

    async def test_leaving_stops_the_vendor(self, stage: Stage) -> None:
        async with stage.adapter("endless") as adapter:
            async with adapter.stream(ASK) as stream:
                async for _event in stream:
                    break
            assert stream.state == "cancelled"
            await asyncio.wait_for(stage.left.wait(), 5)

    async def test_cancelling_the_task_stops_the_vendor(self, stage: Stage) -> None:
        begun = asyncio.Event()
        states: list[Stream] = []

        async def read() -> None:
            async with adapter.stream(ASK) as stream:
                states.append(stream)
                async for _event in stream:
                    begun.set()

        async with stage.adapter("endless") as adapter:
            task = asyncio.create_task(read())
            await asyncio.wait_for(begun.wait(), 5)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert states[0].state == "cancelled"
            await asyncio.wait_for(stage.left.wait(), 5)

    async def test_two_answers_at_once(self, stage: Stage) -> None:
        async def one() -> str:
            async with adapter.stream(ASK) as stream:
                return "".join((await collect(stream)).text)

        async with stage.adapter("answer") as adapter:
            assert await asyncio.gather(one(), one()) == ["Hello there", "Hello there"]

    async def test_no_repr_shows_the_key(self, stage: Stage) -> None:
        async with stage.adapter("answer") as adapter:
            async with adapter.stream(ASK) as stream:
                await collect(stream)
            assert CANARY not in f"{adapter!r} {vars(adapter)!r} {stream!r}"


class OnAWire:
    """A real request leaves the machine: what a conversation holds must be in it."""

    STOPS = True
    """The dialect knows words at which an answer stops."""

    async def test_a_conversation_arrives_whole(self, stage: Stage) -> None:
        turns = (
            Message("user", "Weather in Kraków?"),
            Message("assistant", "", tool_calls=(ToolCall("call_1", "get_weather", '{"city": "Kraków"}'),)),
            Message("tool", "sleet, 1 °C", tool_call_id="call_1"),
        )
        request = ChatRequest(
            "m", turns, system="Answer in Polish.", tools=(WEATHER,), max_tokens=321, stop=("END-9",)
        )
        async with stage.adapter("answer") as adapter, adapter.stream(request) as stream:
            await collect(stream)
        said = json.dumps(stage.sent[-1], ensure_ascii=False)
        for part in (
            "Weather in Kraków?",
            "Answer in Polish.",
            "get_weather",
            "sleet, 1 °C",
            "the weather",
            "321",
        ):
            assert part in said
        assert ("END-9" in said) is self.STOPS
        assert CANARY not in said

    async def test_half_a_character_in_a_prompt_is_no_crash(self, stage: Stage) -> None:
        request = ChatRequest("m", (Message("user", "half \ud83d of an emoji"),))
        async with stage.adapter("answer") as adapter, adapter.stream(request) as stream:
            got = await collect(stream)
        assert "".join(got.text) == "Hello there"


class SeesImages:
    """Images go along with a prompt."""

    FEATURE = "images in a prompt"

    async def test_an_image_arrives(self, stage: Stage) -> None:
        request = ChatRequest("m", (Message("user", "What is this?", images=(PIXEL,)),))
        async with stage.adapter("answer") as adapter, adapter.stream(request) as stream:
            await collect(stream)
        said = json.dumps(stage.sent[-1])
        assert base64.b64encode(PIXEL.data).decode() in said
        assert "What is this?" in said


class HoldsToSchemas:
    """An answer can be held to a JSON schema."""

    FEATURE = "an answer held to a JSON schema"

    async def test_the_schema_arrives(self, stage: Stage) -> None:
        request = ChatRequest("m", ASK.messages, json_schema=SCHEMA)
        async with stage.adapter("answer") as adapter, adapter.stream(request) as stream:
            await collect(stream)
        assert "capital_city_7" in json.dumps(stage.sent[-1])


class KeepsReasoning:
    """Signed reasoning goes back with the next turn, unchanged."""

    FEATURE = "signed reasoning goes back with the next turn"

    @pytest.mark.parametrize("streamed", [True, False])
    async def test_what_was_signed_goes_back(self, stage: Stage, streamed: bool) -> None:
        async with stage.adapter("signed") as adapter:
            first = ChatRequest("m", ASK.messages, tools=(WEATHER,), stream=streamed)
            async with adapter.stream(first) as stream:
                got = await collect(stream)
            assert got.keepsake is not None
            assert "".join(got.thinking) == "hm"
            [call] = got.tool_calls
            turns = (
                *ASK.messages,
                Message("assistant", "", tool_calls=(call,), thinking="hm", keepsake=got.keepsake),
                Message("tool", "sleet", tool_call_id=call.id),
            )
            async with adapter.stream(ChatRequest("m", turns, tools=(WEATHER,))) as stream:
                await collect(stream)
        said = json.dumps(stage.sent[-1])
        assert said.count(SIGNATURE) == 1
        assert said.count('"get_weather"') >= 2, "the tool and its call"

    async def test_another_vendors_keepsake_is_left_out(self, stage: Stage) -> None:
        foreign = Keepsake("elsewhere", "m", json.dumps({"signature": SIGNATURE}))
        turns = (*ASK.messages, Message("assistant", "yes", keepsake=foreign), Message("user", "more"))
        async with stage.adapter("answer") as adapter, adapter.stream(ChatRequest("m", turns)) as stream:
            await collect(stream)
        said = json.dumps(stage.sent[-1])
        assert SIGNATURE not in said
        assert "yes" in said


class CountsPrompts:
    """The vendor counts a prompt without answering it; the stage says 21 in `answer`, and refuses in `bad_key`."""

    FEATURE = "counts a prompt exactly before it is sent"

    async def test_a_prompt_is_counted(self, stage: Stage) -> None:
        async with stage.adapter("answer") as adapter:
            assert isinstance(adapter, CountsTokens)
            assert await adapter.count_tokens(ASK) == 21

    async def test_a_refused_count_is_raised(self, stage: Stage) -> None:
        async with stage.adapter("bad_key") as adapter:
            assert isinstance(adapter, CountsTokens)
            with pytest.raises(InvalidCredentialsError):
                await adapter.count_tokens(ASK)


class StatesCosts:
    """The vendor states what a run cost: 0.0042 USD in `answer`."""

    FEATURE = "states what a run cost"

    @pytest.mark.parametrize("streamed", [True, False])
    async def test_the_cost_is_taken(self, stage: Stage, streamed: bool) -> None:
        request = ChatRequest("m", ASK.messages, stream=streamed)
        async with stage.adapter("answer") as adapter, adapter.stream(request) as stream:
            await collect(stream)
        assert stream.usage.reported_cost == Decimal("0.0042")


class StatesSpeed:
    """The server states how fast it was: in `answer` 1,000 tokens of the prompt and 250 of the answer a second."""

    FEATURE = "the server states its speed"

    @pytest.mark.parametrize("streamed", [True, False])
    async def test_the_speed_is_taken(self, stage: Stage, streamed: bool) -> None:
        request = ChatRequest("m", ASK.messages, stream=streamed)
        async with stage.adapter("answer") as adapter, adapter.stream(request) as stream:
            await collect(stream)
        speed = speed_of(stream)
        assert speed is not None
        assert (speed.prompt_tok_s, speed.output_tok_s) == (1_000, 250)


class ListsLimits:
    """The model list states how much a model reads and writes: `m` 32,000 and 4,096 tokens."""

    FEATURE = "its list states context and answer limits"

    async def test_limits_are_listed(self, stage: Stage) -> None:
        async with stage.adapter("answer") as adapter:
            [model, _] = await adapter.list_models()
        assert 32_000 in (model.context_window, model.max_input)
        assert model.max_output == 4_096


class ListsPrices:
    """The model list states prices: `m` $2.50 and $10 per 1M tokens."""

    FEATURE = "its list states prices"

    async def test_prices_are_listed(self, stage: Stage) -> None:
        async with stage.adapter("answer") as adapter:
            [model, _] = await adapter.list_models()
        assert model.price is not None
        assert (model.price.input, model.price.output) == (Decimal("2.5"), Decimal(10))
