"""What can be done with models on a machine: each action asks what it must, calls one service, and says what happened."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from catalog.errors import SwitchroomError
from catalog.plaintext import one_line
from catalog.sizes import size_words

if TYPE_CHECKING:
    from services.shelves import LocalModel
    from store.providers import ProviderRow
    from tui.app import SwitchroomApp


async def pull(app: SwitchroomApp, provider: str | None = None) -> None:
    """Ask which model, and to where; it goes on whatever mode is in front."""
    from tui.modals.ask import Ask

    local = app.services.local_models
    try:
        holders = await local.holders()
    except SwitchroomError as error:
        app.tell_error(error)
        return
    if not holders:
        app.tell(
            "No provider here holds models of its own, so there is nowhere to pull to.",
            hint="{2:mode.providers}, then {a:providers.add} adds an Ollama server",
            tone="dim",
        )
        return
    slug = await _where(app, holders, provider)
    if slug is None:
        return

    hub = await _has_hub(next(row for row in holders if row.slug == slug))

    def problem(name: str) -> str | None:
        text = name.strip()
        if not text:
            return "Type the name of a model, or words to look for." if hub else "Type the name of a model."
        return "A name has no spaces." if " " in text and not hub else None

    words = "Its size is known once the download begins. It can be stopped and taken up again at any time."
    if hub:
        words += " Words without a / are looked for on the hub."
    unfinished = [
        pull.model for pull in local.pulls() if pull.provider == slug and pull.state in ("stopped", "failed")
    ]
    example = "openai/whisper-tiny, or: whisper" if hub else "llama3.2:3b"
    name = await app.push_screen_wait(
        Ask(
            f"Pull a model to {slug}",
            words,
            value=unfinished[-1] if unfinished else "",
            placeholder=example,
            check=problem,
        )
    )
    if name and hub and "/" not in name:
        name = await _found(app, slug, name)
    if not name:
        return
    try:
        await local.pull(slug, name)
    except SwitchroomError as error:
        app.tell_error(error)


async def _has_hub(row: ProviderRow) -> bool:
    from adapters.abilities import SearchesModels
    from adapters.loader import can

    return await asyncio.to_thread(can, row.dialect, SearchesModels)


async def _found(app: SwitchroomApp, slug: str, words: str) -> str | None:
    """Look for models on the provider's hub, and let one be chosen."""
    from adapters.abilities import FoundModel
    from services.hub import search
    from tui.formatting import tokens
    from tui.modals.pick import Pick
    from tui.widgets.columns import Column

    app.tell(f"Looking for {one_line(words, 60)} on the hub of {slug} …", tone="dim")
    try:
        found = await search(app.services, slug, words)
    except SwitchroomError as error:
        app.tell_error(error)
        return None
    columns: tuple[Column[FoundModel], ...] = (
        Column("model", "model", lambda one: one.id, width=30, flex=1, cut="middle"),
        Column("task", "task", lambda one: (one_line(one.task or "—", 40), "dim"), width=18, max_width=28, priority=2),
        Column("downloads", "downloads", lambda one: tokens(one.downloads), width=9, align="right"),
        Column("gated", "access", lambda one: ("ask first", "warn") if one.gated else "open", width=9, priority=1),
    )  # fmt: skip
    chosen = await app.push_screen_wait(
        Pick(
            f"Models on the hub for: {one_line(words, 40)}", columns, found, key=lambda one: one.id, header=True,
            search=lambda one: f"{one.id} {one.task or ''}", empty="The hub has no such model.", choose_words="pull",
        )
    )  # fmt: skip
    return None if chosen is None else chosen.id


async def _where(app: SwitchroomApp, holders: list[ProviderRow], provider: str | None) -> str | None:
    if len(holders) == 1:
        return holders[0].slug
    from tui.modals.pick import Pick
    from tui.widgets.columns import Column

    columns: tuple[Column[ProviderRow], ...] = (
        Column("slug", "", lambda row: row.slug, width=16, max_width=30),
        Column("where", "", lambda row: (row.endpoint, "dim"), width=20, flex=1),
    )
    chosen = await app.push_screen_wait(
        Pick(
            "Pull a model: to which provider?", columns, holders, key=lambda row: row.slug,
            search=lambda row: f"{row.slug} {row.endpoint}", start=provider, small=True,
        )
    )  # fmt: skip
    return None if chosen is None else chosen.slug


async def stop(app: SwitchroomApp, provider: str, model: str) -> None:
    """Stop a download; that it can go on later is said when it ends."""
    for one in app.services.local_models.pulls(active=True):
        if (one.provider, one.model) == (provider, model):
            await app.services.local_models.cancel(one)


async def delete(app: SwitchroomApp, model: LocalModel) -> None:
    """Ask once, with what uses it, then remove it from the disk."""
    from services.dependents import affected
    from tui.modals.confirm import Confirm

    try:
        uses = (await affected(app.services, model.provider, [model.id])).models.get(model.id, ())
    except SwitchroomError as error:
        app.tell_error(error)
        return
    lines = [f"It takes {size_words(model.size_bytes)} of the disk." if model.size_bytes else ""]
    if model.loaded:
        lines.append("It is loaded now, and is unloaded.")
    if uses:
        lines.append(f"In use: {', '.join(uses)}.")
    lines.append("It can be pulled again.")
    question = f"Delete {one_line(model.id, 60)} from {model.provider}?"
    if not await app.push_screen_wait(Confirm(question, "\n".join(line for line in lines if line), "delete")):
        return
    try:
        await app.services.local_models.delete(model.provider, model.id)
    except SwitchroomError as error:
        app.tell_error(error)
        return
    app.tell(f"{one_line(model.id, 60)} is deleted from {model.provider}.", tone="ok")
