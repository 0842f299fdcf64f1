"""Asking models what they can do: through the real run path, side by side with a limit, kept as soon as a model is done."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from catalog.capabilities import PROBED, Asked, read_asked, write_asked
from catalog.errors import SwitchroomError
from services import probe_plan
from services.clock import now_ms
from services.feed import ModelsChanged, ProbeProgress
from services.merging import weights
from services.probe_questions import request
from services.probe_verdict import Verdict, judged

if TYPE_CHECKING:
    from catalog.usage import Grade
    from services.container import Services
    from services.probe_plan import ModelPlan, ProbePlan
    from services.run_events import RunResult

log = logging.getLogger(__name__)

PER_PROVIDER = 2
"""Models of one provider that are asked at once."""
AT_ONCE = 8
"""Models that are asked at once in all."""
TIMEOUT_S = 90.0
"""For one question, waiting included, unless the user says otherwise."""
RETRIES = 1
EFFORT = "low"

_ENDS_PROVIDER = frozenset(
    ("invalid_credentials", "no_credit", "rate_limited", "network", "offline", "vault_locked", "read_only", "usage")
)  # fmt: skip
"""Errors that the next question to the provider would meet too."""
_ENDS_MODEL = frozenset(("permission", "model_unavailable", "unpriced", "timeout", "budget"))


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What one question to one model showed."""

    model: str
    capability: str
    can: bool | None
    """None: it could not be told; nothing was stored."""
    detail: str
    hint: str | None
    cost: Decimal | None
    """USD; None where unknown or own hardware (the grade says which)."""
    grade: Grade | None
    """None: nothing was sent."""
    at: int
    """UTC ms."""
    error: SwitchroomError | None = None
    """Why it could not be told, where an error was why."""


@dataclass(frozen=True, slots=True)
class Options:
    """How the questions are sent; None: as usual."""

    allow_unpriced: bool = False
    retries: int | None = None
    timeout_s: float | None = None


class ProbeWork:
    """One round of questions. It goes on until it is done or cancelled, whoever watches."""

    def __init__(self, services: Services, plan: ProbePlan, options: Options) -> None:
        self.plan = plan
        self.results: list[ProbeResult] = []
        """In the order in which they came."""
        self.asking: dict[str, str] = {}
        """Model ref → the capability it is being asked for."""
        self.started = now_ms()
        self.stopped = False
        """The user stopped it."""
        self.error: SwitchroomError | None = None
        """Why results could not be kept; None: they were."""
        self._services = services
        self._options = options
        self._ended: dict[str, SwitchroomError] = {}
        """Provider → the error after which it is asked no more."""
        self._room = asyncio.Semaphore(AT_ONCE)
        self.task = asyncio.create_task(self._drive(), name="probe")

    @property
    def done(self) -> bool:
        return self.task.done()

    @property
    def spent(self) -> Decimal:
        """USD of what has a known cost."""
        return sum((result.cost for result in self.results if result.cost is not None), Decimal(0))

    @property
    def spent_unknown(self) -> int:
        """Questions that were sent at an unknown cost."""
        return sum(result.grade == "unknown" for result in self.results)

    async def wait(self) -> list[ProbeResult]:
        """All results, once it is over. Cancelling the one who waits does not stop it."""
        await asyncio.wait([self.task])
        if self.error is not None:
            raise self.error
        if not self.task.cancelled() and (mistake := self.task.exception()) is not None:
            raise mistake
        return self.results

    def cancel(self) -> None:
        """Stop: what was answered is kept."""
        if not self.stopped and not self.task.done():
            self.stopped = True
            self.task.cancel()

    async def _drive(self) -> None:
        waiting: dict[str, deque[ModelPlan]] = {}
        for model in self.plan.models:
            waiting.setdefault(model.view.provider, deque()).append(model)
        work = [
            self._work(models) for models in waiting.values() for _ in range(min(PER_PROVIDER, len(models)))
        ]
        try:
            async with (
                asyncio.TaskGroup() as together
            ):  # a mistake in one of them lets none go on paying unseen
                for one in work:
                    together.create_task(one)
        except ExceptionGroup as mistakes:
            raise mistakes.exceptions[0] from None
        finally:
            self.asking.clear()
            self._services.feed.publish(ProbeProgress(self.plan.questions, self.plan.questions))

    async def _work(self, models: deque[ModelPlan]) -> None:
        while models:
            async with self._room:
                if models:
                    await self._model(models.popleft())

    async def _model(self, model: ModelPlan) -> None:
        ref, found = model.view.ref, dict[str, Asked]()
        ended: SwitchroomError | None = None
        try:
            for capability in model.prices:
                ended = ended or self._ended.get(model.view.provider)
                self.asking[ref] = capability
                self._tell()
                if ended is not None:
                    result = _unsent(ref, capability, ended)
                else:
                    result = await self._ask(ref, capability)
                self.results.append(result)
                if result.can is not None:
                    found[capability] = Asked(result.can, result.at)
                if (error := result.error) is not None and result.can is None:
                    if error.code in _ENDS_PROVIDER:
                        self._ended[model.view.provider] = error
                    elif error.code in _ENDS_MODEL:
                        ended = error
                self._tell()
        finally:
            self.asking.pop(ref, None)
            if found:
                await asyncio.shield(self._keep(model, found))

    def _tell(self) -> None:
        self._services.feed.publish(ProbeProgress(len(self.results), self.plan.questions))

    async def _ask(self, ref: str, capability: str) -> ProbeResult:
        result, verdict = await self._run(ref, capability, None)
        if capability == "reasoning" and verdict.can is False and result is not None and result.error is None:
            again, second = await self._run(ref, capability, EFFORT, result)  # some think only when told to
            return _result(ref, capability, second, again, result)
        return _result(ref, capability, verdict, result)

    async def _run(
        self, ref: str, capability: str, effort: str | None, before: RunResult | None = None
    ) -> tuple[RunResult | None, Verdict]:
        options = self._options
        run = self._services.runs.start(
            request(
                ref,
                capability,
                effort=effort,
                allow_unpriced=options.allow_unpriced,
                retries=RETRIES if options.retries is None else options.retries,
                timeout_s=options.timeout_s or TIMEOUT_S,
            )
        )
        try:
            result = await run.result()
        except asyncio.CancelledError:
            await run.aclose()
            stopped: RunResult | None = None
            with suppress(SwitchroomError):  # refused at that very moment: nothing was sent
                stopped = await run.result()
            self.results.append(_result(ref, capability, Verdict(None, "it was stopped"), stopped, before))
            raise
        except SwitchroomError as refusal:
            return None, Verdict(None, refusal.message, refusal.hint, refusal)
        return result, judged(capability, result)

    async def _keep(self, model: ModelPlan, found: Mapping[str, Asked]) -> None:
        try:
            await keep(self._services, model.view.provider, model.view.info.id, found)
        except SwitchroomError as error:
            log.exception("what %s showed could not be kept", model.view.ref)
            self.error = error
            if not self.task.done():
                self.task.cancel()


class Probes:
    """What models can do, as they show it themselves."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.work: ProbeWork | None = None
        """The last round of this process; None: there was none."""

    @property
    def active(self) -> bool:
        """Models are being asked now."""
        return self.work is not None and not self.work.done

    async def plan(self, refs: Sequence[str], capabilities: Sequence[str] = PROBED) -> ProbePlan:
        """What asking costs, before anything is sent."""
        return await probe_plan.plan(self._services, refs, capabilities)

    def start(self, plan: ProbePlan, options: Options | None = None) -> ProbeWork:
        """Ask. One round at a time: while one is under way, that one is returned."""
        self._services.require_writable()
        if self.work is None or self.work.done:
            self.work = ProbeWork(self._services, plan, options or Options())
        return self.work

    async def say(self, refs: Sequence[str], capability: str, can: bool | None) -> None:
        """The user's own word on an ability, which goes before everything; None takes it back.

        NotFoundError names the first model that nobody knows, and nothing is changed then.
        """
        self._services.require_writable()
        views = [await self._services.models.get(ref) for ref in refs]
        for view in views:
            if not view.known:
                raise await self._services.models.unknown(view)
        for view in views:
            entry = None if can is None else Asked(can, now_ms(), "user")
            await keep(self._services, view.provider, view.info.id, {capability: entry})

    async def aclose(self) -> None:
        """Stop what is under way; what was answered is kept."""
        if self.work is not None:
            self.work.cancel()
            await asyncio.gather(self.work.task, return_exceptions=True)


async def keep(services: Services, provider: str, model_id: str, found: Mapping[str, Asked | None]) -> None:
    """Store what is known now of some abilities of a model beside what is known of the others; None forgets one."""
    from store.models import Models

    store, ref = Models(services.db), f"{provider}/{model_id}"
    async with services.db.transaction(durable=True) as tx:
        if await services.registry.find(provider, tx) is None:
            return  # deleted meanwhile
        await store.ensure(tx, provider, [model_id], now_ms())
        row = await store.locked(tx, provider, model_id)
        before = read_asked(row.probed_json)
        after = dict(before)
        for name, entry in found.items():
            own = before.get(name)
            if entry is None:
                after.pop(name, None)
            elif entry.by == "user" or own is None or own.by != "user":
                after[name] = Asked(entry.can, entry.at, entry.by, weights(row))
        if after == before:
            return
        await store.set_probed(tx, provider, model_id, write_asked(after))
        said = any(entry is None or entry.by == "user" for entry in found.values())
        detail = {"before": _told(before, found), "after": _told(after, found)}
        await services.audit.record(tx, "model.say" if said else "model.probe", ref, detail=detail)
    services.feed.publish(ModelsChanged(provider))


def _told(asked: Mapping[str, Asked], names: Mapping[str, object]) -> dict[str, object]:
    return {name: asked[name].can if name in asked else None for name in names}


def _result(
    ref: str, capability: str, verdict: Verdict, run: RunResult | None, before: RunResult | None = None
) -> ProbeResult:
    """`before`: the run that went before this one for the same question."""
    runs = [one for one in (before, run) if one is not None]
    known = [one.cost for one in runs if one.cost is not None]
    grades = [one.grade for one in runs]
    grade = next((g for g in ("unknown", "own", "estimated", "computed", "reported") if g in grades), None)
    return ProbeResult(
        ref,
        capability,
        verdict.can,
        verdict.detail,
        verdict.hint,
        sum(known, Decimal(0)) if grade not in ("unknown", "own") else None,
        grade,
        now_ms(),
        verdict.error,
    )


def _unsent(ref: str, capability: str, error: SwitchroomError) -> ProbeResult:
    return ProbeResult(ref, capability, None, error.message, error.hint, Decimal(0), None, now_ms(), error)
