"""The three ways a run is drawn on the command line: plain text, one document, one event a line."""

from __future__ import annotations

import sys
from typing import Protocol

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


class RunView(Protocol):
    """Takes a run's events as they come, and its result once."""

    def take(self, event: RunEvent) -> None: ...
    def finish(self, result: RunResult) -> None: ...


def make_view(*, json: bool, jsonl: bool) -> RunView:
    """The view that was asked for."""
    if jsonl:
        return EventLines()
    return OneDocument() if json else PlainText()


class OneDocument:
    """Nothing until the end, then the document."""

    def take(self, event: RunEvent) -> None:
        del event

    def finish(self, result: RunResult) -> None:
        click.echo(json_text(documents.run(result)))


class EventLines:
    """Each event as one line of JSON; the last one carries the document."""

    def take(self, event: RunEvent) -> None:
        if not isinstance(event, RunFinished):
            click.echo(json_line(event_document(event)))

    def finish(self, result: RunResult) -> None:
        click.echo(json_line({"event": "finished", **documents.run(result)}))


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

    def finish(self, result: RunResult) -> None:
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
    parts = [
        result.model,
        f"{count(result.usage.input)} in",
        f"{count(result.usage.output)} out",
        f"{cost}{grade}",
        f"{result.duration_ms / 1000:.1f} s",
    ]
    if result.state != "complete" or result.finish_reason not in ("stop", "tool_calls"):
        parts.insert(1, result.state if result.state != "complete" else str(result.finish_reason))
    if result.note:
        parts.append(result.note)
    return " · ".join(parts)
