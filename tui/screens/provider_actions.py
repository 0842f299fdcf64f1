"""What can be done with providers: each action asks what it must, calls one service, and says what happened."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from catalog.errors import SwitchroomError
from tui.formatting import count, duration, state
from tui.messages import provider_key
from tui.modals.ask import Ask
from tui.modals.confirm import Confirm
from tui.modals.pick import Pick
from tui.widgets.columns import Column

if TYPE_CHECKING:
    from pydantic import SecretStr

    from services.budgets import BudgetView
    from services.registry import EnvKey, ProviderView
    from services.sync import SyncResult
    from tui.app import SwitchroomApp


async def test(app: SwitchroomApp, views: Sequence[ProviderView]) -> None:
    """Test these providers, all at once, and say how each answered."""
    results = await asyncio.gather(
        *(app.services.registry.test(view.row.slug) for view in views), return_exceptions=True
    )
    for view, result in zip(views, results, strict=True):
        slug = view.row.slug
        if isinstance(result, SwitchroomError):
            app.tell_error(result)
        elif isinstance(result, BaseException):
            raise result
        elif result.ok:
            app.tell(
                f"{slug} answered in {duration(result.latency_ms)}.",
                hint="{c:providers.chat|provider.chat} chats with it, {s:providers.sync|provider.sync} syncs its models",
            )
        else:
            hint = (
                (result.error.hint if result.error else None)
                or "{K:providers.key|provider.key} sets the key, {e:providers.edit|provider.edit} edits the address, {t:providers.test|provider.test} tries again"
            )
            app.tell(result.message, title=f"{slug}: {state(result.state).word}", hint=hint, tone="bad")


async def toggle(app: SwitchroomApp, views: Sequence[ProviderView]) -> None:
    """On becomes off and off becomes on; mixed ones all go off."""
    on = not any(view.row.enabled for view in views)
    for view in views:
        try:
            await app.services.registry.set_enabled(view.row.slug, on)
        except SwitchroomError as error:
            app.tell_error(error)
            return
    words = views[0].row.slug if len(views) == 1 else count(len(views), "provider")
    app.tell(
        f"{words} switched {'on' if on else 'off'}.",
        hint="{x:providers.toggle|provider.toggle} switches back",
        tone="",
    )


async def delete(app: SwitchroomApp, views: Sequence[ProviderView]) -> None:
    """Say what depends on them, ask once, remove."""
    registry = app.services.registry
    lines = []
    for view in views:
        used = await registry.dependents(view.row.slug)
        lines.append(
            f"{view.row.slug}: used by {', '.join(used)}"
            if used
            else f"{view.row.slug}: nothing depends on it"
        )
    names = views[0].row.slug if len(views) == 1 else count(len(views), "provider")
    detail = "\n".join([*lines, "", "Its stored key and model list go with it. What it cost stays recorded."])
    if not await app.push_screen_wait(Confirm(f"Delete {names}?", detail, yes="delete", no="keep")):
        return
    notes: list[str] = []
    for view in views:
        try:
            removed = await registry.remove(view.row.slug)
        except SwitchroomError as error:
            app.tell_error(error)
            return
        notes += [removed.note] if removed.note else []
    app.tell(
        " ".join([f"{names} deleted.", *dict.fromkeys(notes)]),
        hint="{a:providers.add} adds a provider",
        tone="",
    )


async def set_key(app: SwitchroomApp, view: ProviderView) -> None:
    """A new key, or another place for it; a key is tested before it is kept."""
    slug, app_signs_in = view.row.slug, view.row.options.get("auth") == "entra"
    what = "the client secret of an application" if app_signs_in else "a new key"
    ways = [
        ("paste", f"Paste {what} (tested before it is kept)"),
        ("env", "Name an environment variable that holds it"),
        ("remove", "Remove the key: call this provider without one"),
        *account_ways(view),
    ]
    if view.row.dialect == "azure":
        ways.append(("sign_in", "Sign in with Microsoft Entra ID: no key"))
    chosen = await choose(app, f"Key of {slug}: now {view.key_label}", ways)
    if chosen is None:
        return
    if chosen.startswith("account"):
        from tui.screens.account_key import set_account_key

        await set_account_key(app, slug, chosen)
        return
    registry = app.services.registry
    try:
        if chosen == "sign_in":
            from tui.screens.provider_sign_in import sign_in_again

            await sign_in_again(app, view)
            return
        if chosen == "remove":
            await registry.remove_key(slug)
            app.tell(
                f"{slug} is now called without a key.",
                hint="{t:providers.test|provider.test} tests it",
                tone="",
            )
            return
        source = await ask_key(app, slug, env=chosen == "env")
        if source is None:
            return
        await _keep_key(app, slug, source)
    except SwitchroomError as error:
        app.tell_error(error)


def account_ways(view: ProviderView) -> list[tuple[str, str]]:
    """What can be done with the second key, where the vendor has one."""
    from services.admin_keys import label, way

    opens = way(view.row)
    if opens is None or not opens.admin:
        return []
    now = label(view.row)
    ways = [
        ("account", f"Account key: {opens.admin} for what was used and billed"),
        ("account_env", "Account key: name an environment variable that holds it"),
    ]
    return ways if now is None else [*ways, ("account_remove", f"Remove the account key ({now})")]


async def _keep_key(app: SwitchroomApp, slug: str, source: SecretStr | EnvKey) -> None:
    from tui.screens.provider_secrets import choose_place

    backend = await choose_place(app, source)
    if backend is None:
        return
    try:
        await app.services.registry.set_key(slug, source, test=True, backend=backend.name)
    except SwitchroomError as error:
        question = f"{error.message} Keep the new key all the same?"
        if not await app.push_screen_wait(
            Confirm(error.title, question, yes="keep it untested", no="keep the old key")
        ):
            return
        await app.services.registry.set_key(slug, source, test=False, backend=backend.name)
        app.tell(
            f"New key of {slug} kept, untested.",
            hint="{t:providers.test|provider.test} tests it",
            tone="warn",
        )
        return
    app.tell(
        f"The new key of {slug} works and is kept.", hint="{c:providers.chat|provider.chat} chats with it"
    )


async def ask_key(app: SwitchroomApp, slug: str, *, env: bool, name: str = "") -> SecretStr | EnvKey | None:
    """The key the user pastes (masked), or the variable they name; None when they leave."""
    from services.registry import EnvKey

    if env:
        typed = await app.push_screen_wait(
            Ask(f"Environment variable with the key of {slug}", "Only its name is stored.", value=name, placeholder="OPENAI_API_KEY")
        )  # fmt: skip
        return EnvKey(typed.strip()) if typed and typed.strip() else None
    typed = await app.push_screen_wait(
        Ask(f"Key of {slug}", "It is not shown, and stored only where you choose.", password=True)
    )
    return secret(typed) if typed and typed.strip() else None


def secret(text: str) -> SecretStr:
    """What was typed into a masked field, as a secret that prints nowhere."""
    from pydantic import SecretStr

    from catalog.redact import remember_secret

    remember_secret(text.strip())
    return SecretStr(text.strip())


async def choose(app: SwitchroomApp, title: str, ways: Sequence[tuple[str, str]]) -> str | None:
    """One of a few ways, by number, arrows or words; its name, or None."""
    numbered = [(name, f"{number}  {words}") for number, (name, words) in enumerate(ways, 1)]
    columns: tuple[Column[tuple[str, str]], ...] = (Column("what", "", lambda way: way[1], width=20, flex=1),)
    window = Pick(
        title, columns, numbered,
        key=lambda way: way[0], search=lambda way: way[1], placeholder="a number, or arrows", small=True,
        numbered=True,
    )  # fmt: skip
    chosen = await app.push_screen_wait(window)
    return None if chosen is None else chosen[0]


_EACH_TOLD = 3
"""Of so many failed syncs each is told; more are one message."""


def told_sync(app: SwitchroomApp, results: Sequence[SyncResult]) -> None:
    """Say how a sync went: one line when all is well, one for each that failed."""
    good = [result for result in results if result.error is None]
    bad = [result for result in results if result.error is not None]
    if len(bad) > _EACH_TOLD:
        names = ", ".join(result.slug for result in bad[:_EACH_TOLD])
        app.tell(
            f"{names} and {len(bad) - _EACH_TOLD} more. Their last lists stay.",
            title=f"{len(bad)} of {len(results)} not synced",
            hint="{4:mode.sync} says why",
            tone="bad",
            causes=tuple(provider_key(result.slug) for result in bad),
        )
    for result in bad if len(bad) <= _EACH_TOLD else ():
        if result.error is not None:
            hint = (
                result.error.hint
                or "{t:providers.test|provider.test} tests it, {K:providers.key|provider.key} sets its key"
            )
            app.tell(result.error.message, title=f"{result.slug}: not synced", hint=hint, tone="bad", causes=(provider_key(result.slug),))  # fmt: skip
    if not good:
        return
    added, updated, removed = (
        sum(getattr(r, name) for r in good) for name in ("added", "updated", "removed")
    )
    changes = [
        f"{number} {word}"
        for number, word in ((added, "new"), (updated, "changed"), (removed, "gone"))
        if number
    ]
    models = count(sum(result.total for result in good), "model")
    names = good[0].slug if len(good) == 1 else count(len(good), "provider")
    app.tell(
        f"{names} synced: {models}{', ' + ', '.join(changes) if changes else ', nothing new'}.",
        hint=_chat_key(app),
    )


def _chat_key(app: SwitchroomApp) -> str:
    """How to chat from here: with the key of this screen, or by the mode where its `c` is something else."""
    here = {active.binding.id for active in app.screen.active_bindings.values()}
    own = [name for name in ("providers.chat", "provider.chat", "models.chat", "model.chat") if name in here]
    return f"{{c:{own[0]}}} chats" if own else "{6:mode.chat} opens a chat"


def amount(text: str) -> Decimal | None:
    """USD as people type it (`50`, `$50`, `1,000.50`, `0`); None for empty. Raises ValueError for what is no money."""
    cleaned = text.strip().lstrip("$").replace(",", "").strip()
    if not cleaned:
        return None
    try:
        value = Decimal(cleaned)
    except InvalidOperation:
        raise ValueError(text) from None
    if not value.is_finite() or value < 0:
        raise ValueError(text)
    return value


def no_amount(text: str) -> str | None:
    """What is wrong with an amount, in words; None when it is one (or empty)."""
    try:
        amount(text)
    except ValueError:
        return "That is no amount. Write it like 50 or 12.50, or leave it empty."
    return None


def limits_of(budgets: Sequence[BudgetView], scope: str) -> dict[str, BudgetView]:
    """Period → limit of one scope."""
    return {view.period: view for view in budgets if view.scope == scope}
