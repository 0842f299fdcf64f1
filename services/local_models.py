"""Models that lie on a machine: what is installed and loaded at a provider, and downloads that go on whoever watches."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from catalog.errors import SwitchroomError, UsageError
from catalog.plaintext import one_line
from services.clock import now_ms
from services.feed import PullChanged
from services.pulls import Pull, same_model
from services.shelves import Shelf, shelf_of

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from adapters.abilities import CopiesModels, PullsModels, RunningModel
    from services.container import Services
    from store.providers import ProviderRow

log = logging.getLogger(__name__)

ATTEMPTS = 6
"""How often in a row a broken download is taken up again without a byte of progress."""
WAITS = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds before each of these."""
_OFTEN = 0.25
"""Seconds between two events of one download."""
_KEPT = 20
"""Downloads that are over and still shown."""


class LocalModels:
    """What providers hold, and the downloads under way."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._pulls: dict[tuple[str, str], Pull] = {}

    # looking

    async def holders(self) -> list[ProviderRow]:
        """The providers that are on and can install models."""
        from adapters.abilities import PullsModels
        from adapters.loader import can

        return [
            row
            for row in await self._services.registry.rows()
            if row.enabled and can(row.dialect, PullsModels)
        ]

    async def shelf(self, slug: str) -> Shelf:
        """What a provider holds. Raises ProviderError, OfflineError where it cannot be asked."""
        holder = await self._holder(slug)
        installed, running = await asyncio.gather(holder.installed(), _running(holder))
        windows = {view.info.id: view.info.context_window for view in await self._services.models.list(slug)}
        return shelf_of(slug, installed, running, windows)

    def pulls(self, *, active: bool = False) -> tuple[Pull, ...]:
        """The downloads of this program, oldest first; `active`: only those that are not over."""
        return tuple(pull for pull in self._pulls.values() if not (active and pull.over))

    # changing

    async def plan(self, slug: str, model: str) -> str:
        """The name as it will be asked for. Raises what would keep it from being pulled; nothing is contacted."""
        await self._holder(slug)
        name = model.strip()
        if not name or len(name) > 300 or any(ch.isspace() or not ch.isprintable() for ch in name):
            raise UsageError(
                f"{one_line(model, 60) or 'An empty text'} is no name of a model.",
                hint="For example: llama3.2:3b",
            )
        return name

    async def pull(self, slug: str, model: str) -> Pull:
        """Begin to download a model; the one under way where it is being downloaded already."""
        self._services.require_writable()
        name = await self.plan(slug, model)
        keeps_parts = getattr(await self._holder(slug), "keeps_parts", True)
        if (known := self._under_way(slug, name)) is not None:
            return known
        pull = Pull(slug, name, keeps_parts=keeps_parts)
        self._pulls.pop((slug, name), None)
        self._pulls[slug, name] = pull
        for key in [key for key, one in self._pulls.items() if one.over][:-_KEPT]:
            del self._pulls[key]
        pull.task = asyncio.create_task(self._drive(pull), name=f"pull {name}")
        self._tell(pull)
        return pull

    async def wait(self, pull: Pull) -> None:
        """Wait until it is over; raise why it failed. Cancelling the one who waits does not stop it."""
        if pull.task is not None:
            await asyncio.wait([pull.task])
        if pull.state == "failed" and pull.error is not None:
            raise pull.error

    async def cancel(self, pull: Pull) -> None:
        """Stop: what is there stays (see `Pull.keeps_parts`), and the next pull goes on from it."""
        if pull.task is not None and not pull.over:
            pull.task.cancel()
            await asyncio.wait([pull.task])
            if not pull.over:  # it had not begun
                pull.state, pull.ended = "stopped", now_ms()
                await self._audit_pull(pull, "cancelled")
                self._tell(pull)

    async def delete(self, slug: str, model: str) -> None:
        """Remove a model from the machine. Raises ModelUnavailableError where it is not there."""
        self._services.require_writable()
        holder = await self._holder(slug)
        if self._under_way(slug, model) is not None:
            raise UsageError(f"{one_line(model, 80)} is being pulled.", hint="Stop that first.")
        if not model.strip():
            raise UsageError(
                "An empty text is no name of a model.", hint="switchroom models installed lists them."
            )
        if self._services.db.dry_run:
            await self._there(slug, holder, model)
            return
        await holder.delete(model)
        await _surely(self._record("model.delete", f"{slug}/{model}", "ok", {}))
        await self._sync(slug)

    async def copy(self, slug: str, model: str, name: str) -> None:
        """Give a model a second name."""
        from adapters.abilities import CopiesModels

        self._services.require_writable()
        holder = await self._holder(slug)
        name = await self.plan(slug, name)
        if not isinstance(holder, CopiesModels):
            raise UsageError(f"{slug} cannot give a model a second name.")
        copies: CopiesModels = holder
        if self._services.db.dry_run:
            await self._there(slug, holder, model)
            return
        await copies.copy(model, name)
        await _surely(self._record("model.copy", f"{slug}/{model}", "ok", {"name": name}))
        await self._sync(slug)

    async def aclose(self) -> None:
        """Stop what is under way, and wait until it has stopped."""
        for pull in self.pulls(active=True):
            await self.cancel(pull)

    # inside

    def _under_way(self, slug: str, model: str) -> Pull | None:
        active = (pull for pull in self.pulls(active=True) if pull.provider == slug)
        return next((pull for pull in active if same_model(pull.model, model)), None)

    async def _holder(self, slug: str) -> PullsModels:
        from adapters.abilities import PullsModels

        adapter = await self._services.registry.adapter(slug)
        if not isinstance(adapter, PullsModels):
            raise UsageError(
                f"{slug} holds no models of its own: nothing can be pulled there or deleted.",
                hint="Ollama servers (--type ollama) and the Hugging Face cache do.",
            )
        return adapter

    async def _there(self, slug: str, holder: PullsModels, model: str) -> None:
        from adapters.errors import ModelUnavailableError

        if not any(same_model(model, one.id) for one in await holder.installed()):
            raise ModelUnavailableError(
                f"{slug} has no model {one_line(model, 80)}.",
                hint=f"switchroom models installed {slug}",
                provider=slug,
            )

    async def _drive(self, pull: Pull) -> None:
        """The whole download: take it up again where the connection breaks, then sync; every end is audited."""
        try:
            await self._persist(pull)
            pull.state = "syncing"
            self._tell(pull)
            await _surely(self._audit_pull(pull, "ok"))
            await self._sync(pull.provider)
            pull.state = "done"
        except asyncio.CancelledError:
            if pull.state == "syncing":  # it is there; only the list is old
                pull.state = "done"
            else:
                pull.state = "stopped"
                await self._audit_pull(pull, "cancelled")
        except SwitchroomError as error:
            pull.state, pull.error = "failed", error
            await self._audit_pull(pull, error.code)
        except Exception as mistake:
            log.exception("a download failed in an unforeseen way")
            pull.state = "failed"
            pull.error = SwitchroomError(
                f"The download of {one_line(pull.model, 80)} failed ({type(mistake).__name__}).",
                hint="The log has the details: logs/switchroom.log",
            )
        finally:
            pull.ended = now_ms()
            self._tell(pull)

    async def _persist(self, pull: Pull) -> None:
        from adapters.errors import NetworkError, ProviderTimeoutError, StreamInterruptedError

        vain = 0
        while True:
            got_on = False
            try:
                holder = await self._holder(pull.provider)
                async with holder.pull(pull.model) as reports:
                    async for progress in reports:
                        got_on = pull.take(progress) or got_on
                        if progress.done:
                            return
                        self._tell_soon(pull)
                raise StreamInterruptedError(f"The download of {one_line(pull.model, 80)} broke off.")
            except (NetworkError, ProviderTimeoutError, StreamInterruptedError) as error:
                vain = 0 if got_on else vain + 1
                begun = pull.completed is not None or got_on
                if not begun or vain >= ATTEMPTS:
                    raise
                pull.lost(error)
                self._tell(pull)
                await asyncio.sleep(WAITS[min(vain, len(WAITS) - 1)])

    async def _audit_pull(self, pull: Pull, result: str) -> None:
        detail: dict[str, object] = {"seconds": round((now_ms() - pull.started) / 1000)}
        if pull.completed is not None:
            detail["bytes"] = pull.completed
        try:
            await self._record("model.pull", f"{pull.provider}/{pull.model}", result, detail)
        except SwitchroomError:
            log.exception("a download could not be audited")

    async def _record(self, action: str, subject: str, result: str, detail: dict[str, object]) -> None:
        async with self._services.db.transaction() as tx:
            await self._services.audit.record(tx, action, subject, result=result, detail=detail)

    async def _sync(self, slug: str) -> None:
        """Take the new list over; a sync that fails says so itself, where syncs are shown."""
        try:
            await self._services.sync.sync([slug])
        except SwitchroomError as error:
            log.warning("after a change of its models %s could not be synced: %s", slug, error.code)

    def _tell_soon(self, pull: Pull) -> None:
        """Once for all reports of a moment, so that the last one before a standstill is told, too."""
        if not pull.telling:
            pull.telling = True
            asyncio.get_running_loop().call_later(_OFTEN, self._tell, pull)

    def _tell(self, pull: Pull) -> None:
        pull.telling = False
        self._services.feed.publish(PullChanged(pull.provider, pull.model))


async def _surely(work: Coroutine[Any, Any, None]) -> None:
    """Wait for what records a change that was made, also when it is cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise


async def _running(holder: PullsModels) -> list[RunningModel] | SwitchroomError:
    try:
        return await holder.running()
    except SwitchroomError as error:
        return error
