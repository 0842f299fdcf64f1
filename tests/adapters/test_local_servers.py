"""Servers on this machine are named by what they answer: the known ones, those without a fingerprint, and impostors."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping

import pytest
from loop_server import Exchange, LoopServer
from loop_server import serving as loop_server

from adapters.fetch import Fetcher
from adapters.local_servers import IN_ALL, ServerFound, identify, look_around
from catalog.errors import OfflineError

LIST: object = {"object": "list", "data": [{"id": "tiny", "object": "model"}]}


def listed(owner: str) -> object:
    return {"object": "list", "data": [{"id": "tiny", "object": "model", "owned_by": owner}]}


SERVERS: dict[str, dict[str, object]] = {
    "ollama": {"/api/version": {"version": "0.14.1"}, "/": "Ollama is running", "/api/tags": {"models": [{"name": "tiny"}]}, "/v1/models": listed("library")},
    "lmstudio": {"/api/v1/models": {"models": [{"key": "tiny"}]}, "/api/v0/models": {"data": [{"id": "tiny"}]}, "/v1/models": LIST},
    "vllm": {"/version": {"version": "0.19.0"}, "/v1/models": listed("vllm")},
    "llamacpp": {"/props": {"default_generation_settings": {}}, "/v1/models": listed("llamacpp")},
    "sglang": {"/get_model_info": {"model_path": "/m"}, "/v1/models": listed("sglang")},
    "tgi": {"/info": {"model_id": "tiny", "max_total_tokens": 4096}, "/v1/models": LIST},
    "localai": {"/readyz": "", "/v1/models/capabilities": {"data": []}, "/v1/models": LIST},
    "koboldcpp": {"/api/extra/version": {"result": "KoboldCpp", "version": "1.9"}, "/v1/models": LIST},
    "text-generation-webui": {"/v1/internal/model/info": {"model_name": "tiny"}, "/v1/models": LIST},
    "litellm-proxy": {"/health/liveliness": "I'm alive!", "/v1/models": LIST},
    "openai": {"/v1/models": LIST},
}  # fmt: skip


def answering(pages: Mapping[str, object]):  # type: ignore[no-untyped-def]
    async def handler(exchange: Exchange) -> None:
        if exchange.path in pages:
            await exchange.answer(200, pages[exchange.path])
        else:
            await exchange.answer(404, {"error": "not found"})

    return handler


async def named(server: LoopServer) -> ServerFound | None:
    fetcher = Fetcher()
    try:
        return await identify(fetcher, f"http://127.0.0.1:{server.port}/v1")
    finally:
        await fetcher.aclose()


@pytest.mark.parametrize("name", SERVERS)
async def test_each_is_named_on_any_port(name: str) -> None:
    async with loop_server(answering(SERVERS[name])) as server:
        found = await named(server)
        assert found is not None
        assert (found.server, found.root) == (name, f"http://127.0.0.1:{server.port}")
        assert found.models == ("tiny",)
        assert all("authorization" not in one.headers for one in server.requests)
        assert all(one.method == "GET" and not one.body for one in server.requests)


@pytest.mark.parametrize("name", SERVERS)
async def test_each_is_found_where_a_variable_says(name: str) -> None:
    async with loop_server(answering(SERVERS[name])) as server:
        fetcher = Fetcher()
        (found,) = await look_around(fetcher, [f"http://localhost:{server.port}/v1"], ports=())
        await fetcher.aclose()
        assert found.server == name


async def test_a_server_that_wants_a_key_is_named_too() -> None:
    async def handler(exchange: Exchange) -> None:
        if exchange.path == "/version":
            await exchange.answer(200, {"version": "0.19.0"})
        else:
            await exchange.answer(401, {"error": "Unauthorized"})

    async with loop_server(handler) as server:
        found = await named(server)
        assert found is not None
        assert (found.server, found.wants_key, found.models) == ("vllm", True, ())


async def test_llama_cpp_lists_its_models_to_everybody_but_answers_only_with_its_key() -> None:
    async def handler(exchange: Exchange) -> None:
        if exchange.path == "/v1/models":
            await exchange.answer(200, listed("llamacpp"))
        else:
            await exchange.answer(401, {"error": {"message": "Invalid API Key", "code": 401}})

    async with loop_server(handler) as server:
        found = await named(server)
        assert found is not None
        assert (found.server, found.wants_key, found.models) == ("llamacpp", True, ("tiny",))


async def test_a_server_on_ipv6_alone_is_found_and_one_under_two_names_once() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
        body = json.dumps(SERVERS["vllm"].get(path, {})).encode()
        status = b"200 OK" if path in SERVERS["vllm"] else b"404 Not Found"
        writer.write(
            b"HTTP/1.1 %s\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s" % (status, len(body), body)
        )
        await writer.drain()
        writer.close()

    try:
        server = await asyncio.start_server(handler, "::1", 0)
    except OSError:
        pytest.skip("this machine has no IPv6")
    port = server.sockets[0].getsockname()[1]
    fetcher = Fetcher()
    async with server:
        near = [f"http://localhost:{port}/v1", f"http://[::1]:{port}"]
        (found,) = await look_around(fetcher, near, ports=(port,))
    await fetcher.aclose()
    assert (found.server, found.root) == ("vllm", f"http://[::1]:{port}")


async def test_a_version_is_not_enough_where_the_list_says_who_it_is() -> None:
    async with loop_server(
        answering({"/version": {"version": "1"}, "/v1/models": listed("tabby")})
    ) as server:
        found = await named(server)
        assert found is not None
        assert found.server == "openai"


async def test_a_hostile_name_is_harmless() -> None:
    pages = {"/v1/models": {"data": [{"id": "a\x1b[31mb\u202e" + "x" * 500}]}}
    async with loop_server(answering(pages)) as server:
        found = await named(server)
        assert found is not None
        assert "\x1b" not in found.models[0]
        assert len(found.models[0]) <= 80


async def html(exchange: Exchange) -> None:
    await exchange.answer(200, "<html>Ollama is running, I'm alive! version models</html>" + " " * 300)


async def redirect(exchange: Exchange) -> None:
    await exchange.answer(302, "", location="http://127.0.0.1:1/v1/models")


async def endless(exchange: Exchange) -> None:
    await exchange.begin(200, content_type="application/json")
    try:
        while True:
            await exchange.send(b" " * 65_536)
    except ConnectionError:
        pass


async def slow(exchange: Exchange) -> None:
    await exchange.left.wait()


async def not_json(exchange: Exchange) -> None:
    await exchange.answer(200, b"\xff\xfe{{{{" * 100, content_type="application/json")


async def deep(exchange: Exchange) -> None:
    await exchange.answer(200, "[" * 100_000, content_type="application/json")


async def numbers(exchange: Exchange) -> None:
    await exchange.answer(200, {"data": [1, 2], "models": "x", "version": None})


async def kubernetes(exchange: Exchange) -> None:
    if exchange.path == "/version":
        await exchange.answer(200, {"major": "1", "version": "v1.33"})
    else:
        await exchange.answer(404, {"kind": "Status", "code": 404})


async def drops(exchange: Exchange) -> None:
    exchange.drop()


IMPOSTORS = [html, redirect, endless, slow, not_json, deep, numbers, kubernetes, drops]


@pytest.mark.parametrize("handler", IMPOSTORS, ids=lambda handler: handler.__name__)
async def test_impostors_are_nothing_and_cost_less_than_a_second(handler) -> None:  # type: ignore[no-untyped-def]
    async with loop_server(handler) as server:
        began = time.monotonic()
        assert await named(server) is None
        fetcher = Fetcher()
        assert await look_around(fetcher, [f"http://127.0.0.1:{server.port}"], ports=()) == []
        await fetcher.aclose()
        assert time.monotonic() - began < 2 * IN_ALL + 0.6


async def test_who_answers_everything_is_only_what_its_list_says() -> None:
    """A server that has a list of models for every question is none of the known ones."""

    async def handler(exchange: Exchange) -> None:
        await exchange.answer(200, {"version": "1", "models": [], **LIST})  # type: ignore[dict-item]

    async with loop_server(handler) as server:
        found = await named(server)
        assert found is not None
        assert found.server == "openai"


async def test_many_at_once_with_slow_ones_among_them() -> None:
    async with (
        loop_server(slow) as one,
        loop_server(endless) as two,
        loop_server(answering(SERVERS["llamacpp"])) as three,
    ):
        fetcher = Fetcher()
        began = time.monotonic()
        near = [f"http://127.0.0.1:{server.port}" for server in (one, two, three)]
        found = await look_around(fetcher, near, ports=())
        await fetcher.aclose()
        assert [server.server for server in found] == ["llamacpp"]
        assert time.monotonic() - began < IN_ALL + 0.5


async def test_offline_reaches_this_machine() -> None:
    def gate(host: str) -> None:
        if host not in ("127.0.0.1", "localhost"):
            raise OfflineError(f"{host} is not here")

    async with loop_server(answering(SERVERS["vllm"])) as server:
        fetcher = Fetcher(gate)
        found = await identify(fetcher, f"http://127.0.0.1:{server.port}")
        await fetcher.aclose()
        assert found is not None
        assert found.vendor == "vllm"


async def test_little_is_asked_at_a_usual_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has that port hears every question, so only those of its usual servers are asked."""
    async with loop_server(html) as server:
        from dataclasses import replace

        import adapters.local_servers as module

        usual = tuple(
            replace(one, port=server.port) if one.server == "koboldcpp" else one
            for one in module.local_servers()
        )
        monkeypatch.setattr(module, "local_servers", lambda: usual)
        fetcher = Fetcher()
        assert await look_around(fetcher, ports=[server.port]) == []
        await fetcher.aclose()
        assert {one.path for one in server.requests} <= {"/v1/models", "/api/extra/version", "/no-such-path"}


async def test_stopped_in_the_middle_leaves_nothing_open() -> None:
    asked: asyncio.Queue[Exchange] = asyncio.Queue()

    async def waits(exchange: Exchange) -> None:
        asked.put_nowait(exchange)
        await exchange.left.wait()

    async with loop_server(waits) as server:
        fetcher = Fetcher()
        task = asyncio.create_task(look_around(fetcher, [f"http://127.0.0.1:{server.port}"], ports=()))
        exchange = await asyncio.wait_for(asked.get(), 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(exchange.left.wait(), 5)
        await fetcher.aclose()


async def test_a_flood_is_cut_off() -> None:
    """An answer without end is read as far as a real one could be, and its connection is closed then."""
    piece = b" " * 65_536
    sent: list[int] = []

    async def handler(exchange: Exchange) -> None:
        place = len(sent)
        sent.append(0)
        await exchange.begin(200, content_type="application/json")
        while sent[place] < 64 * 1024 * 1024:
            await exchange.send(piece)
            sent[place] += len(piece)

    async with loop_server(handler) as server:
        began = time.monotonic()
        assert await named(server) is None
        assert time.monotonic() - began < IN_ALL + 0.5
        assert sent
        assert max(sent) < 32 * 1024 * 1024  # what is read, and what lay in buffers on the way
