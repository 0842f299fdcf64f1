"""The vocabulary: catalog providers, models and prices, as frozen values that everything shares."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Dialect = Literal["openai", "anthropic", "gemini", "ollama", "azure", "huggingface", "openrouter", "fake"]
DIALECTS: tuple[str, ...] = ("openai", "anthropic", "gemini", "ollama", "azure", "huggingface", "openrouter")
"""The wire protocols, as `--type` takes them. `fake` is the scripted one of the demo and has no place here."""

Status = Literal["active", "preview", "deprecated", "unlisted", "retired", "unavailable"]
"""`unavailable` is ours: the provider's live list no longer names the model. The rest come from the catalog."""

CAPABILITIES: tuple[str, ...] = ("tools", "vision", "reasoning", "json", "audio", "embeddings")
"""The capability names that are shown and filtered by."""


class Frozen(BaseModel):
    """A value that never changes; unknown names are refused, so a typo in a data file is found."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


Usd = Annotated[Decimal, Field(ge=0)]
"""An amount of money that is never negative and never NaN."""
Hours = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$")]
"""A range of the day such as `04:00-06:00`."""
Day = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]
"""An ISO date. Dates are compared as text, so every other spelling would count wrongly."""


class Rates(Frozen):
    """USD per 1,000,000 tokens by bucket. None is unknown; 0 is free."""

    input: Usd | None = None
    output: Usd | None = None
    cache_read: Usd | None = None
    """None: cached input is billed as input."""
    cache_write: Usd | None = None
    """None: written input is billed as input."""
    cache_write_1h: Usd | None = None
    """None: as `cache_write`."""
    reasoning: Usd | None = None
    """None: as `output`."""
    audio_input: Usd | None = None
    """None: as `input`."""


class Tier(Rates):
    """Rates from a prompt size on. A rate that is None keeps the base price."""

    over_input_tokens: Annotated[int, Field(ge=0)]
    """In force when the prompt has MORE input tokens than this."""
    marginal: bool = False
    """False: a cliff, every token of the request is billed at the tier. True: only the tokens above."""


class Window(Frozen):
    """Hours of the week in UTC."""

    hours_utc: tuple[Hours, ...]
    """Ranges such as `04:00-06:00`; `00:00` at the end is midnight."""
    iso_weekdays: tuple[Annotated[int, Field(ge=1, le=7)], ...]
    """1 is Monday."""


class OffPeak(Rates):
    """Lower rates in the named windows."""

    windows: tuple[Window, ...] = ()


class Scheduled(Rates):
    """Rates that come into force on a date (ISO, UTC)."""

    from_date: Day
    whole: bool = False
    """False: a rate that is None stays as it was. True: these rates are the whole price from then on, tiers end too."""
    per_1k_requests: Usd | None = None
    """USD for 1,000 requests from then on, of a whole price; None: no such fee."""


class Price(Rates):
    """A model's list price: base rates (peak hours, no batch) and the rules that change them."""

    tiers: tuple[Tier, ...] = ()
    batch: Rates | None = None
    off_peak: OffPeak | None = None
    scheduled: tuple[Scheduled, ...] = ()
    per_1k_requests: Usd | None = None
    """USD for 1,000 requests on top of the tokens. None: no such fee is known."""
    per_1k_web_searches: Usd | None = None
    """USD for 1,000 searches by the vendor's own web tool; shown, not part of `cost()`."""

    @property
    def known(self) -> bool:
        """True when a run can be priced: both base rates are there."""
        return self.input is not None and self.output is not None


class ModelInfo(Frozen):
    """A model as one source, or the merge of all, knows it. None is no opinion."""

    id: str
    name: str | None = None
    context_window: int | None = None
    """Tokens, input and output together."""
    max_input: int | None = None
    max_output: int | None = None
    default_max_tokens: int | None = None
    price: Price | None = None
    capabilities: tuple[str, ...] | None = None
    """Names out of CAPABILITIES; None when the source says nothing about them."""
    modalities_in: tuple[str, ...] | None = None
    modalities_out: tuple[str, ...] | None = None
    reasoning_levels: tuple[str, ...] | None = None
    reasoning_default: str | None = None
    """The level in force where a request names none."""
    knowledge_cutoff: str | None = None
    """The last day (or month) the model has read about, ISO."""
    open_weights: bool | None = None
    status: Status | None = None
    shutdown_date: str | None = None
    release_date: str | None = None
    family: str | None = None
    sources: dict[str, str] = {}
    """Field name → where its value comes from (`catalog:genai`, `live`, `user`, `pattern`)."""

    def retired_on(self, day: str) -> bool:
        """True when the model is gone on this UTC day (ISO): said so, or its announced last day or month has passed."""
        last = self.shutdown_date
        return self.status == "retired" or (last is not None and last < day[: max(len(last), len("2026-11"))])


class EnvNames(Frozen):
    """Environment variables that configure a vendor, most usual first."""

    key: tuple[str, ...] = ()
    base_url: tuple[str, ...] = ()
    other: tuple[str, ...] = ()


class KeyHint(Frozen):
    """What a vendor's keys look like. A hint for people, never a reason to refuse a key."""

    prefixes: tuple[str, ...] = ()
    regex: str | None = None
    note: str | None = None


class ListEndpoint(Frozen):
    """How a vendor's list of models is asked for."""

    path: str
    """Below the endpoint; a whole address where the list is elsewhere."""
    shape: str
    """Whose form the answer has: `openai`, `anthropic`, `xai` …"""
    auth: bool = True
    """False: answers without a key, so an answer proves no key."""
    fallback: str | None = None
    """A path to ask when the first is not there."""
    detail: str | None = None
    """Where more is said about the models."""
    marker: str | None = None
    """What in the list tells this server from others of the same dialect."""
    headers: dict[str, str] = {}
    note: str | None = None


class ProviderSpec(Frozen):
    """A vendor as the catalog knows it, without its models."""

    id: str
    name: str
    dialect: Dialect
    endpoint: str
    env: EnvNames = EnvNames()
    key_url: str | None = None
    """Where a person gets a key."""
    docs_url: str | None = None
    alt_endpoints: tuple[str, ...] = ()
    """Other addresses of the same vendor: older ones, other dialects, other countries."""
    url_patterns: tuple[str, ...] = ()
    models_endpoint: ListEndpoint | None = None
    """None: the vendor has no list of its models."""
    key_hint: KeyHint = KeyHint()
    auth: str = "bearer"
    """`bearer`, `none` (local servers), `x-api-key`, … as the vendor wants its key."""
    local: bool = False
    """True for servers that run on the user's own machines."""
    slow_start: bool = False
    """True where requests queue for minutes before the first piece of an answer comes."""
    options: dict[str, str] = {}
    """Options of the dialect that this vendor needs (catalog/options.py); a provider's own go before them."""
    default_model: str | None = None
    small_model: str | None = None
    note: str | None = None


class CatalogProvider(ProviderSpec):
    """A vendor with its models: one bundled or user file."""

    models: tuple[ModelInfo, ...] = ()
