"""Where tools are kept by name: one JSON file for each set in `config/tools`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import UsageError
from catalog.plaintext import one_line
from services.tool_specs import Tool, read_tools


@dataclass(frozen=True, slots=True)
class ToolSet:
    """One file of tools."""

    name: str
    path: Path
    tools: tuple[Tool, ...]
    problem: str | None = None
    """Why it cannot be used, with file and line; None: it can."""


def listed(folder: Path) -> list[ToolSet]:
    """Every set by name, the broken ones with what is wrong. Hidden files are an editor's."""
    try:
        names = [entry.name for entry in folder.iterdir()]
    except FileNotFoundError:
        return []
    except OSError as error:
        return [ToolSet(folder.name, folder, (), f"The folder {folder} cannot be read: {error.strerror}.")]
    found = (_set(folder / name) for name in names if name.endswith(".json") and not name.startswith("."))
    return sorted(found, key=lambda known: known.name)


def _set(path: Path) -> ToolSet:
    try:
        return ToolSet(path.stem, path, read_tools(path))
    except UsageError as error:
        return ToolSet(path.stem, path, (), error.message)


def found(folder: Path, given: str) -> tuple[Tool, ...]:
    """The tools of a set by its name, or of a file by its path. Raises UsageError."""
    text = given.strip()
    if _is_path(text):
        return read_tools(_expanded(text))
    named = folder / f"{text}.json"
    if _is_there(named):
        return read_tools(named)
    if _is_there(Path(text)):
        return read_tools(Path(text))
    names = [known.name for known in listed(folder)]
    hint = f"There are: {', '.join(names)}." if names else f"Sets are files in {folder}."
    raise UsageError(f"There is no set of tools named {one_line(text, 60)}; it cannot be read.", hint=hint)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _is_path(text: str) -> bool:
    return os.sep in text or text.startswith(("~", ".")) or text.endswith(".json")


def _expanded(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)
