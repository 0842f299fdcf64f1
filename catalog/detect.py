"""From a URL to a dialect and a vendor: host names decide, a port alone is never more than a hint."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal
from urllib.parse import SplitResult, urlsplit

from catalog.discoverable import detection_data
from catalog.errors import UsageError

if TYPE_CHECKING:
    from catalog.types import ProviderSpec

Confidence = Literal["high", "medium", "low", "none"]

_LONGEST = 500
"""Characters of an address that a user's patterns see."""
_HOST = re.compile(r"[a-z0-9_.-]+|[0-9a-f:.]+(%[\w.-]+)?", re.ASCII)
_STEERING = re.compile(r"[\s\x00-\x1f\x7f-\x9f\\]")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LOCAL_SUFFIXES = (".local", ".lan", ".internal", ".intranet", ".home.arpa", ".home", ".localdomain")
_PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10", "fc00::/7", "fe80::/10")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Detection:
    """What a URL tells about the server behind it."""

    dialect: str
    catalog_id: str | None
    """A vendor of the catalog; None: unknown, so no prices."""
    local: bool
    """True for loopback and private addresses."""
    confidence: Confidence
    """`low`: from the port alone; `none`: nothing fits and `openai` is the usual compatible dialect."""
    vendor: str | None = None
    """The vendor the facts name, also where the catalog has no file for it yet or the port is a mere hint."""


def detect(url: str) -> Detection:
    """Dialect and vendor of a base URL (any path below it will do). Raises UsageError for what is no URL."""
    from catalog.bundled import spec  # pydantic: whoever only asks about a host does not wait for it

    url = normalise_base_url(url)
    split = urlsplit(url)
    host = split.hostname or ""
    local = is_loopback(host) or is_private(host)
    for pattern in _patterns():
        if pattern.regex.search(url) is None:
            continue
        if pattern.port_only:
            return _hint(pattern, split, local)
        known = spec(pattern.vendor) is not None
        door = "openai" if _openai_door(pattern.vendor, split.path) else _messages_door(split.path)
        dialect = door or pattern.dialect
        return Detection(
            dialect, pattern.vendor if known else None, local, pattern.confidence, pattern.vendor
        )
    return Detection(_messages_door(split.path) or "openai", None, local, "none")


def _messages_door(path: str) -> str | None:
    """Many vendors and gateways speak Anthropic's Messages API below a path of this name."""
    return "anthropic" if re.search(r"/anthropic(?:/v\d+)?/*$", path) else None


def among(vendors: Iterable[ProviderSpec], url: str) -> Detection | None:
    """The first of these whose patterns, or whose own address's host and port, fit a base URL."""
    url = normalise_base_url(url)
    split = urlsplit(url)
    host = split.hostname or ""
    for vendor in vendors:
        if any(_fits(pattern, url) for pattern in vendor.url_patterns) or any(
            _netloc(own) == split.netloc for own in (vendor.endpoint, *vendor.alt_endpoints)
        ):
            local = is_loopback(host) or is_private(host)
            return Detection(vendor.dialect, vendor.id, local, "high", vendor.id)
    return None


def _fits(pattern: str, url: str) -> bool:
    """A pattern of the user's file: one that is no regular expression fits nothing."""
    try:
        return re.search(pattern, url[:_LONGEST]) is not None
    except (re.error, RecursionError, OverflowError):
        return False


def _netloc(endpoint: str) -> str:
    """Empty where an address is none, or each customer has another."""
    try:
        return "" if "{" in endpoint else urlsplit(normalise_base_url(endpoint)).netloc
    except UsageError:
        return ""


def normalise_base_url(url: str) -> str:
    """A base URL in one spelling: scheme and host in lower case, no default port, query, fragment or last slash.

    Without a scheme, local addresses get http and others https. `0.0.0.0`, a bind address, becomes loopback.
    """
    text = url.strip()
    if _STEERING.search(text):
        raise _refuse("The address contains spaces or control characters.")
    try:
        if "://" not in text:
            text = f"{_scheme_for(text)}://{text}"
        split = urlsplit(text)
        host, port = (split.hostname or "").lower().rstrip("."), split.port
    except ValueError:
        raise _refuse("The address is not a valid URL.") from None
    if split.scheme not in _DEFAULT_PORTS:
        raise _refuse("Only http and https addresses can be used.")
    if split.username is not None or split.password is not None:
        raise UsageError(
            "The address contains a user name or password.", hint="Give the key with --key-stdin instead."
        )
    if not host or _HOST.fullmatch(host) is None:
        raise _refuse("The address names no valid host.")
    if host in ("0.0.0.0", "::"):  # noqa: S104  nothing is bound here
        host = "127.0.0.1"
    netloc = f"[{host}]" if ":" in host else host
    if port is not None and port != _DEFAULT_PORTS[split.scheme]:
        netloc += f":{port}"
    return f"{split.scheme}://{netloc}{split.path.rstrip('/')}"


def is_loopback(host: str) -> bool:
    """True for this machine: `localhost`, 127.0.0.0/8, ::1. By the text alone, nothing is resolved."""
    name = _bare(host)
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = _address(name)
    return address is not None and address.is_loopback


def is_private(host: str) -> bool:
    """True for private networks (RFC 1918, link-local, unique local, 100.64.0.0/10) and names that live in them.

    Names count when they have no dot (`gpu-box`) or a suffix no public zone has. Loopback is not included.
    """
    name = _bare(host)
    address = _address(name)
    if address is not None:
        return any(address.version == network.version and address in network for network in _PRIVATE)
    if is_loopback(name):
        return False
    if "." not in name:
        return re.fullmatch(r"(?!0x)[a-z][a-z0-9_-]*|[0-9][a-z0-9_-]*-[a-z0-9_-]*", name) is not None
    return name.endswith(_LOCAL_SUFFIXES)


@dataclass(frozen=True, slots=True)
class _Pattern:
    regex: re.Pattern[str]
    vendor: str
    dialect: str
    confidence: Confidence
    port_only: bool


@lru_cache(maxsize=1)
def _patterns() -> tuple[_Pattern, ...]:
    found = [
        _Pattern(
            re.compile(p["regex"]), p["vendor"], p["dialect"], p["confidence"], _is_port_only(p["regex"])
        )
        for p in detection_data()["url_patterns"]
    ]
    return tuple(sorted(found, key=lambda p: (p.port_only, -len(p.regex.pattern))))


def _is_port_only(regex: str) -> bool:
    return re.search(r":\d+\(/\|\$\)$", regex) is not None


def _hint(pattern: _Pattern, split: SplitResult, local: bool) -> Detection:
    """Ports that one server made its own (11434, 1234) name it; 8000 and 8080 belong to everybody."""
    if pattern.confidence == "low" or not local:
        return Detection("openai", None, local, "low", pattern.vendor)
    dialect = "openai" if _openai_door(pattern.vendor, split.path) else pattern.dialect
    return Detection(dialect, pattern.vendor, local, "low", pattern.vendor)


def _openai_door(vendor: str, path: str) -> bool:
    """True where a vendor of another dialect was given by the URL of its OpenAI-compatible door."""
    return (vendor == "gemini" and "/openai" in path) or (
        vendor in ("ollama", "ollama-cloud") and path.startswith("/v1")
    )


def _scheme_for(text: str) -> str:
    host = urlsplit(f"//{text}").hostname or ""
    return "http" if is_loopback(host) or is_private(host) or host in ("0.0.0.0", "::") else "https"  # noqa: S104


def _bare(host: str) -> str:
    return host.strip().lower().strip("[]").rstrip(".")


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(name.split("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _refuse(message: str) -> UsageError:
    return UsageError(message, hint="An address looks like https://api.example.com/v1.")
