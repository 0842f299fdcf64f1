"""The one door to the network: who may pass, over what, and what is said when the way is blocked."""

from __future__ import annotations

import asyncio
import datetime as dt
import gzip
import socket
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
from loop_server import Exchange, models_and_chat, serving
from pydantic import SecretStr

from adapters.base import Connection
from adapters.errors import NetworkError, ProviderTimeoutError, UnexpectedResponseError
from adapters.events import ChatRequest, Message
from adapters.fetch import Fetcher, KeyAuth, check_url
from adapters.http_rules import proxy_for
from adapters.openai import OpenAIAdapter
from catalog.errors import OfflineError, UsageError

ASK = ChatRequest("m", (Message("user", "hello"),))
KEY = "sk-canary-Zx5cVb7nMq1wErT3"


# --- which addresses -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    ["https://api.openai.com/v1", "http://127.0.0.1:8080", "http://localhost:1234/v1", "http://[::1]:8080", "http://127.8.9.1"],
)  # fmt: skip
def test_addresses_that_may_always_be_called(url: str) -> None:
    check_url(url)


@pytest.mark.parametrize("url", ["http://192.168.1.5:8080", "http://10.0.0.2", "http://172.20.0.1", "http://gpu-box:8000", "http://nas.local", "http://[fd00::1]:80", "http://100.64.1.1"])  # fmt: skip
def test_plain_http_in_a_private_network_has_to_be_allowed(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_url(url)
    assert "--allow-http" in (caught.value.hint or "")
    check_url(url, allow_http=True)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://api.openai.com/v1", "unprotected over the internet"),
        ("http://8.8.8.8", "unprotected over the internet"),
        ("http://127.0.0.1.evil.example", "unprotected over the internet"),
        ("http://localhost.evil.example", "unprotected over the internet"),
        ("http://2130706433", "unprotected over the internet"),
        ("http://0x7f.1", "unprotected over the internet"),
        ("https://user:pw@api.example.com", "user name or password"),
        ("http://127.0.0.1@evil.example/", "user name or password"),
        ("ftp://example.com", "Only http and https"),
        ("file:///etc/passwd", "Only http and https"),
        ("api.openai.com", "Only http and https"),
        ("https://", "no host"),
        ("https://exa mple.com", "no host"),
        ("https://exam\nple.com", "no host"),
        ("https://[::1", "not a valid URL"),
        ("https://x:99999", "not a valid URL"),
    ],
)
def test_addresses_that_are_refused(url: str, words: str) -> None:
    for allow in (False, True):
        with pytest.raises(UsageError, match=words) as caught:
            check_url(url, allow_http=allow)
        assert "pw" not in f"{caught.value.message} {caught.value.hint}"


def test_a_client_is_not_made_for_a_refused_address() -> None:
    with pytest.raises(UsageError):
        OpenAIAdapter(Connection("p", "openai", "http://api.example.com"), Fetcher())


# --- offline -------------------------------------------------------------------------------------------------


@pytest.fixture
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every look-up and every socket is written down and refused."""
    tried: list[str] = []

    def refuse(name: str) -> Callable[..., Any]:
        def call(*args: object, **_kw: object) -> Any:
            tried.append(f"{name} {args[:2]}")
            raise AssertionError(f"{name} was called")

        return call

    monkeypatch.setattr(socket, "getaddrinfo", refuse("getaddrinfo"))
    monkeypatch.setattr(socket, "create_connection", refuse("create_connection"))
    monkeypatch.setattr(socket.socket, "connect", refuse("connect"))
    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", refuse("loop.getaddrinfo"))
    monkeypatch.setattr(asyncio.BaseEventLoop, "create_connection", refuse("loop.create_connection"))
    monkeypatch.setattr(asyncio.BaseEventLoop, "sock_connect", refuse("loop.sock_connect"))
    return tried


def closed(host: str) -> None:
    if host != "127.0.0.1":
        raise OfflineError(f"You are offline by choice, and {host} is not on this machine.")


async def test_offline_opens_nothing_and_looks_nothing_up(no_sockets: list[str]) -> None:
    fetcher = Fetcher(closed)
    adapter = OpenAIAdapter(Connection("p", "openai", "https://api.openai.com", key=SecretStr(KEY)), fetcher)
    with pytest.raises(OfflineError):
        async with adapter.stream(ASK):
            pytest.fail("offline")
    with pytest.raises(OfflineError):
        await adapter.list_models()
    verdict = await adapter.validate()
    assert (verdict.state, verdict.ok) == ("offline", False)
    assert isinstance(verdict.error, OfflineError)
    with pytest.raises(OfflineError):
        await fetcher.get_json("https://models.example.com/catalog.json")
    assert no_sockets == []


async def test_the_proof_itself_works(no_sockets: list[str]) -> None:
    adapter = OpenAIAdapter(Connection("p", "openai", "https://api.openai.com"), Fetcher())
    with pytest.raises(AssertionError):
        await adapter.list_models()
    assert no_sockets


async def test_the_gate_is_asked_for_the_proxy_too(no_sockets: list[str]) -> None:
    def only_vendor(host: str) -> None:
        if host != "api.openai.com":
            raise OfflineError("x")

    connection = Connection(
        "p", "openai", "https://api.openai.com", proxy=SecretStr("http://proxy.example:3128")
    )
    with pytest.raises(OfflineError):
        await OpenAIAdapter(connection, Fetcher(only_vendor)).list_models()
    assert no_sockets == []


async def test_the_gate_opens_and_closes_for_the_same_client() -> None:
    shut = False

    def gate(host: str) -> None:
        if shut:
            raise OfflineError(host)

    async with serving(models_and_chat) as server:
        adapter = OpenAIAdapter(Connection("p", "openai", server.url), Fetcher(gate))
        assert len(await adapter.list_models()) == 2
        shut = True
        with pytest.raises(OfflineError):
            await adapter.list_models()
        shut = False
        assert len(await adapter.list_models()) == 2
        await adapter.aclose()


# --- proxies -------------------------------------------------------------------------------------------------


def test_which_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://env.example:3128")
    monkeypatch.setenv("HTTP_PROXY", "http://plain.example:3128")
    monkeypatch.setenv("NO_PROXY", "internal.example,10.0.0.5")
    assert proxy_for("https://api.openai.com/v1", None) == "http://env.example:3128"
    assert proxy_for("http://192.168.1.4:8080", None) == "http://plain.example:3128"
    assert proxy_for("https://llm.internal.example", None) is None
    assert proxy_for("http://10.0.0.5:8080", None) is None
    for local in ("http://127.0.0.1:8080", "https://localhost", "http://[::1]:1"):
        assert proxy_for(local, None) is None
        assert proxy_for(local, SecretStr("http://own.example:1")) is None, "it cannot reach this machine"
        assert proxy_for(local, SecretStr("http://127.0.0.1:3128")) == "http://127.0.0.1:3128"
    assert (
        proxy_for("https://api.openai.com", SecretStr("user:pw@own.example:1"))
        == "http://user:pw@own.example:1"
    )
    with pytest.raises(UsageError) as caught:
        proxy_for("https://api.openai.com", SecretStr("socks5://user:pw@own.example:1"))
    assert "pw" not in str(caught.value)


async def test_a_proxy_in_the_environment_is_not_used_for_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    async with serving(models_and_chat) as server:
        adapter = OpenAIAdapter(Connection("p", "openai", server.url), Fetcher())
        assert len(await adapter.list_models()) == 2
        await adapter.aclose()


async def test_the_connect_goes_through_the_proxy_and_its_refusal_is_told() -> None:
    asked: list[str] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(proxy, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    connection = Connection("p", "openai", "https://api.example.com", key=SecretStr(KEY), proxy=SecretStr(f"http://u:proxy-pw-canary@127.0.0.1:{port}"))  # fmt: skip
    with pytest.raises(NetworkError, match="proxy wants a user name") as caught:
        await OpenAIAdapter(connection, Fetcher()).list_models()
    server.close()
    assert asked[0].startswith("CONNECT api.example.com:443")
    assert KEY not in asked[0]
    assert "canary" not in f"{caught.value!r} {caught.value.hint}"


async def test_a_proxy_that_is_not_there_is_named() -> None:
    connection = Connection("p", "openai", "https://api.example.com", proxy=SecretStr("http://127.0.0.1:9"))
    with pytest.raises(NetworkError, match=r"The proxy 127\.0\.0\.1 cannot be reached"):
        await OpenAIAdapter(connection, Fetcher()).list_models()


async def test_the_providers_own_proxy_on_this_machine_is_used_for_this_machine() -> None:
    connection = Connection("p", "openai", "http://localhost:1", proxy=SecretStr("http://127.0.0.1:9"))
    with pytest.raises(NetworkError, match=r"The proxy 127\.0\.0\.1 cannot be reached"):
        await OpenAIAdapter(connection, Fetcher()).list_models()


# --- TLS -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return str(tmp_path / "ca.pem")


def served_with(
    cert: trustme.LeafCert, highest: ssl.TLSVersion | None = None, lowest: ssl.TLSVersion | None = None
) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    cert.configure_cert(context)
    if highest:
        context.maximum_version = highest
    if lowest:
        context.minimum_version = lowest
    return context


async def listed(url: str, **fields: Any) -> int:
    adapter = OpenAIAdapter(Connection("p", "openai", url, **fields), Fetcher())
    try:
        return len(await adapter.list_models())
    finally:
        await adapter.aclose()


async def test_a_private_authority(authority: trustme.CA, ca_file: str) -> None:
    async with serving(
        models_and_chat, served_with(authority.issue_cert("localhost", "127.0.0.1"))
    ) as server:
        url = f"https://localhost:{server.port}"
        assert await listed(url, ca_file=ca_file) == 2
        assert await listed(url, ca_file=ca_file, tls_min="1.3") == 2
        with pytest.raises(NetworkError, match="authority this machine does not trust") as caught:
            await listed(url)
    assert not caught.value.retryable
    assert "CA file" in (caught.value.hint or "")


async def test_certificates_that_are_wrong(authority: trustme.CA, ca_file: str) -> None:
    past = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    expired = authority.issue_cert(
        "localhost", "127.0.0.1", not_after=past, not_before=past - dt.timedelta(9)
    )
    cases = [(authority.issue_cert("other.example"), "for another host"), (expired, "has expired"), (trustme.CA().issue_cert("localhost"), "does not trust")]  # fmt: skip
    for cert, words in cases:
        async with serving(models_and_chat, served_with(cert)) as server:
            with pytest.raises(NetworkError, match=words):
                await listed(f"https://localhost:{server.port}", ca_file=ca_file)
            adapter = OpenAIAdapter(
                Connection("p", "openai", f"https://127.0.0.1:{server.port}", ca_file=ca_file), Fetcher()
            )
            assert (await adapter.validate()).state == "unreachable"
            assert server.requests == [], "no key went there"


async def test_the_lowest_version_holds(authority: trustme.CA, ca_file: str) -> None:
    old = served_with(authority.issue_cert("localhost"), highest=ssl.TLSVersion.TLSv1_2)
    async with serving(models_and_chat, old) as server:
        url = f"https://localhost:{server.port}"
        assert await listed(url, ca_file=ca_file) == 2
        with pytest.raises(
            NetworkError, match=r"no TLS version in common|closed the connection during the TLS handshake"
        ):
            await listed(url, ca_file=ca_file, tls_min="1.3")


async def test_https_at_a_plain_port() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    with pytest.raises(NetworkError, match="does not speak TLS"):
        await listed(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    server.close()


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_ca_file_that_is_none(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UsageError, match="CA file"):
        OpenAIAdapter(Connection("p", "openai", "https://x.example", ca_file=str(path)), Fetcher())


# --- the way ---------------------------------------------------------------------------------------------------


async def test_nothing_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(NetworkError, match="connection was refused") as caught:
            await listed(f"http://127.0.0.1:{port}")
    assert caught.value.retryable


async def test_a_name_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_args: object, **_kw: object) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(NetworkError, match=r"The name api\.nowhere\.example cannot be found"):
        await listed("https://api.nowhere.example")


async def test_a_connection_that_breaks() -> None:
    async def handler(exchange: Exchange) -> None:
        exchange.drop()

    async with serving(handler) as server:
        with pytest.raises(NetworkError, match="broke"):
            await listed(server.url)


async def test_no_redirect_is_followed() -> None:
    async with serving(models_and_chat) as target:

        async def handler(exchange: Exchange) -> None:
            await exchange.answer(307, "", location=f"{target.url}/v1/models")

        async with serving(handler) as server:
            with pytest.raises(UnexpectedResponseError, match="redirects"):
                await listed(server.url, key=SecretStr(KEY))
        assert target.requests == []


# --- documents for other services --------------------------------------------------------------------------------


def answering(status: int, body: object, **headers: str) -> Callable[[Exchange], Awaitable[None]]:
    async def handler(exchange: Exchange) -> None:
        assert "authorization" not in exchange.headers
        await exchange.answer(status, body, **headers)

    return handler


async def test_get_json() -> None:
    async with serving(answering(200, {"a": [1, "ż"]})) as server:
        assert await Fetcher().get_json(f"{server.url}/x.json") == {"a": [1, "ż"]}
    async with serving(answering(200, "<html>")) as server:
        with pytest.raises(UnexpectedResponseError, match="not JSON"):
            await Fetcher().get_json(server.url)
    async with serving(answering(404, "")) as server:
        with pytest.raises(UnexpectedResponseError):
            await Fetcher().get_json(server.url)
    async with serving(answering(200, "[" + "1," * 5000 + "1]")) as server:
        with pytest.raises(UnexpectedResponseError, match="larger than"):
            await Fetcher().get_json(server.url, limit=1000)


async def test_get_json_ends_in_time() -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.left.wait()

    async with serving(handler) as server:
        with pytest.raises(ProviderTimeoutError):
            await Fetcher().get_json(server.url, timeout=0.2)
        await asyncio.wait_for(server.requests[0].left.wait(), 5)


async def test_closing_the_fetcher_closes_its_clients() -> None:
    fetcher = Fetcher()
    async with serving(models_and_chat) as server:
        adapter = OpenAIAdapter(Connection("p", "openai", server.url), fetcher)
        await adapter.list_models()
        await fetcher.aclose()
        with pytest.raises(NetworkError, match="broke"):
            await adapter.list_models()
        assert len(server.requests) == 1


def test_the_auth_shows_nothing() -> None:
    auth = KeyAuth(SecretStr(KEY), also={"x-gate": SecretStr("gate-canary-123456")})
    assert "canary" not in f"{auth!r} {vars(auth)!r}"


@pytest.mark.parametrize(
    ("name", "value"), [("X-A\r\nB", "v"), ("X-A", "v\r\nEvil: 1"), ("X-A", "ż"), ("", "v"), ("a b", "v")]
)
def test_headers_that_cannot_be_sent(name: str, value: str) -> None:
    with pytest.raises(UsageError, match="header"):
        OpenAIAdapter(Connection("p", "openai", "https://x.example", headers={name: value}), Fetcher())


@pytest.mark.parametrize("packing", ["gzip, gzip", "GZIP,deflate", "br", "zstd", "gzip, zstd"])
async def test_what_would_unpack_without_measure_is_not_unpacked(packing: str) -> None:
    """A few hundred bytes in three layers of gzip are gigabytes."""
    body = gzip.compress(gzip.compress(b"{}"))

    async def handle(exchange: Exchange) -> None:
        await exchange.answer(200, body, content_encoding=packing)

    fetcher = Fetcher()
    async with serving(handle) as server:
        with pytest.raises(UnexpectedResponseError, match="compressed in a broken way"):
            await fetcher.get_json(f"{server.url}/models")
    await fetcher.aclose()
