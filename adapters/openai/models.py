"""What a compatible server's model list says about its models (WIRE section 9), and nothing it does not say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from adapters.base import RemoteModel
from adapters.counts import money, plain
from adapters.entries import Entry, at, first, mentions, number, text
from adapters.openai.model_details import details, fingerprint
from catalog.plaintext import one_line
from catalog.types import Price, Tier

LISTS = ("data", "models")
"""Under which names servers put the list."""
_CONTEXT = ("context_length", "context_window", "max_model_len", "max_context_length", "max_prompt_length",
            "limits.max_context_length", "metadata.context_length", "meta.n_ctx", "meta.n_ctx_train",
            "top_provider.context_length")  # fmt: skip
_OUTPUT = ("top_provider.max_completion_tokens", "max_completion_tokens", "max_output_tokens",
           "limits.max_completion_tokens", "metadata.max_tokens")  # fmt: skip
_INPUT = ("max_input_tokens", "inputTokenLimit", "limits.max_input_tokens")
_FLAGS = {
    "tools": ("capabilities.function_calling", "capabilities.tools", "supports_tools", "capabilities.trained_for_tool_use"),
    "vision": ("capabilities.vision", "supports_image_input", "supports_image_in", "supports_vision"),
    "reasoning": ("capabilities.reasoning", "supports_reasoning"),
    "audio": ("capabilities.audio", "supports_audio_input"),
}  # fmt: skip
_LISTS = ("supported_parameters", "supported_features", "features", "tags", "capabilities", "architecture.input_modalities", "input_modalities")  # fmt: skip
_WORDS = {
    "tools": {"tools", "tool_choice", "tool-use", "function_calling", "tool_use"},
    "reasoning": {"reasoning", "include_reasoning", "thinking"},
    "json": {"structured_outputs", "response_format", "json_mode", "structured-outputs"},
    "vision": {"vision", "image"},
    "audio": {"audio"},
    "embeddings": {"embedding", "embeddings"},
}
_NOT_CHAT = frozenset({"embedding", "embeddings", "image", "audio", "rerank", "moderation", "transcribe", "transcription", "video", "speech"})  # fmt: skip
_CHAT = frozenset({"chat", "llm", "vlm", "language", "text"})


def read_models(body: object) -> tuple[list[RemoteModel], int]:
    """(models, how many entries could not be read) of `{data: […]}`, `{models: […]}` or a bare array.

    Raises ValueError when the body is no list of models at all.
    """
    return read_entries(entries_of(body))


def entries_of(body: object) -> list[object]:
    """The entries of a page. Raises ValueError when the body is no list of models at all."""
    entries = body
    if isinstance(body, dict):
        entries = next((body[name] for name in LISTS if isinstance(body.get(name), list)), None)
    if not isinstance(entries, list):
        raise ValueError("not a list of models")  # noqa: TRY004  a wire is wrong, not a caller
    return entries


def read_entries(entries: Sequence[object]) -> tuple[list[RemoteModel], int]:
    """(models, each id once; how many entries could not be read)."""
    models: dict[str, RemoteModel] = {}
    bad = 0
    for entry in entries:
        model = _safe(entry)
        if model is None:
            bad += 1
        else:
            models.setdefault(model.id, model)
    return list(models.values()), bad


def _safe(entry: object) -> RemoteModel | None:
    """One entry; None when it is broken, so that the others stay."""
    if isinstance(entry, str):
        entry = {"id": entry}
    if not isinstance(entry, dict):
        return None
    try:
        return _model(entry)
    except (ValueError, TypeError, OverflowError, ArithmeticError):
        return None


def _model(entry: Entry) -> RemoteModel | None:
    name = next(
        (
            v
            for k in ("id", "model_id", "key", "name", "model")
            if isinstance(v := entry.get(k), str) and v.strip()
        ),
        None,
    )
    if name is None or len(name) > 512:
        return None
    said = _capabilities(entry)
    more = details(entry)
    return RemoteModel(
        id=one_line(name, 512),
        name=_label(entry),
        context_window=number(entry, _CONTEXT),
        max_output=number(entry, _OUTPUT),
        price=_price(entry),
        capabilities=tuple(sorted(said)) if said is not None else None,
        chat=_chat(entry),
        owned_by=text(entry.get("owned_by")),
        created=_created(entry.get("created")),
        status=_status(entry),
        shutdown_date=_date(
            first(entry, ("shutdown_date", "deprecation", "expiration_date", "deprecation_date"))
        ),
        max_input=number(entry, _INPUT),
        fingerprint=fingerprint(entry, more),
        details=more,
    )


def _label(entry: Entry) -> str | None:
    label = text(first(entry, ("display_name", "displayName", "name")))
    return label if label != entry.get("id") else None


def _words(entry: Entry) -> set[str] | None:
    """The abilities that lists name, in servers' words; None when no list names one we know (llama.cpp lists
    only `completion`, which says nothing about the others)."""
    if not mentions(entry, _LISTS):
        return None
    found: set[str] = set()
    for name in _LISTS:
        value = at(entry, name)
        if isinstance(value, list):
            found |= {word.lower() for word in value if isinstance(word, str)}
    return found if any(found & names for names in _WORDS.values()) else None


def _capabilities(entry: Entry) -> set[str] | None:
    words = _words(entry)
    said: set[str] = set()
    stated = words is not None
    for capability, paths in _FLAGS.items():
        if not mentions(entry, paths):
            continue
        flag = next((value for path in paths if isinstance(value := at(entry, path), bool)), None)
        stated = stated or flag is not None
        if flag:
            said.add(capability)
    for capability, names in _WORDS.items():
        if words and words & names:
            said.add(capability)
    kind = entry.get("type")
    if kind in ("embedding", "embeddings"):
        stated = True
        said.add("embeddings")
    elif kind == "vlm":  # LM Studio's word for a model that sees
        stated = True
        said.add("vision")
    return said if stated else None


def _chat(entry: Entry) -> bool | None:
    for path in ("capabilities.completion_chat", "supports_chat"):
        flag = at(entry, path)
        if isinstance(flag, bool):
            return flag
    kind = str(entry.get("type", "")).lower()
    if kind in _CHAT:
        return True
    return False if kind in _NOT_CHAT else None


def _status(entry: Entry) -> str | None:
    if entry.get("active") is False:
        return "retired"
    return "deprecated" if entry.get("deprecated") is True or entry.get("is_deprecated") is True else None


def _created(value: object) -> int | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 10**11:
        return int(value)
    return None


def _date(value: object) -> str | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 10**8 < value < 10**11:
        return datetime.fromtimestamp(value, UTC).date().isoformat()
    return text(value, 40)


def _price(entry: Entry) -> Price | None:
    """Where the unit is beyond doubt: per token (`prompt`, or `input` as a text), per million (`input` as a number
    beside Together's `hourly`; DeepInfra), xAI's integers. Negative or missing: no price."""
    pricing = entry.get("pricing")
    million = Decimal(1_000_000)
    if isinstance(pricing, dict):
        if "prompt" in pricing and "completion" in pricing:
            names = ("prompt", "completion", "input_cache_read", "input_cache_write")
            price = _rates(pricing, names, million)
            return None if price is None else _with_rules(price, pricing, million)
        if isinstance(pricing.get("input"), str) and isinstance(pricing.get("output"), str):
            return _rates(pricing, ("input", "output", "input_cache_read", "input_cache_write"), million)
        if "hourly" in pricing and "input" in pricing:
            return _rates(pricing, ("input", "output", "cached_input", ""), Decimal(1))
    deep = at(entry, "metadata.pricing")
    if isinstance(deep, dict):
        return _rates(deep, ("input_tokens", "output_tokens", "cache_read_tokens", ""), Decimal(1))
    if "prompt_text_token_price" in entry:
        names = (
            "prompt_text_token_price",
            "completion_text_token_price",
            "cached_prompt_text_token_price",
            "",
        )
        return _rates(entry, names, Decimal(1) / 10_000)
    return None


def _rates(pricing: Mapping[str, object], names: tuple[str, str, str, str], factor: Decimal) -> Price | None:
    paid_in, paid_out, read, write = (money(pricing.get(name)) if name else None for name in names)
    if paid_in is None or paid_out is None:
        return None
    rates = [
        None if amount is None else plain(amount * factor) for amount in (paid_in, paid_out, read, write)
    ]
    if any(rate is not None and rate > 10_000 for rate in rates):
        return None  # not the unit it was taken for
    return Price(input=rates[0], output=rates[1], cache_read=rates[2], cache_write=rates[3])


def _with_rules(price: Price, pricing: Mapping[str, object], factor: Decimal) -> Price:
    """OpenRouter's further rates, where they are more than the 0 it writes for “not apart”, and those of long prompts."""
    names = {
        "cache_write_1h": "input_cache_write_1h",
        "reasoning": "internal_reasoning",
        "audio_input": "audio",
        "per_1k_requests": "request",
    }
    stated = {ours: money(pricing.get(theirs)) for ours, theirs in names.items()}
    units = {"per_1k_requests": Decimal(1_000)}
    more: dict[str, object] = {
        ours: plain(amount * units.get(ours, factor)) for ours, amount in stated.items() if amount
    }
    steps = pricing.get("overrides")
    tiers = [
        tier
        for step in (steps if isinstance(steps, list) else [])
        if (tier := _tier(step, factor)) is not None
    ]
    return price.model_copy(update={**more, "tiers": tuple(tiers)})


def _tier(step: object, factor: Decimal) -> Tier | None:
    """Rates from a size of the prompt on; None: they depend on something else, or cannot be read."""
    over = step.get("min_prompt_tokens") if isinstance(step, dict) else None
    if not isinstance(step, dict) or not isinstance(over, int) or isinstance(over, bool) or over < 0:
        return None
    names = ("prompt", "completion", "input_cache_read", "input_cache_write", "input_cache_write_1h")
    rates = [None if (rate := money(step.get(name))) is None else plain(rate * factor) for name in names]
    if rates[0] is None or any(rate is not None and rate > 10_000 for rate in rates):
        return None
    return Tier(
        over_input_tokens=over,
        input=rates[0],
        output=rates[1],
        cache_read=rates[2],
        cache_write=rates[3],
        cache_write_1h=rates[4],
    )
