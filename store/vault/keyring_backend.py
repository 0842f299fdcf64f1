"""The OS keyring, kept at arm's length: imported late, called in a thread of its own, never waited for without end."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from pydantic import SecretStr

from catalog.errors import VaultLockedError
from store.vault.base import BackendName, BackendState, checked_name

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

T = TypeVar("T")

PROBE_SECONDS = 4.0
"""For finding out whether a keyring answers; a session bus that hangs must not hold anybody up."""
CALL_SECONDS = 30.0
"""For reading and writing: a desktop may be asking its user for the keyring's password."""
_PROBE_ACCOUNT = "probe"
_ELSEWHERE = "Use the encrypted vault: set security.backend to vault, or run `switchroom vault move vault`."


class OsKeyring:
    """Secrets as accounts of one service in the keyring of this desktop session."""

    name: BackendName = "keyring"

    def __init__(
        self, service: str, *, probe_seconds: float = PROBE_SECONDS, call_seconds: float = CALL_SECONDS
    ) -> None:
        self._service = service
        self._probe_seconds = probe_seconds
        self._call_seconds = call_seconds
        self._one_at_a_time = asyncio.Lock()

    async def get(self, name: str) -> SecretStr | None:
        value = await self._call(lambda: _chosen().get_password(self._service, checked_name(name)))
        return SecretStr(value) if value else None

    async def set(self, name: str, secret: SecretStr) -> None:
        account = checked_name(name)
        await self._call(lambda: _chosen().set_password(self._service, account, secret.get_secret_value()))

    async def delete(self, name: str) -> None:
        await self._call(partial(_delete, self._service, checked_name(name)))

    async def state(self) -> BackendState:
        """Asks the keyring for an account that is not there: only an open keyring answers that."""
        try:
            title = await self._call(partial(_probe, self._service), self._probe_seconds)
        except _NoAnswerError as error:
            return BackendState("unknown", error.message)
        except _NoKeyringError as error:
            return BackendState("absent", error.message)
        except VaultLockedError as error:
            return BackendState("locked", error.message)
        return BackendState("ready", f"Keys are in the OS keyring ({title}).")

    async def _call(self, work: Callable[[], T], seconds: float | None = None) -> T:
        async with self._one_at_a_time:
            try:
                return await _in_thread(partial(_translated, work), seconds or self._call_seconds)
            except TimeoutError:
                raise _NoAnswerError("The OS keyring does not answer.", hint=_ELSEWHERE) from None


class _NoKeyringError(VaultLockedError):
    """No keyring worth the name is installed or running."""


class _NoAnswerError(VaultLockedError):
    """The keyring was called and stayed silent."""


def _chosen() -> KeyringBackend:
    """The keyring that `keyring` picks, unless it is a stand-in or keeps secrets in the clear (priority below 1)."""
    import keyring
    from keyring.backends import chainer, fail, null

    found = keyring.get_keyring()
    candidates = found.backends if isinstance(found, chainer.ChainerBackend) else [found]
    for candidate in candidates:
        if not isinstance(candidate, fail.Keyring | null.Keyring) and candidate.priority >= 1:
            return candidate
    raise _NoKeyringError("No OS keyring answers here, as is usual over SSH.", hint=_ELSEWHERE)


def _probe(service: str) -> str:
    found = _chosen()
    found.get_password(service, _PROBE_ACCOUNT)
    return str(found.name).split(" ")[0]


def _delete(service: str, account: str) -> None:
    from keyring.errors import PasswordDeleteError

    with contextlib.suppress(PasswordDeleteError):  # there was none
        _chosen().delete_password(service, account)


def _translated(work: Callable[[], T]) -> T:
    """Runs a call of the keyring and says in our words what went wrong, without the library's text."""
    try:
        return work()
    except VaultLockedError:
        raise
    except Exception as error:  # noqa: BLE001  each backend of the library has errors of its own
        from keyring.errors import InitError, KeyringLocked, NoKeyringError

        if isinstance(error, NoKeyringError):
            raise _NoKeyringError("No OS keyring answers here.", hint=_ELSEWHERE) from None
        if isinstance(error, KeyringLocked | InitError):
            raise VaultLockedError(
                "The OS keyring is locked.", hint="Unlock it in your desktop session."
            ) from None
        raise VaultLockedError(f"The OS keyring refused ({type(error).__name__}).", hint=_ELSEWHERE) from None


async def _in_thread(work: Callable[[], T], seconds: float) -> T:
    """Runs work in a daemon thread: one that hangs for ever must not keep the program from ending."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result: T | None = None
        failure: BaseException | None = None
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001  handed over to the waiter
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=run, name="switchroom-keyring", daemon=True).start()
    async with asyncio.timeout(seconds):
        return await answer
