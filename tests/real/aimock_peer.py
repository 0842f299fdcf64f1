"""aimock, a mock of many vendors by other hands, as its own process: what it is asked, how it is made to fail.

Words in a prompt choose what it does (aimock.json): “limited please” 429, “refused please” 401, “overloaded please” 529,
“cut please”, “broken please” (no JSON), “gone please” (reset), “failing please” (500), “reason please”, “weather” (a
tool call, then an answer to its result); anything else is answered with ANSWER.
"""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import pytest
from real_peers import HERE, PEERS, absent, free_port, wait_until

KEY = "good1"
"""The one key it takes."""
ANSWER = "Good morning from a mock made by other people: zażółć gęślą jaźń 🌍."


class Aimock:
    """A running aimock. Bases: `/v1` OpenAI (chat, responses) and Anthropic, `/v1beta` Gemini, `/api` Ollama,
    `/api/v1` OpenRouter, `/openai/deployments/NAME` Azure."""

    def __init__(self, folder: Path) -> None:
        program = PEERS / "aimock" / "node_modules" / ".bin" / "llmock"
        if not program.exists():
            absent("aimock")
        self.url = f"http://127.0.0.1:{free_port()}"
        port = self.url.rpartition(":")[2]
        self._log = folder / "aimock.log"
        command = [program, "-p", port, "-f", HERE / "aimock.json", "--chunk-size", "8"]
        with self._log.open("wb") as out:
            self._process = subprocess.Popen(
                ["node", *command],
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={**os.environ, "AIMOCK_API_KEYS": KEY},
            )
        wait_until(self._answers, "aimock answers")

    def chaos(self, rates: Mapping[str, float]) -> None:
        """Faults for everything from now on: `rateLimitRate`, `malformedRate`, `disconnectRate`, `dropRate`, 0…1."""
        self._ask("POST", json.dumps(dict(rates)).encode())

    def calm(self) -> None:
        """No more faults."""
        self._ask("DELETE")

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _answers(self) -> bool:
        if self._process.poll() is not None:
            pytest.fail(f"aimock ended: {self._log.read_text(errors='replace')[-2000:]}")
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=1) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _ask(self, method: str, body: bytes | None = None) -> None:
        request = urllib.request.Request(
            f"{self.url}/__aimock/chaos",
            data=body,
            method=method,
            headers={"content-type": "application/json", "authorization": f"Bearer {KEY}"},
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            assert answer.status < 300
