"""The log: one file in logs/, for the user alone, rotated, with every secret masked, and never the screen."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path

from catalog.plaintext import harmless
from catalog.redact import redact

LIMIT_BYTES = 1_000_000
KEPT = 3
"""Older files kept beside the one in use."""

OURS = ("adapters", "catalog", "cli", "services", "store", "tui")
_running: list[_PrivateFile] = []
"""The logs that write, oldest first."""


def start(path: Path, level: str) -> Callable[[], None]:
    """Send every log record to this file from `level` on; returns what undoes it. The file is made when first used.

    Libraries are heard from WARNING on only: below that httpx logs whole URLs.
    """
    root = logging.getLogger()
    handler = _PrivateFile(path)
    handler.setFormatter(_Redacting("%(asctime)s %(levelname)s %(process)d %(name)s: %(message)s"))
    handler.addFilter(_quiet_libraries)
    handler.found = {name: logging.getLogger(name).level for name in OURS}
    _running.append(handler)
    set_level(level)
    root.addHandler(handler)

    def stop() -> None:
        root.removeHandler(handler)
        handler.close()
        place = _running.index(handler)
        _running.remove(handler)
        if place < len(_running):  # one that began later goes on: it is the one to put the levels back
            _running[place].found = handler.found
            return
        for name, found in handler.found.items():
            logging.getLogger(name).setLevel(found)

    return stop


def set_level(level: str) -> None:
    """Hear of our own messages from this level on."""
    for name in OURS:
        logging.getLogger(name).setLevel(logging.getLevelName(level.upper()))


class _Redacting(logging.Formatter):
    """Masks secrets in the whole record, its traceback included, and what could steer a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(harmless(super().format(record)))


def _quiet_libraries(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING or record.name.partition(".")[0] in OURS


class _PrivateFile(logging.FileHandler):
    """A 0600 file that moves aside to `.1`, `.2`, … when it is full."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8", delay=True)
        self.found: dict[str, int] = {}
        """The levels from before it began."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8")

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError):  # whoever logs must go on, on a full disk too
            super().emit(record)
            if self.stream is not None and self.stream.tell() > LIMIT_BYTES:
                self._rotate()

    def close(self) -> None:
        with suppress(OSError):
            super().close()

    def _rotate(self) -> None:
        path = Path(self.baseFilename)
        # Another process may have moved the file aside already: then ours is the old one, and only reopened.
        if path.exists() and path.stat().st_size > LIMIT_BYTES:
            for number in range(KEPT - 1, 0, -1):
                older = path.with_name(f"{path.name}.{number}")
                if older.exists():
                    older.replace(path.with_name(f"{path.name}.{number + 1}"))
            path.replace(path.with_name(f"{path.name}.1"))
        if self.stream is not None:
            self.stream.close()
        self.stream = self._open()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """A full disk must not write a traceback over the screen."""
