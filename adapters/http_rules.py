"""Which addresses may be called, and through which proxy: plain http on this machine always, in private networks when allowed."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from pydantic import SecretStr

from catalog.detect import is_loopback, is_private
from catalog.errors import UsageError
from catalog.plaintext import one_line

_PACKINGS = frozenset({"gzip", "x-gzip", "deflate", "br", "zstd"})
"""What the HTTP client may unpack, asked for or not."""


def check_url(url: str, allow_http: bool = False) -> None:
    """Raise UsageError for an address that must not be called. Nothing is resolved: the text alone decides."""
    try:
        split = urlsplit(url)
        host, _port = split.hostname or "", split.port
    except ValueError:
        raise UsageError(
            "The address is not a valid URL.", hint="It looks like https://api.example.com/v1."
        ) from None
    if split.scheme not in ("http", "https"):
        raise UsageError(
            f"Only http and https addresses can be called, not {one_line(split.scheme or 'this one', 20)}.",
            hint="It looks like https://api.example.com/v1.",
        )
    if split.username is not None or split.password is not None:
        raise UsageError(
            "The address contains a user name or password, which would end up in logs.",
            hint="Leave it out and set the key of the provider instead.",
        )
    if not host or any(character.isspace() or not character.isprintable() for character in url):
        raise UsageError("The address names no host.", hint="It looks like https://api.example.com/v1.")
    if split.scheme == "https" or is_loopback(host):
        return
    if not is_private(host):
        raise UsageError(
            f"Plain http to {one_line(host, 80)} would send the key unprotected over the internet.",
            hint="Use https.",
        )
    if not allow_http:
        raise UsageError(
            f"{one_line(host, 80)} is in a private network, and plain http sends everything there unprotected.",
            hint="Use https, or allow it with --allow-http.",
        )


def proxy_for(url: str, own: SecretStr | None) -> str | None:
    """The proxy's URL for an address: the provider's own, else the environment's.

    This machine is reached without one, unless the provider's own is on this machine too: any other cannot reach it.
    """
    split = urlsplit(url)
    host = split.hostname or ""
    local = is_loopback(host)
    proxy: str | None = None
    if own is not None:
        proxy = own.get_secret_value()
    elif not local:
        proxy = _from_environment(split.scheme, host, split.port)
    if not proxy:
        return None
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    if urlsplit(proxy).scheme not in ("http", "https"):
        raise UsageError(
            "Only http and https proxies can be used.", hint="Set another proxy, or none, for this provider."
        )
    return None if local and not is_loopback(urlsplit(proxy).hostname or "") else proxy


def _from_environment(scheme: str, host: str, port: int | None) -> str | None:
    if proxy_bypass(f"{host}:{port}" if port else host):
        return None
    proxies = getproxies()
    return proxies.get(scheme) or proxies.get("all")


def safely_packed(encoding: str) -> bool:
    """Whether an answer can be unpacked piece by piece: gzip adds a thousandfold at most, but not in layers."""
    layers = [layer for layer in map(str.strip, encoding.lower().split(",")) if layer in _PACKINGS]
    return len(layers) <= 1 and not {"br", "zstd"}.intersection(layers)
