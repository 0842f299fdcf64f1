"""Who uses which model of the demo for what, and what its tokens cost."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Habit:
    """How one model is used. Tokens and milliseconds are medians."""

    provider: str
    model: str
    weight: float
    input: int
    output: int
    ttft: int
    pace: int
    """Tokens a second."""
    caller: str
    project: str
    team: str
    grade: str = "computed"
    caches: bool = False
    """Long beginnings are repeated, and the vendor remembers them."""
    thinks: bool = False

    @property
    def labels(self) -> str:
        """As the ledger keeps them."""
        return _labels(self.project, self.team)


HABITS = (
    Habit("openai-prod", "gpt-6.1-sol", 18, 9_000, 900, 520, 82, "tui", "docs", "product", caches=True),
    Habit("openai-prod", "gpt-6.1-sol", 7, 5_400, 700, 540, 80, "docs-search", "search", "platform", caches=True),
    Habit("openai-prod", "gpt-6-luna", 30, 2_600, 160, 310, 118, "support-bot", "triage", "support"),
    Habit("openai-prod", "gpt-5.4-mini", 8, 4_100, 900, 1_300, 92, "ci", "review", "platform", thinks=True),
    Habit("anthropic", "claude-sonnet-5-5", 12, 15_000, 1_200, 760, 72, "tui", "docs", "product", caches=True, thinks=True),
    Habit("anthropic", "claude-opus-5-5", 2.4, 19_000, 2_100, 1_150, 54, "tui", "planning", "product", thinks=True),
    Habit("anthropic", "claude-haiku-4-5", 5, 1_900, 210, 390, 136, "support-bot", "triage", "support"),
    Habit("mistral", "mistral-large-3", 6, 3_400, 520, 640, 48, "support-bot", "replies", "support"),
    Habit("groq", "llama-4.1-70b-versatile", 7, 2_200, 340, 90, 240, "docs-search", "search", "platform"),
    Habit("together", "deepseek-ai/DeepSeek-V4", 3, 6_200, 800, 720, 58, "cli", "extraction", "data", "reported"),
    Habit("azure-eu", "chat-prod", 3, 2_000, 300, 510, 70, "cli", "contracts", "legal", "unknown"),
    Habit("homelab", "qwen3:8b", 6, 700, 380, 280, 37, "tui", "private", "product", "own", thinks=True),
    Habit("ollama", "gemma4:12b", 1.2, 900, 300, 480, 29, "tui", "private", "product", "own"),
)  # fmt: skip
SPIKE = Habit(
    "anthropic", "claude-opus-5-5", 0, 52_000, 2_600, 1_900, 51, "nightly-eval", "eval", "data", thinks=True
)
"""One evaluation, yesterday: long prompts to the dearest model."""
FALLBACK = next(habit for habit in HABITS if habit.model == "claude-sonnet-5-5")

DEAD = {"azure-eu": 2, "together": 1, "ollama": 24}
"""For how many days these have not answered."""
DEAD_WITH = {"azure-eu": ("invalid_credentials", 401), "together": ("network", None)}
"""What the callers get from them since; nobody asks the one that is off."""
RISE_DAYS = 9
"""So long ago Mistral Large became a fifth dearer."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Nano-dollars per token, and the price as the ledger keeps it."""

    input: int
    output: int
    cached: int
    text: str


_USD = {
    "gpt-6.1-sol": ("2", "10", "0.1"),
    "gpt-6-luna": ("0.1", "0.5", "0.01"),
    "gpt-5.4-mini": ("0.75", "4.5", "0.075"),
    "claude-sonnet-5-5": ("2", "10", "0.1"),
    "claude-opus-5-5": ("4", "20", "0.2"),
    "claude-haiku-4-5": ("1", "5", "0.1"),
    "mistral-large-3": ("2.4", "7.2", None),
    "llama-4.1-70b-versatile": ("0.59", "0.79", None),
    "deepseek-ai/DeepSeek-V4": ("0.9", "0.9", None),
}
"""USD per million tokens: in, out, and read from the vendor's cache."""
_BEFORE_RISE = ("2", "6", None)


def price_of(habit: Habit, days_ago: float) -> Rates | None:
    """What the model cost then; None: unknown, or own hardware."""
    if habit.model == "mistral-large-3" and days_ago > RISE_DAYS:
        return _rates(*_BEFORE_RISE)
    usd = _USD.get(habit.model)
    return None if usd is None else _rates(*usd)


@cache
def _rates(sent: str, back: str, cached: str | None) -> Rates:
    price = {"input": sent, "output": back} | ({"cache_read": cached} if cached else {})
    return Rates(_nanos(sent), _nanos(back), _nanos(cached or sent), json.dumps(price, separators=(",", ":")))


def _nanos(usd_per_million: str) -> int:
    return round(float(usd_per_million) * 1000)


@cache
def _labels(project: str, team: str) -> str:
    return json.dumps({"project": project, "team": team})
