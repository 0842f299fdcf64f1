"""Where Hugging Face's own tools keep things, as their variables say: their home folder, and the token that a login left in it."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path

TOKEN_NAME = "HF_TOKEN"  # noqa: S105  a variable's name
"""What the token in the file goes by: Hugging Face's tools read the variable first, then the file."""
_LONGEST = 1_000


def home(environ: Mapping[str, str] | None = None) -> Path:
    """`HF_HOME`, by default in the user's cache folder."""
    environ = os.environ if environ is None else environ
    default = Path(environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface"
    return as_path(environ.get("HF_HOME") or str(default))


def token_file(environ: Mapping[str, str] | None = None) -> Path:
    """`HF_TOKEN_PATH`, by default `token` in HF_HOME."""
    environ = os.environ if environ is None else environ
    named = environ.get("HF_TOKEN_PATH")
    return as_path(named) if named else home(environ) / "token"


def kept_token(environ: Mapping[str, str] | None = None) -> str:
    """The token in the file; empty where there is none, or the file is no such file."""
    path = token_file(environ)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return ""
        with path.open("rb") as file:
            content = file.read(_LONGEST + 1)
    except (OSError, ValueError):
        return ""
    text = content.decode("utf-8", "replace").strip()
    return (
        text if len(content) <= _LONGEST and text.isascii() and text.isprintable() and " " not in text else ""
    )


def as_path(text: str) -> Path:
    """A path with its variables and `~` filled in, from the root: a relative one begins where the program runs."""
    path = Path(os.path.expandvars(text))
    with contextlib.suppress(RuntimeError):  # no home folder
        path = path.expanduser()
    return Path(os.path.abspath(path))  # noqa: PTH100  links stay as they are
