"""What went wrong on the way to a vendor, said so that a person knows what to mend."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator

import httpx

from adapters.errors import NetworkError, ProviderError, ProviderTimeoutError, UnexpectedResponseError
from catalog.plaintext import one_line
from catalog.redact import redact

_UNKNOWN_CA = frozenset({2, 18, 19, 20, 21, 24})
"""OpenSSL's verify codes for an issuer that nobody here trusts."""


def from_transport(error: Exception, slug: str, host: str) -> ProviderError:
    """One of our errors for an httpx exception. The original is not chained: it holds the request with its key."""
    causes = list(_causes(error))
    if isinstance(error, httpx.TimeoutException):
        return ProviderTimeoutError(_timeout_words(error, host), hint="Try again.", provider=slug)
    if isinstance(error, httpx.ProxyError):
        return _proxy(error, slug)
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            return _tls(cause, slug, host)
        if isinstance(cause, socket.gaierror):
            return NetworkError(
                f"The name {host} cannot be found.",
                hint="Check the address and the network connection.",
                provider=slug,
            )
        if isinstance(cause, ConnectionRefusedError):
            return NetworkError(
                f"Nothing answers at {host}: the connection was refused.",
                hint="Check that the server runs and the port is right.",
                provider=slug,
            )
    if isinstance(error, httpx.ConnectError):
        return NetworkError(
            f"{host} cannot be reached{_why(causes)}.",
            hint="Check the address and the network connection.",
            provider=slug,
        )
    if isinstance(error, httpx.DecodingError):
        return UnexpectedResponseError(f"The answer of {slug} is compressed in a broken way.", provider=slug)
    if isinstance(error, httpx.NetworkError | httpx.RemoteProtocolError):
        return NetworkError(
            f"The connection to {host} broke{_why(causes)}.", hint="Try again.", provider=slug
        )
    return NetworkError(
        f"The request to {host} failed ({type(error).__name__}).", hint="Try again.", provider=slug
    )


def _timeout_words(error: httpx.TimeoutException, host: str) -> str:
    if isinstance(error, httpx.ConnectTimeout):
        return f"No connection to {host} came about in time."
    if isinstance(error, httpx.PoolTimeout):
        return f"All connections to {host} are in use."
    return f"{host} did not answer in time."


def _proxy(error: httpx.ProxyError, slug: str) -> NetworkError:
    said = one_line(redact(str(error)), 120)
    if said.startswith("407"):
        return NetworkError(
            "The proxy wants a user name and a password.", hint="Set the proxy's credentials.", provider=slug
        )
    words = (
        f"The proxy {said}." if said.endswith("reached") else f"The proxy refuses the connection ({said})."
    )
    return NetworkError(words, hint="Check the proxy of this provider.", provider=slug)


def is_tls(error: BaseException) -> bool:
    """True when a TLS handshake was what failed."""
    return any(isinstance(cause, ssl.SSLError) for cause in _causes(error))


def _tls(error: ssl.SSLError, slug: str, host: str) -> NetworkError:
    code = getattr(error, "verify_code", None)
    said = f"{getattr(error, 'reason', None) or ''} {error}".lower()
    words, hint = (
        f"The secure connection to {host} failed ({one_line(_reason(error), 80)}).",
        "Check the address.",
    )
    if code == 10 or "has expired" in said:
        words, hint = (
            f"The certificate of {host} has expired.",
            "Its operator must renew it. Check this machine's clock too.",
        )
    elif code == 9:
        words, hint = f"The certificate of {host} is not valid yet.", "Check this machine's clock."
    elif code in (62, 64) or "hostname mismatch" in said or "ip address mismatch" in said:
        words, hint = (
            f"The certificate is for another host than {host}.",
            "Check the address: somebody else may be answering.",
        )
    elif code in _UNKNOWN_CA:
        words, hint = (
            f"The certificate of {host} is signed by an authority this machine does not trust.",
            "If it is your own, set the provider's CA file.",
        )
    elif re.search(r"protocol.version|unsupported.protocol|no.protocols|handshake.failure", said):
        words = f"{host} and Switchroom have no TLS version in common."
        hint = "Lower the provider's minimum TLS version only if you must."
    elif "eof" in said:
        words = f"{host} closed the connection during the TLS handshake."
        hint = "It may speak plain http on this port, or other TLS versions only."
    elif re.search(r"wrong.version.number|http.request|record.layer|packet.length", said):
        words = f"{host} does not speak TLS on this port."
        hint = "If the server has plain http only, the address starts with http://."
    failure = NetworkError(words, title="Insecure connection refused", hint=hint, provider=slug)
    failure.retryable = False
    return failure


def _reason(error: ssl.SSLError) -> str:
    return str(getattr(error, "verify_message", None) or getattr(error, "reason", None) or "TLS error")


def _why(causes: list[BaseException]) -> str:
    for cause in causes:
        if isinstance(cause, OSError) and cause.strerror and cause.errno:
            return f" ({one_line(cause.strerror, 80).lower()})"
    return ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception, what it came from, and the members of groups, each once."""
    waiting: list[BaseException] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        if isinstance(one, BaseExceptionGroup):
            waiting.extend(one.exceptions)
        waiting.extend(cause for cause in (one.__cause__, one.__context__) if cause is not None)
