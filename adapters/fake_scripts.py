"""What the scripted provider plays: frozen scripts of models, answers and faults, by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

from adapters.events import ToolCall
from catalog.errors import UsageError
from catalog.plaintext import one_line


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

_CODE = '''Here is a small function that does it:

```python
from decimal import Decimal


def cost(tokens_in: int, tokens_out: int, price_in: Decimal, price_out: Decimal) -> Decimal:
    """USD for one request; prices are per million tokens."""
    return (tokens_in * price_in + tokens_out * price_out) / 1_000_000
```

**Why `Decimal`?** Prices such as `0.15` have no exact binary form, and a ledger adds thousands of them.

1. Multiply each side by its own price.
2. Divide once, at the end.
3. Round only when you show it.
'''

_TABLE = """Both do the job; they differ in what you pay for.

| | small model | large model |
|---|---|---|
| first token | 0.3 s | 0.9 s |
| price per million, in / out | $0.15 / $0.60 | $2.50 / $10.00 |
| long documents | needs chunking | up to 128k tokens |
| best at | routing, extraction | planning, review |

For a batch of *10,000* short tickets the small one costs about **$0.90**, the large one about **$15**. Start small,
and send only what it marks as unsure to the large one.
"""

_PROSE = """A control room is where many machines become one picture. The point is not to see everything, but to see
what *changed*: which provider slowed down, which key expires, which answer cost ten times the usual.

> An unknown cost is not a zero. It is a question.

Three habits help:

- look at the estimate **before** sending,
- set a limit that holds while you sleep,
- keep one local model at hand for the day the network is gone.
"""

_LANGUAGES = """Oczywiście: *zażółć gęślą jaźń* — every Polish diacritic in four words.

日本語もそのまま表示されます。幅の広い文字も、列がずれません。 And a flag or two: 🇵🇱 🇯🇵, a family 👨‍👩‍👧, and a check ✅.

Markup such as `[red]this[/red]` stays text.
"""

_THINKING = (
    "The user wants a short, practical answer. I should name the trade-off first, then give one concrete example "
    "with numbers, and avoid hedging. A table would show it fastest."
)

ANSWERS = (
    Answer(
        _CODE,
        r"code|python|function|program|kod",
        thinking="A small pure function is enough. Decimal, not float.",
    ),
    Answer(_TABLE, r"compar|table|versus|vs\b|which model|price|cost|cheap", thinking=_THINKING),
    Answer(_LANGUAGES, r"polish|japan|unicode|język|polsku|emoji|日本"),
    Answer(
        "",
        r"weather|tool|call",
        calls=(ToolCall("call_weather_1", "get_weather", '{"city": "Kraków", "unit": "celsius"}'),),
    ),
    Answer(_PROSE, thinking=_THINKING),
)

_USD = Decimal
SCRIPTS: Mapping[str, Script] = MappingProxyType(
    {
        script.name: script
        for script in (
            Script(
                "demo-openai",
                (
                    FakeModel("gpt-6.1-sol", "GPT-6.1 Sol", 1_050_000, 128_000, _USD("2"), _USD("10"), _USD("0.10"), ("json", "reasoning", "tools", "vision"), ttft=0.6, pace=85),
                    FakeModel("gpt-6-luna", "GPT-6 Luna", 1_050_000, 128_000, _USD("0.10"), _USD("0.50"), _USD("0.01"), ("json", "reasoning", "tools", "vision"), ttft=0.35, pace=120),
                    FakeModel("gpt-5.4-mini", "GPT-5.4 mini", 400_000, 128_000, _USD("0.75"), _USD("4.50"), _USD("0.075"), ("json", "reasoning", "tools", "vision"), ttft=1.2, pace=95, thinks=True),
                    FakeModel("text-embedding-3-small", None, 8_191, None, _USD("0.02"), _USD("0"), None, ("embeddings",), chat=False),
                ),
                ANSWERS,
                faults=(),
                seed=11,
            ),
            Script(
                "demo-anthropic-ish",
                (
                    FakeModel("claude-sonnet-5-5", "Claude Sonnet 5.5", 1_000_000, 128_000, _USD("2"), _USD("10"), _USD("0.10"), ("json", "reasoning", "tools", "vision"), ttft=0.8, pace=75, thinks=True),
                    FakeModel("claude-opus-5-5", "Claude Opus 5.5", 1_000_000, 128_000, _USD("4"), _USD("20"), _USD("0.20"), ("json", "reasoning", "tools", "vision"), ttft=1.1, pace=55, thinks=True),
                    FakeModel("claude-haiku-4-5", "Claude Haiku 4.5", 200_000, 64_000, _USD("1"), _USD("5"), _USD("0.10"), ("json", "reasoning", "tools", "vision"), ttft=0.4, pace=140),
                ),
                ANSWERS,
                faults=(RATE_LIMITED,),
                seed=23,
            ),
            Script(
                "demo-local",
                (
                    FakeModel("qwen3:8b", "Qwen3 8B", 40_960, None, capabilities=("reasoning", "tools"), ttft=0.25, pace=38, thinks=True),
                    FakeModel("llama3.2:3b", "Llama 3.2 3B", 131_072, None, capabilities=("tools",), ttft=0.15, pace=62),
                    FakeModel("nomic-embed-text", None, 8_192, None, capabilities=("embeddings",), chat=False),
                ),
                ANSWERS,
                latency=0.01,
                seed=37,
            ),
            Script("plain", (FakeModel("plain-1", ttft=0, pace=0),), (Answer("Hello from the script."),), latency=0),
            Script("invalid-key", (FakeModel("plain-1", ttft=0, pace=0),), ANSWERS, (INVALID_KEY,), (INVALID_KEY,), latency=0),
            Script("no-credit", (FakeModel("plain-1", ttft=0, pace=0),), ANSWERS, (NO_CREDIT,), latency=0),
            Script("unreachable", (FakeModel("plain-1", ttft=0, pace=0),), ANSWERS, (UNREACHABLE,), (UNREACHABLE,), latency=0),
            Script("limited-once", (FakeModel("plain-1", ttft=0, pace=0),), (Answer("Hello after a wait."),), (RATE_LIMITED,), latency=0),
            Script("overloaded-once", (FakeModel("plain-1", ttft=0, pace=0),), (Answer("Hello after a rest."),), (OVERLOADED,), latency=0),
            Script("cut", (FakeModel("plain-1", ttft=0, pace=0),), ANSWERS, (CUT,), latency=0),
        )
    }
)  # fmt: skip
"""The named scripts: three for the demo, the rest one fault each."""


def script(name: str) -> Script:
    """A script by name. Raises UsageError for one that does not exist."""
    if name not in SCRIPTS:
        raise UsageError(
            f"There is no script {one_line(name, 40)}.", hint=f"There are: {', '.join(SCRIPTS)}."
        )
    return SCRIPTS[name]
