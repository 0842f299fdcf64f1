"""`task translate`, `task transcribe` and `models search` as a user has them, on a loopback Hugging Face."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parents[1] / "adapters"))

from hub_server import TOKEN, HubServer, threaded

NLLB = "hf/facebook/nllb-200-distilled-600M"
Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def server() -> HubServer:
    return HubServer()


@pytest.fixture
def run(
    home: Path, server: HubServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    from cli.main import main

    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.delenv("TRANSFORMERS_OFFLINE", raising=False)
    monkeypatch.setenv("HF_HOME", str(home / "hf"))
    monkeypatch.setenv("MY_HF", TOKEN)
    monkeypatch.setenv("SWITCHROOM_RETRY__ATTEMPTS", "1")

    def one(*words: str) -> tuple[int, Any, str]:
        status = main(list(words))
        out, err = capsys.readouterr()
        assert TOKEN not in out + err
        assert "Traceback" not in err
        return status, json.loads(out) if "--json" in words else out, err

    with threaded(server) as url:
        added = one(
            "providers", "add", "hf", "--type", "huggingface", "--url", f"{url}/v1", "--option", f"hub={url}",
            "--key-env", "MY_HF", "--cost", "metered",
        )  # fmt: skip
        assert added[0] == 0, added
        yield one


def translate(run: Run, *words: str) -> tuple[int, Any, str]:
    return run("task", "translate", "-m", NLLB, "--source-lang", "English", "--target-lang", "German", *words)


def test_a_translation(run: Run, server: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    status, out, err = translate(run, "The weather is nice.")
    assert (status, out) == (0, "Das Wetter ist schön.\n")
    assert "· cost unknown ·" in err
    status, document, _ = translate(run, "The weather is nice.", "--label", "team=x", "--json")
    assert (status, document["text"], document["model"]) == (0, "Das Wetter ist schön.", NLLB)
    assert (document["cost_usd"], document["cost_grade"], document["finish_reason"]) == (
        None,
        "unknown",
        "stop",
    )
    assert document["usage"]["input"] is None
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"Two\nlines.\n")))
    assert translate(run)[0] == 0
    assert json.loads(server.tasks[-1][2])["inputs"] == "Two\nlines."
    status, usage, _ = run("usage", "--by", "model", "--json")
    [group] = usage["rows"]
    assert (group["runs"], group["cost_usd"]) == (3, None), "unknown is not free"
    assert "no price" in run("usage", "--by", "model")[1]


def test_a_transcript(run: Run, server: HubServer, tmp_path: Path) -> None:
    (tmp_path / "talk.flac").write_bytes(b"fLaC" + bytes(100))
    words = ("task", "transcribe", "-m", "hf/openai/whisper-tiny", "--file")
    status, out, _ = run(*words, str(tmp_path / "talk.flac"))
    assert (status, out.strip()) == (0, "Ask not what your country can do for you.")
    assert server.tasks[0][1]["content-type"] == "audio/flac"
    status, document, _ = run(*words, str(tmp_path / "none.wav"), "--json")
    assert (status, document["error"]["code"]) == (2, "usage")
    assert run("task", "transcribe", "-m", "nonsense", "--file", str(tmp_path / "talk.flac"))[0] == 2


def test_refusals_have_their_exit_status(
    run: Run, server: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("task", "translate", "-m", NLLB, "x")[0] == 2
    status, _, err = run(
        "task", "translate", "-m", NLLB, "--source-lang", "Germn", "--target-lang", "en", "x"
    )
    assert status == 2
    assert "Did you mean German?" in err
    assert run("task", "translate", "-m", "nobody/m", "x")[0] == 6
    assert translate(run, "x", "--read-only")[0] == 3
    server.refuse = (402, {"error": "You have exceeded your monthly included credits."}, {})
    status, document, _ = translate(run, "x", "--json")
    assert (status, document["error"]["code"], document["error"]["status"]) == (5, "no_credit", 402)
    server.refuse = (429, {"error": "rate limit"}, {"RateLimit": '"api";r=0;t=55'})
    status, document, _ = translate(run, "x", "--json")
    assert (status, document["error"]["code"]) == (5, "rate_limited")
    assert document["attempts"][0]["retry_after_ms"] == 55_000
    server.refuse = (401, {"error": "Invalid username or password."}, {})
    assert translate(run, "x")[0] == 4
    server.refuse = None
    assert run("budget", "set", "--daily", "1")[0] == 0
    assert translate(run, "x")[0] == 3
    assert translate(run, "x", "--allow-unpriced")[0] == 0
    seen = len(server.asked)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    status, document, _ = translate(run, "x", "--allow-unpriced", "--json")
    assert (status, document["error"]["code"]) == (3, "offline")
    assert run("models", "search", "hf", "whisper")[0] == 3
    monkeypatch.delenv("MY_HF")
    monkeypatch.delenv("HF_HUB_OFFLINE")
    assert translate(run, "x", "--allow-unpriced")[0] == 4
    assert len(server.asked) == seen


def test_search(run: Run, server: HubServer) -> None:
    status, out, _ = run("models", "search", "hf", "whisper", "--task", "transcribe")
    assert status == 0
    assert "openai/whisper-tiny" in out
    assert "gated" in out
    assert "\x1b" not in out
    status, document, _ = run("models", "search", "hf", "whisper", "--json")
    first = document["models"][0]
    assert (first["ref"], first["task"], first["downloads"]) == (
        "hf/openai/whisper-tiny",
        "automatic-speech-recognition",
        812_345,
    )
    assert run("models", "search", "hf", " ")[0] == 2
    assert run("models", "search", "nobody", "x")[0] == 6
    assert server.asked.count("GET /api/models") == 2
