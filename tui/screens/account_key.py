"""Giving a provider its second key: asked for like the first, proven at the vendor's account before it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalog.errors import SwitchroomError
from tui.modals.confirm import Confirm

if TYPE_CHECKING:
    from pydantic import SecretStr

    from services.registry import EnvKey
    from tui.app import SwitchroomApp

_NEXT = "{2:mode.providers}, the provider's Account tab shows what it opens"


async def set_account_key(app: SwitchroomApp, slug: str, what: str) -> None:
    """`what`: `account` asks for the key, `account_env` for a variable's name, `account_remove` forgets it."""
    try:
        if what == "account_remove":
            await app.services.accounts.remove_key(slug)
            app.tell(f"The account key of {slug} is forgotten.", tone="")
            return
        await _set(app, slug, env=what == "account_env")
    except SwitchroomError as error:
        app.tell_error(error)


async def _set(app: SwitchroomApp, slug: str, *, env: bool) -> None:
    from services.admin_keys import way
    from tui.screens.provider_actions import ask_key
    from tui.screens.provider_secrets import choose_place

    opens = way(await app.services.registry.row(slug))
    name = opens.env if opens is not None else ""
    source = await ask_key(app, f"the account of {slug}", env=env, name=name)
    if source is None or (place := await choose_place(app, source)) is None:
        return
    await _prove(app, slug, source, place.name)


async def _prove(app: SwitchroomApp, slug: str, source: SecretStr | EnvKey, backend: str | None) -> None:
    accounts = app.services.accounts
    try:
        await accounts.set_key(slug, source, backend=backend)
    except SwitchroomError as error:
        words = f"{error.message} Keep this key all the same?"
        if not await app.push_screen_wait(Confirm(error.title, words, yes="keep it untested", no="leave it")):
            return
        await accounts.set_key(slug, source, test=False, backend=backend)
        app.tell(f"The account key of {slug} is kept, untested.", hint=_NEXT, tone="warn")
        return
    app.tell(f"The account key of {slug} works and is kept.", hint=_NEXT)
