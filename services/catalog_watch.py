"""Changed catalog files take effect while the program runs: the user's own, and lists that another process fetched.

One look costs one listing of a small folder and a few stats, every two seconds; nothing is read unless one differs.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from services.catalog_sources import addresses
from services.feed import Alert, CatalogChanged, SettingsChanged

if TYPE_CHECKING:
    from services.container import Services

log = logging.getLogger(__name__)

EVERY_S = 2.0
FIRST_S = 5.0
"""Until the sources are first thought of, so that start-up has the machine to itself."""
_MOST = 500
"""Files that are looked at in one folder."""

Marks = Mapping[str, tuple[int, int, int]]
"""File → what differs whenever its content does: time, size, inode."""


def keep_fresh(services: Services) -> None:
    """From now on, until the services close: watch the files, and ask the sources when it is time."""
    services.spawn(services.catalog_watch.keep())
    services.spawn(_asked(services))


async def _asked(services: Services) -> None:
    await asyncio.sleep(FIRST_S)
    await services.catalog_refresh.keep()


class CatalogWatch:
    """Looks at the files, and tells what became of a change in one notice."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._user: Marks | None = None
        """None: not looked at yet."""
        self._fetched: Marks | None = None
        self._addresses = addresses(services.settings)
        services.feed.subscribe(self._settings, SettingsChanged)

    async def keep(self) -> None:
        """Look until the services close. Files that could not be used at the start are told once."""
        await asyncio.to_thread(
            lambda: self._services.catalog.problems
        )  # files are read away from the screen
        self._tell(())
        while True:
            try:
                await self.look()
            except Exception:  # a store that is full must not end the watching
                log.exception("changed catalog files could not be taken up")
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """One look. A file that was caught half-written is told as one that cannot be read, and seen again when it is whole."""
        paths = self._services.paths
        user = _marks(paths.user_catalog, ".json")
        fetched = _marks(paths.refreshed_catalog, ".jsonl", times=False)
        if self._user is None or self._fetched is None:
            self._user, self._fetched = user, fetched
            return
        if user == self._user and fetched == self._fetched:
            return
        mine = sorted(
            {name for name in user.keys() | self._user.keys() if user.get(name) != self._user.get(name)}
        )
        if mine and await self._still_written(user):
            return
        self._user, self._fetched = user, fetched
        catalog = self._services.catalog
        if not mine:
            catalog.forget()
            self._services.feed.publish(CatalogChanged())
            return
        from services import catalog_own

        before = await asyncio.to_thread(lambda: catalog.user)
        after = await asyncio.to_thread(catalog.read_user)
        catalog.forget()
        catalog.take_user(after)
        self._services.feed.publish(CatalogChanged())
        self._tell(mine)
        await catalog_own.remember(self._services, before, after, mine, str(sorted(user.items())))

    def put_in_place(self) -> None:
        """This process replaced a fetched list itself, and says so: that is nothing new."""
        if self._fetched is not None:
            self._fetched = _marks(self._services.paths.refreshed_catalog, ".jsonl", times=False)

    async def _still_written(self, seen: Marks) -> bool:
        """Somebody is writing: wait for the next look."""
        await asyncio.sleep(EVERY_S / 10)
        return _marks(self._services.paths.user_catalog, ".json") != seen

    def _tell(self, names: tuple[str, ...] | list[str]) -> None:
        """What became of changed files; without any, only what is wrong."""
        problems = self._services.catalog.problems if names or self._any() else ()
        files = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        if problems:
            first = str(problems[0]).replace(f"{self._services.paths.user_catalog}{os.sep}", "")
            more = f", and {len(problems) - 1} more" if len(problems) > 1 else ""
            self._services.feed.publish(
                Alert(
                    "warning",
                    "A catalog file is not used",
                    f"{first}{more}.",
                    hint="Save it again once it is right; it is read at once",
                )
            )
        elif names:
            self._services.feed.publish(
                Alert(
                    "info",
                    "Your catalog was read again",
                    f"{files} changed. Models and prices follow it now.",
                )
            )

    def _any(self) -> bool:
        paths = self._services.paths
        return bool(_marks(paths.user_catalog, ".json") or _marks(paths.refreshed_catalog, ".jsonl"))

    def _settings(self, _event: SettingsChanged) -> None:
        """A source was switched on or off: what it said is used, or not, from now on."""
        now = addresses(self._services.settings)
        if now.keys() != self._addresses.keys():
            self._services.catalog.forget(now)
            self._services.feed.publish(CatalogChanged())
        self._addresses = now


def _marks(folder: Path, ending: str, *, times: bool = True) -> Marks:
    """The files of a folder; `times` off for files that are only ever replaced, whose times say something else."""
    found: dict[str, tuple[int, int, int]] = {}
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(ending) and not entry.name.startswith(".") and len(found) < _MOST:
                found[entry.name] = _mark(entry, times=times)
    return found


def _mark(entry: os.DirEntry[str], *, times: bool) -> tuple[int, int, int]:
    """A link that leads nowhere, or a file that is gone by now, is a mark of its own: the others are looked at all the same."""
    try:
        info = entry.stat()
    except OSError:
        return 0, 0, 0
    return info.st_mtime_ns if times else 0, info.st_size, info.st_ino
