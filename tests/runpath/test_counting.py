"""Prompts that the vendor counts: what an estimate gains, what a run never waits for, and what happens when it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from runpath_play import PlayedAdapter, Room, answer, ask

from adapters.errors import ProviderError, RateLimitedError
from adapters.events import ChatRequest, Image, Message, ToolSpec
from catalog.usage import Usage
from services import counting
from services.run import RunRequest


class CountingAdapter(PlayedAdapter):
    """Counts as it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.counted: list[ChatRequest] = []
        self.tokens = 4_321
        self.refuse: ProviderError | None = None
        self.asked = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def count_tokens(self, request: ChatRequest) -> int:
        self.counted.append(request)
        self.asked.set()
        await self.gate.wait()
        if self.refuse is not None:
            raise self.refuse
        return self.tokens


@pytest.fixture
def adapter(room: Room, monkeypatch: pytest.MonkeyPatch) -> CountingAdapter:
    made = CountingAdapter()

    async def played(_slug: str) -> CountingAdapter:
        return made

    monkeypatch.setattr(room.services.registry, "adapter", played)
    monkeypatch.setattr("adapters.loader.can", lambda _dialect, _ability: True)
    return made


async def test_a_counted_prompt_is_exact_and_has_no_error_band(room: Room, adapter: CountingAdapter) -> None:
    estimates = room.services.estimates
    guess = await estimates.estimate(ask("x" * 400))
    [exact] = await estimates.counted([ask("x" * 400)])
    assert (guess.exact, guess.input_tokens) == (False, 104)
    assert (exact.exact, exact.input_tokens, exact.error_band) == (True, 4_321, 0)
    assert exact.worst_input == 4_321 + 16
    assert exact.low == Decimal("2.5") * 4_321 / 1_000_000 + Decimal("0.004")


async def test_a_run_takes_a_count_that_is_there_and_asks_for_none(
    room: Room, adapter: CountingAdapter
) -> None:
    adapter.plays = [answer("Yes.", usage=Usage(input=4_400, output=2))]
    await room.services.runs.start(ask("never counted")).result()
    assert adapter.counted == []
    assert await room.services.counting.count(ask("counted")) == 4_321
    run = room.services.runs.start(ask("counted"))
    await run.result()
    assert run.estimate is not None
    assert (run.estimate.exact, run.estimate.input_tokens) == (True, 4_321)
    assert len(adapter.counted) == 1


async def test_the_same_prompt_is_asked_about_once_and_another_anew(
    room: Room, adapter: CountingAdapter
) -> None:
    count = room.services.counting.count
    tool = ToolSpec("f", "d", {})
    requests = [
        ask("a"),
        ask("b"),
        replace(ask("a"), system="s"),
        replace(ask("a"), tools=(tool,)),
        replace(ask("a"), reasoning_effort="low"),
        RunRequest("acme/big", (Message("user", "a", images=(Image("image/png", b"1"),)),)),
        RunRequest("acme/big", (Message("user", "a", images=(Image("image/png", b"2"),)),)),
    ]
    for request in requests:
        await count(request)
        await count(replace(request, temperature=0.5, conversation_id="c"))
    assert len(adapter.counted) == len(requests)


async def test_a_vendor_that_fails_is_left_alone_for_a_while(
    room: Room, adapter: CountingAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(counting, "monotonic", lambda: now[0])
    adapter.refuse = RateLimitedError("slow down")
    [guess] = await room.services.estimates.counted([ask("x" * 400)])
    assert (guess.exact, guess.input_tokens) == (False, 104)
    adapter.refuse = None
    assert await room.services.counting.count(ask("x" * 400)) is None
    assert len(adapter.counted) == 1
    now[0] += counting.REST_S
    assert await room.services.counting.count(ask("x" * 400)) == 4_321


async def test_a_server_without_the_call_is_left_alone_for_long_and_a_wait_is_kept_to(
    room: Room, adapter: CountingAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(counting, "monotonic", lambda: now[0])
    for refusal, rest in (
        (ProviderError("no such path", status=404), counting.LONG_REST_S),
        (RateLimitedError("slow down", retry_after_ms=300_000), 300),
    ):
        adapter.refuse = refusal
        assert await room.services.counting.count(ask("a")) is None
        now[0] += rest - 1
        assert not await room.services.counting.able(ask("a").model)
        now[0] += 2
        assert await room.services.counting.able(ask("a").model)


async def test_a_secret_header_in_a_locked_vault_is_not_asked_for_while_one_types(
    room: Room, adapter: CountingAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = await room.services.registry.row(ask("a").model.partition("/")[0])

    async def with_header(_slug: str) -> object:
        return replace(row, secret_headers={"X-Gateway": "vault:acme!x-gateway"})

    monkeypatch.setattr(room.services.registry, "row", with_header)
    assert await room.services.counting.count(ask("a")) is None
    assert adapter.counted == []


async def test_the_limit_told_to_a_vendor_leaves_room_though_the_guess_be_too_high(
    room: Room, adapter: CountingAdapter
) -> None:
    guess = await room.services.estimates.estimate(ask("x"))
    full = replace(
        guess, input_tokens=210_000, error_band=0.5, context_window=200_000, longest=64_000, max_output=1
    )
    assert full.longest_answer == 64_000
    assert replace(full, error_band=0.0, input_tokens=190_000).longest_answer == 10_000
    assert replace(full, error_band=0.0).longest_answer == 4_096, "the vendor says that it is too long"


async def test_a_vendor_that_is_slow_is_not_waited_for(
    room: Room, adapter: CountingAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "TIMEOUT_S", 0.02)
    adapter.gate.clear()
    [guess] = await room.services.estimates.counted([ask("x" * 400)])
    assert guess.exact is False
    assert len(adapter.counted) == 1


async def test_a_count_that_is_cancelled_leaves_nothing_behind(room: Room, adapter: CountingAdapter) -> None:
    adapter.gate.clear()
    task = asyncio.create_task(room.services.counting.count(ask("a")))
    await adapter.asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    adapter.gate.set()
    assert await room.services.counting.count(ask("a")) == 4_321


async def test_nobody_is_asked_where_it_is_not_wanted_or_cannot_be(
    room: Room, adapter: CountingAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = room.services
    settings = services.settings
    for closed in (
        replace(settings, chat=replace(settings.chat, exact_counts="off")),
        replace(settings, network=replace(settings.network, offline=True)),
    ):
        monkeypatch.setattr(services, "settings", closed)
        assert await services.counting.count(ask("a")) is None
    monkeypatch.setattr(services, "settings", settings)

    async def asks_first(_ref: str | None) -> bool:
        return False

    monkeypatch.setattr(services.credentials, "at_hand", asks_first)
    assert await services.counting.count(ask("a")) is None
    assert adapter.counted == []


async def test_a_dialect_that_cannot_count_is_never_connected(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def connected(_slug: str) -> None:
        pytest.fail("it was")

    monkeypatch.setattr(room.services.registry, "adapter", connected)
    [guess] = await room.services.estimates.counted([ask("x" * 400)])
    assert guess.exact is False


async def test_an_unlocked_vault_is_at_hand_and_a_locked_one_is_not(
    open_room: Callable[[], Awaitable[Room]],
) -> None:
    room = await open_room()
    at_hand = room.services.credentials.at_hand
    assert await at_hand(None)
    assert await at_hand("env:ANYTHING")
    assert not await at_hand("vault:acme")
