"""Long work that goes on whatever mode is in front: the sync, its bar in the status line, and how it is stopped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from catalog.errors import SwitchroomError
from tui.formatting import bar

if TYPE_CHECKING:
    from tui.app import SwitchroomApp


class SyncWork:
    """At most one sync at a time, owned by the app and not by a screen."""

    def __init__(self, app: SwitchroomApp) -> None:
        self._app = app
        self._task: asyncio.Task[None] | None = None
        self._started = 0.0
        self._by_itself = False
        """A sync that nobody asked for (at the start, on a schedule) is what the bar shows."""

    @property
    def active(self) -> bool:
        """True while one runs that the user asked for."""
        return self._task is not None and not self._task.done()

    def start(self, slugs: Sequence[str] | None) -> None:
        """Sync these providers, or all."""
        if self.active:
            self._app.tell("A sync is under way already.", hint="{ctrl+c:app.interrupt} stops it", tone="dim")
            return
        self._started, self._by_itself = time.monotonic(), False
        self._task = asyncio.create_task(self._run(slugs))
        self._task.add_done_callback(self._app.task_ended)

    async def _run(self, slugs: Sequence[str] | None) -> None:
        from tui.screens.provider_actions import told_sync

        app = self._app
        app.set_work("syncing …")
        try:
            results = await app.services.sync.sync(slugs)
        except asyncio.CancelledError:
            self._tell_stopped()
            raise
        except SwitchroomError as error:
            app.tell_error(error)
        else:
            if results:
                told_sync(app, results)
            else:
                app.tell(
                    "There is nothing to sync.",
                    hint="{a:providers.add} adds a provider, {x:providers.toggle} switches one on",
                    tone="dim",
                )
        finally:
            app.set_work("")

    def stop(self) -> bool:
        """Cancel it; False when none is under way."""
        if self.active and self._task is not None:
            self._task.cancel()
            return True
        if not self._by_itself:
            return False
        self._app.services.sync.stop()
        self._by_itself = False
        self._app.set_work("")
        self._tell_stopped()
        return True

    def _tell_stopped(self) -> None:
        self._app.tell(
            "Sync stopped. What had arrived is kept.",
            hint="{s:providers.sync|provider.sync|sync.sync|synced.sync} or {S:providers.sync_all|sync.all} syncs again",
            tone="warn",
        )

    async def aclose(self) -> None:
        """Stop it and wait until it has stopped."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def feed_event(self, event: object) -> None:
        """Bring the bar in step with the feed."""
        if type(event).__name__ != "SyncProgress":
            return
        done, total = getattr(event, "done", 0), max(1, getattr(event, "total", 1))
        if not self.active:
            if done >= total:
                self._by_itself = False
                self._app.set_work("")
                return
            if not self._by_itself:
                self._started, self._by_itself = time.monotonic(), True
        words = f"syncing {bar(done / total, 8)} {done}/{total}"
        if 0 < done < total:
            took = max(time.monotonic() - self._started, 0.001)
            left = took / done * (total - done)
            words += f" {done / took:.1f}/s" if done >= 3 else ""
            words += f" ~{left:.0f}s left" if left >= 1 else ""
        self._app.set_work(self._app.with_keys(f"{words} · {{ctrl+c:app.interrupt}} stops"))
