"""How a path that is being typed is completed: the first name of its folder that begins so."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from textual.suggester import Suggester

MOST_ENTRIES = 5_000
"""Names looked at in one folder."""


class PathSuggester(Suggester):
    """Completes folders, and files that end in one of the given ways."""

    def __init__(self, endings: Sequence[str] = ()) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._endings = tuple(endings)

    async def get_suggestion(self, value: str) -> str | None:
        return await asyncio.to_thread(completed, value, self._endings)


def completed(value: str, endings: Sequence[str] = ()) -> str | None:
    """The value with the rest of a name; None where nothing begins so. Hidden names only once their dot is typed."""
    folder, name = os.path.split(value)
    if not folder and not value.startswith("~"):
        folder = "."
    found = []
    try:
        with os.scandir(Path(folder).expanduser()) as entries:
            for entry in islice(entries, MOST_ENTRIES):
                if not entry.name.startswith(name) or (
                    entry.name.startswith(".") and not name.startswith(".")
                ):
                    continue
                if not entry.name.isprintable():
                    continue
                if entry.is_dir():
                    found.append(f"{entry.name}{os.sep}")
                elif not endings or entry.name.lower().endswith(tuple(endings)):
                    found.append(entry.name)
    except (OSError, ValueError, RuntimeError):
        return None
    best = min(found, default="")
    return value[: len(value) - len(name)] + best if best else None
