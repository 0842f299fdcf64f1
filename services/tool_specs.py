"""What functions a model may call and what answers for them, read from a file of the user's."""

from __future__ import annotations

import json
import math
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.errors import UsageError
from catalog.plaintext import one_line
from catalog.positions import line_of

if TYPE_CHECKING:
    from adapters.events import ToolSpec

MOST_BYTES = 1024 * 1024
"""A file of tools is sent with every prompt; a larger one is something else."""

Where = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One mocked result."""

    text: str
    when: Mapping[str, object] | None = None
    """Arguments that must be these, others may be any; None: always."""
    failed: bool = False
    """The result is an error of the function."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A function, and the results that stand in for it; without any its results are typed."""

    spec: ToolSpec
    cases: tuple[Case, ...] = ()

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def stored(self) -> dict[str, object]:
        """The entry of a tools file that reads back as this."""
        spec = self.spec
        entry: dict[str, object] = {
            "name": spec.name,
            "description": spec.description,
            "parameters": dict(spec.parameters),
        }
        if self.cases:
            entry["mock"] = [
                {
                    **({"when": dict(case.when)} if case.when is not None else {}),
                    ("error" if case.failed else "then"): case.text,
                }
                for case in self.cases
            ]
        return entry


class BadToolsError(ValueError):
    """What is wrong with a document of tools, and where in it."""

    def __init__(self, reason: str, where: Where = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.where = where


def read_tools(path: Path | None) -> tuple[Tool, ...]:
    """The functions of a tools file: an OpenAI-style list of tools, or a bare list of functions."""
    if path is None:
        return ()
    shown, text = one_line(str(path), 300), _text(path)
    try:
        data = strict_json(text)
    except json.JSONDecodeError as error:
        raise UsageError(f"The tools file {shown} is not JSON: line {error.lineno}, {error.msg}.") from None
    except (ValueError, RecursionError):
        raise UsageError(f"The tools file {shown} is not JSON.") from None
    try:
        return tools_of(data)
    except BadToolsError as error:
        line = line_of(text, error.where)
        raise UsageError(f"The tools file {shown}, line {line}: {one_line(error.reason)}.") from None


def _text(path: Path) -> str:
    shown = one_line(str(path), 300)
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # a pipe or device would be read without end
            what = "is a folder" if stat.S_ISDIR(found.st_mode) else "is no ordinary file"
            raise UsageError(f"The tools file {shown} {what}.")
        if found.st_size > MOST_BYTES:
            raise UsageError(f"The tools file {shown} is larger than 1 MB.")
        return path.read_text("utf-8-sig")
    except OSError as problem:
        raise UsageError(f"The tools file {shown} cannot be read: {problem.strerror}.") from None
    except ValueError:
        raise UsageError(f"The tools file {shown} is not JSON: no UTF-8 text.") from None


def tools_of(data: object) -> tuple[Tool, ...]:
    """The same from a document. Raises BadToolsError."""
    root: Where = ()
    if isinstance(data, dict) and "tools" in data:
        data, root = data["tools"], ("tools",)
    if not isinstance(data, list) or not data:
        raise BadToolsError("it must hold a list of tools", root)
    tools: list[Tool] = []
    for number, entry in enumerate(data, 1):
        where = (*root, number - 1)
        tool = _tool(entry, number, where)
        if any(tool.name == other.name for other in tools):
            raise BadToolsError(f"it names the function {tool.name} twice", where)
        tools.append(tool)
    return tuple(tools)


def strict_json(text: str) -> object:
    """A JSON text without what cannot be sent on: NaN, infinite numbers (`1e999`). Raises ValueError, RecursionError."""
    return json.loads(text, parse_constant=_finite, parse_float=_finite)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is no number")
    return value


def _tool(entry: object, number: int, where: Where) -> Tool:
    from adapters.events import ToolSpec

    function = entry.get("function", entry) if isinstance(entry, Mapping) else None
    if not isinstance(entry, Mapping) or not isinstance(function, Mapping):
        raise BadToolsError(f"tool {number} is not an object", where)
    name = function.get("name")
    description = function.get("description", "")
    parameters = function.get("parameters", {"type": "object", "properties": {}})
    if not isinstance(name, str) or not name:
        raise BadToolsError(f"tool {number} has no name", where)
    if not isinstance(description, str):
        raise BadToolsError(f"the description of tool {number} is not text", where)
    if not isinstance(parameters, dict):
        raise BadToolsError(f"the parameters of tool {number} are not a JSON schema object", where)
    inside = function is not entry and "mock" in function
    holder, path = (function, (*where, "function", "mock")) if inside else (entry, (*where, "mock"))
    cases = _cases(holder["mock"], number, path) if "mock" in holder else ()
    return Tool(ToolSpec(name=name, description=description, parameters=parameters), cases)


def _cases(mock: object, number: int, where: Where) -> tuple[Case, ...]:
    """A fixed result, or a list of cases: every entry is an object with `then` or `error`."""
    if not _is_cases(mock):
        return (Case(as_text(mock)),)
    assert isinstance(mock, Sequence)
    return tuple(_case(entry, number, (*where, index)) for index, entry in enumerate(mock))


def _is_cases(mock: object) -> bool:
    """A list in which any entry has a key of a case is meant as cases; any other list is a result."""
    return isinstance(mock, list) and any(
        isinstance(entry, dict) and not entry.keys().isdisjoint(("when", "then", "error")) for entry in mock
    )


def _case(entry: object, number: int, where: Where) -> Case:
    if not isinstance(entry, dict) or ("then" in entry) == ("error" in entry):
        raise BadToolsError(f"a mock of tool {number} has not exactly one of `then` and `error`", where)
    if other := sorted(entry.keys() - {"when", "then", "error"}):
        raise BadToolsError(f"a mock of tool {number} has the unknown key `{other[0]}`", where)
    when = entry.get("when")
    if when is not None and not isinstance(when, dict):
        raise BadToolsError(f"`when` of a mock of tool {number} is not an object", where)
    failed = "error" in entry
    return Case(as_text(entry["error" if failed else "then"]), when, failed)


def as_text(value: object) -> str:
    """A result as a model reads it: text as it is, anything else as JSON. Half a surrogate pair cannot be kept."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
