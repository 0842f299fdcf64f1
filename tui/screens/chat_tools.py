"""What the chat asks about tools: which set the model may call, and what calls are answered with."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.plaintext import one_line
from services.tool_loop import CHOICES, ToolAnswer, arguments_of, mocked
from tui.formatting import count, cut_end
from tui.widgets.columns import Column

if TYPE_CHECKING:
    from adapters.events import ToolCall
    from services.tool_sets import ToolSet
    from services.tool_specs import Tool
    from tui.screens.chat_again import ChatAgain
    from tui.screens.chat_runs import ChatRuns

FAILED = "! "
"""A typed result that begins with this is an error of the function."""


LONGEST_OFFERED = 8_000
MOST_SHOWN = 6
"""Calls whose arguments stand above the lines; each shows them in its empty line, too."""


async def answer_calls(chat: ChatAgain, calls: Sequence[ToolCall]) -> None:
    """Type what the tools gave back; then the model goes on. What a mock says stands there already."""
    from tui.modals.form import Field, Form

    tools = chat.state.params.tools
    prepared = {call.id: _prepared(call, tools) for call in calls}
    several = len(calls) > 1
    fields = tuple(
        Field(
            call.id,
            _label(call, number if several else None),
            _offered(prepared[call.id]),
            hint_of(call),
            keeps_lines=True,
        )
        for number, call in enumerate(calls, 1)
    )
    detail = "Text or JSON, a line for each call. “! ” before it says that the function failed."
    if several:
        detail = "\n".join(
            [*(f"{n}  {hint_of(call)}" for n, call in enumerate(calls[:MOST_SHOWN], 1)), detail]
        )
    values = await chat.app.push_screen_wait(Form("Results of the tool calls", fields, detail, keep="send"))
    if values is not None and chat.may_send():
        await chat.send_results(typed(calls, values, prepared, tools))


def _label(call: ToolCall, number: int | None) -> str:
    before = f"{number}  " if number is not None else ""
    return cut_end(f"{before}{one_line(call.name, 40) or '(no name)'}", 17)


def _prepared(call: ToolCall, tools: Sequence[Tool]) -> str:
    """What stands on the line of a call: a mock's result, or that there is no such function."""
    if (answer := mocked(call, tools)) is not None:
        return f"{FAILED if answer.failed else ''}{answer.text}"
    if any(tool.name == call.name for tool in tools) or not tools:
        return ""
    return f"{FAILED}There is no function {call.name}."


def _offered(text: str) -> str:
    """What a line holds of a result, to be edited: all of it, of one that is too long for a line its beginning."""
    return text.strip() if len(text) <= LONGEST_OFFERED else one_line(text, 2000).strip()


def hint_of(call: ToolCall) -> str:
    """The arguments, and whether they can be read."""
    broken = "" if arguments_of(call) is not None else "no JSON object: "
    return f"{broken}{one_line(call.arguments, 60)}"


def typed(
    calls: Sequence[ToolCall], values: Mapping[str, str], prepared: Mapping[str, str], tools: Sequence[Tool]
) -> list[ToolAnswer]:
    """The answers as they were typed; a line left as it was holds the mock's own text, line ends and all."""
    answers = []
    for call in calls:
        same = prepared[call.id] and values[call.id] == _offered(prepared[call.id])
        if same and (answer := mocked(call, tools)) is not None:
            answers.append(answer)
            continue
        text = prepared[call.id] if same else values[call.id]
        failed = text.startswith(FAILED)
        answers.append(ToolAnswer(call.id, call.name, text.removeprefix(FAILED), failed, mocked=False))
    return answers


async def pick_tools(chat: ChatRuns) -> None:
    """Choose a set of tools for this conversation, or none."""
    from services.tool_sets import ToolSet, listed
    from tui.modals.pick import Pick

    folder, params = chat.app.services.paths.tools, chat.state.params
    sets = await asyncio.to_thread(listed, folder)
    none = ToolSet("none", folder, ())

    def words(row: ToolSet) -> str:
        if row is none and not sets:
            return f"none yet: JSON files in {_from_home(folder)}"
        return _functions(row, none)

    columns: tuple[Column[ToolSet], ...] = (
        Column("set", "set", lambda row: one_line(row.name, 60), width=14, max_width=24),
        Column("what", "functions", words, width=30, flex=3),
    )
    chosen = await chat.app.push_screen_wait(
        Pick(
            "Which tools may the model call?",
            columns,
            [*sets, none],
            key=lambda row: row.name,
            search=lambda row: f"{row.name} {words(row)}",
            placeholder="type to filter; sets are files in config/tools",
            start=params.tools_from or ("none" if not params.tools else None),
            header=True,
            best_first=True,
            wide=True,
        )
    )
    if chosen is None:
        return
    if chosen.problem is not None:
        chat.app.tell(chosen.problem, hint="Mend the file; it is read again each time", tone="bad")
        return
    choice = params.tool_choice if chosen is not none else None
    if choice is not None and choice not in (*CHOICES, *(tool.name for tool in chosen.tools)):
        chat.app.tell(
            f"The tool choice {one_line(choice, 60)} is no tool of this set: the model chooses.", tone="warn"
        )
        choice = None
    named = "" if chosen is none else chosen.name
    await chat.set_params(replace(params, tools=chosen.tools, tools_from=named, tool_choice=choice))


def _from_home(folder: Path) -> str:
    """The folder as a person would type it."""
    home = Path.home()
    short = f"~/{folder.relative_to(home)}" if folder.is_relative_to(home) else str(folder)
    return one_line(short, 200)


def _functions(row: ToolSet, none: ToolSet) -> str:
    if row is none:
        return "the model answers in words only"
    if row.problem is not None:
        return f"✕ {one_line(row.problem, 300)}"
    mocks = sum(bool(tool.cases) for tool in row.tools)
    names = ", ".join(one_line(tool.name, 40) for tool in row.tools)
    return f"{names}   {count(mocks, 'mock') if mocks else 'results are typed'}"
