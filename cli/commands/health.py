"""`switchroom health`: can it work? Store, vault, offline state and each provider's last or present state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from cli.session import Session, reads

if TYPE_CHECKING:
    from adapters.base import Validation
    from catalog.errors import SwitchroomError
    from services.container import Services
    from services.registry import ProviderView

DEGRADED, ERROR = 5, 7

_FINE = frozenset({"ok", "slow", "untested", "off", "offline"})
"""States that are no failure: never tried, or as the user chose."""


@click.command()
@click.option("--probe", is_flag=True, help="Contact the providers now.")
@reads
def command(session: Session, probe: bool) -> int:
    """Offline state, store, vault and each provider's last state.

    Exit 0: all well; 5: a provider is not (degraded); 7: store or vault cannot be used (error).
    """
    from catalog.errors import StoreError

    async def work(services: Services) -> int:
        found = await _probe(services) if probe else {}
        document = await _document(services, await services.registry.list(), found)
        session.emit(document, lambda: _text(document))
        _complain(document)
        return {"ok": 0, "degraded": DEGRADED}.get(str(document["status"]), ERROR)

    try:
        return session.run(work, asks=False)
    except StoreError as problem:
        return _unusable(session, problem)


async def _probe(services: Services) -> dict[str, Validation]:
    """Contact every provider that is on, all at once; what was found, which a read-only session does not record."""
    import asyncio

    slugs = [view.row.slug for view in await services.registry.list() if view.row.enabled]
    found = await asyncio.gather(*(_test(services, slug) for slug in slugs))
    return {slug: result for slug, result in zip(slugs, found, strict=True) if result is not None}


async def _test(services: Services, slug: str) -> Validation | None:
    """None: it could not be asked (offline, no key); its state says so."""
    from catalog.errors import SwitchroomError

    try:
        return await services.registry.test(slug)
    except SwitchroomError:
        return None


async def _document(
    services: Services, views: Sequence[ProviderView], found: Mapping[str, Validation]
) -> dict[str, object]:
    vault = await services.credentials.backend()
    providers = [await _provider(services, view, found.get(view.row.slug)) for view in views]
    return {
        "status": "degraded" if any(map(_unwell, providers)) else "ok",
        "offline": services.offline.state,
        "store": {"state": "ok", "path": str(services.paths.database), "read_only": services.db.read_only},
        "vault": {"backend": vault.backend, "state": vault.state, "message": vault.message},
        "providers": providers,
        "plugins": await _plugins(),
    }


async def _plugins() -> list[dict[str, object]]:
    """The adapters that other packages bring; a broken one is passed over, so it makes nothing worse."""
    import asyncio

    from adapters.loader import plugins

    return [
        {
            "dialect": plugin.dialect,
            "package": plugin.package,
            "state": "broken" if plugin.problem else "ok",
            "message": plugin.problem,
        }
        for plugin in await asyncio.to_thread(plugins)
    ]


def _unwell(row: dict[str, object]) -> bool:
    return bool(row["enabled"]) and (row["state"] not in _FINE or not row["configured"])


def _complain(document: dict[str, object]) -> None:
    from cli.failures import complain

    providers, plugins = document["providers"], document["plugins"]
    assert isinstance(providers, list)
    assert isinstance(plugins, list)
    broken = [f"{row['dialect']} ({row['package']})" for row in plugins if row["message"]]
    if broken:
        complain(f"{len(broken)} of {len(plugins)} plug-ins cannot be used: {', '.join(broken)}.")
    unwell = [f"{row['slug']} ({row['state']})" for row in providers if _unwell(row)]
    if unwell:
        complain(f"{len(unwell)} of {len(providers)} providers cannot be used: {', '.join(unwell)}.")


async def _provider(services: Services, view: ProviderView, found: Validation | None) -> dict[str, object]:
    """`configured`: it has the key it needs at hand, or needs none."""
    from catalog.errors import SwitchroomError

    state, configured, message = view.state, True, view.row.state_message
    if found is not None:
        state, message = found.state, None if found.ok else found.message
    if view.row.enabled:
        try:
            await services.credentials.resolve(view.row.key_ref)
        except SwitchroomError as problem:
            configured, message = False, problem.message
            state = "locked" if problem.code == "vault_locked" else state
    return {
        "slug": view.row.slug,
        "state": state,
        "configured": configured,
        "enabled": view.row.enabled,
        "message": message,
    }


def _unusable(session: Session, problem: SwitchroomError) -> int:
    """The store cannot be opened: the document says so, and the database file is left alone."""
    from cli.failures import document as error_document
    from cli.failures import say
    from services.paths import resolve

    error = error_document(problem)
    document: dict[str, object] = {
        "status": "error",
        "offline": None,
        "store": {"state": "error", "path": str(resolve().database), "message": problem.message},
        "vault": {"backend": None, "state": "unknown"},
        "providers": [],
        "plugins": [],
        "error": error,
    }
    if session.json:
        session.emit(document, str)
    say(problem)
    return ERROR


def _text(document: dict[str, object]) -> str:
    from cli.output import pairs, table

    vault, store, providers = document["vault"], document["store"], document["providers"]
    assert isinstance(vault, dict)
    assert isinstance(store, dict)
    assert isinstance(providers, list)
    head = pairs(
        [
            ("status", str(document["status"])),
            ("offline", "yes" if document["offline"] else "no"),
            ("store", f"{store['state']}  {store['path']}"),
            ("vault", f"{vault['backend'] or 'none'}: {vault['state']}"),
        ]
    )
    rows = [
        (
            row["slug"],
            str(row["state"]).replace("_", " "),
            "yes" if row["configured"] else "no",
            row["message"] or "",
        )
        for row in providers
    ]
    parts = [head]
    if rows:
        parts.append(table(("PROVIDER", "STATE", "CONFIGURED", "MESSAGE"), rows))
    brought = document["plugins"]
    assert isinstance(brought, list)
    if brought:
        lines = [(row["dialect"], row["state"], row["package"], row["message"] or "") for row in brought]
        parts.append(table(("PLUG-IN", "STATE", "PACKAGE", "MESSAGE"), lines))
    return "\n\n".join(parts)
