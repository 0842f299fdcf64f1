"""The scripted provider plays the same every time; the loader finds dialects and survives broken plug-ins."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
from collected import Collected
from contract import collect

from adapters import loader
from adapters.base import Connection, Watchdogs
from adapters.errors import (
    InvalidCredentialsError,
    ModelUnavailableError,
    NetworkError,
    NoCreditError,
    OverloadedError,
    ProviderError,
    ProviderTimeoutError,
    RateLimitedError,
)
from adapters.events import ChatRequest, Message, ToolSpec
from adapters.fake import FakeAdapter
from adapters.fake_scripts import OVERLOADED, SCRIPTS, Answer, FakeModel, Fault, Script
from adapters.fetch import Fetcher
from catalog.errors import UsageError


class Clock:
    """Counts the seconds that would have been waited."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


def fake(script: str, clock: Clock | None = None, **options: str) -> FakeAdapter:
    connection = Connection("demo", "fake", "http://127.0.0.1", options={"script": script, **options})
    return FakeAdapter(connection, sleep=(clock or Clock()).sleep)


async def ask(adapter: FakeAdapter, text: str, **more: object) -> Collected:
    model = (await adapter.list_models())[0].id
    async with adapter.stream(ChatRequest(model, (Message("user", text),), **more)) as stream:  # type: ignore[arg-type]
        return await collect(stream)


_REFUSING = {"demo-azure": InvalidCredentialsError, "demo-together": NetworkError}


@pytest.mark.parametrize("name", [n for n in SCRIPTS if n.startswith("demo-") and n not in _REFUSING])
async def test_the_demo_scripts_play_the_same_every_time(name: str) -> None:
    said = []
    for _ in range(2):
        clock = Clock()
        adapter = fake(name, clock)
        if name == "demo-anthropic-ish":  # its first request meets a rate limit
            with pytest.raises(RateLimitedError) as caught:
                await ask(adapter, "hello")
            assert caught.value.retry_after_ms == 1500
        got = await ask(adapter, "please write some code")
        said.append((got.text, got.thinking, got.usage, clock.waits))
    assert said[0] == said[1]
    text = "".join(said[0][0])
    assert "```python" in text
    seconds = sum(said[0][3])
    assert 0.5 < seconds < 25, "a human pace"


@pytest.mark.parametrize(("name", "error"), _REFUSING.items())
async def test_a_provider_of_the_demo_that_never_works(name: str, error: type[ProviderError]) -> None:
    adapter = fake(name)
    checked = await adapter.validate()
    assert checked.state == error.state
    with pytest.raises(error):
        await adapter.list_models()
    with pytest.raises(error):
        async with adapter.stream(ChatRequest(SCRIPTS[name].models[0].id, (Message("user", "hello"),))):
            pass


async def test_every_third_request_meets_the_fault() -> None:
    play = Script(
        "x", (FakeModel("m", ttft=0, pace=0),), (Answer("yes"),), (replace(OVERLOADED, times=2, every=3),)
    )
    adapter = FakeAdapter(Connection("demo", "fake", "http://127.0.0.1"), play=play, sleep=Clock().sleep)
    met = []
    for _ in range(12):
        try:
            await ask(adapter, "hello")
        except OverloadedError:
            met.append(True)
        else:
            met.append(False)
    assert met == [False, False, True, False, False, True, *[False] * 6]


async def test_the_answers_have_what_the_screens_need_to_show() -> None:
    adapter = fake("demo-local")
    assert "| small model |" in "".join((await ask(adapter, "compare these")).text)
    assert "日本語" in "".join((await ask(adapter, "in japanese")).text)
    assert (await ask(adapter, "anything")).thinking
    tools = (ToolSpec("get_weather", "w", {}),)
    assert (await ask(adapter, "weather?", tools=tools)).tool_calls[0].name == "get_weather"
    assert not (await ask(adapter, "weather?")).tool_calls


async def test_a_limit_ends_the_answer() -> None:
    got = await ask(fake("demo-openai"), "code", max_tokens=5)
    assert got.finished is not None
    assert got.finished.finish_reason == "length"
    assert got.usage.output == 5


async def test_speed() -> None:
    slow, fast = Clock(), Clock()
    await ask(fake("demo-local", slow), "code")
    await ask(fake("demo-local", fast, speed="0"), "code")
    assert sum(slow.waits) > 1
    assert sum(fast.waits) == 0


async def test_faults_come_in_order_and_pass() -> None:
    assert "".join((await ask(await limited(), "x")).text) == "Hello after a wait."
    adapter = fake("no-credit")
    assert (await adapter.validate()).ok
    for _ in range(2):
        with pytest.raises(NoCreditError):
            await ask(adapter, "x")


async def test_an_overload_passes_too() -> None:
    adapter = fake("overloaded-once")
    with pytest.raises(OverloadedError):
        await ask(adapter, "x")
    assert "".join((await ask(adapter, "x")).text) == "Hello after a rest."


async def limited() -> FakeAdapter:
    adapter = fake("limited-once")
    with pytest.raises(RateLimitedError):
        await ask(adapter, "x")
    return adapter


async def test_silence_meets_the_watchdog() -> None:
    script = Script("s", (FakeModel("m"),), (Answer("x"),), (Fault("silent"),))
    connection = Connection("demo", "fake", "http://127.0.0.1", watchdogs=Watchdogs(first_event=3))
    clock = Clock()
    with pytest.raises(ProviderTimeoutError):
        await ask(FakeAdapter(connection, play=script, sleep=clock.sleep), "x")
    assert 3 in clock.waits


async def test_unknown_names() -> None:
    with pytest.raises(UsageError, match="no script nonsense"):
        fake("nonsense")
    for speed in ("fast", "-1", "nan"):
        with pytest.raises(UsageError, match="speed"):
            fake("plain", speed=speed)
    with pytest.raises(ModelUnavailableError):
        async with fake("plain").stream(ChatRequest("zzz", ())):
            pytest.fail("no such model")


# --- the loader ----------------------------------------------------------------------------------------------


def connection(dialect: str) -> Connection:
    return Connection("p", dialect, "http://127.0.0.1:9")


def test_ours() -> None:
    assert loader.create(connection("openai"), Fetcher()).dialect == "openai"
    assert loader.create(connection("fake"), Fetcher()).dialect == "fake"
    with pytest.raises(UsageError, match="No adapter speaks the dialect klingon") as caught:
        loader.create(connection("klingon"), Fetcher())
    assert "openai" in (caught.value.hint or "")
    assert "fake" not in loader.dialects()


def test_a_dialect_is_imported_on_first_use() -> None:
    assert "adapters.openai" not in loaded("import adapters.loader")
    assert "adapters.fake" not in loaded("import adapters.openai")


def test_nothing_of_the_terminal_comes_along() -> None:
    modules = loaded("import adapters.openai, adapters.fake")
    assert "httpx" in modules
    assert not {"rich", "textual", "click"} & modules


def loaded(code: str) -> set[str]:
    run = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(run.stdout.split())
