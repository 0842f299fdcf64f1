"""`--demo`: the same every time, answers at a human pace without a network, nothing left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from adapters.events import Message
from services import clock
from services.container import open_services
from services.demo import demo_home, seed_demo
from services.paths import under
from services.run import RunRequest, RunRetry, RunText, RunThinking
from store.ledger import Ledger


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Temporary folders go where the test can look."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the demo must not open a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


async def test_it_is_the_same_every_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = clock.now_ms()
    monkeypatch.setattr("time.time_ns", lambda: moment * 1_000_000)
    seen = []
    for name in ("a", "b"):
        paths = under(tmp_path / name)
        await seed_demo(paths)
        async with open_services(paths) as services:
            seen.append(await Ledger(services.db).recent(50_000))
    assert seen[0] == seen[1]
    assert len(seen[0]) > 10_000


@pytest.mark.usefixtures("no_network")
async def test_a_chat_is_limited_once_then_answered(tmp_path: Path) -> None:
    paths = under(tmp_path / "home")
    await seed_demo(paths)
    async with open_services(paths, actor="tui") as services:

        async def no_time(_seconds: float) -> None:
            return None

        adapter = await services.registry.adapter("anthropic")
        adapter._sleep = no_time  # type: ignore[attr-defined]
        from services.run import Timing

        services.runs.timing = Timing(sleep=no_time)
        request = RunRequest(
            "anthropic/claude-sonnet-5-5", (Message("user", "Compare the prices."),), headless=False
        )
        run = services.runs.start(request)
        events = [event async for event in run.events()]
        result = await run.result()
    assert [event.delay_s for event in events if isinstance(event, RunRetry)] == [1.5]
    assert sum(isinstance(event, RunText) for event in events) > 50, "word by word"
    assert any(isinstance(event, RunThinking) for event in events)
    assert "| price per million" in result.text
    assert (result.state, result.grade) == ("complete", "computed")


def test_nothing_is_left_behind(temporary: Path) -> None:
    def crash() -> None:
        with demo_home() as paths:
            paths.ensure()
            assert list(temporary.iterdir())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        crash()
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_not_even_when_it_is_ended_from_outside(temporary: Path, number: signal.Signals) -> None:
    code = (
        "import asyncio\n"
        "from services.demo import demo_home, seed_demo\n"
        "async def main():\n"
        "    with demo_home() as paths:\n"
        "        paths.ensure()\n"
        "        print('up', flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    root = Path(__file__).parents[2]
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=root,
        env={**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "up\n"
    assert list(temporary.iterdir())
    child.send_signal(number)
    child.communicate()
    if number == signal.SIGKILL:
        with demo_home():
            assert len(list(temporary.iterdir())) == 1, "the next demo tidies up"
    assert list(temporary.iterdir()) == []
