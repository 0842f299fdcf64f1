"""The keys of what discovery added at the start and offers, as raw bytes."""

from __future__ import annotations

from pathlib import Path

from pty_stage import ESC, go, key, program, walk

STEPS = (
    go(b"", "Added 1 provider from your environment: acme", "z takes it back"),
    key("app.take_back", "z", "Welcome to Switchroom", "taken back before"),
    go("a", "Something else", on="acme"),
    go("\r", "Add the server at"),
    go("n", gone="Add the server at"),
    go("a", "Something else"),
    go(ESC, gone="Something else"),
    go(":", "Do what?"),
    go("found here\r", "Something else", on="acme"),
    go(ESC, gone="Something else"),
)


def test_what_the_start_added_is_taken_back_and_offered(tmp_path: Path) -> None:
    environment = {
        "SWITCHROOM_DISCOVERY__AT_START": "auto",
        "SWITCHROOM_DISCOVERY__LOOPBACK": "false",
        "PROVIDER_ACME_URL": "http://127.0.0.1:9",
    }
    with program("discovered", tmp_path / "home", **environment) as terminal:
        terminal.until("Overview ·")
        walk(terminal, STEPS)
