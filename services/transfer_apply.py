"""How a plan is carried out: keys tried, then stored, then everything else in one transaction, or nothing at all."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from catalog.errors import SwitchroomError, UsageError
from catalog.money import from_nanos, to_nanos
from services import clock
from services.clock import now_ms
from services.connections import Connections, Secrets
from services.drafts import ProviderDraft
from services.feed import BudgetsChanged, CatalogChanged, ModelsChanged, ProvidersChanged, SettingsChanged
from services.keys import Keys, Stored
from services.provider_states import ProviderStates, proven
from services.row_audit import difference, key_detail, shown
from services.settings import load, value_of
from services.transfer_read import safe
from services.transfer_types import Imported, KeyToSet

if TYPE_CHECKING:
    from pathlib import Path

    from services.container import Services
    from services.settings_edit import Written
    from services.transfer_plan import Prepared
    from services.transfer_provider import ProviderWork
    from store.db import Tx
    from store.models import ModelRow
    from store.providers import ProviderRow

_AT_ONCE = 8
"""Keys tried at the same time."""


class Application:
    """One plan on its way into the store."""

    def __init__(self, services: Services, prepared: Prepared) -> None:
        self._services, self._prepared = services, prepared
        self._keys = Keys(services)
        self._stored = Stored()
        self._refused: list[KeyToSet] = []
        self._made: list[Path] = []

    async def run(self, *, test: bool, backend: str | None) -> Imported:
        """Everything, or an error and nothing."""
        services = self._services
        services.require_writable()
        works = self._prepared.providers
        if any(work.key is not None for work in works):
            await self._open_place(backend)
        rows = await self._trials(works, test)
        storing = asyncio.ensure_future(self._store(rows, backend))
        try:
            written = await asyncio.shield(storing)
        except asyncio.CancelledError:
            await asyncio.wait(
                {storing}
            )  # begun: it happens whole or not at all, and whoever stopped us waits for it
            storing.exception()
            raise
        await self._tell(written)
        keys = (*self._refused, *self._prepared.plan.keys_to_set)
        return Imported(self._prepared.plan, self._prepared.plan.changes - len(self._refused), keys)

    async def _store(self, rows: dict[str, tuple[ProviderRow, bool]], backend: str | None) -> Written | None:
        """Keys first, then the transaction; a failure takes the keys and files back."""
        written: Written | None = None
        try:
            for work in self._prepared.providers:
                row, keep = rows[work.after.slug]
                if keep and work.key is not None:
                    row = await self._keys.store(row, ProviderDraft(), work.key, backend, self._stored)
                    rows[row.slug] = (row, True)
            async with self._services.db.transaction(durable=True) as tx:
                written = await self._write(tx, {slug: row for slug, (row, _) in rows.items()})
        except BaseException:
            if written is not None:
                written.undo()
            for file in self._made:
                with contextlib.suppress(OSError):
                    file.unlink(missing_ok=True)
            await self._keys.undo(self._stored)
            raise
        return written

    async def _open_place(self, backend: str | None) -> None:
        """Where keys go is open before anything is tried or written: a locked vault changes nothing."""
        credentials = self._services.credentials
        choice = await credentials.backend()
        place = backend or choice.backend
        if place != "vault" or self._services.db.dry_run:
            return
        state = (await credentials.status()).state
        if state == "locked":
            await credentials.unlock()
        elif state == "absent":
            await credentials.init()

    async def _trials(self, works: list[ProviderWork], test: bool) -> dict[str, tuple[ProviderRow, bool]]:
        """Every row after its key was tried, and whether the key is kept."""
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(work: ProviderWork) -> tuple[ProviderRow, bool]:
            async with gate:
                return await self._tried(work, test)

        return {row.slug: (row, keep) for row, keep in await asyncio.gather(*map(one, works))}

    async def _tried(self, work: ProviderWork, test: bool) -> tuple[ProviderRow, bool]:
        """The row as it is after its key was tried, and whether the key is kept."""
        row = work.after
        if work.key is None:
            return row, False
        command = f"switchroom keys set {row.slug} --key-stdin"
        try:
            self._keys.check(ProviderDraft(), work.key)
            if not test:
                return row, True
            states = ProviderStates(self._services, Connections(self._services))
            secrets = Secrets(key=work.key, headers={}, proxy=None)
            return proven(row, await states.trial(replace(row, secret_headers={}), secrets)), True
        except SwitchroomError as error:
            why = f"the file's was not kept: {safe(error.message, 200)}"
            self._refused.append(KeyToSet(row.slug, "key", why, command))
            return row, False

    async def _write(self, tx: Tx, rows: Mapping[str, ProviderRow]) -> Written | None:
        prepared, services = self._prepared, self._services
        for work in prepared.providers:
            await self._provider(tx, work, rows[work.after.slug])
        await self._models(tx)
        await self._limits(tx)
        if prepared.default_model is not None:
            await self._default(tx, prepared.default_model)
        found = prepared.plan.found
        await services.audit.record(
            tx,
            "config.import",
            safe(found.file.name, 100),
            detail={"format": found.format, "changes": prepared.plan.changes},
        )
        for name, content in prepared.files.items():
            await self._file(tx, name, content)
        if not prepared.settings:
            return None
        now = load(services.paths)
        for name, before in prepared.settings_before.items():
            if value_of(now, name) not in (before, prepared.settings[name]):
                raise _changed(f"the setting {name}")
        return await services.preferences.write_within(tx, prepared.settings)

    async def _provider(self, tx: Tx, work: ProviderWork, row: ProviderRow) -> None:
        from store.providers import Providers

        providers, audit = Providers(self._services.db), self._services.audit
        if work.before is None:
            await providers.insert(tx, row)
            detail = {**shown(row), **key_detail(row), "imported": True}
            await audit.record(tx, "provider.add", row.slug, detail=detail)
            return
        now = await providers.get(row.slug, tx)
        if now is None or now.updated_at != work.before.updated_at:
            raise _changed(row.slug)
        if row.key_ref != now.key_ref:
            detail = {"before": key_detail(now), "after": key_detail(row), "imported": True}
            await audit.record(tx, "key.set", row.slug, detail=detail)
        elif difference(now, row)["after"] == {} and row.secret_headers == now.secret_headers:
            return
        if difference(now, row)["after"]:
            await audit.record(
                tx, "provider.edit", row.slug, detail={**difference(now, row), "imported": True}
            )
        await providers.update(tx, replace(row, updated_at=max(now_ms(), now.updated_at + 1)))

    async def _models(self, tx: Tx) -> None:
        from store.models import Models

        models = Models(self._services.db)
        for work in self._prepared.models:
            row = work.row
            now = await models.get(row.provider, row.id, tx)
            if _choices(now) != _choices(work.before):
                raise _changed(f"{row.provider}/{row.id}")
            await models.ensure(tx, row.provider, [row.id], now_ms())
            await models.set_enabled(tx, row.provider, [row.id], row.enabled)
            await models.set_charges(tx, row)
            await models.set_probed(tx, row.provider, row.id, row.probed_json)
            detail = {
                "enabled": work.row.enabled, "map_to": work.row.map_to, "cost": work.row.cost_mode,
                "price": work.row.typed_price_json, "facts": work.row.typed_facts_json,
                "abilities": work.row.probed_json, "imported": True,
            }  # fmt: skip
            await self._services.audit.record(
                tx, "model.set", f"{work.row.provider}/{work.row.id}", detail=detail
            )

    async def _limits(self, tx: Tx) -> None:
        from services.budgets import alert_key
        from store.budgets import Budgets

        services, budgets = self._services, Budgets(self._services.db)
        before = {(row.scope, row.period): row for row in await budgets.list(tx)}
        for work in self._prepared.limits:
            limit, old = work.limit, before.get((work.limit.scope, work.limit.period))
            if old != work.before:
                raise _changed(f"the {limit.period} limit of {limit.scope}")
            row = await budgets.upsert(
                tx, scope=limit.scope, period=limit.period, limit_nanos=to_nanos(limit.usd), alert=limit.alert,
                until=limit.until, reason=services.reason, changed_by=services.actor, changed_at=now_ms(),
            )  # fmt: skip
            await services.state.delete(tx, alert_key(row.id))
            was = None if old is None else {"limit_usd": str(from_nanos(old.limit_nanos)), "alert": old.alert, "until": clock.iso(old.until)}  # fmt: skip
            now = {"limit_usd": str(limit.usd), "alert": limit.alert, "until": clock.iso(limit.until)}
            detail = {"before": was, "after": now, "imported": True}
            await services.audit.record(tx, "budget.set", f"{limit.scope} {limit.period}", detail=detail)

    async def _default(self, tx: Tx, ref: str) -> None:
        from services.models import DEFAULT_KEY

        before = await self._services.state.get(DEFAULT_KEY, tx)
        if before != self._prepared.default_before:
            raise _changed("the default model")
        await self._services.state.set(tx, DEFAULT_KEY, ref)
        await self._services.audit.record(
            tx, "model.default", ref, detail={"before": before, "after": ref, "imported": True}
        )

    async def _file(self, tx: Tx, name: str, content: str) -> None:
        from services.transfer import write_file

        file = self._services.paths.user_catalog / name
        if not self._services.db.dry_run:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                await asyncio.to_thread(write_file, file, content, replace=False)
            except UsageError:
                raise _changed(name) from None
            self._made.append(file)
        await self._services.audit.record(tx, "catalog.add", safe(name, 100), detail={"imported": True})

    async def _tell(self, written: Written | None) -> None:
        """The faces hear of what changed."""
        prepared, services = self._prepared, self._services
        if written is not None:
            await services.preferences.act(written)
        if prepared.files:
            services.catalog.forget()
            services.feed.publish(CatalogChanged())
        slugs = tuple(
            work.after.slug for work in prepared.providers if work.action != "same" or work.key is not None
        )
        if slugs:
            await services.registry.reconnect()
            services.feed.publish(ProvidersChanged(slugs))
        for slug in {*slugs, *(work.row.provider for work in prepared.models)}:
            services.feed.publish(ModelsChanged(slug))
        if prepared.limits:
            services.feed.publish(BudgetsChanged())
        if prepared.default_model is not None:
            services.feed.publish(SettingsChanged())


def _choices(row: ModelRow | None) -> tuple[object, ...] | None:
    if row is None:
        return None
    paid = (row.map_to, row.cost_mode, row.gpu_hour_nanos, row.typed_price_json)
    return row.enabled, *paid, row.typed_facts_json, row.probed_json


def _changed(what: str) -> UsageError:
    return UsageError(
        f"{safe(what)} was changed meanwhile; nothing was imported.",
        hint="Import again: the plan is made anew.",
    )
