"""Who owns a run: a task of the services, so that a face may come, be slow, or go while the run is settled all the same."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from catalog.errors import BudgetExceededError, OfflineError, SwitchroomError, UnpricedError, VaultLockedError
from services import clock
from services.estimate import Estimate
from services.feed import RunEnded
from services.run_events import (
    AttemptView,
    RunEvent,
    RunFinished,
    RunRequest,
    RunResult,
    RunRetry,
    RunStartedEvent,
    RunState,
    RunText,
    RunThinking,
    RunToolCall,
    RunUsage,
    RunWaiting,
)
from services.run_task import RunTask, Timing
from services.settlement import Settlement

if TYPE_CHECKING:
    from services.container import Services

__all__ = [
    "AttemptView",
    "Run",
    "RunEvent",
    "RunFinished",
    "RunRequest",
    "RunResult",
    "RunRetry",
    "RunStartedEvent",
    "RunState",
    "RunText",
    "RunThinking",
    "RunToolCall",
    "RunUsage",
    "RunWaiting",
    "Runs",
    "Timing",
]

log = logging.getLogger(__name__)

QUEUE_EVENTS = 256
"""Events that may wait for a slow reader; then the socket is read no further."""
CLOSE_S = 5.0
"""How long closing waits for runs to settle."""
_AUDITED_REFUSALS = (BudgetExceededError, UnpricedError, OfflineError, VaultLockedError)


class Run:
    """One run in flight. Its events have one reader; where only `result` is awaited, events beyond the queue are dropped."""

    def __init__(self, services: Services, request: RunRequest, timing: Timing) -> None:
        self.id = f"{clock.now_ms():012x}{secrets.token_hex(5)}"
        """Sorts by time."""
        self.request = request
        self._services = services
        self._queue: asyncio.Queue[RunEvent | None] = asyncio.Queue(QUEUE_EVENTS)
        self._read = False
        """A reader asked for the events."""
        self._awaited = False
        """Somebody waits for the result, so the run must go on even without a reader."""
        self._dropping = False
        self._done: asyncio.Future[RunResult] = asyncio.get_running_loop().create_future()
        self._done.add_done_callback(_seen)
        self._work = RunTask(services, self.id, request, self._emit, timing)
        self._cancel_asked = False
        self.task = asyncio.create_task(self._drive(), name=f"run {self.id}")
        self.task.add_done_callback(self._ended)

    @property
    def estimate(self) -> Estimate | None:
        """None until it is made."""
        return self._work.estimate

    def events(self) -> AsyncIterator[RunEvent]:
        """The events up to RunFinished, for one reader. Raises the SwitchroomError of a refusal.

        A reader that stops early lets the run go on; `cancel` stops it.
        """
        self._read = True
        return self._events()

    async def result(self) -> RunResult:
        """The result once it is settled. Raises the SwitchroomError of a refusal: then there was no run."""
        self._awaited = True
        if not self._read and self._queue.full():
            self._drop()
        return await asyncio.shield(self._done)

    def cancel(self) -> None:
        """Close the connection, keep what came, settle. May be called at any time, again and again."""
        if not self._cancel_asked and not self._work.settling:
            self._cancel_asked = True
            self.task.cancel()

    async def aclose(self) -> None:
        """Cancel, and wait until it is settled, whether or not anybody reads."""
        self.cancel()
        self._drop()
        await asyncio.wait([self.task], timeout=CLOSE_S)

    async def _events(self) -> AsyncIterator[RunEvent]:
        try:
            while not self._dropping:
                event = await self._queue.get()
                if event is None:
                    break
                yield event
                if isinstance(event, RunFinished):
                    return
            yield RunFinished(await self.result())
        finally:
            self._drop()

    async def _emit(self, event: RunEvent | None) -> None:
        if self._awaited and not self._read and self._queue.full():
            self._drop()
        if not self._dropping:
            await self._queue.put(event)

    def _drop(self) -> None:
        """No event any more: let go of what waits, and wake whoever waits for room or for an event."""
        self._dropping = True
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(None)

    def _ended(self, _task: asyncio.Task[None]) -> None:
        """A task that was cancelled before its first step, or by the end of the loop, has told nobody."""
        if not self._done.done():
            self._done.set_result(self._work.unsent())
            self._drop()

    async def _drive(self) -> None:
        try:
            result = await self._work.drive()
        except SwitchroomError as refusal:
            await self._refuse(refusal)
        except Exception as error:
            log.exception("a run failed")
            words = f"Something went wrong inside Switchroom during the run ({type(error).__name__})."
            await self._refuse(SwitchroomError(words, hint="The log says more."))
        else:
            self._done.set_result(result)
            if result.attempts:
                self._services.feed.publish(RunEnded(result))
            await self._emit(RunFinished(result))
            return
        await self._emit(None)

    async def _refuse(self, refusal: SwitchroomError) -> None:
        self._work.settling = True
        settlement = Settlement(self._services)
        try:
            if isinstance(refusal, _AUDITED_REFUSALS):
                await settlement.refused(self.id, self.request, refusal.code)
            elif not self._services.db.read_only:
                await settlement.release(self.id)
        except SwitchroomError:
            log.exception("a refusal could not be recorded")
        self._done.set_exception(refusal)


class Runs:
    """The runs of this process."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._active: dict[str, Run] = {}
        self.timing = Timing()

    def start(self, request: RunRequest) -> Run:
        """Begin a run; it goes on until it is done or cancelled, whoever watches."""
        run = Run(self._services, request, self.timing)
        self._active[run.id] = run
        run.task.add_done_callback(lambda _: self._active.pop(run.id, None))
        return run

    def active(self) -> list[Run]:
        """The runs that are not settled yet, oldest first."""
        return list(self._active.values())

    async def aclose(self) -> None:
        """Cancel every run and wait until all are settled."""
        runs = self.active()
        await asyncio.gather(*(run.aclose() for run in runs))
        for run in runs:
            if not run.task.done():
                log.error("run %s could not be settled in time", run.id)


def _seen(done: asyncio.Future[RunResult]) -> None:
    """A refusal that nobody asks for is no error of the loop."""
    if not done.cancelled():
        done.exception()
