"""The scripts by name: the demo's eight providers, and one for each fault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType

from adapters.fake_answers import ANSWERS
from adapters.fake_play import (
    CUT,
    INVALID_KEY,
    NO_CREDIT,
    OVERLOADED,
    RATE_LIMITED,
    UNREACHABLE,
    Answer,
    FakeModel,
    Fault,
    Script,
)
from catalog.errors import UsageError
from catalog.plaintext import one_line

__all__ = [
    "CUT",
    "INVALID_KEY",
    "NO_CREDIT",
    "OVERLOADED",
    "RATE_LIMITED",
    "SCRIPTS",
    "UNREACHABLE",
    "Answer",
    "FakeModel",
    "Fault",
    "Script",
    "script",
]

_USD = Decimal
_ALL = ("json", "reasoning", "tools", "vision")
_TOOLS = ("json", "tools")
_PLAIN = (FakeModel("plain-1", ttft=0, pace=0),)

_DEMO = (
    Script(
        "demo-openai",
        (
            FakeModel("gpt-6.1-sol", "GPT-6.1 Sol", 1_050_000, 128_000, _USD("2"), _USD("10"), _USD("0.10"), _ALL, ttft=0.6, pace=85),
            FakeModel("gpt-6-luna", "GPT-6 Luna", 1_050_000, 128_000, _USD("0.10"), _USD("0.50"), _USD("0.01"), _ALL, ttft=0.35, pace=90),
            FakeModel("gpt-5.4-mini", "GPT-5.4 mini", 400_000, 128_000, _USD("0.75"), _USD("4.50"), _USD("0.075"), _ALL, ttft=1.2, pace=80, thinks=True),
            FakeModel("text-embedding-3-small", None, 8_191, None, _USD("0.02"), _USD("0"), None, ("embeddings",), chat=False),
        ),
        ANSWERS,
        faults=(replace(OVERLOADED, times=None, every=9), replace(CUT, times=None, every=17)),
        seed=11,
    ),
    Script(
        "demo-anthropic-ish",
        (
            FakeModel("claude-sonnet-5-5", "Claude Sonnet 5.5", 1_000_000, 128_000, _USD("2"), _USD("10"), _USD("0.10"), _ALL, ttft=0.8, pace=75, thinks=True),
            FakeModel("claude-opus-5-5", "Claude Opus 5.5", 1_000_000, 128_000, _USD("4"), _USD("20"), _USD("0.20"), _ALL, ttft=1.1, pace=55, thinks=True),
            FakeModel("claude-haiku-4-5", "Claude Haiku 4.5", 200_000, 64_000, _USD("1"), _USD("5"), _USD("0.10"), _ALL, ttft=0.4, pace=90),
        ),
        ANSWERS,
        faults=(RATE_LIMITED, replace(RATE_LIMITED, times=None, every=2, model="claude-haiku-4-5")),
        seed=23,
    ),
    Script(
        "demo-azure",
        (
            FakeModel("chat-prod", None, 128_000, 16_384, capabilities=_TOOLS, ttft=0.5, pace=70),
            FakeModel("chat-batch", None, 128_000, 16_384, capabilities=_TOOLS, ttft=0.7, pace=60),
        ),
        ANSWERS,
        faults=(INVALID_KEY,),
        check_faults=(INVALID_KEY,),
        seed=29,
    ),
    Script(
        "demo-groq",
        (
            FakeModel("llama-4.1-70b-versatile", "Llama 4.1 70B", 131_072, 32_768, _USD("0.59"), _USD("0.79"), None, _TOOLS, ttft=0.09, pace=240),
            FakeModel("llama-4.1-8b-instant", "Llama 4.1 8B", 131_072, 131_072, _USD("0.05"), _USD("0.08"), None, _TOOLS, ttft=0.05, pace=420),
            FakeModel("qwen-3.5-32b", "Qwen 3.5 32B", 131_072, 40_960, _USD("0.29"), _USD("0.59"), None, ("json", "reasoning", "tools"), ttft=0.11, pace=260, thinks=True),
            FakeModel("whisper-large-v4", None, None, None, capabilities=("audio",), chat=False),
        ),
        ANSWERS,
        latency=0.06,
        states_prices=True,
        seed=41,
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
    Script(
        "demo-mistral",
        (
            FakeModel("mistral-large-3", "Mistral Large 3", 262_144, 32_768, _USD("2.40"), _USD("7.20"), None, ("json", "tools", "vision"), ttft=3.4, pace=24),
            FakeModel("mistral-small-4", "Mistral Small 4", 131_072, 32_768, _USD("0.10"), _USD("0.30"), None, _TOOLS, ttft=2.1, pace=41),
            FakeModel("codestral-3", "Codestral 3", 262_144, 32_768, _USD("0.30"), _USD("0.90"), None, _TOOLS, ttft=2.4, pace=44),
            FakeModel("pixtral-12b", "Pixtral 12B", 131_072, 8_192, _USD("0.15"), _USD("0.15"), None, ("vision",), ttft=2.8, pace=33, shutdown_date="2027-02-28"),
        ),
        ANSWERS,
        latency=2.6,
        states_prices=True,
        seed=43,
    ),
    Script(
        "demo-ollama",
        (
            FakeModel("gemma4:12b", "Gemma 4 12B", 131_072, None, capabilities=("tools", "vision"), ttft=0.5, pace=29),
            FakeModel("deepseek-r2:14b", "DeepSeek R2 14B", 65_536, None, capabilities=("reasoning",), ttft=0.6, pace=24, thinks=True),
            FakeModel("bge-m3", None, 8_192, None, capabilities=("embeddings",), chat=False),
        ),
        ANSWERS,
        latency=0.01,
        seed=47,
    ),
    Script(
        "demo-together",
        (
            FakeModel("deepseek-ai/DeepSeek-V4", "DeepSeek V4", 163_840, 32_768, _USD("0.90"), _USD("0.90"), None, _TOOLS, ttft=0.7, pace=58),
            FakeModel("moonshotai/Kimi-K3-Instruct", "Kimi K3", 262_144, 32_768, _USD("1.00"), _USD("3.00"), None, _TOOLS, ttft=0.8, pace=49),
            FakeModel("Qwen/Qwen3.5-235B-A22B-Thinking-2607", "Qwen3.5 235B Thinking", 262_144, 65_536, _USD("0.65"), _USD("3.00"), None, ("reasoning", "tools"), ttft=0.9, pace=46, thinks=True),
        ),
        ANSWERS,
        faults=(UNREACHABLE,),
        check_faults=(UNREACHABLE,),
        states_prices=True,
        latency=0.9,
        seed=53,
    ),
)  # fmt: skip

_FAULTS = (
    Script("plain", _PLAIN, (Answer("Hello from the script."),), latency=0),
    Script("invalid-key", _PLAIN, ANSWERS, (INVALID_KEY,), (INVALID_KEY,), latency=0),
    Script("no-credit", _PLAIN, ANSWERS, (NO_CREDIT,), latency=0),
    Script("unreachable", _PLAIN, ANSWERS, (UNREACHABLE,), (UNREACHABLE,), latency=0),
    Script("limited-once", _PLAIN, (Answer("Hello after a wait."),), (RATE_LIMITED,), latency=0),
    Script("overloaded-once", _PLAIN, (Answer("Hello after a rest."),), (OVERLOADED,), latency=0),
    Script("cut", _PLAIN, ANSWERS, (CUT,), latency=0),
)

SCRIPTS: Mapping[str, Script] = MappingProxyType({script.name: script for script in (*_DEMO, *_FAULTS)})
"""The named scripts: eight for the demo, the rest one fault each."""


def script(name: str) -> Script:
    """A script by name. Raises UsageError for one that does not exist."""
    if name not in SCRIPTS:
        raise UsageError(
            f"There is no script {one_line(name, 40)}.", hint=f"There are: {', '.join(SCRIPTS)}."
        )
    return SCRIPTS[name]
