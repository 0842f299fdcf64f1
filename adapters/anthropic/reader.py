"""Events and whole answers of this dialect into ours, block by block, whatever order a server sends them in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pydantic_core import from_json

from adapters.anthropic.blocks import Block, Blocks
from adapters.anthropic.usage import Counted
from adapters.errors import Origin
from adapters.errors.mapping import excerpt
from adapters.events import Event, TextDelta, ThinkingDelta, ToolCallDelta, UsageUpdate
from adapters.finish import failed, finish_reason
from adapters.reading import Reading
from adapters.text import mend
from catalog.plaintext import one_line

PAUSE = "pause_turn"
"""The vendor's word for an answer that goes on when it is sent back."""


class MessageReader(Reading):
    """Implements adapters.http_stream.Reader for one answer, or for one leg of it: `before` is the leg before."""

    FORM = "that is not a message"

    def __init__(self, origin: Origin, before: MessageReader | None = None) -> None:
        super().__init__(origin)
        if before is not None:
            self.usage, self.served_model = before.usage, before.served_model
        self.told: str | None = None
        """What the vendor says of a refusal, in its own words."""
        self.blocks: Blocks = Blocks(before.blocks if before is not None else None)
        self._counted = Counted(self.usage)
        self._begun = False
        self._kinds: dict[str, Callable[[Mapping[str, object]], list[Event]]] = {
            "message_start": self._start,
            "content_block_start": self._block,
            "content_block_delta": self._delta,
            "content_block_stop": self._block_stop,
            "message_delta": self._message_delta,
            "message_stop": self._stop,
            "error": self._error,
        }

    @property
    def paused(self) -> bool:
        """The vendor wants the answer so far sent back to go on with it."""
        return self.ended and self.raw_finish_reason == PAUSE

    def frame(self, name: str, data: bytes) -> Sequence[Event]:
        """The events of one frame. The first lines are the way of nearly every chunk."""
        try:
            event = from_json(data)
        except ValueError:
            return self._odd(name, data)
        try:
            delta = event["delta"]
            if delta["type"] == "text_delta":
                text = delta["text"]
                block = self.blocks.open[event["index"]]
                if text.__class__ is str and text and not self._text.held and block.said:
                    block.pieces.append(text)
                    return (TextDelta(text),)
        except (KeyError, TypeError):
            pass
        return self._chunk(name, event)

    def whole(self, body: object) -> Sequence[Event]:
        """An answer that came as one document, or the error it holds."""
        if not isinstance(body, dict) or body.get("error") or not isinstance(body.get("content"), list):
            raise self._refused(body)
        events = self._start({"message": body})
        for index, block in enumerate(body["content"]):
            events += self._block({"index": index, "content_block": block})
            events += self._block_stop({"index": index})
        events += self.close()
        events += self._message_delta({"delta": body})
        events += self._stop({})
        if self.error is not None:
            raise self.error
        return events

    def _chunk(self, name: str, chunk: object) -> Sequence[Event]:
        if not isinstance(chunk, dict):
            return self._error({"error": str(chunk)[:500]}) if name == "error" else ()
        event: Mapping[str, object] = chunk
        kind = event.get("type")
        kind = kind if isinstance(kind, str) else name
        if event.get("error") and kind not in self._kinds:
            kind = "error"
        read = self._kinds.get(kind)
        return read(event) if read is not None else ()

    def _start(self, event: Mapping[str, object]) -> list[Event]:
        message = event.get("message")
        if not isinstance(message, dict):
            return []
        self._begun = True
        self._serve(message.get("model"))
        return self._count(message.get("usage"))

    def _block(self, event: Mapping[str, object]) -> list[Event]:
        given = event.get("content_block")
        if not isinstance(given, dict):
            return []
        block = self.blocks.start(event.get("index"), given)
        if block.call is not None:
            name = one_line(str(given.get("name") or ""), 256)
            return [
                ToolCallDelta(block.call, one_line(str(given.get("id") or ""), 256) or None, name or None)
            ]
        events: list[Event] = []
        if block.kind == "text":
            self._say(block, given.get("text"), events)
        elif block.kind == "thinking":
            self._think(block, given.get("thinking"), events)
        return events

    def _delta(self, event: Mapping[str, object]) -> list[Event]:
        delta = event.get("delta")
        if not isinstance(delta, dict):
            return []
        kind = str(delta.get("type"))
        block = self.blocks.at(event.get("index"), kind)
        events: list[Event] = []
        if kind == "text_delta":
            self._say(block, delta.get("text"), events)
        elif kind == "thinking_delta":
            self._think(block, delta.get("thinking"), events)
        elif kind == "input_json_delta":
            piece = delta.get("partial_json")
            if isinstance(piece, str) and piece:
                block.pieces.append(piece)
                if block.call is not None:
                    events.append(ToolCallDelta(block.call, arguments=mend(piece)))
        else:
            block.add(delta)
        return events

    def _say(self, block: Block, text: object, events: list[Event]) -> None:
        if isinstance(text, str) and text:
            block.pieces.append(text)
            whole = self._text.feed(text)
            if whole:
                events.append(TextDelta(whole))

    def _think(self, block: Block, text: object, events: list[Event]) -> None:
        if isinstance(text, str) and text:
            block.pieces.append(text)
            whole = self._thinking.feed(text)
            if whole:
                events.append(ThinkingDelta(whole))

    def _block_stop(self, event: Mapping[str, object]) -> list[Event]:
        block = self.blocks.close(event.get("index"))
        whole = block.whole_input() if block is not None else None
        if block is None or block.call is None or whole is None:
            return []
        return [ToolCallDelta(block.call, arguments=whole)]

    def _message_delta(self, event: Mapping[str, object]) -> list[Event]:
        delta = event.get("delta")
        reason = delta.get("stop_reason") if isinstance(delta, dict) else None
        if isinstance(reason, str) and reason:
            self._begun = True
            self.raw_finish_reason = one_line(reason, 60)
            self.told = _refusal(delta.get("stop_details")) if isinstance(delta, dict) else None
        return self._count(event.get("usage"))

    def _stop(self, _event: Mapping[str, object]) -> list[Event]:
        if not self._begun:
            return []
        self.done = True
        if failed(self.raw_finish_reason):
            self._stopped()
            return []
        self.ended = True
        if self.paused:  # as far as we went with it
            self.finish_reason = "length"
            return []
        self.finish_reason = finish_reason(self.raw_finish_reason, tools=self.blocks.calls > 0)
        kept = self.blocks.keepsake(self._origin.model or "")
        return [kept] if kept is not None else []

    def _error(self, event: Mapping[str, object]) -> list[Event]:
        self._fail(dict(event))
        return []

    def _count(self, report: object) -> list[Event]:
        usage = self._counted.read(report)
        if usage is None:
            return []
        self.usage = usage
        return [UsageUpdate(usage)]


def _refusal(details: object) -> str | None:
    """`Refused (cyber): This request …`; None where nothing is told."""
    if not isinstance(details, dict):
        return None
    category, words = details.get("category"), details.get("explanation")
    kind = f" ({one_line(category, 40).replace('_', ' ')})" if isinstance(category, str) and category else ""
    said = f": {excerpt(words)}" if isinstance(words, str) and words.strip() else ""
    return f"Refused{kind}{said}" if kind or said else None
