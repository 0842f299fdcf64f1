"""What the vendor says was used and billed: asked with the account's own key, kept in whole buckets, never lost by an error."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from catalog.errors import MissingKeyError, SwitchroomError
from services.account_views import AccountView, Told, report_json, view_of
from services.admin_keys import account_reporter, elsewhere, label, remove_admin_key, set_admin_key, way
from services.clock import DAY_MS, HOUR_MS, iso, now_ms
from services.feed import AccountRead
from store.vendor_usage import API, AccountRow, VendorRow, VendorUsage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pydantic import SecretStr

    from adapters import abilities
    from services.container import Services
    from services.drafts import EnvKey
    from services.registry import ProviderView
    from store.db import Tx
    from store.providers import ProviderRow
    from store.vendor_usage import By, Kind, VendorTotal

__all__ = ["AccountService", "AccountView", "midnight"]

log = logging.getLogger(__name__)

FIRST_DAYS = 35
"""What the first pull reads: this month and the one before, as bills come."""
MOST_DAYS = 365
OVERLAP_DAYS = 4
"""Days read again with each pull, because vendors correct their last ones."""
PATIENCE_S = 240.0
"""For all the pages of one pull: less than the time after which another program may take its place."""
_KEPT_ERRORS = ("offline", "vault_locked")
"""What says something of here and nothing of the account: shown, but not kept."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an account said this time."""

    report: abilities.AccountReport | None = None
    usage: abilities.VendorUsage | None = None
    since: int | None = None
    """From which day on `usage` was asked for."""
    error: SwitchroomError | None = None


class AccountService:
    """The accounts behind the providers."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.held = VendorUsage(services.db)
        """The buckets, for whoever compares or imports them."""
        self._locks: dict[str, asyncio.Lock] = {}

    async def view(self, slug: str) -> AccountView:
        """What is known of a provider's account."""
        row = await self._services.registry.row(slug)
        opens = way(row)
        view = view_of(row, opens, await self.held.account(slug), label(row))
        if opens is None or not opens.env or row.admin_ref is not None:
            return view
        from services.transfer_keys import variable_set

        return replace(view, offer=opens.env) if variable_set(self._services, opens.env) else view

    async def totals(
        self,
        slug: str | None,
        since: int,
        until: int,
        by: By | None,
        *,
        source: str | None = None,
        kind: Kind | None = None,
    ) -> list[VendorTotal]:
        """What vendors state of [since, until), summed by key; `slug` None: every provider, gone ones too."""
        return await self.held.totals(since, until, by, provider=slug, source=source, kind=kind)

    # asking

    async def refresh(self, slug: str, *, days: int | None = None) -> AccountView:
        """Ask the vendor now, and keep what it says. An error is part of the view, beside the last good figures.

        `days`: read at least so many days of usage again; None: since the last pull, with an overlap. In a
        read-only session the figures are shown and not kept.
        """
        async with self._locks.setdefault(slug, asyncio.Lock()):
            row = await self._services.registry.row(slug)
            before = await self.view(slug)
            opens = way(row)
            if opens is None or not before.can_read:
                return before
            now = now_ms()
            if before.tried_at is not None and 0 <= now - before.tried_at < opens.pause_s * 1000:
                ago, least = (now - before.tried_at) // 1000, opens.pause_s
                words = f"Asked {ago} s ago; {opens.name} is asked once in {least} s at most."
                return replace(before, waited=words)
            answer = await self._ask(row, before, days, now)
            await self._keep(row, answer, now)
        self._services.feed.publish(AccountRead(slug))
        if self._services.db.read_only or self._services.db.dry_run:
            return _with(before, answer, now)
        view = await self.view(slug)
        if answer.error is not None and view.error is None:
            return _with(view, answer, now)
        return view

    async def _ask(self, row: ProviderRow, before: AccountView, days: int | None, now: int) -> Answer:
        """Both questions; what the first said is not lost when the second fails."""
        try:
            key, admin = await self._secrets(row)
            reporter = await account_reporter(self._services, row, key, admin)
        except SwitchroomError as error:
            return Answer(error=error)
        answer = Answer()
        try:
            async with asyncio.timeout(PATIENCE_S):
                answer = replace(answer, report=await reporter.account())
                if not self._services.db.read_only:
                    since = _since(before, days, now)
                    answer = replace(answer, usage=await reporter.usage(since, now), since=since)
        except TimeoutError:
            answer = replace(answer, error=_too_slow(row))
        except SwitchroomError as error:
            answer = replace(answer, error=error)
        except Exception as error:  # kept as the answer, so that it is not asked again at every look
            log.exception("the account of %s could not be read", row.slug)
            answer = replace(answer, error=_unreadable(row, error))
        finally:
            await reporter.aclose()
        return answer

    async def _secrets(self, row: ProviderRow) -> tuple[SecretStr | None, SecretStr | None]:
        opens = way(row)
        if row.dialect == "fake":  # the demo's keys are made up
            return None, None
        credentials = self._services.credentials
        key = await credentials.resolve(row.key_ref) if opens is not None and opens.keyed else None
        try:
            return key, await credentials.resolve(row.admin_ref)
        except MissingKeyError as error:
            error.hint = f"Enter it again: switchroom keys set {row.slug} --role admin --key-stdin"
            raise

    async def _keep(self, row: ProviderRow, answer: Answer, now: int) -> None:
        """Write it all in one transaction, unless the provider went or changed while its vendor was asked."""
        error = answer.error
        if self._services.db.read_only or (error is not None and error.code in _KEPT_ERRORS):
            return
        rows = await asyncio.to_thread(_rows, row.slug, answer.usage, now)
        async with self._services.db.transaction() as tx:
            present = await self._services.registry.find(row.slug, tx)
            if present is None or elsewhere(row, present):
                return
            if _opened_with(present) != _opened_with(row):
                return
            old = await self.held.account(row.slug, tx) or AccountRow(row.slug, now)
            new = replace(
                old, tried_at=now,
                error_code=error.code if error else None,
                error_message=error.message if error else None,
                error_hint=error.hint if error else None,
            )  # fmt: skip
            if answer.report is not None:
                new = replace(new, report_at=now, report_json=report_json(answer.report))
            if answer.usage is not None:
                new = replace(new, pulled_at=now, read_from=_read_from(old, answer.since, now))
            await self.held.put_account(tx, new)
            counted = await self._buckets(tx, row.slug, answer.usage, rows)
            await self._audit(tx, row.slug, answer, counted)

    async def _buckets(
        self,
        tx: Tx,
        slug: str,
        found: abilities.VendorUsage | None,
        rows: Mapping[Kind, Sequence[VendorRow]],
    ) -> dict[str, int]:
        if found is None:
            return {}
        return {
            kind: await self.held.replace(tx, slug, API, kind, found.span, one) for kind, one in rows.items()
        }

    async def _audit(self, tx: Tx, slug: str, answer: Answer, counted: dict[str, int]) -> None:
        if not self._services.settings.audit.interactions:
            return
        detail: dict[str, object] = {"figures": len(answer.report.figures) if answer.report else 0, **counted}
        if answer.usage is not None:
            detail |= {"since": iso(answer.usage.span[0]), "until": iso(answer.usage.span[1])}
        if answer.error is not None:
            detail["error"] = answer.error.code
        result = "ok" if answer.error is None else "error"
        await self._services.audit.record(tx, "account.pull", slug, result=result, detail=detail)

    # the second key

    async def set_key(
        self, slug: str, key: SecretStr | EnvKey, *, test: bool = True, backend: str | None = None
    ) -> ProviderView:
        """Give a provider the key that opens its account: proven first."""
        return await set_admin_key(self._services, slug, key, test=test, backend=backend)

    async def remove_key(self, slug: str) -> ProviderView:
        """Forget that key."""
        return await remove_admin_key(self._services, slug)

    # by itself

    async def at_hand(self, row: ProviderRow) -> bool:
        """Whether an account can be read without going online against a wish, and without asking anybody."""
        opens = way(row)
        if not row.enabled or opens is None:
            return False
        if row.admin_ref is None and (not opens.keyed or row.key_ref is None):
            return False
        if not self._services.offline.reaches(urlsplit(row.endpoint).hostname or ""):
            return False
        secrets = (
            row.key_ref if opens.keyed else None,
            row.admin_ref,
            row.proxy,
            *row.secret_headers.values(),
        )
        in_vault = any(ref is not None and ref.startswith("vault:") for ref in secrets)
        return not in_vault or self._services.credentials.vault_at_hand


def midnight(ms: int, shift: int = 0) -> int:
    """The beginning of the UTC day that holds a moment, some days off: vendors cut at UTC, without summer time."""
    return (ms // DAY_MS + shift) * DAY_MS


def due_at(kept: AccountRow | None, every_hours: float, now: int) -> int:
    """When an account is to be read next; after an error sooner than usual."""
    if kept is None:
        return 0
    if kept.tried_at > now:  # noted by a clock that has been put right since
        return 0
    wait = min(every_hours, 1.0) if kept.error_code is not None else every_hours
    return kept.tried_at + round(wait * HOUR_MS)


def _since(before: AccountView, days: int | None, now: int) -> int:
    """The midnight from which to read. A pull noted by a clock that ran ahead says nothing of when it was."""
    reach = midnight(now, 1 - min(max(days or 0, 1), MOST_DAYS))
    if before.pulled_at is None or before.pulled_at > now:
        return min(reach, midnight(now, 1 - FIRST_DAYS))
    return max(min(reach, midnight(before.pulled_at, -OVERLAP_DAYS)), midnight(now, 1 - MOST_DAYS))


def _opened_with(row: ProviderRow) -> tuple[str | None, ...]:
    """The keys: one that is replaced lies where the other lay, and may be another account's."""
    return row.key_ref, row.key_last4, row.admin_ref, row.admin_last4


def _read_from(old: AccountRow, since: int | None, now: int) -> int | None:
    """From which day on there is no gap, once what is asked for from `since` on is held too."""
    if since is None or old.pulled_at is None or old.read_from is None:
        return since
    return min(since, old.read_from) if since <= old.pulled_at <= now else since


def _too_slow(row: ProviderRow) -> SwitchroomError:
    from adapters.errors import ProviderTimeoutError

    return ProviderTimeoutError(
        f"The account of {row.slug} was not read within {PATIENCE_S:g} s.",
        hint="Try again.",
        provider=row.slug,
    )


def _unreadable(row: ProviderRow, error: Exception) -> SwitchroomError:
    from adapters.errors import UnexpectedResponseError

    return UnexpectedResponseError(
        f"What {row.slug} says of its account cannot be read ({type(error).__name__}).",
        hint="The log says more.",
        provider=row.slug,
    )


def _rows(slug: str, found: abilities.VendorUsage | None, now: int) -> dict[Kind, list[VendorRow]]:
    """The buckets as they are stored, of each kind that was stated. A year of many models takes its time: in a thread."""
    from catalog.money import to_nanos
    from catalog.redact import redact

    if found is None:
        return {}
    clean = cache(redact)  # a few names, on every day
    kinds: tuple[tuple[Kind, Iterable[abilities.VendorBucket] | None], ...] = (
        ("usage", found.usage),
        ("cost", found.costs),
    )
    return {
        kind: [
            VendorRow(
                slug, one.start_at, kind, clean(one.model), clean(one.item), API, one.end_at,
                one.requests, one.input, one.output, one.cache_read, one.cache_write,
                None if one.cost is None else to_nanos(one.cost), now,
            )
            for one in buckets
        ]
        for kind, buckets in kinds
        if buckets is not None
    }  # fmt: skip


def _with(view: AccountView, answer: Answer, now: int) -> AccountView:
    """The view with what could not be kept: a read-only session, or an error of here."""
    if answer.report is not None:
        view = replace(
            view, figures=answer.report.figures, notes=answer.report.notes, report_at=now, state="ok",
            words=f"As {view.vendor} states it.",
        )  # fmt: skip
    if answer.error is not None:
        error = answer.error
        told = Told(error.code, error.message, error.hint)
        view = replace(view, state="error", words=error.message, error=told)
    return view
