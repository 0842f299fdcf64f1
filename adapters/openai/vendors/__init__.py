"""What a compatible vendor does otherwise than OpenAI: defaults of options from the catalog, the rest in one small module each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module

from adapters.base import Connection
from adapters.events import ChatRequest
from catalog.bundled import spec
from catalog.detect import detect
from catalog.errors import UsageError

_MODULES = frozenset({"deepseek", "groq", "llamacpp", "mistral", "vllm", "xai"})
"""The vendors with a module of their own here; of all others the catalog's options say enough."""


@dataclass(frozen=True, slots=True)
class AboutKey:
    """A call that says how the key stands."""

    path: str
    """Beside `models`; from the server's root where it begins with a slash."""
    read: Callable[[str, Mapping[str, object]], str]
    """(slug, answer) → what is good about it, for a sentence; empty for nothing. Raises its ProviderError."""


@dataclass(frozen=True, slots=True)
class Vendor:
    """The differences of one vendor."""

    amend: Callable[[dict[str, object], ChatRequest], None] | None = None
    """Changes a chat's body before it is sent."""
    about_key: AboutKey | None = None
    health: str | None = None
    """Where the server says that it is well, from its root; a refusal there counts more than a list of models."""


PLAIN = Vendor()


def vendor_id(connection: Connection) -> str | None:
    """The catalog's name of the vendor: as the provider says, else as its host tells."""
    if connection.catalog_id is not None:
        return connection.catalog_id
    try:
        return detect(connection.base_url).catalog_id
    except UsageError:
        return None


def vendor_of(connection: Connection) -> Vendor:
    """What must be done otherwise for this connection."""
    name = vendor_id(connection)
    if name not in _MODULES:
        return PLAIN
    found = import_module(f"adapters.openai.vendors.{name}").VENDOR
    assert isinstance(found, Vendor)
    return found


def with_defaults(connection: Connection) -> Connection:
    """The connection with the vendor's options under the user's own."""
    known = spec(vendor_id(connection) or "")
    if known is None or not known.options:
        return connection
    return replace(connection, options={**known.options, **connection.options})
