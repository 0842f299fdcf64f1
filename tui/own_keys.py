"""The user's own keys in force: put on the app, checked in the background, and told about when something is wrong."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tui.keymap import key_label

if TYPE_CHECKING:
    from tui.life import Life
    from tui.remap import Bound, Problem

_TOLD_AT_ONCE = 3
KEY_IN_TEXT = re.compile(r"\{([^\s{}]+?):([a-z_]+\.[a-z_.|]+)\}")
"""A key in a sentence: `{a:providers.add}`, or `{c:providers.chat|provider.chat}` where either may be meant."""


class OwnKeys:
    """Brings the app in step with the keys of the settings."""

    def __init__(self, app: Life) -> None:
        self._app = app
        self._keys: dict[str, str] = {}
        self._actions: dict[str, Bound] | None = None
        self._told: frozenset[Problem] = frozenset()
        self.problems: tuple[Problem, ...] = ()
        """What is wrong with them, for the screen that shows them."""

    def take(self, keys: Mapping[str, str]) -> None:
        """These are the keys from now on."""
        if dict(keys) == self._keys:
            return
        from tui.remap import keymap_of

        self._keys = dict(keys)
        self._app.set_keymap(keymap_of(keys))
        for screen in self._app.mode_screens():
            for table in screen.query("VirtualTable"):
                table.refresh()  # an empty one says which key fills it
        self._app.run_worker(self._check(), group="keys", exclusive=True)

    def in_text(self, text: str) -> str:
        """The sentence as it is read: with the keys that its actions have now, and the palette's for one that has none."""
        return KEY_IN_TEXT.sub(lambda found: self._now(found[1], found[2].split("|")), text)

    def _now(self, usual: str, idents: list[str]) -> str:
        if not self._keys:
            return usual
        here = {active.binding.id for active in self._app.screen.active_bindings.values()}
        ident = next((one for one in idents if one in here), idents[0])
        if ident not in self._keys:
            return usual
        from tui.remap import normalized

        if keys := normalized(self._keys[ident]):
            return key_label(keys[0])
        return "" if ident == "app.palette" else self._now(":", ["app.palette"])

    async def actions(self) -> dict[str, Bound]:
        """Every action that can have a key. The first question imports every screen, off the screen's own thread."""
        if self._actions is None:
            from tui.remap import bound

            self._actions = await asyncio.to_thread(bound)
        return self._actions

    async def check(self) -> tuple[Problem, ...]:
        """What is wrong with the keys now."""
        from tui.remap import problems

        self.problems = tuple(problems(await self.actions(), self._keys))
        return self.problems

    async def _check(self) -> None:
        found = await self.check()
        new = [problem for problem in found if problem not in self._told]
        self._told = frozenset(found)
        for problem in new[:_TOLD_AT_ONCE]:
            self._app.tell(problem.words, title="Keys", hint=problem.hint, tone="warn")
        if len(new) > _TOLD_AT_ONCE:
            self._app.tell(f"{len(new) - _TOLD_AT_ONCE} more keys are not right.", title="Keys", hint="{0:mode.settings}, then the Keys tab shows them", tone="warn")  # fmt: skip
