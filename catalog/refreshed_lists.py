"""What three fetched lists say, in our types: a Catwalk service, models.dev, and OpenRouter's own list of models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from catalog import refreshed_values as read
from catalog.catwalk import BadCatalogError, price_from
from catalog.refreshed_values import Raw
from catalog.types import ModelInfo, Price, Status

Models = dict[str, ModelInfo]
Vendors = dict[str, Models]

_CATWALK = {"alibaba-singapore": "alibaba"}
"""Theirs for a vendor of ours; where a list has both names, this one is meant: it is the endpoint that ours has."""
_MODELSDEV = {
    "google": "gemini",
    "google-vertex": "vertexai",
    "amazon-bedrock": "bedrock",
    "togetherai": "together",
    "fireworks-ai": "fireworks",
    "moonshotai": "moonshot",
    "zhipuai": "zhipu",
    "llama": "meta",
}
"""Their names of vendors where ours differ."""
_STATUS: dict[object, Status] = {"alpha": "preview", "beta": "preview", "deprecated": "deprecated"}


class BadListError(ValueError):
    """The document is not the list that its source should send."""


def catwalk(document: object, known: frozenset[str]) -> Vendors:
    """`GET /v2/providers`: a bare array of vendors. Only vendors of `known` are taken."""
    if not isinstance(document, list):
        raise BadListError("not a list of vendors")
    found: Vendors = {}
    for raw in map(read.mapping, document):
        name = read.text(raw, "id") or ""
        vendor = _CATWALK.get(name, name)
        if vendor in known and (name != vendor or vendor not in found):
            found[vendor] = models_of(read.items(raw.get("models")), _catwalk_model)
    return found


def modelsdev(document: object, known: frozenset[str]) -> Vendors:
    """`api.json`: vendor id → vendor with `models`: id → model."""
    if not isinstance(document, dict):
        raise BadListError("not an object of vendors")
    found: Vendors = {}
    for name, raw in document.items():
        vendor = _MODELSDEV.get(name, name)
        models = read.mapping(raw).get("models")
        if vendor in known and isinstance(models, dict):
            found[vendor] = models_of(
                [{"id": key, **read.mapping(model)} for key, model in models.items()], _modelsdev_model
            )
    return found


def openrouter(document: object, known: frozenset[str]) -> Vendors:
    """`GET /api/v1/models`: `{data: […]}`, all of one vendor."""
    data = read.mapping(document).get("data")
    if not isinstance(data, list):
        raise BadListError("no `data` with models")
    return {"openrouter": models_of(data, _openrouter_model)} if "openrouter" in known else {}


def models_of(entries: list[object], translate: Callable[[Raw], ModelInfo | None]) -> Models:
    """The models by id; one that is broken is left out. Refused when most are."""
    found: Models = {}
    bad = 0
    for entry in entries:
        try:
            model = translate(read.mapping(entry)) if isinstance(entry, dict) else None
        except (ValueError, TypeError, ArithmeticError, AttributeError, KeyError):
            model = None
        if model is None:
            bad += 1
        else:
            found.setdefault(model.id, model)
    if bad > len(found):
        raise BadListError(f"{bad} of {len(entries)} models cannot be read")
    return found


def _catwalk_model(raw: Raw) -> ModelInfo | None:
    """A Catwalk model; its service fills in zeros where it knows nothing, and speaks of two abilities only."""
    name = read.model_id(raw.get("id"))
    if name is None:
        return None
    try:
        price = read.priced(price_from(raw))
    except BadCatalogError:
        price = None
    can, marks = read.abilities(
        {"reasoning": raw.get("can_reason"), "vision": raw.get("supports_attachments")}
    )
    info = ModelInfo(
        id=name,
        name=read.text(raw, "name"),
        context_window=read.count(raw, "context_window"),
        default_max_tokens=read.count(raw, "default_max_tokens"),
        price=price,
        capabilities=can,
        reasoning_levels=read.words(raw.get("reasoning_levels")),
    )
    return read.with_marks(info, marks)


def _modelsdev_model(raw: Raw) -> ModelInfo | None:
    name = read.model_id(raw.get("id"))
    if name is None:
        return None
    limit, modalities = read.mapping(raw.get("limit")), read.mapping(raw.get("modalities"))
    taken, given = read.words(modalities.get("input")), read.words(modalities.get("output"))
    can, marks = read.abilities(
        {
            "tools": raw.get("tool_call"),
            "reasoning": raw.get("reasoning"),
            "json": raw.get("structured_output"),
            "vision": "image" in taken if taken else None,
            "audio": "audio" in taken if taken else None,
        }
    )
    info = ModelInfo(
        id=name,
        name=read.text(raw, "name"),
        context_window=read.count(limit, "context"),
        max_input=read.count(limit, "input"),
        max_output=read.count(limit, "output"),
        price=read.priced(_modelsdev_price(read.mapping(raw.get("cost")))),
        capabilities=can,
        modalities_in=taken,
        modalities_out=given,
        status=_STATUS.get(raw.get("status")),
        release_date=read.date(raw, "release_date"),
        knowledge_cutoff=read.date(raw, "knowledge"),
        open_weights=weights if isinstance(weights := raw.get("open_weights"), bool) else None,
        family=read.text(raw, "family", 60),
    )
    return read.with_marks(info, marks)


def _modelsdev_price(cost: Raw) -> Price | None:
    tiers = [
        (size, tier)
        for tier in map(read.mapping, read.items(cost.get("tiers")))
        if (size := read.count(read.mapping(tier.get("tier")), "size")) is not None
    ]
    if not tiers and (over := read.mapping(cost.get("context_over_200k"))):
        tiers = [(200_000, over)]
    rates = _modelsdev_rates(cost)
    steps = [{"over_input_tokens": size, **_modelsdev_rates(tier)} for size, tier in sorted(tiers, key=_size)]
    return Price.model_validate({**rates, "tiers": steps}) if rates else None


def _size(tier: tuple[int, Raw]) -> int:
    return tier[0]


def _modelsdev_rates(cost: Raw) -> dict[str, Decimal]:
    return _rates(
        cost,
        {"input": "input", "output": "output", "cache_read": "cache_read", "cache_write": "cache_write",
         "reasoning": "reasoning", "input_audio": "audio_input"},
        read.usd,
    )  # fmt: skip


def _openrouter_model(raw: Raw) -> ModelInfo | None:
    name = read.model_id(raw.get("id"))
    if name is None:
        return None
    shape, top = read.mapping(raw.get("architecture")), read.mapping(raw.get("top_provider"))
    taken, given = read.words(shape.get("input_modalities")), read.words(shape.get("output_modalities"))
    named = read.words(raw.get("supported_parameters"))
    can, marks = read.abilities(
        {
            "tools": "tools" in named if named else None,
            "reasoning": "reasoning" in named if named else None,
            "json": "structured_outputs" in named or "response_format" in named if named else None,
            "vision": "image" in taken if taken else None,
            "audio": "audio" in taken if taken else None,
        }
    )
    ends = read.day(raw, "expiration_date")
    info = ModelInfo(
        id=name,
        name=read.text(raw, "name"),
        context_window=read.count(raw, "context_length"),
        max_output=read.count(top, "max_completion_tokens"),
        price=_openrouter_price(read.mapping(raw.get("pricing"))),
        capabilities=can,
        modalities_in=taken,
        modalities_out=given,
        status="deprecated" if ends else None,
        shutdown_date=ends,
        knowledge_cutoff=read.date(raw, "knowledge_cutoff"),
    )
    return read.with_marks(info, marks)


def _openrouter_price(pricing: Raw) -> Price | None:
    """Its zeros are meant (free variants); a negative price is that of a router, which nobody knows beforehand."""
    rates = _openrouter_rates(pricing)
    if "input" not in rates or "output" not in rates:
        return None
    steps = [
        (size, step)
        for step in map(read.mapping, read.items(pricing.get("overrides")))
        if (size := read.count(step, "min_prompt_tokens")) is not None
    ]
    tiers = [
        {"over_input_tokens": size, **_openrouter_rates(step)} for size, step in sorted(steps, key=_size)
    ]
    return Price.model_validate(
        {
            **rates,
            "tiers": tiers,
            "per_1k_requests": read.amount(pricing.get("request"), Decimal(1000)) or None,
            "per_1k_web_searches": read.amount(pricing.get("web_search"), Decimal(1000)) or None,
        }
    )


def _openrouter_rates(pricing: Raw) -> dict[str, Decimal]:
    return _rates(
        pricing,
        {"prompt": "input", "completion": "output", "input_cache_read": "cache_read",
         "input_cache_write": "cache_write", "input_cache_write_1h": "cache_write_1h",
         "internal_reasoning": "reasoning", "audio": "audio_input"},
        read.per_token,
    )  # fmt: skip


def _rates(
    raw: Raw, names: Mapping[str, str], amount: Callable[[Raw, str], Decimal | None]
) -> dict[str, Decimal]:
    """Our bucket → amount. Input and output may be 0 (free); 0 elsewhere is a list that does not know."""
    found = {ours: amount(raw, theirs) for theirs, ours in names.items()}
    return {
        ours: value
        for ours, value in found.items()
        if value is not None and (value or ours in ("input", "output"))
    }
