"""How a `.env` file is read: bounded, never followed into anything that is no file, and no value in any message."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

LARGEST = 256 * 1024
"""Bytes; a file of variables has a few hundred."""
LONGEST = 16_384
"""Characters of a value; no key and no address is longer."""


@dataclass(frozen=True, slots=True)
class EnvFile:
    """The variables of a file. Values are in no repr."""

    path: Path
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    problem: str = ""
    """Why nothing could be read, in words; empty also where there is no such file."""
    open_to_others: bool = False
    """True when other users of this machine may read or change it."""


def read_env_file(path: Path) -> EnvFile:
    """The variables in the file, the last of two with one name; a problem in words where it cannot be read.

    Quotes, `export`, comments, CRLF and a byte order mark are understood; nothing is expanded.
    """
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except (FileNotFoundError, NotADirectoryError):
        return EnvFile(path)
    except OSError as error:
        return EnvFile(path, problem=f"cannot be read ({error.strerror or 'not permitted'})")
    try:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            return EnvFile(path, problem="is not a file")
        raw = _read(handle)
    except OSError as error:
        return EnvFile(path, problem=f"cannot be read ({error.strerror or 'input error'})")
    finally:
        os.close(handle)
    if len(raw) > LARGEST:
        return EnvFile(path, problem=f"is larger than {LARGEST // 1024} KB")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return EnvFile(path, problem="is not UTF-8 text")
    return EnvFile(path, parse_env(text), open_to_others=bool(about.st_mode & 0o077))


def parse_env(text: str) -> dict[str, str]:
    """Name → value of what is a variable; lines that are none, and values no variable can have, are left out."""
    import logging
    from io import StringIO

    from dotenv import dotenv_values

    logging.getLogger("dotenv.main").setLevel(logging.ERROR)  # it tells of each line it does not know
    values = dotenv_values(stream=StringIO(text), interpolate=False)
    return {
        name: value
        for name, value in values.items()
        if value is not None and "\0" not in value and len(value) <= LONGEST
    }


def _read(handle: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while size <= LARGEST and (piece := os.read(handle, 65_536)):
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)
