"""Secrets that stay in the environment: read when they are needed, never copied or changed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from catalog.errors import UsageError
from catalog.hf_home import TOKEN_NAME, kept_token
from store.vault.base import BackendName, BackendState


class EnvBackend:
    """Variables of the process, then those of our own `.env` file. An empty one counts as missing."""

    name: BackendName = "env"

    def __init__(self, env_file: Path | None = None, environ: Mapping[str, str] | None = None) -> None:
        self._env_file = env_file
        self._environ = environ

    async def get(self, name: str) -> SecretStr | None:
        environ = os.environ if self._environ is None else self._environ
        value = environ.get(name, "").strip() or (self._from_file(name) or "").strip()
        if not value and name == TOKEN_NAME:
            value = kept_token(environ)  # as Hugging Face's own tools do
        return SecretStr(value) if value else None

    async def set(self, name: str, secret: SecretStr) -> None:  # noqa: ARG002
        raise UsageError(f"{name} is a variable of your environment: change it there.")

    async def delete(self, name: str) -> None:
        """Nothing: the variable is the user's."""

    async def state(self) -> BackendState:
        return BackendState("ready", "Keys are read from environment variables.")

    def _from_file(self, name: str) -> str | None:
        if self._env_file is None:
            return None
        from store.vault.env_file import read_env_file

        return read_env_file(self._env_file).values.get(name)
