"""How a vendor's refusal becomes one of our errors: typed code, then status, then wording, said in words for a person."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from adapters.errors.bodies import Said, said
from adapters.errors.table import CODES, LATE_CODES, PROBES, Kind, by_status
from adapters.errors.tree import (
    BadRequestError,
    ContentFilteredError,
    ContextTooLongError,
    InvalidCredentialsError,
    ModelUnavailableError,
    NetworkError,
    NoCreditError,
    OverloadedError,
    PermissionDeniedError,
    ProviderError,
    ProviderTimeoutError,
    RateLimitedError,
    ServerError,
    UnexpectedResponseError,
)
from adapters.errors.waits import retry_after_ms, wait_in_text, wait_ms
from catalog.plaintext import one_line
from catalog.redact import MASK, redact

EXCERPT = 200
"""Characters of a vendor's own words that are shown."""

_FINAL = (
    InvalidCredentialsError, PermissionDeniedError, NoCreditError, ModelUnavailableError, ContextTooLongError,
    ContentFilteredError,
)  # fmt: skip
"""What `x-should-retry: true` does not make worth repeating."""
_GENERAL = (BadRequestError, ServerError, UnexpectedResponseError)
_KEY_ECHO = re.compile(r"\S*(?:\*{2,}|…)\S*|(?<![\w-])[\w-]{2,}\.{3}[\w-]{2,}")
_LOADING = re.compile(r"\bloading (?:the )?model|model is (?:still )?loading", re.IGNORECASE)
"""llama.cpp's 503 (WIRE 9): it answers as soon as the weights are in memory."""
_LOADING_MS = 5_000
_NO_ACCESS = re.compile(r"inaccessible|no access|have access|permission", re.IGNORECASE)
_TAGS = re.compile(r"<(script|style)\b.*?</\1>|<[^>]{0,2000}>", re.IGNORECASE | re.DOTALL)
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_REQUEST_IDS = (
    "x-request-id",
    "request-id",
    "apim-request-id",
    "x-generation-id",
    "mistral-correlation-id",
    "x-litellm-call-id",
)


@dataclass(frozen=True, slots=True)
class Origin:
    """Who was asked, and for what: the names an error mentions."""

    slug: str
    model: str | None = None
    """None for requests about no model."""
    keyless: bool = False
    """True where no key was sent: then none can have been refused."""


def request_id(headers: Mapping[str, str]) -> str | None:
    """The vendor's id of the request, harmless; None when the answer has none."""
    for name in _REQUEST_IDS:
        value = headers.get(name)
        if value:
            return one_line(redact(value), 128)
    return None


def error_from_answer(
    origin: Origin, status: int, headers: Mapping[str, str], content: bytes
) -> ProviderError:
    """The error of an HTTP answer that is none of the dialect's: a status, headers and the (bounded) body."""
    text = content.decode("utf-8", "replace").strip("\ufeff \r\n\t")
    try:
        body: object = json.loads(text) if text[:1] in ("{", "[", '"') else None
    except (ValueError, RecursionError):
        body = None
    if body is None:
        body = _page_title(text) if _is_page(text) else text
    return _error(origin, said(body), status, headers, page=_is_page(text))


def error_from_body(origin: Origin, body: object, status: int, headers: Mapping[str, str]) -> ProviderError:
    """The error of a JSON body or of an error object inside a stream that began with status 200."""
    return _error(origin, said(body), status, headers, page=False)


def classify(facts: Said, status: int) -> Kind:
    """The class: by typed code, then status, then wording (WIRE section 11)."""
    status = facts.status if status < 400 and facts.status is not None else status
    for code in facts.codes:
        if code in CODES and not (status in (401, 403) and CODES[code] in _GENERAL):
            if status == 413 and CODES[code] is RateLimitedError:
                break  # Groq: this one request is over the tokens per minute, however often it is repeated
            if status == 500 and CODES[code] is ServerError:
                continue  # says no more than the status does: llama.cpp refuses pictures so
            return CODES[code]
    kind = by_status(status) if status >= 400 or not 200 <= status < 300 else ServerError
    for probe in PROBES:
        if probe.says(status, facts.message):
            kind = probe.kind
            break
    else:
        if kind in _GENERAL:
            kind = next((LATE_CODES[code] for code in facts.codes if code in LATE_CODES), kind)
    if kind is ModelUnavailableError and status == 404 and not _names_model(facts):
        return UnexpectedResponseError
    return kind


def _names_model(facts: Said) -> bool:
    return (
        re.search(r"model|deployment|engine|endpoints found|allowed providers", facts.message, re.IGNORECASE)
        is not None
    )


def _error(
    origin: Origin, facts: Said, status: int, headers: Mapping[str, str], *, page: bool
) -> ProviderError:
    kind = UnexpectedResponseError if page and status < 400 else classify(facts, status)
    shown = excerpt(facts.message, keys=kind is InvalidCredentialsError)
    message, hint = _words(kind, origin, facts, status, shown, page=page)
    if kind is UnexpectedResponseError and 300 <= status < 400:
        target = one_line(redact(headers.get("location", "")), 120)
        message = f"{origin.slug} redirects elsewhere ({status}); redirects are not followed, because they would take the key along."
        hint = f"If it is right, use the address it names: {target}" if target else None
    error = kind(
        message,
        hint=hint,
        provider=origin.slug,
        status=status if status >= 400 or facts.status is None else facts.status,
        retry_after_ms=_wait(kind, facts, headers),
        request_id=request_id(headers),
    )
    error.said = facts
    verdict = headers.get("x-should-retry", "").lower()
    if verdict == "false":
        error.retryable = False
    elif verdict == "true" and not isinstance(error, _FINAL):
        error.retryable = True
    return error


def _wait(kind: Kind, facts: Said, headers: Mapping[str, str]) -> int | None:
    wait = retry_after_ms(headers)
    if wait is None and issubclass(kind, (RateLimitedError, ServerError)):
        wait = wait_ms(facts.retry_delay)
        wait = wait_in_text(facts.message) if wait is None else wait
        if wait is None and kind is OverloadedError and _LOADING.search(facts.message):
            wait = _LOADING_MS
    return wait


def excerpt(text: str, *, keys: bool = False) -> str:
    """A vendor's words as they may be shown: one line, short, without secrets or (`keys`) echoes of parts of one."""
    line = redact(one_line(text[:4000], 4000))
    if keys:
        line = _KEY_ECHO.sub(MASK, line)
    return one_line(line, EXCERPT)


def _words(
    kind: Kind, origin: Origin, facts: Said, status: int, shown: str, *, page: bool
) -> tuple[str, str | None]:
    """(one sentence, the next step)."""
    who, model = origin.slug, f"the model {one_line(origin.model, 80)}" if origin.model else "the model"
    if page:
        shown = f"a web page{f' titled “{shown}”' if shown else ''}"
        quoted = f" It answered with {shown}."
    else:
        quoted = f" It says: “{shown}”" if shown else ""
    table: dict[Kind, tuple[str, str | None]] = {
        InvalidCredentialsError: (f"{who} refuses the key.{quoted}", f"Enter a new key for {who}."),
        PermissionDeniedError: (f"The key of {who} may not do this.{quoted}", "Use a key with the permission, or another provider."),
        NoCreditError: (f"{who} has no credit left, or a spending limit is reached.{quoted}", f"Add credit at {who}, or use another provider."),
        RateLimitedError: (f"{who} asks to slow down.{quoted}", "It is tried again when the wait is over."),
        OverloadedError: (f"{who} is out of capacity for the moment.{quoted}", "Try again shortly, or use another provider."),
        ModelUnavailableError: (f"{who} does not offer {model}.{quoted}", "Pick another model, or sync the provider."),
        ContextTooLongError: (_too_long(who, model, facts, status) + quoted, "Shorten the conversation, or pick a model with a larger context."),
        ContentFilteredError: (f"The content filter of {who} refused the request{_filter(facts)}.{quoted}", "Change the wording, or use another model."),
        BadRequestError: (f"{who} refuses the request ({status}).{quoted}", None),
        NetworkError: (f"The proxy wants a user name and a password.{quoted}", "Set the proxy's credentials."),
        ProviderTimeoutError: (f"{who} gave up waiting ({status}).{quoted}", "Try again."),
        ServerError: (f"{who} failed{f' ({status})' if status >= 400 else ' while answering'}.{quoted}", "Try again, or use another provider."),
    }  # fmt: skip
    if origin.keyless and status in (401, 403) and kind in (InvalidCredentialsError, PermissionDeniedError):
        return f"{who} answers {status}: it wants a sign-in.{quoted}", "Check the address."
    if kind is OverloadedError and _LOADING.search(facts.message):
        return f"{who} is still loading the model.", "Try again in a moment."
    if kind is ModelUnavailableError and _NO_ACCESS.search(facts.message):  # Fireworks (WIRE 9)
        return table[kind][0], "Pick another model, or check that the key may use this one."
    if kind is NoCreditError and facts.codes[:1] == ("quota_of_a_day",):  # Google (WIRE 4)
        return (
            f"The quota of the day at {who} for {model} is used up.{quoted}",
            "It is renewed once a day. Until then: another model or provider.",
        )
    if kind is NoCreditError and facts.codes[:1] == ("quota_of_nothing",):
        return (
            f"{who} gives {model} no quota on this plan.{quoted}",
            "Switch billing on there, or pick another model.",
        )
    if kind in table:
        return table[kind]
    if status == 404:
        return f"There is no such address at {who} (404).{quoted}", "Check the provider's URL and type."
    return (
        f"{who} sent an answer that was not expected ({status}).{quoted}",
        "Check the provider's URL and type.",
    )


def _filter(facts: Said) -> str:
    """` for hate (high) and self harm`, where the vendor says what it found."""
    found = [one_line(name.replace("_", " "), 60) for name in facts.filtered]
    return f" for {' and '.join(found)}" if found else ""


def _too_long(who: str, model: str, facts: Said, status: int) -> str:
    if facts.prompt_tokens and facts.context_tokens:
        return f"The prompt has {facts.prompt_tokens:,} tokens, and {model} takes {facts.context_tokens:,}."
    if status == 413:
        return f"The request is larger than {who} accepts."
    return f"The prompt is longer than {model} takes."


def _is_page(text: str) -> bool:
    return text[:1] == "<"


def _page_title(text: str) -> str:
    found = _TITLE.search(text[:20_000])
    return one_line(found[1] if found else _TAGS.sub(" ", text[:4_000]), EXCERPT)
