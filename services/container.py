"""What is opened, in which order, and closed: tasks, then clients, then the database."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from catalog.errors import ReadOnlyError, SwitchroomError
from services import logs, process
from services import paths as places
from services.feed import Feed, StoreChangedElsewhere
from services.paths import Paths

if TYPE_CHECKING:
    from pydantic import SecretStr

    from adapters.fetch import Fetcher
    from catalog.lookup import Catalog
    from services.account import AccountService
    from services.audit import Audit
    from services.budgets import BudgetService
    from services.catalog_refresh import CatalogRefresh
    from services.catalog_watch import CatalogWatch
    from services.chat import ChatService
    from services.conversations import ConversationService
    from services.counting import Counting
    from services.credentials import Credentials
    from services.discovery import Discovery
    from services.entra import SignIns
    from services.estimate import Estimates
    from services.local_models import LocalModels
    from services.models import ModelService
    from services.offline import Offline
    from services.own_prices import OwnPrices
    from services.probe import Probes
    from services.registry import Registry
    from services.run import Runs
    from services.schedules import Schedules
    from services.settings_edit import Preferences
    from services.settings_model import Settings
    from services.sync import Sync
    from services.transfer import Transfer
    from services.usage import UsageService
    from store.db import Database
    from store.state import State

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
"""How often another process's writes are looked for; the design promises 2 s."""


class Services:
    """Everything the faces call. A service is imported and made when it is first asked for."""

    def __init__(
        self, paths: Paths, settings: Settings, db: Database, *, actor: str, reason: str | None
    ) -> None:
        self.paths = paths
        self.settings = settings
        self.db = db
        self.feed = Feed()
        self.actor = actor
        self.reason = reason
        """Why, in the user's words, for the audit log; None when none was given."""
        self.passphrase_source: Callable[[], Awaitable[SecretStr | None]] | None = None
        """Set by a face: asks the user for the vault's passphrase, None when they decline. None: nobody can be asked.
        Consulted after SWITCHROOM_VAULT_KEY_FILE. A new vault asks twice; `credentials.asking_for` says what for."""
        self._tasks: set[asyncio.Task[None]] = set()

    @cached_property
    def state(self) -> State:
        from store.state import State

        return State(self.db)

    @cached_property
    def audit(self) -> Audit:
        from services.audit import Audit

        return Audit(self)

    @cached_property
    def offline(self) -> Offline:
        from services.offline import Offline

        return Offline(self)

    @cached_property
    def preferences(self) -> Preferences:
        from services.settings_edit import Preferences

        return Preferences(self)

    @cached_property
    def catalog(self) -> Catalog:
        from catalog.lookup import Catalog
        from services.catalog_sources import addresses

        return Catalog(self.paths.user_catalog, self.paths.refreshed_catalog, addresses(self.settings))

    @cached_property
    def catalog_watch(self) -> CatalogWatch:
        from services.catalog_watch import CatalogWatch

        return CatalogWatch(self)

    @cached_property
    def catalog_refresh(self) -> CatalogRefresh:
        from services.catalog_refresh import CatalogRefresh

        return CatalogRefresh(self)

    @cached_property
    def credentials(self) -> Credentials:
        from services.credentials import Credentials

        return Credentials(self)

    @cached_property
    def fetcher(self) -> Fetcher:
        from adapters.fetch import Fetcher

        return Fetcher(self.offline.gate)

    @cached_property
    def sign_ins(self) -> SignIns:
        from services.entra import SignIns

        return SignIns(self)

    @cached_property
    def registry(self) -> Registry:
        from services.registry import Registry

        return Registry(self)

    @cached_property
    def discovery(self) -> Discovery:
        from services.discovery import Discovery

        return Discovery(self)

    @cached_property
    def models(self) -> ModelService:
        from services.models import ModelService

        return ModelService(self)

    @cached_property
    def local_models(self) -> LocalModels:
        from services.local_models import LocalModels

        return LocalModels(self)

    @cached_property
    def sync(self) -> Sync:
        from services.sync import Sync

        return Sync(self)

    @cached_property
    def schedules(self) -> Schedules:
        from services.schedules import Schedules

        return Schedules(self)

    @cached_property
    def budgets(self) -> BudgetService:
        from services.budgets import BudgetService

        return BudgetService(self)

    @cached_property
    def own_prices(self) -> OwnPrices:
        from services.own_prices import OwnPrices

        return OwnPrices(self)

    @cached_property
    def counting(self) -> Counting:
        from services.counting import Counting

        return Counting(self)

    @cached_property
    def estimates(self) -> Estimates:
        from services.estimate import Estimates

        return Estimates(self)

    @cached_property
    def runs(self) -> Runs:
        from services.run import Runs

        return Runs(self)

    @cached_property
    def probes(self) -> Probes:
        from services.probe import Probes

        return Probes(self)

    @cached_property
    def usage(self) -> UsageService:
        from services.usage import UsageService

        return UsageService(self)

    @cached_property
    def accounts(self) -> AccountService:
        from services.account import AccountService

        return AccountService(self)

    @cached_property
    def transfer(self) -> Transfer:
        from services.transfer import Transfer

        return Transfer(self)

    @cached_property
    def conversations(self) -> ConversationService:
        from services.conversations import ConversationService

        return ConversationService(self)

    @cached_property
    def chat(self) -> ChatService:
        from services.chat import ChatService

        return ChatService(self)

    @property
    def busy(self) -> bool:
        """True while a run, a sync or a download is under way."""
        made = self.__dict__
        return bool(
            ("runs" in made and self.runs.active())
            or ("sync" in made and self.sync.active)
            or ("local_models" in made and self.local_models.pulls(active=True))
        )

    def require_writable(self) -> None:
        """Raise ReadOnlyError in a read-only session, before anything is contacted or stored."""
        if self.db.read_only:
            raise ReadOnlyError(
                "This session is read-only: nothing may be changed.",
                hint="Leave out --read-only, and unset SWITCHROOM_READ_ONLY.",
            )

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a task that ends with these services at the latest; its failure is logged."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a task of the services failed", exc_info=error)

    async def watch(self) -> None:
        """Publish StoreChangedElsewhere when another process wrote, and take over the settings it changed."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                if await self.db.changed_elsewhere():
                    self.feed.publish(StoreChangedElsewhere())
                    await self.preferences.refresh()
            except SwitchroomError:
                log.exception("the store cannot be polled")

    async def aclose(self) -> None:
        """Close what was opened; a part that fails is logged and does not keep the rest open."""
        made = self.__dict__
        if "probes" in made:
            await _closed(self.probes.aclose)
        if "runs" in made:
            await _closed(self.runs.aclose)
        if "chat" in made:
            await _closed(self.chat.aclose)
        if "local_models" in made:
            await _closed(self.local_models.aclose)
        if "sync" in made:
            await _closed(self.sync.aclose)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if "registry" in made:
            await _closed(self.registry.aclose)
        if "fetcher" in made:
            await _closed(self.fetcher.aclose)
        await self.db.aclose()


async def _closed(close: Callable[[], Coroutine[Any, Any, None]]) -> None:
    try:
        await close()
    except Exception:
        log.exception("a service could not be closed")


@asynccontextmanager
async def open_services(
    paths: Paths | None = None,
    *,
    settings: Settings | None = None,
    actor: str = "cli",
    read_only: bool = False,
    dry_run: bool = False,
    reason: str | None = None,
    watch: bool = False,
) -> AsyncIterator[Services]:
    """Open all, settle what a dead process left, and close all at the end.

    `actor` is the face (`cli`, `tui`); `watch` polls for other processes' changes. `dry_run` does everything
    but undoes each write; `read_only` refuses each.
    """
    from services.settings import load
    from store.db import Database

    paths = places.resolve() if paths is None else paths
    settings = load(paths) if settings is None else settings
    paths.ensure()
    stop_log = logs.start(paths.log_file, settings.log.level)
    try:
        db = await Database.open(
            paths.database, read_only=read_only or settings.security.read_only, dry_run=dry_run
        )
        services = Services(paths, settings, db, actor=process.actor(actor), reason=reason)
        try:
            await services.offline.load()
            await _recover(services)
            if watch:
                services.spawn(services.watch())
            yield services
        finally:
            await services.aclose()
    finally:
        stop_log()


async def _recover(services: Services) -> None:
    """Settle the reservations of dead processes, so no money stays tied up."""
    if services.db.read_only or services.db.dry_run:
        return
    from services.recovery import settle_orphans

    await settle_orphans(services)
