"""How a provider's key and its secret headers enter a request."""

from __future__ import annotations

from collections.abc import Generator, Mapping

import httpx
from pydantic import SecretStr

from adapters.errors import InvalidCredentialsError
from catalog.redact import remember_secret


class KeyAuth(httpx.Auth):
    """The only place where a key enters a request. Its repr shows nothing."""

    def __init__(
        self,
        key: SecretStr | None,
        *,
        header: str = "authorization",
        prefix: str = "Bearer ",
        also: Mapping[str, SecretStr] | None = None,
        slug: str = "",
    ) -> None:
        self._secrets: dict[str, SecretStr] = {}
        if key is not None:
            self._secrets[header] = SecretStr(prefix + _clean(key, slug))
        for name, value in (also or {}).items():
            self._secrets[name.lower()] = SecretStr(_clean(value, slug))

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        for name, value in self._secrets.items():
            request.headers[name] = value.get_secret_value()
        yield request

    def __repr__(self) -> str:
        return "KeyAuth(…)"


def _clean(secret: SecretStr, slug: str) -> str:
    """The value as a header can carry it. h11 would quote a bad value in its exception, so it never gets there."""
    value = secret.get_secret_value().strip()
    if not value or not value.isascii() or not value.isprintable():
        raise InvalidCredentialsError(
            f"The key of {slug or 'the provider'} holds characters that no key has, such as a line break or an accent.",
            hint="Enter the key again.",
            provider=slug or None,
        )
    remember_secret(value)
    return value
