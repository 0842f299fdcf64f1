"""Where everything lies on disk: four folders, moved together by SWITCHROOM_HOME."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import StoreError

APP = "switchroom"


@dataclass(frozen=True, slots=True)
class Paths:
    """The folders and the files in them."""

    home: Path | None
    """The folder of SWITCHROOM_HOME that holds the others; None where the platform's own places are used."""
    config: Path
    data: Path
    cache: Path
    logs: Path

    @property
    def database(self) -> Path:
        return self.data / "switchroom.db"

    @property
    def audit_key(self) -> Path:
        return self.data / "audit.key"

    @property
    def vault_file(self) -> Path:
        return self.data / "vault.bin"

    @property
    def credentials(self) -> Path:
        return self.config / "credentials"

    @property
    def user_catalog(self) -> Path:
        return self.config / "user-catalog"

    @property
    def tools(self) -> Path:
        """Sets of tools by name, one file each."""
        return self.config / "tools"

    @property
    def refreshed_catalog(self) -> Path:
        """Lists of models and prices that were fetched, one file per source."""
        return self.data / "catalog"

    @property
    def config_file(self) -> Path:
        return self.config / "config.toml"

    @property
    def env_file(self) -> Path:
        return self.config / ".env"

    @property
    def log_file(self) -> Path:
        return self.logs / "switchroom.log"

    def ensure(self) -> None:
        """Make the folders that are missing, for the user alone (0700)."""
        for folder in (self.config, self.data, self.cache, self.logs):
            if folder.is_dir():
                continue
            try:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            except OSError as error:
                raise StoreError(
                    f"The folder {folder} cannot be made: {error.strerror or 'not permitted'}.",
                    hint="Give it to your user, or point SWITCHROOM_HOME at a folder you own.",
                ) from None


def under(home: Path) -> Paths:
    """All four folders below one."""
    return Paths(home, home / "config", home / "data", home / "cache", home / "logs")


def resolve(environ: Mapping[str, str] | None = None) -> Paths:
    """The folders this user's Switchroom uses. Nothing is made or read."""
    environ = os.environ if environ is None else environ
    if home := environ.get("SWITCHROOM_HOME"):
        return under(Path(home).expanduser().absolute())
    import platformdirs

    places = platformdirs.PlatformDirs(APP, appauthor=False)
    return Paths(
        None, places.user_config_path, places.user_data_path, places.user_cache_path, places.user_log_path
    )
