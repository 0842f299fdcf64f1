"""One attempt of a run: what has come so far, and what it used and cost when it is over."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal

from adapters.base import Stream
from adapters.errors import ProviderError, ProviderTimeoutError, StreamInterruptedError
from adapters.events import (
    Event,
    Finished,
    FinishReason,
    Keepsake,
    TextDelta,
    ThinkingDelta,
    ToolCall,
    ToolCallDelta,
    UsageUpdate,
)
from adapters.speed import Speed, speed_of
from catalog.errors import SwitchroomError
from catalog.money import to_nanos
from catalog.plaintext import one_line
from catalog.redact import redact
from catalog.usage import Grade, Usage
from services.estimate import Prepared
from services.ratios import weigh
from services.retry import DeadlineError
from services.run_events import AttemptView, RunState
from services.tariff import Tariff

PACKED_SHARE = 0.6
"""Where a vendor packs several tokens into a piece: the share of the counted tokens that were surely sent."""
SLACK_TOKENS = 8
MOST_BYTES = 32 << 20
"""UTF-8 bytes of one answer: what goes on beyond them is no answer, and would fill the memory."""


@dataclass(slots=True)
class _Call:
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Attempt:
    """One request to the vendor. Times: `at` in UTC ms, the others in seconds of a monotonic clock."""

    number: int
    at: int
    started: float
    first: float | None = None
    """When the first content came; None: none came."""
    ended: float | None = None
    state: RunState | None = None
    """None while it goes on."""
    finish_reason: FinishReason | None = None
    error: SwitchroomError | None = None
    usage: Usage = field(default_factory=Usage)
    """As the vendor states it."""
    status: int | None = None
    request_id: str | None = None
    served_by: str | None = None
    """Who answered, where the vendor passes requests on: `x-ai/grok-4 at xAI`."""
    served_model: str | None = None
    """The model that answered, as the vendor calls it."""
    speed: Speed | None = None
    """How fast the server says it was."""
    text: list[str] = field(default_factory=list)
    thinking: list[str] = field(default_factory=list)
    calls: dict[int, _Call] = field(default_factory=dict)
    keepsake: Keepsake | None = None
    told: str | None = None
    """What the vendor says of why it ended, where it says more than a word."""
    weight: int = 0
    """UTF-8 bytes of all content."""
    pieces: int = 0

    @property
    def has_content(self) -> bool:
        return self.first is not None

    def take(self, event: Event, now: float) -> None:
        """Take one event of the stream."""
        match event:
            case TextDelta(text):
                self.text.append(text)
                self._content(weigh(text), now)
            case ThinkingDelta(text):
                self.thinking.append(text)
                self._content(weigh(text), now)
            case ToolCallDelta(index, call_id, name, arguments):
                call = self.calls.setdefault(index, _Call())
                call.id, call.name = call_id or call.id, name or call.name
                call.arguments.append(arguments)
                self._content(weigh(arguments) + weigh(name or ""), now)
            case Keepsake():
                self.keepsake = event
            case UsageUpdate(usage):
                self.usage = self.usage.updated(usage)
            case Finished(state, reason):
                self.state, self.finish_reason, self.error = state, reason, event.error

    def _content(self, weight: int, now: float) -> None:
        if not weight:
            return
        if self.first is None:
            self.first = now
        self.weight += weight
        self.pieces += 1

    def surely_sent(self, bytes_per_token: float) -> float:
        """Output tokens that must have been sent by now, on the careful side.

        A piece is at least one token, except where a gateway splits them into letters: hence the lesser of both counts.
        """
        counted = self.weight / bytes_per_token
        return max(min(self.pieces, counted), PACKED_SHARE * counted)

    def read_stream(self, stream: Stream) -> None:
        """Take over what the stream itself knows."""
        self.status, self.request_id = stream.status, stream.request_id
        self.served_by, self.served_model = served_words(stream), _masked(stream.served_model)
        self.speed = speed_of(stream)
        self.told = getattr(stream, "told", None)
        self.usage = self.usage.updated(stream.usage)

    def end(
        self, state: RunState, *, error: SwitchroomError | None = None, reason: FinishReason | None = None
    ) -> None:
        """It is over, by our own decision or by an error."""
        self.state, self.finish_reason = state, reason
        self.error = error
        if error is not None:
            _let_go(error)
            self.status = error.status or self.status
        if isinstance(error, ProviderError):
            self.request_id = error.request_id or self.request_id

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls in order, each with an id of its own: a missing one, or one that came twice, is made from the
        position. An empty argument text is `{}`."""
        found: dict[str, ToolCall] = {}
        for index, call in sorted(self.calls.items()):
            key = call.id or f"call_{index}"
            while key in found:
                key = f"{key}_{index}"
            found[key] = ToolCall(key, call.name, "".join(call.arguments) or "{}")
        return tuple(found.values())

    def view(self, model: str) -> AttemptView:
        """The attempt as the result lists it."""
        wait = self.error.retry_after_ms if isinstance(self.error, ProviderError) else None
        served = self.served_by
        if served is not None:  # the model that was asked goes without saying
            name, _, host = served.rpartition(" at ")
            served = host if name and model.endswith(f"/{name}") else served
        state = self.state or "failed"
        return AttemptView(model, state, self.status, self.request_id, wait, self.error, served)


def _let_go(error: BaseException) -> None:
    """Forget where an error came from: frames and causes hold the whole request, images and all, as long as it lives."""
    error.__traceback__ = error.__cause__ = error.__context__ = None


def served_words(stream: Stream) -> str | None:
    """Who answered; None where the vendor itself did, or does not say."""
    host = getattr(stream, "served_by", None)
    if host is None:
        return None
    return _masked(f"{stream.served_model} at {host}" if stream.served_model else str(host))


def _masked(said: str | None) -> str | None:
    """A name as a server gave it, where it may have thrown a secret back."""
    return None if said is None else one_line(redact(said), 200)


_ABSURD = Decimal(1_000_000)
"""USD for one attempt: more is a broken statement of cost or of tokens, and sums of it would not fit the ledger."""


@dataclass(frozen=True, slots=True)
class Bill:
    """What one attempt used and cost. `cost` is USD; None where the grade is `unknown` or `own`."""

    usage: Usage
    cost: Decimal | None
    grade: Grade
    tariff: Tariff
    """What it was reckoned by: another model's where that one answered."""

    @property
    def nanos(self) -> int | None:
        return None if self.cost is None else to_nanos(self.cost)


def bill(attempt: Attempt, prepared: Prepared, max_output: int | None) -> Bill:
    """The bill of an attempt that is over: as reported, else computed, else estimated, else unknown.

    `max_output` is the limit that was sent with it; None: none was.
    """
    usage, counted_here = _filled(attempt, prepared, max_output)
    tariff = prepared.tariff_of(attempt.served_model)
    if tariff.own:
        return Bill(usage, None, "own", tariff)
    if usage.reported_cost is not None and usage.reported_cost <= _ABSURD:
        return Bill(usage, usage.reported_cost, "reported", tariff)
    if usage.input == 0 and usage.output == 0:
        return Bill(usage, Decimal(0), "computed", tariff)  # refused before it began: free at any price
    cost = tariff.cost(usage, datetime.fromtimestamp(attempt.at / 1000, UTC))
    if cost is None or cost > _ABSURD:
        return Bill(usage, None, "unknown", tariff)
    return Bill(usage, cost, "estimated" if counted_here else "computed", tariff)


def _filled(attempt: Attempt, prepared: Prepared, max_output: int | None) -> tuple[Usage, bool]:
    """The usage with what the vendor did not say counted here, and whether anything was."""
    usage = attempt.usage
    if attempt.state == "complete" and usage.known and attempt.finish_reason != "budget":
        return usage, False
    if not attempt.has_content and usage.input is None and not _may_be_billed(attempt):
        return replace(usage, input=0, output=0), False
    if not prepared.by_tokens:
        return usage, False
    output = prepared.habit.tokens(attempt.weight)
    if max_output is not None:
        output = min(output, max_output)
    if usage.known and usage.output is not None and usage.output >= output:
        return usage, False  # the vendor counts as it goes, and is ahead of us
    stated_input = usage.input is not None
    filled = replace(
        usage,
        input=usage.input if stated_input else prepared.estimate.input_tokens,
        output=max(output, usage.output or 0),
    )
    return filled, True


def _may_be_billed(attempt: Attempt) -> bool:
    """True when the vendor may have begun to work: silence after sending, or a stop by us before it refused."""
    if attempt.state in ("complete", "cancelled"):
        return attempt.status is None or attempt.status < 400
    return isinstance(attempt.error, ProviderTimeoutError | StreamInterruptedError | DeadlineError)
