"""Where a Hugging Face provider's parts are: router, hub, endpoint and cache, as options and the usual variables say (WIRE section 7)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from adapters.base import Connection
from catalog.errors import OfflineError
from catalog.hf_home import as_path, home

HUB = "https://huggingface.co"
ROUTER = "https://router.huggingface.co/v1"
_OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
_YES = frozenset({"1", "ON", "YES", "TRUE"})


@dataclass(frozen=True, slots=True)
class Places:
    """Addresses without a slash at their end."""

    chat: str
    """The base of chat completions."""
    hub: str | None
    """None: a server of one's own, whose key is none of the hub's business."""
    tasks: str | None
    """Under which models run tasks; None: the address is one model's own."""


def with_address(connection: Connection) -> Connection:
    """An address of the web site, or of the API that is gone, means the router."""
    host = urlsplit(connection.base_url).hostname or ""
    if host in ("huggingface.co", "www.huggingface.co", "api-inference.huggingface.co"):
        return replace(connection, base_url=ROUTER)
    return connection


def places(connection: Connection, environ: Mapping[str, str] | None = None) -> Places:
    """What the connection's address and options mean together."""
    environ = os.environ if environ is None else environ
    base = connection.base_url.rstrip("/")
    host = urlsplit(base).hostname or ""
    own = host.endswith(".endpoints.huggingface.cloud")
    hub = connection.options.get("hub")
    if hub is None and (own or host == "huggingface.co" or host.endswith(".huggingface.co")):
        hub = environ.get("HF_ENDPOINT", "").strip() or HUB
    single = connection.options.get("tasks", "endpoint" if own else "router") == "endpoint"
    root = base.removesuffix("/v1")
    return Places(
        base,
        hub.rstrip("/") if hub else None,
        None if single else f"{root}/hf-inference/models",
    )


def offline_variable(environ: Mapping[str, str] | None = None) -> str | None:
    """The variable that keeps Hugging Face's own tools off the network, as they read it; None: none does."""
    environ = os.environ if environ is None else environ
    name = next((name for name in _OFFLINE if environ.get(name)), None)
    return name if name is not None and environ[name].strip().upper() in _YES else None


def switched_off(slug: str) -> OfflineError | None:
    """What to say while the variable is set; None: it is not."""
    name = offline_variable()
    if name is None:
        return None
    return OfflineError(
        f"{name} is set: {slug} uses only the models that are on this machine.",
        hint=f"Unset {name} to reach Hugging Face again; switchroom models installed {slug} has what is here.",
        provider=slug,
    )


def require_online(slug: str) -> None:
    """Raise OfflineError while the variable is set."""
    if (error := switched_off(slug)) is not None:
        raise error


def cache_folder(environ: Mapping[str, str] | None = None) -> Path:
    """`HF_HUB_CACHE`, by default `hub` in HF_HOME."""
    environ = os.environ if environ is None else environ
    named = environ.get("HF_HUB_CACHE") or environ.get("HUGGINGFACE_HUB_CACHE")
    return as_path(named) if named else home(environ) / "hub"
