"""What goes to an adapter and what comes out of it: requests, messages and stream events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from adapters.errors import ProviderError
from catalog.usage import Usage

Role = Literal["system", "user", "assistant", "tool"]
FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "budget", "error"]
StreamState = Literal["open", "complete", "interrupted", "cancelled", "failed"]
"""`interrupted`: the connection ended before the vendor's terminal marker. `failed`: the vendor sent an error."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image of a message."""

    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A finished call: `arguments` is the JSON text as the model wrote it (`{}` for none), not parsed."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Keepsake:
    """What a vendor wants back unchanged with an answer of its own: signed reasoning, the order of its blocks.

    A dialect gives it out at most once, as an event before Finished, and only for answers with something to keep.
    Whoever stores it does not look into it; a dialect that gets another's keepsake back does not use it.
    """

    dialect: str
    model: str
    content: str
    """JSON text, of the dialect's own making."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    text: str
    images: tuple[Image, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    """For role `tool`: the call this answers."""
    thinking: str | None = None
    """Reasoning text of an assistant turn, for the vendors that want it back."""
    keepsake: Keepsake | None = None
    """What the vendor of this assistant turn wants back with it."""
    is_error: bool = False
    """For role `tool`: the function failed, and the text says how."""


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A function the model may call; `parameters` is a JSON schema."""

    name: str
    description: str
    parameters: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One request to one model. None means: not sent, the vendor's default."""

    model: str
    messages: tuple[Message, ...]
    system: str | None = None
    max_tokens: int | None = None
    longest_output: int | None = None
    """The longest answer this model can give, as far as is known: for vendors that must be told a limit."""
    temperature: float | None = None
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    reasoning_effort: str | None = None
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: str | None = None
    """`auto`, `none`, `required`, or the name of a tool."""
    json_output: bool = False
    json_schema: Mapping[str, object] | None = None
    """The answer must be JSON of this schema; goes before `json_output`."""
    stream: bool = True
    """False asks for a plain response, delivered as the same events."""


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the answer, exactly as received."""

    text: str


@dataclass(frozen=True, slots=True)
class ThinkingDelta:
    """A piece of the reasoning text."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of call number `index`: `id` and `name` come with the first piece, `arguments` is appended."""

    index: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class UsageUpdate:
    """The usage so far: cumulative, later reports replace earlier ones bucket by bucket."""

    usage: Usage


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event of every stream that was not cancelled."""

    state: Literal["complete", "interrupted", "failed"]
    finish_reason: FinishReason | None
    """None when the stream was interrupted."""
    raw_finish_reason: str | None = None
    """The vendor's own word."""
    error: ProviderError | None = None
    """Why it failed or was interrupted."""


Event = TextDelta | ThinkingDelta | ToolCallDelta | Keepsake | UsageUpdate | Finished
