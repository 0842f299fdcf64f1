"""The scripted provider that ships: plays the demo, the pictures and the tests, the same every time."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, cast

from adapters.base import Connection, ProviderState, RemoteModel, Validation
from adapters.errors import (
    ModelUnavailableError,
    NetworkError,
    Origin,
    ProviderError,
    ProviderTimeoutError,
    StreamInterruptedError,
    error_from_answer,
    error_from_body,
)
from adapters.events import (
    ChatRequest,
    Event,
    Finished,
    FinishReason,
    StreamState,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    UsageUpdate,
)
from adapters.fake_play import Answer, FakeModel, Fault, Script
from adapters.fake_probe import probe_answer
from adapters.fake_scripts import script
from catalog.errors import UsageError
from catalog.types import Price
from catalog.usage import Usage

if TYPE_CHECKING:
    from adapters.fetch import Fetcher

Sleep = Callable[[float], Awaitable[None]]
_TOKEN = re.compile(r"\s*[^\W\d_]{1,6}|\s*\d{1,3}|\s*[^\w\s]|\s+|.", re.DOTALL)


class FakeAdapter:
    """Implements adapters.base.Adapter. Options: `script` (a name), `speed` (2: twice as fast, 0: no waiting)."""

    dialect: ClassVar[str] = "fake"

    def __init__(
        self,
        connection: Connection,
        fetcher: Fetcher | None = None,  # noqa: ARG002  every adapter is made alike
        *,
        play: Script | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._connection = connection
        self._script = play or script(connection.options.get("script", "plain"))
        self._speed = _speed(connection.options.get("speed", "1"))
        self._sleep = sleep
        self._asked: dict[int, int] = {}
        """Requests that each fault might have met."""
        self._runs = 0

    async def validate(self) -> Validation:
        started = monotonic()
        await self._wait(self._script.latency)
        try:
            self._raise(self._fault(self._script.check_faults, None), None)
        except ProviderError as error:
            return Validation(cast("ProviderState", error.state), error.message, _since(started), error)
        return Validation("ok", f"The key is accepted. {len(self._script.models)} models.", _since(started))

    async def list_models(self) -> list[RemoteModel]:
        await self._wait(self._script.latency)
        self._raise(self._fault(self._script.check_faults, None), None)
        return remote_models(self._script)

    @asynccontextmanager
    async def stream(self, request: ChatRequest) -> AsyncIterator[FakeStream]:
        model = next((m for m in self._script.models if m.id == request.model), None)
        if model is None:
            raise ModelUnavailableError(
                f"{self._connection.slug} does not offer the model {request.model}.",
                hint="Pick another model, or sync the provider.",
                provider=self._connection.slug,
                status=404,
            )
        fault = self._fault(self._script.faults, request.model)
        first = self._connection.watchdogs.first_event
        late = fault is not None and fault.kind == "silent"
        if first is not None and (late or self._seconds(model.ttft) > first):
            await self._wait(first)
            raise ProviderTimeoutError(
                f"{self._connection.slug} sent nothing within {first:g} s.",
                hint="Try again.",
                provider=self._connection.slug,
            )
        self._raise(fault, request.model)
        self._runs += 1
        answer = probe_answer(request, model) or self._answer(request)
        stream = FakeStream(
            self._connection.slug,
            model,
            request,
            answer,
            fault,
            self._wait,
            self._script.seed * 1000 + self._runs,
        )
        try:
            yield stream
        finally:
            stream.leave()

    async def aclose(self) -> None:
        """Nothing is open."""

    def _answer(self, request: ChatRequest) -> Answer:
        prompt = next((m.text for m in reversed(request.messages) if m.role == "user"), "")
        usable = [a for a in self._script.answers if request.tools or a.text]
        if request.messages and request.messages[-1].role == "tool":
            usable = [a for a in usable if a.text]
        return next((a for a in usable if a.fits(prompt)), Answer("…"))

    def _fault(self, faults: Sequence[Fault], model: str | None) -> Fault | None:
        for fault in faults:
            if fault.model is not None and fault.model != model:
                continue
            asked = self._asked[id(fault)] = self._asked.get(id(fault), 0) + 1
            met, between = divmod(asked, fault.every)
            if between == 0 and (fault.times is None or met <= fault.times):
                return fault
        return None

    def _raise(self, fault: Fault | None, model: str | None) -> None:
        slug = self._connection.slug
        if fault is not None and fault.kind == "refuse":
            raise error_from_answer(Origin(slug, model), fault.status, fault.headers, fault.body.encode())
        if fault is not None and fault.kind == "unreachable":
            raise NetworkError(
                f"Nothing answers at {slug}.", hint="Check the network connection.", provider=slug
            )

    def _seconds(self, seconds: float) -> float:
        return seconds / self._speed if self._speed > 0 else 0.0

    async def _wait(self, seconds: float) -> None:
        wait = self._seconds(seconds)
        await self._sleep(wait if wait > 0 else 0)


class FakeStream:
    """Implements adapters.base.Stream."""

    def __init__(
        self,
        slug: str,
        model: FakeModel,
        request: ChatRequest,
        answer: Answer,
        fault: Fault | None,
        wait: Sleep,
        seed: int,
    ) -> None:
        self.state: StreamState = "open"
        self.finish_reason: FinishReason | None = None
        self.usage = Usage()
        self.error: ProviderError | None = None
        self.status = 200
        self.request_id: str | None = f"req_demo_{seed}"
        self.served_model: str | None = model.id
        self._slug = slug
        self._model = model
        self._request = request
        self._answer = answer
        self._fault = fault
        self._wait = wait
        self._random = random.Random(seed)  # noqa: S311  a pace, no secret
        self._events: AsyncIterator[Event] | None = None

    def __aiter__(self) -> AsyncIterator[Event]:
        if self._events is None:
            self._events = self._play()
        return self._events

    def leave(self) -> None:
        if self.state == "open":
            self.state = "cancelled"

    async def _play(self) -> AsyncIterator[Event]:
        pieces, reason = self._pieces()
        breaks = (
            self._fault.after
            if self._fault is not None and self._fault.kind in ("cut", "error_in_stream")
            else None
        )
        await self._wait(self._model.ttft * self._random.uniform(0.8, 1.3))
        pace = self._model.pace if self._request.stream else 0
        for number, event in enumerate(pieces):
            if number == breaks:
                yield self._break()
                return
            yield event
            if pace:
                await self._wait(self._random.uniform(0.6, 1.4) / pace)
        self.usage = self._used(pieces)
        yield UsageUpdate(self.usage)
        if breaks is not None:
            yield self._break()
            return
        self.state, self.finish_reason = "complete", reason
        yield Finished("complete", reason, reason)

    @property
    def _thinks(self) -> bool:
        """By itself, or because the request asks for effort."""
        told = self._request.reasoning_effort is not None and "reasoning" in (self._model.capabilities or ())
        return self._model.thinks or told

    def _pieces(self) -> tuple[list[Event], FinishReason]:
        thinking = self._answer.thinking if self._thinks else None
        events: list[Event] = [ThinkingDelta(token) for token in _tokens(thinking or "")]
        events += [TextDelta(token) for token in _tokens(self._answer.text)]
        reason: FinishReason = "stop"
        if self._answer.calls and self._request.tools:
            reason = "tool_calls"
            for index, call in enumerate(self._answer.calls):
                events.append(ToolCallDelta(index, call.id, call.name))
                events += [ToolCallDelta(index, arguments=token) for token in _tokens(call.arguments)]
        limit = self._request.max_tokens
        if limit is not None and len(events) > limit:
            return events[:limit], "length"
        return events, reason

    def _used(self, pieces: list[Event]) -> Usage:
        """Four characters a token going in; coming out, every piece is one."""
        chars = len(self._request.system or "") + sum(len(m.text) + 12 for m in self._request.messages)
        thought = sum(isinstance(piece, ThinkingDelta) for piece in pieces)
        return Usage(input=-(-chars // 4), output=len(pieces), reasoning=thought if self._thinks else None)

    def _break(self) -> Finished:
        assert self._fault is not None
        if self._fault.kind == "cut":
            self.state = "interrupted"
            self.error = StreamInterruptedError(
                f"{self._slug} closed the connection before the answer was complete.",
                hint="Try again, or continue from here.",
                provider=self._slug,
            )
            return Finished("interrupted", None, None, self.error)
        self.state, self.finish_reason = "failed", "error"
        self.error = error_from_body(
            Origin(self._slug, self._model.id), self._fault.body or "It failed.", 200, {}
        )
        return Finished("failed", "error", None, self.error)


def remote_models(play: Script) -> list[RemoteModel]:
    """The model list as the script's wire states it."""
    return [_remote(model, priced=play.states_prices) for model in play.models]


def _remote(model: FakeModel, *, priced: bool) -> RemoteModel:
    price = None
    if priced and model.input_price is not None:
        price = Price(input=model.input_price, output=model.output_price, cache_read=model.cache_read_price)
    return RemoteModel(
        id=model.id,
        name=model.name,
        context_window=model.context_window,
        max_output=model.max_output,
        price=price,
        capabilities=model.capabilities,
        chat=model.chat,
        owned_by="demo",
        shutdown_date=model.shutdown_date,
    )


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = -1.0
    if not 0 <= speed <= 1000:
        raise UsageError("The speed of a script is a number from 0 to 1000.")
    return speed


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text)


def _since(started: float) -> int:
    return round((monotonic() - started) * 1000)
