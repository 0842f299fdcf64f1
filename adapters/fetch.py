"""The one door to the network: every client, its keys, TLS, proxy and limits, behind the offline gate."""

from __future__ import annotations

import json
import logging
import os
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic
from typing import Any, Literal
from urllib.parse import urlsplit
from weakref import WeakSet

import anyio._backends._asyncio  # noqa: F401  httpx imports these with its first request,
import certifi
import httpcore  # noqa: F401  which would hold the screen up
import httpx
from pydantic import SecretStr

from adapters.base import Connection
from adapters.errors import (
    Origin,
    ProviderError,
    ProviderTimeoutError,
    UnexpectedResponseError,
    error_from_answer,
)
from adapters.http_errors import from_transport, is_tls
from adapters.http_rules import check_url, proxy_for, safely_packed
from adapters.key_auth import KeyAuth
from catalog.errors import UsageError
from catalog.plaintext import one_line

log = logging.getLogger(__name__)

__all__ = ["Fetcher", "Gate", "KeyAuth", "check_url", "read_bounded"]

Gate = Callable[[str], None]
"""Raises OfflineError for a host outside the allowed scope."""
TlsMin = Literal["1.2", "1.3"]

ERROR_BODY = 256 * 1024
"""Bytes of an error body that are read."""
JSON_BODY = 64 * 1024 * 1024
"""Bytes of a JSON document that are read."""
_LONGEST_ETAG = 300
_KEPT_S = 30.0
"""A person types; a new TLS handshake would delay the answer."""
_NONE_KEPT = httpx.Limits(max_keepalive_connections=0)
"""Without TLS a new connection costs nothing, and servers of one's own (llama.cpp after a stream, all on uvicorn after
5 s) close theirs without a word, perhaps just when the next request comes."""
USER_AGENT = "switchroom"


class _Client(httpx.AsyncClient):
    """A client that was closed meanwhile (its provider was changed) is a connection that broke, and no mistake of ours."""

    async def send(self, request: httpx.Request, **how: Any) -> httpx.Response:
        if self.is_closed:
            raise httpx.CloseError("the client has been closed", request=request)
        return await super().send(request, **how)


class _GatedTransport(httpx.AsyncBaseTransport):
    """Asks the rules and the offline gate before a name is looked up or a socket opened."""

    def __init__(
        self, inner: httpx.AsyncBaseTransport, gate: Gate | None, proxy: str | None, allow_http: bool
    ) -> None:
        self._inner = inner
        self._gate = gate
        self._proxy_host = urlsplit(proxy).hostname if proxy else None
        self._allow_http = allow_http

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        check_url(str(request.url), self._allow_http)
        if self._gate is not None:
            self._gate(request.url.host)
            if self._proxy_host:
                self._gate(self._proxy_host)
        started = monotonic()
        try:
            response = await self._inner.handle_async_request(request)
        except httpx.ConnectError as error:
            _log_request(request, type(error).__name__, started)
            if self._proxy_host and not is_tls(error):
                raise httpx.ProxyError(f"{self._proxy_host} cannot be reached") from error
            raise
        _log_request(request, response.status_code, started)
        if not safely_packed(response.headers.get("content-encoding", "")):
            await response.aclose()
            raise httpx.DecodingError("packed in a way that was not asked for", request=request)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


def _log_request(request: httpx.Request, answer: int | str, started: float) -> None:
    """Who was asked for what, without the query, and how the answer began."""
    url = f"{request.url.scheme}://{request.url.netloc.decode('ascii', 'replace')}{request.url.path}"
    log.info("%s %s: %s in %.0f ms", request.method, url, answer, (monotonic() - started) * 1000)


class Fetcher:
    """Makes the clients. One per program; `gate` None: always online."""

    def __init__(self, gate: Gate | None = None) -> None:
        self._gate = gate
        self._contexts: dict[tuple[str | None, TlsMin], ssl.SSLContext] = {}
        self._clients: WeakSet[httpx.AsyncClient] = WeakSet()
        for name in ("httpx", "httpcore"):  # their logs print whole URLs and headers
            logging.getLogger(name).setLevel(logging.WARNING)

    def client(
        self,
        connection: Connection,
        *,
        key_header: str = "authorization",
        key_prefix: str = "Bearer ",
        auth: httpx.Auth | None = None,
    ) -> httpx.AsyncClient:
        """A client for one provider. Close it with its adapter. Paths are given to it as whole URLs.

        `auth` None: the connection's key, in `key_header`.
        """
        check_url(connection.base_url, connection.allow_http)
        auth = auth or KeyAuth(
            connection.key,
            header=key_header,
            prefix=key_prefix,
            also=connection.secret_headers,
            slug=connection.slug,
        )
        return self._make(
            connection.base_url,
            auth=auth,
            headers=_plain_headers(connection),
            connect=connection.watchdogs.connect,
            proxy=connection.proxy,
            ca_file=connection.ca_file,
            tls_min=connection.tls_min,
            allow_http=connection.allow_http,
        )

    def require(self, connection: Connection, url: str) -> None:
        """Raise what would keep a connection to this address from being made: for work that another process does."""
        check_url(url, connection.allow_http)
        through = proxy_for(url, connection.proxy)
        for address in (url, through):
            if address and self._gate is not None:
                self._gate(urlsplit(address).hostname or "")

    def prepared(self, connection: Connection) -> bool:
        """Whether `client` is quick for this connection."""
        wanted = (connection.ca_file, connection.tls_min)
        return not connection.base_url.startswith("https:") or wanted in self._contexts

    def prepare(self, connection: Connection) -> None:
        """Read the certificates that its client needs: some 30 ms, and it may run in a thread."""
        self._context(connection.ca_file, connection.tls_min)

    async def get_json(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float = 10.0,
        limit: int = JSON_BODY,
        allow_http: bool = False,
    ) -> object:
        """The JSON document at a public or local address, without a key. Raises ProviderError, OfflineError."""
        check_url(url, allow_http)
        client = self._make(url, auth=None, headers=headers or {}, connect=timeout, allow_http=allow_http)
        host = urlsplit(url).hostname or url
        async with client:
            status, answer_headers, body = await self.call(
                client,
                client.build_request("GET", url),
                Origin(host, keyless=True),
                timeout=timeout,
                limit=limit,
            )
        if status != 200:
            raise error_from_answer(Origin(host, keyless=True), status, answer_headers, body)
        return parse_json(body, host)

    async def get_changed(
        self, url: str, *, etag: str | None, timeout: float, limit: int
    ) -> tuple[bytes, str | None] | None:
        """(body, its ETag) of a public document; None: it is still the one that has this ETag."""
        check_url(url)
        headers = {"accept": "application/json", **({"if-none-match": etag} if etag else {})}
        host = urlsplit(url).hostname or url
        async with self._make(url, auth=None, headers=headers, connect=min(timeout, 10.0)) as client:
            status, answered, body = await self.call(
                client,
                client.build_request("GET", url),
                Origin(host, keyless=True),
                timeout=timeout,
                limit=limit,
            )
        if status == 304 and etag:
            return None
        if status != 200:
            raise error_from_answer(Origin(host, keyless=True), status, answered, body)
        return body, _repeatable(answered.get("etag", ""))

    async def call(
        self,
        client: httpx.AsyncClient,
        request: httpx.Request,
        origin: Origin,
        *,
        timeout: float,
        limit: int = JSON_BODY,
    ) -> tuple[int, httpx.Headers, bytes]:
        """(status, headers, body) of one short request; network failures become our errors."""
        import asyncio

        host = request.url.host
        try:
            async with asyncio.timeout(timeout):
                response = await client.send(request, stream=True)
                try:
                    cap = limit if response.is_success else ERROR_BODY
                    body = await read_bounded(response, cap, origin, cut=not response.is_success)
                finally:
                    await response.aclose()
        except TimeoutError:
            raise ProviderTimeoutError(
                f"{origin.slug} did not answer within {max(round(timeout, 1), 0.1):g} s.",
                hint="Try again.",
                provider=origin.slug,
            ) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise from_transport(error, origin.slug, host) from None
        return response.status_code, response.headers, body

    async def aclose(self) -> None:
        """Close every client that still lives."""
        for client in list(self._clients):
            await client.aclose()

    def _make(
        self,
        url: str,
        *,
        auth: httpx.Auth | None,
        headers: Mapping[str, str],
        connect: float | None,
        proxy: SecretStr | None = None,
        ca_file: str | None = None,
        tls_min: TlsMin = "1.2",
        allow_http: bool = False,
    ) -> httpx.AsyncClient:
        through = proxy_for(url, proxy)
        secure = url.startswith("https:") or (through or "").startswith("https:")
        context = self._context(ca_file, tls_min) if secure else _refusing_context()
        inner = httpx.AsyncHTTPTransport(
            verify=context,
            http1=True,
            limits=httpx.Limits(keepalive_expiry=_KEPT_S) if secure else _NONE_KEPT,
            http2=False,  # closing an HTTP/2 stream did not stop the vendor (WIRE section 15)
            trust_env=False,
            proxy=httpx.Proxy(through, ssl_context=context if through.startswith("https:") else None)
            if through
            else None,
        )
        client = _Client(
            transport=_GatedTransport(inner, self._gate, through, allow_http),
            auth=auth,
            headers={"user-agent": USER_AGENT, "accept-encoding": "gzip, deflate", **headers},
            timeout=httpx.Timeout(30.0, connect=connect, pool=10.0),
            follow_redirects=False,
            trust_env=False,
        )
        self._clients.add(client)
        return client

    def _context(self, ca_file: str | None, tls_min: TlsMin) -> ssl.SSLContext:
        wanted = (ca_file, tls_min)
        if wanted not in self._contexts:
            context = _public_context() if ca_file is None else _private_context(ca_file)
            context.minimum_version = ssl.TLSVersion.TLSv1_3 if tls_min == "1.3" else ssl.TLSVersion.TLSv1_2
            self._contexts[wanted] = context
        return self._contexts[wanted]


def _public_context() -> ssl.SSLContext:
    """The public authorities; SSL_CERT_FILE and SSL_CERT_DIR replace them, as everywhere."""
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if file or folder:
        return ssl.create_default_context(cafile=file or None, capath=folder or None)
    return ssl.create_default_context(cafile=certifi.where())


def _private_context(ca_file: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(Path(ca_file).expanduser()))
    except (OSError, ssl.SSLError):
        raise UsageError(
            f"The CA file {one_line(ca_file, 120)} cannot be read or holds no certificates.",
            hint="It must be a PEM file.",
        ) from None


def _refusing_context() -> ssl.SSLContext:
    """For plain http addresses: trusts nobody, and costs nothing to make."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _repeatable(etag: str) -> str | None:
    """An ETag as it can be sent back, to the letter; None for none, and for one that no header can carry."""
    fits = etag.isascii() and etag.isprintable() and len(etag) <= _LONGEST_ETAG
    return etag if etag and fits else None


def _plain_headers(connection: Connection) -> dict[str, str]:
    for name, value in connection.headers.items():
        if (
            not name.isascii()
            or not name.replace("-", "").replace("_", "").isalnum()
            or not (value.isascii() and value.isprintable())
        ):
            raise UsageError(f"The header {one_line(name, 60)} has a name or value that cannot be sent.")
    return {name.lower(): value for name, value in connection.headers.items()}


async def read_bounded(response: httpx.Response, limit: int, origin: Origin, *, cut: bool = False) -> bytes:
    """The body, decompressed, up to `limit` bytes: beyond it is cut (`cut`) or an error."""
    pieces: list[bytes] = []
    size = 0
    async for piece in response.aiter_bytes():
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            if cut:
                break
            raise UnexpectedResponseError(
                f"The answer of {origin.slug} is larger than {limit // (1024 * 1024)} MB.",
                provider=origin.slug,
                status=response.status_code,
            )
    return b"".join(pieces)[:limit]


def parse_json(body: bytes, slug: str, status: int = 200) -> object:
    """The document, forgiving a byte order mark, broken UTF-8 and lone surrogates."""
    text = body.decode("utf-8", "replace").lstrip("\ufeff")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        error: ProviderError = error_from_answer(Origin(slug), status, {}, body[:4096])
        raise UnexpectedResponseError(
            f"{slug} sent something that is not JSON.",
            hint="Check the provider's URL and type.",
            provider=slug,
            status=error.status,
        ) from None
