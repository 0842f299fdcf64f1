"""Our bills beside those of the `genai-prices` package, model by model over several mixes of tokens and several days."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from catalog import bundled
from catalog.pricing import cost
from catalog.usage import Usage

genai_prices = pytest.importorskip("genai_prices", reason="a development tool: pip install -e '.[dev]'")

VENDORS = {"openai": "openai", "anthropic": "anthropic", "gemini": "google"}
"""Our id → theirs."""
DAYS = ("2026-11-20", "2026-12-15", "2027-02-01")
"""The day of the facts, and days on which announced changes are in force."""
MIXES = {
    "plain": Usage(input=10_000, output=1_000),
    "cached": Usage(input=10_000, output=1_000, cache_read=8_000),
    "cache write": Usage(input=10_000, output=1_000, cache_read=2_000, cache_write=4_000),
    "cache write 1h": Usage(input=10_000, output=1_000, cache_write=4_000, cache_write_1h=3_000),
    "long prompt": Usage(input=300_000, output=2_000, cache_read=100_000),
    "reasoning": Usage(input=5_000, output=4_000, reasoning=3_000),
    "audio": Usage(input=10_000, output=1_000, audio_input=6_000),
}
KNOWN: dict[tuple[str, str, str], str] = {
    (
        "openai",
        "gpt-5.6-cyber",
        "long prompt",
    ): "litellm states dearer rates above 272,000 tokens, genai-prices none",
}
"""(vendor, model, mix) → why we disagree, on every day."""
UNNAMED = {
    "openai": {"gpt-daybreak-red-latest", "gpt-daybreak-blue-latest", "gpt-6-astra-law", "gpt-5.5-cyber-preview", "gpt-5.3-codex-spark"},
    "anthropic": {"claude-mythos-5", "claude-mythos-5-1", "claude-mythos-preview"},
    "gemini": set(),
}  # fmt: skip
"""Priced here from other sources, and not known there."""


def _theirs(vendor: str, model_id: str, used: Usage, at: datetime) -> Decimal | None:
    """Their figure; None where they do not know the model."""
    counts = {
        "input_tokens": used.input,
        "output_tokens": used.output,
        "cache_read_tokens": used.cache_read,
        "cache_write_tokens": used.cache_write,
        "cache_write_1h_tokens": used.cache_write_1h,
        "output_reasoning_tokens": used.reasoning,
        "input_audio_tokens": used.audio_input,
    }
    usage = genai_prices.Usage(**{name: count for name, count in counts.items() if count is not None})
    try:
        found = genai_prices.calc_price(
            usage, model_id, provider_id=VENDORS[vendor], genai_request_timestamp=at
        )
    except LookupError:
        return None
    return Decimal(found.total_price)


@pytest.mark.parametrize("vendor", VENDORS)
def test_we_agree_but_for_what_is_known(vendor: str, capsys: pytest.CaptureFixture[str]) -> None:
    provider = bundled.provider(vendor)
    assert provider is not None
    total = 0
    differing: dict[tuple[str, str, str], list[str]] = {}
    unnamed = set()
    for model in provider.models:
        if model.price is None or not model.price.known:
            continue
        for day in DAYS:
            at = datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=UTC)
            for mix, used in MIXES.items():
                theirs, ours = _theirs(vendor, model.id, used, at), cost(model.price, used, at)
                if theirs is None:
                    unnamed.add(model.id)
                    continue
                total += 1
                if ours != theirs:
                    differing.setdefault((vendor, model.id, mix), []).append(f"{day}: {ours} for {theirs}")
    agreed = total - sum(map(len, differing.values()))
    with capsys.disabled():
        print(f"\n{vendor}: {agreed} of {total} bills agree with genai-prices to the last digit", end=" ")
    known = {key for key in KNOWN if key[0] == vendor}
    assert {key: days for key, days in differing.items() if key not in known} == {}
    assert known - differing.keys() == set(), "these agree now: take them off the list"
    assert unnamed == UNNAMED[vendor]
    assert total > 300
