"""What is known of a model's way with tokens: how much text makes one, how sure that is, how long answers get."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from adapters.events import Message, ToolSpec
from services.clock import DAY_MS, now_ms
from store.db import Database, Tx
from store.ratios import Ratios
from store.rollups import Rollups

START_BYTES_PER_TOKEN = 4.0
"""UTF-8 bytes, not characters: 4 for plain English, and Cyrillic (2 bytes a letter), Japanese or Chinese (3) and
emoji (4) get about the number of tokens that they take."""
START_BAND = 0.5
"""Relative error taken for possible until a model's own ratio is learned: Polish or JSON takes half as much again."""
SMALLEST_BAND = 0.05
LEARNED_AFTER = 3
"""Reports of a model before its own error is believed."""
MESSAGE_TOKENS = 4
"""What a chat template puts around each message."""
IMAGE_TOKENS = 1_100
"""One image of common size; vendors charge 258 to 1,600."""
LEAST_LEARNED_BYTES = 40
"""A shorter prompt says more about the chat template than about the text."""
HISTORY_MS = 30 * DAY_MS
"""Answers of the last 30 days tell the likely length."""


@dataclass(frozen=True, slots=True)
class TokenHabit:
    """One model's way with tokens."""

    bytes_per_token: float = START_BYTES_PER_TOKEN
    band: float = START_BAND
    """Relative error of an input estimate."""
    likely_output: int | None = None
    """Tokens of its usual answer; None: it never answered here."""

    def tokens(self, weight: int) -> int:
        """Tokens in text of this weight."""
        return math.ceil(weight / self.bytes_per_token)


UNLEARNED = TokenHabit()


@dataclass(frozen=True, slots=True)
class PromptSize:
    """What a prompt consists of. `weight` is in UTF-8 bytes of everything written."""

    weight: int
    messages: int = 1
    images: int = 0

    def tokens(self, habit: TokenHabit) -> int:
        """The input tokens it makes."""
        return habit.tokens(self.weight) + self.messages * MESSAGE_TOKENS + self.images * IMAGE_TOKENS


def weigh(text: str) -> int:
    """The weight of a text: its length in UTF-8 bytes."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def prompt_size(
    messages: Iterable[Message],
    system: str | None,
    tools: Iterable[ToolSpec],
    schema: Mapping[str, object] | None = None,
) -> PromptSize:
    """The size of a whole request; vendors count the schema of a wanted answer as part of the prompt."""
    weight = weigh(system) if system else 0
    count = 1 if system else 0
    images = 0
    for message in messages:
        weight += weigh(message.text)
        weight += sum(weigh(call.name) + weigh(call.arguments) for call in message.tool_calls)
        images += len(message.images)
        count += 1
    if schema is not None:
        weight += weigh(json.dumps(dict(schema)))
    for tool in tools:
        weight += weigh(tool.name) + weigh(tool.description) + weigh(json.dumps(dict(tool.parameters)))
        count += 1
    return PromptSize(weight, count, images)


class TokenHabits:
    """Every model's habit, read once and kept in memory until a report changes it."""

    def __init__(self, db: Database) -> None:
        self._ratios = Ratios(db)
        self._rollups = Rollups(db)
        self._known: dict[tuple[str, str], TokenHabit] = {}

    def known(self, provider: str, model: str) -> TokenHabit:
        """The habit as far as it has been read; the common one where it has not."""
        return self._known.get((provider, model), UNLEARNED)

    async def load(self, provider: str, model: str) -> TokenHabit:
        """The habit, read from the store the first time."""
        habit = self._known.get((provider, model))
        if habit is None:
            habit = await self._read(provider, model)
            self._known[(provider, model)] = habit
        return habit

    async def learn(self, tx: Tx, provider: str, model: str, size: PromptSize, input_tokens: int) -> None:
        """Take a vendor's own count of a prompt. Prompts with images or next to no text teach nothing."""
        text_tokens = input_tokens - size.messages * MESSAGE_TOKENS
        if size.images or size.weight < LEAST_LEARNED_BYTES or text_tokens <= 0:
            return
        if not 1 <= size.weight / text_tokens <= 16:
            return  # cut by the server, or counted in another unit
        await self._ratios.learn(tx, provider, model, size.weight, text_tokens)

    async def refresh(self, provider: str, model: str) -> None:
        """Read the habit anew: a run has changed it."""
        self._known[(provider, model)] = await self._read(provider, model)

    async def _read(self, provider: str, model: str) -> TokenHabit:
        now = now_ms()
        likely = None
        rows = await self._rollups.totals(now - HISTORY_MS, now, None, provider=provider, model=model)
        if rows and rows[0].output and rows[0].runs:
            likely = max(1, round(rows[0].output / rows[0].runs))
        ratio = await self._ratios.get(provider, model)
        if ratio is None or not ratio.tokens:
            return TokenHabit(likely_output=likely)
        band = START_BAND
        if ratio.n >= LEARNED_AFTER:
            band = min(START_BAND, max(SMALLEST_BAND, 2 * ratio.rel_error))
        return TokenHabit(ratio.chars / ratio.tokens, band, likely)
