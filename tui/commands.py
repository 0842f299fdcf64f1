"""The palette: every action that works here, every mode, provider and model, found by typing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tui.keymap import MODES
from tui.modals.help import live_keys
from tui.modals.pick import Pick
from tui.widgets.columns import Column

if TYPE_CHECKING:
    from tui.app import SwitchroomApp


@dataclass(frozen=True, slots=True)
class Command:
    """One line of the palette."""

    kind: str
    title: str
    detail: str
    key: str
    """The key that does the same; empty where there is none."""
    run: Callable[[], Awaitable[object] | object]


def _actions(app: SwitchroomApp) -> list[Command]:
    screen = app.screen
    commands = []
    for item in live_keys(screen):
        action, node = item.entry.binding.action, item.entry.node
        if item.id.startswith(("table.", "transcript.", "app.palette", "mode.")):
            continue
        commands.append(
            Command("action", item.what, "", item.keys.split(" ")[0], partial(app.run_action, action, node))
        )  # fmt: skip
    commands += [
        Command("mode", f"Go to {mode.title}", "", mode.digit, partial(app.action_mode, mode.name)) for mode in MODES
    ]  # fmt: skip
    return commands


async def _things(app: SwitchroomApp) -> list[Command]:
    if not app.opened:
        return []
    providers = await app.services.registry.list()
    commands = [
        Command("provider", view.row.slug, view.row.name, "", partial(_show_provider, app, view.row.slug))
        for view in providers
    ]  # fmt: skip
    models = await app.services.models.list(enabled=True)
    commands += [
        Command("model", model.ref, model.info.name or "", "", partial(start_chat, app, model.ref))
        for model in models
        if model.chat
    ]
    return commands


async def _show_provider(app: SwitchroomApp, slug: str) -> None:
    await app.switch_mode("providers")
    from tui.screens.provider_detail import ProviderDetail
    from tui.screens.providers import ProvidersScreen

    if isinstance(app.screen, ProviderDetail):
        await app.pop_screen()
    if isinstance(app.screen, ProvidersScreen):
        app.screen.show_provider(slug)


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
    commands = _actions(app) + await _things(app)
    columns: tuple[Column[Command], ...] = (
        Column("kind", "", lambda c: (c.kind, "dim"), width=8),
        Column("title", "", lambda c: f"{c.title}  {c.detail}".rstrip(), width=30, flex=1),
        Column("key", "", lambda c: (c.key, "accent"), width=6, align="right", priority=1),
    )
    window = Pick(
        "Do what?", columns, commands,
        key=lambda c: f"{c.kind} {c.title}",
        search=lambda c: f"{c.kind} {c.title} {c.detail}",
        placeholder="type an action, a provider or a model",
    )  # fmt: skip
    chosen = await app.push_screen_wait(window)
    if chosen is None:
        return
    result = chosen.run()
    if isinstance(result, Awaitable):
        await result
