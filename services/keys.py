"""How a provider's secrets are stored beside its row: proven first, put back when the row cannot be saved."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from catalog.errors import SwitchroomError, UsageError
from catalog.redact import remember_secret
from services.connections import Secrets
from services.drafts import EnvKey, KeySource, ProviderDraft, check_header_name, check_proxy

if TYPE_CHECKING:
    from pydantic import SecretStr

    from services.container import Services
    from store.providers import ProviderRow

log = logging.getLogger(__name__)

LONGEST = 16_384
_SHOWS_END = 12
"""A key shorter than this shows none of its characters."""


@dataclass(slots=True)
class Stored:
    """What was written to the secret store for one change, so that it can be taken back."""

    new: list[tuple[str, str, SecretStr | None]] = field(default_factory=list)
    """Name, reference, and the secret that was there before (None: none)."""


class Keys:
    """Writes and deletes secrets through `services.credentials`."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def check(self, draft: ProviderDraft, key: KeySource) -> None:
        """Refuse what cannot be a secret, before anything is contacted; remember the rest for redaction."""
        if key is not None and not isinstance(key, EnvKey):
            _check_secret(key, "key")
        for name, secret in (draft.secret_headers or {}).items():
            check_header_name(name)
            if secret.get_secret_value():
                _check_secret(secret, f"header {name}")
        if draft.proxy and check_proxy(draft.proxy):
            _remember_proxy(draft.proxy)

    async def for_draft(self, draft: ProviderDraft, key: KeySource) -> Secrets:
        """The secrets of something not saved yet."""
        from pydantic import SecretStr

        self.check(draft, key)
        return Secrets(
            key=await self._clear(key),
            headers=dict(draft.secret_headers or {}),
            proxy=SecretStr(draft.proxy) if draft.proxy else None,
        )

    async def for_row(self, key: KeySource) -> Secrets:
        """A new key with the other secrets of a stored row."""
        return Secrets(key=await self._clear(key))

    async def store(
        self, row: ProviderRow, draft: ProviderDraft, key: KeySource, backend: str | None, stored: Stored
    ) -> ProviderRow:
        """Write the given secrets; the row with their references. `stored` says what to undo, even on failure."""
        from pydantic import SecretStr

        self.check(draft, key)
        if isinstance(key, EnvKey):
            row = replace(row, key_ref=f"env:{key.name}", key_last4=await self._end_of(key))
        elif key is not None:
            ref = await self._put(row.slug, key, row.key_ref, backend, stored)
            row = replace(row, key_ref=ref, key_last4=last4(key))
        headers = dict(row.secret_headers)
        for name, secret in (draft.secret_headers or {}).items():
            old = headers.pop(name, None)
            if secret.get_secret_value():
                headers[name] = await self._put(f"{row.slug}!{name.lower()}", secret, old, backend, stored)
        row = self.with_plain_proxy(replace(row, secret_headers=headers), draft)
        if draft.proxy and check_proxy(draft.proxy):
            old = row.proxy if row.proxy and "://" not in row.proxy else None
            name = f"{row.slug}#proxy"
            row = replace(row, proxy=await self._put(name, SecretStr(draft.proxy), old, backend, stored))
        return row

    async def store_admin(
        self, row: ProviderRow, key: SecretStr | EnvKey, backend: str | None, stored: Stored
    ) -> ProviderRow:
        """Write the account's key; the row with its reference. `stored` as with `store`."""
        self.check(ProviderDraft(), key)
        if isinstance(key, EnvKey):
            return replace(row, admin_ref=f"env:{key.name}", admin_last4=await self._end_of(key))
        ref = await self._put(f"{row.slug}#admin", key, row.admin_ref, backend, stored)
        return replace(row, admin_ref=ref, admin_last4=last4(key))

    async def store_sign_in(
        self, row: ProviderRow, tokens: SecretStr, backend: str | None, stored: Stored
    ) -> ProviderRow:
        """Write what a person signed in with; the row with its reference. `stored` as with `store`."""
        ref = await self._put(f"{row.slug}#sign-in", tokens, row.sign_in_ref, backend, stored)
        return replace(row, sign_in_ref=ref)

    def with_plain_proxy(self, row: ProviderRow, draft: ProviderDraft) -> ProviderRow:
        """The row with the draft's proxy where it holds no password; an empty one takes it away."""
        if draft.proxy is None or (draft.proxy and check_proxy(draft.proxy)):
            return row
        return replace(row, proxy=draft.proxy or None)

    async def undo(self, stored: Stored) -> None:
        """Put the secret store back as it was."""
        for name, ref, before in reversed(stored.new):
            try:
                if before is None:
                    await self._services.credentials.delete(ref)
                else:
                    await self._services.credentials.store(name, before, backend=ref.partition(":")[0])
            except SwitchroomError:
                log.exception("a secret could not be taken back")

    async def _put(
        self, name: str, secret: SecretStr, old: str | None, backend: str | None, stored: Stored
    ) -> str:
        credentials = self._services.credentials
        before: SecretStr | None = None
        if old is not None and not old.startswith("env:"):
            try:
                before = await credentials.resolve(old)
            except SwitchroomError:
                before = None
        ref = await credentials.store(name, secret, backend=backend)
        if not self._services.db.dry_run:
            stored.new.append((name, ref, before if ref == old else None))
        return ref

    async def _end_of(self, key: EnvKey) -> str | None:
        """How the variable's value ends now; None while there is none."""
        try:
            secret = await self._clear(key)
        except SwitchroomError:
            return None
        return last4(secret) if secret is not None else None

    async def _clear(self, key: KeySource) -> SecretStr | None:
        if isinstance(key, EnvKey):
            return await self._services.credentials.resolve(f"env:{key.name}")
        return key


def with_secrets(row: ProviderRow, stored: ProviderRow, draft: ProviderDraft) -> ProviderRow:
    """The row with those secrets of `stored` that the draft names; what another session changed meanwhile stays."""
    named = draft.secret_headers or {}
    headers = {name: ref for name, ref in row.secret_headers.items() if name not in named}
    headers |= {name: ref for name, ref in stored.secret_headers.items() if name in named}
    return replace(row, secret_headers=headers, proxy=row.proxy if draft.proxy is None else stored.proxy)


def references(row: ProviderRow) -> set[str]:
    """Every credential reference of a row."""
    refs = set(row.secret_headers.values())
    refs |= {ref for ref in (row.key_ref, row.admin_ref, row.sign_in_ref) if ref is not None}
    if row.proxy is not None and "://" not in row.proxy:
        refs.add(row.proxy)
    return refs


def last4(key: SecretStr) -> str | None:
    """The end of a key that may be shown; None where the key is too short for that."""
    value = key.get_secret_value()
    return value[-4:] if len(value) >= _SHOWS_END else None


def _check_secret(secret: SecretStr, what: str) -> None:
    value = secret.get_secret_value()
    if not value or len(value) > LONGEST or any(not 32 <= ord(character) < 127 for character in value):
        raise UsageError(
            f"The {what} is empty or has characters no key has.",
            hint="Pipe exactly the key into standard input, on one line.",
        )
    remember_secret(value)


def _remember_proxy(url: str) -> None:
    split = urlsplit(url)
    for part in (split.password, url):
        if part:
            remember_secret(part)
            remember_secret(unquote(part))
