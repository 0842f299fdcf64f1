"""Where keys are kept: one door to the OS keyring, the encrypted vault, credential files and the environment."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import SecretStr

from catalog.errors import MissingKeyError, SwitchroomError, UsageError, VaultLockedError
from catalog.redact import remember_secret
from services.keyring_probe import KeyringProbe, remember
from services.leftovers import Leftovers
from store.vault.base import (
    MANAGED,
    Backend,
    BackendName,
    BackendState,
    StateName,
    checked_name,
    parse_reference,
)
from store.vault.encrypted import EncryptedVault, locked
from store.vault.env import EnvBackend
from store.vault.files import FileBackend
from store.vault.keyring_backend import OsKeyring
from store.vault.private_file import read_private

if TYPE_CHECKING:
    from services.container import Services

log = logging.getLogger(__name__)

_CHOICE_KEY = "secrets_backend"


@dataclass(frozen=True, slots=True)
class BackendChoice:
    """Where new keys go, whether that works now, and why it is this one."""

    backend: BackendName
    state: StateName
    message: str


class Credentials:
    """Keeps and finds secrets by reference. A secret that passes through here is masked in logs from then on."""

    asking_for: Literal["unlock", "new", "repeat"] = "unlock"

    def __init__(self, services: Services) -> None:
        self._services = services
        self._vault = EncryptedVault(services.paths.vault_file, self._passphrase)
        self._answered: set[str] = set()
        """The backends that have given or opened something here, so that they can be tidied."""
        self.leftovers = Leftovers(services, self)

    async def resolve(self, ref: str | None) -> SecretStr | None:
        """The secret behind a reference; None only for None, a provider that is called without a key.

        MissingKeyError where there is none, VaultLockedError where it cannot be read now.
        """
        if ref is None:
            return None
        reference = parse_reference(ref)
        secret = await self._backend(reference.backend).get(reference.name)
        if secret is None:
            raise _missing(reference.backend, reference.name)
        remember_secret(secret.get_secret_value())
        await self._tidy(reference.backend)
        return secret

    async def at_hand(self, ref: str | None) -> bool:
        """Whether `resolve` would ask nobody for a passphrase."""
        if ref is None or not ref.startswith("vault:") or self._services.settings.security.vault_key_file:
            return True
        return (await self._backend("vault").state()).state == "ready"

    async def store(self, name: str, secret: SecretStr, *, backend: str | None = None) -> str:
        """Keeps a secret and returns its reference. `name` is a slug, `slug#admin` or `slug!header`.

        `backend` overrides the setting, and `auto` follows it from then on. In a dry run nothing is kept.
        """
        checked_name(name)
        remember_secret(secret.get_secret_value())
        self._services.require_writable()
        chosen = _managed(backend) if backend is not None else (await self.backend()).backend
        if not self._services.db.dry_run:
            await self.leftovers.reclaim(f"{chosen}:{name}")
            chosen = await self._keep(chosen, name, secret, forced=backend is not None)
            if backend is not None:
                await remember(self._services, _CHOICE_KEY, chosen)
        return f"{chosen}:{name}"

    async def delete(self, ref: str | None) -> None:
        """Forgets a secret; variables of the environment stay, what is gone already is no error."""
        if ref is None:
            return
        reference = parse_reference(ref)
        self._services.require_writable()
        if not self._services.db.dry_run:
            await self._backend(reference.backend).delete(reference.name)

    async def backend(self) -> BackendChoice:
        """The place for new keys, without asking anybody for anything.

        `auto` takes what the user chose before, else the OS keyring where one answers, else the vault.
        """
        setting = self._services.settings.security.backend
        if setting != "auto":
            return await self._choice(setting, f"security.backend is {setting}.")
        before = await self._services.state.get(_CHOICE_KEY)
        if before in ("vault", "file"):
            return await self._choice(_managed(str(before)), f"You chose the {before} before.")
        keyring = await self._probe.answer()
        if keyring.state == "ready":
            return BackendChoice("keyring", keyring.state, keyring.message)
        return await self._choice("vault", keyring.message)

    async def probe(self) -> BackendState:
        """Asks the OS keyring now, whatever is remembered, and remembers the answer. Takes some seconds at most."""
        return await self._probe.ask()

    async def init(self, passphrase: SecretStr | None = None) -> None:
        """Makes the vault; without a passphrase it comes from the key file or is asked for twice."""
        self._services.require_writable()
        if self._services.db.dry_run:
            return
        if self._vault.exists:
            raise UsageError(
                "There is a vault already.", hint="Change its passphrase with `switchroom vault passphrase`."
            )
        await self._vault.init(passphrase or await self._new_passphrase())

    async def unlock(self, passphrase: SecretStr | None = None) -> None:
        """Opens the vault for this process. VaultLockedError when the passphrase is wrong or nobody gives one."""
        if not self._vault.exists:
            raise VaultLockedError("There is no vault yet.", hint="Make one with `switchroom vault init`.")
        passphrase = passphrase or await self._passphrase()
        if passphrase is None:
            raise locked()
        await self._vault.unlock(passphrase)
        await self._tidy("vault")

    def lock(self) -> None:
        """Forgets the vault's key."""
        self._vault.lock()
        self._answered.discard("vault")

    async def status(self) -> BackendState:
        """The vault alone: ready, locked, absent, or unknown when the file cannot be used."""
        return await self._vault.state()

    async def change_passphrase(self, old: SecretStr | None, new: SecretStr | None) -> None:
        """Seals the vault anew. None: the old one from the key file or the user, the new one from the user."""
        self._services.require_writable()
        old = old or await self._passphrase()
        new = new or await self._asked_twice()
        if old is None or new is None:
            raise locked()
        if not self._services.db.dry_run:
            await self._vault.change_passphrase(old, new)

    async def move(self, to: str) -> dict[str, str]:
        """Moves every secret we keep to another backend; old reference → new one, providers already changed.

        Each is read back from its new place before anything points there, and the old ones go last.
        """
        from services.credential_move import move

        self._services.require_writable()
        moved = await move(self, self._services, _managed(to))
        await remember(self._services, _CHOICE_KEY, to)
        return moved

    async def names(self, backend: BackendName) -> tuple[str, ...]:
        """What a backend holds, where it can be listed; a keyring cannot."""
        match self._backend(backend):
            case EncryptedVault() | FileBackend() as listed:
                return await listed.names()
            case _:
                return ()

    @property
    def vault_at_hand(self) -> bool:
        """True when the vault can be changed without asking anybody."""
        return (
            not self._vault.exists
            or self._vault.unlocked
            or bool(self._services.settings.security.vault_key_file)
        )

    async def _tidy(self, backend: BackendName) -> None:
        """The first time that a locked place turns out open: delete there what a removed provider had to leave."""
        if backend == "env" or backend in self._answered:
            return
        self._answered.add(backend)
        try:
            await self.leftovers.sweep()
        except SwitchroomError:
            log.exception("stored keys of removed providers could not be deleted")

    @cached_property
    def _keyring(self) -> OsKeyring:
        home = self._services.paths.home
        return OsKeyring("switchroom" if home is None else f"switchroom {home}")

    @cached_property
    def _probe(self) -> KeyringProbe:
        return KeyringProbe(self._services, self._keyring)

    def _backend(self, name: BackendName) -> Backend:
        paths = self._services.paths
        match name:
            case "keyring":
                return self._keyring
            case "vault":
                return self._vault
            case "file":
                return FileBackend(paths.credentials)
            case _:
                return EnvBackend(paths.env_file)

    async def _keep(self, backend: BackendName, name: str, secret: SecretStr, *, forced: bool) -> BackendName:
        """Writes to the backend; where `auto` chose a keyring that refuses now, to the vault. Returns which one."""
        if backend == "vault" and not self._vault.exists:
            await self.init()
        try:
            await self._backend(backend).set(name, secret)
        except VaultLockedError:
            automatic = self._services.settings.security.backend == "auto" and not forced
            if backend != "keyring" or not automatic or (await self.probe()).state == "ready":
                raise
            return await self._keep("vault", name, secret, forced=True)
        return backend

    async def _choice(self, backend: BackendName, why: str) -> BackendChoice:
        found = await self._backend(backend).state()
        return BackendChoice(backend, found.state, f"{why} {found.message}")

    async def _passphrase(self) -> SecretStr | None:
        """From the key file, else from whoever the face asks; None when neither is at hand."""
        key_file = self._services.settings.security.vault_key_file
        if key_file:
            return await asyncio.to_thread(_from_key_file, key_file)
        return await self._asked("unlock")

    async def _new_passphrase(self) -> SecretStr:
        key_file = self._services.settings.security.vault_key_file
        passphrase = await self._passphrase() if key_file else await self._asked_twice()
        if passphrase is None:
            raise locked()
        return passphrase

    async def _asked_twice(self) -> SecretStr | None:
        """A new passphrase, typed twice, since nothing else would notice a slip."""
        first = await self._asked("new")
        if first is None:
            return None
        second = await self._asked("repeat")
        if second is None or first.get_secret_value() != second.get_secret_value():
            raise UsageError("The two passphrases are not the same.", hint="Nothing was changed; try again.")
        return first

    async def _asked(self, purpose: Literal["unlock", "new", "repeat"]) -> SecretStr | None:
        ask = self._services.passphrase_source
        if ask is None:
            return None
        self.asking_for = purpose
        try:
            return await ask()
        finally:
            self.asking_for = "unlock"


def _managed(name: str) -> BackendName:
    for known in MANAGED:
        if known == name:
            return known
    raise UsageError(f"Keys cannot be kept in `{name[:20]}`.", hint=f"Choose one of {', '.join(MANAGED)}.")


def _from_key_file(name: str) -> SecretStr:
    path = Path(name).expanduser()
    content = read_private(path)
    text = (content or b"").decode("utf-8", "replace").rstrip("\r\n")
    if not text:
        raise VaultLockedError(
            f"The vault's key file {path} is {'missing' if content is None else 'empty'}.",
            hint="SWITCHROOM_VAULT_KEY_FILE names the file that holds the passphrase (chmod 600).",
        )
    remember_secret(text)
    return SecretStr(text)


def _missing(backend: BackendName, name: str) -> MissingKeyError:
    if backend == "env":
        return MissingKeyError(
            f"The environment variable {name} is not set.",
            hint=f"Set {name} and start again, or enter a key.",
        )
    slug = name.split("#")[0].split("!")[0]
    return MissingKeyError(
        f"There is no key for {slug} in the {backend} any more.",
        hint=f"Enter it again: switchroom keys set {slug} --key-stdin",
    )
