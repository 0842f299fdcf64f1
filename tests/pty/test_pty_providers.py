"""The keys of the Providers mode, of one provider, of the wizard and of the forms, as raw bytes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from pty_stage import ESC, Step, do, go, key, program, walk

LIST = (
    go("2", "Providers ·", "openai-prod"),
    key("providers.filter", "slash", "words to look for"),
    go("openai-p\r", "1 of", on="openai-prod"),
    key("providers.clear", "escape", "homelab", gone="1 of"),
    key("providers.order", "o", "▼"),
    key("providers.add", "a", "Add a provider: which one?"),
    go(ESC, gone="Add a provider"),
    key("providers.browse", "B", "marketplace", "OpenRouter"),
    go(ESC, gone="OpenRouter"),
    go("/", "words to look for"),
    go("openai-p\r", "1 of", on="openai-prod"),
    key("providers.key", "K", "Key of openai-prod"),
    go(ESC, gone="Key of openai-prod"),
    key("providers.edit", "e", "Edit openai-prod"),
    go(ESC, gone="Edit openai-prod"),
    key("providers.test", "t", "openai-prod answered in"),
    key("providers.sync", "s", "openai-prod synced"),
    key("providers.toggle", "x", "openai-prod switched off", on="off"),
    go("x", on="ok"),
    key("providers.budget", "b", "Limits of openai-prod"),
    go("11", "11"),
    key("form.down", "tab", "22", then="22"),
    key("form.up", "up", "333", then="333"),
    key("form.down", "down", "444", then="444"),
    key("form.up", "shift+tab", "555", then="555"),
    key("form.keep", "enter", "limit of openai-prod: $"),
    key("providers.delete", "D", "Delete openai-prod?"),
    go("n", gone="Delete openai-prod?"),
    key("providers.sync_all", "S", "providers synced"),
    key("providers.chat", "c", "Chat ·", "Ask something"),
    go(ESC, "i prompt"),
    go("2", "Providers ·"),
    key("providers.open", "enter", "Providers › openai-prod", "Summary"),
)

DETAIL = (
    go("2", "Providers ·", "openai-prod"),
    go("/", "words to look for"),
    go("openai-p\r", on="openai-prod"),
    go("\r", "Providers › openai-prod", "Summary"),
    key("provider.next_tab", "right_square_bracket", "gpt-6-luna", "$in"),
    key("provider.filter", "slash", "words to look for"),
    go("luna\r", on="gpt-6-luna"),
    key("provider.default", "d", "gpt-6-luna is now the default"),
    key("provider.toggle", "x", on="off"),
    key("provider.back", "escape", "gpt-6.1-sol"),
    go("]]", "last 24 hours", "p50"),
    key("provider.longer", "greater_than_sign", "last 7 days"),
    key("provider.shorter", "less_than_sign", "last 24 hours"),
    go("[[", "gpt-6.1-sol", "$in"),
    key("provider.order", "o", "$in/1M▼"),
    key("provider.previous_tab", "left_square_bracket", gone="$in"),
    key("provider.test", "t", "openai-prod answered in"),
    key("provider.sync", "s", "openai-prod synced"),
    key("provider.key", "K", "Key of openai-prod"),
    go(ESC, gone="Key of openai-prod"),
    key("provider.edit", "e", "Edit openai-prod"),
    go(ESC, gone="Edit openai-prod"),
    key("provider.budget", "b", "Limits of openai-prod"),
    go(ESC, gone="Limits of openai-prod"),
    key("provider.delete", "D", "Delete openai-prod?"),
    go("n", gone="Delete openai-prod?"),
    key("provider.chat", "c", "Chat ·", "Ask something"),
    go(ESC, "i prompt"),
    go("2", "Providers › openai-prod"),
    key("provider.open", "enter", "Chat ·", "Ask something"),
)


def wizard(address: str, begin: Callable[[], None]) -> tuple[Step, ...]:
    """A server that is not there yet, then is."""
    return (
        go("2", "Providers ·", "openai-prod"),
        go("a", "Add a provider: which one?"),
        go("paste base", "Other: paste a base URL"),
        go("\r", "Address of your server"),
        go(address, address),
        key("ask.keep", "enter", "Key for your server, if it wants one"),
        go("\r", "nothing is stored"),
        do(lambda _terminal: begin()),
        key("trial.retry", "r", "refuses the key"),
        key("trial.new_key", "enter", "Key for your server, if it wants one"),
        go("\r", "Which model should its chats use?"),
        go(ESC, gone="Which model should its chats use?"),
    )


UNTESTED = (
    go("2", "Providers ·", "openai-prod"),
    go("a", "Add a provider: which one?"),
    go("paste base", "Other: paste a base URL"),
    go("\r", "Address of your server"),
    go("https://nobody.invalid/v1\r", "Key for your server, if it wants one"),
    go("\r", "nothing is stored"),
    key("trial.save", "u", "A monthly limit for"),
    go(ESC, gone="A monthly limit for"),
    go("", "nobody"),
)

STEPS = (*LIST, *DETAIL, *wizard("", lambda: None), *UNTESTED)


class _Models(BaseHTTPRequestHandler):
    asked = 0

    def do_GET(self) -> None:
        """The first request is refused."""
        type(self).asked += 1
        body = json.dumps({"object": "list", "data": [{"id": "alpha", "object": "model"}]}).encode()
        self.send_response(200 if self.asked > 1 else 401)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nobody reads it."""


@pytest.fixture
def late_server() -> Iterator[tuple[str, Callable[[], None]]]:
    """The address of a server, and what makes it answer."""
    server = HTTPServer(("127.0.0.1", 0), _Models, bind_and_activate=False)
    server.server_bind()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})

    def begin() -> None:
        server.server_activate()
        thread.start()

    yield f"http://127.0.0.1:{server.server_address[1]}/v1", begin
    if thread.is_alive():
        server.shutdown()
    server.server_close()


def test_the_keys_of_the_table(copied_home: Callable[[], Path]) -> None:
    with program("providers", copied_home()) as terminal:
        terminal.until("Overview ·")
        walk(terminal, LIST)


def test_the_keys_of_one_provider(copied_home: Callable[[], Path]) -> None:
    with program("provider", copied_home()) as terminal:
        terminal.until("Overview ·")
        walk(terminal, DETAIL)


def test_the_keys_of_the_wizard(
    copied_home: Callable[[], Path], late_server: tuple[str, Callable[[], None]]
) -> None:
    with program("wizard", copied_home()) as terminal:
        terminal.until("Overview ·")
        walk(terminal, wizard(*late_server))


def test_what_failed_its_test_is_stored_untested(copied_home: Callable[[], Path]) -> None:
    with program("untested", copied_home()) as terminal:
        terminal.until("Overview ·")
        walk(terminal, UNTESTED)
