"""The encrypted vault: one authenticated file, opened with a passphrase, that two processes can share."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from pydantic import SecretStr

from catalog.errors import StoreError, UsageError, VaultLockedError
from store.vault.base import BackendName, BackendState, checked_name
from store.vault.format import Header, Keys, new_header, open_sealed, read_header, seal
from store.vault.private_file import exclusive, read_private, write_private

T = TypeVar("T")
Entries = dict[str, str]

_WRONG = "The passphrase does not open the vault."
_HINT = "Try again, or name the right file in SWITCHROOM_VAULT_KEY_FILE."


class EncryptedVault:
    """Secrets in one file. The key derived from the passphrase is kept in memory until `lock()`.

    `ask` is called where a key is needed and not at hand; it returns the passphrase, or None when nobody can give it.
    """

    name: BackendName = "vault"

    def __init__(self, path: Path, ask: Callable[[], Awaitable[SecretStr | None]]) -> None:
        self.path = path
        self._ask = ask
        self._keys: Keys | None = None
        self._asking: asyncio.Task[Keys] | None = None

    @property
    def exists(self) -> bool:
        return self.path.exists()

    @property
    def unlocked(self) -> bool:
        """True while its key is in memory."""
        return self._keys is not None

    async def get(self, name: str) -> SecretStr | None:
        if not self.exists:
            return None
        value = (await self._opened(self._read)).get(name)
        return SecretStr(value) if value is not None else None

    async def set(self, name: str, secret: SecretStr) -> None:
        account = checked_name(name)
        if not self.exists:
            raise VaultLockedError("There is no vault yet.", hint="Make one with `switchroom vault init`.")
        await self._opened(lambda keys: self._change(keys, {account: secret.get_secret_value()}, ()))

    async def delete(self, name: str) -> None:
        if self.exists:
            await self._opened(lambda keys: self._change(keys, {}, (name,)))

    async def names(self) -> tuple[str, ...]:
        return tuple(sorted(await self._opened(self._read))) if self.exists else ()

    async def state(self) -> BackendState:
        """Nobody is asked for a passphrase."""
        try:
            content = await asyncio.to_thread(read_private, self.path)
            if content is None:
                return BackendState(
                    "absent", "There is no vault yet; it is made with the first key, or by `vault init`."
                )
            read_header(content, self.path)
        except (VaultLockedError, StoreError) as error:
            return BackendState("unknown", f"{error.message} {error.hint or ''}".strip())
        if self._keys is not None:
            return BackendState("ready", f"Keys are in the encrypted vault {self.path}.")
        return BackendState("locked", f"The encrypted vault {self.path} is locked.")

    async def init(self, passphrase: SecretStr) -> None:
        """Makes an empty vault and leaves it open; UsageError when there is one already."""
        _require_text(passphrase)
        self._keys = await asyncio.to_thread(self._create, passphrase)

    async def unlock(self, passphrase: SecretStr) -> None:
        """Opens the vault for this process; VaultLockedError when the passphrase is wrong."""
        self._keys = await asyncio.to_thread(self._open_with, passphrase)

    def lock(self) -> None:
        """Forgets the key."""
        self._keys = None

    async def change_passphrase(self, old: SecretStr, new: SecretStr) -> None:
        """Writes the vault anew under another passphrase and leaves it open."""
        _require_text(new)
        self._keys = await asyncio.to_thread(self._reseal, old, new)

    async def _opened(self, work: Callable[[Keys], T]) -> T:
        """Runs work with the key, in a thread; asks for the passphrase where there is none or it was changed."""
        if self._keys is not None:
            try:
                return await asyncio.to_thread(work, self._keys)
            except _OtherKeyError:
                self._keys = None
        return await asyncio.to_thread(work, await self._open_once())

    async def _open_once(self) -> Keys:
        """Ten that want in at once ask the user once, and share the outcome."""
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask_and_unlock())
            self._asking.add_done_callback(self._asked)
        return await asyncio.shield(self._asking)

    def _asked(self, task: asyncio.Task[Keys]) -> None:
        self._asking = None
        if not task.cancelled():
            task.exception()  # seen: whoever waits has it

    async def _ask_and_unlock(self) -> Keys:
        passphrase = await self._ask()
        if passphrase is None:
            raise locked()
        self._keys = keys = await asyncio.to_thread(self._open_with, passphrase)
        return keys

    def _create(self, passphrase: SecretStr) -> Keys:
        with exclusive(self.path):
            if self.exists:
                raise UsageError(
                    "There is a vault already.", hint="Change its passphrase with `vault passphrase`."
                )
            header = new_header()
            keys = header.derive(passphrase)
            write_private(self.path, seal(header, keys, {}))
            return keys

    def _open_with(self, passphrase: SecretStr) -> Keys:
        header, content = self._content()
        keys = header.derive(passphrase)
        if not hmac.compare_digest(keys.check, header.check):
            raise VaultLockedError(_WRONG, hint=_HINT)
        open_sealed(keys, content, self.path)
        return keys

    def _reseal(self, old: SecretStr, new: SecretStr) -> Keys:
        with exclusive(self.path):
            entries = self._read(self._open_with(old))
            header = new_header()
            keys = header.derive(new)
            write_private(self.path, seal(header, keys, entries))
            return keys

    def _change(self, keys: Keys, put: Entries, drop: tuple[str, ...]) -> None:
        """Reads, changes and writes under the lock, so what another process wrote meanwhile stays."""
        with exclusive(self.path):
            entries = self._read(keys)
            changed = {name: value for name, value in entries.items() if name not in drop} | put
            if changed != entries:
                header, _ = self._content()
                write_private(self.path, seal(header, keys, changed))

    def _read(self, keys: Keys) -> Entries:
        header, content = self._content()
        if header.salt != keys.salt:
            raise _OtherKeyError
        return open_sealed(keys, content, self.path)

    def _content(self) -> tuple[Header, bytes]:
        content = read_private(self.path)
        if content is None:
            raise StoreError(
                f"The vault {self.path} is gone.",
                hint="Restore it, or make one with `switchroom vault init`.",
            )
        return read_header(content, self.path), content


class _OtherKeyError(Exception):
    """The file was written under another passphrase than the key in memory."""


def locked() -> VaultLockedError:
    return VaultLockedError(
        "The vault is locked and no passphrase was given.",
        hint="Enter the passphrase, or set SWITCHROOM_VAULT_KEY_FILE to a file that holds it (chmod 600).",
    )


def _require_text(passphrase: SecretStr) -> None:
    if not passphrase.get_secret_value():
        raise UsageError("A vault needs a passphrase that is not empty.")
