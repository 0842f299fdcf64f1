"""Plain http to a private address, as raw keys: asked once, no is an answer, and the key is asked for only after a yes."""

from __future__ import annotations

from pathlib import Path

from pty_stage import ESC, go, program, walk

STEPS = (
    go("2", "No providers yet"),
    go("B", "OpenRouter", on="OpenAI"),
    go("u", "Address of your server"),
    go("http://10.11.12.13:8000/v1", "10.11.12.13:8000/v1"),
    go("\r", "Allow plain http?", "whoever listens there"),
    go("n", "Give an https address", "Address of your server", gone="Allow plain http?"),
    go("\r", "Allow plain http?"),
    go(ESC, "Give an https address", gone="Allow plain http?"),
    go("\r", "Allow plain http?"),
    go("y", "Key for your server, if it wants one"),
    go(ESC, "Address of your server", gone="if it wants one"),
    go(b"\x15http://llm.example/v1\r", "unprotected over", gone="Allow plain http?"),
    go(ESC, gone="Address of your server"),
)  # fmt: skip


def test_plain_http_is_asked_about_and_public_is_refused(tmp_path: Path) -> None:
    with program("plain-http", tmp_path / "home", SWITCHROOM_OFFLINE="1") as terminal:
        terminal.until("Welcome to Switchroom")
        walk(terminal, STEPS)
