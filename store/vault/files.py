"""Credential files, for those who choose them: `{slug}.json` with `apiKey`, 0600 in a 0700 folder."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from catalog.errors import StoreError, VaultLockedError
from store.vault.base import BackendName, BackendState, checked_name
from store.vault.private_file import exclusive, private_directory, read_private, remove_private, write_private

_FIELD = "apiKey"


class FileBackend:
    """One file for each secret. Further fields of a file are kept as they are."""

    name: BackendName = "file"

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def get(self, name: str) -> SecretStr | None:
        return await asyncio.to_thread(self._get, name)

    async def set(self, name: str, secret: SecretStr) -> None:
        await asyncio.to_thread(self._set, name, secret)

    async def delete(self, name: str) -> None:
        await asyncio.to_thread(remove_private, self._path(name))

    async def state(self) -> BackendState:
        try:
            there = await asyncio.to_thread(private_directory, self._directory, create=False)
        except (VaultLockedError, StoreError) as error:
            return BackendState(
                "unknown", f"{error.message} Run: {error.hint}" if error.hint else error.message
            )
        if not there:
            return BackendState("ready", f"Keys will be written to files in {self._directory}.")
        return BackendState("ready", f"Keys are in files in {self._directory}.")

    async def names(self) -> tuple[str, ...]:
        """Every name that has a file."""
        return await asyncio.to_thread(
            lambda: tuple(sorted(path.stem for path in self._directory.glob("*.json") if path.is_file()))
        )

    def _path(self, name: str) -> Path:
        return self._directory / f"{checked_name(name)}.json"

    def _get(self, name: str) -> SecretStr | None:
        if not private_directory(self._directory, create=False):
            return None
        value = self._read(self._path(name)).get(_FIELD)
        return SecretStr(value) if isinstance(value, str) and value else None

    def _set(self, name: str, secret: SecretStr) -> None:
        private_directory(self._directory, create=True)
        path = self._path(name)
        with exclusive(self._directory / "files", leftovers=".*.json.*.tmp"):
            document = self._read(path) | {_FIELD: secret.get_secret_value()}
            write_private(path, json.dumps(document, ensure_ascii=False, indent=1).encode())

    def _read(self, path: Path) -> dict[str, Any]:
        content = read_private(path)
        if content is None:
            return {}
        try:
            document = json.loads(content)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise StoreError(
                f"{path} is not a credential file.", hint=f'It must hold one JSON object: {{"{_FIELD}": "…"}}'
            )
        return document
