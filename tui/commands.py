"""What the palette offers: every action that works here, every mode, theme, setting, provider and model."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from functools import partial
from typing import TYPE_CHECKING

from catalog.errors import SwitchroomError
from tui.keymap import MODES
from tui.modals.help import live_keys
from tui.modals.palette import Command, Found, Palette, searchable
from tui.themes import NAMES

if TYPE_CHECKING:
    from services.models import ModelView
    from tui.app import SwitchroomApp
    from tui.screens.task_form import Kind

_LEFT_OUT = ("table.", "transcript.", "chart.", "app.palette", "mode.")
"""Ids that begin like this are keys for moving about, or stand here under another name."""

_ALSO = {
    "add": "new create connect", "alerts": "messages errors warnings notifications", "budget": "limits cap money spend",
    "conversations": "history chats", "copy": "clipboard yank", "delete": "remove", "edit": "change", "estimate": "price cost",
    "export": "save file download csv json", "filter": "find search", "help": "keys shortcuts", "key": "secret token credential",
    "limits": "budget cap money spend", "models": "switch", "offline": "network", "order": "sort", "params": "settings temperature",
    "quit": "exit close", "schedule": "cron interval automatic", "search": "find", "sync": "refresh update", "toggle": "enable disable",
    "all": "refresh update", "sync_all": "refresh update",
}  # fmt: skip
"""The last part of an action's id → other words for it."""
_MODES_ALSO = {
    "overview": "home dashboard alerts", "providers": "vendors keys budget limits", "models": "compare prices context probe ask abilities capabilities vision price map estimate recommend",
    "sync": "price rise rises dearer cheaper changes refresh schedule catalog", "usage": "cost spend limits budget statistics chart",
    "chat": "ask talk prompt", "audit": "log history who", "settings": "preferences options configuration",
}  # fmt: skip


def _actions(app: SwitchroomApp) -> list[Command]:
    commands: list[Command] = []
    keys: dict[str, str] = {}
    called: dict[str, str] = getattr(app.screen, "key_words", {})
    for item in live_keys(app.screen):
        action, node = item.entry.binding.action, item.entry.node
        keys[item.id] = item.keys.split(" ")[0]
        if not item.id.startswith(_LEFT_OUT):
            name = called.get(item.id, item.entry.binding.description)
            shown = "" if name.casefold() in item.what.casefold() else name
            words = f"{item.id.replace('.', ' ')} {_ALSO.get(item.id.rpartition('.')[2], '')}"
            run = partial(app.run_action, action, node)
            commands.append(Command("action", item.what, shown, keys[item.id], run, name=name, words=words))
    commands += [
        Command("mode", f"Go to {mode.title}", "", keys.get(f"mode.{mode.name}", ""), partial(app.action_mode, mode.name), words=_MODES_ALSO.get(mode.name, ""))
        for mode in MODES
    ]  # fmt: skip
    if app.opened:
        what = "providers in your environment and on this machine"
        commands.append(Command("action", "Found here …", what, "", partial(_found_here, app), words="discover detect env local servers loopback ollama add"))  # fmt: skip
    if "providers.browse" not in keys and app.opened:
        what = "Marketplace: every known vendor, what it offers and costs"
        commands.append(Command("action", what, "vendors", "", partial(_marketplace, app), words="browse catalog add provider"))  # fmt: skip
    if "models.recommend" not in keys and app.opened:
        commands.append(Command("action", "Recommend a model …", "for a task and a budget", "", partial(_recommend, app), words="best cheapest which suggest"))  # fmt: skip
    if app.opened:
        commands.append(Command("action", "Translate a text …", "by a model of Hugging Face", "", partial(_task, app, "translate"), words="task nllb m2m100 language"))  # fmt: skip
        commands.append(Command("action", "Transcribe a recording …", "by a model of Hugging Face", "", partial(_task, app, "transcribe"), words="task whisper speech audio asr"))  # fmt: skip
    if "sync.catalog" not in keys and app.opened:
        what = "What changed in the catalog, and what it affects"
        commands.append(Command("action", what, "", "", partial(_catalog_changes, app), words="newer facts sources price rises retiring deprecated"))  # fmt: skip
    if app.opened:
        commands.append(Command("action", "Take in a bill …", "a vendor's export, as a file", "", partial(_take_bill, app), words="usage import billed invoice csv costs"))  # fmt: skip
    return commands + _transfer(app)


def _take_bill(app: SwitchroomApp) -> None:
    from tui.screens.usage_bill_form import take_bill

    app.do(take_bill(app))


def _transfer(app: SwitchroomApp) -> list[Command]:
    def bring() -> None:
        from tui.screens.config_transfer import import_configuration

        app.do(import_configuration(app))

    def give() -> None:
        from tui.screens.config_transfer import export_configuration

        app.do(export_configuration(app))

    also = "config settings providers file lace loquilex toml json"
    return [
        Command("action", "Import configuration …", "", "", bring, words=f"{also} migrate load read"),
        Command("action", "Export configuration …", "", "", give, words=f"{also} backup save write"),
    ]


async def _recommend(app: SwitchroomApp) -> None:
    await _at_first(app, "models")
    from tui.screens.model_recommend import recommend

    app.do(recommend(app))


def _task(app: SwitchroomApp, kind: Kind) -> None:
    from tui.screens.task import ask_task

    app.do(ask_task(app, kind))


async def _catalog_changes(app: SwitchroomApp) -> None:
    await _at_first(app, "sync")
    from tui.screens.catalog_changes import CatalogChanges

    app.push_screen(CatalogChanges())


async def _found_here(app: SwitchroomApp) -> None:
    from tui.screens.discovered import found_here

    await found_here(app)


async def _marketplace(app: SwitchroomApp) -> None:
    from tui.screens.marketplace import open_marketplace

    await open_marketplace(app)


def _settings(app: SwitchroomApp) -> list[Command]:
    from tui.screens.settings_lines import LIMITS, MODEL, lines_of

    commands = [Command("theme", f"Theme: {name}", "colours", "", partial(_set_theme, app, name)) for name in NAMES]  # fmt: skip
    commands += [
        Command(
            "setting", line.title, f"{line.value}  {line.name}", "", partial(_show_setting, app, line.name)
        )
        for line in lines_of(app.services.preferences)
    ]
    commands += [
        Command("setting", title, name, "", partial(_show_setting, app, name))
        for name, title in (
            (MODEL, "Model for new chats"), (LIMITS["daily"], "Daily limit"), (LIMITS["monthly"], "Monthly limit")
        )
    ]  # fmt: skip
    return commands


def _models(models: list[ModelView]) -> list[Found[ModelView]]:
    return [
        (f"{view.ref} {view.info.name or ''} model".casefold(), view.ref, view)
        for view in models
        if view.chat
    ]


def _model(app: SwitchroomApp, view: ModelView) -> Command:
    return Command(
        "model", view.ref, view.info.name or "", "",
        partial(start_chat, app, view.ref), partial(_show_model, app, view.ref),
    )  # fmt: skip


async def _fill(app: SwitchroomApp, window: Palette[ModelView]) -> None:
    """Bring what has to be asked for into the open window."""
    try:
        window.add([searchable(command) for command in _settings(app)])
        rows = await app.services.registry.rows()
        window.add([
            searchable(Command("provider", row.slug, row.name, "", partial(show_provider, app, row.slug)))
            for row in rows
        ])  # fmt: skip
        models = await app.services.models.list(enabled=True)
        window.add(await asyncio.to_thread(_models, models))
    except SwitchroomError as error:
        app.tell_error(error)


async def _set_theme(app: SwitchroomApp, name: str) -> None:
    try:
        await app.services.preferences.set("appearance.theme", name)
    except SwitchroomError as error:
        app.tell_error(error)
        return
    app.tell(f"The theme is now {name}.", hint="{0:mode.settings}, then Appearance has all about the look")


async def _show_setting(app: SwitchroomApp, name: str) -> None:
    await app.switch_mode("settings")
    from tui.screens.settings import SettingsScreen

    if isinstance(app.screen, SettingsScreen):
        app.screen.go_to(name)


async def _at_first(app: SwitchroomApp, mode: str) -> None:
    """Go to a mode, and back to its first screen from whatever was opened over it."""
    await app.switch_mode(mode)
    while len(app.screen_stack) > 1 and not app.screen.is_modal:
        await app.pop_screen()


async def show_provider(app: SwitchroomApp, slug: str) -> None:
    """Go to Providers, with the cursor on this one."""
    await _at_first(app, "providers")
    from tui.screens.providers import ProvidersScreen

    if isinstance(app.screen, ProvidersScreen):
        app.screen.show_provider(slug)


async def _show_model(app: SwitchroomApp, ref: str) -> None:
    await _at_first(app, "models")
    from tui.screens.model_detail import ModelDetail

    await app.push_screen(ModelDetail(ref))


async def start_chat(app: SwitchroomApp, ref: str | None) -> None:
    """Go to Chat, with this model chosen where one is named."""
    await app.switch_mode("chat")
    from tui.screens.chat import ChatScreen

    if ref is not None and isinstance(app.screen, ChatScreen):
        state = app.screen.state
        if state.messages and state.view is not None and state.view.ref != ref:
            app.screen.new_conversation()  # what was said to one vendor is not sent to another unasked
        app.screen.choose_model(ref)


async def open_palette(app: SwitchroomApp) -> None:
    """Ask what to do, and do it."""
    window = Palette(_actions(app), partial(_model, app))
    filling = asyncio.create_task(_fill(app, window)) if app.opened else None
    try:
        chosen = await app.push_screen_wait(window)
    finally:
        if filling is not None:
            filling.cancel()
    if chosen is None:
        return
    result = chosen.run()
    if isinstance(result, Awaitable):
        await result
