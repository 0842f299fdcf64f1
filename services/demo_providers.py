"""The demo's eight providers: what each is called, plays, and was last seen to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from services import clock
from services.demo_habits import DEAD

if TYPE_CHECKING:
    from store.models import ModelRow
    from store.providers import ProviderRow


@dataclass(frozen=True, slots=True)
class Demo:
    """One scripted provider."""

    slug: str
    name: str
    script: str
    endpoint: str
    """Names that never resolve: nothing can be contacted by mistake."""
    default_model: str
    catalog_id: str | None = None
    key_end: str | None = None
    """The last four characters of its key; None: it is called without one."""
    state: str = "ok"
    message: str | None = None
    """What was last heard of it."""
    own: bool = False
    """Own hardware: no price per token."""
    region: str | None = None
    enabled: bool = True
    seen_ago: int = 4 * clock.MINUTE_MS
    """How long ago the state was seen."""
    days: int = 88
    """How long ago it was added."""

    @property
    def key(self) -> str | None:
        """Never sent anywhere: the scripts take any key."""
        return f"demo-key-of-no-use-{self.key_end}" if self.key_end else None


PROVIDERS = (
    Demo("anthropic", "Anthropic", "demo-anthropic-ish", "https://anthropic.demo.invalid", "claude-sonnet-5-5",
         "anthropic", "9fKw", "limited", "Rate limited: too many requests this minute.", seen_ago=40_000),
    Demo("azure-eu", "Azure, West Europe", "demo-azure", "https://azure-eu.demo.invalid/openai/v1", "chat-prod",
         "azure", "e71b", "invalid_key", "The key is not accepted: it expired, or was revoked.", region="westeurope",
         seen_ago=52 * clock.HOUR_MS, days=61),
    Demo("groq", "Groq", "demo-groq", "https://groq.demo.invalid/openai/v1", "llama-4.1-70b-versatile",
         "groq", "Zq0d", days=47),
    Demo("homelab", "Home lab", "demo-local", "http://homelab.demo.invalid:8080", "qwen3:8b", "llamacpp",
         own=True, region="rack 2", days=80),
    Demo("mistral", "Mistral", "demo-mistral", "https://mistral.demo.invalid/v1", "mistral-large-3", "mistral", "p3Xa",
         "slow", "The first word took 3.4 s, usually 0.6 s.", region="eu", seen_ago=7 * clock.MINUTE_MS, days=70),
    Demo("ollama", "Ollama on the old laptop", "demo-ollama", "http://ollama.demo.invalid:11434/v1", "gemma4:12b",
         "ollama", own=True, enabled=False, seen_ago=24 * clock.DAY_MS),
    Demo("openai-prod", "OpenAI", "demo-openai", "https://openai.demo.invalid/v1", "gpt-6.1-sol", "openai", "vX2Q"),
    Demo("together", "Together", "demo-together", "https://together.demo.invalid/v1", "deepseek-ai/DeepSeek-V4",
         "together", "77ab", "unreachable", "Nothing answers at together.demo.invalid.", seen_ago=31 * clock.HOUR_MS,
         days=39),
)  # fmt: skip
"""By slug. States differ on purpose: a control room is there for what is not well."""

OFF_MODELS = frozenset({("openai-prod", "text-embedding-3-small"), ("groq", "whisper-large-v4"), ("mistral", "pixtral-12b")})  # fmt: skip
GONE_MODELS = (("openai-prod", "gpt-4.1-mini", 22), ("together", "deepseek-ai/DeepSeek-V3.1", 33))
"""Models that the last list no longer names, and for how many days."""


def provider_row(demo: Demo, reference: str | None, now: int) -> ProviderRow:
    """The stored row; `reference` says where its key is."""
    from store.providers import ProviderRow

    added = now - demo.days * clock.DAY_MS
    dead = clock.day_bounds(now, -DEAD[demo.slug])[0] if demo.slug in DEAD else None
    return ProviderRow(
        slug=demo.slug,
        name=demo.name,
        dialect="fake",
        catalog_id=demo.catalog_id,
        endpoint=demo.endpoint,
        region=demo.region,
        enabled=demo.enabled,
        key_ref=reference,
        key_last4=demo.key_end,
        options={"script": demo.script},
        labels={"demo": "yes"},
        cost_mode="own" if demo.own else None,
        default_model=demo.default_model,
        auto_sync="24h" if demo.enabled else "off",
        state=demo.state,
        state_message=demo.message,
        state_at=now - demo.seen_ago,
        last_validated_at=now - demo.seen_ago if dead is None else max(added, dead - clock.HOUR_MS),
        created_at=added,
        updated_at=added,
    )


async def model_list(demo: Demo, now: int) -> list[ModelRow]:
    """Its models as the last good sync left them."""
    from dataclasses import replace

    from adapters.fake import remote_models
    from adapters.fake_scripts import script
    from services.sync_rows import model_rows
    from store.models import ModelRow

    added = now - demo.days * clock.DAY_MS
    rows = [
        replace(row, first_seen=added, last_seen=now, enabled=(demo.slug, row.id) not in OFF_MODELS)
        for row in await model_rows(demo.slug, remote_models(script(demo.script)), (), now)
    ]
    for slug, model, days in GONE_MODELS:
        if slug == demo.slug:
            gone = now - days * clock.DAY_MS
            rows.append(
                ModelRow(slug, model, available=False, first_seen=added, last_seen=gone, missing_since=gone)
            )
    return rows
