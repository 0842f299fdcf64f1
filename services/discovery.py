"""How providers are found: in the environment and its files, and on this machine; what is clear is added, the rest offered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from catalog.errors import MissingKeyError, NotFoundError
from catalog.plaintext import one_line
from services.discovery_match import by_vendor, placed
from services.discovery_memory import KEPT, KEY, Memory
from services.discovery_views import Finding, Option, Report
from services.feed import Discovered, ProvidersChanged, StoreChangedElsewhere
from services.registry import ChangedMeanwhileError

if TYPE_CHECKING:
    from adapters.local_servers import ServerFound
    from services.container import Services
    from services.provider_views import ProviderView
    from services.registry import KeySource
    from store.db import Tx
    from store.providers import ProviderRow

__all__ = ["Discovery", "Finding", "Option", "Report", "TakenBack"]


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What taking back came to."""

    removed: tuple[str, ...]
    kept: tuple[str, ...]
    """Changed or used since they were added."""


class Discovery:
    """Looks around, adds, and takes back what it added in this session."""

    def __init__(self, services: Services) -> None:
        from store.providers import Providers

        self._services = services
        self._store = Providers(services.db)
        self.report: Report | None = None
        """The last look around of this session; None before it is over."""
        self._mine: dict[str, int] = {}
        """Slug → when its row was last changed, of what was added by itself."""
        self._starting = False
        """The look around at the start is under way, and tells of everything itself."""
        services.feed.subscribe(self._changed, ProvidersChanged, StoreChangedElsewhere)

    # looking

    async def look(
        self, *, loopback: bool | None = None, folder: bool = True, env_file: Path | None = None
    ) -> Report:
        """Everything there is to find; nothing is added. `loopback` None: as the settings say.

        `env_file` is looked into instead of the working directory's.
        """
        found, notes, near = await asyncio.to_thread(self._read, folder, env_file)
        if self._services.settings.discovery.loopback if loopback is None else loopback:
            found += await self._servers(near)
        rows, memory = await self._store.list(), await self._memory()
        self.report = Report(
            tuple(placed(found, rows, memory.seen)),
            tuple(notes),
            not memory.looked or (self.report is not None and self.report.first),
            () if self.report is None else self.report.added,
        )
        return self.report

    async def vendors(self) -> dict[str, Finding]:
        """Vendor → what the environment and `config/.env` surely hold for it; nobody is asked anything."""
        found, _, _ = await asyncio.to_thread(self._read, False, None)
        return by_vendor(found)

    def _changed(self, _event: object) -> None:
        if self.report is not None and not self._starting:
            self._services.spawn(self._place_again())

    async def _place_again(self) -> None:
        """What somebody added or removed meanwhile is told so in what was found."""
        rows, memory = await self._store.list(), await self._memory()
        report = self.report
        if report is None:
            return
        fresh = [replace(one, configured="", declined=False) for one in report.findings]
        findings = tuple(placed(fresh, rows, memory.seen))
        if findings != report.findings:
            self.report = replace(report, findings=findings)
            self._services.feed.publish(Discovered())

    async def identify(self, url: str, *, allow_http: bool = False) -> ServerFound | None:
        """Which local server is at an address; None where it tells nothing, or is not on a machine of one's own."""
        from catalog.detect import is_loopback, is_private, normalise_base_url

        split = urlsplit(normalise_base_url(url))
        host = split.hostname or ""
        if not is_loopback(host) and not (is_private(host) and (allow_http or split.scheme == "https")):
            return None
        await asyncio.to_thread(_import_probes)
        from adapters.local_servers import identify

        return await identify(self._services.fetcher, url, allow_http=allow_http)

    def _read(self, folder: bool, env_file: Path | None) -> tuple[list[Finding], list[str], list[str]]:
        """Findings of the variables, notes about their files, and addresses on this machine that they name."""
        from services.discovery_places import loopback_addresses
        from services.discovery_rules import Rules
        from services.environment import folder_file, folder_variables, variables

        catalog = self._services.catalog
        ours = variables(self._services.paths)
        found = Rules(ours, catalog).findings()
        notes = _notes(ours.problem, ours.path, open_to_others=ours.open_to_others)
        place = env_file or (folder_file(self._services.paths) if folder else None)
        if place is not None:
            theirs = folder_variables(place)
            notes += _notes(theirs.problem, theirs.path)
            known = {one.key_name: ours.key(one.key_name) for one in found if one.key_name}
            for one in Rules(theirs, catalog).findings():
                same = one.key_name and known.get(one.key_name) == theirs.key(one.key_name)
                if one.options and not same:
                    found.append(replace(one, kind="offered") if one.kind == "clear" else one)
        return found, notes, loopback_addresses(ours, catalog)

    async def _servers(self, near: Iterable[str]) -> list[Finding]:
        await asyncio.to_thread(_import_probes)
        from adapters.local_servers import look_around

        found = await look_around(self._services.fetcher, near)
        return [self._server(one) for one in found]

    def _server(self, one: ServerFound) -> Finding:
        spec = self._services.catalog.spec(one.vendor)
        own = spec is not None and spec.dialect != "openai"  # Ollama lists its models elsewhere
        path = one.list_path.removesuffix("/models")
        endpoint = one.root + ("" if own or path == "/v1" else path)
        kind = one.vendor if spec is not None else "openai"
        slug = one.vendor or (
            f"local-{urlsplit(one.root).port or 80}" if one.server == "openai" else one.server
        )
        why = f"answers at {one.root}, told by {one.proof}"
        if one.server == "openai":
            why = f"something at {one.root} lists models as OpenAI does"
        if one.wants_key:
            why += ", and wants a key"
        elif one.models:
            why += f", with {one.models[0]}" + (f" and {len(one.models) - 1} more" if len(one.models) > 1 else "")  # fmt: skip
        return Finding(
            "offered", "loopback", one.title, why, (Option(one.title, kind, endpoint, slug),),
            catalog_id=one.vendor, dialect=spec.dialect if spec is not None else "openai", endpoint=endpoint, missing="a key" if one.wants_key else "",
        )  # fmt: skip

    # at the start

    async def at_start(self) -> Report | None:
        """Look around as the settings say, and add what is clear where they say so. None: they say not to."""
        self._starting = True
        try:
            return await self._at_start()
        finally:
            self._starting = False

    async def _at_start(self) -> Report | None:
        services = self._services
        mode = services.settings.discovery.at_start
        if mode == "off":
            return None
        writable = not services.db.read_only
        report = await self.look(loopback=False)
        added: tuple[str, ...] = ()
        if writable:
            clear = report.adds if mode == "auto" else ()
            added = await self.apply([one for one in clear if not one.declined], first=report.first)
            services.spawn(self.sync(added))
        first = report.first
        report = await self.look()
        new = await self._tell(report) if writable else ()
        self.report = replace(report, added=added, new=new, first=first)
        services.feed.publish(Discovered(added))
        return self.report

    async def _tell(self, report: Report) -> tuple[str, ...]:
        """The ids of offers that nobody was told of; from now on they have been.

        What is there already is remembered like what was added: once it is removed, it stays away.
        """
        offers = [one.id for one in report.offers if one.kind != "ambiguous" and not one.declined]
        here = [one.id for one in report.findings if one.configured and one.key_name]
        memory = await self._memory()
        new = tuple(name for name in offers if name not in memory.told)
        if new or not set(here) <= set(memory.seen):
            async with self._services.db.transaction() as tx:
                memory = await self._memory(tx)
                for name in here:
                    memory = memory.with_id(name)
                memory = replace(memory, told=(*memory.told, *new)[-KEPT:])
                await self._services.state.set(tx, KEY, memory.document())
        return new

    async def apply(
        self, findings: Sequence[Finding], *, first: bool, again: bool = False
    ) -> tuple[str, ...]:
        """Add these by reference, all or none, in one transaction; their slugs. What is there already is passed by.

        `again`: also what was added once and taken away. Another process that adds the same ones at this
        moment is waited for and then seen.
        """
        from services.drafts import free_slug, new_row
        from services.row_audit import key_detail, shown

        self._services.require_writable()
        added: dict[str, int] = {}
        async with self._services.db.transaction(durable=True) as tx:
            rows, memory = await self._store.list(tx), await self._memory(tx)
            for one in placed(findings, rows, memory.seen):
                if one.configured or (one.declined and not again):
                    continue
                option = one.options[0]
                slug = free_slug(option.slug, {row.slug for row in rows})
                draft = option.draft(slug, _name(one, first=first))
                row = new_row(draft, self._services.catalog, ())
                row = replace(row, key_ref=one.key_ref, key_last4=one.key_last4)
                await self._store.insert(tx, row)
                detail = {**shown(row), **key_detail(row), "tested": False, "found": one.why}
                await self._services.audit.record(tx, "provider.add", slug, detail=detail)
                rows.append(row)
                memory = memory.with_id(one.id)
                added[slug] = row.updated_at
            await self._services.state.set(tx, KEY, memory.document())
        self._mine |= added
        if added:
            self._services.feed.publish(ProvidersChanged(tuple(added)))
        return tuple(added)

    async def add(
        self, found: Finding, option: Option, *, backend: str | None = None, test: bool = True
    ) -> ProviderView:
        """Add an offered one: tested first, then stored. A key out of a folder's file is kept in `backend`."""
        from services.drafts import free_slug

        self._services.require_writable()
        key = await self._key_of(found)
        slug = free_slug(option.slug, {row.slug for row in await self._store.list()})
        name = _name(found, first=self.report is not None and self.report.first)
        view = await self._services.registry.add(option.draft(slug, name), key, test=test, backend=backend)
        async with self._services.db.transaction() as tx:
            memory = (await self._memory(tx)).with_id(found.id)
            await self._services.state.set(tx, KEY, memory.document())
        if self.report is not None:
            mine = [
                replace(one, configured=slug) if one.id == found.id else one for one in self.report.findings
            ]
            self.report = replace(self.report, findings=tuple(mine))
        self._services.feed.publish(Discovered())
        return view

    async def take_back(self) -> TakenBack:
        """Remove what this session added by itself, as long as nobody has changed or used it."""
        self._services.require_writable()
        removed, kept = [], []
        for slug, at in list(self._mine.items()):
            try:
                if await self._services.registry.dependents(slug):
                    kept.append(slug)
                else:
                    await self._services.registry.remove(slug, unchanged_since=at)
                    removed.append(slug)
            except ChangedMeanwhileError:
                kept.append(slug)
            except NotFoundError:
                pass  # somebody was quicker
            self._mine.pop(slug, None)
        if self.report is not None:
            self.report = replace(await self.look(), added=())
        self._services.feed.publish(Discovered())
        return TakenBack(tuple(removed), tuple(kept))

    @property
    def can_take_back(self) -> bool:
        """True while this session has added something that is still as it was added, as far as one knows."""
        return bool(self._mine)

    async def sync(self, slugs: Sequence[str]) -> None:
        """Fetch the lists of those that can be reached now."""
        near = [row.slug for row in await self._store.list() if row.slug in slugs and self._reaches(row)]
        if near:
            await self._services.sync.sync(near)

    def _reaches(self, row: ProviderRow) -> bool:
        return self._services.offline.reaches(urlsplit(row.endpoint).hostname or "")

    async def _key_of(self, found: Finding) -> KeySource:
        from pydantic import SecretStr

        from services.drafts import EnvKey
        from services.environment import folder_variables

        if not found.key_name:
            return None
        if found.source != "folder":
            return EnvKey(found.key_name)
        value = (await asyncio.to_thread(folder_variables, Path(found.path))).key(found.key_name)
        if not value:
            raise MissingKeyError(
                f"{found.key_name} is no longer in {one_line(found.path, 200)}.",
                hint="Look around again, or enter the key.",
            )
        return SecretStr(value)

    async def _memory(self, tx: Tx | None = None) -> Memory:
        kept = await self._services.state.get(KEY, tx)
        return Memory.read(kept)


def _import_probes() -> None:
    import adapters.local_servers  # noqa: F401  the HTTP client takes a while: elsewhere, so that the screen goes on


def _notes(problem: str, path: str, *, open_to_others: bool = False) -> list[str]:
    if problem:
        return [f"{one_line(path, 200)} {problem}"]
    return (
        [f"other users can read {one_line(path, 200)}: chmod 600 keeps its keys yours"]
        if open_to_others
        else []
    )


def _name(found: Finding, *, first: bool) -> str | None:
    """As seed 001 has it: what comes out of the environment at a first start was migrated."""
    if first and found.source in ("environment", "config"):
        return f"{found.name} (Migrated)"
    return None if len(found.options) > 1 else found.name
