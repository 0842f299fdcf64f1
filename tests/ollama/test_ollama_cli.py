"""`models pull`, `installed`, `running`, `copy` and `delete` as a user has them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from loop_server import Exchange, in_a_thread
from ollama_server import OllamaServer, ollama

ROOT = Path(__file__).resolve().parents[2]
Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def threaded(home: Path) -> Iterator[OllamaServer]:
    """The server in a thread, for programs that bring a loop of their own; the provider `box` is there."""
    with in_a_thread(ollama(loaded={"qwen3:30b": 11_000_000_000})) as made:
        yield made


@pytest.fixture
def run(threaded: OllamaServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    from cli.main import main

    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")

    def one(*words: str) -> tuple[int, Any, str]:
        status = main(list(words))
        out, err = capsys.readouterr()
        return status, json.loads(out) if "--json" in words else out, err

    assert one("providers", "add", "box", "--type", "ollama", "--url", threaded.url)[0] == 0
    return one


def test_a_model_from_nothing_to_gone(run: Run, threaded: OllamaServer) -> None:
    del threaded.models["llama3.2:latest"]
    status, said, _ = run("models", "pull", "box", "llama3.2:latest", "--json")
    assert (status, said["pull"]["state"], said["pull"]["total_bytes"]) == (0, "done", 2_019_393_189)
    status, said, _ = run("models", "installed", "box", "--json")
    [model] = [one for one in said["models"] if one["id"] == "llama3.2:latest"]
    assert (model["ref"], model["loaded"], model["details"]["quantization"]) == (
        "box/llama3.2:latest",
        False,
        "Q4_K_M",
    )
    status, said, _ = run("models", "running", "box", "--json")
    assert [(one["id"], one["vram_bytes"]) for one in said["models"]] == [("qwen3:30b", 11_000_000_000)]
    assert "56 %" in run("models", "running", "box")[1]
    assert run("models", "copy", "box", "llama3.2:latest", "mine:1")[0] == 0
    assert "Would delete" in run("models", "delete", "box", "mine:1", "--dry-run")[1]
    assert run("models", "delete", "box", "mine:1")[0] == 0
    assert run("models", "delete", "box", "mine:1")[0] == 5
    _, said, _ = run("models", "list", "--provider", "box", "--json")
    assert "box/llama3.2:latest" in {one["ref"] for one in said["models"]}


def test_the_speed_that_the_server_states_is_told(run: Run) -> None:
    _, said, _ = run("chat", "-m", "box/llama3.2:latest", "--json", "hi")
    assert said["server"] == {"load_ms": 1, "prompt_tok_s": 1000, "output_tok_s": 250}
    _, _, err = run("chat", "-m", "box/llama3.2:latest", "hi")
    assert err.splitlines()[-1].endswith(" s · server: 250 tok/s")


def test_what_cannot_be(run: Run, threaded: OllamaServer) -> None:
    status, _, err = run("models", "pull", "box", "nonsense")
    assert status == 5
    assert "There is no model nonsense that box could pull." in err
    said = run("models", "pull", "box", "nonsense", "--json")[1]
    assert (said["error"]["code"], said["pull"]["state"]) == ("model_unavailable", "failed")
    assert said["error"] == said["pull"]["error"]
    assert run("models", "delete", "box", "nonsense")[0] == 5
    assert run("models", "delete", "box", "nonsense", "--dry-run")[0] == 5, "as it would end"
    assert run("models", "delete", "box", " ")[0] == 2
    assert threaded.asked("/api/delete") == 1
    assert run("models", "pull", "nobody", "x")[0] == 6
    assert run("models", "pull", "box", "x", "--read-only")[0] == 3
    assert "Would pull x to box" in run("models", "pull", "box", "x", "--dry-run")[1]
    assert threaded.asked("/api/pull") == 2
    threaded.models.clear()
    assert "holds no models" in run("models", "installed", "box")[1]


def test_ctrl_c_stops_it_and_says_how_to_go_on(run: Run, threaded: OllamaServer) -> None:
    del threaded.models["llama3.2:latest"]
    threaded.hold_at = 0.5
    program = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "models", "pull", "box", "llama3.2:latest"],
        cwd=ROOT, env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert program.stderr is not None
    assert "llama3.2:latest" in program.stderr.readline()
    program.send_signal(signal.SIGINT)
    out, _ = program.communicate(timeout=20)
    assert program.returncode == 130
    assert "It goes on from there: switchroom models pull box llama3.2:latest" in out
    threaded.hold_at = None
    assert run("models", "pull", "box", "llama3.2:latest")[0] == 0


def test_what_is_loaded_is_not_said_where_it_cannot_be_known(run: Run, threaded: OllamaServer) -> None:
    async def broken(exchange: Exchange) -> None:
        await exchange.answer(500, {"error": "the runner is gone"})

    threaded._ps = broken  # type: ignore[method-assign]
    status, said, _ = run("models", "running", "box", "--json")
    assert status == 5
    assert "the runner is gone" in said["error"]["message"]
    status, said, _ = run("models", "installed", "box", "--json")
    assert (status, {one["loaded"] for one in said["models"]}) == (0, {None})


def test_a_model_that_stays_loaded_is_never_unloaded(run: Run, threaded: OllamaServer) -> None:
    threaded.until = "2318-01-01T00:00:00Z"
    assert run("models", "running", "box")[1].splitlines()[-1].endswith("never")
    threaded.until = "2020-01-01T00:00:00Z"
    assert run("models", "running", "box")[1].splitlines()[-1].endswith("now")
