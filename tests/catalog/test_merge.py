"""Which source is believed, and what a change of a list looks like."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest

from catalog.merge import FieldChange, diff_models, merge_model
from catalog.patterns import guessed_capabilities, is_chat, normalised
from catalog.types import ModelInfo, Price, Tier

D = Decimal


def model(**fields: object) -> ModelInfo:
    return ModelInfo.model_validate({"id": "m", **fields})


def test_the_first_source_with_an_opinion_wins_field_by_field() -> None:
    merged = merge_model(
        "m",
        user=model(name="Mine"),
        live=model(name="Live", context_window=1000),
        refreshed=model(context_window=2, max_output=500),
        bundled=model(context_window=3, max_output=4, family="f", sources={"family": "catalog:genai"}),
    )
    assert (merged.name, merged.context_window, merged.max_output, merged.family) == ("Mine", 1000, 500, "f")
    assert merged.sources == {
        "name": "user",
        "context_window": "live",
        "max_output": "refreshed",
        "family": "catalog:genai",
    }


def test_a_price_is_taken_as_one_block() -> None:
    bundled = model(price=Price(input=D(1), output=D(2), cache_read=D("0.1")))
    merged = merge_model("m", user=model(price=Price(input=D(5), output=D(6))), bundled=bundled)
    assert merged.price == Price(input=D(5), output=D(6)), (
        "the vendor's cache price does not belong to the user's price"
    )
    assert merge_model("m", live=model(price=Price()), bundled=bundled).price == bundled.price


def test_no_capabilities_is_an_opinion_and_absence_is_guessed() -> None:
    known = merge_model("gpt-4o", live=model(capabilities=()), bundled=model(capabilities=("tools",)))
    assert (known.capabilities, known.sources["capabilities"]) == ((), "live")
    guessed = merge_model("gpt-4o")
    assert guessed.sources["capabilities"] == "pattern"
    assert set(guessed.capabilities or ()) == {"tools", "vision"}
    nothing = merge_model("mystery")
    assert nothing.capabilities is None
    assert nothing.sources == {}


def test_a_listed_model_is_not_called_unlisted() -> None:
    gone = model(status="unlisted")
    assert merge_model("m", bundled=gone).status == "unlisted"
    assert merge_model("m", live=model(), bundled=gone).status is None


def test_a_diff_names_prices_first() -> None:
    old = {
        "a": model(id="a", name="A", price=Price(input=D("2.5"), output=D(10))),
        "b": model(id="b", capabilities=("tools",)),
        "gone": model(id="gone"),
    }
    new = {
        "a": model(
            id="a",
            name="B",
            price=Price(input=D(3), output=D(10), tiers=(Tier(over_input_tokens=5, input=D(9)),)),
        ),
        "b": model(id="b", capabilities=("tools", "vision"), context_window=5),
        "fresh": model(id="fresh"),
    }
    diff = diff_models(old, new)
    assert (diff.added, diff.removed) == (("fresh",), ("gone",))
    assert [(change.id, change.field) for change in diff.updated] == [
        ("a", "price.input"),
        ("a", "price.tiers"),
        ("a", "name"),
        ("b", "capabilities"),
        ("b", "context_window"),
    ]
    assert diff.updated[0] == FieldChange("a", "price.input", "2.5", "3")
    assert diff.updated[4] == FieldChange("b", "context_window", None, 5)
    assert not diff.empty
    assert diff_models(new, new).empty


def test_a_source_alone_is_no_change() -> None:
    assert diff_models({"m": model(sources={"name": "live"})}, {"m": model(sources={"name": "user"})}).empty


def test_a_free_model_and_one_of_unknown_price_differ() -> None:
    [change] = diff_models({"m": model()}, {"m": model(price=Price(input=D(0)))}).updated
    assert (change.old, change.new) == (None, "0")


@pytest.mark.parametrize(
    ("model_id", "capabilities"),
    [
        ("gpt-4o-mini", {"tools", "vision"}),
        ("o3-mini", {"tools", "reasoning"}),
        ("anthropic/claude-sonnet-4.5", {"tools", "vision", "reasoning"}),
        ("us.anthropic.claude-opus-4-6-v1:0", {"tools", "vision", "reasoning"}),
        ("accounts/fireworks/models/llama-v3p1-70b-instruct", {"tools"}),
        ("text-embedding-3-small", {"embeddings"}),
        ("whisper-1", set()),
        ("my-own-finetune", set()),
    ],
)
def test_names_suggest_capabilities(model_id: str, capabilities: set[str]) -> None:
    assert set(guessed_capabilities(model_id)) == capabilities


@pytest.mark.parametrize(
    ("model_id", "chat"),
    [("gpt-4o", True), ("text-embedding-3-small", False), ("dall-e-3", False), ("whisper-1", False), ("omni-moderation-latest", False), ("qwen3:4b", True)],
)  # fmt: skip
def test_names_tell_chat_models_from_others(model_id: str, chat: bool) -> None:
    assert is_chat(model_id) is chat


def test_names_are_normalised() -> None:
    assert normalised("Accounts/x/Models/Qwen2p5-VL:free") == "qwen2.5-vl"
    assert normalised("eu.anthropic.claude-3") == "claude-3"


def test_guessing_fifty_thousand_names_is_quick() -> None:
    before = time.process_time()
    for number in range(5000):
        guessed_capabilities(f"vendor/some-model-{number}-instruct-v{number % 7}")
    assert time.process_time() - before < 2.0
