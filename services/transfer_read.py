"""How a foreign file is opened: whole, small, regular, as text, and with the line of every value in it."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

from catalog.errors import NotFoundError
from catalog.plaintext import one_line
from catalog.redact import redact, secret_name
from services.transfer_types import ImportProblemError

MOST_BYTES = 2 * 1024 * 1024
"""More than any configuration; a file above it is something else."""
_LINES_UP_TO = 200_000
"""Characters of a file whose lines are told."""
_TABLE = re.compile(r"\s*(\[\[?[\w.\-\"' ][^\n]*?\]\]?)\s*(?:#.*)?$")
_KEY = re.compile(r"\s*([\w.\-\"' ]+?)\s*=")


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was understood as JSON or TOML."""

    file: Path
    text: str
    data: Any
    toml: bool
    wide: bool = False
    """True: others than the owner can read the file."""

    def line(self, path: Sequence[str | int]) -> int | None:
        """The line of the value at a path; that of what is around it where it is not there.

        None in a file so large that each look would be felt.
        """
        if len(self.text) > _LINES_UP_TO:
            return None
        if self.toml:
            lines = _toml_lines(self.text)
            return next(
                (lines[found] for end in range(len(path), 0, -1) if (found := tuple(path[:end])) in lines),
                None,
            )
        from catalog.positions import line_of

        try:
            return line_of(self.text, path)
        except (ValueError, RecursionError):
            return None


def open_document(file: Path) -> Document:
    """Read a file as JSON or TOML, told from its content. Problems are named with their line, never with values."""
    content, wide = read_bytes(file)
    text = _decoded(file, content)
    data, toml = _parsed(file, text)
    if not isinstance(data, (dict, list)) or not data:
        raise ImportProblemError(f"{_name(file)} holds no configuration.", hint=_KNOWN)
    return Document(file, text, data, toml, wide)


def read_bytes(file: Path) -> tuple[bytes, bool]:
    """The bytes of a regular file, and whether others can read it too."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise NotFoundError(f"There is no file {_name(file)}.", hint="Check the name.") from None
    except (OSError, ValueError) as error:
        raise _unreadable(file, error) from None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise ImportProblemError(f"{_name(file)} is not a regular file.", hint=_KNOWN)
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            content = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise _unreadable(file, error) from None
    finally:
        os.close(descriptor)
    if len(content) > MOST_BYTES:
        raise ImportProblemError(
            f"{_name(file)} is larger than 2 MB.", hint="No configuration is that large."
        )
    return content, bool(found.st_mode & 0o077)


def safe(text: object, limit: int = 60) -> str:
    """A name from a file, fit to be shown: one line, nothing that steers a terminal, nothing like a key."""
    return one_line(redact(str(text)), limit)


def secretive(value: object, name: str = "") -> bool:
    """Whether a value looks like a key, or its name says that it is one."""
    return isinstance(value, str) and (redact(value) != value or redact(name) != name or secret_name(name))


_KNOWN = "Known: a Switchroom export, LACE's provider-instances.json, LoquiLex's providers.json, [provider.NAME] in TOML."


def unknown_format(file: Path) -> ImportProblemError:
    """The refusal of a file whose content is none of the known formats."""
    return ImportProblemError(
        f"{_name(file)} is none of the configurations that can be imported.", hint=_KNOWN
    )


def _decoded(file: Path, content: bytes) -> str:
    encoding = "utf-8-sig"
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif b"\0" in content:
        raise ImportProblemError(f"{_name(file)} is not a text file.", hint="Save it as UTF-8.")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ImportProblemError(
            f"{_name(file)}, line {line}: that is not {'UTF-16' if encoding == 'utf-16' else 'UTF-8'} text.",
            hint="Save it as UTF-8.",
        ) from None
    return text.replace("\r\n", "\n")


def _parsed(file: Path, text: str) -> tuple[Any, bool]:
    start = text.lstrip()[:1]
    try:
        if start == "{" or (start == "[" and not _TABLE.match(text.lstrip().split("\n", 1)[0])):
            return _json(text), False
        import tomllib

        return tomllib.loads(text), True
    except json.JSONDecodeError as error:
        raise _malformed(file, f", line {error.lineno}", "JSON") from None
    except RecursionError:
        raise _malformed(file, "", "JSON or TOML: it is nested too deeply") from None
    except ValueError as error:
        if isinstance(error, _BadJsonError):
            raise ImportProblemError(f"{_name(file)}: {error}.", hint="Correct the file.") from None
        place = re.search(r"at line (\d+)", str(error))
        raise _malformed(file, f", line {place.group(1)}" if place else "", "TOML or JSON") from None


class _BadJsonError(ValueError):
    """What JSON allows and no configuration means."""


def _json(text: str) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                raise _BadJsonError(f"the name “{safe(name)}” stands twice in one object")
            found[name] = value
        return found

    def no_number(word: str) -> NoReturn:
        raise _BadJsonError(f"{word} is no number that can be used")

    return json.loads(text, object_pairs_hook=once, parse_constant=no_number)


@lru_cache(maxsize=1)
def _toml_lines(text: str) -> dict[tuple[str | int, ...], int]:
    """Where each table and key of a TOML text stands; tables of a list are counted."""
    import tomllib

    table: tuple[str | int, ...] = ()
    here: tuple[str | int, ...]
    seen: dict[tuple[str, ...], int] = {}
    lines: dict[tuple[str | int, ...], int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        try:
            if header := _TABLE.match(line):
                names = _names(tomllib.loads(header.group(1)))
                if header.group(1).startswith("[["):
                    seen[names] = seen.get(names, -1) + 1
                table = here = (*names, seen[names]) if names in seen else names
            elif key := _KEY.match(line):
                here = (*table, *_names(tomllib.loads(f"{key.group(1)} = 0")))
            else:
                continue
        except (ValueError, RecursionError):
            continue
        lines.setdefault(here, number)
    return lines


def _names(data: Any) -> tuple[str, ...]:
    names: list[str] = []
    while True:
        data = data[0] if isinstance(data, list) and data else data
        if not isinstance(data, dict) or not data:
            return tuple(names)
        name, data = next(iter(data.items()))
        names.append(name)


def _malformed(file: Path, place: str, what: str) -> ImportProblemError:
    return ImportProblemError(
        f"{_name(file)}{place} is not valid {what}.", hint="Correct the file; nothing was changed."
    )


def _unreadable(file: Path, error: OSError | ValueError) -> ImportProblemError:
    reason = getattr(error, "strerror", None) or "it cannot be opened"
    return ImportProblemError(f"{_name(file)} cannot be read: {reason}.", hint="Nothing was changed.")


def _name(file: Path) -> str:
    return safe(file, 200)
