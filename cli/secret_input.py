"""How secrets come in: standard input, the name of a variable, or the terminal itself; never an argument."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from catalog.errors import MissingKeyError, UsageError

if TYPE_CHECKING:
    from pydantic import SecretStr

    from services.registry import EnvKey

_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NO_SECRET = re.compile(r"[\x00-\x20\x7f]")


def read_secrets(names: Sequence[str]) -> dict[str, SecretStr]:
    """The named secrets from standard input, one to a line in the order of the names.

    One secret alone is all of standard input but for one line end. Empty ones are refused, and so is anything
    that cannot stand in a header.
    """
    from pydantic import SecretStr

    text = _standard_input(names[0])
    values = [text] if len(names) == 1 else text.split("\n")
    if len(values) != len(names):
        raise UsageError(f"Standard input must hold {len(names)} lines: {', '.join(names)}.")
    secrets = {}
    for name, value in zip(names, values, strict=True):
        value = value.removesuffix("\r")
        if not value:
            raise UsageError(f"Standard input holds no {name}: it is empty.")
        if _NO_SECRET.search(value):
            raise UsageError(
                f"The {name} on standard input holds a space, a line end or a control character."
            )
        secrets[name] = SecretStr(value)
    return secrets


def read_passphrase(name: str) -> SecretStr:
    """A passphrase from standard input: all of it but one line end; it may hold spaces."""
    from pydantic import SecretStr

    text = _standard_input(name).removesuffix("\r")
    if not text:
        raise UsageError(f"Standard input holds no {name}: it is empty.")
    return SecretStr(text)


def _standard_input(name: str) -> str:
    if sys.stdin.isatty():
        raise UsageError(
            f"The {name} is read from standard input, which is a terminal here.",
            hint="Pipe it in, for example from a password manager or a file.",
        )
    try:
        return sys.stdin.buffer.read().decode().removesuffix("\n")
    except UnicodeDecodeError:
        raise UsageError(f"The {name} on standard input is not text.") from None


def environment_key(name: str) -> EnvKey:
    """A reference to a variable that exists now; its value is not read here."""
    from services.registry import EnvKey

    if not _ENVIRONMENT_NAME.fullmatch(name):
        raise UsageError(
            "--key-env takes the name of an environment variable, not a key.",
            hint="Give a key with --key-stdin.",
        )
    if not os.environ.get(name):
        raise MissingKeyError(
            f"There is no key: the environment variable {name} is not set.",
            hint=f"Set {name}, or give the key with --key-stdin.",
        )
    return EnvKey(name)


def key_source(
    key_stdin: bool, key_env: str | None, headers: Sequence[str] = ()
) -> tuple[SecretStr | EnvKey | None, dict[str, SecretStr]]:
    """The key as the options give it, and the values of the secret headers (after the key on standard input)."""
    if key_stdin and key_env is not None:
        raise UsageError("--key-stdin and --key-env exclude each other.")
    names = (["key"] if key_stdin else []) + [f"value of {header}" for header in headers]
    secrets = read_secrets(names) if names else {}
    values = {header: secrets[f"value of {header}"] for header in headers}
    if key_stdin:
        return secrets["key"], values
    return (environment_key(key_env) if key_env is not None else None), values


PROMPTS = {
    "unlock": "Vault passphrase: ",
    "new": "New vault passphrase: ",
    "repeat": "The same again: ",
}
"""`Credentials.asking_for` → what the terminal asks."""


async def ask_passphrase(prompt: str) -> SecretStr | None:
    """The passphrase from the controlling terminal, unseen; None where there is no terminal.

    Standard input stays free for keys and prompts. Waits without blocking, so a signal can end it.
    """
    import asyncio
    import select
    import termios

    from pydantic import SecretStr

    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return None
    try:
        before = termios.tcgetattr(terminal)
        hidden = [*before]
        hidden[3] &= ~termios.ECHO
        termios.tcsetattr(terminal, termios.TCSAFLUSH, hidden)
        try:
            os.write(terminal, prompt.encode())
            while not select.select([terminal], [], [], 0)[0]:  # noqa: ASYNC110 - a terminal has no event
                await asyncio.sleep(0.05)
            line = os.read(terminal, 4096)
        finally:
            termios.tcsetattr(terminal, termios.TCSAFLUSH, before)
            os.write(terminal, b"\n")
    finally:
        os.close(terminal)
    return SecretStr(line.decode(errors="replace").rstrip("\r\n")) if line.strip(b"\r\n") else None
