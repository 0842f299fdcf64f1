"""URLs and model lists of compatible servers, as users paste them and as vendors write them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.base import Connection
from adapters.openai.endpoint import endpoint
from adapters.openai.models import read_models
from adapters.openai.request import habits
from adapters.openai.vendors import with_defaults

URLS = [
    ("https://api.openai.com", "https://api.openai.com/v1"),
    ("https://api.openai.com/", "https://api.openai.com/v1"),
    ("https://api.openai.com/v1", "https://api.openai.com/v1"),
    ("https://api.openai.com/v1/", "https://api.openai.com/v1"),
    ("https://api.openai.com//v1//", "https://api.openai.com/v1"),
    ("https://api.openai.com/v1/chat/completions", "https://api.openai.com/v1"),
    ("https://api.openai.com/v1/chat/completions/", "https://api.openai.com/v1"),
    ("https://api.openai.com/v1/models", "https://api.openai.com/v1"),
    ("https://api.openai.com/chat/completions", "https://api.openai.com/v1"),
    ("https://api.openai.com/v1?x=1#y", "https://api.openai.com/v1"),
    ("https://eu.api.openai.com/v1", "https://eu.api.openai.com/v1"),
    ("https://api.groq.com/openai", "https://api.groq.com/openai/v1"),
    ("https://api.groq.com/openai/v1", "https://api.groq.com/openai/v1"),
    ("https://api.deepseek.com", "https://api.deepseek.com"),
    ("https://api.deepseek.com/v1", "https://api.deepseek.com/v1"),
    ("https://api.perplexity.ai/chat/completions", "https://api.perplexity.ai"),
    (
        "https://generativelanguage.googleapis.com/v1beta/openai/",
        "https://generativelanguage.googleapis.com/v1beta/openai",
    ),
    ("https://api.z.ai/api/paas/v4", "https://api.z.ai/api/paas/v4"),
    ("https://api.z.ai/api/paas/v4/chat/completions", "https://api.z.ai/api/paas/v4"),
    ("https://api.deepinfra.com/v1/openai", "https://api.deepinfra.com/v1/openai"),
    ("https://openrouter.ai/api", "https://openrouter.ai/api/v1"),
    ("https://api.fireworks.ai/inference/v1", "https://api.fireworks.ai/inference/v1"),
    ("https://router.huggingface.co/v1", "https://router.huggingface.co/v1"),
    ("http://127.0.0.1:8080", "http://127.0.0.1:8080/v1"),
    ("http://[::1]:8080/v1/", "http://[::1]:8080/v1"),
    ("http://localhost:1234/v1/models/", "http://localhost:1234/v1"),
    ("http://gpu-box:8000/vllm", "http://gpu-box:8000/vllm/v1"),
    ("https://qianfan.example/v2", "https://qianfan.example/v2"),
]


@pytest.mark.parametrize(("pasted", "base"), URLS)
def test_the_version_is_added_once_and_never_doubled(pasted: str, base: str) -> None:
    assert endpoint(pasted, "chat/completions") == f"{base}/chat/completions"
    assert endpoint(endpoint(pasted, "chat/completions"), "models") == f"{base}/models"


def test_a_server_without_a_version_segment() -> None:
    assert (
        endpoint("http://127.0.0.1:3000/api", "models", versioned=False) == "http://127.0.0.1:3000/api/models"
    )


@pytest.mark.parametrize(
    ("url", "field", "reasoning"),
    [
        ("https://api.openai.com/v1", "max_completion_tokens", None),
        ("https://eu.api.openai.com", "max_completion_tokens", None),
        ("https://api.openai.com.evil.example", "max_tokens", None),
        ("https://api.deepseek.com", "max_tokens", "reasoning_content"),
        ("http://127.0.0.1:8080", "max_tokens", None),
    ],
)
def test_habits_by_host(url: str, field: str, reasoning: str | None) -> None:
    found = habits(with_defaults(Connection("p", "openai", url)))
    assert (found.max_tokens_field, found.reasoning_field) == (field, reasoning)


def one(entry: object) -> Any:
    models, bad = read_models({"data": [entry]})
    assert bad == 0
    return models[0]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"created": 1700000000, "owned_by": "openai", "shutdown_date": "2027-01-01"}, {"created": 1700000000, "owned_by": "openai", "shutdown_date": "2027-01-01"}),
        ({"context_length": 131072}, {"context_window": 131072}),
        ({"context_window": 131072, "max_completion_tokens": 8192, "active": False}, {"context_window": 131072, "max_output": 8192, "status": "retired"}),
        ({"max_model_len": 4096, "owned_by": "vllm"}, {"context_window": 4096}),
        ({"max_context_length": 32768, "capabilities": {"completion_chat": True, "function_calling": True, "vision": False}, "deprecation": "2027-03-01T00:00:00Z"}, {"context_window": 32768, "chat": True, "capabilities": ("tools",), "shutdown_date": "2027-03-01T00:00:00Z"}),
        ({"capabilities": {"completion_chat": False, "function_calling": False}}, {"chat": False, "capabilities": ()}),
        ({"meta": {"n_ctx_train": 8192, "n_ctx": 2048}, "capabilities": ["completion"]}, {"context_window": 2048, "capabilities": None}),
        ({"meta": {"n_ctx_train": 8192}}, {"context_window": 8192}),
        ({"context_length": "65536"}, {"context_window": 65536}),
        ({"context_length": 0, "created": 0}, {"context_window": None, "created": None}),
        ({"context_length": True, "created": "yesterday", "owned_by": 5}, {"context_window": None, "created": None, "owned_by": None}),
        ({"type": "embedding"}, {"chat": False, "capabilities": ("embeddings",)}),
        ({"type": "chat", "display_name": "Big"}, {"chat": True, "name": "Big", "capabilities": None}),
        ({"supports_chat": True, "supports_image_input": True, "supports_tools": True}, {"chat": True, "capabilities": ("tools", "vision")}),
        ({"tags": ["tool-use", "vision", "reasoning"]}, {"capabilities": ("reasoning", "tools", "vision")}),
        ({"name": "X", "architecture": {"input_modalities": ["text", "image"]}, "supported_parameters": ["tools", "structured_outputs"], "top_provider": {"max_completion_tokens": 100}, "expiration_date": 1798761600}, {"name": "X", "capabilities": ("json", "tools", "vision"), "max_output": 100, "shutdown_date": "2027-01-01"}),
        ({"limits": {"max_context_length": 100, "max_completion_tokens": 10}, "deprecated": True}, {"context_window": 100, "max_output": 10, "status": "deprecated"}),
        ({"display_name": "a\x1b[31mb\nc"}, {"name": "a␛[31mb c"}),
    ],
)  # fmt: skip
def test_what_a_list_says(entry: dict[str, object], expected: dict[str, object]) -> None:
    model = one({"id": "m", **entry})
    assert {name: getattr(model, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("entry", "rates"),
    [
        ({"pricing": {"prompt": "0.0000025", "completion": "0.00001", "input_cache_read": "0.00000125"}}, ("2.5", "10", "1.25", None)),
        ({"pricing": {"prompt": "0", "completion": "0"}}, ("0", "0", None, None)),
        ({"pricing": {"prompt": "-1", "completion": "-1"}}, None),
        ({"pricing": {"input": "0.00000015", "output": "0.0000006"}}, ("0.15", "0.6", None, None)),
        ({"pricing": {"input": 0.18, "output": 0.59, "hourly": 0, "base": 0}}, ("0.18", "0.59", None, None)),
        ({"pricing": {"input": 0.18, "output": 0.59}}, None),
        ({"pricing": {"prompt": "2.5", "completion": "10"}}, None),
        ({"metadata": {"pricing": {"input_tokens": 0.1, "output_tokens": 0.3}}}, ("0.1", "0.3", None, None)),
        ({"prompt_text_token_price": 20000, "completion_text_token_price": 100000, "cached_prompt_text_token_price": 5000}, ("2", "10", "0.5", None)),
        ({"pricing": "free"}, None),
        ({"pricing": {"prompt": None, "completion": []}}, None),
    ],
)  # fmt: skip
def test_prices_only_where_the_unit_is_beyond_doubt(
    entry: dict[str, object], rates: tuple[str | None, ...] | None
) -> None:
    price = one({"id": "m", **entry}).price
    if rates is None:
        assert price is None
    else:
        assert (price.input, price.output, price.cache_read, price.cache_write) == tuple(
            None if r is None else Decimal(r) for r in rates
        )


@pytest.mark.parametrize(
    "body",
    [
        {"data": [{"id": "a"}]},
        [{"id": "a"}],
        {"models": [{"name": "a"}]},
        ["a"],
        {"data": [{"model_id": "a"}]},
    ],
)
def test_the_shapes_of_lists(body: object) -> None:
    assert [m.id for m in read_models(body)[0]] == ["a"]


@pytest.mark.parametrize("body", [None, "x", 5, {}, {"data": "x"}, {"error": {}}])
def test_what_is_no_list(body: object) -> None:
    with pytest.raises(ValueError, match="list"):
        read_models(body)


def test_one_bad_entry_leaves_the_others() -> None:
    entries = [
        {"id": "a"},
        None,
        5,
        {},
        {"id": 7},
        {"id": ""},
        {"id": "x" * 600},
        {"id": "a"},
        {"id": "org/b:free"},
    ]
    models, bad = read_models({"data": entries})
    assert [m.id for m in models] == ["a", "org/b:free"]
    assert bad == 6


@settings(max_examples=200, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6), lambda i: st.lists(i, max_size=3) | st.dictionaries(st.sampled_from(["id", "created", "pricing", "prompt", "completion", "input", "output", "hourly", "capabilities", "meta", "n_ctx", "metadata", "type", "architecture", "input_modalities", "deprecation", "context_length", "name"]), i, max_size=6), max_leaves=14))  # fmt: skip
def test_no_entry_upsets_it(entry: object) -> None:
    models, bad = read_models([{"id": "good"}, entry])
    assert models[0].id == "good"
    assert len(models) + bad >= 1
