"""Adding a provider, a window a step: what it is, where it is, its key, the test; then what its first use needs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from catalog.errors import UsageError
from catalog.names import example
from tui.formatting import count
from tui.modals.ask import Ask
from tui.modals.confirm import Confirm
from tui.screens import provider_actions as actions
from tui.screens import provider_first_use as first_use
from tui.screens.provider_choice import (
    Choice,
    ChooseVendor,
    choices,
    is_address,
    spoken_there,
    variable_for,
)
from tui.screens.provider_secrets import Place, choose_place
from tui.screens.provider_sign_in import SIGN_IN, ask_deployments, is_azure, sign_in_first
from tui.screens.provider_trial import Looking, Trial

if TYPE_CHECKING:
    from pydantic import SecretStr

    from adapters.local_servers import ServerFound
    from services.registry import KeySource, ProviderDraft, ProviderView
    from tui.app import SwitchroomApp

BACK, NEXT, LEAVE, SKIP = "back", "next", "leave", "skip"
"""How a step ends; SKIP: it had nothing to ask, so one passes it in whichever direction one goes."""

Step = Callable[["SwitchroomApp", "Adding"], Awaitable[str]]


@dataclass(slots=True)
class Adding:
    """What has been answered so far."""

    choice: Choice | None = None
    url: str | None = None
    pasted: bool = False
    """The address came with the choice."""
    found_url: str | None = None
    """Where the variables say that the key in them is used."""
    allow_http: bool = False
    server: ServerFound | None = None
    """Who answered at the address; None: nobody that is known."""
    dialect: str = ""
    """What speaks at an address that tells nothing, where it was asked."""
    source: KeySource = None
    place: Place = field(default_factory=lambda: Place(None))
    options: dict[str, str] = field(default_factory=dict)
    """Of the dialect."""
    sign_in: SecretStr | None = None
    """What a person signed in with."""
    view: ProviderView | None = None

    @property
    def title(self) -> str:
        spec = self.choice.spec if self.choice else None
        return spec.name if spec else self.server.title if self.server else "your server"

    @property
    def needs_key(self) -> bool:
        spec = self.choice.spec if self.choice else None
        return spec is not None and spec.auth != "none" and not spec.local

    def draft(self) -> ProviderDraft:
        from services.registry import ProviderDraft

        spec = self.choice.spec if self.choice else None
        kind = spec.id if spec else self.dialect or None
        url, options = self.url or self.found_url, {k: v for k, v in self.options.items() if v}
        return ProviderDraft(type=kind, url=url, allow_http=self.allow_http or None, options=options or None)


async def add_provider(app: SwitchroomApp, choice: Choice | None = None, *, url: str | None = None) -> None:
    """The whole way: the steps, then what its first use needs. `url`: of a server that was found there."""
    added = await connect(app, Choice(None) if url else choice, url=url)
    if added is not None:
        await first_steps(app, added)


async def connect(
    app: SwitchroomApp, choice: Choice | None = None, *, first: int = 0, url: str | None = None
) -> Adding | None:
    """Walk through the steps; esc goes one back, and out of the first. `choice`: the list of vendors is answered.

    `first` 1: esc does not lead to the list, because one came from another. What was added, with its `view`; None:
    nothing was.
    """
    state = Adding(choice, url=url, pasted=url is not None)
    steps: list[Step] = [_choose, _place, _speaks, _deployments, _key, _try]
    at, by = 0 if choice is None else 1, 1
    while at < len(steps):
        outcome = await steps[at](app, state)
        by = by if outcome == SKIP else 1 if outcome == NEXT else -1
        at += by
        if outcome == LEAVE or at < first:
            return None
    return state


async def first_steps(app: SwitchroomApp, state: Adding) -> None:
    """What its tokens cost, its model and its limit; then the chat."""
    assert state.view is not None
    spec = state.choice.spec if state.choice else None
    slug = state.view.row.slug
    await first_use.choose_cost(app, slug)
    model = await first_use.choose_model(app, slug, spec.default_model if spec else None)
    await first_use.choose_ceiling(app, slug)
    await first_use.chat_with(app, state.view, model)


async def _choose(app: SwitchroomApp, state: Adding) -> str:
    found = await app.services.discovery.vendors()
    window = ChooseVendor(choices(app.services.catalog, found), state.choice.id if state.choice else None)
    chosen = await app.push_screen_wait(window)
    if chosen is None:
        return LEAVE
    if state.choice is None or chosen.id != state.choice.id:
        state.choice, state.url, state.allow_http, state.source = chosen, None, False, None
        state.options, state.sign_in, state.dialect = {}, None, ""
    if (chosen.spec is None or chosen.spec.local) and is_address(window.typed):
        state.url, state.pasted = window.typed.strip(), True
    return NEXT


async def _place(app: SwitchroomApp, state: Adding) -> str:
    """The address, for a server of the user's own; one that was pasted before is not asked for again."""
    assert state.choice is not None
    spec = state.choice.spec
    if spec is not None and not spec.local and "{" not in spec.endpoint:
        return SKIP
    theirs = spec is not None and "{" in state.choice.endpoint  # each customer has another one
    url, problem = state.url or ("" if theirs else state.choice.endpoint), ""
    while True:
        if state.pasted:
            state.pasted = False
        else:
            detail = (
                "With or without /v1, as you like."
                if spec
                else "What speaks there is found from the address."
            )
            hint = f"for example {example(spec.endpoint) if spec and theirs else 'http://127.0.0.1:8080'}"
            if theirs:
                detail = "The endpoint of your resource, copied from its portal: with or without what follows the host."
            whose = state.title if spec else "your server"
            typed = await app.push_screen_wait(
                Ask(f"Address of {whose}", detail, value=url, placeholder=hint, problem=problem)
            )
            if typed is None:
                return BACK
            url = typed.strip()
        state.url, state.allow_http, state.server, state.dialect = url, False, None, ""
        try:
            problem = await _usable(app, state)
        except UsageError as error:
            problem = f"{error.message} {error.hint or ''}".strip()
        if not problem:
            await _who(app, state)
            return NEXT


async def _who(app: SwitchroomApp, state: Adding) -> None:
    """Who is at an address of the user's own: a vendor by its host, a server on one's own machine by its answers."""
    assert state.choice is not None
    assert state.url is not None
    found = app.services.catalog.detect(state.url)
    vendor = found.catalog_id
    if found.local:
        discovery, url, allow_http = app.services.discovery, state.url, state.allow_http

        def ask() -> Awaitable[ServerFound | None]:
            return discovery.identify(url, allow_http=allow_http)

        state.server = await app.push_screen_wait(Looking(url, ask))
        vendor = state.server.vendor if state.server else None
    spec = app.services.catalog.spec(vendor) if state.choice.spec is None else None
    if spec is not None:
        state.choice = Choice(spec, (await app.services.discovery.vendors()).get(spec.id))


async def _speaks(app: SwitchroomApp, state: Adding) -> str:
    """What is spoken at an address that tells nothing: asked only where a plug-in adds to the usual."""
    from adapters.loader import plugged_in

    if state.server is not None or (state.choice is not None and state.choice.spec is not None):
        return SKIP
    plugged = await asyncio.to_thread(plugged_in)
    if not plugged:
        return SKIP
    chosen = await actions.choose(app, "What does your server speak?", spoken_there(plugged))
    state.dialect = chosen or ""
    return NEXT if chosen else BACK


async def _deployments(app: SwitchroomApp, state: Adding) -> str:
    """What can be chatted with there, where names are the customer's own."""
    if not is_azure(state):
        return SKIP
    return NEXT if await ask_deployments(app, state) else BACK


async def _usable(app: SwitchroomApp, state: Adding) -> str:
    """What is wrong with the address in words, or nothing. Plain http to a private address is asked about once."""
    assert state.choice is not None
    if not state.url:
        return "Type or paste the address of the server, or esc goes back."
    registry = app.services.registry
    try:
        await registry.resolve_draft(state.draft())
    except UsageError:
        state.allow_http = True
        try:
            await registry.resolve_draft(state.draft())
        except UsageError:
            state.allow_http = False
            raise
        detail = f"{state.url} is on a private network, without encryption: whoever listens there can read the key and every prompt."
        allowed = await app.push_screen_wait(
            Confirm("Allow plain http?", detail, yes="allow", no="no, another address")
        )
        state.allow_http = bool(allowed)
        return "" if state.allow_http else "Give an https address, or esc goes back."
    return ""


async def _key(app: SwitchroomApp, state: Adding) -> str:
    """Where the key is kept, then the key."""
    from services.registry import EnvKey

    choice = state.choice
    assert choice is not None
    state.found_url = None
    state.sign_in = None
    if is_azure(state):
        state.options.pop("auth", None)
        ways = [("key", "A key of the resource"), SIGN_IN]
        chosen = await actions.choose(app, f"How do you sign in to {state.title}?", ways)
        if chosen is None:
            return BACK
        if chosen == "sign_in":
            return NEXT if await sign_in_first(app, state) else BACK
    if variable := variable_for(choice, state.url):
        elsewhere = choice.found.options[0].url if state.url is None and choice.found else None
        where = f" at {elsewhere}" if elsewhere else "; only its name is stored"
        ways = [
            ("env", f"Use {variable}{where}"),
            ("paste", "Paste another key"),
        ]
        chosen = await actions.choose(app, f"A key for {state.title}", ways)
        if chosen is None:
            return BACK
        if chosen == "env":
            state.source, state.place = EnvKey(variable), Place(None)
            state.found_url = elsewhere
            return NEXT
    elif not state.needs_key:
        return await _optional_key(app, state)
    place = await choose_place(app, offer_env=True)
    if place is None:
        return BACK
    state.place = place
    return await _ask_for_key(app, state, env=place.env)


async def _optional_key(app: SwitchroomApp, state: Adding, begun: str = "") -> str:
    detail = "Leave it empty if the server wants none."
    if state.server is not None:
        many = len(state.server.models)
        listed = f" with {count(many, 'model')}" if many else ""
        wants = "It wants a key." if state.server.wants_key else "It asked for no key: leave it empty."
        detail = f"It answers as {state.server.title}{listed}. {wants}"
    typed = await app.push_screen_wait(
        Ask(f"Key for {state.title}, if it wants one", detail, value=begun, password=True)
    )
    if typed is None:
        return BACK
    if not typed.strip():
        state.source, state.place = None, Place(None)
        return NEXT
    place = state.place if state.place.name else await choose_place(app)  # asked once, not for every try
    if place is None:
        return BACK
    state.source, state.place = actions.secret(typed), place
    return NEXT


async def _another_key(app: SwitchroomApp, state: Adding, begun: str) -> str:
    """Straight to the line for the key: where it is kept has been said. `begun`: what was pasted already."""
    from services.registry import EnvKey

    if not state.needs_key:
        return await _optional_key(app, state, begun)
    if (
        isinstance(state.source, EnvKey) and not state.place.env
    ):  # the one that was found: no place was chosen
        return await _key(app, state)
    return await _ask_for_key(app, state, env=state.place.env, begun=begun)


async def _ask_for_key(app: SwitchroomApp, state: Adding, *, env: bool, begun: str = "") -> str:
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
        Ask(f"Key for {state.title}", "\n".join(lines), value=begun, password=True, check=lambda t: None if t.strip() else "Paste the key, or esc goes back.")
    )  # fmt: skip
    if typed is None:
        return BACK
    state.source = actions.secret(typed)
    return NEXT


async def _try(app: SwitchroomApp, state: Adding) -> str:
    """The test runs by itself; nothing is stored before it passed, or the user said so."""
    registry = app.services.registry

    async def attempt(tested: bool) -> ProviderView:
        return await registry.add(
            state.draft(), state.source, test=tested, backend=state.place.name, sign_in=state.sign_in
        )

    while True:
        window = Trial(state.title, attempt, app.services.sync)
        state.view = await app.push_screen_wait(window)
        if state.view is not None:
            return NEXT
        if window.typed is None or await _another_key(app, state, window.typed) != NEXT:
            return BACK
