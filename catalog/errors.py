"""The one error base that the faces catch: what happened, in words for a person, and the way on."""

from __future__ import annotations

from typing import ClassVar


class SwitchroomError(Exception):
    """An error meant for the user.

    `message` is one sentence; `title` a few words for a heading; `hint` the next step (a key, a command,
    an alternative) or None. `code` is one of the codes of the command line's contract.
    """

    code: ClassVar[str] = "unexpected_response"
    default_title: ClassVar[str] = "Something went wrong"

    def __init__(
        self,
        message: str,
        *,
        title: str | None = None,
        hint: str | None = None,
        provider: str | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.title = title or self.default_title
        self.hint = hint
        self.provider = provider
        """The slug of the provider concerned; None when no provider is."""
        self.status = status
        """The HTTP status that caused it; None when no response did."""

    def as_dict(self) -> dict[str, object]:
        """The `error` document of the command line: code, title, message, hint, provider, status."""
        return {
            "code": self.code,
            "title": self.title,
            "message": self.message,
            "hint": self.hint,
            "provider": self.provider,
            "status": self.status,
        }


class UsageError(SwitchroomError):
    """The user's own input cannot be taken: a bad option, name, URL or setting."""

    code = "usage"
    default_title = "Not understood"


class NotFoundError(SwitchroomError):
    """A provider, model, budget or run that does not exist here."""

    code = "not_found"
    default_title = "Not found"


class BudgetExceededError(SwitchroomError):
    """A limit refuses the run."""

    code = "budget"
    default_title = "Over the limit"


class UnpricedError(SwitchroomError):
    """The model's price is unknown while a money limit is in force."""

    code = "unpriced"
    default_title = "Price unknown"


class OfflineError(SwitchroomError):
    """Offline was chosen and the address is outside the allowed scope."""

    code = "offline"
    default_title = "Offline"


class ReadOnlyError(SwitchroomError):
    """A change was asked of a read-only session."""

    code = "read_only"
    default_title = "Read only"


class VaultLockedError(SwitchroomError):
    """A stored key cannot be read or written now: vault locked, keyring absent or refused."""

    code = "vault_locked"
    default_title = "Vault locked"


class MissingKeyError(SwitchroomError):
    """The provider has a credential reference, but there is no key behind it."""

    code = "invalid_credentials"
    default_title = "No key"


class StoreError(SwitchroomError):
    """The database or a file of ours cannot be used: corrupt, newer, full disk, no permission."""

    code = "store"
    default_title = "Store problem"
