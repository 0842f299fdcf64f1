"""The JSON shapes of providers, models, runs and the rest (CLI contract): keys may be added, none renamed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.failures import document as error_document
from cli.output import plain_decimal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from adapters.base import Validation
    from adapters.events import ToolCall
    from adapters.speed import Speed
    from catalog.merge import ModelDiff
    from catalog.types import ModelInfo, Price
    from catalog.usage import Usage
    from services.models import ModelView
    from services.registry import ProviderView
    from services.run_events import AttemptView, RunResult
    from services.sync import SyncResult
    from services.tool_loop import ToolAnswer
    from store.sync_runs import SyncRunRow

Document = dict[str, object]


def usd(amount: Decimal | None) -> str | None:
    """Money with nine decimals; None is unknown."""
    from catalog.money import usd_string

    return usd_string(amount)


def moment(ms: int | None) -> str | None:
    """ISO-8601 UTC."""
    from services.clock import iso

    return iso(ms)


def provider(view: ProviderView) -> Document:
    """One row of `providers list`."""
    row = view.row
    return {
        "slug": row.slug,
        "name": row.name,
        "type": row.catalog_id or row.dialect,
        "dialect": row.dialect,
        "url": row.endpoint,
        "enabled": row.enabled,
        "state": view.state,
        "key": key(row.key_ref, row.key_last4),
        "models": {"enabled": view.models_enabled, "total": view.models_total},
        "auto_sync": row.auto_sync,
        "last_validated_at": moment(row.last_validated_at),
        "last_sync": _last_sync(view.last_sync),
    }


def provider_detail(view: ProviderView) -> Document:
    """`providers show`: the row, and every option that was set."""
    row = view.row
    return {
        **provider(view),
        "state_message": row.state_message,
        "region": row.region,
        "labels": dict(row.labels),
        "headers": dict(row.headers),
        "secret_headers": sorted(row.secret_headers),
        "options": dict(row.options),
        "timeout_s": row.timeout_s,
        "retries": row.retries,
        "proxy": row.proxy,
        "ca_file": row.ca_file,
        "allow_http": row.allow_http,
        "cost_mode": row.cost_mode,
        "gpu_hour_usd": nanos(row.gpu_hour_nanos),
        "discount_pct": row.discount_pct,
        "default_model": row.default_model,
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
    }


def nanos(amount: int | None) -> str | None:
    """Nano-dollars as money."""
    from catalog.money import from_nanos

    return None if amount is None else usd(from_nanos(amount))


def key(reference: str | None, last4: str | None) -> Document | None:
    """Where a key is kept and how it ends; None: called without one."""
    if reference is None:
        return None
    source, _, name = reference.partition(":")
    document: Document = {"source": source, "last4": last4}
    if source == "env":
        document["name"] = name
    return document


def _last_sync(run: SyncRunRow | None) -> Document | None:
    if run is None:
        return None
    error: Document | None = None
    if run.error_code is not None:
        error = {
            "code": run.error_code,
            "title": None,
            "message": run.error_message,
            "hint": None,
            "provider": run.provider,
            "status": None,
        }
    return {"at": moment(run.started_at), "state": run.state, "error": error}


def validation(result: Validation) -> Document:
    """The outcome of a test."""
    return {
        "ok": result.ok,
        "state": result.state,
        "message": result.message,
        "latency_ms": result.latency_ms,
        "error": None if result.error is None else error_document(result.error),
    }


def model(view: ModelView) -> Document:
    """One row of `models list`."""
    status = (view.info.status or "active") if view.available else "unavailable"
    return {
        "ref": view.ref,
        "provider": view.provider,
        **model_facts(view.info),
        "enabled": view.enabled,
        "status": status,
        "sources": dict(view.info.sources),
    }


def model_facts(info: ModelInfo) -> Document:
    """What is known of a model, whoever serves it."""
    return {
        "id": info.id,
        "name": info.name or info.id,
        "context_window": info.context_window,
        "max_output": info.max_output,
        "price": price(info.price),
        "capabilities": list(info.capabilities or ()),
    }


def price(listed: Price | None) -> Document | None:
    """USD per million tokens in force today: base tier, peak hours, no batch; other rules as added keys."""
    if listed is None:
        return None
    from datetime import UTC, datetime

    from catalog.pricing import price_at

    now = price_at(listed, datetime.now(UTC).date())
    buckets = ("input", "output", "cache_read", "cache_write")
    document: Document = {bucket: plain_decimal(getattr(now, bucket)) for bucket in buckets}
    if now.tiers:
        document["tiers"] = [
            {
                "over_input_tokens": tier.over_input_tokens,
                "marginal": tier.marginal,
                **{bucket: plain_decimal(getattr(tier, bucket)) for bucket in buckets},
            }
            for tier in now.tiers
        ]
    if now.batch is not None:
        document["batch"] = {bucket: plain_decimal(getattr(now.batch, bucket)) for bucket in buckets}
    if now.off_peak is not None:
        document["off_peak"] = {bucket: plain_decimal(getattr(now.off_peak, bucket)) for bucket in buckets}
    if now.scheduled:
        document["scheduled"] = [
            {
                "from": change.from_date,
                **{bucket: plain_decimal(getattr(change, bucket)) for bucket in buckets},
            }
            for change in now.scheduled
        ]
    if now.per_1k_requests is not None:
        document["per_request"] = plain_decimal(now.per_1k_requests.scaleb(-3))
    return document


def sync(result: SyncResult) -> Document:
    """One provider's sync."""
    return {
        "slug": result.slug,
        "state": result.state,
        "list": "live" if result.listed else "catalog",
        "total": result.total,
        "added": result.added,
        "updated": result.updated,
        "removed": result.removed,
        "duration_ms": result.duration_ms,
        "error": None if result.error is None else error_document(result.error),
        "diff": _diff(result.diff),
    }


def _diff(diff: ModelDiff | None) -> Document:
    if diff is None:
        return {"added": [], "removed": [], "updated": []}
    return {
        "added": list(diff.added),
        "removed": list(diff.removed),
        "updated": [
            {
                "id": change.id,
                "field": change.field,
                "old": field_value(change.old),
                "new": field_value(change.new),
            }
            for change in diff.updated
        ],
    }


def field_value(value: object) -> object:
    """A field's value as JSON can say it."""
    from decimal import Decimal

    from catalog.types import Frozen

    match value:
        case Frozen():
            return value.model_dump(mode="json", exclude_defaults=True)
        case Decimal():
            return plain_decimal(value)
        case tuple() | list() | set() | frozenset():
            return [field_value(item) for item in value]
        case None | bool() | int() | float() | str():
            return value
        case _:
            return str(value)


def usage(used: Usage) -> Document:
    """Tokens by bucket; None where the vendor did not say."""
    return {
        "input": used.input,
        "output": used.output,
        "cache_read": used.cache_read,
        "cache_write": used.cache_write,
        "reasoning": used.reasoning,
    }


def tool_call(call: ToolCall) -> Document:
    """A finished call: `arguments` is an object, or the raw text where it is none."""
    from services.tool_loop import arguments_of

    parsed = arguments_of(call)
    return {"id": call.id, "name": call.name, "arguments": call.arguments if parsed is None else parsed}


def tool_answer(answer: ToolAnswer) -> Document:
    """What a call was answered with."""
    return {
        "id": answer.call_id,
        "name": answer.name,
        "text": answer.text,
        "is_error": answer.failed,
        "mocked": answer.mocked,
    }


def tool_round(number: int, result: RunResult, answers: Sequence[ToolAnswer]) -> Document:
    """One round of `tool_history`: what the model wanted, what it got, and what asking it cost."""
    return {
        "round": number,
        "run_id": result.run_id,
        "text": result.text,
        "thinking": result.thinking,
        "tool_calls": [tool_call(call) for call in result.tool_calls],
        "results": [tool_answer(answer) for answer in answers],
        "usage": usage(result.usage),
        "cost_usd": usd(result.cost),
        "cost_grade": result.grade,
    }


def attempt(view: AttemptView) -> Document:
    """One attempt of a run."""
    return {
        "model": view.model,
        "state": view.state,
        "status": view.status,
        "request_id": view.request_id,
        "served_by": view.served_by,
        "retry_after_ms": view.retry_after_ms,
        "error": None if view.error is None else error_document(view.error),
    }


def server(speed: Speed) -> Document:
    """What the server measured of its answer itself."""
    return {
        "load_ms": speed.load_ms,
        "prompt_tok_s": speed.prompt_tok_s,
        "output_tok_s": speed.output_tok_s,
    }


def run(result: RunResult) -> Document:
    """`chat --json`: the run, and `error` where it failed."""
    document: Document = {
        "run_id": result.run_id,
        "model": result.model,
        "text": result.text,
        "thinking": result.thinking,
        "tool_calls": [tool_call(call) for call in result.tool_calls],
        "state": result.state,
        "finish_reason": result.finish_reason,
        "usage": usage(result.usage),
        "cost_usd": usd(result.cost),
        "cost_grade": result.grade,
        "ttft_ms": result.ttft_ms,
        "duration_ms": result.duration_ms,
        "cached": result.cached,
        "server": None if result.speed is None else server(result.speed),
        "attempts": [attempt(view) for view in result.attempts],
    }
    if result.note is not None:
        document["note"] = result.note
    if result.error is not None:
        document["error"] = error_document(result.error)
    return document
