"""What the chat's keys open: pickers, forms, the external editor, the clipboard."""

from __future__ import annotations

import asyncio
import os
import shlex
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from catalog.plaintext import harmless, one_line
from tui.screens import chat_words as words
from tui.widgets.columns import Column
from tui.widgets.transcript_answers import MarkdownBlock
from tui.widgets.transcript_blocks import Block

if TYPE_CHECKING:
    from tui.screens.chat_runs import ChatRuns


async def pick_model(chat: ChatRuns) -> None:
    """Choose a model; prices and what a run of this conversation would cost with each."""
    from tui.modals.model_picker import ModelPicker, choices

    services, state = chat.app.services, chat.state
    views = [view for view in await services.models.list(enabled=True) if view.chat and view.available]
    text = chat.prompt.text
    estimates = {}
    for view in views:
        if (estimate := state.estimate(services, text, view)) is not None:
            estimates[view.ref] = estimate
    current = state.view.ref if state.view is not None else None
    offered = choices(views, current, estimates, state.estimate(services, text))
    chosen = await chat.app.push_screen_wait(ModelPicker(offered, start=current, only=chat.suggestions))
    if chosen is not None:
        chat.choose_model(chosen.view.ref)


async def change_params(chat: ChatRuns) -> None:
    """System prompt, temperature, max tokens, reasoning effort."""
    from tui.modals.form import Field, Form

    params = chat.state.params
    fields = (
        Field("system", "system prompt", params.system or "", "none"),
        Field("temperature", "temperature", "" if params.temperature is None else f"{params.temperature:g}", "the model's own", words.check_temperature),
        Field("max_tokens", "max tokens", str(params.max_tokens or ""), "the model's own", words.check_max_tokens),
        Field("effort", "reasoning effort", params.effort or "", f"the model's own, or {', '.join(words.EFFORTS)}", words.check_effort),
    )  # fmt: skip
    values = await chat.app.push_screen_wait(
        Form("Parameters of this conversation", fields, "Empty: not sent.")
    )
    if values is not None:
        await chat.set_params(words.read_params(dict(values), params))


async def pick_conversation(chat: ChatRuns) -> None:
    """Open another conversation."""
    from tui.modals.chat_list import ChatList

    service = chat.app.services.conversations
    current = chat.state.row.id if chat.state.row is not None else None
    row = await chat.app.push_screen_wait(ChatList(await service.list(), service, current))
    if row is not None and row.id != current:
        await chat.open_conversation(row)


async def offer_unpriced(chat: ChatRuns) -> None:
    """The price is unknown and a limit is in force: ask once for this model."""
    from tui.modals.confirm import Confirm

    view = chat.state.view
    if view is None:
        return
    question = f"The price of {one_line(view.info.id, 60)} is unknown. Send anyway?"
    detail = "A limit is set, and what this run costs cannot be counted against it."
    if await chat.app.push_screen_wait(Confirm(question, detail, yes="send", no="do not send")):
        chat.state.allowed.add(view.ref)
        chat.action_retry()


async def edit_outside(chat: ChatRuns) -> None:
    """The prompt in the user's own editor; the terminal is theirs until it ends, streams go on."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    handle, name = await asyncio.to_thread(tempfile.mkstemp, ".md", "prompt-")
    path = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(chat.prompt.text)
        with chat.app.suspend(), chat.app.batch_update():
            process = await asyncio.create_subprocess_exec(*shlex.split(editor), name)
            status = await process.wait()
        if status == 0:
            text = await asyncio.to_thread(path.read_text, "utf-8", "replace")
            chat.prompt.text = harmless(text).rstrip("\n")
            chat.prompt.move_cursor(chat.prompt.document.end)
    except (OSError, ValueError) as error:
        chat.app.tell(
            f"The editor could not be started: {error}",
            hint="Set EDITOR to a program that is installed",
            tone="bad",
        )
    except SuspendNotSupported:
        chat.app.tell("This terminal cannot be handed to an editor.", tone="warn")
    finally:
        await asyncio.to_thread(path.unlink, missing_ok=True)
    chat.prompt.focus()


@dataclass(frozen=True, slots=True)
class _Copy:
    """One thing that can be copied."""

    what: str
    text: str


async def copy(chat: ChatRuns) -> None:
    """The marked text; else the answer in sight, or one of its code blocks."""
    marked = chat.get_selected_text()
    if marked:
        await chat.app.copy(marked)
        chat.clear_selection()
        return
    offers = _offers(chat)
    if not offers:
        chat.app.tell("There is no answer to copy yet.", tone="dim")
    elif len(offers) == 1:
        await chat.app.copy(offers[0].text)
    else:
        chat.app.do(_choose_copy(chat, offers))


def _offers(chat: ChatRuns) -> list[_Copy]:
    transcript = chat.transcript
    seen = [b for b in transcript.visible_blocks() if isinstance(b, MarkdownBlock)]
    answers: list[Block] = [*(seen or [b for b in transcript.blocks if isinstance(b, MarkdownBlock)])]
    if not answers:
        return []
    turn = answers[-1].turn
    blocks = [b for b in transcript.blocks if isinstance(b, MarkdownBlock) and b.turn == turn]
    offers = [_Copy("the whole answer", "\n\n".join(block.source for block in blocks))]
    for code in (code for block in blocks for code in block.codes):
        first = next((line for line in code.text.splitlines() if line.strip()), "")
        count = code.text.count("\n")
        offers.append(_Copy(f"{code.language or 'code'}, {count} lines: {one_line(first, 60)}", code.text))
    return offers


async def _choose_copy(chat: ChatRuns, offers: list[_Copy]) -> None:
    from tui.modals.pick import Pick

    columns: tuple[Column[_Copy], ...] = (Column("what", "", lambda offer: offer.what, width=20, flex=1),)
    window = Pick(
        "Copy what?", columns, offers, key=lambda o: o.what, search=lambda o: o.what, placeholder=""
    )
    chosen = await chat.app.push_screen_wait(window)
    if chosen is not None:
        await chat.app.copy(chosen.text)
