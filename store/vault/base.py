"""What every place for secrets can do, and how a reference names a secret in one of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, Protocol

from pydantic import SecretStr

from catalog.errors import UsageError
from catalog.plaintext import one_line

BackendName = Literal["keyring", "vault", "file", "env"]
MANAGED: tuple[BackendName, ...] = ("keyring", "vault", "file")
"""The backends that Switchroom writes to. `env` is only read."""

StateName = Literal["ready", "locked", "absent", "unknown"]

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._#!$&*+^|~-]{0,199}")


@dataclass(frozen=True, slots=True)
class BackendState:
    """Whether a backend can be used now, in a word and in a sentence for a person."""

    state: StateName
    """`absent`: there is none here; `unknown`: it did not answer."""
    message: str


class Backend(Protocol):
    """A place for secrets. What cannot be read or written now raises VaultLockedError, a broken file StoreError."""

    @property
    def name(self) -> BackendName: ...
    async def get(self, name: str) -> SecretStr | None:
        """The secret; None when there is none of this name."""
        ...

    async def set(self, name: str, secret: SecretStr) -> None: ...
    async def delete(self, name: str) -> None:
        """Removes the secret; one that is not there is no error."""
        ...

    async def state(self) -> BackendState: ...


@dataclass(frozen=True, slots=True)
class Reference:
    """`vault:openai-prod`, taken apart."""

    backend: BackendName
    name: str

    def __str__(self) -> str:
        return f"{self.backend}:{self.name}"


def parse_reference(text: str) -> Reference:
    """Takes a reference apart; UsageError when it names no backend of ours."""
    backend, separator, name = text.partition(":")
    match backend:
        case "keyring" | "vault" | "file" | "env" if separator and name:
            return Reference(backend, name)
        case _:
            raise UsageError(
                f"`{one_line(text, 60)}` is no credential reference.",
                hint="References look like keyring:NAME, vault:NAME, file:NAME or env:VARIABLE.",
            )


def checked_name(name: str) -> str:
    """A name that is safe as a file name and as an account of a keyring; UsageError otherwise."""
    if _NAME.fullmatch(name) is None:
        raise UsageError(f"`{one_line(name, 60)}` cannot be the name of a stored secret.")
    return name
