"""How a setting is changed: in the configuration file, with its comments and order kept, checked before it is written."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.errors import StoreError, SwitchroomError, UsageError
from services import settings as loader
from services.feed import OfflineChanged, SettingsChanged
from services.settings_model import KEYS, SECTIONS, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from services.container import Services
    from store.db import Tx

NEXT_START = frozenset({"security.read_only", "sync.concurrency", "sync.at_start", "discovery.at_start"})
"""Settings that are asked for when the program starts; all others act at once."""

Value = bool | int | float | str | None


@dataclass(frozen=True, slots=True)
class Written:
    """The file as it was just written."""

    after: Settings
    path: Path
    old: str
    new: str

    def undo(self) -> None:
        """A change that is not on record does not stay."""
        if self.new != self.old and _present(self.path) == self.new:
            _write(self.path, self.new, self.old)


class Preferences:
    """The settings of this session, and the one way to change them."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._seen: tuple[int, int] | None = None
        """The file as it was when it was last looked at for what others wrote."""

    def views(self) -> list[loader.SettingView]:
        """Every setting with its sentence, default, value and source."""
        return loader.describe(self._services.settings)

    def fixed_by(self, name: str) -> str | None:
        """The variable that fixes a setting, so that it cannot be changed here; None: it can."""
        return loader.fixed_by(self._services.paths, self._services.settings, name)

    def problem(self, name: str, value: Value) -> str | None:
        """What is wrong with a value, in words; None when it fits."""
        from services.settings_values import UnfitError, fitted

        if name.startswith(f"{KEYS}."):
            return None
        try:
            fitted(*loader.kind_of(name), "none" if value is None else value)
        except UnfitError as reason:
            return f"{str(reason)[:1].upper()}{str(reason)[1:]}."
        if value is not None and _is_secret(name) and "@" in str(value):
            return f"A password does not belong into this file. Set {loader.variable(name)} instead."
        return None

    async def set(self, name: str, value: Value) -> None:
        """Give a setting (`appearance.theme`, `keys.providers.add`) a value and act by it from now on.

        UsageError: there is no such setting, the value does not fit, or a variable fixes it. Nothing is written then.
        """
        self._check(name)
        if (wrong := self.problem(name, value)) is not None:
            raise UsageError(wrong, title="Not changed")
        await self._change(name, "setting.set", "none" if value is None else value)

    async def refresh(self) -> None:
        """Act by what another Switchroom has written into the file; one that cannot be read changes nothing."""
        services = self._services
        try:
            found = services.paths.config_file.stat()
            if (found.st_mtime_ns, found.st_ino) == self._seen:
                return
            self._seen = (found.st_mtime_ns, found.st_ino)
            after = loader.load(services.paths)
        except (OSError, SwitchroomError):
            return
        if after != services.settings:
            await self._act(after)

    async def unset(self, name: str) -> None:
        """Back to the default: the setting is taken out of the file."""
        self._check(name)
        await self._change(name, "setting.unset", None)

    def _check(self, name: str) -> None:
        self._services.require_writable()
        if not name.startswith(f"{KEYS}.") and name not in loader.names():
            raise loader.unknown(name, "the settings", set(loader.names()))
        if (variable := self.fixed_by(name)) is not None:
            raise UsageError(
                f"{name} is fixed by {variable}.",
                hint=f"Take {variable.partition(' ')[0]} away, then it can be changed here.",
                title="Not changed",
            )

    async def _change(self, name: str, action: str, value: Value) -> None:
        services = self._services
        written: Written | None = None
        try:
            async with services.db.transaction(durable=True) as tx:
                written = await self.write_within(tx, {name: value}, action)
        except BaseException:
            if written is not None:
                written.undo()
            raise
        await self.act(written)

    async def write_within(self, tx: Tx, values: Mapping[str, Value], action: str = "setting.set") -> Written:
        """Write settings as part of a larger change: `act` follows its commit, `undo` its failure."""
        services = self._services
        path = _behind(services.paths.config_file)
        await tx.fetchall("SELECT 1")  # from here on no other Switchroom writes
        old = new = _present(path)
        before = loader.load(services.paths, toml=old)
        for name, value in values.items():
            new = edited(new, name, value)
        after = loader.load(services.paths, toml=new)
        if new != old:
            for name in values:
                detail = {"before": _shown(before, name), "after": _shown(after, name)}
                await services.audit.record(tx, action, name, detail=detail)
            if not services.db.dry_run:
                await asyncio.to_thread(_write, path, old, new)
        return Written(after, path, old, new)

    async def act(self, written: Written) -> None:
        """What was written is in force from now on."""
        if not self._services.db.dry_run:
            await self._act(written.after)

    async def _act(self, after: Settings) -> None:
        """Make the new settings those of this session."""
        services = self._services
        before, was_offline = services.settings, services.offline.state
        services.settings = after
        if after.network != before.network:
            await services.registry.reconnect()
        if after.log != before.log:
            from services import logs

            logs.set_level(after.log.level)
        services.feed.publish(SettingsChanged())
        if services.offline.state != was_offline:
            services.feed.publish(OfflineChanged(services.offline.state))


def edited(text: str, name: str, value: Value) -> str:
    """The text of the file with one setting changed; None takes it out. All else stays as it was written."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(text)
        section, _, key = name.partition(".")
        if section not in document and value is not None:
            if document:
                document.add(tomlkit.nl())
            document.add(section, tomlkit.table())
        if section in document:
            table: Any = document[section]
            _put(table, key, value)
            if not table and not table.as_string().strip():
                document.remove(section)
        return tomlkit.dumps(document)
    except (TOMLKitError, TypeError, AttributeError):
        raise UsageError(
            "config.toml cannot be changed from here.", hint="Correct the file with an editor."
        ) from None


def _put(table: MutableMapping[str, Any], key: str, value: Value) -> None:
    """Where the file has `"providers.add"` or `providers.add` already, it is changed there."""
    first, _, rest = key.partition(".")
    if rest and key not in table and isinstance(table.get(first), dict):
        _put(table[first], rest, value)
    elif value is not None:
        table[key] = value
    elif key in table:
        del table[key]


def _behind(path: Path) -> Path:
    """What a link leads to: one into somebody's dotfiles stays a link. One that leads to itself is replaced."""
    return Path(os.path.realpath(path))


def _present(path: Path) -> str:
    return loader.read_text(path) if path.exists() else ""


def _write(path: Path, old: str, new: str) -> None:
    """Replace the text the change was made from. Whatever an editor has saved meanwhile is not overwritten."""
    from store.vault.private_file import write_private

    if _present(path) != old:
        raise StoreError(
            f"{path} was changed by another program just now; nothing was written.", hint="Try again."
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreError(f"{path.parent} cannot be made: {error.strerror}.") from None
    write_private(path, new.encode())


def _is_secret(name: str) -> bool:
    section, _, field = name.partition(".")
    return section in SECTIONS and not SECTIONS[section].__dataclass_fields__[field].repr


def _shown(settings: Settings, name: str) -> object:
    """A value for the audit log: what might hold a secret is only said to be set."""
    section, _, field = name.partition(".")
    if section == KEYS:
        return settings.keys.get(field)
    value = getattr(getattr(settings, section), field)
    return value if value is None or not _is_secret(name) else "set"
