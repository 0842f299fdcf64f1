"""What an import would do to this store: added, changed, the same or skipped, and why. Nothing is contacted or written."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from catalog.errors import SwitchroomError
from catalog.money import from_nanos, to_nanos
from catalog.user import load_user
from services.transfer_keys import wanted_key
from services.transfer_models import ModelWork, chosen, model_words
from services.transfer_own import MARK
from services.transfer_provider import ProviderWork, provider_work, without_secrets
from services.transfer_read import safe
from services.transfer_types import (
    Action,
    Found,
    FoundLimit,
    FoundProvider,
    KeyToSet,
    Plan,
    Remark,
    Step,
    StepKind,
    Value,
)  # fmt: skip

if TYPE_CHECKING:
    from pathlib import Path

    from services.container import Services
    from store.budgets import BudgetRow
    from store.providers import ProviderRow

_REACH = frozenset({"network.proxy", "network.ca_file", "network.tls_min", "network.offline", "network.offline_private"})  # fmt: skip
"""Settings that nobody should take over from somebody else without a look."""


@dataclass(frozen=True, slots=True)
class LimitWork:
    """One money limit as it will be."""

    before: BudgetRow | None
    """None: there is none yet."""
    limit: FoundLimit


@dataclass(slots=True)
class Prepared:
    """The plan with what carries it out."""

    plan: Plan
    providers: list[ProviderWork] = field(default_factory=list)
    models: list[ModelWork] = field(default_factory=list)
    limits: list[LimitWork] = field(default_factory=list)
    settings: dict[str, Value] = field(default_factory=dict)
    allow_http: bool = False
    settings_before: dict[str, object] = field(default_factory=dict)
    default_model: str | None = None
    default_before: object = None
    files: dict[str, str] = field(default_factory=dict)


async def prepare(
    services: Services, found: Found, *, allow_http: bool = False, test: bool = True
) -> Prepared:
    """Compare what a file says with what is here."""
    planner = _Planner(services, found, allow_http, test)
    await planner.run()
    planner.prepared.allow_http = allow_http
    planner.prepared.plan = Plan(
        found,
        tuple(planner.steps),
        (*found.remarks, *planner.remarks),
        tuple(planner.keys),
        planner.needs_http,
    )
    return planner.prepared


class _Planner:
    def __init__(self, services: Services, found: Found, allow_http: bool, test: bool) -> None:
        self._services, self._found, self._allow_http, self._test = services, found, allow_http, test
        self.steps: list[Step] = []
        self.remarks: list[Remark] = []
        self.keys: list[KeyToSet] = []
        self.needs_http = False
        self.prepared = Prepared(Plan(found, (), (), ()))

    async def run(self) -> None:
        await asyncio.to_thread(self._files)
        rows = {row.slug: row for row in await self._services.registry.rows()}
        known = set(rows)
        places = {row.endpoint: row.slug for row in rows.values()}
        for one in self._found.providers:
            await asyncio.sleep(0)  # a thousand of them must not be felt
            work = self._provider(one, rows, places)
            if work is not None:
                known.add(work.after.slug)
                await self._models(one, work.after.slug)
        await self._limits(known)
        self._settings()
        await self._default(known)

    def _step(
        self,
        kind: StepKind,
        subject: str,
        action: Action,
        what: str,
        reason: str = "",
        line: int | None = None,
    ) -> None:
        self.steps.append(Step(kind, safe(subject, 120), action, safe(what, 300), safe(reason, 300), line))

    def _files(self) -> None:
        folder = self._services.paths.user_catalog
        ids = set(load_user(folder).providers) if self._found.catalog_files else set()
        for name, one in self._found.catalog_files.items():
            here = folder / name
            if not os.path.lexists(here) and one.vendor.id not in ids:
                self.prepared.files[name] = one.text
                self._step("catalog file", name, "add", f"what it says of {one.vendor.id}, to {folder}")
            elif os.path.lexists(here) and _content(here) == one.text.encode():
                self._step("catalog file", name, "same", "is here")
            else:
                what = "of that name" if os.path.lexists(here) else f"about {one.vendor.id}"
                self._step("catalog file", name, "skip", "is not taken over", f"another file {what} is here")
        for name in self._found.catalog_names:
            if not (folder / name).is_file():
                self.remarks.append(
                    Remark("warning", f"Copy the user catalog's {safe(name)} to {folder}.", self._found.file)
                )

    def _provider(
        self, one: FoundProvider, rows: Mapping[str, ProviderRow], places: Mapping[str, str]
    ) -> ProviderWork | None:
        slug = one.draft.slug or ""
        one = without_secrets(one, self._remark, expands=self._found.format != MARK)
        try:
            work = provider_work(
                self._services, self._found, one, rows.get(slug), self._remark, allow_http=self._allow_http
            )
        except SwitchroomError as error:
            self.needs_http |= _only_http(one, error)
            self._step("provider", slug, "skip", "is not taken over", error.message, one.line)
            return None
        if work.conflict:
            self._step("provider", slug, "skip", "stays as it is here", work.conflict, one.line)
            return None
        twin = places.get(work.after.endpoint) if work.before is None else None
        if twin is not None:
            self._remark("note", f"{slug} goes to the same address as {twin}.", one.line)
        self._step("provider", slug, work.action, work.what, line=one.line)
        key, todo = wanted_key(self._services, one, work, test=self._test)
        if key is not None:
            self.steps.append(replace(key, line=one.line))
        self.keys += todo
        self.prepared.providers.append(work)
        return work

    def _remark(self, level: Any, message: str, line: int | None) -> None:
        self.remarks.append(Remark(level, safe(message, 300), self._found.file, line))

    async def _models(self, one: FoundProvider, slug: str) -> None:
        from store.models import ModelRow, Models

        stored = {row.id: row for row in await Models(self._services.db).list(slug)} if one.models else {}
        for model in one.models:
            before = stored.get(model.id)
            after = chosen(before or ModelRow(slug, model.id), model, whole=self._found.format == MARK)
            ref = f"{slug}/{model.id}"
            if before is not None and after == before:
                self._step("model", ref, "same", "as here")
                continue
            self.prepared.models.append(ModelWork(before, after))
            self._step("model", ref, "change" if before else "add", model_words(before, after))

    async def _limits(self, known: Collection[str]) -> None:
        from services.budgets import GLOBAL, dollars, provider_of
        from store.budgets import Budgets

        here = {(row.scope, row.period): row for row in await Budgets(self._services.db).list()}
        for limit in self._found.limits:
            subject, slug = f"{limit.scope} {limit.period}", provider_of(limit.scope)
            before = here.get((limit.scope, limit.period))
            if limit.scope != GLOBAL and slug not in known:
                self._step(
                    "limit", subject, "skip", "is not taken over", "there is no such provider", limit.line
                )
            elif before is not None and (before.limit_nanos, before.alert, before.until) == (to_nanos(limit.usd), limit.alert, limit.until):  # fmt: skip
                self._step("limit", subject, "same", dollars(limit.usd), line=limit.line)
            else:
                self.prepared.limits.append(LimitWork(before, limit))
                was = f"{dollars(from_nanos(before.limit_nanos))} → " if before else ""
                self._step("limit", subject, "change" if before else "add", f"{was}{dollars(limit.usd)}", line=limit.line)  # fmt: skip

    def _settings(self) -> None:
        from services.settings import load, source, value_of

        if not self._found.settings:
            return
        preferences, settings = self._services.preferences, load(self._services.paths)
        for name, value in self._found.settings.items():
            now = value_of(settings, name)
            wrong = preferences.problem(name, value)
            chosen = source(settings, name) != "default"
            if wrong is not None:
                self._step("setting", name, "skip", "is not taken over", wrong)
            elif _fitted(name, value) == now:
                self._step("setting", name, "same", str(now))
            elif (variable := preferences.fixed_by(name)) is not None:
                self._step("setting", name, "skip", "stays as it is here", f"fixed by {variable}")
            elif name in self._found.defaults_only and chosen:
                self._step("setting", name, "skip", "stays as it is here", f"you have chosen {now}")
            else:
                self.prepared.settings[name], self.prepared.settings_before[name] = value, now
                self._step("setting", name, "change", f"{'none' if now is None else now} → {value}")
                if name in _REACH and value is not True:  # offline: less goes out, not more
                    self._remark("warning", f"{name} decides where requests go and who can read them.", None)

    async def _default(self, known: Collection[str]) -> None:
        from services.models import DEFAULT_KEY

        wanted, now = self._found.default_model, await self._services.state.get(DEFAULT_KEY)
        if wanted is None:
            return
        if wanted == now:
            self._step("default model", wanted, "same", "for new chats")
        elif wanted.partition("/")[0] not in known or "/" not in wanted or len(wanted) > 400:
            self._step("default model", wanted, "skip", "is not taken over", "there is no such provider")
        elif now is not None and self._found.format != MARK:
            self._step("default model", wanted, "skip", "stays as it is here", f"you have chosen {now}")
        else:
            self.prepared.default_model, self.prepared.default_before = wanted, now
            was = f", in place of {now}" if now else ""
            self._step("default model", wanted, "change" if now else "add", f"for new chats{was}")


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes() if file.is_file() else None
    except OSError:
        return None


def _only_http(one: FoundProvider, error: SwitchroomError) -> bool:
    """Whether plain http to a private network is all that is wrong."""
    from adapters.http_rules import check_url
    from catalog.detect import normalise_base_url

    if one.draft.url is None or one.draft.allow_http:
        return False
    try:
        url = normalise_base_url(one.draft.url)
        check_url(url, True)
    except SwitchroomError:
        return False
    try:
        check_url(url, False)
    except SwitchroomError as same:
        return same.message == error.message
    return False


def _fitted(name: str, value: Value) -> object:
    from services.settings import kind_of
    from services.settings_values import UnfitError, fitted, fitted_keys

    try:
        return fitted_keys(value) if name.startswith("keys.") else fitted(*kind_of(name), value)
    except UnfitError:
        return value
