"""How one run goes: estimate, money, attempts with retry, and a settlement that is written whatever happens."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from adapters.abilities import RunsTasks
from adapters.errors import ProviderError, StreamInterruptedError, UnexpectedResponseError
from adapters.events import ChatRequest, Event, TextDelta, ThinkingDelta, ToolCallDelta, UsageUpdate
from catalog.errors import SwitchroomError, UsageError
from services import clock
from services.alternatives import with_way_on
from services.attempt import MOST_BYTES, Attempt, Bill, bill
from services.estimate import Estimate, Prepared
from services.feed import RunProgress, RunStarted
from services.outcome import outcome, unsent
from services.purse import Purse
from services.retry import DeadlineError, Patience, policy_for
from services.run_events import (
    RunEvent,
    RunRequest,
    RunResult,
    RunRetry,
    RunStartedEvent,
    RunText,
    RunThinking,
    RunToolCall,
    RunUsage,
    RunWaiting,
)
from services.settlement import Settlement, milliseconds

if TYPE_CHECKING:
    from adapters.base import Adapter, Stream
    from services.container import Services

log = logging.getLogger(__name__)

PROGRESS_S = 0.25
"""Least time between two RunProgress events of one run."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Where time and chance come from; tests give their own."""

    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    monotonic: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random


class RunTask:
    """One run, from the request to the settled result."""

    def __init__(
        self,
        services: Services,
        run_id: str,
        request: RunRequest,
        emit: Callable[[RunEvent], Awaitable[None]],
        timing: Timing,
    ) -> None:
        self._services = services
        self._id = run_id
        self._request = request
        self._emit = emit
        self._timing = timing
        self._settlement = Settlement(services)
        self._started = timing.monotonic()
        self._prepared: Prepared | None = None
        self._note: str | None = None
        self._attempts: list[Attempt] = []
        self._sent_max: dict[int, int | None] = {}
        """Attempt number → the `max_tokens` that was sent with it."""
        self._cancelled = False
        self._told_at = 0.0
        self.settling = False
        """True from when nothing can stop it any more."""

    @property
    def estimate(self) -> Estimate | None:
        return None if self._prepared is None else self._prepared.estimate

    async def drive(self) -> RunResult:
        """Run it. A refusal, before anything was sent, is raised and leaves no ledger row."""
        try:
            async with asyncio.timeout(self._request.timeout_s):
                prepared, adapter = await self._prepare()
                purse = await self._begin(prepared)
                await self._try_until_done(prepared, adapter, purse)
        except TimeoutError:
            self._run_out_of_time()
        except asyncio.CancelledError:
            self._cancel()
        except Exception:
            if not self._attempts:
                raise
            log.exception("a run was ended between two attempts")  # those that were made are settled
        self.settling = True
        return await self._finish()

    async def _prepare(self) -> tuple[Prepared, Adapter]:
        self._services.require_writable()
        prepared = self._prepared = await self._services.estimates.prepared(self._request)
        slug = prepared.row.slug
        if not prepared.row.enabled:
            raise UsageError(
                f"The provider {slug} is switched off.",
                title="Provider off",
                hint=f"Switch it on with: switchroom providers enable {slug}",
                provider=slug,
            )
        adapter = await self._services.registry.adapter(slug)
        if self._request.task is not None and not isinstance(adapter, RunsTasks):
            raise UsageError(
                f"{slug} runs no tasks: it can only chat.",
                hint="Translation and speech recognition are run by Hugging Face providers.",
                provider=slug,
            )
        return prepared, adapter

    async def _begin(self, prepared: Prepared) -> Purse:
        async def waiting(reason: str, seconds: float) -> None:
            await self._emit(RunWaiting(reason, seconds))

        request = self._request
        purse = Purse(self._services, self._id, request, prepared, waiting, self._timing.sleep)
        await purse.open()
        self._note = purse.note
        self._services.feed.publish(RunStarted(self._id, request.model))
        await self._emit(
            RunStartedEvent(self._id, request.model, prepared.estimate, purse.max_tokens, purse.note)
        )
        return purse

    async def _try_until_done(self, prepared: Prepared, adapter: Adapter, purse: Purse) -> None:
        request = self._request
        policy = policy_for(
            self._services.settings.retry,
            provider_retries=prepared.row.retries,
            retries=request.retries,
            timeout_s=request.timeout_s,
            headless=request.headless,
        )
        patience = Patience(policy, self._timing.chance)
        while True:
            attempt = await self._attempt(adapter, purse)
            error = attempt.error
            if attempt.has_content or not isinstance(error, ProviderError):
                return
            delay = patience.next_delay(error)
            if delay is None:
                return
            await self._emit(RunRetry(attempt.number + 1, delay, error))
            await self._count_down(error.title, delay)
            if not await purse.renew(sum(bill.nanos or 0 for _, bill in self._bills(prepared))):
                return
            self._note = purse.note

    async def _count_down(self, reason: str, seconds: float) -> None:
        while seconds > 0:
            await self._emit(RunWaiting(reason, seconds))
            step = min(1.0, seconds)
            await self._timing.sleep(step)
            seconds -= step

    async def _attempt(self, adapter: Adapter, purse: Purse) -> Attempt:
        attempt = Attempt(len(self._attempts) + 1, clock.now_ms(), self._timing.monotonic())
        self._attempts.append(attempt)
        self._sent_max[attempt.number] = purse.max_tokens
        try:
            await self._stream(adapter, attempt, purse)
        except ProviderError as error:
            attempt.end("interrupted" if attempt.has_content else "failed", error=error)
        except SwitchroomError as error:
            if attempt.number == 1 and not attempt.has_content:
                self._attempts.clear()  # nothing was sent: there is no run
                raise
            attempt.end("failed", error=error)
        except Exception as error:
            log.exception("an adapter failed")
            attempt.end("failed", error=_our_fault(error, self._request.model))
        finally:
            attempt.ended = self._timing.monotonic()
        if attempt.state is None:
            attempt.end(
                "interrupted", error=StreamInterruptedError("The answer ended before the provider said so.")
            )
        return attempt

    async def _stream(self, adapter: Adapter, attempt: Attempt, purse: Purse) -> None:
        async with self._opened(adapter, self._sent_max[attempt.number]) as stream:
            attempt.status = stream.status
            try:
                async for event in stream:
                    now = self._timing.monotonic()
                    if purse.exceeded(attempt, event):
                        attempt.end("complete", reason="budget")
                        break
                    attempt.take(event, now)
                    await self._tell(event)
                    if attempt.pieces == 1:
                        await asyncio.sleep(0)  # who watches sees the first piece before a burst is read
                    if attempt.weight > MOST_BYTES:
                        attempt.end("interrupted", error=_endless(self._request.model))
                        break
                    if now - self._told_at >= PROGRESS_S and attempt.first is not None:
                        self._progress(attempt, now)
            finally:
                attempt.read_stream(stream)

    def _opened(self, adapter: Adapter, max_tokens: int | None) -> AbstractAsyncContextManager[Stream]:
        task = self._request.task
        if task is None or not isinstance(adapter, RunsTasks):
            return adapter.stream(self._chat(max_tokens))
        assert self._prepared is not None
        return adapter.run_task(self._prepared.view.info.id, task)

    def _chat(self, max_tokens: int | None) -> ChatRequest:
        request = self._request
        assert self._prepared is not None
        return ChatRequest(
            model=self._prepared.view.info.id,
            messages=request.messages,
            system=request.system,
            max_tokens=max_tokens,
            longest_output=self._prepared.estimate.longest_answer,
            temperature=request.temperature,
            top_p=request.top_p,
            stop=request.stop,
            seed=request.seed,
            reasoning_effort=request.reasoning_effort,
            tools=request.tools,
            tool_choice=request.tool_choice,
            json_schema=request.json_schema,
            stream=request.stream,
        )

    async def _tell(self, event: Event) -> None:
        match event:
            case TextDelta(text) if text:
                await self._emit(RunText(text))
            case ThinkingDelta(text) if text:
                await self._emit(RunThinking(text))
            case ToolCallDelta(index, call_id, name, arguments):
                await self._emit(RunToolCall(index, call_id, name, arguments))
            case UsageUpdate(usage):
                await self._emit(RunUsage(usage))

    def _progress(self, attempt: Attempt, now: float) -> None:
        assert self._prepared is not None
        assert attempt.first is not None
        self._told_at = now
        tokens = self._prepared.habit.tokens(attempt.weight)
        seconds = now - attempt.first
        self._services.feed.publish(
            RunProgress(self._id, tokens, tokens / seconds if seconds >= PROGRESS_S else None)
        )

    def _run_out_of_time(self) -> None:
        seconds = self._request.timeout_s or 0
        error = DeadlineError(
            f"The run was not done within {seconds:g} s.", hint="Give it more time, or choose a faster model."
        )
        if not self._attempts:
            raise error
        self._stop_current(error=error)

    def _cancel(self) -> None:
        task = asyncio.current_task()
        if task is not None:
            task.uncancel()
        self._cancelled = True
        self._stop_current()

    def _stop_current(self, *, error: DeadlineError | None = None) -> None:
        """End the attempt that is under way; between two attempts there is none."""
        if not self._attempts or self._attempts[-1].state is not None:
            return
        attempt = self._attempts[-1]
        attempt.ended = self._timing.monotonic()
        if error is None:
            attempt.end("cancelled")
        else:
            attempt.end("interrupted" if attempt.has_content else "failed", error=error)

    def _bills(self, prepared: Prepared) -> list[tuple[Attempt, Bill]]:
        return [
            (attempt, bill(attempt, prepared, self._sent_max[attempt.number])) for attempt in self._attempts
        ]

    async def _finish(self) -> RunResult:
        """Settle and make the result."""
        if self._prepared is None or not self._attempts:
            await self._settlement.release(self._id)
            return self.unsent()
        settled = self._bills(self._prepared)
        result = self._outcome(settled, self._note)
        try:
            await self._settlement.settle(self._id, self._request, self._prepared, settled)
        except SwitchroomError as error:
            log.exception("a run could not be settled")
            note = f"This run could not be recorded: {error.message}"
            return replace(result, note=note, error=result.error or error)
        if result.error is not None:
            await with_way_on(self._services, self._prepared.view, result.error)
        return result

    def _outcome(self, settled: list[tuple[Attempt, Bill]], note: str | None) -> RunResult:
        return outcome(
            self._id,
            self._request.model,
            settled,
            cancelled=self._cancelled,
            note=note,
        )

    def unsent(self) -> RunResult:
        """The result of a run that was cancelled before anything was sent."""
        own = self._prepared is not None and self._prepared.tariff.own
        duration = milliseconds(self._started, self._timing.monotonic()) or 0
        return unsent(self._id, self._request.model, own=own, duration_ms=duration)


def _endless(ref: str) -> UnexpectedResponseError:
    return UnexpectedResponseError(
        f"The answer of {ref} did not end; it was stopped at {MOST_BYTES >> 20} MiB.",
        title="Endless answer",
        hint="Set max_tokens, or choose another model.",
    )


def _our_fault(error: Exception, ref: str) -> UnexpectedResponseError:
    return UnexpectedResponseError(
        f"The answer of {ref} could not be read ({type(error).__name__}).",
        hint="The log file has the details; please report it.",
    )
