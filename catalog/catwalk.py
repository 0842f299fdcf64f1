"""Catwalk's schema, with the explicit fields that extend it, translated to our types: one reading for all sources.

Catwalk names two prices ambiguously. Following its own client, `cost_per_1m_in_cached` is a cache WRITE and
`cost_per_1m_out_cached` a cache READ, and 0 in either is unknown. The explicit `cost_per_1m_cache_*` win.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic import ValidationError

from catalog.errors import UsageError
from catalog.options import check_option
from catalog.types import (
    CatalogProvider,
    Dialect,
    EnvNames,
    KeyHint,
    ListEndpoint,
    ModelInfo,
    OffPeak,
    Price,
    ProviderSpec,
    Rates,
    Scheduled,
    Tier,
    Window,
)

Raw = Mapping[str, Any]

_DIALECTS: dict[str, Dialect] = {
    "openai": "openai",
    "openai-compat": "openai",
    "anthropic": "anthropic",
    "google": "gemini",
    "gemini": "gemini",
    "google-vertex": "gemini",
    "vertexai": "gemini",
    "ollama": "ollama",
    "azure": "azure",
    "bedrock": "openai",
    "huggingface": "huggingface",
    "openrouter": "openrouter",
    "vercel": "openai",
}
_RATES = {
    "cost_per_1m_in": "input",
    "cost_per_1m_out": "output",
    "cost_per_1m_cache_read": "cache_read",
    "cost_per_1m_cache_write": "cache_write",
    "cost_per_1m_cache_write_1h": "cache_write_1h",
    "cost_per_1m_reasoning_out": "reasoning",
    "cost_per_1m_audio_in": "audio_input",
}
_RULES = ("tiers", "batch", "off_peak", "scheduled_prices", "cost_per_1k_requests")
_AMBIGUOUS = {"cost_per_1m_in_cached": "cache_write", "cost_per_1m_out_cached": "cache_read"}
_CAPABILITIES = {
    "supports_tools": "tools",
    "supports_vision": "vision",
    "supports_attachments": "vision",
    "can_reason": "reasoning",
    "supports_structured_output": "json",
}
_TAKEN_FROM = {
    "name": ("name",),
    "context_window": ("context_window",),
    "max_input": ("max_input_tokens",),
    "max_output": ("max_output_tokens",),
    "default_max_tokens": ("default_max_tokens",),
    "price": (*_RATES, *_RULES),
    "capabilities": ("supports_tools", "supports_vision", "can_reason", "supports_structured_output"),
    "modalities_in": ("modalities_in",),
    "modalities_out": ("modalities_out",),
    "reasoning_levels": ("reasoning_levels",),
    "reasoning_default": ("default_reasoning_effort",),
    "knowledge_cutoff": ("knowledge_cutoff",),
    "open_weights": ("open_weights",),
    "status": ("status",),
    "shutdown_date": ("shutdown_date",),
    "release_date": ("release_date",),
    "family": ("family",),
}
"""Our field → the fields it is made of."""


class BadCatalogError(ValueError):
    """A value that cannot be read: where it is (`models`, 3, `context_window`) and why."""

    def __init__(self, reason: str, *where: str | int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.where = where


def provider_from(raw: Raw, base: ProviderSpec | None = None) -> CatalogProvider:
    """A vendor file. What it leaves out of the vendor's own fields is taken from `base`."""
    provider_id = _text(raw, "id") or (base.id if base else None)
    if provider_id is None:
        raise BadCatalogError("`id` is missing")
    dialect = _dialect(raw, base)
    endpoint, variables = _endpoint(raw, base)
    models = raw.get("models", [])
    if not isinstance(models, list):
        raise BadCatalogError("`models` must be a list", "models")
    known = base or ProviderSpec(id=provider_id, name=provider_id, dialect=dialect, endpoint=endpoint)
    return CatalogProvider(
        **{
            **known.model_dump(),
            "id": provider_id,
            "name": _text(raw, "name") or known.name,
            "dialect": dialect,
            "endpoint": endpoint,
            "env": _env(raw, known.env, variables),
            "key_url": _text(raw, "key_url") or known.key_url,
            "docs_url": _text(raw, "models_docs_url") or known.docs_url,
            "alt_endpoints": tuple(raw.get("alt_endpoints") or known.alt_endpoints),
            "url_patterns": tuple(raw.get("url_patterns") or known.url_patterns),
            "models_endpoint": _list_endpoint(raw) or known.models_endpoint,
            "key_hint": _key_hint(raw) or known.key_hint,
            "auth": _text(raw, "auth") or known.auth,
            "local": bool(raw.get("local", known.local)),
            "slow_start": bool(raw.get("slow_start", known.slow_start)),
            "options": {**known.options, **_options(raw, dialect)},
            "default_model": _text(raw, "default_large_model_id") or known.default_model,
            "small_model": _text(raw, "default_small_model_id") or known.small_model,
            "note": _text(raw, "note") or known.note,
        },
        models=tuple(_model_at(model, index) for index, model in enumerate(models)),
    )


def _options(raw: Raw, dialect: Dialect) -> dict[str, str]:
    options = raw.get("options") or {}
    if not isinstance(options, dict) or not all(isinstance(value, str) for value in options.values()):
        raise BadCatalogError("`options` must be an object of texts", "options")
    for name, value in options.items():
        try:
            check_option(dialect, name, value)
        except UsageError as error:
            raise BadCatalogError(f"`options`: {error.message}", "options") from None
    return dict(options)


def model_from(raw: Raw) -> ModelInfo:
    """One model; a field that is absent or 0 where 0 makes no sense is no opinion."""
    model_id = _text(raw, "id")
    if model_id is None:
        raise BadCatalogError("`id` is missing")
    return ModelInfo(
        id=model_id,
        name=_text(raw, "name"),
        context_window=_count(raw, "context_window"),
        max_input=_count(raw, "max_input_tokens"),
        max_output=_count(raw, "max_output_tokens"),
        default_max_tokens=_count(raw, "default_max_tokens"),
        price=price_from(raw),
        capabilities=_capabilities(raw),
        modalities_in=_names(raw, "modalities_in"),
        modalities_out=_names(raw, "modalities_out"),
        reasoning_levels=_names(raw, "reasoning_levels"),
        reasoning_default=_text(raw, "default_reasoning_effort"),
        knowledge_cutoff=_text(raw, "knowledge_cutoff"),
        open_weights=raw.get("open_weights"),
        status=raw.get("status"),
        shutdown_date=_text(raw, "shutdown_date"),
        release_date=_text(raw, "release_date"),
        family=_text(raw, "family"),
        sources=_sources(raw),
    )


def price_from(raw: Raw) -> Price | None:
    """The price block; None when the model names no price at all."""
    rates = _rates(raw)
    for field, bucket in _AMBIGUOUS.items():
        if bucket not in rates and (value := _money(raw, field)):
            rates[bucket] = value
    batch, off_peak = raw.get("batch"), raw.get("off_peak")
    price = Price(
        **rates,
        tiers=tuple(
            Tier(
                **_rates(tier),
                over_input_tokens=tier["over_input_tokens"],
                marginal=tier.get("marginal", False),
            )
            for tier in raw.get("tiers", ())
        ),
        batch=Rates(**_rates(batch)) if batch else None,
        off_peak=OffPeak(**_rates(off_peak), windows=_windows(off_peak)) if off_peak else None,
        scheduled=tuple(
            Scheduled(**_rates(change), from_date=change["from_date"], whole=False)
            for change in raw.get("scheduled_prices", ())
        ),
        per_1k_requests=_money(raw, "cost_per_1k_requests"),
        per_1k_web_searches=_money(raw, "cost_per_1k_web_searches"),
    )
    return None if price == Price() else price


def _model_at(raw: object, index: int) -> ModelInfo:
    if not isinstance(raw, dict):
        raise BadCatalogError("a model must be an object", "models", index)
    try:
        return model_from(raw)
    except BadCatalogError as error:
        raise BadCatalogError(error.reason, "models", index, *error.where) from None
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BadCatalogError(_reason(error), "models", index) from None


def _reason(error: Exception) -> str:
    """Why a structured part could not be read, without the value itself."""
    match error:
        case KeyError():
            return f"`{error.args[0]}` is missing"
        case ValidationError():
            first = error.errors(include_input=False, include_url=False)[0]
            return f"`{'.'.join(str(step) for step in first['loc'])}`: {first['msg']}"
        case _:
            return "a part has the wrong form"


def _dialect(raw: Raw, base: ProviderSpec | None) -> Dialect:
    named = _text(raw, "type") or (base.dialect if base else None)
    if named is None:
        raise BadCatalogError("`type` is missing")
    if named not in _DIALECTS:
        raise BadCatalogError(f"`type` must be one of {', '.join(sorted(_DIALECTS))}", "type")
    return _DIALECTS[named]


def _endpoint(raw: Raw, base: ProviderSpec | None) -> tuple[str, tuple[str, ...]]:
    """The endpoint, and the variable that Catwalk names in its place (`$OPENAI_API_ENDPOINT`)."""
    text = _text(raw, "api_endpoint") or ""
    variables = (text[1:].strip("{}"),) if text.startswith("$") else ()
    endpoint = (base.endpoint if base else None) if variables or not text else text
    if endpoint is None:
        raise BadCatalogError("`api_endpoint` is missing, and no bundled vendor has this id", "api_endpoint")
    return endpoint, variables


def _env(raw: Raw, known: EnvNames, base_url: tuple[str, ...]) -> EnvNames:
    named = raw.get("env")
    if isinstance(named, dict):
        return EnvNames(**{field: tuple(named.get(field, ())) for field in ("key", "base_url", "other")})
    key = _text(raw, "api_key") or ""
    names = (key[1:].strip("{}"),) if key.startswith("$") else ()
    return EnvNames(
        key=_once((*names, *known.key)), base_url=_once((*base_url, *known.base_url)), other=known.other
    )


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _key_hint(raw: Raw) -> KeyHint | None:
    hint = raw.get("key_hint")
    if not isinstance(hint, dict):
        return None
    return KeyHint(prefixes=tuple(hint.get("prefixes", ())), regex=hint.get("regex"), note=hint.get("note"))


def _list_endpoint(raw: Raw) -> ListEndpoint | None:
    named = raw.get("models_endpoint")
    if not isinstance(named, dict):
        return None
    path = _text(named, "path") or _text(named, "url")
    if path is None:
        raise BadCatalogError("`path` is missing", "models_endpoint")
    texts = {field: _text(named, field) for field in ("fallback", "marker", "note")}
    return ListEndpoint(
        path=path,
        shape=_text(named, "shape") or "openai",
        auth=named.get("auth", True),
        detail=_text(named, "detail") or _text(named, "public_detail"),
        headers=named.get("headers", {}),
        **texts,
    )


def stated_capabilities(raw: Raw) -> tuple[str, ...]:
    """The capabilities that a model's flags speak of, whatever they say; of the others it has no opinion."""
    found = [name for field, name in _CAPABILITIES.items() if isinstance(raw.get(field), bool)]
    if found and isinstance(raw.get("modalities_in"), list):
        found.append("audio")
    return _once(found)


def _capabilities(raw: Raw) -> tuple[str, ...] | None:
    """None when no flag is there; `supports_attachments` is vision unless `supports_vision` says more."""
    flags = {field: raw[field] for field in _CAPABILITIES if isinstance(raw.get(field), bool)}
    if "supports_vision" in flags:
        flags.pop("supports_attachments", None)
    if not flags:
        return None
    names = [capability for field, capability in _CAPABILITIES.items() if flags.get(field)]
    if "audio" in (raw.get("modalities_in") or ()):
        names.append("audio")
    return tuple(names)


def _rates(raw: Raw) -> dict[str, Decimal]:
    return {bucket: value for field, bucket in _RATES.items() if (value := _money(raw, field)) is not None}


def _windows(raw: Raw) -> tuple[Window, ...]:
    return tuple(
        Window(hours_utc=tuple(window["hours_utc"]), iso_weekdays=tuple(window["iso_weekdays"]))
        for window in raw.get("windows", ())
    )


def _sources(raw: Raw) -> dict[str, str]:
    """Our field → the sources of the fields it is made of, joined with `+`."""
    by_field = {field: source for source, fields in (raw.get("sources") or {}).items() for field in fields}
    found = {
        ours: "+".join(_once(by_field[field] for field in theirs if field in by_field))
        for ours, theirs in _TAKEN_FROM.items()
    }
    return {field: source for field, source in found.items() if source}


def _text(raw: Raw, field: str) -> str | None:
    value = raw.get(field)
    if value is not None and not isinstance(value, str):
        raise BadCatalogError(f"`{field}` must be text", field)
    return value or None


def _names(raw: Raw, field: str) -> tuple[str, ...] | None:
    value = raw.get(field)
    if value is not None and not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
        raise BadCatalogError(f"`{field}` must be a list of names", field)
    return tuple(value) if value else None


def _count(raw: Raw, field: str) -> int | None:
    value = raw.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BadCatalogError(f"`{field}` must be a whole number of tokens", field)
    return value or None


def _money(raw: Raw, field: str) -> Decimal | None:
    value = raw.get(field)
    if value is None:
        return None
    try:
        amount = Decimal(str(value)) if not isinstance(value, bool) else Decimal(-1)
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or amount < 0:
        raise BadCatalogError(f"`{field}` must be an amount in USD, 0 or more", field)
    return amount.normalize() + 0 if amount else Decimal(0)
