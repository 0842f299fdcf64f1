"""Exact token counts from vendors that count a prompt for free: asked for beside everything else, kept by content."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import OrderedDict
from hashlib import blake2b
from time import monotonic
from typing import TYPE_CHECKING

from catalog.errors import SwitchroomError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.container import Services
    from services.run_events import RunRequest
    from store.providers import ProviderRow

log = logging.getLogger(__name__)

TIMEOUT_S = 5.0
"""Then the learned ratio has to do."""
REST_S = 60.0
"""How long a model is not asked again after it failed to count."""
LONG_REST_S = 3_600.0
"""How long not where the server has no such call."""
_NO_SUCH_CALL = (404, 405, 501)
MOST_KEPT = 512
AT_ONCE = 4
"""Counts that are under way together."""


class Counting:
    """Counts of this process. A failure is nobody's business: the estimate is then a guess with its error band."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._kept: OrderedDict[bytes, int] = OrderedDict()
        self._models: set[str] = set()
        """The models that anything is kept for."""
        self._rests: dict[str, float] = {}
        """Model → when it may be asked again."""
        self._dialects: dict[str, bool] = {}

    def known(self, request: RunRequest) -> int | None:
        """The count that is there already; never asks anybody."""
        if request.model not in self._models:
            return None
        return self._kept.get(_key(request))

    async def able(self, ref: str) -> bool:
        """Whether a model's vendor counts prompts and can be asked now, without a passphrase or a forbidden socket."""
        from services.models import split_ref

        if self._services.settings.chat.exact_counts == "off" or monotonic() < self._rests.get(ref, 0.0):
            return False
        try:
            row = await self._services.registry.row(split_ref(ref)[0])
            if not row.enabled or not await self._counts(row.dialect):
                return False
            return self._reachable(row.endpoint) and await self._at_hand(row)
        except SwitchroomError:
            return False

    async def count(self, request: RunRequest) -> int | None:
        """Input tokens as the vendor counts them; None where it does not, or not in time."""
        from services.models import split_ref

        key = _key(request)
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            return kept
        if not await self.able(request.model):
            return None
        slug, model_id = split_ref(request.model)
        rest = REST_S
        try:
            async with asyncio.timeout(TIMEOUT_S):
                tokens = await self._ask(slug, model_id, request)
        except (TimeoutError, SwitchroomError) as error:
            log.info("%s did not count a prompt: %s", request.model, type(error).__name__)
            tokens = None
            rest = _rest(error)
        except Exception:  # a plug-in may raise anything
            log.exception("a prompt could not be counted")
            tokens = None
        if tokens is None:
            self._rests[request.model] = monotonic() + rest
            return None
        self._kept[key] = tokens
        self._models.add(request.model)
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return tokens

    async def count_all(self, requests: Sequence[RunRequest]) -> None:
        """Count these, a few at a time, so that their estimates are exact; returns when all are in or given up."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(request: RunRequest) -> None:
            async with gate:
                await self.count(request)

        try:
            async with asyncio.timeout(TIMEOUT_S):
                await asyncio.gather(*(one(request) for request in requests))
        except TimeoutError:
            pass

    async def _ask(self, slug: str, model_id: str, request: RunRequest) -> int | None:
        from adapters.abilities import CountsTokens
        from adapters.events import ChatRequest

        adapter = await self._services.registry.adapter(slug)
        if not isinstance(adapter, CountsTokens):
            return None
        tokens = await adapter.count_tokens(
            ChatRequest(
                model=model_id,
                messages=request.messages,
                system=request.system,
                max_tokens=request.max_tokens,
                reasoning_effort=request.reasoning_effort,
                tools=request.tools,
                tool_choice=request.tool_choice,
                json_schema=request.json_schema,
            )
        )
        return tokens if tokens > 0 else None

    async def _counts(self, dialect: str) -> bool:
        """Whether the code of a dialect counts at all; imported elsewhere, so that the screen goes on."""
        known = self._dialects.get(dialect)
        if known is None:
            from adapters.abilities import CountsTokens
            from adapters.loader import can

            known = self._dialects[dialect] = await asyncio.to_thread(can, dialect, CountsTokens)
        return known

    async def _at_hand(self, row: ProviderRow) -> bool:
        """Whether everything secret that a call takes is there without asking for a passphrase."""
        refs = (row.key_ref, row.proxy, row.sign_in_ref, *row.secret_headers.values())
        return all([await self._services.credentials.at_hand(ref) for ref in refs])

    def _reachable(self, endpoint: str) -> bool:
        from urllib.parse import urlsplit

        return self._services.offline.reaches(urlsplit(endpoint).hostname or "")


def _rest(error: Exception) -> float:
    """Seconds until it is worth asking again."""
    if isinstance(error, SwitchroomError) and error.status in _NO_SUCH_CALL:
        return LONG_REST_S
    return max(REST_S, (getattr(error, "retry_after_ms", None) or 0) / 1000)


def _key(request: RunRequest) -> bytes:
    """What a count depends on, as a short digest: the prompt itself is not kept."""
    digest = blake2b(digest_size=16)
    parts: list[object] = [
        request.model,
        request.system,
        request.tool_choice,
        request.reasoning_effort,
        None if request.json_schema is None else dict(request.json_schema),
        [(tool.name, tool.description, dict(tool.parameters)) for tool in request.tools],
    ]
    for message in request.messages:
        calls = [(call.id, call.name, call.arguments) for call in message.tool_calls]
        kept = message.keepsake.content if message.keepsake is not None else None
        parts.append(
            [
                message.role,
                message.text,
                calls,
                message.tool_call_id,
                message.is_error,
                message.thinking,
                kept,
            ]
        )
        # Python keeps the hash of bytes: a large image is read once, not with every look
        parts += [(image.media_type, len(image.data), hash(image.data)) for image in message.images]
    digest.update(json.dumps(parts, default=str).encode())
    return digest.digest()
