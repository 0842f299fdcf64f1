"""A download by huggingface_hub in a process of its own: started with our proxy, CA and token, read, and ended with all its children."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

from adapters.abilities import PullProgress
from adapters.base import Connection
from adapters.counts import count
from adapters.errors import NetworkError, Origin, ProviderError, StreamInterruptedError
from adapters.http_rules import proxy_for
from adapters.huggingface import cache
from adapters.huggingface.hub import hub_error
from catalog.errors import UsageError
from catalog.plaintext import one_line
from catalog.redact import redact

SILENCE = 600.0
"""Seconds without a report after which a download is given up."""
LOOK = 1.0
"""Seconds between two looks at whether it may still go on, where nothing is reported."""
_LINE = 64 * 1024
_KEPT = (
    "PATH", "HOME", "USERPROFILE", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "LANG", "LC_ALL", "SSL_CERT_FILE", "SSL_CERT_DIR",
)  # fmt: skip
"""Variables that the child inherits: no key is among them, and no token of Hugging Face's own."""
INSTALL = "pip install 'switchroom[hf]'"


def child_environment(hub: str, environ: Mapping[str, str]) -> dict[str, str]:
    """What the downloading process knows: no token, no telemetry, and plain HTTP for every byte.

    Its second way of transfer (xet) follows the proxy, but cannot be given the provider's own CA file, so it is off.
    """
    return {
        **{name: environ[name] for name in _KEPT if environ.get(name)},
        "HF_ENDPOINT": hub,
        "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_UPDATE_CHECK": "1",
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_SYMLINKS_WARNING": "1",
        "PYTHONUTF8": "1",
    }


def require_library() -> None:
    """Raise UsageError where huggingface_hub is not installed."""
    if find_spec("huggingface_hub") is None:
        raise _not_installed()


def _not_installed() -> UsageError:
    return UsageError(
        "Downloads from the hub need the library huggingface_hub, which is not installed.",
        title="Not installed",
        hint=f"Install it: {INSTALL}",
    )


@asynccontextmanager
async def open_download(
    connection: Connection,
    hub: str,
    folder: Path,
    model: str,
    allowed: Callable[[], None],
    *,
    alone: bool,
) -> AsyncIterator[AsyncIterator[PullProgress]]:
    """The reports of a download on its way; leaving ends it, and the files that are whole are kept for the next time.

    `allowed` raises OfflineError where connections may not leave: asked before the process starts and while it runs.
    `alone`: the hub may be reached, but no other host that it leads to.
    """
    allowed()
    require_library()
    started = time.time()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-E",
        "-P",
        str(Path(__file__).with_name("child.py")),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=child_environment(hub, os.environ),
        cwd=sys.prefix,  # it is there for sure
        start_new_session=True,
        limit=_LINE,
    )

    def tidy() -> None:
        if (path := cache.folder_of(folder, model)) is not None:
            cache.drop_parts(path, before=started)

    reports = _reports(process, connection.slug, model, allowed, tidy)
    try:
        await _tell(process, told(connection, hub, folder, model, alone=alone))
        yield reports
    finally:
        await _end(process)
        with contextlib.suppress(RuntimeError):  # the reader is inside it still
            await reports.aclose()


def told(connection: Connection, hub: str, folder: Path, model: str, *, alone: bool) -> dict[str, object]:
    """What goes through the pipe: neither arguments nor variables, which others may see, have token and proxy."""
    proxy = proxy_for(hub, connection.proxy)
    return {
        "model": model,
        "token": connection.key.get_secret_value() if connection.key is not None else None,
        "folder": str(folder),
        "hub": hub,
        "ca": connection.ca_file,
        "proxy": dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY"), proxy) if proxy else {"NO_PROXY": "*"},
        "alone": alone,
    }


async def _tell(process: asyncio.subprocess.Process, line: dict[str, object]) -> None:
    assert process.stdin is not None
    with contextlib.suppress(ConnectionError):
        process.stdin.write(json.dumps(line).encode() + b"\n")
        await process.stdin.drain()


async def _reports(
    process: asyncio.subprocess.Process,
    slug: str,
    model: str,
    allowed: Callable[[], None],
    tidy: Callable[[], None],
) -> AsyncGenerator[PullProgress]:
    assert process.stdout is not None
    yield PullProgress("looking at the files")
    heard = time.monotonic()
    while True:
        allowed()
        try:
            raw = await asyncio.wait_for(process.stdout.readline(), LOOK)
        except TimeoutError:
            if time.monotonic() - heard < SILENCE:
                continue
            raise _broken(slug, model, "nothing came for ten minutes") from None
        except ValueError:
            raise _broken(slug, model, "its report cannot be read") from None
        heard = time.monotonic()
        if not raw:
            raise _broken(slug, model, "the downloading process ended")
        try:
            line = json.loads(raw)
        except ValueError:
            continue
        if not isinstance(line, dict):
            continue
        if line.get("missing"):  # the child sees less: what a variable adds to the path is not there
            raise _not_installed()
        if isinstance(failure := line.get("error"), dict):
            raise _failure(slug, model, failure)
        completed, total = count(line, "completed"), count(line, "total")
        if line.get("done") is True:
            await asyncio.to_thread(tidy)
            yield PullProgress("done", completed, total, done=True)
            return
        yield PullProgress("downloading", completed, total or None)


async def _end(process: asyncio.subprocess.Process) -> None:
    """No process of it is left, whatever it does."""
    if process.returncode is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError, AttributeError):
            with contextlib.suppress(ProcessLookupError):
                process.kill()
    await process.wait()


def _failure(slug: str, model: str, failure: Mapping[str, object]) -> ProviderError:
    status = failure.get("status")
    words = one_line(redact(str(failure.get("said") or failure.get("text") or "")), 200)
    if isinstance(status, int) and status >= 400:
        headers = {"x-error-code": str(failure.get("code") or ""), "x-error-message": str(failure.get("said") or "")}  # fmt: skip
        return hub_error(Origin(slug, model), status, headers, b"")
    if str(failure.get("kind")) in ("OSError", "PermissionError", "FileNotFoundError"):
        return _broken(slug, model, words or "the cache cannot be written")
    return NetworkError(
        f"The download of {one_line(model, 80)} failed: {words or failure.get('kind')}",
        hint="Pull it again: the files that are whole are not fetched twice.",
        provider=slug,
    )


def _broken(slug: str, model: str, why: str) -> StreamInterruptedError:
    return StreamInterruptedError(
        f"The download of {one_line(model, 80)} broke off: {why.rstrip('.')}.",
        hint="Pull it again: the files that are whole are not fetched twice.",
        provider=slug,
    )
