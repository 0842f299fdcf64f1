"""`switchroom keys`: give providers their keys, and see where each is kept. A key is never an argument."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import click

from cli.lazy import Nouns
from cli.session import Session, changes, reads

if TYPE_CHECKING:
    from catalog.errors import SwitchroomError
    from services.container import Services
    from services.registry import ProviderView
    from store.providers import ProviderRow


_role = click.option(
    "--role", type=click.Choice(["admin"]), help="The second key, for the account's figures at the vendor."
)


@click.group(cls=Nouns)
def command() -> None:
    """Give providers their keys; where each key is kept."""


@command.command("set")
@click.argument("slug")
@click.option("--key-stdin", is_flag=True, help="Read the key from standard input.")
@click.option("--key-env", metavar="NAME", help="Use the key in this environment variable.")
@click.option("--no-test", is_flag=True, help="Save without testing it first.")
@_role
@changes
def set_key(
    session: Session, slug: str, key_stdin: bool, key_env: str | None, no_test: bool, role: str | None
) -> int:
    """Give a provider a key.

    It is tested first and saved when the test passes. --role admin is a second key, which opens the account's
    figures at the vendor and is used for nothing else.
    """
    from cli.secret_input import key_source

    key, _ = key_source(key_stdin, key_env)
    if key is None:
        raise click.UsageError("Give the key with --key-stdin or --key-env NAME.")

    async def work(services: Services) -> None:
        from cli import documents
        from services.admin_keys import label

        if role == "admin":
            view = await services.accounts.set_key(slug, key, test=not no_test)
            session.changed(
                {**documents.provider_detail(view), "role": "admin"},
                did=f"{slug} has its admin key now ({label(view.row)}). Next: switchroom providers account {slug}",
                would=f"give {slug} this admin key ({label(view.row)})",
            )
            return
        view = await services.registry.set_key(slug, key, test=not no_test)
        session.changed(
            documents.provider_detail(view),
            did=f"{slug} has its key now ({view.key_label}).",
            would=f"give {slug} this key ({view.key_label})",
        )

    return session.run(work)


@command.command("remove")
@click.argument("slug")
@_role
@changes
def remove_key(session: Session, slug: str, role: str | None) -> int:
    """Forget a provider's key; it is called without one then."""

    async def work(services: Services) -> None:
        from services.admin_keys import label

        if role == "admin":
            row = await services.registry.row(slug)
            place = label(row)
            await services.accounts.remove_key(slug)
            left = await services.credentials.leftovers.note(row.admin_ref)
            session.changed(
                {"slug": slug, "role": "admin", "admin_key": None, "note": left},
                did=f"Forgot the admin key of {slug} ({place}).{_also(left)}",
                would=f"forget the admin key of {slug} ({place})",
            )
            return
        before = await services.registry.get(slug)
        await services.registry.remove_key(slug)
        left = await services.credentials.leftovers.note(before.row.key_ref)
        session.changed(
            {"slug": slug, "key": None, "note": left},
            did=f"Forgot the key of {slug} ({before.key_label}).{_also(left)}",
            would=f"forget the key of {slug} ({before.key_label})",
        )

    return session.run(work)


def _also(note: str | None) -> str:
    return f" {note}" if note else ""


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

    async def state_of(ref: str | None) -> tuple[str, str | None]:
        if ref is None:
            return "none", None
        try:
            found = await services.credentials.resolve(ref)
        except SwitchroomError as problem:
            return "locked" if problem.code == "vault_locked" else "missing", problem.message
        return "missing" if found is None else "ready", None

    row = view.row
    state, message = await state_of(row.key_ref)
    sign_in = await _sign_in(row, state_of)
    document: dict[str, object] = {
        "slug": row.slug,
        "key": documents.key(row.key_ref, row.key_last4),
        "state": state,
        "message": message,
        "admin_key": None,
        "sign_in": sign_in,
    }
    if row.admin_ref is not None:
        state, message = await state_of(row.admin_ref)
        admin = documents.key(row.admin_ref, row.admin_last4) or {}
        document["admin_key"] = {**admin, "state": state, "message": message}
    return document


async def _sign_in(
    row: ProviderRow, state_of: Callable[[str | None], Awaitable[tuple[str, str | None]]]
) -> dict[str, object] | None:
    """How a provider is signed in to; None where it is not used with a sign-in."""
    from services.entra import wants_sign_in

    if (who := wants_sign_in(row)) is None:
        return None
    state, message = await state_of(row.sign_in_ref)
    if who == "person" and state == "none":
        state, message = "missing", f"Nobody has signed in: switchroom providers login {row.slug}"
    kept = None if row.sign_in_ref is None else row.sign_in_ref.partition(":")[0]
    return {"as": who, "source": kept, "state": state, "message": message}


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
        admin = row["admin_key"]
        sign_in = row["sign_in"]
        if isinstance(sign_in, dict) and sign_in["as"] == "person":
            where = f"sign-in {sign_in['source'] or ''}".strip()
            cells.append((str(row["slug"]), where, str(sign_in["state"]), str(sign_in["message"] or "")))
            continue
        cells.append((str(row["slug"]), _where(row["key"]), str(row["state"]), str(row["message"] or "")))
        if isinstance(admin, dict):
            cells.append(
                (f"{row['slug']} (admin)", _where(admin), str(admin["state"]), str(admin["message"] or ""))
            )
    return table(("PROVIDER", "KEY", "STATE", "PROBLEM"), cells)


def _where(key: object) -> str:
    if not isinstance(key, dict):
        return "none needed"
    return f"{key['source']} {key.get('name') or '…' + str(key['last4'] or '')}"
