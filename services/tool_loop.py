"""When a model's tool calls are answered by themselves: by mocks, a bounded number of times, and never after a stop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from adapters.events import Message
from catalog.errors import UsageError
from services.tool_specs import Case, Tool, strict_json

if TYPE_CHECKING:
    from adapters.events import ToolCall
    from services.run_events import RunRequest, RunResult

CHOICES = ("auto", "none", "required")
_CUT = ("length", "content_filter", "budget")
"""Ends after which arguments may be missing or half there: sending errors about them would cost for nothing."""


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """The result of one call."""

    call_id: str
    name: str
    text: str
    failed: bool = False
    """The function failed: the text says how."""
    mocked: bool = True
    """False: somebody typed it."""


def arguments_of(call: ToolCall) -> dict[str, object] | None:
    """The arguments as an object; None where the model wrote something else, NaN for a number too."""
    try:
        found = strict_json(call.arguments)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def mocked(call: ToolCall, tools: Sequence[Tool]) -> ToolAnswer | None:
    """What a mock answers to a call; None where somebody must type it."""
    tool = next((tool for tool in tools if tool.name == call.name), None)
    if tool is None:
        if not tools or not all(other.cases for other in tools):
            return None
        names = ", ".join(other.name for other in tools)
        return ToolAnswer(call.id, call.name, f"There is no function {call.name}. There are: {names}.", True)
    if not tool.cases:
        return None
    arguments = arguments_of(call)
    if arguments is None:
        return ToolAnswer(call.id, call.name, "The arguments are not a JSON object.", True)
    case = next((case for case in tool.cases if _fits(case, arguments)), None)
    return ToolAnswer(call.id, call.name, case.text, case.failed) if case is not None else None


def _fits(case: Case, arguments: Mapping[str, object]) -> bool:
    return case.when is None or all(
        name in arguments and _same(arguments[name], value) for name, value in case.when.items()
    )


def _same(one: object, other: object) -> bool:
    """Equal as JSON values are: `true` is not 1, and the case of letters does not matter."""
    if isinstance(one, str) and isinstance(other, str):
        return one.strip().casefold() == other.strip().casefold()
    return isinstance(one, bool) == isinstance(other, bool) and one == other


class ToolLoop:
    """Answers the calls of one exchange until it is done; a new prompt begins a new one."""

    def __init__(self, tools: Sequence[Tool], rounds: int) -> None:
        self.tools = tuple(tools)
        self.most = rounds
        self.answered = 0
        """How often calls were answered."""
        self.stopped = False
        """The user stopped it."""
        self.why: str | None = None
        """Why it ended although calls wait, in one sentence; None where it did not, or where somebody is to type."""

    @property
    def round(self) -> int:
        """The number of the run under way; 1 is the first."""
        return self.answered + 1

    def after(self, result: RunResult) -> tuple[ToolAnswer, ...]:
        """The answers to all calls of a run that is over; empty: nothing is sent by itself."""
        if result.state != "complete" or not result.tool_calls or self.stopped:
            return ()
        answers = [mocked(call, self.tools) for call in result.tool_calls]
        if any(answer is None for answer in answers):
            return ()
        if result.finish_reason in _CUT:
            self.why = "The answer was cut off at its tool calls."
            return ()
        if self.answered >= self.most:
            self.why = f"Stopped after {self.answered} rounds of tool calls."
            return ()
        self.answered += 1
        return tuple(answer for answer in answers if answer is not None)


def next_request(request: RunRequest, result: RunResult, answers: Iterable[ToolAnswer]) -> RunRequest:
    """The request that sends results back. A call that was demanded has been made: from here on the model chooses."""
    said = Message(
        "assistant",
        result.text,
        tool_calls=result.tool_calls,
        thinking=result.thinking,
        keepsake=result.keepsake,
    )
    given = (
        Message("tool", answer.text, tool_call_id=answer.call_id, is_error=answer.failed)
        for answer in answers
    )
    return replace(
        request,
        messages=(*request.messages, said, *given),
        tool_choice=after_results(request.tool_choice),
    )


def after_results(choice: str | None) -> str | None:
    """What is said of calling tools once results are there: a demand is met, a ban stays."""
    return choice if choice in (None, "none") else "auto"


def checked_choice(choice: str | None, tools: Sequence[Tool]) -> str | None:
    """The choice, if it can be made. Raises UsageError."""
    if choice is None or not (choice := choice.strip()):
        return None
    names = [tool.name for tool in tools]
    if not names:
        raise UsageError(
            "There are no tools to choose from.", hint="Name them: --tools NAME or --tools FILE."
        )
    if choice not in CHOICES and choice not in names:
        raise UsageError(f"The tool choice is one of {', '.join((*CHOICES, *names))}.")
    return choice


def with_results(tools: Sequence[Tool], results: Mapping[str, str]) -> tuple[Tool, ...]:
    """The tools with fixed results in the place of their mocks. Raises UsageError for a name none has."""
    names = [tool.name for tool in tools]
    if unknown := sorted(results.keys() - set(names)):
        there = f"There are: {', '.join(names)}." if names else "Name tools with --tools."
        raise UsageError(f"There is no tool {unknown[0]} to give a result for.", hint=there)
    return tuple(
        replace(tool, cases=(Case(results[tool.name]),)) if tool.name in results else tool for tool in tools
    )
