"""What each typed code, status and, last of all, wording means (WIRE section 11, vendor by vendor)."""

from __future__ import annotations

import re
from dataclasses import dataclass

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

Kind = type[ProviderError]

CODES: dict[str, Kind] = {
    name: kind
    for kind, names in {
        # OpenAI and who copies it; Anthropic types; LiteLLM types; Google reasons (WIRE 1, 3, 4, 9, 11)
        InvalidCredentialsError: "invalid_api_key authentication_error invalid_authentication invalid_token "
        "api_key_invalid unauthenticated unauthorized expired_key token_not_found_in_db no_db_connection "
        "incorrect_api_key account_deactivated",
        PermissionDeniedError: "permission_error failed_precondition billing_disabled insufficient_permissions access_denied "
        "key_model_access_denied team_model_access_denied user_model_access_denied service_disabled "
        "permissiondenied api_key_service_blocked unsupported_country_region_territory ip_not_authorized",
        NoCreditError: "insufficient_quota billing_hard_limit_reached credit_balance_exhausted billing_not_active "
        "organization_spend_limit_exceeded project_spend_limit_exceeded organization_usage_limit_exceeded "
        "billing_error budget_exceeded contract_spend_limit_reached enforced_spend_limit_reached "
        "quota_of_a_day quota_of_nothing "  # Google (WIRE 11), see bodies.py
        "insufficient_balance payment_required openrouter_credits openrouter_key_limit openrouter_guardrail_budget openrouter_workspace_budget "
        "insufficient_credits weight_exceeds_budget",
        RateLimitedError: "rate_limit_exceeded rate_limit_error rate_limited rate_limit slow_down "
        "quota_of_a_minute too_many_requests ramp_limit_exceeded openrouter_in_flight_budget in_flight_budget_exhausted 1300 3505",
        OverloadedError: "server_is_overloaded overloaded_error engine_overloaded provider_overloaded overloaded "
        "service_unavailable unavailable_error capacity_exceeded",
        ModelUnavailableError: "model_not_found deploymentnotfound model_decommissioned model_not_available "
        "invalid_model model_not_active model_deprecated model_terms_required",
        ContextTooLongError: "context_length_exceeded context_window_exceeded exceed_context_size_error "
        "string_above_max_length request_too_large max_tokens_exceeded",
        ContentFilteredError: "content_filter content_policy_violation responsibleaipolicyviolation "
        "content_moderation moderation_blocked content_filtered",
        ServerError: "server_error internal_server_error internal_error api_error bad_gateway",
        ProviderTimeoutError: "timeout_error deadline_exceeded request_timeout",
    }.items()
    for name in names.split()
}  # fmt: skip
"""Typed code, type or reason (lower case) → class. Asked first."""

LATE_CODES: dict[str, Kind] = {"permission_denied": PermissionDeniedError}
"""Codes that count only where wording found nothing: Google's says the same of a leaked key (WIRE 4)."""

STATUSES: dict[int, Kind] = {
    401: InvalidCredentialsError,
    402: NoCreditError,
    403: PermissionDeniedError,
    404: ModelUnavailableError,
    405: UnexpectedResponseError,
    407: NetworkError,
    408: ProviderTimeoutError,
    409: ServerError,
    410: ModelUnavailableError,
    412: NoCreditError,  # Fireworks: the account is suspended, or its spending limit is reached (WIRE 9)
    413: ContextTooLongError,
    429: RateLimitedError,
    498: OverloadedError,
    501: BadRequestError,
    503: OverloadedError,
    504: ProviderTimeoutError,
    529: OverloadedError,
}
"""Asked when no code decided. What is not named: other 4xx are refusals, other 5xx failures, the rest unexpected."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A wording that says more than the status; `statuses` empty: under any status."""

    pattern: re.Pattern[str]
    kind: Kind
    statuses: frozenset[int] = frozenset()

    def says(self, status: int, text: str) -> bool:
        return (not self.statuses or status in self.statuses) and self.pattern.search(text) is not None


def _probe(pattern: str, kind: Kind, *statuses: int) -> Probe:
    return Probe(re.compile(pattern, re.IGNORECASE), kind, frozenset(statuses))


PROBES: tuple[Probe, ...] = (
    # the context texts of WIRE 11, which come as 400, 403 (Together), 413, 422 or inside a stream
    _probe(
        r"maximum context length|exceed context limit|longer than the model's context length"
        r"|exceeds the (?:available context size|maximum number of tokens)"
        r"|input tokens exceed the configured limit|input length exceeds|(?:prompt|input) is too long|input too long"
        r"|context (?:length|window|size) (?:exceeded|is exceeded)|tokens`? ?\+ ?`?max_(?:new_)?tokens",
        ContextTooLongError, 0, 200, 400, 403, 413, 422, 500,
    ),
    _probe(r"content[_ ]filter|content_policy_violation|responsibleaipolicyviolation", ContentFilteredError),
    _probe(r"flagged|moderation|guardrail", ContentFilteredError, 400, 403),  # OpenRouter 403
    # credit: xAI and OpenAI 429, Anthropic 400, Azure 403, Mistral and Perplexity 401, Fireworks 412
    _probe(
        r"spending limit|spend limit|credit balance|credits?\b.{0,40}\b(?:exhaust|used|spent|run out|remaining|low)"
        r"|(?:exhaust|used|spent|run out|insufficient|not enough|no)\w*\b.{0,40}\bcredits?\b|credits?\b.{0,20}\bdepleted|insufficient (?:balance|funds|quota)"
        r"|exceeded your current quota|out of call volume quota|billing hard limit|reached your (?:\w+ ){1,3}usage limit|quota (?:has been )?exhausted|account (?:is )?suspended",
        NoCreditError, 0, 200, 400, 401, 402, 403, 412, 429,
    ),
    # bad keys under 400: xAI, Gemini's compatible door, LiteLLM
    _probe(
        r"(?:incorrect|invalid|wrong|missing|malformed|no) (?:\w+ )?api[ -]?key|api[ -]?key (?:is )?(?:not valid|invalid|expired|missing)"
        r"|api[ -]?key was reported as leaked|unregistered callers|no connected db|invalid (?:username or )?(?:password|token|credentials)",
        InvalidCredentialsError, 0, 200, 400, 403, 422, 500,
    ),
    # models under 400: DeepSeek, Mistral, HF, OpenRouter, xAI, LiteLLM
    _probe(
        r"model\b[^.]{0,120}\b(?:not found|does not exist|not exist|not available|not supported by|deprecated|decommissioned)"
        r"|(?:unknown|invalid|no such) model|not a valid model|invalid model name|model not exist",
        ModelUnavailableError, 0, 200, 400, 403, 422,
    ),
    # llama.cpp calls a picture or a tool it has no way for a failure of its own
    _probe(r"image input is not supported|tools param requires", BadRequestError, 500),
    _probe(r"overloaded|over capacity|at capacity", OverloadedError, 0, 200, 429, 500, 502, 503),
    _probe(r"rate.?limit", RateLimitedError, 0, 200),
)  # fmt: skip
"""Asked last, in this order, and only where status and code left it general."""


def by_status(status: int) -> Kind:
    """The class a status means by itself."""
    known = STATUSES.get(status)
    if known is not None:
        return known
    if 400 <= status < 500:
        return BadRequestError
    return ServerError if status >= 500 else UnexpectedResponseError
