"""The keys of the marketplace as raw bytes, and a vendor added from it in a few of them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from pty_stage import ESC, go, key, program, walk

STEPS = (
    go("2", "Providers ·", "openai-prod"),
    go("B", "marketplace", "OpenRouter", on="OpenAI"),
    key("market.details", "i", "gpt-6.1-sol", gone="Mistral AI"),
    go("i", "Mistral AI"),
    key("market.filter", "slash", "words to look for"),
    go("cerebras\r", "of 34", on="Cerebras"),
    key("market.add", "enter", "Key for Cerebras"),
    go(ESC, gone="Key for Cerebras"),
    key("market.back", "escape", "Mistral AI", gone="of 34"),
    key("market.order", "o", "▼"),
    key("market.other", "u", "Address of your server"),
    go(ESC, gone="Address of your server"),
    go(ESC, "openai-prod", gone="marketplace"),
)


class _Models(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        models = [{"id": name, "object": "model"} for name in ("acme-large", "acme-small")]
        body = json.dumps({"object": "list", "data": models}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nobody reads it."""


@pytest.fixture
def server() -> Iterator[str]:
    """The address of a server with two models."""
    found = HTTPServer(("127.0.0.1", 0), _Models)
    thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{found.server_address[1]}/v1"
    found.shutdown()
    thread.join()
    found.server_close()


def test_the_keys_of_the_marketplace(copied_home: Callable[[], Path]) -> None:
    with program("market", copied_home()) as terminal:
        terminal.until("Overview ·")
        walk(terminal, STEPS)


def test_from_nothing_to_a_chat_in_under_two_minutes(tmp_path: Path, server: str) -> None:
    began = time.monotonic()
    with program("newcomer", tmp_path) as terminal:
        terminal.until("Welcome to Switchroom")
        steps = (
            go("2", "No providers yet"),
            go("B", "OpenRouter", on="OpenAI"),
            go("u", "Address of your server"),
            go(server, server),
            go("\r", "if it wants one"),
            go("\r", "Which model should its chats use?", "acme-small", on="acme-large"),
            go("\r", "Ask something"),
        )
        walk(terminal, steps)
    assert time.monotonic() - began < 120
