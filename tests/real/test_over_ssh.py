"""The terminal UI inside tmux, through a real ssh login, on a real llama.cpp server: what a person presses and sees."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
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
def login(sshd: Sshd, home: Path, tmp_path: Path) -> Iterator[Callable[[], Tmux]]:
    """Starts the program through ssh in a terminal of 120×40, as often as it is called."""
    command = f"cd {ROOT} && " + quoted(
        *program(),
        SWITCHROOM_HOME=str(home),
        SWITCHROOM_SYNC__AT_START="false",
        LANG="C.UTF-8",
        COLORTERM="truecolor",
    )
    opened: list[Tmux] = []

    def begin() -> Tmux:
        folder = tmp_path / f"terminal-{len(opened)}"
        folder.mkdir()
        opened.append(Tmux(folder, f"{sshd.command} {quoted(command)}"))
        return opened[-1]

    yield begin
    for terminal in opened:
        terminal.close()


@pytest.fixture
def remote(login: Callable[[], Tmux]) -> Tmux:
    """One such terminal."""
    return login()


@pytest.fixture
def demo(home: Path) -> None:
    """The store holds what the demo shows."""
    from services.demo import seed_demo
    from services.paths import under

    asyncio.run(seed_demo(under(home)))


def test_dangerous_text_is_shown_as_text(
    llamas: LlamaFarm, switchroom: Switchroom, request: pytest.FixtureRequest
) -> None:
    assert switchroom("providers", "add", "tiny", "--url", llamas.get("script").url).status == 0
    assert switchroom("sync", "tiny").status == 0
    assert switchroom("models", "default", "tiny/tiny-script").status == 0
    terminal: Tmux = request.getfixturevalue("remote")
    terminal.until("Overview ·", "tiny")
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
    terminal.until("Overview ·", "long")
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
    terminal.until("Overview", "Providers")
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


MODES = (
    ("1", "Overview", "Providers"),
    ("2", "Providers", "openai-prod"),
    ("3", "Models", "claude-haiku-4-5"),
    ("4", "Sync", "anthropic"),
    ("5", "Usage", "Cost by provider"),
    ("6", "Chat", "Ask something"),
    ("9", "Audit", "newest first"),
    ("0", "Settings", "Look for providers"),
)
"""Key, title, and what stands there whatever the size."""
SIZES = ((120, 40), (80, 24), (200, 60), (60, 20), (50, 15), (120, 40))


def test_each_mode_keeps_its_place_while_the_terminal_changes_its_size(demo: None, remote: Tmux) -> None:
    remote.until("Overview ·", "today")
    for key, title, content in MODES:
        remote.press(key)
        remote.until(f"{title} ·", content)
        for columns, rows in SIZES:
            remote.resize(columns, rows)
            if columns < 60:
                remote.until("needs 60")
            else:
                remote.until_lines(
                    lambda lines, title=title, rows=rows: (  # type: ignore[misc]
                        len(lines) == rows and title in lines[0] and "help" in lines[-1]
                    ),
                    f"{title} fills {columns}×{rows}",
                )
                remote.until(content)
        if title == "Chat":
            remote.press("Escape")
            remote.until("i prompt")
    remote.press("q")
    remote.until("EXIT=0")


def test_two_terminals_show_one_store_and_neither_moves_the_others_cursor(
    demo: None, login: Callable[[], Tmux]
) -> None:
    mine, theirs = login(), login()
    for terminal in (mine, theirs):
        terminal.until("Overview ·", "Recent runs")
        terminal.press("2")
        terminal.until("Providers ·", "openai-prod")
    theirs.type("/groq")
    theirs.until("1 of")
    theirs.press("Enter", "Escape")
    theirs.until_lines(lambda lines: any("▌" in line and "groq" in line for line in lines), "cursor on groq")
    theirs.until("openai-prod")
    mine.type("/openai-p")
    mine.until("1 of")
    mine.press("Enter")
    for state in ("○ off", "● ok"):
        mine.press("x")
        begin = time.monotonic()
        theirs.until_lines(
            lambda lines, state=state: any("openai-prod" in line and state in line for line in lines),  # type: ignore[misc]
            f"openai-prod {state}",
        )
        took = time.monotonic() - begin
        assert took < 2, f"{took:.1f} s until the other terminal showed it"
        assert any("▌" in line and "groq" in line for line in theirs.screen().splitlines())
