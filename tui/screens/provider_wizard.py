"""Adding a provider, a window a step: what it is, where it is, its key, the test, its model, its limit, the chat."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from catalog.errors import SwitchroomError, UsageError
from tui.modals.ask import Ask
from tui.modals.confirm import Confirm
from tui.modals.pick import Pick
from tui.screens import model_columns
from tui.screens import provider_actions as actions
from tui.screens.provider_secrets import Place, choose_place
from tui.screens.provider_trial import Trial
from tui.widgets.columns import Cell, Column

if TYPE_CHECKING:
    from catalog.types import ProviderSpec
    from services.models import ModelView
    from services.registry import KeySource, ProviderDraft, ProviderView
    from tui.app import SwitchroomApp

BACK, NEXT, LEAVE = "back", "next", "leave"

Step = Callable[["SwitchroomApp", "Adding"], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Choice:
    """A line of the first window: a vendor, or (without `spec`) an address of the user's own."""

    spec: ProviderSpec | None
    variable: str = ""
    """The environment variable that already holds a key; empty when none does."""


@dataclass(slots=True)
class Adding:
    """What has been answered so far."""

    choice: Choice | None = None
    url: str | None = None
    allow_http: bool = False
    source: KeySource = None
    place: Place = field(default_factory=lambda: Place(None))
    view: ProviderView | None = None
    model: str | None = None
    """The ref of the model the chat opens with."""

    @property
    def title(self) -> str:
        spec = self.choice.spec if self.choice else None
        return spec.name if spec else "your server"

    @property
    def needs_key(self) -> bool:
        spec = self.choice.spec if self.choice else None
        return spec is not None and spec.auth != "none" and not spec.local

    def draft(self) -> ProviderDraft:
        from services.registry import ProviderDraft

        spec = self.choice.spec if self.choice else None
        return ProviderDraft(type=spec.id if spec else None, url=self.url, allow_http=self.allow_http or None)


async def add_provider(app: SwitchroomApp) -> None:
    """Walk through the steps; esc goes one back, and out of the first."""
    state = Adding()
    steps: list[Step] = [_choose, _place, _key, _try]
    at = 0
    while at < len(steps):
        outcome = await steps[at](app, state)
        if outcome == LEAVE or at + (1 if outcome == NEXT else -1) < 0:
            return
        at += 1 if outcome == NEXT else -1
    assert state.view is not None
    await _model(app, state)
    await _ceiling(app, state)
    await chat_with(app, state.view, state.model)


# -- before anything is stored ------------------------------------------------------------------------


def _kind(choice: Choice) -> Cell:
    if choice.spec is None:
        return "any server that speaks a known protocol", "dim"
    if choice.variable:
        return f"● key found in {choice.variable}", "ok"
    return ("on your own machine", "dim") if choice.spec.local else ("with a key", "dim")


def _endpoint(choice: Choice) -> Cell:
    return (choice.spec.endpoint if choice.spec else "https://… or http://127.0.0.1:…"), "dim"


async def _choose(app: SwitchroomApp, state: Adding) -> str:
    choices = []
    for spec in app.services.catalog.specs():
        found = next((name for name in spec.env.key if os.environ.get(name)), "")
        choices.append(Choice(spec, found))
    choices.sort(key=lambda choice: not choice.variable)
    choices.append(Choice(None))
    columns: tuple[Column[Choice], ...] = (
        Column(
            "name", "", lambda c: c.spec.name if c.spec else "Other: paste a base URL", width=24, max_width=34
        ),
        Column("kind", "", _kind, width=20, max_width=40),
        Column("endpoint", "", _endpoint, width=16, flex=1, priority=1, cut="middle"),
    )
    window = Pick(
        "Add a provider: which one?", columns, choices,
        key=lambda c: c.spec.id if c.spec else "",
        search=lambda c: f"{c.spec.id} {c.spec.name} {c.spec.endpoint}" if c.spec else "other paste base url address",
        keep_last=True,
        start=state.choice.spec.id if state.choice and state.choice.spec else None,
    )  # fmt: skip
    chosen = await app.push_screen_wait(window)
    if chosen is None:
        return LEAVE
    if chosen is not state.choice:
        state.choice, state.url, state.allow_http, state.source = chosen, None, False, None
    return NEXT


async def _place(app: SwitchroomApp, state: Adding) -> str:
    """The address, for a server of the user's own."""
    assert state.choice is not None
    spec = state.choice.spec
    if spec is not None and not spec.local and "{" not in spec.endpoint:
        return NEXT
    proposed = state.url or (spec.endpoint if spec else "")
    while True:
        detail = "With or without /v1, as you like." if spec else "The type is found from the address."
        url = await app.push_screen_wait(
            Ask(f"Address of {state.title}", detail, value=proposed, placeholder="http://127.0.0.1:8080")
        )
        if url is None:
            return BACK
        state.url, state.allow_http = url.strip() or proposed, False
        try:
            await app.services.registry.resolve_draft(state.draft())
        except UsageError as error:
            if not await _allow(app, state, error):
                proposed = state.url
                continue
        return NEXT


async def _allow(app: SwitchroomApp, state: Adding, refused: UsageError) -> bool:
    """Ask once about plain http to a private address; other refusals are told."""
    state.allow_http = True
    try:
        await app.services.registry.resolve_draft(state.draft())
    except UsageError:
        state.allow_http = False
        app.tell(
            refused.message, title=refused.title, hint="Change the address, or esc goes back", tone="bad"
        )
        return False
    detail = f"{state.url} is on a private network, without encryption: whoever listens there can read the key and every prompt."
    if await app.push_screen_wait(
        Confirm("Allow plain http?", detail, yes="allow", no="no, another address")
    ):
        return True
    state.allow_http = False
    return False


async def _key(app: SwitchroomApp, state: Adding) -> str:
    """Where the key is kept, then the key."""
    from services.registry import EnvKey

    choice = state.choice
    assert choice is not None
    if choice.variable:
        ways = [
            ("env", f"Use the one in {choice.variable}; only its name is stored"),
            ("paste", "Paste another key"),
        ]
        chosen = await actions.choose(app, f"A key for {state.title}", ways)
        if chosen is None:
            return BACK
        if chosen == "env":
            state.source, state.place = EnvKey(choice.variable), Place(None)
            return NEXT
    elif not state.needs_key:
        return await _optional_key(app, state)
    place = await choose_place(app, offer_env=True)
    if place is None:
        return BACK
    state.place = place
    return await _ask_for_key(app, state, env=place.env)


async def _optional_key(app: SwitchroomApp, state: Adding) -> str:
    detail = "Leave it empty if the server wants none."
    typed = await app.push_screen_wait(Ask(f"Key for {state.title}, if it wants one", detail, password=True))
    if typed is None:
        return BACK
    if not typed.strip():
        state.source, state.place = None, Place(None)
        return NEXT
    place = await choose_place(app)
    if place is None:
        return BACK
    state.source, state.place = actions.secret(typed), place
    return NEXT


async def _ask_for_key(app: SwitchroomApp, state: Adding, *, env: bool) -> str:
    spec = state.choice.spec if state.choice else None
    if env:
        source = await actions.ask_key(
            app, state.title, env=True, name=spec.env.key[0] if spec and spec.env.key else ""
        )
        if source is None:
            return BACK
        state.source = source
        return NEXT
    lines = ["It is not shown. It is tested first, and stored only if the test passes."]
    if spec is not None and spec.key_url:
        lines.append(f"Get one at {spec.key_url}")
    if spec is not None and spec.key_hint.prefixes:
        lines.append(f"It usually begins with {' or '.join(spec.key_hint.prefixes[:3])}")
    typed = await app.push_screen_wait(
        Ask(f"Key for {state.title}", "\n".join(lines), password=True, check=lambda t: None if t.strip() else "Paste the key, or esc goes back.")
    )  # fmt: skip
    if typed is None:
        return BACK
    state.source = actions.secret(typed)
    return NEXT


async def _try(app: SwitchroomApp, state: Adding) -> str:
    """The test runs by itself; nothing is stored before it passed, or the user said so."""
    registry = app.services.registry

    async def attempt(tested: bool) -> ProviderView:
        return await registry.add(state.draft(), state.source, test=tested, backend=state.place.name)

    view = await app.push_screen_wait(Trial(state.title, attempt, app.services.sync))
    if view is None:
        return BACK
    state.view = view
    return NEXT


# -- once it is stored --------------------------------------------------------------------------------


async def _model(app: SwitchroomApp, state: Adding) -> None:
    """Which model its chats use; esc leaves it open."""
    assert state.view is not None
    slug = state.view.row.slug
    models = [model for model in await app.services.models.list(slug) if model.chat and model.available]
    if not models:
        return
    default = _default(state, models)
    shown = [column for column in model_columns.COLUMNS if column.key != "state"]
    window = Pick(
        f"{slug} works. Which model should its chats use?", shown, models,
        key=lambda model: model.ref, search=model_columns.search_text, start=default, header=True,
        choose_words="use this model", leave_words="decide later",
    )  # fmt: skip
    chosen: ModelView | None = await app.push_screen_wait(window)
    state.model = default
    if chosen is None:
        return
    from services.registry import ProviderDraft

    state.model = chosen.ref
    try:
        if not chosen.enabled:
            await app.services.models.set_enabled([chosen.ref], True)
        await app.services.registry.edit(slug, ProviderDraft(default_model=chosen.info.id))
    except SwitchroomError as error:
        app.tell_error(error)


def _default(state: Adding, models: list[ModelView]) -> str:
    spec = state.choice.spec if state.choice else None
    wanted = spec.default_model if spec else None
    return next((model.ref for model in models if model.info.id == wanted), models[0].ref)


async def _ceiling(app: SwitchroomApp, state: Adding) -> None:
    """A monthly limit, proposed where a run costs money."""
    assert state.view is not None
    slug = state.view.row.slug
    models = await app.services.models.list(slug)
    if models and all(model.own_cost for model in models):
        return
    proposal = Decimal(str(app.services.settings.budget.monthly_proposal)).normalize()
    typed = await app.push_screen_wait(
        Ask(
            f"A monthly limit for {slug}, in USD",
            "No run goes over it. Empty, or esc: no limit. b changes it at any time.",
            value=f"{proposal:f}", check=actions.no_amount,
        )
    )  # fmt: skip
    limit = actions.amount(typed) if typed else None
    if limit is None:
        return
    try:
        await app.services.budgets.set(
            f"provider:{slug}", "monthly", limit, reason="proposed when it was added"
        )
    except SwitchroomError as error:
        app.tell_error(error)


async def chat_with(app: SwitchroomApp, view: ProviderView, ref: str | None = None) -> None:
    """Open Chat with a model of this provider: the one named, its default, or the first that can chat."""
    from tui.commands import start_chat

    slug = view.row.slug
    if ref is None:
        row = (await app.services.registry.get(slug)).row
        default = await app.services.models.default_of(row)
        ref = default if default is None or default.startswith(f"{slug}/") else f"{slug}/{default}"
    if ref is None:
        app.tell(f"{slug} has no model to chat with yet.", hint="s fetches its models", tone="warn")
        return
    await start_chat(app, ref)
