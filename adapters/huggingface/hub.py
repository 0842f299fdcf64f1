"""What the hub is asked: whose token it is, and which models there are; its refusals in words (WIRE section 7)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from time import monotonic

import httpx
from pydantic import SecretStr

from adapters.abilities import FoundModel
from adapters.base import Connection
from adapters.counts import count
from adapters.entries import text
from adapters.errors import (
    InvalidCredentialsError,
    ModelUnavailableError,
    Origin,
    PermissionDeniedError,
    ProviderError,
    RateLimitedError,
    UnexpectedResponseError,
    error_from_answer,
)
from adapters.fetch import Fetcher, parse_json
from catalog.plaintext import one_line
from catalog.redact import redact

TIMEOUT = 4.5
"""Seconds for one question."""
REMEMBERED = 300.0
"""Seconds that a good answer to whoami counts: the hub limits that call strictly."""
_SALT = secrets.token_bytes(32)
_known: dict[bytes, tuple[float, str]] = {}
"""Salted digest of hub and token → (until when, what was said). No token is kept, and no bad answer."""
_MOST = 64


class Hub:
    """The hub of one connection."""

    def __init__(self, connection: Connection, fetcher: Fetcher, client: httpx.AsyncClient, url: str) -> None:
        self._key = connection.key
        self._fetcher = fetcher
        self._client = client
        self._slug = connection.slug
        self.url = url

    async def whoami(self) -> str:
        """“The token ci of ada is accepted (fine-grained).” Raises what keeps it from being used."""
        mark = _digest(self.url, self._key)
        until, said = _known.get(mark, (0.0, ""))
        if monotonic() < until:
            return said
        said = whose_token(await self._get("/api/whoami-v2", {}, None), self._slug)
        if len(_known) >= _MOST:
            _known.clear()
        _known[mark] = (monotonic() + REMEMBERED, said)
        return said

    async def search(self, words: str, task: str | None, limit: int) -> list[FoundModel]:
        """Models that fit the words, the most downloaded first."""
        params = {"search": words, "limit": str(limit), "sort": "downloads", "direction": "-1"}
        if task is not None:
            params["filter"] = task
        answer = await self._get("/api/models", params, None)
        if not isinstance(answer, list):
            raise _odd(self._slug)
        return [model for entry in answer[:limit] if (model := _found(entry)) is not None]

    async def _get(self, path: str, params: Mapping[str, str], model: str | None) -> object:
        request = self._client.build_request("GET", self.url + path, params=params or None)
        origin = Origin(self._slug, model, keyless=self._key is None)
        status, headers, content = await self._fetcher.call(
            self._client, request, origin, timeout=TIMEOUT, limit=16 * 1024 * 1024
        )
        if status != 200:
            raise hub_error(origin, status, headers, content)
        return parse_json(content, self._slug)


def forget() -> None:
    """Let go of every remembered answer."""
    _known.clear()


def _digest(hub: str, key: SecretStr | None) -> bytes:
    told = key.get_secret_value() if key is not None else ""
    return hmac.new(_SALT, f"{hub}\n{told}".encode("utf-8", "replace"), hashlib.sha256).digest()


def whose_token(answer: object, slug: str) -> str:
    """What whoami says in one sentence. Raises PermissionDeniedError for a token that cannot run models."""
    if not isinstance(answer, dict) or not isinstance(answer.get("name"), str):
        raise _odd(slug)
    auth = answer.get("auth")
    token = auth.get("accessToken") if isinstance(auth, dict) else None
    token = token if isinstance(token, dict) else {}
    role = token.get("role")
    name = one_line(str(token.get("displayName") or ""), 60)
    called = f"The token {name}" if name else "The token"
    if role == "fineGrained" and not _may_infer(token.get("fineGrained")):
        raise PermissionDeniedError(
            f"{called} of {slug} may not run models: it lacks the permission for Inference Providers.",
            hint="Tick “Make calls to Inference Providers” for it at huggingface.co/settings/tokens, or enter another token.",
            provider=slug,
            status=200,
        )
    kind = {"fineGrained": "fine-grained", "read": "read", "write": "write"}.get(str(role), "")
    words = f"{called} of {one_line(answer['name'], 60)} is accepted{f' ({kind})' if kind else ''}."
    if answer.get("canPay") is False:
        words += " It cannot pay: only the month's free credits."
    elif (ends := _day(answer.get("periodEnd"))) is not None:
        words += f" Its billing period ends {ends}."
    return words


def _may_infer(fine: object) -> bool:
    """Whether any part of a fine-grained token lets models be run; one that says nothing is given the benefit."""
    if not isinstance(fine, dict):
        return True
    scoped = fine.get("scoped")
    granted = [fine.get("global"), *(part.get("permissions") for part in (scoped if isinstance(scoped, list) else ()) if isinstance(part, dict))]  # fmt: skip
    return any(
        isinstance(one, str) and one.startswith("inference.")
        for names in granted
        if isinstance(names, list)
        for one in names
    )


def _day(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 10**11:
        return None
    return datetime.fromtimestamp(value, UTC).date().isoformat()


def hub_error(origin: Origin, status: int, headers: Mapping[str, str], content: bytes) -> ProviderError:
    """The hub's refusals: X-Error-Code decides; its 401 also means that a model is missing or private."""
    general = error_from_answer(origin, status, headers, content)
    code = headers.get("x-error-code", "")
    said = one_line(redact(headers.get("x-error-message", "")), 200)
    quoted = f" It says: “{said}”" if said else ""
    what = f"the model {one_line(origin.model, 80)}" if origin.model else "what was asked for"
    facts = {"provider": origin.slug, "status": status, "request_id": general.request_id}
    if code == "GatedRepo":
        return PermissionDeniedError(
            f"{what[:1].upper()}{what[1:]} is gated: its owner lets people in one by one.{quoted}",
            hint=f"Ask for access at huggingface.co/{one_line(origin.model or '', 80)}.",
            **facts,  # type: ignore[arg-type]
        )
    words = f"{said} {general.said.message if general.said else ''}".lower()
    missing = status == 401 and origin.model is not None and "invalid" not in words
    if code in ("RepoNotFound", "RevisionNotFound", "EntryNotFound") or missing:
        return ModelUnavailableError(
            f"The hub has no {what.removeprefix('the ')}, or it is private and the token of {origin.slug} may not see it.{quoted}",
            hint="Check the name, and the token's permissions.",
            **facts,  # type: ignore[arg-type]
        )
    if status == 429 and isinstance(general, RateLimitedError):
        general.message = f"The hub asks {origin.slug} to slow down.{quoted}"
    if isinstance(general, InvalidCredentialsError):
        general.hint = "Make a new token at huggingface.co/settings/tokens, and enter it."
    return general


def _found(entry: object) -> FoundModel | None:
    if not isinstance(entry, dict):
        return None
    name = text(entry.get("id")) or text(entry.get("modelId"))
    if not name:
        return None
    gated = entry.get("gated")
    return FoundModel(
        id=one_line(name, 200),
        task=text(entry.get("pipeline_tag")),
        downloads=count(entry, "downloads"),
        likes=count(entry, "likes"),
        library=text(entry.get("library_name")),
        gated=gated if isinstance(gated, bool) else gated is not None,
    )


def _odd(slug: str) -> UnexpectedResponseError:
    return UnexpectedResponseError(
        f"The hub of {slug} sent an answer that was not expected.",
        hint="Check the option hub and HF_ENDPOINT.",
        provider=slug,
        status=200,
    )
