"""Which known server is asked one more question about its models, and how its answer joins the list."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from urllib.parse import urlsplit

from adapters.base import Connection, RemoteModel
from adapters.errors import ProviderError
from adapters.openai.enrich_litellm import read_litellm
from adapters.openai.enrich_llama import read_props
from adapters.openai.enrich_lmstudio import read_lmstudio
from adapters.openai.models import entries_of, read_entries
from adapters.openai.vendors import vendor_id
from catalog.detect import is_loopback, is_private
from catalog.errors import SwitchroomError

log = logging.getLogger(__name__)

LONGEST = 5.0
"""Seconds for all further questions of one list."""
_MANY = 100
"""Models that are joined at once without anybody noticing."""
_ABSENT = (404, 405, 501)
_LISTED = re.compile(r"(/v\d+[a-z0-9]*)?/models$")
_OWN_PORTS = {1234: "lmstudio", 4000: "litellm"}
_OWNERS = {"llamacpp": "llamacpp", "organization_owner": "lmstudio"}

Read = Callable[[object, Sequence[RemoteModel]], Mapping[str, RemoteModel]]
"""(answer, models of the list) → what it says more, by model id. Raises ValueError for what it is not."""
Get = Callable[[str], Awaitable[object]]
"""The JSON document at a URL of the same server. Raises ProviderError."""


@dataclass(frozen=True, slots=True)
class Extra:
    """A further question."""

    paths: tuple[str, ...]
    """From the server's root; the first that is there."""
    read: Read


def _by_id(answer: object, _models: Sequence[RemoteModel]) -> Mapping[str, RemoteModel]:
    return {model.id: model for model in read_entries(entries_of(answer))[0]}


_EXTRAS = {
    "llamacpp": Extra(("/props",), read_props),
    "lmstudio": Extra(("/api/v1/models", "/api/v0/models"), read_lmstudio),
    "litellm": Extra(("/model/info", "/v1/model/info"), read_litellm),
    "xai": Extra(("/v1/language-models",), _by_id),
    "cerebras": Extra(("/public/v1/models",), _by_id),
}


def extra_for(
    connection: Connection, headers: Mapping[str, str], models: Sequence[RemoteModel]
) -> Extra | None:
    """The further question for a server that is known to understand it; None for all others."""
    return _EXTRAS.get(_server(connection, headers, models) or "")


def _server(connection: Connection, headers: Mapping[str, str], models: Sequence[RemoteModel]) -> str | None:
    if connection.catalog_id in _EXTRAS:
        return connection.catalog_id
    if any(name.lower().startswith("x-litellm") for name in headers):
        return "litellm"
    if headers.get("server", "").lower().startswith("llama.cpp"):
        return "llamacpp"
    split = urlsplit(connection.base_url)
    if is_loopback(split.hostname or "") or is_private(split.hostname or ""):
        owner = models[0].owned_by if models else None
        return _OWNERS.get(owner or "") or _OWN_PORTS.get(split.port or 0)
    return vendor_id(connection)


async def enriched(
    extra: Extra, get: Get, models_url: str, models: Sequence[RemoteModel]
) -> list[RemoteModel]:
    """The list with what the server says more; as it was (and marked `partial`) when asking fails."""
    root = _LISTED.sub("", models_url)
    for path in extra.paths:
        try:
            answer = await get(root + path)
            if (
                len(models) > _MANY
            ):  # takes tenths of a second for thousands: beside the screen, not before it
                return await asyncio.to_thread(_all_joined, extra, answer, models)
            return _all_joined(extra, answer, models)
        except ProviderError as error:
            if error.status in _ABSENT:
                continue
            log.warning("a further question about a model list failed: %s", type(error).__name__)
        except (SwitchroomError, ValueError, TypeError, AttributeError) as error:
            log.warning("an answer about a model list could not be read: %s", type(error).__name__)
        return [replace(model, partial=True) for model in models]
    return list(models)


def _all_joined(extra: Extra, answer: object, models: Sequence[RemoteModel]) -> list[RemoteModel]:
    more = extra.read(answer, models)
    return [joined(model, more.get(model.id)) for model in models]


_JOINED = tuple(
    field.name for field in fields(RemoteModel) if field.name not in ("id", "owned_by", "created", "details")
)


def joined(model: RemoteModel, more: RemoteModel | None) -> RemoteModel:
    """The model with what `more` says; of what both say, `more` knows better."""
    if more is None:
        return model
    said = {name: value for name in _JOINED if (value := getattr(more, name)) is not None}
    return replace(model, **said, details={**model.details, **more.details})
