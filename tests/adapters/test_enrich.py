"""What known servers say beside their list: asked only of them, joined to the list, and never able to fail it."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from loop_server import Exchange, LoopServer, serving

from adapters.base import Connection, RemoteModel
from adapters.fetch import Fetcher
from adapters.openai import adapter as wire
from adapters.openai import enrich
from adapters.openai.adapter import OpenAIAdapter
from adapters.openai.enrich import extra_for
from adapters.openai.models import read_models

LLAMA = {
    "id": "local", "object": "model", "created": 1_795_000_000, "owned_by": "llamacpp",
    "meta": {"vocab_type": 1, "n_vocab": 32000, "n_ctx_train": 131072, "n_embd": 4096, "n_params": 7241732096, "size": 4368439584},
}  # fmt: skip
PROPS = {
    "default_generation_settings": {"n_ctx": 8192, "params": {}},
    "total_slots": 1,
    "model_path": "/srv/models/mistral-7b.Q4_K_M.gguf",
    "modalities": {"vision": True, "audio": False},
    "chat_template": "{% if tools %}…{% endif %}",
    "build_info": "b11549-abc",
}


def serves(**documents: Any) -> Any:
    """Answers each path (slashes as double underscores); all others are 404."""

    async def handler(exchange: Exchange) -> None:
        path = exchange.path.partition("?")[0].strip("/").replace("/", "__").replace("-", "_")
        answer = documents.get(path)
        if isinstance(answer, int):
            await exchange.answer(answer, {"error": {"message": "no"}})
        elif answer == "hang":
            await asyncio.sleep(60)
        elif answer is None:
            await exchange.answer(404, {"error": {"message": "nothing here"}})
        else:
            await exchange.answer(200, answer)

    return handler


async def listed(handler: Any, **more: Any) -> tuple[dict[str, RemoteModel], LoopServer]:
    fetcher = Fetcher()
    async with serving(handler) as server:
        adapter = OpenAIAdapter(Connection("mine", "openai", f"{server.url}/v1", **more), fetcher)
        try:
            return {model.id: model for model in await adapter.list_models()}, server
        finally:
            await fetcher.aclose()


async def test_llama_cpp_says_the_window_in_use_its_file_and_what_it_takes() -> None:
    models, server = await listed(serves(v1__models={"data": [LLAMA]}, props=PROPS))
    model = models["local"]
    assert model.context_window == 8192, "not the 131,072 it was trained with"
    assert model.capabilities == ("json", "tools", "vision")
    assert model.fingerprint == "mistral-7b.Q4_K_M.gguf · 7,241,732,096 parameters · 4,368,439,584 bytes"
    assert model.details["trained_context"] == 131072
    assert model.details["weights"] == "mistral-7b.Q4_K_M.gguf"
    assert not model.partial
    assert server.paths() == ["GET /v1/models", "GET /props"]


async def test_lm_studio_says_weights_abilities_and_what_is_loaded() -> None:
    listed_ids = {"data": [{"id": "qwen3-4b", "owned_by": "organization_owner"}, {"id": "nomic", "owned_by": "organization_owner"}]}  # fmt: skip
    native = {
        "models": [
            {"key": "qwen3-4b", "type": "llm", "display_name": "Qwen3 4B", "architecture": "qwen3", "params_string": "4B",
             "quantization": {"name": "Q4_K_M", "bits_per_weight": 4}, "size_bytes": 2497281152, "max_context_length": 262144,
             "loaded_instances": [{"id": "qwen3-4b", "config": {"context_length": 4096}}],
             "capabilities": {"vision": False, "trained_for_tool_use": True}},
            {"key": "nomic", "type": "embedding", "max_context_length": 2048, "loaded_instances": []},
        ]
    }  # fmt: skip
    models, _ = await listed(serves(v1__models=listed_ids, api__v1__models=native))
    qwen = models["qwen3-4b"]
    assert (qwen.name, qwen.context_window, qwen.capabilities, qwen.chat) == (
        "Qwen3 4B",
        4096,
        ("tools",),
        True,
    )
    assert qwen.details == {
        "architecture": "qwen3", "parameters": "4B", "quantization": "Q4_K_M", "size_bytes": 2497281152,
        "trained_context": 262144, "loaded": "yes", "loaded_context": 4096,
    }  # fmt: skip
    assert qwen.fingerprint == "qwen3 · Q4_K_M · 4B · 2,497,281,152 bytes"
    assert (models["nomic"].chat, models["nomic"].details["loaded"]) == (False, "no")


async def test_an_older_lm_studio_is_asked_the_older_way() -> None:
    listed_ids = {"data": [{"id": "a", "owned_by": "organization_owner"}]}
    older = {"data": [{"id": "a", "type": "vlm", "arch": "llama", "quantization": "4bit", "state": "not-loaded", "max_context_length": 8192, "capabilities": ["tool_use"]}]}  # fmt: skip
    models, server = await listed(serves(v1__models=listed_ids, api__v0__models=older))
    assert models["a"].capabilities == ("tools", "vision")
    assert (models["a"].context_window, models["a"].details["loaded"]) == (8192, "no")
    assert server.paths() == ["GET /v1/models", "GET /api/v1/models", "GET /api/v0/models"]


def deployment(name: str, model: str, **info: Any) -> dict[str, Any]:
    return {
        "model_name": name,
        "litellm_params": {"model": model, "api_key": "sk-hidden"},
        "model_info": info,
    }


async def test_litellm_says_prices_limits_and_what_stands_behind_a_name() -> None:
    priced = {
        "input_cost_per_token": 1.5e-07,
        "output_cost_per_token": 6e-07,
        "cache_read_input_token_cost": 7.5e-08,
    }
    info = {
        "data": [
            deployment("fast", "openai/gpt-4o-mini", mode="chat", max_input_tokens=128000, max_output_tokens=16384,
                       supports_function_calling=True, supports_vision=True, **priced),
            deployment("mixed", "openai/a", mode="chat", max_input_tokens=1000, **priced),
            deployment("mixed", "azure/a", mode="chat", max_input_tokens=500, input_cost_per_token=1, output_cost_per_token=1),
            deployment("unpriced", "ollama/x", input_cost_per_token=0, output_cost_per_token=0),
            {"model_name": 7}, "rubbish",
        ]
    }  # fmt: skip

    async def handler(exchange: Exchange) -> None:
        if exchange.path == "/v1/models":
            data = [{"id": name, "owned_by": "openai"} for name in ("fast", "mixed", "unpriced", "other")]
            await exchange.answer(200, {"data": data}, x_litellm_version="1.90")
        else:
            await serves(model__info=info)(exchange)

    models, _ = await listed(handler)
    fast = models["fast"]
    assert fast.price is not None
    assert (fast.price.input, fast.price.output, fast.price.cache_read) == (Decimal("0.15"), Decimal("0.6"), Decimal("0.075"))  # fmt: skip
    assert (fast.context_window, fast.max_output, fast.capabilities) == (128000, 16384, ("tools", "vision"))
    assert fast.fingerprint == "openai/gpt-4o-mini"
    mixed = models["mixed"]
    assert (mixed.price, mixed.context_window) == (None, 500), "what both deployments hold"
    assert mixed.details == {"behind": "azure/a, openai/a", "deployments": 2}
    assert models["unpriced"].price is None
    assert models["other"] == RemoteModel("other", owned_by="openai")
    assert "sk-hidden" not in repr(models)


async def test_xai_prices_come_from_its_other_list() -> None:
    rich = {"models": [{"id": "grok", "prompt_text_token_price": 20000, "completion_text_token_price": 100000, "aliases": ["grok-latest"]}]}  # fmt: skip
    models, _ = await listed(
        serves(v1__models={"data": [{"id": "grok"}]}, v1__language_models=rich), catalog_id="xai"
    )
    price = models["grok"].price
    assert price is not None
    assert (price.input, price.output) == (Decimal(2), Decimal(10))
    assert models["grok"].details == {"aliases": "grok-latest"}


@pytest.mark.parametrize(
    "answer", [500, 401, "<html>", [], {"default_generation_settings": 7}, {"x": 1}, "hang"]
)
async def test_a_further_question_that_fails_leaves_the_list_and_says_so(
    answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "LONGEST", 0.3)
    models, _ = await listed(serves(v1__models={"data": [LLAMA]}, props=answer))
    assert models["local"].owned_by == "llamacpp"
    assert models["local"].context_window in (131072, None) or answer == {"default_generation_settings": 7}
    assert models["local"].partial or isinstance(answer, dict)


async def test_a_server_without_that_page_is_no_failure() -> None:
    models, _ = await listed(serves(v1__models={"data": [LLAMA]}))
    assert not models["local"].partial


@pytest.mark.parametrize(
    ("url", "owner", "headers", "expected"),
    [
        ("https://api.example.com/v1", "llamacpp", {}, None),
        ("https://api.example.com/v1", "acme", {"x-litellm-version": "1"}, "/model/info"),
        ("http://192.168.1.9:1234/v1", "x", {}, "/api/v1/models"),
        ("http://127.0.0.1:8080/v1", "x", {"server": "llama.cpp"}, "/props"),
        ("http://127.0.0.1:8000/v1", "vllm", {}, None),
        ("https://api.openai.com/v1", "organization_owner", {}, None),
    ],
)
def test_only_servers_known_to_understand_it_are_asked(
    url: str, owner: str, headers: dict[str, str], expected: str | None
) -> None:
    extra = extra_for(Connection("s", "openai", url), headers, [RemoteModel("m", owned_by=owner)])
    assert (extra.paths[0] if extra else None) == expected


def test_what_lists_say_of_weights_and_lives() -> None:
    body = {
        "data": [
            {"id": "m-large", "max_context_length": 128000, "aliases": ["m-large", "m-latest"], "deprecation": "2027-01-31T00:00:00Z",
             "deprecation_replacement_model": "m-next", "capabilities": {"completion_chat": True, "function_calling": True, "vision": False}},
            {"id": "local-vllm", "owned_by": "vllm", "root": "acme/Model-7B-AWQ", "max_model_len": 32768},
            {"id": "auto", "pricing": {"prompt": "-1", "completion": "-1"}, "hugging_face_id": "acme/auto"},
        ]
    }  # fmt: skip
    large, vllm, auto = read_models(body)[0]
    assert (large.context_window, large.capabilities, large.chat) == (128000, ("tools",), True)
    assert large.shutdown_date is not None
    assert large.shutdown_date.startswith("2027-01-31")
    assert large.details == {"replacement": "m-next", "aliases": "m-latest"}
    assert (vllm.context_window, vllm.fingerprint) == (32768, "acme/Model-7B-AWQ")
    assert (auto.price, auto.fingerprint) == (None, None)


def test_joining_keeps_what_only_the_list_said() -> None:
    plain = RemoteModel("m", context_window=1, owned_by="o", details={"a": 1})
    both = enrich.joined(plain, RemoteModel("m", max_output=2, details={"b": 2}))
    assert (both.context_window, both.max_output, both.owned_by, both.details) == (
        1,
        2,
        "o",
        {"a": 1, "b": 2},
    )
