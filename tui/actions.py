"""What the keys that work everywhere do."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.life import Life

if TYPE_CHECKING:
    from tui.modals.alerts import Entry
    from tui.modals.help import KeyHelp

_LONGEST_ARRIVAL = 1.0
"""Seconds that keys wait at most for a mode to show its first rows."""


class Actions(Life):
    """The part of the app that acts on keys."""

    def sync(self, slugs: Sequence[str] | None) -> None:
        """Sync these providers, or all; it goes on when the user switches mode."""
        if self.opened:
            self._sync.start(slugs)

    def stop_work(self) -> bool:
        """Stop the long work under way; False when there is none."""
        return self._sync.stop() or self._stop_probe()

    def _stop_probe(self) -> bool:
        probes = self.services.__dict__.get("probes") if self.opened else None
        if probes is None or not probes.active:
            return False
        probes.work.cancel()
        return True

    def action_mode(self, name: str) -> None:
        """Go to a mode. The keys behind this one are for that mode, so they wait until it is there."""
        self.first_hint.used()
        if self.screen.is_modal:
            return
        self._ahead.hold()
        task = asyncio.create_task(self._enter(name))
        task.add_done_callback(self.task_ended)

    async def _enter(self, name: str) -> None:
        try:
            await self.switch_mode(name)
            arriving = getattr(self.screen, "arriving", None)
            if arriving is not None:
                loaded = asyncio.ensure_future(arriving.wait())
                loaded.add_done_callback(
                    lambda done: done.cancelled() or done.exception()
                )  # the worker tells of it
                await asyncio.wait({loaded}, timeout=_LONGEST_ARRIVAL)
        finally:
            self._ahead.release()

    async def action_quit(self) -> None:
        self.first_hint.used()
        runs, pulls = self._speeds.runs, self._pulls.active
        if not runs and not pulls:
            self.exit(0)
            return
        from tui.modals.confirm import Confirm

        said = []
        if runs:
            said.append("1 run is in flight." if runs == 1 else f"{runs} runs are in flight.")
            said.append("What has arrived and what it cost is kept.")
        if pulls:
            said.append("1 download is under way." if pulls == 1 else f"{pulls} downloads are under way.")
            said.append("What has arrived stays there; the next pull of the same name goes on from it.")

        def answered(yes: bool | None) -> None:
            if yes:
                self.exit(0)

        self.push_screen(
            Confirm("Quit now?", " ".join(said), yes="quit", no="stay"), answered
        )  # fmt: skip

    def action_interrupt(self) -> None:
        from tui.modals.base import Modal
        from tui.screens.base import ModeScreen

        screen = self.screen
        if isinstance(screen, ModeScreen) and screen.interrupt():
            return
        if isinstance(screen, Modal):
            screen.action_leave()
            return
        quits = self.key_for("app.quit") or f"{self.key_for('app.palette')}, then quit"
        self.notify(
            f"Nothing is running here. {quits} quits (esc first in an input).", timeout=4, markup=False
        )  # fmt: skip

    def action_redraw(self) -> None:
        self.repaint()

    def action_help(self) -> None:
        self.first_hint.used()
        from tui.modals.help import help_window

        def chosen(row: KeyHelp | None) -> None:
            if row is not None:
                self.run_worker(self.run_action(row.entry.binding.action, row.entry.node))

        self.push_screen(help_window(self.screen), chosen)

    def action_palette(self) -> None:
        self.first_hint.used()
        from tui.commands import open_palette

        self.run_worker(open_palette(self._program), exclusive=True, group="palette")

    def action_alerts(self) -> None:
        from tui.modals.alerts import Alerts

        def chosen(entry: Entry | None) -> None:
            if entry is not None and entry.alert is not None:
                from tui.screens.standing_alerts import open_alert

                mode = getattr(self.screen, "MODE", "") or self.current_mode
                open_alert(self._program, entry.alert, mode)

        self.push_screen(Alerts(self.alerts, self.notices), chosen)
        self.alerts_looked_at()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """`z` is there as long as there is something to take back."""
        if action == "take_back":
            made = self.opened and "discovery" in self.services.__dict__
            return made and self.services.discovery.can_take_back
        return super().check_action(action, parameters)

    def action_take_back(self) -> None:
        from tui.screens.discovered import take_back

        self.do(take_back(self._program))

    def action_offline(self) -> None:
        if not self.opened:
            return
        from tui.modals.offline import toggle_offline

        self.run_worker(toggle_offline(self._program), group="offline", exclusive=True)
