"""What functions a model may call, read from a file of the user's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.errors import UsageError

if TYPE_CHECKING:
    from adapters.events import ToolSpec


def read_tools(path: Path | None) -> tuple[ToolSpec, ...]:
    """The functions of a tools file: an OpenAI-style list of tools, or a bare list of functions."""
    if path is None:
        return ()
    try:
        data: object = json.loads(path.read_bytes())
    except OSError as problem:
        raise UsageError(f"The tools file {path} cannot be read: {problem.strerror}.") from None
    except (ValueError, RecursionError):
        raise UsageError(f"The tools file {path} is not JSON.") from None
    return tools_of(data, f"The tools file {path}")


def tools_of(data: object, where: str) -> tuple[ToolSpec, ...]:
    """The same from a document; `where` begins what is said of a mistake in it."""
    if isinstance(data, dict) and "tools" in data:
        data = data["tools"]
    if not isinstance(data, list) or not data:
        raise UsageError(f"{where} must hold a list of tools.")
    tools = tuple(_tool(entry, number, where) for number, entry in enumerate(data, 1))
    names = [tool.name for tool in tools]
    if len(set(names)) < len(names):
        raise UsageError(f"{where} names a function twice.")
    return tools


def _tool(entry: object, number: int, where: str) -> ToolSpec:
    from adapters.events import ToolSpec

    function = entry.get("function", entry) if isinstance(entry, Mapping) else None
    if not isinstance(function, Mapping):
        raise UsageError(f"{where}: tool {number} is not an object.")
    name = function.get("name")
    description = function.get("description", "")
    parameters = function.get("parameters", {"type": "object", "properties": {}})
    if not isinstance(name, str) or not name:
        raise UsageError(f"{where}: tool {number} has no name.")
    if not isinstance(description, str):
        raise UsageError(f"{where}: the description of tool {number} is not text.")
    if not isinstance(parameters, dict):
        raise UsageError(f"{where}: the parameters of tool {number} are not a JSON schema object.")
    return ToolSpec(name=name, description=description, parameters=parameters)
