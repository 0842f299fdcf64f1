"""What a stream said, put together: what the adapters' tests look at."""

from __future__ import annotations

from dataclasses import dataclass, field

from adapters.events import (
    Event,
    Finished,
    Keepsake,
    TextDelta,
    ThinkingDelta,
    ToolCall,
    ToolCallDelta,
    UsageUpdate,
)
from catalog.usage import Usage


@dataclass(slots=True)
class Collected:
    """A stream's events put together: the text, the reasoning, the calls and the usage so far."""

    text: list[str] = field(default_factory=list)
    thinking: list[str] = field(default_factory=list)
    calls: dict[int, tuple[str, str, list[str]]] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    keepsake: Keepsake | None = None
    finished: Finished | None = None

    def add(self, event: Event) -> None:
        """Take one event."""
        match event:
            case TextDelta(text):
                self.text.append(text)
            case ThinkingDelta(text):
                self.thinking.append(text)
            case ToolCallDelta(index, call_id, name, arguments):
                old_id, old_name, pieces = self.calls.get(index, ("", "", []))
                self.calls[index] = (call_id or old_id, name or old_name, [*pieces, arguments])
            case UsageUpdate(usage):
                self.usage = self.usage.updated(usage)
            case Keepsake():
                assert self.keepsake is None, "at most one"
                self.keepsake = event
            case Finished():
                self.finished = event

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls in order; an empty argument text is `{}`, a missing id is made from the position."""
        return tuple(
            ToolCall(call_id or f"call_{index}", name, "".join(pieces) or "{}")
            for index, (call_id, name, pieces) in sorted(self.calls.items())
        )
