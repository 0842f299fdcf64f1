"""How a setting is changed from the screen: switched, picked, typed or pressed, and what is said afterwards."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from catalog.errors import SwitchroomError
from tui.formatting import cents
from tui.screens.settings_lines import LIMITS, SettingLine, words
from tui.widgets.columns import Column

if TYPE_CHECKING:
    from services.settings_edit import Value
    from tui.app import SwitchroomApp

_THEMES = {
    "dark": "calm, for a dark room",
    "light": "for a bright room",
    "ansi": "only the terminal's own colours",
}


async def change(app: SwitchroomApp, line: SettingLine) -> None:
    """What enter does on a line."""
    if line.fixed:
        _told_fixed(app, line)
        return
    try:
        app.services.require_writable()
        await _CHANGES[line.kind](app, line)
    except SwitchroomError as error:
        app.tell_error(error)


async def back(app: SwitchroomApp, line: SettingLine) -> None:
    """Back to the default."""
    if line.fixed:
        _told_fixed(app, line)
        return
    if not line.changed:
        app.tell(f"{line.title} has its default: {line.default}.", tone="dim")
        return
    try:
        if line.kind == "model":
            await app.services.models.set_default(None)
        elif line.kind == "limit":
            await _set_limit(app, line, None)
        else:
            await app.services.preferences.unset(line.name)
    except SwitchroomError as error:
        app.tell_error(error)
        return
    app.tell(f"{line.title} is back to its default: {line.default}.", tone="ok")


async def without_key(app: SwitchroomApp, line: SettingLine) -> None:
    """Take the keys of an action away."""
    await _keep(app, line, "", "none")


def _told_fixed(app: SwitchroomApp, line: SettingLine) -> None:
    variable, _, place = line.fixed.partition(" in ")
    where = f"in {place}" if place else "in the environment"
    app.tell(
        f"{line.title} is fixed by {variable} {where}.", title="Not changed here",
        hint="Take it away there, then it can be changed here.", tone="warn",
    )  # fmt: skip


async def _keep(app: SwitchroomApp, line: SettingLine, value: Value, said: str) -> None:
    await app.services.preferences.set(line.name, value)
    if line.kind == "key":
        app.tell(
            f"{said}: {line.title}." if value else f"No key does this now: {line.title}.",
            hint="{u:settings.default} puts the default back",
            tone="ok",
        )
        return
    when = "from the next start" if line.note else "now"
    app.tell(f"{line.title} is {when}: {said}.", hint="{u:settings.default} puts the default back", tone="ok")


async def _switch(app: SwitchroomApp, line: SettingLine) -> None:
    on = not line.raw
    if line.name == "security.read_only" and on and not await _sure(app):
        return
    await _keep(app, line, on, "on" if on else "off")


async def _sure(app: SwitchroomApp) -> bool:
    from tui.modals.confirm import Confirm

    detail = "From the next start no change is possible here, this setting included: only an editor on config.toml ends it."
    question = Confirm("Refuse every change?", detail, yes="refuse", no="keep as it is")
    return await app.push_screen_wait(question) is True


async def _choose(app: SwitchroomApp, line: SettingLine) -> None:
    from tui.modals.pick import Pick
    from tui.modals.theme_pick import ThemePick

    theme = line.name == "appearance.theme"
    options: list[Column[str]] = [
        Column("choice", "", lambda choice: choice, width=10, flex=0 if theme else 1)
    ]
    if theme:
        options.append(Column("words", "", lambda choice: (_THEMES.get(choice, ""), "dim"), width=30, flex=1))
    window = (ThemePick if theme else Pick)(
        line.title, options, line.choices,
        key=lambda choice: choice, search=lambda choice: choice, start=str(line.raw), small=True,
        placeholder="type to find one", choose_words="take it", leave_words="keep as it is",
    )  # fmt: skip
    shown = app.theme
    chosen = await app.push_screen_wait(window)
    try:
        if chosen is not None and chosen != line.raw:
            await _keep(app, line, chosen, chosen)
            shown = app.theme
    finally:
        if theme and app.theme != shown:  # looked at, and not kept
            app.theme = shown


async def _type(app: SwitchroomApp, line: SettingLine) -> None:
    from tui.modals.ask import Ask

    preferences = app.services.preferences
    shown = "none" if line.raw is None else f"{line.raw:g}" if isinstance(line.raw, float) else str(line.raw)
    detail = f"{line.sentence}\nTakes {line.takes}; the default is {line.default}."
    typed = await app.push_screen_wait(
        Ask(line.title, detail, value=shown, check=lambda text: preferences.problem(line.name, text.strip()))
    )
    if typed is not None and typed.strip() != shown:
        value = _plain(line, typed.strip())
        await _keep(app, line, value, words(line.name, value))


def _plain(line: SettingLine, text: str) -> Value:
    """What is typed as what is written into the file."""
    from services.settings import kind_of
    from services.settings_values import fitted

    value: Value = fitted(*kind_of(line.name), text)
    return value


async def _model(app: SwitchroomApp, line: SettingLine) -> None:
    from tui.modals.model_picker import Choice, ModelPicker

    views = [view for view in await app.services.models.list(enabled=True) if view.chat and view.available]
    picker = ModelPicker(
        [Choice(view, None, current=view.ref == line.raw) for view in views], start=str(line.raw)
    )
    chosen = await app.push_screen_wait(picker)
    if chosen is not None:
        await app.services.models.set_default(chosen.view.ref)
        app.tell(
            f"New chats begin with {chosen.view.ref}.",
            hint="{u:settings.default} puts the default back",
            tone="ok",
        )


async def _limit(app: SwitchroomApp, line: SettingLine) -> None:
    from tui.modals.ask import Ask
    from tui.screens.provider_actions import amount, no_amount

    shown = "" if line.raw is None else f"{line.raw:f}"
    typed = await app.push_screen_wait(
        Ask(f"{line.title}, in USD", f"{line.sentence}\nEmpty: no limit.", value=shown, placeholder="none", check=no_amount)
    )  # fmt: skip
    if typed is not None and typed.strip() != shown:
        limit = amount(typed)
        await _set_limit(app, line, limit)
        said = "none" if limit is None else cents(limit)
        app.tell(
            f"{line.title} is now: {said}.",
            hint="{u:settings.default} takes it away" if limit else "",
            tone="ok",
        )


async def _set_limit(app: SwitchroomApp, line: SettingLine, limit: Decimal | None) -> None:
    period = next(period for period, name in LIMITS.items() if name == line.name)
    if limit is not None:
        await app.services.budgets.set("global", period, limit)
        return
    for view in await app.services.budgets.list():
        if (view.scope, view.period) == ("global", period):
            await app.services.budgets.remove(view.id)


async def _press(app: SwitchroomApp, line: SettingLine) -> None:
    from tui.keymap import key_label
    from tui.modals.record_key import RecordKey

    ident = line.name.removeprefix("keys.")
    actions = await app.own_keys.actions()
    if ident not in actions:
        app.tell(line.sentence, hint="{u:settings.default} takes it out of config.toml", tone="warn")
        return
    key = await app.push_screen_wait(RecordKey(actions[ident], actions, app.services.settings.keys))
    if key is not None:
        await _keep(app, line, key, key_label(key))


_CHANGES = {
    "switch": _switch, "choice": _choose, "number": _type, "text": _type, "model": _model, "limit": _limit, "key": _press,
}  # fmt: skip
