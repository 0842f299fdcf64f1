"""What an Entra ID that refuses a sign-in means, in words, with the next step."""

from __future__ import annotations

import re
from collections.abc import Mapping

from adapters.errors import (
    BadRequestError,
    InvalidCredentialsError,
    PermissionDeniedError,
    ProviderError,
    ServerError,
    UnexpectedResponseError,
)
from adapters.errors.mapping import excerpt

_CODE = re.compile(r"\b(AADSTS\d{3,9})\b")
_REVOKED = frozenset(
    [
        "AADSTS50173",
        "AADSTS70000",
        "AADSTS700082",
        "AADSTS70008",
        "AADSTS700084",
        "AADSTS50078",
        "AADSTS50076",
        "AADSTS50079",
        "AADSTS65001",
    ]
)
"""Codes under which a kept sign-in is over: revoked, expired, a new password, a further factor or consent is wanted."""
_NO_TENANT = frozenset({"AADSTS90002", "AADSTS900023"})


def refused(slug: str, status: int, body: Mapping[str, object]) -> ProviderError:
    """What the authority says. Its `error` is a typed word (RFC 6749, 8628), AADSTS says more."""
    kind = str(body.get("error", ""))
    told = str(body.get("error_description", ""))
    found = _CODE.search(told)
    code = found[1] if found else ""
    said = excerpt(told.split("Trace ID")[0].split("\r")[0].split("\n")[0], keys=True)
    quoted = f" Entra ID says: “{said}”" if said else ""
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
            hint=f"Sign in again: {_command(slug)}",
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
    if code in _NO_TENANT or kind == "invalid_request":
        return BadRequestError(
            f"Entra ID does not take the sign-in of {slug}.{quoted}",
            hint="Check the options tenant, client_id and authority.",
            provider=slug,
            status=status,
        )
    if kind in ("invalid_grant", "interaction_required") or code in _REVOKED:
        error = over(slug, said)
        error.status = status
        return error
    return PermissionDeniedError(
        f"Entra ID refuses the sign-in of {slug}.{quoted}",
        hint="Check the options tenant, client_id and scope.",
        provider=slug,
        status=status,
    )


def over(slug: str, said: str = "") -> InvalidCredentialsError:
    """The sign-in has to be done again."""
    quoted = f" Entra ID says: “{said}”" if said else ""
    return InvalidCredentialsError(
        f"The sign-in of {slug} is over.{quoted}",
        title="Sign in again",
        hint=f"Sign in again: {_command(slug)}",
        provider=slug,
    )


def needed(slug: str) -> InvalidCredentialsError:
    """Nobody has signed in yet."""
    return InvalidCredentialsError(
        f"{slug} needs a sign-in with Microsoft Entra ID.",
        title="Sign-in needed",
        hint=f"Sign in: {_command(slug)}",
        provider=slug,
    )


def too_late(slug: str) -> InvalidCredentialsError:
    """The code of a person's sign-in was not used in time."""
    return InvalidCredentialsError(
        f"The code for {slug} was not used in time.",
        title="Code expired",
        hint=f"Get a new one: {_command(slug)}",
        provider=slug,
    )


def odd(slug: str, status: int) -> UnexpectedResponseError:
    """Whoever answers is no Entra ID."""
    return UnexpectedResponseError(
        f"The authority of {slug} sent an answer that is none of Entra ID's ({status}).",
        hint="Check the options authority and tenant.",
        provider=slug,
        status=status,
    )


def _command(slug: str) -> str:
    return f"switchroom providers login {slug}"
