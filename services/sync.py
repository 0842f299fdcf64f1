"""How model lists are fetched and kept: side by side with a limit, in time, and never losing the last good list."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from catalog.errors import SwitchroomError, UsageError
from services.calm import calm
from services.feed import ModelsChanged, SyncEnded, SyncProgress
from services.sync_diff import SyncChange, read_diff, rise_alert
from services.sync_keep import Attempt, Keeper
from services.sync_rows import SyncResult, document

if TYPE_CHECKING:
    from adapters.base import Adapter, RemoteModel
    from services.container import Services
    from services.sync_views import PriceChanges, SyncView
    from store.providers import ProviderRow
    from store.sync_runs import SyncRunRow

__all__ = ["Sync", "SyncResult", "document"]

log = logging.getLogger(__name__)

Phase = Literal["waiting", "fetching", "retrying", "saving", "done"]

_NO_LIST = (404, 405, 501)
"""What a server answers that has no list of models."""


class Sync:
    """Syncs providers and keeps what came of it."""

    def __init__(self, services: Services) -> None:
        from store.models import Models
        from store.sync_runs import SyncRuns

        self._services = services
        self._models = Models(services.db)
        self._runs = SyncRuns(services.db)
        self._limit = asyncio.Semaphore(services.settings.sync.concurrency)
        self._turn = asyncio.Lock()
        """Clients are made and lists compared one at a time, so that many together do not stall the screen."""
        self._keeper = Keeper(services, self._models, self._runs, self._turn)
        self._under_way: dict[str, asyncio.Task[SyncResult]] = {}
        self._prices: PriceChanges | None = None
        """Made when somebody first looks at the syncs."""

    @property
    def active(self) -> tuple[str, ...]:
        """The providers being synced now."""
        return tuple(self._under_way)

    async def sync(self, slugs: Sequence[str] | None = None) -> list[SyncResult]:
        """Sync these providers (None: all that are on), each to its end, and return the results in order.

        A provider that fails is a result with its error. One that is being synced already is waited for, and left
        out when whoever began it stops it.
        """
        registry = self._services.registry
        self._services.require_writable()
        if slugs is None:
            rows = [row for row in await registry.rows() if row.enabled]
        else:
            rows = [await registry.row(slug) for slug in dict.fromkeys(slugs)]
        if off := [row.slug for row in rows if not row.enabled]:
            raise UsageError(f"The provider {off[0]} is off.", hint=f"switchroom providers enable {off[0]}")
        batch = _Batch(len(rows))
        started: list[asyncio.Task[SyncResult]] = []
        tasks: list[asyncio.Task[SyncResult]] = []
        for row in rows:
            task = self._under_way.get(row.slug)
            if task is None:
                task = self._start(row, batch)
                started.append(task)
            tasks.append(task)
        try:
            if tasks:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            ended = [task for task in tasks if task.done() and not task.cancelled()]
            results = [task.result() for task in ended]
        except BaseException:  # stopped by the user, or the store failed: leave nothing running
            await _cancelled(started)
            raise
        if risen := [rises for task in ended if task in started and (rises := task.result().rises)]:
            self._services.feed.publish(rise_alert(risen))
        return results

    def stop(self) -> None:
        """Stop what is under way, whoever began it; who waits for it gets what has ended by then."""
        for task in self._under_way.values():
            task.cancel()

    async def aclose(self) -> None:
        """Stop what is under way, and wait until it has stopped; the last good lists stay."""
        await _cancelled(list(self._under_way.values()))

    async def overview(self) -> list[SyncView]:
        """Each provider's last syncs and its next one."""
        from services.sync_views import PriceChanges, overview

        if self._prices is None:
            self._prices = PriceChanges()
        return await overview(self._services, self._prices)

    async def history(self, slug: str, limit: int = 200) -> list[SyncRunRow]:
        """A provider's syncs, newest first, without their diffs."""
        return await self._runs.history(slug, limit)

    async def changes(self, run_id: int) -> list[SyncChange]:
        """What one sync changed; price changes first."""
        return read_diff(await self._runs.diff(run_id))

    # inside

    def _start(self, row: ProviderRow, batch: _Batch) -> asyncio.Task[SyncResult]:
        self._progress(row.slug, "waiting", batch)
        task = asyncio.create_task(self._one(row, batch))
        self._under_way[row.slug] = task
        task.add_done_callback(lambda _: self._under_way.pop(row.slug, None))
        return task

    async def _one(self, row: ProviderRow, batch: _Batch) -> SyncResult:
        async with self._limit:
            result = await self._ended(row, batch)
        batch.done += 1
        self._progress(row.slug, "done", batch)
        if result.state == "ok":
            self._services.feed.publish(ModelsChanged(row.slug))
        self._services.feed.publish(SyncEnded(result))
        return result

    async def _ended(self, row: ProviderRow, batch: _Batch) -> SyncResult:
        """One provider's sync, however it ends."""
        attempt = Attempt()
        try:
            # Outside the time of the sync: the user may be typing the vault's passphrase.
            adapter = await self._adapter(row)
            attempt.restart()
            with calm():
                async with asyncio.timeout(self._services.settings.sync.timeout):
                    remote = await self._fetch(row, adapter, batch, attempt)
                self._progress(row.slug, "saving", batch)
                if remote is None:
                    return await self._keeper.unlisted(row, attempt)
                return await self._keeper.keep(row, remote, attempt)
        except TimeoutError:
            return await self._keeper.failed(row, attempt.error or self._too_slow(row), attempt)
        except SwitchroomError as error:
            return await self._keeper.failed(row, error, attempt)
        except Exception:
            log.exception("the sync of %s failed in an unforeseen way", row.slug)
            return await self._keeper.failed(row, _unforeseen(row), attempt)

    async def _adapter(self, row: ProviderRow) -> Adapter:
        async with self._turn:
            await asyncio.sleep(0)
        return await self._services.registry.adapter(row.slug)

    async def _fetch(
        self, row: ProviderRow, adapter: Adapter, batch: _Batch, attempt: Attempt
    ) -> list[RemoteModel] | None:
        """The live list; what may pass is tried again, within the time of the sync. None: it has no list."""
        from adapters.abilities import HasOwnSwitch
        from adapters.errors import ProviderError
        from services.retry import policy_for

        policy = policy_for(
            self._services.settings.retry,
            provider_retries=row.retries,
            retries=None,
            timeout_s=None,
            headless=True,
        )
        self._progress(row.slug, "fetching", batch)
        if isinstance(adapter, HasOwnSwitch) and (await self._models.listed(row.slug))[1]:
            switch: HasOwnSwitch = adapter
            if (off := switch.switched_off()) is not None:
                raise off  # what is on this machine is not all it offers: the last good list stays
        while True:
            try:
                return _without_secrets(await adapter.list_models())
            except ProviderError as error:
                if error.status in _NO_LIST and not (await self._models.listed(row.slug))[1]:
                    await _works(adapter)
                    return None
                attempt.failed += 1
                attempt.error = error
                wait = policy.delay(attempt.failed, error, 0.0)
                late = attempt.seconds + wait >= self._services.settings.sync.timeout
                if late or not error.retryable or attempt.failed >= policy.attempts:
                    raise
                self._progress(row.slug, "retrying", batch)
                await asyncio.sleep(wait)

    def _too_slow(self, row: ProviderRow) -> SwitchroomError:
        from adapters.errors import ProviderTimeoutError

        seconds = self._services.settings.sync.timeout
        return ProviderTimeoutError(
            f"{row.slug} did not give its models within {seconds:g} s.",
            hint="Try again, or test the provider.",
        )

    def _progress(self, slug: str, phase: Phase, batch: _Batch) -> None:
        self._services.feed.publish(SyncProgress(slug, phase, batch.done, batch.total))


def _without_secrets(models: list[RemoteModel]) -> list[RemoteModel]:
    """A server that repeats a key as a model does not get it into the store."""
    from catalog.redact import holds_secret

    def text(model: RemoteModel) -> str:
        return "\n".join(
            map(str, (model.id, model.name, model.owned_by, model.fingerprint, *model.details.values()))
        )

    if not holds_secret("\n".join(map(text, models))):
        return models
    return [model for model in models if not holds_secret(text(model))]


async def _works(adapter: Adapter) -> None:
    """Raise what is wrong with a provider whose list is not there; a wrong address has no list either."""
    validation = await adapter.validate()
    if validation.error is not None:
        raise validation.error


async def _cancelled(tasks: Sequence[asyncio.Task[SyncResult]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@dataclass(slots=True)
class _Batch:
    """How far the providers synced together are."""

    total: int
    done: int = 0


def _unforeseen(row: ProviderRow) -> SwitchroomError:
    from adapters.errors import UnexpectedResponseError

    return UnexpectedResponseError(
        f"The models of {row.slug} could not be taken over.",
        hint="The log has the details: logs/switchroom.log",
    )
