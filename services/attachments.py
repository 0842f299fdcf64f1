"""Which files may go with a prompt: images, told by their bytes, of a size that vendors take."""

from __future__ import annotations

import os
import re
import shlex
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from catalog.errors import UsageError
from catalog.plaintext import one_line

if TYPE_CHECKING:
    from adapters.events import Image

IMAGE_LIMIT = 20 * 1024 * 1024
"""Bytes; above it every vendor refuses an image."""
MOST_IMAGES = 20
"""With one prompt."""
_TYPES: Sequence[tuple[bytes, bytes, str]] = (
    (b"\x89PNG\r\n\x1a\n", b"", "image/png"),
    (b"\xff\xd8\xff", b"", "image/jpeg"),
    (b"GIF8", b"", "image/gif"),
    (b"RIFF", b"WEBP", "image/webp"),
)
"""First bytes, the bytes at offset 8 where the first do not decide, and the type."""
_SUFFIX = re.compile(r"\.(?:png|jpe?g|gif|webp)['\"]?\s*$", re.IGNORECASE)
_LONGEST_PATH = 4096


@dataclass(frozen=True, slots=True)
class Attached:
    """An image that was read from a file."""

    name: str
    """The file's own name, without its folder, on one harmless line."""
    media_type: str
    data: bytes

    @property
    def image(self) -> Image:
        from adapters.events import Image

        return Image(self.media_type, self.data)


def read_image(path: Path, *, whole: bool = True) -> Attached:
    """An image, its type told from its bytes; not `whole`: only its beginning, to see whether it is one. Raises UsageError."""
    shown = one_line(str(path), 200)
    try:
        # Opened without waiting: a pipe nobody writes to would hold the program up for ever.
        if path.is_dir():
            raise UsageError(f"{shown} is a folder, not an image.")
        ways = ("O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY")
        handle = os.open(path, os.O_RDONLY | sum(getattr(os, way, 0) for way in ways))
        with os.fdopen(handle, "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise UsageError(f"{shown} is no ordinary file.")
            if found.st_size > IMAGE_LIMIT:
                raise UsageError(f"The image {shown} is larger than {IMAGE_LIMIT // 1024 // 1024} MB.")
            head = file.read(16)
            media_type = _media_type(head)
            if media_type is None:
                raise UsageError(f"The image {shown} is none of PNG, JPEG, GIF and WebP.")
            data = head + file.read(IMAGE_LIMIT + 1 - len(head)) if whole else head
    except OSError as problem:
        raise UsageError(f"The image {shown} cannot be read: {problem.strerror}.") from None
    except ValueError:
        raise UsageError("The path of an image holds a character that no path has.") from None
    if len(data) > IMAGE_LIMIT:
        raise UsageError(f"The image {shown} is larger than {IMAGE_LIMIT // 1024 // 1024} MB.")
    return Attached(one_line(path.name, 120) or "image", media_type, data)


def _media_type(head: bytes) -> str | None:
    for start, at_eight, media_type in _TYPES:
        if head.startswith(start) and head[8:].startswith(at_eight):
            return media_type
    return None


def typed_path(text: str) -> Path:
    """A path as a person or a terminal writes it: `~`, quotes, `\\ ` before spaces, `file://`. Raises UsageError."""
    text = text.strip()
    if text.startswith("file://"):
        text = unquote("/" + text.removeprefix("file://").partition("/")[2])
    elif text[:1] in "'\"" or "\\" in text:
        try:
            parts = shlex.split(text)
        except ValueError:
            parts = []
        text = parts[0] if len(parts) == 1 else text
    try:
        return Path(text).expanduser()
    except (RuntimeError, ValueError):
        return Path(text)


def pasted_paths(text: str) -> tuple[Path, ...]:
    """The image files that a pasted text names, one or several and nothing else; empty for any other text."""
    text = text.strip()
    if not text or len(text) > _LONGEST_PATH or not _SUFFIX.search(text):
        return ()
    lines = [line for line in text.split("\n") if line.strip()]
    alone = [typed_path(line) for line in lines]
    if all(_is_whole(path) for path in alone):
        return tuple(alone)
    try:
        parts = shlex.split(text)
    except ValueError:
        return ()
    split = tuple(typed_path(part) if part.startswith(("file://", "~")) else Path(part) for part in parts)
    return split if all(_is_whole(path) and _SUFFIX.search(path.name) for path in split) else ()


def _is_whole(path: Path) -> bool:
    """An absolute path that is there: a name alone may be a word of the prompt."""
    try:
        return path.is_absolute() and path.is_file()
    except (OSError, ValueError):
        return False
