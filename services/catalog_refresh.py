"""How newer facts are fetched and kept: each source on its own, checked, put in place in one step, with what it changed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog import refreshed
from catalog.errors import OfflineError, StoreError, SwitchroomError, UsageError
from services.calm import calm
from services.catalog_sources import NAMES, addresses
from services.clock import HOUR_MS, now_ms
from services.feed import CatalogChanged
from services.schedule_claims import claim, release

if TYPE_CHECKING:
    from services.catalog_lists import Prepared
    from services.container import Services
    from store.catalog_runs import CatalogRunRow

log = logging.getLogger(__name__)

JOB = "catalog:refresh"
"""No provider can be called so. The name under which only one of several processes refreshes by itself."""
TIMEOUT_S = 60.0
LARGEST = 24 * 1024 * 1024
"""Bytes of a list; the largest of them has a tenth of this."""
LOOK_S = 300.0
"""How often it is looked whether the sources should be asked again."""


class UnexpectedListError(SwitchroomError):
    """A list brought out a defect of ours."""

    code = "unexpected_response"
    default_title = "List refused"


@dataclass(frozen=True, slots=True)
class _Answer:
    """How one source answered, and when it was asked."""

    at: int
    took: float
    body: tuple[bytes, str | None] | None = None
    """With its ETag; None: the stored list is still the newest."""
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class RefreshResult:
    """What asking one source came to."""

    source: str
    state: str
    """`ok`, `unchanged` or `error`."""
    vendors: int = 0
    models: int = 0
    added: int = 0
    updated: int = 0
    removed: int = 0
    doubted: int = 0
    """Models whose price in the list was not believed."""
    duration_ms: int = 0
    error: SwitchroomError | None = None

    @property
    def changed(self) -> bool:
        return bool(self.added or self.updated or self.removed)


@dataclass(frozen=True, slots=True)
class SourceView:
    """Where one source stands."""

    source: str
    name: str
    url: str | None
    """None: switched off."""
    fetched_at: int | None
    """UTC ms of the list in use; None: none is."""
    checked_at: int | None
    """UTC ms of the last word that it is the newest."""
    models: int
    last: CatalogRunRow | None
    note: str = ""
    """Why the stored list is not used."""


class CatalogRefresh:
    """Asks the sources, by itself or on request."""

    def __init__(self, services: Services) -> None:
        from store.catalog_runs import CatalogRuns

        self._services = services
        self._runs = CatalogRuns(services.db)
        self._turn = asyncio.Lock()

    async def sources(self) -> list[SourceView]:
        """Every source, in the order in which prices are believed."""
        urls, last = addresses(self._services.settings), await self._runs.last()
        layer = self._services.catalog.refreshed
        heads = layer.heads
        notes = {note.file.stem: note.reason for note in layer.notes}
        found = []
        for source in refreshed.SOURCES:
            head = heads.get(source)
            found.append(
                SourceView(
                    source, NAMES[source], urls.get(source), head.fetched_at if head else None,
                    head.checked_at if head else None, head.models if head else 0, last.get(source),
                    notes.get(source, ""),
                )
            )  # fmt: skip
        return found

    async def refresh(
        self,
        sources: Sequence[str] | None = None,
        *,
        anyway: bool = False,
        tell: Callable[[RefreshResult], None] = lambda _result: None,
    ) -> list[RefreshResult]:
        """Ask these sources (None: all that are on) at once, and work through their lists in the order of belief.

        One that fails is a result with its error; `tell` hears of each as it ends. Prices that rose, and models in
        use that will be shut down, raise an alert.
        """
        self._services.require_writable()
        urls = addresses(self._services.settings)
        for source in sources or ():
            if source not in urls:
                raise UsageError(
                    f"The catalog has no source {source}, or it is switched off.",
                    hint=f"Sources: {', '.join(urls) or 'none is on'}.",
                )
        async with self._turn:
            self._services.catalog.forget(urls)  # what another process put in place counts as the one before
            results = await self._all(
                {name: url for name, url in urls.items() if name in (sources or urls)}, anyway, tell
            )
        if any(result.state == "ok" for result in results) and not self._services.db.dry_run:
            self._services.catalog.forget(urls)
            self._services.catalog_watch.put_in_place()
            self._services.feed.publish(CatalogChanged())
        if any(result.error is None for result in results) and not self._services.db.dry_run:
            from services import catalog_news

            await catalog_news.tell(
                self._services
            )  # with the same lists a shutdown comes nearer all the same
        return results

    async def _all(
        self, urls: dict[str, str], anyway: bool, tell: Callable[[RefreshResult], None]
    ) -> list[RefreshResult]:
        """One that hangs keeps nobody but itself waiting, and each has `TIMEOUT_S`."""
        asked = {name: asyncio.create_task(self._ask(name, url, anyway)) for name, url in urls.items()}
        results: list[RefreshResult] = []
        try:
            for source, answer in asked.items():
                results.append(await self._one(source, urls[source], await answer, anyway))
                tell(results[-1])
        finally:
            for task in asked.values():
                task.cancel()
        return results

    async def keep(self) -> None:
        """Ask each source again every `catalog.every_hours`, in one of the processes that run, until the services close."""
        while True:
            try:
                if due := await self._due():
                    try:
                        await self.refresh(due)
                    finally:
                        await release(self._services.db, [JOB])
            except Exception:  # whatever a source sent, the others are asked again later
                log.exception("the catalog could not be refreshed")
            await asyncio.sleep(LOOK_S)

    async def _due(self) -> list[str]:
        """The sources whose time has come, claimed for this process; none while another one asks them."""
        services = self._services
        settings = services.settings.catalog
        if services.db.read_only or services.offline.state or settings.refresh == "off":
            return []
        if not (urls := addresses(services.settings)):
            return []
        now, every = now_ms(), int(settings.every_hours * HOUR_MS)
        async with services.db.transaction() as tx:
            asked = await self._runs.last_asked(tx)
            due = [source for source in urls if _is_due(asked.get(source), now, every)]
            return due if due and await claim(tx, JOB, now) else []

    async def _ask(self, source: str, url: str, anyway: bool) -> _Answer:
        """What the source sends; nothing is read or kept of it yet."""
        at, started = now_ms(), time.monotonic()
        layer = self._services.catalog.refreshed
        try:
            head = layer.heads.get(source) if await asyncio.to_thread(layer.sound, source) else None
            etag = head.etag if head is not None and head.url == url and not anyway else None
            body = await self._services.fetcher.get_changed(url, etag=etag, timeout=TIMEOUT_S, limit=LARGEST)
        except Exception as error:  # noqa: BLE001  told when it is this source's turn
            return _Answer(at, time.monotonic() - started, error=error)
        return _Answer(at, time.monotonic() - started, body)

    async def _one(self, source: str, url: str, answer: _Answer, anyway: bool) -> RefreshResult:
        at, started = answer.at, time.monotonic() - answer.took
        prepared: Prepared | None = None
        try:
            prepared = await self._prepared(source, url, answer, anyway)
            if prepared is None:
                result = RefreshResult(source, "unchanged", duration_ms=_ms(started))
                await self._record(result, at, None)
                return result
            result = RefreshResult(
                source, "ok", prepared.vendors, prepared.models, prepared.total("added"), prepared.total("updated"),
                prepared.total("removed"), prepared.doubted, _ms(started),
            )  # fmt: skip
            await self._record(result, at, prepared)
        except OfflineError as error:  # nobody was asked: no run to remember
            return RefreshResult(source, "error", duration_ms=_ms(started), error=error)
        except OSError as error:
            return await self._failed(source, at, started, _not_kept(error))
        except SwitchroomError as error:
            return await self._failed(source, at, started, error)
        except (
            Exception
        ):  # a defect of ours that one list brings out must not keep the others from being asked
            log.exception("the list of %s could not be worked through", source)
            return await self._failed(source, at, started, _not_understood(source))
        finally:
            if prepared is not None:
                refreshed.drop(prepared.path)
        self._services.catalog.forget()
        return result

    async def _prepared(self, source: str, url: str, answer: _Answer, anyway: bool) -> Prepared | None:
        """The new list, ready on disk; None: the stored one is still the newest."""
        services, folder = self._services, self._services.paths.refreshed_catalog
        if answer.error is not None:
            raise answer.error
        if answer.body is None:
            if not services.db.dry_run:
                refreshed.still_newest(folder, source)
            return None
        from services.catalog_changes import own_models
        from services.catalog_lists import prepare

        body, new_etag = answer.body
        mine = await own_models(services)
        with calm():
            return await asyncio.to_thread(
                prepare, services.catalog.copy(), folder, source, body,
                url=url, etag=new_etag, at=answer.at, anyway=anyway, also=mine,
            )  # fmt: skip

    async def _record(self, result: RefreshResult, at: int, prepared: Prepared | None) -> None:
        """Remember the run and put its list in place: both or, when the disk refuses, neither."""
        from store.catalog_runs import CatalogRunRow

        row = CatalogRunRow(
            None, result.source, at, result.duration_ms, result.state,
            result.error.code if result.error else None, result.error.message if result.error else None,
            result.vendors, result.models, result.added, result.updated, result.removed,
            await asyncio.to_thread(prepared.as_json) if prepared is not None else None,
        )  # fmt: skip
        async with self._services.db.transaction() as tx:
            await self._runs.insert(tx, row)
            if prepared is None:
                return
            detail: dict[str, object] = {
                "models": result.models, "added": result.added, "updated": result.updated, "removed": result.removed,
                **({"not_believed": result.doubted} if result.doubted else {}),
            }  # fmt: skip
            await self._services.audit.record(tx, "catalog.refresh", result.source, detail=detail)
            if not self._services.db.dry_run:
                refreshed.put(prepared.path, self._services.paths.refreshed_catalog, result.source)

    async def _failed(self, source: str, at: int, started: float, error: SwitchroomError) -> RefreshResult:
        result = RefreshResult(source, "error", duration_ms=_ms(started), error=error)
        await self._record(result, at, None)
        return result


def _is_due(asked: tuple[int, str] | None, now: int, every: int) -> bool:
    """`asked`: when a source was asked last, and how it ended. One that did not answer is asked again within the hour."""
    if asked is None or asked[0] > now:
        return True
    return now - asked[0] >= (min(every, HOUR_MS) if asked[1] == "error" else every)


def _not_kept(error: OSError) -> StoreError:
    return StoreError(
        f"The fetched list cannot be kept: {error.strerror or type(error).__name__}.",
        hint="The one before stays in use. Make room, or give the data folder to your user.",
    )


def _not_understood(source: str) -> SwitchroomError:
    return UnexpectedListError(
        f"What {NAMES[source]} sent could not be worked through.",
        hint="The one before stays in use; the log says more.",
    )


def _ms(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
