"""The sign-in of Microsoft Entra ID by plain HTTP: tokens for an application, a device code for a person, refreshing."""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode, urlsplit

import httpx
from pydantic import SecretStr

from adapters.base import Connection
from adapters.entra_refusals import odd, over, refused
from adapters.errors import Origin, RateLimitedError, ServerError, error_from_answer
from adapters.fetch import Fetcher
from catalog.detect import is_loopback
from catalog.plaintext import one_line
from catalog.redact import remember_secret

TIMEOUT = 15.0
"""Seconds for one request to the authority."""
_LONGEST = 64 * 1024
"""Bytes of an answer, and characters of a token, that are read."""
_SPARE = 300.0
"""Seconds before its end at which a token is renewed."""
_Fields = Mapping[str, SecretStr | str]


def now() -> float:
    """Unix seconds; tests put a clock of their own here."""
    return time.time()


@dataclass(frozen=True, slots=True)
class Realm:
    """Where one signs in, as whom, and for what."""

    authority: str
    tenant: str
    client_id: str
    scope: str
    proof: str = ""
    """What tells one secret of an application from another; empty for a person."""

    def url(self, call: str) -> str:
        """The address of `token` or `devicecode`."""
        return f"{self.authority.rstrip('/')}/{self.tenant}/oauth2/v2.0/{call}"

    @property
    def mark(self) -> str:
        """Tokens of another realm are not used."""
        return " ".join((self.authority.rstrip("/"), self.tenant, self.client_id, self.scope, self.proof))


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a sign-in gave."""

    access: SecretStr
    expires_at: float
    """Unix seconds."""
    renew_at: float
    refresh: SecretStr | None = None
    """None: a further sign-in is needed when it ends (an application just asks again)."""

    def packed(self, realm: Realm) -> SecretStr:
        """As one text that can be kept."""
        found = {
            "realm": realm.mark,
            "access": self.access.get_secret_value(),
            "expires_at": self.expires_at,
            "renew_at": self.renew_at,
            "refresh": self.refresh.get_secret_value() if self.refresh else None,
        }
        return SecretStr(json.dumps(found))


def unpacked(text: SecretStr | None, realm: Realm) -> Tokens | None:
    """What was kept; None for nothing, for what cannot be read, and for tokens of another realm."""
    try:
        found = json.loads(text.get_secret_value()) if text is not None else None
        if not isinstance(found, dict) or found["realm"] != realm.mark:
            return None
        refresh = found["refresh"]
        kept = Tokens(
            _secret(found["access"]),
            float(found["expires_at"]),
            float(found["renew_at"]),
            None if refresh is None else _secret(refresh),
        )
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None
    return kept


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """What a person types where, and until when."""

    code: SecretStr
    """What the program shows the authority; never the person."""
    user_code: str
    url: str
    expires_at: float
    """Unix seconds."""
    interval: float
    """Seconds between two questions whether the person is done."""


class _Form(httpx.Auth):
    """Puts secret fields into a form just before it leaves."""

    def __init__(self, fields: _Fields) -> None:
        self._fields = fields

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        fields = {
            name: value.get_secret_value() if isinstance(value, SecretStr) else value
            for name, value in self._fields.items()
        }
        form = urlencode(fields).encode()
        headers = {
            **request.headers,
            "content-type": "application/x-www-form-urlencoded",
            "content-length": str(len(form)),
            "accept": "application/json",
        }
        yield httpx.Request("POST", request.url, content=form, headers=headers, extensions=request.extensions)

    def __repr__(self) -> str:
        return "_Form(…)"


class Entra:
    """The authority of one connection: the same proxy, CA and offline gate; its own address."""

    def __init__(self, connection: Connection, realm: Realm, fetcher: Fetcher) -> None:
        self._connection, self.realm, self._fetcher = connection, realm, fetcher
        self.slug = connection.slug

    async def for_application(self, secret: SecretStr) -> Tokens:
        """Tokens by the client credentials flow. Raises ProviderError, OfflineError."""
        remember_secret(secret.get_secret_value())
        fields: _Fields = {
            "grant_type": "client_credentials",
            "client_secret": secret,
            "scope": self.realm.scope,
        }
        status, body = await self._post("token", fields)
        if status != 200:
            raise refused(self.slug, status, body)
        return self._tokens(body, status)

    async def begin(self) -> DeviceCode:
        """A code for a person to type in. Raises ProviderError, OfflineError."""
        status, body = await self._post("devicecode", {"scope": f"{self.realm.scope} offline_access"})
        if status != 200:
            raise refused(self.slug, status, body)
        url = body.get("verification_uri") or body.get("verification_url")
        code, shown = body.get("device_code"), body.get("user_code")
        if not (isinstance(url, str) and isinstance(code, str) and isinstance(shown, str) and code and shown):
            raise odd(self.slug, status)
        if not _is_place(url):
            raise odd(self.slug, status)
        return DeviceCode(
            self._checked(code, status),
            one_line(shown, 40),
            one_line(url, 200),
            now() + _seconds(body.get("expires_in"), 900.0, 3600.0),
            _seconds(body.get("interval"), 5.0, 120.0),
        )

    async def ask(self, code: DeviceCode) -> Tokens | float:
        """The tokens when the person is done; else how many seconds longer to wait between two questions."""
        fields: _Fields = {
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
            "device_code": code.code,
        }
        status, body = await self._post("token", fields)
        if status == 200:
            return self._tokens(body, status)
        if body.get("error") == "authorization_pending":
            return 0.0
        if body.get("error") == "slow_down":
            return 5.0
        raise refused(self.slug, status, body)

    async def renew(self, tokens: Tokens) -> Tokens:
        """Fresh tokens for a kept sign-in; one that is over is an InvalidCredentialsError."""
        if tokens.refresh is None:
            raise over(self.slug)
        fields: _Fields = {
            "grant_type": "refresh_token",
            "refresh_token": tokens.refresh,
            "scope": f"{self.realm.scope} offline_access",
        }
        status, body = await self._post("token", fields)
        if status != 200:
            raise refused(self.slug, status, body)
        return self._tokens(body, status, tokens.refresh)

    async def _post(self, call: str, fields: _Fields) -> tuple[int, Mapping[str, object]]:
        connection = replace(
            self._connection, base_url=self.realm.authority, key=None, headers={}, secret_headers={}
        )
        origin = Origin(self.slug)
        auth = _Form({"client_id": self.realm.client_id, **fields})
        async with self._fetcher.client(connection, auth=auth) as client:
            status, headers, content = await self._fetcher.call(
                client,
                client.build_request("POST", self.realm.url(call)),
                origin,
                timeout=TIMEOUT,
                limit=_LONGEST,
            )
        try:
            body = json.loads(content.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            body = None
        if isinstance(body, dict) and (status == 200 or isinstance(body.get("error"), str)):
            return status, body
        if status == 200:
            raise odd(self.slug, status)
        error = error_from_answer(origin, status, headers, content)
        if isinstance(error, RateLimitedError | ServerError):
            raise error
        raise odd(self.slug, status)

    def _tokens(self, body: Mapping[str, object], status: int, before: SecretStr | None = None) -> Tokens:
        access, refresh = body.get("access_token"), body.get("refresh_token")
        lasts = _seconds(body.get("expires_in"), 3600.0, 86_400.0)
        return Tokens(
            self._checked(access, status),
            now() + lasts,
            now() + max(lasts - _SPARE, lasts / 2),
            self._checked(refresh, status) if refresh else before,
        )

    def _checked(self, value: object, status: int) -> SecretStr:
        try:
            return _secret(value)
        except ValueError:
            raise odd(self.slug, status) from None


def _secret(value: object) -> SecretStr:
    """A token, masked everywhere from now on. ValueError for what no header can carry."""
    text = value if isinstance(value, str) else ""
    if not text or not text.isascii() or not text.isprintable():
        raise ValueError("no token")
    remember_secret(text)
    return SecretStr(text)


def _is_place(url: str) -> bool:
    """Whether a person can be sent to this address to type their code."""
    try:
        split = urlsplit(url)
        host = split.hostname or ""
    except ValueError:
        return False
    return bool(host) and (split.scheme == "https" or (split.scheme == "http" and is_loopback(host)))


def _seconds(value: object, usual: float, most: float) -> float:
    """A number, or a text with one; what makes no sense is as usual."""
    try:
        found = (
            float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else usual
        )
    except (ValueError, OverflowError):
        return usual
    return min(found, most) if found > 0 else usual
