"""Where a key goes: asked only when this machine has no place for it yet, or the place is locked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.worker import WorkerError

from catalog.errors import SwitchroomError
from tui.modals.ask import Ask

if TYPE_CHECKING:
    from pydantic import SecretStr

    from services.registry import KeySource
    from tui.app import SwitchroomApp


_ASKED = {
    "unlock": ("The vault is locked", "Its passphrase opens it until Switchroom ends."),
    "new": ("A passphrase for the new vault", "It opens the vault each time Switchroom starts."),
    "repeat": ("The same passphrase again", ""),
}


@dataclass(frozen=True, slots=True)
class Place:
    """A chosen place. `name` None: the one the services choose themselves."""

    name: str | None
    env: bool = False
    """True: not a place but the environment; the key is named, not stored."""


async def choose_place(
    app: SwitchroomApp, source: KeySource = None, *, offer_env: bool = False
) -> Place | None:
    """The place for a key that is to be stored, ready to write to; None when the user leaves."""
    from services.registry import EnvKey

    if isinstance(source, EnvKey):
        return Place(None)
    choice = await app.services.credentials.backend()
    if choice.backend == "keyring" and choice.state == "ready":
        return Place(None)
    if choice.backend == "file" and choice.state == "ready":
        return Place(None)
    if choice.backend == "vault" and choice.state == "ready":
        return Place(None)
    if choice.state == "locked":
        return Place(None) if await unlock(app) else None
    return await _no_keyring(app, offer_env=offer_env)


async def _no_keyring(app: SwitchroomApp, *, offer_env: bool) -> Place | None:
    from tui.screens.provider_actions import choose

    ways = [
        ("vault", "an encrypted vault, opened by a passphrase"),
        ("file", "a key file that only your user can read"),
    ]
    if offer_env:
        ways.append(("env", "an environment variable that you set yourself"))
    chosen = await choose(app, "No keyring here. Keep keys in …", ways)
    if chosen is None:
        return None
    if chosen == "env":
        return Place(None, env=True)
    if chosen == "vault" and not await make_vault(app):
        return None
    return Place(chosen)


async def make_vault(app: SwitchroomApp) -> bool:
    """Ask for a new passphrase twice and make the vault; True when it is there."""
    first: list[str] = []

    def long_enough(text: str) -> str | None:
        return None if len(text) >= 8 else "At least 8 characters, please."

    def the_same(text: str) -> str | None:
        return None if first and text == first[0] else "That is not the same passphrase."

    words = "It opens the vault each time Switchroom starts. Nobody can recover it for you."
    typed = await app.push_screen_wait(
        Ask("A passphrase for the new vault", words, password=True, check=long_enough)
    )
    if not typed:
        return False
    first.append(typed)
    again = await app.push_screen_wait(Ask("The same passphrase again", password=True, check=the_same))
    if not again:
        return False
    try:
        await app.services.credentials.init(_secret(typed))
    except SwitchroomError as error:
        app.tell_error(error)
        return False
    return True


def passphrase_source(app: SwitchroomApp) -> Callable[[], Awaitable[SecretStr | None]]:
    """What the services call when they need the vault's passphrase; it may be any task of theirs."""

    async def ask() -> SecretStr | None:
        words = _ASKED[app.services.credentials.asking_for]
        worker = app.run_worker(app.push_screen_wait(Ask(*words, password=True)), group="passphrase")
        try:
            typed = await worker.wait()
        except WorkerError:  # the program is ending: nobody will answer
            return None
        return _secret(typed) if typed else None

    return ask


async def ask_passphrase(app: SwitchroomApp) -> SecretStr | None:
    """The vault's passphrase; None when the user leaves."""
    typed = await app.push_screen_wait(Ask(*_ASKED["unlock"], password=True))
    return _secret(typed) if typed else None


async def unlock(app: SwitchroomApp) -> bool:
    """Ask for the passphrase until it opens the vault or the user leaves."""
    while (typed := await ask_passphrase(app)) is not None:
        try:
            await app.services.credentials.unlock(typed)
        except SwitchroomError as error:
            app.tell_error(error)
        else:
            return True
    return False


def _secret(text: str) -> SecretStr:
    from pydantic import SecretStr

    from catalog.redact import remember_secret

    remember_secret(text)
    return SecretStr(text)
