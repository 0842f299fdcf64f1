"""What was found here: the notice after the start, the window of what is offered, and taking back what was added."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalog.errors import SwitchroomError
from tui.formatting import count
from tui.modals.pick import Pick
from tui.screens.discovered_words import COLUMNS, notice, question, search_text

if TYPE_CHECKING:
    from services.discovery_views import Finding, Option
    from tui.app import SwitchroomApp


async def look_around(app: SwitchroomApp) -> None:
    """Look for providers as the settings say, once the first screen is painted, and tell of it in one notice."""
    try:
        report = await app.services.discovery.at_start()
    except SwitchroomError as error:
        app.tell_error(error)
        return
    if report is None:
        return
    app.refresh_bindings()
    offline = app.services.offline.state
    for note in report.notes:
        app.tell(note, title="Found here", tone="warn")
    if told := notice(report, offline=offline, read_only=app.services.db.read_only):
        app.tell(told.message, title=told.title, hint=told.hint)


_OTHER = "Something else"
"""The last row: what nobody could find."""


class FoundHere(Pick["Finding"]):
    """Everything that was found, what can still be added first. Ends in the one to add."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        lines = sorted(findings, key=lambda one: (not one.open, bool(one.configured)))
        title = (
            "Found here"
            if lines
            else "Nothing was found: no known variable is set, no model server answers here"
        )
        lines.append(other())
        super().__init__(
            title, COLUMNS, lines,
            key=lambda one: one.id, search=search_text, header=len(lines) > 1, wide=True, keep_last=True,
            choose_words="add it",
        )  # fmt: skip


def other() -> Finding:
    """The row that leads to the wizard."""
    from services.discovery_views import Finding

    return Finding(
        "offered", "environment", _OTHER, "a vendor with a key of yours, or a server by its address"
    )


async def found_here(app: SwitchroomApp) -> None:
    """Look around anew, show what there is, and add what is chosen."""
    services = app.services
    try:
        report = await services.discovery.look()
    except SwitchroomError as error:
        app.tell_error(error)
        return
    chosen = await app.push_screen_wait(FoundHere(report.findings))
    if chosen is None:
        return
    if chosen.name == _OTHER:
        from tui.screens.provider_wizard import add_provider

        await add_provider(app)
    elif chosen.wants_key and chosen.open:
        from tui.screens.provider_wizard import add_provider

        await add_provider(app, url=chosen.endpoint)
    elif chosen.configured:
        from tui.commands import show_provider

        await show_provider(app, chosen.configured)
    elif not chosen.open:
        words = (
            f"It cannot be used yet: {chosen.unsupported}" if chosen.unsupported else f"Set {chosen.missing}"
        )
        app.tell(f"{chosen.why}. {words}.", title=chosen.name, hint="{2:mode.providers}, then {a:providers.add} adds one by hand", tone="dim")  # fmt: skip
    else:
        await add_found(app, chosen)


async def add_found(app: SwitchroomApp, found: Finding) -> None:
    """Ask what has to be asked, test it, and add it."""
    from tui.modals.confirm import Confirm
    from tui.screens.provider_secrets import choose_place

    option = await _which(app, found)
    if option is None:
        return
    title, detail = question(found, option)
    if not await app.push_screen_wait(Confirm(title, detail, yes="add", no="no")):
        return
    backend = None
    if found.source == "folder" and found.key_name:
        place = await choose_place(app)
        if place is None:
            return
        backend = place.name
    app.set_work("testing …")
    try:
        view = await app.services.discovery.add(found, option, backend=backend)
    except SwitchroomError as error:
        app.tell_error(error)
        return
    finally:
        app.set_work("")
    slug = view.row.slug
    app.tell(
        f"{slug} is added and answered.", hint="{6:mode.chat} chats with it, {2:mode.providers} shows it"
    )
    app.sync([slug])


async def _which(app: SwitchroomApp, found: Finding) -> Option | None:
    """What a variable is for, where it may be several things."""
    from tui.screens.provider_actions import choose

    options = [option for option in found.options if option.supported]
    if len(options) == 1:
        return options[0]
    ways = [(str(place), f"{option.label}") for place, option in enumerate(options)]
    chosen = await choose(app, f"{found.name} is the key of …", ways)
    return None if chosen is None else options[int(chosen)]


async def take_back(app: SwitchroomApp) -> None:
    """Remove what the look around of this session added by itself."""
    try:
        done = await app.services.discovery.take_back()
    except SwitchroomError as error:
        app.tell_error(error)
        return
    app.refresh_bindings()
    app.hush()  # what offered to take them back is done
    if done.removed:
        words = f"Took back {count(len(done.removed), 'provider')}: {', '.join(done.removed)}. They are not added by themselves again."
        hint = "{::app.palette}, then “found here” adds them after all"
        app.tell(words, hint=hint)
    if done.kept:
        app.tell(
            f"Kept {', '.join(done.kept)}: changed or used since.",
            hint="{2:mode.providers}, then {D:providers.delete} deletes",
            tone="warn",
        )
    if not done.removed and not done.kept:
        app.tell("There is nothing left to take back.", tone="dim")
