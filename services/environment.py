"""Which variables there are to look at: of the process, of `config/.env`, of a folder's `.env`, each with its place."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from catalog.hf_home import TOKEN_NAME, kept_token, token_file
from catalog.plaintext import one_line

if TYPE_CHECKING:
    from services.paths import Paths
    from store.vault.env_file import EnvFile

Source = Literal["environment", "config", "folder", "loopback"]

_EXAMPLE = re.compile(
    r"(?:[a-z0-9]{1,8}[-_])?your[-_ ].*|<.*>|\[.*\]|.*\.\.\.|\$\{?\w+\}?|%\w+%|change[-_ ]?me|todo|none|null|dummy|empty|placeholder|[x*]{3,}",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Variables:
    """Names and values of one place after another, the first to have a name decides. Values are in no repr."""

    values: Mapping[str, str] = field(repr=False)
    source: Source = "environment"
    path: str = ""
    """The file that `from_file` are in."""
    from_file: frozenset[str] = frozenset()
    problem: str = ""
    """Why the file could not be read, in words; empty also where there is none."""
    open_to_others: bool = False
    token_file: str = ""
    """The file of Hugging Face's own tools that HF_TOKEN is in; empty: it is not there, or set otherwise."""

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)

    def text(self, name: str) -> str:
        """What the variable says, without blanks around it; empty where it says nothing."""
        return self.values.get(name, "").strip()

    def key(self, name: str) -> str:
        """The key in the variable; empty where there is none, or what is there cannot be one."""
        value = self.text(name)
        return "" if not value or no_key(value) else value

    def source_of(self, name: str) -> Source:
        """Where the variable is."""
        return ("config" if self.source == "environment" else self.source) if name in self.from_file else self.source  # fmt: skip

    def where(self, name: str) -> str:
        """The same in words, after “is”: `set`, `in config/.env`, `in /home/me/project/.env`."""
        if self.token_file and name == TOKEN_NAME:
            return f"in {one_line(self.token_file, 200)}"
        place = self.source_of(name)
        return {"environment": "set", "config": "in config/.env"}.get(place, f"in {one_line(self.path, 200)}")


def variables(paths: Paths, environ: Mapping[str, str] | None = None) -> Variables:
    """What `env:NAME` can refer to: the environment of this process, then our own `config/.env`."""
    environ = os.environ if environ is None else environ
    file = _read(paths.env_file)
    # An empty variable counts as missing, here as where a reference is resolved.
    values = {**file.values, **{name: value for name, value in environ.items() if value.strip()}}
    here = frozenset(name for name in file.values if not environ.get(name, "").strip())
    kept = "" if values.get(TOKEN_NAME, "").strip() else kept_token(environ)
    if kept:
        values[TOKEN_NAME] = kept
    place = str(token_file(environ)) if kept else ""
    return Variables(values, "environment", str(file.path), here, file.problem, file.open_to_others, place)


def folder_variables(path: Path) -> Variables:
    """The variables of a `.env` file that is not ours: nothing there counts before the user says so."""
    file = _read(path)
    return Variables(
        file.values, "folder", str(file.path), frozenset(file.values), file.problem, file.open_to_others
    )


def folder_file(paths: Paths) -> Path | None:
    """The `.env` of the working directory; None where there is none, or it is our own."""
    try:
        path = Path.cwd() / ".env"
        if not path.exists() or (paths.env_file.exists() and path.samefile(paths.env_file)):
            return None
    except OSError:  # the working directory is gone, or may not be looked into
        return None
    return path


def no_key(value: str) -> str:
    """Why a value cannot be a key, in words; empty where it may be one."""
    if _EXAMPLE.fullmatch(value):
        return "holds an example, not a key"
    if not value.isascii() or any(not character.isprintable() for character in value):
        return "holds characters that no key has"
    if any(character.isspace() for character in value):
        return "holds several words, not a key"
    return ""


def _read(path: Path) -> EnvFile:
    from store.vault.env_file import read_env_file

    return read_env_file(path)
