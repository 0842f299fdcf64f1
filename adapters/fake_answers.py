"""What the scripted providers say: Markdown with code, tables, other scripts, a link, tool calls."""

from __future__ import annotations

from adapters.events import ToolCall
from adapters.fake_play import Answer

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

_LANGUAGES = """Oczywiście: *zażółć gęślą jaźń* — every Polish diacritic in three words.

日本語もそのまま表示されます。幅の広い文字も、列がずれません。 And a flag or two: 🇵🇱 🇯🇵, a family 👨‍👩‍👧, and a check ✅.

Markup such as `[red]this[/red]` stays text.
"""

_WEATHER = """In Kraków it is **4 °C** with light rain until about 16:00, then dry. Take a coat, and the early tram."""

_WEATHERS = """**Kraków** is cold and wet (**4 °C**), **Gdańsk** has wind from the sea (**7 °C**, dry). Pack for the rain."""

_TICKET = """**Category:** billing · **Urgency:** normal · **Mood:** patient

The customer was charged twice for the same order on 3 November. Both payments are visible in the export.

1. Refund the second payment.
2. Reply with the reference, and the date by which the money arrives.
"""

_SUMMARY = """Three things changed, and one of them needs a decision.

| change | risk | who |
|---|---|---|
| retries wait for the vendor's own header | low | platform |
| prompts are cached for five minutes | low | platform |
| the large model answers planning only | **medium** | product |

The last one saves about 31 % of the month, as the [pricing notes](https://example.org/notes/pricing) show. What remains
open is who reads the answers that the small model marks as unsure.
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
        r"weather.*(kraków.*gdańsk|gdańsk.*kraków)",
        thinking="Two cities: I can ask for both at once.",
        calls=(
            ToolCall("call_weather_1", "get_weather", '{"city": "Kraków", "unit": "celsius"}'),
            ToolCall("call_weather_2", "get_weather", '{"city": "Gdańsk", "unit": "celsius"}'),
        ),
    ),
    Answer(_WEATHERS, r"weather.*(kraków.*gdańsk|gdańsk.*kraków)"),
    Answer(
        "",
        r"weather|tool|call",
        calls=(ToolCall("call_weather_1", "get_weather", '{"city": "Kraków", "unit": "celsius"}'),),
    ),
    Answer(_WEATHER, r"weather"),
    Answer(_TICKET, r"ticket|triage|customer"),
    Answer(_SUMMARY, r"summar|review|release|notes|link"),
    Answer(_PROSE, thinking=_THINKING),
)
