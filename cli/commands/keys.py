"""`switchroom keys`: give providers their keys, and see where each is kept. A key is never an argument."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from cli.lazy import Nouns
from cli.session import Session, changes, reads

if TYPE_CHECKING:
    from catalog.errors import SwitchroomError
    from services.container import Services
    from services.registry import ProviderView


@click.group(cls=Nouns)
def command() -> None:
    """Give providers their keys; where each key is kept."""


@command.command("set")
@click.argument("slug")
@click.option("--key-stdin", is_flag=True, help="Read the key from standard input.")
@click.option("--key-env", metavar="NAME", help="Use the key in this environment variable.")
@click.option("--no-test", is_flag=True, help="Save without testing it first.")
@changes
def set_key(session: Session, slug: str, key_stdin: bool, key_env: str | None, no_test: bool) -> int:
    """Give a provider a key.

    It is tested first and saved when the test passes.
    """
    from cli.secret_input import key_source

    key, _ = key_source(key_stdin, key_env)
    if key is None:
        raise click.UsageError("Give the key with --key-stdin or --key-env NAME.")

    async def work(services: Services) -> None:
        from cli import documents

        view = await services.registry.set_key(slug, key, test=not no_test)
        session.changed(
            documents.provider_detail(view),
            did=f"{slug} has its key now ({view.key_label}).",
            would=f"give {slug} this key ({view.key_label})",
        )

    return session.run(work)


@command.command("remove")
@click.argument("slug")
@changes
def remove_key(session: Session, slug: str) -> int:
    """Forget a provider's key; it is called without one then."""

    async def work(services: Services) -> None:
        before = await services.registry.get(slug)
        await services.registry.remove_key(slug)
        session.changed(
            {"slug": slug, "key": None},
            did=f"Forgot the key of {slug} ({before.key_label}).",
            would=f"forget the key of {slug} ({before.key_label})",
        )

    return session.run(work)


@command.command("status")
@click.argument("slug", required=False)
@reads
def key_status(session: Session, slug: str | None) -> int:
    """Where each key is kept and whether it is at hand.

    Always ends with 0.
    """
    from catalog.errors import SwitchroomError

    async def work(services: Services) -> None:
        views = await services.registry.list() if slug is None else [await services.registry.get(slug)]
        _tell(session, [await _document(services, view) for view in views], None)

    try:
        return session.run(work, asks=False)
    except SwitchroomError as problem:
        _tell(session, [], problem)
        return 0


async def _document(services: Services, view: ProviderView) -> dict[str, object]:
    """One provider's key: `ready`, `missing`, `locked`, or `none` where it needs none."""
    from catalog.errors import SwitchroomError
    from cli import documents

    state, message = "none", None
    if view.row.key_ref is not None:
        try:
            found = await services.credentials.resolve(view.row.key_ref)
            state = "missing" if found is None else "ready"
        except SwitchroomError as problem:
            state = "locked" if problem.code == "vault_locked" else "missing"
            message = problem.message
    return {
        "slug": view.row.slug,
        "key": documents.key(view.row.key_ref, view.row.key_last4),
        "state": state,
        "message": message,
    }


def _tell(session: Session, rows: Sequence[dict[str, object]], problem: SwitchroomError | None) -> None:
    from cli.failures import document as error_document
    from cli.failures import say

    document: dict[str, object] = {"keys": list(rows)}
    if problem is not None:
        document["error"] = error_document(problem)
        say(problem)
    session.emit(document, lambda: _table(rows))


def _table(rows: Sequence[dict[str, object]]) -> str:
    from cli.output import table

    if not rows:
        return "No providers yet. Connect one: switchroom providers add --help"
    cells = []
    for row in rows:
        key = row["key"]
        where = "none needed"
        if isinstance(key, dict):
            where = f"{key['source']} {key.get('name') or '…' + str(key['last4'] or '')}"
        cells.append((str(row["slug"]), where, str(row["state"]), str(row["message"] or "")))
    return table(("PROVIDER", "KEY", "STATE", "PROBLEM"), cells)
