"""Going offline and back: what is asked first, and what is said afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalog.errors import SwitchroomError
from tui.modals.confirm import Confirm

if TYPE_CHECKING:
    from tui.app import SwitchroomApp


async def toggle_offline(app: SwitchroomApp) -> None:
    """Switch offline; going offline names the runs that stop and asks first."""
    services = app.services
    going = not services.offline.state
    if going:
        names = sorted({run.request.model for run in services.runs.active()})
        stops = f"These runs stop: {', '.join(names)}. " if names else ""
        key = app.with_keys("{O:app.offline}")
        detail = f"{stops}No connection leaves this machine until you press {key} again. Local servers go on working."
        if not await app.push_screen_wait(Confirm("Go offline?", detail, yes="go offline", no="stay online")):
            return
    try:
        await services.offline.set(going)
    except SwitchroomError as error:
        app.tell_error(error)
        return
    if going:
        app.tell("Offline: nothing leaves this machine.", hint="{O:app.offline} goes back online", tone="")
    else:
        app.tell("Online again.", hint="{t:providers.test} tests a provider, {s:providers.sync} syncs it")
