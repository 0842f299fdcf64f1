"""The terminal UI inside tmux, through a real ssh login, on a real llama.cpp server: what a person presses and sees."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from real_peers import ROOT, LlamaFarm, Switchroom, program, wait_until
from real_ssh import Sshd, Tmux, quoted

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    daemon = Sshd(tmp_path_factory.mktemp("sshd"))
    yield daemon
    daemon.close()


@pytest.fixture
def remote(sshd: Sshd, home: Path, tmp_path: Path) -> Iterator[Tmux]:
    """The program, started through ssh in a terminal of 120×40."""
    command = f"cd {ROOT} && " + quoted(
        *program(), SWITCHROOM_HOME=str(home), LANG="C.UTF-8", COLORTERM="truecolor"
    )
    terminal = Tmux(tmp_path, f"{sshd.command} {quoted(command)}")
    yield terminal
    terminal.close()


def test_dangerous_text_is_shown_as_text(
    llamas: LlamaFarm, switchroom: Switchroom, request: pytest.FixtureRequest
) -> None:
    assert switchroom("providers", "add", "tiny", "--url", llamas.get("script").url).status == 0
    assert switchroom("sync", "tiny").status == 0
    assert switchroom("models", "default", "tiny/tiny-script").status == 0
    terminal: Tmux = request.getfixturevalue("remote")
    terminal.until("tiny", "Providers")
    terminal.press("6")
    terminal.until("Chat", "tiny-script")
    terminal.type("hi")
    terminal.press("Enter")
    shown = terminal.until("Goodbye!", "20 tok")
    assert "Zażółć gęślą 日本語🙂" in shown
    assert "[red]markup[/red]" in shown
    assert "␛[31mESC" in shown
    terminal.resize(80, 24)
    assert "␛[31mESC" in terminal.until("Goodbye!")


def test_esc_stops_the_server_and_keeps_the_partial_answer(
    llamas: LlamaFarm, switchroom: Switchroom, request: pytest.FixtureRequest
) -> None:
    server = llamas.get("long")
    assert switchroom("providers", "add", "long", "--url", server.url).status == 0
    assert switchroom("sync", "long").status == 0
    assert switchroom("models", "default", "long/tiny-long").status == 0
    before = server.log_text().count("cancel")
    terminal: Tmux = request.getfixturevalue("remote")
    terminal.until("long", "Providers")
    terminal.press("6")
    terminal.until("tiny-long")
    terminal.type("go")
    terminal.press("Enter")
    terminal.until("tick tock ding dong")
    terminal.press("Escape")
    terminal.until("stopped")
    wait_until(lambda: server.log_text().count("cancel") > before, "the server's log shows the cancel")
    usage = json.loads(switchroom("usage", "--json").out)
    assert usage["total"]["runs"] == 1
    assert usage["total"]["output"] > 0
    assert "tick tock" in terminal.screen()


def test_a_change_made_elsewhere_appears(
    llamas: LlamaFarm, switchroom: Switchroom, request: pytest.FixtureRequest
) -> None:
    terminal: Tmux = request.getfixturevalue("remote")
    terminal.until("Providers")
    assert switchroom("providers", "add", "made-elsewhere", "--url", llamas.get("script").url).status == 0
    terminal.until("made-elsewhere", seconds=5)


def test_a_corrupt_database_is_named_and_left_alone(home: Path, request: pytest.FixtureRequest) -> None:
    (home / "data").mkdir(mode=0o700)
    store = home / "data" / "switchroom.db"
    store.write_bytes(b"not a database " * 1000)
    terminal: Tmux = request.getfixturevalue("remote")
    shown = terminal.until("EXIT=7")
    assert "switchroom.db" in shown.replace("\n", "")
    assert "Traceback" not in shown
    assert store.read_bytes() == b"not a database " * 1000
