"""`switchroom vault`: the encrypted vault, and moving keys between the places that can hold them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.lazy import Nouns
from cli.session import Session, changes, reads

if TYPE_CHECKING:
    from services.container import Services


@click.group(cls=Nouns)
def command() -> None:
    """The encrypted vault and the other places for keys.

    Its passphrase is asked on the terminal, or read from the file that SWITCHROOM_VAULT_KEY_FILE names.
    """


@command.command("init")
@changes
def init_vault(session: Session) -> int:
    """Make the encrypted vault."""

    async def work(services: Services) -> None:
        await services.credentials.init()
        file = services.paths.vault_file
        session.changed(
            {**await _document(services), "file": str(file)},
            did=f"Made the vault {file}.",
            would=f"make the vault {file}",
        )

    return session.run(work)


@command.command("unlock")
@reads
def unlock_vault(session: Session) -> int:
    """Check the passphrase; the vault stays open only inside a running program."""

    async def work(services: Services) -> None:
        await services.credentials.unlock()
        session.emit(await _document(services), lambda: "The passphrase opens the vault.")

    return session.run(work)


@command.command("lock")
@reads
def lock_vault(session: Session) -> int:
    """Forget the vault's key; outside a running program it is always locked."""

    async def work(services: Services) -> None:
        services.credentials.lock()
        session.emit(await _document(services), lambda: "The vault is locked.")

    return session.run(work)


@command.command("status")
@reads
def vault_status(session: Session) -> int:
    """Where new keys go and why, and the state of the vault."""

    async def work(services: Services) -> None:
        from cli.output import pairs

        document = await _document(services)
        vault = await services.credentials.status()
        session.emit(
            document,
            lambda: pairs(
                [
                    ("new keys go to", str(document["backend"])),
                    ("its state", f"{document['state']}: {document['message']}"),
                    ("vault", f"{vault.state}: {vault.message}"),
                ]
            ),
        )

    return session.run(work)


async def _document(services: Services) -> dict[str, object]:
    """The backend for new keys, and the vault beside it."""
    choice = await services.credentials.backend()
    vault = await services.credentials.status()
    return {
        "backend": choice.backend,
        "state": choice.state,
        "message": choice.message,
        "vault": {"state": vault.state, "message": vault.message},
    }


@command.command("passphrase")
@click.option("--new-stdin", is_flag=True, help="Read the new passphrase from standard input.")
@changes
def change_passphrase(session: Session, new_stdin: bool) -> int:
    """Seal the vault with a new passphrase."""
    from cli.secret_input import read_passphrase

    new = read_passphrase("new passphrase") if new_stdin else None

    async def work(services: Services) -> None:
        await services.credentials.change_passphrase(None, new)
        hint = ""
        if services.settings.security.vault_key_file:
            hint = " Put it into the file that SWITCHROOM_VAULT_KEY_FILE names."
        session.changed(
            await _document(services),
            did=f"The vault has its new passphrase.{hint}",
            would="give the vault a new passphrase",
        )

    return session.run(work)


@command.command("move")
@click.argument("to", type=click.Choice(["keyring", "vault", "file"]))
@changes
def move_keys(session: Session, to: str) -> int:
    """Move every stored key to another place."""

    async def work(services: Services) -> None:
        moved = await services.credentials.move(to)
        rows = [{"from": old, "to": new} for old, new in moved.items()]
        session.changed(
            {"moved": rows, "backend": to},
            did=f"Moved {len(rows)} keys to the {to}.",
            would=f"move {len(rows)} keys to the {to}",
        )

    return session.run(work)
