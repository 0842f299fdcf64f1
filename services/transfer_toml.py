"""What `[provider.NAME]` tables say: keys by `${NAME}`, durations, a retry policy and a model for each provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.transfer_fields import Fields
from services.transfer_foreign import mapped
from services.transfer_read import Document
from services.transfer_types import Found, FoundModel, FoundProvider, Remark, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

SHARED = {"initial_delay": "retry.initial_delay", "max_delay": "retry.max_delay", "factor": "retry.factor"}
"""What a provider has of its own there and is one setting for all here."""
OPTIONS = (
    "api", "api_version", "deployment", "organization", "project", "max_tokens_field", "think_tags",
    "reasoning_field", "stream_options", "version_segment", "seed_field", "required_word", "extra_body",
)  # fmt: skip
"""Options of our dialects that a provider's table may name."""
_ADDRESS = ("base_url", "url", "endpoint", "api_base")
_OLLAMA_OPTIONS = ("gpu_layers", "num_gpu", "num_ctx", "keep_alive")


def is_toml(data: Any) -> bool:
    """`[provider.NAME]` or `[providers.NAME]`."""
    return isinstance(data, dict) and any(
        isinstance(data.get(name), dict) and any(isinstance(one, dict) for one in data[name].values())
        for name in ("provider", "providers")
    )


def read_toml(document: Document) -> Found:
    """Every provider's table. What is one setting for all here is taken where the tables agree."""
    from services.drafts import free_slug

    remarks: list[Remark] = []
    top = Fields(document, document.data, (), remarks)
    providers: list[FoundProvider] = []
    shared: dict[str, list[Value]] = {}
    slugs: set[str] = set()
    default: str | None = None
    for tables in filter(None, (top.table("provider"), top.table("providers"))):
        for name in tables.names():
            raw = tables.raw(name)
            if not isinstance(raw, dict):
                default = _default(tables, name, raw, default)
                continue
            one = tables.table(name)
            assert one is not None
            slug = mapped(one, free_slug(name, slugs))
            slugs.add(slug)
            if (found := _provider(one, name, slug, shared)) is not None:
                providers.append(found)
    for name in ("default_provider", "default"):
        default = top.text(name) or default
    top.rest("is not about providers and is not taken over")
    settings = {name: said[0] for name, said in shared.items() if _agreed(name, said, len(providers))}
    for name in shared.keys() - settings.keys():
        top.remark(
            "left out", f"{name} is one setting for all providers here, and not every table says the same."
        )
    return Found(
        "toml", document.file, tuple(providers), settings=settings, defaults_only=frozenset(settings),
        default_model=_default_model(default, providers), remarks=tuple(remarks),
    )  # fmt: skip


def _agreed(name: str, said: list[Value], providers: int) -> bool:
    """Whether the tables mean one value; what a model is asked for counts only where every table says it."""
    return len(set(said)) == 1 and (not name.startswith("chat.") or len(said) == providers)


def _provider(one: Fields, name: str, slug: str, shared: dict[str, list[Value]]) -> FoundProvider | None:
    """None: its address cannot be read, and its key is not for another one."""
    from services.drafts import ProviderDraft

    url, kind = one.text(*_ADDRESS), one.text("type", "provider_type", "kind")
    if url is None and one.raw(*_ADDRESS):
        one.remark("refused", f"{slug} is not taken over: its address cannot be read.")
        return None
    if kind is None and url is None:
        kind = name.lower().replace("_", "-")
    elif kind is None and _is_vendor(name):
        kind = name.lower()
    key = one.key("api_key", "key", "token")
    options = one.texts("options")
    for option in (*OPTIONS, *(_OLLAMA_OPTIONS if "ollama" in (kind, name.lower()) else ())):
        value = one.raw(option)
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            options[option] = str(value)
        elif value is not None:
            one.wrong(option, "a text or a number")
    models = tuple(_models(one))
    model = one.text("model", "default_model") or (models[0].id if models else None)
    retries = one.whole("retries", "max_retries", high=20)
    policy = one.table("retry", "retry_config")
    if policy is not None:
        attempts = policy.whole("max_attempts", "attempts", low=1, high=21)
        retries = attempts - 1 if attempts is not None else retries
        for field, number in (
            ("initial_delay", policy.span("initial_delay", "delay")), ("max_delay", policy.span("max_delay")),
            ("factor", policy.number("backoff_factor", "factor", "multiplier")),
        ):  # fmt: skip
            if number is not None:
                shared.setdefault(SHARED[field], []).append(number)
        policy.rest()
    for field in ("max_tokens", "temperature"):
        value = one.whole("max_tokens", low=1) if field == "max_tokens" else one.number("temperature")
        if value is not None:
            shared.setdefault(f"chat.{field}", []).append(value)
    draft = ProviderDraft(
        slug=slug, type=kind, url=url, name=one.text("name", "display_name"), region=one.text("region"),
        headers=one.texts("headers") or None, labels=one.texts("labels") or None, options=options or None,
        timeout_s=one.span("timeout"), retries=retries, proxy=one.text("proxy"), ca_file=one.text("ca_file"),
        default_model=model,
    )  # fmt: skip
    enabled = one.flag("enabled")
    one.rest("is not known here; what is meant for one request is set in the chat")
    return FoundProvider(draft, one.line, key, key_needed=False, enabled=enabled, models=models)


def _models(one: Fields) -> Iterator[FoundModel]:
    """`models = ["a", "b"]`, or `[[provider.NAME.models]]` with an id and what a million tokens cost."""
    from catalog.types import Price

    value = one.raw("models")
    if isinstance(value, list) and all(isinstance(item, str) and 0 < len(item) <= 200 for item in value):
        yield from (FoundModel(item) for item in value)
        return
    for table in one.tables("models") if value is not None else ():
        model = table.text("id", "name", "model")
        paid = table.money("cost_per_1m_in", "input_cost", "input_price")
        earned = table.money("cost_per_1m_out", "output_cost", "output_price")
        enabled = table.flag("enabled")
        table.rest()
        if model:
            price = Price(input=paid, output=earned) if paid is not None and earned is not None else None
            yield FoundModel(model, enabled=enabled, price=price)
        else:
            table.remark("left out", "A model without an id.")


def _default(tables: Fields, name: str, raw: object, before: str | None) -> str | None:
    if name in ("default", "default_provider") and isinstance(raw, str):
        return raw
    tables.remark("left out", f"provider.{name[:40]} is not a table.", name)
    return before


def _default_model(name: str | None, providers: list[FoundProvider]) -> str | None:
    from services.drafts import slugged

    for provider in providers:
        if name is not None and provider.draft.slug == slugged(name) and provider.draft.default_model:
            return f"{provider.draft.slug}/{provider.draft.default_model}"
    return None


def _is_vendor(name: str) -> bool:
    """Whether the table's name is that of a vendor that runs on the user's own machines: its port is the user's."""
    from catalog.bundled import spec

    found = spec(name.lower())
    return found is not None and found.local
