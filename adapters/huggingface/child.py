"""The program that downloads: a process of its own around huggingface_hub, told by its input, telling by its output in JSON lines.

It is started by path with nothing of ours importable, and ends by itself when its input is closed: whoever started it
is gone then.
"""

from __future__ import annotations

import io
import json
import os
import ssl
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

EVERY_S = 0.2
"""Least time between two reports."""
PIECE = 256 * 1024
"""Bytes that are written at a time: what is not written is fetched again after a break."""


def main() -> int:
    """One line of input: {"model", "token", "folder", "hub", "ca", "proxy", "alone"}. One line of output for each report."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints is no report
    told = json.loads(sys.stdin.readline())
    os.environ.update(told["proxy"])  # a password may be in it: not from the start, when others could look
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    try:
        import huggingface_hub
        from tqdm.auto import tqdm  # type: ignore[import-untyped]
    except ImportError:
        return _say(out, {"missing": "huggingface_hub"})
    _connect(huggingface_hub, told)
    from huggingface_hub import constants

    constants.DOWNLOAD_CHUNK_SIZE = PIECE
    reports = _Reports(out)

    class Bar(tqdm):  # type: ignore[misc]
        """Counts instead of drawing."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs.pop("name", None)
            # of its bars, the one of bytes that are on the disk; the others count files, or bytes on the wire
            self._bytes = kwargs.get("unit") == "B" and kwargs.get("desc") != "Downloading bytes"
            super().__init__(*args, **{**kwargs, "file": io.StringIO(), "disable": False})

        def display(self, *_args: Any, **_kwargs: Any) -> bool:
            return True

        def update(self, n: float | None = 1) -> None:
            super().update(n)
            if self._bytes:
                reports.progress(int(self.n), int(self.total or 0))

    try:
        huggingface_hub.snapshot_download(
            told["model"],
            token=told["token"] or False,
            cache_dir=told["folder"],
            endpoint=told["hub"],
            tqdm_class=Bar,
            max_workers=4,
        )
    except Exception as error:  # noqa: BLE001  every failure is told in the same way
        return reports.last({"error": _failure(error)})
    return reports.last({"done": True, "completed": reports.completed, "total": reports.total})


class _Reports:
    """Says how far it is, not too often, and only what is new."""

    def __init__(self, out: Any) -> None:
        self._out = out
        self._lock = threading.Lock()
        self.completed = 0
        self.total = 0
        threading.Thread(target=self._tell, daemon=True).start()

    def progress(self, completed: int, total: int) -> None:
        self.completed, self.total = completed, max(total, completed)

    def last(self, line: dict[str, Any]) -> int:
        """Say how it ended; nothing comes after."""
        self._lock.acquire()
        return _say(self._out, line)

    def _tell(self) -> None:
        told = 0
        while True:
            time.sleep(EVERY_S)
            if self.completed != told:
                told = self.completed
                with self._lock:
                    _say(self._out, {"completed": told, "total": self.total})


def _connect(hub: Any, told: dict[str, Any]) -> None:
    """Connections by the program's rules: its authorities, no step down to plain http, and offline no other host."""
    from huggingface_hub.utils import _http

    first = urlsplit(told["hub"])

    def step(request: Any) -> None:
        url = request.url
        if url.scheme != "https" and first.scheme == "https":
            raise RuntimeError(f"it leads to {url.host} without encryption")
        if url.host != first.hostname and told["alone"]:
            raise RuntimeError(f"it leads to {url.host}, which is not reached while offline")

    def client() -> Any:
        import httpx2

        ca = told["ca"]
        trusted = ssl.create_default_context(cafile=str(Path(ca).expanduser())) if ca else True
        hooks = {"request": [_http.hf_request_event_hook, step]}
        return httpx2.Client(event_hooks=hooks, follow_redirects=True, timeout=None, verify=trusted)

    hub.set_client_factory(client)


def _failure(error: BaseException) -> dict[str, Any]:
    """What went wrong, as far as it can be told apart; the innermost answer of the hub counts."""
    seen: BaseException | None = error
    status, code, said = None, "", ""
    while seen is not None:
        response = getattr(seen, "response", None)
        if response is not None and status is None:
            status = getattr(response, "status_code", None)
            code = str(response.headers.get("x-error-code", ""))[:80]
            said = str(response.headers.get("x-error-message", ""))[:400]
        seen = seen.__cause__
    return {
        "kind": type(error).__name__,
        "status": status,
        "code": code,
        "said": said,
        "text": str(error)[:400],
    }


def _say(out: Any, line: dict[str, Any]) -> int:
    try:
        out.write(json.dumps(line) + "\n")
        out.flush()
    except OSError:  # nobody listens any more
        os._exit(1)
    return 0


def _leave_with_parent() -> None:
    while sys.stdin.readline():
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
