"""What the real tests share: finding the peers, starting llama.cpp's server, waiting for something outside this process."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
PEERS = Path(os.environ.get("PEERS_DIR", Path.home() / ".cache" / "switchroom-real"))


def absent(what: str) -> None:
    """Skip, or fail where the CI script promised that everything is there."""
    reason = f"{what} is not installed: run tests/real/setup.sh"
    if os.environ.get("REQUIRE_PEERS"):
        pytest.fail(reason)
    pytest.skip(reason)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(ready: Callable[[], bool], what: str, seconds: float = 30) -> None:
    """Poll something outside this process, where there is no event to await."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if ready():
            return
        time.sleep(0.05)
    pytest.fail(f"never happened within {seconds:g} s: {what}")


@dataclass(frozen=True)
class Llama:
    """A running llama.cpp server."""

    url: str
    model: str
    key: str | None
    log: Path

    def log_text(self) -> str:
        return self.log.read_text(errors="replace")


class LlamaFarm:
    """Starts one server per model on first use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._python = PEERS / "llama" / "bin" / "python"
        self._running: dict[str, tuple[subprocess.Popen[bytes], Llama]] = {}

    def get(
        self, mode: str, key: str | None = None, *, alias: str | None = None, port: int | None = None
    ) -> Llama:
        """The server of a model; under another name and at a given port when it stands in for another one."""
        if not self._python.exists():
            absent("llama.cpp's server")
        if mode in self._running:
            if self._running[mode][1].key == key:
                return self._running[mode][1]
            self.stop(mode)  # another test wanted it with another key, or without one
        model = self._folder / f"tiny-{mode}.gguf"
        subprocess.run([self._python, HERE / "tiny_gguf.py", model, mode], check=True, capture_output=True)
        port = port or free_port()
        log = self._folder / f"{mode}.log"
        command = [
            self._python,
            HERE / "llama_server.py",
            model,
            str(port),
            alias or f"tiny-{mode}",
            *([key] if key else []),
        ]
        with log.open("wb") as out:
            process = subprocess.Popen(
                command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
            )
        server = Llama(f"http://127.0.0.1:{port}/v1", alias or f"tiny-{mode}", key, log)
        self._running[mode] = (process, server)

        def answers() -> bool:
            if process.poll() is not None:
                pytest.fail(f"the server ended: {server.log_text()[-2000:]}")
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0 and "listening" in server.log_text()

        wait_until(answers, f"the {mode} server listens")
        return server

    def stop(self, mode: str) -> None:
        process, _ = self._running.pop(mode)
        process.kill()
        process.wait()

    def close(self) -> None:
        for process, _ in self._running.values():
            process.kill()
            process.wait()


@dataclass(frozen=True)
class Done:
    """A finished command."""

    status: int
    out: str
    err: str


Switchroom = Callable[..., Done]


def program() -> list[str]:
    """The command that a user would type."""
    return [sys.executable, "-m", "cli.main"]


def tool(name: str) -> str:
    """The path of a program that setup.sh installs."""
    found = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")
    if found is None:
        absent(name)
    assert found
    return found
