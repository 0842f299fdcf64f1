"""How a request to an Azure resource is signed: its key, a bearer token, or a sign-in with Entra ID."""

from __future__ import annotations

import hashlib
import re

from pydantic import SecretStr

from adapters.azure.endpoint import Resource
from adapters.base import Connection
from adapters.entra import Realm
from catalog.errors import UsageError

AUTHORITY = "https://login.microsoftonline.com"
ANY_ORGANIZATION = "organizations"
"""The tenant of a person's sign-in where none is named: that of their account."""
OPEN_CLIENT = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
"""The public application that Azure's own command line and libraries sign people in with."""
_TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")


def realm_of(connection: Connection, place: Resource) -> Realm:
    """Where one signs in. Raises UsageError where an application lacks its tenant or id."""
    options = connection.options
    for name in ("tenant", "client_id"):
        if connection.key is not None and not options.get(name):
            raise UsageError(
                f"With a client secret, the sign-in of {connection.slug} needs the option {name}.",
                hint=f"Add --option {name}=…; without a secret, a person signs in.",
            )
    return Realm(
        options.get("authority") or AUTHORITY,
        options.get("tenant") or ANY_ORGANIZATION,
        options.get("client_id") or OPEN_CLIENT,
        options.get("scope") or place.scope,
        "" if connection.key is None else _proof(connection.key),
    )


def _proof(secret: SecretStr) -> str:
    """So that tokens of an old client secret do not speak for a new one."""
    return hashlib.sha256(secret.get_secret_value().encode()).hexdigest()[:32]


def is_bearer(auth: str | None, key: SecretStr | None) -> bool:
    """Whether the key is a token of Entra ID, as AZURE_OPENAI_AD_TOKEN holds one: said so, or by its shape."""
    if auth is not None or key is None:
        return auth == "token"
    return _TOKEN.fullmatch(key.get_secret_value().strip()) is not None
