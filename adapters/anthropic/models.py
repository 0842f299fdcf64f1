"""What this dialect's model list says (WIRE section 3): pages by `after_id`, limits, abilities, and how long a model lives."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

from adapters.anthropic.request import Known
from adapters.anthropic.thinking import Mode
from adapters.base import RemoteModel
from adapters.entries import Entry, at, number, text
from adapters.errors import UnexpectedResponseError
from adapters.openai.models import entries_of, read_entries
from adapters.openai.page_json import read_json
from catalog.plaintext import one_line

PAGE = 1_000
"""Models a page; the most the vendor gives."""
MOST_PAGES = 100
AT_ONCE = 64
"""Models that are read without a pause, so that a page of a thousand holds nothing up."""
Ask = Callable[[Mapping[str, str]], Awaitable[tuple[Mapping[str, str], bytes]]]
"""Asks for the page with these parameters: its headers and body. Raises ProviderError."""
_ABILITIES = {
    "vision": "capabilities.image_input.supported",
    "reasoning": "capabilities.thinking.supported",
    "json": "capabilities.structured_outputs.supported",
}


async def whole_list(ask: Ask, slug: str) -> tuple[list[RemoteModel], dict[str, Known]]:
    """Every page's models, each once, and what is needed of them later. A page that fails fails the whole list."""
    models: dict[str, RemoteModel] = {}
    known: dict[str, Known] = {}
    params = {"limit": str(PAGE)}
    seen: set[str] = set()
    while True:
        page = await read_json((await ask(params))[1], slug)
        try:
            entries = entries_of(page)
        except ValueError:
            raise _wrong(slug, "sent something that is not a list of models") from None
        before = len(models)
        for count, entry in enumerate(entries, 1):
            _take(entry, models, known)
            if count % AT_ONCE == 0:
                await asyncio.sleep(0)
        last = page.get("last_id") if isinstance(page, dict) and page.get("has_more") is True else None
        # A server that knows no pages answers the same list again and says that there is more.
        if not isinstance(last, str) or not last or len(models) == before:
            return list(models.values()), known
        if last in seen or len(seen) >= MOST_PAGES:
            raise _wrong(slug, "sent a list of models that has no end")
        seen.add(last)
        params = {"limit": str(PAGE), "after_id": last}


def _take(entry: object, models: dict[str, RemoteModel], known: dict[str, Known]) -> None:
    """One entry; other servers of this dialect list their models as OpenAI does. What cannot be read is left out."""
    if not isinstance(entry, dict):
        return
    try:
        own = entry.get("type") == "model" and "object" not in entry
        found = [_model(entry)] if own else read_entries([entry])[0]
        for model in found:
            if model is not None and models.setdefault(model.id, model) is model and own:
                known[model.id] = Known(model.max_output, _mode(entry))
    except (ValueError, TypeError, OverflowError):
        return


def _model(entry: Entry) -> RemoteModel | None:
    name = text(entry.get("id"), 512)
    if name is None:
        return None
    label = text(entry.get("display_name"))
    return RemoteModel(
        id=name,
        name=label if label != name else None,
        context_window=number(entry, ("max_input_tokens",)),
        max_output=number(entry, ("max_tokens",)),
        capabilities=_abilities(entry),
        chat=True,
        created=_moment(entry.get("created_at")),
        status=_status(entry),
        shutdown_date=_day(entry.get("retires_at")),
    )


def _abilities(entry: Entry) -> tuple[str, ...] | None:
    """None where none is spoken of. Every model of this list takes tools: there is no flag for them."""
    flags = {name: at(entry, path) for name, path in _ABILITIES.items()}
    if not any(isinstance(flag, bool) for flag in flags.values()):
        return None
    return tuple(sorted({"tools", *(name for name, flag in flags.items() if flag is True)}))


def _mode(entry: Entry) -> Mode | None:
    """How it is asked to think."""
    if at(entry, "capabilities.thinking.supported") is False:
        return "none"
    if at(entry, "capabilities.thinking.types.adaptive.supported") is True:
        return "adaptive"
    return "budget" if at(entry, "capabilities.thinking.types.enabled.supported") is True else None


def _status(entry: Entry) -> str | None:
    stage = entry.get("lifecycle")
    return stage if stage in ("deprecated", "retired") and isinstance(stage, str) else None


def _moment(value: object) -> int | None:
    """Unix seconds; the epoch itself stands for an unknown date."""
    try:
        then = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    seconds = int((then if then.tzinfo else then.replace(tzinfo=UTC)).timestamp())
    return seconds if seconds > 0 else None


def _day(value: object) -> str | None:
    return one_line(value, 40)[:10] if isinstance(value, str) and _moment(value) else None


def _wrong(slug: str, what: str) -> UnexpectedResponseError:
    return UnexpectedResponseError(
        f"{slug} {what}.", hint="Check the provider's URL and type.", provider=slug, status=200
    )
