"""What a crash shows and keeps: a short text without local variables, redacted; Textual's own prints every local."""

from __future__ import annotations

import os
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.redact import redact

if TYPE_CHECKING:
    from collections.abc import Callable


def report(error: BaseException) -> str:
    """The whole traceback without local variables, every known or key-shaped secret masked."""
    lines = traceback.TracebackException.from_exception(error, capture_locals=False).format()
    return redact("".join(lines))


def write_report(error: BaseException, folder: Path) -> Path | None:
    """Keep the report in a file that only the user can read; None when the folder cannot be written."""
    name = time.strftime("crash-%Y%m%d-%H%M%S.txt", time.gmtime())
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / name
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w") as file:
            file.write(report(error))
    except OSError:
        return None
    return path


def screen_text(error: BaseException, path: Path | None) -> str:
    """The few lines a person sees."""
    where = _origin(error)
    words = redact(f"{type(error).__name__}: {error}".split("\n", 1)[0])[:300]
    lines = [
        "Switchroom stopped because of an error of its own.",
        f"  {words}",
        f"  at {where}" if where else "",
    ]
    lines.append(
        f"The details, without any key, are in {path}." if path else "The details could not be written."
    )
    lines.append("Runs that were in flight are recorded. Start switchroom again to go on.")
    return "\n".join(line for line in lines if line)


def _origin(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return ""
    last = frames[-1]
    return f"{Path(last.filename).name}:{last.lineno} in {last.name}"


def handle(error: Exception, folder: Callable[[], Path]) -> str:
    """Write the report and return the text for the screen. Never raises: it runs while the program falls."""
    inner = getattr(error, "error", None)  # a failed worker wraps what really happened
    error = inner if isinstance(inner, Exception) else error
    try:
        path = write_report(error, folder())
    except Exception:  # noqa: BLE001 - the folder itself may be what failed
        path = None
    return screen_text(error, path)
