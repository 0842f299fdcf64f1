"""What a run is asked for, what it tells while it goes on, and what is known when it is over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from adapters.abilities import Task
from adapters.events import FinishReason, Keepsake, Message, ToolCall, ToolSpec
from adapters.speed import Speed
from catalog.errors import SwitchroomError
from catalog.usage import Grade, Usage
from services.estimate import Estimate

RunState = Literal["complete", "interrupted", "cancelled", "failed"]


@dataclass(frozen=True, slots=True)
class RunRequest:
    """One user request. None means: not sent, or the setting's value."""

    model: str
    """A model ref: `provider-slug/model-id`."""
    messages: tuple[Message, ...]
    system: str | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    reasoning_effort: str | None = None
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: str | None = None
    json_schema: Mapping[str, object] | None = None
    """The answer must be JSON of this schema; None: words."""
    stream: bool = True
    task: Task | None = None
    """In the place of messages: a text to translate or a recording; None: a chat."""
    conversation_id: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    caller: str = "cli"
    allow_unpriced: bool = False
    """Send although the price is unknown and a limit is in force."""
    ask_unpriced: bool = False
    """The face asks the user when the price is unknown and then starts the run anew: only the hint differs."""
    retries: int | None = None
    """Attempts after the first; None: the provider's, else the setting."""
    timeout_s: float | None = None
    """Seconds for the whole run, waiting included; None: no end."""
    headless: bool = True
    """Nobody watches: at most 30 s of waiting in all, unless `retries` or `timeout_s` say otherwise."""


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One attempt of a run. `error` is None unless it failed or was interrupted."""

    model: str
    state: RunState
    status: int | None
    request_id: str | None
    retry_after_ms: int | None
    error: SwitchroomError | None
    served_by: str | None = None
    """Who answered, where the vendor passes requests on to others and says to whom."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """A run that is over and settled. Text is exactly as received: make it harmless before a terminal."""

    run_id: str
    model: str
    text: str
    thinking: str | None
    tool_calls: tuple[ToolCall, ...]
    state: RunState
    finish_reason: FinishReason | None
    usage: Usage
    """Of the last attempt; counted here where the vendor did not say and the grade is `estimated`."""
    cost: Decimal | None
    """USD of all attempts together; None where unknown or own hardware (the grade says which)."""
    grade: Grade
    ttft_ms: int | None
    """From the sending of the last attempt to its first content; None when none came."""
    duration_ms: int
    """From the first sending to the end, retries and their waits included."""
    attempts: tuple[AttemptView, ...]
    error: SwitchroomError | None = None
    note: str | None = None
    """What the user should know beside the answer (`max_tokens` lowered, …)."""
    told: str | None = None
    """What the vendor says of why the answer ended (`Refused (cyber): …`); None: nothing."""
    cached: bool = False
    keepsake: Keepsake | None = None
    """What the vendor wants back with this answer when the conversation goes on."""
    answer_ms: int | None = None
    """From the sending of the last attempt to its end, as in the ledger; None when nothing was sent."""
    speed: Speed | None = None
    """How fast the server says the last attempt was; None where it says nothing."""


@dataclass(frozen=True, slots=True)
class RunStartedEvent:
    """The money is set aside and the first attempt begins. `max_tokens` is what is sent; None: not sent."""

    run_id: str
    model: str
    estimate: Estimate
    max_tokens: int | None
    note: str | None


@dataclass(frozen=True, slots=True)
class RunText:
    """A piece of the answer, exactly as received."""

    text: str


@dataclass(frozen=True, slots=True)
class RunThinking:
    """A piece of the reasoning text, exactly as received."""

    text: str


@dataclass(frozen=True, slots=True)
class RunToolCall:
    """A piece of call number `index`: `id` and `name` come with the first piece, `arguments` is appended."""

    index: int
    id: str | None
    name: str | None
    arguments: str


@dataclass(frozen=True, slots=True)
class RunWaiting:
    """The countdown: why nothing happens, and for how many more seconds at most."""

    reason: str
    seconds: float


@dataclass(frozen=True, slots=True)
class RunRetry:
    """Attempt number `attempt` follows in `delay_s` seconds, because the last one ended with `error`."""

    attempt: int
    delay_s: float
    error: SwitchroomError


@dataclass(frozen=True, slots=True)
class RunUsage:
    """The usage so far, as the vendor states it."""

    usage: Usage


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The last event."""

    result: RunResult


RunEvent = (
    RunStartedEvent | RunText | RunThinking | RunToolCall | RunWaiting | RunRetry | RunUsage | RunFinished
)
