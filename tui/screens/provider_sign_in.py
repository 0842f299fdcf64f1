"""Azure in the faces of a provider: its deployments, its key or a sign-in, and signing in again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from catalog.errors import SwitchroomError
from tui.modals.ask import Ask
from tui.modals.form import Field, Form
from tui.modals.sign_in import SignIn
from tui.screens.provider_secrets import choose_place

if TYPE_CHECKING:
    from services.registry import ProviderView
    from tui.app import SwitchroomApp
    from tui.screens.provider_wizard import Adding

SIGN_IN = ("sign_in", "Sign in with Microsoft Entra ID: no key")
_REALM = ("tenant", "client_id", "authority")


def is_azure(state: Adding) -> bool:
    """Whether what is being added speaks Azure's dialect."""
    spec = state.choice.spec if state.choice else None
    return spec is not None and spec.dialect == "azure"


async def ask_deployments(app: SwitchroomApp, state: Adding) -> bool:
    """The names that can be chatted with; False: one goes back."""
    detail = (
        "Their names as they stand in the portal, with commas between. Each is looked for; nothing is sent to a model.\n"
        "Empty: those that the resource lists, where it does. You can name more later (e edits)."
    )
    value = state.options.get("deployment", "")
    typed = await app.push_screen_wait(
        Ask(f"Your deployments at {state.title}", detail, value=value, placeholder="for example chat-prod, mini", check=_no_names)
    )  # fmt: skip
    if typed is None:
        return False
    state.options["deployment"] = ",".join(name.strip() for name in typed.split(",") if name.strip())
    return True


def _no_names(text: str) -> str | None:
    names = [name.strip() for name in text.split(",") if name.strip()]
    spaced = next((name for name in names if " " in name), None)
    return f"“{spaced}” has a space in it: put commas between the names." if spaced else None


async def sign_in_first(app: SwitchroomApp, state: Adding) -> bool:
    """Sign in before it is tested and stored; False: one goes back."""
    place = await choose_place(app)
    if place is None:
        return False
    realm = await _ask_realm(app, state.title, state.options)
    if realm is None:
        return False
    state.options |= {**realm, "auth": "entra"}
    state.source, state.place = None, place
    try:
        row = await app.services.registry.resolve_draft(state.draft())
    except SwitchroomError as error:
        app.tell_error(error)
        return False
    sign_ins = app.services.sign_ins
    state.sign_in = await app.push_screen_wait(SignIn(state.title, lambda: sign_ins.begin(row), sign_ins))
    return state.sign_in is not None


async def sign_in_again(app: SwitchroomApp, view: ProviderView) -> None:
    """Sign in to a provider that is there; what it had before goes only when that is done."""
    slug, services = view.row.slug, app.services
    services.require_writable()
    place = await choose_place(app)
    if place is None:
        return
    options = dict(view.row.options)
    realm: Mapping[str, str] | None = {}
    if options.get("auth") != "entra":
        realm = await _ask_realm(app, slug, options)
    if realm is None:
        return
    row = replace(view.row, options={**options, **realm, "auth": "entra"}, key_ref=None)
    window = SignIn(slug, lambda: services.sign_ins.begin(row), services.sign_ins)
    tokens = await app.push_screen_wait(window)
    if tokens is None:
        return
    # First: the key goes only when this is kept.
    await services.sign_ins.keep(slug, tokens, backend=place.name)
    if view.row.options != row.options:
        from services.registry import ProviderDraft

        await services.registry.edit(slug, ProviderDraft(options=row.options))
    if view.row.key_ref is not None:
        await services.registry.remove_key(slug)
    validation = await services.registry.test(slug)
    if validation.error is not None:
        app.tell_error(validation.error)
        return
    app.tell(f"Signed in to {slug}.", hint="{c:providers.chat|provider.chat} chats with it")


async def _ask_realm(app: SwitchroomApp, title: str, options: Mapping[str, str]) -> Mapping[str, str] | None:
    """Where one signs in; empty lines are what most people want. None: one goes back."""
    from catalog.options import check_option

    def good(name: str, text: str) -> str | None:
        try:
            if text.strip():
                check_option("azure", name, text.strip())
        except SwitchroomError as error:
            return error.message
        return None

    fields = [
        Field("tenant", "tenant", options.get("tenant", ""), "that of your account", lambda t: good("tenant", t)),
        Field("client_id", "application", options.get("client_id", ""), "Azure's own, for people", lambda t: good("client_id", t)),
        Field("authority", "authority", options.get("authority", ""), "https://login.microsoftonline.com", lambda t: good("authority", t)),
    ]  # fmt: skip
    detail = "Leave them empty, unless your organization told you otherwise."
    return await app.push_screen_wait(Form(f"Sign in to {title}", fields, detail, keep="go on"))
