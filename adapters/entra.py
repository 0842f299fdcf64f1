"""The sign-in of Microsoft Entra ID by plain HTTP: tokens for an application, a device code for a person, refreshing."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

import httpx
from pydantic import SecretStr

from adapters.base import Connection
from adapters.errors import (
    BadRequestError,
    InvalidCredentialsError,
    Origin,
    PermissionDeniedError,
    ProviderError,
    RateLimitedError,
    ServerError,
    UnexpectedResponseError,
    error_from_answer,
)
from adapters.errors.mapping import excerpt
from adapters.fetch import Fetcher
from catalog.plaintext import one_line
from catalog.redact import remember_secret

TIMEOUT = 15.0
"""Seconds for one request to the authority."""
_LONGEST = 64 * 1024
"""Bytes of an answer, and characters of a token, that are read."""
_SPARE = 300.0
"""Seconds before its end at which a token is renewed."""
_Fields = Mapping[str, SecretStr | str]
_CODE = re.compile(r"\b(AADSTS\d{3,9})\b")

REVOKED = "AADSTS50173 AADSTS70000 AADSTS700082 AADSTS70008 AADSTS700084 AADSTS50078 AADSTS50076 AADSTS50079 AADSTS65001"
"""Codes under which a kept sign-in is over: revoked, expired, a new password, a further factor or consent is wanted."""


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
    except (ValueError, TypeError, KeyError, RecursionError):
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
        self._slug = connection.slug

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
            raise self._refused(status, body)
        return self._tokens(body, status)

    async def begin(self) -> DeviceCode:
        """A code for a person to type in. Raises ProviderError, OfflineError."""
        status, body = await self._post("devicecode", {"scope": f"{self.realm.scope} offline_access"})
        if status != 200:
            raise self._refused(status, body)
        url = body.get("verification_uri") or body.get("verification_url")
        code, shown = body.get("device_code"), body.get("user_code")
        if not (isinstance(url, str) and isinstance(code, str) and isinstance(shown, str) and code and shown):
            raise self._odd(status)
        if not url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
            raise self._odd(status)
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
        raise self._refused(status, body)

    async def renew(self, tokens: Tokens) -> Tokens:
        """Fresh tokens for a kept sign-in; one that is over is an InvalidCredentialsError."""
        if tokens.refresh is None:
            raise self.over()
        fields: _Fields = {
            "grant_type": "refresh_token",
            "refresh_token": tokens.refresh,
            "scope": f"{self.realm.scope} offline_access",
        }
        status, body = await self._post("token", fields)
        if status != 200:
            raise self._refused(status, body)
        return self._tokens(body, status, tokens.refresh)

    def over(self, said: str = "") -> InvalidCredentialsError:
        """The sign-in has to be done again."""
        quoted = f" Entra ID says: “{said}”" if said else ""
        return InvalidCredentialsError(
            f"The sign-in of {self._slug} is over.{quoted}",
            title="Sign in again",
            hint=f"Sign in again: {_key_words(self._slug)}",
            provider=self._slug,
        )

    def needed(self) -> InvalidCredentialsError:
        """Nobody has signed in yet."""
        return InvalidCredentialsError(
            f"{self._slug} needs a sign-in with Microsoft Entra ID.",
            title="Sign-in needed",
            hint=f"Sign in: {_key_words(self._slug)}",
            provider=self._slug,
        )

    async def _post(self, call: str, fields: _Fields) -> tuple[int, Mapping[str, object]]:
        connection = replace(
            self._connection, base_url=self.realm.authority, key=None, headers={}, secret_headers={}
        )
        origin = Origin(self._slug)
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
            raise self._odd(status)
        error = error_from_answer(origin, status, headers, content)
        if isinstance(error, RateLimitedError | ServerError):
            raise error
        raise self._odd(status)

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
            raise self._odd(status) from None

    def _refused(self, status: int, body: Mapping[str, object]) -> ProviderError:
        """What the authority says, in words. Its `error` is a typed word (RFC 6749, 8628), AADSTS says more."""
        kind = str(body.get("error", ""))
        told = str(body.get("error_description", ""))
        found = _CODE.search(told)
        code = found[1] if found else ""
        said = excerpt(told.split("Trace ID")[0].split("\r")[0].split("\n")[0], keys=True)
        slug, quoted = self._slug, f" Entra ID says: “{said}”" if said else ""
        if kind in ("temporarily_unavailable", "server_error") or status >= 500:
            return ServerError(
                f"The sign-in of {slug} failed at Entra ID ({status}).{quoted}",
                hint="Try again.",
                provider=slug,
                status=status,
            )
        if kind in ("authorization_declined", "access_denied"):
            return PermissionDeniedError(
                f"The sign-in of {slug} was declined.",
                title="Sign-in declined",
                hint=f"Sign in again: {_key_words(slug)}",
                provider=slug,
                status=status,
            )
        if kind in ("expired_token", "code_expired"):
            return too_late(slug)
        if kind in ("invalid_client", "unauthorized_client"):
            return InvalidCredentialsError(
                f"Entra ID refuses the application of {slug}: its client secret or client id is wrong or expired.{quoted}",
                hint=f"Enter a new client secret as the key of {slug}, or set client_id.",
                provider=slug,
                status=status,
            )
        if code in ("AADSTS90002", "AADSTS900023") or kind == "invalid_request":
            return BadRequestError(
                f"Entra ID does not take the sign-in of {slug}.{quoted}",
                hint="Check the options tenant, client_id and authority.",
                provider=slug,
                status=status,
            )
        if kind in ("invalid_grant", "interaction_required") or code in REVOKED.split():
            error = self.over(said)
            error.status = status
            return error
        return PermissionDeniedError(
            f"Entra ID refuses the sign-in of {slug}.{quoted}",
            hint="Check the options tenant, client_id and scope.",
            provider=slug,
            status=status,
        )

    def _odd(self, status: int) -> UnexpectedResponseError:
        return UnexpectedResponseError(
            f"The authority of {self._slug} sent an answer that is none of Entra ID's ({status}).",
            hint="Check the options authority and tenant.",
            provider=self._slug,
            status=status,
        )


def too_late(slug: str) -> InvalidCredentialsError:
    """The code of a person's sign-in was not used in time."""
    return InvalidCredentialsError(
        f"The code for {slug} was not used in time.",
        title="Code expired",
        hint=f"Get a new one: {_key_words(slug)}",
        provider=slug,
    )


def _key_words(slug: str) -> str:
    return f"switchroom providers login {slug}"


def _secret(value: object) -> SecretStr:
    """A token, masked everywhere from now on. ValueError for what no header can carry."""
    text = value if isinstance(value, str) else ""
    if not text or not text.isascii() or not text.isprintable():
        raise ValueError("no token")
    remember_secret(text)
    return SecretStr(text)


def _seconds(value: object, usual: float, most: float) -> float:
    """A number, or a text with one; what makes no sense is as usual."""
    try:
        found = (
            float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else usual
        )
    except ValueError:
        return usual
    return min(found, most) if found > 0 else usual
