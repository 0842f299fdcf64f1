"""The ollama dialect on a loopback server made from its wire: what is sent, what is listed, how it is refused."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from loop_server import serving
from ollama_server import OllamaServer, ollama
from pydantic import SecretStr

from adapters.abilities import CopiesModels, PullProgress, PullsModels
from adapters.base import Connection
from adapters.errors import (
    BadRequestError,
    ContextTooLongError,
    InvalidCredentialsError,
    ModelUnavailableError,
    NetworkError,
    NoCreditError,
    OverloadedError,
    PermissionDeniedError,
    ProviderError,
    ServerError,
    StreamInterruptedError,
)
from adapters.events import ChatRequest, Image, Message, ToolCall, ToolSpec
from adapters.fetch import Fetcher
from adapters.ollama.adapter import OllamaAdapter
from adapters.ollama.endpoint import endpoint

ASK = (Message("user", "hello"),)


@asynccontextmanager
async def adapter(server: OllamaServer, **fields: Any) -> AsyncIterator[OllamaAdapter]:
    fetcher = Fetcher()
    made = OllamaAdapter(Connection("prov", "ollama", **{"base_url": server.url, **fields}), fetcher)
    try:
        yield made
    finally:
        await made.aclose()
        await fetcher.aclose()


async def chat(made: OllamaAdapter, **fields: Any) -> None:
    async with made.stream(ChatRequest(**{"model": "qwen3:30b", "messages": ASK, **fields})) as stream:
        async for _ in stream:
            pass


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("http://127.0.0.1:11434", "http://127.0.0.1:11434/api/chat"),
        ("http://127.0.0.1:11434/", "http://127.0.0.1:11434/api/chat"),
        ("http://127.0.0.1:11434/api", "http://127.0.0.1:11434/api/chat"),
        ("http://127.0.0.1:11434/api/tags", "http://127.0.0.1:11434/api/chat"),
        ("http://127.0.0.1:11434/v1/", "http://127.0.0.1:11434/api/chat"),
        ("http://127.0.0.1:11434/v1/chat/completions", "http://127.0.0.1:11434/api/chat"),
        ("https://ollama.com", "https://ollama.com/api/chat"),
        ("https://ollama.com/api", "https://ollama.com/api/chat"),
        ("https://host.example/ollama/api", "https://host.example/ollama/api/chat"),
        ("http://[::1]:11434", "http://[::1]:11434/api/chat"),
    ],
)
def test_an_address_however_it_is_written(base: str, url: str) -> None:
    assert endpoint(base, "chat") == url


async def test_what_is_sent() -> None:
    turns = (
        Message("user", "look", images=(Image("image/png", b"png"),)),
        Message("assistant", "", tool_calls=(ToolCall("c1", "f", '{"a":1}'), ToolCall("c2", "g", "broken")), thinking="hm"),
        Message("tool", "42", tool_call_id="c1"),
    )  # fmt: skip
    tools = (ToolSpec("f", "does f", {"type": "object"}), ToolSpec("g", "does g", {"type": "object"}))
    options = {"num_ctx": "8192", "gpu_layers": "35", "keep_alive": "30m"}
    async with ollama() as server, adapter(server, options=options) as made:
        await chat(
            made, messages=turns, system="Be brief.", tools=tools, tool_choice="f", json_output=True, max_tokens=7,
            temperature=0.5, top_p=0.9, seed=3, stop=("END",), reasoning_effort="low", stream=False,
        )  # fmt: skip
        [sent] = server.chats
    assert sent["stream"] is False
    assert (sent["truncate"], sent["shift"], sent["keep_alive"], sent["format"]) == (
        False,
        False,
        "30m",
        "json",
    )
    assert sent["think"] == "low"
    assert sent["options"] == {
        "num_ctx": 8192, "num_gpu": 35, "num_predict": 7, "temperature": 0.5, "top_p": 0.9, "seed": 3, "stop": ["END"],
    }  # fmt: skip
    assert [tool["function"]["name"] for tool in sent["tools"]] == ["f"]
    system, user, assistant, tool = sent["messages"]
    assert system == {"role": "system", "content": "Be brief."}
    assert user["images"] == ["cG5n"]
    assert [one["function"]["arguments"] for one in assistant["tool_calls"]] == [
        {"a": 1},
        {"arguments": "broken"},
    ]
    assert assistant["thinking"] == "hm"
    assert (tool["tool_name"], tool["tool_call_id"]) == ("f", "c1")


async def test_a_prompt_may_be_cut_where_the_user_says_so() -> None:
    async with ollama() as server, adapter(server, options={"truncate": "yes", "keep_alive": "-1"}) as made:
        await chat(made)
        [sent] = server.chats
    assert "truncate" not in sent
    assert sent["keep_alive"] == -1
    assert sent["stream"] is True


@pytest.mark.parametrize(
    ("model", "thinks", "asked"),
    [
        ("qwen3:30b", "bool", ["low", True, True]),
        ("llama3.2", "levels", ["low", None, None]),
        ("qwen3:30b", "levels", ["low", "low"]),
    ],
)
async def test_a_model_that_refuses_to_think_so_is_asked_another_way_and_remembered(
    model: str, thinks: str, asked: list[object]
) -> None:
    async with ollama(thinks=thinks) as server, adapter(server) as made:
        for _ in range(2):
            await chat(made, model=model, reasoning_effort="low")
        assert [sent.get("think") for sent in server.chats] == asked


async def test_other_refusals_are_not_repeated() -> None:
    async with ollama() as server, adapter(server) as made:
        with pytest.raises(BadRequestError, match="does not support tools"):
            await chat(made, model="gemma3:4b", tools=(ToolSpec("f", "", {}),))
        assert len(server.chats) == 1


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error": "the input length exceeds the context length"}, ContextTooLongError),
        (400, {"error": '"m" does not support thinking'}, BadRequestError),
        (404, {"error": "model 'm' not found"}, ModelUnavailableError),
        (429, {"error": "you've reached your hourly usage limit"}, NoCreditError),
        (500, {"error": "llama runner process has terminated"}, ServerError),
        (502, {"error": "upstream"}, ServerError),
        (503, {"error": "server busy, please try again. maximum pending requests exceeded"}, OverloadedError),
    ],
)
async def test_refusals(status: int, body: object, kind: type[ProviderError]) -> None:
    async with ollama(refuses=(status, body)) as server, adapter(server) as made:
        with pytest.raises(kind):
            await chat(made)


async def test_a_wrong_host_name_is_told_as_one() -> None:
    async with ollama(refuses=(403, b"")) as server, adapter(server) as made:
        with pytest.raises(PermissionDeniedError, match="does not answer under the name") as caught:
            await chat(made)
        verdict = await made.validate()
    assert "OLLAMA_HOST" in (caught.value.hint or "")
    assert verdict.message == caught.value.message


async def test_a_sign_in_of_the_server_itself_is_no_bad_key() -> None:
    async with ollama(key="k") as server, adapter(server) as made:
        with pytest.raises(InvalidCredentialsError, match="wants a sign-in") as caught:
            await chat(made)
    assert "ollama signin" in (caught.value.hint or "")


async def test_a_key_is_proven_by_a_chat_without_a_model() -> None:
    async with ollama() as server, adapter(server, key=SecretStr("k")) as made:
        good = await made.validate()
        assert server.asked("/api/chat") == 1
    assert good.message == "Ollama 0.13.1 answers, and accepts the key. It has 5 models."


async def test_something_else_at_the_address_is_told_apart() -> None:
    async def other(exchange: Any) -> None:
        await exchange.answer(200, {"data": []})

    async with serving(other) as server, adapter(server) as made:  # type: ignore[arg-type]
        verdict = await made.validate()
    assert "not as an Ollama server" in verdict.message


async def test_models_are_looked_at_once_for_each_digest() -> None:
    async with ollama(broken_shows=frozenset({"qwen3:30b"})) as server, adapter(server) as made:
        by_id = {model.id: model for model in await made.list_models()}
        assert server.asked("/api/show") == 5
        await made.list_models()
        assert server.asked("/api/show") == 6, "only the one that could not be read"
    llama = by_id["llama3.2:latest"]
    assert (llama.context_window, llama.chat, llama.capabilities) == (131_072, True, ("json", "tools"))
    assert llama.details["quantization"] == "Q4_K_M"
    assert llama.details["size_bytes"] == 2_019_393_189
    assert llama.fingerprint is not None
    gemma = by_id["gemma3:4b"]
    assert (gemma.context_window, gemma.details["trained_context"]) == (8_192, 131_072)
    assert by_id["nomic-embed-text:latest"].chat is False
    assert (by_id["qwen3:30b"].partial, by_id["qwen3:30b"].capabilities) == (True, None)
    assert by_id["gpt-oss:120b-cloud"].details["runs_at"] == "https://ollama.com:443"


async def test_a_newer_list_needs_no_closer_look() -> None:
    async with ollama(list_says=True) as server, adapter(server, options={"num_ctx": "4096"}) as made:
        models = {model.id: model for model in await made.list_models()}
        assert server.asked("/api/show") == 0
    assert models["qwen3:30b"].context_window == 4_096
    assert models["gpt-oss:120b-cloud"].context_window == 131_072


async def test_what_is_installed_and_loaded() -> None:
    async with ollama(loaded={"qwen3:30b": 10**10}) as server, adapter(server) as made:
        assert isinstance(made, PullsModels)
        assert isinstance(made, CopiesModels)
        installed = {one.id: one for one in await made.installed()}
        [running] = await made.running()
        await made.copy("llama3.2:latest", "mine:1")
        await made.delete("llama3.2:latest")
        assert {"mine:1"} == server.models.keys() - installed.keys()
        for refused in (made.delete("nobody"), made.copy("nobody", "x")):
            with pytest.raises(ModelUnavailableError):
                await refused
    assert installed["qwen3:30b"].size_bytes == 18_556_701_140
    assert installed["qwen3:30b"].modified_at == 1_794_645_000_123
    assert installed["gpt-oss:120b-cloud"].size_bytes is None
    assert (running.id, running.vram_bytes, running.context) == ("qwen3:30b", 10**10, 8192)


async def test_a_loaded_model_is_unloaded_before_it_is_deleted() -> None:
    async with ollama(loaded={"gemma3:4b": 10**9, "qwen3:30b": 10**10}) as server, adapter(server) as made:
        await made.delete("gemma3:4b")
        await made.delete("llama3.2:latest")
        assert server.loaded.keys() == {"qwen3:30b"}
        assert server.asked("/api/generate") == 1
        assert not {"gemma3:4b", "llama3.2:latest"} & server.models.keys()


@pytest.mark.parametrize(
    ("until", "moment", "stays"),
    [
        ("2026-11-21T05:00:00.5+01:00", 1_795_233_600_500, False),
        ("2318-03-02T11:12:13Z", None, True),
        ("0001-01-01T00:00:00Z", None, False),
        ("soon", None, False),
    ],
)
async def test_when_a_model_is_unloaded(until: str, moment: int | None, stays: bool) -> None:
    async with ollama(loaded={"qwen3:30b": 10**10}, until=until) as server, adapter(server) as made:
        [running] = await made.running()
    assert (running.expires_at, running.stays) == (moment, stays)


@pytest.mark.parametrize(
    ("words", "kind", "begins", "hint"),
    [
        ("write /x/sha256-a-partial: no space left on device", ServerError, "The disk of prov is full.", "Make room"),
        ("pull model manifest: file does not exist", ModelUnavailableError, "There is no model hf.co/a/b:Q4_K_M", "ollama.com/library"),
        ('pull model manifest: 401: {"error":"Invalid username or password."}', ModelUnavailableError, "The library does not let prov", "private"),
        ("dial tcp: lookup registry.ollama.ai: no such host", ServerError, "prov cannot reach the library", "network"),
        ("max retries exceeded: unexpected EOF", StreamInterruptedError, "The download of hf.co/a/b:Q4_K_M", "goes on"),
        ("412: The model you are attempting to pull requires a newer version of Ollama.", ServerError, "The Ollama at prov", "Update"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("status", [200, 500])
async def test_why_a_download_failed(
    words: str, kind: type[ProviderError], begins: str, hint: str, status: int
) -> None:
    async def fails(exchange: Any) -> None:
        assert exchange.json["model"] == "hf.co/a/b:Q4_K_M"
        await exchange.answer(status, json.dumps({"error": words}) + "\n")

    async with serving(fails) as server, adapter(server) as made:  # type: ignore[arg-type]
        with pytest.raises(kind) as caught:
            await pulled(made, "hf.co/a/b:Q4_K_M")
    assert type(caught.value) is kind
    assert caught.value.message.startswith(begins)
    assert "It says: “" in caught.value.message
    assert hint in (caught.value.hint or "")


async def pulled(made: OllamaAdapter, model: str) -> list[PullProgress]:
    async with made.pull(model) as reports:
        return [progress async for progress in reports]


async def test_a_download_sums_its_layers() -> None:
    async with ollama(models={}) as server, adapter(server) as made:
        seen = await pulled(made, "llama3.2")
        assert "llama3.2:latest" in server.models
    assert seen[0] == PullProgress("pulling manifest")
    there = [one.completed for one in seen if one.completed is not None]
    assert there == sorted(there)
    assert (seen[-1].done, seen[-1].completed, seen[-1].total) == (True, 2_019_393_189, 2_019_393_189)


async def test_a_cut_download_goes_on_where_it_was() -> None:
    async with ollama(models={}, cut_at=0.5) as server, adapter(server) as made:
        with pytest.raises(StreamInterruptedError, match="broke off"):
            await pulled(made, "llama3.2")
        again = await pulled(made, "llama3.2")
    first = next(one.completed for one in again if one.completed)
    assert first >= 10**9


async def test_leaving_a_download_stops_the_server() -> None:
    async with ollama(models={}, hold_at=0.3) as server, adapter(server) as made:
        async with made.pull("llama3.2") as reports:
            async for progress in reports:
                if (progress.completed or 0) > 6 * 10**8:
                    break
        await server.left.wait()
        assert server.models == {}


async def test_a_download_of_nothing_is_refused_under_200() -> None:
    async with ollama() as server, adapter(server) as made:
        with pytest.raises(ModelUnavailableError):
            await pulled(made, "nonsense")


async def test_a_provider_that_was_changed_meanwhile_is_a_broken_connection() -> None:
    async with ollama() as server, adapter(server) as made:
        await made.aclose()
        for asked in (made.list_models(), made.running(), pulled(made, "llama3.2"), chat(made)):
            with pytest.raises(NetworkError, match="broke"):
                await asked
        assert (await made.validate()).state == "unreachable"


async def test_a_refused_key_is_no_private_model() -> None:
    async with ollama(key="k") as server, adapter(server, key=SecretStr("x")) as made:
        with pytest.raises(InvalidCredentialsError):
            await pulled(made, "llama3.2")
