"""What the tests of the command line share: a scripted server on loopback, and the real program as a process."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
KEY = "sk-canary-0123456789abcdef"


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which must be exactly one JSON document."""
        return json.loads(self.out)


def in_process(monkeypatch: pytest.MonkeyPatch, *arguments: str, stdin: str | bytes = b"") -> Done:
    """A command line in this process, with bytes on standard input and nothing that is a terminal."""
    from cli.main import main

    given, out, err = (
        io.TextIOWrapper(io.BytesIO(data), encoding="utf-8")
        for data in (stdin.encode() if isinstance(stdin, str) else stdin, b"", b"")
    )
    with monkeypatch.context() as patch:
        for name, stream in (("stdin", given), ("stdout", out), ("stderr", err)):
            patch.setattr(sys, name, stream)
        status = main(list(arguments))
        out.flush()
        err.flush()
    return Done(status, *(stream.buffer.getvalue().decode() for stream in (out, err)))  # type: ignore[attr-defined]


@dataclass
class Wire:
    """A small OpenAI-compatible server of the test's own; the model's name is its script."""

    url: str = ""
    key: str | None = None
    """The key it wants; None: it takes anything."""
    models: list[str] = field(default_factory=lambda: ["echo", "slow", "gpt-4o"])
    seen: list[dict[str, Any]] = field(default_factory=list)
    """Bodies of the chat requests, in order."""
    paths: list[str] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)
    """Set when a client went away in the middle of an answer."""


def _answer(*pieces: str, **more: Any) -> list[dict[str, Any]]:
    chunks = [{"choices": [{"index": 0, "delta": {"content": piece}}]} for piece in pieces]
    return [
        *chunks,
        {"choices": [{"index": 0, "delta": {}, "finish_reason": more.get("finish", "stop")}]},
        {"choices": [], "usage": {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}},
    ]


HOSTILE = "a\x1b[31mb\x9b2Jc\u202ed\r\n"
_CALL = {
    "index": 0,
    "id": "call_1",
    "type": "function",
    "function": {"name": "get_weather", "arguments": '{"city"'},
}
SCRIPTS: dict[str, list[dict[str, Any]]] = {
    "echo": _answer("Hello", ", ", "world"),
    "gpt-4o": _answer("Hello", ", ", "world"),
    "hostile": _answer(HOSTILE),
    "flood": _answer("x" * 1_000_000),
    "filtered": _answer("No", finish="content_filter"),
    "think": [{"choices": [{"index": 0, "delta": {"reasoning_content": "hmm"}}]}, *_answer("42")],
    "tool": [
        {"choices": [{"index": 0, "delta": {"tool_calls": [_CALL]}}]},
        {
            "choices": [
                {"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": ': "Paris"}'}}]}}
            ]
        },
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]},
        {"choices": [], "usage": {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}},
    ],
}
REFUSALS: dict[str, tuple[int, dict[str, Any]]] = {
    "nowhere": (
        404,
        {"code": "model_not_found", "message": "The model does not exist", "type": "invalid_request_error"},
    ),
    "long": (
        400,
        {"code": "context_length_exceeded", "message": "too long", "type": "invalid_request_error"},
    ),
    "broke": (429, {"code": "insufficient_quota", "message": "no credit", "type": "insufficient_quota"}),
    "forbidden": (403, {"code": "permission_denied", "message": "not you", "type": "permission_error"}),
    "policy": (400, {"code": "content_filter", "message": "filtered", "type": "invalid_request_error"}),
    "down": (500, {"message": "oops", "type": "server_error"}),
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def wire(self) -> Wire:
        assert isinstance(self.server, WireServer)
        return self.server.wire

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.wire.paths.append(self.path)
        if self._refused():
            return
        self._json(
            200, {"object": "list", "data": [{"id": name, "object": "model"} for name in self.wire.models]}
        )

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.wire.paths.append(self.path)
        if "model" in body:  # a request without one proves the key and asks nothing
            self.wire.seen.append(body)
        if self._refused():
            return
        model = body.get("model")
        if model == "loop":  # calls its tool, and answers once it has the result
            model = "echo" if body["messages"][-1]["role"] == "tool" else "tool"
        if model is None:
            self._json(400, {"error": {"message": "model is missing", "type": "invalid_request_error"}})
        elif model in REFUSALS:
            status, error = REFUSALS[model]
            self._json(status, {"error": error})
        elif not body.get("stream"):
            self._json(200, _whole(SCRIPTS[model]))
        else:
            self._stream(model)

    def _refused(self) -> bool:
        if self.wire.key is None or self.headers.get("authorization") == f"Bearer {self.wire.key}":
            return False
        error = {
            "code": "invalid_api_key",
            "message": "Incorrect API key",
            "type": "invalid_request_error",
        }
        self._json(401, {"error": error})
        return True

    def _json(self, status: int, document: dict[str, Any]) -> None:
        data = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, model: str) -> None:
        self.close_connection = True
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        if model == "slow":
            self._for_ever()
            return
        pieces = SCRIPTS["echo"][:2] if model == "cut" else SCRIPTS[model]
        for piece in pieces:
            self.wfile.write(b"data: " + json.dumps(piece).encode() + b"\n\n")
            self.wfile.flush()
        if model != "cut":
            self.wfile.write(b"data: [DONE]\n\n")

    def _for_ever(self) -> None:
        piece = b"data: " + json.dumps(SCRIPTS["echo"][0]).encode() + b"\n\n"
        pause = threading.Event()
        try:
            for _ in range(3000):
                self.wfile.write(piece)
                self.wfile.flush()
                pause.wait(0.01)
        except OSError:
            self.wire.closed.set()


class WireServer(ThreadingHTTPServer):
    """Serves one Wire."""

    daemon_threads = True

    def __init__(self, wire: Wire) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.wire = wire
        wire.url = f"http://127.0.0.1:{self.server_address[1]}/v1"


def _whole(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    text = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks if chunk["choices"])
    return {
        "id": "x",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": chunks[-1]["usage"],
    }


def program(
    home: Path, *arguments: str, environment: Mapping[str, str] | None = None, **more: Any
) -> subprocess.Popen[bytes]:
    """The real program, in a session of its own: no controlling terminal."""
    return subprocess.Popen(
        [sys.executable, "-m", "cli", *arguments],
        cwd=ROOT,
        env={
            **os.environ,
            "SWITCHROOM_HOME": str(home),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            **(environment or {}),
        },
        stdin=more.pop("stdin", subprocess.DEVNULL),
        stdout=more.pop("stdout", subprocess.PIPE),
        stderr=more.pop("stderr", subprocess.PIPE),
        start_new_session=True,
        **more,
    )


def written_bytes(home: Path) -> bytes:
    """Every byte that was written under the home."""
    return b"\0".join(file.read_bytes() for file in sorted(home.rglob("*")) if file.is_file())


def write_vendor(home: Path) -> None:
    """A vendor of the user's own, `acme`, with a price for gpt-4o and gpt-4o-mini ($2.50 and $10 per million; a tenth)."""
    folder = home / "config" / "user-catalog"
    folder.mkdir(parents=True, mode=0o700)
    facts = {
        "context_window": 128_000,
        "default_max_tokens": 4096,
        "can_reason": False,
        "supports_attachments": True,
    }
    models = [
        {"id": name, "name": name, "cost_per_1m_in": price, "cost_per_1m_out": 4 * price, **facts}
        for name, price in (("gpt-4o", 2.5), ("gpt-4o-mini", 0.25))
    ]
    vendor = {
        "id": "acme",
        "name": "Acme",
        "type": "openai",
        "api_endpoint": "https://acme.invalid/v1",
        "models": models,
    }
    (folder / "acme.json").write_text(json.dumps(vendor))
