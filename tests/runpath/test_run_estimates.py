"""What is said before a run is sent."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest
from runpath_play import PRICE, Room, answer, ask

from adapters.events import Image, Message, ToolCall, ToolSpec
from catalog.types import ModelInfo, Price, Tier
from catalog.usage import Usage
from services.estimate import longest_output
from services.ratios import IMAGE_TOKENS, UNLEARNED, PromptSize, prompt_size, weigh
from services.run import RunRequest
from services.tariff import Tariff, discounted
from store.ratios import Ratios


async def test_before_anything_is_learned(room: Room) -> None:
    estimate = await room.services.estimates.estimate(ask("x" * 400))
    assert (estimate.input_tokens, estimate.likely_output, estimate.max_output) == (104, 400, 1_000)
    assert estimate.low == Decimal("0.00026") + Decimal("0.004")
    assert estimate.high == Decimal("0.00026") + Decimal("0.01")
    assert (estimate.own, estimate.exact) == (False, False)
    assert estimate.worst_input == 104 * 1.5 + 16


@pytest.mark.parametrize(
    ("ref", "own"), [("home/llama", True), ("acme/mystery", False), ("acme/unheard", False)]
)
async def test_no_price_is_never_zero(room: Room, ref: str, own: bool) -> None:
    estimate = await room.services.estimates.estimate(ask(model=ref))
    assert (estimate.low, estimate.high, estimate.own) == (None, None, own)


async def test_the_ratio_is_learned_from_what_vendors_report(room: Room) -> None:
    room.plays(answer("Tak.", usage=Usage(input=204, output=90)))
    polish = "zażółć gęślą jaźń " * 40
    before = await room.services.estimates.estimate(ask(polish))
    weight = weigh(polish)
    for _ in range(4):
        await room.services.runs.start(ask(polish)).result()
    after = await room.services.estimates.estimate(ask(polish))
    assert before.input_tokens == -(-weight // 4) + 4
    assert after.input_tokens == 204
    assert after.error_band == 0.05, "four times right: it may be trusted"
    assert after.likely_output == 90, "answers so far tell the likely length"


async def test_prompts_that_teach_nothing(room: Room) -> None:
    room.plays(answer("Yes.", usage=Usage(input=5_000, output=5)))
    await room.services.runs.start(ask("Hi")).result()
    picture = Message("user", "x" * 100, images=(Image("image/png", b""),))
    await room.services.runs.start(RunRequest("acme/big", (picture,))).result()
    room.plays(answer("Yes.", usage=Usage(input=2, output=5)))
    await room.services.runs.start(ask("x" * 4_000)).result()
    assert await Ratios(room.services.db).get("acme", "big") is None


async def test_quick_says_the_same_without_waiting(room: Room) -> None:
    estimates = room.services.estimates
    view = await room.services.models.get("acme/big")
    await estimates.prepare("acme/big")
    text = "Why is the sky blue? " * 30
    assert estimates.quick(view, weigh(text)) == await estimates.estimate(ask(text))
    begun = time.perf_counter()
    for _ in range(100):
        estimates.quick(view, weigh(text))
    assert (time.perf_counter() - begun) / 100 < 0.002, "cheap enough for every key press"


async def test_a_wish_for_length_is_the_worst(room: Room) -> None:
    estimate = await room.services.estimates.estimate(ask(max_tokens=10))
    assert (estimate.likely_output, estimate.max_output) == (10, 10)
    assert estimate.low == estimate.high


def test_everything_that_is_sent_is_counted() -> None:
    call = ToolCall("c1", "weather", '{"city": "Oslo"}')
    messages = (
        Message("user", "Weather?", images=(Image("image/png", b""),)),
        Message("assistant", "", tool_calls=(call,)),
        Message("tool", "rain", tool_call_id="c1"),
    )
    tool = ToolSpec("weather", "The weather of a city", {"type": "object"})
    size = prompt_size(messages, "Be brief.", (tool,))
    assert (size.messages, size.images) == (5, 1)
    assert (
        size.weight
        == sum(map(len, ("Be brief.", "Weather?", "weather", call.arguments, "rain"))) + 7 + 21 + 18
    )
    assert size.tokens(UNLEARNED) == -(-size.weight // 4) + 5 * 4 + IMAGE_TOKENS


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("Hello there, friend.", 5), ("日本語です。", 5), ("Здравствуй", 5), ("🎉🎉🎉", 3), ("", 0)],
)
def test_other_scripts(text: str, tokens: int) -> None:
    assert UNLEARNED.tokens(weigh(text)) == tokens


def test_a_lone_surrogate_is_weighed() -> None:
    assert weigh("a\ud800") == 4


@pytest.mark.parametrize(
    ("info", "longest"),
    [
        (ModelInfo(id="m", max_output=900, default_max_tokens=500), 900),
        (ModelInfo(id="m", default_max_tokens=500), 500),
        (ModelInfo(id="m"), 4_096),
        (ModelInfo(id="m", context_window=2_000), 1_900),
        (ModelInfo(id="m", context_window=50), 1),
    ],
)
def test_longest_output(info: ModelInfo, longest: int) -> None:
    assert longest_output(info, 100) == longest


def test_worst_case_takes_the_dearest_rates() -> None:
    from datetime import UTC, datetime

    price = Price(
        input=Decimal(2),
        output=Decimal(10),
        cache_write=Decimal("2.5"),
        tiers=(Tier(over_input_tokens=1_000, input=Decimal(4), output=Decimal(20)),),
    )
    now = datetime.now(UTC)
    small, large = (Tariff(price, own=False).worst(tokens, now) for tokens in (1_000, 1_001))
    assert small is not None
    assert large is not None
    assert small.prompt == Decimal("0.0025")
    assert large.prompt == Decimal("0.004004")
    assert small.nanos(100) == 2_500_000 + 1_000_000 + 1
    assert small.affordable(small.nanos(100)) == 99
    assert small.affordable(small.nanos(100) + 1) == 100
    assert small.affordable(0) is not None
    assert (small.affordable(0) or 0) < 0
    free = Tariff(Price(input=Decimal(0), output=Decimal(0)), own=False).worst(10, now)
    assert free is not None
    assert (free.affordable(10), free.affordable(-5), free.nanos(1_000)) == (None, None, 0)
    assert PromptSize(0).tokens(UNLEARNED) == 4


def test_discounts_reach_every_rate() -> None:
    price = discounted(
        Price(input=Decimal(2), output=Decimal(10), tiers=(Tier(over_input_tokens=5, input=Decimal(4)),)),
        Decimal(50),
    )
    assert (price.input, price.output, price.tiers[0].input) == (1, 5, 2)
    assert price.tiers[0].over_input_tokens == 5
    assert PRICE.input == Decimal("2.5")
