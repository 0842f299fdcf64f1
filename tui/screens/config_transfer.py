"""Import and export of the configuration from the palette: which file, what it would do, and the keys still to set."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from catalog.errors import SwitchroomError
from tui.formatting import count
from tui.modals.ask import Ask
from tui.modals.confirm import Confirm
from tui.modals.import_plan import ImportPlan, KeysToSet

if TYPE_CHECKING:
    from services.transfer_plan import Prepared
    from services.transfer_types import Exported, KeyToSet
    from tui.app import SwitchroomApp

_OTHER = "another file …"
Form = Literal["switchroom", "lace", "loquilex"]


async def import_configuration(app: SwitchroomApp) -> None:
    """Ask for the file, show what it would do, do it, and go through the keys that are still to set."""
    if not app.opened:
        return
    prepared = await _planned(app)
    if prepared is None:
        return
    agreed = await app.push_screen_wait(ImportPlan(prepared.plan))
    if not agreed or not prepared.plan.changes:
        return
    backend: str | None = None
    if any(work.key is not None for work in prepared.providers):
        from tui.screens.provider_secrets import choose_place

        place = await choose_place(app)
        if place is None:
            return
        backend = place.name
    transfer, file = app.services.transfer, prepared.plan.found.file
    try:
        done = await transfer.apply(prepared, backend=backend)
        if done.done < prepared.plan.changes and await _keeps_untested(app, done.keys_to_set):
            again = await transfer.plan(file, allow_http=prepared.allow_http)
            rest = await transfer.apply(again, test=False, backend=backend)
            done = replace(rest, done=done.done + rest.done)
    except SwitchroomError as error:
        app.tell_error(error)
        return
    await _set_keys(app, done.keys_to_set)
    app.tell(
        f"Imported {count(done.done, 'change')} from {file.name}.",
        hint="{2:mode.providers} shows the providers",
    )


async def export_configuration(app: SwitchroomApp) -> None:
    """Ask for the form and the file, and write it; what is not in it is said."""
    from tui.screens.provider_actions import choose

    if not app.opened:
        return
    ways = [
        ("switchroom", "Everything but the keys, to import here or on another machine"),
        ("lace", "Providers as LACE's provider-instances.json"),
        ("loquilex", "Hugging Face as LoquiLex's providers.json"),
    ]
    chosen = await choose(app, "Export the configuration", ways)
    if chosen is None:
        return
    form: Form = "lace" if chosen == "lace" else "loquilex" if chosen == "loquilex" else "switchroom"
    typed: str | None = str(_folder() / _proposed(form))
    problem = ""
    while True:
        window = Ask(
            "Export to which file?",
            "It holds no key, only names of variables.",
            value=typed or "",
            check=_wrong,
            problem=problem,
        )
        typed = await app.push_screen_wait(window)
        if typed is None:
            return
        path = _path(typed)
        there = path.exists()
        if there and not await app.push_screen_wait(Confirm(f"Replace {path.name}?", str(path), yes="replace it", no="another name")):  # fmt: skip
            continue
        try:
            exported = await app.services.transfer.write(path, form, replace=there)
        except SwitchroomError as error:
            problem = error.message
            continue
        _tell_written(app, exported, path)
        return


def _tell_written(app: SwitchroomApp, exported: Exported, path: Path) -> None:
    words = f"{count(exported.providers, 'provider')} written to {path}."
    left = exported.left_out
    if left:
        more = f" and {len(left) - 3} more" if len(left) > 3 else ""
        words += f" Not in it: {'; '.join(left[:3])}{more}."
    app.tell(words)


async def _planned(app: SwitchroomApp) -> Prepared | None:
    """The plan of the file the user names; None when they leave."""
    typed = await _first_file(app)
    allow_http = False
    problem = ""
    while typed is not None:
        if not problem and typed:
            try:
                prepared = await app.services.transfer.plan(Path(typed.strip()), allow_http=allow_http)
            except SwitchroomError as error:
                problem = " ".join(part for part in (error.message, error.hint) if part)
            else:
                if not prepared.plan.needs_http or allow_http or not await _allows(app):
                    return prepared
                allow_http = True
            continue
        window = Ask(
            "Import which file?",
            "A Switchroom export, a file of LACE or LoquiLex, or [provider.NAME] in TOML; or the folder it lies in.",
            value=typed, placeholder="~/.lace", check=lambda text: None if text.strip() else "Write a file name.",
            problem=problem,
        )  # fmt: skip
        typed, problem = await app.push_screen_wait(window), ""
    return None


async def _first_file(app: SwitchroomApp) -> str | None:
    """One of the files that other programs have here; empty: the user names another."""
    from services.transfer import usual_places
    from tui.screens.provider_actions import choose

    places = await asyncio.to_thread(usual_places)
    if not places:
        return ""
    ways = [(str(place), _short(place)) for place in places]
    chosen = await choose(app, "Import a configuration", [*ways, (_OTHER, _OTHER)])
    return "" if chosen == _OTHER else chosen


async def _allows(app: SwitchroomApp) -> bool:
    words = "Everything sent there, keys too, can be read on the way. Without it these entries are left out."
    window = Confirm("Allow plain http to private addresses?", words, yes="allow", no="leave them out")
    return await app.push_screen_wait(window) is True


async def _keeps_untested(app: SwitchroomApp, keys: Sequence[KeyToSet]) -> bool:
    """Whether keys that failed their test are stored all the same."""
    failed = [key for key in keys if "not kept" in key.why]
    words = "\n".join(f"{key.provider}: {key.why}" for key in failed[:5])
    title = f"{count(len(failed), 'key')} of the file failed the test"
    window = Confirm(
        title,
        f"{words}\nKeep {'it' if len(failed) == 1 else 'them'} untested?",
        yes="keep untested",
        no="leave out",
    )
    return await app.push_screen_wait(window) is True


async def _set_keys(app: SwitchroomApp, keys: Sequence[KeyToSet]) -> None:
    """Offer each key that is still to set; enter opens its form. It ends with esc, or when none is left."""
    from tui.screens.provider_actions import set_key

    left = list(keys)
    while left:
        chosen = await app.push_screen_wait(KeysToSet(left))
        if chosen is None:
            return
        if chosen.what != "key":
            app.tell(f"{chosen.provider}: {chosen.what}, {chosen.why}.", hint=chosen.command, tone="")
            left.remove(chosen)
            continue
        try:
            before = (await app.services.registry.get(chosen.provider)).row
            await set_key(app, await app.services.registry.get(chosen.provider))
            after = (await app.services.registry.get(chosen.provider)).row
        except SwitchroomError as error:
            app.tell_error(error)
            return
        if (after.key_ref, after.updated_at) != (before.key_ref, before.updated_at):
            left.remove(chosen)


def _short(path: Path) -> str:
    """A path as people write it: from home on where it is there."""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)


def _path(typed: str) -> Path:
    return Path(typed.strip()).expanduser()


def _folder() -> Path:
    here = Path.cwd()
    return here if os.access(here, os.W_OK) and here != Path("/") else Path.home()


def _proposed(form: Form) -> str:
    names = {"lace": "provider-instances.json", "loquilex": "providers.json"}
    return names.get(form, f"switchroom-{dt.datetime.now().astimezone():%Y-%m-%d}.toml")


def _wrong(typed: str) -> str | None:
    if not typed.strip():
        return "Write a file name, such as switchroom.toml."
    try:
        path = _path(typed)
        if path.is_dir():
            return f"{path} is a folder: add a file name."
        return None if path.parent.is_dir() else f"There is no folder {path.parent}."
    except (OSError, ValueError, RuntimeError):  # the last: ~somebody who is not here
        return "That is no file name."
