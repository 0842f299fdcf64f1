"""The window in which a provider's sync schedule is chosen: off, at start, every so often, or by cron."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from catalog.errors import SwitchroomError
from tui.formatting import count
from tui.modals.ask import Ask
from tui.screens.schedule_words import schedule, until

if TYPE_CHECKING:
    from tui.app import SwitchroomApp

_WAYS = (
    ("off", "Only when I say so"),
    ("start", "At each start of the program"),
    ("1h", "Every hour"),
    ("6h", "Every six hours"),
    ("1d", "Once a day"),
    ("every", "Every … (as often as you write)"),
    ("cron", "At times of your own (cron)"),
)
_ASKED = {
    "every": ("How often?", "A number and m, h, d or w: 30m, 12h, 2d. The shortest is 5m.", "12h"),
    "cron": (
        "When?",
        "Five fields, in your time: minute, hour, day, month, weekday.\n0 6 * * 1-5 is Monday to Friday at 06:00, */30 * * * * every half hour.",
        "0 6 * * 1-5",
    ),
}


async def choose_schedule(app: SwitchroomApp, slugs: Sequence[str], now: str) -> None:
    """Ask, check, store for each of these providers, and say when it is fetched next. `now`: the present one."""
    from tui.screens.provider_actions import choose

    names = slugs[0] if len(slugs) == 1 else count(len(slugs), "provider")
    chosen = await choose(app, f"{names}: synced by itself when? Now: {schedule(now)}", _WAYS)
    if chosen in _ASKED:
        title, detail, example = _ASKED[chosen]
        fits = now if (" " in now) == (chosen == "cron") and now not in ("off", "start") else ""
        chosen = await app.push_screen_wait(
            Ask(title, detail, value=fits, placeholder=example, check=_problem)
        )
    if chosen is None:
        return
    await _store(app, slugs, chosen, names)


async def _store(app: SwitchroomApp, slugs: Sequence[str], text: str, names: str) -> None:
    from services.registry import ProviderDraft
    from services.schedule import check, next_time

    try:
        stored = check(text)
        for slug in slugs:
            await app.services.registry.edit(slug, ProviderDraft(auto_sync=stored))
    except SwitchroomError as error:
        app.tell_error(error)
        return
    if stored == "off":
        app.tell(
            f"{names}: fetched only when you say so.", hint="{s:sync.sync|synced.sync} fetches now", tone=""
        )
        return
    now = int(time.time() * 1000)
    then = next_time(stored, now)
    when = f", the next time {until(then, now)} at the latest" if then is not None else ""
    app.tell(
        f"{names}: fetched {schedule(stored)}{when}.",
        hint="{i:sync.schedule|synced.schedule} changes it",
        tone="",
    )


def _problem(text: str) -> str | None:
    """What is wrong with what was typed; None when it is a schedule."""
    from services.schedule import check

    try:
        check(text)
    except SwitchroomError as error:
        return f"{error.message} {error.hint or ''}".strip()
    return None
