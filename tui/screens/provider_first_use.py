"""What a provider needs before it is used: the model of its chats, a monthly limit, and the way into a chat."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from catalog.errors import SwitchroomError
from tui.modals.ask import Ask
from tui.modals.pick import Pick
from tui.screens import model_columns
from tui.screens import provider_actions as actions

if TYPE_CHECKING:
    from services.models import ModelView
    from services.registry import ProviderView
    from tui.app import SwitchroomApp


_COSTS = (
    ("metered", "per token, at prices I type in later"),
    ("flat", "a flat rate or a subscription"),
    ("own", "nothing per token: it is my own hardware"),
)


async def choose_cost(app: SwitchroomApp, slug: str) -> None:
    """Asked only where no price of any chat model is known: whether tokens cost anything there at all."""
    models = [model for model in await app.services.models.list(slug) if model.chat and model.available]
    if not models or any(model.own_cost or _priced(model) for model in models):
        return
    from services.registry import ProviderDraft

    chosen = await actions.choose(app, f"No prices are known for {slug}. What does it cost?", _COSTS)
    try:
        if chosen in ("flat", "own"):
            await app.services.registry.edit(slug, ProviderDraft(cost_mode=chosen))
        elif chosen == "metered":
            app.tell(
                f"What {slug} costs stays unknown until its prices are typed in.",
                hint="{3:mode.models}, then {e:models.price} types one in and {m:models.map} takes it from another model",
                tone="dim",
            )
    except SwitchroomError as error:
        app.tell_error(error)


def _priced(model: ModelView) -> bool:
    return model.info.price is not None and model.info.price.known


def first_model(models: Sequence[ModelView], wanted: str | None) -> ModelView:
    """The one to highlight: what the vendor recommends if it is listed and stays, else the newest that does."""
    lasting = [model for model in models if model.info.status not in ("retired", "deprecated", "unavailable")]
    for model in lasting:
        if model.info.id == wanted:
            return model
    dated = [model for model in lasting if model.info.release_date and model.info.status != "preview"]
    if dated:
        return max(dated, key=lambda model: model.info.release_date or "")
    return (lasting or list(models))[0]


async def choose_model(app: SwitchroomApp, slug: str, wanted: str | None) -> str | None:
    """Which model its chats use, `wanted` first; esc leaves it open. The ref that the chat opens with; None: no model."""
    models = [
        model
        for model in await app.services.models.list(slug)
        if model.chat and model.available and model.info.status != "retired"
    ]
    if not models:
        return None
    default = first_model(models, wanted).ref
    shown = [column for column in model_columns.COLUMNS if column.key != "state"]
    window = Pick(
        f"{slug} works. Which model should its chats use?", shown, models,
        key=lambda model: model.ref, search=model_columns.search_text, start=default, header=True,
        choose_words="use this model", leave_words="decide later",
    )  # fmt: skip
    chosen: ModelView | None = await app.push_screen_wait(window)
    if chosen is None:
        return default
    from services.registry import ProviderDraft

    try:
        if not chosen.enabled:
            await app.services.models.set_enabled([chosen.ref], True)
        await app.services.registry.edit(slug, ProviderDraft(default_model=chosen.info.id))
    except SwitchroomError as error:
        app.tell_error(error)
    return chosen.ref


async def choose_ceiling(app: SwitchroomApp, slug: str) -> None:
    """A monthly limit, proposed where a run costs money."""
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
        app.tell(
            f"{slug} has no model to chat with yet.",
            hint="{s:providers.sync|provider.sync} fetches its models",
            tone="dim",
        )
        return
    await start_chat(app, ref)
