"""The lines of an Ollama answer as events: text, reasoning, tool calls, counts, and errors that come under status 200."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic_core import from_json

from adapters.counts import count
from adapters.errors import Origin, UnexpectedResponseError
from adapters.events import Event, TextDelta, ThinkingDelta, UsageUpdate
from adapters.finish import failed, finish_reason
from adapters.openai.tools import ToolCalls
from adapters.reading import Reading, tells_why
from adapters.speed import ollama_speed
from catalog.plaintext import one_line
from catalog.usage import Usage


class OllamaReader(Reading):
    """Implements adapters.http_stream.Reader for one answer of /api/chat (and of /api/generate, which has its text
    beside the message)."""

    FORM = "that is not an Ollama chat"

    def __init__(self, origin: Origin) -> None:
        super().__init__(origin)
        self._calls = ToolCalls()
        self._plain = False
        """Text can be passed on as it is: nothing is held back."""

    def frame(self, name: str, data: bytes) -> Sequence[Event]:
        """The events of one line. The first lines are the way of nearly every one; the rest is in `_line`."""
        try:
            line = from_json(data)
        except ValueError:
            return self._odd(name, data)
        try:
            message = line["message"]
            text = message["content"]
            if (
                self._plain
                and text.__class__ is str
                and text
                and line["done"] is False
                and len(message) == 2
                and "error" not in line
            ):
                return (TextDelta(text),)
        except (KeyError, TypeError):
            pass
        return self._chunk(name, line)

    def whole(self, body: object) -> Sequence[Event]:
        """An answer that came as one document, or the error it holds."""
        events = list(self._chunk("", body))
        if self.error is not None:
            raise self.error
        if not isinstance(body, dict) or not ({"message", "response", "done"} & body.keys()):
            raise self._refused(body)
        events += self.close()
        if not self.ended:
            raise UnexpectedResponseError(
                f"{self._origin.slug} sent an answer that is not finished.",
                provider=self._origin.slug,
                status=200,
            )
        return events

    def _chunk(self, name: str, chunk: object) -> Sequence[Event]:  # noqa: ARG002  lines have no names
        if not isinstance(chunk, dict):
            return ()
        line = chunk
        events: list[Event] = []
        self._serve(line.get("model"))
        message = line.get("message")
        if isinstance(message, dict):
            self._say(message.get("thinking"), message.get("content"), events)
            events += self._calls.read({"tool_calls": message.get("tool_calls")})
        else:
            self._say(line.get("thinking"), line.get("response"), events)
        answers = isinstance(message, dict) or "response" in line or "done" in line
        if line.get("error") or (not answers and tells_why(line)):
            self._fail(line)
        elif line.get("done") is True:
            self._end(line, events)
        self._plain = not self._text.held
        return events

    def _say(self, thought: object, text: object, events: list[Event]) -> None:
        if isinstance(thought, str) and thought and (whole := self._thinking.feed(thought)):
            events.append(ThinkingDelta(whole))
        if isinstance(text, str) and text and (whole := self._text.feed(text)):
            events.append(TextDelta(whole))

    def _end(self, line: dict[object, object], events: list[Event]) -> None:
        """The last line: why it stopped, and what it counted. A count that is not there is unknown, not zero."""
        usage = Usage(input=count(line, "prompt_eval_count"), output=count(line, "eval_count"))
        if usage != Usage():
            self.usage = self.usage.updated(usage)
            events.append(UsageUpdate(self.usage))
        self.speed = ollama_speed(line)
        reason = line.get("done_reason")
        self.raw_finish_reason = one_line(reason, 60) if isinstance(reason, str) and reason else None
        self.done = True
        if failed(self.raw_finish_reason):
            self._stopped("before the answer was complete")
            return
        self.ended = True
        # `load`: nothing was asked, the model was only loaded
        raw = None if self.raw_finish_reason == "load" else self.raw_finish_reason
        self.finish_reason = finish_reason(raw, tools=self._calls.seen)
