"""What the chat's keys open: pickers, forms, the external editor, the clipboard."""

from __future__ import annotations

import asyncio
import os
import shlex
import tempfile
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from catalog.errors import SwitchroomError
from catalog.plaintext import harmless, one_line
from tui.formatting import count
from tui.screens import chat_words as words
from tui.widgets.columns import Column

if TYPE_CHECKING:
    from services.estimate import Estimate
    from services.models import ModelView
    from tui.screens.chat_runs import ChatRuns
    from tui.widgets.transcript import Pick


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
    months = await _months(chat, views) if current is not None else {}
    offered = choices(views, current, estimates, state.estimate(services, text), months)
    chosen = await chat.app.push_screen_wait(ModelPicker(offered, start=current, only=chat.suggestions))
    if chosen is not None:
        chat.choose_model(chosen.view.ref)


async def _months(chat: ChatRuns, views: Sequence[ModelView]) -> dict[str, Decimal]:
    """What the current model's tokens of the last 30 days cost with each model of a known price."""
    from catalog.usage import Usage
    from services.clock import DAY_MS, now_ms

    services, view = chat.app.services, chat.state.view
    report = await services.usage.report("model", now_ms() - 30 * DAY_MS)
    line = next((line for line in report.rows if view is not None and line.key == view.ref), None)
    if line is None or not line.runs or not line.input + line.output:
        return {}
    # A run of the usual size, as often as there were runs: a price that rises with the prompt's length is not met.
    used = Usage(input=line.input // line.runs, output=line.output // line.runs)
    costs = {other.ref: services.estimates.price_of(other, used) for other in views}
    return {ref: cost * line.runs for ref, cost in costs.items() if cost is not None}


async def change_params(chat: ChatRuns) -> None:
    """System prompt, temperature, max tokens, reasoning effort."""
    from tui.modals.form import Field, Form

    params, folder = chat.state.params, chat.app.services.paths.tools
    fields = (
        Field("system", "system prompt", params.system or "", "none"),
        Field("temperature", "temperature", "" if params.temperature is None else f"{params.temperature:g}", "the model's own", words.check_temperature),
        Field("max_tokens", "max tokens", str(params.max_tokens or ""), "the model's own", words.check_max_tokens),
        Field("effort", "reasoning effort", params.effort or "", f"the model's own, or {', '.join(words.EFFORTS)}", words.check_effort),
        Field("tools", "tools", params.tool_names, "none, or a set, or a JSON file", lambda text: words.check_tools(text, params, folder)),
        Field("tool_choice", "tool choice", params.tool_choice or "", "auto, none, required, or a tool"),
    )  # fmt: skip
    values = await chat.app.push_screen_wait(
        Form(
            "Parameters of this conversation",
            fields,
            "Empty: not sent.",
            check=lambda values: words.check_choice(values, params, folder),
        )
    )
    if values is None:
        return
    try:
        read = words.read_params(dict(values), params, folder)
    except SwitchroomError as error:
        chat.app.tell_error(error)
    else:
        await chat.set_params(read)


async def pick_conversation(chat: ChatRuns) -> None:
    """Open another conversation."""
    from tui.modals.chat_list import ChatList

    service = chat.app.services.conversations
    current = chat.state.row.id if chat.state.row is not None else None
    row = await chat.app.push_screen_wait(ChatList(await service.list(), service, current))
    if row is not None and row.id != current:
        await chat.open_conversation(row)


async def offer_unpriced(chat: ChatRuns) -> bool:
    """The price is unknown and a limit is in force: ask once for this model. True: send."""
    from tui.modals.confirm import Confirm

    view = chat.state.view
    if view is None:
        return False
    question = f"The price of {one_line(view.info.id, 60)} is unknown. Send anyway?"
    detail = "A limit is set, and what this run costs cannot be counted against it."
    agreed = await chat.app.push_screen_wait(Confirm(question, detail, yes="send", no="do not send"))
    if agreed:
        chat.state.allowed.add(view.ref)
    return agreed is True


async def offer_too_long(chat: ChatRuns, text: str, estimate: Estimate) -> None:
    """The conversation is probably longer than the model reads: ask before it is sent in vain."""
    from tui.modals.confirm import Confirm

    window = words.whole(estimate.context_window)
    question = "This is probably longer than the model reads. Send anyway?"
    detail = (
        f"About {words.whole(estimate.input_tokens)} tokens, and {one_line(estimate.model, 60)} reads {window}. "
        "ctrl+t chooses a model that reads more; ctrl+n begins anew."
    )
    if (
        await chat.app.push_screen_wait(Confirm(question, detail, yes="send", no="go back"))
        and chat.may_send()
    ):
        chat.sure(lambda: chat.send(text))


async def offer_blind(chat: ChatRuns, send: Callable[[], None]) -> None:
    """Images would go to a model that is not known to see them: ask once for this model."""
    from tui.modals.confirm import Confirm

    view = chat.state.view
    if view is None:
        return
    name = one_line(view.info.id, 60)
    known = view.info.capabilities is not None
    question = (
        f"{name} {'does not see images, as far as is known' if known else 'may not see images'}. Send anyway?"
    )
    detail = "It may refuse the prompt, or answer without having looked. ctrl+t chooses a model that sees."
    if (
        await chat.app.push_screen_wait(Confirm(question, detail, yes="send", no="go back"))
        and chat.may_send()
    ):
        chat.state.shown_images.add(view.ref)
        send()


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
        else:
            chat.app.tell(
                f"The editor ended with status {status}.", hint="The prompt is as it was", tone="warn"
            )
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
    chat.set_focus(chat.prompt)


async def copy(chat: ChatRuns) -> None:
    """The marked text; else what is picked; else the answer in sight, or one of its code blocks."""
    marked = chat.get_selected_text()
    if marked:
        await chat.app.copy(marked.strip("\n"))
        chat.clear_selection()
        return
    transcript = chat.transcript
    if transcript.picked is not None:
        await chat.app.copy(transcript.picked.text)
        return
    picks = transcript.picks_in_sight()
    if not picks:
        chat.app.tell("There is no answer to copy yet.", tone="dim")
    elif len(picks) == 1:
        await chat.app.copy(picks[0].text)
    else:
        chat.app.do(_choose_copy(chat, picks))


def _what(pick: Pick) -> str:
    """What the list of things to copy says of one."""
    if pick.code is None:
        return "the whole answer"
    code = pick.block.codes[pick.code]
    first = next((line for line in code.text.splitlines() if line.strip()), "")
    return f"{code.language or 'code'}, {count(len(code.text.splitlines()), 'line')}: {one_line(first, 60)}"


async def _choose_copy(chat: ChatRuns, picks: Sequence[Pick]) -> None:
    from tui.modals import pick as window

    rows = [(str(number), pick, _what(pick)) for number, pick in enumerate(picks)]
    columns: tuple[Column[tuple[str, Pick, str]], ...] = (
        Column("what", "", lambda row: row[2], width=20, flex=1),
    )
    chosen = await chat.app.push_screen_wait(
        window.Pick(
            "Copy what?",
            columns,
            rows,
            key=lambda row: row[0],
            search=lambda row: row[2],
            placeholder="type to filter",
            small=True,
            choose_words="copy",
        )
    )
    if chosen is not None:
        await chat.app.copy(chosen[1].text)
