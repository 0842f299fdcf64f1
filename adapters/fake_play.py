"""What a script is made of: models, answers, and what goes wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from adapters.events import ToolCall


@dataclass(frozen=True, slots=True)
class FakeModel:
    """A model of a scripted provider. Prices are USD per million tokens; None: the script states none."""

    id: str
    name: str | None = None
    context_window: int | None = 128_000
    max_output: int | None = 16_384
    input_price: Decimal | None = None
    output_price: Decimal | None = None
    cache_read_price: Decimal | None = None
    capabilities: tuple[str, ...] | None = ("tools",)
    chat: bool | None = True
    ttft: float = 0.45
    """Seconds before the first token."""
    pace: float = 70.0
    """Tokens a second; 0: all at once."""
    thinks: bool = False
    """Shows reasoning before the answer."""
    shutdown_date: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said when the last user message matches `pattern` (case-insensitive; empty: always)."""

    text: str
    pattern: str = ""
    thinking: str | None = None
    calls: tuple[ToolCall, ...] = ()
    """Tool calls made instead of finishing, when the request offers tools."""

    def fits(self, prompt: str) -> bool:
        return not self.pattern or re.search(self.pattern, prompt, re.IGNORECASE) is not None


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong. `refuse` answers with an HTTP status and body; the others break the way there."""

    kind: Literal["refuse", "unreachable", "cut", "error_in_stream", "silent"]
    times: int | None = 1
    """How many requests meet it before all is well; None: every one."""
    status: int = 500
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    after: int = 6
    """Pieces that still come before a cut or an error in the stream."""
    model: str | None = None
    """Only requests for this model meet it; None: all."""
    every: int = 1
    """Only each so-manieth of those requests meets it: 9 is the ninth, the eighteenth …"""


@dataclass(frozen=True, slots=True)
class Script:
    """A whole provider."""

    name: str
    models: tuple[FakeModel, ...]
    answers: tuple[Answer, ...]
    faults: tuple[Fault, ...] = ()
    """Met by chat requests, in order."""
    check_faults: tuple[Fault, ...] = ()
    """Met by validation and by the model list."""
    latency: float = 0.12
    """Seconds a validation or a model list takes."""
    states_prices: bool = False
    """The model list names prices, as OpenRouter's does."""
    seed: int = 1


RATE_LIMITED = Fault(
    "refuse",
    status=429,
    body='{"error":{"message":"Rate limit reached for requests","type":"requests","param":null,"code":"rate_limit_exceeded"}}',
    headers={"retry-after-ms": "1500", "x-request-id": "req_demo_429"},
)
INVALID_KEY = Fault(
    "refuse",
    times=None,
    status=401,
    body='{"error":{"message":"Incorrect API key provided.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}',
)
NO_CREDIT = Fault(
    "refuse",
    times=None,
    status=429,
    body='{"error":{"message":"You exceeded your current quota.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}',
)
OVERLOADED = Fault("refuse", status=503, body='{"error":{"message":"The server is overloaded","type":"server_error","code":"server_is_overloaded"}}')  # fmt: skip
UNREACHABLE = Fault("unreachable", times=None)
CUT = Fault("cut")
