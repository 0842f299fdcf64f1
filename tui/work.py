"""Long work that goes on whatever mode is in front: the sync, its bar in the status line, and how it is stopped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from catalog.errors import SwitchroomError
from tui.formatting import bar, count

if TYPE_CHECKING:
    from tui.app import SwitchroomApp


class SyncWork:
    """What the user asked to sync, owned by the app and not by a screen; a provider asked for meanwhile joins in."""

    def __init__(self, app: SwitchroomApp) -> None:
        self._app = app
        self._tasks: set[asyncio.Task[None]] = set()
        self._started = 0.0
        self._total = 1
        """Providers of the largest sync since nothing was under way: the bar is its."""
        self._by_itself = False
        """A sync that nobody asked for (at the start, on a schedule) is what the bar shows."""

    @property
    def active(self) -> bool:
        """True while one runs that the user asked for."""
        return any(not task.done() for task in self._tasks)

    def start(self, slugs: Sequence[str] | None) -> None:
        """Sync these providers, or all. Those that are not among what is under way are fetched beside it."""
        if self.active:
            under_way = self._app.services.sync.active
            slugs = [slug for slug in slugs or () if slug not in under_way]
            if not slugs:
                self._app.tell(
                    "A sync is under way already.", hint="{ctrl+c:app.interrupt} stops it", tone="dim"
                )
                return
        else:
            self._started, self._total = time.monotonic(), 1
            self._by_itself = self._by_itself and bool(self._app.services.sync.active)
        task = asyncio.create_task(self._run(slugs))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(self._app.task_ended)

    def _alone(self) -> bool:
        """True while the task that asks is the only one, so that the bar is its own."""
        return not any(task is not asyncio.current_task() and not task.done() for task in self._tasks)

    async def _run(self, slugs: Sequence[str] | None) -> None:
        from tui.screens.provider_actions import told_sync

        app = self._app
        if self._alone():
            app.set_work("syncing …")
        try:
            results = await app.services.sync.sync(slugs)
        except asyncio.CancelledError:
            if self._alone():
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
            if self._alone():
                self._others_go_on()

    def _others_go_on(self) -> None:
        """What nobody asked for and is still under way keeps a bar, and ctrl+c stops it."""
        left = len(self._app.services.sync.active)
        self._by_itself = self._by_itself and left > 0
        words = f"syncing {count(left, 'provider')} · {{ctrl+c:app.interrupt}} stops"
        self._app.set_work(self._app.with_keys(words) if self._by_itself else "")

    def stop(self) -> bool:
        """Cancel it; False when none is under way."""
        if self.active:
            for task in self._tasks:
                task.cancel()
            if self._by_itself:
                self._by_itself = False
                self._app.services.sync.stop()
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
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

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
        elif total < self._total:
            return  # of one that joined in
        else:
            self._total = total
        words = f"syncing {bar(done / total, 8)} {done}/{total}"
        if 0 < done < total:
            took = max(time.monotonic() - self._started, 0.001)
            left = took / done * (total - done)
            words += f" {done / took:.1f}/s" if done >= 3 else ""
            words += f" ~{left:.0f}s left" if left >= 1 else ""
        self._app.set_work(self._app.with_keys(f"{words} · {{ctrl+c:app.interrupt}} stops"))
