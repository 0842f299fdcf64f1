"""The three ways a run is drawn on the command line: plain text, one document, one event a line."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import click

from adapters.events import ToolCall
from catalog.plaintext import harmless, one_line
from cli import documents
from cli.commands.estimate import estimate_document
from cli.failures import document as error_document
from cli.output import count, dollars, json_line, json_text, note
from services.run_events import (
    RunEvent,
    RunFinished,
    RunResult,
    RunRetry,
    RunStartedEvent,
    RunText,
    RunThinking,
    RunToolCall,
    RunUsage,
    RunWaiting,
)

if TYPE_CHECKING:
    from services.tool_loop import ToolAnswer, ToolLoop


class RunView(Protocol):
    """Takes the events of the runs as they come, and the last one's result once."""

    def take(self, event: RunEvent) -> None: ...
    def answered(self, result: RunResult, answers: Sequence[ToolAnswer]) -> None:
        """A run's tool calls were answered; another run follows."""

    def finish(self, result: RunResult, loop: ToolLoop) -> None: ...


def make_view(*, json: bool, jsonl: bool) -> RunView:
    """The view that was asked for."""
    if jsonl:
        return EventLines()
    return OneDocument() if json else PlainText()


class OneDocument:
    """Nothing until the end, then the document."""

    def __init__(self) -> None:
        self.rounds: list[documents.Document] = []

    def take(self, event: RunEvent) -> None:
        del event

    def answered(self, result: RunResult, answers: Sequence[ToolAnswer]) -> None:
        self.rounds.append(documents.tool_round(len(self.rounds) + 1, result, answers))

    def finish(self, result: RunResult, loop: ToolLoop) -> None:
        click.echo(json_text(self._document(result, loop)))

    def _document(self, result: RunResult, loop: ToolLoop) -> documents.Document:
        """The last run's, and of a run with tools the rounds before it."""
        document = documents.run(result)
        if loop.tools:
            document["rounds"] = len(self.rounds) + (
                result.run_id not in [one["run_id"] for one in self.rounds]
            )
            document["tool_history"] = self.rounds
            if loop.why:
                document["stopped"] = loop.why
        return document


class EventLines(OneDocument):
    """Each event as one line of JSON; the last one carries the document."""

    def take(self, event: RunEvent) -> None:
        if isinstance(event, RunFinished):
            return
        document = event_document(event)
        if isinstance(event, RunStartedEvent):
            document["round"] = len(self.rounds) + 1
        click.echo(json_line(document))

    def answered(self, result: RunResult, answers: Sequence[ToolAnswer]) -> None:
        super().answered(result, answers)
        for answer in answers:
            told = {"event": "tool_result", "round": len(self.rounds), **documents.tool_answer(answer)}
            click.echo(json_line(told))

    def finish(self, result: RunResult, loop: ToolLoop) -> None:
        click.echo(json_line({"event": "finished", **self._document(result, loop)}))


def event_document(event: RunEvent) -> dict[str, object]:
    """One event of `chat --jsonl`."""
    match event:
        case RunStartedEvent():
            return {
                "event": "started",
                "run_id": event.run_id,
                "model": event.model,
                "max_tokens": event.max_tokens,
                "estimate": estimate_document(event.estimate),
                "note": event.note,
            }
        case RunText(text):
            return {"event": "text", "text": text}
        case RunThinking(text):
            return {"event": "thinking", "text": text}
        case RunToolCall():
            return {
                "event": "tool_call",
                "index": event.index,
                "id": event.id,
                "name": event.name,
                "arguments": event.arguments,
            }
        case RunWaiting(reason, seconds):
            return {"event": "waiting", "reason": reason, "seconds": seconds}
        case RunRetry():
            return {
                "event": "retry",
                "attempt": event.attempt,
                "delay_s": event.delay_s,
                "error": error_document(event.error),
            }
        case RunUsage(usage):
            return {"event": "usage", "usage": documents.usage(usage)}
        case RunFinished(result):
            return {"event": "finished", **documents.run(result)}


class PlainText:
    """The answer on standard output, everything about it on standard error.

    A terminal gets text that cannot steer it; a file or pipe gets the answer exactly as it came.
    """

    def __init__(self) -> None:
        self._to_terminal = sys.stdout.isatty()
        self._errors_to_terminal = sys.stderr.isatty()
        self._held = ""
        """A carriage return at the end of a piece: whether a newline follows shows with the next one."""
        self._last = "\n"
        self._countdown = False
        self._told: str | None = None
        """The last reason for waiting that was written where a countdown cannot be."""
        self._said_run: str | None = None
        """The run whose end was told last."""

    def take(self, event: RunEvent) -> None:
        match event:
            case RunText(text):
                self._clear_countdown()
                self._write(text)
            case RunThinking(text):
                if self._errors_to_terminal and self._to_terminal:
                    self._clear_countdown()
                    click.echo(harmless(text), err=True, nl=False)
            case RunWaiting(reason, seconds):
                self._wait(reason, seconds)
            case RunRetry():  # what follows waits for the reason told here
                self._clear_countdown()
                self._told = event.error.title
                note(
                    f"Attempt {event.attempt} in {event.delay_s:.1f} s: {error_document(event.error)['message']}"
                )
            case RunStartedEvent():
                if event.note:
                    note(event.note)
            case _:
                pass

    def answered(self, result: RunResult, answers: Sequence[ToolAnswer]) -> None:
        self._said(result)
        for answer in answers:
            what = "Mocked error" if answer.failed else "Mocked result"
            note(f"{what} of {answer.name}: {one_line(answer.text, 300)}")
        self._last = "\n"

    def finish(self, result: RunResult, loop: ToolLoop) -> None:
        self._said(result)
        if loop.why:
            note(f"{loop.why} --tool-rounds allows more.")

    def _said(self, result: RunResult) -> None:
        if result.run_id == self._said_run:
            return
        self._said_run = result.run_id
        self._clear_countdown()
        self._write("", last=True)
        for call in result.tool_calls:
            note(f"Tool call: {_call_words(call)}")
        if result.state == "complete" or result.text or result.cost:
            note(_cost_line(result))

    def _wait(self, reason: str, seconds: float) -> None:
        if self._errors_to_terminal:
            click.echo(f"\r{one_line(reason, 60)} {seconds:.0f} s \x1b[K", err=True, nl=False)
            self._countdown = True
        elif reason != self._told:
            note(f"{reason} ({seconds:.0f} s)")
            self._told = reason

    def _clear_countdown(self) -> None:
        if self._countdown:
            click.echo("\r\x1b[K", err=True, nl=False)
            self._countdown = False

    def _write(self, text: str, *, last: bool = False) -> None:
        """Write a piece now. The answer ends with a line end, its own or ours."""
        if self._to_terminal:
            text, self._held = self._held + text, ""
            if text.endswith("\r") and not last:
                text, self._held = text[:-1], "\r"
            text = harmless(text)
        if text:
            self._last = text[-1]
        if last and self._last != "\n":
            text += "\n"
        if text:
            sys.stdout.buffer.write(text.encode("utf-8", "replace"))
            sys.stdout.buffer.flush()


def _call_words(call: ToolCall) -> str:
    return f"{call.name} {call.arguments}"


def _cost_line(result: RunResult) -> str:
    """`openai-prod/gpt-4o · 12 in · 5 out · $0.000080 computed · 0.9 s`."""
    cost = dollars(result.cost, result.grade)
    grade = f" {result.grade}" if result.cost is not None else ""
    used = result.usage
    told = [f"{count(used.input)} in", f"{count(used.output)} out", f"{cost}{grade}"]
    if used.input is None and used.output is None:  # a task: nobody counts its tokens
        told = ["cost unknown" if result.grade == "unknown" else told[-1]]
    parts = [
        result.model,
        *told,
        f"{result.duration_ms / 1000:.1f} s",
    ]
    if result.state != "complete" or result.finish_reason not in ("stop", "tool_calls"):
        parts.insert(1, result.state if result.state != "complete" else str(result.finish_reason))
    if result.attempts and (served := result.attempts[-1].served_by):
        parts.insert(1, f"answered by {served}")
    if result.speed is not None and result.speed.words:
        parts.append(result.speed.words)
    parts += [words for words in (result.told, result.note) if words]
    return " · ".join(parts)
