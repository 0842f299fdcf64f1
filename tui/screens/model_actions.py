"""What can be done with models: each action asks what it must, calls one service, and says what happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from catalog.errors import SwitchroomError
from tui.formatting import UNKNOWN, count, cut_middle, money, tokens, whole
from tui.screens.model_columns import in_use
from tui.widgets.columns import Cell, Column

if TYPE_CHECKING:
    from services.estimate import Estimate
    from services.models import ModelView
    from tui.app import SwitchroomApp


async def chat(app: SwitchroomApp, view: ModelView) -> None:
    """Go to Chat with this model, or say why one cannot chat with it."""
    from tui.commands import start_chat

    name = cut_middle(view.info.id, 48)
    if not view.chat:
        app.tell(
            f"{name} does not chat.",
            hint="chat:yes in the filter ({/:models.filter}) shows those that do",
            tone="dim",
        )
    elif not view.enabled:
        app.tell(f"{name} is switched off.", hint="{x:models.toggle|model.toggle} switches it on", tone="dim")
    elif not in_use(view):
        app.tell(
            f"{view.provider} no longer offers {name}.",
            hint="{s:models.sync|model.sync} fetches its list anew",
            tone="warn",
        )
    elif not (await app.services.registry.row(view.provider)).enabled:
        app.tell(
            f"{view.provider} is switched off.",
            hint="{2:mode.providers}, then {x:providers.toggle} on it switches it on",
            tone="dim",
        )
    else:
        await start_chat(app, view.ref)


async def toggle(app: SwitchroomApp, views: Sequence[ModelView]) -> None:
    """On becomes off and off becomes on, in one change; mixed ones all go off."""
    if not views:
        return
    on = not any(view.enabled for view in views)
    changed = [view for view in views if view.enabled is not on]
    try:
        await app.services.models.set_enabled([view.ref for view in changed], on)
    except SwitchroomError as error:
        app.tell_error(error)
        return
    words = cut_middle(changed[0].ref, 48) if len(changed) == 1 else count(len(changed), "model")
    app.tell(
        f"{words} switched {'on' if on else 'off'}.",
        hint="{x:models.toggle|model.toggle} switches back",
        tone="",
    )


async def toggle_one(app: SwitchroomApp, view: ModelView) -> None:
    """The same for one."""
    await toggle(app, [view])


async def make_default(app: SwitchroomApp, view: ModelView) -> None:
    """New chats start with this model."""
    name = cut_middle(view.ref, 48)
    if not view.chat or not in_use(view):
        app.tell(
            f"New chats cannot start with {name}.", hint="choose one that is on and can chat", tone="dim"
        )
        return
    try:
        await app.services.models.set_default(view.ref)
    except SwitchroomError as error:
        app.tell_error(error)
        return
    app.tell(f"New chats start with {name}.", hint="{c:models.chat|model.chat} chats with it")


def sync(app: SwitchroomApp, views: Sequence[ModelView]) -> None:
    """Fetch the lists of the providers of these models."""
    app.sync(list(dict.fromkeys(view.provider for view in views)))


MOST = 500
"""Of more models than this, a prompt is estimated on the first ones only."""
MOST_COUNTED = 12
"""Of more models than this, no vendor is asked to count a prompt."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What one model would take for the prompt."""

    view: ModelView
    estimate: Estimate


def _input(offer: Offer) -> str:
    """With a tilde where it is a guess and not the vendor's own count."""
    return f"{'' if offer.estimate.exact else '~'}{tokens(offer.estimate.input_tokens)}"


def _money(amount: Decimal | None, offer: Offer) -> Cell:
    return ("own", "dim") if offer.estimate.own else (UNKNOWN, "dim") if amount is None else money(amount)


def _longest(offer: Offer) -> Cell:
    if offer.estimate.too_long:
        return "does not fit", "warn"
    return tokens(offer.estimate.max_output), "dim"


def _dearness(offer: Offer) -> tuple[bool, Decimal, str]:
    low = Decimal(0) if offer.estimate.own else offer.estimate.low
    return low is None, low or Decimal(0), offer.view.ref


OFFERS: tuple[Column[Offer], ...] = (
    Column("model", "model", lambda o: o.view.ref, width=20, max_width=56, flex=1, cut="middle"),
    Column("input", "tokens in", _input, width=9, align="right", priority=2),
    Column("low", "likely", lambda o: _money(o.estimate.low, o), width=9, align="right"),
    Column("high", "at most", lambda o: _money(o.estimate.high, o), width=9, align="right"),
    Column("longest", "longest answer", _longest, width=14, align="right", priority=1),
)  # fmt: skip


def _asks(app: SwitchroomApp) -> str:
    counts = app.services.settings.chat.exact_counts != "off"
    return "Type or paste it. " + (
        "It is not answered; a vendor that counts for free gets it to count."
        if counts
        else "Nothing is sent."
    )


async def estimate(app: SwitchroomApp, views: Sequence[ModelView]) -> None:
    """Ask for a prompt and show what each of these models would take for it, the cheapest first."""
    from adapters.events import Message
    from services.run_events import RunRequest
    from tui.modals.ask import Ask
    from tui.modals.pick import Pick

    chatting = [view for view in views if view.chat and view.available]
    able = chatting[:MOST]
    if not able:
        app.tell(
            "None of these models chats.",
            hint="chat:yes in the filter ({/:models.filter}) shows those that do",
            tone="dim",
        )
        return
    whom = cut_middle(able[0].ref, 48) if len(able) == 1 else count(len(able), "model")
    prompt = await app.push_screen_wait(
        Ask(f"What would a prompt cost on {whom}?", _asks(app), placeholder="the prompt")
    )  # fmt: skip
    if not prompt or not prompt.strip():
        return
    requests = [RunRequest(view.ref, (Message("user", prompt),)) for view in able]
    estimates = app.services.estimates
    try:
        if len(able) <= MOST_COUNTED:
            found = await estimates.counted(requests)
        else:
            found = [await estimates.estimate(request) for request in requests]
        offers = [Offer(view, one) for view, one in zip(able, found, strict=True)]
    except SwitchroomError as error:
        app.tell_error(error)
        return
    part = (
        "" if len(able) == len(chatting) else f" of the first {whole(MOST)} of {whole(len(chatting))} models"
    )
    window: Pick[Offer] = Pick(
        f"What this prompt would cost, the cheapest{part} first",
        OFFERS,
        sorted(offers, key=_dearness),
        key=lambda offer: offer.view.ref,
        search=lambda offer: offer.view.ref,
        placeholder="type to filter; likely is a usual answer, at most is the longest one",
        header=True,
        wide=True,
        choose_words="chat with it",
    )
    chosen = await app.push_screen_wait(window)
    if chosen is not None:
        await chat(app, chosen.view)


async def estimate_one(app: SwitchroomApp, view: ModelView) -> None:
    """The same for one."""
    await estimate(app, [view])
